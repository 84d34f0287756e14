// What a storage holds at last: for who builds or checks what is derived from it, not for statements.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/store.h"
#include "txn/stamp.h"
#include "txn/timeline.h"
#include "txn/versions.h"

namespace omendb::table {

/// The newest committed version of each key of a range: the first that is not a dead or pending load's. With `tail_below`, of the keys
/// that the store's young files have (store::IterateOptions). Thread: one at a time.
class NewestVersions {
 public:
  NewestVersions(store::Store& store, const txn::Loads& loads, std::string lower, std::string upper,
                 uint64_t tail_below)
      : loads_(loads), lower_(std::move(lower)), upper_(std::move(upper)) {
    store::IterateOptions options;
    options.lower = lower_;
    options.upper = upper_;
    options.sequential = true;
    options.fill_cache = false;
    options.tail_below = tail_below;
    it_ = store.iterate(options);
    it_->seek(lower_);
  }
  /// To the next key; a tombstone counts. False: at the end, or an error.
  bool next() {
    if (on_it_) it_->next();
    on_it_ = false;
    int steps = 0;
    while (it_->valid()) {
      const std::string_view full = it_->key();
      const std::string_view prefix = full.substr(0, full.size() - txn::kStampBytes);
      if (has_current_ && prefix == current_) {
        if (++steps < kStepsBeforeSeek) {
          it_->next();
        } else {
          std::string past = current_;
          past.append(txn::kStampBytes + 1, '\xFF');
          it_->seek(past);
          steps = 0;
        }
        continue;
      }
      stamp_ = txn::stamp_of(full);
      ts_ = stamp_.number();
      if (stamp_.is_load()) {
        if (stamp_.number() != load_number_) {
          load_number_ = stamp_.number();
          load_ = loads_.find(load_number_);
        }
        if (load_.kind != txn::Loads::State::Kind::kCommitted) {
          it_->next();
          continue;
        }
        ts_ = load_.value;
      }
      current_.assign(prefix);
      has_current_ = on_it_ = true;
      return true;
    }
    return false;
  }
  std::string_view key() const { return std::string_view(current_).substr(txn::kStorageBytes); }
  txn::Stamp stamp() const { return stamp_; }
  Timestamp commit_ts() const { return Timestamp(ts_); }
  bool tombstone() const { return txn::parse_value(it_->value()).tombstone; }
  Status status() const { return it_->status(); }

 private:
  static constexpr int kStepsBeforeSeek = 8;
  const txn::Loads& loads_;
  const std::string lower_, upper_;
  std::unique_ptr<store::Iterator> it_;
  bool on_it_ = false, has_current_ = false;
  std::string current_;
  txn::Stamp stamp_;
  uint64_t ts_ = 0, load_number_ = 0;
  txn::Loads::State load_;
};

}  // namespace omendb::table
