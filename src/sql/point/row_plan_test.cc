#include "sql/point/row_plan.h"

#include <gtest/gtest.h>

#include <random>

#include "sql/engine/scan.h"
#include "sql/engine/testing.h"
#include "sql/point/point_plan.h"

namespace omendb::sql {
namespace {

class RowPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    run("CREATE TABLE cust (id int PRIMARY KEY, name text, region int)");
    run("CREATE TABLE ord (id bigint PRIMARY KEY, cust_id int, status text, total numeric(12,2), note text)");
    run("CREATE INDEX ord_cust ON ord (cust_id)");
    run("CREATE TABLE line (ord_id bigint, n int, qty int, price numeric(10,2), PRIMARY KEY (ord_id, n))");
    run("CREATE TABLE kind (code text PRIMARY KEY, label text)");
    run("INSERT INTO cust SELECT i, 'customer ' || i, nullif(i % 7, 0) FROM generate_series(1, 300) i");
    run("INSERT INTO ord SELECT i, nullif(i % 250, 0), CASE WHEN i % 5 = 0 THEN 'open' WHEN i % 7 = 0 THEN NULL ELSE "
        "'done' END, "
        "i * 1.25, CASE WHEN i % 3 = 0 THEN 'n' || i END FROM generate_series(1, 2000) i");
    run("INSERT INTO line SELECT i / 3, i % 3, i % 11, i * 0.5 FROM generate_series(3, 6000) i");
    run("INSERT INTO kind VALUES ('open', 'still open'), ('done', 'finished')");
  }
  std::string run(const std::string& sql) { return s_->run(sql); }
  /// The answer of `sql`, which must be a small plan's and the same as DuckDB's.
  std::string small(const std::string& sql) {
    const auto scans = scan_counters().rows_read;
    const auto before = point_counters().executions;
    const auto counted = route_count(StatementRoute::kSmall).statements;
    const std::string result = run(sql);
    EXPECT_EQ(point_counters().executions, before + 1) << sql;
    EXPECT_EQ(route_count(StatementRoute::kSmall).statements, counted + 1) << sql;
    EXPECT_EQ(scan_counters().rows_read, scans) << sql;
    run("SET omendb.route = rows");
    EXPECT_EQ(result, run(sql)) << sql;
    run("RESET omendb.route");
    return result;
  }
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(RowPlanTest, JoinsFollowKeys) {
  EXPECT_EQ(small("SELECT c.name, o.id FROM cust c JOIN ord o ON o.cust_id = c.id WHERE c.id = 17 AND o.id < 300 ORDER "
                  "BY o.id"),
            "customer 17|17\ncustomer 17|267");
  small(
      "SELECT c.name, o.id, l.n, l.qty * l.price FROM ord o, cust c, line l WHERE o.id = 77 AND c.id = o.cust_id AND "
      "l.ord_id = o.id ORDER BY 3");
  small(
      "SELECT c.id, o.id, o.note FROM cust c LEFT JOIN ord o ON o.cust_id = c.id AND o.status = 'open' WHERE c.id IN "
      "(3, 290, 5) ORDER BY 1, 2");
  small(
      "SELECT c.id, count(o.id), sum(o.total) FROM cust c LEFT JOIN ord o ON o.cust_id = c.id WHERE c.id BETWEEN 248 "
      "AND 252 GROUP BY c.id ORDER BY c.id");
  small("SELECT o.id, k.label FROM ord o JOIN kind k ON k.code = o.status WHERE o.cust_id = 5 ORDER BY o.id");
  small("SELECT a.id, b.id FROM cust a JOIN cust b ON b.id = a.id + 1 WHERE a.id IN (1, 2, 300) ORDER BY 1");
}

TEST_F(RowPlanTest, SubqueriesFollowKeys) {
  small(
      "SELECT id FROM cust c WHERE id IN (1, 4, 299) AND EXISTS (SELECT 1 FROM ord o WHERE o.cust_id = c.id AND "
      "o.status = 'open') ORDER BY id");
  small(
      "SELECT id FROM cust c WHERE id BETWEEN 245 AND 255 AND NOT EXISTS (SELECT 1 FROM ord o WHERE o.cust_id = c.id) "
      "ORDER BY id");
  small(
      "SELECT id, (SELECT max(o.total) FROM ord o WHERE o.cust_id = c.id) FROM cust c WHERE id IN (1, 250, 9) ORDER BY "
      "id");
  small(
      "SELECT id, (SELECT count(*) FROM ord o WHERE o.cust_id = c.id AND o.note IS NOT NULL) FROM cust c WHERE id IN "
      "(1, 250, 9) ORDER BY id");
  small("SELECT id FROM ord WHERE cust_id IN (SELECT id FROM cust WHERE id IN (3, 4)) ORDER BY id LIMIT 5");
  small(
      "WITH c AS (SELECT id, name FROM cust WHERE id = 6) SELECT c.name, o.id FROM c JOIN ord o ON o.cust_id = c.id "
      "ORDER BY o.id");
}

TEST_F(RowPlanTest, AggregatesAndOrders) {
  small("SELECT count(*), count(note), sum(total), avg(total), min(note), max(id) FROM ord WHERE cust_id = 5");
  small("SELECT count(*), sum(total), max(note) FROM ord WHERE cust_id = 100000");
  small(
      "SELECT status, count(*), sum(total), count(DISTINCT note) FROM ord WHERE cust_id = 5 GROUP BY status ORDER BY "
      "status NULLS FIRST");
  small(
      "SELECT status, array_agg(id ORDER BY id DESC), string_agg(note, ',' ORDER BY id) FROM ord WHERE cust_id IN (5, "
      "6) GROUP BY 1 ORDER BY 1");
  small(
      "SELECT count(*) FILTER (WHERE status = 'open'), sum(total) FILTER (WHERE note IS NULL) FROM ord WHERE cust_id = "
      "10");
  small("SELECT status FROM ord WHERE cust_id = 5 GROUP BY status HAVING count(*) > 1 ORDER BY 1");
  small("SELECT DISTINCT status FROM ord WHERE cust_id IN (1, 2) ORDER BY 1 DESC");
  small("SELECT id FROM ord WHERE cust_id = 1 UNION ALL SELECT id FROM ord WHERE cust_id = 2 ORDER BY 1");
}

TEST_F(RowPlanTest, TheFirstRowsOfAnOrder) {
  EXPECT_EQ(small("SELECT id FROM cust ORDER BY id DESC LIMIT 3"), "300\n299\n298");
  EXPECT_EQ(small("SELECT id FROM ord WHERE cust_id = 9 ORDER BY id DESC LIMIT 2"), "1759\n1509");
  EXPECT_EQ(small("SELECT id FROM ord WHERE cust_id = 9 ORDER BY cust_id, id LIMIT 2 OFFSET 1"), "259\n509");
  EXPECT_EQ(small("SELECT id FROM ord WHERE id > 500 ORDER BY id LIMIT 2"), "501\n502");
  EXPECT_EQ(small("SELECT id FROM ord WHERE id <= 500 AND status = 'open' ORDER BY id DESC LIMIT 2"), "500\n495");
  EXPECT_EQ(small("SELECT cust_id, id FROM ord ORDER BY cust_id NULLS LAST, id LIMIT 2"), "1|1\n1|251");
  EXPECT_EQ(small("SELECT cust_id, id FROM ord ORDER BY cust_id DESC, id DESC LIMIT 2"), "NULL|2000\nNULL|1750");
  EXPECT_EQ(small("SELECT n FROM line WHERE ord_id = 7 ORDER BY n DESC LIMIT 0"), "SELECT 0");
}

TEST_F(RowPlanTest, TheEndsOfKeys) {
  run("CREATE INDEX ord_status ON ord (status DESC, total)");
  // Nulls lie at either end, more than a small plan reads.
  run("INSERT INTO ord SELECT i, NULL, NULL, NULL, NULL FROM generate_series(2001, 8000) i");
  EXPECT_EQ(small("SELECT min(id), max(id) FROM ord"), "1|8000");
  EXPECT_EQ(small("SELECT min(cust_id), max(cust_id), max(id) - min(id) FROM ord"), "1|249|7999");
  EXPECT_EQ(small("SELECT min(status), max(status) FROM ord"), "done|open");
  EXPECT_EQ(small("SELECT min(total), max(total) FROM ord WHERE status = 'open'"), "6.25|2500.00");
  EXPECT_EQ(small("SELECT min(total), max(total) FROM ord WHERE status = 'open' AND total > 100"), "106.25|2500.00");
  EXPECT_EQ(small("SELECT min(cust_id), max(cust_id) FROM ord WHERE cust_id > 1000"), "NULL|NULL");
  EXPECT_EQ(small("SELECT min(id), max(id) FROM ord WHERE cust_id = 9"), "9|1759");
  // Another key leads to fewer rows than the order's.
  EXPECT_EQ(run("EXPLAIN SELECT min(id), max(id) FROM ord WHERE cust_id = 9 AND note IS NULL")
                .find("First Rows: Short Range on ord using ord_pkey"),
            std::string::npos);
  EXPECT_EQ(small("SELECT min(note), max(cust_id) FROM ord WHERE cust_id = 9"), "n1509|9");
  EXPECT_EQ(run("EXPLAIN SELECT min(id), max(cust_id) FROM ord"),
            "Project\n  ->  Nested Loop\n    ->  Aggregate\n      ->  First Rows: Short Range on ord using ord_pkey\n  "
            "  ->  Aggregate\n      ->  First Rows: Short Range on ord using ord_cust\nRoute: small");
}

TEST_F(RowPlanTest, AnIndexOrdersNothingBehindItsColumnsWithoutAPrimaryKey) {
  run("CREATE TABLE heap (a int, b int, c text)");
  run("CREATE INDEX heap_a ON heap (a)");
  run("INSERT INTO heap VALUES (1, 5, 'x'), (1, 3, NULL), (1, 9, ''), (2, 1, 'y'), (1, 3, 'z'), (1, 4, 'w')");
  EXPECT_EQ(small("SELECT b, c FROM heap WHERE a = 1 ORDER BY b, c LIMIT 3"), "3|z\n3|NULL\n4|w");
  EXPECT_EQ(small("SELECT b FROM heap WHERE a = 1 ORDER BY b DESC, c DESC LIMIT 1"), "9");
  EXPECT_EQ(small("SELECT b FROM heap WHERE a = 1 ORDER BY a, c LIMIT 1"), "9");
}

TEST_F(RowPlanTest, WritesAndLocksWorkThroughSmallPlans) {
  const auto scans = scan_counters().rows_read;
  EXPECT_EQ(run("UPDATE ord SET note = c.name FROM cust c WHERE c.id = ord.cust_id AND ord.id = 12 RETURNING ord.note"),
            "customer 12");
  EXPECT_EQ(run("DELETE FROM line USING ord WHERE line.ord_id = ord.id AND ord.id = 12"), "DELETE 3");
  EXPECT_EQ(run("UPDATE ord SET status = 'x' WHERE id IN (1, 2, 3)"), "UPDATE 3");
  EXPECT_EQ(run("SELECT id FROM ord WHERE cust_id = 4 ORDER BY id LIMIT 1 FOR UPDATE"), "4");
  EXPECT_EQ(run("INSERT INTO kind SELECT name, 'c' FROM cust WHERE id = 8"), "INSERT 0 1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run("INSERT INTO kind VALUES ('open', 'x') ON CONFLICT (code) DO UPDATE SET label = kind.label || "
                  "excluded.label RETURNING label"),
              i == 0 ? "still openx" : "still openxx");
  }
  EXPECT_EQ(run("INSERT INTO kind VALUES ('open', 'y') ON CONFLICT (code) DO UPDATE SET label = 'z' WHERE kind.label = "
                "'nothing'"),
            "INSERT 0 0");
  EXPECT_EQ(run("INSERT INTO kind SELECT code, 'again' FROM kind WHERE code IN ('open', 'done') ON CONFLICT (code) DO "
                "UPDATE SET label = excluded.label"),
            "INSERT 0 2");
  EXPECT_EQ(scan_counters().rows_read, scans);
}

