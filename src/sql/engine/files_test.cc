// COPY to and from files of the server: text formats and Parquet.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "omendb-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string quoted(const std::string& name) const { return "'" + path(name) + "'"; }
  std::string run(const std::string& sql) { return s_->run(sql); }

  std::string folder_;
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(Files, TextGoesOutAndIn) {
  run("CREATE TABLE t (a int, b text)");
  run("INSERT INTO t SELECT g, repeat('x', g % 50) FROM generate_series(1, 20000) g");
  EXPECT_EQ(run("COPY t TO " + quoted("t.csv") + " (FORMAT csv, HEADER)"), "COPY 20000");
  run("CREATE TABLE u (LIKE t)");
  EXPECT_EQ(run("COPY u FROM " + quoted("t.csv") + " (FORMAT csv, HEADER)"), "COPY 20000");
  EXPECT_EQ(run("SELECT count(*) FROM (TABLE t EXCEPT ALL TABLE u) d"), "0");
  EXPECT_EQ(run("COPY (SELECT 1, 'x') TO " + quoted("one")), "COPY 1");
  std::ifstream file(path("one"));
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "1\tx\n");
}

TEST_F(Files, ErrorsArePostgres) {
  run("CREATE TABLE t (a int)");
  EXPECT_EQ(run("COPY t FROM " + quoted("none")),
            "ERROR 58P01: could not open file \"" + path("none") + "\" for reading: No such file or directory");
  EXPECT_EQ(s_->last_error.hint,
            "COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility "
            "such as psql's \\copy.");
  EXPECT_EQ(run("COPY t FROM '" + folder_ + "'"), "ERROR 42809: \"" + folder_ + "\" is a directory");
  EXPECT_EQ(run("COPY t TO '" + folder_ + "'"),
            "ERROR 42809: could not open file \"" + folder_ + "\" for writing: Is a directory");
  EXPECT_EQ(run("COPY t TO 'x'"), "ERROR 42602: relative path not allowed for COPY to file");
  EXPECT_EQ(run("COPY t TO STDOUT (FORMAT parquet)"),
            "ERROR 0A000: COPY in Parquet format to the client is not supported");
  EXPECT_EQ(run("COPY t TO " + quoted("x") + " (FORMAT parquet, DELIMITER ',')"),
            "ERROR 42601: cannot specify DELIMITER in PARQUET mode");
  run("CREATE ROLE r LOGIN; SET ROLE r");
  EXPECT_EQ(run("COPY t TO " + quoted("x")),
            "ERROR 42501: must be superuser or have privileges of the pg_write_server_files role to COPY to a file");
  EXPECT_EQ(run("COPY t FROM " + quoted("x") + " (FORMAT parquet)"),
            "ERROR 42501: must be superuser or have privileges of the pg_read_server_files role to COPY from a file");
  run("RESET ROLE; GRANT pg_write_server_files TO r; SET ROLE r");
  EXPECT_EQ(run("COPY t TO " + quoted("x")), "COPY 0");
  EXPECT_EQ(run("COPY t FROM " + quoted("x")).substr(0, 11), "ERROR 42501");
}

