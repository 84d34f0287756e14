// Arrays, rows, subscripts and fields; names of result columns.
#include "sql/frontend/expression.h"

#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/record_shape.h"
#include "types/geometry.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using types::Physical;

TypedExpr make_row(Scope& scope, std::vector<TypedExpr> fields, std::vector<std::string> names, Oid row_type) {
  TypedExpr row;
  row.type = row_type;
  row.physical = {Physical::kBytes};
  std::vector<DuckExpr> arguments;
  arguments.push_back(make_text(type_descriptor(*scope.statement, row_type, row.physical)));
  RecordShape shape;
  for (auto& f : fields) {
    inherit_flags(row, f);
    TypedExpr value = resolve_unknown(scope, f.clone());
    shape.push_back({shape.size() < names.size() ? names[shape.size()] : "f" + std::to_string(shape.size() + 1),
                     value.type, value.typmod});
    value = to_plain(scope, std::move(value));
    arguments.push_back(make_descriptor(*scope.statement, value));
    arguments.push_back(std::move(value.duck));
  }
  row.duck = make_function("omen_record", std::move(arguments));
  if (row_type == oid::kRecord) row.typmod = record_typmod(std::move(shape));
  row.fields = std::move(fields);
  row.field_names = std::move(names);
  return row;
}

TypedExpr select_field(Scope& scope, TypedExpr base, const std::string& name, int location) {
  for (size_t i = 0; i < base.field_names.size() && i < base.fields.size(); ++i) {
    if (base.field_names[i] == name) {
      TypedExpr field = std::move(base.fields[i]);
      field.location = location;
      return field;
    }
  }
  StatementContext& statement = *scope.statement;
  const RecordShape fields = record_fields(statement, base);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != name) continue;
    const types::PhysicalType physical = physical_of(statement, fields[i].type, fields[i].typmod);
    const types::PhysicalType plain = physical.is_decimal() ? types::PhysicalType{Physical::kBytes} : physical;
    DuckExpr of = make_descriptor(statement, base);
    TypedExpr field = typed(make_call("omen_record_field", make_text(type_descriptor(statement, fields[i].type, plain)),
                                      std::move(of), std::move(base.duck), make_integer(static_cast<int32_t>(i + 1))),
                            fields[i].type, plain, {&base}, location);
    if (physical.is_decimal()) field = to_numeric_form(scope, std::move(field), physical);
    field.typmod = fields[i].typmod;
    return field;
  }
  if (base.type == oid::kRecord) {
    throw SqlError(SqlState::kUndefinedColumn, "could not identify column \"" + name + "\" in record data type",
                   location);
  }
  if (is_composite(statement, base.type)) {
    throw SqlError(SqlState::kUndefinedColumn,
                   "column \"" + name + "\" not found in data type " + type_name(statement, base.type), location);
  }
  throw SqlError(SqlState::kWrongObjectType,
                 "column notation ." + name + " applied to type " + type_name(statement, base.type) +
                     ", which is not a composite type",
                 location);
}

