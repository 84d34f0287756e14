// Keys of any length over learned cores: a trie of eight bytes a step.
//
// A core maps the next eight bytes of a key, big-endian and padded with zeros, to one tagged word:
//
//   Record  the only key with these eight bytes: its full bytes and its payload
//   Bunch   up to kBunchMax records, sorted; never changed, replaced as a whole
//   Layer   more: the bytes that all of them share next (a multiple of eight, skipped), and a core for what
//   follows.
//           Keys that end within the eight bytes differ from each other only in trailing zeros: at most nine,
//           in a bunch.
//
// Invariants
//  1. A slot's word changes only under its leaf's lock (Core::apply); records and bunches are immutable but
//  for payloads.
//  2. Every key in a layer's core is longer than the bytes before its slice.
//  3. An emptied layer is frozen, then unlinked under its parent's lock: who still comes by starts again at
//  the top.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/core.h"

namespace omendb::index {

/// The key's bytes follow `size` at once.
struct Record {
  std::atomic<uint64_t> payload;
  uint32_t size;

  static constexpr size_t kHeader = 12;
  std::string_view key() const { return {reinterpret_cast<const char*>(this) + kHeader, size}; }
};

struct Bunch {
  struct Item {
    uint64_t next;  // the eight bytes after those that all share
    Record* record;
  };
  uint64_t n;
  Item* items() { return reinterpret_cast<Item*>(this + 1); }
  const Item* items() const { return reinterpret_cast<const Item*>(this + 1); }
};

/// The prefix's bytes follow, on the same cache line as a rule.
struct Layer {
  std::atomic<Bunch*> ended{nullptr};
  Core* core;  // outlives this head when the prefix is cut
  uint64_t prefix_size;

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

/// What a scan has read: keys side by side in one string.
struct Batch {
  struct Item {
    uint32_t offset, size;
    uint64_t payload;
  };
  static constexpr size_t kPairs = 64;  // that a walk asks of a core at a time
  std::string bytes;
  std::vector<Item> items;

  void clear() {
    bytes.clear();
    items.clear();
    items.reserve(kPairs);
  }
  std::string_view key(size_t i) const {
    return std::string_view(bytes).substr(items[i].offset, items[i].size);
  }
  void add(const Record& record) {
    const std::string_view key = record.key();
    items.push_back({static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(key.size()),
                     record.payload.load(std::memory_order_acquire)});
    bytes.append(key);
  }
};

struct ByteStatistics {
  CoreStatistics cores;
  uint64_t layers = 0;
};

class ByteMap {
 public:
  ByteMap() = default;
  ~ByteMap();

  bool find(std::string_view key, uint64_t* payload) const;
  /// As Core::apply, on the payload. `decide` is called again only where it said kStore for an absent key.
  void apply(std::string_view key, const std::function<Verdict(const uint64_t*, uint64_t*)>& decide);

  /// Appends up to `max` items from `from` (or the beginning, or the end) on, without `from` itself unless
  /// `inclusive`.
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
    std::atomic<int64_t> bytes{0};
  };
  Stripe& stripe();

  Record* new_record(std::string_view key, uint64_t payload);
  uint64_t build_value(Record** records, size_t n, size_t offset);
  Layer* build_layer(Record** records, size_t n, size_t offset);
  void collapse(std::string_view key);
  void free_core(const Core& core);
  void free_value(uint64_t value);
  void statistics_of(const Core& core, ByteStatistics* s) const;
  std::string verify_core(const Core& core, size_t offset, const std::string& path) const;

  Core root_;
  std::array<Stripe, 16> stripes_;
};

}  // namespace omendb::index
