#include "txn/locks.h"

#include <algorithm>
#include <chrono>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/clock.h"

namespace omendb::txn {
namespace {

constexpr int kReordersMax = 4;

constexpr uint16_t bit(LockMode mode) { return static_cast<uint16_t>(1u << static_cast<int>(mode)); }

template <class... Modes>
constexpr uint16_t bits(Modes... modes) {
  return static_cast<uint16_t>((bit(modes) | ... | 0));
}

using M = LockMode;
// PostgreSQL's tables 13.2 and 13.3.
constexpr std::array<uint16_t, kLockModeCount> kConflicts = {
    bits(M::kAccessExclusive),
    bits(M::kExclusive, M::kAccessExclusive),
    bits(M::kShare, M::kShareRowExclusive, M::kExclusive, M::kAccessExclusive),
    bits(M::kShareUpdateExclusive, M::kShare, M::kShareRowExclusive, M::kExclusive, M::kAccessExclusive),
    bits(M::kRowExclusive, M::kShareUpdateExclusive, M::kShareRowExclusive, M::kExclusive, M::kAccessExclusive),
    bits(M::kRowExclusive, M::kShareUpdateExclusive, M::kShare, M::kShareRowExclusive, M::kExclusive,
         M::kAccessExclusive),
    bits(M::kRowShare, M::kRowExclusive, M::kShareUpdateExclusive, M::kShare, M::kShareRowExclusive, M::kExclusive,
         M::kAccessExclusive),
    bits(M::kAccessShare, M::kRowShare, M::kRowExclusive, M::kShareUpdateExclusive, M::kShare, M::kShareRowExclusive,
         M::kExclusive, M::kAccessExclusive),
    bits(M::kRowForUpdate),
    bits(M::kRowForNoKeyUpdate, M::kRowForUpdate),
    bits(M::kRowForShare, M::kRowForNoKeyUpdate, M::kRowForUpdate),
    bits(M::kRowForKeyShare, M::kRowForShare, M::kRowForNoKeyUpdate, M::kRowForUpdate),
    bits(M::kTransactionExclusive),
    bits(M::kTransactionShare, M::kTransactionExclusive),
};
constexpr uint16_t conflicts(LockMode mode) { return kConflicts[static_cast<size_t>(mode)]; }

constexpr const char* kModeNames[kLockModeCount] = {
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
    // PostgreSQL waits for a row by waiting for the transaction that holds it.
    "ShareLock", "ShareLock", "ShareLock", "ShareLock", "ShareLock", "ExclusiveLock"};

/// Whether holding `mask` makes a request for `mode` pointless. Row modes are ordered by strength.
bool covers(uint16_t mask, LockMode mode) {
  if (mode >= M::kRowForKeyShare && mode <= M::kRowForUpdate) {
    return (mask >> static_cast<int>(mode)) != 0;
  }
  return (mask & bit(mode)) != 0;
}

}  // namespace

void LockOwner::cancel() {
  cancelled_.store(true, std::memory_order_release);
  MutexLock lock(mutex_);
  wake_.notify_all();
}

LockManager::LockManager() : seed_(std::random_device{}() * 0x100000001ull) {}

Resource LockManager::row(StorageId storage, std::string_view key) const {
  return {Resource::Kind::kRow, XXH3_64bits_withSeed(key.data(), key.size(), seed_ + storage.value)};
}

// The table of a shard. Linear probing; an erased slot is filled by shifting back what probed past it.

LockManager::Lock* LockManager::Table::find(const Resource& r) {
  if (slots_.empty()) return nullptr;
  for (size_t i = place(r); slots_[i].used; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].resource == r) return &slots_[i].lock;
  }
  return nullptr;
}

