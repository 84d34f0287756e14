#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "sql/columnar/column_file.h"
#include "sql/columnar/testing.h"
#include "sql/engine/scan.h"

namespace omendb::sql {
namespace {

class ColumnTest : public ::testing::Test, protected testing::ColumnDatabase {
 protected:
  ColumnTest() {
    run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, n numeric(12,2), d date, big numeric, arr int[])");
    run("INSERT INTO t SELECT i, i % 100, 'text number ' || i % 1000, i / 4.0, date '2020-01-01' + i % 1000, "
        "i::numeric * 1e30, ARRAY[i, i + 1] "
        "FROM generate_series(1, 10000) i");
  }
};

const char* const kQueries[] = {
    "SELECT count(*), sum(a), min(b), max(n), sum(big), min(d) FROM t",
    "SELECT a, count(*), sum(n) FROM t GROUP BY a ORDER BY a",
    "SELECT count(*) FROM t",
    "SELECT count(*), sum(id) FROM t WHERE a BETWEEN 10 AND 19 AND b LIKE '%7'",
    "SELECT id, a, b, n, d, big, arr FROM t WHERE id % 997 = 3 ORDER BY id",
    "SELECT count(*), sum(x.a + y.a) FROM t x JOIN t y ON x.id = y.a WHERE y.n > 100",
    "SELECT b, max(id) FROM t WHERE d > date '2021-01-01' GROUP BY b ORDER BY 2 DESC LIMIT 10",
    "SELECT count(*) FROM t WHERE id > 5000 AND a IS NULL",
    "SELECT max(a), min(a), max(id), min(id), count(b) FROM t",
};

TEST_F(ColumnTest, ACopyAnswersAsTheRowsDo) {
  for (const char* query : kQueries) both(query);
  EXPECT_EQ(store().counters().builds, 1u);
  expect_sound();
}

TEST_F(ColumnTest, EveryCommitIsSeenAtOnce) {
  auto writer = connect();
  for (int i = 0; i < 50; ++i) {
    run(*writer, "INSERT INTO t (id, a) VALUES (" + std::to_string(100000 + i) + ", 1)");
    run(*writer, "DELETE FROM t WHERE id = " + std::to_string(i * 3 + 1));
    run(*writer, "UPDATE t SET a = -5 WHERE id = " + std::to_string(i * 3 + 2));
    run("SET omendb.route = columns");
    EXPECT_EQ(run("SELECT count(*) FROM t"), "10000");
    EXPECT_EQ(run("SELECT count(*) FROM t WHERE a = -5"), std::to_string(i + 1));
    run("RESET omendb.route");
  }
  EXPECT_EQ(store().counters().builds, 1u);
  EXPECT_GT(store().counters().folds, 40u);
  expect_sound();
}

TEST_F(ColumnTest, OwnWritesAndOlderSnapshotsAreLaidOver) {
  both(kQueries[0]);
  auto writer = connect();
  auto old = connect();
  run(*old, "BEGIN ISOLATION LEVEL REPEATABLE READ");
  const std::string before = both(*old, kQueries[0]);
  run(*writer, "UPDATE t SET a = a + 1, b = 'new' WHERE id % 10 = 0");
  run(*writer, "DELETE FROM t WHERE id % 10 = 1");
  run(*writer, "INSERT INTO t (id, a) SELECT i, i FROM generate_series(20001, 20100) i");
  EXPECT_NE(both(kQueries[0]), before);
  EXPECT_EQ(both(*old, kQueries[0]), before);
  for (const char* query : kQueries) both(*old, query);
  run(*old, "INSERT INTO t (id, a) VALUES (30000, 7), (30001, 8)");
  run(*old, "UPDATE t SET a = 1000000 WHERE id = 5");
  run(*old, "DELETE FROM t WHERE id = 6");
  for (const char* query : kQueries) both(*old, query);
  EXPECT_EQ(both(*old, "SELECT max(a), count(*) FROM t"), "1000000|10001");
  run(*old, "SAVEPOINT s");
  run(*old, "DELETE FROM t WHERE id < 9000 AND id % 10 > 1");
  for (const char* query : kQueries) both(*old, query);
  run(*old, "ROLLBACK TO s");
  EXPECT_EQ(both(*old, "SELECT max(a), count(*) FROM t"), "1000000|10001");
  run(*old, "ROLLBACK");
  for (const char* query : kQueries) both(*old, query);
  expect_sound();
}

TEST_F(ColumnTest, TablesThatChangeTheirShapeAreCopiedAnew) {
  both(kQueries[0]);
  run("ALTER TABLE t ADD COLUMN later int DEFAULT 7");
  EXPECT_EQ(both("SELECT count(*), sum(later) FROM t"), "10000|70000");
  run("ALTER TABLE t DROP COLUMN b");
  EXPECT_EQ(both("SELECT count(*), sum(later), max(d) FROM t").substr(0, 12), "10000|70000|");
  run("ALTER TABLE t ALTER COLUMN a TYPE bigint");
  EXPECT_EQ(both("SELECT count(*), sum(a) FROM t"), "10000|495000");
  run("BEGIN");
  run("ALTER TABLE t ADD COLUMN undone int DEFAULT 1");
  EXPECT_EQ(both("SELECT sum(undone) FROM t"), "10000");
  run("ROLLBACK");
  run("ALTER TABLE t ADD COLUMN done int DEFAULT 2");
  EXPECT_EQ(both("SELECT sum(done) FROM t"), "20000");
  run("BEGIN");
  run("TRUNCATE t");
  EXPECT_EQ(both("SELECT count(*) FROM t"), "0");
  run("INSERT INTO t (id, a) VALUES (1, 2)");
  EXPECT_EQ(both("SELECT count(*), sum(a) FROM t"), "1|2");
  run("ROLLBACK");
  EXPECT_EQ(both("SELECT count(*), sum(a) FROM t"), "10000|495000");
  run("TRUNCATE t");
  EXPECT_EQ(both("SELECT count(*) FROM t"), "0");
  run("DROP TABLE t");
}

TEST_F(ColumnTest, TablesWithoutAPrimaryKeyAndWithLongKeys) {
  run("CREATE TABLE h (a int, b text)");
  run("INSERT INTO h SELECT i, 'row ' || i FROM generate_series(1, 3000) i");
  both("SELECT count(*), sum(a), max(b) FROM h");
  run("CREATE TABLE k (a text, b int, c int, PRIMARY KEY (a, b))");
  run("INSERT INTO k SELECT 'key ' || i / 3, i, i FROM generate_series(1, 3000) i");
  both("SELECT count(*), sum(c), max(a) FROM k");
  for (int i = 0; i < 20; ++i) {
    run("DELETE FROM h WHERE a % 101 = " + std::to_string(i));
    run("INSERT INTO h VALUES (" + std::to_string(i) + ", 'again')");
    both("SELECT count(*), sum(a), max(b) FROM h");
    run("UPDATE k SET b = b + 10000 WHERE c % 53 = " + std::to_string(i));
    both("SELECT count(*), sum(b), max(a) FROM k");
  }
  expect_sound();
}

TEST_F(ColumnTest, TablesThatAreScannedAgainAndAgainAreCopied) {
  const uint64_t before = scan_counters().column_scans;
  for (int i = 0; i < 500 && scan_counters().column_scans == before; ++i) {
    EXPECT_EQ(run("SELECT count(*) FROM t WHERE a = 5"), "100");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GT(scan_counters().column_scans, before);
  EXPECT_EQ(run("SELECT a FROM t WHERE id = 77"), "77");
}

TEST_F(ColumnTest, CopiesAreMadeAndDroppedByFunctions) {
  EXPECT_EQ(run("SELECT omendb_build_columns('t')"), "t");
  EXPECT_EQ(run("SELECT relid::regclass, rows, dead, lag FROM omendb_columns()"), "t|10000|0|0");
  auto other = connect();
  EXPECT_EQ(other->run("SELECT omendb_drop_columns('t')"), "t");
  EXPECT_EQ(other->run("SELECT omendb_drop_columns('t')"), "f");
  EXPECT_EQ(run("SELECT count(*) FROM omendb_columns()"), "0");
  run("CREATE VIEW v AS SELECT 1 AS one");
  EXPECT_EQ(other->run("SELECT omendb_build_columns('v')").substr(0, 12), "ERROR 42809:");
  run("CREATE ROLE guest");
  run("SET ROLE guest");
  EXPECT_EQ(first_session->run("SELECT omendb_build_columns('t')"), "ERROR 42501: must be owner of table t");
  run("RESET ROLE");
}

std::atomic<bool> g_building{false}, g_go_on{false};

void hold_up_building(const char* step) {
  if (std::string(step) != "build: begun") return;
  g_building = true;
  while (!g_go_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// As the background does, which meets a table whose copy a statement is making, and folds the others until it is there.
TEST_F(ColumnTest, WhoWaitsForACopyThatAnotherMakesMayLookAfterTheOthers) {
  auto transaction = database->begin(txn::Isolation::kRepeatableRead, true);
  const auto catalog = database->catalog(*transaction);
  const auto table = *catalog->find<catalog::Table>(Oid(std::stoul(run("SELECT 't'::regclass::oid"))));
  database->rollback(*transaction);
  column_step_hook = &hold_up_building;
  std::thread maker([&] { EXPECT_TRUE(store().build(table)); });
  while (!g_building) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  column_step_hook = nullptr;
  int asked = 0;
  const auto stop = [&] {
    (void)store().list();
    return ++asked == 3;
  };
  EXPECT_FALSE(store().build(table, stop));
  g_go_on = true;
  maker.join();
  EXPECT_TRUE(store().build(table));
  EXPECT_EQ(store().counters().builds, 1u);
}

TEST_F(ColumnTest, CopiesMayBeDroppedUnderTheirReaders) {
  std::atomic<bool> stop{false};
  std::thread dropper([&] {
    auto session = connect();
    while (!stop) {
      session->run("SELECT omendb_drop_columns('t')");
      session->run("UPDATE t SET a = a WHERE id < 20");
    }
  });
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      auto session = connect();
      session->run("SET omendb.route = columns");
      for (int i = 0; i < 40; ++i) EXPECT_EQ(session->run("SELECT count(*), sum(a) FROM t"), "10000|495000");
    });
  }
  for (auto& reader : readers) reader.join();
  stop = true;
  dropper.join();
  expect_sound();
}

TEST_F(ColumnTest, BeyondTheBoundOfPlacesTablesAreCopiedAtCommandOnly) {
  EngineOptions options;
  options.memory_bytes = 64 << 20;
  DuckInstance duck(options);
  auto transaction = database->begin(txn::Isolation::kRepeatableRead, true);
  const auto catalog = database->catalog(*transaction);
  const auto* table = catalog->find<catalog::Table>(Oid(std::stoul(run("SELECT 't'::regclass::oid"))));
  ASSERT_NE(table, nullptr);
  const auto schema =
      std::make_shared<const TableSchema>(*catalog, std::make_shared<table::TableAccess>(*catalog, *table));
  database->rollback(*transaction);
  for (const size_t bound : {size_t{1000}, size_t{10} << 20}) {
    ColumnStore store(*database, duck.instance(), {.places_max = bound});
    for (int i = 0; i < 5; ++i) store.note_scan(schema, 10000);
    for (int i = 0; i < 100 && store.list().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(bound > 1000 ? 50 : 4));
    EXPECT_EQ(store.list().size(), bound > 1000 ? 1u : 0u);
    EXPECT_TRUE(store.build(*table));
    EXPECT_EQ(store.list().size(), 1u);
    const Status status = store.verify();
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

// Keys that were folded in have an entry each, until they are packed into pages again.
TEST_F(ColumnTest, PlacesArePackedAfterManyFolds) {
  run("CREATE TABLE much (id int PRIMARY KEY, a int)");
  run("INSERT INTO much SELECT g, g FROM generate_series(1, 200000) g");
  run("SELECT omendb_build_columns('much')");
  const auto bytes = [&] {
    for (const auto& copy : store().list()) {
      if (copy.rows > 190000) return copy.place_bytes;
    }
    return UINT64_MAX;
  };
  const auto settle = [&](uint64_t below) {
    store().fold_all();
    for (int i = 0; i < 6000 && bytes() > below; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_LT(bytes(), below);
    const Status status = store().verify();
    EXPECT_TRUE(status.ok()) << status.message();
    both("SELECT count(*), sum(a), min(id), max(id) FROM much");
  };
  settle(200000 * 3 / 10);
  run("UPDATE much SET a = a + 1 WHERE id % 5 < 2");
  settle(200000 * 5 / 2);
  run("DELETE FROM much WHERE id % 100 = 7");
  run("UPDATE much SET id = id + 1000000 WHERE id % 100 = 9");
  settle(200000 * 5 / 2);
}

// Writers, folds and readers at once: whatever way a transaction's query goes, it gives one answer.
TEST_F(ColumnTest, WaysAgreeWhileOthersWrite) {
  run("CREATE TABLE account (id int PRIMARY KEY, owner text, balance int)");
  run("INSERT INTO account SELECT i, 'owner ' || i % 7, 100 FROM generate_series(1, 2000) i");
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      auto session = connect();
      std::mt19937 random(17 + w);
      while (!stop) {
        const std::string from = std::to_string(random() % 2000 + 1), to = std::to_string(random() % 2000 + 1);
        session->run("BEGIN");
        session->run("UPDATE account SET balance = balance - 7 WHERE id = " + from);
        session->run("UPDATE account SET balance = balance + 7 WHERE id = " + to);
        if (random() % 5 == 0) {
          session->run("DELETE FROM account WHERE id = " + std::to_string(10000 + random() % 50));
          session->run("INSERT INTO account VALUES (" + std::to_string(10000 + random() % 50) +
                       ", 'guest', 0) ON CONFLICT DO NOTHING");
        }
        session->run(random() % 4 == 0 ? "ROLLBACK" : "COMMIT");
      }
    });
  }
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&, r] {
      auto session = connect();
      for (int i = 0; i < 15; ++i) {
        session->run("SET omendb.route = columns");
        EXPECT_EQ(session->run("SELECT sum(balance) FROM account"), "200000");
        session->run("BEGIN ISOLATION LEVEL REPEATABLE READ");
        if (r == 1) session->run("UPDATE account SET owner = 'mine' WHERE id BETWEEN 5000 AND 6000");
        for (int k = 0; k < 3; ++k) {
          both(*session, "SELECT owner, count(*), sum(balance), min(id) FROM account GROUP BY owner ORDER BY owner");
          both(*session, "SELECT count(*) FROM account a JOIN account b ON a.balance = b.balance WHERE a.id < 50");
        }
        session->run("COMMIT");
      }
    });
  }
  for (auto& reader : readers) reader.join();
  stop = true;
  for (auto& writer : writers) writer.join();
  expect_sound();
}

}  // namespace
}  // namespace omendb::sql
