#include "index/record_memory.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include "base/check.h"
#include "index/node_memory.h"

namespace omendb::index {

#if defined(OMENDB_INDEX_PLAIN_MEMORY)

void* allocate_record(size_t bytes) {
  void* memory = std::malloc(bytes);
  CHECK(memory != nullptr);
  return memory;
}
void free_record_memory(void* record, size_t) { std::free(record); }
void (*record_destroyer(size_t))(void*) { return std::free; }
size_t record_memory_used() { return 0; }

#else

namespace {

constexpr size_t kSlabBytes = 16 << 10;
constexpr uint32_t kSlabs = kChunkBytes / kSlabBytes;  // of a chunk; the first holds the table of the others
constexpr size_t kLargest = 1024;                      // more is malloc's
constexpr size_t kClasses = kLargest / 8;
constexpr size_t kShards = 16;

struct FreeBlock {
  FreeBlock* next;
};

/// A slab's line in its chunk's table. Slabs' own first lines would all fall into the same few sets of a cache.
struct alignas(64) Slab {
  Slab *next, *previous;  // of the slabs that are free, or of those of its class and shard with room
  FreeBlock* free;
  uint32_t used;   // blocks handed out; of a chunk's first: slabs
  uint32_t fresh;  // where the blocks begin that were never handed out
  uint32_t block;  // their size
  uint32_t shard;

  bool full() const { return free == nullptr && fresh + block > kSlabBytes; }
};
static_assert(kSlabs * sizeof(Slab) <= kSlabBytes);

Slab* chunk_of(void* place) {
  return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(place) & ~(kChunkBytes - 1));
}
char* memory_of(Slab* slab) {
  Slab* chunk = chunk_of(slab);
  return reinterpret_cast<char*>(chunk) + static_cast<size_t>(slab - chunk) * kSlabBytes;
}
Slab* slab_of(void* block) {
  Slab* chunk = chunk_of(block);
  return chunk + static_cast<size_t>(static_cast<char*>(block) - reinterpret_cast<char*>(chunk)) / kSlabBytes;
}

void link(Slab** head, Slab* slab) {
  slab->next = *head;
  slab->previous = nullptr;
  if (*head != nullptr) (*head)->previous = slab;
  *head = slab;
}

void unlink(Slab** head, Slab* slab) {
  (slab->previous != nullptr ? slab->previous->next : *head) = slab->next;
  if (slab->next != nullptr) slab->next->previous = slab->previous;
}

/// The free slabs of all chunks. One chunk may stand empty.
class Pool {
 public:
  Slab* take() {
    std::lock_guard lock(mutex_);
    if (free_ == nullptr) add_chunk();
    Slab* slab = free_;
    unlink(&free_, slab);
    if (chunk_of(slab)->used++ == 0) --idle_;
    used_.fetch_add(kSlabBytes, std::memory_order_relaxed);
    return slab;
  }
  void give(Slab* slab) {
    std::lock_guard lock(mutex_);
    used_.fetch_sub(kSlabBytes, std::memory_order_relaxed);
    link(&free_, slab);
    Slab* chunk = chunk_of(slab);
    if (--chunk->used > 0) return;
    if (idle_ == 0) {
      ++idle_;
      return;
    }
    for (uint32_t i = 1; i < kSlabs; ++i) unlink(&free_, chunk + i);
    free_chunk(chunk);
  }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  void add_chunk() {
    auto* chunk = static_cast<Slab*>(allocate_chunk());
    new (chunk) Slab{};
    for (uint32_t i = kSlabs - 1; i > 0; --i) link(&free_, new (chunk + i) Slab{});
    ++idle_;
  }

  std::mutex mutex_;
  Slab* free_ = nullptr;
  uint32_t idle_ = 0;  // chunks without a slab in use
  std::atomic<size_t> used_{0};
};

struct alignas(64) Shard {
  std::mutex mutex;
  std::array<Slab*, kClasses> room{};
};

struct Memory {
  Pool pool;
  std::array<Shard, kShards> shards;
};

// Never destroyed: memory is given back by epochs after static destructors.
Memory& memory() {
  static Memory* m = new Memory;
  return *m;
}

uint32_t own_shard() {
  static std::atomic<uint32_t> threads{0};
  static thread_local const uint32_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
  return mine;
}

}  // namespace

void* allocate_record(size_t bytes) {
  if (bytes > kLargest) {
    void* large = std::malloc(bytes);
    CHECK(large != nullptr);
    return large;
  }
  const size_t size = record_memory_bytes(bytes);
  Memory& m = memory();
  const uint32_t number = own_shard();
  Shard& shard = m.shards[number];
  std::lock_guard lock(shard.mutex);
  Slab*& room = shard.room[size / 8 - 1];
  if (room == nullptr) {
    Slab* slab = m.pool.take();
    slab->free = nullptr;
    slab->used = slab->fresh = 0;
    slab->block = static_cast<uint32_t>(size);
    slab->shard = number;
    link(&room, slab);
  }
  Slab* slab = room;
  void* block = slab->free;
  if (block != nullptr) {
    slab->free = slab->free->next;
  } else {
    block = memory_of(slab) + slab->fresh;
    slab->fresh += slab->block;
  }
  ++slab->used;
  if (slab->full()) unlink(&room, slab);
  return block;
}

void free_record_memory(void* record, size_t bytes) {
  if (bytes > kLargest) return std::free(record);
  Memory& m = memory();
  Slab* slab = slab_of(record);
  Shard& shard = m.shards[slab->shard];
  std::lock_guard lock(shard.mutex);
  Slab*& room = shard.room[slab->block / 8 - 1];
  if (slab->full()) link(&room, slab);
  auto* block = static_cast<FreeBlock*>(record);
  block->next = slab->free;
  slab->free = block;
  if (--slab->used > 0 || (slab->next == nullptr && slab->previous == nullptr)) return;  // the last with room stays
  unlink(&room, slab);
  m.pool.give(slab);
}

void (*record_destroyer(size_t bytes))(void*) {
  if (bytes > kLargest) return std::free;
  return [](void* record) { free_record_memory(record, 1); };
}

size_t record_memory_used() { return memory().pool.used(); }

#endif

}  // namespace omendb::index
