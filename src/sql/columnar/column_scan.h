// A native scan of a copy under omen_scan: the same columns and filters, the rows that an overlay hides left out.
#pragma once

#include <memory>

#include "duckdb/function/table_function.hpp"

#include "sql/columnar/column_store.h"

namespace omendb::sql {

/// What omen_scan asks of the native table's scan function.
class ColumnScan {
 public:
  /// `input` is omen_scan's own; `columns` are what it names, in TableSchema's numbering, SIZE_MAX for a row id that nobody looks at.
  ColumnScan(duckdb::ClientContext& context, std::shared_ptr<const ColumnSnapshot> snapshot,
             const ColumnSnapshot::Table& table, const std::vector<size_t>& columns,
             const duckdb::TableFunctionInitInput& input);

  struct Local {
    duckdb::unique_ptr<duckdb::LocalTableFunctionState> native;
    duckdb::DataChunk chunk;  // with an overlay: the output and the row ids
    duckdb::SelectionVector selection;
  };
  duckdb::idx_t max_threads() const { return global_->MaxThreads(); }
  std::unique_ptr<Local> init_local(duckdb::ExecutionContext& context, const duckdb::TableFunctionInitInput& input);
  /// The next rows; none: the end, for this thread.
  void next(duckdb::ClientContext& context, Local& local, duckdb::DataChunk& output);
  duckdb::OperatorPartitionData partition(duckdb::ClientContext& context, Local& local,
                                          const duckdb::TableFunctionGetPartitionInput& input);
  const ColumnSnapshot::Table& table() const { return table_; }

  /// Bounds and counts of a column as the native table knows them. Requires that the table has no overlay.
  static duckdb::unique_ptr<duckdb::BaseStatistics> statistics(duckdb::ClientContext& context,
                                                               const ColumnSnapshot::Table& table, size_t column);
  static duckdb::vector<duckdb::PartitionStatistics> partition_statistics(duckdb::ClientContext& context,
                                                                          const ColumnSnapshot::Table& table);

 private:
  duckdb::TableFunctionInitInput native_input(const duckdb::TableFunctionInitInput& input) const;

  const std::shared_ptr<const ColumnSnapshot> snapshot_;
  const ColumnSnapshot::Table table_;
  const duckdb::TableFunction function_;
  duckdb::unique_ptr<duckdb::FunctionData> bind_data_;
  duckdb::vector<duckdb::ColumnIndex> columns_;
  duckdb::vector<duckdb::idx_t> projection_;
  duckdb::unique_ptr<duckdb::GlobalTableFunctionState> global_;
};

}  // namespace omendb::sql
