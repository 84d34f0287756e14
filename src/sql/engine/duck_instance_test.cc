#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

/// How many of the process's threads run on what others leave (proc(5), /proc/pid/stat, field 41).
int idle_class_threads() {
  int found = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string field;
    for (int i = 3; i <= 41; ++i) fields >> field;
    found += field == std::to_string(SCHED_IDLE);
  }
  return found;
}

double cpu_seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Whoever waits for a short statement does not wait for the long ones beside it.
TEST(DuckInstance, LongStatementsRunOnThreadsOfLowerPriority) {
  auto database = table::Database::open({});
  ASSERT_TRUE(database.ok());
  EngineOptions options;
  options.memory_bytes = 100 << 20;
  options.threads = 3;
  const int before = idle_class_threads();
  auto engine = Engine::create(**database, options);
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(idle_class_threads() - before, 3);  // two of DuckDB's, and the one that made them
  testing::TestSession session(**engine, 1);
  const double thread = cpu_seconds(CLOCK_THREAD_CPUTIME_ID), process = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  EXPECT_EQ(session.run("SELECT count(DISTINCT g % 100000), sum(length(md5(g::text))) FROM generate_series(1, 3000000) g"), "100000|96000000");
  EXPECT_LT(3 * (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - thread), cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process);
  // Errors come back to the session's thread, from before the first row and from after it.
  EXPECT_EQ(session.run("SELECT count(1 / (3000000 - g)) FROM generate_series(1, 3000000) g"), "ERROR 22012: division by zero");
  EXPECT_EQ(session.run("SELECT 1 / (3000000 - g) FROM generate_series(1, 3000000) g"), "ERROR 22012: division by zero");
  EXPECT_EQ(session.run("SELECT 1"), "1");
}

TEST(DuckInstance, AnOperatorBeyondItsMemorySpillsAndLeavesNothing) {
  const std::string directory =
      (std::filesystem::temp_directory_path() / ("omendb-spill-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(directory);
  const std::string leftover = directory + "/duckdb_temp_storage_DEFAULT-0.tmp";
  std::ofstream(leftover) << "of a killed process";

  auto database = table::Database::open({});
  ASSERT_TRUE(database.ok());
  EngineOptions options;
  options.memory_bytes = 100 << 20;
  options.temp_directory = directory;
  options.threads = 2;
  auto engine = Engine::create(**database, options);
  ASSERT_TRUE(engine.ok());
  EXPECT_FALSE(std::filesystem::exists(leftover));
  {
    testing::TestSession session(**engine, 1);
    EXPECT_EQ(session.run("SELECT count(*), count(DISTINCT length(r)) FROM (SELECT repeat(md5(g::text), 8) AS r "
                          "FROM generate_series(1, 600000) g ORDER BY r OFFSET 1) s"),
              "599999|1");
  }
  engine.value().reset();
  EXPECT_TRUE(!std::filesystem::exists(directory) || std::filesystem::is_empty(directory));
  std::filesystem::remove_all(directory);
}

// A statement beyond a limit fails by itself: those beside it and after it do not.
TEST(DuckInstance, LimitsEndTheStatementThatExceedsThem) {
  const std::string directory =
      (std::filesystem::temp_directory_path() / ("omendb-limit-" + std::to_string(::getpid()))).string();
  auto database = table::Database::open({});
  ASSERT_TRUE(database.ok());
  const std::string large = "SELECT count(*), count(DISTINCT length(r)) FROM (SELECT md5(g::text) || md5((g + 1)::text) || md5((g * 3)::text) || md5((-g)::text) AS r "
                            "FROM generate_series(1, 1000000) g ORDER BY r OFFSET 1) s";
  for (const bool spills : {false, true}) {
    EngineOptions options;
    options.memory_bytes = 100 << 20;
    options.threads = 2;
    if (spills) {
      options.temp_directory = directory;
      options.temp_bytes = 4 << 20;
    }
    auto engine = Engine::create(**database, options);
    ASSERT_TRUE(engine.ok());
    testing::TestSession session(**engine, 1), other(**engine, 2);
    EXPECT_EQ(other.run("BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1)").substr(0, 5), "INSER");
    const std::string result = session.run(large);
    EXPECT_EQ(result.substr(0, 12), spills ? "ERROR 53400:" : "ERROR 53200:") << result;
    EXPECT_EQ(other.run("SELECT a FROM t"), "1");
    other.run("ROLLBACK");
    EXPECT_EQ(session.run("SELECT count(*) FROM generate_series(1, 100000) g"), "100000");
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace omendb::sql
