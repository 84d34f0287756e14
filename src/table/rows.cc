// Reading and writing rows.
#include <algorithm>

#include "base/check.h"
#include "table/database_impl.h"
#include "table/key_index.h"
#include "table/read_trail.h"
#include "table/row_read.h"
#include "table/serializable.h"
#include "txn/cursor.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

using txn::LockMode;
using txn::LockOutcome;

class TableCursor final : public RowCursor {
 public:
  TableCursor(store::Store& store, const txn::Loads& loads, const TableTransaction& t, StorageId storage,
              const KeyRange& range, bool reverse, const txn::CursorMemory& memory)
      : snapshot_(t.snapshot_ref()),
        cursor_(store, loads, t.view(), storage, range.lower, range.upper, reverse, memory) {}
  bool next() override { return cursor_.next(); }
  std::string_view key() const override { return cursor_.key(); }
  std::string_view row() const override { return cursor_.row(); }
  Status status() const override { return cursor_.status(); }

 private:
  txn::SnapshotRef snapshot_;
  txn::VersionCursor cursor_;
};

/// The same in a serializable transaction.
class MarkedTableCursor final : public RowCursor {
 public:
  MarkedTableCursor(std::unique_ptr<RowCursor> rows, ReadTrail trail)
      : rows_(std::move(rows)), trail_(std::move(trail)) {}
  bool next() override {
    if (!status_.ok()) return false;
    const bool more = rows_->next();
    status_ = more ? trail_.passed(rows_->key()) : rows_->status().ok() ? trail_.ended() : rows_->status();
    if (more && status_.ok()) status_ = trail_.met_row();
    return more && status_.ok();
  }
  std::string_view key() const override { return rows_->key(); }
  std::string_view row() const override { return rows_->row(); }
  Status status() const override { return status_; }

 private:
  const std::unique_ptr<RowCursor> rows_;
  ReadTrail trail_;
  Status status_;
};

std::string row_not_available(const TableAccess& table) {
  return "could not obtain lock on row in relation \"" + table.table().name + "\"";
}

LockMode lock_mode(RowLockMode mode) {
  return static_cast<LockMode>(static_cast<int>(LockMode::kRowForKeyShare) + static_cast<int>(mode));
}

/// The primary key's bytes of a row.
Status key_of_row(const TableAccess& table, std::string_view row, std::string* key) {
  const codec::RowView view(table.layout(), row);
  key->clear();
  for (size_t i = 0; i < table.key_columns().size(); ++i) {
    const types::ValueView value = view.get(table.key_positions()[i]);
    CHECK(!value.null);
    RETURN_IF_ERROR(codec::append_key(table.key_columns()[i], value, key));
  }
  return {};
}

}  // namespace

Result<bool> DatabaseImpl::get(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                               std::string* row) {
  gets_.add();
  if (marks(own(transaction), table)) [[unlikely]]
    return marked_get(own(transaction), table, key, row);
  return manager_.reader().get(own(transaction).view(), table.table().storage, key, row, directory(table));
}

Result<bool> DatabaseImpl::marked_get(TableTransaction& t, const TableAccess& table, std::string_view key,
                                      std::string* row) {
  RETURN_IF_ERROR(manager_.note_read(t, table.table().storage, key));
  ASSIGN_OR_RETURN(const bool found,
                   manager_.reader().get(t.view(), table.table().storage, key, row, directory(table)));
  if (found) RETURN_IF_ERROR(txn::Dependencies::met_row(*t.dependencies));
  return found;
}

RowReader::RowReader(Database& database, txn::Transaction& transaction, const TableAccess& table)
    : database_(static_cast<DatabaseImpl&>(database)),
      transaction_(own(transaction)),
      table_(table),
      marks_(DatabaseImpl::marks(transaction_, table)),
      integer_bytes_(table.key_columns().size() == 1 ? codec::key_word_bytes(table.key_columns()[0]) : 0),
      reader_(database_.manager_.reader(), transaction_.view(), table.table().storage, database_.directory(table)) {}

