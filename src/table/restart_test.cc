// The learned index across restarts: restored from its checkpoint and what came since, rebuilt where that cannot be; never wrong.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "table/database_impl.h"
#include "table/testing.h"

namespace omendb::table {
namespace {

using testing::Fixture;
using testing::TableSpec;
using testing::TemporaryDirectory;

constexpr int64_t kRows = 12'000;

DatabaseOptions small(const std::string& directory) {
  DatabaseOptions options;
  options.directory = directory;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 4 << 20;
  options.write_set_bytes = 256 << 10;
  options.row_cache_bytes = 1 << 20;
  options.sync_commits = false;
  return options;
}

uint64_t statistic(Database& database, const std::string& name) {
  for (const auto& [known, value] : database.statistics()) {
    if (known == name) return value;
  }
  ADD_FAILURE() << "no statistic " << name;
  return 0;
}

void load(Fixture& f, int64_t rows) {
  auto t = f.begin();
  for (int64_t id = 0; id < rows; ++id) ASSERT_TRUE(f.insert(*t, id, id).ok());
  ASSERT_TRUE(f.database->commit(*t).ok());
}

/// Index and rows agree, and so do uniqueness checks, which ask the index alone.
void expect_sound(Fixture& f, int64_t ids) {
  const Status s = f.database->verify();
  ASSERT_TRUE(s.ok()) << s.message();
  auto t = f.begin();
  for (int64_t id = 0; id < ids; id += 7) {
    const bool there = f.get(*t, id).has_value();
    auto probe = f.begin();
    const Status inserted = f.insert(*probe, id);
    ASSERT_EQ(inserted.is(SqlState::kUniqueViolation), there) << id;
    ASSERT_EQ(inserted.ok(), !there) << id;
    f.database->rollback(*probe);
  }
}

std::filesystem::path only_file(const std::string& folder) {
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_TRUE(found.empty()) << "more than one checkpoint";
    found = entry.path();
  }
  EXPECT_FALSE(found.empty());
  return found;
}

TEST(Restart, TheCheckpointIsEnoughAfterACleanStop) {
  TemporaryDirectory directory;
  Fixture f(small(directory.path() + "/data"));
  load(f, kRows);
  f.reopen();
  EXPECT_EQ(statistic(*f.database, "index_restored"), 1u);
  expect_sound(f, kRows + 100);
  // Nothing changed: nothing is written again.
  f.reopen();
  f.reopen();
  EXPECT_EQ(statistic(*f.database, "index_restored"), 1u);
  EXPECT_EQ(statistic(*f.database, "index_checkpoints_written"), 0u);
  expect_sound(f, kRows + 100);
}

TEST(Restart, AnUnbelievableCheckpointIsRebuilt) {
  TemporaryDirectory directory;
  const std::string data = directory.path() + "/data";
  Fixture f(small(data));
  load(f, kRows);
  f.reopen();
  std::string bytes;
  std::mt19937_64 random(9);
  // A rebuilt directory counts as changed, so each stop writes a sound file again.
  for (int i = 0; i < 8; ++i) {
    const size_t at = i < 4 ? random() % 60 : random() % (140 << 10);
    SCOPED_TRACE("byte " + std::to_string(at));
    f.reopen();
    const auto now = only_file(data + "/index");
    std::ifstream in(now, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
    in.close();
    f.database.reset();
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    std::ofstream(now, std::ios::binary | std::ios::trunc) << bytes;
    f.open();
    f.find("t");
    EXPECT_EQ(statistic(*f.database, "index_rebuilt"), 1u);
    expect_sound(f, kRows + 100);
  }
  f.reopen();
  f.database.reset();
  std::filesystem::resize_file(only_file(data + "/index"), 1000);
  f.open();
  f.find("t");
  EXPECT_EQ(statistic(*f.database, "index_rebuilt"), 1u);
  expect_sound(f, kRows + 100);
  f.reopen();
  f.database.reset();
  std::filesystem::remove_all(data + "/index");
  f.open();
  f.find("t");
  EXPECT_EQ(statistic(*f.database, "index_rebuilt"), 1u);
  expect_sound(f, kRows + 100);
}

TEST(Restart, ACheckpointOfAnotherTimeIsNotRead) {
  TemporaryDirectory directory;
  const std::string data = directory.path() + "/data", aside = directory.path() + "/aside";
  Fixture f(small(data));
  load(f, kRows);
  f.reopen();
  std::filesystem::copy(data + "/index", aside);
  {
    auto t = f.begin();
    for (int64_t id = 0; id < kRows; id += 3) ASSERT_TRUE(f.erase(*t, id).ok());
    for (int64_t id = kRows; id < kRows + 500; ++id) ASSERT_TRUE(f.insert(*t, id).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  f.reopen();
  const auto now = only_file(data + "/index");
  f.database.reset();
  // Under its own name nobody asks for it; under the name that counts it tells of another id.
  std::filesystem::copy(aside, data + "/index", std::filesystem::copy_options::skip_existing);
  f.open();
  f.find("t");
  EXPECT_EQ(statistic(*f.database, "index_restored"), 1u);
  expect_sound(f, kRows + 600);
  EXPECT_EQ(only_file(data + "/index"), now);
  f.database.reset();
  std::filesystem::copy_file(only_file(aside), now, std::filesystem::copy_options::overwrite_existing);
  f.open();
  f.find("t");
  EXPECT_EQ(statistic(*f.database, "index_rebuilt"), 1u);
  expect_sound(f, kRows + 600);
}

TEST(Restart, KeysThatLeftTheStoreSinceTheCheckpointAreNotThere) {
  TemporaryDirectory directory;
  const std::string data = directory.path() + "/data", copy = directory.path() + "/copy";
  DatabaseOptions options = small(data);
  options.write_set_bytes = 64 << 20;  // tombstones that spill are swept much later
  Fixture f(options);
  load(f, kRows);
  auto& database = static_cast<DatabaseImpl&>(*f.database);
  database.checkpoint_directories(true);
  {
    auto t = f.begin();
    for (int64_t id = 0; id < 700; ++id) ASSERT_TRUE(f.erase(*t, id).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  for (int i = 0; i < 1000 && statistic(database, "dead_keys_removed") < 700; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(statistic(database, "dead_keys_removed"), 700u);
  {
    auto t = f.begin();
    for (int64_t id = 0; id < 100; ++id) ASSERT_TRUE(f.insert(*t, id).ok());
    ASSERT_TRUE(f.database->commit(*t).ok());
  }
  // What a crash at this moment would leave.
  std::filesystem::copy(data, copy, std::filesystem::copy_options::recursive);
  Fixture left = Fixture::existing(small(copy));
  EXPECT_EQ(statistic(*left.database, "index_restored"), 1u);
  expect_sound(left, kRows);
  auto t = left.begin();
  EXPECT_EQ(left.all(*t).size(), static_cast<size_t>(kRows - 600));
}

// The database that a killed one left: everything that a checkpoint can meet happens to it, at any moment.
TEST(Restart, DISABLED_Child) {
  const char* words = std::getenv("OMENDB_TEST_RESTART");
  if (words == nullptr) GTEST_SKIP() << "started by the kill test only";
  const std::string text(words);
  const size_t bar = text.find('|');
  auto opened = Database::open(small(text.substr(0, bar)));
  if (!opened.ok()) ::_exit(3);
  Database& database = **opened;
  std::mt19937_64 random(std::strtoull(text.c_str() + bar + 1, nullptr, 10));
  std::thread checkpoints([&] {
    for (;;) {
      static_cast<DatabaseImpl&>(database).checkpoint_directories(true);
      ::usleep(400'000);  // so that keys leave the store between two checkpoints
    }
  });
  auto lookup = database.begin(txn::Isolation::kReadCommitted, false);
  database.begin_statement(*lookup);
  const auto catalog = database.catalog(*lookup);
  const TableAccess access(*catalog,
                           *catalog->find<catalog::Table>(catalog->find_relation(catalog::oid::kPublicSchema, "t")));
  database.rollback(*lookup);
  codec::RowBuilder builder(access.layout());
  for (;;) {
    auto t = database.begin(txn::Isolation::kReadCommitted, false);
    database.begin_statement(*t);
    const int writes = random() % 20 == 0 ? 4000 : static_cast<int>(1 + random() % 30);  // the large ones spill
    for (int i = 0; i < writes; ++i) {
      const auto id = static_cast<int64_t>(random() % (kRows + 3000));
      std::string key, row;
      if (!codec::append_key(access.key_columns()[0], types::ValueView::of_integer(id), &key).ok()) ::_exit(4);
      auto found = database.get(*t, access, key, &row);
      if (!found.ok()) ::_exit(5);
      builder.reset();
      builder.set(0, types::ValueView::of_integer(id));
      builder.set(1, types::ValueView::of_integer(static_cast<int64_t>(random() % 1000)));
      if (!*found) {
        if (!database.insert(*t, access, builder.finish(), nullptr, false).ok()) ::_exit(6);
      } else {
        auto locked = database.lock_row(*t, access, key, RowLockMode::kUpdate, LockWait::kWait);
        if (!locked.ok()) ::_exit(7);
        const Status s = random() % 3 == 0 ? database.erase(*t, access, key, locked->row)
                                           : database.update(*t, access, key, locked->row, builder.finish());
        if (!s.ok()) ::_exit(8);
      }
      database.begin_statement(*t);
    }
    if (random() % 10 == 0) {
      database.rollback(*t);
    } else if (!database.commit(*t).ok()) {
      ::_exit(9);
    }
  }
}

TEST(Restart, KilledAtAnyMomentTheIndexIsRight) {
  TemporaryDirectory directory;
  const std::string data = directory.path() + "/data";
  {
    Fixture f(small(data));
    load(f, kRows);
  }
  std::mt19937_64 random(std::random_device{}());
  uint64_t restored = 0;
  for (int round = 0; round < 5; ++round) {
    const uint64_t seed = random();
    SCOPED_TRACE("seed " + std::to_string(seed));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // A new image: the threads of the store's engine do not survive a fork.
      ::setenv("OMENDB_TEST_RESTART", (data + "|" + std::to_string(seed)).c_str(), 1);
      ::execl("/proc/self/exe", "restart_child", "--gtest_filter=Restart.DISABLED_Child",
              "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
      ::_exit(10);
    }
    ::usleep(static_cast<useconds_t>(400'000 + random() % 1'200'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    Fixture f = Fixture::existing(small(data));
    restored += statistic(*f.database, "index_restored");
    expect_sound(f, kRows + 3100);
    // What a rewrite of all files makes of it: traces of keys that have left the store go.
    f.reopen();
    expect_sound(f, kRows + 3100);
  }
  EXPECT_GT(restored, 2u);
}

}  // namespace
}  // namespace omendb::table
