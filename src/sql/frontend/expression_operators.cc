// A_Expr: operators, ANY and ALL over arrays, DISTINCT FROM, NULLIF, IN, LIKE, BETWEEN, and comparisons of rows.
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/emptytableref.hpp"

#include "sql/frontend/expression.h"

#include "types/array.h"
#include "types/compare.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::ExpressionType;
using types::Physical;

namespace {

duckdb::ComparisonExpression* as_comparison(const DuckExpr& e) {
  if (!e || e->GetExpressionClass() != duckdb::ExpressionClass::COMPARISON) return nullptr;
  return &e->Cast<duckdb::ComparisonExpression>();
}

Oid type_of(const TypedExpr& e) { return is_unknown(e) ? oid::kUnknown : e.type; }

bool is_row(const TypedExpr& e) { return !e.fields.empty(); }

/// One side of a comparison. Two that stand there as rows are compared field by field, each with the types of its pair; values of composite
/// types, whatever makes them, compare as such.
struct Operand {
  bool row = false;
  std::vector<TypedExpr> fields;  // of a row
  TypedExpr value;                // of anything else
};

Operand analyze_operand(Scope& scope, Node* node) {
  Operand operand;
  operand.row = IsA(node, RowExpr);
  if (operand.row)
    operand.fields = analyze_row_fields(scope, reinterpret_cast<RowExpr*>(node));
  else
    operand.value = analyze_node(scope, node);
  return operand;
}

[[noreturn]] void unequal_rows(int location) {
  throw SqlError(SqlState::kSyntaxError, "unequal number of entries in row expressions", location);
}

TypedExpr boolean_of(DuckExpr duck, std::initializer_list<const TypedExpr*> parts, int location) {
  return typed(std::move(duck), oid::kBool, {Physical::kBool}, parts, location);
}

/// A boolean made of booleans, with their flags.
TypedExpr combine(std::vector<TypedExpr> tests, bool conjunction, int location) {
  TypedExpr result = boolean_of(nullptr, {}, location);
  for (auto& t : tests) {
    inherit_flags(result, t);
    if (!result.duck)
      result.duck = std::move(t.duck);
    else
      result.duck = conjunction ? make_and(std::move(result.duck), std::move(t.duck))
                                : make_or(std::move(result.duck), std::move(t.duck));
  }
  return result;
}

std::vector<TypedExpr> clone_all(const std::vector<TypedExpr>& list) {
  std::vector<TypedExpr> result;
  for (const auto& e : list) result.push_back(e.clone());
  return result;
}

TypedExpr compare_operands(Scope& scope, const std::string& schema, const std::string& name, const Operand& left,
                           const Operand& right, int location) {
  if (left.row && right.row)
    return compare_rows(scope, schema, name, clone_all(left.fields), clone_all(right.fields), location);
  auto value = [&](const Operand& o) { return o.row ? row_of(scope, clone_all(o.fields)) : o.value.clone(); };
  return apply_operator(scope, schema, name, value(left), value(right), location);
}

}  // namespace

TypedExpr make_operator(Scope& scope, std::string_view name, TypedExpr left, TypedExpr right, int location) {
  return apply_operator(scope, "", std::string(name), std::move(left), std::move(right), location);
}

