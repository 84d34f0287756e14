// Which type becomes which: PostgreSQL's parse_coerce.c and parse_type.c, over its own pg_cast.
// The entry points that the query side uses are in analyzer.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/frontend/analyzer.h"
#include "sql/frontend/pg_data.h"

namespace omendb::sql {

enum class CoercionPath : uint8_t {
  kNone,
  kRelabel,   // the same bytes (after a change of physical form, where ours differ)
  kFunction,  // pg_cast's function
  kArray,     // element by element
  kViaIo      // through text
};

/// find_coercion_pathway. `function` is set for kFunction.
CoercionPath find_coercion_path(const StatementContext& statement, Oid target, Oid source, CoercionContext context,
                                Oid* function);
bool can_coerce(const StatementContext& statement, const std::vector<Oid>& inputs, const std::vector<Oid>& targets,
                CoercionContext context);
inline bool can_coerce(const StatementContext& statement, Oid input, Oid target, CoercionContext context) {
  return can_coerce(statement, std::vector<Oid>{input}, std::vector<Oid>{target}, context);
}

/// Applies the cast without the typmod (coerce_type). Requires can_coerce.
TypedExpr coerce_type(Scope& scope, TypedExpr expr, Oid target, int32_t target_typmod, CoercionContext context,
                      int location);
/// Length coercion (coerce_type_typmod) of a value that has `type` already.
TypedExpr coerce_typmod(Scope& scope, TypedExpr expr, int32_t typmod, CoercionContext context);

// Types, the catalog's included.
Oid base_type_of(const StatementContext& statement, Oid type, int32_t* typmod = nullptr);
char type_category(const StatementContext& statement, Oid type, bool* preferred = nullptr);
char type_kind(const StatementContext& statement, Oid type);
Oid element_type_of(const StatementContext& statement, Oid type);   // kInvalidOid: not an array
Oid array_type_of(const StatementContext& statement, Oid element);  // kInvalidOid: has none
bool is_array(const StatementContext& statement, Oid type);
bool is_composite(const StatementContext& statement, Oid type);
/// The columns of a composite type or of a table's or view's row type, dropped ones included; nullptr for anything else.
const std::vector<catalog::Column>* composite_columns(const catalog::Catalog& catalog, Oid type);
bool is_binary_coercible(const StatementContext& statement, Oid source, Oid target);
inline constexpr Oid kAnyMultirange{4537}, kAnyCompatibleRange{5080}, kAnyCompatibleMultirange{4538};
bool is_polymorphic(Oid type);
inline bool is_unknown(const TypedExpr& e) { return e.kind != TypedExpr::Kind::kPlain; }

/// The type that values of several types get together, as UNION and CASE choose it (select_common_type).
class CommonType {
 public:
  CommonType(const StatementContext& statement, Oid first);
  /// False: `next` is of another category.
  bool add(Oid next);
  /// So far; unknown: nothing but literals without a type.
  Oid type() const { return type_; }

 private:
  const StatementContext& statement_;
  Oid type_;
  char category_;
  bool preferred_;
};

/// Resolves polymorphic parameters (enforce_generic_type_consistency): `declared` becomes concrete in place.
/// Returns the concrete result type. Errors: 42804, 42P18.
Oid enforce_generic_types(const StatementContext& statement, const std::vector<Oid>& actual, std::vector<Oid>& declared,
                          Oid result);
/// check_generic_type_consistency: could it work?
bool generic_types_consistent(const StatementContext& statement, const std::vector<Oid>& actual,
                              const std::vector<Oid>& declared);

/// "integer", for error messages.
std::string type_name(const StatementContext& statement, Oid type);

}  // namespace omendb::sql
