// Where rows went whose key changed, for who found them under the old one. A row lies under its primary key here, so an UPDATE of the key
// is a deletion and an insertion; for PostgreSQL it is the same row still, and who waited for its writer goes on with it.
//
// In memory alone: only statements whose snapshot is older than the commit ask.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/strong_id.h"

namespace omendb::table {

/// A key's row is not the one that was there before: that one lies under `to` now, or, where that is empty, it is gone and
/// another one took its key. An empty `from` stands for all keys of the storage: too many of them to be listed.
struct RowMove {
  StorageId storage;
  std::string from, to;
  uint64_t mark = 0;  // the place among the transaction's writes
};

/// Of one transaction, in order. Thread: one at a time.
class OwnMoves {
 public:
  void add(StorageId storage, std::string_view from, std::string_view to, uint64_t mark);
  void rollback_to(uint64_t mark);
  bool empty() const { return moves_.empty(); }
  std::vector<RowMove> take() { return std::exchange(moves_, {}); }

 private:
  std::vector<RowMove> moves_;
};

/// Of all transactions. Thread: any.
class MovedRows {
 public:
  /// A place in the order of moves: those of commits up to `commit_ts` are before it, and of that one the first `number`.
  struct Position {
    Timestamp commit_ts;
    uint64_t number = UINT64_MAX;
  };
  struct Found {
    enum class Kind : uint8_t {
      kNone,
      kMoved,    // to `to`; what happened to it there comes after `at`
      kGone,     // deleted; the key may have another row
      kUnknown,  // nobody remembers
    } kind = Kind::kNone;
    std::string to;
    Position at;
  };

  /// Before the commit is visible; commits come in order.
  void commit(Timestamp commit_ts, std::vector<RowMove> moves);
  /// The first thing that happened after `seen` to the row that was under `key` then.
  Found after(StorageId storage, std::string_view key, const Position& seen) const;
  /// Snapshots at or after `horizon` are the only ones from now on.
  void forget(Timestamp horizon);
  size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  using Key = std::pair<uint32_t, std::string>;
  struct Step {
    Position at;
    std::string to;
  };
  using Steps = std::map<Key, std::deque<Step>>;
  void forget_first() REQUIRES(mutex_);

  mutable Mutex mutex_;
  Steps steps_ GUARDED_BY(mutex_);
  std::deque<Steps::iterator> order_ GUARDED_BY(mutex_);        // of all steps, the oldest first
  std::map<uint32_t, Timestamp> forgotten_ GUARDED_BY(mutex_);  // by storage: up to then not all is known
  std::atomic<size_t> size_{0};
};

}  // namespace omendb::table
