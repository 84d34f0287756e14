// Point plans compute what DuckDB computes: random expressions over rows of every kind, by key here and on the general route.
#include "sql/point/row_program.h"

#include <gtest/gtest.h>

#include <random>

#include "sql/engine/testing.h"
#include "sql/point/point_plan.h"

namespace omendb::sql {
namespace {

constexpr int kRows = 40;
constexpr const char* kColumns =
    "s2 int2, i4 int, i8 bigint, n numeric(12,2), m numeric(6,0), w numeric(30,4), u numeric, t text, v varchar(8), c "
    "char(4), b bool, "
    "d date, ts timestamp, f float8, r real, x uuid";

class Expressions {
 public:
  explicit Expressions(uint64_t seed) : random_(seed) {}
  size_t pick(size_t n) { return random_() % n; }
  /// Whether what was drawn leaves something uncomputed in some cases: then the routes may differ in whether an error is met.
  bool conditional = false;

  // No large constants: DuckDB's optimizer adds up the constants of a sum, and meets an overflow elsewhere.
  std::string integer(int depth) {
    if (depth == 0 || pick(4) == 0) return one_of({"s2", "i4", "i8", "id", "1", "7", "(-3)", "length(t)"});
    switch (pick(6)) {
      case 0: return "(" + integer(depth - 1) + " + " + integer(depth - 1) + ")";
      case 1: return "(" + integer(depth - 1) + " - " + integer(depth - 1) + ")";
      case 2: return "(" + integer(depth - 1) + " * " + integer(depth - 1) + ")";
      case 3: return "(" + integer(depth - 1) + ")::" + one_of({"int2", "int4", "int8"});
      case 4: return choice(integer(depth - 1), integer(depth - 1), depth);
      default: return either(integer(depth - 1), integer(depth - 1));
    }
  }
  std::string number(int depth) {
    if (depth == 0 || pick(4) == 0)
      return one_of({"n", "m", "w", "u", "1.5", "(-0.005)", "9999999999.99", "i4::numeric"});
    switch (pick(6)) {
      case 0: return "(" + number(depth - 1) + " + " + number(depth - 1) + ")";
      case 1: return "(" + number(depth - 1) + " - " + number(depth - 1) + ")";
      case 2: return "(" + number(depth - 1) + " * " + number(depth - 1) + ")";
      case 3:
        return "(" + number(depth - 1) +
               ")::" + one_of({"numeric(12,2)", "numeric(5,1)", "numeric(20,6)", "numeric", "numeric(38,10)"});
      case 4: return choice(number(depth - 1), number(depth - 1), depth);
      default: return "round(" + number(depth - 1) + ", 1)";
    }
  }
  std::string text(int depth) {
    if (depth == 0 || pick(4) == 0) return one_of({"t", "v", "'k3'", "''", "'a longer text than twelve'"});
    switch (pick(7)) {
      case 0: return "(" + text(depth - 1) + " || " + text(depth - 1) + ")";
      case 1: return "upper(" + text(depth - 1) + ")";
      case 2: return "substr(" + text(depth - 1) + ", 2, 5)";
      case 3: return "(" + text(depth - 1) + ")::" + one_of({"varchar(3)", "varchar(20)", "text"});
      case 4: return "(" + integer(depth - 1) + ")::text";
      case 5: return choice(text(depth - 1), text(depth - 1), depth);
      default: return either(text(depth - 1), text(depth - 1));
    }
  }
  std::string real(int depth) {
    if (depth == 0 || pick(2) == 0) return one_of({"f", "r", "1.5::float8", "'NaN'::float8", "0::real"});
    return "(" + real(depth - 1) + one_of({" + ", " - ", " * "}) + real(depth - 1) + ")";
  }
  std::string truth(int depth) {
    if (depth == 0) return one_of({"b", "true", "i4 > 0", "t IS NULL"});
    switch (pick(10)) {
      case 0:
        conditional =
            true;  // DuckDB's optimizer solves x + 1 = 2 for x, and so meets no overflow where PostgreSQL does
        return integer(depth - 1) + compare() + integer(depth - 1);
      case 1: return number(depth - 1) + compare() + number(depth - 1);
      case 2: return text(depth - 1) + compare() + text(depth - 1);
      case 3: return real(depth - 1) + compare() + real(depth - 1);
      case 4:
        return one_of({"d < '2020-05-05'", "ts >= '2020-05-05 10:00'", "d = ts::date",
                       "x = '00000000-0000-0000-0000-000000000007'", "c = 'ab'"});
      case 5: return "NOT (" + truth(depth - 1) + ")";
      case 6: conditional = true; return "(" + truth(depth - 1) + one_of({" AND ", " OR "}) + truth(depth - 1) + ")";
      case 7:
        conditional = true;  // DuckDB knows what is never null without computing it
        return "(" + one_of({integer(depth - 1), text(depth - 1), number(depth - 1)}) + ") IS " + one_of({"", "NOT "}) +
               "NULL";
      case 8:
        conditional = true;
        return integer(depth - 1) + one_of({"", " NOT"}) + " IN (1, 5, " + integer(depth - 1) + ")";
      default:
        conditional = true;
        return integer(depth - 1) + " BETWEEN " + integer(depth - 1) + " AND " + integer(depth - 1);
    }
  }
  std::string any(int depth) {
    switch (pick(8)) {
      case 0: return text(depth);
      case 1: return number(depth);
      case 2: return real(depth);
      case 3: return truth(depth);
      case 4: return one_of({"d", "ts", "x", "c", "b", "d + 1", "ts + interval '1 day'", "date_part('day', ts)"});
      default: return integer(depth);
    }
  }