TypedExpr subscript(Scope& scope, TypedExpr base, std::vector<Node*> indices) {
  StatementContext& statement = *scope.statement;
  const int location = base.location;
  base = resolve_unknown(scope, std::move(base));
  const Oid type = base_type_of(statement, base.type);
  bool slice = false;
  for (Node* n : indices) slice = slice || reinterpret_cast<A_Indices*>(n)->is_slice;
  if (type == oid::kJsonb) {
    if (slice) {
      auto* index = reinterpret_cast<A_Indices*>(indices.front());
      throw SqlError(SqlState::kDatatypeMismatch, "jsonb subscript does not support slices",
                     exprLocation(index->uidx != nullptr ? index->uidx : index->lidx));
    }
    // Integers and texts alike are steps of a path.
    std::vector<DuckExpr> steps;
    steps.push_back(make_text(type_descriptor(statement, oid::kText, {Physical::kBytes})));
    for (Node* n : indices) {
      TypedExpr index = analyze_node(scope, reinterpret_cast<A_Indices*>(n)->uidx);
      const Oid source = is_unknown(index) ? oid::kUnknown : index.type;
      if (source != oid::kUnknown && can_coerce(statement, source, oid::kInt4, CoercionContext::kImplicit)) {
        index = coerce(scope, std::move(index), oid::kInt4, -1, CoercionContext::kImplicit);
      } else if (!can_coerce(statement, source, oid::kText, CoercionContext::kImplicit)) {
        throw SqlError(SqlState::kDatatypeMismatch,
                       "subscript type " + type_name(statement, source) + " is not supported", index.location)
            .hint("jsonb subscript must be coercible to either integer or text.");
      }
      index = coerce(scope, std::move(index), oid::kText, -1, CoercionContext::kExplicit);
      inherit_flags(base, index);
      steps.push_back(std::move(index.duck));
    }
    base.duck =
        make_call("omen_jsonb_extract_path", std::move(base.duck), make_function("omen_array", std::move(steps)));
    base.type = oid::kJsonb;
    base.table = kInvalidOid;
    base.attnum = 0;
    return base;
  }
  // The numbers of a point and a line, the points of a segment and a box.
  const bool of_numbers = type == oid::kPoint || type == oid::kLine,
             of_points = type == oid::kLseg || type == oid::kBox;
  const Oid element = of_numbers ? oid::kFloat8 : of_points ? oid::kPoint : element_type_of(statement, type);
  if (element == kInvalidOid) {
    throw SqlError(
        SqlState::kDatatypeMismatch,
        "cannot subscript type " + type_name(statement, base.type) + " because it does not support subscripting",
        location);
  }
  if ((of_numbers || of_points) && slice) {
    throw SqlError(SqlState::kFeatureNotSupported, "slices of fixed-length arrays not implemented");
  }
  auto bound = [&](Node* node, const char* what) -> DuckExpr {
    TypedExpr e = analyze_node(scope, node);
    const int at = e.location;
    auto coerced = try_coerce(scope, std::move(e), oid::kInt4, -1, CoercionContext::kAssignment);
    if (!coerced)
      throw SqlError(SqlState::kDatatypeMismatch, std::string("array ") + what + " must have type integer", at);
    inherit_flags(base, *coerced);
    return std::move(coerced->duck);
  };
  std::vector<DuckExpr> arguments;
  auto null_bound = [] { return make_constant(duckdb::Value(duckdb::LogicalType::INTEGER)); };
  std::vector<DuckExpr> bounds;
  for (Node* n : indices) {
    auto* index = reinterpret_cast<A_Indices*>(n);
    if (!slice) {
      bounds.push_back(bound(index->uidx, "subscript"));
      continue;
    }
    // Each bound comes with "was it given": a null bound makes the result null, an omitted one is the array's own.
    const bool single = !index->is_slice;
    bounds.push_back(make_constant(duckdb::Value::BOOLEAN(single || index->lidx != nullptr)));
    bounds.push_back(single                   ? make_integer(1)
                     : index->lidx != nullptr ? bound(index->lidx, "slice subscript")
                                              : null_bound());
    bounds.push_back(make_constant(duckdb::Value::BOOLEAN(index->uidx != nullptr)));
    bounds.push_back(index->uidx != nullptr ? bound(index->uidx, single ? "subscript" : "slice subscript")
                                            : null_bound());
  }
  if (slice) {
    arguments.push_back(make_text(type_descriptor(statement, type, {Physical::kBytes})));
    arguments.push_back(std::move(base.duck));
    for (auto& b : bounds) arguments.push_back(std::move(b));
    TypedExpr result = typed(make_function("omen_array_slice", std::move(arguments)), base.type, {Physical::kBytes},
                             {&base}, location);
    result.typmod = base.typmod;
    return result;
  }
  const types::PhysicalType physical = element_physical(statement, element);
  if (of_numbers || of_points) {
    DuckExpr index = bounds.size() == 1 ? std::move(bounds[0]) : null_bound();
    const char* function = of_numbers ? "omen_geometry_number" : "omen_geometry_point";
    return typed(make_call(function, std::move(base.duck), std::move(index)), element, physical, {&base}, location);
  }
  arguments.push_back(make_text(type_descriptor(statement, element, physical)));
  arguments.push_back(std::move(base.duck));
  for (auto& b : bounds) arguments.push_back(std::move(b));
  TypedExpr result =
      typed(make_function("omen_array_subscript", std::move(arguments)), element, physical, {&base}, location);
  result.typmod = base.typmod;
  return result;
}

