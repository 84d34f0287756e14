#include "index/bytes.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/check.h"
#include "index/record_memory.h"

namespace omendb::index {
namespace {

uint64_t word_of(const Bunch* bunch) { return tagged(bunch, Tag::kBunch, bunch->n); }
uint64_t word_of(const Layer* layer) { return tagged(layer, Tag::kLayer, 0); }
Bunch* bunch_of(uint64_t word) { return address_of<Bunch>(word); }
Layer* layer_of(uint64_t word) { return address_of<Layer>(word); }

void free_bunch(void* p) { free_record_memory(p, Bunch::bytes(static_cast<Bunch*>(p)->n)); }
void free_core_object(void* p) { delete static_cast<Core*>(p); }

Bunch* new_bunch(uint64_t n) {
  Bunch* bunch = new (allocate_record(Bunch::bytes(n))) Bunch;
  bunch->n = n;
  for (uint64_t i = 0; i < n; ++i) new (&bunch->items()[i]) Bunch::Item;
  return bunch;
}

void copy_items(const Bunch::Item* begin, const Bunch::Item* end, Bunch::Item* to) {
  for (; begin != end; ++begin, ++to) to->set(begin->next, begin->tail, begin->get_payload());
}

Bunch* bunch_with(const Bunch* old, uint64_t at, uint64_t next, uint64_t tail, uint64_t payload) {
  const uint64_t n = old != nullptr ? old->n : 0;
  Bunch* bunch = new_bunch(n + 1);
  if (old != nullptr) copy_items(old->items(), old->items() + at, bunch->items());
  bunch->items()[at].set(next, tail, payload);
  if (old != nullptr) copy_items(old->items() + at, old->items() + n, bunch->items() + at + 1);
  return bunch;
}

Bunch* bunch_without(const Bunch* old, uint64_t at) {
  if (old->n == 1) return nullptr;
  Bunch* bunch = new_bunch(old->n - 1);
  copy_items(old->items(), old->items() + at, bunch->items());
  copy_items(old->items() + at + 1, old->items() + old->n, bunch->items() + at);
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

}  // namespace

uint64_t Bunch::find(std::string_view key, size_t from, bool* there) const {
  const uint64_t next = slice_at(key, from);
  uint64_t first = 0, size = n;
  *there = false;
  while (size > 0) {
    const uint64_t half = size / 2;
    const Item& item = items()[first + half];
    const int order = item.next < next ? -1 : item.next > next ? 1 : Tail::of(item.tail).order(key, from);
    if (order == 0) {
      *there = true;
      return first + half;
    }
    if (order < 0) {
      first += half + 1;
      size -= half + 1;
    } else {
      size = half;
    }
  }
  return first;
}

// What an operation leaves behind to be freed once no reader can see it.
class ByteMap::Garbage {
 public:
  void add(void* object, void (*destroy)(void*), size_t bytes) {
    CHECK(n_ < kMax);
    items_[n_++] = {object, destroy, bytes};
  }
  void add(Bunch* bunch) { add(bunch, free_bunch, Bunch::bytes(bunch->n)); }
  void add(Layer* layer) { add(layer, Layer::free_head, layer->bytes()); }
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
  static constexpr size_t kMax = kBunchMax + 4;  // the tails of a bunch that becomes a layer, and itself
  Item items_[kMax];
  size_t n_ = 0;
};

// A key for build_value(), all of whose keys are the same before `rest`.
struct ByteMap::Part {
  std::string_view rest;
  size_t key_bytes;
  uint64_t payload;
  uint64_t tail = 0;  // that holds `rest`
  bool has_tail = false;
};

Layer* Layer::make(std::string_view prefix, Core* core, Bunch* ended) {
  void* memory = std::malloc(sizeof(Layer) + prefix.size());
  CHECK(memory != nullptr);
  Layer* layer = new (memory) Layer;
  layer->ended.store(ended, std::memory_order_relaxed);
  layer->core = core;
  layer->prefix_size = static_cast<uint32_t>(prefix.size());
  if (!prefix.empty()) std::memcpy(static_cast<void*>(layer + 1), prefix.data(), prefix.size());
  return layer;
}

void Layer::free_head(void* layer) { std::free(layer); }

ByteMap::Stripe& ByteMap::stripe() {
  static std::atomic<uint32_t> threads{0};
  static thread_local const uint32_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return stripes_[mine % stripes_.size()];
}

uint64_t ByteMap::new_tail(std::string_view rest, size_t key_bytes) {
  const size_t bytes = Tail::memory(key_bytes, key_bytes - rest.size());
  if (bytes == 0) return tagged(nullptr, Tag::kTail, key_bytes);
  char* memory = static_cast<char*>(allocate_record(bytes));
  stripe().bytes.fetch_add(static_cast<int64_t>(record_memory_bytes(bytes)), std::memory_order_relaxed);
  char* to = memory;
  if (key_bytes >= kSizeLong) {
    const uint64_t whole = key_bytes;
    std::memcpy(to, &whole, sizeof(whole));
    to += sizeof(whole);
  }
  if (!rest.empty()) std::memcpy(to, rest.data(), rest.size());
  return tagged(memory, Tag::kTail, std::min<uint64_t>(key_bytes, kSizeLong));
}

void ByteMap::free_tail(uint64_t tail, size_t from) {
  const size_t bytes = Tail::memory(Tail::of(tail).key_bytes, from);
  if (bytes == 0) return;
  stripe().bytes.fetch_sub(static_cast<int64_t>(record_memory_bytes(bytes)), std::memory_order_relaxed);
  free_record_memory(address_of<void>(tail), bytes);
}

// The same once no reader can see it.
void ByteMap::drop_tail(uint64_t tail, size_t from, Garbage* garbage) {
  const size_t bytes = Tail::memory(Tail::of(tail).key_bytes, from);
  if (bytes == 0) return;
  stripe().bytes.fetch_sub(static_cast<int64_t>(record_memory_bytes(bytes)), std::memory_order_relaxed);
  garbage->add(address_of<void>(tail), record_destroyer(bytes), bytes);
}

bool ByteMap::find_pinned(std::string_view key, uint64_t* payload) const {
  const Core* core = &root_;
  size_t offset = 0;
  for (;;) {
    Wide value;
    if (!core->find_pinned(slice_at(key, offset), &value)) return false;
    const size_t from = offset + 8;
    const Bunch* bunch = nullptr;
    if (tag_of(value.payload) == Tag::kTail) {
      if (!Tail::of(value.payload).is(key, from)) return false;
      *payload = value.side;
      return true;
    }
    if (tag_of(value.payload) == Tag::kBunch) {
      bunch = bunch_of(value.payload);
    } else {
      const Layer* layer = layer_of(value.payload);
      if (key.size() <= from) {
        bunch = layer->ended.load(std::memory_order_acquire);
        if (bunch == nullptr) return false;
      } else {
        const size_t below = from + layer->prefix_size;
        if (key.size() <= below || key.compare(from, layer->prefix_size, layer->prefix()) != 0) return false;
        core = layer->core;
        offset = below;
        continue;
      }
    }
    bool there;
    const uint64_t at = bunch->find(key, from, &there);
    if (there) *payload = bunch->items()[at].get_payload();
    return there;
  }
}

void ByteMap::apply(std::string_view key, Decide decide) {
  EpochGuard guard;
  uint64_t fresh = 0;  // a tail of the key, from fresh_from on: made at most once a place, used at most once
  size_t fresh_from = 0;
  bool made = false, used = false, erased = false;
  Garbage garbage;
  const auto make = [&](size_t from) {
    if (made && from != fresh_from) free_tail(fresh, fresh_from);
    if (!made || from != fresh_from) fresh = new_tail(from_offset(key, from), key.size());
    fresh_from = from;
    made = used = true;
    return fresh;
  };
  // For a key in a bunch: kErase says that it has to go; anything else has been done.
  const auto meet = [&](Bunch::Item& item, size_t from) {
    const uint64_t current = item.get_payload();
    uint64_t payload = 0;
    const Verdict verdict = decide(&current, &payload);
    if (verdict == Verdict::kStore) item.payload.store(payload, std::memory_order_release);
    if (verdict == Verdict::kErase) {
      erased = true;
      drop_tail(item.tail, from, &garbage);
    }
    return verdict;
  };
  const auto wants_to_add = [&](uint64_t* payload) { return decide(nullptr, payload) == Verdict::kStore; };

  for (bool again = true; again;) {
    again = false;
    Core* core = &root_;
    std::atomic<bool>* deep = &deep_;
    size_t offset = 0;
    for (;;) {
      // Where layers hang, most keys go on below one, and need no lock on the way.
      while (deep->load(std::memory_order_relaxed)) {
        Wide value;
        if (!core->find_pinned(slice_at(key, offset), &value) || tag_of(value.payload) != Tag::kLayer) break;
        Layer* layer = layer_of(value.payload);
        const size_t below = offset + 8 + layer->prefix_size;
        if (key.size() <= below || key.compare(offset + 8, layer->prefix_size, layer->prefix()) != 0) break;
        core = layer->core;
        deep = &layer->deep;
        offset = below;
      }
      const uint64_t slice = slice_at(key, offset);
      const size_t from = offset + 8;
      Layer* down = nullptr;
      const bool alive = core->apply_wide(slice, [&](const Wide* present, Wide* out) {
        down = nullptr;
        used = false;
        uint64_t payload = 0;
        if (present == nullptr) {
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          *out = {make(from), payload};
          return Verdict::kStore;
        }
        if (tag_of(present->payload) == Tag::kTail) {
          const uint64_t tail = present->payload;
          const int order = Tail::of(tail).order(key, from);
          if (order == 0) {
            const Verdict verdict = decide(&present->side, &payload);
            *out = {tail, payload};
            erased = verdict == Verdict::kErase;
            if (erased) drop_tail(tail, from, &garbage);
            return verdict;
          }
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          Bunch* bunch = new_bunch(2);
          bunch->items()[order > 0].set(slice_at(Tail::of(tail).after(from), 0), tail, present->side);
          bunch->items()[order < 0].set(slice_at(key, from), make(from), payload);
          *out = {word_of(bunch), 0};
          return Verdict::kStore;
        }
        if (tag_of(present->payload) == Tag::kBunch) {
          Bunch* bunch = bunch_of(present->payload);
          bool there;
          const uint64_t at = bunch->find(key, from, &there);
          if (there) {
            if (meet(bunch->items()[at], from) != Verdict::kErase) return Verdict::kKeep;
            garbage.add(bunch);
            if (bunch->n == 1) return Verdict::kErase;
            if (bunch->n == 2) {
              const Bunch::Item& other = bunch->items()[1 - at];
              *out = {other.tail, other.get_payload()};
            } else {
              *out = {word_of(bunch_without(bunch, at)), 0};
            }
            return Verdict::kStore;
          }
          if (!wants_to_add(&payload)) return Verdict::kKeep;
          garbage.add(bunch);
          if (bunch->n < kBunchMax) {
            *out = {word_of(bunch_with(bunch, at, slice_at(key, from), make(from), payload)), 0};
          } else {
            Part all[kBunchMax + 1];
            for (uint64_t i = 0; i < bunch->n; ++i) {
              const Bunch::Item& item = bunch->items()[i];
              const Tail tail = Tail::of(item.tail);
              all[i < at ? i : i + 1] = {tail.after(from), tail.key_bytes, item.get_payload(), item.tail, true};
            }
            all[at] = {from_offset(key, from), key.size(), payload};
            used = true;
            *out = build_value(all, bunch->n + 1, from, deep, &garbage);
          }
          return Verdict::kStore;
        }
        Layer* layer = layer_of(present->payload);
        if (key.size() <= from) {
          Bunch* bunch = layer->ended.load(std::memory_order_acquire);
          bool there = false;
          const uint64_t at = bunch != nullptr ? bunch->find(key, from, &there) : 0;
          Bunch* changed = nullptr;
          if (there) {
            if (meet(bunch->items()[at], from) != Verdict::kErase) return Verdict::kKeep;
            changed = bunch_without(bunch, at);
          } else {
            if (!wants_to_add(&payload)) return Verdict::kKeep;
            changed = bunch_with(bunch, at, 0, make(from), payload);
          }
          layer->ended.store(changed, std::memory_order_release);
          if (bunch != nullptr) garbage.add(bunch);
          return Verdict::kKeep;
        }
        const std::string_view rest = from_offset(key, from);
        const size_t shared = common_prefix(rest, layer->prefix());
        if (shared == layer->prefix_size && rest.size() > shared) {
          down = layer;
          return Verdict::kKeep;
        }
        // The key leaves the layer's prefix: cut it where it does, at a multiple of eight.
        if (!wants_to_add(&payload)) return Verdict::kKeep;
        size_t kept = shared / 8 * 8;
        if (kept == rest.size()) kept -= 8;  // the key needs a byte of its own below
        Layer* upper =
            Layer::make(layer->prefix().substr(0, kept), new Core(true), layer->ended.load(std::memory_order_acquire));
        Layer* lower = Layer::make(layer->prefix().substr(kept + 8), layer->core, nullptr);
        upper->deep.store(true, std::memory_order_relaxed);
        lower->deep.store(layer->deep.load(std::memory_order_relaxed), std::memory_order_relaxed);
        const uint64_t old_slice = slice_at(layer->prefix(), kept);
        upper->core->apply_wide(old_slice, [&](const Wide*, Wide* value) {
          *value = {word_of(lower), 0};
          return Verdict::kStore;
        });
        const size_t below = from + kept;
        const uint64_t new_slice = slice_at(key, below);
        const uint64_t tail = make(below + 8);
        if (new_slice != old_slice) {
          upper->core->apply_wide(new_slice, [&](const Wide*, Wide* value) {
            *value = {tail, payload};
            return Verdict::kStore;
          });
        } else {  // equal but for zeros behind its end
          CHECK(key.size() <= below + 8);
          lower->ended.store(bunch_with(nullptr, 0, 0, tail, payload), std::memory_order_relaxed);
        }
        garbage.add(layer);
        *out = {word_of(upper), 0};
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
      offset = from + down->prefix_size;
      core = down->core;
      deep->store(true, std::memory_order_relaxed);
      deep = &down->deep;
    }
  }
  if (made && !used) free_tail(fresh, fresh_from);
  if (used) stripe().keys.fetch_add(1, std::memory_order_relaxed);
  if (erased) stripe().keys.fetch_sub(1, std::memory_order_relaxed);
}

// Unlinks the empty layers on the way to the key, from the bottom up.
void ByteMap::collapse(std::string_view key) {
  for (;;) {
    Core* parent = nullptr;
    Core* core = &root_;
    uint64_t slice = 0;
    size_t offset = 0;
    Wide value;
    while (core->find_pinned(slice_at(key, offset), &value) && tag_of(value.payload) == Tag::kLayer) {
      const Layer* layer = layer_of(value.payload);
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
    parent->apply_wide(slice, [&](const Wide* present, Wide* out) {
      if (present == nullptr || tag_of(present->payload) != Tag::kLayer || layer_of(present->payload)->core != core)
        return Verdict::kKeep;
      changed = false;
      Layer* layer = layer_of(present->payload);
      if (!core->freeze_if_empty()) return Verdict::kKeep;
      unlinked = true;
      garbage.add(core, free_core_object, sizeof(Core));
      garbage.add(layer);
      Bunch* ended = layer->ended.load(std::memory_order_acquire);
      if (ended == nullptr) return Verdict::kErase;
      *out = {word_of(ended), 0};
      return Verdict::kStore;
    });
    garbage.retire();
    if (!unlinked && !changed) return;  // a key came: whoever takes it away will look again
  }
}

// The words for these keys, sorted, all the same before `from`, where their tails begin. `deep`: of the core they hang from.
// Tails that begin too early for where they come to hang are written anew.
Wide ByteMap::build_value(Part* parts, size_t n, size_t from, std::atomic<bool>* deep, Garbage* garbage) {
  const auto tail = [this](const Part& part) {
    return part.has_tail ? part.tail : new_tail(part.rest, part.key_bytes);
  };
  if (n == 1) return {tail(parts[0]), parts[0].payload};
  if (n > kBunchMax) {
    deep->store(true, std::memory_order_relaxed);
    return {word_of(build_layer(parts, n, from, garbage)), 0};
  }
  Bunch* bunch = new_bunch(n);
  for (size_t i = 0; i < n; ++i) bunch->items()[i].set(slice_at(parts[i].rest, 0), tail(parts[i]), parts[i].payload);
  return {word_of(bunch), 0};
}

Layer* ByteMap::build_layer(Part* parts, size_t n, size_t from, Garbage* garbage) {
  size_t first = 0;  // those that end within the slice come first
  while (first < n && parts[first].rest.empty()) ++first;
  CHECK(first <= 9 && first < n);
  Bunch* ended = nullptr;
  if (first > 0) {
    ended = new_bunch(first);
    for (size_t i = 0; i < first; ++i) {
      Part& part = parts[i];
      ended->items()[i].set(0, part.has_tail ? part.tail : new_tail({}, part.key_bytes), part.payload);
    }
  }
  const std::string_view a = parts[first].rest;
  size_t shared = common_prefix(a, parts[n - 1].rest) / 8 * 8;
  if (shared == a.size())
    shared -= 8;  // every key needs a byte below; the shortest is the first, if it is the prefix itself
  Layer* layer = Layer::make(a.substr(0, shared), new Core(true), ended);
  size_t at = first;
  CHECK(layer->core->bulk_load([&](Item* item) {
    if (at == n) return false;
    const uint64_t slice = slice_at(parts[at].rest, shared);
    size_t end = at;
    while (end < n && slice_at(parts[end].rest, shared) == slice) ++end;
    for (size_t i = at; i < end; ++i) {
      Part& part = parts[i];
      if (part.has_tail) drop_tail(part.tail, from, garbage);
      part.has_tail = false;
    }
    const size_t begin = at;
    for (size_t i = begin; i < end; ++i) parts[i].rest = from_offset(parts[i].rest, shared + 8);
    const Wide value = build_value(parts + begin, end - begin, from + shared + 8, &layer->deep, garbage);
    *item = {slice, value.payload, value.side};
    at = end;
    return true;
  }));
  return layer;
}

bool ByteMap::bulk_load(const std::function<bool(std::string_view*, uint64_t*)>& next) {
  struct Loaded {
    size_t at, size;
    uint64_t payload;
  };
  std::string text;           // the keys of one slice
  std::vector<Loaded> group;  // where they are there
  std::vector<Part> parts;
  std::string previous;
  bool more = true, ordered = true, any = false;
  int64_t keys = 0;
  std::string_view key;  // the next one, if `more`
  uint64_t payload;
  const auto read = [&] {
    if (!more || !(more = next(&key, &payload))) return;
    if (any && key <= previous) {
      ordered = more = false;
      return;
    }
    any = true;
    previous.assign(key);
    ++keys;
  };
  Garbage none;
  read();
  CHECK(root_.bulk_load([&](Item* item) {
    if (!more) return false;
    text.clear();
    group.clear();
    parts.clear();
    const uint64_t slice = slice_at(key, 0);
    while (more && slice_at(key, 0) == slice) {
      group.push_back({text.size(), key.size(), payload});
      text.append(key);
      read();
    }
    for (const Loaded& one : group) {
      parts.push_back({from_offset(std::string_view(text).substr(one.at, one.size), 8), one.size, one.payload});
    }
    const Wide value = build_value(parts.data(), parts.size(), 8, &deep_, &none);
    *item = {slice, value.payload, value.side};
    return true;
  }));
  stripe().keys.fetch_add(keys, std::memory_order_relaxed);
  if (!ordered) clear();
  return ordered;
}

// Requires, as the next one, that nobody reads it.
void ByteMap::free_value(uint64_t word, size_t from) {
  if (tag_of(word) == Tag::kTail) {
    free_tail(word, from);
  } else if (tag_of(word) == Tag::kBunch) {
    Bunch* bunch = bunch_of(word);
    for (uint64_t i = 0; i < bunch->n; ++i) free_tail(bunch->items()[i].tail, from);
    free_bunch(bunch);
  } else {
    Layer* layer = layer_of(word);
    if (Bunch* ended = layer->ended.load(std::memory_order_acquire)) free_value(word_of(ended), from);
    free_core(*layer->core, from + layer->prefix_size);
    delete layer->core;
    Layer::free_head(layer);
  }
}

void ByteMap::free_core(const Core& core, size_t offset) {
  Item items[256];
  uint64_t from = 0;
  size_t n;
  for (bool more = true; more;) {
    more = core.scan_forward(from, 256, items, &n, &from);
    for (size_t i = 0; i < n; ++i) free_value(items[i].payload, offset + 8);
  }
}

ByteMap::~ByteMap() { free_core(root_, 0); }

void ByteMap::clear() {
  free_core(root_, 0);
  root_.clear();
  deep_.store(false, std::memory_order_relaxed);
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
