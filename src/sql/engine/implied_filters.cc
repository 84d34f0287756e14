#include "sql/engine/implied_filters.h"

#include <map>
#include <optional>

#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using DuckExpression = duckdb::unique_ptr<Expression>;
using TableIndex = decltype(duckdb::ColumnBinding::table_index);

/// Whether `expression` consists of comparisons, constants and columns of one table (which is set).
bool simple_condition(const Expression& expression, std::optional<TableIndex>* table) {
  // Not folded yet: 1 + 10, rtrim('text'). It is computed once before the query runs, wherever it stands.
  if (expression.IsFoldable()) return true;
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COLUMN_REF: {
      const auto& column = expression.Cast<duckdb::BoundColumnRefExpression>();
      if (column.depth > 0 || (*table && **table != column.binding.table_index)) return false;
      *table = column.binding.table_index;
      return true;
    }
    case ExpressionClass::BOUND_BETWEEN:
    case ExpressionClass::BOUND_COMPARISON:
    case ExpressionClass::BOUND_CONJUNCTION: break;
    case ExpressionClass::BOUND_OPERATOR:
      if (expression.GetExpressionType() != ExpressionType::COMPARE_IN) return false;
      break;
    default: return false;
  }
  bool simple = true;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { simple = simple && simple_condition(child, table); });
  return simple;
}

void split(const Expression& expression, ExpressionType type, std::vector<const Expression*>* parts) {
  if (expression.GetExpressionType() != type) {
    parts->push_back(&expression);
    return;
  }
  for (const auto& child : expression.Cast<duckdb::BoundConjunctionExpression>().children) split(*child, type, parts);
}

DuckExpression join(ExpressionType type, std::vector<DuckExpression> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  auto result = duckdb::make_uniq<duckdb::BoundConjunctionExpression>(type);
  for (auto& part : parts) result->children.push_back(std::move(part));
  return result;
}

/// What `condition`, an OR, implies of single tables.
void imply(const Expression& condition, duckdb::vector<DuckExpression>* out) {
  std::vector<const Expression*> arms;
  split(condition, ExpressionType::CONJUNCTION_OR, &arms);
  if (arms.size() < 2) return;
  std::map<TableIndex, std::vector<DuckExpression>> found;  // of each table, one entry an arm
  bool several_tables = false;
  for (size_t arm = 0; arm < arms.size(); ++arm) {
    std::vector<const Expression*> parts;
    split(*arms[arm], ExpressionType::CONJUNCTION_AND, &parts);
    std::map<TableIndex, std::vector<DuckExpression>> here;
    for (const auto* part : parts) {
      std::optional<TableIndex> table;
      if (simple_condition(*part, &table) && table) {
        here[*table].push_back(part->Copy());
      } else {
        several_tables = true;
      }
    }
    several_tables = several_tables || here.size() > 1;
    for (auto& [table, conditions] : here) {
      auto& collected = found[table];
      // A table that an earlier arm says nothing about is not bound by the OR.
      if (collected.size() == arm) collected.push_back(join(ExpressionType::CONJUNCTION_AND, std::move(conditions)));
    }
  }
  if (!several_tables) return;  // the OR itself is pushed down
  for (auto& [table, conditions] : found) {
    if (conditions.size() == arms.size()) out->push_back(join(ExpressionType::CONJUNCTION_OR, std::move(conditions)));
  }
}

void visit(duckdb::LogicalOperator& op) {
  for (auto& child : op.children) visit(*child);
  if (op.type != duckdb::LogicalOperatorType::LOGICAL_FILTER) return;
  duckdb::vector<DuckExpression> implied;
  for (const auto& expression : op.expressions) {
    std::vector<const Expression*> parts;
    split(*expression, ExpressionType::CONJUNCTION_AND, &parts);
    for (const auto* part : parts) {
      if (part->GetExpressionType() == ExpressionType::CONJUNCTION_OR) imply(*part, &implied);
    }
  }
  for (auto& expression : implied) op.expressions.push_back(std::move(expression));
}

void optimize(duckdb::OptimizerExtensionInput&, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) { visit(*plan); }

}  // namespace

void register_implied_filters(duckdb::DatabaseInstance& database) {
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = optimize;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

}  // namespace omendb::sql
