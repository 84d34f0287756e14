#include "txn/versions.h"

#include <algorithm>

#include "codec/key.h"

namespace omendb::txn {
namespace {

bool contains(const std::vector<uint64_t>* loads, uint64_t load) {
  return loads != nullptr && std::find(loads->begin(), loads->end(), load) != loads->end();
}

/// Iterates all versions of one key, newest first. Stands nowhere before a seek.
class Chain {
 public:
  Chain(store::Store& store, StorageId storage, std::string_view key) : prefix_(version_prefix(storage, key)) {
    std::string upper = prefix_;
    upper.append(kStampBytes + 1, '\xFF');
    store::IterateOptions options;
    options.lower = prefix_;
    options.upper = upper;
    options.one_prefix = true;
    iterator_ = store.iterate(options);
  }
  /// To the newest version.
  void seek() { iterator_->seek(prefix_ + std::string(kStampBytes, '\0')); }
  /// To the first version that is not newer than `stamp`.
  void seek(Stamp stamp) {
    std::string target = prefix_;
    append_stamp(stamp, &target);
    iterator_->seek(target);
  }
  bool valid() const { return iterator_->valid(); }
  void next() { iterator_->next(); }
  Stamp stamp() const { return stamp_of(iterator_->key()); }
  VersionValue value() const { return parse_value(iterator_->value()); }
  Status status() const { return iterator_->status(); }

