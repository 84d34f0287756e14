#include "sql/engine/dynamic_filters.h"

#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_distinct.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_top_n.hpp"

namespace omendb::sql {
namespace {

using duckdb::JoinType;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

bool chooses_rows(const LogicalOperator& op) {
  if (op.type == LogicalOperatorType::LOGICAL_DISTINCT) {
    return op.Cast<duckdb::LogicalDistinct>().distinct_type == duckdb::DistinctType::DISTINCT_ON;
  }
  return op.type == LogicalOperatorType::LOGICAL_LIMIT || op.type == LogicalOperatorType::LOGICAL_TOP_N;
}

bool extends_left_rows(const LogicalOperator& op) {
  if (op.type != LogicalOperatorType::LOGICAL_COMPARISON_JOIN) return false;
  const JoinType type = op.Cast<duckdb::LogicalComparisonJoin>().join_type;
  return type == JoinType::RIGHT || type == JoinType::OUTER;
}

/// Goes where DuckDB looks for scans to filter: down the first children, and down all of a set operation.
template <class Visit>
void walk_probe_side(LogicalOperator& op, const Visit& visit) {
  if (!visit(op)) return;
  const bool every_child = op.type == LogicalOperatorType::LOGICAL_UNION ||
                           op.type == LogicalOperatorType::LOGICAL_INTERSECT ||
                           op.type == LogicalOperatorType::LOGICAL_EXCEPT;
  for (size_t i = 0; i < op.children.size() && (i == 0 || every_child); ++i) walk_probe_side(*op.children[i], visit);
}

bool unsound(duckdb::LogicalTopN& top) {
  bool found = false;
  walk_probe_side(*top.children[0], [&](LogicalOperator& op) {
    found = found || chooses_rows(op) || extends_left_rows(op);
    return !found;
  });
  return found;
}

void drop_filters_of_scans(LogicalOperator& below, duckdb::JoinFilterPushdownInfo& filters) {
  walk_probe_side(below, [&](LogicalOperator& op) {
    if (op.type != LogicalOperatorType::LOGICAL_GET) return true;
    const auto& reached = op.Cast<duckdb::LogicalGet>().dynamic_filters;
    std::erase_if(filters.probe_info, [&](const auto& filter) { return filter.dynamic_filters == reached; });
    return true;
  });
}

void visit(LogicalOperator& op) {
  for (auto& child : op.children) visit(*child);
  if (op.type == LogicalOperatorType::LOGICAL_TOP_N) {
    auto& top = op.Cast<duckdb::LogicalTopN>();
    // The scan holds the filter too, but nobody gives it a value.
    if (top.dynamic_filter && unsound(top)) top.dynamic_filter.reset();
  }
  if (op.type == LogicalOperatorType::LOGICAL_COMPARISON_JOIN) {
    auto& join = op.Cast<duckdb::LogicalComparisonJoin>();
    if (!join.filter_pushdown) return;
    walk_probe_side(*join.children[0], [&](LogicalOperator& below) {
      if (!chooses_rows(below)) return true;
      drop_filters_of_scans(below, *join.filter_pushdown);
      return false;
    });
  }
}

void optimize(duckdb::OptimizerExtensionInput&, duckdb::unique_ptr<LogicalOperator>& plan) { visit(*plan); }

}  // namespace

void register_dynamic_filter_check(duckdb::DatabaseInstance& database) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = optimize;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

}  // namespace omendb::sql
