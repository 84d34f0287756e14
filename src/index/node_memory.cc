#include "index/node_memory.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/check.h"

namespace omendb::index {
namespace {

thread_local bool patient = false;

#if !defined(OMENDB_INDEX_PLAIN_MEMORY)

constexpr size_t kUnit = kNodeUnit;
constexpr uint32_t kUnits = kChunkBytes / kUnit;
constexpr uint32_t kBins = 128;  // blocks of 1 to 127 units, and in the last all that are larger
constexpr uint16_t kFree = 0x8000;
constexpr size_t kIdleChunks = 4;  // empty ones that are kept

// The first unit of a chunk names its table; tag[first] and tag[last] of each block hold its length, and
// kFree.
struct Table {
  uint16_t tag[kUnits];
};

struct FreeBlock {
  FreeBlock* next;
  FreeBlock* previous;
};

class Arena {
 public:
  void* allocate(size_t bytes) {
    const uint32_t units = static_cast<uint32_t>((bytes + kUnit - 1) / kUnit);
    CHECK(units > 0 && units < kBins);
    std::unique_lock lock(mutex_);
    uint32_t bin = first_bin(units);
    if (bin == kBins + 1) {
      add_chunk(lock);
      bin = first_bin(units);
    }
    char* block = reinterpret_cast<char*>(bins_[bin]);
    const uint32_t at = unit_of(block);
    Table& table = table_of(block);
    const uint32_t length = table.tag[at] & ~kFree;
    take(block, length);
    if (length > units) put(block + units * kUnit, length - units);
    mark(table, at, units, 0);
    used_ += units * kUnit;
    return block;
  }

  void release(void* node) {
    std::lock_guard lock(mutex_);
    char* block = static_cast<char*>(node);
    Table& table = table_of(block);
    uint32_t at = unit_of(block);
    uint32_t length = table.tag[at];
    CHECK(length > 0 && (length & kFree) == 0);
    used_ -= length * kUnit;
    if (at + length < kUnits && (table.tag[at + length] & kFree) != 0) {
      const uint32_t after = table.tag[at + length] & ~kFree;
      take(block + length * kUnit, after);
      length += after;
    }
    if (at > 1 && (table.tag[at - 1] & kFree) != 0) {
      const uint32_t before = table.tag[at - 1] & ~kFree;
      take(block - before * kUnit, before);
      block -= before * kUnit;
      length += before;
    }
    if (length == kUnits - 1 && idle_ >= kIdleChunks) {
      std::free(&table);
      munmap(block - kUnit, kChunkBytes);
      reserved_ -= kChunkBytes + sizeof(Table);
      return;
    }
    put(block, length);
  }

  void* allocate_whole() {
    std::unique_lock lock(mutex_);
    return next_chunk(lock);
  }

  NodeMemory memory() {
    std::lock_guard lock(mutex_);
    return {used_, reserved_};
  }

 private:
  static char* chunk_of(char* block) {
    return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(block) & ~(kChunkBytes - 1));
  }
  static Table& table_of(char* block) {
    Table* table;
    std::memcpy(&table, chunk_of(block), sizeof table);
    return *table;
  }
  static uint32_t unit_of(char* block) { return static_cast<uint32_t>((block - chunk_of(block)) / kUnit); }
  static void mark(Table& table, uint32_t at, uint32_t length, uint16_t flag) {
    table.tag[at] = table.tag[at + length - 1] = static_cast<uint16_t>(length | flag);
  }

  // The smallest bin whose blocks are all large enough, or kBins + 1.
  uint32_t first_bin(uint32_t units) const {
    for (uint32_t word = units / 64; word < filled_.size(); ++word) {
      uint64_t bits = filled_[word];
      if (word == units / 64) bits &= ~uint64_t{0} << (units % 64);
      if (bits != 0) return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
    }
    return kBins + 1;
  }

