// An index built over rows that are there is the index that would have grown with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/faulty_store.h"
#include "table/database_impl.h"
#include "table/entry_sort.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::TableSpec;

// The buffers get a share of the write set's bytes and at least 64 KB.
constexpr size_t kSpills = 256 << 10, kFits = 64 << 20;
constexpr int kUniqueRows = 70'000, kRows = 36'000;  // a little more than a megabyte of entries

DatabaseOptions small(size_t write_set_bytes) {
  DatabaseOptions options;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 4 << 20;
  options.write_set_bytes = write_set_bytes;
  return options;
}

uint64_t statistic(Fixture& f, const std::string& wanted) {
  for (const auto& [name, value] : f.database->statistics()) {
    if (name == wanted) return value;
  }
  return UINT64_MAX;
}

std::vector<std::string> rows_of(RowCursor& cursor) {
  std::vector<std::string> out;
  while (cursor.next()) out.push_back(std::string(cursor.key()) + "|" + std::string(cursor.row()));
  EXPECT_TRUE(cursor.status().ok()) << cursor.status().message();
  return out;
}

std::string random_text(std::mt19937_64& random) {
  constexpr const char* kWords[] = {"", "a", "the same first sixteen bytes ", "\xC3\xA9", "zzzzzzzz"};
  std::string out = kWords[random() % std::size(kWords)];
  for (uint64_t i = random() % 40; i > 0; --i) out.push_back(static_cast<char>('a' + random() % 3));
  return out;
}

void fill(Fixture& f, txn::Transaction& t, int rows, std::mt19937_64& random) {
  for (int id = 0; id < rows; ++id) {
    const auto v = random() % 10 == 0 ? std::nullopt : std::optional(static_cast<int64_t>(random() % 1000) - 500);
    ASSERT_TRUE(f.insert(t, id, v, random_text(random)).ok());
  }
}

/// Rows of three origins: committed, committed and changed since, and the building transaction's own.
void compare_built_with_grown(uint64_t seed, int rows, size_t write_set_bytes, bool learned_index) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  DatabaseOptions options = small(write_set_bytes);
  options.learned_index = learned_index;
  TableSpec spec;
  spec.indexes = {{"grown", {3, 2}, false}};
  Fixture f(options, spec);
  auto t = f.begin();
  fill(f, *t, rows, random);
  ASSERT_TRUE(f.database->commit(*t).ok());
  const auto change = [&](txn::Transaction& by, int count) {
    for (int i = 0; i < count; ++i) {
      f.next_statement(by);
      const auto id = static_cast<int64_t>(random() % static_cast<uint64_t>(rows));
      const Status s = random() % 4 == 0 ? f.erase(by, id)
                                         : f.update(by, id, static_cast<int64_t>(random() % 1000), random_text(random));
      ASSERT_TRUE(s.ok() || s.is(SqlState::kNoData)) << s.message();
    }
  };
  t = f.begin();
  change(*t, rows / 10);
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  change(*t, rows / 20);
  f.next_statement(*t);
  const Status built = f.add_index(*t, {"built", {3, 2}, false});
  ASSERT_TRUE(built.ok()) << built.message();
  f.next_statement(*t);
  EXPECT_EQ(rows_of(*f.database->scan_index(*t, *f.access, 0, {}, false)),
            rows_of(*f.database->scan_index(*t, *f.access, 1, {}, false)));
  change(*t, rows / 20);
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  change(*t, rows / 20);
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  for (const bool reverse : {false, true}) {
    const auto grown = rows_of(*f.database->scan_index(*t, *f.access, 0, {}, reverse));
    EXPECT_GT(grown.size(), static_cast<size_t>(rows) / 2);
    EXPECT_EQ(grown, rows_of(*f.database->scan_index(*t, *f.access, 1, {}, reverse)));
  }
  EXPECT_TRUE(f.database->verify().ok());
}

TEST(IndexBuild, BuiltIndexIsTheOneThatGrew) {
  const uint64_t seed = std::random_device{}();
  compare_built_with_grown(seed, kRows, kFits, true);  // one load, sorted in memory
  for (uint64_t i = 0; i < 2; ++i) {
    compare_built_with_grown(seed + i, 1000, kFits, i % 2 == 0);         // through the write set
    compare_built_with_grown(seed + i, kRows / 4, kSpills, i % 2 == 0);  // one load of runs put aside
  }
}

