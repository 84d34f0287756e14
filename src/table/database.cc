#include <algorithm>
#include <set>

#include "base/check.h"
#include "index/epoch.h"
#include "table/database_impl.h"
#include "txn/cursor.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

using Event = TableTransaction::Event;

constexpr uint32_t kCounterReserve = 1024;

std::string catalog_key(Oid oid) {
  std::string key(4, '\0');
  store_be32(key.data(), oid.value);
  return key;
}

std::vector<catalog::Change> changes_of(const TableTransaction& t) {
  std::vector<catalog::Change> out;
  for (const Event& e : t.events) {
    if (e.kind == Event::Kind::kChange) out.push_back(e.change);
  }
  return out;
}

}  // namespace

txn::View latest_view(const TableTransaction& t) {
  return {Timestamp(UINT64_MAX >> 1), UINT32_MAX, &t.writes, &t.load_numbers};
}

// StorageState

void StorageState::learn(store::Store& store, StorageId storage) {
  if (known_) return;
  const std::string lower = txn::storage_prefix(storage), upper = txn::storage_prefix(StorageId(storage.value + 1));
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  auto it = store.iterate(options);
  it->seek_to_last();
  empty_ = !it->valid();
  if (it->valid()) greatest_.assign(txn::key_of(it->key()));
  known_ = it->status().ok();
}

bool StorageState::is_above_all(store::Store& store, StorageId storage, std::string_view key) {
  MutexLock lock(mutex_);
  learn(store, storage);
  return known_ && (empty_ || key > greatest_);
}

void StorageState::raise(std::string_view key) {
  MutexLock lock(mutex_);
  // Not known: whoever learns it later finds the key in the store, since raise() follows the write.
  if (!known_ || (!empty_ && key <= greatest_)) return;
  greatest_.assign(key);
  empty_ = false;
}

void StorageState::raise_early(store::Store& store, StorageId storage, std::string_view key) {
  {
    MutexLock lock(mutex_);
    learn(store, storage);
  }
  raise(key);
}

txn::KeyDirectory& StorageState::make_directory(uint32_t fixed_key_bytes, txn::RowCache* cache) {
  MutexLock lock(mutex_);
  if (directory_owner_ == nullptr) {
    directory_owner_ = std::make_unique<txn::KeyDirectory>(fixed_key_bytes, cache);
    directory_.store(directory_owner_.get(), std::memory_order_release);
  }
  return *directory_owner_;
}

uint64_t StorageState::next_hidden(store::Store& store, StorageId storage) {
  if (hidden_.load(std::memory_order_acquire) == 0) {
    MutexLock lock(mutex_);
    learn(store, storage);
    if (hidden_.load(std::memory_order_relaxed) == 0) {
      hidden_.store(empty_ || greatest_.size() != 8 ? 1 : load_be64(greatest_.data()) + 1, std::memory_order_release);
    }
  }
  return hidden_.fetch_add(1, std::memory_order_relaxed);
}

// DurableCounter

Status DurableCounter::start(uint32_t first) {
  MutexLock lock(mutex_);
  std::string value;
  ASSIGN_OR_RETURN(const bool found, store_.get(txn::storage_prefix(txn::kClockStorage) + name_, &value));
  next_ = first;
  if (found && value.size() == 8) next_ = std::max(first, static_cast<uint32_t>(load_be64(value.data())));
  ceiling_ = next_;
  return {};
}

void DurableCounter::at_least(uint32_t value) {
  MutexLock lock(mutex_);
  next_ = std::max(next_, value);
  ceiling_ = std::max(ceiling_, next_);
}

uint32_t DurableCounter::next() {
  MutexLock lock(mutex_);
  if (next_ >= ceiling_) {
    ceiling_ = next_ + kCounterReserve;
    char value[8];
    store_be64(value, ceiling_);
    store::Batch batch;
    batch.put(txn::storage_prefix(txn::kClockStorage) + name_, std::string_view(value, sizeof(value)));
    // A store that takes no writes will refuse the commit that this number is for.
    (void)store_.write(batch, store::Sync::kYes);
  }
  return next_++;
}

