#include "index/leaf.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "index/node_memory.h"

namespace omendb::index {
namespace {

// The steepest line that leaves room to the right of every key for those after it. Key i may be predicted at
// most at slot C - n + i; of all lines that keep to this the steepest has the smallest drift, for drift is
// keys minus slots between two keys. False if some key would drift too far, or keys do too much on the mean
// (a lookup walks the drift).
bool fit(const Pair* pairs, uint32_t n, uint64_t base, uint32_t usable, LeafPlan* plan) {
  // One key in eight is asked for its bound, and two slots are kept back for the others.
  const double room = static_cast<double>(usable - n) + 1.0 - (usable - n > 8 ? 2.0 : 0.0);
  const uint32_t stride = usable - n > 8 ? 8 : 1;
  const uint64_t range = pairs[n - 1].key - base;
  double best_slots = room + static_cast<double>(static_cast<int32_t>(n - 1));
  double best_span = static_cast<double>(range) + 1.0;
  for (uint32_t i = 0; i < n; i += stride) {
    const double slots = room + static_cast<double>(static_cast<int32_t>(i));
    const double span = static_cast<double>(pairs[i].key - base) + 1.0;
    if (slots * best_span < best_slots * span) [[unlikely]] {
      best_slots = slots;
      best_span = span;
    }
  }
  to_fixed(best_slots / best_span * (1.0 - 1e-9), &plan->m, &plan->k);
  // Key i stands at i + ahead: the farthest that any prediction up to its own is ahead of its number. Whether
  // it is that of the key itself nobody can foretell, so there is no branch for it.
  constexpr uint32_t kBlock = 64;  // keys between two looks at whether this will do
  const uint32_t m = plan->m, k = plan->k;
  int32_t ahead = 0, farthest = 0;
  uint64_t total = 0;
  for (uint32_t from = 0; from < n; from += kBlock) {
    const uint32_t to = std::min(n, from + kBlock);
    for (uint32_t i = from; i < to; ++i) {
      const uint64_t exact = scale(pairs[i].key - base, m, k);
      const int32_t predicted = static_cast<int32_t>(exact < 2 * kLeafSlots ? exact : 2 * kLeafSlots);
      const int32_t here = predicted - static_cast<int32_t>(i);
      ahead = here > ahead ? here : ahead;
      const int32_t drift = ahead - here;
      farthest = drift > farthest ? drift : farthest;
      total += static_cast<uint32_t>(drift);
      plan->at[i] = static_cast<uint16_t>(static_cast<int32_t>(i) + ahead);
    }
    if (static_cast<uint32_t>(ahead) + n > usable || farthest > static_cast<int32_t>(kDriftMax / 2)) return false;
  }
  return total <= uint64_t{8} * n;
}

Slot* allocate(Model model) { return static_cast<Slot*>(allocate_node(leaf_bytes(model))); }

// The capacity nearest to `slots` that fills its block to the end, and holds n.
uint32_t whole_block(uint32_t slots, uint32_t n, uint32_t margin, bool wide) {
  const uint32_t each = wide ? sizeof(Slot) + sizeof(Side) : sizeof(Slot);
  const uint32_t beyond = margin * sizeof(Slot);
  uint32_t bytes = (slots * each + beyond + kNodeUnit / 2) / kNodeUnit * kNodeUnit;
  while (bytes < (n + n / 16 + 1) * each + beyond) bytes += kNodeUnit;
  return std::min(kLeafSlots, (bytes - beyond) / each);
}

}  // namespace

LeafPlan plan_leaf(const Pair* pairs, uint32_t avail, uint32_t want, uint64_t base, double fill, uint32_t slack,
                   bool wide) {
  LeafPlan plan;
  plan.n = std::min(avail, want);
  CHECK(plan.n <= kLeafSlots);
  while (plan.n > 16) {
    const uint64_t range = pairs[plan.n - 1].key - base;
    plan.cap = std::min(kLeafSlots, static_cast<uint32_t>(std::ceil(plan.n / fill)));
    if (fill < 1) plan.cap = whole_block(plan.cap, plan.n, kSlotPad, wide);
    if (range < plan.cap) {
      // A slot for every key there can be: exact, and never to be rebuilt.
      plan.cap = static_cast<uint32_t>(range) + 1;
      plan.m = UINT32_MAX;
      plan.k = 0;
      plan.dense = false;
      for (uint32_t i = 0; i < plan.n; ++i) plan.at[i] = static_cast<uint16_t>(pairs[i].key - base);
      return plan;
    }
    const uint32_t spare = std::min({slack, plan.cap / 8, plan.cap - plan.n});
    if (fit(pairs, plan.n, base, plan.cap - spare, &plan)) {
      plan.dense = false;
      return plan;
    }
    if (plan.n <= kDensePlain) break;
    uint32_t cut = 0;
    uint64_t widest = 0;
    for (uint32_t i = 1; i < plan.n; ++i) {
      const uint64_t gap = pairs[i].key - pairs[i - 1].key;
      if (gap > widest) {
        widest = gap;
        cut = i;
      }
    }
    plan.n = widest > range / 8 && cut > 16 ? cut : std::max(plan.n / 2, kDensePlain);
  }
  plan.n = std::min({avail, want, std::max(plan.n, kDensePlain)});
  plan.dense = true;
  plan.cap = whole_block(plan.n + plan.n / 4, plan.n, 0, wide);
  return plan;
}

Slot* build_dense(const Pair* pairs, const uint64_t* from_sides, uint32_t n, uint32_t cap, Model* model) {
  *model = Model::make(1u << 31, 63, cap, n, from_sides != nullptr, true);
  Slot* slots = allocate(*model);
  for (uint32_t i = 0; i < n; ++i) slots[i].set(pairs[i].key, pairs[i].payload);
  for (uint32_t i = n; i < cap; ++i) slots[i].set(0, 0);
  if (from_sides != nullptr) {
    Side* side = sides(slots, *model);
    for (uint32_t i = 0; i < cap; ++i) side[i].store(i < n ? from_sides[i] : 0, std::memory_order_release);
  }
  return slots;
}

Slot* build_leaf(const Pair* pairs, const uint64_t* from_sides, const LeafPlan& plan, Model* model) {
  if (plan.dense) return build_dense(pairs, from_sides, plan.n, plan.cap, model);
  CHECK(plan.n > 0);
  *model = Model::make(plan.m, plan.k, plan.cap, plan.at[0], from_sides != nullptr, false);
  Slot* slots = allocate(*model);
  // Each key is followed by two gaps, which the next ones overwrite: whether there are any is not worth a
  // branch, which would be mispredicted at every third key. The margin has room for them.
  static_assert(kSlotPad >= 2);
  uint32_t next = 0;
  uint64_t previous = 0;
  for (uint32_t i = 0; i < plan.n; ++i) {
    const uint32_t at = plan.at[i];
    for (; next < at; ++next) [[unlikely]] slots[next].set(previous, 0);
    previous = pairs[i].key;
    slots[at].set(previous, pairs[i].payload);
    slots[at + 1].set(previous, 0);
    slots[at + 2].set(previous, 0);
    next = at + 3;
  }
  for (; next < plan.cap + kSlotPad; ++next) slots[next].set(previous, 0);
  if (from_sides != nullptr) {
    Side* side = sides(slots, *model);
    for (uint32_t i = 0; i < plan.cap; ++i) side[i].store(0, std::memory_order_relaxed);
    for (uint32_t i = 0; i < plan.n; ++i) side[plan.at[i]].store(from_sides[i], std::memory_order_release);
  }
  return slots;
}

void free_leaf(void* slots) { free_node(slots); }

uint32_t collect_leaf(const Slot* slots, Model model, Pair* out, uint64_t* out_sides) {
  uint32_t n = 0;
  const Side* side = sides(slots, model);
  if (model.dense()) {
    for (; n < model.lo(); ++n) out[n] = {slots[n].get_key(), slots[n].get_payload()};
    for (uint32_t i = 0; model.wide() && i < n; ++i) out_sides[i] = side[i].load(std::memory_order_acquire);
    return n;
  }
  const uint32_t lo = model.lo(), cap = model.cap();
  if (lo >= cap) return 0;
  uint64_t previous = ~slots[lo].get_key();
  // Every slot is written down; a gap by the next one again.
  if (model.wide()) {
    for (uint32_t i = lo; i < cap; ++i) {
      const uint64_t key = slots[i].get_key();
      out[n] = {key, slots[i].get_payload()};
      out_sides[n] = side[i].load(std::memory_order_acquire);
      n += key != previous;
      previous = key;
    }
    return n;
  }
  for (uint32_t i = lo; i < cap; ++i) {
    const uint64_t key = slots[i].get_key();
    out[n] = {key, slots[i].get_payload()};
    n += key != previous;
    previous = key;
  }
  return n;
}

}  // namespace omendb::index
