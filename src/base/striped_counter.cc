#include "base/striped_counter.h"

#include <bit>

namespace omendb {
namespace {

std::atomic<uint64_t> taken{0};  // a bit for each owned stripe

// Release and acquire: who takes a stripe over adds to what its last owner left there.
struct Ownership {
  uint64_t bit = 0;
  size_t* stripe = nullptr;
  ~Ownership() {
    if (stripe != nullptr) *stripe = StripedCounter::kOwned;  // destructors that run later may still count
    taken.fetch_and(~bit, std::memory_order_release);
  }
};

}  // namespace

constinit thread_local size_t StripedCounter::stripe_ = kNone;

size_t StripedCounter::acquire() {
  static thread_local Ownership ownership;
  uint64_t seen = taken.load(std::memory_order_relaxed);
  while (~seen != 0) {
    const uint64_t bit = ~seen & (seen + 1);
    if (!taken.compare_exchange_weak(seen, seen | bit, std::memory_order_acquire)) continue;
    ownership.bit = bit;
    ownership.stripe = &stripe_;
    return stripe_ = static_cast<size_t>(std::countr_zero(bit));
  }
  return stripe_ = kOwned;
}

}  // namespace omendb
