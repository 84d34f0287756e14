// Reading byte keys in order, and looking over the whole trie.
#include <algorithm>

#include "index/build.h"
#include "index/bytes.h"
#include "index/record_memory.h"

namespace omendb::index {
namespace {

enum Tag : uint64_t { kRecord = 0, kBunch = 1, kLayer = 2, kTagMask = 7 };

template <class T>
const T* pointer(uint64_t value) {
  return reinterpret_cast<const T*>(value & ~kTagMask);
}

// A scan in one direction: from `bound` on (or from the start when null), past it unless inclusive, until max
// items are out.
struct Walk {
  bool inclusive;
  size_t max;
  Batch* out;

  bool full() const { return out->items.size() >= max; }
  void emit(const Record& record) { out->add(record); }

  // Records, bunches and layers lie anywhere: ask for those of many slots before looking at the first.
  // Both functions are inlined always: they have no effect that gcc 12 knows, and it drops calls of such.
  [[gnu::always_inline]] static inline void prefetch(const Pair* pairs, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      const auto* at = reinterpret_cast<const char*>(pairs[i].payload & ~kTagMask);
      __builtin_prefetch(at);
      __builtin_prefetch(at + 64);
    }
  }
  // One step later, what they point to; `wanted` items at most.
  [[gnu::always_inline]] static inline void prefetch_below(uint64_t value, size_t wanted, bool from_end) {
    if ((value & kTagMask) == kLayer) {
      __builtin_prefetch(pointer<Layer>(value)->core);
      return;
    }
    if ((value & kTagMask) != kBunch) return;
    const Bunch* bunch = pointer<Bunch>(value);
    const uint64_t n = std::min<uint64_t>(bunch->n, wanted), first = from_end ? bunch->n - n : 0;
    for (uint64_t i = first; i < first + n; ++i) __builtin_prefetch(bunch->items()[i].record);
  }
  size_t left() const { return max - out->items.size(); }

  // Each of these visits what the value holds; `bound` null: all of it.
  void forward(const Core& core, size_t offset, const std::string_view* bound) {
    Pair pairs[Batch::kPairs];
    uint64_t from = bound != nullptr ? slice_at(*bound, offset) : 0;
    const uint64_t at_bound = from;
    size_t n;
    for (bool more = true; more && !full();) {
      more = core.scan_forward(from, std::min(Batch::kPairs, left()), pairs, &n, &from);
      prefetch(pairs, n);
      if (n > 0) prefetch_below(pairs[0].payload, left(), false);
      for (size_t i = 0; i < n && !full(); ++i) {
        if (i + 1 < n) prefetch_below(pairs[i + 1].payload, left(), false);
        forward_value(pairs[i].payload, offset,
                      bound != nullptr && pairs[i].key == at_bound ? bound : nullptr);
      }
    }
  }
  void forward_record(const Record& record, const std::string_view* bound) {
    if (full()) return;
    if (bound != nullptr) {
      const int order = record.key().compare(*bound);
      if (order < 0 || (order == 0 && !inclusive)) return;
    }
    emit(record);
  }
  void forward_value(uint64_t value, size_t offset, const std::string_view* bound) {
    if ((value & kTagMask) == kRecord) return forward_record(*pointer<Record>(value), bound);
    if ((value & kTagMask) == kBunch) {
      const Bunch* bunch = pointer<Bunch>(value);
      for (uint64_t i = 0; i < bunch->n; ++i) forward_record(*bunch->items()[i].record, bound);
      return;
    }
    const Layer* layer = pointer<Layer>(value);
    if (bound == nullptr || bound->size() <= offset + 8) {
      if (const Bunch* ended = layer->ended.load(std::memory_order_acquire)) {
        for (uint64_t i = 0; i < ended->n; ++i) forward_record(*ended->items()[i].record, bound);
      }
      return forward(*layer->core, offset + 8 + layer->prefix_size, nullptr);
    }
    const std::string_view rest = bound->substr(offset + 8);
    const int order = rest.substr(0, layer->prefix_size).compare(layer->prefix());
    if (order > 0) return;  // the layer is before the bound
    const bool inside = order == 0 && rest.size() > layer->prefix_size;
    forward(*layer->core, offset + 8 + layer->prefix_size, inside ? bound : nullptr);
  }

  void backward(const Core& core, size_t offset, const std::string_view* bound) {
    Pair pairs[Batch::kPairs];
    uint64_t from = bound != nullptr ? slice_at(*bound, offset) : UINT64_MAX;
    const uint64_t at_bound = from;
    size_t n;
    for (bool more = true; more && !full();) {
      more = core.scan_backward(from, std::min(Batch::kPairs, left()), pairs, &n, &from);
      prefetch(pairs, n);
      if (n > 0) prefetch_below(pairs[0].payload, left(), true);
      for (size_t i = 0; i < n && !full(); ++i) {
        if (i + 1 < n) prefetch_below(pairs[i + 1].payload, left(), true);
        backward_value(pairs[i].payload, offset,
                       bound != nullptr && pairs[i].key == at_bound ? bound : nullptr);
      }
    }
  }
  void backward_record(const Record& record, const std::string_view* bound) {
    if (full()) return;
    if (bound != nullptr) {
      const int order = record.key().compare(*bound);
      if (order > 0 || (order == 0 && !inclusive)) return;
    }
    emit(record);
  }
  void backward_value(uint64_t value, size_t offset, const std::string_view* bound) {
    if ((value & kTagMask) == kRecord) return backward_record(*pointer<Record>(value), bound);
    if ((value & kTagMask) == kBunch) {
      const Bunch* bunch = pointer<Bunch>(value);
      for (uint64_t i = bunch->n; i > 0; --i) backward_record(*bunch->items()[i - 1].record, bound);
      return;
    }
    const Layer* layer = pointer<Layer>(value);
    const bool ends_here = bound != nullptr && bound->size() <= offset + 8;
    if (!ends_here) {  // else all that goes on below is after the bound
      const size_t below = offset + 8 + layer->prefix_size;
      if (bound == nullptr) {
        backward(*layer->core, below, nullptr);
      } else {
        const std::string_view rest = bound->substr(offset + 8);
        const int order = rest.substr(0, layer->prefix_size).compare(layer->prefix());
        const bool inside = order == 0 && rest.size() > layer->prefix_size;
        if (order > 0 || inside) backward(*layer->core, below, inside ? bound : nullptr);
      }
    }
    if (const Bunch* ended = layer->ended.load(std::memory_order_acquire)) {
      for (uint64_t i = ended->n; i > 0; --i) {
        backward_record(*ended->items()[i - 1].record, ends_here ? bound : nullptr);
      }
    }
  }
};

}  // namespace

