#include "index/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>

namespace omendb::index {
namespace epoch_internal {

std::atomic<uint64_t> global_epoch{1};
std::atomic<bool> asymmetric{false};
constinit thread_local Slot* this_slot = nullptr;

namespace {

// A membarrier costs microseconds, more where processors are shared: once in this many retirements, some ten
// thousand inserts. Freeing what it found safe is spread over the retirements that follow.
constexpr size_t kReclaimEvery = 128;
constexpr size_t kReclaimBytes = 4 << 20;
constexpr size_t kFreeAtOnce = 4;
constexpr size_t kFreeOfOthersAtOnce = 64;

struct Retired {
  void* object;
  void (*destroy)(void*);
  uint64_t epoch;
  size_t bytes;
};

}  // namespace

// Under a lock that nobody else wants as a rule, so that others can free what an idle thread has left.
struct Backlog {
  std::mutex mutex;
  std::deque<Retired> retired;  // ascending epochs
  std::atomic<size_t> bytes{0};

  void add(const Retired& r) {
    std::lock_guard lock(mutex);
    retired.push_back(r);
    bytes.store(bytes.load(std::memory_order_relaxed) + r.bytes, std::memory_order_relaxed);
  }
  /// Frees up to `most` of those that were retired before `safe`.
  void free_some(uint64_t safe, size_t most);
  /// How many there are, if not even the oldest can be freed; else 0.
  size_t stuck(uint64_t safe) {
    std::lock_guard lock(mutex);
    return !retired.empty() && retired.front().epoch >= safe ? retired.size() : 0;
  }
};

void Backlog::free_some(uint64_t safe, size_t most) {
  constexpr size_t kTaken = 16;
  while (most > 0) {
    Retired taken[kTaken];
    size_t n = 0;
    {
      std::lock_guard lock(mutex);
      size_t freed = 0;
      for (; n < std::min(most, kTaken) && !retired.empty() && retired.front().epoch < safe; ++n) {
        taken[n] = retired.front();
        freed += taken[n].bytes;
        retired.pop_front();
      }
      bytes.store(bytes.load(std::memory_order_relaxed) - freed, std::memory_order_relaxed);
    }
    for (size_t i = 0; i < n; ++i) taken[i].destroy(taken[i].object);
    if (n < kTaken) return;
    most -= n;
  }
}

namespace {

struct Domain {
  // Only grows; a slot, and what it has in its backlog, is taken over after its thread ends.
  std::atomic<Slot*> slots{nullptr};

  Domain() {
#if !defined(__SANITIZE_THREAD__)
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
      asymmetric.store(true, std::memory_order_relaxed);
    }
#endif
  }
};

// Never destroyed: threads may end after static destructors have run.
Domain& domain() {
  static Domain* d = new Domain;
  return *d;
}

void heavy_fence() {
#if defined(__SANITIZE_THREAD__)
  return;  // it knows no fences: under it pins are sequentially consistent exchanges
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (asymmetric.load(std::memory_order_relaxed)) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

// The oldest pinned epoch, or UINT64_MAX.
uint64_t oldest_pin() {
  uint64_t oldest = UINT64_MAX;
  for (Slot* s = domain().slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
    const uint64_t pinned = s->pinned.load(std::memory_order_seq_cst);
    if (pinned != 0) oldest = std::min(oldest, pinned);
  }
  return oldest;
}

struct ThreadState {
  Slot* slot = nullptr;
  size_t pending = 0;  // retired since the last look at the pins
  size_t pending_bytes = 0;
  size_t look_after = kReclaimEvery;
  uint64_t safe = 0;  // what was retired before can be freed

  ~ThreadState() {
    if (slot == nullptr) return;
    this_slot = nullptr;
    slot->taken.store(false, std::memory_order_release);
  }
};

ThreadState& thread_state() {
  static thread_local ThreadState state;
  return state;
}

void look(ThreadState& state) {
  // What is retired from now on gets an epoch of at least `now`, and must not pass for looked at when nobody
  // is pinned.
  const uint64_t now = global_epoch.load(std::memory_order_seq_cst);
  heavy_fence();
  state.safe = std::min(oldest_pin(), now);
  // With a reader stuck behind, look again only after as much again has gathered: the work stays linear.
  state.look_after = state.slot->backlog->stuck(state.safe) + kReclaimEvery;
  state.pending = state.pending_bytes = 0;
}

/// Of all slots, or of those whose thread has ended.
void free_of_others(uint64_t safe, bool all, size_t most) {
  for (Slot* s = domain().slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
    if (all || !s->taken.load(std::memory_order_acquire)) s->backlog->free_some(safe, most);
  }
}

}  // namespace

Slot* acquire_slot() {
  Domain& d = domain();
  ThreadState& state = thread_state();
  for (Slot* s = d.slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
    bool expected = false;
    if (!s->taken.load(std::memory_order_relaxed) &&
        s->taken.compare_exchange_strong(expected, true, std::memory_order_acq_rel)) {
      return state.slot = this_slot = s;
    }
  }
  Slot* s = new Slot;
  s->backlog = new Backlog;
  s->taken.store(true, std::memory_order_relaxed);
  s->next = d.slots.load(std::memory_order_relaxed);
  while (!d.slots.compare_exchange_weak(s->next, s, std::memory_order_acq_rel)) {
  }
  return state.slot = this_slot = s;
}

}  // namespace epoch_internal

using namespace epoch_internal;

void epoch_retire(void* object, void (*destroy_object)(void*), size_t bytes) {
  ThreadState& state = thread_state();
  if (state.slot == nullptr) acquire_slot();
  // A read-modify-write: a reader who sees a later epoch has synchronised with this one, and so sees the
  // unlinking.
  const uint64_t epoch = global_epoch.fetch_add(1, std::memory_order_acq_rel);
  state.slot->backlog->add({object, destroy_object, epoch, bytes});
  ++state.pending;
  state.pending_bytes += bytes;
  if (state.pending >= state.look_after ||
      (state.pending_bytes >= kReclaimBytes && state.pending * 4 >= state.look_after)) {
    look(state);
    free_of_others(state.safe, false, kFreeOfOthersAtOnce);
  }
  state.slot->backlog->free_some(state.safe, kFreeAtOnce);
}

size_t epoch_reclaim() {
  ThreadState& state = thread_state();
  if (state.slot == nullptr) acquire_slot();
  look(state);
  free_of_others(state.safe, true, SIZE_MAX);
  return epoch_waiting_bytes();
}

size_t epoch_waiting_bytes() {
  size_t bytes = 0;
  for (const Slot* s = domain().slots.load(std::memory_order_acquire); s != nullptr; s = s->next)
    bytes += s->backlog->bytes.load(std::memory_order_relaxed);
  return bytes;
}

uint64_t epoch_pinned_behind() {
  const uint64_t oldest = oldest_pin();
  return oldest == UINT64_MAX ? 0 : global_epoch.load(std::memory_order_acquire) - oldest;
}

}  // namespace omendb::index
