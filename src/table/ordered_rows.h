// Rows of many keys in ascending order, where one by one each would cost an iterator of the store: old versions above all.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "table/database.h"

namespace omendb::table {

/// Thread: one at a time. Must not outlive the transaction's statement. Notes nothing in a serializable transaction: whoever reads so
/// has noted the whole table (serializable.h).
class OrderedRows {
 public:
  virtual ~OrderedRows() = default;
  /// As Database::get(). Requires that `key` is not less than the one before.
  virtual Result<bool> get(std::string_view key, std::string* row) = 0;
};
std::unique_ptr<OrderedRows> ordered_rows(Database& database, txn::Transaction& transaction, const TableAccess& table);

}  // namespace omendb::table
