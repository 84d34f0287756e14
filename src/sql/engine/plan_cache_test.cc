#include <gtest/gtest.h>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class PlanCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    run("CREATE TABLE t (id int PRIMARY KEY, big bigint, name varchar(10), price numeric(10,2), at timestamptz)");
    run("INSERT INTO t SELECT i, i * 10, 'n' || i, i + 0.25, NULL FROM generate_series(1, 100) i");
  }
  std::string run(const std::string& sql) { return s_->run(sql); }
  int counter(const std::string& name) { return std::stoi(run("SHOW omendb.plan_cache_" + name)); }
  /// The statement's result, and whether a plan of its shape made it.
  std::string run_lifted(const std::string& sql) {
    const int before = counter("hits") + counter("plans");
    const std::string result = run(sql);
    EXPECT_GT(counter("hits") + counter("plans"), before) << sql;
    return result;
  }
  std::string run_parsed(const std::string& sql) {
    const int before = counter("hits") + counter("plans");
    const std::string result = run(sql);
    EXPECT_EQ(counter("hits") + counter("plans"), before) << sql;
    return result;
  }

  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(PlanCacheTest, SecondStatementOfAShapeRunsItsPlan) {
  EXPECT_EQ(run_parsed("SELECT name FROM t WHERE id = 1"), "n1");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = 2"), "n2");
  const int plans = counter("plans");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = 33"), "n33");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = 1000"), "SELECT 0");
  EXPECT_EQ(counter("plans"), plans);
  EXPECT_EQ(run_parsed("SELECT name FROM t WHERE id = 5000000000"), "SELECT 0");  // an int8: another shape
  EXPECT_EQ(run_parsed("SELECT name FROM t WHERE id = -1"), "SELECT 0");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = -2"), "SELECT 0");
}

TEST_F(PlanCacheTest, KeysOfEveryIntegerTypeAreReached) {
  for (const std::string type : {"int2", "int4", "int8"}) {
    run("CREATE TABLE k_" + type + " (id " + type + " PRIMARY KEY, v int)");
    run("INSERT INTO k_" + type + " SELECT i, i FROM generate_series(1, 9) i");
    run("SELECT v FROM k_" + type + " WHERE id = 3");
    EXPECT_EQ(run_lifted("SELECT v FROM k_" + type + " WHERE id = 4"), "4") << type;
    run("SELECT sum(v) FROM k_" + type + " WHERE id IN (3, 4)");
    EXPECT_EQ(run_lifted("SELECT sum(v) FROM k_" + type + " WHERE id IN (5, 6)"), "11") << type;
  }
}

TEST_F(PlanCacheTest, WritesTakeTheirValuesFromTheText) {
  run("UPDATE t SET big = big + -1, name = 'a' WHERE id = 1");
  EXPECT_EQ(run_lifted("UPDATE t SET big = big + -7, name = 'it''s' WHERE id = 2"), "UPDATE 1");
  EXPECT_EQ(run("SELECT big, name FROM t WHERE id = 2"), "13|it's");
  run("INSERT INTO t VALUES (201, 1, 'x', 1.50, '2020-01-01 00:00:00+00')");
  EXPECT_EQ(run_lifted("INSERT INTO t VALUES (202, 2, 'y', 9.75, '2021-01-01 00:00:00+00')"), "INSERT 0 1");
  EXPECT_EQ(run("SELECT * FROM t WHERE id = 202"), "202|2|y|9.75|2021-01-01 00:00:00+00");
  run("DELETE FROM t WHERE id = 201");
  EXPECT_EQ(run_lifted("DELETE FROM t WHERE id = 202"), "DELETE 1");
}

TEST_F(PlanCacheTest, TypesFollowTheLiteralAsItIsWritten) {
  run("SELECT 1, 'a', 1.50, -1");
  EXPECT_EQ(run_lifted("SELECT 2, 'b', 2.75, -2"), "2|b|2.75|-2");
  EXPECT_EQ(run("SELECT 2, 'b', 2.750, -2"), "2|b|2.750|-2");
  EXPECT_EQ(run("SELECT 2, 'b', 12.5, -2"), "2|b|12.5|-2");
  run("SELECT price + 1 FROM t WHERE id = 1");
  EXPECT_EQ(run("SELECT price + 10 FROM t WHERE id = 1"), "11.25");
  EXPECT_EQ(run("SELECT price + 2 FROM t WHERE id = 2"), "4.25");
  run("SELECT 3::int2 % 1.25::numeric(10,3)");
  EXPECT_EQ(run_lifted("SELECT 3::int2 % 1.75::numeric(10,3)"), "1.250");
}

TEST_F(PlanCacheTest, ErrorsAreThoseOfTheStatementAsItIsWritten) {
  run("SELECT name FROM t WHERE id = '1'");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = '2'"), "n2");
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 'x'"), "ERROR 22P02: invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(s_->last_error.position, 31);
  run("UPDATE t SET name = 'a' WHERE id = 1");
  run("UPDATE t SET name = 'b' WHERE id = 1");
  EXPECT_EQ(run("UPDATE t SET name = 'longer than ten' WHERE id = 1"),
            "ERROR 22001: value too long for type character varying(10)");
  run("BEGIN");
  EXPECT_EQ(run("SELECT 1 / 0 FROM t WHERE id = 1"), "ERROR 22012: division by zero");
  EXPECT_EQ(run("SELECT name FROM t WHERE id = '3'"),
            "ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block");
  run("ROLLBACK");
}