TypedExpr analyze_indirection(Scope& scope, A_Indirection* node) {
  TypedExpr base = analyze_node(scope, node->arg);
  const int location = base.location;
  std::vector<Node*> indices;
  auto flush = [&] {
    if (indices.empty()) return;
    base = subscript(scope, std::move(base), indices);
    indices.clear();
  };
  ListCell* cell;
  foreach (cell, node->indirection) {
    auto* step = static_cast<Node*>(lfirst(cell));
    if (IsA(step, A_Indices)) {
      indices.push_back(step);
    } else if (IsA(step, A_Star)) {
      throw SqlError(SqlState::kFeatureNotSupported, "row expansion via \"*\" is not supported here", location);
    } else {
      flush();
      base = select_field(scope, std::move(base), strVal(step), location);
    }
  }
  flush();
  return base;
}

TypedExpr analyze_array(Scope& scope, Node* node, Oid type, Oid element, int32_t typmod) {
  StatementContext& statement = *scope.statement;
  auto* array = reinterpret_cast<A_ArrayExpr*>(node);
  std::vector<TypedExpr> elements;
  bool nested = false;
  ListCell* cell;
  foreach (cell, array->elements) {
    auto* e = static_cast<Node*>(lfirst(cell));
    if (IsA(e, A_ArrayExpr)) {
      elements.push_back(analyze_array(scope, e, type, element, typmod));
      nested = true;
    } else {
      elements.push_back(analyze_node(scope, e));
      if (!is_unknown(elements.back()) && type_category(statement, elements.back().type) == 'A' &&
          is_array(statement, elements.back().type))
        nested = true;
    }
  }
  Oid array_type = type, element_type = element;
  const bool forced = type != kInvalidOid;
  if (!forced) {
    if (elements.empty()) {
      throw SqlError(SqlState::kIndeterminateDatatype, "cannot determine type of empty array", array->location)
          .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].");
    }
    std::vector<TypedExpr*> list;
    for (auto& e : elements) list.push_back(&e);
    const Oid common = select_common_type(scope, list, "ARRAY");
    if (nested) {
      array_type = common;
      element_type = element_type_of(statement, common);
    } else {
      element_type = common;
      array_type = array_type_of(statement, common);
      if (array_type == kInvalidOid) {
        throw SqlError(SqlState::kUndefinedObject,
                       "could not find array type for data type " + type_name(statement, common), array->location);
      }
    }
  }
  const Oid wanted = nested ? array_type : element_type;
  TypedExpr result = typed(nullptr, array_type, {Physical::kBytes}, {}, array->location);
  std::vector<DuckExpr> arguments;
  types::PhysicalType physical = physical_of(statement, element_type, -1);
  arguments.push_back(make_text(type_descriptor(statement, nested ? array_type : element_type,
                                                nested ? types::PhysicalType{Physical::kBytes} : physical)));
  std::optional<int32_t> common_typmod;
  for (auto& e : elements) {
    const int at = e.location;
    const Oid from = is_unknown(e) ? oid::kUnknown : e.type;
    auto coerced = try_coerce(scope, std::move(e), wanted, nested ? -1 : typmod,
                              forced ? CoercionContext::kExplicit : CoercionContext::kImplicit);
    if (!coerced) {
      if (forced) {
        throw SqlError(SqlState::kCannotCoerce,
                       "cannot cast type " + type_name(statement, from) + " to " + type_name(statement, wanted), at);
      }
      throw SqlError(
          SqlState::kCannotCoerce,
          "ARRAY could not convert type " + type_name(statement, from) + " to " + type_name(statement, wanted), at);
    }
    if (common_typmod.value_or(coerced->typmod) != coerced->typmod)
      common_typmod = -1;
    else
      common_typmod = coerced->typmod;
    *coerced = to_plain(scope, std::move(*coerced));
    // char(n) elements may be of several lengths: each takes its spaces along.
    if (base_type_of(statement, coerced->type) == oid::kBpchar) coerced->duck = bpchar_padded(*coerced);
    inherit_flags(result, *coerced);
    arguments.push_back(std::move(coerced->duck));
  }
  // A record's typmod names its shape (record_shape.h), and an array of records has none.
  if (element_type != oid::kRecord) result.typmod = common_typmod.value_or(-1);
  result.duck = make_function(nested ? "omen_array_of_arrays" : "omen_array", std::move(arguments));
  return result;
}

// --- Names ---