  void put(char* block, uint32_t length) {
    mark(table_of(block), unit_of(block), length, kFree);
    const uint32_t bin = length < kBins ? length : kBins;
    FreeBlock* entry = reinterpret_cast<FreeBlock*>(block);
    entry->next = bins_[bin];
    entry->previous = nullptr;
    if (bins_[bin] != nullptr) bins_[bin]->previous = entry;
    bins_[bin] = entry;
    filled_[bin / 64] |= uint64_t{1} << (bin % 64);
    idle_ += length == kUnits - 1;
  }

  void take(char* block, uint32_t length) {
    const uint32_t bin = length < kBins ? length : kBins;
    FreeBlock* entry = reinterpret_cast<FreeBlock*>(block);
    if (entry->previous != nullptr) {
      entry->previous->next = entry->next;
    } else {
      bins_[bin] = entry->next;
      if (entry->next == nullptr) filled_[bin / 64] &= ~(uint64_t{1} << (bin % 64));
    }
    if (entry->next != nullptr) entry->next->previous = entry->previous;
    idle_ -= length == kUnits - 1;
  }

  static char* map_chunk(bool huge) {
    char* raw = static_cast<char*>(
        mmap(nullptr, 2 * kChunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    CHECK(raw != MAP_FAILED);
    char* chunk = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kChunkBytes - 1) & ~(kChunkBytes - 1));
    if (chunk > raw) munmap(raw, static_cast<size_t>(chunk - raw));
    const size_t behind = static_cast<size_t>(raw + 2 * kChunkBytes - (chunk + kChunkBytes));
    if (behind > 0) munmap(chunk + kChunkBytes, behind);
    if (huge) {
      madvise(chunk, kChunkBytes, MADV_HUGEPAGE);  // where it is refused, small pages do
      chunk[0] = 0;
    }
    return chunk;
  }

  char* next_chunk(std::unique_lock<std::mutex>& lock) {
    char* chunk = spare_;
    spare_ = nullptr;
    const bool first = reserved_ == 0;
    if (chunk == nullptr) {
      const bool huge = patient;
      lock.unlock();
      chunk = map_chunk(huge);
      lock.lock();
    }
    if (!first) {  // it grows: have the next one ready
      if (!helped_) {
        helped_ = true;
        std::thread([this] { help(); }).detach();
      }
      wanted_.notify_one();
    }
    return chunk;
  }

  void add_chunk(std::unique_lock<std::mutex>& lock) {
    char* chunk = next_chunk(lock);
    Table* table = static_cast<Table*>(std::calloc(1, sizeof(Table)));
    CHECK(table != nullptr);
    std::memcpy(chunk, &table, sizeof table);
    table->tag[0] = 1;
    reserved_ += kChunkBytes + sizeof(Table);
    put(chunk + kUnit, kUnits - 1);
  }

  [[noreturn]] void help() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (spare_ != nullptr) wanted_.wait(lock);
      lock.unlock();
      char* chunk = map_chunk(true);
      lock.lock();
      spare_ = chunk;
    }
  }

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::array<FreeBlock*, kBins + 1> bins_{};
  std::array<uint64_t, kBins / 64 + 1> filled_{};
  size_t used_ = 0, reserved_ = 0, idle_ = 0;
  char* spare_ = nullptr;
  bool helped_ = false;
};

// Never destroyed: memory is given back by epochs after static destructors, and the helper waits on it.
Arena& arena() {
  static Arena* a = new Arena;
  return *a;
}

#endif

}  // namespace

PatientAllocation::PatientAllocation() : before_(patient) { patient = true; }
PatientAllocation::~PatientAllocation() { patient = before_; }

#if defined(OMENDB_INDEX_PLAIN_MEMORY)

// Sanitizers watch malloc.
void* allocate_node(size_t bytes) {
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  CHECK(memory != nullptr);
  return memory;
}
void free_node(void* node) { std::free(node); }
NodeMemory node_memory() { return {}; }

#else

void* allocate_node(size_t bytes) { return arena().allocate(bytes); }
void free_node(void* node) { arena().release(node); }
NodeMemory node_memory() { return arena().memory(); }
void* allocate_chunk() { return arena().allocate_whole(); }
void free_chunk(void* chunk) { munmap(chunk, kChunkBytes); }

#endif

}  // namespace omendb::index
