#include "sql/frontend/emit.h"

#include "duckdb/parser/expression/case_expression.hpp"
#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"
#include "duckdb/parser/tableref/emptytableref.hpp"
#include "duckdb/parser/tableref/joinref.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"

namespace omendb::sql::emit {

using duckdb::ExpressionType;

Tree column(const std::string& alias, const std::string& name, int location) {
  auto result = duckdb::make_uniq<duckdb::ColumnRefExpression>(name, alias);
  if (location >= 0) result->SetQueryLocation(static_cast<duckdb::idx_t>(location));
  return result;
}

Tree integer(int64_t value) { return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(value)); }

Tree position(size_t one_based) {
  return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::INTEGER(static_cast<int32_t>(one_based)));
}

Tree boolean(bool value) { return duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BOOLEAN(value)); }

Tree null_of(const duckdb::LogicalType& type) {
  return cast(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value()), type);
}

Tree cast(Tree value, const duckdb::LogicalType& type) {
  return duckdb::make_uniq<duckdb::CastExpression>(type, std::move(value));
}

Tree call(const std::string& name, std::vector<Tree> arguments) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
  for (Tree& argument : arguments) children.push_back(std::move(argument));
  return duckdb::make_uniq<duckdb::FunctionExpression>(name, std::move(children));
}

Tree conjunction(Tree left, Tree right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  return duckdb::make_uniq<duckdb::ConjunctionExpression>(ExpressionType::CONJUNCTION_AND, std::move(left),
                                                          std::move(right));
}

Tree negation(Tree value) {
  return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_NOT, std::move(value));
}

Tree is_null(Tree value) {
  return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_IS_NULL, std::move(value));
}

Tree is_not_null(Tree value) {
  return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_IS_NOT_NULL, std::move(value));
}

Tree compare(ExpressionType type, Tree left, Tree right) {
  return duckdb::make_uniq<duckdb::ComparisonExpression>(type, std::move(left), std::move(right));
}

Tree case_when(Tree condition, Tree value, Tree otherwise) {
  auto result = duckdb::make_uniq<duckdb::CaseExpression>();
  duckdb::CaseCheck check;
  check.when_expr = std::move(condition);
  check.then_expr = std::move(value);
  result->case_checks.push_back(std::move(check));
  if (otherwise == nullptr) otherwise = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value());
  result->else_expr = std::move(otherwise);
  return result;
}

Tree coalesce(Tree left, Tree right) {
  return duckdb::make_uniq<duckdb::OperatorExpression>(ExpressionType::OPERATOR_COALESCE, std::move(left),
                                                       std::move(right));
}

Tree scalar_subquery(DuckNode node) {
  auto result = duckdb::make_uniq<duckdb::SubqueryExpression>();
  result->subquery_type = duckdb::SubqueryType::SCALAR;
  result->subquery = statement(std::move(node));
  return result;
}

DuckTable table_function(const std::string& name, Tree argument, const std::string& alias) {
  auto result = duckdb::make_uniq<duckdb::TableFunctionRef>();
  std::vector<Tree> arguments;
  arguments.push_back(std::move(argument));
  result->function = call(name, std::move(arguments));
  result->alias = alias;
  return result;
}

DuckTable subquery(DuckNode node, const std::string& alias) {
  return duckdb::make_uniq<duckdb::SubqueryRef>(statement(std::move(node)), alias);
}

DuckTable cte(const std::string& name, const std::string& alias) {
  auto result = duckdb::make_uniq<duckdb::BaseTableRef>();
  result->table_name = name;
  result->alias = alias;
  return result;
}

DuckTable cross(DuckTable left, DuckTable right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  auto result = duckdb::make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::CROSS);
  result->left = std::move(left);
  result->right = std::move(right);
  return result;
}

DuckTable empty() { return duckdb::make_uniq<duckdb::EmptyTableRef>(); }

duckdb::unique_ptr<duckdb::SelectNode> select() { return duckdb::make_uniq<duckdb::SelectNode>(); }

duckdb::unique_ptr<duckdb::SelectStatement> statement(DuckNode node) {
  auto result = duckdb::make_uniq<duckdb::SelectStatement>();
  result->node = std::move(node);
  return result;
}

}  // namespace omendb::sql::emit
