#include "base/background_threads.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include <gtest/gtest.h>

namespace omendb {
namespace {

int own_nice() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(BackgroundThreads, LowerThePriorityOfTheirWorkAlone) {
  const int nice = own_nice(), policy = sched_getscheduler(0);
  BackgroundThreads low(Priority::kLow), idle(Priority::kIdle), normal(Priority::kNormal);
  int low_nice = 0, inherited = 0, idle_policy = 0, normal_nice = 0;
  low.run([&] {
    low_nice = own_nice();
    std::thread([&] { inherited = own_nice(); }).join();
  });
  idle.run([&] { idle_policy = sched_getscheduler(0); });
  normal.run([&] { normal_nice = own_nice(); });
  EXPECT_GT(low_nice, nice);
  EXPECT_EQ(inherited, low_nice);
  EXPECT_EQ(idle_policy, SCHED_IDLE);
  EXPECT_EQ(normal_nice, nice);
  EXPECT_EQ(own_nice(), nice);
  EXPECT_EQ(sched_getscheduler(0), policy);
}

TEST(BackgroundThreads, HandOnWhatTheWorkThrowsAndWorkOn) {
  BackgroundThreads threads(Priority::kLow);
  EXPECT_THROW(threads.run([] { throw std::runtime_error("no"); }), std::runtime_error);
  bool done = false;
  threads.run([&] { done = true; });
  EXPECT_TRUE(done);
}

TEST(BackgroundThreads, CallersDoNotWaitForEachOther) {
  constexpr int kCallers = 8;
  BackgroundThreads threads(Priority::kLow);
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> inside{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      // Ends only when all are inside at the same time.
      callers.emplace_back([&] {
        threads.run([&] {
          ++inside;
          while (inside < kCallers) std::this_thread::yield();
        });
      });
    }
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(inside, kCallers);
  }
}

}  // namespace
}  // namespace omendb
