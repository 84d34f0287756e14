// Subqueries in expressions.
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/star_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"

#include "sql/frontend/expression.h"
#include "sql/frontend/walk.h"

#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::ExpressionType;
using types::Physical;

namespace {

TypedExpr analyze_sublink_here(Scope& scope, SubLink* node);

DuckExpr subquery_expression(duckdb::SubqueryType type, std::unique_ptr<duckdb::SelectStatement> select) {
  auto e = std::make_unique<duckdb::SubqueryExpression>();
  e->subquery_type = type;
  e->subquery = duckdb::unique_ptr<duckdb::SelectStatement>(select.release());
  e->comparison_type = ExpressionType::INVALID;
  return e;
}

/// SELECT `outputs` FROM (subquery) AS alias
std::unique_ptr<duckdb::SelectStatement> select_from(std::unique_ptr<duckdb::SelectStatement> subquery,
                                                     const std::string& alias, std::vector<DuckExpr> outputs) {
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  for (auto& o : outputs) node->select_list.push_back(duck_ptr(std::move(o)));
  auto source = duckdb::make_uniq<duckdb::SubqueryRef>(duckdb::unique_ptr<duckdb::SelectStatement>(subquery.release()));
  source->alias = alias;
  node->from_table = std::move(source);
  auto statement = std::make_unique<duckdb::SelectStatement>();
  statement->node = std::move(node);
  return statement;
}

DuckExpr scalar_subquery(std::unique_ptr<duckdb::SelectStatement> select) {
  return subquery_expression(duckdb::SubqueryType::SCALAR, std::move(select));
}

}  // namespace

DuckExpr quantified_subquery(bool any, std::unique_ptr<duckdb::SelectStatement> select, const std::string& alias,
                             DuckExpr test) {
  std::vector<DuckExpr> outputs;
  outputs.push_back(make_call(any ? "omen_any_true" : "omen_all_true", std::move(test)));
  DuckExpr decided = scalar_subquery(select_from(std::move(select), alias, std::move(outputs)));
  return make_call("omen_truth", make_coalesce(std::move(decided), make_integer(any ? 0 : 1)));
}