TypedExpr compare_rows(Scope& scope, const std::string& schema, const std::string& name, std::vector<TypedExpr> left,
                       std::vector<TypedExpr> right, int location) {
  if (left.size() != right.size()) unequal_rows(location);
  if (left.empty()) throw SqlError(SqlState::kFeatureNotSupported, "cannot compare rows of zero length", location);
  if (left.size() == 1) return apply_operator(scope, schema, name, std::move(left[0]), std::move(right[0]), location);
  if (name == "=" || name == "<>") {
    std::vector<TypedExpr> tests;
    for (size_t i = 0; i < left.size(); ++i) {
      tests.push_back(apply_operator(scope, schema, name, std::move(left[i]), std::move(right[i]), location));
    }
    return combine(std::move(tests), name == "=", location);
  }
  if (name != "<" && name != "<=" && name != ">" && name != ">=") {
    throw SqlError(SqlState::kFeatureNotSupported,
                   "could not determine interpretation of row comparison operator " + name, location)
        .hint("Row comparison operators must be associated with btree operator families.");
  }
  // The first pair that is not equal decides; a null there makes the result null.
  const std::string strict(1, name[0]);
  TypedExpr result;
  for (size_t i = left.size(); i-- > 0;) {
    const bool last = i + 1 == left.size();
    TypedExpr decided =
        apply_operator(scope, schema, last ? name : strict, left[i].clone(), right[i].clone(), location);
    if (last) {
      result = std::move(decided);
      continue;
    }
    TypedExpr equal = apply_operator(scope, schema, "=", std::move(left[i]), std::move(right[i]), location);
    TypedExpr combined = boolean_of(make_case(std::move(equal.duck), std::move(result.duck), std::move(decided.duck)),
                                    {&equal, &result, &decided}, location);
    result = std::move(combined);
  }
  return result;
}

TypedExpr distinct_from(Scope& scope, TypedExpr left, TypedExpr right, bool negated, int location) {
  if (is_row(left) && is_row(right)) {
    if (left.fields.size() != right.fields.size()) unequal_rows(location);
    std::vector<TypedExpr> tests;
    for (size_t i = 0; i < left.fields.size(); ++i) {
      tests.push_back(distinct_from(scope, std::move(left.fields[i]), std::move(right.fields[i]), negated, location));
    }
    return combine(std::move(tests), negated, location);
  }
  // x IS DISTINCT FROM NULL
  for (TypedExpr* side : {&right, &left}) {
    if (side->kind == TypedExpr::Kind::kNull) {
      TypedExpr other = resolve_unknown(scope, std::move(side == &right ? left : right));
      return boolean_of(make_is_null(std::move(other.duck), !negated), {&other}, location);
    }
  }
  TypedExpr l = left.clone(), r = right.clone();
  TypedExpr equal = apply_operator(scope, "", "=", std::move(left), std::move(right), location);
  if (equal.type != oid::kBool)
    throw SqlError(SqlState::kDatatypeMismatch, "IS DISTINCT FROM requires = operator to yield boolean", location);
  if (auto* comparison = as_comparison(equal.duck);
      comparison != nullptr && comparison->GetExpressionType() == ExpressionType::COMPARE_EQUAL) {
    comparison->SetExpressionTypeUnsafe(negated ? ExpressionType::COMPARE_NOT_DISTINCT_FROM
                                                : ExpressionType::COMPARE_DISTINCT_FROM);
    return equal;
  }
  l = resolve_unknown(scope, std::move(l));
  r = resolve_unknown(scope, std::move(r));
  DuckExpr both = make_case(make_is_null(copy_of(r.duck)), make_constant(duckdb::Value::BOOLEAN(!negated)),
                            negated ? std::move(equal.duck) : make_not(std::move(equal.duck)));
  DuckExpr result =
      make_case(make_is_null(std::move(l.duck)), make_is_null(std::move(r.duck), !negated), std::move(both));
  return boolean_of(std::move(result), {&l, &r}, location);
}

