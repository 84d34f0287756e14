// The learned index over each table's keys across restarts: checkpoints, restoring, rebuilding.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "base/clock.h"
#include "table/database_impl.h"
#include "table/index_checkpoint.h"
#include "table/newest_versions.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

using Kind = txn::KeyDirectory::Place::Kind;

// Fewer keys are read from the rows in a few milliseconds.
constexpr uint64_t kCheckpointKeysMin = 10'000;
// While the server runs: so many changes, and a quarter of the keys, and so long ago.
constexpr uint64_t kChangesMin = 100'000;
constexpr int64_t kIntervalNs = 30'000'000'000;
constexpr uint64_t kReapedBytesMax = 64 << 20;

std::string record_key(StorageId storage) {
  std::string key = txn::storage_prefix(txn::kIndexStorage);
  key.push_back('\0');
  key.resize(key.size() + 4);
  store_be32(key.data() + key.size() - 4, storage.value);
  return key;
}
std::string log_key(uint64_t number) {
  std::string key = txn::storage_prefix(txn::kIndexStorage);
  key.push_back('\x01');
  key.resize(key.size() + 8);
  store_be64(key.data() + key.size() - 8, number);
  return key;
}

}  // namespace

// At start

Status DatabaseImpl::read_checkpoint_records() {
  if (!keeps_checkpoints()) return {};
  const std::string lower = txn::storage_prefix(txn::kIndexStorage);
  const std::string upper = txn::storage_prefix(StorageId(txn::kIndexStorage.value + 1));
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  auto it = store_->iterate(options);
  for (it->seek(lower); it->valid(); it->next()) {
    std::string_view key = it->key().substr(txn::kStorageBytes), value = it->value();
    if (key.size() == 5 && key[0] == 0 && value.size() == 8) {
      uint64_t id;
      std::memcpy(&id, value.data(), sizeof(id));
      state(StorageId(load_be32(key.data() + 1))).checkpoint_id.store(id);
      continue;
    }
    if (key.size() == 5 && key[0] == 2 && value.size() == 8) {
      uint64_t position;
      std::memcpy(&position, value.data(), sizeof(position));
      state(StorageId(load_be32(key.data() + 1))).kept_from.store(position);
      continue;
    }
    if (key.size() == 13 && key[0] == 3) {
      kept_number_ = std::max(kept_number_, load_be64(key.data() + 5) + 1);
      state(StorageId(load_be32(key.data() + 1))).kept_bytes += value.size();
      continue;
    }
    if (key.size() != 9) return Status(SqlState::kDataCorrupted, "the store's notes on index checkpoints are damaged");
    reaped_number_ = load_be64(key.data() + 1) + 1;
    while (value.size() >= 16) {
      uint32_t storage, bytes;
      uint64_t ts;
      std::memcpy(&storage, value.data(), 4);
      std::memcpy(&ts, value.data() + 4, 8);
      std::memcpy(&bytes, value.data() + 12, 4);
      if (value.size() < 16 + size_t{bytes}) break;
      reaped_[StorageId(storage)].push_back({Timestamp(ts), std::string(value.substr(16, bytes))});
      value.remove_prefix(16 + size_t{bytes});
    }
    if (!value.empty()) return Status(SqlState::kDataCorrupted, "the store's notes on index checkpoints are damaged");
  }
  return it->status();
}

Status DatabaseImpl::build_directories() {
  const int64_t start = monotonic_ns();
  std::vector<std::unique_ptr<TableAccess>> tables;
  const auto catalog = committed_catalog();
  catalog->for_each([&](const catalog::Object& object) {
    if (const auto* table = std::get_if<catalog::Table>(&object)) {
      tables.push_back(std::make_unique<TableAccess>(*catalog, *table));
    }
  });
  std::atomic<size_t> next{0};
  Mutex mutex;
  Status status;
  const auto work = [&] {
    for (size_t i = next.fetch_add(1); i < tables.size(); i = next.fetch_add(1)) {
      Status s = build_directory(*tables[i]);
      MutexLock lock(mutex);
      if (status.ok()) status = std::move(s);
    }
  };
  std::vector<std::thread> helpers;
  const size_t threads = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), tables.size());
  for (size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  for (auto& helper : helpers) helper.join();
  reaped_.clear();
  delete_stale_checkpoints();
  last_checkpoint_ns_ = monotonic_ns();
  directories_built_ms_ = static_cast<uint64_t>((monotonic_ns() - start) / 1'000'000);
  return status;
}

