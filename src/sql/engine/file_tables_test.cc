// read_parquet and read_csv in FROM.
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sql/engine/server_files.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class FileTablesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "omendb-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string quoted(const std::string& name) const { return "'" + path(name) + "'"; }
  void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
  std::string run(const std::string& sql) { return s_->run(sql); }
  void export_parquet(const std::string& query, const std::string& name) {
    const std::string result = run("COPY (" + query + ") TO " + quoted(name) + " (FORMAT parquet)");
    ASSERT_EQ(result.substr(0, 4), "COPY") << result;
  }

  std::string folder_;
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

// The same rows come back as they would from the table, under the same types.
TEST_F(FileTablesTest, ParquetIsATableOfPostgresTypes) {
  run("CREATE TABLE t (\"Key\" int, i2 int2, i8 int8, f4 float4, f8 float8, n4 numeric(4,2), n9 numeric(9,0), n18 "
      "numeric(18,3), n38 numeric(38,10), "
      "b bool, tx text, j jsonb, u uuid, by bytea, d date, ti time, ts timestamp, tz timestamptz, iv interval, ai "
      "int[], at text[], an numeric[])");
  run("INSERT INTO t VALUES (0, -32768, 9223372036854775807, 1.5, 'NaN', -99.99, 123456789, -123456789012345.678, "
      "9999999999999999999999999999.9999999999, true, E'h\u00e9\\t\\\\x\\n', '{\"b\": [1, 2]}', "
      "'f0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', "
      "'2013-01-01', '23:59:59.999999', '1944-03-15 00:00:00.000001', '2024-06-01 12:00:00.123456+02', '1 year 2 mons "
      "3 days 04:05:06.007', "
      "'{1,NULL,3}', '{a,\"b,c\",\"\",\"{\"}', NULL)");
  run("INSERT INTO t (\"Key\", tx, ai) SELECT g, 'row ' || g, ARRAY[g, g + 1] FROM generate_series(1, 5000) g");
  export_parquet("SELECT \"Key\", i2, i8, f4, f8, n4, n9, n18, n38, b, tx, u, by, d, ti, ts, tz, iv, ai, at FROM t",
                 "t.parquet");
  const std::string file = "read_parquet(" + quoted("t.parquet") + ")";
  EXPECT_EQ(run("SELECT count(*) FROM t JOIN " + file +
                " f USING (\"Key\") WHERE (t.i2, t.i8, t.f4, t.f8, t.n4, t.n9, t.n18, t.n38, t.b, t.tx, t.u, t.by, "
                "t.d, t.ti, t.ts, t.tz, t.iv, t.ai, t.at) IS NOT DISTINCT FROM (f.i2, f.i8, f.f4, f.f8, f.n4, f.n9, "
                "f.n18, f.n38, f.b, f.tx, f.u, f.by, f.d, "
                "f.ti, f.ts, f.tz, f.iv, f.ai, f.at)"),
            "5001");
  EXPECT_EQ(run("CREATE TABLE c AS SELECT * FROM " + file), "SELECT 5001");
  EXPECT_EQ(run("SELECT string_agg(format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum) FROM pg_attribute a "
                "WHERE attrelid = 'c'::regclass AND attnum > 0"),
            "integer,smallint,bigint,real,double "
            "precision,numeric(4,2),numeric(9,0),numeric(18,3),numeric(38,10),boolean,text,uuid,bytea,date,"
            "time without time zone,timestamp without time zone,timestamp with time zone,interval,integer[],text[]");
  EXPECT_EQ(run("SELECT count(*) FROM t JOIN c USING (\"Key\") WHERE t.n38 IS NOT DISTINCT FROM c.n38 AND t.ai::text "
                "IS NOT DISTINCT FROM c.ai::text"),
            "5001");
}