TEST_F(RowPlanTest, TheRowOfACursorIsReadByItsKey) {
  run("CREATE TABLE heap (a int)");
  run("INSERT INTO heap SELECT generate_series(1, 5000)");
  run("BEGIN");
  run("DECLARE lines CURSOR FOR SELECT * FROM line");
  run("DECLARE rows CURSOR FOR SELECT * FROM heap WHERE a > 7");
  run("FETCH 2 FROM lines");
  run("FETCH rows");
  const auto scans = scan_counters().rows_read;
  EXPECT_EQ(run("EXPLAIN DELETE FROM line WHERE CURRENT OF lines"),
            "Project\n  ->  Point Lookup on line using line_pkey\nRoute: small");
  EXPECT_EQ(run("EXPLAIN DELETE FROM heap WHERE CURRENT OF rows"), "Project\n  ->  Point Lookup on heap\nRoute: small");
  EXPECT_EQ(run("UPDATE heap SET a = -a WHERE CURRENT OF rows RETURNING a"), "-8");
  EXPECT_EQ(run("DELETE FROM line WHERE CURRENT OF lines"), "DELETE 1");
  EXPECT_EQ(run("DELETE FROM line WHERE CURRENT OF lines"), "DELETE 0");
  EXPECT_EQ(scan_counters().rows_read, scans);
  run("COMMIT");
}

