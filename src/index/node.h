// The nodes of the learned core: what one looks like, and how a key finds its way through one. core.h has the
// story.
//
//   Root     separators of all segments, ascending, a copy of each one's line, and a learned hint into them. Replaced as a whole.
//   Segment  up to kSegmentEntries entries and a learned hint into them. Replaced as a whole, but for entries
//   at its end. Entry    separator, model, lock and address of one leaf, in half a cache line: a lookup goes
//   from here to the slot. leaf     an array of slots, nothing else.
//
// A leaf is one of two kinds.
//   gapped   Each key stands at its predicted slot or to the right of it, by at most kDriftMax. A gap repeats
//   the key of
//            the slot before it; slots before lo() hold nothing; slots after the last key repeat it, kSlotPad
//            of them beyond cap(). So a slot is live if it is lo() or differs from the one before: no bitmap,
//            no sentinel key.
//   dense    Keys stand in slots 0 .. lo() - 1 without gaps. For leaves that grow at their end, tiny ones,
//   and keys that
//            no line fits: the B-tree's worst case.
//
// Behind the slots of a wide leaf lies a second word for each of them, its side (sides()).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace omendb::index {

// 16 KB: a rebuild moves at most that much and stays at a few microseconds. A full leaf holds some 600 keys.
inline constexpr uint32_t kLeafSlots = 1024;
// find_slot() compares eight slots at a time, from the start of a cache line.
inline constexpr uint32_t kProbe = 8;
inline constexpr uint32_t kLineSlots = 4;
inline constexpr uint32_t kSlotPad = 7;
// A key is at most this far right of its prediction; a rebuild aims at half, so that the next one is that
// many inserts away.
inline constexpr uint32_t kDriftMax = 128;
inline constexpr uint32_t kSegmentEntries = 128;
inline constexpr uint32_t kSegmentHints = 256;

/// floor((delta + 1) * m * 2^-(32 + k)): the one predict(), exact and monotonous, for build, split and
/// lookup. m in [2^31, 2^32) and k in [0, 63] make slopes in (0, 1): a unit of key never needs more than one
/// slot.
inline uint64_t scale(uint64_t delta, uint32_t m, uint32_t k) {
  const uint64_t wide = static_cast<uint64_t>(m) << 32;
  const unsigned __int128 product = static_cast<unsigned __int128>(delta) * wide;
  uint64_t low = static_cast<uint64_t>(product);
  // One more `wide`, by its carry: compilers turn 128-bit arithmetic here into memory traffic.
  const uint64_t high = static_cast<uint64_t>(product >> 64) + (__builtin_add_overflow(low, wide, &low) ? 1 : 0);
  return high >> k;
}

inline uint64_t distance(uint64_t key, uint64_t base) { return key > base ? key - base : 0; }

/// The largest representable slope that is not above `slope`.
inline void to_fixed(double slope, uint32_t* m, uint32_t* k) {
  *k = 0;
  if (slope >= 1.0) {
    *m = UINT32_MAX;
    return;
  }
  while (slope < 0.5 && *k < 63) {
    slope *= 2;
    ++*k;
  }
  *m = static_cast<uint32_t>(slope * 4294967296.0);
}

struct Slot {
  std::atomic<uint64_t> key;
  std::atomic<uint64_t> payload;

  // Acquire and release: on x86 they are plain moves, and the validation of a reader needs no fence.
  uint64_t get_key() const { return key.load(std::memory_order_acquire); }
  uint64_t get_payload() const { return payload.load(std::memory_order_acquire); }
  void set_key(uint64_t k) { key.store(k, std::memory_order_release); }
  void set_payload(uint64_t p) { payload.store(p, std::memory_order_release); }
  void set(uint64_t k, uint64_t p) {
    set_key(k);
    set_payload(p);
  }
};

/// m:32 | k:6 | cap:11 | lo:11 | unused:2 | wide:1 | dense:1, from the top.
struct Model {
  uint64_t word = 0;

  static Model make(uint32_t m, uint32_t k, uint32_t cap, uint32_t lo, bool wide, bool dense) {
    return {(static_cast<uint64_t>(m) << 32) | (static_cast<uint64_t>(k) << 26) | (static_cast<uint64_t>(cap) << 15) |
            (static_cast<uint64_t>(lo) << 4) | static_cast<uint64_t>(wide) << 1 | static_cast<uint64_t>(dense)};
  }
  uint32_t m() const { return static_cast<uint32_t>(word >> 32); }
  uint32_t k() const { return (word >> 26) & 63; }
  uint32_t cap() const { return (word >> 15) & 2047; }
  uint32_t lo() const { return (word >> 4) & 2047; }
  bool wide() const { return (word & 2) != 0; }
  bool dense() const { return (word & 1) != 0; }
  /// Gapped, with a slot for each possible key: the one for base + i is slot i. Never too full.
  bool exact() const { return (word ^ uint64_t{UINT32_MAX} << 32) >> 26 == 0; }
  /// Dense leaves need no margin.
  uint32_t slots() const { return cap() + (dense() ? 0 : kSlotPad); }
  Model with_lo(uint32_t lo) const { return {(word & ~(uint64_t{2047} << 4)) | (static_cast<uint64_t>(lo) << 4)}; }

