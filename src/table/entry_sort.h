// Sorting more index entries than memory holds: gathered in a buffer of fixed size, put aside as sorted runs when it is full, merged.
//
// The buffer: records grow from its front, their places from its back; full when they meet. A record, there and in a run's file:
//   0   u32  length of the entry's bytes
//   4   u32  (length of the indexed columns' bytes << 1) | whether one of them is null
//   8        the entry's bytes
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/store.h"

namespace omendb::table {

/// Gathers entries and keeps them in sorted runs. Thread: one at a time; after finish() any number read.
class EntrySorter {
 public:
  /// `memory`: bytes of the buffer; an entry that is larger still gets a place.
  EntrySorter(store::Store& store, size_t memory);
  /// Errors: 53100, 58030.
  Status add(std::string_view entry, uint32_t prefix_length, bool has_null);
  /// No more entries. What is in the buffer stays there, as the last run.
  void finish() { sort(); }

  uint64_t bytes() const { return bytes_; }  // of all entries
  size_t runs_put_aside() const { return runs_.size(); }
  /// Some of the entries' indexed columns, evenly spread.
  void sample(std::vector<std::string>* out) const;

 private:
  friend class EntryMerge;
  struct Place {
    uint64_t head;    // the entry's first eight bytes as a number: decides most comparisons
    uint32_t offset;  // of the record
  };
  struct Run {
    struct Block {
      uint64_t offset;
      std::string first;  // entry
      uint32_t prefix_length;
    };
    std::unique_ptr<store::ScratchFile> file;
    std::vector<Block> blocks;
    uint64_t bytes = 0;
  };
  void sort();
  Status put_aside();
  std::span<const Place> places() const {
    return count_ == 0 ? std::span<const Place>() : std::span<const Place>(end() - count_, end());
  }
  Place* end() const { return reinterpret_cast<Place*>(buffer_.get()) + capacity_ / sizeof(Place); }
  std::string_view entry_at(uint32_t offset) const;

  store::Store& store_;
  size_t capacity_;
  std::unique_ptr<char[]> buffer_;  // its pages are there once they are used
  size_t used_ = 0;                 // by records
  size_t count_ = 0;                // of places
  uint64_t bytes_ = 0;
  std::vector<Run> runs_;
};

/// Walks the entries of several sorters in ascending order: those in [lower, upper), or all from lower when upper is empty.
/// Requires: the sorters are finished, and outlive this. Thread: one at a time.
class EntryMerge {
 public:
  EntryMerge(std::span<const std::unique_ptr<EntrySorter>> sorters, std::string_view lower, std::string_view upper);
  ~EntryMerge();
  /// False at the end or on an error.
  bool next();
  std::string_view entry() const { return entry_; }
  uint32_t prefix_length() const { return prefix_length_; }
  bool has_null() const { return has_null_; }
  Status status() const { return status_; }

 private:
  class Source;
  struct Head {
    uint64_t head;
    std::string_view entry;
    Source* source;
  };
  static bool later(const Head& a, const Head& b);
  /// Moves the source on and gives it its place among the others, unless it is at its end.
  void push(Source& source);

  const std::string upper_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Head> heads_;  // a heap, the least entry first
  Source* current_ = nullptr;
  std::string_view entry_;
  uint32_t prefix_length_ = 0;
  bool has_null_ = false;
  Status status_;
};

}  // namespace omendb::table
