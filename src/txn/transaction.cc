#include "txn/transaction.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "txn/commit.h"

namespace omendb::txn {
namespace {

// Each part of a spill between two savepoints becomes a load of its own. A transaction with more savepoints than this in one
// write set keeps it in memory.
constexpr size_t kSpillPartsMax = 64;

/// Of 64-bit hashes.
class HashSet {
 public:
  explicit HashSet(size_t count) : slots_(std::bit_ceil(2 * count + 2), 0) {}
  void insert(uint64_t hash) {
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i] != 0 && slots_[i] != hash) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = hash;
  }
  bool contains(uint64_t hash) const {
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i] != 0 && slots_[i] != hash) i = (i + 1) & (slots_.size() - 1);
    return slots_[i] != 0 && hash != 0;
  }

 private:
  std::vector<uint64_t> slots_;
};

std::string clock_key() { return storage_prefix(kClockStorage) + std::string(kClockName); }

}  // namespace

Manager::Manager(store::Store& store, const ManagerOptions& options)
    : store_(store),
      dependencies_(options.dependencies),
      reader_(store, loads_),
      committer_(std::make_unique<Committer>(store, timeline_, loads_, options.sync_commits)) {}

Manager::~Manager() = default;

Status Manager::start(CommitHooks* hooks) {
  committer_->set_hooks(hooks);
  std::string value;
  ASSIGN_OR_RETURN(const bool found, store_.get(clock_key(), &value));
  uint64_t last = 0;
  if (found) {
    if (value.size() != 8) return Status(SqlState::kDataCorrupted, "the store's clock is damaged");
    last = load_be64(value.data());
  }
  const std::string lower = storage_prefix(kLoadStorage), upper = storage_prefix(StorageId(kLoadStorage.value + 1));
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  auto it = store_.iterate(options);
  for (it->seek(lower); it->valid(); it->next()) {
    if (it->key().size() != kStorageBytes + 8 || it->value().size() != 8) {
      return Status(SqlState::kDataCorrupted, "the store's table of loads is damaged");
    }
    loads_.commit(load_be64(it->key().data() + kStorageBytes), Timestamp(load_be64(it->value().data())));
  }
  RETURN_IF_ERROR(it->status());
  timeline_.start(Timestamp(last));
  committer_->start(last);
  return {};
}

void Manager::begin(BasicTransaction& t, Isolation isolation, bool read_only) {
  t.isolation_ = isolation;
  t.read_only_ = read_only;
  t.locks.id = next_id_.fetch_add(1, std::memory_order_relaxed);
  t.locks.process_id = static_cast<int32_t>(t.locks.id);
}

void Manager::begin_beside(BasicTransaction& t, const BasicTransaction& other) {
  begin(t, Isolation::kRepeatableRead, true);
  t.snapshot_ = other.snapshot_;
  t.command = 1;
}

void Manager::begin_statement(BasicTransaction& t) {
  CHECK(!t.over);
  ++t.command;
  if (t.snapshot_ && t.keeps_snapshot()) return;
  if (t.isolation_ == Isolation::kSerializable) return begin_serializable(t);
  t.snapshot_ = timeline_.snapshot(std::move(t.snapshot_));
}

void Manager::begin_serializable(BasicTransaction& t) {
  const auto take_snapshot = [&] {
    t.snapshot_ = timeline_.snapshot(std::move(t.snapshot_));
    return t.snapshot();
  };
  for (;;) {
    t.dependencies = dependencies_.begin(t.id(), t.locks.process_id, t.read_only_, take_snapshot);
    if (t.dependencies == nullptr || !t.deferrable.value_or(false) || !t.read_only_) return;
    const auto cancelled = [&] { return t.cancelled(); };
    if (dependencies_.wait_until_decided(*t.dependencies, cancelled) != Dependencies::Safety::kUnsafe) return;
    dependencies_.finish(*t.dependencies, false);
  }
}

Status Manager::note_read(const BasicTransaction& t, StorageId storage, std::string_view key) {
  return t.kept_ ? Status() : dependencies_.read(*t.dependencies, storage, key, t.snapshot());
}

Status Manager::note_read(const BasicTransaction& t, StorageId storage, std::string_view lower,
                          std::string_view upper) {
  return t.kept_ ? Status() : dependencies_.read(*t.dependencies, storage, lower, upper, t.snapshot());
}

bool Manager::see_newest(BasicTransaction& t, bool on) {
  CHECK(!t.over);
  if (on == static_cast<bool>(t.kept_) || !t.snapshot_ || !t.keeps_snapshot()) return false;
  if (on) {
    t.kept_ = std::move(t.snapshot_);
    t.snapshot_ = timeline_.snapshot(SnapshotRef());
  } else {
    t.snapshot_ = std::move(t.kept_);
    t.kept_ = SnapshotRef();
  }
  return true;
}

