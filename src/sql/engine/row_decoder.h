// Row bytes into vectors: the inner loop of every analytical query.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "duckdb/common/types/data_chunk.hpp"
#include "duckdb/common/types/vector_buffer.hpp"

#include "sql/engine/table_schema.h"

namespace omendb::sql {

/// Up to one vector of rows, copied out of a cursor. Vectors that hold strings of these rows share the bytes.
class RowBatch {
 public:
  /// Starts a new batch; memory that no vector shares any more is used again.
  void clear();
  void add(std::string_view key, std::string_view row);
  size_t size() const { return rows_.size(); }
  std::string_view key(size_t i) const { return keys_[i]; }
  std::string_view row(size_t i) const { return rows_[i]; }
  duckdb::buffer_ptr<duckdb::VectorBuffer> buffer() const { return arena_; }

 private:
  class Arena;
  bool keep_keys_ = true;
  duckdb::buffer_ptr<duckdb::VectorBuffer> arena_;
  std::vector<duckdb::buffer_ptr<duckdb::VectorBuffer>> pool_;
  std::vector<std::string_view> keys_, rows_;
  Arena* current_ = nullptr;
};

/// Decodes column `column` (TableSchema's numbering) of rows sel[0..count) (null: 0..count) into out[0..count), a flat vector.
void decode_column(const TableSchema& schema, size_t column, const RowBatch& batch, const duckdb::SelectionVector* sel,
                   size_t count, duckdb::Vector& out);

}  // namespace omendb::sql
