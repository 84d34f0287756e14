// One row of a select's output made into row bytes, checked: what every INSERT and UPDATE ends in, whatever its route.
#pragma once

#include <string_view>

#include "sql/engine/constraints.h"
#include "sql/engine/vectors.h"
#include "sql/frontend/analyzer.h"
#include "table/key_index.h"

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
    return build(action, [&](size_t output, size_t column) {
      return load_value(chunk.data[output], row, column == SIZE_MAX ? kTruth : layout.column(column));
    });
  }

  /// As above, for outputs that `value(output, column)` gives; `column`: of the table, SIZE_MAX: the result of a CHECK.
  template <class Values>
  std::string_view build(const WriteAction& action, Values&& value) {
    builder_.reset();
    for (size_t i = 0; i < action.row.size(); ++i) {
      if (action.row[i] != SIZE_MAX) builder_.set(i, value(action.row[i], i));
    }
    return checked(action, builder_.finish(), value);
  }

  /// As build(), where only the columns `changed` (ascending) differ from `old_row`, which has every column of the layout.
  template <class Values>
  std::string_view patch(const WriteAction& action, std::string_view old_row, const std::vector<size_t>& changed,
                         Values&& value) {
    for (size_t i : changed) builder_.set(i, action.row[i] == SIZE_MAX ? types::ValueView() : value(action.row[i], i));
    return checked(action, builder_.patch(old_row, changed), value);
  }

  /// The lock that a row needs before it is known what becomes of it: Database::update asks for more where a key changes.
  static table::RowLockMode lock_mode(const WriteAction& action) {
    return action.kind == WriteAction::Kind::kDelete ? table::RowLockMode::kUpdate : table::RowLockMode::kNoKeyUpdate;
  }

  /// The one that ON CONFLICT takes: for a key if its columns are assigned to, changed or not (PostgreSQL's ExecUpdateLockMode).
  table::RowLockMode conflict_lock_mode(const WriteAction& action) const {
    for (size_t attnum : action.changed) {
      for (size_t position : schema_->access->key_positions()) {
        if (position + 1 == attnum) return table::RowLockMode::kUpdate;
      }
      for (const auto& index : schema_->access->secondary()) {
        if (!table::is_key(index)) continue;
        for (size_t position : index.positions) {
          if (position + 1 == attnum) return table::RowLockMode::kUpdate;
        }
      }
    }
    return table::RowLockMode::kNoKeyUpdate;
  }

 private:
  static constexpr types::PhysicalType kTruth{types::Physical::kBool};

  template <class Values>
  std::string_view checked(const WriteAction& action, std::string_view bytes, Values&& value) {
    constraints_.check_not_null(bytes);
    for (const auto& check : action.checks) {
      const types::ValueView result = value(check.column, SIZE_MAX);
      if (!result.null && result.integer == 0) constraints_.violated(check, bytes);
    }
    return bytes;
  }

  std::shared_ptr<const TableSchema> schema_;
  Constraints constraints_;
  codec::RowBuilder builder_;
};

}  // namespace omendb::sql
