// The rows of a range as a transaction sees them: committed ones, from memory or the store, under its own writes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "txn/cached_scan.h"
#include "txn/store_scan.h"
#include "txn/versions.h"

namespace omendb::txn {

/// What spares the store: the storage's directory, and who reads along it. Without, the store alone is read.
struct CursorMemory {
  const VersionReader* reader = nullptr;
  KeyDirectory* directory = nullptr;
};

/// Rows of [lower, upper) of one storage as `view` sees them, in key order or in reverse.
/// Requires: the view's snapshot stays alive. Own writes made after construction are not seen (they have later commands).
class VersionCursor {
 public:
  VersionCursor(store::Store& store, const Loads& loads, const View& view, StorageId storage, std::string_view lower,
                std::string_view upper, bool reverse, const CursorMemory& memory = {});
  bool next();
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  Status status() const { return status_; }

 private:
  void open();
  void advance_committed();
  void advance_own();

  store::Store& store_;
  const Loads& loads_;
  const View view_;
  const StorageId storage_;
  const bool reverse_;
  const CursorMemory memory_;
  std::string lower_, upper_;  // row keys
  bool started_ = false;
  Status status_;

  std::optional<CachedScan> in_memory_;  // one of the two
  std::optional<StoreScan> in_store_;
  bool committed_valid_ = false;
  std::string_view committed_key_, committed_row_;

  std::shared_ptr<const Arena> own_memory_;  // what key() and row() may point into
  const WriteSet::Map* own_ = nullptr;
  WriteSet::Map::const_iterator own_at_, own_begin_, own_end_;
  bool own_valid_ = false;
  const WriteSet::Version* own_version_ = nullptr;
  std::string_view own_key_;
  uint64_t generation_ = 0;

  std::string last_key_;  // given last, for finding the place again
  bool has_last_ = false;
  bool from_committed_ = false, from_own_ = false;  // which side gave the current row
  std::string_view key_, row_;
};

}  // namespace omendb::txn