// Opening and closing

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  auto reapers = std::make_shared<txn::VersionReapers>();
  store::Options store_options;
  store_options.directory = options.directory;
  store_options.block_cache_bytes = options.block_cache_bytes;
  store_options.write_buffer_bytes = options.write_buffer_bytes;
  store_options.reapers = reapers;
  ASSIGN_OR_RETURN(auto store, store::Store::open(store_options));
  return open_on(options, std::move(store), std::move(reapers));
}

Result<std::unique_ptr<Database>> open_on(const DatabaseOptions& options, std::unique_ptr<store::Store> store,
                                          std::shared_ptr<txn::VersionReapers> reapers) {
  auto database = std::make_unique<DatabaseImpl>(options, std::move(store), std::move(reapers));
  if (Status s = database->start(); !s.ok()) return s;
  return std::unique_ptr<Database>(std::move(database));
}

DatabaseImpl::DatabaseImpl(const DatabaseOptions& options, std::unique_ptr<store::Store> store,
                           std::shared_ptr<txn::VersionReapers> reapers)
    : options_(options),
      reapers_(std::move(reapers)),
      store_(std::move(store)),
      manager_(*store_, {options.sync_commits}),
      oids_(*store_, "oid"),
      storage_ids_(*store_, "storage"),
      row_cache_(options.learned_index && options.row_cache_bytes >= txn::RowCache::kBytesMin
                     ? std::make_unique<txn::RowCache>(options.row_cache_bytes)
                     : nullptr) {}

Status DatabaseImpl::start() {
  RETURN_IF_ERROR(manager_.start(this));
  RETURN_IF_ERROR(oids_.start(catalog::oid::kFirstUserOid));
  RETURN_IF_ERROR(storage_ids_.start(catalog::kFirstUserStorage));
  RETURN_IF_ERROR(load_catalog());
  RETURN_IF_ERROR(drop_orphans());
  RETURN_IF_ERROR(read_checkpoint_records());
  if (options_.learned_index) RETURN_IF_ERROR(build_directories());
  if (reapers_ != nullptr) reapers_->connect(&manager_.timeline(), manager_.shared_loads());
  RETURN_IF_ERROR(make_public_schema());
  maintenance_ = std::thread([this] { maintain(); });
  return {};
}

DatabaseImpl::~DatabaseImpl() {
  if (maintenance_.joinable()) {
    {
      MutexLock lock(maintenance_mutex_);
      closing_ = true;
      maintenance_wake_.notify_all();
    }
    maintenance_.join();
    drop_unneeded_storages(true);
    flush_sequences();
    checkpoint_directories(true);
  }
  if (reapers_ != nullptr) reapers_->connect(nullptr, nullptr);
}

Status DatabaseImpl::load_catalog() {
  // What can be dropped is in the store alone.
  std::vector<catalog::Change> changes = {{catalog::oid::kPublicSchema, nullptr}};
  uint32_t greatest_oid = 0, greatest_storage = 0;
  txn::VersionCursor cursor(*store_, manager_.loads(), {manager_.timeline().watermark()}, catalog::kCatalogStorage, {},
                            {}, false);
  while (cursor.next()) {
    ASSIGN_OR_RETURN(catalog::Object object, catalog::decode_object(cursor.row()));
    const Oid oid = catalog::object_oid(object);
    greatest_oid = std::max(greatest_oid, oid.value);
    if (const auto* table = std::get_if<catalog::Table>(&object)) {
      greatest_storage = std::max(greatest_storage, table->storage.value);
    } else if (const auto* index = std::get_if<catalog::Index>(&object)) {
      greatest_storage = std::max(greatest_storage, index->storage.value);
    } else if (const auto* sequence = std::get_if<catalog::Sequence>(&object)) {
      greatest_storage = std::max(greatest_storage, sequence->storage.value);
    }
    changes.push_back({oid, std::make_shared<const catalog::Object>(std::move(object))});
  }
  RETURN_IF_ERROR(cursor.status());
  auto initial = catalog::Catalog::initial();
  ASSIGN_OR_RETURN(auto loaded, initial->with(changes));
  oids_.at_least(greatest_oid + 1);
  storage_ids_.at_least(greatest_storage + 1);
  MutexLock lock(catalog_mutex_);
  catalog_ = std::move(loaded);
  return {};
}

