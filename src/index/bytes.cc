#include "index/bytes.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <new>
#include <thread>

#include "base/check.h"
#include "index/record_memory.h"

namespace omendb::index {
namespace {

enum Tag : uint64_t { kRecord = 0, kBunch = 1, kLayer = 2, kTagMask = 7 };

uint64_t tagged(Record* record) { return reinterpret_cast<uint64_t>(record) | kRecord; }
uint64_t tagged(Bunch* bunch) { return reinterpret_cast<uint64_t>(bunch) | kBunch; }
uint64_t tagged(Layer* layer) { return reinterpret_cast<uint64_t>(layer) | kLayer; }
Record* record_of(uint64_t value) { return reinterpret_cast<Record*>(value & ~kTagMask); }
Bunch* bunch_of(uint64_t value) { return reinterpret_cast<Bunch*>(value & ~kTagMask); }
Layer* layer_of(uint64_t value) { return reinterpret_cast<Layer*>(value & ~kTagMask); }

size_t record_bytes(size_t key_size) { return std::max(sizeof(Record), Record::kHeader + key_size); }
size_t bunch_bytes(uint64_t n) { return sizeof(Bunch) + n * sizeof(Bunch::Item); }
void free_record(void* p) { free_record_memory(p, record_bytes(static_cast<Record*>(p)->size)); }
void free_bunch(void* p) { free_record_memory(p, bunch_bytes(static_cast<Bunch*>(p)->n)); }
void free_core_object(void* p) { delete static_cast<Core*>(p); }

Bunch* new_bunch(uint64_t n) {
  Bunch* bunch = new (allocate_record(bunch_bytes(n))) Bunch;
  bunch->n = n;
  return bunch;
}

// Where the key is in the bunch, or would be: (next eight bytes, then all bytes).
uint64_t find_in_bunch(const Bunch& bunch, std::string_view key, uint64_t next, bool* there) {
  uint64_t first = 0, n = bunch.n;
  *there = false;
  while (n > 0) {
    const uint64_t half = n / 2;
    const Bunch::Item& item = bunch.items()[first + half];
    int order = item.next < next ? -1 : item.next > next ? 1 : item.record->key().compare(key);
    if (order == 0) {
      *there = true;
      return first + half;
    }
    if (order < 0) {
      first += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return first;
}

Bunch* bunch_with(const Bunch* old, uint64_t at, Record* record, uint64_t next) {
  const uint64_t n = old != nullptr ? old->n : 0;
  Bunch* bunch = new_bunch(n + 1);
  if (old != nullptr) std::copy(old->items(), old->items() + at, bunch->items());
  bunch->items()[at] = {next, record};
  if (old != nullptr) std::copy(old->items() + at, old->items() + n, bunch->items() + at + 1);
  return bunch;
}

Bunch* bunch_without(const Bunch* old, uint64_t at) {
  if (old->n == 1) return nullptr;
  Bunch* bunch = new_bunch(old->n - 1);
  std::copy(old->items(), old->items() + at, bunch->items());
  std::copy(old->items() + at + 1, old->items() + old->n, bunch->items() + at);
  return bunch;
}

size_t common_prefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

std::string_view from_offset(std::string_view key, size_t offset) {
  return offset < key.size() ? key.substr(offset) : std::string_view();
}

// What an operation leaves behind to be freed once no reader can see it.
class Garbage {
 public:
  void add(void* object, void (*destroy)(void*), size_t bytes) { items_[n_++] = {object, destroy, bytes}; }
  void retire() {
    for (size_t i = 0; i < n_; ++i) epoch_retire(items_[i].object, items_[i].destroy, items_[i].bytes);
    n_ = 0;
  }

 private:
  struct Item {
    void* object;
    void (*destroy)(void*);
    size_t bytes;
  };
  Item items_[4];
  size_t n_ = 0;
};

}  // namespace

Layer* Layer::make(std::string_view prefix, Core* core, Bunch* ended) {
  void* memory = std::malloc(sizeof(Layer) + prefix.size());
  CHECK(memory != nullptr);
  Layer* layer = new (memory) Layer;
  layer->ended.store(ended, std::memory_order_relaxed);
  layer->core = core;
  layer->prefix_size = prefix.size();
  if (!prefix.empty()) std::memcpy(static_cast<void*>(layer + 1), prefix.data(), prefix.size());
  return layer;
}

void Layer::free_head(void* layer) { std::free(layer); }

ByteMap::Stripe& ByteMap::stripe() {
  static std::atomic<uint32_t> threads{0};
  static thread_local const uint32_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return stripes_[mine % stripes_.size()];
}

Record* ByteMap::new_record(std::string_view key, uint64_t payload) {
  Record* record = new (allocate_record(record_bytes(key.size()))) Record;
  record->payload.store(payload, std::memory_order_relaxed);
  record->size = static_cast<uint32_t>(key.size());
  std::memcpy(reinterpret_cast<char*>(record) + Record::kHeader, key.data(), key.size());
  return record;
}

bool ByteMap::find(std::string_view key, uint64_t* payload) const {
  EpochGuard guard;
  const Core* core = &root_;
  size_t offset = 0;
  for (;;) {
    uint64_t value;
    if (!core->find(slice_at(key, offset), &value)) return false;
    const Bunch* bunch = nullptr;
    if ((value & kTagMask) == kRecord) {
      const Record* record = record_of(value);
      if (record->key() != key) return false;
      *payload = record->payload.load(std::memory_order_acquire);
      return true;
    }
    if ((value & kTagMask) == kBunch) {
      bunch = bunch_of(value);
    } else {
      const Layer* layer = layer_of(value);
      if (key.size() <= offset + 8) {
        bunch = layer->ended.load(std::memory_order_acquire);
        if (bunch == nullptr) return false;
      } else {
        const size_t below = offset + 8 + layer->prefix_size;
        if (key.size() <= below || key.compare(offset + 8, layer->prefix_size, layer->prefix()) != 0)
          return false;
        core = layer->core;
        offset = below;
        continue;
      }
    }
    bool there;
    const uint64_t at = find_in_bunch(*bunch, key, slice_at(key, offset + 8), &there);
    if (there) *payload = bunch->items()[at].record->payload.load(std::memory_order_acquire);
    return there;
  }
}

void ByteMap::apply(std::string_view key, const std::function<Verdict(const uint64_t*, uint64_t*)>& decide) {
  EpochGuard guard;
  Record* fresh = nullptr;  // made at most once, used at most once
  bool used = false, erased = false;
  Garbage garbage;
  const auto make = [&](uint64_t payload) {
    if (fresh == nullptr) {
      fresh = new_record(key, payload);
    } else {
      fresh->payload.store(payload, std::memory_order_relaxed);
    }
    used = true;
    return fresh;
  };
  // For a record that is there: kErase says that it has to go; anything else has been done.
  const auto meet = [&](Record* record) {
    const uint64_t current = record->payload.load(std::memory_order_acquire);
    uint64_t payload = 0;
    const Verdict verdict = decide(&current, &payload);
    if (verdict == Verdict::kStore) record->payload.store(payload, std::memory_order_release);
    if (verdict == Verdict::kErase) {
      erased = true;
      garbage.add(record, free_record, record_bytes(record->size));
    }
    return verdict;
  };
  const auto wants_to_add = [&](uint64_t* payload) { return decide(nullptr, payload) == Verdict::kStore; };

  for (bool again = true; again;) {
    again = false;
    Core* core = &root_;
    size_t offset = 0;
    for (;;) {
      const uint64_t slice = slice_at(key, offset), next = slice_at(key, offset + 8);
      const Layer* down = nullptr;
      const bool alive = core->apply(slice, [&](const uint64_t* present, uint64_t* out) {
        down = nullptr;
        used = false;
        uint64_t payload = 0;
        if (present == nullptr) {
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          *out = tagged(make(payload));
          return Verdict::kStore;
        }
        if ((*present & kTagMask) == kRecord) {
          Record* record = record_of(*present);
          if (record->key() == key) return meet(record) == Verdict::kErase ? Verdict::kErase : Verdict::kKeep;
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          Record* pair[2] = {record, make(payload)};
          if (key < record->key()) std::swap(pair[0], pair[1]);
          *out = build_value(pair, 2, offset);
          return Verdict::kStore;
        }
        if ((*present & kTagMask) == kBunch) {
          Bunch* bunch = bunch_of(*present);
          bool there;
          const uint64_t at = find_in_bunch(*bunch, key, next, &there);
          if (there) {
            if (meet(bunch->items()[at].record) != Verdict::kErase) return Verdict::kKeep;
            garbage.add(bunch, free_bunch, bunch_bytes(bunch->n));
            if (bunch->n == 1) return Verdict::kErase;
            *out = bunch->n == 2 ? tagged(bunch->items()[1 - at].record) : tagged(bunch_without(bunch, at));
            return Verdict::kStore;
          }
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          garbage.add(bunch, free_bunch, bunch_bytes(bunch->n));
          if (bunch->n < kBunchMax) {
            *out = tagged(bunch_with(bunch, at, make(payload), next));
          } else {
            Record* all[kBunchMax + 1];
            for (uint64_t i = 0; i < bunch->n; ++i) all[i < at ? i : i + 1] = bunch->items()[i].record;
            all[at] = make(payload);
            *out = build_value(all, bunch->n + 1, offset);
          }
          return Verdict::kStore;
        }
        Layer* layer = layer_of(*present);
        if (key.size() <= offset + 8) {
          Bunch* bunch = layer->ended.load(std::memory_order_acquire);
          bool there = false;
          const uint64_t at = bunch != nullptr ? find_in_bunch(*bunch, key, next, &there) : 0;
          Bunch* changed = nullptr;
          if (there) {
            if (meet(bunch->items()[at].record) != Verdict::kErase) return Verdict::kKeep;
            changed = bunch_without(bunch, at);
          } else {
            if (!wants_to_add(&payload)) return Verdict::kKeep;
            changed = bunch_with(bunch, at, make(payload), next);
          }
          layer->ended.store(changed, std::memory_order_release);
          if (bunch != nullptr) garbage.add(bunch, free_bunch, bunch_bytes(bunch->n));
          return Verdict::kKeep;
        }
        const std::string_view rest = from_offset(key, offset + 8);
        const size_t shared = common_prefix(rest, layer->prefix());
        if (shared == layer->prefix_size && rest.size() > shared) {
          down = layer;
          return Verdict::kKeep;
        }
        // The key leaves the layer's prefix: cut it where it does, at a multiple of eight.
        if (!wants_to_add(&payload)) return Verdict::kKeep;
        size_t kept = shared / 8 * 8;
        if (kept == rest.size()) kept -= 8;  // the key needs a byte of its own below
        Layer* upper = Layer::make(layer->prefix().substr(0, kept), new Core,
                                   layer->ended.load(std::memory_order_acquire));
        Layer* lower = Layer::make(layer->prefix().substr(kept + 8), layer->core, nullptr);
        const uint64_t old_slice = slice_at(layer->prefix(), kept);
        upper->core->apply(old_slice, [&](const uint64_t*, uint64_t* value) {
          *value = tagged(lower);
          return Verdict::kStore;
        });
        const size_t below = offset + 8 + kept;
        const uint64_t new_slice = slice_at(key, below);
        Record* record = make(payload);
        if (new_slice != old_slice) {
          upper->core->apply(new_slice, [&](const uint64_t*, uint64_t* value) {
            *value = tagged(record);
            return Verdict::kStore;
          });
        } else {  // equal but for zeros behind its end
          CHECK(key.size() <= below + 8);
          lower->ended.store(bunch_with(nullptr, 0, record, 0), std::memory_order_relaxed);
        }
        garbage.add(layer, Layer::free_head, layer->bytes());
        *out = tagged(upper);
        return Verdict::kStore;
      });
      if (!alive) {
        again = true;  // the layer was emptied and unlinked
        break;
      }
      if (down == nullptr) {
        garbage.retire();
        if (erased && core != &root_ && core->looks_empty()) collapse(key);
        break;
      }
      offset += 8 + down->prefix_size;
      core = down->core;
    }
  }
  Stripe& counts = stripe();
  if (used) {
    counts.keys.fetch_add(1, std::memory_order_relaxed);
    counts.bytes.fetch_add(static_cast<int64_t>(record_memory_bytes(record_bytes(key.size()))), std::memory_order_relaxed);
  } else if (fresh != nullptr) {
    free_record(fresh);
  }
  if (erased) {
    counts.keys.fetch_sub(1, std::memory_order_relaxed);
    counts.bytes.fetch_sub(static_cast<int64_t>(record_memory_bytes(record_bytes(key.size()))), std::memory_order_relaxed);
  }
}

// Unlinks the empty layers on the way to the key, from the bottom up.
void ByteMap::collapse(std::string_view key) {
  for (;;) {
    Core* parent = nullptr;
    Core* core = &root_;
    uint64_t slice = 0;
    size_t offset = 0;
    uint64_t value;
    while (core->find(slice_at(key, offset), &value) && (value & kTagMask) == kLayer) {
      const Layer* layer = layer_of(value);
      const size_t below = offset + 8 + layer->prefix_size;
      if (key.size() <= below || key.compare(offset + 8, layer->prefix_size, layer->prefix()) != 0) break;
      parent = core;
      slice = slice_at(key, offset);
      core = layer->core;
      offset = below;
    }
    if (parent == nullptr || !core->looks_empty()) return;
    Garbage garbage;
    bool changed = true, unlinked = false;
    parent->apply(slice, [&](const uint64_t* present, uint64_t* out) {
      if (present == nullptr || (*present & kTagMask) != kLayer || layer_of(*present)->core != core)
        return Verdict::kKeep;
      changed = false;
      Layer* layer = layer_of(*present);
      if (!core->freeze_if_empty()) return Verdict::kKeep;
      unlinked = true;
      garbage.add(core, free_core_object, sizeof(Core));
      garbage.add(layer, Layer::free_head, layer->bytes());
      Bunch* ended = layer->ended.load(std::memory_order_acquire);
      if (ended == nullptr) return Verdict::kErase;
      *out = tagged(ended);
      return Verdict::kStore;
    });
    garbage.retire();
    if (!unlinked && !changed) return;  // a key came: whoever takes it away will look again
  }
}

// The word for these records, sorted, all with the same slice at `offset`.
uint64_t ByteMap::build_value(Record** records, size_t n, size_t offset) {
  if (n == 1) return tagged(records[0]);
  if (n > kBunchMax) return tagged(build_layer(records, n, offset));
  Bunch* bunch = new_bunch(n);
  for (size_t i = 0; i < n; ++i) bunch->items()[i] = {slice_at(records[i]->key(), offset + 8), records[i]};
  return tagged(bunch);
}

Layer* ByteMap::build_layer(Record** records, size_t n, size_t offset) {
  size_t first = 0;  // those that end within the slice come first
  while (first < n && records[first]->key().size() <= offset + 8) ++first;
  CHECK(first <= 9 && first < n);
  Bunch* ended = nullptr;
  if (first > 0) {
    ended = new_bunch(first);
    for (size_t i = 0; i < first; ++i) ended->items()[i] = {0, records[i]};
  }
  const std::string_view a = from_offset(records[first]->key(), offset + 8);
  const std::string_view b = from_offset(records[n - 1]->key(), offset + 8);
  size_t shared = common_prefix(a, b) / 8 * 8;
  if (shared == a.size())
    shared -= 8;  // every key needs a byte below; the shortest is the first, if it is the prefix itself
  Layer* layer = Layer::make(a.substr(0, shared), new Core, ended);
  const size_t below = offset + 8 + shared;
  size_t at = first;
  CHECK(layer->core->bulk_load([&](Pair* pair) {
    if (at == n) return false;
    const uint64_t slice = slice_at(records[at]->key(), below);
    size_t end = at + 1;
    while (end < n && slice_at(records[end]->key(), below) == slice) ++end;
    *pair = {slice, build_value(records + at, end - at, below)};
    at = end;
    return true;
  }));
  return layer;
}

bool ByteMap::bulk_load(const std::function<bool(std::string_view*, uint64_t*)>& next) {
  std::vector<Record*> group;  // records of one slice
  std::string previous;
  bool more = true, ordered = true, any = false;
  int64_t keys = 0, bytes = 0;
  Record* ahead = nullptr;
  const auto read = [&] {
    std::string_view key;
    uint64_t payload;
    ahead = nullptr;
    if (!more || !(more = next(&key, &payload))) return;
    if (any && key <= previous) {
      ordered = more = false;
      return;
    }
    any = true;
    previous.assign(key);
    ahead = new_record(key, payload);
    ++keys;
    bytes += static_cast<int64_t>(record_memory_bytes(record_bytes(key.size())));
  };
  read();
  CHECK(root_.bulk_load([&](Pair* pair) {
    if (ahead == nullptr) return false;
    group.clear();
    const uint64_t slice = slice_at(ahead->key(), 0);
    while (ahead != nullptr && slice_at(ahead->key(), 0) == slice) {
      group.push_back(ahead);
      read();
    }
    *pair = {slice, build_value(group.data(), group.size(), 0)};
    return true;
  }));
  Stripe& counts = stripe();
  counts.keys.fetch_add(keys, std::memory_order_relaxed);
  counts.bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (!ordered) clear();
  return ordered;
}

void ByteMap::free_value(uint64_t value) {
  if ((value & kTagMask) == kRecord) {
    free_record(record_of(value));
  } else if ((value & kTagMask) == kBunch) {
    Bunch* bunch = bunch_of(value);
    for (uint64_t i = 0; i < bunch->n; ++i) free_record(bunch->items()[i].record);
    free_bunch(bunch);
  } else {
    Layer* layer = layer_of(value);
    if (Bunch* ended = layer->ended.load(std::memory_order_acquire)) free_value(tagged(ended));
    free_core(*layer->core);
    delete layer->core;
    Layer::free_head(layer);
  }
}

void ByteMap::free_core(const Core& core) {
  Pair pairs[256];
  uint64_t from = 0;
  size_t n;
  for (bool more = true; more;) {
    more = core.scan_forward(from, 256, pairs, &n, &from);
    for (size_t i = 0; i < n; ++i) free_value(pairs[i].payload);
  }
}

ByteMap::~ByteMap() { free_core(root_); }

void ByteMap::clear() {
  free_core(root_);
  root_.clear();
  for (Stripe& s : stripes_) {
    s.keys.store(0, std::memory_order_relaxed);
    s.bytes.store(0, std::memory_order_relaxed);
  }
}

uint64_t ByteMap::size() const {
  int64_t keys = 0;
  for (const Stripe& s : stripes_) keys += s.keys.load(std::memory_order_relaxed);
  return keys > 0 ? static_cast<uint64_t>(keys) : 0;
}

}  // namespace omendb::index
