#include "base/striped_counter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace omendb {
namespace {

// More threads than stripes, at once and one after the other: nothing is lost.
TEST(StripedCounter, CountsEveryThread) {
  StripedCounter counter;
  constexpr uint64_t kAdds = 20'000;
  uint64_t threads = 0;
  for (int generation = 0; generation < 3; ++generation) {
    std::vector<std::thread> workers;
    for (size_t i = 0; i < StripedCounter::kOwned * 3 / 2; ++i, ++threads) {
      workers.emplace_back([&] {
        for (uint64_t n = 0; n < kAdds; ++n) counter.add();
      });
    }
    for (auto& worker : workers) worker.join();
    ASSERT_EQ(counter.total(), threads * kAdds);
  }
  counter.add(5);
  EXPECT_EQ(counter.total(), threads * kAdds + 5);
}

}  // namespace
}  // namespace omendb