/// Once in a directory's life.
Status DatabaseImpl::make_public_schema() {
  const std::string made_key = txn::storage_prefix(txn::kClockStorage) + "public schema";
  std::string value;
  ASSIGN_OR_RETURN(const bool made, store_->get(made_key, &value));
  if (made) return {};
  // It can be there already: an earlier start ended between the two writes.
  if (const auto initial = catalog::Catalog::initial(); committed_catalog()->find_schema("public") == nullptr) {
    const auto t = begin(txn::Isolation::kReadCommitted, false);
    const auto schema = std::make_shared<const catalog::Object>(*initial->find_schema("public"));
    RETURN_IF_ERROR(change_catalog(*t, {{catalog::oid::kPublicSchema, schema}}));
    RETURN_IF_ERROR(commit(*t));
  }
  store::Batch batch;
  batch.put(made_key, "made");
  return store_->write(batch, store::Sync::kYes);
}

/// Removes bodies of rows that no table owns: a crash came between the commit of their DROP and their removal, or before
/// the commit of what made them.
Status DatabaseImpl::drop_orphans() {
  std::set<uint32_t> owned;
  committed_catalog()->for_each([&](const catalog::Object& object) {
    if (const auto* table = std::get_if<catalog::Table>(&object)) owned.insert(table->storage.value);
    if (const auto* index = std::get_if<catalog::Index>(&object)) owned.insert(index->storage.value);
  });
  std::vector<StorageId> orphans;
  auto it = store_->iterate({});
  it->seek(txn::storage_prefix(StorageId(catalog::kFirstUserStorage)));
  while (it->valid() && it->key().size() >= txn::kStorageBytes) {
    const uint32_t storage = load_be32(it->key().data());
    if (!owned.contains(storage)) orphans.push_back(StorageId(storage));
    it->seek(txn::storage_prefix(StorageId(storage + 1)));
  }
  RETURN_IF_ERROR(it->status());
  it.reset();
  for (const StorageId storage : orphans) {
    storage_ids_.at_least(storage.value + 1);
    RETURN_IF_ERROR(
        store_->drop_range(txn::storage_prefix(storage), txn::storage_prefix(StorageId(storage.value + 1))));
  }
  return {};
}

StorageState& DatabaseImpl::state(StorageId storage) {
  {
    std::shared_lock lock(states_mutex_);
    if (const auto it = states_.find(storage); it != states_.end()) return *it->second;
  }
  std::unique_lock lock(states_mutex_);
  auto& slot = states_[storage];
  if (slot == nullptr) slot = std::make_unique<StorageState>();
  return *slot;
}

StorageState& DatabaseImpl::state(const TableAccess& table) {
  if (void* found = table.notes_.found.load(std::memory_order_acquire)) return *static_cast<StorageState*>(found);
  StorageState& found = state(table.table().storage);
  table.notes_.found.store(&found, std::memory_order_release);
  return found;
}

txn::KeyDirectory* DatabaseImpl::make_directory(const TableAccess& table) {
  if (!options_.learned_index) return nullptr;
  StorageState& s = state(table);
  if (auto* directory = s.directory()) return directory;
  // Every storage that had rows at start has its directory, so this one is new and empty.
  return &s.make_directory(table.fixed_key_bytes(), row_cache_.get());
}

// Transactions

std::unique_ptr<txn::Transaction> DatabaseImpl::begin(txn::Isolation isolation, bool read_only) {
  auto t = std::make_unique<TableTransaction>(*this);
  manager_.begin(*t, isolation, read_only);
  return t;
}

std::unique_ptr<txn::Transaction> DatabaseImpl::begin_beside(const txn::Transaction& other) {
  auto t = std::make_unique<TableTransaction>(*this);
  manager_.begin_beside(*t, static_cast<const TableTransaction&>(other));
  return t;
}

void DatabaseImpl::begin_statement(txn::Transaction& transaction) { manager_.begin_statement(own(transaction)); }

bool DatabaseImpl::see_newest(txn::Transaction& transaction, bool on) {
  return manager_.see_newest(own(transaction), on);
}

Status DatabaseImpl::commit(txn::Transaction& transaction) {
  TableTransaction& t = own(transaction);
  CHECK(t.unique_checks.empty());
  note_changes(t);
  Status status = manager_.commit(t);
  if (!status.ok() && !status.is(SqlState::kTRStatementCompletionUnknown)) undo_events(t, 0);
  return status;
}

