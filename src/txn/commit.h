// The commit pipeline. Transactions that want to commit queue up; the first of them leads: it takes all that wait, gives
// each the next timestamp, writes one batch for all, synced once, lets the hooks install each in order, publishes the last
// timestamp, and wakes them. So commit order, the order in the log and the order of becoming visible are the same.
#pragma once

#include <condition_variable>
#include <deque>

#include "base/mutex.h"
#include "store/store.h"
#include "txn/transaction.h"

namespace omendb::txn {

class Committer {
 public:
  Committer(store::Store& store, Timeline& timeline, Loads& loads, bool sync)
      : store_(store), timeline_(timeline), loads_(loads), sync_(sync) {}
  void set_hooks(CommitHooks* hooks) { hooks_ = hooks; }

  /// Thread: any. Errors: 53100 (nothing written), 40003 (unknown), what a hook refused with.
  Status commit(BasicTransaction& transaction);

  /// Makes sure that no number up to this one is given out again after a crash. Cost: a synced write every million numbers.
  Status reserve(uint64_t number);
  /// The store's durable clock is at `number`.
  void start(uint64_t number) { reserved_.store(number); }

  /// Calls `f` while no commit is under way: what f makes known, every commit after the watermark knows.
  /// Cost: waits for the group that is being written.
  template <class F>
  void between_groups(F f) {
    MutexLock lock(lead_mutex_);
    f();
  }

  uint64_t groups() const { return groups_.load(std::memory_order_relaxed); }
  uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 private:
  struct Request {
    BasicTransaction* transaction;
    Status status;
    Timestamp commit_ts;
    bool done = false;
    std::condition_variable wake;
  };
  void lead(std::vector<Request*>& group);
  void append(BasicTransaction& transaction, Timestamp ts, store::Batch& batch);

  store::Store& store_;
  Timeline& timeline_;
  Loads& loads_;
  const bool sync_;
  CommitHooks* hooks_ = nullptr;
  Mutex mutex_;
  std::deque<Request*> queue_ GUARDED_BY(mutex_);
  Mutex lead_mutex_;  // the leader's, from the group's first number until it is published
  Mutex reserve_mutex_;
  std::atomic<uint64_t> reserved_{0};
  // The leader's own; kept for their memory.
  store::Batch batch_;
  std::string key_;
  std::vector<Request*> group_;
  std::atomic<uint64_t> groups_{0}, commits_{0};
};

}  // namespace omendb::txn
