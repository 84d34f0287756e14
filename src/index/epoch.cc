#include "index/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <vector>

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

struct Domain {
  std::atomic<Slot*> slots{nullptr};  // only grows; a slot is reused after its thread ends
  std::mutex orphans_mutex;
  std::vector<Retired> orphans;  // left by threads that ended
  std::atomic<size_t> orphan_bytes{0};

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
  std::deque<Retired> retired;  // ascending epochs
  size_t pending = 0;           // of them, retired since the last look at the pins
  size_t pending_bytes = 0;
  size_t look_after = kReclaimEvery;
  uint64_t safe = 0;  // what was retired before can be freed

  ~ThreadState() {
    if (!retired.empty()) {
      std::lock_guard lock(domain().orphans_mutex);
      domain().orphans.insert(domain().orphans.end(), retired.begin(), retired.end());
      domain().orphan_bytes.fetch_add(slot->waiting_bytes.exchange(0, std::memory_order_relaxed),
                                      std::memory_order_relaxed);
    }
    if (slot != nullptr) {
      this_slot = nullptr;
      slot->taken.store(false, std::memory_order_release);
    }
  }
};

ThreadState& thread_state() {
  static thread_local ThreadState state;
  return state;
}

// By its only writer: no locked instruction.
void add_waiting(Slot& slot, size_t bytes) {
  slot.waiting_bytes.store(slot.waiting_bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

void free_some(ThreadState& state, size_t most) {
  for (; most > 0 && !state.retired.empty() && state.retired.front().epoch < state.safe; --most) {
    const Retired r = state.retired.front();
    state.retired.pop_front();
    add_waiting(*state.slot, 0 - r.bytes);
    r.destroy(r.object);
  }
}

void look(ThreadState& state) {
  // What is retired from now on gets an epoch of at least `now`, and must not pass for looked at when nobody
  // is pinned.
  const uint64_t now = global_epoch.load(std::memory_order_seq_cst);
  heavy_fence();
  state.safe = std::min(oldest_pin(), now);
  // With a reader stuck behind, look again only after as much again has gathered: the work stays linear.
  const bool stuck = !state.retired.empty() && state.retired.front().epoch >= state.safe;
  state.look_after = stuck ? state.retired.size() + kReclaimEvery : kReclaimEvery;
  state.pending = state.pending_bytes = 0;
}

void free_orphans(uint64_t safe) {
  std::vector<Retired> ready;
  {
    std::unique_lock lock(domain().orphans_mutex, std::try_to_lock);
    if (!lock.owns_lock() || domain().orphans.empty()) return;
    auto& orphans = domain().orphans;
    const auto keep = std::partition(orphans.begin(), orphans.end(), [&](const Retired& r) { return r.epoch >= safe; });
    ready.assign(keep, orphans.end());
    orphans.erase(keep, orphans.end());
  }
  for (const Retired& r : ready) {
    domain().orphan_bytes.fetch_sub(r.bytes, std::memory_order_relaxed);
    r.destroy(r.object);
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
  state.retired.push_back(Retired{object, destroy_object, epoch, bytes});
  add_waiting(*state.slot, bytes);
  ++state.pending;
  state.pending_bytes += bytes;
  if (state.pending >= state.look_after ||
      (state.pending_bytes >= kReclaimBytes && state.pending * 4 >= state.look_after)) {
    look(state);
    free_orphans(state.safe);
  }
  free_some(state, kFreeAtOnce);
}

size_t epoch_reclaim() {
  ThreadState& state = thread_state();
  look(state);
  free_some(state, state.retired.size());
  free_orphans(state.safe);
  return epoch_waiting_bytes();
}

size_t epoch_waiting_bytes() {
  size_t bytes = domain().orphan_bytes.load(std::memory_order_relaxed);
  for (const Slot* s = domain().slots.load(std::memory_order_acquire); s != nullptr; s = s->next)
    bytes += s->waiting_bytes.load(std::memory_order_relaxed);
  return bytes;
}

uint64_t epoch_pinned_behind() {
  const uint64_t oldest = oldest_pin();
  return oldest == UINT64_MAX ? 0 : global_epoch.load(std::memory_order_acquire) - oldest;
}

}  // namespace omendb::index
