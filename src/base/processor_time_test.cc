#include "base/processor_time.h"

#include <gtest/gtest.h>

namespace omendb {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Pace, NobodyElseWantsTheProcessorSoThereIsNoRest) {
  EXPECT_EQ(Pace::rest_after(milliseconds(20), nanoseconds(0)), nanoseconds(0));
  EXPECT_EQ(Pace::rest_after(milliseconds(20), milliseconds(2)), nanoseconds(0));
}

TEST(Pace, WorkAndRestTogetherLeaveAQuarter) {
  for (const milliseconds cpu : {milliseconds(4), milliseconds(20), milliseconds(30)}) {
    for (const int eighths : {1, 4, 8, 16, 24}) {
      const nanoseconds queued = nanoseconds(cpu) * eighths / 8;
      EXPECT_EQ(queued + Pace::rest_after(cpu, queued), 3 * cpu) << cpu.count() << " ms, " << eighths;
    }
  }
}

TEST(Pace, WhoIsStarvedDoesNotRestAsWell) {
  EXPECT_EQ(Pace::rest_after(milliseconds(20), milliseconds(61)), nanoseconds(0));
  EXPECT_EQ(Pace::rest_after(milliseconds(20), seconds(10)), nanoseconds(0));
}

TEST(Pace, ARestEndsSoon) { EXPECT_EQ(Pace::rest_after(seconds(10), seconds(10)), milliseconds(100)); }

TEST(Pace, TheSystemSaysWhatThreadsGet) {
  const nanoseconds from = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  while (cpu_time(CLOCK_THREAD_CPUTIME_ID) - from < milliseconds(1)) {
  }
  EXPECT_GE(cpu_time(CLOCK_PROCESS_CPUTIME_ID), cpu_time(CLOCK_THREAD_CPUTIME_ID));
  if (const auto queued = queued_time()) EXPECT_GE(*queued, nanoseconds(0));
}

}  // namespace
}  // namespace omendb
