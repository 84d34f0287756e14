// Expressions: the dispatcher, and the nodes that are neither operators, calls nor subqueries.
#include "sql/frontend/expression.h"

#include <algorithm>

#include "duckdb/parser/expression/case_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"

#include "base/stack_depth.h"
#include "sql/frontend/lifting.h"
#include "sql/frontend/parser.h"
#include "sql/frontend/query.h"
#include "types/numeric.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::ExpressionType;
using types::Physical;
using types::PhysicalType;

std::string place_phrase(ExprKind kind) {
  switch (kind) {
    case ExprKind::kSelectTarget: return "SELECT";
    case ExprKind::kWhere: return "WHERE";
    case ExprKind::kJoinOn: return "JOIN conditions";
    case ExprKind::kGroupBy: return "GROUP BY";
    case ExprKind::kHaving: return "HAVING";
    case ExprKind::kFilter: return "FILTER";
    case ExprKind::kOrderBy: return "ORDER BY";
    case ExprKind::kDistinctOn: return "DISTINCT ON";
    case ExprKind::kLimit: return "LIMIT";
    case ExprKind::kOffset: return "OFFSET";
    case ExprKind::kWindowPartition:
    case ExprKind::kWindowOrder: return "window definitions";
    case ExprKind::kWindowFrame: return "window frames";
    case ExprKind::kFromFunction: return "functions in FROM";
    case ExprKind::kFromSubselect: return "FROM clause of their own query level";
    case ExprKind::kInsertTarget: return "INSERT";
    case ExprKind::kUpdateSource: return "UPDATE";
    case ExprKind::kValues: return "VALUES";
    case ExprKind::kReturning: return "RETURNING";
    case ExprKind::kCheckConstraint: return "check constraints";
    case ExprKind::kColumnDefault: return "DEFAULT expressions";
    case ExprKind::kGeneratedColumn: return "column generation expressions";
    case ExprKind::kIndexExpression: return "index expressions";
    case ExprKind::kIndexPredicate: return "index predicates";
    case ExprKind::kAlterColumnTransform: return "transform expressions";
    case ExprKind::kExecuteParameter: return "EXECUTE parameters";
    case ExprKind::kMergeWhen: return "MERGE WHEN conditions";
    case ExprKind::kPolicy: return "policy expressions";
    case ExprKind::kCallArgument: return "CALL arguments";
  }
  return "this place";
}

void split_name(List* names, std::string* schema, std::string* name) {
  schema->clear();
  const int n = list_length(names);
  *name = strVal(list_nth(names, n - 1));
  if (n >= 2) *schema = strVal(list_nth(names, n - 2));
}

TypedExpr analyze_expr(Scope& scope, Node* node, ExprKind kind) {
  struct Restore {
    Scope& scope;
    ExprKind saved;
    ~Restore() { scope.kind = saved; }
  } restore{scope, scope.kind};
  scope.kind = kind;
  return analyze_node(scope, node);
}

std::vector<TypedExpr> analyze_list(Scope& scope, List* list) {
  std::vector<TypedExpr> result;
  ListCell* cell;
  foreach (cell, list) result.push_back(analyze_node(scope, static_cast<Node*>(lfirst(cell))));
  return result;
}

// --- Constants and parameters ---

