// The learned core against std::map, on the patterns that break other learned indexes. Each run prints its
// seed (test_seed.h).
#include "index/core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "index/test_seed.h"

namespace omendb::index {
namespace {

using Oracle = std::map<uint64_t, uint64_t>;
using Random = std::mt19937_64;

bool insert(Core& core, uint64_t key, uint64_t value) {
  bool added = false;
  core.apply(key, [&](const uint64_t* present, uint64_t* out) {
    added = present == nullptr;
    *out = value;
    return added ? Verdict::kStore : Verdict::kKeep;
  });
  return added;
}

bool erase(Core& core, uint64_t key) {
  bool there = false;
  core.apply(key, [&](const uint64_t* present, uint64_t*) {
    there = present != nullptr;
    return Verdict::kErase;
  });
  return there;
}

void upsert(Core& core, uint64_t key, uint64_t value) {
  core.apply(key, [&](const uint64_t*, uint64_t* out) {
    *out = value;
    return Verdict::kStore;
  });
}

void load(Core& core, const Oracle& oracle) {
  auto it = oracle.begin();
  ASSERT_TRUE(core.bulk_load([&](Pair* pair) {
    if (it == oracle.end()) return false;
    *pair = {it->first, it->second};
    ++it;
    return true;
  }));
}

void expect_equal(const Core& core, const Oracle& oracle) {
  ASSERT_EQ(core.verify(), "");
  ASSERT_EQ(core.size(), oracle.size());
  std::vector<Pair> batch(100);
  uint64_t at = 0;
  size_t n;
  auto it = oracle.begin();
  for (bool more = true; more;) {
    more = core.scan_forward(at, batch.size(), batch.data(), &n, &at);
    for (size_t i = 0; i < n; ++i, ++it) {
      ASSERT_NE(it, oracle.end());
      ASSERT_EQ(batch[i].key, it->first);
      ASSERT_EQ(batch[i].payload, it->second);
    }
  }
  ASSERT_EQ(it, oracle.end());
  at = UINT64_MAX;
  auto back = oracle.rbegin();
  for (bool more = true; more;) {
    more = core.scan_backward(at, batch.size(), batch.data(), &n, &at);
    for (size_t i = 0; i < n; ++i, ++back) {
      ASSERT_NE(back, oracle.rend());
      ASSERT_EQ(batch[i].key, back->first);
      ASSERT_EQ(batch[i].payload, back->second);
    }
  }
  ASSERT_EQ(back, oracle.rend());
}

void expect_around(const Core& core, const Oracle& oracle, uint64_t key) {
  uint64_t value = 0;
  const auto it = oracle.find(key);
  ASSERT_EQ(core.find(key, &value), it != oracle.end()) << "key " << key;
  if (it != oracle.end()) {
    ASSERT_EQ(value, it->second);
  }
}

// Mixed operations from a pattern's key maker: the share of inserts wanders, so that the core grows and
// shrinks.
void mixed(Oracle oracle, const std::function<uint64_t(Random&)>& make_key, uint64_t ops, bool preload = true) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("OMENDB_INDEX_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  Core core;
  if (preload) {
    load(core, oracle);
  } else {
    oracle.clear();
  }
  uint64_t share = 60;
  for (uint64_t op = 0; op < ops; ++op) {
    if (op % 8192 == 0) share = 10 + random() % 85;
    uint64_t key = make_key(random);
    const uint64_t value = random();
    const uint64_t dice = random() % 100;
    if (dice < share) {
      if (dice % 4 != 0) {
        ASSERT_EQ(insert(core, key, value), oracle.try_emplace(key, value).second) << "op " << op;
      } else {
        upsert(core, key, value);
        oracle[key] = value;
      }
    } else {
      if (dice % 2 != 0) {  // one that is likely to be there
        const auto near = oracle.lower_bound(key);
        if (near != oracle.end()) key = near->first;
      }
      ASSERT_EQ(erase(core, key), oracle.erase(key) == 1) << "op " << op << " key " << key;
    }
    expect_around(core, oracle, key);
    if (testing::Test::HasFatalFailure()) return;
    if (op % 128 == 0) {
      Pair out[40];
      size_t n;
      uint64_t next;
      const bool more = core.scan_forward(key, 40, out, &n, &next);
      auto it = oracle.lower_bound(key);
      for (size_t i = 0; i < n; ++i, ++it) {
        ASSERT_NE(it, oracle.end());
        ASSERT_EQ(out[i].key, it->first);
      }
      if (!more) {
        ASSERT_EQ(it, oracle.end());
      }
      const uint64_t other = make_key(random);
      const uint64_t lo = std::min(key, other), hi = std::max(key, other);
      if (op % 1024 == 0) {
        ASSERT_EQ(core.count(lo, hi),
                  static_cast<uint64_t>(std::distance(oracle.lower_bound(lo), oracle.upper_bound(hi))));
      }
    }
    if (op % 32768 == 0) {
      ASSERT_EQ(core.verify(), "") << "op " << op;
    }
  }
  expect_equal(core, oracle);
  if (testing::Test::HasFatalFailure()) return;
  ran(ops, seed);
  std::vector<uint64_t> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(make_key(random));
  std::vector<uint64_t> payloads(keys.size());
  auto found = std::make_unique<bool[]>(keys.size());
  core.find_many(keys.data(), keys.size(), payloads.data(), found.get());
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto it = oracle.find(keys[i]);
    ASSERT_EQ(found[i], it != oracle.end());
    if (found[i]) {
      ASSERT_EQ(payloads[i], it->second);
    }
  }
  // All of it goes, in random order: every merge there is.
  std::vector<uint64_t> rest;
  for (const auto& [key, value] : oracle) rest.push_back(key);
  std::shuffle(rest.begin(), rest.end(), random);
  for (uint64_t key : rest) ASSERT_TRUE(erase(core, key));
  oracle.clear();
  expect_equal(core, oracle);
  const CoreStatistics left = core.statistics();
  EXPECT_LE(left.leaves, 2 + rest.size() / 1000);
}

Oracle filled(uint64_t n, const std::function<uint64_t(uint64_t)>& key) {
  Oracle oracle;
  for (uint64_t i = 0; i < n; ++i) oracle[key(i)] = i;
  return oracle;
}

constexpr uint64_t kOps = 200000;

TEST(CoreProperty, Uniform) {
  Random fixed(1);
  std::vector<uint64_t> pool(60000);
  for (auto& key : pool) key = fixed() >> 1;
  mixed(
      filled(30000, [&](uint64_t i) { return pool[i]; }), [&](Random& r) { return pool[r() % pool.size()]; },
      test_ops(kOps));
}
TEST(CoreProperty, FromEmpty) {
  mixed(
      {}, [](Random& r) { return r() % 50000; }, test_ops(kOps), false);
}
TEST(CoreProperty, Lognormal) {
  const auto key = [](Random& r) {
    std::lognormal_distribution<double> d(0, 2);
    return static_cast<uint64_t>(d(r) * 1e5);
  };
  mixed({}, key, test_ops(kOps), false);
}
// Defect 1: micro- and nanosecond timestamps in bursts.
TEST(CoreProperty, BurstyTimestamps) {
  for (uint64_t unit : {uint64_t{1}, uint64_t{1000}}) {
    Random fixed(2);
    std::vector<uint64_t> pool;
    uint64_t now = 1700000000000000 * unit;
    while (pool.size() < 60000) {
      for (uint64_t n = fixed() % 400; n > 0; --n) pool.push_back(now += (1 + fixed() % 20) * unit);
      now += (fixed() % 1000) * (fixed() % 1000) * (fixed() % 3600) * unit;
    }
    mixed(
        filled(30000, [&](uint64_t i) { return pool[i * 2]; }), [&](Random& r) { return pool[r() % pool.size()]; },
        test_ops(kOps));
  }
}
// Defect 2: one key far out, and many.
TEST(CoreProperty, Outliers) {
  mixed(
      filled(30000, [](uint64_t i) { return i; }),
      [](Random& r) { return r() % 50 == 0 ? uint64_t{1} << (r() % 64) : r() % 60000; }, test_ops(kOps));
}
// Defect 3: the ends of the key space are keys like others.
TEST(CoreProperty, EndsOfTheKeySpace) {
  mixed(
      filled(2000, [](uint64_t i) { return UINT64_MAX - i; }),
      [](Random& r) { return r() % 2 == 0 ? UINT64_MAX - r() % 3000 : r() % 3000; }, test_ops(kOps));
}
// Defect 4: the same few hundred keys over and over, among many. (Duplicates do not exist here: a key is
// there or not.)
TEST(CoreProperty, TheSameKeysAgain) {
  mixed(
      filled(100000, [](uint64_t i) { return i * 7; }), [](Random& r) { return 350000 + r() % 500; },
      test_ops(kOps / 2));
}
// Defect 5: erase and insert at every filling, the same few keys.
TEST(CoreProperty, ThresholdThrash) {
  const auto filling = [](uint64_t i) { return i * 3; };
  uint64_t keep = 0;  // of 64: how full it is made
  mixed(
      filled(60000, filling),
      [&](Random& r) {  // stretches at one filling, a handful of keys at a time
        if (r() % 4096 == 0) keep = r() % 64;
        return filling(r() % 100 == 0 ? r() % 60000 : 30000 + keep * 16 + r() % 6);
      },
      test_ops(kOps / 2));
  Core core;
  Oracle oracle = filled(100000, [](uint64_t i) { return i * 3; });
  load(core, oracle);
  const uint64_t before = core.statistics().rebuilds;
  uint64_t ops = 0;
  for (uint64_t at = 5000; at < 9000; at += 7) {
    ASSERT_TRUE(erase(core, at * 3));
    oracle.erase(at * 3);
    for (int again = 0; again < 10; ++again, ops += 2) {
      ASSERT_TRUE(insert(core, at * 3, again));
      ASSERT_TRUE(erase(core, at * 3));
    }
  }
  EXPECT_LT(core.statistics().rebuilds - before, ops / 50);
  expect_equal(core, oracle);
}
// Defect 6: clusters and exponential spread, and what they cost in memory.
TEST(CoreProperty, Clusters) {
  const auto key = [](uint64_t i) { return (i % 64 << 56) + i / 64; };
  mixed(
      filled(60000, key), [&](Random& r) { return key(r() % 120000); }, test_ops(kOps));
  Core core;
  load(core, filled(600000, key));
  EXPECT_LT(core.statistics().bytes, 600000u * 26);
}
TEST(CoreProperty, ExponentialSpread) {
  const auto key = [](uint64_t i) { return (uint64_t{1} << (i % 48 + 8)) + (i / 48) * ((i % 48) + 1); };
  mixed(
      filled(48000, key), [&](Random& r) { return key(r() % 96000); }, test_ops(kOps));
  Core core;
  const Oracle oracle = filled(480000, key);
  load(core, oracle);
  EXPECT_LT(core.statistics().bytes, oracle.size() * 26);
}
TEST(CoreProperty, SelfSimilar) {  // every scale has clusters: the attack on linear models
  const auto key = [](Random& r) {
    uint64_t k = 0;
    for (int level = 0; level < 8; ++level) k = k << 8 | (r() % 4) * (r() % 4);
    return k;
  };
  mixed({}, key, test_ops(kOps), false);
}
// Defect 7: descending and ascending runs, and many fronts at once.
TEST(CoreProperty, RunsFromAMovingFront) {
  for (const bool up : {false, true}) {
    uint64_t front = uint64_t{1} << 40;
    mixed(
        {},
        [&](Random& r) {
          if (r() % 8 == 0) return front + (up ? -(r() % 40000) : r() % 40000) * 5;  // behind it
          return front += up ? 5 : -uint64_t{5};
        },
        test_ops(kOps / 2), false);
  }
}
TEST(CoreProperty, DescendingAndAscendingRuns) {
  for (int direction : {-1, 1}) {
    Core core;
    Oracle oracle;
    for (uint64_t i = 0; i < 100000; ++i) {
      const uint64_t key = (uint64_t{1} << 40) + direction * static_cast<int64_t>(i) * 5;
      ASSERT_TRUE(insert(core, key, i));
      oracle[key] = i;
    }
    expect_equal(core, oracle);
    if (direction == 1) {
      EXPECT_LT(core.statistics().bytes, 100000u * 19 + 10000);
    }
    // As a queue: the oldest go while new ones come.
    for (uint64_t i = 0; i < 50000; ++i) {
      const uint64_t key = oracle.rbegin()->first + 5;
      ASSERT_TRUE(insert(core, key, i));
      oracle[key] = i;
      ASSERT_TRUE(erase(core, oracle.begin()->first));
      oracle.erase(oracle.begin());
    }
    expect_equal(core, oracle);
  }
}
TEST(CoreProperty, TenTenantsAppend) {
  Random random(test_seed());
  Core core;
  Oracle oracle;
  std::vector<uint64_t> next(10, 0);
  for (uint64_t i = 0; i < 200000; ++i) {
    const uint64_t tenant = random() % 10;
    const uint64_t key = (tenant << 48) + next[tenant]++;
    ASSERT_TRUE(insert(core, key, i));
    oracle[key] = i;
  }
  expect_equal(core, oracle);
  EXPECT_LT(core.statistics().bytes, 200000u * 19 + 100000);
}
// Defect 8: where doubles lose whole numbers.
TEST(CoreProperty, BeyondDoublePrecision) {
  for (uint64_t base : {uint64_t{1} << 53, uint64_t{1} << 62, UINT64_MAX - 100000}) {
    mixed(
        filled(50000, [&](uint64_t i) { return base + i * 2; }), [&](Random& r) { return base + r() % 100000; },
        test_ops(kOps / 2));
  }
}

TEST(Core, BulkLoadRefusesDisorder) {
  Core core;
  uint64_t i = 0;
  EXPECT_FALSE(core.bulk_load([&](Pair* pair) {
    *pair = {i == 5000 ? 4999 : i, 0};
    return i++ < 6000;
  }));
  EXPECT_EQ(core.size(), 0u);
  EXPECT_TRUE(insert(core, 5, 5));
  EXPECT_EQ(core.verify(), "");
}

// Below its leaf's base a key is predicted at the first slot. What is left of such a leaf repeats the key to its end.
TEST(Core, FindsTheLastKeyOfALeafBelowItsBase) {
  for (uint64_t n : {17, 24, 40}) {
    Core core;
    uint64_t at = 0;
    const uint64_t step = UINT64_MAX / n;
    ASSERT_TRUE(core.bulk_load([&](Pair* pair) {
      if (at == n - 1) return false;
      *pair = {++at * step, at};
      return true;
    }));
    ASSERT_TRUE(insert(core, 5, 42));
    for (uint64_t i = 1; i < n; ++i) {
      core.apply(i * step, [](const uint64_t*, uint64_t*) { return Verdict::kErase; });
      uint64_t payload = 0;
      ASSERT_TRUE(core.find(5, &payload));
      ASSERT_EQ(payload, 42u);
      ASSERT_EQ(core.verify(), "");
    }
  }
}

// Tenants that count far apart: the root's buckets have lines of their own.
TEST(Core, FindsEveryKeyOfClustersUnderADeepRoot) {
  std::vector<uint64_t> keys;
  for (uint64_t tenant = 0; tenant < 10; ++tenant)
    for (uint64_t i = 0; i < 100000; ++i) keys.push_back((tenant << 40) + i * 3);
  keys.push_back(UINT64_MAX);
  Core core;
  size_t at = 0;
  ASSERT_TRUE(core.bulk_load([&](Pair* pair) {
    if (at == keys.size()) return false;
    *pair = {keys[at], at};
    ++at;
    return true;
  }));
  ASSERT_EQ(core.verify(), "");
  Random random(7);
  for (int i = 0; i < 200000; ++i) {  // and through splits of segments and roots
    const uint64_t key = keys[random() % (keys.size() - 1)] + 1;
    insert(core, key, key);
  }
  ASSERT_EQ(core.verify(), "");
  uint64_t payload;
  ASSERT_TRUE(core.find(UINT64_MAX, &payload));
  ASSERT_EQ(payload, keys.size() - 1);
}

}  // namespace
}  // namespace omendb::index
