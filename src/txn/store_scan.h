// The rows of a range as a snapshot sees them, taken from the store alone: every version passes by, and one of each key is given.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/store.h"
#include "txn/versions.h"

namespace omendb::txn {

/// Rows of [lower, upper) in key order or in reverse. Own writes: those of the view's loads only.
/// Thread: one at a time.
class StoreScan {
 public:
  StoreScan(store::Store& store, const Loads& loads, const View& view, StorageId storage, std::string_view lower,
            std::string_view upper, bool reverse);

  /// To the next row. False: at the end, or an error.
  bool next() { return status_.ok() && (reverse_ ? advance_backward() : advance()); }
  /// So that next() gives the first row at or after `key`; in reverse, the last one at or before it.
  void seek(std::string_view key);
  /// Looks at the store anew. Requires a seek() afterwards.
  void renew();

  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  Stamp stamp() const { return stamp_; }
  /// Of the version given: zero for one of an own load.
  Timestamp commit_ts() const { return commit_ts_; }
  /// Whether the key has no version that is newer, dead loads left out.
  bool newest() const { return newest_; }
  const Status& status() const { return status_; }

 private:
  bool sees(Stamp stamp, std::string_view value);
  bool advance();
  bool advance_backward();
  void take(Stamp stamp) {
    stamp_ = stamp;
    commit_ts_ = stamp.is_load() ? resolved_ts_ : Timestamp(stamp.number());
  }

  store::Store& store_;
  const Loads& loads_;
  const View view_;
  const StorageId storage_;
  const bool reverse_;
  std::string lower_, upper_;  // store keys
  Status status_;
  std::unique_ptr<store::Iterator> iterator_;
  bool on_row_ = false;  // forward: the iterator stands on the row given last
  std::string decided_;  // storage | key whose version is settled already
  bool have_decided_ = false;
  bool passed_newer_ = false;  // of the key that the iterator stands on, a live version was passed over
  std::string backward_key_, backward_row_;
  uint64_t resolved_load_ = 0;  // the load looked up last, and what came of it
  bool resolved_visible_ = false, resolved_own_ = false;
  Timestamp resolved_ts_;
  std::string_view key_, row_;
  Stamp stamp_;
  Timestamp commit_ts_;
  bool newest_ = false;
};

}  // namespace omendb::txn
