#include "sql/columnar/column_scan.h"

#include <algorithm>

#include "duckdb/catalog/catalog_entry/duck_table_entry.hpp"
#include "duckdb/execution/execution_context.hpp"
#include "duckdb/function/table/table_scan.hpp"
#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"

#include "sql/columnar/column_copy.h"

namespace omendb::sql {

namespace {

/// Calls f. A copy that cannot be read is not opened again; the statement runs on rows, or fails when its client has had some already.
template <class F>
auto read_copy(const ColumnSnapshot::Table& table, F f) {
  try {
    return f();
  } catch (const duckdb::IOException&) {
    table.copy->spoil();
    throw;
  } catch (const duckdb::SerializationException&) {
    table.copy->spoil();
    throw;
  }
}

}  // namespace

ColumnScan::ColumnScan(duckdb::ClientContext& context, std::shared_ptr<const ColumnSnapshot> snapshot,
                       const ColumnSnapshot::Table& table, const std::vector<size_t>& columns,
                       const duckdb::TableFunctionInitInput& input)
    : snapshot_(std::move(snapshot)),
      table_(table),
      function_(duckdb::TableScanFunction::GetFunction()),
      bind_data_(duckdb::make_uniq<duckdb::TableScanBindData>(*table.entry)) {
  for (const size_t column : columns) {
    columns_.emplace_back(column == SIZE_MAX ? duckdb::COLUMN_IDENTIFIER_ROW_ID
                                             : static_cast<duckdb::column_t>(column));
  }
  if (input.CanRemoveFilterColumns()) projection_ = input.projection_ids;
  if (table_.overlay != nullptr) {
    if (!projection_.empty()) projection_.push_back(columns_.size());
    columns_.emplace_back(duckdb::COLUMN_IDENTIFIER_ROW_ID);
  }
  auto native = native_input(input);
  global_ = read_copy(table_, [&] { return function_.init_global(context, native); });
}

duckdb::TableFunctionInitInput ColumnScan::native_input(const duckdb::TableFunctionInitInput& input) const {
  return duckdb::TableFunctionInitInput(bind_data_.get(), columns_, projection_, input.filters);
}

std::unique_ptr<ColumnScan::Local> ColumnScan::init_local(duckdb::ExecutionContext& context,
                                                          const duckdb::TableFunctionInitInput& input) {
  auto local = std::make_unique<Local>();
  auto native = native_input(input);
  local->native = read_copy(table_, [&] { return function_.init_local(context, native, global_.get()); });
  if (table_.overlay != nullptr) local->selection.Initialize(STANDARD_VECTOR_SIZE);
  return local;
}

void ColumnScan::next(duckdb::ClientContext& context, Local& local, duckdb::DataChunk& output) {
  duckdb::TableFunctionInput input(bind_data_.get(), local.native.get(), global_.get());
  if (table_.overlay == nullptr) {
    read_copy(table_, [&] { function_.function(context, input, output); });
    return;
  }
  const auto& hidden = table_.overlay->hidden;
  if (local.chunk.ColumnCount() == 0) {
    auto types = output.GetTypes();
    types.push_back(duckdb::LogicalType::ROW_TYPE);
    local.chunk.Initialize(context, types);
  }
  while (true) {
    local.chunk.Reset();
    read_copy(table_, [&] { function_.function(context, input, local.chunk); });
    const duckdb::idx_t count = local.chunk.size();
    if (count == 0) return;
    duckdb::UnifiedVectorFormat ids;
    local.chunk.data.back().ToUnifiedFormat(count, ids);
    const auto* id = duckdb::UnifiedVectorFormat::GetData<duckdb::row_t>(ids);
    // A vector's rows stand in ascending order: most lie where nothing is hidden.
    auto at = std::lower_bound(hidden.begin(), hidden.end(), id[ids.sel->get_index(0)]);
    duckdb::idx_t left = count;
    if (at != hidden.end() && *at <= id[ids.sel->get_index(count - 1)]) {
      left = 0;
      for (duckdb::idx_t i = 0; i < count; ++i) {
        const auto row = id[ids.sel->get_index(i)];
        while (at != hidden.end() && *at < row) ++at;
        if (at == hidden.end() || *at != row) local.selection.set_index(left++, i);
      }
      if (left == 0) continue;
    }
    for (duckdb::idx_t c = 0; c < output.ColumnCount(); ++c) {
      if (left == count)
        output.data[c].Reference(local.chunk.data[c]);
      else
        output.data[c].Slice(local.chunk.data[c], local.selection, left);
    }
    output.SetCardinality(left);
    return;
  }
}

duckdb::OperatorPartitionData ColumnScan::partition(duckdb::ClientContext& context, Local& local,
                                                    const duckdb::TableFunctionGetPartitionInput& input) {
  duckdb::TableFunctionGetPartitionInput native(bind_data_.get(), local.native.get(), global_.get(),
                                                input.partition_info);
  return function_.get_partition_data(context, native);
}

duckdb::unique_ptr<duckdb::BaseStatistics> ColumnScan::statistics(duckdb::ClientContext& context,
                                                                  const ColumnSnapshot::Table& table, size_t column) {
  return read_copy(table, [&] { return table.entry->GetStatistics(context, static_cast<duckdb::column_t>(column)); });
}

duckdb::vector<duckdb::PartitionStatistics> ColumnScan::partition_statistics(duckdb::ClientContext& context,
                                                                             const ColumnSnapshot::Table& table) {
  auto result = read_copy(
      table, [&] { return table.entry->Cast<duckdb::DuckTableEntry>().GetStorage().GetPartitionStats(context); });
  uint64_t rows = 0;
  const bool exact = std::all_of(result.begin(), result.end(), [&](const duckdb::PartitionStatistics& partition) {
    rows += partition.count;
    return partition.count_type == duckdb::CountType::COUNT_EXACT;
  });
  if (exact && rows == table.rows) return result;
  // Rows have gone or come since: of its parts nothing is certain, but how many there are in all is.
  duckdb::PartitionStatistics all;
  all.row_start = 0;
  all.count = table.rows;
  all.count_type = duckdb::CountType::COUNT_EXACT;
  return {all};
}

}  // namespace omendb::sql
