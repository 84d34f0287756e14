// Bulk loads into tables that have copies: they reach the copy in spans of keys, and it is not made anew.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "sql/columnar/column_copy.h"
#include "sql/columnar/testing.h"
#include "table/testing.h"

namespace omendb::sql {
namespace {

using testing::ColumnDatabase;

/// Transactions go to the store in parts.
table::DatabaseOptions in_parts(size_t write_set_bytes = 2 << 20) {
  table::DatabaseOptions options;
  options.write_set_bytes = write_set_bytes;
  options.change_log_bytes = 256 << 10;  // a load's keys, one by one, are more
  return options;
}

const char* const kAll = "SELECT count(*), sum(id), sum(a), min(b), max(b) FROM t";

class ColumnLoad : public ::testing::TestWithParam<bool> {
 protected:
  ColumnLoad() : server_(GetParam() ? directory_.path() : std::string(), "test", in_parts()) {
    run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
    run("SELECT omendb_build_columns('t')");
  }
  std::string run(const std::string& sql) { return server_.run(sql); }
  static std::string load(int from, int to, const char* key = "i") {
    return "INSERT INTO t SELECT " + std::string(key) + ", i % 100, 'row ' || i % 1000 FROM generate_series(" +
           std::to_string(from) + ", " + std::to_string(to) + ") i";
  }
  /// The copy is the first one, and has got `rows` rows.
  void expect_followed(int rows) {
    EXPECT_EQ(run("SELECT count(*) FROM t"), std::to_string(rows));
    server_.both(kAll);
    server_.store().fold_all();
    server_.both(kAll);
    const auto copies = server_.store().list();
    ASSERT_EQ(copies.size(), 1u);
    EXPECT_EQ(copies[0].rows, static_cast<uint64_t>(rows));
    EXPECT_EQ(server_.store().counters().builds, 1u);
    EXPECT_EQ(server_.store().counters().drops, 0u);
    server_.expect_sound();
  }

