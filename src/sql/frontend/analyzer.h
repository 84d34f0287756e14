// Whole statements: raw tree in, an AnalyzedQuery out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/parser/statement/select_statement.hpp"

#include "sql/frontend/scope.h"
#include "sql/session.h"

namespace duckdb {
class FunctionExpression;
}

struct Node;  // PostgreSQL's
struct SelectStmt;
struct TypeName;
struct ColumnRef;
struct List;

namespace omendb::sql {

enum class QueryKind : uint8_t { kSelect, kInsert, kUpdate, kDelete, kMerge };

/// FOR UPDATE and its kin on one table of the FROM list.
struct RowMark {
  Oid table;
  size_t key_column;  // position of its "_key" in the select's output (after the outputs); null: no row (outer joins)
  table::RowLockMode mode;
  table::LockWait wait;
};

/// What to do with a row that a data-modifying statement's select yields. Columns are positions in the select's output.
struct WriteAction {
  enum class Kind : uint8_t { kInsert, kUpdate, kDelete, kNothing };
  Kind kind = Kind::kInsert;
  std::vector<size_t> row;      // new value of each table column by attnum - 1 (SIZE_MAX: dropped, null)
  std::vector<size_t> changed;  // kUpdate: attnums that SET names
  struct Check {
    size_t column;            // boolean; false violates (null does not)
    std::string constraint;   // CHECK's name, or a view's name
    bool view_check = false;  // WITH CHECK OPTION: 44000
  };
  std::vector<Check> checks;
};

/// ON CONFLICT.
struct ConflictClause {
  bool do_update = false;
  bool any_index = false;  // no target: every unique index arbitrates
  std::vector<Oid> arbiters;
  /// DO UPDATE: a select over two collections, the existing rows (omen_rows(0): columns "c<attnum>" and "_key") and the proposed rows
  /// (omen_rows(1)), paired by position ("_ordinal"); its output: condition (boolean; position 0), then as `action` says.
  std::unique_ptr<duckdb::SelectStatement> update;
  WriteAction action;
  std::vector<size_t> returning;
};

/// The result of analysis. `select` computes everything row by row; the engine's executor only applies what it yields.
///   SELECT          outputs, then hidden columns (row marks)
///   INSERT          one row of output a row to insert
///   UPDATE, DELETE  `key` is the target row's "_key"; a row may come more than once (joins): the first one counts
///   MERGE           `action_column` (integer) picks the action; `key` is null for a row that is not matched
struct AnalyzedQuery {
  QueryKind kind = QueryKind::kSelect;
  std::unique_ptr<duckdb::SelectStatement> select;
  std::vector<ColumnDescription> outputs;  // of SELECT or RETURNING
  std::vector<size_t> returning;           // positions in select's output; for SELECT: 0..n-1
  bool has_returning = false;

  Oid target;  // table written
  size_t key = SIZE_MAX;
  size_t action_column = SIZE_MAX;
  std::vector<WriteAction> actions;
  std::optional<ConflictClause> conflict;

