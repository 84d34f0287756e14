// Who may touch what, until the end of a transaction: row locks, object locks, and waits for a transaction's end, in one
// manager, so that a deadlock across them is found.
//
// A resource is locked by owners in modes; a request waits while another owner holds a conflicting mode, or while an
// earlier waiter asks for one (first come, first served). An owner that already holds the resource passes waiters whom
// its own lock keeps out anyway (PostgreSQL's rule: they could never be served before it). A row's holders may be joined by others whom they
// leave room for, whoever waits (PostgreSQL's rule too).
//
// Row resources are 64-bit hashes of storage and key under a random seed. Two keys that collide share a lock: somebody
// waits without need; nothing else can happen.
//
// Invariants
//   1. Two owners never hold conflicting modes of one resource.
//   2. A request that could be granted is not kept waiting: every release looks at the queue from its front.
//   3. A cycle of waits is broken within the deadlock timeout of one of its members: by another order of waiters, if that is enough.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/strong_id.h"

namespace omendb::txn {

/// PostgreSQL's eight table modes, its four row modes (weakest first), and the two for a transaction's own id.
enum class LockMode : uint8_t {
  kAccessShare,
  kRowShare,
  kRowExclusive,
  kShareUpdateExclusive,
  kShare,
  kShareRowExclusive,
  kExclusive,
  kAccessExclusive,
  kRowForKeyShare,
  kRowForShare,
  kRowForNoKeyUpdate,
  kRowForUpdate,
  kTransactionShare,
  kTransactionExclusive,
};
inline constexpr size_t kLockModeCount = 14;

struct Resource {
  enum class Kind : uint8_t { kRow, kObject, kTransaction } kind = Kind::kRow;
  uint64_t id = 0;
  bool operator==(const Resource&) const = default;
};

enum class LockWait : uint8_t { kWait, kNoWait };

enum class LockOutcome : uint8_t {
  kGranted,
  kNotAvailable,  // kNoWait, and somebody holds it
  kTimeout,
  kCancelled,
  kDeadlock,  // deadlock_detail() of the owner says between whom
};

/// The locks of one transaction. Must hold none when it goes. Thread: its own, but cancel().
class LockOwner {
 public:
  uint64_t id = 0;              // of the transaction
  int32_t process_id = 0;       // as the client knows it
  int64_t lock_timeout_us = 0;  // 0: none
  int64_t deadlock_timeout_us = 1'000'000;

  void cancel();
  void clear_cancel() { cancelled_.store(false, std::memory_order_release); }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  const std::string& deadlock_detail() const { return deadlock_detail_; }
  /// A place in the sequence of acquisitions, for release_to().
  uint64_t mark() const { return next_sequence_; }
  size_t held_count() const { return held_.size(); }

 private:
  friend class LockManager;
  struct Held {
    Resource resource;
    uint16_t previous_mask;  // what this owner held of it before
    uint64_t sequence;
  };
  std::vector<Held> held_;
  uint64_t next_sequence_ = 1;  // 0: kept to the end
  std::string deadlock_detail_;
  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  std::condition_variable wake_;
  // What it waits for; written under the resource's shard.
  bool waiting_ = false;
  bool granted_ = false;  // also under mutex_
  Resource wanted_;
  LockMode wanted_mode_ = LockMode::kAccessShare;
};

class LockManager {
 public:
  LockManager();

  /// Acquires `mode` for `owner`, in addition to what it holds. `*fresh`: whether that changed anything.
  /// Cost: about 100 ns when nobody is in the way.
  LockOutcome acquire(LockOwner& owner, Resource resource, LockMode mode, LockWait wait, bool* fresh = nullptr);
  /// Undoes the acquisitions since `mark`.
  void release_to(LockOwner& owner, uint64_t mark);
  void release_all(LockOwner& owner) { release_to(owner, 0); }
  /// The newest acquisition outlives every release_to() a mark: release_all() alone undoes it.
  void keep_last(LockOwner& owner);
  /// Undoes the newest acquisition, which must have been fresh.
  void release_last(LockOwner& owner);
  /// Gives up those row locks for which `done` answers true, whenever they were acquired.
  template <class Predicate>
  void release_rows_if(LockOwner& owner, Predicate done);
  /// Whether another owner holds anything that conflicts with `mode`.
  bool busy(const LockOwner& owner, Resource resource, LockMode mode);

