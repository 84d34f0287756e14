// Which keys of one storage a transaction has changed, in little room: what a load wrote beside one another is one span.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "txn/change_log.h"
#include "txn/directory.h"
#include "txn/write_set.h"

namespace omendb::table {

/// Thread: one at a time.
class ChangedKeys {
 public:
  /// The keys of a write set, which comes before the directory hears of them. A span is a run of them that has few others between, as the
  /// directory knows; without a directory every key stands for itself. Beyond `bytes_max` nothing is known any more.
  /// Cost: a step of a cursor a key.
  void add(const txn::WriteSet::Map& map, const txn::KeyDirectory* directory, size_t bytes_max);
  void forget();
  /// Whether what was added is all here.
  bool known() const { return known_; }

  void for_each(const std::function<void(std::string_view key)>& key,
                const std::function<void(const txn::KeySpan& span)>& span) const;
  /// To the log, as of one commit. `views` is scratch space.
  void tell(txn::ChangeLog& log, Timestamp commit_ts, std::vector<std::string_view>* views) const;

 private:
  using At = txn::WriteSet::Map::const_iterator;
  struct Span {
    std::string last;
    uint64_t keys;
  };
  /// The span that the key lies in; null: none.
  Span* covering(std::string_view key);
  /// Where the run of neighbours that begins at `at` ends, and its last key in *last.
  At run(At at, At end, const txn::KeyDirectory& directory, index::OrderedIndex::Cursor& cursor, std::string_view* last,
         uint64_t* keys);

  bool known_ = true;
  size_t bytes_ = 0;
  std::vector<std::string> keys_;
  std::map<std::string, Span, std::less<>> spans_;  // by their first keys; where they overlap, a key may be noted twice
};

}  // namespace omendb::table
