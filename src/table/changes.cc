// What commits change, for who keeps a copy of a table's rows.
#include "table/database_impl.h"

namespace omendb::table {

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

void DatabaseImpl::note_loaded(TableTransaction::Loaded& loaded, const StorageState& s, std::string_view key) {
  if (!loaded.known) return;
  loaded.bytes += key.size() + sizeof(std::string);
  if (s.watched.load() && loaded.bytes <= options_.change_log_bytes) {
    loaded.keys.emplace_back(key);
    return;
  }
  loaded.known = false;
  loaded.keys = {};
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
    record(storage, [&, &loaded = loaded](txn::ChangeLog& log) {
      if (!loaded.known) return log.forget(commit_ts);
      keys.assign(loaded.keys.begin(), loaded.keys.end());
      log.append(commit_ts, keys);
    });
  }
  for (const auto& [storage, map] : t.writes.storages()) {
    if (map->empty()) continue;
    record(storage, [&, &map = map](txn::ChangeLog& log) {
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
                               const std::function<void(std::string_view key)>& f) {
  const TableTransaction& t = own(transaction);
  const StorageId storage = table.table().storage;
  if (const auto loaded = t.loaded.find(storage); loaded != t.loaded.end() && !t.loads.empty()) {
    if (!loaded->second.known) return false;
    for (const std::string& key : loaded->second.keys) f(key);
  }
  if (const auto* map = t.writes.find(storage)) {
    for (const auto& [key, entry] : *map) {
      if (entry.newest != nullptr) f(key);
    }
  }
  return true;
}

}  // namespace omendb::table
