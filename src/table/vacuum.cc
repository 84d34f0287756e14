// Housekeeping, on a thread of its own: bodies of rows that a committed DROP or a rollback left behind, and deleted keys.
//
// The store's Reaper drops superseded versions while files are rewritten, but has to leave tombstones alone. Here whole
// dead keys go: the tombstone, everything before it, and the key in the directory, once no snapshot is older.
#include <algorithm>
#include <unordered_set>

#include "base/clock.h"
#include "table/database_impl.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {
constexpr size_t kDeadKeysAtOnce = 4096;
// Sweeping reads a whole storage, so it waits for this many tombstones.
constexpr uint64_t kTombstonesBeforeSweep = 10'000;
}  // namespace

void DatabaseImpl::maintain() {
  for (;;) {
    {
      MutexLock lock(maintenance_mutex_);
      if (closing_) return;
      const bool busy = !drops_.empty() || !dead_keys_.empty();
      lock.wait_for(maintenance_wake_, std::chrono::milliseconds(busy ? 50 : 500));
      if (closing_) return;
    }
    moved_rows_.forget(manager_.timeline().horizon());
    divide_memory();
    checkpoint_directories(false);
    MutexLock housekeeping(housekeeping_mutex_);
    drop_unneeded_storages(false);
    sweep();
    while (remove_dead_keys() == kDeadKeysAtOnce) {
      MutexLock lock(maintenance_mutex_);
      if (closing_) return;
    }
  }
}

void DatabaseImpl::drop_unneeded_storages(bool closing) {
  const Timestamp horizon = manager_.timeline().horizon();
  std::vector<Drop> ready;
  {
    MutexLock lock(maintenance_mutex_);
    auto keep =
        std::partition(drops_.begin(), drops_.end(), [&](const Drop& d) { return !closing && d.after > horizon; });
    ready.assign(keep, drops_.end());
    drops_.erase(keep, drops_.end());
    // Its dead keys go with it. Each would be looked for among all that the drop has covered, which is read until it has left memory.
    std::unordered_set<uint32_t> dropped;
    for (const Drop& drop : ready) dropped.insert(drop.storage.value);
    if (!dropped.empty())
      std::erase_if(dead_keys_, [&](const DeadKey& d) { return dropped.contains(d.storage.value); });
  }
  for (const Drop& drop : ready) {
    // If this fails the rows stay behind until the next start finds that nobody owns them.
    (void)store_->drop_range(txn::storage_prefix(drop.storage), txn::storage_prefix(StorageId(drop.storage.value + 1)));
    // Nobody reads the storage any more: who could name it holds a lock that the DROP waited for, or a snapshot that the
    // horizon waited for.
    if (auto* directory = state(drop.storage).directory()) {
      if (row_cache_ != nullptr) row_cache_->forget(*directory);
      directory->index().clear();
    }
    std::string sequence = txn::storage_prefix(catalog::kSequenceStorage);
    sequence.resize(txn::kStorageBytes + 4);
    store_be32(sequence.data() + txn::kStorageBytes, drop.storage.value);
    store::Batch batch;
    batch.erase(sequence);
    if (state(drop.storage).kept_from.exchange(0) != 0) {
      batch.erase(kept_record_key(drop.storage));
      batch.erase_range(kept_log_key(drop.storage, 0), kept_log_key(drop.storage, UINT64_MAX));
    }
    (void)store_->write(batch, store::Sync::kNo);
  }
}

size_t DatabaseImpl::remove_dead_keys() {
  const Timestamp horizon = manager_.timeline().horizon();
  std::vector<DeadKey> dead;
  {
    MutexLock lock(maintenance_mutex_);
    while (!dead_keys_.empty() && dead_keys_.front().ts <= horizon && dead.size() < kDeadKeysAtOnce) {
      dead.push_back(std::move(dead_keys_.front()));
      dead_keys_.pop_front();
    }
  }
  if (dead.empty() || store_->failed()) return 0;
  std::sort(dead.begin(), dead.end(), [](const DeadKey& a, const DeadKey& b) {
    return a.storage != b.storage ? a.storage < b.storage : a.key < b.key;
  });
  store::IterateOptions options;
  options.fill_cache = false;
  auto it = store_->iterate(options);
  store::Batch batch;
  for (const DeadKey& d : dead) {
    const std::string prefix = txn::version_prefix(d.storage, d.key);
    std::string from = prefix;
    append_stamp(txn::Stamp{(d.ts.value << 1) | 1}, &from);
    for (it->seek(from); it->valid(); it->next()) {
      if (it->key().size() != prefix.size() + txn::kStampBytes || it->key().substr(0, prefix.size()) != prefix) break;
      const txn::Stamp stamp = txn::stamp_of(it->key());
      if (stamp.is_load()) {
        // A load's number is below its timestamp: it may have been committed after the tombstone, or not at all yet.
        const auto load = manager_.loads().find(stamp.number());
        if (load.kind == txn::Loads::State::Kind::kPending) continue;
        if (load.kind == txn::Loads::State::Kind::kCommitted && load.value > d.ts.value) continue;
      }
      batch.erase(it->key());
    }
  }
  it.reset();
  ReapedLog log(*this);
  for (const DeadKey& d : dead) log.add(d.storage, d.ts, d.key);
  log.append(&batch);
  if (batch.count() > 0) (void)store_->write(batch, store::Sync::kNo);
  for (const DeadKey& d : dead) {
    if (auto* directory = state(d.storage).directory()) directory->reaped(d.key, txn::Stamp::commit(d.ts));
  }
  dead_keys_removed_.fetch_add(dead.size(), std::memory_order_relaxed);
  return dead.size();
}

