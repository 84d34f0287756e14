// Which version of a key may I see? Reading single keys through a snapshot and a transaction's own writes. Ranges: cursor.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/striped_counter.h"
#include "store/store.h"
#include "txn/directory.h"
#include "txn/row_ref.h"
#include "txn/stamp.h"
#include "txn/timeline.h"
#include "txn/write_set.h"

namespace omendb::txn {

/// What a statement sees. `writes` and `own_loads` belong to its transaction and outlive the view; null: no transaction.
struct View {
  Timestamp snapshot;
  uint32_t command = UINT32_MAX;  // own writes of smaller numbers are seen
  const WriteSet* writes = nullptr;
  const std::vector<uint64_t>* own_loads = nullptr;
};

/// The newest version of a key, seen by nobody's eyes in particular.
struct Newest {
  bool exists = false;  // a row, not a tombstone
  bool tombstone = false;
  Timestamp commit_ts;         // of the newest committed version; 0: there is none
  uint64_t pending_owner = 0;  // a transaction that is not over has written it in a load; the rest is what was before
};

/// Reads of single keys. Thread: any.
class VersionReader {
 public:
  VersionReader(store::Store& store, const Loads& loads) : store_(store), loads_(loads) {}

  /// The row that `view` sees, own writes included. False: none. `directory`: of the storage, or null.
  Result<bool> get(const View& view, StorageId storage, std::string_view key, std::string* row,
                   KeyDirectory* directory = nullptr) const;
  /// The same without a copy of what is in memory.
  Result<bool> get(const View& view, StorageId storage, std::string_view key, RowRef* row,
                   KeyDirectory* directory = nullptr) const;
  /// Newest committed version; `row` may be null. Versions in `own_loads` count as absent.
  Result<Newest> newest(StorageId storage, std::string_view key, const std::vector<uint64_t>* own_loads,
                        std::string* row, KeyDirectory* directory = nullptr) const;
  /// The newest version that the transaction itself has moved to the store. False: none.
  Result<bool> own_newest(StorageId storage, std::string_view key, const std::vector<uint64_t>& own_loads,
                          bool* tombstone, uint32_t* command, std::string* row) const;

  /// How reads were answered: by the row cache, by one exact look-up in the store, by the directory alone, by a walk over the
  /// key's versions; and rows of scans, by the row cache and by the store.
  struct Counters {
    StripedCounter cached, exact, absent, walked, scanned_cached, scanned_store;
  };
  Counters& counters() const { return counters_; }

 private:
  friend class OrderedReader;
  bool sees(const View& view, Stamp stamp) const;
  enum class InMemory { kNoRow, kRow, kAskStore };
  /// What can be said of the key without the store. `row` lives as long as the guard that this requires; `payload` is what the
  /// directory says, for from_store(), and stays 0 where that is nothing.
  InMemory in_memory(const View& view, StorageId storage, std::string_view key, const KeyDirectory* directory,
                     std::string_view* row, index::Payload* payload) const;
  Result<bool> from_store(const View& view, StorageId storage, std::string_view key, KeyDirectory* directory,
                          index::Payload payload, std::string* row) const;
  /// The row of the directory's own stamp, which is committed; caches it.
  Result<bool> get_exact(StorageId storage, std::string_view key, Stamp stamp, std::string* row,
                         KeyDirectory* directory) const;

  store::Store& store_;
  const Loads& loads_;
  mutable Counters counters_;
};

}  // namespace omendb::txn