void DatabaseImpl::rollback(txn::Transaction& transaction) {
  TableTransaction& t = own(transaction);
  if (t.over) return;
  manager_.rollback(t);
  undo_events(t, 0);
}

txn::Savepoint DatabaseImpl::savepoint(txn::Transaction& transaction) {
  TableTransaction& t = own(transaction);
  txn::Savepoint s = manager_.savepoint(t);
  s.catalog_mark = t.events.size();
  return s;
}

void DatabaseImpl::rollback_to(txn::Transaction& transaction, const txn::Savepoint& savepoint) {
  TableTransaction& t = own(transaction);
  manager_.rollback_to(t, savepoint);
  t.unique_checks.clear();
  t.moves.rollback_to(savepoint.write_mark);
  undo_events(t, savepoint.catalog_mark);
}

void DatabaseImpl::undo_events(TableTransaction& t, size_t mark) {
  std::vector<StorageId> made;
  while (t.events.size() > mark) {
    if (t.events.back().kind == Event::Kind::kMadeStorage) made.push_back(t.events.back().storage);
    if (t.events.back().kind == Event::Kind::kChange) t.merged.reset();
    t.events.pop_back();
  }
  if (made.empty()) return;
  MutexLock lock(maintenance_mutex_);
  for (const StorageId storage : made) drops_.push_back({storage, Timestamp(0)});
  maintenance_wake_.notify_all();
}

// Catalog

std::shared_ptr<const catalog::Catalog> DatabaseImpl::committed_catalog() {
  MutexLock lock(catalog_mutex_);
  return catalog_;
}

std::shared_ptr<const catalog::Catalog> DatabaseImpl::catalog(const txn::Transaction& transaction) {
  auto& t = const_cast<TableTransaction&>(static_cast<const TableTransaction&>(transaction));
  auto committed = committed_catalog();
  const bool changed =
      std::any_of(t.events.begin(), t.events.end(), [](const Event& e) { return e.kind == Event::Kind::kChange; });
  if (!changed) return committed;
  if (t.merged != nullptr && t.merged_on == committed) return t.merged;
  auto merged = committed->with(changes_of(t));
  if (!merged.ok()) {
    // Somebody else has committed an object of the same name; our commit will say so. Until then we see what we saw.
    return t.merged != nullptr ? t.merged : committed;
  }
  t.merged = *merged;
  t.merged_on = committed;
  return t.merged;
}

Status DatabaseImpl::change_catalog(txn::Transaction& transaction, std::vector<catalog::Change> changes) {
  TableTransaction& t = own(transaction);
  if (t.dependencies != nullptr)
    RETURN_IF_ERROR(txn::Dependencies::met_row(*t.dependencies));  // drop_storage() could not say so
  auto committed = committed_catalog();
  auto all = changes_of(t);
  all.insert(all.end(), changes.begin(), changes.end());
  ASSIGN_OR_RETURN(auto merged, committed->with(all));
  for (catalog::Change& change : changes) {
    const std::string key = catalog_key(change.oid);
    if (change.object != nullptr) {
      t.writes.put(catalog::kCatalogStorage, key, catalog::encode_object(*change.object), t.command);
    } else {
      t.writes.erase(catalog::kCatalogStorage, key, t.command);
    }
    auto base = committed->object(change.oid);
    for (const Event& e : t.events) {
      // What it replaces is what was committed when this transaction changed it first.
      if (e.kind != Event::Kind::kChange || e.change.oid != change.oid) continue;
      base = e.base;
      break;
    }
    t.events.push_back({Event::Kind::kChange, std::move(change), std::move(base), {}});
  }
  t.merged = std::move(merged);
  t.merged_on = std::move(committed);
  return {};
}

void DatabaseImpl::drop_storage(txn::Transaction& transaction, StorageId storage) {
  TableTransaction& t = own(transaction);
  if (!t.made(storage)) manager_.dependencies().drop_storage(t.dependencies, storage);
  t.events.push_back({Event::Kind::kDropStorage, {}, nullptr, storage});
}

void DatabaseImpl::made_storage(txn::Transaction& transaction, StorageId storage) {
  own(transaction).events.push_back({Event::Kind::kMadeStorage, {}, nullptr, storage});
}

// The commit pipeline's hooks. One thread at a time.

