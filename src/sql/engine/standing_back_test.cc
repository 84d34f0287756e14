#include "sql/engine/standing_back.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace omendb::sql {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kProcessors = 2;

/// A machine in samples: what a thread that always wants a processor gets of one at each priority, and what the server gets of both.
struct Machine {
  double idle, low, normal;
  double server;
};

class StandingBackTest : public ::testing::Test {
 protected:
  /// One slice of a statement that only computes.
  StandingSample slice(const Machine& machine) const {
    const std::array shares{machine.normal, machine.low, machine.idle};
    const double share = shares[static_cast<size_t>(standing_.priority())];
    StandingSample sample;
    sample.wall = standing_.time();
    sample.cpu = std::chrono::duration_cast<StandingSample::Duration>(share * standing_.time());
    sample.queued = sample.wall - sample.cpu;
    sample.process =
        std::chrono::duration_cast<StandingSample::Duration>(machine.server * kProcessors * standing_.time());
    return sample;
  }
  /// The share of a processor that the statement gets in so long.
  double share(const Machine& machine, std::chrono::seconds time) {
    StandingSample::Duration wall{0}, cpu{0};
    while (wall < time) {
      const StandingSample sample = slice(machine);
      wall += sample.wall;
      cpu += sample.cpu;
      EXPECT_FALSE(standing_.take(sample));
      highest_ = std::min(highest_, standing_.priority());
    }
    return static_cast<double>(cpu.count()) / static_cast<double>(wall.count());
  }

  StandingBack standing_{kProcessors, false};
  Priority highest_ = Priority::kIdle;  // that it came to
};

TEST_F(StandingBackTest, WhatShortStatementsLeaveIsEnough) {
  EXPECT_NEAR(share({.idle = 0.3, .low = 0.5, .normal = 0.5, .server = 0.7}, std::chrono::seconds(20)), 0.3, 0.001);
  EXPECT_EQ(highest_, Priority::kIdle);
}

TEST_F(StandingBackTest, NextToNothingIsMadeUpForAtNiceTen) {
  EXPECT_GT(share({.idle = 0.01, .low = 0.4, .normal = 0.5, .server = 0.9}, std::chrono::seconds(20)), 0.35);
  EXPECT_EQ(highest_, Priority::kLow);
}

// Many clients of the server itself: there are those who wait for every part of a processor that it takes.
TEST_F(StandingBackTest, TheServersOwnShortStatementsAreNotPushedAside) {
  EXPECT_LT(share({.idle = 0.01, .low = 0.03, .normal = 0.2, .server = 0.8}, std::chrono::seconds(20)), 0.04);
  EXPECT_EQ(highest_, Priority::kLow);
}

// Six foreign processes on two processors: nice 10 is 3 % of one.
TEST_F(StandingBackTest, BesideForeignLoadItTakesWhatEverybodyHas) {
  EXPECT_GT(share({.idle = 0.003, .low = 0.03, .normal = 0.25, .server = 0.25}, std::chrono::seconds(60)), 0.2);
  EXPECT_EQ(highest_, Priority::kNormal);
}

TEST_F(StandingBackTest, ItStandsBackAgainWhenTheForeignLoadIsGone) {
  share({.idle = 0.003, .low = 0.03, .normal = 0.25, .server = 0.25}, std::chrono::seconds(60));
  const Machine quiet{.idle = 0.3, .low = 0.5, .normal = 0.5, .server = 0.7};
  StandingSample::Duration wall{0};
  while (standing_.priority() != Priority::kIdle) {
    const auto sample = slice(quiet);
    wall += sample.wall;
    standing_.take(sample);
  }
  EXPECT_LE(wall, milliseconds(200));
  highest_ = Priority::kIdle;
  share(quiet, std::chrono::seconds(5));
  EXPECT_EQ(highest_, Priority::kIdle);
}

// A disk keeps it waiting, or a worker that works.
TEST_F(StandingBackTest, WaitingForSomethingElseIsNoReason) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(standing_.take(
        {.wall = milliseconds(50), .cpu = milliseconds(1), .queued = milliseconds(1), .process = milliseconds(5)}));
    EXPECT_FALSE(standing_.take({.wall = milliseconds(50),
                                 .cpu = milliseconds(1),
                                 .queued = milliseconds(30),
                                 .waited = milliseconds(49),
                                 .workers = milliseconds(20),
                                 .process = milliseconds(25)}));
    ASSERT_EQ(standing_.priority(), Priority::kIdle);
  }
}

TEST_F(StandingBackTest, WorkersWithoutAProcessorAreFreedAndThenRaised) {
  const StandingSample stuck{.wall = milliseconds(50),
                             .cpu = milliseconds(1),
                             .waited = milliseconds(49),
                             .workers = milliseconds(1),
                             .process = milliseconds(20)};
  EXPECT_TRUE(standing_.take(stuck));
  EXPECT_EQ(standing_.priority(), Priority::kLow);
  EXPECT_FALSE(standing_.take(stuck));
  EXPECT_EQ(standing_.priority(), Priority::kNormal);
}

TEST_F(StandingBackTest, WhatAnotherStatementFoundHoldsForThisOne) {
  StandingBack next(kProcessors, true);
  EXPECT_EQ(next.priority(), Priority::kNormal);
  next.take(
      {.wall = milliseconds(200), .cpu = milliseconds(100), .queued = milliseconds(100), .process = milliseconds(300)});
  EXPECT_EQ(next.priority(), Priority::kIdle);
}

// As a part of a task does that gets no processor: work that lasts until its thread's priority has changed.
TEST(OverdueWatch, WorkThatIsOverdueGetsAnotherPriorityUntilItIsDone) {
  std::thread standing([] {
    lower_priority(Priority::kIdle);
    set_priority(gettid(), Priority::kNormal);
    if (sched_getscheduler(0) == SCHED_IDLE) return;  // without privileges nothing happens
    lower_priority(Priority::kIdle);
    OverdueWatch watch(kProcessors);
    watch.run(Priority::kIdle, [] {
      while (sched_getscheduler(0) == SCHED_IDLE) std::this_thread::sleep_for(milliseconds(1));
    });
    EXPECT_EQ(sched_getscheduler(0), SCHED_IDLE);
    EXPECT_THROW(watch.run(Priority::kIdle, [] { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(sched_getscheduler(0), SCHED_IDLE);
  });
  standing.join();
}

}  // namespace
}  // namespace omendb::sql
