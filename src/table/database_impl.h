// The Database behind database.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "store/faulty_store.h"
#include "store/store.h"
#include "table/changed_keys.h"
#include "table/database.h"
#include "table/moved_rows.h"
#include "txn/change_log.h"
#include "txn/commit.h"
#include "txn/gc.h"
#include "txn/transaction.h"

namespace omendb::table {

class EntryMerge;
class EntrySorter;
class OrderedRows;

/// A transaction with its catalog changes.
class TableTransaction final : public txn::BasicTransaction {
 public:
  explicit TableTransaction(Database& database) : database_(database) {}
  ~TableTransaction() override {
    if (!over) database_.rollback(*this);
  }
  /// What happened outside rows, in order; a savepoint's catalog_mark is a place in it.
  struct Event {
    enum class Kind : uint8_t { kChange, kDropStorage, kMadeStorage } kind;
    catalog::Change change;
    std::shared_ptr<const catalog::Object> base;  // kChange: the committed object that it replaces
    StorageId storage;
  };
  std::vector<Event> events;
  /// events' changes on top of `merged_on`; null: not worked out.
  std::shared_ptr<const catalog::Catalog> merged, merged_on;
  std::shared_ptr<const catalog::Catalog> staged;  // what the commit in progress will publish
  std::map<StorageId, int64_t> row_deltas;
  /// What was moved to the store before commit.
  struct Loaded {
    uint64_t tombstones = 0;
    ChangedKeys changed;  // of tables; what a savepoint undid may be among them
  };
  std::map<StorageId, Loaded> loaded;
  std::vector<Database::UniqueCheck> unique_checks;  // not taken yet
  OwnMoves moves;
  /// Of the write set at the commit, where it is large and the storage is watched.
  std::map<StorageId, ChangedKeys> changed;

  bool has_writes() const override { return BasicTransaction::has_writes() || !events.empty(); }
  bool made(StorageId storage) const {
    for (const Event& e : events) {
      if (e.kind == Event::Kind::kMadeStorage && e.storage == storage) return true;
    }
    return false;
  }

 private:
  Database& database_;
};

/// What is known of a body of rows beside the rows.
class StorageState {
 public:
  /// Whether no version of a key this great has reached the store. Requires the key to be locked by the caller, or its own.
  bool is_above_all(store::Store& store, StorageId storage, std::string_view key);
  /// `key` is in the store now.
  void raise(std::string_view key);
  /// `key` will be in the store soon.
  void raise_early(store::Store& store, StorageId storage, std::string_view key);
  /// The next hidden key.
  uint64_t next_hidden(store::Store& store, StorageId storage);

  std::atomic<int64_t> rows{-1};               // -1: not estimated yet
  std::atomic<uint64_t> created_ts{0};         // of the commit that made it, in this process
  std::atomic<uint64_t> loaded_tombstones{0};  // committed through loads since it was swept last
  std::atomic<uint64_t> changes{0};            // of keys, since the directory's checkpoint
  std::atomic<uint64_t> checkpoint_id{0};      // 0: there is none
  std::atomic<uint64_t> kept_from{
      0};                   // keys that leave the store are written down for changes_since(); 0: they are not
  uint64_t kept_bytes = 0;  // of them, about; under the housekeeping mutex
  uint64_t kept_lost = 0;   // keys deleted up to then left unnoticed, for there were too many; likewise

  // Somebody wants to know which keys change. Both change between commits only (Committer::between_groups).
  std::atomic<bool> watched{false};
  std::weak_ptr<txn::ChangeLog> change_log;

  /// The learned index over the row keys; null: none (an index's storage, or switched off).
  txn::KeyDirectory* directory() const { return directory_.load(std::memory_order_acquire); }
  txn::KeyDirectory& make_directory(uint32_t fixed_key_bytes, txn::RowCache* cache);

