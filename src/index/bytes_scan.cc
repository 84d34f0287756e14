// Reading byte keys in order, and looking over the whole trie.
#include <algorithm>

#include "index/bytes.h"
#include "index/record_memory.h"

namespace omendb::index {
namespace {

// How many pairs a walk asks of a core at a time: of one where keys lie, and of one from which layers hang, each with many keys.
constexpr size_t kPairs = 128, kPairsDeep = 4;

std::string big_endian(uint64_t slice) {
  std::string bytes(8, '\0');
  slice = __builtin_bswap64(slice);
  std::memcpy(bytes.data(), &slice, 8);
  return bytes;
}

// A core, and the way to it.
struct Spot {
  const Core* core;
  bool deep;
  size_t offset;  // of its slices
  size_t path;    // where in Batch::paths the bytes before them are
};

// A scan in one direction: from `bound` on (or from the start when null), past it unless inclusive, until max
// items are out.
template <bool kForward>
struct Walk {
  bool inclusive;
  size_t max;
  Batch* out;

  bool full() const { return out->n >= max; }
  size_t left() const { return max - out->n; }
  void emit(const Spot& spot, uint64_t slice, uint64_t tail, uint64_t payload) {
    out->items[out->n++] = {payload, tail, slice, static_cast<uint32_t>(spot.path),
                            static_cast<uint32_t>(spot.offset + 8)};
  }
  bool outside(const Tail& tail, const Spot& spot, std::string_view bound) const {
    const int order = tail.order(bound, spot.offset + 8);
    return (kForward ? order < 0 : order > 0) || (order == 0 && !inclusive);
  }

  // Bunches and layers lie anywhere: ask for those of many slots before looking at the first. Inlined always: it has no effect
  // that gcc 12 knows, and it drops calls of such.
  [[gnu::always_inline]] inline void prefetch(const Item* items, size_t n) const {
    size_t keys = 0;
    for (size_t i = 0; i < n && keys < left(); ++i) {
      ++keys;
      const uint64_t word = items[i].payload;
      if (tag_of(word) == Tag::kTail) continue;
      const auto* at = address_of<const char>(word);
      if (tag_of(word) == Tag::kLayer) {
        __builtin_prefetch(at);
        continue;
      }
      const size_t in_bunch = std::min<size_t>(word >> kSizeShift, left());
      const size_t bytes = Bunch::bytes(in_bunch), begin = kForward ? 0 : Bunch::bytes(word >> kSizeShift) - bytes;
      for (size_t byte = 0; byte < bytes + 63; byte += 64) __builtin_prefetch(at + begin + byte);
      if (!kForward) __builtin_prefetch(at);
      keys += in_bunch - 1;
    }
  }