LockManager::Lock& LockManager::Table::operator[](const Resource& r) {
  if (Lock* found = find(r)) return *found;
  if ((count_ + 1) * 4 > slots_.size() * 3) resize(std::max<size_t>(16, slots_.size() * 2));
  size_t i = place(r);
  while (slots_[i].used) i = (i + 1) & (slots_.size() - 1);
  slots_[i].resource = r;
  slots_[i].used = true;
  ++count_;
  return slots_[i].lock;
}

void LockManager::Table::erase(const Resource& r) {
  size_t hole = place(r);
  while (slots_[hole].resource != r) hole = (hole + 1) & (slots_.size() - 1);
  const size_t mask = slots_.size() - 1;
  for (size_t i = (hole + 1) & mask; slots_[i].used; i = (i + 1) & mask) {
    const size_t home = place(slots_[i].resource);
    if (((i - home) & mask) < ((i - hole) & mask)) continue;  // it probed from behind the hole
    slots_[hole].resource = slots_[i].resource;
    slots_[hole].lock = std::move(slots_[i].lock);
    hole = i;
  }
  slots_[hole] = Slot();
  // A large transaction's locks leave a large table behind.
  if (--count_ == 0 && slots_.size() > 4096) std::vector<Slot>().swap(slots_);
}

void LockManager::Table::resize(size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (Slot& slot : old) {
    if (!slot.used) continue;
    size_t i = place(slot.resource);
    while (slots_[i].used) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = std::move(slot);
  }
}

LockManager::Holder* LockManager::holder(Lock& lock, const LockOwner* owner) {
  if (lock.first.owner == owner) return &lock.first;
  if (lock.company == nullptr) return nullptr;
  for (Holder& h : lock.company->others) {
    if (h.owner == owner) return &h;
  }
  return nullptr;
}

bool LockManager::conflicts_with_holders(const Lock& lock, const LockOwner* owner, LockMode mode) {
  const uint16_t against = conflicts(mode);
  if (lock.first.owner != nullptr && lock.first.owner != owner && (lock.first.mask & against) != 0) return true;
  if (lock.company == nullptr) return false;
  for (const Holder& h : lock.company->others) {
    if (h.owner != owner && (h.mask & against) != 0) return true;
  }
  return false;
}

void LockManager::grant(Lock& lock, LockOwner& owner, LockMode mode) {
  Holder* mine = holder(lock, &owner);
  if (mine != nullptr) {
    mine->mask |= bit(mode);
  } else if (lock.first.owner == nullptr) {
    lock.first = {&owner, bit(mode)};
  } else {
    lock.with_company().others.push_back({&owner, bit(mode)});
  }
}

