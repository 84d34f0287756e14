#include "index/core.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "index/build.h"
#include "index/leaf.h"
#include "index/node_memory.h"
#include "index/probe.h"

namespace omendb::index {
namespace {

uint64_t unlocked(uint64_t version, uint32_t live) {
  constexpr uint64_t kSequenceMask = (uint64_t{1} << kLiveShift) - 1;
  return ((((version & kSequenceMask) | (kSequence - 1)) + 1) & kSequenceMask) |
         (static_cast<uint64_t>(live) << kLiveShift);
}

void raise_busy(Entry& entry, uint64_t version) {
  entry.version.store(version | kLocked | kBusy, std::memory_order_release);
}

void unlock(Entry& entry, uint64_t version, uint32_t live) {
  entry.version.store(unlocked(version, live), std::memory_order_release);
}

// Requires: the entry cannot become obsolete meanwhile (its segment's smo_lock is held). Returns the version
// before.
uint64_t lock_entry(Entry& entry) {
  for (uint32_t attempt = 0;; Core::relax(attempt++)) {
    uint64_t version = entry.version.load(std::memory_order_relaxed);
    if ((version & kLocked) == 0 &&
        entry.version.compare_exchange_weak(version, version | kLocked, std::memory_order_acquire)) {
      return version;
    }
  }
}

class SmoLock {
 public:
  explicit SmoLock(Segment* segment) : segment_(segment) {
    for (uint32_t attempt = 0; segment_->smo_lock.exchange(1, std::memory_order_acquire) != 0; Core::relax(attempt++)) {
    }
  }
  SmoLock(Segment* segment, std::try_to_lock_t) : segment_(segment) {
    if (segment_->smo_lock.exchange(1, std::memory_order_acquire) != 0) segment_ = nullptr;
  }
  ~SmoLock() {
    if (segment_ != nullptr) segment_->smo_lock.store(0, std::memory_order_release);
  }
  SmoLock(const SmoLock&) = delete;
  SmoLock& operator=(const SmoLock&) = delete;
  bool held() const { return segment_ != nullptr; }

