// Where the newest version of each key lies: the learned index (index/) over the keys of one storage.
//
// A key that was ever committed, or moved to the store by a load, is here until its tombstone has been reaped, so a key that is
// not here has no version that anybody may see, and the store need not be asked. For the others the payload says where to look:
//
//   bits 0-1  0 row, 1 tombstone: the newest version lies in the store under exactly the stamp in bits 2-63
//             2 look: more than one thing may be true of the key; its versions in the store decide. Bits 2-63 are the
//               stamp of the load that made it so
//             3 cached: bits 3-47 are those of the address of a CachedRow (row_cache.h), a copy of the newest version; bits 48-63
//               are the row's length, so that its lines are loaded beside its header and not after it
//
// Invariants
//   1. A commit's keys are here before its timestamp is published; a load's keys before its locks are given up.
//   2. A stamp here is the greatest of the key's versions in the store, dead loads left out.
//   3. It is derived: built from the store at start, and never needed for a right answer.
//   4. A payload of "look" is written once for each load, after the load's versions are in the store. So who read the payload first
//      and the store afterwards, and found the newest version decided, may write that down if the payload is still the same.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "index/index.h"
#include "txn/row_cache.h"
#include "txn/stamp.h"

namespace omendb::txn {

/// Thread: any, where not said otherwise.
class KeyDirectory {
 public:
  /// `fixed_key_bytes`: every key has this length; 0: any length. `cache` outlives this, or is null: rows are not cached.
  explicit KeyDirectory(uint32_t fixed_key_bytes, RowCache* cache = nullptr)
      : fixed_(fixed_key_bytes), cache_(cache), caches_(cache != nullptr), index_({fixed_key_bytes}) {}

  struct Place {
    enum class Kind : uint8_t { kAbsent, kRow, kTombstone, kLook, kCached } kind = Kind::kAbsent;
    Stamp stamp;                     // kRow, kTombstone, kCached: of the newest version
    const CachedRow* row = nullptr;  // kCached: valid while the guard from before find() is held
    index::Payload payload = 0;
  };
  /// Requires: an index::EpochGuard, for as long as the place's row is looked at.
  Place find(std::string_view key) const {
    if (!covers(key)) return {Place::Kind::kLook, {}};
    index::Payload payload;
    if (!find(key, &payload)) return {};
    return place(payload);
  }
  /// Whether the directory can say something of such a key.
  bool covers(std::string_view key) const { return fixed_ == 0 || key.size() == fixed_; }
  /// The payload alone, which is never 0. False: the key is not there. Requires covers(key) and a guard as above.
  bool find(std::string_view key, index::Payload* payload) const { return index_.find_pinned(key, payload); }
  /// The same for a key of four or eight bytes, which is the number `word` big-endian. Requires that fixed_key_bytes() is as many.
  bool find_word(uint64_t word, index::Payload* payload) const { return index_.find_word_pinned(word, payload); }
  static bool is_cached(index::Payload payload) { return (payload & 3) == kCachedTag; }
  /// Requires is_cached().
  static const CachedRow* cached_row(index::Payload payload) {
    return reinterpret_cast<const CachedRow*>(payload & kAddressMask);
  }
  /// The row's bytes, without a look at its header where keys have one length. Requires is_cached().
  std::string_view cached_bytes(index::Payload payload) const {
    return cached_bytes(payload, fixed_ != 0 ? fixed_ : cached_row(payload)->key_bytes);
  }
  static std::string_view cached_bytes(index::Payload payload, size_t key_bytes) {
    return {cached_row(payload)->bytes() + key_bytes, payload >> kLengthShift};
  }
  static Place place(index::Payload payload) {
    const uint64_t tag = payload & 3;
    if (tag == kCachedTag) {
      const CachedRow* row = cached_row(payload);
      return {Place::Kind::kCached, row->stamp, row, payload};
    }
    if (tag == kLookTag) return {Place::Kind::kLook, {}, nullptr, payload};
    return {tag == kTombstoneTag ? Place::Kind::kTombstone : Place::Kind::kRow, Stamp{payload >> 2}, nullptr, payload};
  }
  /// The same without a look at the row; needs no guard.
  static Place::Kind place_kind(index::Payload payload) {
    constexpr Place::Kind kKinds[] = {Place::Kind::kRow, Place::Kind::kTombstone, Place::Kind::kLook,
                                      Place::Kind::kCached};
    return kKinds[payload & 3];
  }
  /// Starts loading what place() will look at, and the row behind it.
  // Inlined always: a function that only prefetches has no effect that gcc 12 knows, and its calls are dropped.
  [[gnu::always_inline]] inline void prefetch(index::Payload payload) const {
    if (!is_cached(payload)) return;
    const auto* row = reinterpret_cast<const char*>(cached_row(payload));
    const size_t bytes = std::min(kPrefetchBytes, sizeof(CachedRow) + fixed_ + (payload >> kLengthShift));
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(row + at);
    __builtin_prefetch(row + bytes - 1);  // rows begin anywhere in a line
  }
  /// Starts loading what find() of these keys, one after the other, would wait for. A hint: nothing is remembered.
  void prefetch_keys(std::span<const std::string_view> keys) const {
    constexpr size_t kAtOnce = 16;  // more outstanding misses than this a processor does not keep
    std::array<std::optional<index::Payload>, kAtOnce> payloads;
    for (const std::string_view key : keys) {
      if (!covers(key)) return;
    }
    index::EpochGuard guard;
    while (!keys.empty()) {
      const size_t n = std::min(kAtOnce, keys.size());
      (void)index_.find_many(keys.first(n), std::span(payloads).first(n));
      for (size_t i = 0; i < n; ++i) {
        if (payloads[i].has_value()) prefetch(*payloads[i]);
      }
      keys = keys.subspan(n);
    }
  }

