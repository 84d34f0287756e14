#include "server/stall_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "index/epoch.h"

namespace omendb::server {
namespace {

TEST(StallWatch, WarnsOfAStuckReaderAndOfItsEnd) {
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::string> warnings;
  StallWatch watch(1 << 20, 1, [&](const std::string& text) {
    std::lock_guard lock(mutex);
    warnings.push_back(text);
    heard.notify_one();
  });
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    return heard.wait_for(lock, std::chrono::seconds(60), [&] { return warnings.size() >= count; });
  };
  {
    index::EpochGuard stuck;
    index::epoch_retire(
        new int(1), [](void* p) { delete static_cast<int*>(p); }, 3 << 20);
    ASSERT_TRUE(wait_for(1));
    EXPECT_NE(warnings[0].find("3 MB of the index wait for a reader"), std::string::npos) << warnings[0];
  }
  (void)index::epoch_reclaim();
  ASSERT_TRUE(wait_for(2));
  EXPECT_NE(warnings[1].find("was freed"), std::string::npos) << warnings[1];
}

}  // namespace
}  // namespace omendb::server
