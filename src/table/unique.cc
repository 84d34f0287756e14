// Keys and conflicts: who may insert a key, and what is said to who may not.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "table/database_impl.h"
#include "txn/cursor.h"
#include "txn/stamp.h"
#include "types/io.h"

namespace omendb::table {
namespace {

using txn::LockMode;
using txn::LockOutcome;

}  // namespace

Result<std::optional<DatabaseImpl::Conflict>> DatabaseImpl::claim_key(TableTransaction& t, const TableAccess& table,
                                                                      std::string_view key, bool* successor) {
  const StorageId storage = table.table().storage;
  StorageState& known = state(table);
  txn::KeyDirectory* keys = directory(table);
  const std::string not_available;
  for (;;) {
    // A key beyond all that the store has can be nowhere but in the write set.
    const bool beyond = known.is_above_all(*store_, storage, key);
    uint32_t command = 0;
    Own mine = Own::kNothing;
    if (beyond) {
      if (const auto* entry = t.writes.find(storage, key)) mine = entry->newest->tombstone ? Own::kErased : Own::kRow;
    } else {
      ASSIGN_OR_RETURN(mine, own_newest(t, storage, key, &command, nullptr));
    }
    if (mine == Own::kRow) return std::optional(Conflict{std::string(key), Timestamp(0)});
    *successor = mine == Own::kErased;
    if (mine == Own::kErased || t.made(storage)) return std::optional<Conflict>();

    const txn::Resource resource = manager_.locks().row(storage, key);
    bool fresh = false;
    LockOutcome outcome =
        manager_.locks().acquire(t.locks, resource, LockMode::kRowForUpdate, txn::LockWait::kNoWait, &fresh);
    if (outcome == LockOutcome::kGranted) {
      if (known.is_above_all(*store_, storage, key)) return std::optional<Conflict>();
      ASSIGN_OR_RETURN(const txn::Newest newest,
                       manager_.reader().newest(storage, key, &t.load_numbers, nullptr, keys));
      if (newest.pending_owner == 0 && !newest.exists) {
        // Deleted since the snapshot, which still sees the row. PostgreSQL would show the transaction both; here there is
        // one row under a key, so it has to start again.
        if (t.keeps_snapshot() && newest.tombstone && newest.commit_ts > t.snapshot()) {
          std::string seen;
          ASSIGN_OR_RETURN(const bool visible, manager_.reader().get(t.view(), storage, key, &seen, keys));
          if (visible) {
            return Status(SqlState::kTRSerializationFailure, "could not serialize access due to concurrent delete");
          }
        }
        *successor = newest.tombstone && newest.commit_ts > manager_.timeline().horizon();
        return std::optional<Conflict>();
      }
      if (fresh) manager_.locks().release_last(t.locks);
      if (newest.pending_owner == 0) return std::optional(Conflict{std::string(key), newest.commit_ts});
      RETURN_IF_ERROR(lock_failure(t, manager_.wait_for(t, newest.pending_owner), not_available));
      continue;
    }
    // Somebody holds the key. If a row is there, it is in the way once no writer of it is left; who only locked it does
    // not matter. If none is there, the holder may be inserting it.
    ASSIGN_OR_RETURN(const txn::Newest newest, manager_.reader().newest(storage, key, &t.load_numbers, nullptr, keys));
    const LockMode mode = newest.exists ? LockMode::kRowForShare : LockMode::kRowForUpdate;
    outcome = manager_.locks().acquire(t.locks, resource, mode, txn::LockWait::kWait, &fresh);
    RETURN_IF_ERROR(lock_failure(t, outcome, not_available));
    if (mode == LockMode::kRowForShare) {
      ASSIGN_OR_RETURN(const txn::Newest now, manager_.reader().newest(storage, key, &t.load_numbers, nullptr, keys));
      if (fresh) manager_.locks().release_last(t.locks);
      if (now.pending_owner == 0 && now.exists) return std::optional(Conflict{std::string(key), now.commit_ts});
    }
    // With the lock, or after the row went, the next round finds out.
  }
}

Result<std::optional<DatabaseImpl::Conflict>> DatabaseImpl::find_entry(TableTransaction& t, StorageId storage,
                                                                       std::string_view prefix, std::string_view self,
                                                                       uint64_t* pending_owner) {
  *pending_owner = 0;
  const std::string upper = codec::prefix_successor(prefix);
  txn::VersionCursor cursor(*store_, manager_.loads(), latest_view(t), storage, prefix, upper, false);
  while (cursor.next()) {
    const std::string_view row_key = cursor.key().substr(prefix.size());
    if (row_key == self) continue;
    return std::optional(Conflict{std::string(row_key), Timestamp(0)});
  }
  RETURN_IF_ERROR(cursor.status());
  // Entries that other transactions have moved to the store before their commit are invisible to the cursor.
  if (manager_.loads().pending() == t.load_numbers.size()) return std::optional<Conflict>();
  const std::string from = txn::version_prefix(storage, prefix);
  const std::string to =
      upper.empty() ? txn::storage_prefix(StorageId(storage.value + 1)) : txn::version_prefix(storage, upper);
  store::IterateOptions options;
  options.lower = from;
  options.upper = to;
  auto it = store_->iterate(options);
  for (it->seek(from); it->valid(); it->next()) {
    const txn::Stamp stamp = txn::stamp_of(it->key());
    if (!stamp.is_load()) continue;
    const auto state = manager_.loads().find(stamp.number());
    if (state.kind != txn::Loads::State::Kind::kPending || state.value == t.id()) continue;
    if (txn::parse_value(it->value()).tombstone) continue;
    *pending_owner = state.value;
    return std::optional<Conflict>();
  }
  RETURN_IF_ERROR(it->status());
  return std::optional<Conflict>();
}

Result<std::optional<DatabaseImpl::Conflict>> DatabaseImpl::claim_entry(TableTransaction& t, const TableAccess& table,
                                                                        const TableAccess::IndexAccess& index,
                                                                        std::string_view prefix,
                                                                        std::string_view self) {
  const StorageId storage = index.index.storage, rows = table.table().storage;
  const txn::Resource resource = manager_.locks().row(storage, prefix);
  const std::string not_available;
  const bool made = t.made(storage);
  for (;;) {
    bool fresh = false;
    if (!made) {
      RETURN_IF_ERROR(lock_failure(
          t, manager_.locks().acquire(t.locks, resource, LockMode::kRowForUpdate, txn::LockWait::kWait, &fresh),
          not_available));
    }
    const bool written = t.writes.find(storage) != nullptr;
    if (!written && state(storage).is_above_all(*store_, storage, prefix)) return std::optional<Conflict>();
    uint64_t pending_owner = 0;
    ASSIGN_OR_RETURN(auto found, find_entry(t, storage, prefix, self, &pending_owner));
    if (pending_owner != 0) {
      if (fresh) manager_.locks().release_last(t.locks);
      RETURN_IF_ERROR(lock_failure(t, manager_.wait_for(t, pending_owner), not_available));
      continue;
    }
    if (!found.has_value()) return found;

    // The row in the way may be on its way out: its writer, if there is one, is waited for. Not with the columns' lock in
    // hand, which the writer may want next.
    uint32_t command = 0;
    ASSIGN_OR_RETURN(const Own mine, own_newest(t, rows, found->key, &command, nullptr));
    if (fresh) manager_.locks().release_last(t.locks);
    if (mine != Own::kNothing) return found;
    const txn::Resource row = manager_.locks().row(rows, found->key);
    bool row_fresh = false;
    RETURN_IF_ERROR(lock_failure(
        t, manager_.locks().acquire(t.locks, row, LockMode::kRowForShare, txn::LockWait::kWait, &row_fresh),
        not_available));
    ASSIGN_OR_RETURN(const txn::Newest newest,
                     manager_.reader().newest(rows, found->key, &t.load_numbers, nullptr, directory(table)));
    if (row_fresh) manager_.locks().release_last(t.locks);
    if (newest.pending_owner != 0) {
      RETURN_IF_ERROR(lock_failure(t, manager_.wait_for(t, newest.pending_owner), not_available));
      continue;
    }
    ASSIGN_OR_RETURN(auto still, find_entry(t, storage, prefix, self, &pending_owner));
    if (still.has_value() && still->key == found->key) {
      still->commit_ts = newest.commit_ts;
      return still;
    }
  }
}

Result<bool> DatabaseImpl::try_entry(TableTransaction& t, const TableAccess::IndexAccess& index,
                                     std::string_view prefix, std::string_view self) {
  const StorageId storage = index.index.storage;
  bool fresh = false;
  if (!t.made(storage)) {
    const LockOutcome outcome = manager_.locks().acquire(t.locks, manager_.locks().row(storage, prefix),
                                                         LockMode::kRowForUpdate, txn::LockWait::kNoWait, &fresh);
    if (outcome != LockOutcome::kGranted) return false;
  }
  const bool written = t.writes.find(storage) != nullptr;
  if (!written && state(storage).is_above_all(*store_, storage, prefix)) return true;
  uint64_t pending_owner = 0;
  ASSIGN_OR_RETURN(const auto found, find_entry(t, storage, prefix, self, &pending_owner));
  const bool free = !found.has_value() && pending_owner == 0;
  if (!free && fresh) manager_.locks().release_last(t.locks);
  return free;
}

std::vector<Database::UniqueCheck> DatabaseImpl::take_unique_checks(txn::Transaction& transaction) {
  return std::exchange(own(transaction).unique_checks, {});
}

Status DatabaseImpl::check_unique(txn::Transaction& transaction, const TableAccess& table, const UniqueCheck& check) {
  TableTransaction& t = own(transaction);
  const auto index = std::find_if(table.secondary().begin(), table.secondary().end(),
                                  [&](const auto& i) { return i.index.oid == check.index; });
  if (index == table.secondary().end()) return {};  // dropped since
  // Its columns may have changed since; they are looked at as they are now.
  std::string row;
  uint32_t command = 0;
  ASSIGN_OR_RETURN(const Own mine, own_newest(t, table.table().storage, check.key, &command, &row));
  if (mine != Own::kRow) return {};
  Entry entry;
  RETURN_IF_ERROR(make_entry(table, *index, check.key, row, &entry));
  if (!entry.included || (entry.has_null && !index->index.nulls_not_distinct)) return {};
  const std::string_view prefix = std::string_view(entry.bytes).substr(0, entry.prefix_length);
  ASSIGN_OR_RETURN(const auto conflict, claim_entry(t, table, *index, prefix, check.key));
  if (!conflict.has_value()) return {};
  RETURN_IF_ERROR(note_write(t, table, index->index.storage, entry.bytes));  // 40001 says more than 23505
  return index_duplicate(table, *index, row, session_io());
}

types::IoContext DatabaseImpl::session_io() {
  IndexEvaluator* evaluator = evaluator_.load(std::memory_order_acquire);
  return evaluator == nullptr ? types::IoContext() : evaluator->io();
}

Status DatabaseImpl::duplicate_key(const TableAccess& table, const std::vector<codec::KeyColumn>& columns,
                                   const std::vector<int16_t>& attnums, const TableAccess::IndexAccess* index,
                                   const std::string& constraint, std::string_view row, const types::IoContext& io) {
  Status duplicate =
      Status(SqlState::kUniqueViolation, "duplicate key value violates unique constraint \"" + constraint + "\"")
          .with_table(table.schema_name(), table.table().name)
          .with_constraint(constraint);
  std::vector<types::Value> expressions;
  bool included = true;
  if (index != nullptr && index->needs_evaluator && !evaluate(table, *index, row, &expressions, &included).ok())
    return duplicate;  // on a thread of an index being built
  const codec::RowView view(table.layout(), row);
  std::string names, values;
  size_t expression = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) {
      names += ", ";
      values += ", ";
    }
    types::ValueView value;
    if (attnums[i] > 0) {
      const auto position = static_cast<size_t>(attnums[i]) - 1;
      const catalog::Column& column = table.table().columns[position];
      names += column.name;
      if (view.present(position)) {
        value = view.get(position);
      } else if (column.missing.has_value()) {
        value = column.missing->view();  // the row is older than the column
      }
    } else {
      names += index->index.keys[i].expression_sql;
      CHECK(expression < expressions.size());
      value = expressions[expression++].view();
    }
    if (value.null) {
      values += "null";
    } else {
      types::output(columns[i].type, columns[i].physical, value, io, &values);
    }
  }
  return std::move(duplicate).with_detail("Key (" + names + ")=(" + values + ") already exists.");
}

Status DatabaseImpl::primary_duplicate(const TableAccess& table, std::string_view row) {
  return duplicate_key(table, table.key_columns(), table.table().primary_key(), nullptr, table.primary_name(), row,
                       session_io());
}

Status DatabaseImpl::index_duplicate(const TableAccess& table, const TableAccess::IndexAccess& index,
                                     std::string_view row, const types::IoContext& io) {
  std::vector<int16_t> attnums;
  for (const auto& key : index.index.keys) attnums.push_back(key.attnum);
  return duplicate_key(table, index.columns, attnums, &index, index.constraint_name, row, io);
}

}  // namespace omendb::table
