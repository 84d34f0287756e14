// frontend/: PostgreSQL's parse analysis. A raw tree goes in; a DuckDB statement comes out in which every name is resolved,
// every overload chosen and every cast written, by PostgreSQL's rules (manual, chapter 10), so that DuckDB's binder has
// nothing left to decide.
//
//   expr.h      an analysed expression
//   scope.h     names in sight: range table, columns, outer queries
//   analyzer.h  whole statements
//
// Conventions of the emitted statement
//   - A table in FROM is the table function omen_scan(OID) with a unique alias ("r1", "r2", ...); its columns are named "c<attnum>",
//     and a hidden BLOB column "_key" holds the row's key. A system catalog is omen_catalog('pg_class') in the same manner.
//   - Every subquery, CTE and join gets unique aliases and unique column names; a column reference is always two-part.
//   - Our own functions are named "omen_..." (functions/register.h), DuckDB's are used where they mean exactly the same.
//   - A set-returning call is unnest(LIST): one element a row, whether it stands in FROM or in a select list (DuckDB, like PostgreSQL, runs
//     several in lockstep). In FROM (kFromFunction), a call that returns rows of several columns has `fields`, and its elements are
//     STRUCTs with the keys "f1", "f2", ...; elsewhere its elements are records.
//   - GROUPING(...) is DuckDB's operator of that name over the analysed arguments, cast to int4; the query side checks the arguments.
//   - A parameter $n is a ParameterExpression "n" under a cast to its DuckDB type.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/parser/parsed_expression.hpp"

#include "base/strong_id.h"
#include "sql/error.h"
#include "types/value.h"

namespace omendb::sql {

struct LiteralSlot;

/// An analysed expression.
struct TypedExpr {
  enum class Kind : uint8_t {
    kPlain,
    kUnknownLiteral,   // 'text' not coerced yet: `literal`; duck is null
    kNull,             // NULL of type unknown; duck is null until coerced
    kUntypedParameter  // $n whose type is not known yet; duck is null until coerced
  };
  Kind kind = Kind::kPlain;
  std::unique_ptr<duckdb::ParsedExpression> duck;
  Oid type;
  int32_t typmod = -1;
  types::PhysicalType physical;  // of the values that `duck` yields
  std::string literal;
  int parameter = 0;                  // kUntypedParameter
  std::shared_ptr<LiteralSlot> slot;  // kUnknownLiteral that may be lifted (lifting.h)
  int location = -1;                  // byte offset in the statement's text

  bool has_aggregate = false;  // an aggregate of this level
  bool has_window = false;
  bool returns_set = false;
  bool is_volatile = false;
  // A plain column of a table, for RowDescription.
  Oid table;
  int16_t attnum = 0;
  // ROW(...) and whole-row references keep their fields; `duck` then yields the record's bytes.
  std::vector<TypedExpr> fields;
  std::vector<std::string> field_names;

  /// A numeric whose display scale varies by row lies as bytes; where the value alone fits one decimal (CASE WHEN x THEN 1.50
  /// ELSE 0 END), this is that decimal, and `display_scale` the scale to show. sum and comparisons stay on decimals by it.
  std::unique_ptr<duckdb::ParsedExpression> as_decimal, display_scale;
  types::PhysicalType decimal_form;

  TypedExpr clone() const;
};

/// Where an expression stands; decides what it may contain and how errors name the place ("WHERE", "GROUP BY", ...).
enum class ExprKind : uint8_t {
  kSelectTarget,
  kWhere,
  kJoinOn,
  kGroupBy,
  kHaving,
  kFilter,
  kOrderBy,
  kDistinctOn,
  kLimit,
  kOffset,
  kWindowPartition,
  kWindowOrder,
  kWindowFrame,
  kFromFunction,
  kFromSubselect,
  kInsertTarget,
  kUpdateSource,
  kValues,
  kReturning,
  kCheckConstraint,
  kColumnDefault,
  kGeneratedColumn,
  kIndexExpression,
  kIndexPredicate,
  kAlterColumnTransform,
  kExecuteParameter,
  kMergeWhen,
  kPolicy,
  kCallArgument
};

enum class CoercionContext : uint8_t { kImplicit, kAssignment, kExplicit };

}  // namespace omendb::sql