namespace {

TypedExpr column_of(const ScopeColumn& column, const std::string& alias) {
  TypedExpr e = typed(DuckExpr(new duckdb::ColumnRefExpression(column.duck_name, alias)), column.type, column.physical);
  e.typmod = column.typmod;
  return e;
}

TypedExpr boolean_of(DuckExpr duck, const TypedExpr* part, int location) {
  TypedExpr e = typed(std::move(duck), oid::kBool, {Physical::kBool}, {}, location);
  if (part != nullptr) inherit_flags(e, *part);
  return e;
}

/// The fields of a row are compared inside of the subquery, where a window function would be one of the subquery's, and so would an
/// aggregate of no column.
void check_may_move_inside(const std::vector<TypedExpr>& row, int location) {
  for (const TypedExpr& e : row) {
    std::set<std::string> aliases;
    if (e.has_aggregate && e.duck) collect_aliases(*e.duck, &aliases);
    if (e.has_window) not_supported("comparison of a row of window functions with a subquery", location);
    if (e.has_aggregate && aliases.empty())
      not_supported("comparison of a row with count(*) in it with a subquery", location);
  }
}

/// jsonb values are compared by a function of both; where they have to stand apart, by the key that each has.
void compare_jsonb_by_key(duckdb::ComparisonExpression& comparison) {
  if (comparison.left->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
  auto& order = comparison.left->Cast<duckdb::FunctionExpression>();
  if (order.function_name != "omen_jsonb_cmp") return;
  DuckExpr left(order.children[0].release()), right(order.children[1].release());
  comparison.left = duck_ptr(make_call("omen_jsonb_key", std::move(left)));
  comparison.right = duck_ptr(make_call("omen_jsonb_key", std::move(right)));
}

/// The operands of a comparison with a subquery's columns, as many as there are columns.
std::vector<TypedExpr> operands_of(Scope& scope, Node* node, const SubqueryResult& sub, int location) {
  std::vector<TypedExpr> lefts;
  if (IsA(node, RowExpr))
    lefts = analyze_row_fields(scope, reinterpret_cast<RowExpr*>(node));
  else
    lefts.push_back(analyze_node(scope, node));
  if (lefts.size() < sub.columns.size())
    throw SqlError(SqlState::kSyntaxError, "subquery has too many columns", location);
  if (lefts.size() > sub.columns.size())
    throw SqlError(SqlState::kSyntaxError, "subquery has too few columns", location);
  return lefts;
}

/// left op ANY (SELECT ...), left op ALL (SELECT ...)
TypedExpr analyze_quantified(Scope& scope, SubLink* node, bool any) {
  StatementContext& statement = *scope.statement;
  const int location = node->location;
  std::string schema, name = "=";
  if (node->operName != nullptr) split_name(node->operName, &schema, &name);
  SubqueryResult sub = analyze_subquery(&scope, statement, reinterpret_cast<SelectStmt*>(node->subselect));
  std::vector<TypedExpr> lefts = operands_of(scope, node->testexpr, sub, location);
  const std::string alias = statement.new_alias("sq");
  if (lefts.size() == 1) {
    TypedExpr test = apply_operator(scope, schema, name, lefts[0].clone(), column_of(sub.columns[0], alias), location);
    test = coerce_to_boolean(scope, std::move(test), any ? "ANY" : "ALL");
    if (test.duck->GetExpressionClass() == duckdb::ExpressionClass::COMPARISON) {
      auto& comparison = test.duck->Cast<duckdb::ComparisonExpression>();
      compare_jsonb_by_key(comparison);
      // The subquery's column may have come with a cast; it moves into the subquery.
      std::vector<DuckExpr> outputs;
      outputs.push_back(DuckExpr(comparison.right.release()));
      ExpressionType type = comparison.GetExpressionType();
      DuckExpr child(comparison.left.release());
      auto e = std::make_unique<duckdb::SubqueryExpression>();
      e->subquery_type = duckdb::SubqueryType::ANY;
      // ALL is NOT ANY of the negated comparison; <> ALL stays NOT IN.
      if (!any) type = duckdb::NegateComparisonExpression(type);
      e->comparison_type = type;
      e->child = duck_ptr(std::move(child));
      e->subquery = duckdb::unique_ptr<duckdb::SelectStatement>(
          select_from(std::move(sub.select), alias, std::move(outputs)).release());
      DuckExpr duck = std::move(e);
      if (!any) duck = make_not(std::move(duck));
      return boolean_of(std::move(duck), &test, location);
    }
  }
  // Row by row: true if any is true, else null if any is null, else false; ALL is the mirror image.
  std::vector<TypedExpr> rights, left_copy;
  TypedExpr flags;
  for (size_t i = 0; i < lefts.size(); ++i) {
    rights.push_back(column_of(sub.columns[i], alias));
    inherit_flags(flags, lefts[i]);
  }
  check_may_move_inside(lefts, location);
  TypedExpr test = compare_rows(scope, schema, name, std::move(lefts), std::move(rights), location);
  test = coerce_to_boolean(scope, std::move(test), any ? "ANY" : "ALL");
  return boolean_of(quantified_subquery(any, std::move(sub.select), alias, std::move(test.duck)), &flags, location);
}

}  // namespace

TypedExpr compare_row_with_subquery(Scope& scope, const std::string& schema, const std::string& name, Node* row,
                                    SubLink* node, int location) {
  StatementContext& statement = *scope.statement;
  SubqueryResult sub = analyze_subquery(&scope, statement, reinterpret_cast<SelectStmt*>(node->subselect));
  std::vector<TypedExpr> lefts = operands_of(scope, row, sub, location), rights;
  const std::string alias = statement.new_alias("sq");
  TypedExpr flags;
  for (size_t i = 0; i < lefts.size(); ++i) {
    rights.push_back(column_of(sub.columns[i], alias));
    inherit_flags(flags, lefts[i]);
  }
  check_may_move_inside(lefts, location);
  TypedExpr test = compare_rows(scope, schema, name, std::move(lefts), std::move(rights), location);
  test = coerce_to_boolean(scope, std::move(test), "row comparison");
  std::vector<DuckExpr> outputs;
  outputs.push_back(std::move(test.duck));
  return boolean_of(scalar_subquery(select_from(std::move(sub.select), alias, std::move(outputs))), &flags, location);
}

TypedExpr analyze_sublink(Scope& scope, SubLink* node) {
  // An aggregate of this level may stand inside.
  const bool before = std::exchange(scope.has_aggregates, false);
  TypedExpr e = analyze_sublink_here(scope, node);
  e.has_aggregate |= scope.has_aggregates;
  scope.has_aggregates |= before;
  return e;
}

namespace {

TypedExpr analyze_sublink_here(Scope& scope, SubLink* node) {
  StatementContext& statement = *scope.statement;
  const int location = node->location;
  switch (scope.kind) {
    case ExprKind::kCheckConstraint:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in check constraint", location);
    case ExprKind::kColumnDefault:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in DEFAULT expression", location);
    case ExprKind::kIndexExpression:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in index expression", location);
    case ExprKind::kIndexPredicate:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in index predicate", location);
    case ExprKind::kAlterColumnTransform:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in transform expression", location);
    case ExprKind::kExecuteParameter:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in EXECUTE parameter", location);
    case ExprKind::kGeneratedColumn:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in column generation expression", location);
    case ExprKind::kCallArgument:
      throw SqlError(SqlState::kFeatureNotSupported, "cannot use subquery in CALL argument", location);
    default: break;
  }
  auto* select = reinterpret_cast<SelectStmt*>(node->subselect);
  switch (node->subLinkType) {
    case EXISTS_SUBLINK: {
      SubqueryResult sub = analyze_subquery(&scope, statement, select);
      return boolean_of(subquery_expression(duckdb::SubqueryType::EXISTS, std::move(sub.select)), nullptr, location);
    }
    case ANY_SUBLINK: return analyze_quantified(scope, node, true);
    case ALL_SUBLINK: return analyze_quantified(scope, node, false);
    case EXPR_SUBLINK: {
      SubqueryResult sub = analyze_subquery(&scope, statement, select);
      if (sub.columns.size() != 1) {
        throw SqlError(SqlState::kSyntaxError, "subquery must return only one column", location);
      }
      TypedExpr e =
          typed(scalar_subquery(std::move(sub.select)), sub.columns[0].type, sub.columns[0].physical, {}, location);
      e.typmod = sub.columns[0].typmod;
      return e;
    }
    case ARRAY_SUBLINK: {
      SubqueryResult sub = analyze_subquery(&scope, statement, select);
      if (sub.columns.size() != 1) {
        throw SqlError(SqlState::kSyntaxError, "subquery must return only one column", location);
      }
      const ScopeColumn column = sub.columns[0];
      const Oid array = is_array(statement, column.type) ? column.type : array_type_of(statement, column.type);
      if (array == kInvalidOid) {
        throw SqlError(SqlState::kUndefinedObject,
                       "could not find array type for data type " + type_name(statement, column.type), location);
      }
      const std::string alias = statement.new_alias("sq");
      TypedExpr element = to_plain(scope, column_of(column, alias));
      std::vector<DuckExpr> outputs;
      outputs.push_back(make_call("omen_array_agg", make_text(type_descriptor(statement, array, {Physical::kBytes})),
                                  make_descriptor(statement, element), std::move(element.duck)));
      DuckExpr duck = scalar_subquery(select_from(std::move(sub.select), alias, std::move(outputs)));
      DuckExpr empty = make_call("omen_array_empty", make_text(type_descriptor(statement, array, {Physical::kBytes})));
      duck = make_coalesce(std::move(duck), std::move(empty));
      return typed(std::move(duck), array, {Physical::kBytes}, {}, location);
    }
    case ROWCOMPARE_SUBLINK:
    case MULTIEXPR_SUBLINK:
    case CTE_SUBLINK: break;
  }
  not_supported("this kind of subquery", location);
}

}  // namespace

}  // namespace omendb::sql