TypedExpr analyze_constant(Scope& scope, const A_Const* node) {
  TypedExpr e;
  e.location = node->location;
  e.type = oid::kUnknown;
  const std::shared_ptr<LiteralSlot> slot =
      scope.statement->lifting == nullptr ? nullptr : scope.statement->lifting->find(node);
  if (node->isnull) {
    e.kind = TypedExpr::Kind::kNull;
    return e;
  }
  switch (nodeTag(&node->val.node)) {
    case T_Integer: return remember(int4_constant(node->val.ival.ival, node->location), slot);
    case T_Boolean: return bool_constant(node->val.boolval.boolval, node->location);
    case T_String:
      e.kind = TypedExpr::Kind::kUnknownLiteral;
      e.literal = node->val.sval.sval;
      e.slot = slot;
      return e;
    case T_Float: {
      const std::string text = node->val.fval.fval;
      // Digits alone are an int8 when they fit, an int4 when even that fits ("-2147483648").
      if (text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos) {
        errno = 0;
        const long long value = std::strtoll(text.c_str(), nullptr, 10);
        if (errno == 0) {
          if (value == static_cast<int32_t>(value)) return int4_constant(static_cast<int32_t>(value), node->location);
          return remember(typed_constant(*scope.statement, oid::kInt8, -1, {Physical::kInt64},
                                         types::ValueView::of_integer(value), node->location),
                          slot);
        }
      }
      types::Numeric number;
      Status status = types::Numeric::parse(text, &number);
      if (!status.ok()) throw SqlError(status.code(), status.message(), node->location);
      return shrink_numeric_constant(
          scope, remember(typed_constant(*scope.statement, oid::kNumeric, -1, {Physical::kBytes},
                                         types::ValueView::of_bytes(number.to_bytes()), node->location),
                          slot));
    }
    case T_BitString: {
      types::Value bits;
      Status status = types::input(oid::kBit, -1, node->val.bsval.bsval, types::IoContext(), &bits);
      if (!status.ok()) throw SqlError(status.code(), status.message(), node->location);
      return typed_constant(*scope.statement, oid::kBit, -1, {Physical::kBytes}, bits.view(), node->location);
    }
    default: not_supported("this kind of constant", node->location);
  }
}

namespace {

// Bind carries no more than 65535, but PostgreSQL says so only there.
constexpr int kParameterMax = 1 << 24;

TypedExpr analyze_parameter(Scope& scope, const ParamRef* node) {
  StatementContext& statement = *scope.statement;
  const int n = node->number;
  if (n <= 0 || n > kParameterMax ||
      (statement.parameters_fixed && static_cast<size_t>(n) > statement.parameter_types.size())) {
    throw SqlError(SqlState::kUndefinedParameter, "there is no parameter $" + std::to_string(n), node->location);
  }
  if (statement.parameter_types.size() < static_cast<size_t>(n))
    statement.parameter_types.resize(static_cast<size_t>(n));
  TypedExpr e;
  e.kind = TypedExpr::Kind::kUntypedParameter;
  e.parameter = n;
  e.type = oid::kUnknown;
  e.location = node->location;
  const Oid known = statement.parameter_types[static_cast<size_t>(n - 1)];
  if (known == kInvalidOid || known == oid::kUnknown) return e;
  return coerce_type(scope, std::move(e), known, -1, CoercionContext::kImplicit, node->location);
}

// --- Boolean forms ---

TypedExpr analyze_bool(Scope& scope, const BoolExpr* node) {
  const char* name = node->boolop == AND_EXPR ? "AND" : node->boolop == OR_EXPR ? "OR" : "NOT";
  std::vector<TypedExpr> args;
  ListCell* cell;
  foreach (cell, node->args) {
    TypedExpr arg = analyze_node(scope, static_cast<Node*>(lfirst(cell)));
    args.push_back(coerce_to_boolean(scope, std::move(arg), name));
  }
  TypedExpr result = typed(nullptr, oid::kBool, {Physical::kBool}, {}, node->location);
  for (const auto& a : args) inherit_flags(result, a);
  if (node->boolop == NOT_EXPR) {
    result.duck = make_not(std::move(args[0].duck));
    return result;
  }
  for (auto& a : args) {
    if (!result.duck)
      result.duck = std::move(a.duck);
    else if (node->boolop == AND_EXPR)
      result.duck = make_and(std::move(result.duck), std::move(a.duck));
    else
      result.duck = make_or(std::move(result.duck), std::move(a.duck));
  }
  return result;
}

TypedExpr analyze_null_test(Scope& scope, const NullTest* node) {
  const bool negated = node->nulltesttype == IS_NOT_NULL;
  TypedExpr arg = analyze_node(scope, reinterpret_cast<Node*>(node->arg));
  if (!arg.fields.empty()) {
    // A row is null when all its fields are, not null when none is.
    TypedExpr result = typed(nullptr, oid::kBool, {Physical::kBool}, {&arg}, node->location);
    for (auto& f : arg.fields) {
      f = resolve_unknown(scope, std::move(f));
      DuckExpr test = make_is_null(std::move(f.duck), negated);
      result.duck = result.duck ? make_and(std::move(result.duck), std::move(test)) : std::move(test);
    }
    return result;
  }
  arg = resolve_unknown(scope, std::move(arg));
  return typed(make_is_null(std::move(arg.duck), negated), oid::kBool, {Physical::kBool}, {&arg}, node->location);
}

TypedExpr analyze_boolean_test(Scope& scope, const BooleanTest* node) {
  static const char* const names[] = {"IS TRUE",      "IS NOT TRUE", "IS FALSE",
                                      "IS NOT FALSE", "IS UNKNOWN",  "IS NOT UNKNOWN"};
  TypedExpr arg = analyze_node(scope, reinterpret_cast<Node*>(node->arg));
  arg = coerce_to_boolean(scope, std::move(arg), names[node->booltesttype]);
  DuckExpr duck;
  auto constant = [](bool v) { return make_constant(duckdb::Value::BOOLEAN(v)); };
  switch (node->booltesttype) {
    case IS_TRUE:
      duck = make_compare(ExpressionType::COMPARE_NOT_DISTINCT_FROM, std::move(arg.duck), constant(true));
      break;
    case IS_NOT_TRUE:
      duck = make_compare(ExpressionType::COMPARE_DISTINCT_FROM, std::move(arg.duck), constant(true));
      break;
    case IS_FALSE:
      duck = make_compare(ExpressionType::COMPARE_NOT_DISTINCT_FROM, std::move(arg.duck), constant(false));
      break;
    case IS_NOT_FALSE:
      duck = make_compare(ExpressionType::COMPARE_DISTINCT_FROM, std::move(arg.duck), constant(false));
      break;
    case IS_UNKNOWN: duck = make_is_null(std::move(arg.duck)); break;
    case IS_NOT_UNKNOWN: duck = make_is_null(std::move(arg.duck), true); break;
  }
  return typed(std::move(duck), oid::kBool, {Physical::kBool}, {&arg}, node->location);
}

}  // namespace

