// Reading rows by key where the time for one row counts: without copying it, and with the cache misses of many overlapped.
#pragma once

#include <span>
#include <string_view>

#include "table/database.h"
#include "txn/row_ref.h"

namespace omendb::table {

/// As Database::get(), but a row in memory is not copied; its bytes are valid as txn::RowRef says.
Result<bool> read_row(Database& database, txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                      txn::RowRef* row);

/// Starts loading what reading these keys, one after the other, would wait for: their cache misses in the index and the
/// row cache overlap. A hint, without effect on any answer. Some 16 to 64 keys at a time: more than a cache holds help nobody.
void prefetch_rows(Database& database, const TableAccess& table, std::span<const std::string_view> keys);

}  // namespace omendb::table
