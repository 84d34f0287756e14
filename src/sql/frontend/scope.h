// Names in sight of an expression.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/frontend/expr.h"
#include "types/io.h"

namespace duckdb {
class CommonTableExpressionInfo;
}

namespace omendb::sql {

/// One column that a FROM item offers.
struct ScopeColumn {
  std::string name;        // as SQL sees it
  std::string duck_alias;  // where it is: duck_alias.duck_name
  std::string duck_name;
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;
  Oid table;  // plain table columns, for RowDescription
  int16_t attnum = 0;
  /// Merged columns of JOIN USING that are not plain (FULL JOIN): the expression to use instead of duck_alias.duck_name.
  std::shared_ptr<const duckdb::ParsedExpression> merged;
  bool hidden = false;  // system columns: found by name, not by *
};

/// One FROM item as names see it. A join with an alias hides its parts.
struct ScopeItem {
  std::string alias;             // "" : an unnamed join, only its columns are visible
  std::string schema;            // for schema.table.column
  Oid relation;                  // kInvalidOid: not a relation
  char kind = 0;                 // t table, p system catalog, s subquery or view, c CTE, f function, v VALUES, j join
  bool relation_visible = true;  // t.x and t.* work
  bool columns_visible = true;   // bare x works
  bool lateral_only = false;     // in sight only of LATERAL items of the same FROM
  bool lateral_ok = true;        // a reference is an error when false (right side of an outer join)
  bool nullable = false;         // an outer join may extend its rows with nulls
  std::vector<ScopeColumn> columns;
};

struct AnalyzedQuery;
class Lifting;
class ServerFiles;

/// What the names of a statement turned out to mean, by the raw node that wrote them. A view is stored with its stars expanded
/// and its columns qualified, and follows later renames; both need this.
struct NameRecorder {
  struct Column {
    std::string alias;  // of the FROM item; "" for a merged column of JOIN USING
    std::string column;
    Oid table;  // kInvalidOid: not a table's or view's column
    int16_t attnum = 0;
  };
  std::map<const void*, Column> columns;                          // ColumnRef*: a single column
  std::map<const void*, std::vector<Column>> stars;               // ColumnRef*: * and t.* of a target list
  std::map<const void*, Oid> relations;                           // RangeVar*; kInvalidOid: a common table expression
  std::map<const void*, std::vector<std::string>> natural_joins;  // JoinExpr* of NATURAL: the columns it joins
};

/// What all levels of one statement share.
struct StatementContext {
  std::shared_ptr<const catalog::Catalog> catalog;
  std::vector<std::string> search_path;  // resolved schema names, pg_catalog first when implied
  std::string current_user, database_name;
  Oid temp_schema;
  const types::IoContext* io = nullptr;
  std::string_view text;             // the statement
  std::vector<Oid> parameter_types;  // by number - 1; kInvalidOid: not known yet
  bool parameters_fixed = false;     // more than these are an error (42P02)
  int next_alias = 1;
  std::set<uint32_t> relations;           // every relation read or written, views included (OID values)
  std::set<uint32_t> other_dependencies;  // types and sequences
  bool has_volatile = false;              // a volatile function: no result caching
  Lifting* lifting = nullptr;             // set: literals that may become parameters remember that they are literals
  bool reads_clock = false;               // a literal such as 'now' was read: the tree holds for this moment only
  ServerFiles* files = nullptr;           // who describes files for read_parquet and read_csv; null: nobody
  bool reads_files = false;               // one of them stands in the statement
  NameRecorder* recorder = nullptr;       // set: what each name means is written down here
  int depth = 0;                          // of nested queries and views
  std::vector<Oid> views_in_expansion;
  // What has to run before the statement itself; becomes AnalyzedQuery::modifying_ctes.
  std::vector<std::shared_ptr<AnalyzedQuery>> run_first;
  /// Products of decimals whose declared digits exceed 38 are computed in 38 digits all the same, with an overflow check, because real
  /// values are rarely that long. `exact_numeric` forbids it; `speculative_decimals` says that it happened: when such a statement
  /// fails with DuckDB's decimal overflow before any row went out, analyse it again with exact_numeric.
  bool exact_numeric = false;
  bool speculative_decimals = false;
  std::function<void(std::string_view severity, const ErrorInfo&)> notice;

  std::string new_alias(const char* stem) { return stem + std::to_string(next_alias++); }
};

/// A common table expression in sight.
struct ScopeCte {
  std::string name;
  std::string duck_name;
  std::vector<ScopeColumn> columns;  // duck_alias empty
  bool recursive_in_progress = false;
  size_t run_first = SIZE_MAX;  // not a DuckDB CTE: rows of StatementContext::run_first
  bool returns_rows = true;     // false: INSERT, UPDATE, DELETE without RETURNING
  int references = 0;
};

/// One query level.
struct Scope {
  StatementContext* statement = nullptr;
  Scope* parent = nullptr;  // the enclosing query; correlated references go there
  std::vector<ScopeItem> items;
  std::vector<ScopeCte> ctes;               // of this level
  ExprKind kind = ExprKind::kSelectTarget;  // of the expression being analysed

  // Named windows (WINDOW clause) by name: raw WindowDef*, resolved by the expression analyser.
  std::map<std::string, const void*> windows;
  // Every duck alias that this level's FROM made, and every table name that it ever showed (for hints).
  std::set<std::string> duck_aliases;
  struct SeenTable {
    std::string alias, name;
    std::vector<std::string> columns;
  };
  std::vector<SeenTable> seen_tables;
  // Items with lateral_only are in sight now (an item of the same FROM is being analysed).
  bool lateral_active = false;
  // An aggregate belongs to this level; set by whoever analyses the call.
  bool has_aggregates = false;
  // A correlated reference from below marks the level it binds to.
  bool referenced_from_below = false;
  // For VALUE in domain checks, excluded in ON CONFLICT and so on: names resolved before columns.
  std::map<std::string, TypedExpr> special_names;
};

}  // namespace omendb::sql
