// What survives: kill -9 between acknowledgements, failed writes, full disks.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "store/faulty_store.h"
#include "table/database_impl.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::make_table;
using testing::TableSpec;
using testing::TemporaryDirectory;

DatabaseOptions small(const std::string& directory) {
  DatabaseOptions options;
  options.directory = directory;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 4 << 20;
  return options;
}

/// Commits pairs of rows (2n, 2n + 1) and writes n to the pipe after each commit, until it is killed. Some transactions are
/// large enough to spill.
[[noreturn]] void commit_until_killed(const DatabaseOptions& options, int pipe, int64_t first) {
  auto opened = Database::open(options);
  if (!opened.ok()) ::_exit(3);
  Database& database = **opened;
  std::vector<std::thread> workers;
  std::atomic<int64_t> next{first};
  for (int worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&] {
      auto lookup = database.begin(txn::Isolation::kReadCommitted, false);
      database.begin_statement(*lookup);
      const auto catalog = database.catalog(*lookup);
      const TableAccess access(
          *catalog, *catalog->find<catalog::Table>(catalog->find_relation(catalog::oid::kPublicSchema, "t")));
      for (;;) {
        const int64_t n = next.fetch_add(1);
        auto t = database.begin(txn::Isolation::kReadCommitted, false);
        database.begin_statement(*t);
        codec::RowBuilder builder(access.layout());
        for (int64_t id : {2 * n, 2 * n + 1}) {
          builder.set(0, types::ValueView::of_integer(id));
          builder.set(1, types::ValueView::of_integer(n));
          if (!database.insert(*t, access, builder.finish(), nullptr, false).ok()) ::_exit(4);
        }
        if (!database.commit(*t).ok()) ::_exit(5);
        if (::write(pipe, &n, sizeof(n)) != sizeof(n)) ::_exit(6);
      }
    });
  }
  for (auto& w : workers) w.join();
  ::_exit(0);
}

TEST(Durability, DISABLED_Child) {
  const char* words = std::getenv("OMENDB_TEST_CHILD");
  if (words == nullptr) GTEST_SKIP() << "started by the kill test only";
  std::string directory;
  size_t write_set_bytes = 0;
  int pipe = 0;
  int64_t first = 0;
  std::istringstream in(words);
  char bar = 0;
  std::getline(in, directory, '|');
  in >> write_set_bytes >> bar >> pipe >> bar >> first;
  DatabaseOptions options = small(directory);
  options.write_set_bytes = write_set_bytes;
  commit_until_killed(options, pipe, first);
}

TEST(Durability, KillLosesNothingAcknowledgedAndHalvesNothing) {
  TemporaryDirectory directory;
  TableSpec spec;
  spec.indexes = {{"t_v_idx", {2}, false}};
  { Fixture f(small(directory.path() + "/data"), spec); }
  std::set<int64_t> acknowledged;
  int64_t first = 0;
  for (int round = 0; round < 4; ++round) {
    DatabaseOptions options = small(directory.path() + "/data");
    options.write_set_bytes = round % 2 == 0 ? 1 : 64 << 20;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // A new image: the threads of the store's engine do not survive a fork.
      ::setenv("OMENDB_TEST_CHILD",
               (options.directory + "|" + std::to_string(options.write_set_bytes) + "|" + std::to_string(ends[1]) +
                "|" + std::to_string(first))
                   .c_str(),
               1);
      ::execl("/proc/self/exe", "durability_child", "--gtest_filter=Durability.DISABLED_Child",
              "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
      ::_exit(7);
    }
    ::close(ends[1]);
    int64_t n = 0;
    for (int i = 0; i < 25 + round * 10 && ::read(ends[0], &n, sizeof(n)) == sizeof(n); ++i) acknowledged.insert(n);
    ::kill(child, SIGKILL);
    while (::read(ends[0], &n, sizeof(n)) == sizeof(n)) acknowledged.insert(n);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    auto opened = Database::open(small(directory.path() + "/data"));
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    Database& database = **opened;
    auto t = database.begin(txn::Isolation::kReadCommitted, true);
    database.begin_statement(*t);
    const auto catalog = database.catalog(*t);
    const TableAccess access(*catalog,
                             *catalog->find<catalog::Table>(catalog->find_relation(catalog::oid::kPublicSchema, "t")));
    std::map<int64_t, int> rows;
    auto cursor = database.scan(*t, access, {}, false);
    while (cursor->next()) ++rows[codec::RowView(access.layout(), cursor->row()).get(1).integer];
    ASSERT_TRUE(cursor->status().ok());
    for (const auto& [pair, count] : rows) EXPECT_EQ(count, 2) << "pair " << pair;
    for (const int64_t pair : acknowledged) EXPECT_TRUE(rows.contains(pair)) << "pair " << pair;
    const Status verified = database.verify();
    EXPECT_TRUE(verified.ok()) << verified.message();
    first = rows.empty() ? 0 : rows.rbegin()->first + 1;
  }
  EXPECT_GT(acknowledged.size(), 50u);
}