  uint32_t predict(uint64_t key, uint64_t base) const {
    const uint64_t position = scale(distance(key, base), m(), k());
    const uint32_t last = cap() - 1;
    return position < last ? static_cast<uint32_t>(position) : last;
  }
};

/// The second words of a wide leaf, slot by slot. Those of gaps and of the margin mean nothing, or are not there.
using Side = std::atomic<uint64_t>;
inline Side* sides(Slot* slots, Model model) { return reinterpret_cast<Side*>(slots + model.slots()); }
inline const Side* sides(const Slot* slots, Model model) {
  return reinterpret_cast<const Side*>(slots + model.slots());
}

// live:11 | sequence:50 | obsolete | busy | locked
inline constexpr uint64_t kLocked = 1;    // a writer owns the leaf; readers carry on
inline constexpr uint64_t kBusy = 2;      // its slots or the entry are changing; readers look again
inline constexpr uint64_t kObsolete = 4;  // for good: the way starts again at the root
inline constexpr uint64_t kSequence = 8;
inline constexpr uint32_t kLiveShift = 53;

struct Entry {
  std::atomic<uint64_t> version;
  /// Separator and origin of the model. The first entry of a segment has no use for a separator: there it may
  /// change.
  std::atomic<uint64_t> base;
  std::atomic<uint64_t> model;
  std::atomic<Slot*> leaf;

  uint32_t live() const { return static_cast<uint32_t>(version.load(std::memory_order_relaxed) >> kLiveShift); }
};
static_assert(sizeof(Entry) == 32);

/// Hints are lower bounds: hint[b] is the last entry whose separator falls into a bucket before b, or 0.
struct Hinter {
  uint64_t base = 0;
  uint64_t line = uint64_t{1} << 63 | 63;  // slope m * 2^-(32 + k) as m << 32 | k; one word, so that it can be copied

  static Hinter make(uint64_t base, double slope) {
    uint32_t m, k;
    to_fixed(slope, &m, &k);
    return {base, static_cast<uint64_t>(m) << 32 | k};
  }
  /// k and all makes the slope a little larger, and is no reason to take it out first.
  static uint64_t position(uint64_t distance, uint64_t line) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(distance) * line) >> 64) >> (line & 63);
  }
  uint32_t bucket(uint64_t key, uint64_t last) const {
    const uint64_t b = position(distance(key, base), line);
    return static_cast<uint32_t>(b < last ? b : last);
  }
};

/// The last i in [from, n) with separator(i) <= key, given that `from` is such or 0. Near `from`: two compares. Far from it, where
/// keys follow no line: a binary search without a branch a step, up to limit(), which the next bucket's hint knows.
template <class Separator, class Limit>
[[gnu::always_inline]] inline uint32_t advance(uint32_t from, uint32_t n, uint64_t key, const Separator& separator,
                                               const Limit& limit) {
  uint32_t i = from;
  const uint32_t one = (i + 1 < n) & (separator(i + 1 < n ? i + 1 : i) <= key);  // one in five: not worth a branch
  i += one;
  if (i + 1 >= n || separator(i + 1) > key) [[likely]]
    return i;
  ++i;
  const uint32_t last = limit() < n ? limit() : n - 1;
  for (uint32_t span = last > i ? last - i : 0; span > 0;) {
    const uint32_t half = span - span / 2;
    i += half & (0 - static_cast<uint32_t>(separator(i + half) <= key));
    span -= half;
  }
  while (i + 1 < n && separator(i + 1) <= key) ++i;  // entries were added at the end, and their hints are to come
  return i;
}

struct alignas(64) Segment {
  Hinter hinter;
  std::atomic<uint32_t> count;
  uint32_t capacity;
  std::atomic<uint32_t> smo_lock;  // held to change the structure below this segment
  bool obsolete = false;           // under smo_lock
  alignas(64) std::atomic<uint8_t> hints[kSegmentHints];

  /// Behind the last there are others up to capacity, and kMargin more: obsolete, with the largest separator there is.
  static constexpr uint32_t kMargin = 2;
  Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
  const Entry* entries() const { return reinterpret_cast<const Entry*>(this + 1); }
  uint64_t separator(uint32_t i) const { return entries()[i].base.load(std::memory_order_relaxed); }
  uint32_t hint(uint32_t bucket) const { return hints[bucket].load(std::memory_order_relaxed); }
  uint32_t route(uint64_t key) const { return route(key, hinter.bucket(key, kSegmentHints - 1)); }
  [[gnu::always_inline]] inline uint32_t route(uint64_t key, uint32_t bucket) const {
    const uint32_t n = count.load(std::memory_order_acquire);
    return advance(
        hint(bucket), n, key, [this](uint32_t i) { return separator(i); },
        [&] { return bucket + 1 < kSegmentHints ? hint(bucket + 1) : n; });
  }
};

