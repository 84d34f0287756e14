// The rows that a point plan yields, as columns for a RowSink.
#pragma once

#include <memory>
#include <vector>

#include "sql/session.h"

namespace omendb::sql {

/// Keeps its memory from one execution to the next.
class OutputRows {
 public:
  /// Rows of these columns.
  void set_columns(const std::vector<ColumnDescription>& columns);
  void clear();
  size_t size() const { return count_; }
  /// Starts a row; then put() every column of it. Bytes are copied.
  void add_row() { ++count_; }
  void put(size_t column, const types::ValueView& value);
  /// Views of everything, valid until the next change.
  const std::vector<types::ColumnView>& views();

 private:
  struct Column {
    size_t width;
    std::vector<char> data;
    std::vector<uint64_t> validity;
    bool has_null = false;
  };
  char* allocate(size_t bytes);

  std::vector<Column> columns_;
  std::vector<types::ColumnView> views_;
  size_t count_ = 0;
  std::vector<std::pair<std::unique_ptr<char[]>, size_t>> blocks_;  // of strings; the first stays
  size_t used_ = 0;                                                 // of the last block
};

}  // namespace omendb::sql