LockOutcome LockManager::acquire(LockOwner& owner, Resource resource, LockMode mode, LockWait wait_policy,
                                 bool* fresh) {
  if (fresh != nullptr) *fresh = false;
  Shard& s = shard(resource);
  uint16_t before = 0;
  {
    MutexLock guard(s.mutex);
    Lock& lock = s.locks[resource];
    Holder* mine = holder(lock, &owner);
    before = mine != nullptr ? mine->mask : 0;
    if (mine != nullptr && covers(mine->mask, mode)) return LockOutcome::kGranted;
    bool blocked = conflicts_with_holders(lock, &owner, mode);
    if (!blocked && before == 0 && resource.kind != Resource::Kind::kRow && lock.company != nullptr) {
      for (const LockOwner* waiter : lock.company->queue) {
        if ((conflicts(mode) & bit(waiter->wanted_mode_)) != 0) blocked = true;
      }
    }
    if (blocked && wait_policy == LockWait::kNoWait) {
      if (lock.unused()) s.locks.erase(resource);
      return LockOutcome::kNotAvailable;
    }
    if (!blocked) {
      grant(lock, owner, mode);
      owner.held_.push_back({resource, before, owner.next_sequence_++});
      if (fresh != nullptr) *fresh = true;
      return LockOutcome::kGranted;
    }
    // Two who hold an object and each want what the other's lock forbids: that needs no time to be seen.
    if (before != 0 && resource.kind == Resource::Kind::kObject && lock.company != nullptr) {
      for (LockOwner* waiter : lock.company->queue) {
        const Holder* held = holder(lock, waiter);
        if (held == nullptr || (conflicts(waiter->wanted_mode_) & before) == 0 || (conflicts(mode) & held->mask) == 0)
          continue;
        owner.wanted_ = resource;
        owner.wanted_mode_ = mode;
        tell_deadlock({&owner, waiter});
        deadlocks_.fetch_add(1, std::memory_order_relaxed);
        return LockOutcome::kDeadlock;
      }
    }
    // Who holds the resource already goes before those whom its lock keeps waiting.
    auto& queue = lock.with_company().queue;
    auto place = queue.end();
    if (before != 0) {
      place = std::find_if(queue.begin(), queue.end(),
                           [&](const LockOwner* waiter) { return (conflicts(waiter->wanted_mode_) & before) != 0; });
    }
    queue.insert(place, &owner);
    owner.waiting_ = true;
    owner.granted_ = false;
    owner.wanted_ = resource;
    owner.wanted_mode_ = mode;
  }
  waits_.fetch_add(1, std::memory_order_relaxed);
  const LockOutcome outcome = wait(owner, s);
  if (outcome == LockOutcome::kGranted) {
    owner.held_.push_back({resource, before, owner.next_sequence_++});
    if (fresh != nullptr) *fresh = true;
  }
  return outcome;
}

LockOutcome LockManager::wait(LockOwner& owner, Shard& s) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto far = start + std::chrono::hours(24 * 365);
  const auto give_up = owner.lock_timeout_us > 0 ? start + std::chrono::microseconds(owner.lock_timeout_us) : far;
  auto look_for_deadlock = start + std::chrono::microseconds(owner.deadlock_timeout_us);
  for (;;) {
    bool granted = false;
    {
      std::unique_lock<std::mutex> sleep(owner.mutex_.native());
      owner.wake_.wait_until(sleep, std::min(give_up, look_for_deadlock),
                             [&] { return owner.granted_ || owner.cancelled(); });
      granted = owner.granted_;
    }
    if (granted) return LockOutcome::kGranted;

    LockOutcome outcome = LockOutcome::kGranted;
    const auto now = Clock::now();
    if (owner.cancelled()) {
      outcome = LockOutcome::kCancelled;
    } else if (now >= give_up) {
      outcome = LockOutcome::kTimeout;
    } else if (now >= look_for_deadlock) {
      look_for_deadlock = far;
      if (break_cycle(owner)) {
        deadlocks_.fetch_add(1, std::memory_order_relaxed);
        return LockOutcome::kDeadlock;
      }
    }
    if (outcome == LockOutcome::kGranted) continue;
    MutexLock guard(s.mutex);
    if (owner.granted_) return LockOutcome::kGranted;  // it came while we made up our mind
    leave_queue(s, owner);
    return outcome;
  }
}

void LockManager::leave_queue(Shard& s, LockOwner& owner) {
  const Resource resource = owner.wanted_;
  Lock& lock = s.locks[resource];
  auto& queue = lock.with_company().queue;
  queue.erase(std::find(queue.begin(), queue.end(), &owner));
  owner.waiting_ = false;
  serve_queue(lock);
  if (lock.unused()) s.locks.erase(resource);
}

void LockManager::serve_queue(Lock& lock) {
  if (lock.company == nullptr) return;
  auto& queue = lock.company->queue;
  uint16_t wanted_ahead = 0;
  for (size_t i = 0; i < queue.size();) {
    LockOwner& waiter = *queue[i];
    const LockMode mode = waiter.wanted_mode_;
    if (conflicts_with_holders(lock, &waiter, mode) || (conflicts(mode) & wanted_ahead) != 0) {
      wanted_ahead |= bit(mode);
      ++i;
      continue;
    }
    grant(lock, waiter, mode);
    queue.erase(queue.begin() + static_cast<ptrdiff_t>(i));
    waiter.waiting_ = false;
    MutexLock sleep(waiter.mutex_);
    waiter.granted_ = true;
    waiter.wake_.notify_all();
  }
}