RowReader::~RowReader() {
  if (reads_ > 0) database_.gets_.add(reads_);
}

Result<bool> RowReader::marked(std::string_view key, txn::RowRef* row) {
  RETURN_IF_ERROR(database_.manager_.note_read(transaction_, table_.table().storage, key));
  ASSIGN_OR_RETURN(const bool found, reader_.get(key, row));
  if (found) RETURN_IF_ERROR(txn::Dependencies::met_row(*transaction_.dependencies));
  return found;
}

Result<bool> RowReader::marked(uint64_t word, txn::RowRef* row) {
  return marked(codec::KeyWord(word, integer_bytes_).bytes(), row);
}

void prefetch_rows(Database& database, const TableAccess& table, std::span<const std::string_view> keys) {
  if (const auto* directory = static_cast<DatabaseImpl&>(database).directory(table)) directory->prefetch_keys(keys);
}

std::unique_ptr<RowCursor> DatabaseImpl::scan(txn::Transaction& transaction, const TableAccess& table,
                                              const KeyRange& range, bool reverse) {
  scans_.add();
  TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  auto rows = std::make_unique<TableCursor>(*store_, manager_.loads(), t, storage, range, reverse,
                                            txn::CursorMemory{&manager_.reader(), directory(table)});
  if (!marks(t, table)) return rows;
  return std::make_unique<MarkedTableCursor>(std::move(rows), ReadTrail(manager_, t, storage, range, reverse));
}

Status DatabaseImpl::note_whole_read(txn::Transaction& transaction, const TableAccess& table) {
  const TableTransaction& t = own(transaction);
  return marks(t, table) ? manager_.note_read(t, table.table().storage, {}, {}) : Status();
}

Status note_whole_read(Database& database, txn::Transaction& transaction, const TableAccess& table) {
  return static_cast<DatabaseImpl&>(database).note_whole_read(transaction, table);
}

void set_deferrable(txn::Transaction& transaction, bool deferrable) { own(transaction).deferrable = deferrable; }

std::optional<bool> deferrable(const txn::Transaction& transaction) {
  return static_cast<const TableTransaction&>(transaction).deferrable;
}

std::vector<txn::Dependencies::ReadMark> read_marks(Database& database) {
  return static_cast<DatabaseImpl&>(database).manager().dependencies().read_marks();
}

Result<DatabaseImpl::Own> DatabaseImpl::own_newest(TableTransaction& t, StorageId storage, std::string_view key,
                                                   uint32_t* command, std::string* row) {
  if (const auto* entry = t.writes.find(storage, key); entry != nullptr) {
    *command = entry->newest->command;
    if (entry->newest->tombstone) return Own::kErased;
    if (row != nullptr) row->assign(entry->newest->row);
    return Own::kRow;
  }
  if (t.load_numbers.empty()) return Own::kNothing;
  bool tombstone = false;
  ASSIGN_OR_RETURN(const bool found,
                   manager_.reader().own_newest(storage, key, t.load_numbers, &tombstone, command, row));
  return !found ? Own::kNothing : tombstone ? Own::kErased : Own::kRow;
}