// --- CASE, COALESCE, GREATEST ---

namespace {

/// For branches that are decimals of several scales: the decimal that holds them all, if there is one.
bool decimal_of_all(const std::vector<TypedExpr*>& exprs, PhysicalType* form) {
  int integer_digits = 0, scale = 0;
  bool any = false;
  for (const TypedExpr* e : exprs) {
    if (is_null_constant(*e)) continue;
    if (!e->physical.is_decimal() || e->as_decimal) return false;
    any = true;
    integer_digits = std::max(integer_digits, e->physical.precision - e->physical.scale);
    scale = std::max<int>(scale, e->physical.scale);
  }
  if (!any || integer_digits + scale > 38 || integer_digits + scale < 1) return false;
  *form = decimal_form(integer_digits + scale, scale);
  return true;
}

DuckExpr scale_constant(const TypedExpr& e) {
  if (is_null_constant(e)) return make_constant(duckdb::Value(duckdb::LogicalType::INTEGER));
  return make_integer(e.physical.scale);
}

DuckExpr build_case(std::vector<DuckExpr> conditions, std::vector<DuckExpr> values, DuckExpr otherwise) {
  auto result = std::make_unique<duckdb::CaseExpression>();
  for (size_t i = 0; i < conditions.size(); ++i) {
    duckdb::CaseCheck check;
    check.when_expr = duck_ptr(std::move(conditions[i]));
    check.then_expr = duck_ptr(std::move(values[i]));
    result->case_checks.push_back(std::move(check));
  }
  result->else_expr = duck_ptr(std::move(otherwise));
  return result;
}

/// What GROUP BY would have to allow: a column outside of aggregates, or a subquery that may hold one.
bool names_columns(const duckdb::ParsedExpression& e) {
  if (e.GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF ||
      e.GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY)
    return true;
  if (e.GetExpressionClass() == duckdb::ExpressionClass::FUNCTION &&
      is_aggregate_call(e.Cast<duckdb::FunctionExpression>()))
    return false;
  bool found = false;
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      e, [&](const duckdb::ParsedExpression& child) { found = found || names_columns(child); });
  return found;
}

/// As PostgreSQL's planner: a branch whose condition is a constant false or null is not there, and one whose condition is true is the ELSE.
/// What is dropped is not computed, not even its aggregates. A branch that names columns stays, for the check of GROUP BY to see.
void fold_branches(std::vector<std::pair<TypedExpr, TypedExpr>>& branches, TypedExpr& otherwise) {
  for (size_t i = 0; i < branches.size();) {
    auto& [condition, value] = branches[i];
    const bool null = is_null_constant(condition);
    if (!null && !is_constant_value(condition)) {
      ++i;
      continue;
    }
    if (null || !duckdb::BooleanValue::Get(*constant_of(condition))) {
      if (names_columns(*value.duck)) return;
      branches.erase(branches.begin() + static_cast<ptrdiff_t>(i));
      continue;
    }
    bool named = names_columns(*otherwise.duck);
    for (size_t j = i + 1; j < branches.size(); ++j) {
      named = named || names_columns(*branches[j].first.duck) || names_columns(*branches[j].second.duck);
    }
    if (named) return;
    otherwise = std::move(value);
    branches.resize(i);
  }
}

}  // namespace

