// Laying out sorted pairs as leaves: how many keys one leaf takes, its size, its line. node.h says what a
// leaf is.
#pragma once

#include <algorithm>
#include <cstdint>

#include "index/core.h"
#include "index/node.h"
#include "index/node_memory.h"

namespace omendb::index {

// Shares of slots in use. Built at kFillBuild, a leaf is rebuilt above kFullPercent or below kSparsePercent: from
// either side a thirteenth of its keys at least must come or go first, so no pattern of inserts and erases can make
// it resize again and again.
inline constexpr double kFillBuild = 0.66;
inline constexpr double kFillBuildLarge = 0.64;  // of 400 keys and more: they are the longest to lay out anew
inline double build_fill(uint32_t keys) { return keys >= 400 ? kFillBuildLarge : kFillBuild; }
inline constexpr double kFillBulk = 0.77;
inline constexpr double kFillShrunk = 0.80;  // keys that went are not expected back
inline constexpr double kFillSealed = 0.94;  // keys that arrived in order are likely to be left alone
inline constexpr uint32_t kFullPercent = 90;
inline constexpr uint32_t kSparsePercent = 61;
inline constexpr uint32_t kSparseDensePercent = 45;  // below half, for one that is appended to has just doubled
inline constexpr uint32_t kLeafKeysMax = 640;        // more are split
inline constexpr uint32_t kLeafKeysBulk = 480;
inline constexpr uint32_t kDenseSlots = 512;  // a leaf that is appended to is sealed at this size
inline constexpr uint32_t kDensePlain = 64;   // keys that no line fits go into leaves of this many
inline constexpr uint32_t kDenseMax = 96;     // a dense leaf that is no append target is laid out anew beyond this
inline constexpr uint32_t kTailSlack = 16;    // free slots after the last key of a rebuilt leaf

struct LeafPlan {
  uint32_t n = 0;  // how many of the offered keys it takes
  uint32_t cap = 0;
  uint32_t m = 1u << 31, k = 63;
  bool dense = true;
  uint16_t at[kLeafSlots];  // of a gapped leaf: the slot of each key
};

/// Plans one leaf for the first n <= want of `avail` pairs. n is smaller than want when no line fits them
/// all: then the leaf ends at the widest gap, or is dense. `base` <= the first key is the origin of the
/// model.
///
/// Cost: a few passes over the pairs.
LeafPlan plan_leaf(const Pair* pairs, uint32_t avail, uint32_t want, uint64_t base, double fill, uint32_t slack,
                   bool wide);

/// Allocates and fills the leaf; wide, if there are `sides`. Owns: the caller, until it is published; free_leaf() or
/// epoch_retire with it.
Slot* build_leaf(const Pair* pairs, const uint64_t* sides, const LeafPlan& plan, Model* model);

/// A dense leaf with room for `cap` keys.
Slot* build_dense(const Pair* pairs, const uint64_t* sides, uint32_t n, uint32_t cap, Model* model);

void free_leaf(void* slots);
/// As the allocator rounds it.
inline size_t leaf_bytes(Model model) {
  const size_t bytes = model.slots() * sizeof(Slot) + (model.wide() ? model.cap() * sizeof(Side) : 0);
  return (bytes + kNodeUnit - 1) / kNodeUnit * kNodeUnit;
}

/// Copies the live pairs in order, and the sides of a wide leaf; returns how many. Requires: nobody changes the leaf, and
/// room for one more.
uint32_t collect_leaf(const Slot* slots, Model model, Pair* out, uint64_t* out_sides);

/// What a leaf holds, for who lays it out anew, with room for one key more.
struct Contents {
  uint32_t n = 0;
  Pair pairs[kLeafSlots + 2];  // collect_leaf() writes one further
  uint64_t sides[kLeafSlots + 2];

  void add(const Slot* slots, Model model) { n += collect_leaf(slots, model, pairs + n, sides + n); }
  void insert(uint32_t at, const Item& item) {
    std::copy_backward(pairs + at, pairs + n, pairs + n + 1);
    std::copy_backward(sides + at, sides + n, sides + n + 1);
    pairs[at] = {item.key, item.payload};
    sides[at] = item.side;
    ++n;
  }
  uint32_t lower_bound(uint64_t key) const {
    return static_cast<uint32_t>(
        std::lower_bound(pairs, pairs + n, key, [](const Pair& p, uint64_t k) { return p.key < k; }) - pairs);
  }
};

}  // namespace omendb::index
