#include "sql/engine/scan.h"

#include <gtest/gtest.h>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class ScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    run("SET omendb.route = rows");  // short reads would be small plans
    run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric(12,2), d double precision, e timestamp, f uuid, "
        "g bool)");
    run("INSERT INTO t SELECT i, i % 100, 'text number ' || i, i + 0.25, i * 1.5, timestamp '2020-01-01' + i * "
        "interval '1 hour', "
        "NULL, i % 2 = 0 FROM generate_series(1, 5000) i");
    run("CREATE INDEX t_a ON t (a)");
    run("CREATE TABLE k (x int, y int, z int)");
    run("CREATE INDEX k_xy ON k (x, y DESC)");
  }
  std::string run(const std::string& sql) { return s_->run(sql); }
  /// Rows read by `sql`.
  uint64_t reads(const std::string& sql) {
    const auto before = scan_counters().rows_read;
    const std::string result = run(sql);
    EXPECT_NE(result.substr(0, 5), "ERROR") << result;
    return scan_counters().rows_read - before;
  }
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(ScanTest, EveryTypeIsDecoded) {
  EXPECT_EQ(
      run("SELECT * FROM t WHERE id IN (7, 8) ORDER BY id"),
      "7|7|text number 7|7.25|10.5|2020-01-01 07:00:00|NULL|f\n8|8|text number 8|8.25|12|2020-01-01 08:00:00|NULL|t");
  EXPECT_EQ(run("SELECT count(*), count(f), sum(c), min(b), max(e) FROM t"),
            "5000|0|12503750.00|text number 1|2020-07-27 08:00:00");
}

TEST_F(ScanTest, KeysAndRangesReadNoMoreThanTheyNeed) {
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE id = 5"), 1u);
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE id IN (1, 3, 9999)"), 2u);
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE id BETWEEN 10 AND 19"), 10u);
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE id > 4990"), 10u);
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE a = 5"), 50u);
  EXPECT_EQ(reads("SELECT count(*) FROM t WHERE g"), 5000u);
}

TEST_F(ScanTest, OrderedReadsStopEarly) {
  EXPECT_EQ(run("SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 1"), "2\n3");
  EXPECT_EQ(run("SELECT id FROM t ORDER BY id DESC LIMIT 2"), "5000\n4999");
  EXPECT_EQ(run("SELECT min(id), max(id) FROM t"), "1|5000");
  EXPECT_EQ(run("SELECT max(id) FROM t WHERE id < 100"), "99");
  EXPECT_LE(reads("SELECT id, b FROM t ORDER BY id DESC LIMIT 2"), 2u);
  EXPECT_LE(reads("SELECT max(id) FROM t"), 1u);
  EXPECT_LE(reads("SELECT min(id) FROM t WHERE id > 70"), 64u);
  EXPECT_EQ(run("SELECT id FROM t WHERE a = 99 ORDER BY id DESC LIMIT 2"), "4999\n4899");
}

TEST_F(ScanTest, JoinsWithASmallSideLookUp) {
  run("CREATE TABLE s (id int PRIMARY KEY)");
  run("INSERT INTO s VALUES (5), (50), (500)");
  EXPECT_LE(reads("SELECT count(*) FROM s JOIN t ON t.id = s.id"), 6u);
}

TEST_F(ScanTest, DescendingKeyColumns) {
  run("INSERT INTO k SELECT i / 10, i % 10, i FROM generate_series(0, 99) i");
  run("RESET omendb.route");
  EXPECT_EQ(run("SELECT z FROM k WHERE x = 3 AND y > 7"), "39\n38");
  run("SET omendb.route = rows");
  EXPECT_EQ(run("SELECT sum(z) FROM k WHERE x = 3 AND y > 7"), "77");
  EXPECT_EQ(run("SELECT sum(z) FROM k WHERE x = 3 AND y <= 1"), "61");
  EXPECT_EQ(reads("SELECT sum(z) FROM k WHERE x = 3 AND y <= 1"), 2u);
}

