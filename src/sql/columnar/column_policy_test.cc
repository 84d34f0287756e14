// What owners want of copies, what is done when one cannot be made, and what is counted.
#include <gtest/gtest.h>

#include <thread>

#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/database_manager.hpp"

#include "sql/columnar/column_copy.h"
#include "sql/columnar/column_fill.h"
#include "sql/columnar/column_store.h"
#include "sql/engine/scan.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

using namespace std::chrono_literals;

class ColumnPolicyTest : public ::testing::Test {
 protected:
  std::string run(const std::string& sql) { return s_->run(sql); }
  uint64_t counter(const std::string& name) {
    return std::stoull(run("SELECT value FROM omendb_statistics() WHERE name = '" + name + "'"));
  }
  std::string copies() {
    return run("SELECT coalesce(string_agg(relid::regclass::text, ' ' ORDER BY relid), 'none') FROM omendb_columns()");
  }
  bool await_copies(const std::string& wanted) {
    for (int i = 0; i < 6000 && copies() != wanted; ++i) std::this_thread::sleep_for(10ms);
    return copies() == wanted;
  }

  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(ColumnPolicyTest, TheOptionIsPartOfTheTable) {
  EXPECT_EQ(run("CREATE TABLE t (a int) WITH (omendb.columns = off, fillfactor = 70)"), "CREATE TABLE");
  EXPECT_EQ(run("SELECT reloptions FROM pg_class WHERE relname = 't'"), "{fillfactor=70,omendb.columns=off}");
  run("ALTER TABLE t SET (omendb.columns = AUTO)");
  EXPECT_EQ(run("SELECT reloptions FROM pg_class WHERE relname = 't'"), "{fillfactor=70,omendb.columns=auto}");
  // As pg_dump writes it.
  run("ALTER TABLE t SET (\"omendb.columns\"='off')");
  EXPECT_EQ(run("SELECT reloptions FROM pg_class WHERE relname = 't'"), "{fillfactor=70,omendb.columns=off}");
  run("ALTER TABLE t RESET (omendb.columns, fillfactor)");
  EXPECT_EQ(run("SELECT reloptions IS NULL FROM pg_class WHERE relname = 't'"), "t");
  EXPECT_EQ(run("ALTER TABLE t SET (omendb.columns = sometimes)"),
            "ERROR 22023: invalid value for enum option \"omendb.columns\": sometimes");
  EXPECT_EQ(s_->last_error.detail, "Valid values are \"on\", \"off\", and \"auto\".");
  EXPECT_EQ(run("ALTER TABLE t SET (omendb.rows = on)"), "ERROR 22023: unrecognized parameter namespace \"omendb\"");
  EXPECT_EQ(run("ALTER TABLE t SET (colums = on)"), "ERROR 22023: unrecognized parameter \"colums\"");
  EXPECT_EQ(run("CREATE INDEX ON t (a) WITH (omendb.columns = on)"),
            "ERROR 22023: unrecognized parameter namespace \"omendb\"");
}

TEST_F(ColumnPolicyTest, OnIsMadeAndKeptAndOffIsNever) {
  run("CREATE TABLE t (a int PRIMARY KEY) WITH (omendb.columns = on)");
  EXPECT_TRUE(await_copies("t"));
  run("INSERT INTO t SELECT generate_series(1, 100)");
  run("SELECT omendb_drop_columns('t')");
  EXPECT_TRUE(await_copies("t"));
  run("TRUNCATE t; INSERT INTO t VALUES (1)");
  run("SET omendb.route = columns");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
  run("RESET omendb.route");
  EXPECT_TRUE(await_copies("t"));
  run("ALTER TABLE t SET (omendb.columns = off)");
  EXPECT_TRUE(await_copies("none"));
  EXPECT_EQ(run("SELECT omendb_build_columns('t')"), "f");
  run("SET omendb.route = columns");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(copies(), "none");
  run("RESET omendb.route");
  run("ALTER TABLE t RESET (omendb.columns)");
  EXPECT_EQ(run("SELECT omendb_build_columns('t')"), "t");
  EXPECT_EQ(copies(), "t");
}

TEST_F(ColumnPolicyTest, ATableOfAnotherShapeIsCopiedAnew) {
  for (const char* option : {"on", "auto"}) {
    const std::string t = std::string("t_") + option;
    run("CREATE TABLE " + t + " (a int PRIMARY KEY) WITH (omendb.columns = " + option + ")");
    run("INSERT INTO " + t + " SELECT generate_series(1, 6000)");
    const auto reads_columns = [&](const std::string& query) {
      for (int i = 0; i < 1000; ++i) {
        if (run("EXPLAIN ANALYZE " + query).find("Route: columns\n") != std::string::npos) return true;
        std::this_thread::sleep_for(10ms);
      }
      return false;
    };
    EXPECT_TRUE(reads_columns("SELECT sum(a) FROM " + t)) << option;
    run("ALTER TABLE " + t + " ADD COLUMN b int DEFAULT 7");
    EXPECT_TRUE(reads_columns("SELECT sum(a + b) FROM " + t)) << option;
    EXPECT_EQ(run("SELECT sum(b) FROM " + t), "42000");
  }
}

std::vector<std::string> g_warnings;

TEST_F(ColumnPolicyTest, ACopyThatCannotBeMadeIsLeftAloneForLongerAndLonger) {
  ColumnFailures failures([](const std::string& line) { g_warnings.push_back(line); });
  catalog::Table table;
  table.name = "t";
  table.oid = Oid(77);
  table.storage = StorageId(5);
  EXPECT_TRUE(failures.may_try(table.storage));
  const int64_t rests[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};
  for (const int64_t rest : rests) {
    const auto before = ColumnFailures::Clock::now();
    failures.note(table, "could not be made", "no room");
    const auto after = ColumnFailures::Clock::now();
    EXPECT_FALSE(failures.may_try(table.storage, before + std::chrono::seconds(rest) - 1ms)) << rest;
    EXPECT_TRUE(failures.may_try(table.storage, after + std::chrono::seconds(rest))) << rest;
  }
  EXPECT_EQ(g_warnings.front(), "copy of table \"t\" in columns could not be made: no room; not made again for 1 s");
  EXPECT_EQ(g_warnings.size(), std::size(rests));
  ASSERT_EQ(failures.list().size(), 1u);
  EXPECT_EQ(failures.list()[0].times, std::size(rests));
  EXPECT_EQ(failures.list()[0].reason, "no room");
  failures.forget(table.storage);
  EXPECT_TRUE(failures.may_try(table.storage));
  EXPECT_EQ(failures.total(), std::size(rests));
}

// A copy for which DuckDB has no memory: the failure is told once, and scans do not bring it back at once.
TEST_F(ColumnPolicyTest, AFailureIsToldAndScansGoOnWithRows) {
  run("CREATE TABLE t (a int PRIMARY KEY, b text)");
  run("INSERT INTO t SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 20000) g");
  EngineOptions options;
  options.memory_bytes = 1 << 20;
  options.threads = 1;
  DuckInstance duck(options);
  auto transaction = db_.database->begin(txn::Isolation::kRepeatableRead, true);
  const auto catalog = db_.database->catalog(*transaction);
  const auto* table = catalog->find<catalog::Table>(Oid(std::stoul(run("SELECT 't'::regclass::oid"))));
  ASSERT_NE(table, nullptr);
  const auto schema =
      std::make_shared<const TableSchema>(*catalog, std::make_shared<table::TableAccess>(*catalog, *table));
  db_.database->rollback(*transaction);
  g_warnings.clear();
  {
    ColumnStore store(*db_.database, duck.instance(),
                      {.warn = [](const std::string& line) { g_warnings.push_back(line); }});
    for (int i = 0; i < 5; ++i) store.note_scan(schema, 20000);
    for (int i = 0; i < 6000 && store.failures().total() == 0; ++i) std::this_thread::sleep_for(10ms);
    const auto failed = ColumnFailures::Clock::now();
    for (int i = 0; i < 50; ++i) {
      store.note_scan(schema, 20000);
      std::this_thread::sleep_for(5ms);
    }
    // One more for each second that this took, and no more than that on any machine.
    EXPECT_GE(store.failures().total(), 1u);
    EXPECT_LE(store.failures().total(), 1u + static_cast<uint64_t>((ColumnFailures::Clock::now() - failed) / 1s));
    EXPECT_TRUE(store.list().empty());
  }
  ASSERT_GE(g_warnings.size(), 1u);
  EXPECT_EQ(g_warnings[0].substr(0, 65), "copy of table \"t\" in columns could not be made: out of memory; no");
}

TEST_F(ColumnPolicyTest, RoutesAreCountedAndExplained) {
  run("CREATE TABLE t (id int PRIMARY KEY, a int)");
  run("INSERT INTO t SELECT g, g % 10 FROM generate_series(1, 20000) g");
  const auto statements = [&](const char* route) { return counter(std::string("route_") + route + "_statements"); };
  const uint64_t point = statements("point"), rows = statements("rows"), columns = statements("columns");
  EXPECT_EQ(run("SELECT a FROM t WHERE id = 7"), "7");
  EXPECT_EQ(statements("point"), point + 1);
  run("SET omendb.route = rows");
  EXPECT_EQ(run("SELECT sum(a) FROM t"), "90000");
  EXPECT_NE(run("EXPLAIN ANALYZE SELECT sum(a) FROM t").find("Route: rows\n"), std::string::npos);
  run("RESET omendb.route");
  EXPECT_GT(statements("rows"), rows);
  EXPECT_EQ(run("SELECT omendb_build_columns('t')"), "t");
  const uint64_t from_columns = counter("scan_rows_from_columns"), from_delta = counter("scan_rows_from_delta");
  EXPECT_EQ(run("SELECT sum(a) FROM t"), "90000");
  EXPECT_GT(statements("columns"), columns);
  EXPECT_EQ(counter("scan_rows_from_columns"), from_columns + 20000);
  EXPECT_GT(counter("route_columns_microseconds"), 0u);
  EXPECT_NE(run("EXPLAIN ANALYZE SELECT sum(a) FROM t").find("Route: columns\n"), std::string::npos);
  EXPECT_NE(run("EXPLAIN ANALYZE SELECT count(*) FROM t").find("Route: columns\n"), std::string::npos);
  EXPECT_NE(run("EXPLAIN SELECT sum(a) FROM t").find("Route: rows or columns\n"), std::string::npos);
  run("CREATE TABLE small (a int); INSERT INTO small VALUES (3)");
  EXPECT_NE(run("EXPLAIN ANALYZE SELECT sum(t.a) FROM t, small").find("Route: rows and columns\n"), std::string::npos);
  run("BEGIN; UPDATE t SET a = 1 WHERE id <= 3");
  EXPECT_EQ(run("SELECT count(*), sum(a) FROM t WHERE a >= 0"), "20000|89997");
  EXPECT_GE(counter("scan_rows_from_delta"), from_delta + 3);
  run("ROLLBACK");
}

TEST_F(ColumnPolicyTest, TheLagIsToldInCommitsAndBytes) {
  run("CREATE TABLE t (id int PRIMARY KEY, a int)");
  run("INSERT INTO t SELECT g, g FROM generate_series(1, 5000) g");
  run("SELECT omendb_build_columns('t')");
  EXPECT_EQ(run("SELECT lag, lag_commits, lag_bytes FROM omendb_columns()"), "0|0|0");
  run("UPDATE t SET a = 0 WHERE id <= 10");
  run("UPDATE t SET a = 1 WHERE id = 1");
  EXPECT_EQ(run("SELECT lag, lag_commits, lag_bytes > 0 FROM omendb_columns()"), "11|2|t");
  EXPECT_EQ(counter("columns_lag_commits"), 2u);
  EXPECT_EQ(counter("columns_copies"), 1u);
  EXPECT_GE(counter("columns_made"), 1u);
  run("SELECT omendb_drop_columns('t')");
  EXPECT_EQ(counter("columns_dropped"), 1u);
  EXPECT_EQ(run("SELECT count(*) FROM omendb_column_failures()"), "0");
}

// A fold ends with its statement, and the copy stays as it was.
TEST_F(ColumnPolicyTest, AFoldCanBeCancelled) {
  run("CREATE TABLE t (id int PRIMARY KEY, a int)");
  run("INSERT INTO t SELECT g, g FROM generate_series(1, 20000) g");
  EngineOptions options;
  options.memory_bytes = 64 << 20;
  DuckInstance duck(options);
  ColumnStore store(*db_.database, duck.instance(), {.automatic = false});
  auto transaction = db_.database->begin(txn::Isolation::kRepeatableRead, true);
  const auto catalog = db_.database->catalog(*transaction);
  const auto* table = catalog->find<catalog::Table>(Oid(std::stoul(run("SELECT 't'::regclass::oid"))));
  ASSERT_NE(table, nullptr);
  const auto schema =
      std::make_shared<const TableSchema>(*catalog, std::make_shared<table::TableAccess>(*catalog, *table));
  db_.database->rollback(*transaction);
  const auto copy = ColumnCopy::build(*db_.database, ColumnFile::create(duck.instance(), "", table->storage), schema,
                                      "test", Effort{.threads = 2}, [] { return false; });
  ASSERT_NE(copy, nullptr);
  const Timestamp made = copy->watermark();
  run("UPDATE t SET a = a + 1");
  transaction = db_.database->begin(txn::Isolation::kRepeatableRead, true);
  db_.database->begin_statement(*transaction);
  std::shared_mutex publish;
  ColumnCopy::FoldCount folded;
  for (int calls = 0; calls < 8; ++calls) {
    int left = calls;
    const auto check = [&] {
      if (left-- == 0) throw SqlError(SqlState::kQueryCanceled, "canceling statement due to user request");
    };
    EXPECT_THROW(copy->fold(*db_.database, *transaction, publish, Effort(), check, &folded), SqlError) << calls;
    EXPECT_EQ(copy->watermark(), made);
  }
  EXPECT_EQ(copy->fold(
                *db_.database, *transaction, publish, Effort(), [] {}, &folded),
            ColumnCopy::Folded::kDone);
  EXPECT_EQ(folded.keys, 20000u);
  const Status status = copy->verify(*db_.database, *transaction);
  EXPECT_TRUE(status.ok()) << status.message();
  db_.database->rollback(*transaction);
  copy->destroy(*db_.database);
}

// The same from outside: whichever step the timeout meets, it is the statement's error and no other.
TEST_F(ColumnPolicyTest, ATimeoutWhileFoldingIsATimeout) {
  run("CREATE TABLE t (id int PRIMARY KEY, a int)");
  run("INSERT INTO t SELECT g, g FROM generate_series(1, 50000) g");
  run("SELECT omendb_build_columns('t')");
  auto& store = static_cast<EngineImpl&>(*db_.engine).columns();
  for (const char* timeout : {"1ms", "2ms", "5ms", "20ms"}) {
    run("UPDATE t SET a = a + 1");
    run(std::string("SET statement_timeout = '") + timeout + "'");
    const std::string result = run("SELECT count(*), count(DISTINCT a) FROM t");
    run("SET statement_timeout = 0");
    EXPECT_TRUE(result == "50000|50000" || result == "ERROR 57014: canceling statement due to statement timeout")
        << result;
    EXPECT_EQ(run("SELECT count(*), count(DISTINCT a) FROM t"), "50000|50000");
  }
  EXPECT_EQ(store.failures().total(), 0u);
  const Status status = store.verify();
  EXPECT_TRUE(status.ok()) << status.message();
}

}  // namespace
}  // namespace omendb::sql
