// What a transaction has written and nobody else sees yet, ordered as the store is.
//
// Each key has a chain of versions, newest first, by command number. A reader of command c takes the first version with a
// smaller number. Every write has a place in the sequence of writes (a mark), so that rollback_to undoes in reverse.
//
// When the set outgrows its bound, the transaction moves it to the store as loads (txn/transaction.h, spill) and
// clears it; the marks go on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "base/strong_id.h"

namespace omendb::txn {

/// Memory that is given back all at once.
class Arena {
 public:
  void* allocate(size_t bytes);
  std::string_view copy(std::string_view text);
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kBlock = 256 << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

template <class T>
struct ArenaAllocator {
  using value_type = T;
  Arena* arena;
  explicit ArenaAllocator(Arena* a) : arena(a) {}
  template <class U>
  ArenaAllocator(const ArenaAllocator<U>& other) : arena(other.arena) {}
  T* allocate(size_t n) { return static_cast<T*>(arena->allocate(n * sizeof(T))); }
  void deallocate(T*, size_t) {}
  template <class U>
  bool operator==(const ArenaAllocator<U>& other) const {
    return arena == other.arena;
  }
};

/// Thread: one writes; while nobody writes, any number read.
class WriteSet {
 public:
  struct Version {
    Version* older;
    uint64_t mark;
    uint32_t command;
    bool tombstone;
    std::string_view row;
  };
  struct Entry {
    Version* newest = nullptr;  // null: everything was rolled back
    /// The newest version that a statement with this command number sees; null: none.
    const Version* visible(uint32_t command) const {
      const Version* v = newest;
      while (v != nullptr && v->command >= command) v = v->older;
      return v;
    }
  };
  using Map = std::map<std::string_view, Entry, std::less<>, ArenaAllocator<std::pair<const std::string_view, Entry>>>;

  WriteSet() = default;
  WriteSet(const WriteSet&) = delete;
  WriteSet& operator=(const WriteSet&) = delete;

  void put(StorageId storage, std::string_view key, std::string_view row, uint32_t command) {
    add(storage, key, row, false, command);
  }
  void erase(StorageId storage, std::string_view key, uint32_t command) { add(storage, key, {}, true, command); }
  /// A place among the writes for one that went past this set; undoing it is not our business.
  void skip() { log_.push_back(nullptr); }

  /// Null: nothing of this storage was written.
  const Map* find(StorageId storage) const;
  const Entry* find(StorageId storage, std::string_view key) const;
  const std::map<StorageId, std::unique_ptr<Map>>& storages() const { return storages_; }

  /// The place of the next write.
  uint64_t mark() const { return base_ + log_.size(); }
  /// Undoes the writes at and after `mark`, as far as they are still here.
  void rollback_to(uint64_t mark);
  /// The first mark that is here; writes before it have moved to the store.
  uint64_t base() const { return base_; }
  /// Forgets the content (it is in the store now); marks go on.
  void clear();

  bool empty() const { return log_.empty(); }
  size_t count() const { return log_.size(); }
  size_t bytes() const { return (arena_ != nullptr ? arena_->bytes() : 0) + log_.size() * sizeof(Entry*); }
  /// Where keys and rows lie: a holder may go on reading them after clear().
  std::shared_ptr<const Arena> memory() const { return arena_; }
  /// Changes when iterators of the maps become invalid.
  uint64_t generation() const { return generation_; }

 private:
  void add(StorageId storage, std::string_view key, std::string_view row, bool tombstone, uint32_t command);

  std::shared_ptr<Arena> arena_;  // null until something is written
  std::map<StorageId, std::unique_ptr<Map>> storages_;
  std::vector<Entry*> log_;
  uint64_t base_ = 0;
  uint64_t generation_ = 0;
  StorageId last_storage_;
  Map* last_map_ = nullptr;
};

}  // namespace omendb::txn