TypedExpr case_of(Scope& scope, std::vector<std::pair<TypedExpr, TypedExpr>> branches, TypedExpr otherwise,
                  const char* construct) {
  // PostgreSQL puts the ELSE first when it looks for the common type.
  std::vector<TypedExpr*> results = {&otherwise};
  for (auto& b : branches) results.push_back(&b.second);
  const Oid type = select_common_type(scope, results, construct);
  bool same_typmod = true;
  for (TypedExpr* r : results) {
    const int location = r->location;
    const Oid from = is_unknown(*r) ? oid::kUnknown : r->type;
    if (!can_coerce(*scope.statement, from, type, CoercionContext::kImplicit)) {
      throw SqlError(SqlState::kCannotCoerce,
                     std::string(construct) + " could not convert type " + type_name(*scope.statement, from) + " to " +
                         type_name(*scope.statement, type),
                     location);
    }
    *r = coerce_type(scope, std::move(*r), type, -1, CoercionContext::kImplicit, location);
    same_typmod = same_typmod && r->typmod == results[0]->typmod;
  }
  TypedExpr result = typed(nullptr, type, {}, {&otherwise});
  for (auto& b : branches) {
    inherit_flags(result, b.first);
    inherit_flags(result, b.second);
  }
  if (same_typmod) result.typmod = otherwise.typmod;
  fold_branches(branches, otherwise);
  if (branches.empty()) {
    result.duck = std::move(otherwise.duck);
    result.physical = otherwise.physical;
    result.as_decimal = std::move(otherwise.as_decimal);
    result.display_scale = std::move(otherwise.display_scale);
    result.decimal_form = otherwise.decimal_form;
    return result;
  }
  results = {&otherwise};
  for (auto& b : branches) results.push_back(&b.second);
  PhysicalType form;
  std::vector<DuckExpr> conditions, values;
  if (base_type_of(*scope.statement, type) == oid::kNumeric && decimal_of_all(results, &form)) {
    bool same_scale = true;
    for (TypedExpr* r : results) {
      if (!is_null_constant(*r)) same_scale = same_scale && r->physical.scale == form.scale;
    }
    if (!same_scale) {
      std::vector<DuckExpr> scale_conditions, scales;
      for (auto& b : branches) {
        conditions.push_back(copy_of(b.first.duck));
        scale_conditions.push_back(copy_of(b.first.duck));
        scales.push_back(scale_constant(b.second));
        values.push_back(to_numeric_form(scope, b.second.clone(), form).duck);
      }
      result.display_scale = build_case(std::move(scale_conditions), std::move(scales), scale_constant(otherwise));
      result.as_decimal =
          build_case(std::move(conditions), std::move(values), to_numeric_form(scope, otherwise.clone(), form).duck);
      result.decimal_form = form;
      conditions.clear();
      values.clear();
    }
  }
  result.physical = common_physical(scope, type, results);
  for (auto& b : branches) {
    conditions.push_back(std::move(b.first.duck));
    values.push_back(std::move(b.second.duck));
  }
  result.duck = build_case(std::move(conditions), std::move(values), std::move(otherwise.duck));
  return result;
}

