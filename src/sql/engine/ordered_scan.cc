#include "sql/engine/ordered_scan.h"

#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_top_n.hpp"

#include "sql/duck_types.h"
#include "sql/engine/scan.h"

namespace omendb::sql {
namespace {

using duckdb::ColumnBinding;
using duckdb::Expression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

// A large n is better served by a parallel scan and a heap.
constexpr uint64_t kRowsMax = 10000;

/// Follows `expression` down through projections to a column of an omen_scan; SIZE_MAX: it is none.
size_t scan_column(LogicalOperator& below, const Expression& expression, duckdb::LogicalGet** get) {
  if (expression.GetExpressionType() != duckdb::ExpressionType::BOUND_COLUMN_REF) return SIZE_MAX;
  const ColumnBinding binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
  if (below.type == LogicalOperatorType::LOGICAL_PROJECTION) {
    auto& projection = below.Cast<duckdb::LogicalProjection>();
    if (binding.table_index != projection.table_index) return SIZE_MAX;
    return scan_column(*below.children[0], *projection.expressions[binding.column_index], get);
  }
  if (below.type != LogicalOperatorType::LOGICAL_GET) return SIZE_MAX;
  auto& found = below.Cast<duckdb::LogicalGet>();
  if (found.function.name != kScanFunction || binding.table_index != found.table_index) return SIZE_MAX;
  const auto& id = found.GetColumnIds()[binding.column_index];
  if (id.IsVirtualColumn()) return SIZE_MAX;
  *get = &found;
  return id.GetPrimaryIndex();
}

void try_top_n(duckdb::LogicalTopN& top) {
  if (top.limit == 0 || top.limit + top.offset > kRowsMax) return;
  duckdb::LogicalGet* get = nullptr;
  int direction = 0;
  for (size_t i = 0; i < top.orders.size(); ++i) {
    const size_t column = scan_column(*top.children[0], *top.orders[i].expression, &get);
    if (column == SIZE_MAX) return;
    const auto& access = *get->bind_data->Cast<ScanBindData>().schema->access;
    if (access.key_positions().empty()) return;     // no primary key: the order of the rows says nothing
    if (i >= access.key_positions().size()) break;  // the whole key: what follows decides nothing
    if (access.key_positions()[i] != column || !compares_as_key(access.key_columns()[i].type)) return;
    const bool descending = (top.orders[i].type == duckdb::OrderType::DESCENDING) != access.key_columns()[i].descending;
    const int wanted = descending ? -1 : 1;
    if (direction != 0 && direction != wanted) return;
    direction = wanted;
  }
  if (get == nullptr) return;
  auto& data = get->bind_data->Cast<ScanBindData>();
  // Rows that tie on a prefix of the key and are left out must not matter: any n of them are a right answer.
  data.row_limit = top.limit + top.offset;
  data.reverse = direction < 0;
}

void try_min_max(duckdb::LogicalAggregate& aggregate) {
  if (!aggregate.groups.empty() || aggregate.grouping_sets.size() > 1 || aggregate.expressions.empty()) return;
  duckdb::LogicalGet* get = nullptr;
  bool is_max = false;
  for (size_t i = 0; i < aggregate.expressions.size(); ++i) {
    if (aggregate.expressions[i]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return;
    const auto& call = aggregate.expressions[i]->Cast<duckdb::BoundAggregateExpression>();
    const bool max = call.function.name == "max", min = call.function.name == "min";
    if ((!max && !min) || call.filter || call.children.size() != 1 || (i > 0 && max != is_max)) return;
    is_max = max;
    const size_t column = scan_column(*aggregate.children[0], *call.children[0], &get);
    if (column == SIZE_MAX) return;
    const auto& access = *get->bind_data->Cast<ScanBindData>().schema->access;
    if (access.key_positions().empty() || access.key_positions()[0] != column) return;
    if (!compares_as_key(access.key_columns()[0].type)) return;
  }
  auto& data = get->bind_data->Cast<ScanBindData>();
  data.row_limit = 1;
  data.reverse = is_max != data.schema->access->key_columns()[0].descending;
}

void visit(LogicalOperator& op) {
  for (auto& child : op.children) visit(*child);
  if (op.type == LogicalOperatorType::LOGICAL_TOP_N) try_top_n(op.Cast<duckdb::LogicalTopN>());
  if (op.type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) try_min_max(op.Cast<duckdb::LogicalAggregate>());
}

void optimize(duckdb::OptimizerExtensionInput&, duckdb::unique_ptr<LogicalOperator>& plan) { visit(*plan); }

}  // namespace

void register_ordered_scan(duckdb::DatabaseInstance& database) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = optimize;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

}  // namespace omendb::sql