Status DatabaseImpl::build_directory(const TableAccess& table) {
  StorageState& s = state(table.table().storage);
  txn::KeyDirectory& directory = s.make_directory(table.fixed_key_bytes(), row_cache_.get());
  ASSIGN_OR_RETURN(const bool restored, restore_directory(table, directory));
  if (!restored) RETURN_IF_ERROR(rebuild_directory(table, directory));
  (restored ? directories_restored_ : directories_rebuilt_).fetch_add(1);
  s.rows.store(static_cast<int64_t>(directory.index().size()), std::memory_order_relaxed);
  return {};
}

void DatabaseImpl::add_dead_keys(std::vector<DeadKey> dead) {
  if (dead.empty()) return;
  MutexLock lock(maintenance_mutex_);
  for (DeadKey& d : dead) dead_keys_.push_back(std::move(d));
}

Result<bool> DatabaseImpl::restore_directory(const TableAccess& table, txn::KeyDirectory& directory) {
  const StorageId storage = table.table().storage;
  const uint64_t id = state(storage).checkpoint_id.load();
  if (id == 0) return false;
  auto opened = CheckpointReader::open(options_.directory, {storage, directory.fixed_key_bytes(), 0, id});
  if (!opened.ok()) return false;  // the rows know it all; the next checkpoint takes its place
  CheckpointReader& file = **opened;
  std::vector<DeadKey> dead;
  const bool ascending = directory.index().bulk_load([&](std::string_view* key, index::Payload* payload) {
    while (file.next(key, payload)) {
      if (txn::KeyDirectory::place_kind(*payload) != Kind::kTombstone) return true;
      const txn::Stamp stamp = txn::KeyDirectory::place(*payload).stamp;
      const uint64_t ts = stamp.is_load() ? manager_.loads().find(stamp.number()).value : stamp.number();
      dead.push_back({storage, Timestamp(ts), std::string(*key)});
    }
    return false;
  });
  if (!ascending) return false;

  // Keys that have left the store since, unless they came back: those the store tells of.
  if (const auto found = reaped_.find(storage); found != reaped_.end()) {
    for (const Reaped& r : found->second) {
      const auto payload = directory.index().find(r.key);
      if (!payload.has_value() || txn::KeyDirectory::place_kind(*payload) == Kind::kLook) continue;
      const txn::Stamp stamp = txn::KeyDirectory::place(*payload).stamp;
      const uint64_t ts = stamp.is_load() ? manager_.loads().find(stamp.number()).value : stamp.number();
      if (ts <= r.ts.value) (void)directory.index().erase(r.key);
    }
  }
  const uint64_t position = file.position();
  NewestVersions versions(*store_, manager_.loads(), txn::storage_prefix(storage),
                          txn::storage_prefix(StorageId(storage.value + 1)), ~((position << 1) | 1));
  uint64_t late = 0;
  while (versions.next()) {
    if (versions.stamp().number() <= position) continue;
    ++late;
    if (versions.tombstone()) {
      (void)directory.index().erase(versions.key());
      dead.push_back({storage, versions.commit_ts(), std::string(versions.key())});
    } else {
      directory.index().upsert(versions.key(), txn::KeyDirectory::payload(versions.stamp(), false));
    }
  }
  RETURN_IF_ERROR(versions.status());
  state(storage).changes.store(late);
  add_dead_keys(std::move(dead));
  return true;
}

