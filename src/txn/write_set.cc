#include "txn/write_set.h"

#include <cstring>

#include "base/check.h"

namespace omendb::txn {

void* Arena::allocate(size_t bytes) {
  bytes = (bytes + 7) & ~size_t{7};
  if (bytes > left_) {
    // The first block is small: most transactions write a row or two.
    const size_t size = std::max(bytes, blocks_.empty() ? size_t{4} << 10 : kBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    at_ = blocks_.back().get();
    left_ = size;
    bytes_ += size;
  }
  void* result = at_;
  at_ += bytes;
  left_ -= bytes;
  return result;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* at = static_cast<char*>(allocate(text.size()));
  std::memcpy(at, text.data(), text.size());
  return {at, text.size()};
}

const WriteSet::Map* WriteSet::find(StorageId storage) const {
  const auto it = storages_.find(storage);
  return it == storages_.end() ? nullptr : it->second.get();
}

const WriteSet::Entry* WriteSet::find(StorageId storage, std::string_view key) const {
  const Map* map = find(storage);
  if (map == nullptr) return nullptr;
  // Ascending insertion asks for keys beyond the end.
  if (map->empty() || std::prev(map->end())->first < key) return nullptr;
  const auto it = map->find(key);
  return it == map->end() || it->second.newest == nullptr ? nullptr : &it->second;
}

void WriteSet::add(StorageId storage, std::string_view key, std::string_view row, bool tombstone, uint32_t command) {
  if (arena_ == nullptr) arena_ = std::make_shared<Arena>();
  if (last_map_ == nullptr || last_storage_ != storage) {
    auto& map = storages_[storage];
    if (map == nullptr) {
      map = std::make_unique<Map>(std::less<>(), Map::allocator_type(arena_.get()));
    }
    last_map_ = map.get();
    last_storage_ = storage;
  }
  Map& map = *last_map_;
  Map::iterator it;
  // Loads and sequences come in ascending order: the end is the place to look first.
  if (map.empty() || std::prev(map.end())->first < key) {
    it = map.emplace_hint(map.end(), arena_->copy(key), Entry{});
  } else {
    it = map.lower_bound(key);
    if (it == map.end() || it->first != key) it = map.emplace_hint(it, arena_->copy(key), Entry{});
  }
  auto* version = static_cast<Version*>(arena_->allocate(sizeof(Version)));
  *version = {it->second.newest, mark(), command, tombstone, arena_->copy(row)};
  it->second.newest = version;
  log_.push_back(&it->second);
}

void WriteSet::rollback_to(uint64_t mark) {
  if (this->mark() <= mark) return;
  while (!log_.empty() && this->mark() > mark) {
    Entry* entry = log_.back();
    log_.pop_back();
    if (entry == nullptr) continue;  // skip()
    CHECK(entry->newest != nullptr);
    entry->newest = entry->newest->older;
  }
  ++generation_;
}

void WriteSet::clear() {
  base_ += log_.size();
  log_.clear();
  storages_.clear();
  last_map_ = nullptr;
  arena_.reset();
  ++generation_;
}

}  // namespace omendb::txn