/// A database over a store that fails on demand.
struct Faulty {
  Faulty() {
    auto reapers = std::make_shared<txn::VersionReapers>();
    store::Options options;
    options.block_cache_bytes = 4 << 20;
    options.write_buffer_bytes = 4 << 20;
    options.reapers = reapers;
    auto store = store::Store::open(options);
    CHECK(store.ok());
    auto opened = open_on({}, store::make_faulty(std::move(*store), &plan), reapers);
    CHECK(opened.ok());
    database = std::move(*opened);
    auto t = begin();
    CHECK(make_table(*database, *t, {}).ok());
    CHECK(database->commit(*t).ok());
    auto r = begin();
    const auto catalog = database->catalog(*r);
    access = std::make_unique<TableAccess>(
        *catalog, *catalog->find<catalog::Table>(catalog->find_relation(catalog::oid::kPublicSchema, "t")));
  }
  std::unique_ptr<txn::Transaction> begin() {
    auto t = database->begin(txn::Isolation::kReadCommitted, false);
    database->begin_statement(*t);
    return t;
  }
  Status insert(txn::Transaction& t, int64_t id) {
    codec::RowBuilder builder(access->layout());
    builder.set(0, types::ValueView::of_integer(id));
    auto r = database->insert(t, *access, builder.finish(), nullptr, false);
    return r.ok() ? Status() : r.status();
  }
  size_t count() {
    auto t = begin();
    auto cursor = database->scan(*t, *access, {}, false);
    size_t n = 0;
    while (cursor->next()) ++n;
    return n;
  }
  store::FaultPlan plan;
  std::unique_ptr<Database> database;
  std::unique_ptr<TableAccess> access;
};

TEST(Durability, AFullDiskFailsTheTransactionAndNothingElse) {
  Faulty f;
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  f.plan.disk_full_in = 0;
  EXPECT_TRUE(f.database->commit(*t).is(SqlState::kDiskFull));
  EXPECT_EQ(f.count(), 0u);
  auto u = f.begin();
  ASSERT_TRUE(f.insert(*u, 1).ok());
  EXPECT_TRUE(f.database->commit(*u).ok());
  EXPECT_EQ(f.count(), 1u);
}

TEST(Durability, AFailedWriteIsOfUnknownOutcomeAndEndsWriting) {
  Faulty f;
  auto t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  f.plan.unknown_in = 0;
  EXPECT_TRUE(f.database->commit(*t).is(SqlState::kTRStatementCompletionUnknown));
  EXPECT_EQ(f.count(), 0u);  // never acknowledged, never visible in this process
  auto u = f.begin();
  ASSERT_TRUE(f.insert(*u, 2).ok());
  EXPECT_FALSE(f.database->commit(*u).ok());
  EXPECT_EQ(f.count(), 0u);
}

TEST(Durability, AGroupFailsTogether) {
  Faulty f;
  f.plan.delay_us = 3000;  // so that commits gather behind the first
  std::atomic<int> full{0}, committed{0};
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<txn::Transaction>> transactions;
  for (int i = 0; i < 6; ++i) {
    transactions.push_back(f.begin());
    ASSERT_TRUE(f.insert(*transactions.back(), i).ok());
  }
  f.plan.disk_full_in = 1;
  for (auto& t : transactions) {
    threads.emplace_back([&] {
      const Status s = f.database->commit(*t);
      if (s.ok()) ++committed;
      if (s.is(SqlState::kDiskFull)) ++full;
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(full + committed, 6);
  EXPECT_GE(full, 1);
  EXPECT_EQ(f.count(), static_cast<size_t>(committed.load()));
}

TEST(Durability, DeletedKeysLeaveStoreAndIndex) {
  DatabaseOptions options = small("");
  Fixture f(options);
  auto t = f.begin();
  for (int id = 0; id < 200; ++id) ASSERT_TRUE(f.insert(*t, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto old = f.begin(txn::Isolation::kRepeatableRead);
  auto u = f.begin();
  for (int id = 0; id < 200; id += 2) ASSERT_TRUE(f.erase(*u, id).ok());
  ASSERT_TRUE(f.database->commit(*u).ok());
  const auto statistic = [&](std::string_view wanted) -> uint64_t {
    for (const auto& [name, value] : f.database->statistics()) {
      if (name == wanted) return value;
    }
    return UINT64_MAX;
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_EQ(statistic("index_keys"), 200u);
  EXPECT_EQ(f.all(*old).size(), 200u);
  EXPECT_EQ(f.get(*old, 0), 0);
  f.database->rollback(*old);
  for (int i = 0; i < 100 && statistic("index_keys") != 100; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(statistic("index_keys"), 100u);
  EXPECT_EQ(statistic("dead_keys_removed"), 100u);
  auto r = f.begin();
  EXPECT_EQ(f.all(*r).size(), 100u);
  EXPECT_EQ(f.get(*r, 0), std::nullopt);
  EXPECT_TRUE(f.database->verify().ok());
}

// Each would be looked for among all that the drop has covered and that is still in memory.
TEST(Durability, DeletedKeysOfADroppedTableGoWithIt) {
  Fixture f(small(""));
  const auto removed = [&] {
    for (const auto& [name, value] : f.database->statistics()) {
      if (name == "dead_keys_removed") return value;
    }
    return UINT64_MAX;
  };
  auto t = f.begin();
  for (int id = 0; id < 200; ++id) ASSERT_TRUE(f.insert(*t, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  auto old = f.begin(txn::Isolation::kRepeatableRead);
  t = f.begin();
  for (int id = 0; id < 100; ++id) ASSERT_TRUE(f.erase(*t, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  f.database->drop_storage(*t, f.access->table().storage);
  ASSERT_TRUE(f.database->commit(*t).ok());

  testing::TableSpec spec;
  spec.name = "other";
  t = f.begin();
  ASSERT_TRUE(make_table(*f.database, *t, spec).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  f.find("other");
  t = f.begin();
  ASSERT_TRUE(f.insert(*t, 1).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  t = f.begin();
  ASSERT_TRUE(f.erase(*t, 1).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
  f.database->rollback(*old);
  // The other table's key was the last to die.
  for (int i = 0; i < 200 && removed() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(removed(), 1u);
}

}  // namespace
}  // namespace omendb::table