Result<Database::InsertOutcome> DatabaseImpl::insert(txn::Transaction& transaction, const TableAccess& table,
                                                     std::string_view row, const std::vector<Oid>* arbiters,
                                                     bool any_arbiter) {
  TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  const auto arbitrates = [&](Oid index) {
    return any_arbiter ||
           (arbiters != nullptr && std::find(arbiters->begin(), arbiters->end(), index) != arbiters->end());
  };
  // ON CONFLICT on a row that the snapshot does not see: under REPEATABLE READ there is nothing right to do with it.
  const auto reported = [&](Conflict&& conflict, Oid index) -> Result<InsertOutcome> {
    if (t.keeps_snapshot() && conflict.commit_ts > t.snapshot()) {
      return Status(SqlState::kTRSerializationFailure, "could not serialize access due to concurrent update");
    }
    InsertOutcome outcome;
    outcome.key = std::move(conflict.key);
    outcome.conflict_index = index;
    return outcome;
  };

  InsertOutcome outcome;
  const bool has_key = !table.key_columns().empty();
  (void)directory(table);  // before the storage's first row
  if (has_key) {
    RETURN_IF_ERROR(key_of_row(table, row, &outcome.key));
  } else {
    outcome.key.resize(8);
    store_be64(outcome.key.data(), state(table).next_hidden(*store_, storage));
  }

  // Every unique index is asked before anything is written: a reported conflict must leave no trace. Arbiters are asked
  // first: the row that one of them has is not inserted, so it is no duplicate in the others.
  std::vector<Entry> entries(table.secondary().size());
  std::vector<Oid> later;
  bool successor = false;
  for (const bool arbiter : {true, false}) {
    if (has_key && arbitrates(table.primary_index()) == arbiter) {
      ASSIGN_OR_RETURN(auto conflict, claim_key(t, table, outcome.key, &successor));
      if (conflict.has_value()) {
        if (arbiter) return reported(std::move(*conflict), table.primary_index());
        RETURN_IF_ERROR(note_write(t, table, storage, outcome.key));  // 40001 says more than 23505
        return primary_duplicate(table, row);
      }
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      const auto& index = table.secondary()[i];
      if (arbitrates(index.index.oid) != arbiter) continue;
      if (arbiter && index.deferrable) {
        return Status(SqlState::kObjectNotInPrerequisiteState,
                      "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters")
            .with_table(table.schema_name(), table.table().name)
            .with_constraint(index.constraint_name);
      }
      RETURN_IF_ERROR(make_entry(table, index, outcome.key, row, &entries[i]));
      if (!index.index.unique || !entries[i].included) continue;
      if (entries[i].has_null && !index.index.nulls_not_distinct) continue;
      const std::string_view prefix = std::string_view(entries[i].bytes).substr(0, entries[i].prefix_length);
      if (index.deferrable) {
        ASSIGN_OR_RETURN(const bool free, try_entry(t, index, prefix, {}));
        if (!free) later.push_back(index.index.oid);
        continue;
      }
      ASSIGN_OR_RETURN(auto conflict, claim_entry(t, table, index, prefix, {}));
      if (!conflict.has_value()) continue;
      if (arbiter) return reported(std::move(*conflict), index.index.oid);
      RETURN_IF_ERROR(note_write(t, table, index.index.storage, entries[i].bytes));
      return index_duplicate(table, index, row, session_io());
    }
  }
  if (marks(t, table)) {
    RETURN_IF_ERROR(note_write(t, table, storage, outcome.key));
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].included)
        RETURN_IF_ERROR(note_write(t, table, table.secondary()[i].index.storage, entries[i].bytes));
    }
  }
  if (successor) t.moves.add(storage, outcome.key, {}, t.writes.mark());
  t.writes.put(storage, outcome.key, row, t.command);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].included) put_entry(t, table.secondary()[i], entries[i]);
  }
  for (const Oid index : later) t.unique_checks.push_back({table.table().oid, index, outcome.key});
  ++t.row_deltas[storage];
  inserts_.add();
  outcome.inserted = true;
  RETURN_IF_ERROR(spill_if_large(t));
  return outcome;
}