void ByteMap::scan_forward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const {
  EpochGuard guard;
  Walk{inclusive, max, out}.forward(root_, 0, from);
}

void ByteMap::scan_backward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const {
  EpochGuard guard;
  Walk{inclusive, max, out}.backward(root_, 0, from);
}

void ByteMap::statistics_of(const Core& core, ByteStatistics* s) const {
  const CoreStatistics c = core.statistics();
  s->cores.bytes += c.bytes;
  s->cores.leaves += c.leaves;
  s->cores.dense_leaves += c.dense_leaves;
  s->cores.segments += c.segments;
  s->cores.slots += c.slots;
  s->cores.drift += c.drift;
  s->cores.rebuilds += c.rebuilds;
  s->cores.splits += c.splits;
  s->cores.merges += c.merges;
  ++s->layers;
  Pair pairs[256];
  uint64_t from = 0;
  size_t n;
  for (bool more = true; more;) {
    more = core.scan_forward(from, 256, pairs, &n, &from);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t value = pairs[i].payload;
      const Bunch* bunch = (value & kTagMask) == kBunch ? pointer<Bunch>(value) : nullptr;
      if ((value & kTagMask) == kLayer) {
        const Layer* layer = pointer<Layer>(value);
        s->cores.bytes += layer->bytes() + 16;
        bunch = layer->ended.load(std::memory_order_acquire);
        statistics_of(*layer->core, s);
      }
      if (bunch != nullptr) s->cores.bytes += record_memory_bytes(sizeof(Bunch) + bunch->n * sizeof(Bunch::Item));
    }
  }
}

ByteStatistics ByteMap::statistics() const {
  EpochGuard guard;
  ByteStatistics s;
  statistics_of(root_, &s);
  for (const Stripe& stripe : stripes_) {
    s.cores.bytes += static_cast<uint64_t>(stripe.bytes.load(std::memory_order_relaxed));
  }
  s.cores.keys = size();
  return s;
}

std::string ByteMap::verify_core(const Core& core, size_t offset, const std::string& path) const {
  if (std::string fault = core.verify(); !fault.empty())
    return "layer at byte " + std::to_string(offset) + ": " + fault;
  Pair pairs[256];
  uint64_t from = 0;
  size_t n, total = 0;
  const auto check = [&](const Record& record, uint64_t slice, const std::string& before) -> std::string {
    const std::string_view key = record.key();
    if (key.size() < before.size() || key.substr(0, before.size()) != before)
      return "record in the wrong layer";
    if (slice_at(key, offset) != slice) return "record under the wrong slice";
    uint64_t payload;
    if (!find(key, &payload) || payload != record.payload.load(std::memory_order_acquire))
      return "record that find() misses";
    return {};
  };
  const auto check_bunch = [&](const Bunch& bunch, uint64_t slice) -> std::string {
    if (bunch.n == 0 || bunch.n > kBunchMax) return "bunch of a wrong size";
    for (uint64_t i = 0; i < bunch.n; ++i) {
      const Bunch::Item& item = bunch.items()[i];
      if (std::string fault = check(*item.record, slice, path); !fault.empty()) return fault;
      if (item.next != slice_at(item.record->key(), offset + 8)) return "bunch with wrong bytes";
      if (i > 0 && bunch.items()[i - 1].record->key() >= item.record->key()) return "bunch out of order";
    }
    return {};
  };
  for (bool more = true; more;) {
    more = core.scan_forward(from, 256, pairs, &n, &from);
    total += n;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t value = pairs[i].payload, slice = pairs[i].key;
      std::string fault;
      if ((value & kTagMask) == kRecord) {
        fault = check(*pointer<Record>(value), slice, path);
      } else if ((value & kTagMask) == kBunch) {
        fault = check_bunch(*pointer<Bunch>(value), slice);
      } else {
        const Layer* layer = pointer<Layer>(value);
        if (const Bunch* ended = layer->ended.load(std::memory_order_acquire))
          fault = check_bunch(*ended, slice);
        if (layer->prefix_size % 8 != 0) fault = "prefix of a wrong length";
        if (layer->core->looks_empty()) fault = "empty layer";
        std::string word(8, '\0');
        for (int byte = 0; byte < 8; ++byte) word[byte] = static_cast<char>(slice >> (56 - 8 * byte));
        if (fault.empty()) {
          fault = verify_core(*layer->core, offset + 8 + layer->prefix_size,
                              path + word + std::string(layer->prefix()));
        }
      }
      if (!fault.empty()) return fault;
    }
  }
  return {};
}

std::string ByteMap::verify() const {
  EpochGuard guard;
  return verify_core(root_, 0, {});
}

}  // namespace omendb::index