  /// A version of `stamp` was committed. True: the one before it was cached, so this one is wanted too.
  bool committed(std::string_view key, Stamp stamp, bool tombstone) {
    const auto before = index_.upsert(key, payload(stamp, tombstone));
    return before.has_value() && (*before & 3) == kCachedTag;
  }
  /// A load has put a version in the store.
  void loaded(std::string_view key, Stamp stamp, bool tombstone) {
    if (tombstone || !index_.insert(key, payload(stamp, false))) index_.upsert(key, (stamp.value << 2) | kLookTag);
  }
  /// The tombstone of `stamp` and everything before it have gone from the store.
  void reaped(std::string_view key, Stamp stamp) {
    index::Payload expected = payload(stamp, true);
    (void)index_.erase_if(key, expected);
  }
  /// The store has no version of the key at all. Requires the key's row lock, so that no load can be bringing one.
  void vanished(std::string_view key) {
    if (auto found = index_.find(key)) (void)index_.erase_if(key, *found);
  }
  /// The versions were looked at after `look` was read, and the newest of them is decided.
  void settled(std::string_view key, index::Payload look, Stamp stamp, bool tombstone) const {
    if ((look & 3) == kLookTag) (void)index_.compare_and_set(key, look, payload(stamp, tombstone));
  }
  static index::Payload payload(Stamp stamp, bool tombstone) {
    return (stamp.value << 2) | (tombstone ? kTombstoneTag : 0);
  }

  RowCache* row_cache() const { return cache_; }
  uint32_t fixed_key_bytes() const { return fixed_; }
  index::OrderedIndex& index() { return index_; }
  const index::OrderedIndex& index() const { return index_; }

 private:
  friend class RowCache;
  // For the cache, under its mutex. False: the directory says something else by now.
  bool cache(std::string_view key, Stamp stamp, const CachedRow* row) {
    index::Payload expected = payload(stamp, false);
    return index_.compare_and_set(key, expected, payload(row)) == index::Cas::kSwapped;
  }
  bool uncache(const CachedRow& row) {
    index::Payload expected = payload(&row);
    return index_.compare_and_set(row.key(), expected, payload(row.stamp, false)) == index::Cas::kSwapped;
  }
  bool move(const CachedRow& from, const CachedRow* to) {
    index::Payload expected = payload(&from);
    return index_.compare_and_set(from.key(), expected, payload(to)) == index::Cas::kSwapped;
  }
  bool caches() const { return caches_; }
  void stop_caching() { caches_ = false; }
  static index::Payload payload(const CachedRow* row) {
    static_assert(RowCache::kRowBytesMax >> (64 - kLengthShift) == 0);
    return reinterpret_cast<uint64_t>(row) | uint64_t{row->row_bytes} << kLengthShift | kCachedTag;
  }

  static constexpr uint64_t kTombstoneTag = 1, kLookTag = 2, kCachedTag = 3;
  static constexpr uint32_t kLengthShift = 48;  // addresses of this process are smaller
  static constexpr uint64_t kAddressMask = (uint64_t{1} << kLengthShift) - 8;
  static constexpr size_t kPrefetchBytes = 512;  // of longer rows the processor guesses the rest
  const uint32_t fixed_;
  RowCache* const cache_;
  bool caches_;                        // under the cache's mutex
  mutable index::OrderedIndex index_;  // settled() changes what is said, not what is true
};

}  // namespace omendb::txn
