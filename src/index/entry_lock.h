// Locking an entry, for a writer that has its leaf and for a change of structure.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "index/build.h"
#include "index/core.h"
#include "index/epoch.h"
#include "index/leaf.h"

namespace omendb::index {

/// The version that a writer leaves.
inline uint64_t unlocked(uint64_t version, uint32_t live) {
  constexpr uint64_t kSequenceMask = (uint64_t{1} << kLiveShift) - 1;
  return ((((version & kSequenceMask) | (kSequence - 1)) + 1) & kSequenceMask) |
         (static_cast<uint64_t>(live) << kLiveShift);
}

/// The writer of a locked entry is about to move its slots.
inline void raise_busy(Entry& entry, uint64_t version) {
  entry.version.store(version | kLocked | kBusy, std::memory_order_release);
}

inline void unlock(Entry& entry, uint64_t version, uint32_t live) {
  entry.version.store(unlocked(version, live), std::memory_order_release);
}

/// Requires: the entry cannot become obsolete meanwhile (its segment's smo_lock is held). Returns the version before.
inline uint64_t lock_entry(Entry& entry) {
  for (uint32_t attempt = 0;; Core::relax(attempt++)) {
    uint64_t version = entry.version.load(std::memory_order_relaxed);
    if ((version & kLocked) == 0 &&
        entry.version.compare_exchange_weak(version, version | kLocked, std::memory_order_acquire)) {
      return version;
    }
  }
}

/// Held by who changes the structure of a segment.
class SmoLock {
 public:
  explicit SmoLock(Segment* segment) : segment_(segment) {
    for (uint32_t attempt = 0; segment_->smo_lock.exchange(1, std::memory_order_acquire) != 0; Core::relax(attempt++)) {
    }
  }
  SmoLock(Segment* segment, std::try_to_lock_t) : segment_(segment) {
    if (segment_->smo_lock.exchange(1, std::memory_order_acquire) != 0) segment_ = nullptr;
  }
  ~SmoLock() {
    if (segment_ != nullptr) segment_->smo_lock.store(0, std::memory_order_release);
  }
  SmoLock(const SmoLock&) = delete;
  SmoLock& operator=(const SmoLock&) = delete;
  bool held() const { return segment_ != nullptr; }

 private:
  Segment* segment_;
};

inline void retire_leaf(Slot* slots, Model model) { epoch_retire(slots, free_leaf, leaf_bytes(model)); }

/// As `version` of the entry, which is locked, has it.
inline LeafImage image_of(const Entry& entry, uint64_t version) {
  return {entry.base.load(std::memory_order_relaxed), Model{entry.model.load(std::memory_order_relaxed)},
          entry.leaf.load(std::memory_order_relaxed), static_cast<uint32_t>(version >> kLiveShift)};
}

}  // namespace omendb::index
