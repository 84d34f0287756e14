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
  friend class KeyReader;
  friend class OrderedReader;
  bool sees(const View& view, Stamp stamp) const;
  enum class InMemory { kNoRow, kRow, kAskStore };
  /// What can be said of the key without the store. `row` lives as long as the guard that this requires; `payload` is what the
  /// directory says, for from_store(), and stays 0 where that is nothing. `counters`: `cached` and `absent` of them.
  template <class Count>
  InMemory in_memory(const View& view, StorageId storage, std::string_view key, const KeyDirectory* directory,
                     std::string_view* row, index::Payload* payload, Count& counters) const;
  Result<bool> from_store(const View& view, StorageId storage, std::string_view key, KeyDirectory* directory,
                          index::Payload payload, std::string* row) const;
  /// The row of the directory's own stamp, which is committed; caches it.
  Result<bool> get_exact(StorageId storage, std::string_view key, Stamp stamp, std::string* row,
                         KeyDirectory* directory) const;

  store::Store& store_;
  const Loads& loads_;
  mutable Counters counters_;
};

/// Reads single keys of one storage through one view, without a copy of what is in memory. What does not change from key to key is looked up
/// once: a read is some 200 instructions, and the processor looks some 450 ahead, so one read's cache misses overlap the next one's.
///
/// Thread: belongs to one. Lives at most as long as the view is the statement's.
class KeyReader {
 public:
  /// `directory`: of the storage, or null.
  KeyReader(const VersionReader& reader, const View& view, StorageId storage, KeyDirectory* directory)
      : reader_(reader), view_(view), storage_(storage), directory_(directory) {}
  ~KeyReader() {
    if (counters_.cached.n > 0) reader_.counters().cached.add(counters_.cached.n);
    if (counters_.absent.n > 0) reader_.counters().absent.add(counters_.absent.n);
  }
  KeyReader(const KeyReader&) = delete;
  KeyReader& operator=(const KeyReader&) = delete;

  /// The row that the view sees, own writes included. False: none.
  Result<bool> get(std::string_view key, RowRef* row);

 private:
  Result<bool> from_store(std::string_view key, index::Payload payload, RowRef* row);
  struct Counter {
    uint64_t n = 0;
    void add() { ++n; }
  };
  const VersionReader& reader_;
  const View view_;
  const StorageId storage_;
  KeyDirectory* const directory_;
  struct {
    Counter cached, absent;
  } counters_;
};

}  // namespace omendb::txn