Status Manager::commit(BasicTransaction& t) {
  CHECK(!t.over);
  Status status;
  if (t.dependencies != nullptr) {
    status = dependencies_.prepare(*t.dependencies);
    if (!status.ok()) {
      rollback(t);
      return status;
    }
  }
  if (t.has_writes()) {
    status = committer_->commit(t);
    if (!status.ok() && !status.is(SqlState::kTRStatementCompletionUnknown)) {
      // Nothing of it was written.
      for (const auto& load : t.loads) loads_.abort(load.number);
    }
  }
  commits_.fetch_add(status.ok() ? 1 : 0, std::memory_order_relaxed);
  finish(t, status.ok());
  return status;
}

void Manager::rollback(BasicTransaction& t) {
  if (t.over) return;
  rollbacks_.fetch_add(1, std::memory_order_relaxed);
  for (const auto& load : t.loads) loads_.abort(load.number);
  finish(t, false);
}

void Manager::finish(BasicTransaction& t, bool committed) {
  t.over = true;
  // Before the locks go: who waits for one of them has to find the edges' other end as it is now.
  if (t.dependencies != nullptr) dependencies_.finish(*std::exchange(t.dependencies, nullptr), committed);
  locks_.release_all(t.locks);
  t.snapshot_.reset();
  t.kept_.reset();
  t.writes.clear();
  t.loads.clear();
  t.load_numbers.clear();
}

Savepoint Manager::savepoint(BasicTransaction& t) {
  Savepoint s;
  s.write_mark = t.writes.mark();
  s.lock_mark = t.locks.mark();
  if (t.savepoint_marks.empty() || t.savepoint_marks.back() < s.write_mark) t.savepoint_marks.push_back(s.write_mark);
  return s;
}

void Manager::rollback_to(BasicTransaction& t, const Savepoint& s) {
  t.writes.rollback_to(s.write_mark);
  if (t.dependencies != nullptr) dependencies_.undo_writes(*t.dependencies, s.write_mark);
  drop_loads(t, s.write_mark);
  locks_.release_to(t.locks, s.lock_mark);
  while (!t.savepoint_marks.empty() && t.savepoint_marks.back() > s.write_mark) t.savepoint_marks.pop_back();
}

void Manager::drop_loads(BasicTransaction& t, uint64_t from_mark) {
  // Not only the last ones: load() does not wait for the writes that came before it, which spill() may move later.
  std::erase_if(t.loads, [&](const BasicTransaction::OwnLoad& load) {
    if (load.from < from_mark) return false;
    loads_.abort(load.number);
    std::erase(t.load_numbers, load.number);
    return true;
  });
}

LockOutcome Manager::wait_for(BasicTransaction& t, uint64_t other) {
  bool fresh = false;
  const LockOutcome outcome = locks_.acquire(t.locks, {Resource::Kind::kTransaction, other},
                                             LockMode::kTransactionShare, LockWait::kWait, &fresh);
  if (outcome == LockOutcome::kGranted && fresh) locks_.release_last(t.locks);
  return outcome;
}

void Manager::lock_own_id(BasicTransaction& t) {
  bool fresh = false;
  const LockOutcome mine = locks_.acquire(t.locks, {Resource::Kind::kTransaction, t.id()},
                                          LockMode::kTransactionExclusive, LockWait::kWait, &fresh);
  CHECK(mine == LockOutcome::kGranted);
  // A load can hold writes from before a savepoint, and then outlives a rollback to it.
  if (fresh) locks_.keep_last(t.locks);
}

Status Manager::load(BasicTransaction& t, const std::function<Result<LoadWriter::Files>(uint64_t number)>& write) {
  uint64_t number = 0;
  {
    const Loads::Hold hold(loads_, timeline_.last_number());
    number = timeline_.next_number();
    RETURN_IF_ERROR(committer_->reserve(number));
    lock_own_id(t);
    loads_.begin(number, t.id());
  }
  auto files = write(number);
  const Status status = files.ok() ? store_.ingest(std::move(*files)) : files.status();
  if (!status.ok()) {
    loads_.abort(number);
    return status;
  }
  const uint64_t from = t.writes.mark();
  t.writes.skip();  // so that a savepoint made after this has another mark than one made before
  t.loads.push_back({number, from, t.writes.mark()});
  t.load_numbers.push_back(number);
  return {};
}