 private:
  std::atomic<txn::KeyDirectory*> directory_{nullptr};
  std::unique_ptr<txn::KeyDirectory> directory_owner_;
  void learn(store::Store& store, StorageId storage) REQUIRES(mutex_);
  Mutex mutex_;
  bool known_ GUARDED_BY(mutex_) = false;
  bool empty_ GUARDED_BY(mutex_) = true;
  std::string greatest_ GUARDED_BY(mutex_);  // key of the greatest version in the store
  std::atomic<uint64_t> hidden_{0};          // 0: not known yet
};

/// A counter whose values are never given out twice, across crashes too: a ceiling is made durable before it is reached.
class DurableCounter {
 public:
  DurableCounter(store::Store& store, std::string name) : store_(store), name_(std::move(name)) {}
  Status start(uint32_t first);
  void at_least(uint32_t value);
  uint32_t next();

 private:
  store::Store& store_;
  const std::string name_;
  Mutex mutex_;
  uint32_t next_ GUARDED_BY(mutex_) = 0;
  uint32_t ceiling_ GUARDED_BY(mutex_) = 0;
};

class DatabaseImpl final : public Database, private txn::CommitHooks {
 public:
  DatabaseImpl(const DatabaseOptions& options, std::unique_ptr<store::Store> store,
               std::shared_ptr<txn::VersionReapers> reapers);
  ~DatabaseImpl() override;
  Status start();
  std::unique_ptr<txn::Transaction> begin(txn::Isolation isolation, bool read_only) override;
  std::unique_ptr<txn::Transaction> begin_beside(const txn::Transaction& other) override;
  void begin_statement(txn::Transaction& transaction) override;
  bool see_newest(txn::Transaction& transaction, bool on) override;
  Status commit(txn::Transaction& transaction) override;
  void rollback(txn::Transaction& transaction) override;
  txn::Savepoint savepoint(txn::Transaction& transaction) override;
  void rollback_to(txn::Transaction& transaction, const txn::Savepoint& savepoint) override;

  std::shared_ptr<const catalog::Catalog> catalog(const txn::Transaction& transaction) override;
  Status change_catalog(txn::Transaction& transaction, std::vector<catalog::Change> changes) override;
  Oid new_oid() override { return Oid(oids_.next()); }
  StorageId new_storage_id() override { return StorageId(storage_ids_.next()); }
  void drop_storage(txn::Transaction& transaction, StorageId storage) override;
  void made_storage(txn::Transaction& transaction, StorageId storage) override;

  Status lock_object(txn::Transaction& transaction, Oid object, txn::ObjectLockMode mode, LockWait wait) override;

  Result<bool> get(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                   std::string* row) override;
  Status note_whole_read(txn::Transaction& transaction, const TableAccess& table);
  txn::Manager& manager() { return manager_; }
  std::unique_ptr<RowCursor> scan(txn::Transaction& transaction, const TableAccess& table, const KeyRange& range,
                                  bool reverse) override;
  std::unique_ptr<RowCursor> scan_index(txn::Transaction& transaction, const TableAccess& table, size_t index,
                                        const KeyRange& range, bool reverse) override;
  std::vector<KeyRange> split(const TableAccess& table, const KeyRange& range, size_t parts) override;
  uint64_t estimate_rows(const TableAccess& table) override;

  Result<InsertOutcome> insert(txn::Transaction& transaction, const TableAccess& table, std::string_view row,
                               const std::vector<Oid>* arbiters, bool any_arbiter) override;
  Result<LockedRow> lock_row(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
                             RowLockMode mode, LockWait wait, Follow follow) override;
  Status update(txn::Transaction& transaction, const TableAccess& table, std::string_view key, std::string_view old_row,
                std::string_view new_row) override;
  Status erase(txn::Transaction& transaction, const TableAccess& table, std::string_view key,
               std::string_view old_row) override;

  std::vector<UniqueCheck> take_unique_checks(txn::Transaction& transaction) override;
  Status check_unique(txn::Transaction& transaction, const TableAccess& table, const UniqueCheck& check) override;

  Status build_index(txn::Transaction& transaction, const TableAccess& table, size_t index) override;
  void set_index_evaluator(IndexEvaluator* evaluator) override { evaluator_.store(evaluator); }

  Result<int64_t> sequence_next(const catalog::Sequence& sequence) override;
  Status sequence_set(const catalog::Sequence& sequence, int64_t value, bool is_called) override;
  Result<SequenceState> sequence_state(const catalog::Sequence& sequence) override;

