// One row of a select's output made into row bytes, checked: what every INSERT and UPDATE ends in, whatever its route.
#pragma once

#include <string_view>

#include "sql/engine/constraints.h"
#include "sql/engine/vectors.h"
#include "sql/frontend/analyzer.h"

namespace omendb::sql {

class RowWriter {
 public:
  RowWriter(SessionImpl& session, std::shared_ptr<const TableSchema> schema)
      : schema_(std::move(schema)), constraints_(session, schema_), builder_(schema_->access->layout()) {}

  const TableSchema& schema() const { return *schema_; }
  Constraints& constraints() { return constraints_; }

  /// Row `row` of `chunk` (flat) as `action` says; NOT NULL and CHECK are checked. Valid until the next call.
  std::string_view build(const WriteAction& action, duckdb::DataChunk& chunk, size_t row) {
    const auto& layout = schema_->access->layout();
    builder_.reset();
    for (size_t i = 0; i < action.row.size(); ++i) {
      if (action.row[i] != SIZE_MAX) builder_.set(i, load_value(chunk.data[action.row[i]], row, layout.column(i)));
    }
    const std::string_view bytes = builder_.finish();
    constraints_.check_not_null(bytes);
    for (const auto& check : action.checks) {
      auto& result = chunk.data[check.column];
      if (duckdb::FlatVector::IsNull(result, row)) continue;
      if (!duckdb::FlatVector::GetData<bool>(result)[row]) constraints_.violated(check, bytes);
    }
    return bytes;
  }

  /// The lock that `action` needs on the row: changing a key excludes FOR KEY SHARE.
  table::RowLockMode lock_mode(const WriteAction& action) const {
    if (action.kind == WriteAction::Kind::kDelete) return table::RowLockMode::kUpdate;
    for (size_t attnum : action.changed) {
      for (size_t position : schema_->access->key_positions()) {
        if (position + 1 == attnum) return table::RowLockMode::kUpdate;
      }
      for (const auto& index : schema_->access->secondary()) {
        if (!index.index.unique) continue;
        for (size_t position : index.positions) {
          if (position + 1 == attnum) return table::RowLockMode::kUpdate;
        }
      }
    }
    return table::RowLockMode::kNoKeyUpdate;
  }

 private:
  std::shared_ptr<const TableSchema> schema_;
  Constraints constraints_;
  codec::RowBuilder builder_;
};

}  // namespace omendb::sql
