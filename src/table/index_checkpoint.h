// A directory on disk, so that a restart need not read the rows: the keys of one storage and what the directory said of them, as of a
// position. What came later is found by looking into the store's young files (store::IterateOptions::tail_below).
//
// The file, DIR/index/STORAGE-ID.idx (both numbers in hexadecimal), format 1, numbers little-endian:
//   0    "omendbix"                  16   u32  storage            24  u64  position
//   8    u32 1, the format           20   u32  fixed key bytes    32  u64  id
//   then blocks: u32 entries | u32 bytes | u64 XXH3 of those eight bytes and the content, seeded with the header's XXH3 |
//   content
//     an entry: [u32 key bytes, unless fixed] | key | u64 payload (KeyDirectory's, never an address)
//   the last block has no entries; its content is u64, the number of all entries
//
// In the store, storage 4 (txn::kIndexStorage):
//   00 | u32 big-endian storage    u64 id: the file that counts. Written, synced, when the file is; so a file from another time or
//                                  another copy of the directory is never read, and all that the file tells of is durable.
//   01 | u64 big-endian number     keys that have left the store since: u32 storage | u64 timestamp of the tombstone | u32 key
//                                  bytes | key, again and again. A key may leave no trace in the store when it has left.
//   02 | u32 storage               u64 position from which on changes_since() can be asked (changes.cc)
//   03 | u32 storage | u64 number  keys that have left the store since: u64 timestamp of the tombstone | u32 key bytes | key, again and again
//
// Position P: every version stamped at or below P was in the directory when the walk over it began. What the walk saw besides may be
// newer; it is durable, and the look into the store says it again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/strong_id.h"
#include "index/index.h"

namespace omendb::table {

struct CheckpointHeader {
  StorageId storage;
  uint32_t fixed_key_bytes = 0;
  uint64_t position = 0;
  uint64_t id = 0;
};

std::string checkpoint_path(const std::string& directory, const CheckpointHeader& header);

/// Collects entries in the form of the file's blocks. Also how threads hand over what they have read.
class EntryBlock {
 public:
  explicit EntryBlock(uint32_t fixed_key_bytes) : fixed_(fixed_key_bytes) {}
  void add(std::string_view key, index::Payload payload);
  uint32_t entries() const { return entries_; }
  const std::string& bytes() const { return bytes_; }
  void clear() { entries_ = 0, bytes_.clear(); }

  /// Takes the first entry off `rest`. False: there is none, or it is damaged.
  static bool take(uint32_t fixed_key_bytes, std::string_view* rest, std::string_view* key, index::Payload* payload);

 private:
  const uint32_t fixed_;
  uint32_t entries_ = 0;
  std::string bytes_;
};

/// Writes one file; nobody reads it before finish() and the store's record. Deleted if it is not finished.
class CheckpointWriter {
 public:
  static Result<std::unique_ptr<CheckpointWriter>> create(const std::string& directory, const CheckpointHeader& header);
  ~CheckpointWriter();
  Status add(std::string_view key, index::Payload payload);
  /// On disk, name and all.
  Status finish();
  uint64_t entries() const { return entries_; }

 private:
  CheckpointWriter(std::string path, int fd, const CheckpointHeader& header);
  Status write_block();
  Status write(std::string_view bytes);

  const std::string path_;
  uint64_t seed_ = 0;
  int fd_;
  EntryBlock block_;
  uint64_t entries_ = 0;
};

/// Reads a whole file into memory and checks all of it. Errors: XX001 for anything that is not exactly what was written.
class CheckpointReader {
 public:
  static Result<std::unique_ptr<CheckpointReader>> open(const std::string& directory, const CheckpointHeader& expected);
  uint64_t position() const { return position_; }
  uint64_t entries() const { return entries_; }
  /// The next entry. False at the end.
  bool next(std::string_view* key, index::Payload* payload);

 private:
  uint32_t fixed_ = 0;
  uint64_t position_ = 0, entries_ = 0;
  std::string bytes_;
  std::string_view blocks_, rest_;  // not yet entered; of the block being read
};

}  // namespace omendb::table