Result<LockedRow> DatabaseImpl::lock_row(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                                         RowLockMode mode, LockWait wait, Follow follow) {
  TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  LockedRow locked;
  MovedRows::Position seen{t.own_snapshot()};
  std::string moved_key;  // empty: the row is where it was
  for (;;) {
    const std::string_view at = moved_key.empty() ? key : std::string_view(moved_key);
    bool fresh = false;
    const LockOutcome outcome =
        manager_.locks().acquire(t.locks, manager_.locks().row(storage, at), lock_mode(mode),
                                 wait == LockWait::kWait ? txn::LockWait::kWait : txn::LockWait::kNoWait, &fresh);
    if (outcome == LockOutcome::kNotAvailable && wait == LockWait::kSkip) {
      locked.state = LockedRow::State::kSkipped;
      return locked;
    }
    RETURN_IF_ERROR(lock_failure(t, outcome, row_not_available(table)));

    uint32_t command = 0;
    ASSIGN_OR_RETURN(const Own mine, own_newest(t, storage, at, &command, &locked.row));
    if (mine != Own::kNothing) {
      locked.state = command == t.command   ? LockedRow::State::kSelf
                     : mine == Own::kErased ? LockedRow::State::kGone
                                            : LockedRow::State::kCurrent;
      return locked;
    }
    ASSIGN_OR_RETURN(const txn::Newest newest,
                     manager_.reader().newest(storage, at, &t.load_numbers, &locked.row, directory(table)));
    if (newest.pending_owner != 0) {
      // Another transaction has written the row and moved that to the store. The lock is not kept while waiting: it
      // would keep the other one from its own row.
      if (fresh) manager_.locks().release_last(t.locks);
      if (wait == LockWait::kSkip) {
        locked.state = LockedRow::State::kSkipped;
        return locked;
      }
      if (wait == LockWait::kNoWait) return Status(SqlState::kLockNotAvailable, row_not_available(table));
      RETURN_IF_ERROR(lock_failure(t, manager_.wait_for(t, newest.pending_owner), row_not_available(table)));
      continue;
    }
    if (newest.commit_ts <= t.own_snapshot()) {
      locked.state = newest.exists ? LockedRow::State::kCurrent : LockedRow::State::kGone;
      return locked;
    }
    const MovedRows::Found moved = follow == Follow::kRow ? moved_rows_.after(storage, at, seen) : MovedRows::Found();
    using Moved = MovedRows::Found::Kind;
    const bool exists = newest.exists && moved.kind != Moved::kGone;
    if (t.keeps_snapshot() || moved.kind == Moved::kUnknown) {
      // A key-share lock cares for the key alone, and a changed key is another row.
      if (exists && moved.kind == Moved::kNone && mode == RowLockMode::kKeyShare) {
        locked.state = LockedRow::State::kCurrent;
        return locked;
      }
      // A shared lock's message, which no write asks for, is the same for both.
      return Status(SqlState::kTRSerializationFailure,
                    exists || moved.kind == Moved::kMoved || mode <= RowLockMode::kShare
                        ? "could not serialize access due to concurrent update"
                        : "could not serialize access due to concurrent delete");
    }
    if (moved.kind == Moved::kMoved) {
      if (fresh) manager_.locks().release_last(t.locks);
      moved_key = moved.to;
      seen = moved.at;
      continue;
    }
    locked.state = exists ? LockedRow::State::kChanged : LockedRow::State::kGone;
    if (exists) locked.key = std::move(moved_key);
    if (!exists && fresh) manager_.locks().release_last(t.locks);
    return locked;
  }
}

