// Reading many keys of the core at once: scans, counts, batches of lookups, and the check of every invariant.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "index/build.h"
#include "index/core.h"
#include "index/leaf.h"

namespace omendb::index {

size_t Core::find_many(const uint64_t* keys, size_t n, uint64_t* payloads, bool* found) const {
  // Sixteen lookups side by side: more outstanding misses than this a core does not keep.
  constexpr size_t kLanes = 16;
  EpochGuard guard;
  size_t hits = 0;
  for (size_t start = 0; start < n; start += kLanes) {
    const size_t lanes = std::min(kLanes, n - start);
    const Segment* segments[kLanes];
    uint32_t buckets[kLanes];
    const Entry* entries[kLanes];
    View views[kLanes];
    const Root* root = root_.load(std::memory_order_acquire);
    for (size_t l = 0; l < lanes; ++l) {
      const RootEntry& place = root->entries()[root->route(keys[start + l])];
      buckets[l] = place.bucket(keys[start + l]);
      segments[l] = place.segment.load(std::memory_order_acquire);
      __builtin_prefetch(segments[l]);
      __builtin_prefetch(&segments[l]->hints[buckets[l]]);
    }
    for (size_t l = 0; l < lanes; ++l) {
      entries[l] = &segments[l]->entries()[segments[l]->route(keys[start + l], buckets[l])];
      __builtin_prefetch(entries[l]);
    }
    for (size_t l = 0; l < lanes; ++l) {
      View& view = views[l];
      // The bucket may be another segment's, and then have led too far.
      if (!view.open(*entries[l]) || view.base > keys[start + l]) {
        view.slots = nullptr;
        continue;
      }
      if (view.model.exact()) {
        __builtin_prefetch(&view.slots[std::min<uint64_t>(keys[start + l] - view.base, view.model.cap())]);
      } else if (!view.model.dense()) {
        // Both lines that find_slot() looks at first.
        const uint32_t at = view.model.predict(keys[start + l], view.base) & ~(kLineSlots - 1);
        __builtin_prefetch(&view.slots[at]);
        __builtin_prefetch(&view.slots[at + kLineSlots]);
      } else {
        __builtin_prefetch(&view.slots[view.model.lo() / 2]);
      }
    }
    for (size_t l = 0; l < lanes; ++l) {
      const View& view = views[l];
      const size_t at = start + l;
      bool sound = view.slots != nullptr;
      if (sound) {
        uint64_t slot;
        if (view.model.exact()) {
          found[at] = find_exact(view.slots, view.model, view.base, keys[at], &slot);
        } else {
          uint32_t end;
          slot = find_in_leaf(view.slots, view.model, view.base, keys[at], &end);
          found[at] = slot < end && view.slots[slot].get_key() == keys[at];
        }
        if (found[at]) payloads[at] = view.slots[slot].get_payload();
        sound = view.still(*entries[l]);
      }
      if (!sound) found[at] = find(keys[at], &payloads[at]);
      hits += found[at];
    }
  }
  return hits;
}

namespace {

struct SlotReader {
  const Slot* slots;
  const Side* side;
  void operator()(uint32_t i, uint64_t key, Pair* to) const { *to = {key, slots[i].get_payload()}; }
  void operator()(uint32_t i, uint64_t key, Item* to) const {
    *to = {key, slots[i].get_payload(), side[i].load(std::memory_order_acquire)};
  }
};

// Inlined always, as the next ones: they have no effect that gcc 12 knows, and it drops calls of such.
[[gnu::always_inline]] inline void prefetch_bytes(const void* begin, size_t bytes) {
  const auto* at = static_cast<const char*>(begin);
  for (size_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(at + byte);
}

// Starts loading the sides of slots [i, i + n).
[[gnu::always_inline]] inline void prefetch_sides(const Slot* slots, Model model, uint32_t i, size_t n) {
  if (model.wide()) prefetch_bytes(sides(slots, model) + i, n * sizeof(Side));
}

// The same for the slots, and the sides, of the n first keys, or last ones, of a leaf that is not being
// looked at yet. Processors follow a row of lines once they have seen its beginning, and leaves are short
// rows.
[[gnu::always_inline]] inline void prefetch_leaf(const Entry& entry, size_t n, bool from_end) {
  const Model model{entry.model.load(std::memory_order_relaxed)};
  const Slot* slots = entry.leaf.load(std::memory_order_relaxed);
  const uint32_t begin = model.dense() ? 0 : model.lo(), end = model.dense() ? model.lo() : model.cap();
  if (begin >= end) return;
  n = std::min<size_t>(model.dense() ? n : n + n / 2, end - begin);
  const uint32_t i = from_end ? end - static_cast<uint32_t>(n) : begin;
  prefetch_bytes(slots + i, n * sizeof(Slot));
  prefetch_sides(slots, model, i, n);
}

// The entry of a key, by the copy of its segment's line that the root has: the header and the hints are
// waited for at once.
struct Way {
  uint32_t place;
  const Segment* segment;
  uint32_t index;

  Way(const Root* root, uint64_t key) : place(root->route(key)) {
    const RootEntry& entry = root->entries()[place];
    segment = entry.segment.load(std::memory_order_acquire);
    const uint32_t bucket = entry.bucket(key);
    __builtin_prefetch(segment);
    index = segment->route(key, bucket);
    if (segment->separator(index) > key)
      index = segment->route(key);  // the bucket was another segment's, or of a key below it
  }
};

}  // namespace

template <class Out>
bool Core::forward_as(uint64_t from, size_t max, Out* out, size_t* n, uint64_t* next) const {
  EpochGuard guard;
  *n = 0;
  for (uint32_t attempt = 0;; relax(attempt++)) {
    const Root* root = root_.load(std::memory_order_acquire);
    auto [place, segment, index] = Way(root, from);
    for (bool first = true;; first = false) {
      const Entry& entry = segment->entries()[index];
      View view;
      if (!view.open(entry)) {
        if (dead_.load(std::memory_order_acquire)) return false;
        break;
      }
      // Of leaves after the first all keys are wanted.
      uint32_t i = view.model.dense() ? 0 : view.model.lo(),
               end = view.model.dense() ? view.model.lo() : view.model.cap();
      if (first) {
        if (view.model.dense()) {
          // The search waits for one line after the other.
          if (end <= kDenseMax) prefetch_bytes(view.slots, end * sizeof(Slot));
        } else {
          // All that is wanted of it, before the first line has come.
          const uint32_t at = view.model.predict(from, view.base) & ~(kLineSlots - 1);
          prefetch_bytes(view.slots + at, std::min<size_t>(end - at, max + max / 4) * sizeof(Slot));
        }
        i = find_in_leaf(view.slots, view.model, view.base, from, &end);
        prefetch_sides(view.slots, view.model, i, std::min<size_t>(end - i, max - *n));
      }
      if (end - i < max - *n && index + 1 < segment->count.load(std::memory_order_relaxed))
        prefetch_leaf(segment->entries()[index + 1], max - *n - (end - i), false);
      const SlotReader take{view.slots, sides(view.slots, view.model)};
      size_t taken = *n;
      if (view.model.dense()) {
        for (; i < end && taken < max; ++i) take(i, view.slots[i].get_key(), &out[taken++]);
      } else if (i < end) {
        uint64_t previous = ~view.slots[i].get_key();
        while (i < end && taken < max) {
          // Each slot adds one pair at most: so many can go without a look at `max`, and without a branch.
          const uint32_t stop = i + static_cast<uint32_t>(std::min<size_t>(end - i, max - taken));
          Out* to = out + taken;
          for (; i < stop; ++i) {
            const uint64_t key = view.slots[i].get_key();
            take(i, key, to);
            to += key != previous;
            previous = key;
          }
          taken = static_cast<size_t>(to - out);
        }
      }
      // Where this leaf ends; a leaf added behind it meanwhile counts as already there.
      const uint32_t count = segment->count.load(std::memory_order_acquire);
      const bool last = index + 1 >= count;
      uint64_t border = 0;
      const bool open_end = last && place + 1 >= root->count;
      if (!open_end) border = last ? root->entries()[place + 1].separator : segment->separator(index + 1);
      if (!view.still(entry)) break;
      *n = taken;
      attempt = 0;
      if (taken == max) {
        if (max > 0 && out[max - 1].key == UINT64_MAX) return false;
        *next = max > 0 ? out[max - 1].key + 1 : from;
        return true;
      }
      if (open_end) return false;
      from = border;
      if (last) {
        segment = root->segment(++place);
        index = 0;
      } else {
        ++index;
      }
    }
    if (*n > 0 && out[*n - 1].key >= from) {
      if (out[*n - 1].key == UINT64_MAX) return false;
      from = out[*n - 1].key + 1;
    }
  }
}

template <class Out>
bool Core::backward_as(uint64_t from, size_t max, Out* out, size_t* n, uint64_t* next) const {
  EpochGuard guard;
  *n = 0;
  for (uint32_t attempt = 0;; relax(attempt++)) {
    const Root* root = root_.load(std::memory_order_acquire);
    auto [place, segment, index] = Way(root, from);
    for (bool nearest = true;; nearest = false) {
      const Entry& entry = segment->entries()[index];
      View view;
      if (!view.open(entry)) {
        if (dead_.load(std::memory_order_acquire)) return false;
        break;
      }
      const uint32_t first = view.model.dense() ? 0 : view.model.lo();
      uint32_t i = view.model.dense() ? view.model.lo() : view.model.cap(),
               end = i;  // from here on: everything before i
      if (nearest) {
        if (view.model.dense()) {
          if (end <= kDenseMax) prefetch_bytes(view.slots, end * sizeof(Slot));
        } else {
          const uint32_t at = std::min(end, (view.model.predict(from, view.base) | (kLineSlots - 1)) + 1);
          const uint32_t wanted = static_cast<uint32_t>(std::min<size_t>(at, max + max / 4));
          prefetch_bytes(view.slots + (at - wanted), wanted * sizeof(Slot));
        }
        i = find_in_leaf(view.slots, view.model, view.base, from, &end);
        if (i < end && view.slots[i].get_key() == from) ++i;
      }
      const size_t here = std::min<size_t>(i > first ? i - first : 0, max - *n);
      if (nearest) prefetch_sides(view.slots, view.model, i - static_cast<uint32_t>(here), here);
      if (here < max - *n && index > 0) prefetch_leaf(segment->entries()[index - 1], max - *n - here, true);
      const SlotReader take{view.slots, sides(view.slots, view.model)};
      size_t taken = *n;
      while (i > first && taken < max) {
        --i;
        const uint64_t key = view.slots[i].get_key();
        if (view.model.dense() || i == first || view.slots[i - 1].get_key() != key) {
          take(i, key, &out[taken++]);
        }
      }
      const bool open_end = index == 0 && place == 0;
      const uint64_t border = open_end ? 0 : index == 0 ? root->entries()[place].separator : segment->separator(index);
      if (!view.still(entry)) break;
      *n = taken;
      attempt = 0;
      if (taken == max) {
        if (max > 0 && out[max - 1].key == 0) return false;
        *next = max > 0 ? out[max - 1].key - 1 : from;
        return true;
      }
      if (open_end || border == 0) return false;
      from = border - 1;
      if (index == 0) {
        segment = root->segment(--place);
        index = segment->count.load(std::memory_order_acquire) - 1;
        // An older root may show a segment that has been split since: its entries are obsolete, and say so.
      } else {
        --index;
      }
    }
    if (*n > 0 && out[*n - 1].key <= from) {
      if (out[*n - 1].key == 0) return false;
      from = out[*n - 1].key - 1;
    }
  }
}

bool Core::scan_forward(uint64_t from, size_t max, Pair* out, size_t* n, uint64_t* next) const {
  return forward_as(from, max, out, n, next);
}
bool Core::scan_forward(uint64_t from, size_t max, Item* out, size_t* n, uint64_t* next) const {
  return forward_as(from, max, out, n, next);
}
bool Core::scan_backward(uint64_t from, size_t max, Pair* out, size_t* n, uint64_t* next) const {
  return backward_as(from, max, out, n, next);
}
bool Core::scan_backward(uint64_t from, size_t max, Item* out, size_t* n, uint64_t* next) const {
  return backward_as(from, max, out, n, next);
}

uint64_t Core::count(uint64_t lo, uint64_t hi) const {
  if (lo > hi) return 0;
  EpochGuard guard;
  uint64_t total = 0, from = lo;
  for (uint32_t attempt = 0;; relax(attempt++)) {
    const Root* root = root_.load(std::memory_order_acquire);
    uint32_t place = root->route(from);
    const Segment* segment = root->segment(place);
    uint32_t index = segment->route(from);
    for (;;) {
      const Entry& entry = segment->entries()[index];
      View view;
      if (!view.open(entry)) {
        if (dead_.load(std::memory_order_acquire)) return total;
        break;
      }
      const uint32_t count = segment->count.load(std::memory_order_acquire);
      const bool last = index + 1 >= count;
      const bool open_end = last && place + 1 >= root->count;
      const uint64_t border = open_end ? 0
                              : last   ? root->entries()[place + 1].separator
                                       : segment->separator(index + 1);
      const bool whole_left =
          index > 0 ? segment->separator(index) >= lo : place > 0 && root->entries()[place].separator >= lo;
      const bool whole_right = !open_end && border - 1 <= hi;
      uint64_t here = 0;
      if (whole_left && (whole_right || (open_end && hi == UINT64_MAX))) {
        here = view.live();
      } else {
        Contents all;
        all.add(view.slots, view.model);
        if (!view.still(entry)) break;
        for (uint32_t i = 0; i < all.n; ++i) here += all.pairs[i].key >= lo && all.pairs[i].key <= hi;
      }
      if (!view.still(entry)) break;
      total += here;
      attempt = 0;
      if (open_end || border > hi) return total;
      from = border;
      if (last) {
        segment = root->segment(++place);
        index = 0;
      } else {
        ++index;
      }
    }
  }
}

uint64_t Core::size() const {
  EpochGuard guard;
  for (uint32_t attempt = 0;; relax(attempt++)) {
    uint64_t total = 0;
    bool whole = true;
    const Root* root = root_.load(std::memory_order_acquire);
    for (uint32_t s = 0; s < root->count && whole; ++s) {
      const Segment* segment = root->segment(s);
      const uint32_t count = segment->count.load(std::memory_order_acquire);
      for (uint32_t i = 0; i < count; ++i) {
        const uint64_t version = segment->entries()[i].version.load(std::memory_order_relaxed);
        whole = whole && (version & kObsolete) == 0;
        total += version >> kLiveShift;
      }
    }
    if (whole || dead_.load(std::memory_order_acquire)) return total;
  }
}

CoreStatistics Core::statistics() const {
  EpochGuard guard;
  CoreStatistics s;
  s.rebuilds = rebuilds_.load(std::memory_order_relaxed);
  s.splits = splits_.load(std::memory_order_relaxed);
  s.merges = merges_.load(std::memory_order_relaxed);
  const Root* root = root_.load(std::memory_order_acquire);
  s.bytes = sizeof(Core) + root_bytes(root);
  for (uint32_t r = 0; r < root->count; ++r) {
    const Segment* segment = root->segment(r);
    ++s.segments;
    s.bytes += segment_bytes(segment);
    const uint32_t count = segment->count.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) {
      const Entry& entry = segment->entries()[i];
      View view;
      if (!view.open(entry)) continue;  // in the middle of a change: a report can do without
      ++s.leaves;
      s.dense_leaves += view.model.dense();
      s.keys += view.live();
      s.slots += view.model.cap();
      s.bytes += leaf_bytes(view.model);
      // The model's error is sampled, in one leaf of sixteen, and scaled up.
      if (i % 16 != 0 || view.model.dense()) continue;
      uint64_t drift = 0;
      for (uint32_t j = view.model.lo(); j < view.model.cap(); ++j) {
        const uint64_t key = view.slots[j].get_key();
        if (j > view.model.lo() && key == view.slots[j - 1].get_key()) continue;
        const uint32_t predicted = view.model.predict(key, view.base);
        if (j > predicted) drift += j - predicted;
      }
      if (view.still(entry)) s.drift += drift * 16;
    }
  }
  return s;
}

std::string Core::verify() const {
  EpochGuard guard;
  const Root* root = root_.load(std::memory_order_acquire);
  const auto fault = [](const char* what, uint64_t where) {
    return std::string(what) + " at key " + std::to_string(where);
  };
  const bool one_leaf = wide_ && root->count == 1 && root->segment(0)->count.load(std::memory_order_acquire) == 1;
  if (sole_.load(std::memory_order_acquire) != (one_leaf ? root->segment(0)->entries() : nullptr))
    return fault("sole leaf not known as it is", root->entries()[0].separator);
  for (uint32_t r = 0; r < root->count; ++r) {
    const Segment* segment = root->segment(r);
    const uint64_t separator = root->entries()[r].separator;
    if (r > 1 && root->entries()[r - 1].separator >= separator) return fault("segments out of order", separator);
    const uint32_t count = segment->count.load(std::memory_order_acquire);
    if (count == 0 || count > segment->capacity) return fault("segment with a wrong count", separator);
    if (segment->obsolete) return fault("obsolete segment in the root", separator);
    for (uint32_t i = 0; i < count; ++i) {
      const Entry& entry = segment->entries()[i];
      const uint64_t version = entry.version.load(std::memory_order_acquire);
      const uint64_t base = entry.base.load(std::memory_order_acquire);
      const Model model{entry.model.load(std::memory_order_acquire)};
      const Slot* slots = entry.leaf.load(std::memory_order_acquire);
      if ((version & (kLocked | kBusy | kObsolete)) != 0) return fault("lock held for ever", base);
      if (i > 1 && segment->separator(i - 1) >= base) return fault("leaves out of order", base);
      const bool has_low = i > 0 || r > 0, has_high = i + 1 < count || r + 1 < root->count;
      const uint64_t low = i > 0 ? base : separator;
      const uint64_t high = i + 1 < count ? segment->separator(i + 1) : has_high ? root->entries()[r + 1].separator : 0;
      if (model.lo() > model.cap() + kSlotPad || model.cap() > kLeafSlots) return fault("leaf with wrong bounds", base);
      if (model.wide() != wide_) return fault("leaf of the other kind", base);
      Contents all;
      all.add(slots, model);
      const Pair* pairs = all.pairs;
      const uint32_t n = all.n;
      if (n != version >> kLiveShift) return fault("leaf with a wrong count", base);
      for (uint32_t k = 0; k < n; ++k) {
        const uint64_t key = pairs[k].key;
        if (k > 0 && pairs[k - 1].key >= key) return fault("keys out of order", key);
        if ((has_low && key < low) || (has_high && key >= high)) return fault("key in the wrong leaf", key);
        if (segment->route(key) != i || root->route(key) != r) return fault("hint leads astray", key);
        uint32_t end;
        const uint32_t at = find_in_leaf(slots, model, base, key, &end);
        if (at >= end || slots[at].get_key() != key || slots[at].get_payload() != pairs[k].payload) {
          return fault("key not at its place", key);
        }
        const Item expected{key, pairs[k].payload, all.sides[k]};
        if (!agrees_every_way(key, &expected)) return fault("lookup that misses", key);
        if (key != UINT64_MAX && (k + 1 < n ? pairs[k + 1].key > key + 1 : has_high && high > key + 1) &&
            !agrees_every_way(key + 1, nullptr)) {
          return fault("lookup that finds nobody's key", key + 1);
        }
        if (!model.dense() && at > model.predict(key, base) + kDriftMax)
          return fault("key too far from its prediction", key);
      }
      if (!model.dense() && n > 0) {
        for (uint32_t j = model.cap(); j < model.cap() + kSlotPad; ++j) {
          if (slots[j].get_key() != pairs[n - 1].key) return fault("leaf without its margin", pairs[n - 1].key);
        }
      }
    }
  }
  return {};
}

}  // namespace omendb::index
