#include "index/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace omendb::index {
namespace epoch_internal {

std::atomic<uint64_t> global_epoch{1};
std::atomic<bool> asymmetric{false};
thread_local Slot* this_slot = nullptr;

namespace {

// 64 leaves of 8 KB: half a megabyte, and a membarrier (1-2 us) spread over 64 structure changes.
constexpr size_t kReclaimEvery = 64;
constexpr size_t kReclaimBytes = 1 << 20;

struct Domain {
  std::atomic<Slot*> slots{nullptr};  // only grows; a slot is reused after its thread ends
  std::atomic<size_t> waiting_bytes{0};
  std::mutex orphans_mutex;
  std::vector<Retired> orphans;  // left by threads that ended

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
  if (asymmetric.load(std::memory_order_relaxed))
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
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

void free_before(std::vector<Retired>& list, uint64_t oldest) {
  size_t freed = 0, kept = 0;
  for (Retired& r : list) {
    if (r.epoch < oldest) {
      freed += r.bytes;
      r.destroy(r.object);
    } else {
      list[kept++] = r;
    }
  }
  list.resize(kept);
  domain().waiting_bytes.fetch_sub(freed, std::memory_order_relaxed);
}

struct ThreadState {
  Slot* slot = nullptr;
  std::vector<Retired> retired;
  size_t retired_bytes = 0;
  size_t next_reclaim = kReclaimEvery;

  ~ThreadState() {
    if (!retired.empty()) {
      std::lock_guard lock(domain().orphans_mutex);
      domain().orphans.insert(domain().orphans.end(), retired.begin(), retired.end());
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

void reclaim(ThreadState& state) {
  heavy_fence();
  const uint64_t oldest = oldest_pin();
  free_before(state.retired, oldest);
  state.retired_bytes = 0;
  for (const Retired& r : state.retired) state.retired_bytes += r.bytes;
  // With a reader stuck behind, look again only after as much again has gathered: the work stays linear.
  state.next_reclaim = state.retired.size() * 2 + kReclaimEvery;
  std::unique_lock lock(domain().orphans_mutex, std::try_to_lock);
  if (lock.owns_lock() && !domain().orphans.empty()) free_before(domain().orphans, oldest);
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

void epoch_retire(void* object, void (*destroy)(void*), size_t bytes) {
  ThreadState& state = thread_state();
  // A read-modify-write: a reader who sees a later epoch has synchronised with this one, and so sees the
  // unlinking.
  const uint64_t epoch = global_epoch.fetch_add(1, std::memory_order_acq_rel);
  state.retired.push_back(Retired{object, destroy, epoch, bytes});
  state.retired_bytes += bytes;
  domain().waiting_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (state.retired.size() >= state.next_reclaim ||
      (state.retired_bytes >= kReclaimBytes && state.retired.size() * 2 >= state.next_reclaim)) {
    reclaim(state);
  }
}

size_t epoch_reclaim() {
  reclaim(thread_state());
  return epoch_waiting_bytes();
}

size_t epoch_waiting_bytes() { return domain().waiting_bytes.load(std::memory_order_relaxed); }

uint64_t epoch_pinned_behind() {
  const uint64_t oldest = oldest_pin();
  return oldest == UINT64_MAX ? 0 : global_epoch.load(std::memory_order_acquire) - oldest;
}

}  // namespace omendb::index