 private:
  std::string one_of(std::vector<std::string> given) { return given[pick(given.size())]; }
  std::string compare() {
    return one_of({" = ", " <> ", " < ", " <= ", " > ", " >= ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM "});
  }
  std::string choice(const std::string& a, const std::string& b, int depth) {
    conditional = true;
    return "CASE WHEN " + truth(depth - 1) + " THEN " + a + " ELSE " + b + " END";
  }
  std::string either(const std::string& a, const std::string& b) {
    conditional = true;
    return "coalesce(" + a + ", " + b + ")";
  }
  std::mt19937_64 random_;
};

class RowProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string table : {"here", "there"}) {
      run("CREATE TABLE " + table + " (id int PRIMARY KEY, " + kColumns + ")");
      run("CREATE INDEX ON " + table + " (m)");
      run("INSERT INTO " + table +
          " SELECT i, CASE WHEN i % 5 <> 0 THEN i * 800 END, CASE WHEN i % 7 <> 0 THEN (i - 20) * 100000000 END, i * "
          "230000000000000000, "
          "i * 12.25 - 100, i % 4, i * 1000000.0001, CASE WHEN i % 6 <> 0 THEN i / 3.0 END, CASE WHEN i % 4 <> 0 THEN "
          "'k' || i END, 'v' || i, 'ab', "
          "CASE WHEN i % 3 <> 0 THEN i % 2 = 0 END, date '2020-05-01' + i, timestamp '2020-05-05 09:00' + i * interval "
          "'3 hours', i / 7.0, i / 3.0, "
          "('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid FROM generate_series(1, 30) i");
      run("ALTER TABLE " + table + " ADD COLUMN late int DEFAULT 42, ADD COLUMN word text DEFAULT 'added'");
      run("INSERT INTO " + table + " (id) SELECT generate_series(31, 40)");
    }
    rows_->run("SET omendb.route = rows");
  }
  std::string run(const std::string& sql) { return s_->run(sql); }
  /// The answers must be the same; `there` on the general route.
  void same(const std::string& here, const std::string& there, bool errors_may_differ) {
    const auto before = point_counters().executions;
    const std::string ours = run(here);
    point_ += point_counters().executions - before;
    const std::string theirs = rows_->run(there);
    const bool failed = ours.rfind("ERROR", 0) == 0, they_failed = theirs.rfind("ERROR", 0) == 0;
    if (errors_may_differ && (failed || they_failed)) return;
    ++compared_;
    failed_ += failed;
    // Of several errors in a row the routes may meet different ones; what one of them says is compared below.
    const bool by_code = any_error_ && failed && they_failed;
    ASSERT_EQ(by_code ? ours.substr(0, 11) : ours, by_code ? theirs.substr(0, 11) : theirs) << here;
  }
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect(), rows_ = db_.connect();
  size_t compared_ = 0, failed_ = 0, point_ = 0;
  bool any_error_ = true;
};