TEST(IndexBuild, ManyEntriesGoAroundTheWriteSetAndPutRunsAside) {
  for (const size_t bytes : {kFits, kSpills}) {
    Fixture f(small(bytes));
    std::mt19937_64 random(1);
    auto t = f.begin();
    fill(f, *t, kRows, random);
    ASSERT_TRUE(f.database->commit(*t).ok());
    const uint64_t spills = statistic(f, "spills");
    t = f.begin();
    ASSERT_TRUE(f.add_index(*t, {"built", {3}, false}).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
    EXPECT_EQ(statistic(f, "index_builds_loaded"), 1u);
    EXPECT_EQ(statistic(f, "spills"), spills);
    EXPECT_EQ(statistic(f, "index_build_runs") > 1, bytes == kSpills);
  }
}

TEST(IndexBuild, RollbackLeavesNothingAndSavepointsKeepTheirSide) {
  for (const size_t bytes : {kFits, kSpills}) {
    Fixture f(small(bytes));
    std::mt19937_64 random(2);
    auto t = f.begin();
    fill(f, *t, kRows, random);
    ASSERT_TRUE(f.database->commit(*t).ok());
    const auto without = f.access;

    t = f.begin();
    ASSERT_TRUE(f.add_index(*t, {"built", {3}, false}).ok());
    f.database->rollback(*t);
    f.access = without;
    EXPECT_TRUE(f.database->verify().ok());

    // The write before the build may reach the store after it, and both go with the savepoint.
    t = f.begin();
    const txn::Savepoint before = f.database->savepoint(*t);
    ASSERT_TRUE(f.update(*t, 1, 777, "changed").ok());
    const txn::Savepoint between = f.database->savepoint(*t);
    f.next_statement(*t);
    ASSERT_TRUE(f.add_index(*t, {"built", {3}, false}).ok());
    const txn::Savepoint after = f.database->savepoint(*t);
    f.next_statement(*t);
    ASSERT_TRUE(f.update(*t, 2, 778, "changed too").ok());
    f.database->rollback_to(*t, after);
    f.next_statement(*t);
    EXPECT_EQ(rows_of(*f.database->scan_index(*t, *f.access, 0, {}, false)).size(), size_t{kRows});
    EXPECT_EQ(f.get(*t, 1), 777);
    f.database->rollback_to(*t, between);
    f.access = without;
    f.next_statement(*t);
    EXPECT_EQ(f.get(*t, 1), 777);
    ASSERT_TRUE(f.add_index(*t, {"built", {3}, false}).ok());
    f.next_statement(*t);
    ASSERT_TRUE(f.update(*t, 3, 779, "changed").ok());
    f.database->rollback_to(*t, before);
    f.access = without;
    f.next_statement(*t);
    EXPECT_NE(f.get(*t, 1), 777);
    ASSERT_TRUE(f.add_index(*t, {"built", {3}, true}).is(SqlState::kUniqueViolation));
    f.database->rollback_to(*t, before);
    f.access = without;
    f.next_statement(*t);
    ASSERT_TRUE(f.insert(*t, 60'000, 1, "last").ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
    EXPECT_TRUE(f.database->verify().ok());
    EXPECT_EQ(statistic(f, "snapshots"), 0u);
  }
}

TEST(IndexBuild, UniqueIndexRefusesTheFirstDuplicateAndNoNulls) {
  for (const size_t bytes : {kFits, kSpills}) {
    for (const int rows : {100, kUniqueRows}) {
      Fixture f(small(bytes));
      auto t = f.begin();
      // Unique but for nulls, in an order that is not the rows'.
      for (int id = 0; id < rows; ++id) {
        ASSERT_TRUE(f.insert(*t, id, id % 5 == 0 ? std::nullopt : std::optional(id * 7919 % 104729), "x").ok());
      }
      ASSERT_TRUE(f.database->commit(*t).ok());
      const auto without = f.access;
      t = f.begin();
      ASSERT_TRUE(f.add_index(*t, {"unique_v", {2}, true}).ok());
      f.next_statement(*t);
      EXPECT_TRUE(f.insert(*t, rows, 7919, "x").is(SqlState::kUniqueViolation));
      EXPECT_TRUE(f.insert(*t, rows + 1, 104729, "x").ok());
      f.database->rollback(*t);
      f.access = without;
      t = f.begin();
      ASSERT_TRUE(f.insert(*t, rows, 7919 * 2 % 104729, "x").ok());
      ASSERT_TRUE(f.insert(*t, rows + 1, 7919, "x").ok());
      ASSERT_TRUE(f.database->commit(*t).ok());
      t = f.begin();
      const Status refused = f.add_index(*t, {"unique_v", {2}, true});
      ASSERT_TRUE(refused.is(SqlState::kUniqueViolation));
      EXPECT_EQ(refused.message(), "could not create unique index \"unique_v\"");
      EXPECT_EQ(refused.info().detail, "Key (v)=(7919) is duplicated.");
    }
  }
}

TEST(IndexBuild, CancelStopsIt) {
  Fixture f(small(kFits));
  std::mt19937_64 random(3);
  auto t = f.begin();
  fill(f, *t, 5000, random);
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  t->cancel();
  EXPECT_TRUE(f.add_index(*t, {"built", {3}, false}).is(SqlState::kQueryCanceled));
}

// Every write of the build fails once: what is put aside, the load.
TEST(IndexBuild, FullDiskRefusesItAndNothingIsHalfThere) {
  const DatabaseOptions options = small(kSpills);
  store::FaultPlan plan;
  Fixture f(options);
  auto reapers = std::make_shared<txn::VersionReapers>();
  store::Options store_options;
  store_options.reapers = reapers;
  auto store = store::Store::open(store_options);
  ASSERT_TRUE(store.ok());
  auto opened = open_on(options, store::make_faulty(std::move(*store), &plan), reapers);
  ASSERT_TRUE(opened.ok());
  f.database = std::move(*opened);
  auto t = f.begin();
  ASSERT_TRUE(testing::make_table(*f.database, *t, {}).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  f.find("t");
  std::mt19937_64 random(4);
  t = f.begin();
  fill(f, *t, 10'000, random);
  ASSERT_TRUE(f.database->commit(*t).ok());
  int refused = 0;
  bool fired = true;
  for (int64_t write = 0; fired; ++write) {
    t = f.begin();
    plan.disk_full_in = write;
    const Status s = f.add_index(*t, {"built", {3}, false});
    fired = plan.disk_full_in.load() < 0;
    plan.disk_full_in = -1;
    // A counter of OIDs that could not be written says so at commit.
    EXPECT_TRUE(s.ok() || (fired && s.is(SqlState::kDiskFull))) << s.message();
    refused += s.ok() ? 0 : 1;
    f.database->rollback(*t);
    f.find("t");
    EXPECT_TRUE(f.access->secondary().empty());
    ASSERT_TRUE(f.database->verify().ok());
  }
  EXPECT_GT(refused, 4);
  t = f.begin();
  ASSERT_TRUE(f.add_index(*t, {"built", {3}, false}).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  EXPECT_TRUE(f.database->verify().ok());
}

// Entries of every length, more than the buffer holds, against std::sort.
TEST(EntrySort, RunsOfAnySizeMergeInOrderAndFromAnyBound) {
  store::Options in_memory;
  auto store = store::Store::open(in_memory);
  ASSERT_TRUE(store.ok());
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<std::string> expected;
  std::vector<std::unique_ptr<EntrySorter>> sorters;
  for (int s = 0; s < 2; ++s) {
    sorters.push_back(std::make_unique<EntrySorter>(**store, 1));
    for (int i = 0; i < 20'000; ++i) {
      std::string entry;
      for (uint64_t n = random() % 13; n > 0; --n)
        entry.push_back(static_cast<char>(random() % 3 == 0 ? random() : 'a'));
      if (random() % 5000 == 0) entry.append(random() % 300'000, 'b');  // larger than the buffer, now and then
      entry.resize(entry.size() + 8);
      store_be64(entry.data() + entry.size() - 8, random());
      ASSERT_TRUE(sorters.back()->add(entry, static_cast<uint32_t>(entry.size() - 8), i % 2 == 0).ok());
      expected.push_back(std::move(entry));
    }
    sorters.back()->finish();
    EXPECT_GT(sorters.back()->runs_put_aside(), 3u);
  }
  std::sort(expected.begin(), expected.end());
  for (int round = 0; round < 20; ++round) {
    std::string lower = round == 0 ? "" : expected[random() % expected.size()];
    std::string upper = round % 2 == 0 ? "" : expected[random() % expected.size()];
    if (round % 3 == 0) lower = lower.substr(0, 3);
    EntryMerge merge(sorters, lower, upper);
    auto at = std::lower_bound(expected.begin(), expected.end(), lower);
    const auto end = upper.empty() ? expected.end() : std::lower_bound(expected.begin(), expected.end(), upper);
    while (merge.next()) {
      ASSERT_TRUE(at < end);
      ASSERT_EQ(merge.entry(), *at);
      ASSERT_EQ(merge.prefix_length(), at->size() - 8);
      ++at;
    }
    EXPECT_TRUE(merge.status().ok());
    EXPECT_TRUE(at >= end);
  }
}

}  // namespace
}  // namespace omendb::table
