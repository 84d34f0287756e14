// Where the row of each key stands in a copy's native table, in little memory.
//
// Keys that came in order, as those of a new copy or of a load do, are packed in pages (column_pages.h): a fraction of a byte a row for consecutive numbers,
// about six for random ones. Pages never change, they are only marked where keys have gone; they are DuckDB's buffers, so their memory is within its
// limit and goes to its temporary directory where that is short. A key that came or moved since is scattered: an entry of an index in memory, as
// long as until pack() makes pages of all of them.
//
//   pieces     a page's keys of a range of ranks, in the order of keys; no two of them overlap
//   scattered  keys anywhere
//
// Invariants
//   1. A key is in one piece where it is not marked, or scattered, or nowhere.
//   2. Between a piece's first key and its last there is no key of another piece.
//
// Thread: what is const, beside one another; the rest alone, but for what says otherwise. What reads pages throws what DuckDB throws for want of memory.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duckdb/storage/buffer_manager.hpp"

#include "base/mutex.h"
#include "index/index.h"
#include "sql/columnar/column_pages.h"

namespace omendb::sql {

class KeyPlaces {
  struct Page;
  struct Piece {
    std::string first, last;
    std::shared_ptr<Page> page;
    uint32_t begin, end;  // ranks
  };

 public:
  explicit KeyPlaces(duckdb::BufferManager& buffers, uint32_t fixed_key_bytes);

  /// A key that is there. Valid until places change.
  struct Found {
    uint64_t place;
    Page* page;  // null: scattered
    uint32_t rank;
  };
  /// Finds keys; those in ascending order cost least. The places must not change meanwhile. Thread: one at a time.
  class Finder {
   public:
    explicit Finder(const KeyPlaces& places) : places_(places) {}
    std::optional<Found> find(std::string_view key);

   private:
    std::optional<Found> find_packed(std::string_view key);
    const KeyPlaces& places_;
    size_t piece_ = SIZE_MAX;  // that `pin_` is of
    duckdb::BufferHandle pin_;
    friend class KeyPlaces;
  };

  /// What there is of the keys from one to another.
  class Extent {
   public:
    uint64_t keys() const { return keys_; }

   private:
    friend class KeyPlaces;
    struct Part {
      size_t piece;
      uint32_t begin, end;        // ranks; between these nothing of the piece is to stay
      std::string before, after;  // the piece's keys beside them, if there are any
    };
    std::vector<Part> parts_;
    std::vector<std::string> scattered_;
    uint64_t keys_ = 0;
  };
  /// Tells `place`, which may be empty, where each of the keys is; in no order.
  Extent extent(std::string_view first, std::string_view last,
                const std::function<void(uint64_t place)>& place = {}) const;

  /// Keys in ascending order, of which nobody knows yet.
  class Run {
   public:
    Run() = default;
    uint64_t keys() const { return keys_; }
    /// One that follows: its keys are greater, its places go on where those of this one end, as both were counted from 0.
    void append(Run&& next);

   private:
    friend class KeyPlaces;
    void move_to(uint64_t place);
    std::vector<Piece> pieces_;
    std::vector<std::pair<std::string, uint64_t>> few_;  // instead of pieces
    uint64_t keys_ = 0;
  };
  /// Thread: one at a time, beside anything.
  class RunWriter {
   public:
    explicit RunWriter(const KeyPlaces& places) : buffers_(places.buffers_), usage_(places.usage_) {}
    /// Requires that the key is greater than the one before.
    void add(std::string_view key, uint64_t place);
    /// The next.
    void add(std::string_view key) { add(key, keys_); }
    uint64_t keys() const { return keys_; }
    Run take();

   private:
    void end_block();
    void end_page();
    duckdb::BufferManager& buffers_;
    std::shared_ptr<std::atomic<uint64_t>> usage_;
    KeyBlock block_;
    KeyPageWriter page_;
    std::string first_, last_;  // of the page
    Run run_;
    uint64_t keys_ = 0;
  };

  /// Readies a run for replace(): its places, counted from 0 so far, are from `place` on.
  void place_run(Run* run, uint64_t place) const;

  /// Gives the key another place, or its first: `was` is where it was found.
  void put(std::string_view key, const std::optional<Found>& was, uint64_t place);
  void erase(std::string_view key, const std::optional<Found>& was);
  /// Puts a readied run in the place of what an extent of keys has, which encloses it. The extents of several such changes are taken before the first,
  /// and the changes made from the greatest keys to the least.
  void replace(const Extent& extent, Run&& run);
  /// Takes keys in the order of their places, from nothing. `next` returns false at the end. XX002 thrown, here or by pack(): a key came twice.
  void fill(const std::function<bool(std::string_view* key, uint64_t* place)>& next);

  /// So much is scattered, or in so many pieces, that packing it saves memory.
  bool loose() const;
  /// All keys in pages, for adopt(). Thread: beside what is const.
  Run pack() const;
  /// Requires what pack() made of the same keys. What was there goes to `old`, to be freed.
  struct Old {
    std::vector<Piece> pieces;
    std::shared_ptr<index::OrderedIndex> scattered;
  };
  Old adopt(Run&& packed);

  uint64_t size() const { return packed_keys_ + scattered_->size(); }
  /// Thread, of both: beside anything. What memory they take, and how much of that is not DuckDB's.
  uint64_t memory_bytes() const { return usage_->load(std::memory_order_relaxed) + own_bytes(); }
  uint64_t own_bytes() const;

 private:
  /// The first piece that ends at the key or after it.
  size_t piece_at(std::string_view key) const;
  KeyPage pin(const Piece& piece, duckdb::BufferHandle* handle) const;
  void mark(Page& page, uint32_t rank);
  template <class F>
  void for_each_packed(const Piece& piece, F f) const;
  void count_own_bytes();
  std::shared_ptr<index::OrderedIndex> make_scattered() const;

  duckdb::BufferManager& buffers_;
  const uint32_t fixed_key_bytes_;
  const std::shared_ptr<std::atomic<uint64_t>> usage_;  // bytes of pages
  std::vector<Piece> pieces_;
  mutable Mutex scattered_mutex_;  // who changes places changes the pointer; held for who asks about memory beside it
  std::shared_ptr<index::OrderedIndex> scattered_;
  uint64_t packed_keys_ = 0;
  std::atomic<uint64_t> piece_bytes_{0};
};

}  // namespace omendb::sql
