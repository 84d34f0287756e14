#include "index/build.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <string>

#include "base/check.h"
#include "index/core.h"
#include "index/leaf.h"
#include "index/node_memory.h"

namespace omendb::index {
namespace {

size_t segment_size(uint32_t capacity) { return sizeof(Segment) + (capacity + Segment::kMargin) * sizeof(Entry); }
size_t root_size(uint32_t count, size_t parts, size_t hints) {
  const size_t size =
      sizeof(Root) + (count + Root::kMargin) * sizeof(RootEntry) + parts * sizeof(RootPart) + hints * sizeof(uint32_t);
  return (size + 63) / 64 * 64;
}

// A line that spreads [first, last] over `buckets`.
Hinter make_hinter(uint64_t first, uint64_t last, double buckets) {
  if (last == first) return {.base = first};
  return Hinter::make(first, buckets / (static_cast<double>(last - first) + 1.0));
}

}  // namespace

uint32_t cut_leaves(const LeafImage* leaves, uint32_t least, uint32_t most, uint32_t otherwise) {
  const uint64_t wide = (leaves[most].base - leaves[0].base) / 8;
  for (uint32_t i = least; i <= most; ++i) {
    if (leaves[i].base - leaves[i - 1].base > wide) return i;
  }
  return otherwise;
}

Segment* build_segment(const LeafImage* leaves, uint32_t n, bool room) {
  CHECK(n >= 1 && n <= kSegmentEntries);
  const uint32_t capacity = room ? std::min(kSegmentEntries, std::max(4u, std::bit_ceil(n + 1))) : n;
  void* memory = allocate_node(segment_size(capacity));
  Segment* segment = new (memory) Segment;
  segment->capacity = capacity;
  segment->smo_lock.store(0, std::memory_order_relaxed);
  Entry* entries = segment->entries();
  for (uint32_t i = 0; i < capacity + Segment::kMargin; ++i) {
    Entry* entry = new (&entries[i]) Entry;
    const LeafImage image = i < n ? leaves[i] : LeafImage{UINT64_MAX, {}, nullptr, 0};
    entry->base.store(image.base, std::memory_order_relaxed);
    entry->model.store(image.model.word, std::memory_order_relaxed);
    entry->leaf.store(image.slots, std::memory_order_relaxed);
    const uint64_t version = i < n ? static_cast<uint64_t>(image.live) << kLiveShift | kLocked : kObsolete;
    entry->version.store(version, std::memory_order_relaxed);
  }
  // A segment with room expects the rest of its leaves to follow at the pace of those it has.
  const double share = static_cast<double>(kSegmentHints) * (n - 1) / (room ? capacity : n);
  segment->hinter = make_hinter(leaves[0].base, leaves[n - 1].base, share);
  uint32_t at = 0;
  for (uint32_t b = 0; b < kSegmentHints; ++b) {
    while (at + 1 < n && segment->hinter.bucket(leaves[at + 1].base, kSegmentHints - 1) < b) ++at;
    segment->hints[b].store(static_cast<uint8_t>(at), std::memory_order_relaxed);
  }
  segment->count.store(n, std::memory_order_release);
  return segment;
}

void open_segment(Segment* segment) {
  const uint32_t count = segment->count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i) {
    std::atomic<uint64_t>& version = segment->entries()[i].version;
    version.store(version.load(std::memory_order_relaxed) & ~kLocked, std::memory_order_release);
  }
}

