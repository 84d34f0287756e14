// Where the newest version of each key lies: the learned index (index/) over the keys of one storage.
//
// A key that was ever committed, or moved to the store by a load, is here until its tombstone has been reaped, so a key that is
// not here has no version that anybody may see, and the store need not be asked. For the others the payload says where to look:
//
//   bits 0-1  0 row, 1 tombstone: the newest version lies in the store under exactly the stamp in bits 2-63
//             2 look: more than one thing may be true of the key; its versions in the store decide
//
// Invariants
//   1. A commit's keys are here before its timestamp is published; a load's keys before its locks are given up.
//   2. A stamp here is the greatest of the key's versions in the store, dead loads left out.
//   3. It is derived: built from the store at start, and never needed for a right answer.
#pragma once

#include <memory>
#include <string_view>

#include "base/striped_counter.h"
#include "index/index.h"
#include "txn/stamp.h"

namespace omendb::txn {

/// Thread: any, where not said otherwise.
class KeyDirectory {
 public:
  /// `fixed_key_bytes`: every key has this length; 0: any length.
  explicit KeyDirectory(uint32_t fixed_key_bytes) : fixed_(fixed_key_bytes), index_({fixed_key_bytes}) {}

  struct Place {
    enum class Kind : uint8_t { kAbsent, kRow, kTombstone, kLook } kind = Kind::kAbsent;
    Stamp stamp;
  };
  Place find(std::string_view key) const {
    if (fixed_ != 0 && key.size() != fixed_) return {Place::Kind::kLook, {}};
    const auto payload = index_.find(key);
    if (!payload.has_value()) return {};
    const uint64_t tag = *payload & 3;
    if (tag == kLookTag) return {Place::Kind::kLook, {}};
    return {tag == kTombstoneTag ? Place::Kind::kTombstone : Place::Kind::kRow, Stamp{*payload >> 2}};
  }
  /// A version of `stamp` was committed.
  void committed(std::string_view key, Stamp stamp, bool tombstone) {
    index_.upsert(key, payload(stamp, tombstone));
  }
  /// A load has put a version in the store.
  void loaded(std::string_view key, Stamp stamp, bool tombstone) {
    if (tombstone || !index_.insert(key, payload(stamp, false))) index_.upsert(key, kLookTag);
  }
  /// The tombstone of `stamp` and everything before it have gone from the store.
  void reaped(std::string_view key, Stamp stamp) {
    index::Payload expected = payload(stamp, true);
    (void)index_.erase_if(key, expected);
  }
  /// The store has no version of the key at all. Requires the key's row lock, so that no load can be bringing one.
  void vanished(std::string_view key) {
    index::Payload expected = kLookTag;
    (void)index_.erase_if(key, expected);
  }
  static index::Payload payload(Stamp stamp, bool tombstone) {
    return (stamp.value << 2) | (tombstone ? kTombstoneTag : 0);
  }

  index::OrderedIndex& index() { return index_; }
  const index::OrderedIndex& index() const { return index_; }

 private:
  static constexpr uint64_t kTombstoneTag = 1, kLookTag = 2;
  const uint32_t fixed_;
  index::OrderedIndex index_;
};

}  // namespace omendb::txn
