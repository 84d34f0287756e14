#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

class SessionTest : public ::testing::Test {
 protected:
  testing::TestDatabase db_;
  std::unique_ptr<testing::TestSession> s_ = db_.connect();
  std::string run(const std::string& sql) { return s_->run(sql); }
};

TEST_F(SessionTest, RowsGoInAndComeOut) {
  EXPECT_EQ(run("CREATE TABLE t (id int PRIMARY KEY, name text, v bigint DEFAULT 7)"), "CREATE TABLE");
  EXPECT_EQ(run("INSERT INTO t (id, name) VALUES (1, 'one'), (2, 'two')"), "INSERT 0 2");
  EXPECT_EQ(run("INSERT INTO t VALUES (3, NULL, 9)"), "INSERT 0 1");
  EXPECT_EQ(run("SELECT * FROM t ORDER BY id"), "1|one|7\n2|two|7\n3|NULL|9");
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 2"), "two");
  EXPECT_EQ(run("SELECT count(*), sum(v) FROM t"), "3|23");
  EXPECT_EQ(run("UPDATE t SET v = v + id WHERE id >= 2"), "UPDATE 2");
  EXPECT_EQ(run("SELECT v FROM t ORDER BY id"), "7\n9\n12");
  EXPECT_EQ(run("DELETE FROM t WHERE id = 1"), "DELETE 1");
  EXPECT_EQ(run("SELECT id FROM t ORDER BY id DESC"), "3\n2");
}

TEST_F(SessionTest, ReturningSeesTheNewRow) {
  run("CREATE TABLE t (id serial PRIMARY KEY, v int)");
  EXPECT_EQ(run("INSERT INTO t (v) VALUES (10), (20) RETURNING id, v"), "1|10\n2|20");
  EXPECT_EQ(run("INSERT INTO t (v) VALUES (30) RETURNING id, v * 2"), "3|60");
  EXPECT_EQ(run("UPDATE t SET v = v + 1 WHERE id = 2 RETURNING v"), "21");
  EXPECT_EQ(run("UPDATE t SET v = v + 1 RETURNING id, v"), "1|11\n2|22\n3|31");
  EXPECT_EQ(run("DELETE FROM t WHERE id = 1 RETURNING *"), "1|11");
}

TEST_F(SessionTest, OuterJoinsThatAskAboutTheKeptSideAreHashed) {
  run("CREATE TABLE a (id int PRIMARY KEY, k int, v int); CREATE TABLE b (id int PRIMARY KEY, k int, v int)");
  run("SET omendb.route = 'rows'");
  for (const char* join : {"LEFT JOIN b ON a.k = b.k AND a.v < 3", "RIGHT JOIN b ON b.k = a.k AND b.v < 3",
                           "FULL JOIN b ON a.k = b.k AND a.v < 3 AND b.v > a.v AND b.v <> 1"}) {
    const std::string plan = run(std::string("EXPLAIN SELECT count(*) FROM a ") + join);
    EXPECT_NE(plan.find("HASH_JOIN"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("NL_JOIN"), std::string::npos) << plan;
  }
}

TEST_F(SessionTest, ConstraintsSayWhatPostgresSays) {
  run("CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int CHECK (b > 0), c text UNIQUE)");
  EXPECT_EQ(run("INSERT INTO t VALUES (1, 1, 1, 'x')"), "INSERT 0 1");
  EXPECT_EQ(run("INSERT INTO t VALUES (2, NULL, 1, 'y')"),
            "ERROR 23502: null value in column \"a\" of relation \"t\" violates not-null constraint");
  EXPECT_EQ(s_->last_error.detail, "Failing row contains (2, null, 1, y).");
  EXPECT_EQ(s_->last_error.column, "a");
  EXPECT_EQ(run("INSERT INTO t VALUES (2, 1, -1, 'y')"),
            "ERROR 23514: new row for relation \"t\" violates check constraint \"t_b_check\"");
  EXPECT_EQ(run("INSERT INTO t VALUES (1, 1, 1, 'y')"),
            "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(s_->last_error.detail, "Key (id)=(1) already exists.");
  EXPECT_EQ(run("INSERT INTO t VALUES (3, 1, 1, 'x')"),
            "ERROR 23505: duplicate key value violates unique constraint \"t_c_key\"");
  EXPECT_EQ(run("UPDATE t SET a = NULL"),
            "ERROR 23502: null value in column \"a\" of relation \"t\" violates not-null constraint");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
}

TEST_F(SessionTest, TransactionsCommitAndRollBack) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  EXPECT_EQ(run("BEGIN"), "BEGIN");
  EXPECT_EQ(s_->session->transaction_state(), TransactionState::kInTransaction);
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(run("ROLLBACK"), "ROLLBACK");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "0");
  run("BEGIN");
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(run("COMMIT"), "COMMIT");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
}

