#include "sql/point/join_group.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_any_join.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"

namespace omendb::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

/// Columns of dissolved projections become what they are computed from.
void substitute(ExpressionPtr& expression, const JoinGroup& group) {
  if (expression->GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
    const auto& binding = expression->Cast<duckdb::BoundColumnRefExpression>().binding;
    const auto found = std::find(group.projected.begin(), group.projected.end(), binding);
    if (found != group.projected.end()) {
      expression = group.projections[static_cast<size_t>(found - group.projected.begin())]->Copy();
    }
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(*expression, [&](ExpressionPtr& child) { substitute(child, group); });
}

/// Is a projection over `op` dissolved? Over what joins it is; over anything else (aggregates, ...) it is a leaf.
bool dissolves_over(const LogicalOperator& op) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_GET:
    case LogicalOperatorType::LOGICAL_FILTER:
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
    case LogicalOperatorType::LOGICAL_PROJECTION: return true;
    default: return false;
  }
}

bool gather(LogicalOperator& op, JoinGroup* group) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_FILTER:
      if (!op.Cast<duckdb::LogicalFilter>().projection_map.empty()) return false;
      return gather(*op.children[0], group) && add_predicates(op.expressions, &group->predicates);
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
      return gather(*op.children[0], group) && gather(*op.children[1], group);
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_ANY_JOIN: {
      auto& join = op.Cast<duckdb::LogicalJoin>();
      if (join.join_type != duckdb::JoinType::INNER || join.HasProjectionMap()) break;
      return gather(*op.children[0], group) && gather(*op.children[1], group) &&
             add_conditions(join, &group->predicates);
    }
    case LogicalOperatorType::LOGICAL_PROJECTION: {
      if (!dissolves_over(*op.children[0])) break;
      if (!are_repeatable(op.expressions) || !gather(*op.children[0], group)) return false;
      const auto bindings = op.GetColumnBindings();
      for (size_t i = 0; i < op.expressions.size(); ++i) {
        ExpressionPtr column = op.expressions[i]->Copy();
        substitute(column, *group);
        group->projected.push_back(bindings[i]);
        group->projections.push_back(std::move(column));
      }
      return true;
    }
    default: break;
  }
  group->leaves.push_back(&op);
  return true;
}

}  // namespace

std::optional<JoinGroup> join_group(LogicalOperator& op) {
  JoinGroup group;
  if (!gather(op, &group)) return std::nullopt;
  if (group.leaves.size() == 1 && group.leaves[0] == &op && op.type != LogicalOperatorType::LOGICAL_GET)
    return std::nullopt;
  for (auto& predicate : group.predicates) substitute(predicate, group);
  return group;
}

bool add_conditions(duckdb::LogicalJoin& join, Expressions* predicates) {
  Expressions conditions;
  if (join.type == LogicalOperatorType::LOGICAL_ANY_JOIN) {
    conditions.push_back(join.Cast<duckdb::LogicalAnyJoin>().condition->Copy());
  } else {
    auto& comparison = join.Cast<duckdb::LogicalComparisonJoin>();
    for (const auto& condition : comparison.conditions) {
      conditions.push_back(duckdb::make_uniq<duckdb::BoundComparisonExpression>(
          condition.comparison, condition.left->Copy(), condition.right->Copy()));
    }
    if (comparison.predicate) conditions.push_back(comparison.predicate->Copy());
  }
  return add_predicates(conditions, predicates);
}

}  // namespace omendb::sql
