// Columns of values -> DataRow messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "pgwire/buffer.h"
#include "types/io.h"
#include "types/value.h"

namespace omendb::pgwire {

/// Writes the rows of one result. A formatter per column is chosen once; the common types (integers, text, booleans, dates,
/// timestamps, decimals) are written without leaving this folder, all others through types::output and types::send.
///
/// Use:    begin() for each result, then encode() for each batch. Keeps its memory between results.
/// Thread: one at a time.
class RowEncoder {
 public:
  struct Column {
    Oid type;
    types::PhysicalType physical;
    bool binary = false;
  };

  /// `context` must outlive the encoding.
  void begin(const types::IoContext& context, size_t column_count);
  void set_column(size_t i, Column column);
  size_t column_count() const { return states_.size(); }

  /// Appends rows [first, count) until `out` holds at least `stop_at` bytes; returns the first row that was not written.
  /// Errors: 42883 (a type without binary form), 54000 (a row beyond 1 GB); `out` then ends with the last whole row.
  Result<size_t> encode(const std::vector<types::ColumnView>& columns, size_t first, size_t count, size_t stop_at,
                        Buffer* out);

 private:
  struct State;
  // Appends length word and value; the value is not null.
  using Formatter = void (*)(RowEncoder& self, const State& state, const types::ColumnView& column, size_t row,
                             Buffer* out);
  struct State {
    Column column;
    Formatter formatter = nullptr;
  };
  friend struct Formatters;
  static Formatter choose(const types::IoContext& context, const Column& column);

  const types::IoContext* context_ = nullptr;
  std::vector<State> states_;
  std::string scratch_;
  Status trouble_;
};

}  // namespace omendb::pgwire