Status DatabaseImpl::rebuild_directory(const TableAccess& table, txn::KeyDirectory& directory) {
  const StorageId storage = table.table().storage;
  struct Part {
    explicit Part(uint32_t fixed_key_bytes) : block(fixed_key_bytes) {}
    EntryBlock block;
    std::vector<DeadKey> dead;
    Status status;
  };
  const size_t threads = std::max(1u, std::thread::hardware_concurrency());
  const std::vector<KeyRange> ranges = split(table, {}, 4 * threads);
  std::vector<std::unique_ptr<Part>> parts;
  for (size_t i = 0; i < ranges.size(); ++i) parts.push_back(std::make_unique<Part>(directory.fixed_key_bytes()));
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next.fetch_add(1); i < ranges.size(); i = next.fetch_add(1)) {
      const KeyRange& range = ranges[i];
      NewestVersions versions(*store_, manager_.loads(), txn::version_prefix(storage, range.lower),
                              range.upper.empty() ? txn::storage_prefix(StorageId(storage.value + 1))
                                                  : txn::version_prefix(storage, range.upper),
                              0);
      while (versions.next()) {
        if (versions.tombstone()) {
          parts[i]->dead.push_back({storage, versions.commit_ts(), std::string(versions.key())});
        } else {
          parts[i]->block.add(versions.key(), txn::KeyDirectory::payload(versions.stamp(), false));
        }
      }
      parts[i]->status = versions.status();
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(threads, ranges.size()); ++i) helpers.emplace_back(work);
  work();
  for (auto& helper : helpers) helper.join();
  uint64_t entries = 0;
  for (auto& part : parts) {
    RETURN_IF_ERROR(part->status);
    entries += part->block.entries();
    add_dead_keys(std::move(part->dead));
  }
  size_t part = 0;
  std::string_view rest;
  const bool ascending = directory.index().bulk_load([&](std::string_view* key, index::Payload* payload) {
    while (rest.empty()) {
      if (part == parts.size()) return false;
      rest = parts[part++]->block.bytes();
    }
    return EntryBlock::take(directory.fixed_key_bytes(), &rest, key, payload);
  });
  if (!ascending) {
    return Status(SqlState::kDataCorrupted, "the rows of table \"" + table.table().name + "\" are out of order");
  }
  state(storage).changes.store(entries);
  return {};
}

/// Files that no record names: a crash came between the file and the record, or between the next record and the deletion.
void DatabaseImpl::delete_stale_checkpoints() {
  if (!keeps_checkpoints()) return;
  std::set<std::string> current;
  {
    std::shared_lock lock(states_mutex_);
    for (const auto& [storage, state] : states_) {
      if (const uint64_t id = state->checkpoint_id.load())
        current.insert(checkpoint_path(options_.directory, {storage, 0, 0, id}));
    }
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory + "/index", error)) {
    if (!current.contains(entry.path().string())) (void)::unlink(entry.path().c_str());
  }
}

// While running

void DatabaseImpl::ReapedLog::add(StorageId storage, Timestamp ts, std::string_view key) {
  if (!database_.keeps_checkpoints()) return;
  StorageState& s = database_.state(storage);
  const auto bytes = static_cast<uint32_t>(key.size());
  const auto entry = [&](std::string* out) {
    out->append(reinterpret_cast<const char*>(&ts.value), 8);
    out->append(reinterpret_cast<const char*>(&bytes), 4);
    out->append(key);
  };
  if (s.checkpoint_id.load() != 0) {
    value_.append(reinterpret_cast<const char*>(&storage.value), 4);
    entry(&value_);
  }
  if (s.kept_from.load() != 0) {
    if (kept_.empty() || kept_.back().storage != storage) kept_.push_back({storage});
    kept_.back().last = std::max(kept_.back().last, ts.value);
    entry(&kept_.back().entries);
  } else if (s.kept_lost != 0) {
    s.kept_lost = std::max(s.kept_lost, ts.value);
  }
}

void DatabaseImpl::ReapedLog::append(store::Batch* batch) {
  for (const auto& [storage, last, entries] : kept_) {
    StorageState& s = database_.state(storage);
    s.kept_bytes += entries.size();
    if (s.kept_from.load() != 0 && s.kept_bytes <= database_.options_.change_log_bytes) {
      batch->put(kept_log_key(storage, database_.kept_number_++), entries);
      continue;
    }
    s.kept_from.store(0);
    s.kept_lost = std::max(s.kept_lost, last);
    batch->erase(kept_record_key(storage));
    batch->erase_range(kept_log_key(storage, 0), kept_log_key(storage, UINT64_MAX));
  }
  kept_.clear();
  if (value_.empty()) return;
  batch->put(log_key(database_.reaped_number_++), value_);
  database_.reaped_logged_ += value_.size();
  value_.clear();
}

