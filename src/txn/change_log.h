// What commits have changed in one storage: keys alone, in commit order, in memory, within a bound of bytes. What a large
// transaction changed is told as spans of neighbouring keys, so that a bulk load takes no more room than a row.
//
// The commit pipeline appends before it publishes, so who has a snapshot S finds every change at or below S here. A log that
// cannot tell everything says so by where it begins (from()); it never leaves something out in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/strong_id.h"

namespace omendb::txn {

/// Keys from `first` to `last`, both of them, of which any may have changed; `keys` did, about.
struct KeySpan {
  std::string_view first, last;
  uint64_t keys = 0;
};

/// Thread: any.
class ChangeLog {
 public:
  /// Everything committed at or below `from` is unknown to the log. Beyond `bytes_max` it forgets from the front.
  ChangeLog(Timestamp from, size_t bytes_max) : bytes_max_(bytes_max), from_(from.value), last_(from.value) {}

  /// Complete for commits in (from(), watermark]. Rises when the log is trimmed or had to forget.
  Timestamp from() const { return Timestamp(from_.load(std::memory_order_acquire)); }
  /// The last commit that changed anything; where the log began, if none did. Cost: one atomic load.
  Timestamp last() const { return Timestamp(last_.load(std::memory_order_acquire)); }

  using OnKey = std::function<void(std::string_view key, Timestamp ts)>;
  using OnSpan = std::function<void(const KeySpan& span, Timestamp ts)>;
  /// Calls `key` or `span` for every change committed in (after, up_to], in commit order; a key may come more than once, and one
  /// that a rolled back part of a large transaction wrote may come too. Commits go on meanwhile.
  /// False, and nothing called: the log does not reach back to `after`.
  bool read(Timestamp after, Timestamp up_to, const OnKey& key, const OnSpan& span) const;
  /// How many keys (after, up_to] changed, about. SIZE_MAX: the log does not reach back. Cost: a part of two blocks.
  size_t count(Timestamp after, Timestamp up_to) const;

  /// Nobody will ask for commits at or below `up_to`, which is published.
  void trim(Timestamp up_to);
  size_t bytes() const;

  // The commit pipeline's, in commit order, one thread at a time.
  /// `keys` were changed by the commit `ts`; more of the same commit may follow.
  void append(Timestamp ts, const std::vector<std::string_view>& keys);
  void append_span(Timestamp ts, const KeySpan& span);
  /// The commit `ts` changed keys that nobody kept.
  void forget(Timestamp ts);

 private:
  // A block's bytes: runs of u64 ts | u32 keys | u32 bytes of the entries, then the entries: u32 length | key. All of a run is of
  // one commit, and nothing below `used` ever changes. With the top bit of `keys` the entries are a span's first and last key.
  struct Block {
    explicit Block(size_t capacity) : capacity(capacity), bytes(std::make_unique_for_overwrite<char[]>(capacity)) {}
    const size_t capacity;
    const std::unique_ptr<char[]> bytes;
    size_t used = 0, count = 0;  // under the log's mutex
    uint64_t last = 0;           // the timestamp of the last run; under the log's mutex
  };
  /// What a reader may look at without the mutex.
  struct Part {
    std::shared_ptr<const Block> block;
    size_t used, count;
    uint64_t last;
  };
  /// Those that may hold changes in (after, up_to]. False: the log does not reach back.
  bool parts(Timestamp after, Timestamp up_to, std::vector<Part>* out) const;
  Block& room_for(size_t least) REQUIRES(mutex_);
  void appended(Timestamp ts) REQUIRES(mutex_);
  void drop_front() REQUIRES(mutex_);

  const size_t bytes_max_;
  std::atomic<uint64_t> from_, last_;
  mutable Mutex mutex_;
  std::deque<std::shared_ptr<Block>> blocks_ GUARDED_BY(mutex_);
  size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace omendb::txn