namespace {

TypedExpr analyze_case(Scope& scope, const CaseExpr* node) {
  std::optional<TypedExpr> test;
  if (node->arg != nullptr) {
    test = analyze_node(scope, reinterpret_cast<Node*>(node->arg));
    // CASE 'x' WHEN ...: an untyped test is text.
    test = resolve_unknown(scope, std::move(*test));
  }
  std::vector<std::pair<TypedExpr, TypedExpr>> branches;
  ListCell* cell;
  foreach (cell, node->args) {
    auto* when = static_cast<CaseWhen*>(lfirst(cell));
    TypedExpr condition = analyze_node(scope, reinterpret_cast<Node*>(when->expr));
    if (test) condition = apply_operator(scope, "", "=", test->clone(), std::move(condition), when->location);
    condition = coerce_to_boolean(scope, std::move(condition), "CASE/WHEN");
    TypedExpr value = analyze_node(scope, reinterpret_cast<Node*>(when->result));
    branches.emplace_back(std::move(condition), std::move(value));
  }
  TypedExpr otherwise;
  if (node->defresult != nullptr) {
    otherwise = analyze_node(scope, reinterpret_cast<Node*>(node->defresult));
  } else {
    otherwise.kind = TypedExpr::Kind::kNull;
    otherwise.type = oid::kUnknown;
  }
  int set_location = node->location;
  for (const auto& [condition, value] : branches) {
    if (condition.returns_set || value.returns_set) set_location = (value.returns_set ? value : condition).location;
  }
  if (otherwise.returns_set) set_location = otherwise.location;
  TypedExpr result = case_of(scope, std::move(branches), std::move(otherwise), "CASE");
  result.location = node->location;
  if (result.returns_set) {
    throw SqlError(SqlState::kFeatureNotSupported, "set-returning functions are not allowed in CASE", set_location)
        .hint("You might be able to move the set-returning function into a LATERAL FROM item.");
  }
  return result;
}

}  // namespace

TypedExpr coalesce_of(Scope& scope, std::vector<TypedExpr> args, int location) {
  std::vector<TypedExpr*> list;
  for (auto& a : args) {
    if (a.returns_set) {
      throw SqlError(SqlState::kFeatureNotSupported, "set-returning functions are not allowed in COALESCE", a.location)
          .hint("You might be able to move the set-returning function into a LATERAL FROM item.");
    }
    list.push_back(&a);
  }
  const Oid type = select_common_type(scope, list, "COALESCE");
  // PostgreSQL's planner drops what stands behind a constant, so that (a division by zero) is not computed.
  size_t used = args.size();
  for (auto& a : args) {
    const Oid from = is_unknown(a) ? oid::kUnknown : a.type;
    if (!can_coerce(*scope.statement, from, type, CoercionContext::kImplicit)) {
      throw SqlError(SqlState::kCannotCoerce,
                     "COALESCE could not convert type " + type_name(*scope.statement, from) + " to " +
                         type_name(*scope.statement, type),
                     a.location);
    }
    const int at = a.location;
    const bool constant = is_constant_value(a);
    a = coerce_type(scope, std::move(a), type, -1, CoercionContext::kImplicit, at);
    if (used == args.size() && (constant || is_constant_value(a))) used = static_cast<size_t>(&a - args.data()) + 1;
  }
  TypedExpr result = typed(nullptr, type, {}, {}, location);
  bool same_typmod = true;
  for (auto& a : args) {
    inherit_flags(result, a);
    same_typmod = same_typmod && a.typmod == args[0].typmod;
  }
  if (same_typmod) result.typmod = args[0].typmod;
  args.resize(used);
  list.resize(used);
  auto build = [](std::vector<DuckExpr> parts) {
    duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
    for (auto& p : parts) children.push_back(duck_ptr(std::move(p)));
    return DuckExpr(new duckdb::OperatorExpression(ExpressionType::OPERATOR_COALESCE, std::move(children)));
  };
  PhysicalType form;
  if (base_type_of(*scope.statement, type) == oid::kNumeric && decimal_of_all(list, &form)) {
    bool same_scale = true;
    for (auto& a : args) {
      if (!is_null_constant(a)) same_scale = same_scale && a.physical.scale == form.scale;
    }
    if (!same_scale) {
      std::vector<DuckExpr> values, conditions, scales;
      for (size_t i = 0; i < args.size(); ++i) {
        values.push_back(to_numeric_form(scope, args[i].clone(), form).duck);
        if (i + 1 < args.size()) {
          conditions.push_back(make_is_null(copy_of(args[i].duck), true));
          scales.push_back(scale_constant(args[i]));
        }
      }
      result.as_decimal = build(std::move(values));
      result.display_scale = build_case(std::move(conditions), std::move(scales), scale_constant(args.back()));
      result.decimal_form = form;
    }
  }
  result.physical = common_physical(scope, type, list);
  std::vector<DuckExpr> parts;
  for (auto& a : args) parts.push_back(std::move(a.duck));
  result.duck = parts.size() == 1 ? std::move(parts[0]) : build(std::move(parts));
  return result;
}

