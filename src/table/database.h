// table/: rows by key. Where codec, index, store, txn and catalog meet.
//
// A Database is one data directory: its store, its transactions, its catalog and its rows. sql/ runs statements on it;
// nothing below sql/ knows SQL.
//
// A row is addressed by its key bytes: the order-preserving form of the primary key (codec/key.h), or eight big-endian
// bytes of an ascending hidden number where no primary key is declared. Row bytes are codec/row.h over the table's
// columns by attnum.
//
// Command numbers. Within a transaction each statement has a command number (begin_statement). A scan or get sees the
// transaction's own writes of earlier commands, never those of its own statement; so an UPDATE does not meet the rows it
// just wrote. Uniqueness checks and row locks look at the newest version, own statement included.
//
// Uniqueness. Who inserts a key locks it first (rows: the key itself; secondary indexes: the indexed columns) and then looks at
// the newest version. A rival that is undecided is waited for; one that is committed is the conflict.
//
// A deferrable unique index is looked at in the same way, but nobody is waited for and nothing is refused: what may be a duplicate is noted
// (take_unique_checks), and looked at again when the statement or the transaction is done (check_unique). Who has neither noted nor checked
// a row has held its columns' lock since it found no other.
//
// Under REPEATABLE READ a key whose row was deleted since the snapshot cannot be inserted again (40001); PostgreSQL lets it and
// then shows both rows.
//
// Index entries lie in the index's own storage under (indexed columns | row key) and are versions like rows, so an index scan at
// a snapshot needs no second look at the row's columns. Payload: u32 length of the indexed columns' bytes.
//
// Beside it: row_read.h, ordered_rows.h (many keys), serializable.h. Behind it, all over database_impl.h: database.cc (opening, transactions,
// catalog), directories.cc and index_checkpoint.h (the learned index), rows.cc (reading, writing), unique.cc (keys and conflicts), indexes.cc,
// index_build.cc with entry_sort.h, changes.cc with changed_keys.h (what is told to who keeps a copy), sequences.cc, vacuum.cc.
//
// Invariants
//   1. Durable before visible: commit returns after the synced batch, then publishes.
//   2. A snapshot is a contiguous prefix of commit order.
//   3. Every index entry belongs to a row version and is written in the same batch.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "codec/key.h"
#include "codec/row.h"
#include "txn/change_log.h"
#include "txn/txn.h"
#include "types/io.h"

namespace omendb::table {

struct DatabaseOptions {
  std::string directory;  // empty: in memory, nothing survives (tests)
  size_t block_cache_bytes = 1ull << 30;
  size_t write_buffer_bytes = 256ull << 20;
  size_t write_set_bytes = 64ull << 20;  // a transaction's own writes beyond this go to the store before commit
  bool sync_commits = true;
  bool learned_index = true;              // off: every read goes to the store, for measuring
  size_t row_cache_bytes = 256ull << 20;  // rows in memory beside the index, all tables together; 0: none
  size_t index_bytes =
      SIZE_MAX;  // the learned index may have this; beyond, it takes from the rows in memory, at most 7/8
  size_t change_log_bytes =
      64ull << 20;  // of each table that is watched (watch_changes), and of a transaction's part of it
  const Clock* clock = &system_clock();
};

/// A half-open range of row keys (or of index key prefixes). Empty upper: no bound.
struct KeyRange {
  std::string lower;
  std::string upper;
};

/// Rows of one scan in key order. Thread: one at a time. Must not outlive the transaction's statement.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  /// Moves to the next row. False at the end or on an error (then status() says which).
  virtual bool next() = 0;
  virtual std::string_view key() const = 0;  // the row's key; valid until next()
  virtual std::string_view row() const = 0;  // valid until next()
  virtual Status status() const = 0;
};

