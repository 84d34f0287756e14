// Reading rows by key where the time for one row counts: without copying it, and with the cache misses of many overlapped.
#pragma once

#include <span>
#include <string_view>

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

 private:
  Result<bool> marked(std::string_view key, txn::RowRef* row);
  DatabaseImpl& database_;
  TableTransaction& transaction_;
  const TableAccess& table_;
  const bool marks_;
  uint64_t reads_ = 0;
  txn::KeyReader reader_;
};

/// Starts loading what reading these keys, one after the other, would wait for: their cache misses in the index and the
/// row cache overlap. A hint, without effect on any answer. Some 16 to 64 keys at a time: more than a cache holds help nobody.
void prefetch_rows(Database& database, const TableAccess& table, std::span<const std::string_view> keys);

}  // namespace omendb::table
