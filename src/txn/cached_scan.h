// The rows of a range as a snapshot sees them, walked along the directory: keys from the index, rows from the row cache. Where
// too many rows are not in memory the store is read instead, and what it gives is put into the cache while that has room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/store.h"
#include "txn/directory.h"
#include "txn/store_scan.h"
#include "txn/versions.h"

namespace omendb::txn {

/// Rows of [lower, upper) in key order or in reverse; own writes are not seen.
/// Requires: the view's snapshot stays alive; the transaction has no loads.
/// Thread: one at a time. Holds no epoch between calls.
class CachedScan {
 public:
  CachedScan(store::Store& store, const Loads& loads, const VersionReader& reader, const View& view, StorageId storage,
             KeyDirectory& directory, std::string_view lower, std::string_view upper, bool reverse);

  bool next() {
    if (run_ > 0) return next_of_run();
    if (++at_ < items_.size() || fill()) {
      if (run_ > 0) return next_of_run();
      const Item& item = items_[at_];
      key_ = std::string_view(bytes_).substr(item.at, item.key_bytes);
      row_ = std::string_view(bytes_).substr(item.at + item.key_bytes, item.row_bytes);
      return true;
    }
    return false;
  }
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  const Status& status() const { return status_; }

 private:
  struct Item {
    size_t at;
    uint32_t key_bytes, row_bytes;
  };
  struct Entry {
    size_t at;  // of the key in keys_
    uint32_t key_bytes;
    index::Payload payload;
  };

  bool fill();
  bool next_of_run();
  void read_entries();
  bool from_cache();
  void from_store();
  void give(std::string_view key, std::string_view row);
  std::string_view key_of(const Entry& e) const { return std::string_view(keys_).substr(e.at, e.key_bytes); }
  bool before(std::string_view a, std::string_view b) const { return reverse_ ? b < a : a < b; }

  store::Store& store_;
  const Loads& loads_;
  const VersionReader& reader_;
  const View view_;
  const StorageId storage_;
  KeyDirectory& directory_;
  const bool reverse_;
  const std::string lower_, upper_;
  Status status_;

  index::OrderedIndex::Cursor cursor_;
  bool started_ = false, done_ = false;
  std::string last_;    // the key up to which everything is given, or settled
  size_t wanted_ = 16;  // keys of the next batch
  std::string keys_;
  std::vector<Entry> entries_;

  std::unique_ptr<StoreScan> rows_;  // once it was needed
  bool row_waits_ = false;           // it stands on a row beyond last_
  bool in_store_ = false;            // it stands right behind last_
  std::vector<RowCache::Row> admitted_;
  struct Offer {
    size_t item;
    Stamp stamp;
    Timestamp commit_ts;
  };
  std::vector<Offer> offers_;  // of the batch, to the cache
  bool run_after_ = false;     // once the batch is given
  size_t run_ = 0;             // rows to be given straight from the store before the index is asked again

  std::string bytes_, row_buffer_;  // the batch
  std::vector<Item> items_;
  size_t at_ = 0;
  std::string_view key_, row_;
};

}  // namespace omendb::txn
