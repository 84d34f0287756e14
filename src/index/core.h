// The learned core: an ordered map from uint64 to uint64, for OrderedIndex to build keys of bytes on.
//
// Root -> segment -> leaf (node.h). Each level predicts a place from the key and then compares keys, to the
// right only: the prediction saves time, the comparison decides. Where keys follow no line, the same walk is
// a binary search, so the worst case is a B-tree's.
//
// Invariants
//  1. Separators of a segment ascend; entry i holds exactly the keys in [separator(i), separator(i + 1)), the first one
//     everything below, down to its segment's separator in the root, and the root's first everything below that.
//  2. In a gapped leaf a key's slot is in [predict(key), predict(key) + kDriftMax], by the same predict() always.
//  3. Slots and entry of a leaf change only under its lock, and only while the busy bit is up. Readers take no lock:
//     they read, then look whether the version is still the same.
//  4. Structure is copied, then swapped: a split leaf's segment is built anew, published, and only then is the old one
//     obsolete, entry by entry, for good. Readers read the old nodes until then; EpochGuards keep them alive.
//  5. Locks are taken in this order: a segment's smo_lock, entries, root. Holders of one entry only wait for nothing.
//  6. kLeafSlots bounds what one insert or erase moves, kSegmentEntries what a split copies; the root is copied once in
//     some 64 splits.
//
// core_find.cc looks up, scan.cc goes along, core.cc writes into a leaf, core_structure.cc splits and merges.
#pragma once

#include <cstdint>
#include <functional>
#include <shared_mutex>
#include <string>

#include "index/epoch.h"
#include "index/node.h"

namespace omendb::index {

struct LeafImage;  // build.h

struct Pair {
  uint64_t key;
  uint64_t payload;
};

/// What a wide core keeps for a key: two words, read and written as one.
struct Wide {
  uint64_t payload;
  uint64_t side;
};

struct Item {
  uint64_t key;
  uint64_t payload;
  uint64_t side;  // of a wide core
};

struct CoreStatistics {
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t leaves = 0;
  uint64_t dense_leaves = 0;
  uint64_t segments = 0;
  uint64_t slots = 0;
  uint64_t drift = 0;  // sum over keys of gapped leaves of slots between prediction and key
  uint64_t rebuilds = 0;
  uint64_t splits = 0;
  uint64_t merges = 0;
};

/// What apply() shall do with the key its callback was shown.
enum class Verdict { kKeep, kStore, kErase };

class Core {
 public:
  /// A wide core keeps a Wide for each key, any other a word. It answers in no other type than its own.
  explicit Core(bool wide = false);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  bool find(uint64_t key, uint64_t* payload) const {
    EpochGuard guard;
    return find_pinned(key, payload);
  }
  /// The same for who holds an EpochGuard.
  bool find_pinned(uint64_t key, uint64_t* payload) const;
  bool find_pinned(uint64_t key, Wide* value) const;

  /// Looks up `n` keys, overlapping their cache misses. found[i] says whether payloads[i] was set.
  size_t find_many(const uint64_t* keys, size_t n, uint64_t* payloads, bool* found) const;

  /// Shows `decide` the payload of the key, or nullptr, under the leaf's lock, and does what it says: keep;
  /// store *value, adding the key if need be; erase.
  ///
  /// decide:  Verdict(const uint64_t* present, uint64_t* value). Called again where it said kStore for an absent key
  ///          and the structure was in the way. Must not come back into this core.
  /// Returns: false if the core is dead (freeze_if_empty).
  /// Thread:  any.
  template <class Decide>
  bool apply(uint64_t key, const Decide& decide) {
    return apply_as<uint64_t>(key, decide);
  }
  /// The same for a wide core: Verdict(const Wide* present, Wide* value).
  template <class Decide>
  bool apply_wide(uint64_t key, const Decide& decide) {
    return apply_as<Wide>(key, decide);
  }

  /// Copies up to `max` pairs with keys >= from, ascending; *next is where to go on. False: the end was
  /// reached.
  bool scan_forward(uint64_t from, size_t max, Pair* out, size_t* n, uint64_t* next) const;
  bool scan_forward(uint64_t from, size_t max, Item* out, size_t* n, uint64_t* next) const;
  /// Copies up to `max` pairs with keys <= from, descending.
  bool scan_backward(uint64_t from, size_t max, Pair* out, size_t* n, uint64_t* next) const;
  bool scan_backward(uint64_t from, size_t max, Item* out, size_t* n, uint64_t* next) const;
  /// Counts keys in [lo, hi]. Whole leaves are not read.
  uint64_t count(uint64_t lo, uint64_t hi) const;

  /// Fills an empty core from a strictly ascending stream. False: it was not; the core is empty. Thread:
  /// alone.
  bool bulk_load(const std::function<bool(Pair*)>& next);
  bool bulk_load(const std::function<bool(Item*)>& next);
  /// Thread: alone.
  void clear();

  uint64_t size() const;
  CoreStatistics statistics() const;
  /// The first violated invariant, or nothing. Thread: alone among writers.
  std::string verify() const;

  /// Closes an empty core for good: find() finds nothing, apply() refuses. For whoever unlinks it. False: it
  /// is not empty, or not yet small enough to tell.
  bool freeze_if_empty();
  bool looks_empty() const;

  static void relax(uint32_t attempt);

 private:
  // One consistent look at an entry.
  struct View {
    uint64_t version;
    uint64_t base;
    Model model;
    const Slot* slots;

