#include <gtest/gtest.h>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class CopyTest : public ::testing::Test {
 protected:
  void SetUp() override { s_->run("CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL, c numeric(6,2) DEFAULT 1.5)"); }
  std::string in(const std::string& sql, const std::string& data) { return s_->copy_in(sql, data); }
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
};

TEST_F(CopyTest, TextGoesInAndOut) {
  EXPECT_EQ(in("COPY t FROM STDIN", "1\tone\t2\n2\ta\\tb\\\\\\x41\\101\t\\N\n"), "COPY 2");
  EXPECT_EQ(s_->run("SELECT * FROM t ORDER BY a"), "1|one|2.00\n2|a\tb\\AA|NULL");
  EXPECT_EQ(s_->copy_out("COPY t TO STDOUT"), "1\tone\t2.00\n2\ta\\tb\\\\AA\t\\N\n");
  EXPECT_EQ(s_->copy_out("COPY (SELECT b FROM t WHERE a = 1) TO STDOUT"), "one\n");
  EXPECT_EQ(s_->copy_out("COPY t (b, a) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE (b), DELIMITER ';')"),
            "b;a\n\"one\";1\n\"a\tb\\AA\";2\n");
}

TEST_F(CopyTest, MissingColumnsTakeDefaults) {
  EXPECT_EQ(in("COPY t (b, a) FROM STDIN", "x\t1\r\ny\t2\r\n\\.\r\nrubbish"), "COPY 2");
  EXPECT_EQ(s_->run("SELECT * FROM t ORDER BY a"), "1|x|1.50\n2|y|1.50");
}

TEST_F(CopyTest, CsvQuotesAndNulls) {
  EXPECT_EQ(in("COPY t FROM STDIN (FORMAT csv, HEADER)", "a,b,c\n1,\"x,\"\"y\"\"\nz\",\n2,\"\",3"), "COPY 2");
  EXPECT_EQ(s_->run("SELECT * FROM t ORDER BY a"), "1|x,\"y\"\nz|NULL\n2||3.00");
  EXPECT_EQ(s_->copy_out("COPY t TO STDOUT CSV"), "1,\"x,\"\"y\"\"\nz\",\n2,\"\",3.00\n");
}

TEST_F(CopyTest, ErrorsNameTheirLine) {
  EXPECT_EQ(in("COPY t FROM STDIN", "1\tx\t2\n2\ty\tabc\n"),
            "ERROR 22P02: invalid input syntax for type numeric: \"abc\"");
  EXPECT_EQ(s_->last_error.context, "COPY t, line 2, column c: \"abc\"");
  EXPECT_EQ(s_->run("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(in("COPY t FROM STDIN", "1\tx\n"), "ERROR 22P04: missing data for column \"c\"");
  EXPECT_EQ(s_->last_error.context, "COPY t, line 1: \"1\tx\"");
  EXPECT_EQ(in("COPY t FROM STDIN", "1\tx\t2\t3\n"), "ERROR 22P04: extra data after last expected column");
  EXPECT_EQ(in("COPY t FROM STDIN", "1\t\\N\t2\n"),
            "ERROR 23502: null value in column \"b\" of relation \"t\" violates not-null constraint");
  EXPECT_EQ(s_->last_error.detail, "Failing row contains (1, null, 2.00).");
  EXPECT_EQ(in("COPY t FROM STDIN (FORMAT csv)", "1,\"x\n"), "ERROR 22P04: unterminated CSV quoted field");
  EXPECT_EQ(in("COPY t FROM STDIN (FORMAT csv, HEADER match)", "a,b,d\n"),
            "ERROR 22P04: column name mismatch in header line field 3: got \"d\", expected \"c\"");
  EXPECT_EQ(in("COPY t (zz) FROM STDIN", ""), "ERROR 42703: column \"zz\" of relation \"t\" does not exist");
  EXPECT_EQ(in("COPY t FROM STDIN (DELIMITER 'ab')", ""),
            "ERROR 0A000: COPY delimiter must be a single one-byte character");
}

TEST_F(CopyTest, ChecksGeneratedColumnsAndWhere) {
  s_->run("CREATE TABLE g (id serial PRIMARY KEY, v int CHECK (v < 100), w int GENERATED ALWAYS AS (v * 2) STORED)");
  EXPECT_EQ(in("COPY g (v) FROM STDIN WHERE v > 1", "1\n2\n3\n"), "COPY 2");
  EXPECT_EQ(s_->run("SELECT v, w FROM g ORDER BY v"), "2|4\n3|6");
  EXPECT_EQ(in("COPY g (v) FROM STDIN", "5\n500\n"),
            "ERROR 23514: new row for relation \"g\" violates check constraint \"g_v_check\"");
  EXPECT_EQ(s_->last_error.context, "COPY g, line 2: \"500\"");
}

TEST_F(CopyTest, BinaryRoundTrips) {
  s_->run("INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', 2.25)");
  const std::string bytes = s_->copy_out("COPY t TO STDOUT (FORMAT binary)");
  s_->run("DELETE FROM t");
  EXPECT_EQ(in("COPY t FROM STDIN (FORMAT binary)", bytes), "COPY 2");
  EXPECT_EQ(s_->run("SELECT * FROM t ORDER BY a"), "1|one|NULL\n2|two|2.25");
}

// Rows are read on one thread and inserted on another: the error of the earlier line wins, whichever thread meets it.
TEST_F(CopyTest, TheFirstWrongLineIsTheOneReported) {
  const auto file = [](int duplicate, int bad) {
    std::string text;
    for (int i = 1; i <= 12000; ++i) {
      text += std::to_string(i == duplicate ? 1 : i) + "\trow\t" + (i == bad ? "x" : "2") + "\n";
    }
    return text;
  };
  EXPECT_EQ(in("COPY t FROM STDIN", file(0, 0)), "COPY 12000");
  EXPECT_EQ(s_->run("SELECT count(*), sum(a) FROM t"), "12000|72006000");
  s_->run("TRUNCATE t");
  for (const auto& [duplicate, bad] : {std::pair{3000, 9000}, {3000, 3001}, {9000, 9500}, {50, 51}}) {
    EXPECT_EQ(in("COPY t FROM STDIN", file(duplicate, bad)).substr(0, 11), "ERROR 23505") << duplicate;
    EXPECT_EQ(s_->last_error.context, "COPY t, line " + std::to_string(duplicate) + ": \"1\trow\t2\"");
  }
  for (const auto& [duplicate, bad] : {std::pair{9000, 3000}, {3001, 3000}, {9500, 9000}, {51, 50}}) {
    EXPECT_EQ(in("COPY t FROM STDIN", file(duplicate, bad)).substr(0, 11), "ERROR 22P02") << bad;
    EXPECT_EQ(s_->last_error.context, "COPY t, line " + std::to_string(bad) + ", column c: \"x\"");
  }
  EXPECT_EQ(s_->run("SELECT count(*) FROM t"), "0");
}

}  // namespace
}  // namespace omendb::sql
