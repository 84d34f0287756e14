#include "table/changed_keys.h"

#include <algorithm>

namespace omendb::table {
namespace {

// Shorter runs are told key by key: a span costs whoever follows it a scan.
constexpr uint64_t kSpanKeysMin = 64;
// Keys of others that a span may have between its own, beside as many as it has itself: whoever follows it reads them too.
constexpr uint64_t kOthersMax = 8;
// Where no run was found, so many keys pass before one is looked for again; twice as many each time.
constexpr size_t kSkipMin = 64, kSkipMax = 8192;
constexpr size_t kKeyBytes = sizeof(std::string), kSpanBytes = 128;

}  // namespace

void ChangedKeys::forget() {
  known_ = false;
  keys_ = {};
  spans_.clear();
}

ChangedKeys::Span* ChangedKeys::covering(std::string_view key) {
  auto at = spans_.upper_bound(key);
  if (at == spans_.begin()) return nullptr;
  --at;
  return at->second.last >= key ? &at->second : nullptr;
}

ChangedKeys::At ChangedKeys::run(At at, At end, const txn::KeyDirectory& directory, index::OrderedIndex::Cursor& cursor,
                                 std::string_view* last, uint64_t* keys) {
  bool more = directory.index().size() > 0 && cursor.seek(at->first);
  uint64_t others = 0;
  for (*keys = 0;;) {
    *last = at->first;
    ++*keys;
    if (more && cursor.key() == *last) more = cursor.next();
    while (++at != end && at->second.newest == nullptr) {
    }
    if (at == end || covering(at->first) != nullptr) return at;
    for (; more && cursor.key() < at->first; more = cursor.next()) {
      if (++others > kOthersMax + *keys) return at;
    }
  }
}

void ChangedKeys::add(const txn::WriteSet::Map& map, const txn::KeyDirectory* directory, size_t bytes_max) {
  if (!known_) return;
  std::optional<index::OrderedIndex::Cursor> cursor;
  if (directory != nullptr && map.size() >= kSpanKeysMin)
    cursor.emplace(directory->index().cursor(index::OrderedIndex::Cursor::kBatchMax));
  size_t skip = 0, next_skip = kSkipMin;
  const auto note = [&](std::string_view key) {
    keys_.emplace_back(key);
    bytes_ += kKeyBytes + key.size();
  };
  for (auto at = map.begin(); at != map.end() && bytes_ <= bytes_max;) {
    if (at->second.newest == nullptr) {
      ++at;
    } else if (Span* span = covering(at->first)) {
      ++span->keys;
      ++at;
    } else if (!cursor.has_value() || skip > 0) {
      note(at->first);
      ++at;
      if (skip > 0) --skip;
    } else {
      std::string_view last;
      uint64_t keys = 0;
      const auto end = run(at, map.end(), *directory, *cursor, &last, &keys);
      if (keys >= kSpanKeysMin) {
        bytes_ += kSpanBytes + at->first.size() + last.size();
        spans_.emplace(at->first, Span{std::string(last), keys});
        next_skip = kSkipMin;
        at = end;
        continue;
      }
      for (; at != end; ++at) {
        if (at->second.newest != nullptr) note(at->first);
      }
      skip = next_skip;
      next_skip = std::min(2 * next_skip, kSkipMax);
    }
  }
  if (bytes_ > bytes_max) forget();
}

void ChangedKeys::for_each(const std::function<void(std::string_view key)>& key,
                           const std::function<void(const txn::KeySpan& span)>& span) const {
  for (const std::string& k : keys_) key(k);
  for (const auto& [first, s] : spans_) span({first, s.last, s.keys});
}

void ChangedKeys::tell(txn::ChangeLog& log, Timestamp commit_ts, std::vector<std::string_view>* views) const {
  if (!known_) return log.forget(commit_ts);
  views->assign(keys_.begin(), keys_.end());
  log.append(commit_ts, *views);
  for (const auto& [first, s] : spans_) log.append_span(commit_ts, {first, s.last, s.keys});
}

}  // namespace omendb::table
