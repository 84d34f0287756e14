// SERIALIZABLE beyond the Database's own cursors, which mark what they read (txn/dependencies.h).
#pragma once

#include <optional>
#include <vector>

#include "table/database.h"
#include "txn/dependencies.h"

namespace omendb::table {

/// The statement reads all rows, or may have read any: from a copy, or on several threads. Cost: one look where the transaction is
/// not serializable. Errors: 40001.
Status note_whole_read(Database& database, txn::Transaction& transaction, const TableAccess& table);

/// A serializable read-only transaction waits before its first statement until its snapshot is safe. Only before that.
void set_deferrable(txn::Transaction& transaction, bool deferrable);
/// As set; nothing: it was not.
std::optional<bool> deferrable(const txn::Transaction& transaction);

/// Marks of what serializable transactions have read, by storage.
std::vector<txn::Dependencies::ReadMark> read_marks(Database& database);

}  // namespace omendb::table