void LockManager::set_mask(Shard& s, const Resource& resource, LockOwner& owner, uint16_t mask) {
  Lock* found = s.locks.find(resource);
  if (found == nullptr) return;
  Lock& lock = *found;
  Holder* mine = holder(lock, &owner);
  if (mine == nullptr) return;
  if (mask != 0) {
    mine->mask = mask;
  } else if (mine == &lock.first) {
    lock.first = {nullptr, 0};
    if (lock.company != nullptr && !lock.company->others.empty()) {
      lock.first = lock.company->others.back();
      lock.company->others.pop_back();
    }
  } else {
    auto& others = lock.company->others;
    others.erase(others.begin() + (mine - others.data()));
  }
  serve_queue(lock);
  if (lock.unused()) s.locks.erase(resource);
}

void LockManager::release_to(LockOwner& owner, uint64_t mark) {
  while (!owner.held_.empty() && owner.held_.back().sequence >= mark) release_last(owner);
}

void LockManager::keep_last(LockOwner& owner) {
  CHECK(!owner.held_.empty());
  owner.held_.back().sequence = 0;
  std::rotate(owner.held_.begin(), owner.held_.end() - 1, owner.held_.end());
}

void LockManager::release_last(LockOwner& owner) {
  CHECK(!owner.held_.empty());
  const LockOwner::Held held = owner.held_.back();
  owner.held_.pop_back();
  Shard& s = shard(held.resource);
  MutexLock guard(s.mutex);
  set_mask(s, held.resource, owner, held.previous_mask);
}

bool LockManager::busy(const LockOwner& owner, Resource resource, LockMode mode) {
  Shard& s = shard(resource);
  MutexLock guard(s.mutex);
  const Lock* lock = s.locks.find(resource);
  return lock != nullptr && conflicts_with_holders(*lock, &owner, mode);
}

// To the first of the cycle.
void LockManager::tell_deadlock(const std::vector<LockOwner*>& cycle) {
  std::string* detail = &cycle[0]->deadlock_detail_;
  detail->clear();
  for (size_t i = 0; i < cycle.size(); ++i) {
    const LockOwner& waiter = *cycle[i];
    const LockOwner& blocker = *cycle[(i + 1) % cycle.size()];
    if (i > 0) detail->push_back('\n');
    *detail += "Process " + std::to_string(waiter.process_id) + " waits for " +
               kModeNames[static_cast<size_t>(waiter.wanted_mode_)] + " on " +
               (waiter.wanted_.kind == Resource::Kind::kObject
                    ? "relation " + std::to_string(waiter.wanted_.id) + " of database 5"
                    : "transaction " + std::to_string(blocker.id)) +
               "; blocked by process " + std::to_string(blocker.process_id) + ".";
  }
}

bool LockManager::break_cycle(LockOwner& start) {
  for (Shard& s : shards_) s.mutex.lock();  // in order; nobody else takes two
  std::vector<LockOwner*> path = cycle_through(start);
  std::vector<LockOwner*> moved;
  const bool found = !path.empty() && !solve_by_order({&start}, kReordersMax, moved);
  if (found) tell_deadlock(path);
  for (LockOwner* waiter : moved) {
    if (waiter->waiting_) serve_queue(*shard(waiter->wanted_).locks.find(waiter->wanted_));
  }
  // It leaves before the shards are released, so that no other member of the cycle sees the cycle too and gives up as well.
  if (found) leave_queue(shard(start.wanted_), start);
  for (Shard& s : shards_) s.mutex.unlock();
  return found;
}

