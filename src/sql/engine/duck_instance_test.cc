#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "sql/engine/route_counters.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/spill_files.h"
#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

struct IdleClass {
  int threads = 0;
  long ticks = 0;  // of processor time, 10 ms each
};

/// The process's threads that run on what others leave (proc(5), /proc/pid/stat, fields 14, 15, 41).
IdleClass idle_class() {
  IdleClass found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string line;
    std::getline(file, line);
    std::istringstream in(line.substr(line.rfind(')') + 1));
    const std::vector<std::string> fields(std::istream_iterator<std::string>(in), {});  // from the third on
    if (fields.size() < 39 || fields[38] != std::to_string(SCHED_IDLE)) continue;
    ++found.threads;
    found.ticks += std::stol(fields[11]) + std::stol(fields[12]);
  }
  return found;
}

/// Whether a thread of this process gets its priority back.
bool may_raise() {
  bool may = false;
  std::thread([&] {
    lower_priority(Priority::kIdle);
    set_priority(gettid(), Priority::kNormal);
    may = sched_getscheduler(0) != SCHED_IDLE;
  }).join();
  return may;
}

class StandingBack : public ::testing::Test {
 protected:
  std::string run_long() {
    return d_.connect()->run(
        "SELECT count(DISTINCT g % 100000), sum(length(md5(g::text))) FROM generate_series(1, 3000000) g");
  }

  const int before_ = idle_class().threads;
  testing::TestDatabase d_;
};

// Whoever waits for a short statement does not wait for the long ones beside it.
TEST_F(StandingBack, LongStatementsGiveWayToShortOnes) {
  auto session = d_.connect();
  session->run("CREATE TABLE t (id int PRIMARY KEY, v int)");
  session->run("INSERT INTO t VALUES (1, 10)");
  std::atomic<bool> over{false};
  std::thread short_statements([&] {
    auto own = d_.connect();
    while (!over) ASSERT_EQ(own->run("SELECT v FROM t WHERE id = 1"), "10");
  });
  while (!short_statement_within(std::chrono::milliseconds(50))) std::this_thread::yield();
  // A thread of that class beside DuckDB's worker, unless the machine was others' all the time: then, too, a statement that is short
  // otherwise may take so long that there are none.
  const auto raised = stand_back_count(StandBackCount::kRaised);
  const auto stood_back = [&] {
    return idle_class().threads - before_ == 2 || stand_back_count(StandBackCount::kRaised) != raised;
  };
  for (int i = 0; i < 10 && !stood_back(); ++i) EXPECT_EQ(run_long(), "100000|96000000");
  EXPECT_TRUE(stood_back());
  // Errors come back to the session's thread, from before the first row and from after it.
  EXPECT_EQ(session->run("SELECT count(1 / (3000000 - g)) FROM generate_series(1, 3000000) g"),
            "ERROR 22012: division by zero");
  EXPECT_EQ(session->run("SELECT 1 / (3000000 - g) FROM generate_series(1, 3000000) g"),
            "ERROR 22012: division by zero");
  EXPECT_EQ(session->run("SELECT 1"), "1");
  over = true;
  short_statements.join();
}

TEST_F(StandingBack, WorkersThatAreFreedDoNotWaitForWhatIsLeft) {
  auto& duck = static_cast<EngineImpl&>(*d_.engine).duck();
  while (idle_class().threads == before_) std::this_thread::yield();
  const auto freed = stand_back_count(StandBackCount::kWorkersFreed);
  duck.free_workers();
  EXPECT_EQ(stand_back_count(StandBackCount::kWorkersFreed), freed + 1);
  EXPECT_EQ(d_.connect()->run("SELECT count(*) FROM omendb_statistics() WHERE name = 'workers_freed' AND value > 0"),
            "1");
  if (may_raise()) {
    EXPECT_EQ(idle_class().threads, before_);
  }
}

// What else the machine does is no reason to wait for it.
TEST_F(StandingBack, LongStatementsAmongThemselvesDoNot) {
  for (int i = 0; i < 6000 && idle_class().threads == before_; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(idle_class().threads - before_, 1);
  while (short_statement_within(std::chrono::milliseconds(100)))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::thread other([&] { EXPECT_EQ(run_long(), "100000|96000000"); });
  EXPECT_EQ(run_long(), "100000|96000000");
  other.join();
  EXPECT_LE(idle_class().ticks, 1);
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

TEST(DuckInstance, SpillingLeavesAPartOfTheDiskFree) {
  constexpr uint64_t kGb = uint64_t{1} << 30;
  EXPECT_EQ(spill_limit(0, 100 * kGb, 0), 99 * kGb);
  EXPECT_EQ(spill_limit(50 * kGb, 50 * kGb, 0), 99 * kGb);
  EXPECT_EQ(spill_limit(0, 100 * kGb, 20 * kGb), 20 * kGb);
  EXPECT_EQ(spill_limit(15 * kGb, 3 * kGb, 20 * kGb), 17 * kGb);
  EXPECT_EQ(spill_limit(15 * kGb, kGb / 2, 20 * kGb), 15 * kGb);  // others have filled the disk
  EXPECT_EQ(spill_limit(25 * kGb, 50 * kGb, 20 * kGb), 25 * kGb);
  EXPECT_EQ(spill_limit(0, 1000, 0), 900u);
}

// A statement beyond a limit fails by itself: those beside it and after it do not.
TEST(DuckInstance, LimitsEndTheStatementThatExceedsThem) {
  const std::string directory =
      (std::filesystem::temp_directory_path() / ("omendb-limit-" + std::to_string(::getpid()))).string();
  auto database = table::Database::open({});
  ASSERT_TRUE(database.ok());
  const std::string large =
      "SELECT count(*), count(DISTINCT length(r)) FROM (SELECT md5(g::text) || md5((g + 1)::text) || md5((g * "
      "3)::text) || md5((-g)::text) AS r "
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