TEST_F(ScanTest, ColumnsAddedLaterHaveTheirMissingValue) {
  run("ALTER TABLE t ADD COLUMN h text DEFAULT 'later'");
  EXPECT_EQ(run("SELECT count(*) FROM t WHERE h = 'later'"), "5000");
  run("UPDATE t SET h = NULL WHERE id <= 10");
  EXPECT_EQ(run("SELECT count(h) FROM t"), "4990");
}

// The sample tells a range that an index should serve from one that it should not, without trying.
TEST_F(ScanTest, AnIndexIsUsedWhereItPays) {
  run("CREATE TABLE big (id int PRIMARY KEY, a int, b int, c text)");
  run("INSERT INTO big SELECT i, (i * 7919::bigint) % 20011, i % 10, 'x' || i % 3 FROM generate_series(1, 20000) i");
  run("CREATE INDEX big_a ON big (a)");
  EXPECT_EQ(reads("SELECT count(*) FROM big WHERE a BETWEEN 100 AND 119"),
            std::stoull(run("SELECT count(*) FROM big WHERE a + 0 BETWEEN 100 AND 119")));
  EXPECT_EQ(reads("SELECT count(*) FROM big WHERE a > 50"), 20000u);
}

TEST_F(ScanTest, AnOrOverTwoTablesNarrowsEach) {
  run("CREATE TABLE big (id int PRIMARY KEY, a int, b int, c text)");
  run("INSERT INTO big SELECT i, (i * 7919::bigint) % 20011, i % 10, 'x' || i % 3 FROM generate_series(1, 20000) i");
  run("CREATE INDEX big_a ON big (a)");
  const std::string query =
      "SELECT count(*) FROM big, t WHERE big.a = t.id AND ((t.b = 'text number 7' AND big.b < 20) OR (t.b IN ('text "
      "number 8', 'text "
      "number 9') AND big.b = big.b + 0))";
  EXPECT_EQ(run(query), "3");
  EXPECT_LE(reads(query), 5010u);
  run("CREATE TABLE kind (id int PRIMARY KEY, name char(20), size int)");
  run("INSERT INTO kind SELECT i, 'kind ' || i, i FROM generate_series(1, 5000) i");
  const std::string padded =
      "SELECT count(*) FROM big, kind WHERE (big.a = kind.id AND kind.name = 'kind 7' AND kind.size BETWEEN 1 AND 3 + "
      "4 AND big.b < 20) "
      "OR (big.a = kind.id AND kind.name IN ('kind 8', 'kind 9') AND kind.size BETWEEN 5 AND 4 + 4 AND big.b < 30)";
  EXPECT_EQ(run(padded), "2");
  EXPECT_LE(reads(padded), 5010u);
}

TEST_F(ScanTest, FiltersOnBytesAndOnVectorsAgree) {
  run("CREATE TABLE f (id int PRIMARY KEY, s smallint, i int, l bigint, d date, n numeric(9,3), w numeric(30,3), x "
      "text, y char(5), r real)");
  run("INSERT INTO f SELECT i, nullif(i % 7, 3), i % 11 - 5, (i % 13 - 6) * 10000000000, date '2020-01-01' + i % 17, "
      "(i % 19 - 9) / 8.0, "
      "(i % 23 - 11) / 8.0, nullif('k' || i % 5, 'k3'), 'c' || i % 4, i % 3 - 1 FROM generate_series(1, 3000) i");
  run("ALTER TABLE f ADD COLUMN late int DEFAULT 7");
  const char* operands[][2] = {{"s", "2"},     {"i", "-1"},   {"l", "10000000000"}, {"d", "date '2020-01-09'"},
                               {"n", "0.125"}, {"w", "0.25"}, {"x", "'k2'"},        {"y", "'c1'"},
                               {"r", "0"},     {"late", "7"}};
  for (const auto& [column, constant] : operands) {
    for (const char* op : {"=", "<>", "<", "<=", ">", ">="}) {
      const std::string condition = std::string(column) + " " + op + " " + constant;
      EXPECT_EQ(
          run("SELECT count(*), sum(id) FROM f WHERE " + condition),
          run("SELECT count(*) FILTER (WHERE " + condition + "), sum(id) FILTER (WHERE " + condition + ") FROM f"))
          << condition;
    }
  }
}

}  // namespace
}  // namespace omendb::sql