namespace {

TypedExpr analyze_min_max(Scope& scope, const MinMaxExpr* node) {
  const bool greatest = node->op == IS_GREATEST;
  const char* name = greatest ? "GREATEST" : "LEAST";
  std::vector<TypedExpr> args = analyze_list(scope, node->args);
  std::vector<TypedExpr*> list;
  for (auto& a : args) list.push_back(&a);
  const Oid type = select_common_type(scope, list, name);
  TypedExpr result = typed(nullptr, type, {}, {}, node->location);
  for (auto& a : args) {
    const int at = a.location;
    const Oid from = is_unknown(a) ? oid::kUnknown : a.type;
    if (!can_coerce(*scope.statement, from, type, CoercionContext::kImplicit)) {
      throw SqlError(SqlState::kCannotCoerce,
                     std::string(name) + " could not convert type " + type_name(*scope.statement, from) + " to " +
                         type_name(*scope.statement, type),
                     at);
    }
    a = coerce_type(scope, std::move(a), type, -1, CoercionContext::kImplicit, at);
    inherit_flags(result, a);
  }
  const bool same_typmod =
      std::all_of(args.begin(), args.end(), [&](const TypedExpr& a) { return a.typmod == args[0].typmod; });
  if (same_typmod) result.typmod = args[0].typmod;
  const Oid base = base_type_of(*scope.statement, type);
  if (type_category(*scope.statement, base) == 'A' || is_composite(*scope.statement, base) || base == oid::kJsonb) {
    not_supported(std::string(name) + " of type " + type_name(*scope.statement, type), node->location);
  }
  result.physical = common_physical(scope, type, list);
  std::vector<DuckExpr> parts;
  for (auto& a : args) parts.push_back(std::move(a.duck));
  std::string function = greatest ? "greatest" : "least";
  if (base == oid::kNumeric && !result.physical.is_decimal()) function = "omen_numeric_" + function;
  if (base == oid::kInterval) function = "omen_interval_" + function;
  result.duck = parts.size() == 1 ? std::move(parts[0]) : make_function(function, std::move(parts));
  return result;
}

// --- Casts ---

TypedExpr analyze_type_cast(Scope& scope, const TypeCast* node) {
  StatementContext& statement = *scope.statement;
  const ResolvedType target = resolve_type(statement, node->typeName);
  Node* arg = node->arg;
  TypedExpr value;
  if (arg != nullptr && IsA(arg, A_ArrayExpr)) {
    // ARRAY[...]::int[] gives its elements the type.
    int32_t typmod = target.typmod;
    const Oid base = base_type_of(statement, target.type, &typmod);
    const Oid element = element_type_of(statement, base);
    value = element != kInvalidOid && type_category(statement, base) == 'A'
                ? analyze_array(scope, arg, base, element, typmod)
                : analyze_node(scope, arg);
  } else {
    value = analyze_node(scope, arg);
  }
  if (is_unknown(value) && target.type == oid::kUnknown) return value;
  const Oid source = is_unknown(value) ? oid::kUnknown : value.type;
  const int location = node->location >= 0 ? node->location : value.location;
  const int begin = value.location < 0        ? location
                    : source == oid::kUnknown ? value.location
                                              : std::min(location, value.location);
  auto result = try_coerce(scope, std::move(value), target.type, target.typmod, CoercionContext::kExplicit);
  if (!result) {
    throw SqlError(SqlState::kCannotCoerce,
                   "cannot cast type " + type_name(statement, source) + " to " + type_name(statement, target.type),
                   location);
  }
  result->location = begin;
  if (target.typmod < 0 && result->typmod >= 0 && base_type_of(statement, target.type) == target.type) {
    // x::numeric of a numeric(10,2) is a plain value of no modifier.
    result->typmod = -1;
    result->table = kInvalidOid;
    result->attnum = 0;
  }
  return std::move(*result);
}

TypedExpr analyze_collate(Scope& scope, const CollateClause* node) {
  std::string schema, name;
  split_name(node->collname, &schema, &name);
  TypedExpr arg = analyze_node(scope, node->arg);
  arg = resolve_unknown(scope, std::move(arg));
  const Oid base = base_type_of(*scope.statement, arg.type);
  const types::TypeInfo* info = types::find_type(base);
  if (info == nullptr || (info->category != 'S' && !is_array(*scope.statement, base))) {
    throw SqlError(SqlState::kDatatypeMismatch,
                   "collations are not supported by type " + type_name(*scope.statement, arg.type), node->location);
  }
  if (name != "C" && name != "POSIX" && name != "default" && name != "ucs_basic" && name != "C.UTF-8" &&
      name != "C.utf8") {
    throw SqlError(SqlState::kUndefinedObject, "collation \"" + name + "\" for encoding \"UTF8\" does not exist",
                   node->location);
  }
  arg.table = kInvalidOid;  // a COLLATE expression is no plain column any more
  arg.attnum = 0;
  return arg;
}

}  // namespace

