// Sequences. A counter lives in memory; the store holds a value that runs ahead of it, so that a crash skips values and never
// repeats one. PostgreSQL logs 32 values ahead; here the distance doubles while values are taken fast, because each log is
// a synced write.
#include "base/clock.h"
#include "table/database_impl.h"
#include "txn/stamp.h"

namespace omendb::table {
namespace {

constexpr int64_t kLogAhead = 32, kLogAheadMax = 1 << 16;
constexpr int64_t kFastNs = 200'000'000;

std::string sequence_key(StorageId storage) {
  std::string key = txn::storage_prefix(catalog::kSequenceStorage);
  key.resize(txn::kStorageBytes + 4);
  store_be32(key.data() + txn::kStorageBytes, storage.value);
  return key;
}

}  // namespace

DatabaseImpl::SequenceCounter& DatabaseImpl::sequence(StorageId storage) {
  {
    std::shared_lock lock(sequences_mutex_);
    if (const auto it = sequences_.find(storage); it != sequences_.end()) return *it->second;
  }
  std::unique_lock lock(sequences_mutex_);
  auto& slot = sequences_[storage];
  if (slot == nullptr) slot = std::make_unique<SequenceCounter>();
  return *slot;
}

Status DatabaseImpl::load_sequence(const catalog::Sequence& sequence, SequenceCounter& counter) {
  if (counter.loaded) return {};
  std::string value;
  ASSIGN_OR_RETURN(const bool found, store_->get(sequence_key(sequence.storage), &value));
  if (found) {
    if (value.size() != 9) return Status(SqlState::kDataCorrupted, "sequence \"" + sequence.name + "\" is damaged");
    counter.last = static_cast<int64_t>(load_be64(value.data()));
    counter.called = value[8] != 0;
    counter.logged = counter.last;
    counter.has_logged = counter.called;
  } else {
    counter.last = sequence.start;
    counter.called = false;
  }
  counter.loaded = true;
  return {};
}

Status DatabaseImpl::log_sequence(StorageId storage, int64_t value, bool is_called, store::Sync sync) {
  char bytes[9];
  store_be64(bytes, static_cast<uint64_t>(value));
  bytes[8] = is_called ? 1 : 0;
  store::Batch batch;
  batch.put(sequence_key(storage), std::string_view(bytes, sizeof(bytes)));
  return store_->write(batch, sync);
}

Result<int64_t> DatabaseImpl::sequence_next(const catalog::Sequence& s) {
  SequenceCounter& counter = sequence(s.storage);
  MutexLock lock(counter.mutex);
  RETURN_IF_ERROR(load_sequence(s, counter));
  int64_t next = counter.last;
  if (counter.called) {
    const bool up = s.increment > 0;
    const bool exhausted =
        __builtin_add_overflow(counter.last, s.increment, &next) || (up ? next > s.max : next < s.min);
    if (exhausted) {
      if (!s.cycle) {
        return Status(SqlState::kSequenceGeneratorLimitExceeded,
                      "nextval: reached " + std::string(up ? "maximum" : "minimum") + " value of sequence \"" + s.name +
                          "\" (" + std::to_string(up ? s.max : s.min) + ")");
      }
      next = up ? s.min : s.max;
      counter.has_logged = false;
    }
  }
  const bool covered = counter.has_logged && (s.increment > 0 ? next <= counter.logged : next >= counter.logged);
  if (!covered) {
    const int64_t now = monotonic_ns();
    counter.batch = now - counter.last_logged_ns < kFastNs ? std::min(counter.batch * 2, kLogAheadMax) : kLogAhead;
    counter.last_logged_ns = now;
    int64_t ahead = 0, limit = 0;
    if (__builtin_mul_overflow(s.increment, counter.batch, &ahead) || __builtin_add_overflow(next, ahead, &limit)) {
      limit = s.increment > 0 ? s.max : s.min;
    }
    limit = s.increment > 0 ? std::min(limit, s.max) : std::max(limit, s.min);
    RETURN_IF_ERROR(log_sequence(s.storage, limit, true, store::Sync::kYes));
    counter.logged = limit;
    counter.has_logged = true;
  }
  counter.last = next;
  counter.called = true;
  return next;
}

Status DatabaseImpl::sequence_set(const catalog::Sequence& s, int64_t value, bool is_called) {
  SequenceCounter& counter = sequence(s.storage);
  MutexLock lock(counter.mutex);
  RETURN_IF_ERROR(log_sequence(s.storage, value, is_called, store::Sync::kYes));
  counter.loaded = true;
  counter.last = value;
  counter.called = is_called;
  counter.logged = value;
  counter.has_logged = is_called;
  return {};
}

Result<Database::SequenceState> DatabaseImpl::sequence_state(const catalog::Sequence& s) {
  SequenceCounter& counter = sequence(s.storage);
  MutexLock lock(counter.mutex);
  RETURN_IF_ERROR(load_sequence(s, counter));
  return SequenceState{counter.last, counter.called};
}

/// At an orderly end the store learns where the counters stand: nothing is skipped then.
void DatabaseImpl::flush_sequences() {
  std::unique_lock lock(sequences_mutex_);
  for (auto& [storage, counter] : sequences_) {
    MutexLock guard(counter->mutex);
    if (counter->loaded && counter->has_logged && counter->logged != counter->last) {
      (void)log_sequence(storage, counter->last, counter->called, store::Sync::kYes);
    }
  }
}

}  // namespace omendb::table