/// What lock_row found.
struct LockedRow {
  enum class State {
    kCurrent,  // the newest version is the one the statement's snapshot sees
    kChanged,  // a newer committed version: `row` is it (READ COMMITTED re-checks it)
    kGone,     // deleted since
    kSkipped,  // SKIP LOCKED, and somebody holds it
    kSelf,     // the running statement has written it already; `row` is what it wrote, empty if it deleted it
  };
  State state = State::kCurrent;
  std::string row;  // kCurrent, kChanged, kSelf
  std::string key;  // kChanged: where the row lies now, if its key has changed; else empty
};

/// What lock_row is asked for: the row that the snapshot has under the key, wherever it went since, or the one that is there now.
enum class Follow { kRow, kKey };

/// The physical side of a table at one catalog version: layouts and key columns worked out once. Immutable; cheap to share.
class TableAccess {
 public:
  TableAccess(const catalog::Catalog& catalog, const catalog::Table& table);
  const catalog::Table& table() const { return table_; }
  const codec::RowLayout& layout() const { return layout_; }
  const std::vector<codec::KeyColumn>& key_columns() const { return key_columns_; }  // empty: hidden key
  const std::vector<size_t>& key_positions() const { return key_positions_; }        // in the row layout
  struct IndexAccess {
    catalog::Index index;
    std::vector<codec::KeyColumn> columns;
    std::vector<size_t> positions;  // in the row layout; SIZE_MAX: an expression
    std::string constraint_name;    // for 23505
    bool needs_evaluator = false;   // expressions or a predicate
    bool deferrable = false;        // two rows may have the same columns until they are checked
  };
  const std::vector<IndexAccess>& secondary() const { return secondary_; }
  /// The constraint and index of the key that the rows lie under; empty and kInvalidOid without one.
  const std::string& primary_name() const { return primary_name_; }
  Oid primary_index() const { return primary_index_; }
  const std::string& schema_name() const { return schema_name_; }
  /// Length of every row key, when they all have the same and it is at most 8; else 0.
  uint32_t fixed_key_bytes() const { return fixed_key_bytes_; }

 private:
  friend class DatabaseImpl;
  /// The database's own notes on this storage, found once. A copy finds them again.
  struct Notes {
    std::atomic<void*> found{nullptr};
    Notes() = default;
    Notes(const Notes&) {}
    Notes& operator=(const Notes&) { return *this; }
  };
  mutable Notes notes_;
  catalog::Table table_;
  codec::RowLayout layout_;
  std::vector<codec::KeyColumn> key_columns_;
  std::vector<size_t> key_positions_;
  std::vector<IndexAccess> secondary_;
  std::string primary_name_;
  Oid primary_index_;
  std::string schema_name_;
  uint32_t fixed_key_bytes_ = 0;
};

/// Values of an index's expression columns and partial predicate for one row; implemented by sql/, installed by set_index_evaluator.
class IndexEvaluator {
 public:
  virtual ~IndexEvaluator() = default;
  /// Sets *included to false when the partial predicate is not true; otherwise fills the expression columns, in key order.
  virtual Status evaluate(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view row,
                          std::vector<types::Value>* expressions, bool* included) = 0;
  /// How the session whose statement runs on this thread shows values, in errors that name them.
  virtual types::IoContext io() = 0;
};

enum class RowLockMode : uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };
enum class LockWait : uint8_t { kWait, kNoWait, kSkip };