std::vector<TypedExpr> analyze_row_fields(Scope& scope, const RowExpr* node) {
  std::vector<TypedExpr> fields;
  ListCell* cell;
  foreach (cell, node->args) {
    auto* arg = static_cast<Node*>(lfirst(cell));
    if (IsA(arg, ColumnRef) && IsA(llast(reinterpret_cast<ColumnRef*>(arg)->fields), A_Star)) {
      // ROW(t.*) is the columns of t.
      for (auto& target : expand_star(scope, reinterpret_cast<ColumnRef*>(arg))) {
        fields.push_back(std::move(target.expr));
      }
      continue;
    }
    fields.push_back(analyze_node(scope, arg));
  }
  return fields;
}

TypedExpr row_of(Scope& scope, std::vector<TypedExpr> fields) {
  std::vector<std::string> names;
  for (size_t i = 1; i <= fields.size(); ++i) names.push_back("f" + std::to_string(i));
  return make_row(scope, std::move(fields), std::move(names), oid::kRecord);
}

namespace {

TypedExpr analyze_row_expr(Scope& scope, const RowExpr* node) {
  TypedExpr row = row_of(scope, analyze_row_fields(scope, node));
  row.location = node->location;
  return row;
}

TypedExpr analyze_sql_value_function(Scope& scope, const SQLValueFunction* node) {
  auto call = [&](const char* source, Oid type) { return emit_named(scope, source, {}, type, node->location); };
  auto with_precision = [&](const char* source, Oid type) {
    TypedExpr e = call(source, type);
    return node->typmod >= 0
               ? coerce_typmod(scope, std::move(e), node->typmod > 6 ? 6 : node->typmod, CoercionContext::kImplicit)
               : std::move(e);
  };
  switch (node->op) {
    case SVFOP_CURRENT_DATE: return call("current_date", oid::kDate);
    case SVFOP_CURRENT_TIME:
    case SVFOP_CURRENT_TIME_N: return with_precision("current_time", oid::kTimeTz);
    case SVFOP_CURRENT_TIMESTAMP:
    case SVFOP_CURRENT_TIMESTAMP_N: return with_precision("now", oid::kTimestampTz);
    case SVFOP_LOCALTIME:
    case SVFOP_LOCALTIME_N: return with_precision("localtime", oid::kTime);
    case SVFOP_LOCALTIMESTAMP:
    case SVFOP_LOCALTIMESTAMP_N: return with_precision("localtimestamp", oid::kTimestamp);
    case SVFOP_CURRENT_ROLE:
    case SVFOP_CURRENT_USER:
    case SVFOP_USER: return call("current_user", oid::kName);
    case SVFOP_SESSION_USER: return call("session_user", oid::kName);
    case SVFOP_CURRENT_CATALOG: return call("current_database", oid::kName);
    case SVFOP_CURRENT_SCHEMA: return call("current_schema", oid::kName);
  }
  not_supported("this SQL value function", node->location);
}

TypedExpr analyze_grouping(Scope& scope, const GroupingFunc* node) {
  std::vector<TypedExpr> args = analyze_list(scope, node->args);
  if (args.size() > 31) {
    throw SqlError(SqlState::kTooManyArguments, "GROUPING must have fewer than 32 arguments", node->location);
  }
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
  for (auto& a : args) children.push_back(duck_ptr(std::move(resolve_unknown(scope, std::move(a)).duck)));
  DuckExpr grouping(new duckdb::OperatorExpression(ExpressionType::GROUPING_FUNCTION, std::move(children)));
  TypedExpr result = typed(make_cast(std::move(grouping), duckdb::LogicalType::INTEGER), oid::kInt4, {Physical::kInt32},
                           {}, node->location);
  result.has_aggregate = true;
  scope.has_aggregates = true;  // without GROUP BY, too, its arguments have to be grouped
  return result;
}

}  // namespace

