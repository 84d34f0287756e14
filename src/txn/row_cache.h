// Rows in memory, one step behind the directory: the payload of a key is the address of its newest committed row.
//
// Memory is one reserved region, cut into segments that are filled from front to back and given up as a whole. So a row
// costs no allocation of its own, the bound is exact, and rows that came in one after the other lie one after the other.
//
// Which rows stay (after S3-FIFO): rows come into the young queue. A full young queue gives up its oldest segment: rows
// that were read since move on to the old queue, the others go. The old queue gives rows another round for each
// read, up to three. A row that goes leaves its stamp in the directory in its place.
//
// A cached row, at its address:
//   0    u64  stamp, as in the store            24  u32  row bytes
//   8    u64  commit timestamp                  28  u16  key bytes
//   16   ptr  directory that points here        30  u8   reads since it came or moved, at most 3
//   32   key, row
//
// Invariants
//   1. A row here is committed, and its bytes never change while anybody can reach it.
//   2. Only directories point here, and only from an epoch guard on may the pointer be followed: a segment is used again when
//      every guard from before it was given up has gone.
//   3. A segment that is being filled is never given up, and a pointer is set under the mutex: none is set to what has gone.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "txn/stamp.h"

namespace omendb::txn {

class KeyDirectory;

struct alignas(8) CachedRow {
  Stamp stamp;
  Timestamp commit_ts;
  KeyDirectory* directory;
  uint32_t row_bytes;
  uint16_t key_bytes;
  mutable std::atomic<uint8_t> reads;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  std::string_view key() const { return {bytes(), key_bytes}; }
  std::string_view row() const { return {bytes() + key_bytes, row_bytes}; }
  /// Remembers that somebody wanted it. Writes nothing once it is known to be wanted.
  void touch() const {
    const uint8_t n = reads.load(std::memory_order_relaxed);
    if (n < 3) reads.store(n + 1, std::memory_order_relaxed);
  }
};
static_assert(sizeof(CachedRow) == 32);

/// Thread: any.
class RowCache {
 public:
  /// Requires: at least kBytesMin; less holds nothing.
  explicit RowCache(size_t bytes);
  ~RowCache();
  static constexpr size_t kBytesMin = 256 << 10;
  /// Key, row and header together; larger ones are not cached.
  static constexpr size_t kRowBytesMax = 16 << 10;

  enum class Admission : uint8_t {
    kEvict,   // others may have to go; given up if another thread is at it
    kIfRoom,  // only into memory that nobody has needed yet: a scan must not wash out what is wanted
  };
  struct Row {
    std::string_view key, row;
    Stamp stamp;
    Timestamp commit_ts;
  };
  /// Copies `row` into the cache and points `directory` to it, if that still says that row.stamp is the newest version.
  void admit(KeyDirectory& directory, const Row& row, Admission admission);
  /// The same for many rows under one lock, kIfRoom.
  void admit_scanned(KeyDirectory& directory, const std::vector<Row>& rows);
  /// False for certain when admit_scanned would take nothing.
  bool has_room() const { return has_room_.load(std::memory_order_relaxed); }
  /// Holds at most `bytes` from now on, of what it was made with: rows give way and their memory goes back to the system.
  void set_bytes_max(size_t bytes);
  /// The directory will be cleared: its rows here are garbage from now on.
  void forget(KeyDirectory& directory);

  std::vector<std::pair<std::string, uint64_t>> statistics();

 private:
  enum Queue : uint8_t { kYoung, kOld };
  struct Pool;
  struct Retired;
  static constexpr uint32_t kNone = UINT32_MAX;

  void put(KeyDirectory& directory, const Row& row, Admission admission) REQUIRES(mutex_);
  CachedRow* allocate(Queue queue, size_t bytes) REQUIRES(mutex_);
  /// False if there was nothing to give up.
  bool evict() REQUIRES(mutex_);
  uint32_t usual_reserve() const { return std::max<uint32_t>(4, segments_ / 64); }
  void give_up(uint32_t segment, bool old) REQUIRES(mutex_);

  const std::shared_ptr<Pool> pool_;  // retired segments hold it too
  const uint32_t segment_bytes_, segments_;
  std::atomic<uint32_t> reserve_;  // segments that are kept free
  std::atomic<bool> has_room_{true};
  Mutex mutex_;
  std::array<uint32_t, 2> open_ GUARDED_BY(mutex_) = {kNone, kNone};
  std::array<std::deque<uint32_t>, 2> full_ GUARDED_BY(mutex_);  // oldest first
  std::vector<uint32_t> used_ GUARDED_BY(mutex_);                // bytes of each segment
  uint64_t admitted_ GUARDED_BY(mutex_) = 0, evicted_ GUARDED_BY(mutex_) = 0, moved_ GUARDED_BY(mutex_) = 0;
};

}  // namespace omendb::txn