namespace {

using Segments = std::vector<std::pair<uint64_t, Segment*>>;

// Adds the hints of segments first + 1 to last, which `hinter` leads into `buckets` buckets. Returns what binary searches
// within buckets see: the sum of squares.
uint64_t add_hints(const Segments& segments, uint32_t first, uint32_t last, const Hinter& hinter, uint32_t buckets,
                   std::vector<uint32_t>* hints) {
  uint32_t at = first;
  uint64_t cost = 0;
  for (uint32_t b = 0; b < buckets; ++b) {
    const uint32_t before = at;
    while (at < last && hinter.bucket(segments[at + 1].first, buckets - 1) < b) ++at;
    hints->push_back(at);
    cost += uint64_t{at - before} * (at - before);
  }
  return cost + uint64_t{last - at} * (last - at);  // those of the last bucket
}

// The line through all separators, or, for a few keys far out must not blur the others, through the middle nine tenths.
Hinter root_hinter(const Segments& segments, uint32_t buckets, std::vector<uint32_t>* hints, uint64_t* cost) {
  const uint32_t n = static_cast<uint32_t>(segments.size());
  hints->clear();
  *cost = 0;
  Hinter hinter;
  if (n > 1) hinter = make_hinter(segments[1].first, segments[n - 1].first, buckets * (n - 1.0) / n);
  *cost = add_hints(segments, 0, n - 1, hinter, buckets, hints);
  if (n <= 16 || *cost <= uint64_t{8} * n) return hinter;
  const uint32_t trim = std::max(1u, n / 20);
  const Hinter middle = make_hinter(segments[1 + trim].first, segments[n - 1 - trim].first, buckets * 0.9);
  std::vector<uint32_t> other;
  const uint64_t other_cost = add_hints(segments, 0, n - 1, middle, buckets, &other);
  if (other_cost >= *cost) return hinter;
  *cost = other_cost;
  hints->swap(other);
  return middle;
}

}  // namespace

Root* build_root(const Segments& segments) {
  const uint32_t n = static_cast<uint32_t>(segments.size());
  uint32_t buckets = std::max(8u, std::bit_ceil(2 * n));
  std::vector<uint32_t> hints;
  std::vector<RootPart> parts;
  uint64_t cost;
  Hinter hinter = root_hinter(segments, buckets, &hints, &cost);
  if (n > 8 && cost > uint64_t{3} * n) {
    // No line: each of fewer buckets gets one of its own.
    buckets = std::max(8u, buckets / 4);
    std::vector<uint32_t> borders;
    hinter = root_hinter(segments, buckets, &borders, &cost);
    hints.clear();
    for (uint32_t b = 0; b < buckets; ++b) {
      const uint32_t first = borders[b], last = b + 1 < buckets ? borders[b + 1] : n - 1;
      const uint32_t own = last - first > 1 ? std::bit_ceil(2 * (last - first)) : 1;
      RootPart part{{}, static_cast<uint32_t>(hints.size()), own - 1};
      if (own > 1) {
        const double share = own * (last - first - 0.5) / (last - first);
        part.hinter = make_hinter(segments[first + 1].first, segments[last].first, share);
      }
      add_hints(segments, first, last, part.hinter, own, &hints);
      parts.push_back(part);
    }
  }
  hints.push_back(n);

  const size_t bytes = root_size(n, parts.size(), hints.size());
  void* memory = std::aligned_alloc(64, bytes);
  CHECK(memory != nullptr);
  Root* root = new (memory) Root;
  root->hinter = hinter;
  root->last_bucket = buckets - 1;
  root->count = n;
  root->bytes = bytes;
  for (uint32_t i = 0; i < n + Root::kMargin; ++i) {
    RootEntry* entry = new (&root->entries()[i]) RootEntry;
    entry->separator = i < n ? segments[i].first : UINT64_MAX;
    if (i < n) entry->put(segments[i].second);
  }
  auto* behind = reinterpret_cast<RootPart*>(root->entries() + n + Root::kMargin);
  root->parts = parts.empty() ? nullptr : behind;
  root->hints = reinterpret_cast<uint32_t*>(std::copy(parts.begin(), parts.end(), behind));
  std::copy(hints.begin(), hints.end(), root->hints);
  return root;
}

std::vector<std::pair<uint64_t, Segment*>> segments_of(const Root* root) {
  std::vector<std::pair<uint64_t, Segment*>> segments;
  segments.reserve(root->count + 1);
  for (uint32_t i = 0; i < root->count; ++i) segments.emplace_back(root->entries()[i].separator, root->segment(i));
  return segments;
}

uint32_t find_segment(const Root* root, uint64_t key, const Segment* segment) {
  const uint32_t place = root->route(key);
  CHECK(root->segment(place) == segment);
  return place;
}

void free_root(void* root) { std::free(root); }
size_t segment_bytes(const Segment* segment) { return segment_size(segment->capacity); }
size_t root_bytes(const Root* root) { return root->bytes; }

