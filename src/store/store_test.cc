#include "store/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace omendb::store {
namespace {

class StoreTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) return;
    std::string pattern = (std::filesystem::temp_directory_path() / "omendb-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    store_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  void open() {
    store_.reset();
    Options options;
    options.directory = directory_;
    options.block_cache_bytes = 4 << 20;
    options.write_buffer_bytes = 4 << 20;
    auto opened = Store::open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    store_ = std::move(*opened);
  }
  std::string all() {
    auto it = store_->iterate({});
    std::string out;
    for (it->seek(""); it->valid(); it->next()) out += std::string(it->key()) + "=" + std::string(it->value()) + " ";
    return out;
  }
  std::string directory_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "disk" : "memory"; });

TEST_P(StoreTest, BatchesApplyInOrder) {
  open();
  Batch batch;
  batch.put("a", "1");
  batch.put("b", "c", "2", "3");
  batch.put("a", "4");
  batch.put("z", "9");
  batch.erase("z");
  ASSERT_TRUE(store_->write(batch, Sync::kYes).ok());
  EXPECT_EQ(all(), "a=4 bc=23 ");
  std::string value;
  EXPECT_TRUE(*store_->get("bc", &value));
  EXPECT_EQ(value, "23");
  EXPECT_FALSE(*store_->get("z", &value));
}

TEST_P(StoreTest, IteratorsStayInTheirBoundsAndTheirTime) {
  open();
  Batch batch;
  for (const char* key : {"a", "b", "c", "d"}) batch.put(key, key);
  ASSERT_TRUE(store_->write(batch, Sync::kNo).ok());
  IterateOptions options;
  options.lower = "b";
  options.upper = "d";
  auto it = store_->iterate(options);
  Batch later;
  later.put("bb", "new");
  ASSERT_TRUE(store_->write(later, Sync::kNo).ok());
  std::string seen;
  for (it->seek("a"); it->valid(); it->next()) seen += it->key();
  EXPECT_EQ(seen, "bc");
  it->seek_to_last();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), "c");
  it->seek_for_prev("bzz");
  EXPECT_EQ(it->key(), "b");
}

TEST_P(StoreTest, SortedFilesArriveAsAWhole) {
  open();
  auto file = store_->new_sorted_file();
  ASSERT_TRUE(file.ok());
  for (const char* key : {"k1", "k2", "k3"}) ASSERT_TRUE((*file)->add(key, "v").ok());
  EXPECT_EQ(all(), "");
  std::vector<std::unique_ptr<SortedFile>> files;
  files.push_back(std::move(*file));
  ASSERT_TRUE(store_->ingest(std::move(files)).ok());
  EXPECT_EQ(all(), "k1=v k2=v k3=v ");
  auto dropped = store_->new_sorted_file();
  ASSERT_TRUE((*dropped)->add("k4", "v").ok());
  dropped->reset();
  EXPECT_EQ(all(), "k1=v k2=v k3=v ");
  ASSERT_TRUE(store_->drop_range("k1", "k3").ok());
  EXPECT_EQ(all(), "k3=v ");
}

TEST_P(StoreTest, IteratorsOfOnePrefixSeeAllOfIt) {
  open();
  // In two files and in memory, and neighbours that begin alike.
  const auto put = [&](std::string_view prefix, int number) {
    Batch batch;
    batch.put(prefix, std::to_string(10000000 + number), "v", "");
    ASSERT_TRUE(store_->write(batch, Sync::kNo).ok());
  };
  for (int number = 0; number < 90; ++number) {
    put("one", number), put("three", number);
    if (number == 30 || number == 60) {
      ASSERT_TRUE(store_->flush().ok());
    }
    if (number == 30) {
      ASSERT_TRUE(store_->compact("", "").ok());
    }
    if (number == 59) put("on", number), put("one-more", number);
  }
  const auto count = [&](const std::string& prefix, int from) {
    IterateOptions options;
    options.one_prefix = true;
    auto it = store_->iterate(options);
    int found = 0;
    for (it->seek(prefix + std::to_string(10000000 + from)); it->valid(); it->next()) {
      EXPECT_EQ(it->key().substr(0, it->key().size() - 8), prefix);
      ++found;
    }
    EXPECT_TRUE(it->status().ok());
    return found;
  };
  EXPECT_EQ(count("one", 0), 90);
  EXPECT_EQ(count("one", 45), 45);
  EXPECT_EQ(count("three", 89), 1);
  EXPECT_EQ(count("on", 0), 1);
  EXPECT_EQ(count("one-more", 59), 1);
  EXPECT_EQ(count("two", 0), 0);
}

TEST_P(StoreTest, ReopeningFindsSyncedWrites) {
  if (!GetParam()) GTEST_SKIP() << "memory forgets";
  open();
  Batch batch;
  batch.put("a", "1");
  ASSERT_TRUE(store_->write(batch, Sync::kYes).ok());
  open();
  EXPECT_EQ(all(), "a=1 ");
  store_.reset();
  std::ofstream(directory_ + "/FORMAT") << "omendb 99\n";
  Options options;
  options.directory = directory_;
  auto refused = Store::open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.status().is(SqlState::kDataCorrupted));
}

TEST_P(StoreTest, ReserveKeepsAFullDiskFromHappening) {
  if (!GetParam()) GTEST_SKIP() << "no disk";
  Options options;
  options.directory = directory_;
  options.reserve_bytes = uint64_t{1} << 60;
  auto store = Store::open(options);
  ASSERT_TRUE(store.ok());
  Batch batch;
  batch.put("a", "1");
  EXPECT_TRUE((*store)->write(batch, Sync::kYes).is(SqlState::kDiskFull));
  std::string value;
  EXPECT_FALSE(*(*store)->get("a", &value));
  EXPECT_FALSE((*store)->failed());
}

TEST_P(StoreTest, CheckpointsAreWholeStores) {
  if (!GetParam()) GTEST_SKIP() << "no disk";
  open();
  Batch batch;
  batch.put("a", "1");
  ASSERT_TRUE(store_->write(batch, Sync::kYes).ok());
  const std::string copy = directory_ + "-copy";
  std::filesystem::create_directories(copy);
  ASSERT_TRUE(store_->checkpoint(copy).ok());
  Options options;
  options.directory = copy;
  auto opened = Store::open(options);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  std::string value;
  EXPECT_TRUE(*(*opened)->get("a", &value));
  opened->reset();
  std::filesystem::remove_all(copy);
}

}  // namespace
}  // namespace omendb::store
