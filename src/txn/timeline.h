// Commit order: numbers, the watermark that readers follow, the snapshots that are alive, and loads.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/strong_id.h"

namespace omendb::txn {

class Timeline;

/// Keeps a snapshot alive; copies share it. Thread: a handle is used by one thread at a time, copies by different ones.
class SnapshotRef {
 public:
  SnapshotRef() = default;
  SnapshotRef(const SnapshotRef& other);
  SnapshotRef(SnapshotRef&& other) noexcept : slot_(other.slot_) { other.slot_ = nullptr; }
  SnapshotRef& operator=(SnapshotRef other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~SnapshotRef() { reset(); }
  explicit operator bool() const { return slot_ != nullptr; }
  Timestamp timestamp() const;
  void reset();

 private:
  friend class Timeline;
  struct Slot;
  explicit SnapshotRef(Slot* slot) : slot_(slot) {}
  Slot* slot_ = nullptr;
};

/// Numbers and snapshots. Thread: any.
class Timeline {
 public:
  Timeline();
  ~Timeline();

  /// Everything at or below `last` is committed or will never be.
  void start(Timestamp last);

  /// A number greater than every one before.
  uint64_t next_number() { return clock_.fetch_add(1, std::memory_order_relaxed) + 1; }
  uint64_t last_number() const { return clock_.load(std::memory_order_relaxed); }

  /// Every commit at or below it is durable and installed.
  Timestamp watermark() const { return Timestamp(watermark_.load(std::memory_order_acquire)); }
  void publish(Timestamp ts) { watermark_.store(ts.value, std::memory_order_release); }

  /// A snapshot at the watermark. It reuses the slot of `old` when nobody else holds that.
  SnapshotRef snapshot(SnapshotRef old = {});

  /// Versions superseded at or below it are needed by no snapshot alive now or made later.
  Timestamp horizon();
  /// How many snapshots are alive, for statistics.
  size_t snapshot_count();

 private:
  friend class SnapshotRef;
  void enter(SnapshotRef::Slot* slot);
  void give_back(SnapshotRef::Slot* slot);

  std::atomic<uint64_t> clock_{0};
  std::atomic<uint64_t> watermark_{0};
  std::atomic<uint64_t> floor_{0};  // the greatest horizon somebody is working out, or has
  Mutex mutex_;
  std::deque<SnapshotRef::Slot> slots_ GUARDED_BY(mutex_);
  std::vector<SnapshotRef::Slot*> free_ GUARDED_BY(mutex_);
};

/// Which loads there are. A load is a part of a transaction's versions written before its commit under a number of its
/// own; its commit record gives all of them their timestamp at once. A load that is neither pending nor committed is
/// dead: its versions are garbage, and were never visible. Thread: any.
class Loads {
 public:
  struct State {
    enum class Kind : uint8_t { kDead, kPending, kCommitted } kind = Kind::kDead;
    uint64_t value = 0;  // kPending: the transaction's id; kCommitted: the timestamp
  };
  void begin(uint64_t load, uint64_t transaction);
  void commit(uint64_t load, Timestamp ts);
  void abort(uint64_t load);
  State find(uint64_t load) const;
  size_t count() const;
  /// While one lives, loads may get numbers above `number` and begin only later.
  class Hold {
   public:
    Hold(Loads& loads, uint64_t number);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Loads& loads_;
    const uint64_t number_;
  };
  /// The greatest number, at most `limit`, up to which every load has begun and is committed or dead. Requires that `limit` was
  /// given out before the call.
  uint64_t decided_up_to(uint64_t limit) const;
  /// Loads of transactions that are not over.
  size_t pending() const { return pending_.load(std::memory_order_acquire); }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<uint64_t, State> states_;
  std::multiset<uint64_t> holds_;
  std::atomic<size_t> pending_{0};
};

}  // namespace omendb::txn
