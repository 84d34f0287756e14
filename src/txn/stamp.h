// How a version lies in the store: the bytes of its key and of its value.
//
// Key of a version:
//   0      u32 big-endian   storage id
//   4      the row's (or index entry's) key bytes; no key of a storage is a prefix of another
//   end-8  u64 big-endian   bitwise complement of the stamp, so that the newest version of a key comes first
//
// Stamp: (number << 1) | load. The number is the commit timestamp, or with load = 1 the number of a load (txn/timeline.h):
// a part of a transaction that was written before its commit.
//
// Value of a version:
//   0      u8   flags: 1 tombstone, 2 a command number follows; the other bits are 0 in format 1
//   1      u32  little-endian command number, if flagged (versions of loads: the writing transaction's own scans need it)
//   then   row bytes, or an index entry's payload; nothing for a tombstone
//
// Storages below kFirstVersionedStorage hold other things:
//   0 "clock"      u64 big-endian: no number above it has been given out; it runs ahead
//   1              catalog objects, versioned as rows are; key: OID big-endian
//   2              sequences, not versioned: key storage id of the sequence, value i64 big-endian | u8 is_called
//   4              what the index's checkpoints need (table/index_checkpoint.h), not versioned
//   3              committed loads, not versioned: key u64 big-endian load number, value u64 big-endian commit timestamp
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/strong_id.h"

namespace omendb::txn {

inline constexpr size_t kStampBytes = 8;
inline constexpr size_t kStorageBytes = 4;
inline constexpr StorageId kClockStorage{0}, kLoadStorage{3}, kIndexStorage{4};
inline constexpr std::string_view kClockName = "clock";
/// Catalog rows are versioned; below the first storage of tables and indexes (catalog::kFirstUserStorage) nothing else is.
inline constexpr StorageId kVersionedCatalogStorage{1};
inline constexpr uint32_t kFirstVersionedStorage = 16;

struct Stamp {
  uint64_t value = 0;
  static Stamp commit(Timestamp ts) { return {ts.value << 1}; }
  static Stamp load(uint64_t number) { return {(number << 1) | 1}; }
  bool is_load() const { return (value & 1) != 0; }
  uint64_t number() const { return value >> 1; }
};

inline std::string storage_prefix(StorageId storage) {
  std::string out(kStorageBytes, '\0');
  store_be32(out.data(), storage.value);
  return out;
}
/// storage | key, the part that all versions of a key share.
inline std::string version_prefix(StorageId storage, std::string_view key) {
  std::string out;
  out.reserve(kStorageBytes + key.size() + kStampBytes + 1);
  out.resize(kStorageBytes);
  store_be32(out.data(), storage.value);
  out.append(key);
  return out;
}
inline void append_stamp(Stamp stamp, std::string* out) {
  char bytes[kStampBytes];
  store_be64(bytes, ~stamp.value);
  out->append(bytes, kStampBytes);
}
inline Stamp stamp_of(std::string_view store_key) {
  return {~load_be64(store_key.data() + store_key.size() - kStampBytes)};
}
/// The row key within a store key.
inline std::string_view key_of(std::string_view store_key) {
  return store_key.substr(kStorageBytes, store_key.size() - kStorageBytes - kStampBytes);
}

inline constexpr char kTombstoneFlag = 1, kCommandFlag = 2;

struct VersionValue {
  bool tombstone = false;
  bool has_command = false;
  uint32_t command = 0;
  std::string_view row;
};
inline VersionValue parse_value(std::string_view value) {
  VersionValue out;
  const char flags = value.empty() ? kTombstoneFlag : value[0];
  out.tombstone = (flags & kTombstoneFlag) != 0;
  size_t at = 1;
  if ((flags & kCommandFlag) != 0) {
    out.has_command = true;
    std::memcpy(&out.command, value.data() + 1, 4);
    at = 5;
  }
  if (!out.tombstone) out.row = value.substr(at);
  return out;
}

}  // namespace omendb::txn
