#include "txn/store_scan.h"

#include <algorithm>

namespace omendb::txn {
namespace {

// After so many versions of one key in a row it is cheaper to seek past them than to step.
constexpr int kStepsBeforeSeek = 8;

std::string_view prefix_of(std::string_view store_key) { return store_key.substr(0, store_key.size() - kStampBytes); }

}  // namespace

StoreScan::StoreScan(store::Store& store, const Loads& loads, const View& view, StorageId storage,
                     std::string_view lower, std::string_view upper, bool reverse)
    : store_(store), loads_(loads), view_(view), storage_(storage), reverse_(reverse) {
  // All versions of a row key sort after `storage | key` and before `storage | key | FF*9`.
  lower_ = version_prefix(storage, lower);
  upper_ = upper.empty() ? storage_prefix(StorageId(storage.value + 1)) : version_prefix(storage, upper);
  if (lower_ >= upper_) return;
  renew();
  if (reverse_) {
    iterator_->seek_to_last();
  } else {
    iterator_->seek(lower_);
  }
}

void StoreScan::renew() {
  if (lower_ >= upper_) return;
  store::IterateOptions options;
  options.lower = lower_;
  options.upper = upper_;
  options.sequential = true;
  iterator_.reset();
  iterator_ = store_.iterate(options);
}

void StoreScan::seek(std::string_view key) {
  if (iterator_ == nullptr) return;
  std::string target = version_prefix(storage_, key);
  if (reverse_) {
    target.append(kStampBytes + 1, '\xFF');
    iterator_->seek_for_prev(target);
  } else {
    iterator_->seek(target);
  }
  on_row_ = have_decided_ = passed_newer_ = false;
}

bool StoreScan::sees(Stamp stamp, std::string_view value) {
  if (!stamp.is_load()) {
    if (stamp.number() <= view_.snapshot.value) return true;
    passed_newer_ = true;
    return false;
  }
  if (stamp.number() != resolved_load_) {
    resolved_load_ = stamp.number();
    resolved_own_ = view_.own_loads != nullptr && std::find(view_.own_loads->begin(), view_.own_loads->end(),
                                                            stamp.number()) != view_.own_loads->end();
    const Loads::State state = loads_.find(stamp.number());
    resolved_visible_ = state.kind == Loads::State::Kind::kCommitted && state.value <= view_.snapshot.value;
    resolved_ts_ = resolved_visible_ ? Timestamp(state.value) : Timestamp(0);
  }
  const bool seen = resolved_own_ ? parse_value(value).command < view_.command : resolved_visible_;
  // A dead load's version counts as a newer one too: that costs a little, and no question.
  if (!seen) passed_newer_ = true;
  return seen;
}

bool StoreScan::advance() {
  if (iterator_ == nullptr) return false;
  store::Iterator& it = *iterator_;
  if (on_row_) {
    it.next();
    on_row_ = false;
  }
  int steps = 0;
  while (it.valid()) {
    const std::string_view full = it.key();
    const std::string_view prefix = prefix_of(full);
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
        decided_.assign(prefix);  // to know whether the next version is of this key
        const bool passed = passed_newer_;
        it.next();
        passed_newer_ = passed && it.valid() && prefix_of(it.key()) == decided_;
      } else {
        std::string target(prefix);
        decided_.assign(prefix);
        append_stamp(Stamp{(view_.snapshot.value << 1) | 1}, &target);
        it.seek(target);
        passed_newer_ = it.valid() && prefix_of(it.key()) == decided_;
        steps = 0;
      }
      have_decided_ = false;
      continue;
    }
    decided_.assign(prefix);
    have_decided_ = true;
    newest_ = !passed_newer_;
    passed_newer_ = false;
    steps = 0;
    const VersionValue version = parse_value(value);
    if (version.tombstone) {
      it.next();
      continue;
    }
    take(stamp);
    key_ = prefix.substr(kStorageBytes);
    row_ = version.row;
    on_row_ = true;
    return true;
  }
  status_ = it.status();
  return false;
}

bool StoreScan::advance_backward() {
  if (iterator_ == nullptr) return false;
  store::Iterator& it = *iterator_;
  while (it.valid()) {
    // Versions of a key come oldest first here; the last one that we see is the one.
    decided_.assign(prefix_of(it.key()));
    bool found = false, tombstone = false;
    const auto see = [&] {
      const std::string_view value = it.value();
      const Stamp stamp = stamp_of(it.key());
      if (!sees(stamp, value)) return false;
      const VersionValue version = parse_value(value);
      found = true;
      tombstone = version.tombstone;
      backward_row_.assign(version.row);
      take(stamp);
      return true;
    };
    int steps = 0;
    newest_ = true;
    while (it.valid() && prefix_of(it.key()) == decided_) {
      if (++steps > kStepsBeforeSeek) {
        // A long chain: go to its newest end and search forward, then leave to the left.
        found = false;
        newest_ = true;
        it.seek(decided_);
        for (; it.valid() && prefix_of(it.key()) == decided_; it.next()) {
          if (see()) break;
          newest_ = false;
        }
        it.seek_for_prev(decided_);
        break;
      }
      newest_ = see();
      it.prev();
    }
    if (found && !tombstone) {
      backward_key_.assign(decided_, kStorageBytes);
      key_ = backward_key_;
      row_ = backward_row_;
      return true;
    }
  }
  status_ = it.status();
  return false;
}

}  // namespace omendb::txn