  // Each of these visits what it is given, as far as it is not outside of `bound`; null: all of it.
  void core(const Spot& spot, const std::string_view* bound) {
    if (spot.deep) {
      core_by<kPairsDeep>(spot, bound);
    } else {
      core_by<kPairs>(spot, bound);
    }
  }
  template <size_t kAtOnce>
  void core_by(const Spot& spot, const std::string_view* bound) {
    Item items[kAtOnce];
    uint64_t from = bound != nullptr ? slice_at(*bound, spot.offset) : kForward ? 0 : UINT64_MAX;
    const uint64_t at_bound = from;
    size_t n;
    for (bool more = true; more && !full();) {
      const size_t wanted = std::min(kAtOnce, left());
      more = kForward ? spot.core->scan_forward(from, wanted, items, &n, &from)
                      : spot.core->scan_backward(from, wanted, items, &n, &from);
      uint64_t tags = 0;
      for (size_t i = 0; i < n; ++i) tags |= items[i].payload;
      if (tag_of(tags) == Tag::kTail) {
        // Nothing but keys, all inside but perhaps for the first.
        const bool skip =
            n > 0 && bound != nullptr && items[0].key == at_bound && outside(Tail::of(items[0].payload), spot, *bound);
        Batch::Item* to = &out->items[out->n];
        for (size_t i = skip; i < n; ++i, ++to) {
          *to = {items[i].side, items[i].payload, items[i].key, static_cast<uint32_t>(spot.path),
                 static_cast<uint32_t>(spot.offset + 8)};
        }
        out->n += n - skip;
        continue;
      }
      prefetch(items, n);
      for (size_t i = 0; i < n && !full(); ++i) {
        const Item& item = items[i];
        const std::string_view* inner = bound != nullptr && item.key == at_bound ? bound : nullptr;
        if (tag_of(item.payload) == Tag::kTail) {
          if (inner == nullptr || !outside(Tail::of(item.payload), spot, *inner))
            emit(spot, item.key, item.payload, item.side);
        } else if (tag_of(item.payload) == Tag::kBunch) {
          bunch(spot, item.key, *address_of<const Bunch>(item.payload), inner);
        } else {
          layer(spot, item.key, *address_of<const Layer>(item.payload), inner);
        }
      }
    }
  }
  void bunch(const Spot& spot, uint64_t slice, const Bunch& bunch, const std::string_view* bound) {
    uint64_t begin = 0, end = bunch.n;
    if (bound != nullptr) {
      bool there;
      const uint64_t at = bunch.find(*bound, spot.offset + 8, &there);
      if (kForward) {
        begin = at + (there && !inclusive);
      } else {
        end = at + (there && inclusive);
      }
    }
    const uint64_t n = std::min<uint64_t>(end - begin, left());
    for (uint64_t i = 0; i < n; ++i) {
      const Bunch::Item& item = bunch.items()[kForward ? begin + i : end - 1 - i];
      emit(spot, slice, item.tail, item.get_payload());
    }
  }
  void layer(const Spot& spot, uint64_t slice, const Layer& layer, const std::string_view* bound) {
    const size_t from = spot.offset + 8;
    const bool ends_here = bound != nullptr && bound->size() <= from;
    const auto ended = [&] {
      const Bunch* some = layer.ended.load(std::memory_order_acquire);
      if (some != nullptr) bunch(spot, slice, *some, ends_here ? bound : nullptr);
    };
    const auto below = [&] {
      if (ends_here && !kForward) return;  // all that goes on below is behind the bound
      const std::string_view* inner = nullptr;
      if (bound != nullptr && !ends_here) {
        const std::string_view rest = bound->substr(from);
        const int order = rest.substr(0, layer.prefix_size).compare(layer.prefix());
        if (order == 0 && rest.size() > layer.prefix_size) {
          inner = bound;
        } else if (kForward ? order > 0 : order <= 0) {
          return;
        }
      }
      std::string& paths = out->paths;
      const size_t path = paths.size();
      paths.append(paths, spot.path, spot.offset);
      paths.append(big_endian(slice));
      paths.append(layer.prefix());
      core({layer.core, layer.deep.load(std::memory_order_relaxed), from + layer.prefix_size, path}, inner);
    };
    // Keys that end in the slice come before those that go on.
    if (kForward && (bound == nullptr || ends_here)) ended();
    if (!full()) below();
    if (!kForward && !full()) ended();
  }
};

}  // namespace

void Batch::append_key(size_t i, std::string* out) const {
  const Item& item = items[i];
  const Tail tail = Tail::of(item.tail);
  const size_t before = item.from - 8, old = out->size();
  out->resize(old + std::max<size_t>(tail.key_bytes, item.from));
  char* to = out->data() + old;
  std::memcpy(to, paths.data() + item.path, before);
  const uint64_t slice = __builtin_bswap64(item.slice);
  std::memcpy(to + before, &slice, 8);
  const std::string_view rest = tail.after(item.from);
  if (!rest.empty()) std::memcpy(to + item.from, rest.data(), rest.size());
  out->resize(old + tail.key_bytes);
}

void Batch::copy_keys() {
  for (size_t i = 0; i < n; ++i) {
    const Item& item = items[i];
    const auto* at = address_of<const char>(item.tail);
    const size_t size = item.tail >> kSizeShift;
    if (size <= item.from) continue;
    __builtin_prefetch(at);
    __builtin_prefetch(at + std::min<size_t>(size - item.from - 1, 64));
  }
  ends_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    append_key(i, &bytes_);
    ends_.push_back(bytes_.size());
  }
}

void ByteMap::scan_forward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const {
  out->clear(max);
  Walk<true>{inclusive, max, out}.core({&root_, deep_.load(std::memory_order_relaxed), 0, 0}, from);
}

