#include "txn/change_log.h"

#include <algorithm>
#include <cstring>

namespace omendb::txn {
namespace {

constexpr size_t kRunBytes = 16, kEntryBytes = 4;
// The first block is small: a log may be kept for many tables that hardly change.
constexpr size_t kFirstBlock = 4 << 10, kBlock = 64 << 10;

constexpr uint32_t kSpan = 1u << 31;

struct Run {
  uint64_t ts;
  uint32_t keys;  // with kSpan: of a span
  uint32_t bytes;
  bool span() const { return (keys & kSpan) != 0; }
  size_t count() const { return keys & ~kSpan; }
};

Run run_at(const char* at) {
  Run run;
  std::memcpy(&run, at, kRunBytes);
  return run;
}

char* put_key(std::string_view key, char* at) {
  const auto length = static_cast<uint32_t>(key.size());
  std::memcpy(at, &length, kEntryBytes);
  std::memcpy(at + kEntryBytes, key.data(), length);
  return at + kEntryBytes + length;
}

std::string_view take_key(const char** at) {
  uint32_t length;
  std::memcpy(&length, *at, kEntryBytes);
  const std::string_view key(*at + kEntryBytes, length);
  *at += kEntryBytes + length;
  return key;
}

}  // namespace

ChangeLog::Block& ChangeLog::room_for(size_t least) {
  if (blocks_.empty() || blocks_.back()->capacity - blocks_.back()->used < least) {
    const size_t usual = blocks_.empty() ? kFirstBlock : kBlock;
    blocks_.push_back(std::make_shared<Block>(std::max(usual, least)));
    bytes_ += blocks_.back()->capacity;
  }
  return *blocks_.back();
}

void ChangeLog::appended(Timestamp ts) {
  while (bytes_ > bytes_max_ && !blocks_.empty()) drop_front();
  last_.store(ts.value, std::memory_order_release);
}

void ChangeLog::append(Timestamp ts, const std::vector<std::string_view>& keys) {
  if (keys.empty()) return;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < keys.size();) {
    Block& block = room_for(kRunBytes + kEntryBytes + keys[i].size());
    char* const start = block.bytes.get() + block.used;
    char* at = start + kRunBytes;
    const char* const end = block.bytes.get() + block.capacity;
    Run run{ts.value, 0, 0};
    for (; i < keys.size() && static_cast<size_t>(end - at) >= kEntryBytes + keys[i].size(); ++i, ++run.keys) {
      at = put_key(keys[i], at);
    }
    run.bytes = static_cast<uint32_t>(at - start - static_cast<ptrdiff_t>(kRunBytes));
    std::memcpy(start, &run, kRunBytes);
    block.used = static_cast<size_t>(at - block.bytes.get());
    block.count += run.keys;
    block.last = ts.value;
  }
  appended(ts);
}

void ChangeLog::append_span(Timestamp ts, const KeySpan& span) {
  MutexLock lock(mutex_);
  const size_t bytes = 2 * kEntryBytes + span.first.size() + span.last.size();
  Block& block = room_for(kRunBytes + bytes);
  const Run run{ts.value, static_cast<uint32_t>(std::min<uint64_t>(span.keys, kSpan - 1)) | kSpan,
                static_cast<uint32_t>(bytes)};
  char* const start = block.bytes.get() + block.used;
  std::memcpy(start, &run, kRunBytes);
  put_key(span.last, put_key(span.first, start + kRunBytes));
  block.used += kRunBytes + bytes;
  block.count += run.count();
  block.last = ts.value;
  appended(ts);
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
  auto block =
      std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& b) { return b->last <= after.value; });
  for (; block != blocks_.end(); ++block) {
    out->push_back({*block, (*block)->used, (*block)->count, (*block)->last});
    if ((*block)->last > up_to.value) break;
  }
  return true;
}

bool ChangeLog::read(Timestamp after, Timestamp up_to, const OnKey& key, const OnSpan& span) const {
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
      if (run.span()) {
        const std::string_view first = take_key(&at), last = take_key(&at);
        span({first, last, run.count()}, Timestamp(run.ts));
        continue;
      }
      for (uint32_t i = 0; i < run.keys; ++i) key(take_key(&at), Timestamp(run.ts));
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
      if (run.ts > after.value) sum += run.count();
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
