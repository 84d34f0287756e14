// Assignment to a part of a column: SET a[1] = x, a[2:3] = y, c.f = z, and any depth of these.
#include "sql/frontend/coerce.h"
#include "sql/frontend/dml.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/expression.h"
#include "types/geometry.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using types::Physical;

namespace {

struct PartialAssignment {
  Scope& scope;
  List* path;
  std::string column;
  ExprKind kind;
  int location;
  TypedExpr value;

  StatementContext& statement() { return *scope.statement; }
  TypedExpr into(TypedExpr base, int at);

 private:
  TypedExpr into_field(TypedExpr base, int at);
  TypedExpr into_array(TypedExpr base, int at);
  TypedExpr into_jsonb(TypedExpr base, int at);
  DuckExpr bound(Node* node, const char* what);
  TypedExpr final_value(Oid type, int32_t typmod, const std::string& wrong);
};

/// The value itself, brought to the type of the place it goes to.
TypedExpr PartialAssignment::final_value(Oid type, int32_t typmod, const std::string& wrong) {
  const Oid source = is_unknown(value) ? oid::kUnknown : value.type;
  auto result = try_coerce(scope, std::move(value), type, typmod, CoercionContext::kAssignment);
  if (!result) {
    throw SqlError(
        SqlState::kDatatypeMismatch,
        wrong + type_name(statement(), type) + " but expression is of type " + type_name(statement(), source), location)
        .hint("You will need to rewrite or cast the expression.");
  }
  return std::move(*result);
}

TypedExpr PartialAssignment::into(TypedExpr base, int at) {
  return IsA(list_nth(path, at), A_Indices) ? into_array(std::move(base), at) : into_field(std::move(base), at);
}

TypedExpr PartialAssignment::into_field(TypedExpr base, int at) {
  const std::string field = strVal(list_nth(path, at));
  const Oid type = base_type_of(statement(), base.type);
  const auto* columns = composite_columns(*statement().catalog, type);
  const std::string place = "cannot assign to field \"" + field + "\" of column \"" + column + "\" because ";
  if (columns == nullptr) {
    throw SqlError(SqlState::kDatatypeMismatch,
                   place + "its type " + type_name(statement(), base.type) + " is not a composite type", location);
  }
  std::vector<TypedExpr> fields;
  std::vector<std::string> names;
  bool found = false;
  for (const auto& c : *columns) {
    if (c.dropped) continue;
    TypedExpr old = select_field(scope, base.clone(), c.name, location);
    if (c.name == field) {
      found = true;
      old = at + 1 < list_length(path) ? into(std::move(old), at + 1)
                                       : final_value(c.type, c.typmod, "subfield \"" + field + "\" is of type ");
    }
    fields.push_back(std::move(old));
    names.push_back(c.name);
  }
  if (!found) {
    throw SqlError(SqlState::kUndefinedColumn,
                   place + "there is no such column in data type " + type_name(statement(), base.type), location);
  }
  return make_row(scope, std::move(fields), std::move(names), type);
}

DuckExpr PartialAssignment::bound(Node* node, const char* what) {
  TypedExpr e = analyze_expr(scope, node, kind);
  const int at = e.location;
  auto coerced = try_coerce(scope, std::move(e), oid::kInt4, -1, CoercionContext::kAssignment);
  if (!coerced)
    throw SqlError(SqlState::kDatatypeMismatch, std::string("array ") + what + " must have type integer", at);
  return std::move(coerced->duck);
}

TypedExpr PartialAssignment::into_array(TypedExpr base, int at) {
  const Oid type = base_type_of(statement(), base.type);
  if (type == oid::kJsonb) return into_jsonb(std::move(base), at);
  const Oid element = element_type_of(statement(), type);
  if (types::is_geometric(type) && type != oid::kPath && type != oid::kPolygon && type != oid::kCircle)
    not_supported("assignment to a part of type " + type_name(statement(), base.type), location);
  if (element == kInvalidOid) {
    throw SqlError(
        SqlState::kDatatypeMismatch,
        "cannot subscript type " + type_name(statement(), base.type) + " because it does not support subscripting",
        location);
  }
  std::vector<Node*> steps;
  bool slice = false;
  for (; at < list_length(path) && IsA(list_nth(path, at), A_Indices); ++at) {
    steps.push_back(static_cast<Node*>(list_nth(path, at)));
    slice = slice || reinterpret_cast<A_Indices*>(steps.back())->is_slice;
  }
  TypedExpr part;
  if (at < list_length(path)) {
    if (slice) not_supported("assignment to a field of an array slice", location);
    part = into(subscript(scope, base.clone(), steps), at);
  } else {
    part =
        final_value(slice ? type : element, base.typmod, "subscripted assignment to \"" + column + "\" requires type ");
  }
  part = to_plain(scope, std::move(part));
  if (base_type_of(statement(), part.type) == types::oid::kBpchar) part.duck = bpchar_padded(part);
  std::vector<DuckExpr> arguments;
  arguments.push_back(make_text(type_descriptor(statement(), element, physical_of(statement(), element, -1))));
  arguments.push_back(std::move(base.duck));
  if (!slice) arguments.push_back(make_descriptor(statement(), part));
  arguments.push_back(std::move(part.duck));
  for (Node* n : steps) {
    auto* index = reinterpret_cast<A_Indices*>(n);
    if (!slice) {
      arguments.push_back(bound(index->uidx, "subscript"));
      continue;
    }
    auto given = [](bool b) { return make_constant(duckdb::Value::BOOLEAN(b)); };
    auto none = [] { return make_constant(duckdb::Value(duckdb::LogicalType::INTEGER)); };
    const bool single = !index->is_slice;
    arguments.push_back(given(single || index->lidx != nullptr));
    arguments.push_back(single                   ? make_integer(1)
                        : index->lidx != nullptr ? bound(index->lidx, "slice subscript")
                                                 : none());
    arguments.push_back(given(index->uidx != nullptr));
    arguments.push_back(index->uidx != nullptr ? bound(index->uidx, "slice subscript") : none());
  }
  return typed(make_function(slice ? "omen_array_set_slice" : "omen_array_set", std::move(arguments)), base.type,
               {Physical::kBytes}, {}, location);
}

TypedExpr PartialAssignment::into_jsonb(TypedExpr base, int at) {
  std::vector<DuckExpr> steps;
  steps.push_back(make_text(type_descriptor(statement(), oid::kText, {Physical::kBytes})));
  bool first_is_integer = false;
  for (; at < list_length(path) && IsA(list_nth(path, at), A_Indices); ++at) {
    auto* index = static_cast<A_Indices*>(list_nth(path, at));
    if (index->is_slice) {
      throw SqlError(SqlState::kDatatypeMismatch, "jsonb subscript does not support slices",
                     exprLocation(index->uidx != nullptr ? index->uidx : index->lidx));
    }
    TypedExpr step = analyze_expr(scope, index->uidx, kind);
    const Oid source = is_unknown(step) ? oid::kUnknown : step.type;
    const bool integer =
        source != oid::kUnknown && can_coerce(statement(), source, oid::kInt4, CoercionContext::kImplicit);
    if (!integer && !can_coerce(statement(), source, oid::kText, CoercionContext::kImplicit)) {
      throw SqlError(SqlState::kDatatypeMismatch,
                     "subscript type " + type_name(statement(), source) + " is not supported", step.location)
          .hint("jsonb subscript must be coercible to either integer or text.");
    }
    if (steps.size() == 1) first_is_integer = integer;
    if (integer) step = coerce(scope, std::move(step), oid::kInt4, -1, CoercionContext::kImplicit);
    steps.push_back(std::move(coerce(scope, std::move(step), oid::kText, -1, CoercionContext::kExplicit).duck));
  }
  if (at < list_length(path)) {
    throw SqlError(SqlState::kDatatypeMismatch,
                   "cannot assign to field \"" + std::string(strVal(list_nth(path, at))) + "\" of column \"" + column +
                       "\" because its type jsonb is not a composite type",
                   location);
  }
  TypedExpr part = final_value(oid::kJsonb, -1, "subscripted assignment to \"" + column + "\" requires type ");
  DuckExpr array = make_function("omen_array", std::move(steps));
  return typed(make_call("omen_jsonb_assign", std::move(base.duck), std::move(array), std::move(part.duck),
                         make_constant(duckdb::Value::BOOLEAN(first_is_integer))),
               base.type, {Physical::kBytes}, {}, location);
}

}  // namespace

TypedExpr assign_part(Scope& scope, TypedExpr base, List* path, const std::string& column, TypedExpr value,
                      ExprKind kind, int location) {
  ListCell* cell = nullptr;
  foreach (cell, path) {
    if (IsA(lfirst(cell), A_Star))
      throw SqlError(SqlState::kFeatureNotSupported, "row expansion via \"*\" is not supported here", location);
  }
  const Oid whole = base.type;
  const int32_t typmod = base.typmod;
  base = resolve_unknown(scope, std::move(base));
  TypedExpr result = PartialAssignment{scope, path, column, kind, location, std::move(value)}.into(std::move(base), 0);
  // A domain's checks hold for the whole.
  return coerce(scope, std::move(result), whole, typmod, CoercionContext::kAssignment);
}

}  // namespace omendb::sql
