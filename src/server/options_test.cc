#include "server/options.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "server/data_directory.h"

namespace omendb::server {
namespace {

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() / ("omendb-options-" + std::to_string(::getpid()) + "-" + name))
      .string();
}

TEST(Options, SizesAndDurations) {
  EXPECT_EQ(*parse_bytes("4GB"), 4ull << 30);
  EXPECT_EQ(*parse_bytes("512 mb"), 512ull << 20);
  EXPECT_EQ(*parse_bytes("100"), 100u);
  EXPECT_FALSE(parse_bytes("4 elephants").ok());
  EXPECT_FALSE(parse_bytes("").ok());
  EXPECT_EQ(*parse_duration_ms("60s"), 60'000);
  EXPECT_EQ(*parse_duration_ms("5"), 5'000);
  EXPECT_EQ(*parse_duration_ms("250ms"), 250);
  EXPECT_FALSE(parse_duration_ms("soon").ok());
}

TEST(Options, TheBudgetIsNotSpentTwice) {
  for (size_t gigabytes : {1, 4, 64}) {
    MemoryBudget budget = divide_memory(gigabytes << 30);
    EXPECT_LE(budget.block_cache + budget.row_cache + budget.index + budget.write_buffers + budget.write_set +
                  budget.analytics,
              budget.total);
  }
}

TEST(Options, ArgumentsWinOverTheFileAndUnknownSettingsAreRefused) {
  std::string path = temporary("config.toml");
  std::ofstream(path) << "data_dir = \"/a\"\npg_listen = \"127.0.0.1:1\"\nmax_connections = 7\nmemory = "
                         "\"1GB\"\ntemp_limit = \"2GB\"\nanalytics_threads = 3\nanalytics_priority = \"normal\"\n";
  StartArguments arguments;
  arguments.config_file = path;
  arguments.pg_listen = "[::1]:2";
  auto options = resolve(arguments);
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->data_directory, "/a");
  EXPECT_EQ(options->server.pg_address, "::1");
  EXPECT_EQ(options->server.pg_port, 2);
  EXPECT_EQ(options->server.max_connections, 7u);
  EXPECT_EQ(options->memory.total, 1ull << 30);
  EXPECT_EQ(options->temp_limit, 2ull << 30);
  EXPECT_EQ(options->analytics_threads, 3);
  EXPECT_FALSE(options->analytics_stand_back);
  std::ofstream(path) << "data_dirr = \"/a\"\n";
  EXPECT_EQ(resolve(arguments).status().message(), path + ": unknown setting \"data_dirr\"");
  std::ofstream(path) << "data_dir = \n";
  EXPECT_FALSE(resolve(arguments).ok());
  std::filesystem::remove(path);
  EXPECT_FALSE(resolve(arguments).ok());
  EXPECT_EQ(resolve({}).status().code(), SqlState::kConfigFileError);
  EXPECT_EQ(resolve({.data_directory = "/a", .pg_listen = "nowhere"}).status().message(),
            "--pg-listen: \"nowhere\" is not ADDRESS:PORT");
}

TEST(DataDirectory, BelongsToOneAtATime) {
  std::string path = temporary("data");
  {
    auto first = DataDirectory::acquire(path, true);
    ASSERT_TRUE(first.ok()) << first.status().message();
    auto second = DataDirectory::acquire(path, true);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.status().message(),
              "data directory \"" + path + "\" is in use by another process (pid " + std::to_string(::getpid()) + ")");
  }
  EXPECT_TRUE(DataDirectory::acquire(path, false).ok());
  std::filesystem::remove_all(path);
  EXPECT_EQ(DataDirectory::acquire(path, false).status().code(), SqlState::kUndefinedFile);
}

}  // namespace
}  // namespace omendb::server