namespace {

/// x = a OR x = b ... (x <> a AND x <> b ... when negated): DuckDB's IN where there is one x and no subquery.
TypedExpr in_list(std::vector<TypedExpr> tests, bool negated, int location) {
  const ExpressionType wanted = negated ? ExpressionType::COMPARE_NOTEQUAL : ExpressionType::COMPARE_EQUAL;
  const auto* first = tests.size() < 2 ? nullptr : as_comparison(tests[0].duck);
  bool one_left = first != nullptr;
  for (auto& t : tests) {
    const auto* c = as_comparison(t.duck);
    one_left = one_left && c != nullptr && c->GetExpressionType() == wanted && c->left->Equals(*first->left) &&
               !c->right->HasSubquery();
  }
  if (!one_left) return combine(std::move(tests), negated, location);
  TypedExpr result = boolean_of(nullptr, {}, location);
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
  for (auto& t : tests) {
    inherit_flags(result, t);
    auto* c = as_comparison(t.duck);
    if (children.empty()) children.push_back(c->left->Copy());
    children.push_back(std::move(c->right));
  }
  result.duck = DuckExpr(new duckdb::OperatorExpression(
      negated ? ExpressionType::COMPARE_NOT_IN : ExpressionType::COMPARE_IN, std::move(children)));
  return result;
}

TypedExpr analyze_in(Scope& scope, const A_Expr* node, const std::string& schema, const std::string& name) {
  const bool negated = name == "<>";
  Operand left = analyze_operand(scope, node->lexpr);
  std::vector<Operand> items;
  ListCell* cell = nullptr;
  foreach (cell, reinterpret_cast<List*>(node->rexpr))
    items.push_back(analyze_operand(scope, static_cast<Node*>(lfirst(cell))));
  // Constants of one common type make a list; the rest are compared one by one.
  std::vector<TypedExpr*> scalars;
  bool has_row = left.row;
  for (auto& [row, fields, item] : items) {
    has_row = has_row || row;
    if (row) continue;
    if (is_constant(item) || item.kind == TypedExpr::Kind::kUntypedParameter ||
        (item.duck && item.duck->IsScalar() && !item.has_aggregate)) {
      scalars.push_back(&item);
    }
  }
  if (!has_row && scalars.size() > 1) {
    std::vector<TypedExpr*> all = scalars;
    all.push_back(&left.value);
    // As PostgreSQL: only when one common type is found without an error.
    Oid common = kInvalidOid;
    try {
      common = select_common_type(scope, all, "IN");
    } catch (const SqlError&) {
    }
    if (common != kInvalidOid && common != oid::kRecord) {
      bool coercible = true;
      for (TypedExpr* s : scalars)
        coercible = coercible && can_coerce(*scope.statement, type_of(*s), common, CoercionContext::kImplicit);
      if (coercible) {
        for (TypedExpr* s : scalars) {
          const int at = s->location;
          *s = coerce_type(scope, std::move(*s), common, -1, CoercionContext::kImplicit, at);
        }
      }
    }
  }
  std::vector<TypedExpr> tests;
  for (const Operand& item : items) {
    tests.push_back(compare_operands(scope, schema, name, left, item, node->location));
    tests.back() = coerce_to_boolean(scope, std::move(tests.back()), "IN");
  }
  return in_list(std::move(tests), negated, node->location);
}

TypedExpr analyze_between(Scope& scope, const A_Expr* node) {
  auto* bounds = reinterpret_cast<List*>(node->rexpr);
  const Operand value = analyze_operand(scope, node->lexpr);
  const Operand low = analyze_operand(scope, static_cast<Node*>(linitial(bounds)));
  const Operand high = analyze_operand(scope, static_cast<Node*>(lsecond(bounds)));
  const int location = node->location;
  auto pair = [&](const char* first, const Operand& a, const char* second, const Operand& b, bool conjunction) {
    std::vector<TypedExpr> tests;
    tests.push_back(compare_operands(scope, "", first, value, a, location));
    tests.push_back(compare_operands(scope, "", second, value, b, location));
    return combine(std::move(tests), conjunction, location);
  };
  auto both = [&](TypedExpr a, TypedExpr b, bool conjunction) {
    std::vector<TypedExpr> tests;
    tests.push_back(std::move(a));
    tests.push_back(std::move(b));
    return combine(std::move(tests), conjunction, location);
  };
  switch (node->kind) {
    case AEXPR_BETWEEN: return pair(">=", low, "<=", high, true);
    case AEXPR_NOT_BETWEEN: return pair("<", low, ">", high, false);
    case AEXPR_BETWEEN_SYM: return both(pair(">=", low, "<=", high, true), pair(">=", high, "<=", low, true), false);
    default: return both(pair("<", low, ">", high, false), pair("<", high, ">", low, false), true);
  }
}

/// Constant arrays up to this size become lists.
constexpr size_t kListedElementsMax = 1000;

std::vector<TypedExpr> two(TypedExpr a, TypedExpr b) {
  std::vector<TypedExpr> list;
  list.push_back(std::move(a));
  list.push_back(std::move(b));
  return list;
}

/// The bits of omen_array_compare_* for a comparison that a type has by default; 0 for other operators.
int default_comparison(const StatementContext& statement, const std::string& name, const std::vector<Oid>& declared) {
  static const std::map<std::string_view, int> comparisons = {{"<", 1}, {"=", 2},  {"<=", 3},
                                                              {">", 4}, {"<>", 5}, {">=", 6}};
  const auto found = comparisons.find(name);
  if (found == comparisons.end() || declared[0] != declared[1]) return 0;
  const Oid base = base_type_of(statement, declared[0]);
  const bool plain =
      type_kind(statement, base) == 'e' || (base.value < catalog::oid::kFirstUserOid && types::is_orderable(base));
  return plain && base != oid::kRecord && !is_array(statement, base) ? found->second : 0;
}

/// scalar op ANY (array), scalar op ALL (array): make_scalar_array_op.
TypedExpr analyze_array_op(Scope& scope, const A_Expr* node, const std::string& schema, const std::string& name) {
  StatementContext& statement = *scope.statement;
  const bool any = node->kind == AEXPR_OP_ANY;
  TypedExpr left = analyze_node(scope, node->lexpr);
  const int location = node->location;
  const Oid left_type = type_of(left);
  // ARRAY[a, b] on the right is a list of comparisons, which scans understand.
  Node* source = node->rexpr;
  Oid cast_element = kInvalidOid;
  if (IsA(source, TypeCast) && IsA(reinterpret_cast<TypeCast*>(source)->arg, A_ArrayExpr)) {
    auto* cast = reinterpret_cast<TypeCast*>(source);
    const ResolvedType target = resolve_type(statement, cast->typeName);
    cast_element = target.typmod < 0 ? element_type_of(statement, target.type) : kInvalidOid;
    if (cast_element != kInvalidOid) source = cast->arg;
  }
  const auto nested = [](const List* elements) {
    for (int i = 0; i < elements->length; ++i) {
      if (IsA(static_cast<Node*>(elements->elements[i].ptr_value), A_ArrayExpr)) return true;
    }
    return false;
  };
  if (IsA(source, A_ArrayExpr) && reinterpret_cast<A_ArrayExpr*>(source)->elements != nullptr &&
      !nested(reinterpret_cast<A_ArrayExpr*>(source)->elements)) {
    std::vector<TypedExpr> elements = analyze_list(scope, reinterpret_cast<A_ArrayExpr*>(source)->elements);
    std::vector<TypedExpr*> list;
    bool flat = true;
    for (auto& e : elements) {
      list.push_back(&e);
      flat = flat && (is_unknown(e) || !is_array(statement, e.type));
    }
    if (flat) {
      const Oid common = cast_element != kInvalidOid ? cast_element : select_common_type(scope, list, "ARRAY");
      std::vector<TypedExpr> tests;
      for (auto& e : elements) {
        e = coerce(scope, std::move(e), common, -1,
                   cast_element != kInvalidOid ? CoercionContext::kExplicit : CoercionContext::kImplicit);
        tests.push_back(apply_operator(scope, schema, name, left.clone(), std::move(e), location));
        if (tests.back().type != oid::kBool) {
          throw SqlError(SqlState::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean", location);
        }
      }
      if (any && name == "=") return in_list(std::move(tests), false, location);
      if (!any && name == "<>") return in_list(std::move(tests), true, location);
      return combine(std::move(tests), !any, location);
    }
  }
  TypedExpr array = analyze_node(scope, node->rexpr);
  Oid element = oid::kUnknown;
  if (!is_unknown(array)) {
    element = element_type_of(statement, array.type);
    if (element == kInvalidOid) {
      throw SqlError(SqlState::kWrongObjectType, "op ANY/ALL (array) requires array on right side", location);
    }
  }
  const OperatorRow* row = find_operator_for(statement, schema, name, left_type, element, location);
  const ProcRow* proc = find_proc(row->function);
  std::vector<Oid> actual = {left_type, element}, declared = {row->left, row->right};
  const Oid result = enforce_generic_types(statement, actual, declared, row->result);
  if (result != oid::kBool) {
    throw SqlError(SqlState::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean", location);
  }
  const Oid right_array = array_type_of(statement, declared[1]);
  if (right_array == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedObject,
                   "could not find array type for data type " + type_name(statement, declared[1]), location);
  }
  left = coerce_type(scope, std::move(left), declared[0], -1, CoercionContext::kImplicit, location);
  array = coerce_type(scope, std::move(array), right_array, -1, CoercionContext::kImplicit, location);
  const Oid element_type = declared[1];
  types::PhysicalType physical = element_physical(statement, element_type);
  // A constant array is a list as well; duplicates and order do not matter, and a null element makes a null comparison.
  if (const duckdb::Value* bytes = constant_of(array);
      bytes != nullptr && ((any && name == "=") || (!any && name == "<>"))) {
    const types::ArrayView view(duckdb::StringValue::Get(*bytes));
    if (view.size() > 0 && view.size() <= kListedElementsMax) {
      std::vector<TypedExpr> tests;
      for (size_t i = 0; i < view.size(); ++i) {
        TypedExpr e = view.is_null(i) ? typed_null(statement, element_type, -1, location)
                                      : typed_constant(statement, element_type, -1, physical, view.at(i), location);
        tests.push_back(emit_call(Call{scope, *proc, two(left.clone(), std::move(e)), declared, result, location}));
      }
      return in_list(std::move(tests), !any, location);
    }
  }
  if (const int comparison = default_comparison(statement, name, declared); comparison != 0) {
    left = to_plain(scope, std::move(left));
    TypedExpr e = boolean_of(nullptr, {&left, &array}, location);
    DuckExpr descriptor = make_descriptor(statement, left);
    e.duck = make_call(any ? "omen_array_compare_any" : "omen_array_compare_all", make_integer(comparison),
                       std::move(descriptor), std::move(left.duck), std::move(array.duck));
    return e;
  }
  // The array as a DuckDB list, and the operator over one element of it.
  const std::string variable = statement.new_alias("x");
  DuckExpr list = make_call("omen_array_elements", make_text(type_descriptor(statement, element_type, physical)),
                            std::move(array.duck));
  auto apply = [&](DuckExpr element_value) {
    std::vector<TypedExpr> args;
    args.push_back(left.clone());
    args.push_back(typed(std::move(element_value), element_type, physical));
    return emit_call(Call{scope, *proc, std::move(args), declared, result, location});
  };
  TypedExpr results = boolean_of(nullptr, {&left, &array}, location);
  const Scope* left_level = level_of(scope, *left.duck);
  const Scope* array_level = level_of(scope, *list);
  if ((left_level != nullptr && left_level != &scope) || (array_level != nullptr && array_level != &scope) ||
      scope.kind == ExprKind::kJoinOn || left.duck->HasSubquery()) {
    // DuckDB binds no lambda that refers to an outer query (and a join's condition may move into a lateral subquery), nor one with a
    // subquery in it: the elements become rows of a subquery instead. No row: of no elements, or of no array.
    DuckExpr missing = make_is_null(copy_of(list));
    const std::string alias = statement.new_alias("sq");
    auto rows = duckdb::make_uniq<duckdb::SelectNode>();
    DuckExpr unnested = make_call("unnest", std::move(list));
    unnested->alias = variable;
    rows->select_list.push_back(duck_ptr(std::move(unnested)));
    rows->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    auto source = std::make_unique<duckdb::SelectStatement>();
    source->node = std::move(rows);
    TypedExpr test = apply(DuckExpr(new duckdb::ColumnRefExpression(variable, alias)));
    results.duck = make_case(std::move(missing), make_constant(duckdb::Value(duckdb::LogicalType::BOOLEAN)),
                             quantified_subquery(any, std::move(source), alias, std::move(test.duck)));
    return results;
  }
  DuckExpr body = apply(DuckExpr(new duckdb::ColumnRefExpression(variable))).duck;
  results.duck = make_call(any ? "omen_list_any" : "omen_list_all",
                           make_list_transform(std::move(list), variable, std::move(body)));
  return results;
}

TypedExpr analyze_nullif(Scope& scope, const A_Expr* node) {
  StatementContext& statement = *scope.statement;
  TypedExpr left = analyze_node(scope, node->lexpr);
  TypedExpr right = analyze_node(scope, node->rexpr);
  const Oid l = type_of(left), r = type_of(right);
  const OperatorRow* row = find_operator_for(statement, "", "=", l, r, node->location);
  std::vector<Oid> actual = {l, r}, declared = {row->left, row->right};
  enforce_generic_types(statement, actual, declared, row->result);
  // The result is the left operand as = sees it.
  const int32_t typmod = left.typmod;
  const int at = left.location;
  left = coerce_type(scope, std::move(left), declared[0], -1, CoercionContext::kImplicit, at);
  TypedExpr equal = apply_operator(scope, "", "=", left.clone(), std::move(right), node->location);
  TypedExpr result = typed(nullptr, left.type, left.physical, {&left, &equal}, node->location);
  result.typmod = typmod >= 0 && left.typmod == typmod ? typmod : -1;
  DuckExpr null = make_constant(duckdb::Value(duck_type(base_type_of(statement, left.type), left.physical)));
  result.duck = make_case(std::move(equal.duck), std::move(null), std::move(left.duck));
  return result;
}

}  // namespace

TypedExpr analyze_a_expr(Scope& scope, A_Expr* node) {
  std::string schema, name;
  split_name(node->name, &schema, &name);
  const int location = node->location;
  switch (node->kind) {
    case AEXPR_OP: {
      // (SELECT ...) op is a plain scalar; ROW op (SELECT ...) compares with the columns of the subquery's one row.
      if (node->lexpr == nullptr) {
        return apply_operator(scope, schema, name, std::nullopt, analyze_node(scope, node->rexpr), location);
      }
      if (IsA(node->lexpr, RowExpr) && IsA(node->rexpr, SubLink) &&
          reinterpret_cast<SubLink*>(node->rexpr)->subLinkType == EXPR_SUBLINK) {
        auto* sub = reinterpret_cast<SubLink*>(node->rexpr);
        return compare_row_with_subquery(scope, schema, name, node->lexpr, sub, location);
      }
      const Operand left = analyze_operand(scope, node->lexpr);
      return compare_operands(scope, schema, name, left, analyze_operand(scope, node->rexpr), location);
    }
    case AEXPR_OP_ANY:
    case AEXPR_OP_ALL: return analyze_array_op(scope, node, schema, name);
    case AEXPR_DISTINCT:
    case AEXPR_NOT_DISTINCT: {
      // Fields of rows take their types from each other.
      if (IsA(node->lexpr, RowExpr) && IsA(node->rexpr, RowExpr)) {
        TypedExpr l, r;
        l.fields = analyze_row_fields(scope, reinterpret_cast<RowExpr*>(node->lexpr));
        r.fields = analyze_row_fields(scope, reinterpret_cast<RowExpr*>(node->rexpr));
        if (!l.fields.empty() && !r.fields.empty())
          return distinct_from(scope, std::move(l), std::move(r), node->kind == AEXPR_NOT_DISTINCT, location);
      }
      TypedExpr left = analyze_node(scope, node->lexpr);
      TypedExpr right = analyze_node(scope, node->rexpr);
      return distinct_from(scope, std::move(left), std::move(right), node->kind == AEXPR_NOT_DISTINCT, location);
    }
    case AEXPR_NULLIF: return analyze_nullif(scope, node);
    case AEXPR_IN: return analyze_in(scope, node, schema, name);
    case AEXPR_LIKE:
    case AEXPR_ILIKE:
    case AEXPR_SIMILAR:
      return apply_operator(scope, schema, name, analyze_node(scope, node->lexpr), analyze_node(scope, node->rexpr),
                            location);
    case AEXPR_BETWEEN:
    case AEXPR_NOT_BETWEEN:
    case AEXPR_BETWEEN_SYM:
    case AEXPR_NOT_BETWEEN_SYM: return analyze_between(scope, node);
  }
  not_supported("this kind of operator", location);
}

}  // namespace omendb::sql
