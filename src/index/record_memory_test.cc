#include "index/record_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "index/test_seed.h"

namespace omendb::index {
namespace {

struct Block {
  unsigned char* at;
  size_t bytes;
  unsigned char mark;
};

Block make(std::mt19937_64& random) {
  const size_t bytes = random() % 50 == 0 ? 1 + random() % 3000 : 1 + random() % 96;
  Block block{static_cast<unsigned char*>(allocate_record(bytes)), bytes, static_cast<unsigned char>(random())};
  std::memset(block.at, block.mark, bytes);
  return block;
}

// How many bytes are no longer what was written.
size_t spoilt(const Block& block) {
  size_t n = 0;
  for (size_t i = 0; i < block.bytes; ++i) n += block.at[i] != block.mark;
  return n;
}

// Threads come and go, and blocks are given back by others than who took them: no two are ever in one place.
TEST(RecordMemory, BlocksPassBetweenThreadsThatEnd) {
  constexpr int kThreads = 4, kLives = 6, kSteps = 20000;
  const uint64_t seed = test_seed();
  std::mutex mutex;
  std::vector<Block> common;
  std::atomic<size_t> wrong{0};
  const auto live = [&](uint64_t number) {
    std::mt19937_64 random(seed + number);
    std::vector<Block> own;
    for (int step = 0; step < kSteps; ++step) {
      if (own.empty() || random() % 2 == 0) {
        own.push_back(make(random));
        continue;
      }
      std::swap(own[random() % own.size()], own.back());
      if (random() % 4 == 0) {  // for another's
        std::lock_guard lock(mutex);
        common.push_back(own.back());
        std::swap(common[random() % common.size()], common.back());
        own.back() = common.back();
        common.pop_back();
      }
      wrong += spoilt(own.back());
      free_record_memory(own.back().at, own.back().bytes);
      own.pop_back();
    }
    std::lock_guard lock(mutex);
    common.insert(common.end(), own.begin(), own.end());
  };
  for (int life = 0; life < kLives; ++life) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back(live, static_cast<uint64_t>(life * kThreads + t));
    for (std::thread& thread : threads) thread.join();
  }
  for (const Block& block : common) wrong += spoilt(block);
  EXPECT_EQ(wrong, 0u) << "seed " << seed;
  for (const Block& block : common) free_record_memory(block.at, block.bytes);
}

// What threads have at hand goes back when they end: those that follow find it.
TEST(RecordMemory, ThreadsThatEndLeaveNothing) {
  const auto live = [] {
    std::vector<std::pair<void*, size_t>> blocks;
    for (size_t bytes = 8; bytes <= 1024; bytes += 8) {
      for (int i = 0; i < 300; ++i) blocks.emplace_back(allocate_record(bytes), bytes);
    }
    for (const auto& [block, bytes] : blocks) free_record_memory(block, bytes);
  };
  const auto lives = [&](int n) {
    for (int i = 0; i < n; ++i) std::thread(live).join();
    return record_memory_used();
  };
  const size_t settled = lives(16);  // by then each shard has the slabs that stay with it
  EXPECT_LE(lives(64), settled + (size_t{1} << 20));
}

}  // namespace
}  // namespace omendb::index