TEST_F(SessionTest, FailedBlockRefusesUntilRollback) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  run("BEGIN");
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(run("SELECT 1/0"), "ERROR 22012: division by zero");
  EXPECT_EQ(s_->session->transaction_state(), TransactionState::kFailed);
  EXPECT_EQ(run("SELECT 1"),
            "ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block");
  EXPECT_EQ(run("COMMIT"), "ROLLBACK");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "0");
}

TEST_F(SessionTest, SavepointsUndoTheirPart) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  run("BEGIN");
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(run("SAVEPOINT a"), "SAVEPOINT");
  run("INSERT INTO t VALUES (2)");
  EXPECT_EQ(run("INSERT INTO t VALUES (1)"), "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(run("ROLLBACK TO a"), "ROLLBACK");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
  run("INSERT INTO t VALUES (3)");
  EXPECT_EQ(run("RELEASE a"), "RELEASE");
  EXPECT_EQ(run("ROLLBACK TO a"), "ERROR 3B001: savepoint \"a\" does not exist");
  run("ROLLBACK");
  EXPECT_EQ(run("SAVEPOINT a"), "ERROR 25P01: SAVEPOINT can only be used in transaction blocks");
}

TEST_F(SessionTest, StringOfStatementsIsOneTransaction) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  EXPECT_EQ(run("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT 1/0"), "ERROR 22012: division by zero");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(run("INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); SELECT 1/0"),
            "ERROR 22012: division by zero");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(s_->client.notices, "WARNING: there is no transaction in progress\n");
}

TEST_F(SessionTest, SettingsFollowTransactions) {
  EXPECT_EQ(run("SHOW work_mem"), "4MB");
  EXPECT_EQ(run("SET work_mem = '3MB'"), "SET");
  EXPECT_EQ(run("SHOW work_mem"), "3MB");
  run("BEGIN");
  run("SET work_mem = '5MB'");
  run("SET LOCAL statement_timeout = '90s'");
  EXPECT_EQ(run("SHOW statement_timeout"), "90s");
  run("ROLLBACK");
  EXPECT_EQ(run("SHOW work_mem"), "3MB");
  EXPECT_EQ(run("SHOW statement_timeout"), "0");
  run("RESET work_mem");
  EXPECT_EQ(run("SHOW work_mem"), "4MB");
  EXPECT_EQ(run("SET nosuch = 1"), "ERROR 42704: unrecognized configuration parameter \"nosuch\"");
  EXPECT_EQ(run("SET a.b = 5; SHOW a.b"), "5");
  EXPECT_EQ(run("SET datestyle = german; SHOW datestyle"), "German, DMY");
  EXPECT_EQ(run("SHOW search_path"), "\"$user\", public");
  EXPECT_EQ(run("SET search_path = nosuch, \"A b\"; SHOW search_path"), "nosuch, \"A b\"");
  EXPECT_EQ(run("SET statement_timeout = '3 parsecs'"),
            "ERROR 22023: invalid value for parameter \"statement_timeout\": \"3 parsecs\"");
  EXPECT_EQ(run("SET statement_timeout = -5"),
            "ERROR 22023: -5 ms is outside the valid range for parameter \"statement_timeout\" (0 .. 2147483647)");
}

