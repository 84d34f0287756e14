#include "txn/change_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>

namespace omendb::txn {
namespace {

const ChangeLog::OnKey kNoKey = [](std::string_view, Timestamp) { FAIL(); };
const ChangeLog::OnSpan kNoSpan = [](const KeySpan&, Timestamp) { FAIL(); };

using Changes = std::vector<std::pair<std::string, uint64_t>>;

Changes read(const ChangeLog& log, uint64_t after, uint64_t up_to) {
  Changes out;
  EXPECT_TRUE(log.read(
      Timestamp(after), Timestamp(up_to),
      [&](std::string_view key, Timestamp ts) { out.emplace_back(std::string(key), ts.value); }, kNoSpan));
  return out;
}

TEST(ChangeLog, TellsExactlyWhatLiesBetween) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  ChangeLog log(Timestamp(100), 64 << 20);
  EXPECT_EQ(log.last(), Timestamp(100));
  Changes all;
  uint64_t ts = 100;
  for (int commit = 0; commit < 2000; ++commit) {
    ts += 1 + random() % 3;
    std::vector<std::string> keys(1 + (random() % 50 == 0 ? random() % 5000 : random() % 4));
    for (auto& key : keys) key = std::string(random() % 40, 'k') + std::to_string(random());
    for (const auto& key : keys) all.emplace_back(key, ts);
    log.append(Timestamp(ts), {keys.begin(), keys.end()});
    EXPECT_EQ(log.last(), Timestamp(ts));
  }
  const auto check = [&](uint64_t after, uint64_t up_to) {
    Changes expected;
    for (const auto& c : all) {
      if (c.second > after && c.second <= up_to) expected.push_back(c);
    }
    ASSERT_EQ(read(log, after, up_to), expected) << after << " " << up_to;
    EXPECT_EQ(log.count(Timestamp(after), Timestamp(up_to)), expected.size());
  };
  check(100, ts + 10);
  for (int i = 0; i < 50; ++i) {
    const uint64_t after = 100 + random() % (ts - 100);
    check(after, after + random() % 500);
  }
  EXPECT_FALSE(log.read(Timestamp(99), Timestamp(ts), kNoKey, kNoSpan));
  EXPECT_EQ(log.count(Timestamp(99), Timestamp(ts)), SIZE_MAX);

  const uint64_t middle = 100 + (ts - 100) / 2;
  const size_t before = log.bytes();
  log.trim(Timestamp(middle));
  EXPECT_EQ(log.from(), Timestamp(middle));
  const auto left =
      static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const auto& c) { return c.second > middle; }));
  EXPECT_LT(log.bytes(), before * left / all.size() + before / 10);
  check(middle, ts);
  EXPECT_FALSE(log.read(Timestamp(middle - 1), Timestamp(ts), kNoKey, kNoSpan));
}

TEST(ChangeLog, SpansStandAmongTheKeysOfTheirCommits) {
  ChangeLog log(Timestamp(0), 1 << 20);
  for (uint64_t ts = 1; ts <= 2000; ++ts) {
    const std::string key = std::to_string(ts), last = key + std::string(ts % 90, 'z');
    if (ts % 3 != 0) log.append(Timestamp(ts), {key});
    if (ts % 3 != 1) log.append_span(Timestamp(ts), {key, last, ts});
  }
  uint64_t sum = 0, keys = 0, last_ts = 0;
  ASSERT_TRUE(log.read(
      Timestamp(500), Timestamp(1500),
      [&](std::string_view key, Timestamp ts) {
        EXPECT_GE(ts.value, last_ts);
        last_ts = ts.value;
        EXPECT_EQ(key, std::to_string(ts.value));
        ++keys;
      },
      [&](const KeySpan& span, Timestamp ts) {
        EXPECT_EQ(span.first, std::to_string(ts.value));
        EXPECT_EQ(span.last, std::string(span.first) + std::string(ts.value % 90, 'z'));
        EXPECT_EQ(span.keys, ts.value);
        sum += span.keys;
      }));
  uint64_t expected_keys = 0, expected_sum = 0;
  for (uint64_t ts = 501; ts <= 1500; ++ts) expected_keys += ts % 3 != 0, expected_sum += ts % 3 != 1 ? ts : 0;
  EXPECT_EQ(keys, expected_keys);
  EXPECT_EQ(sum, expected_sum);
  EXPECT_EQ(log.count(Timestamp(500), Timestamp(1500)), expected_keys + expected_sum);
}

TEST(ChangeLog, HoldsItsBoundAndSaysWhatItForgot) {
  ChangeLog log(Timestamp(0), 256 << 10);
  const std::string text(100, 'x');
  for (uint64_t ts = 1; ts <= 10'000; ++ts) {
    log.append(Timestamp(ts), {text});
    ASSERT_LE(log.bytes(), 256u << 10);
  }
  const uint64_t from = log.from().value;
  EXPECT_GT(from, 7000u);
  EXPECT_LT(from, 9000u);
  EXPECT_EQ(read(log, from, 10'000).size(), 10'000 - from);

  // A commit larger than the bound leaves nothing of itself that could be taken for all of it.
  log.append(Timestamp(10'001), std::vector<std::string_view>(10'000, text));
  EXPECT_EQ(log.from(), Timestamp(10'001));
  EXPECT_EQ(read(log, 10'001, 10'001).size(), 0u);
  log.append(Timestamp(10'002), {text});
  EXPECT_EQ(read(log, 10'001, 10'002).size(), 1u);
  log.forget(Timestamp(10'003));
  EXPECT_EQ(log.from(), Timestamp(10'003));
  EXPECT_EQ(log.last(), Timestamp(10'003));
}

TEST(ChangeLog, ReadersMeetWholeCommitsWhileItGrowsAndIsTrimmed) {
  ChangeLog log(Timestamp(0), 1 << 20);
  constexpr uint64_t kCommits = 20'000;
  std::thread writer([&] {
    for (uint64_t ts = 1; ts <= kCommits; ++ts) {
      const std::string key = std::to_string(ts);
      log.append(Timestamp(ts), std::vector<std::string_view>(1 + ts % 3, key));
    }
  });
  uint64_t reads = 0;
  for (uint64_t last = 0; last < kCommits;) {
    const uint64_t after = log.from().value;
    last = log.last().value;
    uint64_t expected = after + 1, seen = 0;
    const bool reached = log.read(
        Timestamp(after), Timestamp(last),
        [&](std::string_view key, Timestamp ts) {
          ASSERT_EQ(ts.value, expected);
          ASSERT_EQ(key, std::to_string(ts.value));
          if (++seen == 1 + ts.value % 3) ++expected, seen = 0;
        },
        kNoSpan);
    if (reached) {
      ASSERT_EQ(expected, last + 1);
    }
    if (++reads % 3 == 0) log.trim(Timestamp(last / 2));
  }
  writer.join();
}

}  // namespace
}  // namespace omendb::txn
