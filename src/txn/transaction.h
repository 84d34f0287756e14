// The transaction behind txn.h, and the manager that owns what all transactions share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"
#include "txn/dependencies.h"
#include "txn/load_writer.h"
#include "txn/locks.h"
#include "txn/timeline.h"
#include "txn/txn.h"
#include "txn/versions.h"
#include "txn/write_set.h"

namespace omendb::txn {

/// What the rest of the house adds to a transaction, it adds in a derived class (table/: catalog changes).
class BasicTransaction : public Transaction {
 public:
  Isolation isolation() const override { return isolation_; }
  bool read_only() const override { return read_only_; }
  void set_isolation(Isolation isolation) override { isolation_ = isolation; }
  void set_read_only(bool read_only) override { read_only_ = read_only; }
  bool has_snapshot() const override { return static_cast<bool>(snapshot_); }
  bool has_writes() const override { return !writes.empty() || !loads.empty(); }
  uint64_t id() const override { return locks.id; }
  Timestamp snapshot() const override { return snapshot_ ? snapshot_.timestamp() : Timestamp(); }
  void cancel() override { locks.cancel(); }
  void clear_cancel() override { locks.clear_cancel(); }
  bool cancelled() const override { return locks.cancelled(); }
  void set_lock_timeout_us(int64_t timeout_us) override { locks.lock_timeout_us = timeout_us; }
  void set_deadlock_timeout_us(int64_t timeout_us) override { locks.deadlock_timeout_us = timeout_us; }
  void set_process_id(int32_t process_id) override { locks.process_id = process_id; }

  /// What decides whether a version is too new to be changed: the snapshot, also while newer ones are seen (Manager::see_newest).
  Timestamp own_snapshot() const { return kept_ ? kept_.timestamp() : snapshot(); }
  bool keeps_snapshot() const { return isolation_ >= Isolation::kRepeatableRead; }
  /// What the current statement sees.
  View view() const { return {snapshot(), command, &writes, &load_numbers}; }
  const SnapshotRef& snapshot_ref() const { return snapshot_; }

  /// A part of the writes that is in the store already: the writes with marks in [from, to).
  struct OwnLoad {
    uint64_t number;
    uint64_t from, to;
  };

  WriteSet writes;
  LockOwner locks;
  uint32_t command = 0;
  std::vector<OwnLoad> loads;
  std::vector<uint64_t> load_numbers;     // of `loads`, ascending
  std::vector<uint64_t> savepoint_marks;  // write marks that rollback_to may come back to, ascending
  DependencyNode* dependencies =
      nullptr;  // of a serializable transaction with a snapshot; null for all others, which pay a look at it
  std::optional<bool> deferrable;  // read-only and serializable: waits for a safe snapshot
  bool over = false;

 private:
  friend class Manager;
  Isolation isolation_ = Isolation::kReadCommitted;
  bool read_only_ = false;
  SnapshotRef snapshot_;
  SnapshotRef kept_;  // the transaction's own, while newer versions are seen
};

/// Called by the commit pipeline, in commit order, by one thread at a time.
class CommitHooks {
 public:
  virtual ~CommitHooks() = default;
  /// May add to the transaction's batch; an error refuses the commit, and nothing of it is written.
  virtual Status before_write(BasicTransaction& transaction, Timestamp commit_ts) = 0;
  /// The batch is durable and the timestamp not yet visible.
  virtual void after_write(BasicTransaction& transaction, Timestamp commit_ts) = 0;
  /// The batch of the transactions prepared since the last write was not written.
  virtual void write_failed() = 0;
};

class Committer;

struct ManagerOptions {
  bool sync_commits = true;
  DependencyLimits dependencies;
};

/// What all transactions of a store share. Thread: any.
class Manager {
 public:
  Manager(store::Store& store, const ManagerOptions& options);
  ~Manager();

  /// Reads the clock and the committed loads. Call once, before anything else.
  Status start(CommitHooks* hooks);

  void begin(BasicTransaction& transaction, Isolation isolation, bool read_only);
  void begin_statement(BasicTransaction& transaction);
  /// A read-only transaction at the snapshot that `other` has, without its writes.
  void begin_beside(BasicTransaction& transaction, const BasicTransaction& other);
  /// Under REPEATABLE READ: statements see all that is committed by now, until it is turned off again. False: nothing changed.
  bool see_newest(BasicTransaction& transaction, bool on);
  /// The transaction is over in any case.
  Status commit(BasicTransaction& transaction);
  void rollback(BasicTransaction& transaction);
  Savepoint savepoint(BasicTransaction& transaction);
  void rollback_to(BasicTransaction& transaction, const Savepoint& savepoint);

  /// Moves the transaction's writes to the store as loads, and gives up the row locks that their presence there replaces.
  /// `moved` hears of each version once it is in the store, before the locks go.
  using Moved = std::function<void(StorageId storage, std::string_view key, uint64_t load, bool tombstone)>;
  Status spill(BasicTransaction& transaction, const Moved& moved = nullptr);
  /// Puts versions that never were in the write set into the store as one load: `write` hands over their files (load_writer.h), which
  /// carry the number it is told. Requires: the transaction has written none of their keys, and nobody else can know their storage.
  Status load(BasicTransaction& transaction, const std::function<Result<LoadWriter::Files>(uint64_t number)>& write);
  /// Waits until the transaction `other` is over.
  LockOutcome wait_for(BasicTransaction& transaction, uint64_t other);

  // What a serializable transaction reads and writes (dependencies.h). Require transaction.dependencies. Errors: 40001.
  /// A key, whether there is a row or not.
  Status note_read(const BasicTransaction& transaction, StorageId storage, std::string_view key);
  Status note_read(const BasicTransaction& transaction, StorageId storage, std::string_view lower,
                   std::string_view upper);
  /// Before the write goes into the write set.
  Status note_write(BasicTransaction& transaction, StorageId storage, std::string_view key) {
    return dependencies_.write(*transaction.dependencies, storage, key, transaction.writes.mark());
  }

  store::Store& store() { return store_; }
  Timeline& timeline() { return timeline_; }
  const Timeline& timeline() const { return timeline_; }
  Loads& loads() { return loads_; }
  std::shared_ptr<const Loads> shared_loads() const { return loads_owner_; }
  LockManager& locks() { return locks_; }
  const VersionReader& reader() const { return reader_; }
  Committer& committer() { return *committer_; }
  Dependencies& dependencies() { return dependencies_; }
  std::vector<std::pair<std::string, uint64_t>> statistics();

 private:
  void begin_serializable(BasicTransaction& transaction);
  void finish(BasicTransaction& transaction, bool committed);
  void lock_own_id(BasicTransaction& transaction);  // who meets its loads waits for it
  void drop_loads(BasicTransaction& transaction, uint64_t from_mark);

  store::Store& store_;
  Timeline timeline_;
  const std::shared_ptr<Loads> loads_owner_ = std::make_shared<Loads>();  // the store's threads may outlive us
  Loads& loads_ = *loads_owner_;
  LockManager locks_;
  Dependencies dependencies_;
  VersionReader reader_;
  std::unique_ptr<Committer> committer_;
  std::atomic<uint64_t> next_id_{1};
  std::atomic<uint64_t> commits_{0}, rollbacks_{0}, spills_{0};
};

}  // namespace omendb::txn
