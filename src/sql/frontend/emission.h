// Emission: from a function that analysis chose (a row of pg_proc) and its coerced arguments to what DuckDB computes.
//
// The key is prosrc, the name of PostgreSQL's C function: operators, casts and functions all end there. In order:
//   1. an entry of the emission table (emission_*.cc): DuckDB's own operator or function where it means exactly the same,
//      or a special form;
//   2. our own function "omen_<prosrc>", if functions/ registers one (functions/register.h): called with every argument
//      in the plain physical form of its type (numerics as bytes);
//   3. 0A000 that names the function. Never a guess.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "duckdb/common/enums/expression_type.hpp"
#include "duckdb/common/types/value.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/result_modifier.hpp"

#include "sql/duck_types.h"
#include "sql/frontend/analyzer.h"
#include "sql/frontend/pg_data.h"

namespace omendb::sql {

using DuckExpr = std::unique_ptr<duckdb::ParsedExpression>;

inline duckdb::unique_ptr<duckdb::ParsedExpression> duck_ptr(DuckExpr e) {
  return duckdb::unique_ptr<duckdb::ParsedExpression>(e.release());
}

// --- Building blocks ---

DuckExpr make_constant(duckdb::Value value);
DuckExpr make_text(const std::string& text);
DuckExpr make_integer(int32_t value);
DuckExpr make_function(const std::string& name, std::vector<DuckExpr> arguments);
template <class... Args>
DuckExpr make_call(const std::string& name, Args... arguments) {
  std::vector<DuckExpr> list;
  (list.push_back(std::move(arguments)), ...);
  return make_function(name, std::move(list));
}
DuckExpr make_cast(DuckExpr e, const duckdb::LogicalType& type);
DuckExpr make_compare(duckdb::ExpressionType type, DuckExpr left, DuckExpr right);
DuckExpr make_and(DuckExpr left, DuckExpr right);
DuckExpr make_or(DuckExpr left, DuckExpr right);
DuckExpr make_not(DuckExpr e);
DuckExpr make_is_null(DuckExpr e, bool negated = false);
DuckExpr make_coalesce(DuckExpr first, DuckExpr second);
/// list_transform(list, lambda variable: body)
DuckExpr make_list_transform(DuckExpr list, const std::string& variable, DuckExpr body);
DuckExpr make_case(DuckExpr condition, DuckExpr then, DuckExpr otherwise);
inline DuckExpr copy_of(const DuckExpr& e) { return DuckExpr(e->Copy().release()); }

/// The constant that `e` is, seen through our markers; nullptr when it is none (or NULL). Whoever asks decides by the value, so a literal
/// is not lifted after this (lifting.h); the others below tell nothing of it.
const duckdb::Value* constant_of(const TypedExpr& e);
bool is_constant(const TypedExpr& e);        // NULL included
bool is_constant_value(const TypedExpr& e);  // NULL and untyped literals not
bool is_null_constant(const TypedExpr& e);   // and untyped literals

/// A value as a constant expression of a type.
TypedExpr typed_constant(StatementContext& statement, Oid type, int32_t typmod, const types::PhysicalType& physical,
                         const types::ValueView& value, int location);
TypedExpr typed_null(StatementContext& statement, Oid type, int32_t typmod, int location);
TypedExpr text_constant(const std::string& text, int location = -1);
TypedExpr int4_constant(int32_t value, int location = -1);
TypedExpr bool_constant(bool value, int location = -1);
/// A TypedExpr around `duck` that inherits the flags (has_aggregate, ...) of `parts`.
TypedExpr typed(DuckExpr duck, Oid type, const types::PhysicalType& physical,
                std::initializer_list<const TypedExpr*> parts = {}, int location = -1);
void inherit_flags(TypedExpr& target, const TypedExpr& part);

/// Describes a type to our functions that work on any: parsed by functions/library.h.
std::string type_descriptor(const StatementContext& statement, Oid type, const types::PhysicalType& physical,
                            int32_t typmod = -1);
inline DuckExpr make_descriptor(const StatementContext& statement, const TypedExpr& e) {
  return make_text(type_descriptor(statement, e.type, e.physical, e.typmod));
}

// --- Physical forms ---

/// Numeric as bytes, whatever it was; others unchanged.
TypedExpr to_plain(Scope& scope, TypedExpr e);
/// Numeric with another physical form (bytes, or a decimal that holds it: rounding is PostgreSQL's, overflow 22003).
TypedExpr to_numeric_form(Scope& scope, TypedExpr e, const types::PhysicalType& form);
/// numeric of so many digits as a decimal. Requires 1 <= precision <= 38, scale <= precision.
types::PhysicalType decimal_form(int precision, int scale);
/// A numeric constant that lies as bytes, as the smallest decimal that shows the same digits.
TypedExpr shrink_numeric_constant(Scope& scope, TypedExpr e);
/// Brings numerics of one list (CASE, UNION, VALUES, =) to one physical form, exact; bpchar widths are joined.
types::PhysicalType common_physical(Scope& scope, Oid type, std::vector<TypedExpr*> exprs);
/// The condition of a domain's CHECK with VALUE standing for `value`.
TypedExpr analyze_domain_check(Scope& scope, const std::string& sql, const TypedExpr& value);
/// Value as text by the type's output function.
TypedExpr to_text_by_output(Scope& scope, TypedExpr e);
/// PhysicalType::width of a bpchar whose values have their padding with them: what CASE, UNION, VALUES make of several lengths.
inline constexpr int32_t kOwnSpaces = -1;
/// The form of an array's elements outside of it: a bpchar there has its padding with it.
types::PhysicalType element_physical(StatementContext& statement, Oid element);
/// Such a bpchar without its padding; anything else as it is.
TypedExpr without_spaces(TypedExpr e);
/// bpchar with its padding back, as text.
DuckExpr bpchar_padded(const TypedExpr& e);

// --- Calls ---

struct Call {
  Scope& scope;
  const ProcRow& proc;
  std::vector<TypedExpr> args;
  std::vector<Oid> declared;  // concrete parameter types, one an argument
  Oid result;                 // concrete
  int location = -1;
  bool variadic_array = false;  // VARIADIC array given as such
  StatementContext& statement() const { return *scope.statement; }
  /// Result with the flags of every argument.
  TypedExpr result_of(DuckExpr duck) const;
  TypedExpr result_of(DuckExpr duck, Oid type, const types::PhysicalType& physical) const;
  std::vector<DuckExpr> take_args();
};

/// Scalar functions (and operators, and cast functions).
TypedExpr emit_call(Call call);
/// True when emit_call would find something.
bool can_emit(const ProcRow& proc);
/// Calls pg_catalog's function with this prosrc over arguments that have its types already.
TypedExpr emit_named(Scope& scope, std::string_view source, std::vector<TypedExpr> args, Oid result, int location = -1);

using Emitter = TypedExpr (*)(Call&);
/// The emission table's entry, or nullptr.
Emitter find_emitter(std::string_view source);
void add_emitter(std::string_view source, Emitter emitter);
// Each emission_*.cc fills its part of the table.
void add_comparison_emitters();
void add_arithmetic_emitters();
void add_text_emitters();
void add_datetime_emitters();
void add_misc_emitters();

// --- Aggregates and window functions (emission_aggregate.cc) ---

struct AggregateCall {
  Call call;  // plain arguments (ordered-set: direct arguments, then the sorted one)
  bool distinct = false;
  bool star = false;
  DuckExpr filter;
  duckdb::vector<duckdb::OrderByNode> orders;  // ORDER BY inside the call, or WITHIN GROUP
  bool within_group = false;
  // Given by OVER: wraps any aggregate or window function that emission makes.
  struct Window {
    std::vector<DuckExpr> partitions;
    duckdb::vector<duckdb::OrderByNode> orders;
    uint8_t start, end, exclude;  // duckdb::WindowBoundary, WindowExcludeMode
    DuckExpr start_offset, end_offset;
  };
  const Window* window = nullptr;
};
TypedExpr emit_aggregate(AggregateCall& call);
TypedExpr emit_window_function(AggregateCall& call);

}  // namespace omendb::sql