TypedExpr analyze_domain_check(Scope& scope, const std::string& sql, const TypedExpr& value) {
  ParseTree tree("SELECT " + sql);
  auto* select = reinterpret_cast<SelectStmt*>(tree.statements().at(0).node);
  auto* target = static_cast<ResTarget*>(linitial(select->targetList));
  Scope inner;
  inner.statement = scope.statement;
  inner.special_names.emplace("value", value.clone());
  inner.kind = ExprKind::kCheckConstraint;
  TypedExpr condition = analyze_node(inner, target->val);
  condition.location = -1;
  return coerce_to_boolean(inner, std::move(condition), "CHECK");
}

TypedExpr analyze_node(Scope& scope, Node* node) {
  CHECK(node != nullptr);
  throw_if_error(check_stack_depth());
  switch (nodeTag(node)) {
    case T_ColumnRef: {
      // VALUE in a domain's check, and other names that go before columns.
      auto* ref = reinterpret_cast<ColumnRef*>(node);
      if (!scope.special_names.empty() && list_length(ref->fields) == 1 && IsA(linitial(ref->fields), String)) {
        auto it = scope.special_names.find(strVal(linitial(ref->fields)));
        if (it != scope.special_names.end()) return it->second.clone();
      }
      TypedExpr e = resolve_column(scope, ref);
      if (e.location < 0) e.location = ref->location;
      return e;
    }
    case T_ParamRef: return analyze_parameter(scope, reinterpret_cast<ParamRef*>(node));
    case T_A_Const: return analyze_constant(scope, reinterpret_cast<A_Const*>(node));
    case T_A_Expr: return analyze_a_expr(scope, reinterpret_cast<A_Expr*>(node));
    case T_BoolExpr: return analyze_bool(scope, reinterpret_cast<BoolExpr*>(node));
    case T_NullTest: return analyze_null_test(scope, reinterpret_cast<NullTest*>(node));
    case T_BooleanTest: return analyze_boolean_test(scope, reinterpret_cast<BooleanTest*>(node));
    case T_CaseExpr: return analyze_case(scope, reinterpret_cast<CaseExpr*>(node));
    case T_CoalesceExpr:
      return coalesce_of(scope, analyze_list(scope, reinterpret_cast<CoalesceExpr*>(node)->args),
                         reinterpret_cast<CoalesceExpr*>(node)->location);
    case T_MinMaxExpr: return analyze_min_max(scope, reinterpret_cast<MinMaxExpr*>(node));
    case T_TypeCast: return analyze_type_cast(scope, reinterpret_cast<TypeCast*>(node));
    case T_CollateClause: return analyze_collate(scope, reinterpret_cast<CollateClause*>(node));
    case T_A_ArrayExpr: return analyze_array(scope, node, kInvalidOid, kInvalidOid, -1);
    case T_A_Indirection: return analyze_indirection(scope, reinterpret_cast<A_Indirection*>(node));
    case T_RowExpr: return analyze_row_expr(scope, reinterpret_cast<RowExpr*>(node));
    case T_SubLink: return analyze_sublink(scope, reinterpret_cast<SubLink*>(node));
    case T_FuncCall: return analyze_function_call(scope, reinterpret_cast<FuncCall*>(node));
    case T_SQLValueFunction: return analyze_sql_value_function(scope, reinterpret_cast<SQLValueFunction*>(node));
    case T_GroupingFunc: return analyze_grouping(scope, reinterpret_cast<GroupingFunc*>(node));
    case T_NamedArgExpr:
      return analyze_node(scope, reinterpret_cast<Node*>(reinterpret_cast<NamedArgExpr*>(node)->arg));
    case T_SetToDefault:
      throw SqlError(SqlState::kSyntaxError, "DEFAULT is not allowed in this context",
                     reinterpret_cast<SetToDefault*>(node)->location);
    case T_CurrentOfExpr: not_supported("WHERE CURRENT OF");
    case T_XmlExpr:
    case T_XmlSerialize:
      throw SqlError(SqlState::kFeatureNotSupported, "unsupported XML feature")
          .detail("This functionality requires the server to be built with libxml support.");
    default: not_supported("this kind of expression");
  }
}

}  // namespace omendb::sql
