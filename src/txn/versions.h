// Which version of a key may I see? Reading single keys through a snapshot and a transaction's own writes. Ranges: cursor.h.
#pragma once

#include <cstring>
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
/// once, and what most keys need is inlined: one read's cache misses overlap the next one's as far as a processor looks ahead, and that is
/// not far beyond what a read and the use of its row take.
///
/// Thread: belongs to one. Lives at most as long as the view is the statement's.
class KeyReader {
 public:
  /// `directory`: of the storage, or null.
  KeyReader(const VersionReader& reader, const View& view, StorageId storage, KeyDirectory* directory)
      : reader_(reader),
        view_(view),
        storage_(storage),
        directory_(directory),
        // What the statement writes itself it does not see, so no write that it sees can come later.
        word_bytes_(directory != nullptr && (view.writes == nullptr || view.writes->empty()) &&
                            (directory->fixed_key_bytes() == 8 || directory->fixed_key_bytes() == 4)
                        ? directory->fixed_key_bytes()
                        : kNoWord) {}
  ~KeyReader() {
    if (counters_.cached.n > 0) reader_.counters().cached.add(counters_.cached.n);
    if (counters_.absent.n > 0) reader_.counters().absent.add(counters_.absent.n);
  }
  KeyReader(const KeyReader&) = delete;
  KeyReader& operator=(const KeyReader&) = delete;

  /// The row that the view sees, own writes included. False: none.
  [[gnu::always_inline]] Result<bool> get(std::string_view key, RowRef* row) {
    if (key.size() != word_bytes_) [[unlikely]]
      return get_otherwise(key, row);
    if (key.size() == sizeof(uint64_t)) [[likely]] {
      uint64_t word;
      std::memcpy(&word, key.data(), sizeof(word));
      return get_word(__builtin_bswap64(word), sizeof(word), row);
    }
    uint32_t word;
    std::memcpy(&word, key.data(), sizeof(word));
    return get_word(__builtin_bswap32(word), sizeof(word), row);
  }
  /// The same of the key that is `word` in `bytes` bytes, big-endian: four or eight, as all keys of the storage.
  [[gnu::always_inline]] Result<bool> get_word(uint64_t word, size_t bytes, RowRef* row) {
    if (bytes == word_bytes_) [[likely]] {
      if (counters_.cached.n % kPinned == 0) row->guard_.renew();
      index::Payload payload;
      if (!directory_->find_word(word, &payload)) {
        counters_.absent.add();
        return false;
      }
      if (KeyDirectory::is_cached(payload)) [[likely]] {
        const CachedRow* cached = KeyDirectory::cached_row(payload);
        if (cached->commit_ts <= view_.snapshot) [[likely]] {
          row->bytes_ = KeyDirectory::cached_bytes(payload, bytes);
          cached->touch();
          counters_.cached.add();
          return true;
        }
      }
    }
    return get_word_otherwise(word, bytes, row);
  }

 private:
  static constexpr size_t kNoWord = SIZE_MAX;
  // Reads in memory between two pins: what others retire waits for no more of them.
  static constexpr uint64_t kPinned = 32;
  Result<bool> get_otherwise(std::string_view key, RowRef* row);
  Result<bool> get_word_otherwise(uint64_t word, size_t bytes, RowRef* row);
  struct Counter {
    uint64_t n = 0;
    void add() { ++n; }
  };
  const VersionReader& reader_;
  const View view_;
  const StorageId storage_;
  KeyDirectory* const directory_;
  const size_t word_bytes_;  // the keys' length if the directory answers for them, and they are one word
  struct {
    Counter cached, absent;
  } counters_;
};

}  // namespace omendb::txn