  std::shared_ptr<txn::ChangeLog> watch_changes(const TableAccess& table) override;
  bool has_own_changes(txn::Transaction& transaction, const TableAccess& table) override;
  bool own_changes(txn::Transaction& transaction, const TableAccess& table,
                   const std::function<void(std::string_view key)>& key,
                   const std::function<void(const txn::KeySpan& span)>& span) override;
  Timestamp change_position() override;
  Status keep_changes(const TableAccess& table, Timestamp position) override;
  Result<bool> changes_since(const TableAccess& table, Timestamp position,
                             const std::function<void(std::string_view key)>& f) override;
  Timestamp last_commit() const override { return manager_.timeline().watermark(); }
  Timestamp oldest_snapshot() override { return manager_.timeline().horizon(); }

  Status verify() override;
  std::vector<std::pair<std::string, uint64_t>> statistics() override;

  /// Writes the directories that have changed much since their checkpoints; `all`: that have changed at all.
  /// Keys in all directories, and the bytes of their indexes.
  std::pair<uint64_t, uint64_t> index_size();
  /// Rows in memory give way to an index beyond its share.
  void divide_memory();
  void checkpoint_directories(bool all) EXCLUDES(housekeeping_mutex_);

 private:
  // database.cc
  Status before_write(txn::BasicTransaction& transaction, Timestamp commit_ts) override;
  void after_write(txn::BasicTransaction& transaction, Timestamp commit_ts) override;
  void write_failed() override;
  Status load_catalog();
  Status make_public_schema();
  Status drop_orphans();
  std::shared_ptr<const catalog::Catalog> committed_catalog();
  StorageState& state(StorageId storage);
  /// Of the table's rows, found without a lock.
  StorageState& state(const TableAccess& table);
  /// The table's directory; made now if its storage is new. Null when switched off.
  txn::KeyDirectory* directory(const TableAccess& table) {
    const void* known = table.notes_.found.load(std::memory_order_acquire);
    auto* directory = known != nullptr ? static_cast<const StorageState*>(known)->directory() : nullptr;
    return directory != nullptr ? directory : make_directory(table);
  }
  txn::KeyDirectory* make_directory(const TableAccess& table);
  Status spill_if_large(TableTransaction& t);
  void undo_events(TableTransaction& t, size_t mark);

  // changes.cc
  /// The write set goes to the store before the commit.
  void note_loaded(TableTransaction& t);
  /// Before the commit pipeline, where nobody waits: what it will be told of a large write set.
  void note_changes(TableTransaction& t);
  /// For who watches; the commit is not yet visible.
  void record_changes(const TableTransaction& t, Timestamp commit_ts);

  // rows.cc
  /// Whether reads and writes of the table are noted (txn/dependencies.h).
  static bool marks(const TableTransaction& t, const TableAccess& table) {
    return t.dependencies != nullptr && table.table().persistence != 't';
  }
  Status note_write(TableTransaction& t, const TableAccess& table, StorageId storage, std::string_view key) {
    return marks(t, table) ? manager_.note_write(t, storage, key) : Status();
  }
  Result<bool> marked_get(TableTransaction& t, const TableAccess& table, std::string_view key, std::string* row);
  friend class IndexRows;
  friend class RowReader;
  friend void prefetch_rows(Database&, const TableAccess&, std::span<const std::string_view>);
  friend class SortedIndexRows;
  friend std::unique_ptr<OrderedRows> ordered_rows(Database&, txn::Transaction&, const TableAccess&);
  Status lock_failure(const TableTransaction& t, txn::LockOutcome outcome, const std::string& not_available);
  /// What `t` itself has made of the key: in *command the statement that did.
  enum class Own : uint8_t { kNothing, kRow, kErased };
  Result<Own> own_newest(TableTransaction& t, StorageId storage, std::string_view key, uint32_t* command,
                         std::string* row);