  table::testing::TemporaryDirectory directory_;
  ColumnDatabase server_;
};

TEST_P(ColumnLoad, ALoadReachesTheCopyAsSpans) {
  run(load(1, 150000));
  expect_followed(150000);
  const uint64_t spans = server_.store().counters().folded_spans;
  EXPECT_GT(spans, 0u);
  EXPECT_EQ(server_.store().list()[0].dead, 0u);
  run(load(150001, 160000));
  run("DELETE FROM t WHERE id BETWEEN 155000 AND 158000");
  run(load(150001, 160000, "-i"));
  expect_followed(166999);
  EXPECT_GT(server_.store().counters().folded_spans, spans);
}

TEST_P(ColumnLoad, ALoadThatIsRolledBackInPartOrWhole) {
  run(load(1, 30000));
  run("BEGIN");
  run(load(30001, 80000));
  server_.both(kAll);
  run("ROLLBACK");
  expect_followed(30000);
  run("BEGIN");
  run(load(100001, 130000));
  run("SAVEPOINT s");
  run(load(130001, 160000));
  run("DELETE FROM t WHERE id <= 10000");
  server_.both(kAll);
  run("ROLLBACK TO s");
  run(load(160001, 170000));
  EXPECT_EQ(server_.both("SELECT count(*) FROM t"), "70000");
  run("COMMIT");
  expect_followed(70000);
}

TEST_P(ColumnLoad, ALoadWithoutAPrimaryKeyAndInAnotherOrder) {
  run("CREATE TABLE h (a int, b text)");
  run("CREATE TABLE k (a text, b int, PRIMARY KEY (a, b))");
  for (const char* table : {"h", "k"}) run("SELECT omendb_build_columns('" + std::string(table) + "')");
  run("INSERT INTO h SELECT i, 'row' FROM generate_series(1, 40000) i");
  run("INSERT INTO k SELECT md5(i::text), i FROM generate_series(1, 40000) i");
  for (const char* query : {"SELECT count(*), sum(a), min(b) FROM h", "SELECT count(*), max(a), sum(b) FROM k"})
    server_.both(query);
  server_.store().fold_all();
  for (const char* query : {"SELECT count(*), sum(a), min(b) FROM h", "SELECT count(*), max(a), sum(b) FROM k"})
    server_.both(query);
  EXPECT_EQ(server_.store().counters().builds, 3u);
  EXPECT_EQ(server_.store().counters().drops, 0u);
  server_.expect_sound();
}

TEST_P(ColumnLoad, SnapshotsBeforeAndWithin) {
  run(load(1, 20000));
  server_.both(kAll);
  auto old = server_.connect();
  ColumnDatabase::run(*old, "BEGIN ISOLATION LEVEL REPEATABLE READ");
  const std::string before = ColumnDatabase::both(*old, kAll);
  run("BEGIN ISOLATION LEVEL REPEATABLE READ");
  run(load(20001, 30000));
  run("UPDATE t SET a = -1 WHERE id BETWEEN 5000 AND 15000");
  run("DELETE FROM t WHERE id BETWEEN 25000 AND 26000");
  EXPECT_EQ(server_.both("SELECT count(*), sum(CASE WHEN a < 0 THEN 1 ELSE 0 END) FROM t"), "28999|10001");
  run("COMMIT");
  EXPECT_EQ(ColumnDatabase::both(*old, kAll), before);
  server_.store().fold_all();
  EXPECT_EQ(ColumnDatabase::both(*old, kAll), before);
  ColumnDatabase::run(*old, load(40001, 41000));
  EXPECT_EQ(ColumnDatabase::both(*old, "SELECT count(*) FROM t"), "21000");
  ColumnDatabase::run(*old, "COMMIT");
  expect_followed(29999);
}

TEST_P(ColumnLoad, LoadsBesideOneAnotherAndFolds) {
  std::atomic<int> loading{3};
  std::vector<std::thread> loaders;
  for (int n = 0; n < 3; ++n) {
    loaders.emplace_back([&, n] {
      auto session = server_.connect();
      for (int round = 0; round < 4; ++round) {
        // Neighbours of one another's keys; some undone.
        ColumnDatabase::run(*session, "BEGIN");
        ColumnDatabase::run(*session, load(round * 5000 + 1, round * 5000 + 5000,
                                           n == 0   ? "3 * i"
                                           : n == 1 ? "3 * i + 1"
                                                    : "-i"));
        ColumnDatabase::run(*session, round % 3 == 1 ? "ROLLBACK" : "COMMIT");
      }
      --loading;
    });
  }
  auto reader = server_.connect();
  while (loading > 0) {
    ColumnDatabase::run(*reader, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    ColumnDatabase::both(*reader, kAll);
    ColumnDatabase::run(*reader, "COMMIT");
    server_.store().fold_all();
  }
  for (auto& loader : loaders) loader.join();
  expect_followed(45000);
}

// All rows written anew: that is not folded, which would leave more dead rows than live ones.
TEST_P(ColumnLoad, WhatIsWhollyRewrittenIsMadeAnew) {
  run(load(1, 150000));
  server_.store().fold_all();
  run("UPDATE t SET a = a + 1");
  server_.both(kAll);
  server_.store().fold_all();
  server_.both(kAll);
  for (int i = 0; i < 6000 && server_.store().list()[0].lag > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto copies = server_.store().list();
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].rows, 150000u);
  EXPECT_EQ(copies[0].dead, 0u);
  EXPECT_EQ(server_.store().counters().builds, 2u);
  EXPECT_EQ(server_.store().counters().drops, 0u);
  server_.both(kAll);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ColumnLoad, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "OnDisk" : "InMemory"; });

// Large enough to be read by several threads; a check that throws leaves the copy as it was.
TEST(ColumnLoads, ALargeLoadIsReadInParts) {
  table::testing::TemporaryDirectory directory;
  ColumnDatabase server(directory.path(), "test", in_parts(16 << 20));
  server.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
  server.run("INSERT INTO t SELECT i, 1, 'first' FROM generate_series(1, 10000) i");
  server.run("SELECT omendb_build_columns('t')");
  server.run("INSERT INTO t SELECT i, i % 7, 'row ' || i % 100 FROM generate_series(10001, 1200000) i");
  server.run("UPDATE t SET a = 9 WHERE id % 1000 = 0");
  server.store().fold_all();
  server.both(kAll);
  server.both("SELECT a, count(*), min(id), max(id) FROM t GROUP BY a ORDER BY a");
  server.run("UPDATE t SET a = 10 WHERE id % 999 = 0");
  server.run("DELETE FROM t WHERE id % 1001 = 0");
  server.both(kAll);
  server.both("SELECT id, a, b FROM t WHERE id % 99991 < 3 ORDER BY id");
  EXPECT_EQ(server.store().counters().builds, 1u);
  EXPECT_EQ(server.store().counters().drops, 0u);
  EXPECT_GT(server.store().counters().folded_spans, 0u);
}

// What a large load is moved over as must leave nothing behind it that later rows would be lost to, neither here nor in the file.
TEST(ColumnLoads, RowsThatComeAfterALargeLoadAreSeen) {
  table::testing::TemporaryDirectory directory;
  {
    ColumnDatabase server(directory.path(), "test", in_parts(256 << 20));
    server.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
    server.run("INSERT INTO t SELECT i, 1, 'first' FROM generate_series(1, 10000) i");
    server.run("SELECT omendb_build_columns('t')");
    server.run("INSERT INTO t SELECT i, i % 7, 'row ' || i % 100 FROM generate_series(10001, 310000) i");
    server.store().fold_all();
    for (const char* change : {"UPDATE t SET a = 9 WHERE id % 100 = 0", "INSERT INTO t VALUES (500000, 1, 'last')"}) {
      server.store().write_all();
      server.run(change);
      server.both(kAll);
      server.expect_sound();
    }
    server.run("UPDATE t SET a = 10 WHERE id % 999 = 0");
  }
  ColumnDatabase server(directory.path(), "test", in_parts(256 << 20));
  server.store().await_taken_up();
  EXPECT_EQ(server.store().counters().taken_up, 1u);
  server.both(kAll);
  server.expect_sound();
}

thread_local bool g_cancel = false;

void cancel_fold(const char* step) {
  if (g_cancel && std::string(step) == "fold: appended")
    throw SqlError(SqlState::kQueryCanceled, "canceling statement due to user request");
}

TEST(ColumnLoads, AFoldThatIsGivenUpLeavesNoPlaces) {
  ColumnDatabase server("", "test", in_parts());
  server.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
  server.run("INSERT INTO t SELECT i, 1, 'first' FROM generate_series(1, 1000) i");
  server.run("SELECT omendb_build_columns('t')");
  column_step_hook = &cancel_fold;
  g_cancel = true;  // of this thread's folds, not the background's
  server.run("INSERT INTO t SELECT i, i % 7, 'second' FROM generate_series(-20000, 0) i");
  auto session = server.connect();
  ColumnDatabase::run(*session, "SET omendb.route = columns");
  const std::string first = session->run("SELECT count(*) FROM t");
  g_cancel = false;
  column_step_hook = nullptr;
  // Either the background had folded before, or the statement was given up.
  if (first != "21001") {
    EXPECT_EQ(first.substr(0, 12), "ERROR 57014:") << first;
  }
  server.run("DELETE FROM t WHERE id BETWEEN -15000 AND -12001");
  EXPECT_EQ(server.both("SELECT count(*) FROM t"), "18001");
  server.expect_sound();
  EXPECT_EQ(server.store().counters().builds, 1u);
  EXPECT_EQ(server.store().counters().drops, 0u);
}

}  // namespace
}  // namespace omendb::sql
