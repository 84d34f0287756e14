#include "txn/versions.h"

#include <algorithm>

namespace omendb::txn {
namespace {

// After so many versions of one key in a row it is cheaper to seek past them than to step.
constexpr int kStepsBeforeSeek = 8;

bool contains(const std::vector<uint64_t>* loads, uint64_t load) {
  return loads != nullptr && std::find(loads->begin(), loads->end(), load) != loads->end();
}

/// Iterates all versions of one key, newest first.
class Chain {
 public:
  Chain(store::Store& store, StorageId storage, std::string_view key) : prefix_(version_prefix(storage, key)) {
    std::string upper = prefix_;
    upper.append(kStampBytes + 1, '\xFF');
    store::IterateOptions options;
    options.lower = prefix_;
    options.upper = upper;
    iterator_ = store.iterate(options);
    iterator_->seek(prefix_);
  }
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

Result<bool> VersionReader::get_exact(StorageId storage, std::string_view key, Stamp stamp, std::string* row) const {
  thread_local std::string store_key;
  store_key.resize(kStorageBytes);
  put_u32(storage.value, store_key.data());
  store_key.append(key);
  append_stamp(stamp, &store_key);
  ASSIGN_OR_RETURN(const bool found, store_.get(store_key, row));
  if (!found) return false;
  const VersionValue value = parse_value(*row);
  if (value.tombstone) return false;
  row->erase(0, row->size() - value.row.size());
  return true;
}

Result<bool> VersionReader::get(const View& view, StorageId storage, std::string_view key, std::string* row,
                                const KeyDirectory* directory) const {
  if (view.writes != nullptr) {
    if (const WriteSet::Entry* entry = view.writes->find(storage, key); entry != nullptr) {
      if (const WriteSet::Version* v = entry->visible(view.command); v != nullptr) {
        if (v->tombstone) return false;
        row->assign(v->row);
        return true;
      }
    }
  }
  if (directory != nullptr) {
    using Kind = KeyDirectory::Place::Kind;
    const KeyDirectory::Place place = directory->find(key);
    if (place.kind == Kind::kAbsent) {
      counters_.absent.add();
      return false;
    }
    if (place.kind != Kind::kLook) {
      // A committed stamp here means that no load has a version of the key that is newer, our own included.
      bool visible = !place.stamp.is_load() && place.stamp.number() <= view.snapshot.value;
      if (place.stamp.is_load() && !contains(view.own_loads, place.stamp.number())) {
        const Loads::State state = loads_.find(place.stamp.number());
        visible = state.kind == Loads::State::Kind::kCommitted && state.value <= view.snapshot.value;
      }
      if (visible && place.kind == Kind::kTombstone) {
        counters_.absent.add();
        return false;
      }
      if (visible) {
        ASSIGN_OR_RETURN(const bool found, get_exact(storage, key, place.stamp, row));
        if (found) {
          counters_.exact.add();
          return true;
        }
      }
    }
  }
  counters_.walked.add();
  Chain chain(store_, storage, key);
  const bool own = view.own_loads != nullptr && !view.own_loads->empty();
  // A committed load can have a number below the snapshot and a timestamp above; never the other way round.
  if (!own) chain.seek(Stamp{(view.snapshot.value << 1) | 1});
  for (; chain.valid(); chain.next()) {
    const Stamp stamp = chain.stamp();
    if (!stamp.is_load()) {
      if (stamp.number() > view.snapshot.value) continue;
    } else if (own && contains(view.own_loads, stamp.number())) {
      if (chain.value().command >= view.command) continue;
    } else {
      const Loads::State state = loads_.find(stamp.number());
      if (state.kind != Loads::State::Kind::kCommitted || state.value > view.snapshot.value) continue;
    }
    const VersionValue value = chain.value();
    if (value.tombstone) return false;
    row->assign(value.row);
    return true;
  }
  RETURN_IF_ERROR(chain.status());
  return false;
}

Result<Newest> VersionReader::newest(StorageId storage, std::string_view key, const std::vector<uint64_t>* own_loads,
                                     std::string* row, const KeyDirectory* directory) const {
  Newest out;
  if (directory != nullptr) {
    using Kind = KeyDirectory::Place::Kind;
    const KeyDirectory::Place place = directory->find(key);
    if (place.kind == Kind::kAbsent) {
      counters_.absent.add();
      return out;
    }
    uint64_t commit_ts = place.kind != Kind::kLook && !place.stamp.is_load() ? place.stamp.number() : 0;
    if (place.kind == Kind::kRow && place.stamp.is_load()) {
      const Loads::State state = loads_.find(place.stamp.number());
      if (state.kind == Loads::State::Kind::kCommitted) commit_ts = state.value;
    }
    if (commit_ts != 0) {
      out.commit_ts = Timestamp(commit_ts);
      out.tombstone = place.kind == Kind::kTombstone;
      out.exists = !out.tombstone;
      if (row == nullptr || out.tombstone) {
        counters_.absent.add();
        return out;
      }
      ASSIGN_OR_RETURN(const bool found, get_exact(storage, key, place.stamp, row));
      if (found) {
        counters_.exact.add();
        return out;
      }
      out = Newest();
    }
  }
  counters_.walked.add();
  Chain chain(store_, storage, key);
  for (; chain.valid(); chain.next()) {
    const Stamp stamp = chain.stamp();
    if (stamp.is_load()) {
      if (contains(own_loads, stamp.number())) continue;
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
    if (row != nullptr && out.exists) row->assign(value.row);
    return out;
  }
  RETURN_IF_ERROR(chain.status());
  return out;
}

Result<bool> VersionReader::own_newest(StorageId storage, std::string_view key,
                                       const std::vector<uint64_t>& own_loads, bool* tombstone, uint32_t* command,
                                       std::string* row) const {
  Chain chain(store_, storage, key);
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

VersionCursor::VersionCursor(store::Store& store, const Loads& loads, const View& view, StorageId storage,
                             std::string_view lower, std::string_view upper, bool reverse)
    : store_(store), loads_(loads), view_(view), storage_(storage), reverse_(reverse), lower_(lower), upper_(upper) {}

bool VersionCursor::sees(Stamp stamp, std::string_view value) {
  if (!stamp.is_load()) return stamp.number() <= view_.snapshot.value;
  if (stamp.number() != resolved_load_) {
    resolved_load_ = stamp.number();
    resolved_own_ = contains(view_.own_loads, stamp.number());
    const Loads::State state = loads_.find(stamp.number());
    resolved_visible_ = state.kind == Loads::State::Kind::kCommitted && state.value <= view_.snapshot.value;
  }
  if (resolved_own_) return parse_value(value).command < view_.command;
  return resolved_visible_;
}

/// (Re)starts both sides; after a move of own writes to the store, beyond the key given last.
void VersionCursor::open() {
  // A bound in store keys: all versions of a row key sort after `storage | key` and before `storage | key | FF*9`.
  std::string lower = version_prefix(storage_, lower_);
  std::string upper = upper_.empty() ? storage_prefix(StorageId(storage_.value + 1)) : version_prefix(storage_, upper_);
  if (has_last_) {
    if (reverse_) {
      upper = version_prefix(storage_, last_key_);
    } else {
      lower = version_prefix(storage_, last_key_);
      lower.append(kStampBytes + 1, '\xFF');
    }
  }
  store::IterateOptions options;
  options.lower = lower;
  options.upper = upper;
  options.sequential = true;
  iterator_.reset();
  if (lower < upper) {
    iterator_ = store_.iterate(options);
    if (reverse_) {
      iterator_->seek_to_last();
    } else {
      iterator_->seek(lower);
    }
  }
  iterator_on_row_ = false;
  have_decided_ = false;
  resolved_load_ = 0;
  resolved_own_ = resolved_visible_ = false;

  own_ = view_.writes != nullptr ? view_.writes->find(storage_) : nullptr;
  own_valid_ = false;
  if (view_.writes != nullptr) {
    generation_ = view_.writes->generation();
    own_memory_ = view_.writes->memory();
  }
  if (own_ != nullptr) {
    if (reverse_) {
      own_begin_ = own_->lower_bound(std::string_view(lower_));
      own_at_ = has_last_        ? own_->lower_bound(std::string_view(last_key_))
                : upper_.empty() ? own_->end()
                                 : own_->lower_bound(std::string_view(upper_));
    } else {
      own_at_ = has_last_ ? own_->upper_bound(std::string_view(last_key_)) : own_->lower_bound(std::string_view(lower_));
      own_end_ = upper_.empty() ? own_->end() : own_->lower_bound(std::string_view(upper_));
    }
    advance_own();
  }
  store_valid_ = iterator_ != nullptr && (reverse_ ? advance_store_backward() : advance_store());
}

/// Moves the own side to its next entry that this command sees. Tombstones count: they hide the store's row.
void VersionCursor::advance_own() {
  own_valid_ = false;
  if (reverse_) {
    while (own_at_ != own_begin_) {
      // Entries below the lower bound may have come since, so the bound is checked by key.
      --own_at_;
      if (own_at_->first < lower_) return;
      if ((own_version_ = own_at_->second.visible(view_.command)) != nullptr) {
        own_key_ = own_at_->first;
        own_valid_ = true;
        return;
      }
    }
    return;
  }
  while (own_at_ != own_end_) {
    const auto at = own_at_++;
    if (!upper_.empty() && at->first >= upper_) return;
    if ((own_version_ = at->second.visible(view_.command)) != nullptr) {
      own_key_ = at->first;
      own_valid_ = true;
      return;
    }
  }
}

bool VersionCursor::advance_store() {
  store::Iterator& it = *iterator_;
  if (iterator_on_row_) {
    it.next();
    iterator_on_row_ = false;
  }
  int steps = 0;
  while (it.valid()) {
    const std::string_view full = it.key();
    const std::string_view prefix = full.substr(0, full.size() - kStampBytes);
    if (have_decided_ && prefix == decided_) {
      if (++steps < kStepsBeforeSeek) {
        it.next();
      } else {
        std::string past = decided_;
        past.append(kStampBytes + 1, '\xFF');
        it.seek(past);
        steps = 0;
      }
      continue;
    }
    const Stamp stamp = stamp_of(full);
    const std::string_view value = it.value();
    if (!sees(stamp, value)) {
      const bool own = view_.own_loads != nullptr && !view_.own_loads->empty();
      if (++steps < kStepsBeforeSeek || own || stamp.number() <= view_.snapshot.value) {
        it.next();
      } else {
        std::string target(prefix);
        append_stamp(Stamp{(view_.snapshot.value << 1) | 1}, &target);
        it.seek(target);
        steps = 0;
      }
      continue;
    }
    decided_.assign(prefix);
    have_decided_ = true;
    steps = 0;
    const VersionValue version = parse_value(value);
    if (version.tombstone) {
      it.next();
      continue;
    }
    store_key_ = prefix.substr(kStorageBytes);
    store_row_ = version.row;
    iterator_on_row_ = true;
    return true;
  }
  status_ = it.status();
  return false;
}

bool VersionCursor::advance_store_backward() {
  store::Iterator& it = *iterator_;
  while (it.valid()) {
    // Versions of a key come oldest first here; the last one that we see is the one.
    decided_.assign(it.key().substr(0, it.key().size() - kStampBytes));
    bool found = false, tombstone = false;
    int steps = 0;
    while (it.valid() && it.key().substr(0, it.key().size() - kStampBytes) == decided_) {
      if (++steps > kStepsBeforeSeek) {
        // A long chain: go to its newest end and search forward, then leave to the left.
        found = false;
        it.seek(decided_);
        for (; it.valid() && it.key().substr(0, it.key().size() - kStampBytes) == decided_; it.next()) {
          if (!sees(stamp_of(it.key()), it.value())) continue;
          const VersionValue version = parse_value(it.value());
          found = true;
          tombstone = version.tombstone;
          backward_row_.assign(version.row);
          break;
        }
        it.seek_for_prev(decided_);
        break;
      }
      if (const std::string_view value = it.value(); sees(stamp_of(it.key()), value)) {
        const VersionValue version = parse_value(value);
        found = true;
        tombstone = version.tombstone;
        backward_row_.assign(version.row);
      }
      it.prev();
    }
    if (found && !tombstone) {
      backward_key_.assign(decided_, kStorageBytes);
      store_key_ = backward_key_;
      store_row_ = backward_row_;
      return true;
    }
  }
  status_ = it.status();
  return false;
}

bool VersionCursor::next() {
  if (!status_.ok()) return false;
  if (!started_) {
    started_ = true;
    open();
  } else if (view_.writes != nullptr && view_.writes->generation() != generation_) {
    open();
  } else {
    if (from_own_) advance_own();
    if (from_store_) store_valid_ = reverse_ ? advance_store_backward() : advance_store();
  }
  for (;;) {
    if (!status_.ok()) return false;
    from_own_ = from_store_ = false;
    if (own_valid_ && store_valid_) {
      const int order = own_key_.compare(store_key_);
      from_own_ = reverse_ ? order >= 0 : order <= 0;
      from_store_ = reverse_ ? order <= 0 : order >= 0;
    } else {
      from_own_ = own_valid_;
      from_store_ = store_valid_;
    }
    if (!from_own_ && !from_store_) return false;
    if (from_own_ && own_version_->tombstone) {
      advance_own();
      if (from_store_) store_valid_ = reverse_ ? advance_store_backward() : advance_store();
      continue;
    }
    key_ = from_own_ ? own_key_ : store_key_;
    row_ = from_own_ ? own_version_->row : store_row_;
    if (view_.writes != nullptr) {
      last_key_.assign(key_);
      has_last_ = true;
    }
    return true;
  }
}

}  // namespace omendb::txn