void DatabaseImpl::checkpoint_directories(bool all) {
  if (!keeps_checkpoints() || !options_.learned_index || store_->failed()) return;
  MutexLock housekeeping(housekeeping_mutex_);
  const int64_t now = monotonic_ns();
  all = all || reaped_logged_ > kReapedBytesMax;
  if (!all && now - last_checkpoint_ns_ < kIntervalNs) return;
  std::vector<std::pair<StorageId, StorageState*>> storages;
  {
    std::shared_lock lock(states_mutex_);
    for (const auto& [storage, state] : states_) {
      if (state->directory() != nullptr) storages.emplace_back(storage, state.get());
    }
  }
  const uint64_t reaped_before = reaped_number_;
  bool current = true;  // every checkpoint knows what the log says
  for (auto& [storage, s] : storages) {
    const uint64_t changes = s->changes.load(std::memory_order_relaxed);
    if (changes == 0) continue;
    const uint64_t keys = s->directory()->index().size();
    if (keys < kCheckpointKeysMin) {
      if (s->checkpoint_id.load() != 0) forget_checkpoint(storage, *s);
      continue;
    }
    if (all || changes >= std::max(kChangesMin, keys / 4)) {
      last_checkpoint_ns_ = now;
      // Without it the next start takes longer, no more.
      if (!checkpoint_directory(storage, *s).ok()) current = false;
    } else if (s->checkpoint_id.load() != 0) {
      current = false;
    }
  }
  if (!current || reaped_before == 0 || reaped_logged_ == 0) return;
  store::Batch batch;
  batch.erase_range(log_key(0), log_key(reaped_before));
  if (store_->write(batch, store::Sync::kNo).ok()) reaped_logged_ = 0;
}

Status DatabaseImpl::checkpoint_directory(StorageId storage, StorageState& s) {
  txn::KeyDirectory& directory = *s.directory();
  const uint64_t changes = s.changes.load(std::memory_order_relaxed), old = s.checkpoint_id.load();
  CheckpointHeader header{storage, directory.fixed_key_bytes()};
  header.position = manager_.loads().decided_up_to(manager_.timeline().watermark().value);
  std::random_device random;
  while (header.id == 0) header.id = uint64_t{random()} << 32 | random();
  ASSIGN_OR_RETURN(auto file, CheckpointWriter::create(options_.directory, header));
  auto cursor = directory.index().cursor(index::OrderedIndex::Cursor::kBatchMax);
  std::string from;
  for (bool more = true; more;) {
    index::EpochGuard guard;  // not for the whole walk: what is replaced meanwhile must be freed
    more = cursor.seek(from);
    for (int n = 0; more && n < 256; ++n, more = cursor.next()) {
      index::Payload payload = cursor.payload();
      const auto place = txn::KeyDirectory::place(payload);
      if (place.kind == Kind::kCached) payload = txn::KeyDirectory::payload(place.stamp, false);
      if (place.kind == Kind::kRow && place.stamp.is_load() &&
          manager_.loads().find(place.stamp.number()).kind != txn::Loads::State::Kind::kCommitted) {
        continue;  // of nobody else's yet, and perhaps never: if it is committed the store tells
      }
      RETURN_IF_ERROR(file->add(cursor.key(), payload));
    }
    if (more) from.assign(cursor.key());
  }
  RETURN_IF_ERROR(file->finish());
  store::Batch batch;
  batch.put(record_key(storage), std::string_view(reinterpret_cast<const char*>(&header.id), sizeof(header.id)));
  if (Status written = store_->write(batch, store::Sync::kYes); !written.ok()) {
    // Whether the record is there is not known: the file stays, and the next start deletes it if not.
    return written;
  }
  s.checkpoint_id.store(header.id);
  s.changes.fetch_sub(changes, std::memory_order_relaxed);
  if (old != 0) (void)::unlink(checkpoint_path(options_.directory, {storage, 0, 0, old}).c_str());
  checkpoints_written_.fetch_add(1);
  return {};
}

void DatabaseImpl::forget_checkpoint(StorageId storage, StorageState& s) {
  store::Batch batch;
  batch.erase(record_key(storage));
  if (!store_->write(batch, store::Sync::kNo).ok()) return;
  (void)::unlink(checkpoint_path(options_.directory, {storage, 0, 0, s.checkpoint_id.load()}).c_str());
  s.checkpoint_id.store(0);
}

}  // namespace omendb::table