  std::vector<RowMark> row_marks;
  /// With row marks, LIMIT and OFFSET count rows that were locked, so the executor applies them: hidden columns of type int8 (the same
  /// value in every row; null: none). SIZE_MAX: none.
  size_t limit_column = SIZE_MAX, offset_column = SIZE_MAX;
  std::vector<Oid> parameter_types;
  std::vector<Oid> relations;  // to lock and to watch for changes
  bool is_volatile = false;
  bool reads_clock = false;  // holds for this moment only (StatementContext::reads_clock)
  /// WITH x AS (INSERT ... RETURNING ...), and SELECT ... FOR UPDATE below the top (kSelect with row marks): run first, in order; the
  /// main select, and later ones of these, read their RETURNING (output) rows as omen_rows(100 + i), columns "c1", "c2", ...
  std::vector<AnalyzedQuery> modifying_ctes;
};

/// The innermost level at or above `scope` that `expr` refers to a column of; nullptr when it has no column. An aggregate belongs to
/// the level_of its arguments (its own level for nullptr), and sets has_aggregates there.
Scope* level_of(Scope& scope, const duckdb::ParsedExpression& expr);

/// Analyses SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE. Throws SqlError.
AnalyzedQuery analyze_query(StatementContext& statement, Node* raw);

/// An expression over the columns of one table (defaults, CHECK, generated columns, index expressions), as SQL text.
/// `duck_alias` is where its columns are. Throws SqlError.
TypedExpr analyze_table_expression(StatementContext& statement, const catalog::Table* table,
                                   const std::string& duck_alias, std::string_view sql, ExprKind kind);

// --- The expression side (frontend/expression*.cc, coerce.cc, function_lookup.cc) ---

TypedExpr analyze_expr(Scope& scope, Node* node, ExprKind kind);
/// PostgreSQL's coerce_to_target_type; throws 42804 naming both types when there is no way.
TypedExpr coerce(Scope& scope, TypedExpr expr, Oid type, int32_t typmod, CoercionContext context);
/// As coerce, but nullopt when there is no way.
std::optional<TypedExpr> try_coerce(Scope& scope, TypedExpr expr, Oid type, int32_t typmod, CoercionContext context);
/// WHERE, ON, HAVING ...: "argument of WHERE must be type boolean, not type integer".
TypedExpr coerce_to_boolean(Scope& scope, TypedExpr expr, const char* construct);
/// The common type of UNION columns, VALUES, CASE, COALESCE, ARRAY (manual 10.5). `construct` is for the message.
Oid select_common_type(Scope& scope, const std::vector<TypedExpr*>& exprs, const char* construct);
/// Gives unknown literals and parameters that nothing else typed the type text (end of a target list).
TypedExpr resolve_unknown(Scope& scope, TypedExpr expr);
/// A TypeName node: OID and typmod. Errors: 42704.
struct ResolvedType {
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;
};
ResolvedType resolve_type(StatementContext& statement, const TypeName* name);
/// Physical form of any type, enums and domains included.
types::PhysicalType physical_of(StatementContext& statement, Oid type, int32_t typmod);
/// "character varying(10)", as error messages and format_type print it.
std::string format_type(const catalog::Catalog& catalog, Oid type, int32_t typmod);
/// The name a target column gets when it has no alias (FigureColname).
std::string target_name(Node* node);

/// left name right by PostgreSQL's operator resolution, as `a = b` in a query; for USING, row locks, WITH TIES ...
TypedExpr make_operator(Scope& scope, std::string_view name, TypedExpr left, TypedExpr right, int location);
/// ROW(...). `row_type` is a table's row type, or record. Keeps fields and field_names.
TypedExpr make_row(Scope& scope, std::vector<TypedExpr> fields, std::vector<std::string> names, Oid row_type);
/// `value` (of `type`) as something that DuckDB orders, compares, groups and hashes as PostgreSQL's default operator class of the
/// type does; `value` itself for most types (not so: numeric without a small precision, whose display scale does not count).
std::unique_ptr<duckdb::ParsedExpression> sort_key(Oid type, const types::PhysicalType& physical,
                                                   std::unique_ptr<duckdb::ParsedExpression> value);
/// True when sort_key changes values of this type.
bool needs_sort_key(Oid type, const types::PhysicalType& physical);
/// Numeric in another physical form (bytes, or a decimal that holds it: rounding is PostgreSQL's, overflow 22003).
TypedExpr to_numeric_form(Scope& scope, TypedExpr e, const types::PhysicalType& form);
/// Brings numerics of one list (CASE, UNION, VALUES, =) to one physical form, exact; bpchar widths are joined.
types::PhysicalType common_physical(Scope& scope, Oid type, std::vector<TypedExpr*> exprs);
/// Is a call in an emitted tree (not a WindowExpression) an aggregate?
bool is_aggregate_call(const duckdb::FunctionExpression& call);

// --- The query side (frontend/query*.cc, from_clause.cc, dml.cc) ---

/// A subquery in an expression (sublink) or in FROM, seen from `outer`.
struct SubqueryResult {
  std::unique_ptr<duckdb::SelectStatement> select;
  std::vector<ScopeColumn> columns;  // duck_alias empty; duck_name: the output names
};
SubqueryResult analyze_subquery(Scope* outer, StatementContext& statement, SelectStmt* select);
/// x, t.x, s.t.x, t.* as a row. Errors: 42703, 42702, 42P01 with hints.
TypedExpr resolve_column(Scope& scope, ColumnRef* ref);
/// A table, view or sequence by name along the search path; kInvalidOid when absent.
Oid find_relation(StatementContext& statement, const char* schema, const char* name);
/// Stars of a target list expanded: name and expression a column.
std::vector<std::pair<std::string, TypedExpr>> analyze_target_list(Scope& scope, List* targets, ExprKind kind);

}  // namespace omendb::sql