struct RootEntry {
  uint64_t separator;  // of the first, never looked at
  // A copy of the segment's hinter takes one miss from the way. The three words are not read as one: a lookup that got
  // the line of another segment ends at a leaf that has not got the key.
  std::atomic<uint64_t> base, line;
  std::atomic<Segment*> segment;

  uint32_t bucket(uint64_t key) const {
    const uint64_t distance = key - base.load(std::memory_order_relaxed);
    const uint64_t b = Hinter::position(distance, line.load(std::memory_order_relaxed));
    return b < kSegmentHints ? static_cast<uint32_t>(b) : kSegmentHints - 1;
  }
  void put(Segment* fresh) {
    base.store(fresh->hinter.base, std::memory_order_relaxed);
    line.store(fresh->hinter.line, std::memory_order_relaxed);
    segment.store(fresh, std::memory_order_release);
  }
};

/// Where keys follow no line, the buckets of a root have lines of their own.
struct RootPart {
  Hinter hinter;
  uint32_t first, last;  // of its buckets
};

struct Root {
  Hinter hinter;
  uint64_t last_bucket;
  uint32_t* hints;        // behind the entries and the parts
  const RootPart* parts;  // one for each bucket, or null
  uint32_t count;
  size_t bytes;

  /// Two more follow, with the largest separator there is.
  static constexpr uint32_t kMargin = 2;
  RootEntry* entries() { return reinterpret_cast<RootEntry*>(this + 1); }
  const RootEntry* entries() const { return reinterpret_cast<const RootEntry*>(this + 1); }
  [[gnu::always_inline]] inline uint32_t bucket(uint64_t key) const {
    const uint32_t bucket = hinter.bucket(key, last_bucket);
    if (parts == nullptr) return bucket;
    const RootPart& part = parts[bucket];
    return part.first + part.hinter.bucket(key, part.last);
  }
  uint32_t route(uint64_t key) const { return route(key, bucket(key)); }
  [[gnu::always_inline]] inline uint32_t route(uint64_t key, uint32_t bucket) const {
    return advance(
        hints[bucket], count, key, [this](uint32_t i) { return entries()[i].separator; },
        [&] { return hints[bucket + 1]; });
  }
  Segment* segment(uint32_t i) const { return entries()[i].segment.load(std::memory_order_acquire); }
};

/// The first slot of [lo, cap) whose key is >= key, or cap. Requires that all slots before `predicted` are
/// smaller; those on its cache line are read nevertheless, and up to kSlotPad beyond cap: counting the
/// smaller ones of eight has no branch to mispredict, and nine lookups in ten end with the first eight. Slots
/// before lo hold erased keys, all smaller than those that live.
inline uint32_t find_slot(const Slot* slots, uint32_t predicted, uint32_t lo, uint32_t cap, uint64_t key) {
  uint32_t i = predicted & ~(kLineSlots - 1);
  while (i < cap) {
    uint32_t smaller = 0;
#pragma GCC unroll 8
    for (uint32_t j = 0; j < kProbe; ++j) smaller += slots[i + j].get_key() < key;
    i += smaller;
    if (smaller < kProbe) break;
  }
  i = i > lo ? i : lo;
  return i < cap ? i : cap;
}

/// The first slot of [0, n) whose key is >= key, or n.
inline uint32_t find_dense(const Slot* slots, uint32_t n, uint64_t key) {
  uint32_t first = 0;
  while (n > 0) {
    const uint32_t half = n / 2;
    const bool right = slots[first + half].get_key() < key;
    first = right ? first + half + 1 : first;
    n = right ? n - half - 1 : half;
  }
  return first;
}

/// Whether `key` is in an exact leaf, where it can be in one slot only, and which. Requires base <= key.
[[gnu::always_inline]] inline bool find_exact(const Slot* slots, Model model, uint64_t base, uint64_t key,
                                              uint64_t* slot) {
  *slot = key - base;
  return *slot < model.cap() && *slot >= model.lo() && slots[*slot].get_key() == key;
}

/// Where key is, or would be; `end` is the first slot that cannot hold it.
inline uint32_t find_in_leaf(const Slot* slots, Model model, uint64_t base, uint64_t key, uint32_t* end) {
  if (model.dense()) {
    *end = model.lo();
    return find_dense(slots, model.lo(), key);
  }
  *end = model.cap();
  return find_slot(slots, model.predict(key, base), model.lo(), model.cap(), key);
}

}  // namespace omendb::index