TEST_F(RowProgramTest, SelectsAsTheGeneralRoute) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Expressions draw(seed);
  for (int i = 0; i < 1200 && !HasFatalFailure(); ++i) {
    draw.conditional = false;
    const std::string sql =
        "SELECT " + draw.any(3) + ", " + draw.any(2) + ", late, word FROM here WHERE " +
        (draw.pick(4) == 0 ? "m = " + std::to_string(draw.pick(5)) : "id = " + std::to_string(1 + draw.pick(kRows))) +
        (draw.pick(2) == 0 ? " AND " + draw.truth(2) : "");
    const bool ordered = sql.find("WHERE id") != std::string::npos;
    if (ordered)
      same(sql, sql, draw.conditional);
    else
      same(sql + " ORDER BY id", sql + " ORDER BY id", draw.conditional);
  }
  EXPECT_GT(compared_, 500u);
  EXPECT_GT(failed_, 0u);
  EXPECT_GT(point_, 400u);
}

TEST_F(RowProgramTest, UpdatesAsTheGeneralRoute) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Expressions draw(seed);
  for (int i = 0; i < 600 && !HasFatalFailure(); ++i) {
    draw.conditional = false;
    std::string set;
    auto add = [&](const std::string& column, const std::string& value) {
      set += (set.empty() ? "" : ", ") + column + " = " + value;
    };
    if (draw.pick(2) == 0) add("i4", draw.integer(2));
    if (draw.pick(2) == 0) add("t", draw.text(2));
    if (draw.pick(3) == 0) add("n", draw.number(2));
    if (draw.pick(3) == 0) add("v", "(" + draw.text(1) + ")::varchar(8)");
    if (draw.pick(4) == 0) add("b", draw.truth(2));
    if (draw.pick(4) == 0) add("u", "(" + draw.number(1) + ")::numeric(30,3)");
    if (draw.pick(4) == 0) add("late", draw.pick(2) == 0 ? "NULL" : "late + 1");
    if (draw.pick(6) == 0) add("s2", draw.integer(1));
    if (draw.pick(6) == 0) add("word", "substr(word || v, 2, 30)");
    if (set.empty()) add("c", "'zz'");
    const std::string rest = " SET " + set + " WHERE " +
                             (draw.pick(5) == 0 ? "m = " + std::to_string(draw.pick(4)) + " AND id < 6"
                                                : "id = " + std::to_string(1 + draw.pick(kRows))) +
                             " RETURNING *, " + draw.integer(1);
    if (draw.conditional) continue;  // an error met on one route alone would leave the tables different
    same("UPDATE here" + rest, "UPDATE there" + rest, false);
  }
  EXPECT_EQ(run("SELECT * FROM here ORDER BY id"), rows_->run("SELECT * FROM there ORDER BY id"));
  EXPECT_GT(compared_, 100u);
  EXPECT_GT(point_, 60u);
}

TEST_F(RowProgramTest, ErrorsAreTheSameToTheLetter) {
  any_error_ = false;
  for (const std::string expression :
       {"i4 + 2147483647", "s2 * 32767::int2", "i8 * 10", "(i4 * 1000000)::int2", "i8::int4", "n::numeric(3,2)",
        "w::numeric(5,4)", "u + 'NaN'", "(u * 1e20)::numeric(10,2)", "-(-32768)::int2 - 32768::int2 + s2",
        "1 / (i4 - i4)", "('x' || t)::int"}) {
    for (int id : {1, 19, 30, 35}) {
      const std::string sql = "SELECT " + expression + " FROM here WHERE id = " + std::to_string(id);
      same(sql, sql, false);
    }
  }
  EXPECT_GT(failed_, 15u);
}

}  // namespace
}  // namespace omendb::sql
