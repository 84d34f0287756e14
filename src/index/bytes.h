// Keys of any length over learned cores: a trie of eight bytes a step.
//
// A wide core maps the next eight bytes of a key, big-endian and padded with zeros, to a tagged word and a second one beside it:
//
//   Tail    the only key with these eight bytes: how long it is, and where the bytes behind them lie, if there are any. Beside
//           the word stands its payload.
//   Bunch   up to kBunchMax keys, sorted, with their tails and payloads; but for payloads never changed, replaced as a whole
//   Layer   more: the bytes that all of them share next (a multiple of eight, skipped), and a core for what
//           follows. Keys that end within the eight bytes differ from each other only in trailing zeros: at most nine, in a
//           bunch.
//
// So a scan that wants payloads reads cores' leaves and bunches, and no key's bytes.
//
// Invariants
//  1. A slot's words change only under its leaf's lock (Core::apply_wide), and so do the payloads in a bunch, where it hangs.
//     Tails are immutable.
//  2. Every key in a layer's core is longer than the bytes before its slice. A tail begins behind the slice of its slot.
//  3. An emptied layer is frozen, then unlinked under its parent's lock: who still comes by starts again at
//     the top.
//  4. Who read a payload in a bunch that has been replaced meanwhile has one that was true while he was looking.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/core.h"

namespace omendb::index {

// size:16 | address:45 | tag:3. The size is a key's in bytes, or kSizeLong, or a bunch's in keys.
enum class Tag : uint64_t { kTail = 0, kBunch = 1, kLayer = 2 };
inline constexpr uint32_t kSizeShift = 48;  // addresses of a process are smaller
inline constexpr uint64_t kSizeLong = 0xFFFF;

inline Tag tag_of(uint64_t word) { return static_cast<Tag>(word & 7); }
template <class T>
T* address_of(uint64_t word) {
  return reinterpret_cast<T*>(word & ((uint64_t{1} << kSizeShift) - 8));
}
inline uint64_t tagged(const void* address, Tag tag, uint64_t size) {
  return size << kSizeShift | reinterpret_cast<uint64_t>(address) | static_cast<uint64_t>(tag);
}

/// What the word of a tail says. A key of kSizeLong bytes or more has its size before the bytes.
struct Tail {
  size_t key_bytes;
  const char* bytes;

  static Tail of(uint64_t word) {
    const uint64_t size = word >> kSizeShift;
    const char* bytes = address_of<const char>(word);
    if (size != kSizeLong) [[likely]]
      return {size, bytes};
    uint64_t whole;
    std::memcpy(&whole, bytes, sizeof(whole));
    return {whole, bytes + sizeof(whole)};
  }
  /// The key's bytes from `from` on, where this tail begins.
  std::string_view after(size_t from) const {
    return key_bytes > from ? std::string_view(bytes, key_bytes - from) : std::string_view();
  }
  /// What it takes in memory. 0: it has no address.
  static size_t memory(size_t key_bytes, size_t from) {
    return (key_bytes >= kSizeLong ? sizeof(uint64_t) : 0) + (key_bytes > from ? key_bytes - from : 0);
  }
  /// < 0, 0, > 0: its key comes before `key`, is it, comes after. Requires that their bytes before `from` are the same, padded.
  int order(std::string_view key, size_t from) const {
    const int order = after(from).compare(from < key.size() ? key.substr(from) : std::string_view());
    return order != 0 ? order : key_bytes < key.size() ? -1 : key_bytes > key.size();
  }
  bool is(std::string_view key, size_t from) const {
    return key_bytes == key.size() &&
           (key_bytes <= from || std::memcmp(bytes, key.data() + from, key_bytes - from) == 0);
  }
};

struct Bunch {
  struct Item {
    uint64_t next;  // the eight bytes after those that all share
    uint64_t tail;
    std::atomic<uint64_t> payload;

    void set(uint64_t next_bytes, uint64_t word, uint64_t value) {
      next = next_bytes;
      tail = word;
      payload.store(value, std::memory_order_relaxed);
    }
    uint64_t get_payload() const { return payload.load(std::memory_order_acquire); }
  };
  uint64_t n;
  Item* items() { return reinterpret_cast<Item*>(this + 1); }
  const Item* items() const { return reinterpret_cast<const Item*>(this + 1); }
  /// Where the key is, or would be. Its tails begin at `from`, and what is before that is the same, padded.
  uint64_t find(std::string_view key, size_t from, bool* there) const;
  static size_t bytes(uint64_t n) { return sizeof(Bunch) + n * sizeof(Item); }
};

/// The prefix's bytes follow, on the same cache line as a rule.
struct Layer {
  std::atomic<Bunch*> ended{nullptr};
  Core* core;  // outlives this head when the prefix is cut
  uint32_t prefix_size;
  std::atomic<bool> deep{false};  // layers hang from its core, or did: a hint

