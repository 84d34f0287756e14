// Keys in order and their places, packed: the bytes of a page.
//
//   page     u32 blocks, u32 keys; of each block u32 offset in the page, u32 keys before it; the blocks; 16 bytes of nothing
//   block    up to kBlockKeys keys:
//     first  varint length, bytes: the first key
//     places varint base, u8 width of skips, u8 1 + width of strays or 0;
//            with strays: a bit for each key, least significant first, then varint the least stray;
//            packed, with a width: the skip of each key; packed: the strays
//     keys   varint prefix, varint suffix: how many bytes at either end all keys have in common; u8 form; the middles but for the first:
//              kNumbers  as big-endian numbers: u8 width, varint least step, packed: each one's step from the key before, less the least
//              kChanges  u8 (bytes shared with the middle before << 4 | bytes that follow), 15 for 15 or more and a varint more; these bytes
//
// Numbers are little-endian unless told otherwise, packed ones of `width` bits each, least significant first; sections begin at bytes.
// A place is base + keys before it in the block that are no strays + skip, where rows stand in the order of the keys, as those that were written in one go do;
// skips are of rows that have gone. Others are strays. Keys in a fixed distance and rows without a gap need no bits at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::sql {

/// Keys in strictly ascending order, of any bytes, and a number for each.
struct KeyBlock {
  std::string bytes;
  std::vector<uint32_t> ends;
  std::vector<uint64_t> places;

  size_t size() const { return ends.size(); }
  std::string_view key(size_t i) const {
    const uint32_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(bytes).substr(begin, ends[i] - begin);
  }
  void add(std::string_view key, uint64_t place) {
    bytes.append(key);
    ends.push_back(static_cast<uint32_t>(bytes.size()));
    places.push_back(place);
  }
  void clear() { bytes.clear(), ends.clear(), places.clear(); }
};

/// Makes pages. Thread: one at a time.
class KeyPageWriter {
 public:
  // More are fewer bytes and longer to look through.
  static constexpr size_t kBlockKeys = 128;

  /// Requires a block of 1 to kBlockKeys keys. False: it would make the page larger than `bytes_max`, and it has others.
  bool add(const KeyBlock& block, size_t bytes_max);
  bool empty() const { return blocks_.empty(); }
  uint32_t keys() const { return keys_; }
  size_t bytes() const;
  /// Writes bytes() bytes to `out`, and begins the next page.
  void take(uint8_t* out);

 private:
  struct Entry {
    uint32_t offset, keys_before;
  };
  std::vector<Entry> blocks_;
  std::string bytes_, scratch_;
  uint32_t keys_ = 0;
};

/// A view of a page's bytes, which were written by a KeyPageWriter. A key's rank is how many keys of the page are before it. Thread: any.
class KeyPage {
 public:
  explicit KeyPage(const uint8_t* bytes);

  struct Hit {
    uint32_t rank;
    uint64_t place;
  };
  std::optional<Hit> find(std::string_view key) const;
  /// Rank of the first key that is not less; keys() if all are.
  uint32_t lower_bound(std::string_view key) const;
  uint32_t keys() const { return keys_; }
  uint32_t blocks() const { return blocks_; }
  /// The block that has the key of a rank.
  uint32_t block_of(uint32_t rank) const;
  /// Ranks of a block's keys: [first_rank(i), first_rank(i + 1)).
  uint32_t first_rank(uint32_t block) const;
  /// Replaces *out.
  void read(uint32_t block, KeyBlock* out) const;

 private:
  struct Block;
  const uint8_t* at(uint32_t block) const;
  std::string_view first_key(uint32_t block) const;
  /// The last block whose first key is not greater; none: all are.
  std::optional<uint32_t> block_for(std::string_view key) const;

  const uint8_t* bytes_;
  uint32_t blocks_, keys_;
};

}  // namespace omendb::sql
