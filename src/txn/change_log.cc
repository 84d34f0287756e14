#include "txn/change_log.h"

#include <algorithm>
#include <cstring>

namespace omendb::txn {
namespace {

constexpr size_t kRunBytes = 16, kEntryBytes = 4;
// The first block is small: a log may be kept for many tables that hardly change.
constexpr size_t kFirstBlock = 4 << 10, kBlock = 64 << 10;

struct Run {
  uint64_t ts;
  uint32_t keys;
  uint32_t bytes;
};

Run run_at(const char* at) {
  Run run;
  std::memcpy(&run, at, kRunBytes);
  return run;
}

}  // namespace

void ChangeLog::append(Timestamp ts, const std::vector<std::string_view>& keys) {
  if (keys.empty()) return;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < keys.size();) {
    const size_t least = kRunBytes + kEntryBytes + keys[i].size();
    if (blocks_.empty() || blocks_.back()->capacity - blocks_.back()->used < least) {
      const size_t usual = blocks_.empty() ? kFirstBlock : kBlock;
      blocks_.push_back(std::make_shared<Block>(std::max(usual, least)));
      bytes_ += blocks_.back()->capacity;
    }
    Block& block = *blocks_.back();
    char* const start = block.bytes.get() + block.used;
    char* at = start + kRunBytes;
    const char* const end = block.bytes.get() + block.capacity;
    Run run{ts.value, 0, 0};
    for (; i < keys.size() && static_cast<size_t>(end - at) >= kEntryBytes + keys[i].size(); ++i, ++run.keys) {
      const auto length = static_cast<uint32_t>(keys[i].size());
      std::memcpy(at, &length, kEntryBytes);
      std::memcpy(at + kEntryBytes, keys[i].data(), length);
      at += kEntryBytes + length;
    }
    run.bytes = static_cast<uint32_t>(at - start - static_cast<ptrdiff_t>(kRunBytes));
    std::memcpy(start, &run, kRunBytes);
    block.used = static_cast<size_t>(at - block.bytes.get());
    block.count += run.keys;
    block.last = ts.value;
  }
  while (bytes_ > bytes_max_ && !blocks_.empty()) drop_front();
  last_.store(ts.value, std::memory_order_release);
}

void ChangeLog::forget(Timestamp ts) {
  MutexLock lock(mutex_);
  blocks_.clear();
  bytes_ = 0;
  from_.store(ts.value, std::memory_order_release);
  last_.store(ts.value, std::memory_order_release);
}

void ChangeLog::drop_front() {
  // The commit may go on in the next block: what is left of it there is at from() and never told.
  from_.store(std::max(from_.load(std::memory_order_relaxed), blocks_.front()->last), std::memory_order_release);
  bytes_ -= blocks_.front()->capacity;
  blocks_.pop_front();
}

void ChangeLog::trim(Timestamp up_to) {
  MutexLock lock(mutex_);
  while (!blocks_.empty() && blocks_.front()->last <= up_to.value) drop_front();
  if (from_.load(std::memory_order_relaxed) < up_to.value) from_.store(up_to.value, std::memory_order_release);
}

bool ChangeLog::parts(Timestamp after, Timestamp up_to, std::vector<Part>* out) const {
  MutexLock lock(mutex_);
  if (after < from()) return false;
  auto block = std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& b) { return b->last <= after.value; });
  for (; block != blocks_.end(); ++block) {
    out->push_back({*block, (*block)->used, (*block)->count, (*block)->last});
    if ((*block)->last > up_to.value) break;
  }
  return true;
}

bool ChangeLog::read(Timestamp after, Timestamp up_to,
                     const std::function<void(std::string_view key, Timestamp ts)>& f) const {
  std::vector<Part> found;
  if (!parts(after, up_to, &found)) return false;
  for (const Part& part : found) {
    const char* at = part.block->bytes.get();
    for (const char* const end = at + part.used; at < end;) {
      const Run run = run_at(at);
      at += kRunBytes;
      if (run.ts > up_to.value) return true;
      if (run.ts <= after.value) {
        at += run.bytes;
        continue;
      }
      for (uint32_t i = 0; i < run.keys; ++i) {
        uint32_t length;
        std::memcpy(&length, at, kEntryBytes);
        f({at + kEntryBytes, length}, Timestamp(run.ts));
        at += kEntryBytes + length;
      }
    }
  }
  return true;
}

size_t ChangeLog::count(Timestamp after, Timestamp up_to) const {
  std::vector<Part> found;
  if (!parts(after, up_to, &found)) return SIZE_MAX;
  size_t sum = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const Part& part = found[i];
    if (i > 0 && part.last <= up_to.value) {
      sum += part.count;
      continue;
    }
    const char* at = part.block->bytes.get();
    for (const char* const end = at + part.used; at < end;) {
      const Run run = run_at(at);
      if (run.ts > up_to.value) return sum;
      if (run.ts > after.value) sum += run.keys;
      at += kRunBytes + run.bytes;
    }
  }
  return sum;
}

size_t ChangeLog::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace omendb::txn