void ByteMap::scan_backward(const std::string_view* from, bool inclusive, size_t max, Batch* out) const {
  out->clear(max);
  Walk<false>{inclusive, max, out}.core({&root_, deep_.load(std::memory_order_relaxed), 0, 0}, from);
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
  Item items[256];
  uint64_t from = 0;
  size_t n;
  for (bool more = true; more;) {
    more = core.scan_forward(from, 256, items, &n, &from);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t word = items[i].payload;
      const Bunch* bunch = tag_of(word) == Tag::kBunch ? address_of<Bunch>(word) : nullptr;
      if (tag_of(word) == Tag::kLayer) {
        const Layer* layer = address_of<Layer>(word);
        s->cores.bytes += layer->bytes() + 16;
        bunch = layer->ended.load(std::memory_order_acquire);
        statistics_of(*layer->core, s);
      }
      if (bunch != nullptr) s->cores.bytes += record_memory_bytes(Bunch::bytes(bunch->n));
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

// `path`: the bytes before the core's slices.
std::string ByteMap::verify_core(const Core& core, const std::string& path) const {
  const size_t from = path.size() + 8;
  if (std::string fault = core.verify(); !fault.empty())
    return "layer at byte " + std::to_string(path.size()) + ": " + fault;
  const auto check = [&](uint64_t slice, uint64_t word, uint64_t payload, std::string* key) -> std::string {
    const Tail tail = Tail::of(word);
    if (tag_of(word) != Tag::kTail) return "tail with a wrong tag";
    if (tail.key_bytes < path.size() || (!path.empty() && tail.key_bytes == path.size()))
      return "key in the wrong layer";
    if ((Tail::memory(tail.key_bytes, from) == 0) != (address_of<char>(word) == nullptr))
      return "tail with nothing to hold, or none";
    *key = (path + big_endian(slice)).substr(0, tail.key_bytes).append(tail.after(from));
    if (slice_at(*key, path.size()) != slice) return "key under the wrong slice";
    uint64_t found;
    if (!find_pinned(*key, &found) || found != payload) return "key that find() misses";
    return {};
  };
  const auto check_bunch = [&](const Bunch& bunch, uint64_t slice, uint64_t size) -> std::string {
    if (bunch.n == 0 || bunch.n > kBunchMax || bunch.n != size) return "bunch of a wrong size";
    std::string key, previous;
    for (uint64_t i = 0; i < bunch.n; ++i) {
      const Bunch::Item& item = bunch.items()[i];
      if (std::string fault = check(slice, item.tail, item.get_payload(), &key); !fault.empty()) return fault;
      if (item.next != slice_at(key, from)) return "bunch with wrong bytes";
      if (i > 0 && previous >= key) return "bunch out of order";
      previous.swap(key);
    }
    return {};
  };
  Item items[256];
  uint64_t begin = 0;
  size_t n;
  for (bool more = true; more;) {
    more = core.scan_forward(begin, 256, items, &n, &begin);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t word = items[i].payload, slice = items[i].key;
      std::string fault, key;
      if (tag_of(word) == Tag::kTail) {
        fault = check(slice, word, items[i].side, &key);
      } else if (tag_of(word) == Tag::kBunch) {
        fault = check_bunch(*address_of<Bunch>(word), slice, word >> kSizeShift);
      } else {
        const Layer* layer = address_of<Layer>(word);
        if (const Bunch* ended = layer->ended.load(std::memory_order_acquire)) {
          fault = check_bunch(*ended, slice, ended->n);
          for (uint64_t k = 0; fault.empty() && k < ended->n; ++k) {
            if (Tail::of(ended->items()[k].tail).key_bytes > from) fault = "key that goes on among those that end";
          }
        }
        if (layer->prefix_size % 8 != 0) fault = "prefix of a wrong length";
        if (layer->core->looks_empty()) fault = "empty layer";
        if (fault.empty()) fault = verify_core(*layer->core, path + big_endian(slice) + std::string(layer->prefix()));
      }
      if (!fault.empty()) return fault;
    }
  }
  return {};
}

std::string ByteMap::verify() const {
  EpochGuard guard;
  return verify_core(root_, {});
}

}  // namespace omendb::index
