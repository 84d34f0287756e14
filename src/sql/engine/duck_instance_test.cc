#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sql/engine/testing.h"

namespace omendb::sql {
namespace {

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

}  // namespace
}  // namespace omendb::sql