TEST_F(FileTablesTest, FilesStandWhereTablesDo) {
  run("CREATE TABLE t (k int PRIMARY KEY, v text)");
  run("INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 1000) g");
  export_parquet("SELECT * FROM t WHERE k <= 400", "a.parquet");
  export_parquet("SELECT * FROM t WHERE k > 400", "b.parquet");
  export_parquet("SELECT k + 1000 AS k, v FROM t WHERE k <= 10", "other.parquet");
  EXPECT_EQ(run("SELECT count(*), min(k), max(v) FROM read_parquet(" + quoted("[ab].parquet") + ")"), "1000|1|v999");
  EXPECT_EQ(run("SELECT count(*) FROM read_parquet(" + quoted("b.parquet") + ", " + quoted("other.parquet") + ")"),
            "610");
  EXPECT_EQ(
      run("SELECT count(*) FROM read_parquet(ARRAY[" + quoted("*.parquet") + ", " + quoted("a.parquet") + "]::text[])"),
      "1410");
  EXPECT_EQ(run("SELECT f.k, f.v, t.v FROM read_parquet(" + quoted("a.parquet") +
                ") AS f (k) JOIN t ON t.k = f.k + 500 WHERE f.k < 3 ORDER BY 1"),
            "1|v1|v501\n2|v2|v502");
  EXPECT_EQ(run("SELECT read_parquet.v FROM read_parquet(" + quoted("a.parquet") +
                ") WHERE k = (SELECT max(k) FROM read_parquet(" + quoted("a.parquet") + "))"),
            "v400");
  EXPECT_EQ(run("INSERT INTO t SELECT * FROM read_parquet(" + quoted("other.parquet") + ") WHERE k > 1005"),
            "INSERT 0 5");
  EXPECT_EQ(run("UPDATE t SET v = f.v || '!' FROM read_parquet(" + quoted("a.parquet") +
                ") f WHERE f.k = t.k AND t.k % 100 = 0"),
            "UPDATE 4");
  EXPECT_EQ(run("DELETE FROM t WHERE k IN (SELECT k FROM read_parquet(" + quoted("b.parquet") + "))"), "DELETE 600");
  EXPECT_EQ(run("SELECT count(*) FROM t a, LATERAL (SELECT count(*) AS n FROM read_parquet(" + quoted("other.parquet") +
                ") f WHERE f.k > a.k) x WHERE x.n = 10"),
            "400");
  run("BEGIN; DECLARE c CURSOR FOR SELECT k FROM read_parquet(" + quoted("a.parquet") + ") ORDER BY k");
  EXPECT_EQ(run("FETCH 2 FROM c"), "1\n2");
  EXPECT_EQ(run("FETCH 1 FROM c"), "3");
  run("COMMIT");
  EXPECT_EQ(run("EXPLAIN SELECT * FROM read_parquet(" + quoted("a.parquet") + ")").find("omendb-file:/"),
            std::string::npos);
}

TEST_F(FileTablesTest, CsvIsSniffed) {
  write("t.csv",
        "id,name,price,day,at,ok\n1,one,1.5,2024-01-31,2024-01-31 10:00:00,true\n2,\"\",2,2024-02-01,2024-02-01 "
        "00:00:00,false\n3,,,,,\n");
  const std::string file = "read_csv(" + quoted("t.csv") + ")";
  EXPECT_EQ(run("SELECT pg_typeof(id), pg_typeof(name), pg_typeof(price), pg_typeof(day), pg_typeof(at), pg_typeof(ok) "
                "FROM " +
                file + " LIMIT 1"),
            "bigint|text|double precision|date|timestamp without time zone|boolean");
  EXPECT_EQ(run("SELECT count(*), count(name), sum(price), max(day) FROM " + file), "3|2|3.5|2024-02-01");
  write("bare.csv", "1;x\n2;y\n");
  EXPECT_EQ(run("SELECT * FROM read_csv(" + quoted("bare.csv") +
                ", delim => ';', header => false, all_varchar => true) AS t (a, b) WHERE a = '2'"),
            "2|y");
  EXPECT_EQ(run("SELECT * FROM read_csv(" + quoted("bare.csv") + ", colour => 'red')"),
            "ERROR 22023: unrecognized option \"colour\" of read_csv");
  EXPECT_EQ(run("SELECT * FROM read_csv(" + quoted("bare.csv") + ", header => 'red')"),
            "ERROR 22023: option \"header\" of read_csv requires a Boolean value");
  std::string wrong = "a,b\n";
  for (int i = 0; i < 40000; ++i) wrong += std::to_string(i) + ",1\n";
  write("wrong.csv", wrong + "x,1\n");
  EXPECT_EQ(run("SELECT sum(a) FROM read_csv(" + quoted("wrong.csv") + ")"),
            "ERROR 22P04: could not read \"" + path("wrong.csv") + "\" as a CSV file");
  EXPECT_EQ(s_->last_error.detail.find("omendb-file:/"), std::string::npos) << s_->last_error.detail;
}