    bool open(const Entry& entry) {
      version = entry.version.load(std::memory_order_acquire);
      if ((version & (kBusy | kObsolete)) != 0) [[unlikely]]
        return false;
      base = entry.base.load(std::memory_order_acquire);
      model.word = entry.model.load(std::memory_order_acquire);
      slots = entry.leaf.load(std::memory_order_acquire);
      return still(entry);  // before following the pointer with the bounds of another leaf
    }
    bool still(const Entry& entry) const {
      return ((entry.version.load(std::memory_order_acquire) ^ version) & ~kLocked) == 0;
    }
    uint32_t live() const { return static_cast<uint32_t>(version >> kLiveShift); }
  };

  // A locked leaf, and the slot in it.
  struct Place {
    Entry* entry;
    uint32_t index;    // of the entry
    uint64_t version;  // as before locking
    uint64_t base;
    Model model;
    Slot* slots;
    uint32_t i, end;
    uint32_t live() const { return static_cast<uint32_t>(version >> kLiveShift); }
  };

  const Entry& locate(uint64_t key) const {
    const Root* root = root_.load(std::memory_order_acquire);
    const Segment* segment = root->segment(root->route(key));
    return segment->entries()[segment->route(key)];
  }

  // `Value` below: uint64_t, or Wide in a wide core.
  static void read(const Slot* slots, Model, size_t i, uint64_t* value) { *value = slots[i].get_payload(); }
  static void read(const Slot* slots, Model model, size_t i, Wide* value) {
    *value = {slots[i].get_payload(), sides(slots, model)[i].load(std::memory_order_acquire)};
  }
  static Item item(uint64_t key, uint64_t value) { return {key, value, 0}; }
  static Item item(uint64_t key, const Wide& value) { return {key, value.payload, value.side}; }
  // One word, at a slot that no reader can mistake: nobody needs to look again.
  static void replace(Place& place, uint64_t, uint64_t value) {
    place.slots[place.i].set_payload(value);
    place.entry->version.store(place.version, std::memory_order_release);
  }
  static void replace(Place& place, const Wide& current, const Wide& value);

  template <class Value, class Decide>
  bool apply_as(uint64_t key, const Decide& decide) {
    EpochGuard guard;
    for (uint32_t attempt = 0;; relax(attempt++)) {
      Place place;
      if (!lock_leaf(key, &place)) {
        if (dead_.load(std::memory_order_acquire)) return false;
        continue;
      }
      const bool present = place.i < place.end && place.slots[place.i].get_key() == key;
      Value value{}, current{};
      if (present) read(place.slots, place.model, place.i, &current);
      const Verdict verdict = decide(present ? &current : nullptr, &value);
      if (verdict == Verdict::kKeep || (verdict == Verdict::kErase && !present)) {
        place.entry->version.store(place.version, std::memory_order_release);
        return true;
      }
      if (verdict == Verdict::kErase) {
        erase_locked(place, key);
        return true;
      }
      if (present) {
        replace(place, current, value);
        return true;
      }
      if (insert_locked(place, item(key, value))) return true;
      // The leaf was given up for a split.
      if (split(item(key, value))) return true;
    }
  }

  enum class Sight { kAbsent, kFound, kMoving };
  template <class Value>
  static Sight look(const Entry& entry, const View& view, uint64_t key, Value* value);
  template <class Probe, class Value>
  bool look_straight(const Entry* entry, uint64_t key, Value* value) const;
  template <class Probe, bool crooked, class Value>
  bool find_straight(uint64_t key, Value* value) const;
  template <class Value>
  bool find_with_wide_vectors(uint64_t key, Value* value) const;
  template <class Value>
  [[gnu::noinline]] bool find_crooked(uint64_t key, Value* value) const;
  template <class Value>
  bool find_with_vectors(uint64_t key, Value* value) const;
  template <class Value>
  [[gnu::noinline]] bool find_anywhere(uint64_t key, Value* value) const;
  template <class Value>
  [[gnu::noinline]] bool find_in(const Entry& entry, uint64_t key, Value* value) const;
  template <class Value>
  bool find_as(uint64_t key, Value* value) const;
  /// Whether each way of looking up that this processor has finds `expected`, or nothing if that is null.
  bool agrees_every_way(uint64_t key, const Item* expected) const;
  template <class Value>
  bool agrees_every_way_as(uint64_t key, const Item* expected) const;
  template <class Out>
  bool forward_as(uint64_t from, size_t max, Out* out, size_t* n, uint64_t* next) const;
  template <class Out>
  bool backward_as(uint64_t from, size_t max, Out* out, size_t* n, uint64_t* next) const;
  template <class Next>
  bool load(const Next& next);

  bool lock_leaf(uint64_t key, Place* place);
  bool lock_entry_of(uint64_t key, Entry& entry, uint32_t index, Place* place);
  bool insert_locked(Place& place, const Item& extra);
  bool insert_gapped(Place& place, const Item& extra);
  bool insert_dense(Place& place, const Item& extra);
  bool rebuild_with(Place& place, const Item* extra);
  void erase_locked(Place& place, uint64_t key);
  bool split(const Item& extra);
  void merge(uint64_t key);
  void replace_entries(Segment* old, uint32_t first, uint32_t removed, const LeafImage* images, uint32_t n);
  void unite_segments(uint64_t key);
  void publish(Entry& entry, uint64_t version, const LeafImage& image);
  void note_sole();

  std::atomic<Root*> root_;
  /// The entry of a wide core's only leaf, or null. Most cores of a trie have one leaf, and a way through root and segment
  /// would be three misses more. A leaf added behind it may not be known here yet: the next entry's separator tells.
  std::atomic<Entry*> sole_{nullptr};
  const bool wide_;
  std::atomic<bool> dead_{false};
  mutable std::shared_mutex root_mutex_;  // shared: put a segment into its place; alone: replace the root
  std::atomic<uint64_t> rebuilds_{0}, splits_{0}, merges_{0};
};

}  // namespace omendb::index