TEST_F(RowPlanTest, AWorkerOfALongQueueReadsTheRowsThatItTakes) {
  run("CREATE TABLE queue (id int PRIMARY KEY, state int)");
  run("INSERT INTO queue SELECT i, i % 2 FROM generate_series(1, 6000) i");
  const auto scans = scan_counters().rows_read;
  run("BEGIN");
  EXPECT_EQ(run("SELECT id FROM queue WHERE state = 1 ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED"), "1\n3");
  EXPECT_EQ(run("SELECT id FROM queue ORDER BY id DESC LIMIT 1 OFFSET 1 FOR NO KEY UPDATE"), "5999");
  EXPECT_EQ(scan_counters().rows_read, scans);
  EXPECT_EQ(run("SELECT id FROM queue ORDER BY id LIMIT (SELECT 1) FOR UPDATE"), "1");
  EXPECT_EQ(run("SELECT id FROM queue ORDER BY id LIMIT NULL::int OFFSET 5998 FOR UPDATE"), "5999\n6000");
  run("COMMIT");
}

TEST_F(RowPlanTest, TooMuchForASmallPlanIsTheGeneralPaths) {
  run("CREATE TABLE big (id int PRIMARY KEY, half int)");
  run("INSERT INTO big SELECT i, i % 2 FROM generate_series(1, 6000) i");
  run("CREATE INDEX big_half ON big (half)");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run("SELECT count(*), sum(id) FROM big WHERE half = 1"), "3000|9000000");
  const auto before = point_counters().executions;
  EXPECT_EQ(run("UPDATE big SET half = half WHERE half = 1 AND id IN (SELECT id FROM big WHERE half = 1)"),
            "UPDATE 3000");
  EXPECT_EQ(point_counters().executions, before);
  EXPECT_EQ(run("SELECT count(*) FROM big a JOIN big b ON b.half = a.half WHERE a.id = 7"), "3000");
}

TEST_F(RowPlanTest, ExplainShowsTheTree) {
  EXPECT_EQ(run("EXPLAIN SELECT c.name, o.id FROM cust c JOIN ord o ON o.cust_id = c.id WHERE c.id = 17"),
            "Project\n  ->  Filter: (c1 = c2)\n    ->  Nested Loop: Short Range on ord using ord_cust\n      ->  Point "
            "Lookup on cust using cust_pkey\nRoute: small");
}

}  // namespace
}  // namespace omendb::sql
