#include "table/moved_rows.h"

#include <algorithm>

namespace omendb::table {
namespace {

constexpr size_t kOwnMax = 1 << 16;  // of a transaction
constexpr size_t kAllMax = 1 << 18;

}  // namespace

void OwnMoves::add(StorageId storage, std::string_view from, std::string_view to, uint64_t mark) {
  if (moves_.size() < kOwnMax) {
    moves_.push_back({storage, std::string(from), std::string(to), mark});
  } else if (moves_.size() == kOwnMax || moves_.back().storage != storage) {
    moves_.push_back({storage, {}, {}, mark});
  }
}

void OwnMoves::rollback_to(uint64_t mark) {
  while (!moves_.empty() && moves_.back().mark >= mark) moves_.pop_back();
}

void MovedRows::commit(Timestamp commit_ts, std::vector<RowMove> moves) {
  MutexLock lock(mutex_);
  uint64_t number = 0;
  for (RowMove& move : moves) {
    if (move.from.empty()) {
      forgotten_[move.storage.value] = commit_ts;
      continue;
    }
    const auto at = steps_.try_emplace({move.storage.value, std::move(move.from)}).first;
    at->second.push_back({{commit_ts, number++}, std::move(move.to)});
    order_.push_back(at);
  }
  while (order_.size() > kAllMax) {
    forgotten_[order_.front()->first.first] = order_.front()->second.front().at.commit_ts;
    forget_first();
  }
  size_ = order_.size() + forgotten_.size();
}

MovedRows::Found MovedRows::after(StorageId storage, std::string_view key, const Position& seen) const {
  if (size() == 0) return {};
  MutexLock lock(mutex_);
  const auto forgotten = forgotten_.find(storage.value);
  if (forgotten != forgotten_.end() && forgotten->second > seen.commit_ts) return {Found::Kind::kUnknown, {}, {}};
  const auto found = steps_.find({storage.value, std::string(key)});
  if (found == steps_.end()) return {};
  for (const Step& step : found->second) {
    if (std::pair(step.at.commit_ts, step.at.number) <= std::pair(seen.commit_ts, seen.number)) continue;
    return {step.to.empty() ? Found::Kind::kGone : Found::Kind::kMoved, step.to, step.at};
  }
  return {};
}

void MovedRows::forget(Timestamp horizon) {
  if (size() == 0) return;
  MutexLock lock(mutex_);
  while (!order_.empty() && order_.front()->second.front().at.commit_ts <= horizon) forget_first();
  std::erase_if(forgotten_, [&](const auto& entry) { return entry.second <= horizon; });
  size_ = order_.size() + forgotten_.size();
}

// Steps of a key are as old as its places in the order, so the first of one is the first of the other.
void MovedRows::forget_first() {
  const auto at = order_.front();
  order_.pop_front();
  at->second.pop_front();
  if (at->second.empty()) steps_.erase(at);
}

}  // namespace omendb::table