  std::string_view prefix() const { return {reinterpret_cast<const char*>(this + 1), prefix_size}; }
  size_t bytes() const { return sizeof(Layer) + prefix_size; }
  static Layer* make(std::string_view prefix, Core* core, Bunch* ended);
  static void free_head(void* layer);
};

inline constexpr uint32_t kBunchMax = 64;

/// Eight bytes of the key from `offset`, zeros behind its end, as an integer that orders like them.
inline uint64_t slice_at(std::string_view key, size_t offset) {
  uint64_t word = 0;
  if (offset + 8 <= key.size()) {
    std::memcpy(&word, key.data() + offset, 8);
  } else if (offset < key.size()) {
    std::memcpy(&word, key.data() + offset, key.size() - offset);
  }
  return __builtin_bswap64(word);
}

/// What a scan has read. Keys are put together from the bytes before their slice, the slice and the tail: while the tails are
/// pinned, or at once, by copy_keys().
struct Batch {
  struct Item {
    uint64_t payload, tail, slice;
    uint32_t path;  // where the bytes before the slice are
    uint32_t from;  // where the tail begins
  };
  std::string paths;
  std::unique_ptr<Item[]> items;
  size_t n = 0;

  /// Empties it, with room for `room` items.
  void clear(size_t room) {
    if (room > room_) {
      items.reset(new Item[room]);
      room_ = room;
    }
    n = 0;
    paths.clear();
    bytes_.clear();
    ends_.clear();
  }
  void append_key(size_t i, std::string* out) const;
  void copy_keys();
  /// Requires copy_keys().
  std::string_view key(size_t i) const {
    const size_t begin = i > 0 ? ends_[i - 1] : 0;
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  size_t room_ = 0;
  std::string bytes_;
  std::vector<size_t> ends_;
};

struct ByteStatistics {
  CoreStatistics cores;
  uint64_t layers = 0;
};

/// Refers to a Verdict(const uint64_t* present, uint64_t* value), which outlives it.
class Decide {
 public:
  template <class F>
  Decide(const F& decide)  // NOLINT: taken as what it is
      : object_(&decide), call_([](const void* object, const uint64_t* present, uint64_t* value) {
          return (*static_cast<const F*>(object))(present, value);
        }) {}
  Verdict operator()(const uint64_t* present, uint64_t* value) const { return call_(object_, present, value); }

 private:
  const void* object_;
  Verdict (*call_)(const void*, const uint64_t*, uint64_t*);
};

class ByteMap {
 public:
  ByteMap() = default;
  ~ByteMap();

  /// Requires an EpochGuard.
  bool find_pinned(std::string_view key, uint64_t* payload) const;
  /// As Core::apply, on the payload. `decide` is called again only where it said kStore for an absent key.
  void apply(std::string_view key, Decide decide);

  /// Reads up to `max` items from `from` (or the beginning, or the end) on, without `from` itself unless
  /// `inclusive`. Requires an EpochGuard, for as long as the batch's tails are used.
  void scan_forward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const;
  void scan_backward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const;

  bool bulk_load(const std::function<bool(std::string_view*, uint64_t*)>& next);
  void clear();
  uint64_t size() const;
  ByteStatistics statistics() const;
  std::string verify() const;

 private:
  // Writers on different threads count in different lines.
  struct alignas(64) Stripe {
    std::atomic<int64_t> keys{0};
    std::atomic<int64_t> bytes{0};  // of tails
  };
  class Garbage;
  struct Part;
  Stripe& stripe();

  uint64_t new_tail(std::string_view rest, size_t key_bytes);
  void drop_tail(uint64_t tail, size_t from, Garbage* garbage);
  void free_tail(uint64_t tail, size_t from);
  Wide build_value(Part* parts, size_t n, size_t from, std::atomic<bool>* deep, Garbage* garbage);
  Layer* build_layer(Part* parts, size_t n, size_t from, Garbage* garbage);
  void collapse(std::string_view key);
  void free_core(const Core& core, size_t offset);
  void free_value(uint64_t word, size_t from);
  void statistics_of(const Core& core, ByteStatistics* s) const;
  std::string verify_core(const Core& core, const std::string& path) const;

  Core root_{true};
  std::atomic<bool> deep_{false};  // as Layer::deep
  std::array<Stripe, 16> stripes_;
};

}  // namespace omendb::index