void DatabaseImpl::sweep() {
  std::vector<StorageId> wanted;
  {
    std::shared_lock lock(states_mutex_);
    for (const auto& [storage, state] : states_) {
      if (state->loaded_tombstones.load(std::memory_order_relaxed) >= kTombstonesBeforeSweep) wanted.push_back(storage);
    }
  }
  for (const StorageId storage : wanted) {
    // With an old snapshot alive nothing would be found; it is tried again when the snapshot has gone.
    const Timestamp horizon = manager_.timeline().horizon();
    if (horizon < manager_.timeline().watermark()) continue;
    state(storage).loaded_tombstones.store(0);
    (void)sweep_storage(storage, horizon);
  }
}

Status DatabaseImpl::sweep_storage(StorageId storage, Timestamp horizon) {
  const std::string lower = txn::storage_prefix(storage), upper = txn::storage_prefix(StorageId(storage.value + 1));
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  options.sequential = true;
  options.fill_cache = false;
  auto it = store_->iterate(options);
  store::Batch batch;
  std::vector<std::string> gone;
  std::string current;
  bool has_current = false, dead = false;
  txn::LockOwner owner;
  const auto remove = [&]() -> Status {
    ReapedLog log(*this);
    for (const std::string& key : gone) log.add(storage, horizon, key);
    log.append(&batch);
    RETURN_IF_ERROR(store_->write(batch, store::Sync::kNo));
    batch.clear();
    auto* directory = state(storage).directory();
    for (const std::string& key : gone) {
      if (directory == nullptr) break;
      bool fresh = false;
      if (manager_.locks().acquire(owner, manager_.locks().row(storage, key), txn::LockMode::kRowForUpdate,
                                   txn::LockWait::kNoWait, &fresh) != txn::LockOutcome::kGranted) {
        continue;  // somebody is about to write it
      }
      std::string prefix = txn::version_prefix(storage, key);
      std::string end = prefix + std::string(txn::kStampBytes + 1, '\xFF');
      store::IterateOptions one;
      one.lower = prefix;
      one.upper = end;
      one.one_prefix = true;
      auto versions = store_->iterate(one);
      versions->seek(prefix + std::string(txn::kStampBytes, '\0'));
      if (!versions->valid() && versions->status().ok()) directory->vanished(key);
      manager_.locks().release_all(owner);
    }
    dead_keys_removed_.fetch_add(gone.size(), std::memory_order_relaxed);
    gone.clear();
    return {};
  };
  for (it->seek(lower); it->valid(); it->next()) {
    const std::string_view full = it->key();
    const std::string_view prefix = full.substr(0, full.size() - txn::kStampBytes);
    const txn::Stamp stamp = txn::stamp_of(full);
    uint64_t ts = stamp.number();
    if (stamp.is_load()) {
      const auto load = manager_.loads().find(stamp.number());
      if (load.kind == txn::Loads::State::Kind::kPending) continue;
      ts = load.kind == txn::Loads::State::Kind::kCommitted ? load.value : 0;
    }
    if (!has_current || prefix != current) {
      if (ts == 0) continue;  // a dead load's; the reaper's
      if (gone.size() >= kDeadKeysAtOnce) RETURN_IF_ERROR(remove());
      current.assign(prefix);
      has_current = true;
      dead = ts <= horizon.value && txn::parse_value(it->value()).tombstone;
      if (dead) gone.emplace_back(txn::key_of(full));
    }
    if (dead) batch.erase(full);
  }
  RETURN_IF_ERROR(it->status());
  return remove();
}

}  // namespace omendb::table