TEST_F(FileTablesTest, ErrorsArePostgres) {
  export_parquet("SELECT 1 AS a", "a.parquet");
  const std::string none = "could not open file \"" + path("none") + "\" for reading: No such file or directory";
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("none") + ")"), "ERROR 58P01: " + none);
  EXPECT_EQ(s_->last_error.hint, "");
  EXPECT_EQ(run("SELECT * FROM read_csv(" + quoted("*.csv") + ")").substr(0, 12), "ERROR 58P01:");
  EXPECT_EQ(run("SELECT * FROM read_csv('" + folder_ + "')"), "ERROR 42809: \"" + folder_ + "\" is a directory");
  write("x.parquet", "not one");
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("x.parquet") + ")"),
            "ERROR 22P04: could not read \"" + path("x.parquet") + "\" as a Parquet file");
  EXPECT_EQ(s_->last_error.detail.find("omendb-file:/"), std::string::npos) << s_->last_error.detail;
  EXPECT_EQ(run("SELECT b FROM read_parquet(" + quoted("a.parquet") + ")"), "ERROR 42703: column \"b\" does not exist");
  EXPECT_EQ(run("SELECT * FROM read_parquet()").substr(0, 12), "ERROR 42883:");
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("a") + " || '.parquet')").substr(0, 12), "ERROR 0A000:");
  EXPECT_EQ(s_->run("SELECT * FROM read_parquet($1)", {path("a.parquet")}).substr(0, 12), "ERROR 0A000:");
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("a.parquet") + ") WITH ORDINALITY").substr(0, 12),
            "ERROR 0A000:");
  EXPECT_EQ(run("SELECT read_parquet(" + quoted("a.parquet") + ")").substr(0, 12), "ERROR 42883:");
  run("CREATE ROLE r LOGIN; SET ROLE r");
  const std::string refused =
      "ERROR 42501: must be superuser or have privileges of the pg_read_server_files role to read a file";
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("a.parquet") + ")"), refused);
  EXPECT_EQ(run("SELECT * FROM read_csv(" + quoted("none") + ")"), refused);
  run("RESET ROLE; GRANT pg_read_server_files TO r; SET ROLE r");
  EXPECT_EQ(run("SELECT * FROM read_parquet(" + quoted("a.parquet") + ")"), "1");
  run("RESET ROLE");
}

// Privileges are asked for when a statement runs, too.
TEST_F(FileTablesTest, PreparedStatementsAreCheckedAgain) {
  export_parquet("SELECT 1 AS a", "a.parquet");
  run("PREPARE p AS SELECT * FROM read_parquet(" + quoted("a.parquet") + ")");
  EXPECT_EQ(run("EXECUTE p"), "1");
  export_parquet("SELECT 2 AS a", "a.parquet");
  EXPECT_EQ(run("EXECUTE p"), "2");
  export_parquet("SELECT 'x' AS a", "a.parquet");
  EXPECT_EQ(run("EXECUTE p"), "ERROR 0A000: cached plan must not change result type");
  run("CREATE ROLE r LOGIN; SET ROLE r");
  EXPECT_EQ(run("EXECUTE p").substr(0, 12), "ERROR 42501:");
  run("RESET ROLE");
  // Of the same text, anew.
  EXPECT_EQ(run("SELECT a FROM read_parquet(" + quoted("a.parquet") + ")"), "x");
  export_parquet("SELECT 7 AS a", "a.parquet");
  EXPECT_EQ(run("SELECT a FROM read_parquet(" + quoted("a.parquet") + ")"), "7");
}

