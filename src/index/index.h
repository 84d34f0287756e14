// index/: from a key to its 64-bit payload, and from a key to its neighbours.
//
// An OrderedIndex is an ordered map from byte strings (memcmp order; any length, any bytes, the empty string
// too) to 64-bit payloads that mean nothing to it. It holds every key it was given and answers exactly. It
// does no I/O and knows no tables.
//
// Promises
//  1. Any number of threads may call anything but the functions marked "alone", at once. Each single-key operation takes
//     effect at one instant between its call and its return.
//  2. A cursor sees every key that was there for the whole of a step, never a key twice in one direction, always in order.
//     Keys that come or go during the step may be seen or not. It holds nothing between steps: no lock, no pin.
//  3. Payloads that are pointers: hold an EpochGuard (index/epoch.h) from before the lookup until the last use, and free
//     through epoch_retire after the payload has been replaced or erased here.
//  4. With fixed_key_bytes of 1 to 8, keys live in the index as integers: no allocation, no comparison of bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "index/epoch.h"

namespace omendb::index {

using Payload = uint64_t;

struct Options {
  /// 1 to 8: every key has exactly this many bytes. 0: keys of any length.
  uint32_t fixed_key_bytes = 0;
};

/// Where a cursor has its keys from.
enum class Keys {
  kCopied,  // they are copied beside the payloads
  /// They are put together when asked for: with keys of any length, a scan that wants payloads touches nothing else. Requires
  /// an EpochGuard from before each seek until after the last key(), next() or prev() that follows it.
  kPinned,
};

enum class Cas {
  kSwapped,
  kMismatch,  // the key is there with another payload
  kAbsent,
};

struct Statistics {
  uint64_t keys = 0;
  uint64_t bytes = 0;  // every allocation, including what waits for readers to leave
  uint64_t leaves = 0;
  uint64_t inner_nodes = 0;
  uint64_t layers = 0;    // of 8-byte slices; 1 for fixed keys
  uint64_t rebuilds = 0;  // leaves laid out anew, in place
  uint64_t splits = 0;
  uint64_t merges = 0;
  double model_error = 0;  // mean distance in slots from prediction to key
};

class OrderedIndex {
 public:
  explicit OrderedIndex(Options options = {});
  ~OrderedIndex();
  OrderedIndex(const OrderedIndex&) = delete;
  OrderedIndex& operator=(const OrderedIndex&) = delete;

  /// Adds a key that is not there. False: it is there, and stays as it was; `existing` gets its payload.
  bool insert(std::string_view key, Payload payload, Payload* existing = nullptr);
  /// Adds the key or replaces its payload; returns the payload it replaced.
  std::optional<Payload> upsert(std::string_view key, Payload payload);
  /// Removes the key; returns the payload it had.
  std::optional<Payload> erase(std::string_view key);
  /// Removes the key if its payload is `expected`. On kMismatch `expected` gets the payload found.
  Cas erase_if(std::string_view key, Payload& expected);
  /// Replaces the payload if it is `expected`. On kMismatch `expected` gets the payload found.
  Cas compare_and_set(std::string_view key, Payload& expected, Payload desired);

  std::optional<Payload> find(std::string_view key) const;
  /// The same for who holds an EpochGuard. False: the key is not there, and `payload` is as it was.
  bool find_pinned(std::string_view key, Payload* payload) const;
  /// The same of an index with fixed_key_bytes, for the key's bytes read as one big-endian number.
  bool find_word_pinned(uint64_t key, Payload* payload) const;
  /// Looks up many keys with their cache misses overlapped. Requires out.size() == keys.size(). Returns how
  /// many were there.
  size_t find_many(std::span<const std::string_view> keys, std::span<std::optional<Payload>> out) const;
  /// Counts the keys in [lo, hi); without hi, from lo to the end. Exact when nothing changes meanwhile.
  uint64_t count(std::string_view lo, std::optional<std::string_view> hi) const;

  /// Fills an empty index from a strictly ascending stream; `next` returns false at the end.
  ///
  /// Returns: false if a key was not greater than the one before; the index is then empty.
  /// Thread:  alone.
  bool bulk_load(const std::function<bool(std::string_view* key, Payload* payload)>& next);
  /// Removes everything. Thread: alone.
  void clear();

  /// Cost: looks at one word a leaf, about a tenth of a millisecond at ten million keys.
  uint64_t size() const;
  /// Bytes allocated by this index. Cost: walks the inner nodes for exact figures; call it for reports.
  uint64_t memory_bytes() const;
  Statistics statistics() const;
  /// Checks every invariant of every node. XX002 with the first violation. Thread: alone among writers.
  Status verify() const;

  class Cursor;
  /// `first`: how many keys a seek reads at once, at most Cursor::kBatchMax; later batches are larger.
  Cursor cursor(size_t first = 8, Keys keys = Keys::kCopied) const;

 private:
  bool find_pinned_otherwise(std::string_view key, Payload* payload) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Walks keys in either direction. The index must outlive it.
///
/// It reads ahead: key() and payload() are of the moment when the batch was read, at most kBatchMax keys ago.
/// A payload that must be fresh is read with find(). Thread: one at a time.
class OrderedIndex::Cursor {
 public:
  static constexpr size_t kBatchMax = 128;

  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;
  ~Cursor();

  /// Go to the first key >= `key`, the last key <= `key`, the first key, the last key. False: there is none.
  bool seek(std::string_view key);
  bool seek_for_prev(std::string_view key);
  bool seek_first();
  bool seek_last();
  /// Requires valid(). False at the end; the cursor is then not valid.
  bool next();
  bool prev();
  bool next_in(bool reverse) { return reverse ? prev() : next(); }
  bool valid() const;
  /// Requires valid(). The view lives until the cursor moves.
  std::string_view key() const;
  Payload payload() const;

 private:
  friend class OrderedIndex;
  struct State;
  explicit Cursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace omendb::index
