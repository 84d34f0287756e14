// What commits change, for who keeps a copy of a table's rows.
#include <algorithm>
#include <cstring>

#include "table/database_impl.h"
#include "table/newest_versions.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

// A write set of fewer keys is told key by key.
constexpr size_t kSpansFrom = 4096;
// Of a large transaction's changes to a table that nobody watches yet.
constexpr size_t kUnwatchedBytes = 256 << 10;

}  // namespace

std::shared_ptr<txn::ChangeLog> DatabaseImpl::watch_changes(const TableAccess& table) {
  StorageState& s = state(table);
  std::shared_ptr<txn::ChangeLog> log;
  manager_.committer().between_groups([&] {
    log = s.change_log.lock();
    if (log != nullptr) return;
    log = std::make_shared<txn::ChangeLog>(manager_.timeline().watermark(), options_.change_log_bytes);
    s.change_log = log;
    if (!s.watched.exchange(true)) watches_.fetch_add(1);
  });
  return log;
}

void DatabaseImpl::note_loaded(TableTransaction& t) {
  for (const auto& [storage, map] : t.writes.storages()) {
    if (map->empty()) continue;
    StorageState& s = state(storage);
    ChangedKeys& changed = t.loaded[storage].changed;
    // Somebody may begin to watch before the commit: spans cost so little that they are kept in any case.
    if (s.directory() == nullptr && !s.watched.load())
      changed.forget();
    else
      changed.add(*map, s.directory(),
                  s.watched.load() ? options_.change_log_bytes : std::min(kUnwatchedBytes, options_.change_log_bytes));
  }
}

void DatabaseImpl::note_changes(TableTransaction& t) {
  if (watches_.load(std::memory_order_relaxed) == 0) return;
  for (const auto& [storage, map] : t.writes.storages()) {
    if (map->size() < kSpansFrom) continue;
    StorageState& s = state(storage);
    if (s.watched.load()) t.changed[storage].add(*map, s.directory(), options_.change_log_bytes);
  }
}

void DatabaseImpl::record_changes(const TableTransaction& t, Timestamp commit_ts) {
  const auto record = [&](StorageId storage, const auto& tell) {
    StorageState& s = state(storage);
    if (!s.watched.load(std::memory_order_relaxed)) return;
    if (const auto log = s.change_log.lock()) {
      tell(*log);
    } else {
      s.watched.store(false);
      watches_.fetch_sub(1);
    }
  };
  std::vector<std::string_view>& keys = changed_keys_;
  for (const auto& [storage, loaded] : t.loaded) {
    if (t.loads.empty()) break;  // a savepoint undid them all
    record(storage, [&, &changed = loaded.changed](txn::ChangeLog& log) { changed.tell(log, commit_ts, &keys); });
  }
  for (const auto& [storage, map] : t.writes.storages()) {
    if (map->empty()) continue;
    record(storage, [&, storage = storage, &map = map](txn::ChangeLog& log) {
      if (const auto noted = t.changed.find(storage); noted != t.changed.end())
        return noted->second.tell(log, commit_ts, &keys);
      keys.clear();
      for (const auto& [key, entry] : *map) {
        if (entry.newest != nullptr) keys.push_back(key);
      }
      log.append(commit_ts, keys);
    });
  }
  if (keys.capacity() > (1u << 16)) keys = {};
}

bool DatabaseImpl::has_own_changes(txn::Transaction& transaction, const TableAccess& table) {
  const TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  if (!t.loads.empty() && t.loaded.contains(storage)) return true;
  const auto* map = t.writes.find(storage);
  return map != nullptr && !map->empty();
}

bool DatabaseImpl::own_changes(txn::Transaction& transaction, const TableAccess& table,
                               const std::function<void(std::string_view key)>& key,
                               const std::function<void(const txn::KeySpan& span)>& span) {
  const TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  if (const auto loaded = t.loaded.find(storage); loaded != t.loaded.end() && !t.loads.empty()) {
    if (!loaded->second.changed.known()) return false;
    loaded->second.changed.for_each(key, span);
  }
  if (const auto* map = t.writes.find(storage)) {
    for (const auto& [written, entry] : *map) {
      if (entry.newest != nullptr) key(written);
    }
  }
  return true;
}

// Across restarts. The newest version of a key stays in the store, in a file that tells how young it is; only keys that were deleted
// leave it, so those are written down (vacuum.cc, ReapedLog).

