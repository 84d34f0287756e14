// Epochs: when may memory that readers could still be looking at be given back?
//
// A reader pins the current epoch for as long as it follows pointers; a writer that unlinks something retires
// it with the epoch of that moment; it is freed once no pin as old as that remains. One process-wide domain
// serves the index and whoever hangs memory on the index's payloads.
//
// Invariants
//  1. retire(p) is called after p can no longer be reached by a reader who pins from now on.
//  2. A pin writes only the pinning thread's own cache line: readers never share a written line.
//  3. A pin costs no fence: the reclaiming side pays, with membarrier(2) where the kernel has it. Elsewhere a
//     pin is a fence.
//  4. Pins nest. The outermost one counts.
//  5. Memory waits for the oldest pin. Pin for a statement, never for a session: pinned_behind() shows who
//     does not.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace omendb::index {

namespace epoch_internal {

struct Backlog;  // what the slot's threads have retired

struct alignas(64) Slot {
  std::atomic<uint64_t> pinned{0};  // 0: not pinned
  uint32_t depth = 0;               // this thread's nesting of pins
  std::atomic<bool> taken{false};
  Backlog* backlog = nullptr;
  Slot* next = nullptr;
};

extern std::atomic<uint64_t> global_epoch;
extern std::atomic<bool> asymmetric;  // pins need no fence
Slot* acquire_slot();
extern constinit thread_local Slot* this_slot;  // constinit: no call to ask whether it is initialised

inline Slot* slot() {
  Slot* s = this_slot;
  if (s == nullptr) [[unlikely]]
    s = acquire_slot();
  return s;
}

}  // namespace epoch_internal

/// Keeps everything reachable at construction, and after, alive until destruction.
///
/// Thread: belongs to the thread that made it.
/// Cost:   about a nanosecond; nested, less.
class EpochGuard {
 public:
  EpochGuard() : slot_(epoch_internal::slot()) {
    if (slot_->depth++ == 0) pin();
  }
  ~EpochGuard() {
    if (--slot_->depth == 0) slot_->pinned.store(0, std::memory_order_release);
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

  /// Lets go of everything reached so far and pins anew, if this is the outermost guard. A statement that
  /// changes millions of keys calls it now and then: what it retires itself waits for its own pin, too.
  void renew() {
    if (slot_->depth == 1) pin();
  }

 private:
  // Release: what this thread read under earlier pins happened before this store (for whoever frees after
  // reading it). Acquire of the epoch: whoever retired before this epoch began has unlinked before we look.
  void pin() {
#if defined(__SANITIZE_THREAD__)
    slot_->pinned.exchange(epoch_internal::global_epoch.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
#else
    const uint64_t now = epoch_internal::global_epoch.load(std::memory_order_acquire);
    slot_->pinned.store(now, std::memory_order_release);
    if (epoch_internal::asymmetric.load(std::memory_order_relaxed)) [[likely]] {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
#endif
  }

  epoch_internal::Slot* slot_;
};

/// Calls destroy(object) once no reader can hold it any more. `bytes` is for the accounts only.
///
/// Thread: any. destroy may run on another thread, and must not retire.
void epoch_retire(void* object, void (*destroy)(void*), size_t bytes);

/// Frees what can be freed now, of every thread; returns the bytes that still wait. A thread frees what it has retired little by little as
/// it retires more, so whoever keeps threads that may go idle calls this now and then.
///
/// Cost: a membarrier, and what there is to free.
size_t epoch_reclaim();

/// Bytes retired and not yet freed.
size_t epoch_waiting_bytes();

/// How many epochs the oldest pin lags behind; 0 when nothing is pinned.
uint64_t epoch_pinned_behind();

}  // namespace omendb::index