TEST_F(FileTablesTest, ViewsKeepTheirColumns) {
  export_parquet("SELECT g AS a, 'x' || g AS b FROM generate_series(1, 3) g", "v.parquet");
  run("CREATE VIEW v AS SELECT * FROM read_parquet(" + quoted("v.parquet") + ") f WHERE f.a > 1");
  EXPECT_EQ(run("SELECT * FROM v ORDER BY a"), "2|x2\n3|x3");
  EXPECT_NE(run("SELECT pg_get_viewdef('v')").find("read_parquet('" + path("v.parquet") + "'"), std::string::npos);
  export_parquet("SELECT 9 AS c, 'y' AS b, 5 AS a", "v.parquet");
  EXPECT_EQ(run("SELECT * FROM v"), "5|y");
  export_parquet("SELECT 5::float8 AS a, 'y' AS b", "v.parquet");
  EXPECT_EQ(
      run("SELECT * FROM v"),
      "ERROR 42804: column \"a\" of view \"v\" is of type integer, but its file's is now of type double precision");
  export_parquet("SELECT 5 AS a", "v.parquet");
  EXPECT_EQ(run("SELECT * FROM v").substr(0, 12), "ERROR 42703:");
  EXPECT_EQ(s_->last_error.detail,
            "A file that view \"v\" reads has other columns than it had when the view was made.");
  std::filesystem::remove(path("v.parquet"));
  EXPECT_EQ(run("SELECT * FROM v").substr(0, 12), "ERROR 58P01:");
  EXPECT_EQ(run("DROP VIEW v"), "DROP VIEW");
}

// Once to know the columns, once to read: no plan of another tier is tried, which would sniff again.
TEST_F(FileTablesTest, AFileIsOpenedTwice) {
  write("t.csv", "a,b\n1,2\n");
  auto& instance = static_cast<EngineImpl&>(*db_.engine).duck().instance();
  const auto grants = [&] {
    const FileGrants::Grant next(instance, path("t.csv"), FileAccess::kRead);
    return std::stoi(next.name().substr(next.name().find_first_of("0123456789")));
  };
  const int before = grants();
  EXPECT_EQ(run("SELECT a FROM read_csv(" + quoted("t.csv") + ") LIMIT 1"), "1");
  EXPECT_EQ(grants() - before - 1, 2);
}

// Money moves between tables while they are exported: the files hold all of it, each time.
TEST_F(FileTablesTest, AnExportOfSeveralTablesIsOfOneSnapshot) {
  for (const char* table : {"a", "b", "c"}) {
    run(std::string("CREATE TABLE ") + table + " (id int PRIMARY KEY, money int)");
    run(std::string("INSERT INTO ") + table + " SELECT g, 100 FROM generate_series(1, 1000) g");
  }
  std::atomic<bool> stop{false};
  std::atomic<int> moved{0};
  std::thread writer([&] {
    auto session = db_.connect();
    for (int i = 0; !stop; ++i) {
      const std::string id = std::to_string(i % 1000 + 1);
      const char* from[] = {"a", "b", "c"};
      session->run(std::string("BEGIN; UPDATE ") + from[i % 3] + " SET money = money - 1 WHERE id = " + id +
                   "; UPDATE " + from[(i + 1) % 3] + " SET money = money + 1 WHERE id = " + id + "; COMMIT");
      ++moved;
    }
  });
  for (int round = 0; round < 5; ++round) {
    run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    for (const std::string table : {"a", "b", "c"}) {
      const int before = moved;
      EXPECT_EQ(run("COPY " + table + " TO " + quoted(table + ".parquet") + " (FORMAT parquet)"), "COPY 1000");
      for (int i = 0; i < 60000 && moved < before + 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      EXPECT_GE(moved, before + 5);
    }
    run("COMMIT");
    EXPECT_EQ(run("SELECT sum(money), count(*) FROM read_parquet(" + quoted("[abc].parquet") + ")"), "300000|3000");
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace omendb::sql
