// SERIALIZABLE: which transactions read what others have written since, and which of them must start again.
//
// A serializable transaction runs on its snapshot, as REPEATABLE READ does, and leaves marks on what it reads and on what it writes
// (key_marks.h). Where a read of R meets a write of W that R's snapshot does not show, R must come before W in any serial order: R -rw-> W.
// Whichever of the two comes second finds the other's mark. An order that cannot be has two such edges in a row, T1 -> T2 -> T3, where
// T3 is the first of the three to commit (T1 and T3 may be one): that is refused, whether or not the circle closes. Who is
// cancelled, and when, follows PostgreSQL's rules: the pivot T2 where it can still be, else who is about to close the structure.
//
//   - Nobody is cancelled before a T3 has committed, nor by a T3 that committed after T1 or T2 did.
//   - Where several have written a key one after the other, the edge is to the first whom R's snapshot does not show; the others came after
//     that one in any order.
//   - A T1 that is read-only (declared so, or committed without a write) matters only if T3 had committed when it took its snapshot.
//   - A read-only transaction is safe once every writer beside which it began is over and none of these committed with an edge to
//     one that had committed before its snapshot: then it needs no marks. DEFERRABLE waits for that before it begins to read.
//
// Marks and edges outlive the commit until no serializable transaction is left that ran beside it. Beyond `finished` such
// transactions, or `marks` marks of theirs, the oldest become hulls without a name: who meets one may be cancelled without need.
//
// Invariants
//   1. A mark is set and the other side's marks are looked at under one mutex: of two that meet, one sees the other.
//   2. When a commit is visible its timestamp is known here (committed_at comes before it is published); a snapshot and its place
//      among commits are taken under the mutex.
//   3. Reads under other snapshots than the transaction's own (foreign keys) leave no marks: row locks keep them true.
// Source: Cahill, Roehm, Fekete, SIGMOD 2008; Ports, Grittner, VLDB 2012; docs/decisions/0021-serializable.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/strong_id.h"
#include "txn/key_marks.h"

namespace omendb::txn {

struct DependencyLimits {
  MarkLimits marks_per_storage;
  size_t finished = 4096;     // transactions kept after their commit
  size_t marks = 256 * 1024;  // of these
};

/// A serializable transaction, from its first snapshot until nobody runs beside it any more. Fields without a word on them belong to
/// the mutex of Dependencies.
struct DependencyNode {
  uint64_t id = 0;
  int32_t process_id = 0;
  std::atomic<bool> doomed{false};     // has to end in 40001
  std::atomic<bool> safe{false};       // read-only, and in no circle whatever comes: leaves no marks
  std::atomic<uint64_t> commit_ts{0};  // once its commit is about to be visible

  bool read_only = false;  // declared, or committed without a write
  bool declared_read_only = false;
  bool wrote = false;
  bool prepared = false;  // its commit has begun: too late to cancel it
  bool committed = false;
  bool waiting = false;  // until it is known whether it is safe
  bool unsafe = false;   // read-only, and a writer beside it made it possible to see an order that cannot be
  // Edges to and from transactions that are not here any more.
  bool conflict_out = false;             // to one that committed before it; the first such is earliest_out
  bool old_out = false, old_in = false;  // to or from the nameless
  Timestamp snapshot;
  // Places in the order of commits' beginnings and ends.
  uint64_t snapshot_seq = 0, prepare_seq = 0, commit_seq = 0, earliest_out = 0;
  std::unordered_set<DependencyNode*> out, in;
  std::unordered_set<DependencyNode*> beside;  // a read-only one's undecided writers; a writer's undecided readers
  using OwnMarks = std::unordered_map<uint32_t, KeyMarks::Own>;  // by storage
  OwnMarks reads, writes;
  struct Written {
    StorageId storage;
    uint64_t mark;  // its place among the transaction's writes
  };
  std::vector<Written> written;  // the points in `writes`
  std::list<std::unique_ptr<DependencyNode>>::iterator place;
};

/// Thread: any; a node's own calls come from its transaction's threads. Errors: 40001 where a Status is returned; then the
/// transaction has to be rolled back.
class Dependencies {
 public:
  explicit Dependencies(const DependencyLimits& limits = {}) : limits_(limits) {}
  ~Dependencies();

  /// Begins to follow a transaction; `take_snapshot` is called under the mutex. Null: read-only, and nobody writes, so that there is nothing to follow.
  DependencyNode* begin(uint64_t id, int32_t process_id, bool read_only,
                        const std::function<Timestamp()>& take_snapshot);
  enum class Safety { kSafe, kUnsafe, kCancelled };
  /// Waits until it is known whether the read-only transaction is safe.
  Safety wait_until_decided(DependencyNode& node, const std::function<bool()>& cancelled);