Status DatabaseImpl::before_write(txn::BasicTransaction& transaction, Timestamp) {
  auto& t = static_cast<TableTransaction&>(transaction);
  const auto changes = changes_of(t);
  if (changes.empty()) return {};
  const auto newest = staged_ != nullptr ? staged_ : committed_catalog();
  for (const Event& e : t.events) {
    if (e.kind == Event::Kind::kChange && newest->object(e.change.oid) != e.base) {
      return Status(SqlState::kInternalError, "tuple concurrently updated");
    }
  }
  ASSIGN_OR_RETURN(t.staged, newest->with(changes));
  staged_ = t.staged;
  return {};
}

void DatabaseImpl::after_write(txn::BasicTransaction& transaction, Timestamp commit_ts) {
  auto& t = static_cast<TableTransaction&>(transaction);
  const txn::Stamp stamp = txn::Stamp::commit(commit_ts);
  std::vector<DeadKey> dead;
  for (const auto& [storage, map] : t.writes.storages()) {
    if (map->empty()) continue;
    StorageState& s = state(storage);
    s.raise(std::prev(map->end())->first);
    s.changes.fetch_add(map->size(), std::memory_order_relaxed);
    txn::KeyDirectory* directory = s.directory();
    for (const auto& [key, entry] : *map) {
      if (entry.newest == nullptr) continue;
      const bool wanted = directory != nullptr && directory->committed(key, stamp, entry.newest->tombstone);
      if (wanted && !entry.newest->tombstone) {
        row_cache_->admit(*directory, {key, entry.newest->row, stamp, commit_ts}, txn::RowCache::Admission::kEvict);
      }
      if (entry.newest->tombstone) dead.push_back({storage, commit_ts, std::string(key)});
    }
  }
  if (!t.moves.empty()) moved_rows_.commit(commit_ts, t.moves.take());
  if (!dead.empty()) {
    MutexLock lock(maintenance_mutex_);
    for (DeadKey& d : dead) dead_keys_.push_back(std::move(d));
  }
  for (const auto& [storage, loaded] : t.loaded) state(storage).loaded_tombstones.fetch_add(loaded.tombstones);
  if (watches_.load(std::memory_order_relaxed) != 0) record_changes(t, commit_ts);
  for (const auto& [storage, delta] : t.row_deltas) {
    auto& rows = state(storage).rows;
    if (rows.load(std::memory_order_relaxed) >= 0) rows.fetch_add(delta, std::memory_order_relaxed);
  }
  for (const Event& e : t.events) {
    if (e.kind == Event::Kind::kMadeStorage) state(e.storage).created_ts.store(commit_ts.value);
    if (e.kind != Event::Kind::kDropStorage) continue;
    MutexLock lock(maintenance_mutex_);
    drops_.push_back({e.storage, commit_ts});
  }
  if (t.staged != nullptr) {
    MutexLock lock(catalog_mutex_);
    catalog_ = t.staged;
    if (staged_ == catalog_) staged_.reset();
  }
}

void DatabaseImpl::write_failed() { staged_.reset(); }

// Locks on objects

Status DatabaseImpl::lock_failure(const TableTransaction& t, txn::LockOutcome outcome,
                                  const std::string& not_available) {
  switch (outcome) {
    case txn::LockOutcome::kGranted: return {};
    case txn::LockOutcome::kNotAvailable: return Status(SqlState::kLockNotAvailable, not_available);
    case txn::LockOutcome::kTimeout:
      return Status(SqlState::kLockNotAvailable, "canceling statement due to lock timeout");
    case txn::LockOutcome::kCancelled:
      return Status(SqlState::kQueryCanceled, "canceling statement due to user request");
    case txn::LockOutcome::kDeadlock:
      return Status(SqlState::kTRDeadlockDetected, "deadlock detected")
          .with_detail(t.locks.deadlock_detail())
          .with_hint("See server log for query details.");
  }
  return {};
}

