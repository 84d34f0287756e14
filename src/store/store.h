// store/: durable ordered bytes. The only folder that spells RocksDB.
//
// A Store is an ordered map from byte strings to byte strings, changed by atomic batches. It knows nothing of rows,
// versions or transactions; those who do hand it a Reaper that tells, while files are rewritten, which entries nobody
// needs any more.
//
// Opened on a directory it lives there (directory.h):
//   DIR/FORMAT   "omendb 1\n": who wrote this directory, and in which format
//   DIR/LOCK     held with flock(2) while the store is open; holds the process id of who does
//   DIR/store/   RocksDB's files
// Opened without one it lives in memory: the same engine over an in-memory file system, so that tests meet the same
// iterators, batches and file rewriting as production does.
//
// States: writable -> (a write or sync failed) failed. A failed store answers reads and refuses writes until it is
// opened again: what a failed sync left on the disk is unknown, and a retry that succeeds proves nothing about the
// first attempt. A test makes it happen with faulty_store.h.
//
// Invariants
//   1. A batch is applied entirely or not at all, across crashes too.
//   2. write(.., kYes) returned ok: the batch and all batches written before it survive a crash.
//   3. An iterator shows the store as it was when the iterator was made, whatever the Reaper does later.
//   4. ingest() is atomic and durable by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace omendb::store {

enum class Sync : uint8_t { kNo, kYes };

/// Changes applied together, in order. Reusable. Thread: one at a time.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  void put(std::string_view key, std::string_view value);
  /// The key and the value in two parts each, to spare their concatenation.
  void put(std::string_view key1, std::string_view key2, std::string_view value1, std::string_view value2);
  void erase(std::string_view key);
  void erase_range(std::string_view lower, std::string_view upper);
  void clear();
  size_t bytes() const;
  size_t count() const;

 private:
  friend class RocksStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A place in the store. key() and value() are valid until the next move. Thread: one at a time.
class Iterator {
 public:
  virtual ~Iterator() = default;
  bool valid() const { return valid_; }
  std::string_view key() const { return key_; }
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
  virtual void prev() = 0;
  /// To the first entry at or after `key`.
  virtual void seek(std::string_view key) = 0;
  /// To the last entry at or before `key`.
  virtual void seek_for_prev(std::string_view key) = 0;
  virtual void seek_to_last() = 0;
  /// Errors met on the way; an iterator that is not valid and ok is at an end.
  virtual Status status() const = 0;

 protected:
  bool valid_ = false;
  std::string_view key_;
};

struct IterateOptions {
  std::string_view lower;   // inclusive; empty: none
  std::string_view upper;   // exclusive; empty: none
  bool sequential = false;  // a long scan: read ahead
  bool fill_cache = true;
  /// Only entries are wanted whose keys agree with the key sought in all but their last eight bytes: filters spare the files without one.
  /// Then every key sought has its eight bytes, and moves go forward alone.
  bool one_prefix = false;
  /// Not 0: entries whose last eight bytes, read as a big-endian number, are this or greater may be left out. Files that hold nothing
  /// else are not opened; so what came to the store late is found without reading all of it.
  uint64_t tail_below = 0;
};

/// Decides what a rewrite of files may leave out. One per rewritten run; sees that run's entries in ascending key order.
class Reaper {
 public:
  virtual ~Reaper() = default;
  virtual bool drop(std::string_view key, std::string_view value) noexcept = 0;
};
class ReaperFactory {
 public:
  virtual ~ReaperFactory() = default;
  virtual std::unique_ptr<Reaper> make() noexcept = 0;
};

struct Options {
  std::string directory;  // empty: in memory
  size_t block_cache_bytes = 1ull << 30;
  size_t write_buffer_bytes = 256ull << 20;
  /// Disk space that writes leave free: below it they fail with 53100 before anything has happened.
  uint64_t reserve_bytes = 64ull << 20;
  std::shared_ptr<ReaperFactory> reapers;  // may be null
};

/// Takes entries in strictly ascending order into a file that ingest() adds to the store as a whole. Thread: one at a time.
class SortedFile {
 public:
  virtual ~SortedFile() = default;
  virtual Status add(std::string_view key, std::string_view value) = 0;
  /// Nothing more will be added: what the file needs in memory goes. ingest() does it where nobody has.
  virtual Status finish() = 0;
  virtual uint64_t bytes() const = 0;
};

/// Bytes that are put aside for a while: nobody else sees them, and they go with this object, or at the next start.
/// Thread: one appends; then any number read.
class ScratchFile {
 public:
  virtual ~ScratchFile() = default;
  /// Errors: 53100, 58030.
  virtual Status append(std::string_view bytes) = 0;
  /// Reads `bytes` bytes, all of which were appended before. Errors: 58030.
  virtual Status read(uint64_t offset, size_t bytes, char* to) const = 0;
};

/// Thread: any.
class Store {
 public:
  /// Errors: F0001 when another process has the directory, XX001 for another format, 58030.
  static Result<std::unique_ptr<Store>> open(const Options& options);
  virtual ~Store() = default;

  /// Errors: 53100 disk full, nothing written; 40003 outcome unknown, the store has failed; 25006 it had failed before.
  virtual Status write(Batch& batch, Sync sync) = 0;
  /// False: there is no such key.
  virtual Result<bool> get(std::string_view key, std::string* value) = 0;
  virtual std::unique_ptr<Iterator> iterate(const IterateOptions& options) = 0;

  virtual Result<std::unique_ptr<SortedFile>> new_sorted_file() = 0;
  virtual Result<std::unique_ptr<ScratchFile>> new_scratch_file() = 0;
  /// Adds files, whose key ranges must not overlap. They win over what the store holds. Errors: as write.
  virtual Status ingest(std::vector<std::unique_ptr<SortedFile>> files) = 0;

  /// Entries of [lower, upper) go, whole files at once where possible. Not for ranges that readers still use.
  virtual Status drop_range(std::string_view lower, std::string_view upper) = 0;
  /// Bytes that [lower, upper) takes, roughly; cheap.
  virtual uint64_t approximate_bytes(std::string_view lower, std::string_view upper) = 0;
  virtual Status flush() = 0;
  /// Rewrites the range into the last level; empty bounds: everything.
  virtual Status compact(std::string_view lower, std::string_view upper) = 0;
  /// A consistent copy in an existing, empty directory, files linked where possible.
  virtual Status checkpoint(const std::string& directory) = 0;
  /// Whether writes are refused because one has failed.
  virtual bool failed() const = 0;
  virtual std::vector<std::pair<std::string, uint64_t>> statistics() = 0;
};

}  // namespace omendb::store
