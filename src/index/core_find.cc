// Lookups: the straight ways, with vectors, and the one that goes anywhere.
#include <bit>
#include <cstdint>
#include <type_traits>

#include "index/core.h"
#include "index/leaf.h"
#include "index/probe.h"

namespace omendb::index {

// Looks into the key's leaf; kMoving: it changed meanwhile.
template <class Value>
Core::Sight Core::look(const Entry& entry, const View& view, uint64_t key, Value* value) {
  uint32_t end;
  const uint32_t i = find_in_leaf(view.slots, view.model, view.base, key, &end);
  const bool there = i < end && view.slots[i].get_key() == key;
  Value seen{};
  if (there) read(view.slots, view.model, i, &seen);
  if (!view.still(entry)) return Sight::kMoving;
  if (!there) return Sight::kAbsent;
  *value = seen;
  return Sight::kFound;
}

template <class Value>
bool Core::find_anywhere(uint64_t key, Value* value) const {
  for (uint32_t attempt = 0;; relax(attempt++)) {
    const Entry& entry = locate(key);
    View view;
    const Sight sight = view.open(entry) ? look(entry, view, key, value) : Sight::kMoving;
    if (sight != Sight::kMoving) return sight == Sight::kFound;
    if (dead_.load(std::memory_order_acquire)) return false;
  }
}

template <class Value>
bool Core::find_in(const Entry& entry, uint64_t key, Value* value) const {
  View view;
  const Sight sight = view.open(entry) ? look(entry, view, key, value) : Sight::kMoving;
  return sight != Sight::kMoving ? sight == Sight::kFound : find_anywhere(key, value);
}

#if defined(OMENDB_INDEX_VECTORS)
namespace {
const bool has_wide_vectors =
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2");
const bool has_vectors = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}  // namespace

// Looks at the eight slots from where the key is predicted. What they do not have is looked for elsewhere.
template <class Probe, class Value>
[[gnu::always_inline]] inline bool Core::look_straight(const Entry* entry, uint64_t key, Value* payload) const {
  const uint64_t version = entry->version.load(std::memory_order_acquire);
  const uint64_t base = entry->base.load(std::memory_order_acquire);
  const Model model{entry->model.load(std::memory_order_acquire)};
  const Slot* slots = entry->leaf.load(std::memory_order_acquire);
  // The bucket may be another segment's, and then have led too far.
  if ((version & (kBusy | kObsolete)) != 0 || entry->version.load(std::memory_order_acquire) != version || key < base)
      [[unlikely]]
    return find_anywhere(key, payload);
  if (model.exact()) {  // one line, and no more to work out: ids that count
    uint64_t slot;
    if (find_exact(slots, model, base, key, &slot)) [[likely]] {
      Value value;
      read(slots, model, slot, &value);
      if (entry->version.load(std::memory_order_acquire) == version) [[likely]] {
        *payload = value;
        return true;
      }
    }
    return find_in(*entry, key, payload);
  }
  const uint64_t steps = key - base + 1;  // as scale(), but where that would carry: then it ends at a slot too far left
  const uint64_t wide = model.word >> 32 << 32;
  const uint64_t predicted = static_cast<uint64_t>((static_cast<unsigned __int128>(steps) * wide) >> 64) >> model.k();
  const uint64_t at = predicted & ~uint64_t{kLineSlots - 1};
  if (!model.dense() && predicted < model.cap() && at >= model.lo()) [[likely]] {
    const Slot* line = slots + at;
    const uint32_t equal = Probe::equal(line, key);
    if (equal != 0) [[likely]] {
      Value value;
      if constexpr (std::is_same_v<Value, uint64_t>) {
        const auto* words = reinterpret_cast<const std::atomic<uint64_t>*>(line);
        value = words[std::countr_zero(equal) * 2 / Probe::kBits + 1].load(std::memory_order_acquire);
      } else {
        read(slots, model, at + static_cast<uint32_t>(std::countr_zero(equal)) / Probe::kBits, &value);
      }
      if (entry->version.load(std::memory_order_acquire) == version) [[likely]] {
        *payload = value;
        return true;
      }
    }
  }
  // Opened once more, which costs little: what was read would need the stack, and most look-ups do without one.
  return find_in(*entry, key, payload);
}

// The way of nine keys in ten, in as few instructions as can be: processors overlap the misses of lookups
// only as far as these fit into what they look ahead. `crooked`: also where keys follow no line.
template <class Probe, bool crooked, class Value>
[[gnu::always_inline]] inline bool Core::find_straight(uint64_t key, Value* payload) const {
  if constexpr (std::is_same_v<Value, Wide>) {
    const Entry* sole = sole_.load(std::memory_order_acquire);
    if (sole != nullptr && sole[1].base.load(std::memory_order_relaxed) > key)
      return look_straight<Probe>(sole, key, payload);
  }
  const Root* root = root_.load(std::memory_order_acquire);
  if (!crooked && root->parts != nullptr) return find_crooked(key, payload);
  const uint32_t root_bucket = crooked ? root->bucket(key) : root->hinter.bucket(key, root->last_bucket);
  const RootEntry* place = root->entries() + root->hints[root_bucket];
  place = place[1].separator <= key ? place + 1 : place;
  if (place[1].separator <= key) [[unlikely]] {
    if (!crooked) return find_crooked(key, payload);
    place = root->entries() + root->route(key, root_bucket);
  }
  const uint32_t bucket = place->bucket(key);
  const Segment* segment = place->segment.load(std::memory_order_acquire);
  const Entry* entry = segment->entries() + segment->hint(bucket);
  entry = entry[1].base.load(std::memory_order_relaxed) <= key ? entry + 1 : entry;
  if (entry[1].base.load(std::memory_order_relaxed) <= key) [[unlikely]] {
    if (!crooked) return find_crooked(key, payload);
    entry = segment->entries() + segment->route(key, bucket);
  }
  return look_straight<Probe>(entry, key, payload);
}

template <class Value>
[[gnu::target("bmi,bmi2")]] bool Core::find_with_vectors(uint64_t key, Value* value) const {
  return find_straight<VectorProbe, true>(key, value);
}
template <class Value>
[[gnu::target("bmi,bmi2")]] bool Core::find_crooked(uint64_t key, Value* value) const {
  return find_straight<WideProbe, true>(key, value);
}
template <class Value>
[[gnu::target("bmi,bmi2")]] bool Core::find_with_wide_vectors(uint64_t key, Value* value) const {
  return find_straight<WideProbe, false>(key, value);
}

template <class Value>
[[gnu::always_inline]] inline bool Core::find_as(uint64_t key, Value* value) const {
  if (has_wide_vectors) [[likely]]
    return find_with_wide_vectors(key, value);
  return has_vectors ? find_with_vectors(key, value) : find_anywhere(key, value);
}
#else
template <class Value>
[[gnu::always_inline]] inline bool Core::find_as(uint64_t key, Value* value) const {
  return find_anywhere(key, value);
}
#endif

bool Core::find_pinned(uint64_t key, uint64_t* payload) const { return find_as(key, payload); }
bool Core::find_pinned(uint64_t key, Wide* value) const { return find_as(key, value); }

template <class Value>
bool Core::agrees_every_way_as(uint64_t key, const Item* expected) const {
  const auto agrees = [&](bool (Core::*find)(uint64_t, Value*) const) {
    Value value{};
    if ((this->*find)(key, &value) != (expected != nullptr)) return false;
    const Item found = item(key, value);
    return expected == nullptr || (found.payload == expected->payload && (!wide_ || found.side == expected->side));
  };
  bool all = agrees(&Core::find_anywhere<Value>);
#if defined(OMENDB_INDEX_VECTORS)
  all = all && (!has_vectors || agrees(&Core::find_with_vectors<Value>)) &&
        (!has_wide_vectors || (agrees(&Core::find_crooked<Value>) && agrees(&Core::find_with_wide_vectors<Value>)));
#endif
  return all;
}

bool Core::agrees_every_way(uint64_t key, const Item* expected) const {
  return wide_ ? agrees_every_way_as<Wide>(key, expected) : agrees_every_way_as<uint64_t>(key, expected);
}

}  // namespace omendb::index
