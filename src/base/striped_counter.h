// A counter that many threads add to without sharing a cache line, and without a locked instruction.
//
// A locked add waits for every load before it and holds back every load after it, so that one read's cache misses
// cannot overlap the next one's. So a thread owns a stripe for as long as it lives, and adds to it with a load and a
// store (a point read with two counters: 473 -> 453 ns). Threads beyond kOwned share the last stripe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace omendb {

class StripedCounter {
 public:
  void add(uint64_t n = 1) {
    size_t mine = stripe_;
    if (mine == kNone) [[unlikely]]
      mine = acquire();
    std::atomic<uint64_t>& value = stripes_[mine].value;
    if (mine < kOwned) [[likely]] {
      value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    } else {
      value.fetch_add(n, std::memory_order_relaxed);
    }
  }
  uint64_t total() const {
    uint64_t sum = 0;
    for (const auto& s : stripes_) sum += s.value.load(std::memory_order_relaxed);
    return sum;
  }

  static constexpr size_t kOwned = 64;

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct alignas(64) Stripe {
    std::atomic<uint64_t> value{0};
  };
  /// Gives the calling thread a stripe of its own until it ends, or the shared one.
  static size_t acquire();
  static constinit thread_local size_t stripe_;

  std::array<Stripe, kOwned + 1> stripes_;
};

}  // namespace omendb