TEST_F(PlanCacheTest, LiteralsThatAreNotValuesMustMatch) {
  run("SELECT id, name FROM t WHERE id = 1 ORDER BY 1 LIMIT 1");
  EXPECT_EQ(run("SELECT id, name FROM t WHERE id = 2 ORDER BY 3 LIMIT 1"),
            "ERROR 42P10: ORDER BY position 3 is not in select list");
  EXPECT_EQ(run("SELECT id, name FROM t WHERE id = 2 ORDER BY 2 LIMIT 0"), "SELECT 0");
  EXPECT_EQ(run("SELECT id, name FROM t WHERE id = 2 ORDER BY 2 LIMIT 1"), "2|n2");
  run("SELECT name::varchar(1) FROM t WHERE id = 1");
  EXPECT_EQ(run("SELECT name::varchar(2) FROM t WHERE id = 12"), "n1");
  EXPECT_EQ(run("SELECT name::varchar(3) FROM t WHERE id = 12"), "n12");
}

TEST_F(PlanCacheTest, ClockAndSettingsAreThoseOfTheMoment) {
  run("SET TimeZone = 'UTC'");
  run("INSERT INTO t (id, at) VALUES (301, '2020-01-01 00:00:00')");
  run("INSERT INTO t (id, at) VALUES (302, '2020-01-01 00:00:00')");
  run("SET TimeZone = 'Europe/Berlin'");
  run("INSERT INTO t (id, at) VALUES (303, '2020-01-01 00:00:00')");
  run("INSERT INTO t (id, at) VALUES (304, '2020-01-01 00:00:00')");
  EXPECT_EQ(run("SELECT count(DISTINCT at) FROM t WHERE id > 300"), "2");
  run("SELECT name, 'now'::timestamptz FROM t WHERE id = 1");
  const std::string first = run("SELECT name, 'now'::timestamptz FROM t WHERE id = 1");
  EXPECT_NE(run("SELECT name, 'now'::timestamptz FROM t WHERE id = 1"), first);
}

TEST_F(PlanCacheTest, OnlySettingsThatAnalysisReadsEndPlans) {
  run("SELECT name FROM t WHERE id = 1");
  run_lifted("SELECT name FROM t WHERE id = 2");
  const int plans = counter("plans");
  for (const char* setting : {"statement_timeout = 5000", "lock_timeout = 1000", "application_name = 'x'",
                              "my.custom = 'x'", "work_mem = '8MB'", "client_min_messages = error"}) {
    run(std::string("SET ") + setting);
    EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = 33"), "n33") << setting;
    EXPECT_EQ(counter("plans"), plans) << setting;
  }
  EXPECT_EQ(run("BEGIN; SET LOCAL statement_timeout = 7000; SELECT name FROM t WHERE id = 34"), "n34");
  run("ROLLBACK");
  EXPECT_EQ(run_lifted("SELECT name FROM t WHERE id = 35"), "n35");
  EXPECT_EQ(counter("plans"), plans);
  // What a setting decides when a plan runs, it still decides.
  for (const char* value : {"one", "two", "three"}) {
    run(std::string("SET my.custom = '") + value + "'");
    EXPECT_EQ(run("SELECT name, current_setting('my.custom') FROM t WHERE id = 7"), std::string("n7|") + value);
    EXPECT_EQ(run("SELECT name FROM t WHERE id = 7 AND current_setting('my.custom') = '" + std::string(value) + "'"),
              "n7");
    EXPECT_EQ(run("UPDATE t SET name = current_setting('my.custom') WHERE id = 8"), "UPDATE 1");
    EXPECT_EQ(run("SELECT name FROM t WHERE name = current_setting('my.custom')"), value);
  }
  run("CREATE SCHEMA other");
  run("CREATE TABLE other.t (id int, name text)");
  run("SET search_path = other");
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 33"), "SELECT 0");
  run("RESET search_path");
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 33"), "n33");
  run("CREATE ROLE somebody");
  EXPECT_EQ(run("SELECT current_user FROM t WHERE id = 1"), "postgres");
  run("SET ROLE somebody");
  EXPECT_EQ(run("SELECT current_user FROM t WHERE id = 1"), "somebody");
  run("RESET ROLE");
}

TEST_F(PlanCacheTest, CatalogChangesEndAPlan) {
  run("SELECT * FROM t WHERE id = 1");
  run_lifted("SELECT * FROM t WHERE id = 2");
  run("ALTER TABLE t DROP COLUMN big");
  EXPECT_EQ(run("SELECT * FROM t WHERE id = 3"), "3|n3|3.25|NULL");
  EXPECT_EQ(run("SELECT * FROM t WHERE id = 4"), "4|n4|4.25|NULL");
  run("DROP TABLE t");
  EXPECT_EQ(run("SELECT * FROM t WHERE id = 5"), "ERROR 42P01: relation \"t\" does not exist");
  EXPECT_EQ(s_->last_error.position, 15);
}

TEST_F(PlanCacheTest, OffMeansOff) {
  run("SET omendb.plan_cache = off");
  for (const char* sql :
       {"SELECT name FROM t WHERE id = 1", "SELECT name FROM t WHERE id = 2", "SELECT name FROM t WHERE id = 3"})
    run_parsed(sql);
  EXPECT_EQ(run("SET omendb.plan_cache_hits = 5"),
            "ERROR 55P02: parameter \"omendb.plan_cache_hits\" cannot be changed");
}

TEST_F(PlanCacheTest, WhatDuckDbPlansIsPlannedWithItsLiterals) {
  run("SELECT count(*) FROM t a JOIN t b ON a.big < b.big WHERE a.price < 10");
  for (int i = 11; i < 14; ++i)
    run("SELECT count(*) FROM t a JOIN t b ON a.big < b.big WHERE a.price < " + std::to_string(i));
  EXPECT_EQ(counter("plans"), 0);
}

}  // namespace
}  // namespace omendb::sql