 private:
  Segment* segment_;
};

bool is_gap(const Slot* slots, uint32_t i, uint32_t lo) {
  return i > lo && slots[i].get_key() == slots[i - 1].get_key();
}

void retire_leaf(Slot* slots, Model model) { epoch_retire(slots, free_leaf, leaf_bytes(model)); }

LeafImage image_of(const Entry& entry, uint64_t version) {
  return {entry.base.load(std::memory_order_relaxed), Model{entry.model.load(std::memory_order_relaxed)},
          entry.leaf.load(std::memory_order_relaxed), static_cast<uint32_t>(version >> kLiveShift)};
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
bool Core::find_in(const Entry& entry, View view, uint64_t key, Value* value) const {
  const Sight sight = look(entry, view, key, value);
  return sight != Sight::kMoving ? sight == Sight::kFound : find_anywhere(key, value);
}

#if defined(OMENDB_INDEX_VECTORS)
namespace {
const bool has_wide_vectors =
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2");
const bool has_vectors = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}  // namespace

// The way of nine keys in ten, in as few instructions as can be: processors overlap the misses of lookups
// only as far as these fit into what they look ahead. `crooked`: also where keys follow no line.
template <class Probe, bool crooked, class Value>
[[gnu::always_inline]] inline bool Core::find_straight(uint64_t key, Value* payload) const {
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
  const uint64_t version = entry->version.load(std::memory_order_acquire);
  const uint64_t base = entry->base.load(std::memory_order_acquire);
  const Model model{entry->model.load(std::memory_order_acquire)};
  const Slot* slots = entry->leaf.load(std::memory_order_acquire);
  // The bucket may be another segment's, and then have led too far.
  if ((version & (kBusy | kObsolete)) != 0 || entry->version.load(std::memory_order_acquire) != version || key < base)
      [[unlikely]]
    return find_anywhere(key, payload);
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
  return find_in(*entry, {version, base, model, slots}, key, payload);
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

bool Core::lock_leaf(uint64_t key, Place* place) {
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
  Entry& entry = segment->entries()[index];
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
  if (segment->separator(index + 1) <= key && index + 1 < segment->count.load(std::memory_order_acquire)) [[unlikely]] {
    // A leaf was added behind this one before it was locked.
    entry.version.store(version, std::memory_order_release);
    return false;
  }
  place->segment = segment;
  place->entry = &entry;
  place->index = index;
  place->version = version;
  place->base = entry.base.load(std::memory_order_relaxed);
  place->model.word = entry.model.load(std::memory_order_relaxed);
  place->slots = entry.leaf.load(std::memory_order_relaxed);
  place->i = find_in_leaf(place->slots, place->model, place->base, key, &place->end);
  return true;
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
  const bool exact = model.m() == UINT32_MAX && model.k() == 0;  // a slot for every key between: no filling up
  const uint32_t at = place.i;                                   // first slot with a larger key, or cap
  const uint32_t predicted = model.predict(key, place.base);

  if (live > 0 && !exact && (live + 1) * 100 > cap * kFullPercent) {
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

// Splits the leaf of `key`, which was full, and adds the key on the way. False: the key came, or the
// structure changed, meanwhile; look again.
bool Core::split(const Item& extra) {
  const uint64_t key = extra.key;
  const Root* root = root_.load(std::memory_order_acquire);
  Segment* segment = root->segment(root->route(key));
  SmoLock smo(segment);
  if (segment->obsolete) return false;
  const uint32_t index = segment->route(key);
  Entry& entry = segment->entries()[index];
  const uint64_t version = lock_entry(entry);
  const LeafImage old = image_of(entry, version);
  Contents all;
  all.add(old.slots, old.model);
  const uint32_t at = all.lower_bound(key);
  if (at != all.n && all.pairs[at].key == key) {
    entry.version.store(version, std::memory_order_release);
    return false;
  }
  const Pair* pairs = all.pairs;
  LeafImage images[kLeafSlots / 16 + 2];
  uint32_t count = 0;
  const bool append = at == all.n && all.n >= 2 * kTailSlack;
  if (append) {
    if (old.model.dense()) {
      for (uint32_t done = 0; done < all.n;) {
        LeafImage& image = images[count];
        image.base = count == 0 && index != 0 ? old.base : pairs[done].key;
        const LeafPlan plan = plan_leaf(pairs + done, all.n - done, all.n - done, image.base, kFillSealed, 0, wide_);
        image.slots = build_leaf(pairs + done, wide_ ? all.sides + done : nullptr, plan, &image.model);
        image.live = plan.n;
        done += plan.n;
        ++count;
      }
    } else {
      images[count++] = old;
    }
    LeafImage& image = images[count++];
    image.base = key;
    const Pair only{extra.key, extra.payload};
    image.slots = build_dense(&only, wide_ ? &extra.side : nullptr, 1, 2 * kTailSlack, &image.model);
    image.live = 1;
  } else {
    all.insert(at, extra);
    const uint32_t n = all.n, parts = n > kLeafKeysMax ? 2 : 1;
    const uint32_t want = (n + parts - 1) / parts;
    for (uint32_t done = 0; done < n;) {
      LeafImage& image = images[count];
      // Entry 0 of a segment has no separator to keep; the others move theirs up to the first key when it is
      // far above: what lies between belongs to the leaf before from now on.
      const uint64_t span = pairs[n - 1].key - pairs[0].key;
      const bool keep = count == 0 && index != 0 && pairs[0].key - old.base <= span / 4;
      image.base = keep ? old.base : pairs[done].key;
      const LeafPlan plan =
          plan_leaf(pairs + done, n - done, std::min(want, n - done), image.base, build_fill(want), kTailSlack, wide_);
      image.slots = build_leaf(pairs + done, wide_ ? all.sides + done : nullptr, plan, &image.model);
      image.live = plan.n;
      done += plan.n;
      ++count;
    }
  }
  splits_.fetch_add(1, std::memory_order_relaxed);
  const uint32_t used = segment->count.load(std::memory_order_relaxed);
  if (append && count == 2 && index + 1 == used && used < segment->capacity) {
    // Room behind the last entry: readers who count one entry less simply do not see the new leaf yet.
    Entry& added = segment->entries()[used];
    added.base.store(key, std::memory_order_relaxed);
    added.model.store(images[1].model.word, std::memory_order_relaxed);
    added.leaf.store(images[1].slots, std::memory_order_relaxed);
    added.version.store(unlocked(0, 1), std::memory_order_release);
    segment->count.store(used + 1, std::memory_order_release);
    const uint32_t bucket = segment->hinter.bucket(key, kSegmentHints - 1);
    for (uint32_t b = bucket + 1; b < kSegmentHints; ++b) {
      segment->hints[b].store(static_cast<uint8_t>(used), std::memory_order_relaxed);
    }
    if (images[0].slots != old.slots) {
      publish(entry, version, images[0]);
      retire_leaf(old.slots, old.model);
    } else {
      unlock(entry, version, old.live);
    }
    return true;
  }
  replace_entries(segment, index, 1, images, count);
  if (images[0].slots != old.slots) retire_leaf(old.slots, old.model);
  return true;
}

// Puts `images` in the place of `removed` entries from `first` on, which are locked, in a copy of the
// segment, or two. Requires the segment's smo_lock; nothing of it may be used afterwards.
void Core::replace_entries(Segment* old, uint32_t first, uint32_t removed, const LeafImage* images, uint32_t n) {
  const uint32_t count = old->count.load(std::memory_order_relaxed);
  std::vector<LeafImage> all;
  all.reserve(count + n);
  Entry* entries = old->entries();
  for (uint32_t i = 0; i < first; ++i) all.push_back(image_of(entries[i], lock_entry(entries[i])));
  all.insert(all.end(), images, images + n);
  for (uint32_t i = first + removed; i < count; ++i) all.push_back(image_of(entries[i], lock_entry(entries[i])));

  const bool appended = first + removed == count;
  const uint64_t inside = entries[0].base.load(std::memory_order_relaxed);
  Segment *fresh = nullptr, *right = nullptr;
  if (all.size() <= kSegmentEntries) {
    std::shared_lock lock(root_mutex_);
    Root* root = root_.load(std::memory_order_acquire);
    const uint32_t place = find_segment(root, inside, old);
    fresh = build_segment(all.data(), static_cast<uint32_t>(all.size()), appended && place + 1 == root->count);
    root->entries()[place].put(fresh);
  } else {
    std::unique_lock lock(root_mutex_);
    Root* root = root_.load(std::memory_order_acquire);
    const uint32_t place = find_segment(root, inside, old);
    // Keys that come in order leave full segments behind.
    const uint32_t total = static_cast<uint32_t>(all.size());
    const uint32_t half = appended && total - 1 <= kSegmentEntries
                              ? total - 1
                              : cut_leaves(all.data(), total / 4, total * 3 / 4, total / 2);
    const uint32_t rest = total - half;
    const bool last = place + 1 == root->count;
    CHECK(half <= kSegmentEntries);
    fresh = build_segment(all.data(), half, false);
    right = build_segment(all.data() + half, rest, appended && last);
    std::vector<std::pair<uint64_t, Segment*>> segments = segments_of(root);
    segments[place].second = fresh;
    segments.insert(segments.begin() + place + 1, {all[half].base, right});
    root_.store(build_root(segments), std::memory_order_release);
    epoch_retire(root, free_root, root_bytes(root));
  }
  for (uint32_t i = 0; i < count; ++i) entries[i].version.store(kObsolete, std::memory_order_release);
  old->obsolete = true;
  open_segment(fresh);
  if (right != nullptr) open_segment(right);
  epoch_retire(old, free_node, segment_bytes(old));
}

// Joins the leaf of `key`, which has become small, with a neighbour, if both fit into one.
void Core::merge(uint64_t key) {
  constexpr uint32_t kMergeMax = 192;
  {
    const Root* root = root_.load(std::memory_order_acquire);
    Segment* segment = root->segment(root->route(key));
    SmoLock smo(segment);
    if (segment->obsolete) return;
    const uint32_t count = segment->count.load(std::memory_order_relaxed);
    if (count > 1) {
      const uint32_t index = segment->route(key);
      const uint32_t left = index + 1 < count ? index : index - 1;
      Entry& a = segment->entries()[left];
      Entry& b = segment->entries()[left + 1];
      const uint64_t version_a = lock_entry(a), version_b = lock_entry(b);
      const LeafImage old_a = image_of(a, version_a), old_b = image_of(b, version_b);
      LeafImage image;
      bool joined = false;
      if (old_a.live + old_b.live <= kMergeMax) {
        Contents all;
        all.add(old_a.slots, old_a.model);
        all.add(old_b.slots, old_b.model);
        const uint32_t n = all.n;
        image.base = left == 0 && n > 0 ? all.pairs[0].key : old_a.base;
        LeafPlan plan;
        plan.cap = 8;
        if (n > 0) plan = plan_leaf(all.pairs, n, n, image.base, kFillBuild, kTailSlack, wide_);
        if (plan.n == n) {
          image.slots = build_leaf(all.pairs, wide_ ? all.sides : nullptr, plan, &image.model);
          image.live = n;
          joined = true;
        }
      }
      if (!joined) {
        a.version.store(version_a, std::memory_order_release);
        b.version.store(version_b, std::memory_order_release);
        return;
      }
      replace_entries(segment, left, 2, &image, 1);
      retire_leaf(old_a.slots, old_a.model);
      retire_leaf(old_b.slots, old_b.model);
      merges_.fetch_add(1, std::memory_order_relaxed);
      if (count > kSegmentEntries / 4) return;
    }
  }
  unite_segments(key);
}

bool Core::looks_empty() const {
  const Root* root = root_.load(std::memory_order_acquire);
  if (root->count != 1) return false;
  const Segment* segment = root->segment(0);
  return segment->count.load(std::memory_order_acquire) == 1 && segment->entries()[0].live() == 0;
}

bool Core::freeze_if_empty() {
  EpochGuard guard;
  if (!looks_empty()) return false;
  Segment* segment = root_.load(std::memory_order_acquire)->segment(0);
  SmoLock smo(segment);
  if (segment->obsolete) return false;
  Entry& entry = segment->entries()[0];
  const uint64_t version = lock_entry(entry);
  if (segment->count.load(std::memory_order_acquire) != 1 || version >> kLiveShift != 0) {
    entry.version.store(version, std::memory_order_release);
    return false;
  }
  dead_.store(true, std::memory_order_release);
  segment->obsolete = true;
  entry.version.store(kObsolete, std::memory_order_release);
  return true;
}

// Joins the segment of `key`, which has become small, with a neighbour.
void Core::unite_segments(uint64_t key) {
  const Root* seen = root_.load(std::memory_order_acquire);
  if (seen->count < 2) return;
  const uint32_t at = seen->route(key);
  const uint32_t left = at + 1 < seen->count ? at : at - 1;
  Segment* a = seen->segment(left);
  Segment* b = seen->segment(left + 1);
  // Two at once, so neither waits for the other.
  SmoLock lock_a(a, std::try_to_lock);
  if (!lock_a.held() || a->obsolete) return;
  SmoLock lock_b(b, std::try_to_lock);
  if (!lock_b.held() || b->obsolete) return;
  const uint32_t count_a = a->count.load(std::memory_order_relaxed), count_b = b->count.load(std::memory_order_relaxed);
  if (count_a + count_b > kSegmentEntries * 3 / 4) return;

  std::unique_lock lock(root_mutex_);
  Root* root = root_.load(std::memory_order_acquire);
  const uint32_t place = find_segment(root, a->entries()[0].base.load(std::memory_order_relaxed), a);
  CHECK(place + 1 < root->count);
  CHECK(root->segment(place + 1) == b);
  std::vector<LeafImage> all;
  all.reserve(count_a + count_b);
  for (uint32_t i = 0; i < count_a; ++i) all.push_back(image_of(a->entries()[i], lock_entry(a->entries()[i])));
  for (uint32_t i = 0; i < count_b; ++i) all.push_back(image_of(b->entries()[i], lock_entry(b->entries()[i])));
  // b's first entry had no separator to keep and needs one now: its first key will do, if the model starts
  // there.
  LeafImage& border = all[count_a];
  const LeafImage old_border = border;
  Contents all_border;
  all_border.add(border.slots, border.model);
  const Pair* pairs = all_border.pairs;
  const uint64_t* border_sides = wide_ ? all_border.sides : nullptr;
  const uint32_t n = all_border.n;
  if (n == 0) {
    border.base = root->entries()[place + 1].separator;
  } else if (pairs[0].key < border.base) {
    border.base = pairs[0].key;
    const LeafPlan plan = plan_leaf(pairs, n, n, border.base, kFillBuild, kTailSlack, wide_);
    if (plan.n == n) {
      border.slots = build_leaf(pairs, border_sides, plan, &border.model);
    } else {
      border.slots = build_dense(pairs, border_sides, n, n, &border.model);
    }
  }
  const bool last = place + 2 == root->count;
  Segment* fresh = build_segment(all.data(), count_a + count_b, last);
  std::vector<std::pair<uint64_t, Segment*>> segments = segments_of(root);
  segments[place].second = fresh;
  segments.erase(segments.begin() + place + 1);
  root_.store(build_root(segments), std::memory_order_release);
  epoch_retire(root, free_root, root_bytes(root));
  for (Segment* old : {a, b}) {
    const uint32_t count = old->count.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < count; ++i) old->entries()[i].version.store(kObsolete, std::memory_order_release);
    old->obsolete = true;
    epoch_retire(old, free_node, segment_bytes(old));
  }
  open_segment(fresh);
  if (border.slots != old_border.slots) retire_leaf(old_border.slots, old_border.model);
  merges_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace omendb::index