namespace {

Root* empty_root(bool wide) {
  LeafImage empty;
  const uint64_t none = 0;
  empty.slots = build_dense(nullptr, wide ? &none : nullptr, 0, 16, &empty.model);
  Segment* segment = build_segment(&empty, 1, true);
  open_segment(segment);
  return build_root({{0, segment}});
}

// Requires that nobody reads it.
void destroy(Root* root) {
  for (uint32_t s = 0; s < root->count; ++s) {
    Segment* segment = root->segment(s);
    const uint32_t count = segment->count.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) free_leaf(segment->entries()[i].leaf.load(std::memory_order_acquire));
    free_node(segment);
  }
  free_root(root);
}

}  // namespace

Core::Core(bool wide) : wide_(wide) {
  root_.store(empty_root(wide), std::memory_order_release);
  note_sole();
}
Core::~Core() { destroy(root_.load(std::memory_order_acquire)); }
void Core::clear() {
  destroy(root_.exchange(empty_root(wide_), std::memory_order_acq_rel));
  note_sole();
}

bool Core::bulk_load(const std::function<bool(Pair*)>& next) {
  return load([&](Item* item) {
    Pair pair;
    const bool more = next(&pair);
    if (more) *item = {pair.key, pair.payload, 0};
    return more;
  });
}
bool Core::bulk_load(const std::function<bool(Item*)>& next) { return load(next); }

template <class Next>
bool Core::load(const Next& next) {
  CHECK(size() == 0);
  PatientAllocation patient;
  std::vector<LeafImage> images;
  std::vector<Pair> pairs;      // read and not yet placed, from `begin` on
  std::vector<uint64_t> sides;  // theirs
  pairs.reserve(2 * kLeafSlots);
  size_t begin = 0;
  bool more = true, ordered = true;
  uint64_t previous = 0;
  for (;;) {
    while (more && pairs.size() - begin < kDenseSlots) {
      Item item;
      more = next(&item);
      if (!more) break;
      if (!(images.empty() && pairs.empty()) && item.key <= previous) {
        ordered = more = false;
        break;
      }
      previous = item.key;
      if (pairs.size() == pairs.capacity()) {
        pairs.erase(pairs.begin(), pairs.begin() + static_cast<ptrdiff_t>(begin));
        if (wide_) sides.erase(sides.begin(), sides.begin() + static_cast<ptrdiff_t>(begin));
        begin = 0;
      }
      pairs.push_back({item.key, item.payload});
      if (wide_) sides.push_back(item.side);
    }
    const uint32_t avail = static_cast<uint32_t>(pairs.size() - begin);
    if (avail == 0 || !ordered) break;
    const Pair* from = pairs.data() + begin;
    LeafImage image;
    image.base = from->key;
    LeafPlan plan;
    if (avail >= kDenseSlots && from[kDenseSlots - 1].key - from->key == kDenseSlots - 1) {
      plan = plan_leaf(from, avail, kDenseSlots, image.base, 1.0, 0, wide_);  // consecutive integers
    } else {
      plan = plan_leaf(from, avail, std::min(avail, kLeafKeysBulk), image.base, kFillBulk, 0, wide_);
    }
    image.slots = build_leaf(from, wide_ ? sides.data() + begin : nullptr, plan, &image.model);
    image.live = plan.n;
    images.push_back(image);
    begin += plan.n;
  }
  if (!ordered) {
    for (const LeafImage& image : images) free_leaf(image.slots);
    return false;
  }
  if (images.empty()) return true;
  // Segments start three quarters full, so that the first splits copy without splitting them.
  constexpr size_t kEntries = kSegmentEntries * 3 / 4;
  std::vector<std::pair<uint64_t, Segment*>> segments;
  // They may end earlier at a wide gap, at once where long ones came before, but have sixteen leaves on the mean at least.
  constexpr size_t kEntriesMean = 16;
  for (size_t i = 0; i < images.size();) {
    uint32_t n = static_cast<uint32_t>(std::min(kEntries, images.size() - i));
    const size_t due = kEntriesMean * (segments.size() + 1), least = due > i ? due - i : 1;
    if (least < n) n = cut_leaves(&images[i], static_cast<uint32_t>(least), n - 1, n);
    segments.emplace_back(images[i].base, build_segment(&images[i], n, i + n == images.size()));
    open_segment(segments.back().second);
    i += n;
  }
  destroy(root_.exchange(build_root(segments), std::memory_order_acq_rel));
  note_sole();
  return true;
}

}  // namespace omendb::index