// Every type that Parquet holds comes back as it was.
TEST_F(Files, ParquetRoundTrips) {
  run("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN pos AS int CHECK (value > 0)");
  run("CREATE TABLE t (k int, i2 int2, i8 int8, f4 float4, f8 float8, n4 numeric(4,2), n9 numeric(9,0), n18 "
      "numeric(18,3), n38 numeric(38,10), "
      "b bool, tx text, v varchar(5), c char(4), j json, jb jsonb, u uuid, by bytea, d date, ti time, ts timestamp, tz "
      "timestamptz, iv interval, "
      "m mood, p pos, ai int[], at text[], af float8[], ats timestamp[], o oid)");
  run("INSERT INTO t VALUES (0, -32768, 9223372036854775807, 1.5, 'NaN', -99.99, 123456789, -123456789012345.678, "
      "9999999999999999999999999999.9999999999, true, E'h\u00e9\\t\\\\x\\n', 'abc', 'ab', '{\"a\":  1}', '{\"b\": [1, "
      "2]}', "
      "'f0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', '4713-01-01 BC', '23:59:59.999999', '0044-03-15 "
      "00:00:00.000001 BC', "
      "'2024-06-01 12:00:00.123456+02', '1 year 2 mons 3 days 04:05:06.007', 'happy', 7, '{1,NULL,3}', "
      "'{a,\"b,c\",\"\",\"{\"}', "
      "'{0.1,Infinity}', '{2024-01-01 00:00:00.5}', 4294967295)");
  run("INSERT INTO t (k, tx, ai) SELECT g, 'row ' || g, ARRAY[g, g + 1] FROM generate_series(1, 5000) g");
  EXPECT_EQ(run("COPY t TO " + quoted("t.parquet") + " (FORMAT parquet)"), "COPY 5001");
  run("CREATE TABLE u (LIKE t)");
  EXPECT_EQ(run("COPY u FROM " + quoted("t.parquet") + " (FORMAT parquet)"), "COPY 5001");
  EXPECT_EQ(run("SELECT count(*) FROM t x1 JOIN u x2 USING (k) WHERE x1::text = x2::text"), "5001");
  // By name, some columns, through defaults, checks and conditions.
  run("CREATE TABLE w (tx text, k int CHECK (k < 6000), twice int GENERATED ALWAYS AS (k * 2) STORED, z int DEFAULT "
      "9)");
  EXPECT_EQ(run("COPY w (k, tx) FROM " + quoted("t.parquet") + " (FORMAT parquet) WHERE k > 4990"), "COPY 10");
  EXPECT_EQ(run("SELECT * FROM w ORDER BY k DESC LIMIT 1"), "row 5000|5000|10000|9");
  EXPECT_EQ(run("COPY w (z) FROM " + quoted("t.parquet") + " (FORMAT parquet)"),
            "ERROR 42703: column \"z\" does not exist in file \"" + path("t.parquet") + "\"");
}

TEST_F(Files, ParquetRefusesWhatItCannotHold) {
  run("CREATE TABLE n (x numeric); INSERT INTO n VALUES (1.5)");
  const auto refused = [&](const std::string& expression) {
    const std::string result =
        run("COPY (SELECT " + expression + " AS x) TO " + quoted("x.parquet") + " (FORMAT parquet)");
    EXPECT_FALSE(std::filesystem::exists(path("x.parquet"))) << expression;
    return result.substr(0, 11);
  };
  for (const char* expression :
       {"'infinity'::date", "'-infinity'::timestamp", "'infinity'::timestamptz", "'24:00'::time", "'-1 day'::interval",
        "'0.0001 s'::interval", "'[2:3]={1,2}'::int[]", "'{{1},{2}}'::int[]", "'{infinity}'::date[]",
        "(SELECT n.x FROM n)", "ARRAY[1.5]", "row(1, 2)", "'12:00+02'::timetz"}) {
    EXPECT_EQ(refused(expression), "ERROR 0A000") << expression;
  }
  std::ofstream(path("x.parquet")) << "not one";
  EXPECT_EQ(run("COPY n FROM " + quoted("x.parquet") + " (FORMAT parquet)"),
            "ERROR 22P04: could not read \"" + path("x.parquet") + "\" as a Parquet file");
  EXPECT_EQ(s_->last_error.detail.find("omendb-file:/"), std::string::npos) << s_->last_error.detail;
}

// Tables exported by one REPEATABLE READ transaction are of one snapshot.
TEST_F(Files, AnExportIsOfOneSnapshot) {
  run("CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)");
  run("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(run("COPY a TO " + quoted("a.parquet") + " (FORMAT parquet)"), "COPY 1");
  auto other = db_.connect();
  other->run("BEGIN; INSERT INTO a VALUES (2); INSERT INTO b VALUES (2); COMMIT");
  EXPECT_EQ(run("COPY b TO " + quoted("b.parquet") + " (FORMAT parquet)"), "COPY 1");
  run("COMMIT");
  EXPECT_EQ(run("COPY b TO " + quoted("b.parquet") + " (FORMAT parquet)"), "COPY 2");
}

}  // namespace
}  // namespace omendb::sql