/// Thread: every method may be called from any thread; a Transaction is used by one thread at a time, but cursors of
/// one statement may be read in parallel as long as nothing is written.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  virtual ~Database() = default;

  // Transactions
  virtual std::unique_ptr<txn::Transaction> begin(txn::Isolation isolation, bool read_only) = 0;
  /// A read-only transaction, its statement begun, at the snapshot of the other's statement and without its writes.
  virtual std::unique_ptr<txn::Transaction> begin_beside(const txn::Transaction& other) = 0;
  /// Starts a statement: next command number, and for READ COMMITTED a new snapshot.
  virtual void begin_statement(txn::Transaction& transaction) = 0;
  /// For what a foreign key has to find under REPEATABLE READ: statements see all that is committed by now, until turned off
  /// again. What they change is still judged by the transaction's own snapshot (40001). False: nothing changed.
  virtual bool see_newest(txn::Transaction& transaction, bool on) = 0;
  /// Errors: 40001, 40003 (outcome unknown: the store takes no more writes), 53100 disk full. The transaction is over in any case.
  virtual Status commit(txn::Transaction& transaction) = 0;
  virtual void rollback(txn::Transaction& transaction) = 0;
  virtual txn::Savepoint savepoint(txn::Transaction& transaction) = 0;
  /// Undoes everything since, row locks and catalog changes included.
  virtual void rollback_to(txn::Transaction& transaction, const txn::Savepoint& savepoint) = 0;

  // Catalog
  /// Newest committed catalog with the transaction's own changes.
  virtual std::shared_ptr<const catalog::Catalog> catalog(const txn::Transaction& transaction) = 0;
  virtual Status change_catalog(txn::Transaction& transaction, std::vector<catalog::Change> changes) = 0;
  virtual Oid new_oid() = 0;
  virtual StorageId new_storage_id() = 0;
  /// Rows of `storage` are no longer wanted if the transaction commits (DROP, TRUNCATE, rewrite); made_storage: if it rolls back.
  virtual void drop_storage(txn::Transaction& transaction, StorageId storage) = 0;
  virtual void made_storage(txn::Transaction& transaction, StorageId storage) = 0;

  // Locks on whole objects (tables), held to the end of the transaction. Errors: 40P01, 55P03, 57014.
  virtual Status lock_object(txn::Transaction& transaction, Oid object, txn::ObjectLockMode mode, LockWait wait) = 0;

  // Reading, at the statement's snapshot with own earlier writes
  virtual Result<bool> get(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                           std::string* row) = 0;
  virtual std::unique_ptr<RowCursor> scan(txn::Transaction& transaction, const TableAccess& table,
                                          const KeyRange& range, bool reverse) = 0;
  /// Through secondary()[index]; the range is over the index's key columns. Rows come in index order.
  virtual std::unique_ptr<RowCursor> scan_index(txn::Transaction& transaction, const TableAccess& table, size_t index,
                                                const KeyRange& range, bool reverse) = 0;
  /// Cuts the key space into at most `parts` ranges of roughly equal size, for parallel scans.
  virtual std::vector<KeyRange> split(const TableAccess& table, const KeyRange& range, size_t parts) = 0;
  /// Estimated number of live rows; never negative, cheap.
  virtual uint64_t estimate_rows(const TableAccess& table) = 0;

  // Writing. Row bytes must be complete and checked (NOT NULL, CHECK) by the caller; uniqueness is checked here.
  // Errors: 23505 with table, constraint and Detail; 40001 (REPEATABLE READ); 40P01; 55P03; 57014; 53100; 25006.
  struct InsertOutcome {
    bool inserted = false;
    std::string key;     // of the new row, or of the row it conflicts with
    Oid conflict_index;  // not inserted: the index it conflicts on
  };
  /// With `arbiters` (ON CONFLICT) a conflict on one of these indexes is reported, not raised; an empty list with
  /// `any_arbiter` means every unique index. Waits for an undecided rival.
  virtual Result<InsertOutcome> insert(txn::Transaction& transaction, const TableAccess& table, std::string_view row,
                                       const std::vector<Oid>* arbiters, bool any_arbiter) = 0;
  /// Locks the row and tells its newest version. kChanged and kGone raise 40001 under REPEATABLE READ.
  virtual Result<LockedRow> lock_row(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                                     RowLockMode mode, LockWait wait, Follow follow = Follow::kRow) = 0;
  /// Requires lock_row() for kNoKeyUpdate at least. A key that changes waits for kKeyShare; a primary key moves the row.
  virtual Status update(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                        std::string_view old_row, std::string_view new_row) = 0;
  virtual Status erase(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                       std::string_view old_row) = 0;

  /// A row whose columns in a deferrable unique index another one may have too.
  struct UniqueCheck {
    Oid table, index;
    std::string key;
  };
  /// Those written since this was asked last. The caller has each checked before the commit.
  virtual std::vector<UniqueCheck> take_unique_checks(txn::Transaction& transaction) = 0;
  /// The row, if it is still there, must be the only one with its columns from now to the end of the transaction. Waits for an undecided
  /// rival. Errors: as insert.
  virtual Status check_unique(txn::Transaction& transaction, const TableAccess& table, const UniqueCheck& check) = 0;

  /// Fills a new secondary index from the table's rows. Errors: 23505 ("could not create unique index").
  virtual Status build_index(txn::Transaction& transaction, const TableAccess& table, size_t index) = 0;
  virtual void set_index_evaluator(IndexEvaluator* evaluator) = 0;

  // Sequences: not transactional, but durable; after a crash a sequence may skip values, never repeat one.
  // Errors: 2200H at the limit.
  virtual Result<int64_t> sequence_next(const catalog::Sequence& sequence) = 0;
  virtual Status sequence_set(const catalog::Sequence& sequence, int64_t value, bool is_called) = 0;
  struct SequenceState {
    int64_t last_value;
    bool is_called;
  };
  virtual Result<SequenceState> sequence_state(const catalog::Sequence& sequence) = 0;

  // For who keeps a copy of a table's rows
  /// The keys that commits change in the table's rows from now on, in commit order: from() is the last commit by now, and every
  /// snapshot taken after the call finds all its changes there. The log that exists, if somebody has it; the database stops
  /// recording when nobody has. A table that is truncated or rewritten has other rows, so watch those. Cost: waits for a running commit.
  virtual std::shared_ptr<txn::ChangeLog> watch_changes(const TableAccess& table) = 0;
  /// Whether the transaction may have written rows of the table. Cheap.
  virtual bool has_own_changes(txn::Transaction& transaction, const TableAccess& table) = 0;
  /// Calls `key` or `span` for each key of the table that the transaction has written so far, at least; each may come more than once.
  /// False, and nothing called: some went to the store before the table was watched, or too many to be kept.
  virtual bool own_changes(txn::Transaction& transaction, const TableAccess& table,
                           const std::function<void(std::string_view key)>& key,
                           const std::function<void(const txn::KeySpan& span)>& span) = 0;
  /// Across restarts: a place for changes_since(), which every snapshot taken after the call is past. Cost: waits for a running commit.
  virtual Timestamp change_position() = 0;
  /// From now on, durably, changes_since() can be asked for places from `position` on, instead of earlier ones. Timestamp(): no more.
  /// Everything committed before the call is on disk after it. Requires that the caller holds a snapshot past `position`, at or below
  /// what the copy has, when it asks for the first time. Errors: 55000 for a database in memory; as Store::write.
  virtual Status keep_changes(const TableAccess& table, Timestamp position) = 0;
  /// Calls `f` at least for each key that commits have changed since `position`, in no order. Cost: reads what the store wrote since, not
  /// all rows. False, and nothing called: nobody has asked to keep changes from there, or too many keys have left the store since.
  virtual Result<bool> changes_since(const TableAccess& table, Timestamp position,
                                     const std::function<void(std::string_view key)>& f) = 0;
  /// The newest commit that a snapshot taken now sees.
  virtual Timestamp last_commit() const = 0;
  /// No snapshot that is alive, or is made later, is older.
  virtual Timestamp oldest_snapshot() = 0;

  /// Compares every secondary index and the learned index with the rows. Errors: XX002 naming the first difference.
  virtual Status verify() = 0;
  /// Counters and sizes by name, for metrics and EXPLAIN.
  virtual std::vector<std::pair<std::string, uint64_t>> statistics() = 0;
};

}  // namespace omendb::table