TEST_F(SessionTest, PreparedStatementsAndParameters) {
  run("CREATE TABLE t (id int PRIMARY KEY, v text)");
  EXPECT_EQ(s_->run("INSERT INTO t VALUES ($1, $2)", {"1", "one"}), "INSERT 0 1");
  EXPECT_EQ(s_->run("INSERT INTO t VALUES ($1, $2)", {"2", "NULL"}), "INSERT 0 1");
  EXPECT_EQ(s_->run("SELECT v FROM t WHERE id = $1", {"1"}), "one");
  EXPECT_EQ(s_->run("SELECT v FROM t WHERE id = $1", {"2"}), "NULL");
  EXPECT_EQ(s_->run("SELECT v FROM t WHERE id = $1", {"x"}),
            "ERROR 22P02: invalid input syntax for type integer: \"x\"");
  run("PREPARE p(int) AS SELECT id + $1 FROM t ORDER BY id");
  EXPECT_EQ(run("EXECUTE p(10)"), "11\n12");
  EXPECT_EQ(run("EXECUTE p(1, 2)"), "ERROR 42601: wrong number of parameters for prepared statement \"p\"");
  EXPECT_EQ(run("DEALLOCATE p"), "DEALLOCATE");
  EXPECT_EQ(run("EXECUTE p(1)"), "ERROR 26000: prepared statement \"p\" does not exist");
}

TEST_F(SessionTest, PreparedStatementFollowsTheCatalog) {
  run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  run("INSERT INTO t VALUES (1, 5)");
  auto prepared = s_->prepare("SELECT v FROM t WHERE id = $1");
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(s_->run(*prepared, {"1"}), "5");
  run("ALTER TABLE t ADD COLUMN w int DEFAULT 3");
  EXPECT_EQ(s_->run(*prepared, {"1"}), "5");
  run("DROP TABLE t");
  EXPECT_EQ(s_->run(*prepared, {"1"}), "ERROR 42P01: relation \"t\" does not exist");
}

TEST_F(SessionTest, CursorsMove) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  run("INSERT INTO t SELECT generate_series(1, 10)");
  EXPECT_EQ(run("DECLARE c CURSOR FOR SELECT id FROM t"),
            "ERROR 25P01: DECLARE CURSOR can only be used in transaction blocks");
  run("BEGIN");
  EXPECT_EQ(run("DECLARE c SCROLL CURSOR FOR SELECT id FROM t ORDER BY id"), "DECLARE CURSOR");
  EXPECT_EQ(run("FETCH 3 FROM c"), "1\n2\n3");
  EXPECT_EQ(run("FETCH BACKWARD 2 FROM c"), "2\n1");
  EXPECT_EQ(run("FETCH ABSOLUTE -1 FROM c"), "10");
  EXPECT_EQ(run("FETCH NEXT FROM c"), "FETCH 0");
  EXPECT_EQ(run("FETCH PRIOR FROM c"), "10");
  EXPECT_EQ(run("MOVE ABSOLUTE 4 IN c"), "MOVE 1");
  EXPECT_EQ(run("FETCH ALL FROM c"), "5\n6\n7\n8\n9\n10");
  EXPECT_EQ(run("CLOSE c"), "CLOSE CURSOR");
  EXPECT_EQ(run("FETCH c"), "ERROR 34000: cursor \"c\" does not exist");
  run("ROLLBACK");
}

TEST_F(SessionTest, OnConflict) {
  run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  run("INSERT INTO t VALUES (1, 1)");
  EXPECT_EQ(run("INSERT INTO t VALUES (1, 9) ON CONFLICT DO NOTHING"), "INSERT 0 0");
  EXPECT_EQ(run("INSERT INTO t VALUES (1, 9), (2, 2) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v RETURNING *"),
            "1|10\n2|2");
  EXPECT_EQ(run("INSERT INTO t VALUES (3, 3), (3, 4) ON CONFLICT (id) DO UPDATE SET v = 0"),
            "ERROR 21000: ON CONFLICT DO UPDATE command cannot affect row a second time");
  EXPECT_EQ(run("INSERT INTO t VALUES (2, 5) ON CONFLICT (id) DO UPDATE SET v = 7 WHERE t.v > 100"), "INSERT 0 0");
  EXPECT_EQ(run("SELECT * FROM t ORDER BY id"), "1|10\n2|2");
}

TEST_F(SessionTest, Merge) {
  run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  run("INSERT INTO t VALUES (1, 1), (2, 2)");
  EXPECT_EQ(run("MERGE INTO t USING (VALUES (1, 10), (2, NULL), (3, 30)) s(id, v) ON t.id = s.id "
                "WHEN MATCHED AND s.v IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v "
                "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)"),
            "MERGE 3");
  EXPECT_EQ(run("SELECT * FROM t ORDER BY id"), "1|10\n3|30");
}