  // unique.cc
  struct Conflict {
    std::string key;      // of the row in the way
    Timestamp commit_ts;  // 0: a write of the transaction itself
  };
  /// Makes `key` ours to insert, or reports the row that is there. *successor: another row lay there, which some snapshot may see.
  Result<std::optional<Conflict>> claim_key(TableTransaction& t, const TableAccess& table, std::string_view key,
                                            bool* successor);
  /// The same for the indexed columns `prefix` of a unique index; `self` is the row that may have them.
  Result<std::optional<Conflict>> claim_entry(TableTransaction& t, const TableAccess& table,
                                              const TableAccess::IndexAccess& index, std::string_view prefix,
                                              std::string_view self);
  /// For a deferrable index: makes the columns ours, or says false, without waiting.
  Result<bool> try_entry(TableTransaction& t, const TableAccess::IndexAccess& index, std::string_view prefix,
                         std::string_view self);
  Result<std::optional<Conflict>> find_entry(TableTransaction& t, StorageId storage, std::string_view prefix,
                                             std::string_view self, uint64_t* pending_owner);
  /// 23505 for a row whose indexed columns another one has.
  Status duplicate_key(const TableAccess& table, const std::vector<codec::KeyColumn>& columns,
                       const std::vector<int16_t>& attnums, const TableAccess::IndexAccess* index,
                       const std::string& constraint, std::string_view row, const types::IoContext& io);
  Status primary_duplicate(const TableAccess& table, std::string_view row);
  Status index_duplicate(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view row,
                         const types::IoContext& io);
  types::IoContext session_io();

  // indexes.cc
  struct Entry {
    std::string bytes;  // indexed columns | row key
    uint32_t prefix_length = 0;
    bool included = true;   // false: the partial predicate leaves the row out
    bool has_null = false;  // a null among the indexed columns: never a duplicate
  };
  /// As IndexEvaluator says; 0A000 when there is none.
  Status evaluate(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view row,
                  std::vector<types::Value>* expressions, bool* included);
  Status make_entry(const TableAccess& table, const TableAccess::IndexAccess& index, std::string_view key,
                    std::string_view row, Entry* entry);
  static std::string entry_payload(uint32_t prefix_length);
  void put_entry(TableTransaction& t, const TableAccess::IndexAccess& index, const Entry& entry);
  Status verify_table(const catalog::Catalog& catalog, const catalog::Table& table, Timestamp snapshot);

  // index_build.cc
  /// Of the rows of a range. Thread: any number at once, each with a sorter of its own.
  Status gather_entries(const TableTransaction& t, const TableAccess& table, const TableAccess::IndexAccess& index,
                        const KeyRange& range, EntrySorter& sorter);
  /// Hands over the entries, with what lies in the store beside them. Errors: 23505, when the index is unique and they are not.
  Status drain_entries(const TableTransaction& t, const TableAccess& table, const TableAccess::IndexAccess& index,
                       const types::IoContext& io, EntryMerge& entries,
                       const std::function<Status(std::string_view entry, std::string_view payload)>& take);

  // sequences.cc
  struct SequenceCounter {
    Mutex mutex;
    bool loaded = false;
    int64_t last = 0;
    bool called = false;
    int64_t logged = 0;  // the store has this value: a crash resumes after it
    bool has_logged = false;
    int64_t batch = 32;
    int64_t last_logged_ns = 0;
  };
  SequenceCounter& sequence(StorageId storage);
  Status load_sequence(const catalog::Sequence& sequence, SequenceCounter& counter);
  Status log_sequence(StorageId storage, int64_t value, bool is_called, store::Sync sync);
  void flush_sequences();

  struct DeadKey {
    StorageId storage;
    Timestamp ts;  // of its tombstone
    std::string key;
  };

  // vacuum.cc
  void maintain();
  void drop_unneeded_storages(bool closing);
  /// Removes keys whose tombstone nobody needs to see any more. Returns how many.
  size_t remove_dead_keys();
  /// Finds the dead keys of storages whose tombstones came through loads, which nobody kept a list of.
  void sweep();
  Status sweep_storage(StorageId storage, Timestamp horizon);

  // directories.cc
  /// Fills the directories of all tables: from their checkpoints and what the store has got since, else from all rows.
  Status build_directories();
  Status build_directory(const TableAccess& table);
  /// False: there is no checkpoint that can be believed; the directory is empty.
  Result<bool> restore_directory(const TableAccess& table, txn::KeyDirectory& directory);
  Status rebuild_directory(const TableAccess& table, txn::KeyDirectory& directory);
  Status read_checkpoint_records();
  void delete_stale_checkpoints();
  Status checkpoint_directory(StorageId storage, StorageState& s);
  void forget_checkpoint(StorageId storage, StorageState& s);
  bool keeps_checkpoints() const { return !options_.directory.empty(); }
  void add_dead_keys(std::vector<DeadKey> dead);

