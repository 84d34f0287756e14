// OrderedIndex against std::map: the same operations, the same answers. Each run prints its
// seed (test_seed.h).
#include "index/index.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "index/test_seed.h"

namespace omendb::index {
namespace {

std::string big_endian(uint64_t v, int bytes) {
  std::string s(bytes, '\0');
  for (int i = bytes - 1; i >= 0; --i, v >>= 8) s[i] = static_cast<char>(v);
  return s;
}

using Oracle = std::map<std::string, Payload>;
using KeyMaker = std::function<std::string(std::mt19937_64&)>;

void expect_same_walk(const OrderedIndex& index, const Oracle& oracle, Keys keys) {
  EpochGuard guard;
  auto cursor = index.cursor(8, keys);
  bool there = cursor.seek_first();
  for (const auto& [key, payload] : oracle) {
    ASSERT_TRUE(there);
    ASSERT_EQ(cursor.key(), key);
    ASSERT_EQ(cursor.payload(), payload);
    there = cursor.next();
  }
  ASSERT_FALSE(there);
  there = cursor.seek_last();
  for (auto it = oracle.rbegin(); it != oracle.rend(); ++it) {
    ASSERT_TRUE(there);
    ASSERT_EQ(cursor.key(), it->first);
    ASSERT_EQ(cursor.payload(), it->second);
    there = cursor.prev();
  }
  ASSERT_FALSE(there);
}

// Walks a few steps with turns from a seek, as the oracle does.
void expect_same_steps(OrderedIndex::Cursor& cursor, const Oracle& oracle, const std::string& from,
                       std::mt19937_64& random) {
  Oracle::const_iterator it;
  bool there;
  if (random() % 2 == 0) {
    it = oracle.lower_bound(from);
    there = cursor.seek(from);
  } else {
    it = oracle.upper_bound(from);
    it = it == oracle.begin() ? oracle.end() : std::prev(it);
    there = cursor.seek_for_prev(from);
  }
  ASSERT_EQ(there, it != oracle.end());
  bool forward = random() % 2 == 0;
  for (int steps = static_cast<int>(random() % 150); there && steps > 0; --steps) {
    ASSERT_EQ(cursor.key(), it->first);
    ASSERT_EQ(cursor.payload(), it->second);
    if (random() % 16 == 0) forward = !forward;
    if (forward) {
      there = cursor.next();
      ++it;
    } else {
      there = cursor.prev();
      it = it == oracle.begin() ? oracle.end() : std::prev(it);
    }
    ASSERT_EQ(there, it != oracle.end());
  }
}

void mixed_operations(const Options& options, const KeyMaker& make_key, uint64_t ops) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("OMENDB_INDEX_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  OrderedIndex index(options);
  Oracle oracle;
  for (int i = 0; i < 2000; ++i) oracle[make_key(random)] = random();
  auto it = oracle.begin();
  ASSERT_TRUE(index.bulk_load([&](std::string_view* key, Payload* payload) {
    if (it == oracle.end()) return false;
    *key = it->first;
    *payload = it->second;
    ++it;
    return true;
  }));
  auto cursor = index.cursor();
  auto pinned = index.cursor(5, Keys::kPinned);
  std::string last;
  uint64_t insert_share = 60;  // of 100, wanders so that the index grows and shrinks
  for (uint64_t op = 0; op < ops; ++op) {
    if (op % 4096 == 0) insert_share = 10 + random() % 80;
    std::string key;
    if (!last.empty() && random() % 4 == 0) {
      key = last;
    } else if (!oracle.empty() && random() % 4 == 0) {
      auto near = oracle.lower_bound(make_key(random));
      key = near == oracle.end() ? oracle.begin()->first : near->first;
    } else {
      key = make_key(random);
    }
    last = key;
    const auto known = oracle.find(key);
    const bool present = known != oracle.end();
    const Payload payload = random();
    const uint64_t dice = random() % 100;
    if (dice < insert_share / 2) {
      Payload existing = 0;
      ASSERT_EQ(index.insert(key, payload, &existing), !present);
      if (present) {
        ASSERT_EQ(existing, known->second);
      } else {
        oracle[key] = payload;
      }
    } else if (dice < insert_share) {
      const auto old = index.upsert(key, payload);
      ASSERT_EQ(old.has_value(), present);
      if (present) {
        ASSERT_EQ(*old, known->second);
      }
      oracle[key] = payload;
    } else if (dice < 90) {
      if (random() % 2 == 0) {
        const auto old = index.erase(key);
        ASSERT_EQ(old.has_value(), present);
        if (present) {
          ASSERT_EQ(*old, known->second);
        }
        oracle.erase(key);
      } else {
        Payload expected = present && random() % 4 != 0 ? known->second : random();
        const Payload wanted = expected;
        const Cas outcome = index.erase_if(key, expected);
        if (!present) {
          ASSERT_EQ(outcome, Cas::kAbsent);
        } else if (known->second == wanted) {
          ASSERT_EQ(outcome, Cas::kSwapped);
          oracle.erase(key);
        } else {
          ASSERT_EQ(outcome, Cas::kMismatch);
          ASSERT_EQ(expected, known->second);
        }
      }
    } else if (dice < 95) {
      Payload expected = present && random() % 4 != 0 ? known->second : random();
      const Payload wanted = expected;
      const Cas outcome = index.compare_and_set(key, expected, payload);
      if (!present) {
        ASSERT_EQ(outcome, Cas::kAbsent);
      } else if (known->second == wanted) {
        ASSERT_EQ(outcome, Cas::kSwapped);
        known->second = payload;
      } else {
        ASSERT_EQ(outcome, Cas::kMismatch);
        ASSERT_EQ(expected, known->second);
      }
    }
    const auto now = oracle.find(key);
    const auto found = index.find(key);
    ASSERT_EQ(found.has_value(), now != oracle.end()) << "op " << op;
    if (found) {
      ASSERT_EQ(*found, now->second);
    }
    if (op % 64 == 0) {
      EpochGuard guard;
      expect_same_steps(random() % 2 == 0 ? cursor : pinned, oracle, make_key(random), random);
      if (testing::Test::HasFatalFailure()) return;
    }
    if (op % 512 == 0) {
      std::string lo = make_key(random), hi = make_key(random);
      const auto first = oracle.lower_bound(lo), end = oracle.lower_bound(hi);
      ASSERT_EQ(index.count(lo, hi), lo < hi ? static_cast<uint64_t>(std::distance(first, end)) : 0);
    }
    if (op % 16384 == 0) {
      const Status sound = index.verify();
      ASSERT_TRUE(sound.ok()) << sound.message();
    }
  }
  ASSERT_EQ(index.size(), oracle.size());
  const Status sound = index.verify();
  ASSERT_TRUE(sound.ok()) << sound.message();
  expect_same_walk(index, oracle, Keys::kCopied);
  expect_same_walk(index, oracle, Keys::kPinned);
  if (testing::Test::HasFatalFailure()) return;
  ran(ops, seed);

  std::vector<std::string> asked;
  for (int i = 0; i < 100; ++i)
    asked.push_back(i % 2 == 0 || oracle.empty() ? make_key(random) : oracle.begin()->first);
  std::vector<std::string_view> views(asked.begin(), asked.end());
  std::vector<std::optional<Payload>> answers(asked.size());
  size_t found = index.find_many(views, answers);
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto at = oracle.find(asked[i]);
    ASSERT_EQ(answers[i].has_value(), at != oracle.end());
    if (answers[i]) {
      ASSERT_EQ(*answers[i], at->second);
      --found;
    }
  }
  ASSERT_EQ(found, 0u);
  index.clear();
  ASSERT_EQ(index.size(), 0u);
  ASSERT_FALSE(index.cursor().seek_first());
}

TEST(OrderedIndexProperty, EightByteKeys) {
  mixed_operations(
      {.fixed_key_bytes = 8}, [](auto& r) { return big_endian(r() % 20000 << (r() % 2 * 40), 8); }, test_ops(100000));
}
TEST(OrderedIndexProperty, FourByteKeys) {
  mixed_operations(
      {.fixed_key_bytes = 4}, [](auto& r) { return big_endian(r() % 2 ? r() % 5000 : r(), 4); }, test_ops(100000));
}
TEST(OrderedIndexProperty, AnyBytesAnyLength) {
  // Short keys over {0x00, 0x01, 'a', 0xff}: every tie of padded slices, prefixes of one another, the empty
  // key.
  mixed_operations(
      {},
      [](auto& r) {
        std::string key;
        for (uint64_t n = r() % 20; n > 0; --n) key += "\0\1a\xff"[r() % 4];
        return key;
      },
      test_ops(100000));
}
TEST(OrderedIndexProperty, LongCommonPrefixes) {
  mixed_operations(
      {},
      [](auto& r) {
        std::string key = "https://www.example.org/catalogue/";
        key.resize(r() % 3 == 0 ? key.size() : r() % key.size());
        key += std::to_string(r() % 3000);
        if (r() % 2) key += "/item?id=" + std::to_string(r() % 100);
        return key;
      },
      test_ops(100000));
}
TEST(OrderedIndexProperty, CompositeKeys) {
  mixed_operations(
      {}, [](auto& r) { return big_endian(r() % 10, 8) + big_endian(r() % 2000, 8); }, test_ops(100000));
}
// Keys whose length does not fit into a word's sixteen bits, and those just below.
TEST(OrderedIndexProperty, VeryLongKeys) {
  mixed_operations(
      {},
      [](auto& r) {
        std::string key(r() % 2 * 70000, 'p');
        key += std::to_string(r() % 40);
        if (r() % 2) key.resize(65527 + r() % 16, 'q');
        return key;
      },
      std::min<uint64_t>(test_ops(3000), 20000));
}
TEST(OrderedIndexProperty, UuidKeys) {
  mixed_operations(
      {},
      [](auto& r) {
        const uint64_t id = r() % 20000;  // a hash, so that keys come back
        return big_endian(id * 0x9E3779B97F4A7C15, 8) + big_endian(id * 0xC2B2AE3D27D4EB4F, 8);
      },
      test_ops(100000));
}

TEST(OrderedIndexProperty, KeysThatDifferInTrailingZeros) {
  mixed_operations(
      {},
      [](auto& r) {
        return std::string("a") + std::string(r() % 200, '\0') +
               std::string(r() % 3 == 0 ? 1 + r() % 3 : 0, static_cast<char>(r() % 2));
      },
      test_ops(50000));
}

TEST(OrderedIndex, WordKeysAcceptBoundsOfAnyLength) {
  OrderedIndex index({.fixed_key_bytes = 4});
  for (uint64_t i = 1; i <= 1000; ++i) ASSERT_TRUE(index.insert(big_endian(i << 8, 4), i));
  auto cursor = index.cursor();
  ASSERT_TRUE(cursor.seek(std::string_view("\0\0\1", 3)));  // a prefix of 0x00000100
  EXPECT_EQ(cursor.payload(), 1u);
  ASSERT_TRUE(cursor.seek(std::string_view("\0\0\1\0\0", 5)));  // just behind it
  EXPECT_EQ(cursor.payload(), 2u);
  ASSERT_TRUE(cursor.seek_for_prev(std::string_view("\0\0\2", 3)));
  EXPECT_EQ(cursor.payload(), 1u);
  ASSERT_TRUE(cursor.seek_for_prev(std::string_view("\0\0\2\0\0", 5)));
  EXPECT_EQ(cursor.payload(), 2u);
  EXPECT_FALSE(cursor.seek_for_prev(std::string_view("", 0)));
  EXPECT_FALSE(cursor.seek(std::string_view("\xff\xff\xff\xff\0", 5)));
  EXPECT_EQ(index.count("", std::nullopt), 1000u);
  EXPECT_EQ(index.count(std::string_view("\0\0\1\0\0", 5), std::string_view("\0\0\3", 3)), 1u);
}

TEST(OrderedIndex, AKeyOfFixedLengthIsFoundByItsNumber) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (uint32_t bytes = 1; bytes <= 8; ++bytes) {
    OrderedIndex index({bytes});
    std::map<uint64_t, Payload> oracle;
    for (Payload i = 0; i < 3000; ++i) {
      const uint64_t number = random() >> (64 - 8 * bytes);
      index.upsert(big_endian(number, static_cast<int>(bytes)), i);
      oracle[number] = i;
    }
    EpochGuard guard;
    for (const auto& [number, payload] : oracle) {
      Payload found = 0;
      ASSERT_TRUE(index.find_word_pinned(number, &found)) << bytes << " bytes, " << number;
      ASSERT_EQ(found, payload);
      const uint64_t next = number + 1;
      ASSERT_EQ(index.find_word_pinned(next, &found), oracle.contains(next)) << bytes << " bytes, " << next;
    }
  }
}