TEST_F(SessionTest, WritesDoNotMeetThemselves) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(run("UPDATE t SET id = id + 1 WHERE id < 100"), "UPDATE 1");
  EXPECT_EQ(run("INSERT INTO t SELECT id + 10 FROM t"), "INSERT 0 1");
  EXPECT_EQ(run("WITH d AS (DELETE FROM t RETURNING id) SELECT count(*), (SELECT count(*) FROM t) FROM d"), "2|2");
  EXPECT_EQ(run("SELECT count(*) FROM t"), "0");
}

TEST_F(SessionTest, ReadOnlyTransactionsRefuseWrites) {
  run("CREATE TABLE t (id int PRIMARY KEY)");
  run("BEGIN READ ONLY");
  EXPECT_EQ(run("INSERT INTO t VALUES (1)"), "ERROR 25006: cannot execute INSERT in a read-only transaction");
  run("ROLLBACK");
  EXPECT_EQ(run("SHOW transaction_isolation"), "read committed");
  EXPECT_EQ(run("BEGIN ISOLATION LEVEL SERIALIZABLE; SHOW transaction_isolation"), "serializable");
  run("ROLLBACK");
}

TEST_F(SessionTest, UpdateRechecksAChangedRow) {
  run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  run("INSERT INTO t VALUES (1, 10), (2, 20)");
  auto other = db_.connect();
  other->run("BEGIN");
  other->run("UPDATE t SET v = v + 5 WHERE id = 1");
  std::string point, general;
  uint64_t waits = db_.lock_waits();
  std::thread waiting([&] { general = run("UPDATE t SET v = v * 2 WHERE v < 15 RETURNING v"); });
  EXPECT_TRUE(db_.await_lock_wait(waits));
  other->run("COMMIT");
  waiting.join();
  EXPECT_EQ(general, "UPDATE 0");  // 15 is not below 15 any more
  other->run("BEGIN");
  other->run("UPDATE t SET v = v + 1 WHERE id = 1");
  waits = db_.lock_waits();
  std::thread again([&] { point = run("UPDATE t SET v = v * 2 WHERE id = 1 RETURNING v"); });
  EXPECT_TRUE(db_.await_lock_wait(waits));
  other->run("COMMIT");
  again.join();
  EXPECT_EQ(point, "32");
}

TEST_F(SessionTest, ForUpdateLocksAndRechecks) {
  run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  run("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
  auto other = db_.connect();
  other->run("BEGIN");
  EXPECT_EQ(other->run("SELECT v FROM t WHERE id = 1 FOR UPDATE"), "1");
  run("BEGIN");
  EXPECT_EQ(run("SELECT id FROM t ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1"), "2");
  EXPECT_EQ(run("SELECT id FROM t WHERE id = 1 FOR UPDATE NOWAIT"),
            "ERROR 55P03: could not obtain lock on row in relation \"t\"");
  run("ROLLBACK");
  other->run("ROLLBACK");
}

TEST_F(SessionTest, StatementTimeoutAndCancel) {
  run("SET statement_timeout = 100");
  EXPECT_EQ(run("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b"),
            "ERROR 57014: canceling statement due to statement timeout");
  run("SET statement_timeout = 0");
  // A cancellation that comes before the statement is nobody's: so again, until one has met it.
  std::atomic<bool> over{false};
  std::thread canceller([&] {
    while (!over) {
      s_->session->cancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(run("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b"),
            "ERROR 57014: canceling statement due to user request");
  over = true;
  canceller.join();
  EXPECT_EQ(run("SELECT 1"), "1");
}

// However a client nests, the answer is an error: the server's stack is not the client's to end.
TEST_F(SessionTest, DeepStatementsAreRefusedInPostgresWords) {
  const auto chain = [](const std::string& first, const std::string& more) {
    std::string sql = first;
    for (int i = 0; i < 20'000; ++i) sql += more;
    return sql;
  };
  for (const auto& sql : {chain("SELECT 1", "+1"), chain("SELECT 1", "::int"), chain("SELECT 'a'::text", "||'a'")}) {
    EXPECT_EQ(run(sql), "ERROR 54001: stack depth limit exceeded") << sql.substr(0, 40);
  }
  EXPECT_EQ(run("SELECT 1"), "1");
}

}  // namespace
}  // namespace omendb::sql
