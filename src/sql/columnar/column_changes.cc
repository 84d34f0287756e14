#include "sql/columnar/column_changes.h"

#include <algorithm>

#include "codec/key.h"

namespace omendb::sql {

// No key is a prefix of another, so nothing else lies before its successor.
table::KeyRange ColumnChanges::Span::range() const { return {first, codec::prefix_successor(last)}; }

bool ColumnChanges::read(const txn::ChangeLog& log, Timestamp after, Timestamp up_to) {
  return log.read(
      after, up_to, [&](std::string_view key, Timestamp) { add(key); },
      [&](const txn::KeySpan& span, Timestamp) { add(span); });
}

void ColumnChanges::settle() {
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  if (spans_.empty()) return;
  std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.first < b.first; });
  size_t last = 0;
  for (size_t i = 1; i < spans_.size(); ++i) {
    if (spans_[i].first > spans_[last].last) {
      if (++last != i) spans_[last] = std::move(spans_[i]);
      continue;
    }
    spans_[last].keys += spans_[i].keys;
    if (spans_[i].last > spans_[last].last) spans_[last].last = std::move(spans_[i].last);
  }
  spans_.resize(last + 1);
  auto span = spans_.begin();
  std::erase_if(keys_, [&](const std::string& key) {
    while (span != spans_.end() && span->last < key) ++span;
    return span != spans_.end() && span->first <= key;
  });
}

uint64_t ColumnChanges::count() const {
  uint64_t count = keys_.size();
  for (const Span& span : spans_) count += span.keys;
  return count;
}

}  // namespace omendb::sql