Status Manager::spill(BasicTransaction& t, const Moved& moved) {
  if (t.writes.empty()) return {};
  // Part boundaries: savepoints, so that rollback_to drops whole loads, and the start of the running statement, whose own
  // versions its scans must not meet under the number of those that they must.
  std::vector<uint64_t> bounds;
  for (uint64_t mark : t.savepoint_marks) {
    if (mark > t.writes.base() && mark < t.writes.mark()) bounds.push_back(mark);
  }
  if (bounds.size() >= kSpillPartsMax) return {};
  bounds.push_back(t.writes.mark());
  const size_t parts = bounds.size();

  // Load numbers are durable before they are used: after a crash nobody else may get one.
  struct Part {
    uint64_t number[2] = {0, 0};  // finished statements; the running one
    bool used[2] = {false, false};
  };
  std::vector<Part> numbers(parts);
  const auto part_of = [&](const WriteSet::Version& v) {
    return static_cast<size_t>(std::upper_bound(bounds.begin(), bounds.end(), v.mark) - bounds.begin());
  };
  for (const auto& [storage, map] : t.writes.storages()) {
    for (const auto& [key, entry] : *map) {
      for (const WriteSet::Version* v = entry.newest; v != nullptr; v = v->older) {
        numbers[part_of(*v)].used[v->command == t.command] = true;
      }
    }
  }
  const Loads::Hold hold(loads_, timeline_.last_number());
  uint64_t last = 0;
  for (Part& part : numbers) {
    for (int running = 0; running < 2; ++running) {
      if (part.used[running]) part.number[running] = last = timeline_.next_number();
    }
  }
  RETURN_IF_ERROR(committer_->reserve(last));
  lock_own_id(t);

  for (size_t p = 0; p < parts; ++p) {
    for (int running = 0; running < 2; ++running) {
      if (!numbers[p].used[running]) continue;
      const uint64_t number = numbers[p].number[running];
      LoadWriter::Files files;
      for (const auto& [storage, map] : t.writes.storages()) {
        LoadWriter writer(store_, storage, number);
        for (const auto& [key, entry] : *map) {
          const WriteSet::Version* v = entry.newest;
          while (v != nullptr && (part_of(*v) != p || (v->command == t.command) != (running == 1))) v = v->older;
          if (v != nullptr) RETURN_IF_ERROR(writer.add(key, v->row, v->tombstone, v->command));
        }
        ASSIGN_OR_RETURN(auto written, writer.finish());
        std::move(written.begin(), written.end(), std::back_inserter(files));
      }
      loads_.begin(number, t.id());
      if (Status s = store_.ingest(std::move(files)); !s.ok()) {
        loads_.abort(number);
        return s;
      }
      const uint64_t from = p == 0 ? t.writes.base() : bounds[p - 1];
      t.loads.push_back({number, from, bounds[p]});
      t.load_numbers.push_back(number);
    }
  }
  spills_.fetch_add(1, std::memory_order_relaxed);

  if (moved) {
    for (const auto& [storage, map] : t.writes.storages()) {
      for (const auto& [key, entry] : *map) {
        // Two loads of one key: the directory sees the second insertion and says "look".
        for (const WriteSet::Version* v = entry.newest; v != nullptr; v = v->older) {
          moved(storage, key, numbers[part_of(*v)].number[v->command == t.command], v->tombstone);
        }
      }
    }
  }
  // From here on the store tells a rival whom to wait for.
  HashSet spilled(2 * t.writes.count());
  for (const auto& [storage, map] : t.writes.storages()) {
    for (const auto& [key, entry] : *map) {
      if (entry.newest == nullptr) continue;
      spilled.insert(locks_.row(storage, key).id);
      // An entry of an index is locked by its columns; table/ keeps their length as the entry's payload (table/database.h).
      if (entry.newest->row.size() == 4) {
        uint32_t length;
        std::memcpy(&length, entry.newest->row.data(), 4);
        if (length <= key.size()) spilled.insert(locks_.row(storage, key.substr(0, length)).id);
      }
    }
  }
  locks_.release_rows_if(t.locks, [&](const Resource& r) { return spilled.contains(r.id); });
  t.writes.clear();
  return {};
}

std::vector<std::pair<std::string, uint64_t>> Manager::statistics() {
  const Dependencies::Counts serializable = dependencies_.counts();
  return {{"commits", commits_.load()},
          {"rollbacks", rollbacks_.load()},
          {"commit_groups", committer_->groups()},
          {"spills", spills_.load()},
          {"loads", loads_.count()},
          {"lock_waits", locks_.waits()},
          {"deadlocks", locks_.deadlocks()},
          {"snapshots", timeline_.snapshot_count()},
          {"watermark", timeline_.watermark().value},
          {"horizon", timeline_.horizon().value},
          {"serializable_active", serializable.active},
          {"serializable_finished", serializable.finished},
          {"serializable_marks", serializable.marks},
          {"serializable_summarized", serializable.summarized},
          {"serializable_cancelled", serializable.cancelled}};
}

}  // namespace omendb::txn
