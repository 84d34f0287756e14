// Reading rows by key where the time for one row counts: without copying it, and with the cache misses of many overlapped.
#pragma once

#include <span>
#include <string_view>

#include "codec/key.h"
#include "table/database.h"
#include "txn/row_ref.h"
#include "txn/versions.h"

namespace omendb::table {

class DatabaseImpl;
class TableTransaction;

/// Database::get() for one statement and one table: a row in memory is not copied, and what the keys have in common is looked up once.
///
/// Thread: belongs to one. Lives at most until the transaction's next statement begins, or what it was made with ends.
class RowReader {
 public:
  RowReader(Database& database, txn::Transaction& transaction, const TableAccess& table);
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  /// Errors as Database::get(). The row's bytes are valid as txn::RowRef says.
  [[gnu::always_inline]] Result<bool> read(std::string_view key, txn::RowRef* row) {
    ++reads_;
    if (marks_) [[unlikely]]
      return marked(key, row);
    return reader_.get(key, row);
  }
  /// read() of the row whose key is this integer: no bytes are made of it. Requires takes_integers().
  [[gnu::always_inline]] Result<bool> read(int64_t key, txn::RowRef* row) {
    ++reads_;
    uint64_t word = codec::int8_key_word(key);
    if (integer_bytes_ != sizeof(word)) [[unlikely]] {
      if (key != static_cast<int32_t>(key)) return false;
      word = codec::int4_key_word(static_cast<int32_t>(key));
    }
    if (marks_) [[unlikely]]
      return marked(word, row);
    return reader_.get_word(word, integer_bytes_, row);
  }
  /// Whether the table's key is one column of 4-byte or 8-byte integers.
  bool takes_integers() const { return integer_bytes_ != 0; }

 private:
  Result<bool> marked(std::string_view key, txn::RowRef* row);
  Result<bool> marked(uint64_t word, txn::RowRef* row);
  DatabaseImpl& database_;
  TableTransaction& transaction_;
  const TableAccess& table_;
  const bool marks_;
  const uint32_t integer_bytes_;  // of the key, if it is one integer
  uint64_t reads_ = 0;
  txn::KeyReader reader_;
};

/// Starts loading what reading these keys, one after the other, would wait for: their cache misses in the index and the
/// row cache overlap. A hint, without effect on any answer. Some 16 to 64 keys at a time: more than a cache holds help nobody.
void prefetch_rows(Database& database, const TableAccess& table, std::span<const std::string_view> keys);

}  // namespace omendb::table