std::vector<LockOwner*> LockManager::cycle_through(LockOwner& start) {
  std::vector<LockOwner*> path, seen;
  if (!start.waiting_ || !walk(start, start, path, seen)) return {};
  return path;
}

// PostgreSQL's "soft" deadlocks: who waits only for somebody before it in a queue may go first, if then nobody waits in a cycle.
// `involved`: who must not; whoever changes places joins them. True: it is solved, and `moved` went ahead.
bool LockManager::solve_by_order(std::vector<LockOwner*> involved, int depth, std::vector<LockOwner*>& moved) {
  std::vector<LockOwner*> cycle;
  for (size_t i = 0; i < involved.size() && cycle.empty(); ++i) cycle = cycle_through(*involved[i]);
  if (cycle.empty()) return true;
  if (depth == 0) return false;
  for (size_t i = cycle.size(); i-- > 0;) {  // as PostgreSQL does: the farthest first
    LockOwner *waiter = cycle[i], *blocker = cycle[(i + 1) % cycle.size()];
    if (!blocker->waiting_ || !(blocker->wanted_ == waiter->wanted_)) continue;
    Lock& lock = *shard(waiter->wanted_).locks.find(waiter->wanted_);
    const Holder* held = holder(lock, blocker);
    if (held != nullptr && (conflicts(waiter->wanted_mode_) & held->mask) != 0) continue;
    auto& queue = lock.with_company().queue;
    const auto from = std::find(queue.begin(), queue.end(), waiter),
               to = std::find(queue.begin(), queue.end(), blocker);
    if (from < to) continue;
    const std::vector<LockOwner*> before = queue;
    std::rotate(to, from, from + 1);
    moved.push_back(waiter);
    std::vector<LockOwner*> all = involved;
    all.push_back(waiter);
    all.push_back(blocker);
    if (solve_by_order(std::move(all), depth - 1, moved)) return true;
    moved.pop_back();
    queue = before;
  }
  return false;
}

// Those who hold what the waiter may not have beside them, and those before it in the queue who want such.
std::vector<LockOwner*> LockManager::blockers_of(const Lock& lock, const LockOwner& waiter) {
  const uint16_t against = conflicts(waiter.wanted_mode_);
  std::vector<LockOwner*> blockers;
  const auto add = [&](LockOwner* owner, uint16_t mask) {
    if (owner != nullptr && owner != &waiter && (mask & against) != 0) blockers.push_back(owner);
  };
  add(lock.first.owner, lock.first.mask);
  if (lock.company == nullptr) return blockers;
  for (const Holder& h : lock.company->others) add(h.owner, h.mask);
  for (LockOwner* ahead : lock.company->queue) {
    if (ahead == &waiter) break;
    add(ahead, bit(ahead->wanted_mode_));
  }
  return blockers;
}

void LockManager::for_each_wait(const std::function<void(const LockOwner& waiter, const LockOwner& blocker)>& call) {
  for (Shard& s : shards_) {
    MutexLock guard(s.mutex);
    s.locks.for_each([&](const Lock& lock) {
      if (lock.company == nullptr) return;
      for (const LockOwner* waiter : lock.company->queue) {
        for (const LockOwner* blocker : blockers_of(lock, *waiter)) call(*waiter, *blocker);
      }
    });
  }
}

bool LockManager::walk(LockOwner& start, LockOwner& at, std::vector<LockOwner*>& path, std::vector<LockOwner*>& seen) {
  if (!at.waiting_) return false;
  if (std::find(seen.begin(), seen.end(), &at) != seen.end()) return false;
  seen.push_back(&at);
  path.push_back(&at);
  Shard& s = shard(at.wanted_);
  if (const Lock* lock = s.locks.find(at.wanted_)) {
    for (LockOwner* blocker : blockers_of(*lock, at)) {
      if (blocker == &start) return true;
      if (walk(start, *blocker, path, seen)) return true;
    }
  }
  path.pop_back();
  return false;
}

}  // namespace omendb::txn