  /// Calls for every waiter and each owner that keeps it waiting, under the lock of their shard. Cost: a look at every lock.
  void for_each_wait(const std::function<void(const LockOwner& waiter, const LockOwner& blocker)>& call);

  Resource row(StorageId storage, std::string_view key) const;
  uint64_t waits() const { return waits_.load(std::memory_order_relaxed); }
  uint64_t deadlocks() const { return deadlocks_.load(std::memory_order_relaxed); }

 private:
  struct Holder {
    LockOwner* owner;
    uint16_t mask;
  };
  struct Company {  // more than one holder, or somebody waiting
    std::vector<Holder> others;
    std::vector<LockOwner*> queue;
  };
  struct Lock {
    Holder first{nullptr, 0};
    std::unique_ptr<Company> company;
    bool unused() const {
      return first.owner == nullptr && (company == nullptr || (company->others.empty() && company->queue.empty()));
    }
    Company& with_company() {
      if (company == nullptr) company = std::make_unique<Company>();
      return *company;
    }
  };
  /// Resource -> Lock by open addressing: a lock that nobody else wants costs 40 bytes and no allocation.
  /// References are good until the next insertion or erasure.
  class Table {
   public:
    Lock* find(const Resource& r);
    Lock& operator[](const Resource& r);
    void erase(const Resource& r);
    template <class Call>
    void for_each(Call call) {
      for (Slot& slot : slots_) {
        if (slot.used) call(slot.lock);
      }
    }

   private:
    struct Slot {
      Resource resource;
      bool used = false;
      Lock lock;
    };
    size_t place(const Resource& r) const { return static_cast<size_t>(hash(r)) & (slots_.size() - 1); }
    void resize(size_t slots);
    std::vector<Slot> slots_;
    size_t count_ = 0;
  };
  static uint64_t hash(const Resource& r) {
    return (r.id ^ (uint64_t{static_cast<uint8_t>(r.kind)} << 62)) * 0x9E3779B97F4A7C15ull;
  }
  struct alignas(64) Shard {
    Mutex mutex;
    Table locks;
  };
  static constexpr size_t kShards = 64;

  Shard& shard(const Resource& r) { return shards_[hash(r) >> 58]; }
  static Holder* holder(Lock& lock, const LockOwner* owner);
  static bool conflicts_with_holders(const Lock& lock, const LockOwner* owner, LockMode mode);
  static std::vector<LockOwner*> blockers_of(const Lock& lock, const LockOwner& waiter);
  static void grant(Lock& lock, LockOwner& owner, LockMode mode);
  void serve_queue(Lock& lock);
  void set_mask(Shard& shard, const Resource& resource, LockOwner& owner, uint16_t mask);
  LockOutcome wait(LockOwner& owner, Shard& shard);
  void leave_queue(Shard& shard, LockOwner& owner);
  // These require all shards' locks.
  bool break_cycle(LockOwner& start);
  std::vector<LockOwner*> cycle_through(LockOwner& start);
  bool solve_by_order(std::vector<LockOwner*> involved, int depth, std::vector<LockOwner*>& moved);
  static void tell_deadlock(const std::vector<LockOwner*>& cycle);
  bool walk(LockOwner& start, LockOwner& at, std::vector<LockOwner*>& path, std::vector<LockOwner*>& seen);

  std::array<Shard, kShards> shards_;
  uint64_t seed_;
  std::atomic<uint64_t> waits_{0}, deadlocks_{0};
};

template <class Predicate>
void LockManager::release_rows_if(LockOwner& owner, Predicate done) {
  size_t kept = 0;
  for (size_t i = 0; i < owner.held_.size(); ++i) {
    const LockOwner::Held held = owner.held_[i];
    if (held.resource.kind == Resource::Kind::kRow && done(held.resource)) {
      Shard& s = shard(held.resource);
      MutexLock lock(s.mutex);
      set_mask(s, held.resource, owner, 0);
    } else {
      owner.held_[kept++] = held;
    }
  }
  owner.held_.resize(kept);
}

}  // namespace omendb::txn
