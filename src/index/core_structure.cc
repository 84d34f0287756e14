// Changes of structure: leaves split and merge, segments are copied, cut and united.
#include <algorithm>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "index/build.h"
#include "index/core.h"
#include "index/entry_lock.h"
#include "index/leaf.h"
#include "index/node_memory.h"

namespace omendb::index {

// Requires that nobody else changes the structure, or the root_mutex_: shared is enough, for beside other segments there is
// no sole leaf. To be called before a new segment is opened: whoever changes that one comes after.
void Core::note_sole() {
  if (!wide_) return;
  const Root* root = root_.load(std::memory_order_acquire);
  Segment* segment = root->count == 1 ? root->segment(0) : nullptr;
  const bool sole = segment != nullptr && segment->count.load(std::memory_order_acquire) == 1;
  sole_.store(sole ? segment->entries() : nullptr, std::memory_order_release);
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
    sole_.store(nullptr, std::memory_order_relaxed);
    segment->count.store(used + 1, std::memory_order_release);
    // Opened once it is counted: a writer whose straight way leads here by the separator would add a key that those who
    // go by the count do not find yet.
    added.version.store(unlocked(0, 1), std::memory_order_release);
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
    note_sole();
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
    note_sole();
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
  note_sole();
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