namespace {

/// FigureColnameInternal: strength 0 none, 1 weak, 2 good.
int figure_name(Node* node, std::string* name) {
  if (node == nullptr) return 0;
  switch (nodeTag(node)) {
    case T_ColumnRef: {
      const char* found = nullptr;
      ListCell* cell;
      foreach (cell, reinterpret_cast<ColumnRef*>(node)->fields) {
        auto* f = static_cast<Node*>(lfirst(cell));
        if (IsA(f, String)) found = strVal(f);
      }
      if (found == nullptr) return 0;
      *name = found;
      return 2;
    }
    case T_A_Indirection: {
      const char* found = nullptr;
      ListCell* cell;
      foreach (cell, reinterpret_cast<A_Indirection*>(node)->indirection) {
        auto* f = static_cast<Node*>(lfirst(cell));
        if (IsA(f, String)) found = strVal(f);
      }
      if (found != nullptr) {
        *name = found;
        return 2;
      }
      return figure_name(reinterpret_cast<A_Indirection*>(node)->arg, name);
    }
    case T_FuncCall: *name = strVal(llast(reinterpret_cast<FuncCall*>(node)->funcname)); return 2;
    case T_A_Expr:
      if (reinterpret_cast<A_Expr*>(node)->kind == AEXPR_NULLIF) {
        *name = "nullif";
        return 2;
      }
      return 0;
    case T_TypeCast: {
      const int strength = figure_name(reinterpret_cast<TypeCast*>(node)->arg, name);
      if (strength <= 1 && reinterpret_cast<TypeCast*>(node)->typeName != nullptr) {
        *name = strVal(llast(reinterpret_cast<TypeCast*>(node)->typeName->names));
        return 1;
      }
      return strength;
    }
    case T_CollateClause: return figure_name(reinterpret_cast<CollateClause*>(node)->arg, name);
    case T_GroupingFunc: *name = "grouping"; return 2;
    case T_SubLink: {
      auto* sub = reinterpret_cast<SubLink*>(node);
      switch (sub->subLinkType) {
        case EXISTS_SUBLINK: *name = "exists"; return 2;
        case ARRAY_SUBLINK: *name = "array"; return 2;
        case EXPR_SUBLINK: {
          auto* select = reinterpret_cast<SelectStmt*>(sub->subselect);
          // The name that the subquery's only column gets.
          while (IsA(select, SelectStmt) && select->op != SETOP_NONE) select = select->larg;
          if (IsA(select, SelectStmt) && select->targetList != nullptr) {
            auto* target = static_cast<ResTarget*>(linitial(select->targetList));
            *name = target->name != nullptr ? target->name : target_name(target->val);
            return 2;
          }
          return 0;
        }
        default: return 0;
      }
    }
    case T_CaseExpr: {
      const int strength = figure_name(reinterpret_cast<Node*>(reinterpret_cast<CaseExpr*>(node)->defresult), name);
      if (strength <= 1) {
        *name = "case";
        return 1;
      }
      return strength;
    }
    case T_A_ArrayExpr: *name = "array"; return 2;
    case T_RowExpr: *name = "row"; return 2;
    case T_CoalesceExpr: *name = "coalesce"; return 2;
    case T_MinMaxExpr: *name = reinterpret_cast<MinMaxExpr*>(node)->op == IS_GREATEST ? "greatest" : "least"; return 2;
    case T_SQLValueFunction:
      switch (reinterpret_cast<SQLValueFunction*>(node)->op) {
        case SVFOP_CURRENT_DATE: *name = "current_date"; return 2;
        case SVFOP_CURRENT_TIME:
        case SVFOP_CURRENT_TIME_N: *name = "current_time"; return 2;
        case SVFOP_CURRENT_TIMESTAMP:
        case SVFOP_CURRENT_TIMESTAMP_N: *name = "current_timestamp"; return 2;
        case SVFOP_LOCALTIME:
        case SVFOP_LOCALTIME_N: *name = "localtime"; return 2;
        case SVFOP_LOCALTIMESTAMP:
        case SVFOP_LOCALTIMESTAMP_N: *name = "localtimestamp"; return 2;
        case SVFOP_CURRENT_ROLE: *name = "current_role"; return 2;
        case SVFOP_CURRENT_USER: *name = "current_user"; return 2;
        case SVFOP_USER: *name = "user"; return 2;
        case SVFOP_SESSION_USER: *name = "session_user"; return 2;
        case SVFOP_CURRENT_CATALOG: *name = "current_catalog"; return 2;
        case SVFOP_CURRENT_SCHEMA: *name = "current_schema"; return 2;
      }
      return 0;
    default: return 0;
  }
}

}  // namespace

std::string target_name(Node* node) {
  std::string name;
  figure_name(node, &name);
  return name.empty() ? "?column?" : name;
}

}  // namespace omendb::sql
