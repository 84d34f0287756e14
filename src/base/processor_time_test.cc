#include "base/processor_time.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace omendb {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

void work(milliseconds cpu) {
  const auto from = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  while (cpu_time(CLOCK_THREAD_CPUTIME_ID) - from < cpu) {
  }
}

/// The processor time of a task of so many steps of 5 ms, as a share of what it and a neighbour on the same processor got together.
double share_beside_a_neighbour(bool paced) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);  // threads that begin here stay here
  std::atomic<bool> over{false};
  std::atomic<int64_t> neighbour{0};
  std::thread other([&] {
    while (!over) neighbour = cpu_time(CLOCK_THREAD_CPUTIME_ID).count();
  });
  const auto from = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  Pace pace(paced);
  for (int step = 0; step < 40; ++step) {
    work(milliseconds(5));
    pace.rest();
  }
  const auto mine = static_cast<double>((cpu_time(CLOCK_THREAD_CPUTIME_ID) - from).count());
  over = true;
  other.join();
  return mine / (mine + static_cast<double>(neighbour));
}

TEST(Pace, ALongTaskLeavesMostOfAProcessorToItsNeighbour) {
  if (!queued_time().has_value()) GTEST_SKIP() << "the system does not say how long threads wait for a processor";
  double alone = 0, paced = 0;
  std::thread([&] { alone = share_beside_a_neighbour(false); }).join();
  std::thread([&] { paced = share_beside_a_neighbour(true); }).join();
  EXPECT_LT(paced, alone);
  EXPECT_LT(paced, 0.4);
}

TEST(Pace, OffItNeverRests) {
  Pace pace(false);
  const auto from = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) pace.rest();
  EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(10));
}

}  // namespace
}  // namespace omendb
