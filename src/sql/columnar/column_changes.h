// What a fold has to look at: keys, and spans of keys that a load wrote beside one another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "table/database.h"
#include "txn/change_log.h"

namespace omendb::sql {

/// Thread: one at a time.
class ColumnChanges {
 public:
  struct Span {
    std::string first, last;
    uint64_t keys;  // that changed, about
    table::KeyRange range() const;
  };
  void add(std::string_view key) { keys_.emplace_back(key); }
  void add(const txn::KeySpan& span) { spans_.push_back({std::string(span.first), std::string(span.last), span.keys}); }
  /// What was committed in (after, up_to]. False: the log does not reach back.
  bool read(const txn::ChangeLog& log, Timestamp after, Timestamp up_to);
  /// So that no key is named twice and all stand in order.
  void settle();

  bool empty() const { return keys_.empty() && spans_.empty(); }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<Span>& spans() const { return spans_; }
  /// Keys that changed, about.
  uint64_t count() const;

 private:
  std::vector<std::string> keys_;
  std::vector<Span> spans_;
};

}  // namespace omendb::sql