  /// Writes down which keys leave the store, where a checkpoint still has them.
  class ReapedLog {
   public:
    explicit ReapedLog(DatabaseImpl& database) : database_(database) {}
    /// `key` and its tombstone, of `ts` or before, go.
    void add(StorageId storage, Timestamp ts, std::string_view key);
    void append(store::Batch* batch);

   private:
    DatabaseImpl& database_;
    std::string value_;
    struct Kept {
      StorageId storage;
      uint64_t last = 0;  // the latest timestamp
      std::string entries;
    };
    std::vector<Kept> kept_;  // for changes_since()
  };
  struct Reaped {
    Timestamp ts;
    std::string key;
  };

  const DatabaseOptions options_;
  std::shared_ptr<txn::VersionReapers> reapers_;
  std::unique_ptr<store::Store> store_;
  txn::Manager manager_;
  DurableCounter oids_, storage_ids_;
  std::atomic<IndexEvaluator*> evaluator_{nullptr};

  Mutex catalog_mutex_;
  std::shared_ptr<const catalog::Catalog> catalog_ GUARDED_BY(catalog_mutex_);
  std::shared_ptr<const catalog::Catalog> staged_;  // the group leader's: the newest catalog of the group being written

  const std::unique_ptr<txn::RowCache> row_cache_;  // null: none
  std::shared_mutex states_mutex_;
  std::unordered_map<StorageId, std::unique_ptr<StorageState>> states_;
  std::shared_mutex sequences_mutex_;
  std::unordered_map<StorageId, std::unique_ptr<SequenceCounter>> sequences_;

  struct Drop {
    StorageId storage;
    Timestamp after;  // gone once the horizon has reached it
  };
  Mutex maintenance_mutex_;
  std::deque<DeadKey> dead_keys_ GUARDED_BY(maintenance_mutex_);  // in commit order
  std::condition_variable maintenance_wake_;
  std::vector<Drop> drops_ GUARDED_BY(maintenance_mutex_);
  bool closing_ GUARDED_BY(maintenance_mutex_) = false;
  std::thread maintenance_;

  MovedRows moved_rows_;

  std::atomic<uint32_t> watches_{0};            // storages that are watched
  std::vector<std::string_view> changed_keys_;  // the group leader's, kept for its memory

  StripedCounter gets_, scans_, inserts_, updates_, deletes_;
  std::atomic<uint64_t> dead_keys_removed_{0};
  std::atomic<uint64_t> index_loads_{0}, index_runs_{0};  // indexes built by a load; runs of entries put aside for that
  uint64_t directories_built_ms_ = 0;
  std::atomic<uint64_t> directories_restored_{0}, directories_rebuilt_{0}, checkpoints_written_{0};
  std::unordered_map<StorageId, std::vector<Reaped>> reaped_;  // at start, as logged
  Mutex housekeeping_mutex_;    // one at a time takes keys out of the store or writes down which are there
  uint64_t reaped_number_ = 0;  // of the log's next record
  uint64_t kept_number_ = 0;    // of changes_since()'s next record
  uint64_t reaped_logged_ = 0;  // bytes since the log was cut
  int64_t last_checkpoint_ns_ = 0;
};

/// As Database::open, over a store of the caller's (tests: a faulty one). `reapers` is what the store was opened with.
Result<std::unique_ptr<Database>> open_on(const DatabaseOptions& options, std::unique_ptr<store::Store> store,
                                          std::shared_ptr<txn::VersionReapers> reapers);

inline TableTransaction& own(txn::Transaction& t) { return static_cast<TableTransaction&>(t); }

// Keys of the store's notes for changes_since() (index_checkpoint.h).
std::string kept_record_key(StorageId storage);
std::string kept_log_key(StorageId storage, uint64_t number);

/// Every committed version, whatever the snapshot, and every own write.
txn::View latest_view(const TableTransaction& t);

}  // namespace omendb::table
