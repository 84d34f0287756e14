// Files of versions that carry the number of one load (timeline.h): how a transaction's writes reach the store before its commit.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "txn/stamp.h"

namespace omendb::txn {

/// Writes one load's versions of one storage, or of a range of its keys; a file never spans two storages, for it would overlap
/// everything between their keys. Thread: one at a time.
class LoadWriter {
 public:
  using Files = std::vector<std::unique_ptr<store::SortedFile>>;
  LoadWriter(store::Store& store, StorageId storage, uint64_t number);
  /// Keys come in strictly ascending order. Errors: 53100, 58030.
  Status add(std::string_view key, std::string_view row, bool tombstone, uint32_t command);
  /// What was written, complete; then this is spent.
  Result<Files> finish();

 private:
  store::Store& store_;
  const uint64_t number_;
  Files files_;
  std::unique_ptr<store::SortedFile> file_;
  uint64_t file_bytes_ = 0;
  std::string key_, value_;
};

}  // namespace omendb::txn