Status DatabaseImpl::update(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                            std::string_view old_row, std::string_view new_row) {
  TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  std::string new_key(key);
  if (!table.key_columns().empty()) RETURN_IF_ERROR(key_of_row(table, new_row, &new_key));
  const bool moves = new_key != key;
  bool successor = false;
  struct Change {
    Entry before, after;
    bool same_columns() const {
      return before.included && after.bytes.compare(0, after.prefix_length, before.bytes, 0, before.prefix_length) == 0;
    }
  };
  std::vector<Change> changes(table.secondary().size());
  bool key_changes = moves;
  for (size_t i = 0; i < changes.size(); ++i) {
    const auto& index = table.secondary()[i];
    RETURN_IF_ERROR(make_entry(table, index, key, old_row, &changes[i].before));
    RETURN_IF_ERROR(make_entry(table, index, new_key, new_row, &changes[i].after));
    if (is_key(index) && !changes[i].same_columns()) key_changes = true;
  }
  if (key_changes) {
    // Nobody else has written the row meanwhile; those with a key-share lock on it have to end.
    const LockOutcome outcome = manager_.locks().acquire(t.locks, manager_.locks().row(storage, key),
                                                         LockMode::kRowForUpdate, txn::LockWait::kWait);
    RETURN_IF_ERROR(lock_failure(t, outcome, row_not_available(table)));
  }
  if (moves) {
    ASSIGN_OR_RETURN(auto conflict, claim_key(t, table, new_key, &successor));
    if (conflict.has_value()) {
      RETURN_IF_ERROR(note_write(t, table, storage, new_key));
      return primary_duplicate(table, new_row);
    }
  }
  std::vector<Oid> later;
  for (size_t i = 0; i < changes.size(); ++i) {
    const auto& index = table.secondary()[i];
    const Entry &before = changes[i].before, &after = changes[i].after;
    if (!index.index.unique || !after.included) continue;
    if (after.has_null && !index.index.nulls_not_distinct) continue;
    const std::string_view prefix = std::string_view(after.bytes).substr(0, after.prefix_length);
    if (index.deferrable) {
      // A row that moves takes its columns along, and with them what was noted of it.
      if (before.included && before.bytes == after.bytes) continue;
      ASSIGN_OR_RETURN(const bool free, try_entry(t, index, prefix, key));
      if (!free) later.push_back(index.index.oid);
      continue;
    }
    if (changes[i].same_columns()) continue;
    ASSIGN_OR_RETURN(auto conflict, claim_entry(t, table, index, prefix, key));
    if (conflict.has_value()) {
      RETURN_IF_ERROR(note_write(t, table, index.index.storage, after.bytes));
      return index_duplicate(table, index, new_row, session_io());
    }
  }
  if (marks(t, table)) {
    RETURN_IF_ERROR(note_write(t, table, storage, key));
    if (moves) RETURN_IF_ERROR(note_write(t, table, storage, new_key));
    // Entries that stay as they are too: who reads a row through an index has marked its entry alone.
    for (size_t i = 0; i < changes.size(); ++i) {
      const StorageId entries = table.secondary()[i].index.storage;
      if (changes[i].before.included) RETURN_IF_ERROR(note_write(t, table, entries, changes[i].before.bytes));
      if (changes[i].after.included) RETURN_IF_ERROR(note_write(t, table, entries, changes[i].after.bytes));
    }
  }
  if (moves) {
    if (successor) t.moves.add(storage, new_key, {}, t.writes.mark());
    t.moves.add(storage, key, new_key, t.writes.mark());
    t.writes.erase(storage, key, t.command);
  }
  t.writes.put(storage, new_key, new_row, t.command);
  for (size_t i = 0; i < changes.size(); ++i) {
    const Entry &before = changes[i].before, &after = changes[i].after;
    const StorageId entries = table.secondary()[i].index.storage;
    if (before.included && after.included && before.bytes == after.bytes) continue;
    if (before.included) t.writes.erase(entries, before.bytes, t.command);
    if (after.included) put_entry(t, table.secondary()[i], after);
  }
  for (const Oid index : later) t.unique_checks.push_back({table.table().oid, index, new_key});
  updates_.add();
  return spill_if_large(t);
}

Status DatabaseImpl::erase(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                           std::string_view old_row) {
  TableTransaction& t = own(transaction);
  RETURN_IF_ERROR(note_write(t, table, table.table().storage, key));
  for (const auto& index : table.secondary()) {
    Entry entry;
    RETURN_IF_ERROR(make_entry(table, index, key, old_row, &entry));
    if (!entry.included) continue;
    RETURN_IF_ERROR(note_write(t, table, index.index.storage, entry.bytes));
    t.writes.erase(index.index.storage, entry.bytes, t.command);
  }
  t.writes.erase(table.table().storage, key, t.command);
  --t.row_deltas[table.table().storage];
  deletes_.add();
  return spill_if_large(t);
}

