// Writes into a leaf under its lock.
#include "index/core.h"

#include <sched.h>

#include <algorithm>
#include <bit>

#include "index/build.h"
#include "index/entry_lock.h"
#include "index/leaf.h"

namespace omendb::index {
namespace {

bool is_gap(const Slot* slots, uint32_t i, uint32_t lo) {
  return i > lo && slots[i].get_key() == slots[i - 1].get_key();
}

}  // namespace

void Core::relax(uint32_t attempt) {
  if (attempt < 64) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  } else {
    sched_yield();  // whoever holds the lock may have lost its processor
  }
}

// The two words are read by who looks at the version once more, but for a side alone: it changes at its
// place.
void Core::replace(Place& place, const Wide& current, const Wide& value) {
  Side& side = sides(place.slots, place.model)[place.i];
  if (current.payload == value.payload) {
    side.store(value.side, std::memory_order_release);
    place.entry->version.store(place.version, std::memory_order_release);
    return;
  }
  raise_busy(*place.entry, place.version);
  place.slots[place.i].set_payload(value.payload);
  side.store(value.side, std::memory_order_release);
  unlock(*place.entry, place.version, place.live());
}

// Locks entry `index` of a segment for `key`, and finds its slot. False: somebody else has it, or the key has gone elsewhere.
[[gnu::always_inline]] inline bool Core::lock_entry_of(uint64_t key, Entry& entry, uint32_t index, Place* place) {
  uint64_t version = entry.version.load(std::memory_order_relaxed);
  if ((version & (kLocked | kObsolete)) != 0) return false;
  {
    // The lock waits for what was loaded before it, but not for what is on its way: the key's slots, and
    // where a gap may be.
    const Model model{entry.model.load(std::memory_order_relaxed)};
    if (!model.dense()) {
      const uint32_t at = model.predict(key, entry.base.load(std::memory_order_relaxed)) & ~(kLineSlots - 1);
      const Slot* slots = entry.leaf.load(std::memory_order_relaxed) + at;
      for (uint32_t line = 0; line < 4; ++line) __builtin_prefetch(slots + 4 * line, 1);
    }
  }
  if (!entry.version.compare_exchange_strong(version, version | kLocked, std::memory_order_acquire)) return false;
  const Segment* segment = reinterpret_cast<const Segment*>(&entry - index) - 1;
  if (segment->separator(index + 1) <= key && index + 1 < segment->count.load(std::memory_order_acquire)) [[unlikely]] {
    // A leaf was added behind this one before it was locked.
    entry.version.store(version, std::memory_order_release);
    return false;
  }
  place->entry = &entry;
  place->index = index;
  place->version = version;
  place->base = entry.base.load(std::memory_order_relaxed);
  place->model.word = entry.model.load(std::memory_order_relaxed);
  place->slots = entry.leaf.load(std::memory_order_relaxed);
  const uint32_t n = place->model.lo();
  if (place->model.dense() && n > 0 && place->slots[n - 1].get_key() < key) {
    place->i = place->end = n;  // an append, which asks no other slot
  } else {
    place->i = find_in_leaf(place->slots, place->model, place->base, key, &place->end);
  }
  return true;
}

bool Core::lock_leaf(uint64_t key, Place* place) {
  Entry* sole = sole_.load(std::memory_order_acquire);
  if (sole != nullptr && sole[1].base.load(std::memory_order_relaxed) > key) return lock_entry_of(key, *sole, 0, place);
  const Root* root = root_.load(std::memory_order_acquire);
  const uint32_t root_bucket = root->bucket(key);
  const RootEntry* way = root->entries() + root->hints[root_bucket];
  way += way[1].separator <= key;
  if (way[1].separator <= key) [[unlikely]]
    way = root->entries() + root->route(key, root_bucket);
  // The line is the segment's or was that of the one before it: it may lead to any of the entries, whose
  // separators tell.
  const Hinter hinter{way->base.load(std::memory_order_relaxed), way->line.load(std::memory_order_relaxed)};
  const uint32_t bucket = hinter.bucket(key, kSegmentHints - 1);
  Segment* segment = way->segment.load(std::memory_order_acquire);
  uint32_t index = segment->hint(bucket);
  index += segment->separator(index + 1) <= key;
  if (segment->separator(index + 1) <= key || (index > 0 && segment->separator(index) > key)) [[unlikely]]
    index = segment->route(key);
  return lock_entry_of(key, segment->entries()[index], index, place);
}

