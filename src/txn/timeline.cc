#include "txn/timeline.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::txn {

struct SnapshotRef::Slot {
  std::atomic<uint64_t> timestamp{UINT64_MAX};
  std::atomic<uint32_t> references{0};
  Timeline* timeline = nullptr;
};

SnapshotRef::SnapshotRef(const SnapshotRef& other) : slot_(other.slot_) {
  if (slot_ != nullptr) slot_->references.fetch_add(1, std::memory_order_relaxed);
}

Timestamp SnapshotRef::timestamp() const {
  CHECK(slot_ != nullptr);
  return Timestamp(slot_->timestamp.load(std::memory_order_relaxed));
}

void SnapshotRef::reset() {
  if (slot_ != nullptr && slot_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    slot_->timeline->give_back(slot_);
  }
  slot_ = nullptr;
}

Timeline::Timeline() = default;
Timeline::~Timeline() = default;

void Timeline::start(Timestamp last) {
  clock_.store(last.value);
  watermark_.store(last.value);
}

void Timeline::enter(SnapshotRef::Slot* slot) {
  // horizon() announces its floor before it looks at the slots; we announce our slot before we look at the floor. So
  // either it sees us, or we see that our snapshot may be too old to be kept and take a newer one.
  for (;;) {
    const uint64_t ts = watermark_.load(std::memory_order_acquire);
    slot->timestamp.store(ts, std::memory_order_seq_cst);
    if (floor_.load(std::memory_order_seq_cst) <= ts) return;
  }
}

SnapshotRef Timeline::snapshot(SnapshotRef old) {
  if (old.slot_ != nullptr && old.slot_->references.load(std::memory_order_acquire) == 1) {
    enter(old.slot_);
    return old;
  }
  SnapshotRef::Slot* slot = nullptr;
  {
    MutexLock lock(mutex_);
    if (free_.empty()) {
      slot = &slots_.emplace_back();
      slot->timeline = this;
    } else {
      slot = free_.back();
      free_.pop_back();
    }
  }
  slot->references.store(1, std::memory_order_relaxed);
  enter(slot);
  return SnapshotRef(slot);
}

void Timeline::give_back(SnapshotRef::Slot* slot) {
  slot->timestamp.store(UINT64_MAX, std::memory_order_release);
  MutexLock lock(mutex_);
  free_.push_back(slot);
}

Timestamp Timeline::horizon() {
  uint64_t horizon = watermark_.load(std::memory_order_acquire);
  uint64_t floor = floor_.load(std::memory_order_relaxed);
  while (floor < horizon && !floor_.compare_exchange_weak(floor, horizon, std::memory_order_seq_cst)) {
  }
  MutexLock lock(mutex_);
  for (const auto& slot : slots_) horizon = std::min(horizon, slot.timestamp.load(std::memory_order_seq_cst));
  return Timestamp(horizon);
}

size_t Timeline::snapshot_count() {
  MutexLock lock(mutex_);
  return slots_.size() - free_.size();
}

void Loads::begin(uint64_t load, uint64_t transaction) {
  std::unique_lock lock(mutex_);
  states_[load] = {State::Kind::kPending, transaction};
  pending_.fetch_add(1, std::memory_order_release);
}
void Loads::commit(uint64_t load, Timestamp ts) {
  std::unique_lock lock(mutex_);
  State& state = states_[load];
  if (state.kind == State::Kind::kPending) pending_.fetch_sub(1, std::memory_order_release);
  state = {State::Kind::kCommitted, ts.value};
}
void Loads::abort(uint64_t load) {
  std::unique_lock lock(mutex_);
  if (states_.erase(load) != 0) pending_.fetch_sub(1, std::memory_order_release);
}
Loads::State Loads::find(uint64_t load) const {
  std::shared_lock lock(mutex_);
  const auto it = states_.find(load);
  return it == states_.end() ? State{} : it->second;
}
Loads::Hold::Hold(Loads& loads, uint64_t number) : loads_(loads), number_(number) {
  std::unique_lock lock(loads_.mutex_);
  loads_.holds_.insert(number);
}
Loads::Hold::~Hold() {
  std::unique_lock lock(loads_.mutex_);
  loads_.holds_.erase(loads_.holds_.find(number_));
}
uint64_t Loads::decided_up_to(uint64_t limit) const {
  std::shared_lock lock(mutex_);
  if (!holds_.empty()) limit = std::min(limit, *holds_.begin());
  if (pending_.load(std::memory_order_relaxed) == 0) return limit;
  for (const auto& [load, state] : states_) {
    if (state.kind == State::Kind::kPending) limit = std::min(limit, load - 1);
  }
  return limit;
}
size_t Loads::count() const {
  std::shared_lock lock(mutex_);
  return states_.size();
}

}  // namespace omendb::txn