uint64_t DatabaseImpl::estimate_rows(const TableAccess& table) {
  const StorageId storage = table.table().storage;
  // The directory counts keys, and knows deleted ones for a moment longer.
  if (const auto* keys = directory(table)) return keys->index().size();
  auto& rows = state(table).rows;
  if (int64_t known = rows.load(std::memory_order_relaxed); known >= 0) return static_cast<uint64_t>(known);
  // The store's idea of the size, divided by the size of the first rows.
  const std::string lower = txn::storage_prefix(storage), upper = txn::storage_prefix(StorageId(storage.value + 1));
  const uint64_t bytes = store_->approximate_bytes(lower, upper);
  txn::VersionCursor cursor(*store_, manager_.loads(), {manager_.timeline().watermark()}, storage, {}, {}, false);
  uint64_t seen = 0, seen_bytes = 0;
  bool all = true;
  while (cursor.next()) {
    seen_bytes += cursor.key().size() + cursor.row().size() + txn::kStorageBytes + txn::kStampBytes;
    if (++seen == 1000) {
      all = false;
      break;
    }
  }
  const uint64_t estimate = all ? seen : std::max(seen, bytes * seen / std::max<uint64_t>(seen_bytes, 1));
  int64_t unknown = -1;
  rows.compare_exchange_strong(unknown, static_cast<int64_t>(estimate));
  return estimate;
}

std::vector<KeyRange> DatabaseImpl::split(const TableAccess& table, const KeyRange& range, size_t parts) {
  const StorageId storage = table.table().storage;
  const std::string lower = txn::version_prefix(storage, range.lower);
  const std::string upper = range.upper.empty() ? txn::storage_prefix(StorageId(storage.value + 1))
                                                : txn::version_prefix(storage, range.upper);
  if (parts <= 1 || lower >= upper) return {range};
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  auto it = store_->iterate(options);
  it->seek(lower);
  if (!it->valid()) return {range};
  const std::string first(txn::key_of(it->key()));
  it->seek_to_last();
  if (!it->valid()) return {range};
  const std::string last(txn::key_of(it->key()));
  size_t common = 0;
  while (common < first.size() && common < last.size() && first[common] == last[common]) ++common;
  // Keys between first and last, by the eight bytes after what they share; cut where the store says a part's bytes lie.
  const auto number = [&](const std::string& key) {
    char bytes[8] = {};
    std::memcpy(bytes, key.data() + common, std::min<size_t>(8, key.size() - common));
    return load_be64(bytes);
  };
  const uint64_t low = number(first), high = number(last);
  const auto key_at = [&](uint64_t n) {
    std::string key = first.substr(0, common);
    key.resize(common + 8);
    store_be64(key.data() + common, n);
    return key;
  };
  const uint64_t total = store_->approximate_bytes(lower, upper);
  std::vector<KeyRange> out;
  std::string from = range.lower;
  uint64_t at = low;
  for (size_t part = 1; part < parts; ++part) {
    const uint64_t wanted = total / parts * part;
    uint64_t a = at, b = high;
    if (total < (1 << 20)) {
      a = b = low + (high - low) / parts * part;  // too small for the store to tell parts apart
    }
    while (a < b) {
      const uint64_t middle = a + (b - a) / 2;
      const uint64_t below = store_->approximate_bytes(lower, txn::version_prefix(storage, key_at(middle)));
      if (below < wanted) {
        a = middle + 1;
      } else {
        b = middle;
      }
      if (b - a < (high - low) / 1024) break;
    }
    // A key that exists: the index and the store order keys alike, but not what lies between a key and its versions.
    it->seek(txn::version_prefix(storage, key_at(a)));
    if (!it->valid()) break;
    std::string cut(txn::key_of(it->key()));
    if (a <= at || cut <= from || (!range.upper.empty() && cut >= range.upper)) continue;
    at = a;
    out.push_back({from, cut});
    from = std::move(cut);
  }
  out.push_back({from, range.upper});
  return out;
}

}  // namespace omendb::table