void Core::publish(Entry& entry, uint64_t version, const LeafImage& image) {
  raise_busy(entry, version);
  entry.base.store(image.base, std::memory_order_release);
  entry.model.store(image.model.word, std::memory_order_release);
  entry.leaf.store(image.slots, std::memory_order_release);
  unlock(entry, version, image.live);
}

// Lays the leaf out anew in place, with `extra` added. Done: unlocked. Not done, because one leaf will not
// do: still locked.
bool Core::rebuild_with(Place& place, const Item* extra) {
  Contents all;
  all.add(place.slots, place.model);
  if (extra != nullptr) {
    if (all.n + 1 > kLeafKeysMax) return false;
    all.insert(all.lower_bound(extra->key), *extra);
  }
  if (all.n == 0) return false;
  LeafImage image;
  image.base = place.index == 0 ? all.pairs[0].key : place.base;
  const LeafPlan plan =
      plan_leaf(all.pairs, all.n, all.n, image.base, extra != nullptr ? build_fill(all.n) : kFillShrunk,
                extra != nullptr ? kTailSlack : 0, wide_);
  if (plan.n != all.n) return false;
  image.slots = build_leaf(all.pairs, wide_ ? all.sides : nullptr, plan, &image.model);
  image.live = all.n;
  publish(*place.entry, place.version, image);
  retire_leaf(place.slots, place.model);
  rebuilds_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// True: inserted and unlocked. False: unlocked, the leaf must be split.
bool Core::insert_locked(Place& place, const Item& extra) {
  if (place.model.dense() ? insert_dense(place, extra) : insert_gapped(place, extra)) return true;
  place.entry->version.store(place.version, std::memory_order_release);
  return false;
}

// Puts a key at `at`, and what was there and up to the gap at `gap` one further.
static void put(Slot* slots, Model model, uint32_t at, uint32_t gap, const Item& item) {
  for (uint32_t j = gap; j > at; --j) slots[j].set(slots[j - 1].get_key(), slots[j - 1].get_payload());
  slots[at].set(item.key, item.payload);
  if (!model.wide()) return;
  Side* side = sides(slots, model);
  for (uint32_t j = gap; j > at; --j)
    side[j].store(side[j - 1].load(std::memory_order_relaxed), std::memory_order_release);
  side[at].store(item.side, std::memory_order_release);
}

bool Core::insert_dense(Place& place, const Item& extra) {
  const uint32_t n = place.model.lo(), cap = place.model.cap(), i = place.i;
  Slot* slots = place.slots;
  if (i == n && n < cap) {
    // Readers look at lo() slots: the new one appears with the model's word, no need to look again.
    put(slots, place.model, n, n, extra);
    place.entry->model.store(place.model.with_lo(n + 1).word, std::memory_order_release);
    unlock(*place.entry, place.version, n + 1);
    return true;
  }
  const bool near_end = n - i <= kDensePlain;  // appends from several threads arrive a little out of order
  if (n < cap && (near_end || n < kDenseMax)) {
    raise_busy(*place.entry, place.version);
    put(slots, place.model, i, n, extra);
    place.entry->model.store(place.model.with_lo(n + 1).word, std::memory_order_release);
    unlock(*place.entry, place.version, n + 1);
    return true;
  }
  if (n == cap && cap < kDenseSlots && (near_end || n < kDenseMax)) {
    Contents all;
    all.add(slots, place.model);
    all.insert(i, extra);
    LeafImage image;
    image.base = place.index == 0 ? all.pairs[0].key : place.base;
    image.slots = build_dense(all.pairs, wide_ ? all.sides : nullptr, n + 1,
                              std::min(kDenseSlots, i == n ? cap * 2 : cap + cap / 2), &image.model);
    image.live = n + 1;
    publish(*place.entry, place.version, image);
    retire_leaf(slots, place.model);
    return true;
  }
  if (i == n) return false;  // full, and growing at the end: split() opens a new leaf behind this one
  return rebuild_with(place, &extra);
}

bool Core::insert_gapped(Place& place, const Item& extra) {
  const Model model = place.model;
  const uint32_t cap = model.cap(), lo = model.lo(), live = place.live();
  Slot* slots = place.slots;
  const uint64_t key = extra.key;
  const uint32_t at = place.i;  // first slot with a larger key, or cap
  const uint32_t predicted = model.predict(key, place.base);

  if (live > 0 && !model.exact() && (live + 1) * 100 > cap * kFullPercent) {
    // An end that fills up is an append, and gets a leaf to grow into.
    if (at < cap && rebuild_with(place, &extra)) return true;
    if (at < cap) return false;
  }
  const auto fill = [&](uint32_t from, uint32_t to) {
    for (uint32_t j = from; j < to; ++j) slots[j].set_key(key);
  };
  if (live == 0 || (at == lo && predicted < lo)) {
    raise_busy(*place.entry, place.version);
    put(slots, model, predicted, predicted, extra);
    fill(predicted + 1, live == 0 ? cap + kSlotPad : lo);
    place.entry->model.store(model.with_lo(predicted).word, std::memory_order_release);
    unlock(*place.entry, place.version, live + 1);
    return true;
  }
  const uint32_t start = std::max(predicted, lo);
  if (at > start && is_gap(slots, at - 1, lo)) {
    uint32_t to = at - 1;
    while (to > start && is_gap(slots, to - 1, lo)) --to;
    if (to - predicted <= kDriftMax) {
      raise_busy(*place.entry, place.version);
      put(slots, model, to, to, extra);
      fill(to + 1, at == cap ? cap + kSlotPad : at);
      unlock(*place.entry, place.version, live + 1);
      return true;
    }
  } else if (at < cap) {
    const uint32_t limit = std::min(cap, predicted + kDriftMax + 1);
    uint32_t gap = at + 1;
    while (gap < limit && !is_gap(slots, gap, lo)) ++gap;
    if (gap < limit) {
      raise_busy(*place.entry, place.version);
      put(slots, model, at, gap, extra);
      unlock(*place.entry, place.version, live + 1);
      return true;
    }
  } else if (live >= 2 * kTailSlack) {
    // No slot after the last key. If the last kTailSlack slots have filled up, keys keep coming at this end.
    bool append = true;
    for (uint32_t j = cap - kTailSlack + 1; j < cap && append; ++j) append = !is_gap(slots, j, lo);
    if (append) return false;
  }
  return rebuild_with(place, &extra);
}

void Core::erase_locked(Place& place, uint64_t key) {
  Slot* slots = place.slots;
  const Model model = place.model;
  const uint32_t cap = model.cap(), lo = model.lo(), i = place.i, live = place.live() - 1;
  raise_busy(*place.entry, place.version);
  if (model.dense()) {
    for (uint32_t j = i; j + 1 < lo; ++j) slots[j].set(slots[j + 1].get_key(), slots[j + 1].get_payload());
    Side* side = sides(slots, model);
    for (uint32_t j = i; model.wide() && j + 1 < lo; ++j)
      side[j].store(side[j + 1].load(std::memory_order_relaxed), std::memory_order_release);
    place.model = model.with_lo(lo - 1);
    place.entry->model.store(place.model.word, std::memory_order_release);
  } else {
    uint32_t end = i + 1;
    while (end < cap && slots[end].get_key() == key) ++end;
    if (i == lo) {
      place.model = model.with_lo(end == cap ? cap + kSlotPad : end);  // the margin, too, holds nothing that lives
      place.entry->model.store(place.model.word, std::memory_order_release);
    } else {
      const uint64_t previous = slots[i - 1].get_key();
      if (end == cap) end += kSlotPad;
      for (uint32_t j = i; j < end; ++j) slots[j].set_key(previous);
    }
  }
  const uint64_t version = unlocked(place.version, live);
  const bool sparse = cap >= 32 && live * 100 < cap * (model.dense() ? kSparseDensePercent : kSparsePercent);
  if (sparse && live >= 8 && live % 8 == 0) {
    // Readers may have this state while the smaller leaf is built.
    place.entry->version.store(version | kLocked, std::memory_order_release);
    place.version = version;
    if (rebuild_with(place, nullptr)) {
      if (live <= kDensePlain && std::has_single_bit(live)) merge(key);
      return;
    }
  }
  place.entry->version.store(version, std::memory_order_release);
  // At 64, 32, 16, ... keys: a leaf that finds no partner asks again only after half of it is gone.
  if (live == 0 || (live <= kDensePlain && std::has_single_bit(live))) merge(key);
}

}  // namespace omendb::index