Status DatabaseImpl::lock_object(txn::Transaction& transaction, Oid object, txn::ObjectLockMode mode, LockWait wait) {
  TableTransaction& t = own(transaction);
  const auto outcome =
      manager_.locks().acquire(t.locks, {txn::Resource::Kind::kObject, object.value}, static_cast<txn::LockMode>(mode),
                               wait == LockWait::kWait ? txn::LockWait::kWait : txn::LockWait::kNoWait);
  if (outcome == txn::LockOutcome::kGranted) return {};
  std::string name = std::to_string(object.value);
  if (const auto found = catalog(t)->object(object)) name = catalog::object_name(*found);
  return lock_failure(t, outcome, "could not obtain lock on relation \"" + name + "\"");
}

Status DatabaseImpl::spill_if_large(TableTransaction& t) {
  if (t.writes.bytes() < options_.write_set_bytes) return {};
  // The greatest keys are known before the writes are gone from the set, and raised before their locks are.
  std::vector<std::pair<StorageId, std::string>> greatest;
  for (const auto& [storage, map] : t.writes.storages()) {
    if (!map->empty()) greatest.emplace_back(storage, std::prev(map->end())->first);
  }
  for (const auto& [storage, key] : greatest) state(storage).raise_early(*store_, storage, key);
  bool noted = false;
  return manager_.spill(t, [&](StorageId storage, std::string_view key, uint64_t load, bool tombstone) {
    if (!std::exchange(noted, true)) note_loaded(t);  // all of them, before the directories know the first
    StorageState& s = state(storage);
    if (tombstone) ++t.loaded[storage].tombstones;
    s.changes.fetch_add(1, std::memory_order_relaxed);
    if (auto* directory = s.directory()) directory->loaded(key, txn::Stamp::load(load), tombstone);
  });
}

std::pair<uint64_t, uint64_t> DatabaseImpl::index_size() {
  uint64_t keys = 0, bytes = 0;
  std::shared_lock lock(states_mutex_);
  for (const auto& [storage, state] : states_) {
    if (const auto* directory = state->directory()) {
      keys += directory->index().size();
      bytes += directory->index().memory_bytes();
    }
  }
  return {keys, bytes};
}

void DatabaseImpl::divide_memory() {
  if (row_cache_ == nullptr) return;
  const uint64_t bytes = index_size().second + index::epoch_reclaim();
  const uint64_t beyond = bytes > options_.index_bytes ? bytes - options_.index_bytes : 0;
  const size_t share = options_.row_cache_bytes;
  row_cache_->set_bytes_max(share - std::min<size_t>(beyond, share / 8 * 7));
}

std::vector<std::pair<std::string, uint64_t>> DatabaseImpl::statistics() {
  auto out = manager_.statistics();
  for (auto& s : store_->statistics()) out.push_back(std::move(s));
  out.emplace_back("row_gets", gets_.total());
  out.emplace_back("row_scans", scans_.total());
  out.emplace_back("rows_inserted", inserts_.total());
  out.emplace_back("rows_updated", updates_.total());
  out.emplace_back("rows_deleted", deletes_.total());
  if (reapers_ != nullptr) out.emplace_back("versions_reaped", reapers_->dropped());
  out.emplace_back("dead_keys_removed", dead_keys_removed_.load());
  out.emplace_back("index_builds_loaded", index_loads_.load());
  out.emplace_back("index_build_runs", index_runs_.load());
  const auto& reads = manager_.reader().counters();
  out.emplace_back("row_cache_hits", reads.cached.total());
  out.emplace_back("row_cache_scanned", reads.scanned_cached.total());
  out.emplace_back("store_scanned", reads.scanned_store.total());
  if (row_cache_ != nullptr) {
    for (auto& s : row_cache_->statistics()) out.push_back(std::move(s));
  }
  out.emplace_back("index_exact_reads", reads.exact.total());
  out.emplace_back("index_answered", reads.absent.total());
  out.emplace_back("index_walked", reads.walked.total());
  const auto [keys, bytes] = index_size();
  out.emplace_back("index_keys", keys);
  out.emplace_back("index_bytes", bytes);
  out.emplace_back("index_retired_bytes", index::epoch_waiting_bytes());  // until the readers of now have gone
  out.emplace_back("index_epochs_behind", index::epoch_pinned_behind());
  out.emplace_back("index_build_ms", directories_built_ms_);
  out.emplace_back("index_restored", directories_restored_.load());
  out.emplace_back("index_rebuilt", directories_rebuilt_.load());
  out.emplace_back("index_checkpoints_written", checkpoints_written_.load());
  return out;
}

}  // namespace omendb::table
