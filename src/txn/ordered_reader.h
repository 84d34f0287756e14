// Reading many single keys that come in ascending order: what memory does not answer, one iterator of the store finds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "txn/store_scan.h"
#include "txn/versions.h"

namespace omendb::txn {

/// Thread: one at a time. Requires: the view's snapshot stays alive, and nothing is written.
class OrderedReader {
 public:
  OrderedReader(store::Store& store, const Loads& loads, const VersionReader& reader, const View& view,
                StorageId storage, KeyDirectory* directory)
      : store_(store), loads_(loads), reader_(reader), view_(view), storage_(storage), directory_(directory) {}
  /// As VersionReader::get(). Requires that `key` is not less than the one before.
  /// Cost: a seek of an iterator that is there, where that looks for the key in an iterator of its own.
  Result<bool> get(std::string_view key, std::string* row);

 private:
  store::Store& store_;
  const Loads& loads_;
  const VersionReader& reader_;
  const View view_;
  const StorageId storage_;
  KeyDirectory* const directory_;
  std::optional<StoreScan> scan_;
  bool waits_ = false;  // the scan stands on a row that is the first at or after the key asked for last
  bool ended_ = false;  // there is none
};

}  // namespace omendb::txn
