// Building segments and roots: the copies that structure changes publish, and bulk loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "index/node.h"

namespace omendb::index {

/// A leaf as an entry describes it, outside of one.
struct LeafImage {
  uint64_t base = 0;
  Model model;
  Slot* slots = nullptr;
  uint32_t live = 0;
};

/// The first place in [least, most] where a segment had better end, for the leaves go on after a gap as wide as many of them:
/// one line through both sides would say little of either. Or `otherwise`. Requires leaves[most].
uint32_t cut_leaves(const LeafImage* leaves, uint32_t least, uint32_t most, uint32_t otherwise);

/// Builds a segment; `room` leaves space for leaves to be added behind the last. All of its entries are locked: readers may have it, and
/// writers once it is opened.
Segment* build_segment(const LeafImage* leaves, uint32_t n, bool room);
/// Requires that no entry leads to a leaf that another segment, which is not obsolete, leads to: who reads by that one looks at its
/// versions, and would not hear of writers here.
void open_segment(Segment* segment);
Root* build_root(const std::vector<std::pair<uint64_t, Segment*>>& segments);
std::vector<std::pair<uint64_t, Segment*>> segments_of(const Root* root);
/// The place of `segment`, which must be where `key` leads.
uint32_t find_segment(const Root* root, uint64_t key, const Segment* segment);

/// Segments are freed with free_node().
void free_root(void* root);
size_t segment_bytes(const Segment* segment);
size_t root_bytes(const Root* root);

}  // namespace omendb::index
