#include "txn/commit.h"

namespace omendb::txn {
namespace {
// A group is one batch in memory and one memtable insertion by one thread; beyond this the others wait for too long.
constexpr size_t kGroupBytes = 4 << 20;
constexpr uint64_t kReserve = 1 << 20;
}  // namespace

Status Committer::commit(BasicTransaction& transaction) {
  Request request{&transaction, {}, {}, false, {}};
  MutexLock lock(mutex_);
  queue_.push_back(&request);
  while (!request.done && queue_.front() != &request) lock.wait(request.wake);
  if (request.done) return std::move(request.status);

  group_.clear();
  size_t bytes = 0;
  for (Request* waiting : queue_) {
    bytes += waiting->transaction->writes.bytes();
    if (!group_.empty() && bytes > kGroupBytes) break;
    group_.push_back(waiting);
  }
  lock.unlock();
  lead(group_);
  lock.lock();
  for (Request* member : group_) {
    queue_.pop_front();
    member->done = true;
    if (member != &request) member->wake.notify_one();
  }
  if (!queue_.empty()) queue_.front()->wake.notify_one();
  return std::move(request.status);
}

void Committer::lead(std::vector<Request*>& group) {
  MutexLock leading(lead_mutex_);
  batch_.clear();
  Timestamp last;
  for (Request* r : group) {
    const Timestamp ts(timeline_.next_number());
    r->status = hooks_ != nullptr ? hooks_->before_write(*r->transaction, ts) : Status();
    if (!r->status.ok()) continue;
    r->commit_ts = last = ts;
    append(*r->transaction, ts, batch_);
  }
  if (last == Timestamp()) return;
  Status written = reserve(last.value);
  if (written.ok()) written = store_.write(batch_, sync_ ? store::Sync::kYes : store::Sync::kNo);
  groups_.fetch_add(1, std::memory_order_relaxed);
  for (Request* r : group) {
    if (!r->status.ok()) continue;
    r->status = written;
    if (!written.ok()) continue;
    for (const auto& load : r->transaction->loads) loads_.commit(load.number, r->commit_ts);
    if (auto* node = r->transaction->dependencies) Dependencies::committed_at(*node, r->commit_ts);
    if (hooks_ != nullptr) hooks_->after_write(*r->transaction, r->commit_ts);
    commits_.fetch_add(1, std::memory_order_relaxed);
  }
  if (written.ok()) {
    timeline_.publish(last);
  } else if (hooks_ != nullptr) {
    hooks_->write_failed();
  }
  // A large transaction leaves a large buffer behind.
  if (batch_.bytes() > (16u << 20)) batch_ = store::Batch();
}

Status Committer::reserve(uint64_t number) {
  if (number <= reserved_.load(std::memory_order_acquire)) return {};
  MutexLock lock(reserve_mutex_);
  if (number <= reserved_.load(std::memory_order_relaxed)) return {};
  store::Batch batch;
  char value[8];
  store_be64(value, number + kReserve);
  batch.put(storage_prefix(kClockStorage) + std::string(kClockName), std::string_view(value, sizeof(value)));
  RETURN_IF_ERROR(store_.write(batch, store::Sync::kYes));
  reserved_.store(number + kReserve, std::memory_order_release);
  return {};
}

void Committer::append(BasicTransaction& transaction, Timestamp ts, store::Batch& batch) {
  for (const auto& [storage, map] : transaction.writes.storages()) {
    for (const auto& [row_key, entry] : *map) {
      const WriteSet::Version* version = entry.newest;
      if (version == nullptr) continue;
      key_.resize(kStorageBytes);
      store_be32(key_.data(), storage.value);
      key_.append(row_key);
      append_stamp(Stamp::commit(ts), &key_);
      const char flags = version->tombstone ? kTombstoneFlag : 0;
      batch.put(key_, {}, std::string_view(&flags, 1), version->row);
    }
  }
  for (const auto& load : transaction.loads) {
    key_ = storage_prefix(kLoadStorage);
    key_.resize(kStorageBytes + 8);
    store_be64(key_.data() + kStorageBytes, load.number);
    char value[8];
    store_be64(value, ts.value);
    batch.put(key_, std::string_view(value, sizeof(value)));
  }
}

}  // namespace omendb::txn