 private:
  std::string prefix_;
  std::unique_ptr<store::Iterator> iterator_;
};

}  // namespace

Result<bool> VersionReader::get_exact(StorageId storage, std::string_view key, Stamp stamp, std::string* row,
                                      KeyDirectory* directory) const {
  thread_local std::string store_key;
  store_key.resize(kStorageBytes);
  store_be32(store_key.data(), storage.value);
  store_key.append(key);
  append_stamp(stamp, &store_key);
  ASSIGN_OR_RETURN(const bool found, store_.get(store_key, row));
  if (!found) return false;
  const VersionValue value = parse_value(*row);
  if (value.tombstone) return false;
  row->erase(0, row->size() - value.row.size());
  counters_.exact.add();
  if (RowCache* cache = directory->row_cache()) {
    const uint64_t ts = stamp.is_load() ? loads_.find(stamp.number()).value : stamp.number();
    cache->admit(*directory, {key, *row, stamp, Timestamp(ts)}, RowCache::Admission::kEvict);
  }
  return true;
}

bool VersionReader::sees(const View& view, Stamp stamp) const {
  if (!stamp.is_load()) return stamp.number() <= view.snapshot.value;
  // The directory's stamp is the newest of all loads too: one of our own there hides nothing that we could see instead of it.
  if (contains(view.own_loads, stamp.number())) return false;
  const Loads::State state = loads_.find(stamp.number());
  return state.kind == Loads::State::Kind::kCommitted && state.value <= view.snapshot.value;
}

template <class Count>
[[gnu::always_inline]] inline VersionReader::InMemory VersionReader::in_memory(
    const View& view, StorageId storage, std::string_view key, const KeyDirectory* directory, std::string_view* row,
    index::Payload* payload, Count& counters) const {
  if (view.writes != nullptr && !view.writes->empty()) {
    if (const WriteSet::Entry* entry = view.writes->find(storage, key); entry != nullptr) {
      if (const WriteSet::Version* v = entry->visible(view.command); v != nullptr) {
        *row = v->row;
        return v->tombstone ? InMemory::kNoRow : InMemory::kRow;
      }
    }
  }
  if (directory == nullptr || !directory->covers(key)) return InMemory::kAskStore;
  if (!directory->find(key, payload)) {
    counters.absent.add();
    return InMemory::kNoRow;
  }
  if (KeyDirectory::is_cached(*payload)) {
    const CachedRow* cached = KeyDirectory::cached_row(*payload);
    if (cached->commit_ts > view.snapshot) return InMemory::kAskStore;
    *row = directory->cached_bytes(*payload);
    cached->touch();
    counters.cached.add();
    return InMemory::kRow;
  }
  const auto place = KeyDirectory::place(*payload);
  if (place.kind != KeyDirectory::Place::Kind::kTombstone || !sees(view, place.stamp)) return InMemory::kAskStore;
  counters.absent.add();
  return InMemory::kNoRow;
}
// For ordered_reader.cc, where a call costs nothing to speak of.
template VersionReader::InMemory VersionReader::in_memory(const View&, StorageId, std::string_view, const KeyDirectory*,
                                                          std::string_view*, index::Payload*, Counters&) const;

Result<bool> VersionReader::get(const View& view, StorageId storage, std::string_view key, std::string* row,
                                KeyDirectory* directory) const {
  index::Payload payload = 0;
  {
    index::EpochGuard guard;
    std::string_view bytes;
    const InMemory found = in_memory(view, storage, key, directory, &bytes, &payload, counters_);
    if (found == InMemory::kRow) row->assign(bytes);
    if (found != InMemory::kAskStore) return found == InMemory::kRow;
  }
  return from_store(view, storage, key, directory, payload, row);
}

Result<bool> KeyReader::get_otherwise(std::string_view key, RowRef* row) {
  using InMemory = VersionReader::InMemory;
  row->guard_.renew();
  index::Payload payload = 0;
  const InMemory found = reader_.in_memory(view_, storage_, key, directory_, &row->bytes_, &payload, counters_);
  if (found != InMemory::kAskStore) return found == InMemory::kRow;
  ASSIGN_OR_RETURN(const bool exists, reader_.from_store(view_, storage_, key, directory_, payload, &row->copy_));
  row->bytes_ = row->copy_;
  return exists;
}

Result<bool> KeyReader::get_word_otherwise(uint64_t word, size_t bytes, RowRef* row) {
  return get_otherwise(codec::KeyWord(word, bytes).bytes(), row);
}

Result<bool> VersionReader::from_store(const View& view, StorageId storage, std::string_view key,
                                       KeyDirectory* directory, index::Payload payload, std::string* row) const {
  index::Payload look = 0;
  if (payload != 0 && !KeyDirectory::is_cached(payload)) {
    const auto place = KeyDirectory::place(payload);
    if (place.kind == KeyDirectory::Place::Kind::kLook) {
      look = payload;
    } else if (place.kind == KeyDirectory::Place::Kind::kRow && sees(view, place.stamp)) {
      ASSIGN_OR_RETURN(const bool found, get_exact(storage, key, place.stamp, row, directory));
      if (found) return true;
    }
  }
  counters_.walked.add();
  Chain chain(store_, storage, key);
  const bool own = view.own_loads != nullptr && !view.own_loads->empty();
  // A committed load can have a number below the snapshot and a timestamp above; never the other way round.
  if (!own && look == 0) {
    chain.seek(Stamp{(view.snapshot.value << 1) | 1});
  } else {
    chain.seek();
  }
  bool newest = look != 0;  // nothing was passed over but what no longer counts
  for (; chain.valid(); chain.next()) {
    const Stamp stamp = chain.stamp();
    if (!stamp.is_load()) {
      if (stamp.number() > view.snapshot.value) {
        newest = false;
        continue;
      }
    } else if (own && contains(view.own_loads, stamp.number())) {
      newest = false;
      if (chain.value().command >= view.command) continue;
    } else {
      const Loads::State state = loads_.find(stamp.number());
      if (state.kind == Loads::State::Kind::kDead) continue;
      if (state.kind != Loads::State::Kind::kCommitted || state.value > view.snapshot.value) {
        newest = false;
        continue;
      }
    }
    const VersionValue value = chain.value();
    if (newest) directory->settled(key, look, stamp, value.tombstone);
    if (value.tombstone) return false;
    row->assign(value.row);
    return true;
  }
  RETURN_IF_ERROR(chain.status());
  return false;
}

Result<Newest> VersionReader::newest(StorageId storage, std::string_view key, const std::vector<uint64_t>* own_loads,
                                     std::string* row, KeyDirectory* directory) const {
  Newest out;
  index::Payload look = 0;
  if (directory != nullptr) {
    using Kind = KeyDirectory::Place::Kind;
    KeyDirectory::Place place;
    uint64_t commit_ts = 0;
    {
      index::EpochGuard guard;
      place = directory->find(key);
      if (place.kind == Kind::kAbsent) {
        counters_.absent.add();
        return out;
      }
      if (place.kind == Kind::kCached) {
        commit_ts = place.row->commit_ts.value;
        if (row != nullptr) row->assign(place.row->row());
        place.row->touch();
      }
    }
    if (place.kind == Kind::kLook) {
      look = place.payload;
    } else if (place.kind != Kind::kCached) {
      if (!place.stamp.is_load()) {
        commit_ts = place.stamp.number();
      } else if (const Loads::State state = loads_.find(place.stamp.number());
                 state.kind == Loads::State::Kind::kCommitted) {
        commit_ts = state.value;
      }
    }
    if (commit_ts != 0) {
      out.commit_ts = Timestamp(commit_ts);
      out.tombstone = place.kind == Kind::kTombstone;
      out.exists = !out.tombstone;
      if (place.kind == Kind::kCached) {
        counters_.cached.add();
        return out;
      }
      if (row == nullptr || out.tombstone) {
        counters_.absent.add();
        return out;
      }
      ASSIGN_OR_RETURN(const bool found, get_exact(storage, key, place.stamp, row, directory));
      if (found) return out;
      out = Newest();
    }
  }
  counters_.walked.add();
  Chain chain(store_, storage, key);
  chain.seek();
  for (; chain.valid(); chain.next()) {
    const Stamp stamp = chain.stamp();
    if (stamp.is_load()) {
      if (contains(own_loads, stamp.number())) {
        look = 0;
        continue;
      }
      const Loads::State state = loads_.find(stamp.number());
      if (state.kind == Loads::State::Kind::kPending && out.pending_owner == 0) out.pending_owner = state.value;
      if (state.kind != Loads::State::Kind::kCommitted) continue;
      out.commit_ts = Timestamp(state.value);
    } else {
      out.commit_ts = Timestamp(stamp.number());
    }
    const VersionValue value = chain.value();
    out.tombstone = value.tombstone;
    out.exists = !value.tombstone;
    if (look != 0 && out.pending_owner == 0) directory->settled(key, look, stamp, value.tombstone);
    if (row != nullptr && out.exists) row->assign(value.row);
    return out;
  }
  RETURN_IF_ERROR(chain.status());
  return out;
}

Result<bool> VersionReader::own_newest(StorageId storage, std::string_view key, const std::vector<uint64_t>& own_loads,
                                       bool* tombstone, uint32_t* command, std::string* row) const {
  Chain chain(store_, storage, key);
  chain.seek();
  for (; chain.valid(); chain.next()) {
    const Stamp stamp = chain.stamp();
    // Own loads are newer than every committed version of a key they hold.
    if (!stamp.is_load()) break;
    if (!contains(&own_loads, stamp.number())) continue;
    const VersionValue value = chain.value();
    *tombstone = value.tombstone;
    *command = value.command;
    if (row != nullptr) row->assign(value.row);
    return true;
  }
  RETURN_IF_ERROR(chain.status());
  return false;
}

}  // namespace omendb::txn
