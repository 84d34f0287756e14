// Which version of a key may I see? Reading the store's versions through a snapshot and a transaction's own writes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/striped_counter.h"
#include "store/store.h"
#include "txn/directory.h"
#include "txn/stamp.h"
#include "txn/timeline.h"
#include "txn/write_set.h"

namespace omendb::txn {

/// What a statement sees. `writes` and `own_loads` belong to its transaction and outlive the view; null: no transaction.
struct View {
  Timestamp snapshot;
  uint32_t command = UINT32_MAX;      // own writes of smaller numbers are seen
  const WriteSet* writes = nullptr;
  const std::vector<uint64_t>* own_loads = nullptr;
};

/// The newest version of a key, seen by nobody's eyes in particular.
struct Newest {
  bool exists = false;         // a row, not a tombstone
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
                   const KeyDirectory* directory = nullptr) const;
  /// Newest committed version; `row` may be null. Versions in `own_loads` count as absent.
  Result<Newest> newest(StorageId storage, std::string_view key, const std::vector<uint64_t>* own_loads,
                        std::string* row, const KeyDirectory* directory = nullptr) const;
  /// The newest version that the transaction itself has moved to the store. False: none.
  Result<bool> own_newest(StorageId storage, std::string_view key, const std::vector<uint64_t>& own_loads,
                          bool* tombstone, uint32_t* command, std::string* row) const;

  /// How reads were answered: by one exact look-up, by the directory alone, by a walk over the key's versions.
  struct Counters {
    StripedCounter exact, absent, walked;
  };
  const Counters& counters() const { return counters_; }

 private:
  Result<bool> get_exact(StorageId storage, std::string_view key, Stamp stamp, std::string* row) const;

  store::Store& store_;
  const Loads& loads_;
  mutable Counters counters_;
};

/// Rows of [lower, upper) of one storage as `view` sees them, in key order or in reverse.
/// Requires: the view's snapshot stays alive. Own writes made after construction are not seen (they have later commands).
class VersionCursor {
 public:
  VersionCursor(store::Store& store, const Loads& loads, const View& view, StorageId storage, std::string_view lower,
                std::string_view upper, bool reverse);
  bool next();
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  Status status() const { return status_; }

 private:
  bool sees(Stamp stamp, std::string_view value);
  void open();
  bool advance_store();
  bool advance_store_backward();
  void advance_own();

  store::Store& store_;
  const Loads& loads_;
  const View view_;
  const StorageId storage_;
  const bool reverse_;
  std::string lower_, upper_;       // row keys
  bool started_ = false;
  Status status_;

  std::unique_ptr<store::Iterator> iterator_;
  bool iterator_on_row_ = false;    // forward: the iterator stands on the row given last
  bool store_valid_ = false;
  std::string decided_;             // storage | key whose version is settled already
  bool have_decided_ = false;
  std::string_view store_key_, store_row_;
  std::string backward_key_, backward_row_;
  uint64_t resolved_load_ = 0;      // the load looked up last, and what came of it
  bool resolved_visible_ = false, resolved_own_ = false;

  std::shared_ptr<const Arena> own_memory_;  // what key() and row() may point into
  const WriteSet::Map* own_ = nullptr;
  WriteSet::Map::const_iterator own_at_, own_begin_, own_end_;
  bool own_valid_ = false;
  const WriteSet::Version* own_version_ = nullptr;
  std::string_view own_key_;
  uint64_t generation_ = 0;

  std::string last_key_;            // given last, for finding the place again
  bool has_last_ = false;
  bool from_store_ = false, from_own_ = false;  // which side gave the current row
  std::string_view key_, row_;
};

}  // namespace omendb::txn