TEST(OrderedIndex, BulkLoadRefusesDisorder) {
  OrderedIndex index;
  std::vector<std::string> keys = {"a", "b", "b"};
  size_t i = 0;
  EXPECT_FALSE(index.bulk_load([&](std::string_view* key, Payload* payload) {
    if (i == keys.size()) return false;
    *key = keys[i++];
    *payload = i;
    return true;
  }));
  EXPECT_EQ(index.size(), 0u);
  EXPECT_TRUE(index.insert("b", 1));
}

TEST(OrderedIndexThreads, CountersAreNeverLost) {
  // Each thread adds one to payloads by compare-and-set while others insert and erase around them.
  OrderedIndex index({.fixed_key_bytes = 8});
  constexpr int kThreads = 4, kCounters = 64, kRounds = 2000;
  for (uint64_t i = 0; i < kCounters; ++i) ASSERT_TRUE(index.insert(big_endian(i * 1000, 8), 0));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&index, t] {
      std::mt19937_64 random(t);
      for (int round = 0; round < kRounds; ++round) {
        const std::string counter = big_endian(random() % kCounters * 1000, 8);
        Payload expected = *index.find(counter);
        while (index.compare_and_set(counter, expected, expected + 1) != Cas::kSwapped) {
        }
        const std::string mine = big_endian(random() % (kCounters * 1000) / 1000 * 1000 + 1 + t, 8);
        if (round % 3 == 0) {
          index.erase(mine);
        } else {
          index.upsert(mine, round);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  uint64_t sum = 0;
  for (uint64_t i = 0; i < kCounters; ++i) sum += *index.find(big_endian(i * 1000, 8));
  EXPECT_EQ(sum, uint64_t{kThreads} * kRounds);
  const Status sound = index.verify();
  EXPECT_TRUE(sound.ok()) << sound.message();
}

TEST(OrderedIndexThreads, CursorsSeeWhatStaysAndStayInOrder) {
  OrderedIndex index({.fixed_key_bytes = 8});
  constexpr uint64_t kStable = 3000;
  for (uint64_t i = 0; i < kStable; ++i) ASSERT_TRUE(index.insert(big_endian(i * 16, 8), i));
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937_64 random(t + 100);
      while (!stop.load(std::memory_order_relaxed)) {
        const std::string key = big_endian(random() % kStable * 16 + 1 + random() % 15, 8);
        if (random() % 2 == 0) {
          index.upsert(key, 7);
        } else {
          index.erase(key);
        }
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    auto cursor = index.cursor();
    uint64_t expected = 0;
    std::string last;
    for (bool there = cursor.seek_first(); there; there = cursor.next()) {
      ASSERT_LT(last, cursor.key());
      last = cursor.key();
      if (last == big_endian(expected * 16, 8)) {
        ASSERT_EQ(cursor.payload(), expected);
        ++expected;
      } else {
        ASSERT_LT(last, big_endian(expected * 16, 8));
      }
    }
    ASSERT_EQ(expected, kStable);
    for (bool there = cursor.seek_last(); there; there = cursor.prev()) {
      const uint64_t bound = expected * 16;
      if (expected > 0 && cursor.key() == big_endian(bound - 16, 8)) --expected;
    }
    ASSERT_EQ(expected, 0u);
  }
  stop = true;
  for (auto& writer : writers) writer.join();
}

TEST(Epoch, NothingIsFreedUnderAPin) {
  static std::atomic<int> freed;
  freed = 0;
  auto destroy = [](void* p) {
    delete static_cast<int*>(p);
    freed.fetch_add(1);
  };
  {
    EpochGuard pin;
    std::thread([&] {
      for (int i = 0; i < 1000; ++i) epoch_retire(new int(i), destroy, sizeof(int));
      epoch_reclaim();
    }).join();
    EXPECT_EQ(freed.load(), 0);
    EXPECT_GE(epoch_waiting_bytes(), 1000 * sizeof(int));
    EXPECT_GE(epoch_pinned_behind(), 1000u);
  }
  epoch_reclaim();  // takes over what the ended thread left
  EXPECT_EQ(freed.load(), 1000);
}

TEST(Epoch, WhatAnIdleThreadHasRetiredIsFreedByOthers) {
  static std::atomic<int> freed;
  freed = 0;
  auto destroy = [](void* p) {
    delete static_cast<int*>(p);
    freed.fetch_add(1);
  };
  std::atomic<int> stage{0};
  std::thread idle;
  {
    EpochGuard pin;
    idle = std::thread([&] {
      for (int i = 0; i < 1000; ++i) epoch_retire(new int(i), destroy, sizeof(int));
      stage = 1;
      while (stage != 2) std::this_thread::yield();
    });
    while (stage != 1) std::this_thread::yield();
    epoch_reclaim();
    EXPECT_EQ(freed.load(), 0);
  }
  EXPECT_EQ(epoch_reclaim(), 0u);
  EXPECT_EQ(freed.load(), 1000);
  stage = 2;
  idle.join();
}

TEST(Epoch, WhatIsRetiredAfterALookWaitsForTheNext) {
  static std::atomic<int> freed;
  freed = 0;
  epoch_reclaim();  // nobody is pinned
  std::atomic<int> stage{0};
  std::thread reader([&] {
    EpochGuard pin;
    stage = 1;
    while (stage != 2) std::this_thread::yield();
  });
  while (stage != 1) std::this_thread::yield();
  epoch_retire(
      new int(1),
      [](void* p) {
        delete static_cast<int*>(p);
        freed.fetch_add(1);
      },
      sizeof(int));
  EXPECT_EQ(freed.load(), 0);
  stage = 2;
  reader.join();
  epoch_reclaim();
  EXPECT_EQ(freed.load(), 1);
}

TEST(Epoch, RenewedPinLetsGo) {
  static std::atomic<int> freed;
  freed = 0;
  EpochGuard pin;
  epoch_retire(
      new int(1),
      [](void* p) {
        delete static_cast<int*>(p);
        freed.fetch_add(1);
      },
      sizeof(int));
  epoch_reclaim();
  EXPECT_EQ(freed.load(), 0);
  pin.renew();
  epoch_reclaim();
  EXPECT_EQ(freed.load(), 1);
}

}  // namespace
}  // namespace omendb::index