  /// The transaction reads what `seen` shows of a key (a row, or that there is none), or of all keys of a range.
  Status read(DependencyNode& node, StorageId storage, std::string_view key, Timestamp seen);
  Status read(DependencyNode& node, StorageId storage, std::string_view lower, std::string_view upper, Timestamp seen);
  /// It writes, or would if it could, the key; `mark` is the write's place among its writes.
  Status write(DependencyNode& node, StorageId storage, std::string_view key, uint64_t mark);
  /// A row has been met: PostgreSQL ends a transaction here that another one has chosen.
  static Status met_row(const DependencyNode& node);
  /// Undoes the writes' marks at and after `mark`; reads stay read.
  void undo_writes(DependencyNode& node, uint64_t mark);
  /// All rows of the storage go, or go elsewhere: by `node`, if that is not null. What was read and written there counts as everywhere.
  void drop_storage(DependencyNode* node, StorageId storage);

  /// The last look before the commit. After this the transaction cannot be cancelled.
  Status prepare(DependencyNode& node);
  static void committed_at(DependencyNode& node, Timestamp ts) {
    node.commit_ts.store(ts.value, std::memory_order_release);
  }
  /// The transaction is over, and visible if it committed. The node may be gone afterwards.
  void finish(DependencyNode& node, bool committed);

  struct Counts {
    uint64_t active = 0, finished = 0, marks = 0, summarized = 0, cancelled = 0;
  };
  Counts counts();
  /// What transactions have read, for pg_locks.
  struct ReadMark {
    int32_t process_id;
    StorageId storage;
    enum class Kind : uint8_t { kKey, kRange, kAll } kind;
  };
  std::vector<ReadMark> read_marks();
  /// Calls for every transaction that waits until it is known whether it is safe, and each writer that keeps it waiting, by process.
  void for_each_wait(const std::function<void(int32_t waiter, int32_t blocker)>& call);

 private:
  using Node = DependencyNode;
  using Nodes = std::list<std::unique_ptr<Node>>;
  struct Space {
    KeyMarks reads, writes;
  };
  /// What the nameless have left in a storage.
  struct Old {
    MarkedKeys reads, writes;
    bool has_reads = false, has_writes = false;
    uint64_t read_seq = 0;      // the last commit of a reader
    uint64_t write_ts = 0;      // the last commit of a writer
    uint64_t earliest_out = 0;  // 0: none of the writers had an edge to one that had committed before it
  };

  Status read_locked(Node& node, StorageId storage, std::string_view lower, std::string_view upper, bool point,
                     Timestamp seen);
  Status meet_writer(Node& reader, Node& writer, Timestamp seen);
  Status meet_reader(Node& reader, Node& writer);
  Status meet_old_writers(Node& reader, StorageId storage, std::string_view lower, std::string_view upper, bool point,
                          Timestamp seen);
  Status meet_old_readers(Node& writer, StorageId storage, std::string_view lower, std::string_view upper, bool point);
  Status add_edge(Node& reader, Node& writer, Node& self);
  Status refuse_if_dangerous(Node& reader, Node& writer, Node& self);
  Status refuse(Node& self, const std::string& reason);
  void doom(Node& node);
  void make_safe(Node& node);
  void make_unsafe(Node& node);
  void drop_edges(Node& node);
  void drop_marks(Node& node);
  void move_marks_everywhere(DependencyNode::OwnMarks& marks, KeyMarks Space::*kind, Node& owner, StorageId storage);
  void forget_finished();
  void summarize(Node& node);
  static size_t mark_count(const Node& node);

  const DependencyLimits limits_;
  Mutex mutex_;
  std::condition_variable decided_;  // a read-only transaction became safe, or unsafe
  uint64_t last_seq_ GUARDED_BY(mutex_) = 0;
  size_t writable_ GUARDED_BY(mutex_) = 0;  // active and not declared read-only
  Nodes active_ GUARDED_BY(mutex_);         // by snapshot_seq
  Nodes safe_ GUARDED_BY(mutex_);
  Nodes finished_ GUARDED_BY(mutex_);  // by commit_seq
  size_t finished_marks_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint32_t, Space> spaces_ GUARDED_BY(mutex_);
  std::unordered_map<uint32_t, Old> old_ GUARDED_BY(mutex_);
  uint64_t old_seq_ GUARDED_BY(mutex_) = 0;  // nobody whose snapshot is not older needs old_
  uint64_t summarized_ GUARDED_BY(mutex_) = 0, cancelled_ GUARDED_BY(mutex_) = 0;
};

}  // namespace omendb::txn
