#include "sql/point/point_plan.h"

#include <gtest/gtest.h>

#include "sql/engine/scan.h"
#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class PointPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    run("CREATE TABLE a (aid int PRIMARY KEY, bid int, abalance int, filler char(8))");
    run("CREATE TABLE h (tid int, delta int, mtime timestamp)");
    run("CREATE TABLE two (x int, y text, v int DEFAULT 5, PRIMARY KEY (x, y))");
    run("INSERT INTO a SELECT i, i % 3, 0, 'f' FROM generate_series(1, 100) i");
    run("INSERT INTO two SELECT i, 'k' || i FROM generate_series(1, 10) i");
  }
  std::string run(const std::string& sql) { return s_->run(sql); }
  /// Runs `sql` and expects it to be one point plan's work.
  std::string point(const std::string& sql) {
    const auto before = point_counters().executions;
    std::string result = run(sql);
    EXPECT_EQ(point_counters().executions, before + 1) << sql;
    return result;
  }
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(PointPlanTest, PgbenchRunsOnPointPlansOnly) {
  const auto scans = scan_counters();
  EXPECT_EQ(point("UPDATE a SET abalance = abalance + 17 WHERE aid = 42"), "UPDATE 1");
  EXPECT_EQ(point("SELECT abalance FROM a WHERE aid = 42"), "17");
  EXPECT_EQ(point("INSERT INTO h (tid, delta, mtime) VALUES (1, 17, CURRENT_TIMESTAMP)"), "INSERT 0 1");
  EXPECT_EQ(point("DELETE FROM a WHERE aid = 42"), "DELETE 1");
  EXPECT_EQ(point("SELECT abalance FROM a WHERE aid = 42"), "SELECT 0");
  EXPECT_EQ(scan_counters().rows_read, scans.rows_read);
  EXPECT_EQ(run("SELECT tid, delta FROM h"), "1|17");
}

TEST_F(PointPlanTest, KeysOfSeveralColumnsAndOtherTypes) {
  EXPECT_EQ(point("SELECT v FROM two WHERE y = 'k3' AND x = 3"), "5");
  EXPECT_EQ(point("SELECT v FROM two WHERE y = 'k3' AND x = 3::bigint AND v > 5"), "SELECT 0");
  EXPECT_EQ(point("SELECT v FROM two WHERE x = 3000000000 AND y = ''"), "SELECT 0");
  EXPECT_EQ(point("SELECT v FROM two WHERE x = NULL AND y = ''"), "SELECT 0");
  EXPECT_EQ(point("UPDATE two SET v = v * 2 WHERE x = 3 AND y = 'k' || 3 RETURNING v, y"), "10|k3");
  EXPECT_EQ(point("INSERT INTO two VALUES (3, 'k3', 1) ON CONFLICT DO NOTHING"), "INSERT 0 0");
  EXPECT_EQ(run("INSERT INTO two VALUES (3, 'k3', 1) ON CONFLICT (x, y) DO UPDATE SET v = two.v + 1 RETURNING v"),
            "11");
}

// DuckDB asks to bind again when a parameter is read twice; the plan it has made is sound.
TEST_F(PointPlanTest, AParameterMayBeReadTwice) {
  auto prepared = s_->prepare(
      "UPDATE a SET abalance = CASE WHEN abalance >= $1 + 10 THEN abalance - $1 ELSE abalance - $1 + 91 END, bid = bid "
      "+ $1 WHERE aid = $2 "
      "RETURNING abalance, bid");
  ASSERT_TRUE(prepared.ok());
  const auto before = point_counters().executions;
  EXPECT_EQ(s_->run(*prepared, {"5", "7"}), "86|6");
  EXPECT_EQ(s_->run(*prepared, {"6", "7"}), "80|12");
  EXPECT_EQ(point_counters().executions, before + 2);
  auto joined = s_->prepare("SELECT count(*) FROM two, a WHERE x = $1 AND y = 'k' || $1 AND aid = $1 AND v > $1");
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(s_->run(*joined, {"3"}), "1");
  EXPECT_EQ(s_->run(*joined, {"9"}), "0");
}

TEST_F(PointPlanTest, PreparedStatementsKeepTheirPlan) {
  auto prepared = s_->prepare("SELECT abalance, aid FROM a WHERE aid = $1");
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(s_->run(*prepared, {"7"}), "0|7");
  const auto plans = point_counters().plans;
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(s_->run(*prepared, {std::to_string(i)}), "0|" + std::to_string(i));
  EXPECT_EQ(point_counters().plans, plans);
}

TEST_F(PointPlanTest, IndexesAndShortRanges) {
  run("CREATE INDEX a_bid ON a (bid, abalance)");
  run("CREATE UNIQUE INDEX two_v ON two (y)");
  EXPECT_EQ(point("SELECT x FROM two WHERE y = 'k4'"), "4");
  EXPECT_EQ(point("SELECT y FROM two WHERE x = 4"), "k4");
  EXPECT_EQ(point("SELECT aid FROM a WHERE aid >= 5 AND aid < 8 AND bid <> 0"), "5\n7");
  EXPECT_EQ(point("SELECT aid FROM a WHERE bid = 2 AND aid < 10"), "2\n5\n8");
  EXPECT_EQ(point("UPDATE a SET bid = bid + 1 WHERE bid = 2 AND aid < 10 RETURNING aid"), "2\n5\n8");
  EXPECT_EQ(point("SELECT aid FROM a WHERE bid = 3"), "2\n5\n8");
  EXPECT_EQ(point("DELETE FROM a WHERE bid = 3"), "DELETE 3");
  EXPECT_EQ(point("SELECT aid FROM a WHERE aid = 7 ORDER BY aid LIMIT 1"), "7");
  EXPECT_EQ(run("SELECT aid FROM a WHERE aid > 95 AND aid < 3000000000 ORDER BY aid"), "96\n97\n98\n99\n100");
}

TEST_F(PointPlanTest, ExplainSaysSo) {
  EXPECT_EQ(run("EXPLAIN SELECT * FROM a WHERE aid = 1"), "Point Lookup on a using a_pkey\nRoute: point");
  EXPECT_EQ(run("EXPLAIN UPDATE a SET bid = 1 WHERE aid = 1"), "Point Update on a using a_pkey\nRoute: point");
  EXPECT_NE(run("EXPLAIN SELECT * FROM a WHERE bid = 1").find("Route: rows"), std::string::npos);
}

}  // namespace
}  // namespace omendb::sql
