// The row cache and scans along the index: never a different answer, a bound that holds, and used where it should be.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "index/epoch.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;

uint64_t statistic(Fixture& f, const std::string& name) {
  for (const auto& [known, value] : f.database->statistics()) {
    if (known == name) return value;
  }
  ADD_FAILURE() << "no statistic " << name;
  return 0;
}

DatabaseOptions small_cache() {
  DatabaseOptions options;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 4 << 20;
  options.sync_commits = false;
  options.row_cache_bytes = 256 << 10;
  return options;
}

void load(Fixture& f, int64_t rows, std::string_view text, int64_t from = 0) {
  auto t = f.begin();
  for (int64_t id = from; id < from + rows; ++id) ASSERT_TRUE(f.insert(*t, id, id, text).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
}

TEST(RowCache, ASecondScanAndReadsAfterItLeaveTheStoreAlone) {
  Fixture f;
  load(f, 5000, "abc");
  for (int round = 0; round < 2; ++round) {
    auto t = f.begin();
    ASSERT_EQ(f.all(*t).size(), 5000u);
  }
  const uint64_t store = statistic(f, "store_scanned"), exact = statistic(f, "index_exact_reads");
  EXPECT_EQ(store, 5000u);
  auto t = f.begin();
  ASSERT_EQ(f.all(*t, true).size(), 5000u);
  for (int64_t id = 0; id < 5000; id += 7) ASSERT_EQ(f.get(*t, id), id);
  EXPECT_EQ(statistic(f, "store_scanned"), store);
  EXPECT_EQ(statistic(f, "index_exact_reads"), exact);
  EXPECT_EQ(statistic(f, "row_cache_scanned"), 10'000u);
  EXPECT_EQ(statistic(f, "row_cache_hits"), 715u);
}

TEST(RowCache, AnUpdateOfACachedRowIsCachedWithItsCommit) {
  Fixture f;
  load(f, 10, "abc");
  auto t = f.begin();
  ASSERT_EQ(f.get(*t, 3), 3);
  auto old = f.begin(txn::Isolation::kRepeatableRead);
  ASSERT_EQ(f.get(*old, 3), 3);
  auto writer = f.begin();
  ASSERT_TRUE(f.update(*writer, 3, 33).ok());
  ASSERT_TRUE(f.database->commit(*writer).ok());
  const uint64_t exact = statistic(f, "index_exact_reads"), hits = statistic(f, "row_cache_hits");
  f.next_statement(*t);
  EXPECT_EQ(f.get(*t, 3), 33);
  EXPECT_EQ(statistic(f, "index_exact_reads"), exact);
  EXPECT_EQ(statistic(f, "row_cache_hits"), hits + 1);
  EXPECT_EQ(f.get(*old, 3), 3);
  EXPECT_EQ(f.all(*old)[3].second, 3);
}

TEST(RowCache, HoldsItsBoundAndKeepsWhatIsReadOften) {
  Fixture f(small_cache());
  load(f, 20'000, std::string(100, 'x'));
  auto t = f.begin();
  std::mt19937_64 random(5);
  for (int i = 0; i < 60'000; ++i) {
    // One read in two is of a hundred rows; the others wander.
    const auto id = static_cast<int64_t>(i % 2 == 0 ? random() % 100 * 200 : random() % 20'000);
    ASSERT_EQ(f.get(*t, id), id);
  }
  EXPECT_LE(statistic(f, "row_cache_bytes"), 256u << 10);
  EXPECT_GT(statistic(f, "row_cache_evicted"), 10'000u);
  // The hundred are a fourteenth of what fits.
  EXPECT_GT(statistic(f, "row_cache_hits"), 27'000u);
}

TEST(RowCache, AScanGoesOnBehindKeysThatItDoesNotSee) {
  Fixture f(small_cache());
  load(f, 64, "abc", 1000);
  load(f, 20'000, std::string(100, 'x'), 2000);
  auto t = f.begin();
  for (int64_t id = 2000; id < 22'000; ++id) ASSERT_EQ(f.get(*t, id), id);  // the cache is full
  for (int64_t id = 1000; id < 1064; ++id) ASSERT_EQ(f.get(*t, id), id);    // and has these
  auto old = f.begin(txn::Isolation::kRepeatableRead);
  ASSERT_EQ(f.get(*old, 1000), 1000);
  load(f, 16, "abc");  // as many as a scan's first batch has, and none of them is anybody's before this commit
  const auto rows = f.all(*old);
  ASSERT_EQ(rows.size(), 20'064u);
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i].first, static_cast<int64_t>(i < 64 ? 1000 + i : 2000 + i - 64));
}

// Rows come in pairs that cancel one another, at the end, and go at the front; some of it is rolled back, some of it goes through loads.
TEST(RowCache, ScansSeeTheirSnapshotWhileTheCacheIsShortAndTheTableMovesOn) {
  DatabaseOptions options = small_cache();
  options.write_set_bytes = 64 << 10;
  Fixture f(options);
  std::atomic<int64_t> next{0};
  std::atomic<bool> over{false};
  const auto step = [&](txn::Transaction& t, std::mt19937_64& random) {
    constexpr int64_t kSizes[] = {2, 20, 200, 2000};
    const int64_t size = kSizes[random() % 4];
    if (random() % 2 == 0) {
      const int64_t first = next.fetch_add(size);
      for (int64_t i = 0; i < size; ++i) {
        if (!f.insert(t, first + i, i % 2 == 0 ? i + 1 : -i, std::string(random() % 200, 'x')).ok()) return false;
      }
      return true;
    }
    int64_t sum = 0, gone = 0;
    const auto cursor = f.database->scan(t, *f.access, {}, false);
    for (int64_t low = 0; gone < size && cursor->next(); ++gone) {
      const int64_t id = f.id_of(cursor->row());
      if (gone == 0) low = id;
      if (id >= low + size || next - low < 4000) break;
      sum += f.value_of(cursor->row());
      if (!f.erase(t, id).ok()) return false;
    }
    return sum == 0;
  };
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      std::mt19937_64 random(w);
      while (!over) {
        auto t = f.begin();
        if (step(*t, random) && random() % 8 != 0)
          ASSERT_TRUE(f.database->commit(*t).ok());
        else
          f.database->rollback(*t);
      }
    });
  }
  for (int scan = 0; next < 20'000; ++scan) {
    auto t = f.begin(txn::Isolation::kRepeatableRead);
    int64_t sum = 0, last = -1;
    for (const auto& [id, value] : f.all(*t)) {
      EXPECT_GT(id, last) << "in scan " << scan;
      last = id;
      sum += value;
    }
    EXPECT_EQ(sum, 0) << "in scan " << scan;
    f.database->rollback(*t);
    if (::testing::Test::HasFailure()) break;
  }
  over = true;
  for (auto& writer : writers) writer.join();
}

TEST(RowCache, RowsGiveWayToAnIndexBeyondItsShare) {
  DatabaseOptions options = small_cache();
  options.row_cache_bytes = 8 << 20;
  options.index_bytes = 1 << 20;
  Fixture f(options);
  load(f, 30'000, std::string(200, 'x'));
  auto t = f.begin();
  for (int64_t id = 0; id < 30'000; ++id) ASSERT_EQ(f.get(*t, id), id);
  ASSERT_LT(statistic(f, "index_bytes"), 1u << 20);
  EXPECT_EQ(statistic(f, "row_cache_bytes_max"), 8u << 20);
  EXPECT_GT(statistic(f, "row_cache_bytes"), 6u << 20);
  load(f, 300'000, "abc", 30'000);
  // An index of 3 to 6 MB: rows have 8 MB less what it has beyond its one.
  for (int i = 0; i < 200 && statistic(f, "row_cache_bytes_max") >= 6 << 20; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(statistic(f, "row_cache_bytes_max"), 6u << 20);
  auto after = f.begin();
  for (int64_t id = 0; id < 30'000; ++id) ASSERT_EQ(f.get(*after, id), id);
  EXPECT_LE(statistic(f, "row_cache_bytes"), statistic(f, "row_cache_bytes_max"));
  EXPECT_GT(statistic(f, "row_cache_bytes"), 1u << 20);
}

TEST(RowCache, ARowThatIsReadInPlaceStaysWhileItIsReplacedAndEvicted) {
  Fixture f(small_cache());
  load(f, 20'000, std::string(100, 'x'));
  auto t = f.begin();
  ASSERT_EQ(f.get(*t, 3), 3);  // now it is in the cache
  txn::RowRef row;
  RowReader in_place(*f.database, *t, *f.access);
  const auto found = in_place.read(f.key(3), &row);
  ASSERT_TRUE(found.ok() && *found);
  const std::string before(row.bytes());
  const char* const place = row.bytes().data();
  std::thread([&] {
    auto writer = f.begin();
    ASSERT_TRUE(f.update(*writer, 3, 33, std::string(100, 'y')).ok());
    ASSERT_TRUE(f.database->commit(*writer).ok());
    auto reader = f.begin();
    for (int64_t id = 0; id < 20'000; ++id) ASSERT_EQ(f.get(*reader, id), id == 3 ? 33 : id);
  }).join();
  EXPECT_GT(statistic(f, "row_cache_evicted"), 0u);  // as far as one goes while a reader holds an epoch
  EXPECT_EQ(row.bytes().data(), place);
  EXPECT_EQ(row.bytes(), before);
  // By the old snapshot from the store, by a new one out of the cache, and a transaction's own writes.
  EXPECT_EQ(f.read(*t, 3), 3);
  f.next_statement(*t);
  EXPECT_EQ(f.read(*t, 3), 33);
  ASSERT_TRUE(f.update(*t, 3, 34).ok());
  ASSERT_TRUE(f.erase(*t, 4).ok());
  f.next_statement(*t);
  EXPECT_EQ(f.read(*t, 3), 34);
  EXPECT_EQ(f.read(*t, 4), std::nullopt);
  EXPECT_EQ(f.read(*t, 20'001), std::nullopt);
}

TEST(RowCache, ARowIsFoundByItsNumberAsByItsBytes) {
  for (const Oid type : {types::oid::kInt8, types::oid::kInt4, types::oid::kInt2}) {
    for (const bool learned : {true, false}) {
      DatabaseOptions options = small_cache();
      options.learned_index = learned;
      testing::TableSpec spec;
      spec.columns[0].type = type;
      Fixture f(options, spec);
      const int64_t least = type == types::oid::kInt8 ? INT64_MIN : type == types::oid::kInt4 ? INT32_MIN : INT16_MIN;
      const std::vector<int64_t> ids = {least, least + 1, -256, -1, 0, 1, 255, ~least - 1, ~least};
      auto t = f.begin();
      for (const int64_t id : ids) ASSERT_TRUE(f.insert(*t, id, id % 1000).ok());
      for (const bool committed :
           {false, true}) {  // among the transaction's own writes, from the store, from the cache
        if (committed) {
          ASSERT_TRUE(f.database->commit(*t).ok());
          t = f.begin();
        } else {
          f.next_statement(*t);
        }
        for (int again = 0; again < 2; ++again) {
          txn::RowRef row;
          RowReader reader(*f.database, *t, *f.access);
          ASSERT_EQ(reader.takes_integers(), type != types::oid::kInt2);
          for (const int64_t id : ids) {
            ASSERT_EQ(f.read(*t, id), id % 1000) << type.value << ' ' << id;
            ASSERT_EQ(f.read(*t, id, true), id % 1000) << type.value << ' ' << id;
          }
          ASSERT_EQ(f.read(*t, 2), std::nullopt);
          if (type != types::oid::kInt4) continue;
          for (const int64_t beyond : {INT64_C(1) << 32, ~INT64_C(0) << 32, INT64_C(1) << 31, INT64_MIN, INT64_MAX}) {
            const auto found = reader.read(beyond, &row);
            ASSERT_TRUE(found.ok() && !*found) << beyond;
          }
        }
      }
    }
  }
}

TEST(RowCache, AReaderLetsGoOfWhatOthersGiveBackAsItReads) {
  Fixture f(small_cache());
  load(f, 100, "abc");
  auto t = f.begin();
  ASSERT_EQ(f.all(*t).size(), 100u);  // all of them are in the cache
  txn::RowRef row;
  RowReader reader(*f.database, *t, *f.access);
  static std::atomic<bool> freed;
  freed = false;
  std::thread([] {
    index::epoch_retire(
        new int, [](void* object) { delete static_cast<int*>(object), freed = true; }, sizeof(int));
  }).join();
  for (int i = 0; i < 3; ++i) (void)index::epoch_reclaim();
  EXPECT_FALSE(freed) << "a row that was read in place would have gone as well";
  for (int64_t id = 0; id < 64; ++id) {
    const auto found = reader.read(f.key(id), &row);
    ASSERT_TRUE(found.ok() && *found);
  }
  for (int i = 0; i < 3; ++i) (void)index::epoch_reclaim();
  EXPECT_TRUE(freed);
  EXPECT_EQ(statistic(f, "index_exact_reads"), 0u);
}

TEST(RowCache, AnAbsentKeyIsAnsweredByTheDirectoryAlone) {
  Fixture f(small_cache());
  load(f, 100, "abc");
  auto t = f.begin();
  const uint64_t answered = statistic(f, "index_answered"), exact = statistic(f, "index_exact_reads");
  for (int64_t id = 100; id < 110; ++id) EXPECT_EQ(f.read(*t, id), std::nullopt);
  EXPECT_EQ(statistic(f, "index_answered"), answered + 10);
  EXPECT_EQ(statistic(f, "index_exact_reads"), exact);
}

TEST(RowCache, ScansAfterALargeUpdateAreServedFromMemoryAgain) {
  DatabaseOptions options = small_cache();
  options.row_cache_bytes = 16 << 20;
  options.write_set_bytes = 64 << 10;
  Fixture f(options);
  load(f, 5000, "abc");
  auto writer = f.begin();
  for (int64_t id = 0; id < 5000; ++id) ASSERT_TRUE(f.update(*writer, id, id + 1).ok());
  ASSERT_TRUE(f.database->commit(*writer).ok());
  ASSERT_GT(statistic(f, "spills"), 1u);
  for (int round = 0; round < 3; ++round) {
    auto t = f.begin();
    const auto rows = f.all(*t, round == 1);
    ASSERT_EQ(rows.size(), 5000u);
    for (const auto& [id, v] : rows) ASSERT_EQ(v, id + 1);
  }
  EXPECT_EQ(statistic(f, "row_cache_scanned"), 10'000u);
}

// Money moves between accounts, accounts move to other keys; every snapshot holds the same sum however it is read.
void run_bank(DatabaseOptions options, uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int64_t kAccounts = 3000, kEach = 100;
  constexpr int kRounds = 6;
  Fixture f(options);
  {
    auto t = f.begin();
    for (int64_t id = 0; id < kAccounts; ++id) ASSERT_TRUE(f.insert(*t, id, kEach, std::string(80, 'x')).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  // Some accounts go to the others so that there are absent keys.
  std::mt19937_64 random(seed);
  for (int i = 0; i < 40; ++i) {
    auto t = f.begin();
    const int64_t a = static_cast<int64_t>(random() % kAccounts), b = (a + 2) % kAccounts;
    const auto from = f.get(*t, a), to = f.get(*t, b);
    if (!from.has_value() || !to.has_value()) continue;
    ASSERT_TRUE(f.erase(*t, a).ok());
    ASSERT_TRUE(f.update(*t, b, *from + *to).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  std::vector<std::jthread> threads;
  for (uint64_t n = 0; n < 2; ++n) {
    threads.emplace_back([&, n](const std::stop_token& stop) {
      std::mt19937_64 random(seed * 10 + n);
      while (!stop.stop_requested()) {
        auto t = f.begin();
        t->set_lock_timeout_us(1000);
        // Each writer has the keys of one parity to itself: nobody changes what it has read, and it may insert what it found absent.
        const auto pick = [&] { return static_cast<int64_t>(random() % kAccounts / 2 * 2 + n); };
        Status s;
        for (int i = 0; i < 3 && s.ok(); ++i) {
          const int64_t a = pick(), b = pick();
          if (a == b) continue;
          f.next_statement(*t);
          const auto from = f.get(*t, a), to = f.get(*t, b);
          if (from.has_value() && to.has_value()) {
            s = f.update(*t, a, *from - 1, std::string(random() % 160, 'y'));
            if (s.ok()) s = f.update(*t, b, *to + 1, std::string(random() % 160, 'z'));
          } else if (from.has_value() && random() % 2 == 0) {
            s = f.erase(*t, a);
            if (s.ok()) s = f.insert(*t, b, *from, "moved");
          }
        }
        if (s.ok() && random() % 8 != 0) {
          s = f.database->commit(*t);
        } else {
          f.database->rollback(*t);
        }
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    auto t = f.begin(txn::Isolation::kRepeatableRead);
    const auto forward = f.all(*t);
    auto backward = f.all(*t, true);
    std::reverse(backward.begin(), backward.end());
    ASSERT_EQ(forward, backward);
    int64_t sum = 0;
    std::map<int64_t, int64_t> rows(forward.begin(), forward.end());
    ASSERT_EQ(rows.size(), forward.size());
    for (const auto& [id, v] : forward) sum += v;
    ASSERT_EQ(sum, kAccounts * kEach) << "round " << round;
    for (int64_t id = 0; id < kAccounts; ++id) {
      const auto v = id % 2 == 0 ? f.get(*t, id) : f.read(*t, id);
      ASSERT_EQ(v.has_value(), rows.contains(id)) << id;
      if (v.has_value()) {
        ASSERT_EQ(*v, rows[id]) << id;
      }
    }
  }
  threads.clear();
  ASSERT_TRUE(f.database->verify().ok());
}

TEST(RowCache, EverySnapshotHoldsTheSameSumWhileRowsAreEvicted) { run_bank(small_cache(), 1); }

TEST(RowCache, EverySnapshotHoldsTheSameSumWhereAllRowsFit) {
  DatabaseOptions options = small_cache();
  options.row_cache_bytes = 16 << 20;
  run_bank(options, 2);
}

TEST(RowCache, EverySnapshotHoldsTheSameSumWhileWritesSpill) {
  DatabaseOptions options = small_cache();
  options.write_set_bytes = 600;
  run_bank(options, 3);
}

TEST(RowCache, ADroppedTableLeavesNothingThatEvictionTrips) {
  Fixture f(small_cache());
  load(f, 3000, std::string(100, 'x'));
  {
    auto t = f.begin();
    for (int64_t id = 0; id < 3000; ++id) ASSERT_EQ(f.get(*t, id), id);
    f.next_statement(*t);
    f.database->drop_storage(*t, f.access->table().storage);
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  testing::TableSpec spec;
  spec.name = "other";
  auto t = f.begin();
  ASSERT_TRUE(make_table(*f.database, *t, spec).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  f.find("other");
  std::this_thread::sleep_for(
      std::chrono::milliseconds(120));  // the dropped storage goes meanwhile; either order must do
  load(f, 20'000, std::string(100, 'y'));
  t = f.begin();
  for (int64_t id = 0; id < 20'000; ++id) ASSERT_EQ(f.get(*t, id), id);
  EXPECT_GT(statistic(f, "row_cache_evicted"), 0u);
}

}  // namespace
}  // namespace omendb::table
