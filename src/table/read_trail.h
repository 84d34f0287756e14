// What a scan of a serializable transaction leaves behind it: marks on the keys that it has passed (txn/dependencies.h).
#pragma once

#include <string>
#include <string_view>

#include "table/database_impl.h"

namespace omendb::table {

/// Marks a range as a cursor goes through it: who stops early has not read the rest. Thread: one at a time.
/// Requires that the transaction has dependencies, and outlives the trail.
class ReadTrail {
 public:
  ReadTrail(txn::Manager& manager, const TableTransaction& t, StorageId storage, const KeyRange& range, bool reverse)
      : manager_(manager), t_(t), storage_(storage), lower_(range.lower), upper_(range.upper), reverse_(reverse) {}

  /// Everything up to `key` has been read. Errors: 40001.
  Status passed(std::string_view key);
  /// So has the rest.
  Status ended();
  /// A row was found: a transaction that has to go goes here.
  Status met_row() const { return txn::Dependencies::met_row(*t_.dependencies); }

 private:
  // A scan that has come this far will go on.
  static constexpr int kStepsMax = 256;

  txn::Manager& manager_;
  const TableTransaction& t_;
  const StorageId storage_;
  std::string lower_, upper_;  // of what is not marked yet
  const bool reverse_;
  int steps_ = 0;
  bool all_ = false;
};

inline Status ReadTrail::passed(std::string_view key) {
  if (all_) return {};
  if (++steps_ > kStepsMax) return ended();
  if (reverse_) {
    RETURN_IF_ERROR(manager_.note_read(t_, storage_, key, upper_));
    upper_ = key;
  } else {
    std::string next(key);
    next.push_back('\0');
    RETURN_IF_ERROR(manager_.note_read(t_, storage_, lower_, next));
    lower_ = std::move(next);
  }
  return {};
}

inline Status ReadTrail::ended() {
  if (all_) return {};
  all_ = true;
  return upper_.empty() || lower_ < upper_ ? manager_.note_read(t_, storage_, lower_, upper_) : Status();
}

}  // namespace omendb::table
