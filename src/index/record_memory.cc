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

/// A slab's line in its chunk's table. Slabs' own first lines would all fall into the same few sets of a
/// cache.
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

Slab* chunk_of(void* place) { return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(place) & ~(kChunkBytes - 1)); }
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

// Requires the shard's lock.
void* take_block(Memory& m, uint32_t number, size_t size) {
  Slab*& room = m.shards[number].room[size / 8 - 1];
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

// Requires the lock of the slab's shard.
void give_block(Memory& m, Slab* slab, void* record) {
  Slab*& room = m.shards[slab->shard].room[slab->block / 8 - 1];
  if (slab->full()) link(&room, slab);
  auto* block = static_cast<FreeBlock*>(record);
  block->next = slab->free;
  slab->free = block;
  if (--slab->used > 0 || (slab->next == nullptr && slab->previous == nullptr)) return;  // the last with room stays
  unlink(&room, slab);
  m.pool.give(slab);
}

/// Blocks that a thread has at hand: a lock is two instructions that wait for everything written before, and
/// what is written here is new memory, so an insert would wait for it twice. One lock for kBatchBytes.
class Hand {
 public:
  ~Hand();
  void* take(size_t size) {
    Stack& stack = stacks_[size / 8 - 1];
    if (stack.top == nullptr) fill(stack, size);
    FreeBlock* block = stack.top;
    stack.top = block->next;
    --stack.n;
    return block;
  }
  void give(void* record, size_t size) {
    Stack& stack = stacks_[size / 8 - 1];
    stack.push(record);
    if (stack.n >= 2 * batch(size)) empty(stack, batch(size));
  }

 private:
  struct Stack {
    FreeBlock* top = nullptr;
    uint32_t n = 0;
    void push(void* record) {
      auto* block = static_cast<FreeBlock*>(record);
      block->next = top;
      top = block;
      ++n;
    }
  };
  static constexpr size_t kBatchBytes = 1024;
  static constexpr uint32_t batch(size_t size) {
    return size >= kBatchBytes / 2 ? 1 : static_cast<uint32_t>(kBatchBytes / size);
  }

  static void fill(Stack& stack, size_t size) {
    void* taken[kBatchBytes / 8];
    const uint32_t n = batch(size), number = own_shard();
    Memory& m = memory();
    {
      std::lock_guard lock(m.shards[number].mutex);
      for (uint32_t i = 0; i < n; ++i) taken[i] = take_block(m, number, size);
    }
    for (uint32_t i = n; i > 0; --i) stack.push(taken[i - 1]);  // so that they are handed out as they lie
  }
  static void empty(Stack& stack, uint32_t n) {
    Memory& m = memory();
    while (n > 0) {
      Shard& shard = m.shards[slab_of(stack.top)->shard];
      std::lock_guard lock(shard.mutex);
      for (; n > 0; --n) {
        FreeBlock* block = stack.top;
        Slab* slab = slab_of(block);
        if (&m.shards[slab->shard] != &shard) break;
        stack.top = block->next;
        --stack.n;
        give_block(m, slab, block);
      }
    }
  }

  std::array<Stack, kClasses> stacks_{};
};

// Null: none yet, or none any more, for the thread is ending.
constinit thread_local Hand* own_hand = nullptr;
constinit thread_local bool hand_is_gone = false;

Hand::~Hand() {
  own_hand = nullptr;
  hand_is_gone = true;
  for (Stack& stack : stacks_) empty(stack, stack.n);
}

[[gnu::noinline]] Hand* first_hand() {
  if (hand_is_gone) return nullptr;
  static thread_local Hand hand;
  return own_hand = &hand;
}
Hand* hand() { return own_hand != nullptr ? own_hand : first_hand(); }

}  // namespace

void* allocate_record(size_t bytes) {
  if (bytes > kLargest) {
    void* large = std::malloc(bytes);
    CHECK(large != nullptr);
    return large;
  }
  const size_t size = record_memory_bytes(bytes);
  if (Hand* own = hand()) [[likely]]
    return own->take(size);
  Memory& m = memory();
  const uint32_t number = own_shard();
  std::lock_guard lock(m.shards[number].mutex);
  return take_block(m, number, size);
}

void free_record_memory(void* record, size_t bytes) {
  if (bytes > kLargest) return std::free(record);
  Slab* slab = slab_of(record);
  if (Hand* own = hand()) [[likely]]
    return own->give(record, slab->block);
  Memory& m = memory();
  std::lock_guard lock(m.shards[slab->shard].mutex);
  give_block(m, slab, record);
}

void (*record_destroyer(size_t bytes))(void*) {
  if (bytes > kLargest) return std::free;
  return [](void* record) { free_record_memory(record, 1); };
}

size_t record_memory_used() { return memory().pool.used(); }

#endif

}  // namespace omendb::index