namespace {

std::string kept_key(char kind, StorageId storage) {
  std::string key = txn::storage_prefix(txn::kIndexStorage);
  key.push_back(kind);
  key.resize(key.size() + 4);
  store_be32(key.data() + key.size() - 4, storage.value);
  return key;
}

/// Calls f(ts, key) for each entry of a record. False: it is damaged.
template <class F>
bool read_kept(std::string_view value, F f) {
  while (value.size() >= 12) {
    uint64_t ts;
    uint32_t bytes;
    std::memcpy(&ts, value.data(), 8);
    std::memcpy(&bytes, value.data() + 8, 4);
    if (value.size() < 12 + size_t{bytes}) return false;
    f(ts, value.substr(12, bytes));
    value.remove_prefix(12 + size_t{bytes});
  }
  return value.empty();
}

Status damaged() { return Status(SqlState::kDataCorrupted, "the store's notes on keys that have left it are damaged"); }

}  // namespace

std::string kept_record_key(StorageId storage) { return kept_key('\x02', storage); }
std::string kept_log_key(StorageId storage, uint64_t number) {
  std::string key = kept_key('\x03', storage);
  key.resize(key.size() + 8);
  store_be64(key.data() + key.size() - 8, number);
  return key;
}

Timestamp DatabaseImpl::change_position() {
  uint64_t position = 0;
  manager_.committer().between_groups(
      [&] { position = manager_.loads().decided_up_to(manager_.timeline().watermark().value); });
  return Timestamp(position);
}

Status DatabaseImpl::keep_changes(const TableAccess& table, Timestamp position) {
  const StorageId storage = table.table().storage;
  StorageState& s = state(table);
  MutexLock housekeeping(housekeeping_mutex_);
  uint64_t from = s.kept_from.load();
  if (position == Timestamp() && from == 0) return {};
  if (!keeps_checkpoints())
    return Status(SqlState::kObjectNotInPrerequisiteState, "a database in memory keeps no changes");
  store::Batch batch;
  uint64_t kept_bytes = 0;
  const std::string lower = kept_log_key(storage, 0), upper = kept_log_key(storage, UINT64_MAX);
  if (position == Timestamp() || (from == 0 && position.value < s.kept_lost)) {
    from = 0;
    batch.erase(kept_record_key(storage));
    batch.erase_range(lower, upper);
  } else {
    from = std::max(from, position.value);
    batch.put(kept_record_key(storage), std::string_view(reinterpret_cast<const char*>(&from), 8));
    store::IterateOptions options;
    options.lower = lower;
    options.upper = upper;
    auto it = store_->iterate(options);
    for (it->seek(lower); it->valid(); it->next()) {
      uint64_t last = 0;
      if (!read_kept(it->value(), [&](uint64_t ts, std::string_view) { last = std::max(last, ts); })) return damaged();
      if (last <= from)
        batch.erase(it->key());
      else
        kept_bytes += it->value().size();
    }
    RETURN_IF_ERROR(it->status());
  }
  RETURN_IF_ERROR(store_->write(batch, store::Sync::kYes));
  s.kept_from.store(from);
  s.kept_bytes = kept_bytes;
  return {};
}

Result<bool> DatabaseImpl::changes_since(const TableAccess& table, Timestamp position,
                                         const std::function<void(std::string_view key)>& f) {
  const StorageId storage = table.table().storage;
  const uint64_t from = state(table).kept_from.load();
  if (from == 0 || position.value < from) return false;
  MutexLock housekeeping(housekeeping_mutex_);  // a key must not go from the one place to the other while we look
  const std::string lower = kept_log_key(storage, 0), upper = kept_log_key(storage, UINT64_MAX);
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  auto it = store_->iterate(options);
  for (it->seek(lower); it->valid(); it->next()) {
    const bool whole = read_kept(it->value(), [&](uint64_t ts, std::string_view key) {
      if (ts > position.value) f(key);
    });
    if (!whole) return damaged();
  }
  RETURN_IF_ERROR(it->status());
  NewestVersions versions(*store_, manager_.loads(), txn::storage_prefix(storage),
                          txn::storage_prefix(StorageId(storage.value + 1)), ~((position.value << 1) | 1));
  while (versions.next()) {
    if (versions.stamp().number() > position.value) f(versions.key());
  }
  RETURN_IF_ERROR(versions.status());
  return true;
}

}  // namespace omendb::table
