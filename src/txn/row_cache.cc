#include "txn/row_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <string>

#include "base/check.h"
#include "index/epoch.h"
#include "txn/directory.h"

namespace omendb::txn {
namespace {

// A segment is what one eviction works through: about a tenth of a millisecond.
constexpr size_t kSegmentBytesMax = 4 * RowCache::kRowBytesMax;
// The share of the young queue beyond which it gives up segments first.
constexpr size_t kYoungShare = 10;

size_t rounded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

}  // namespace

/// The region and its free segments.
struct RowCache::Pool {
  Pool(size_t segment, size_t count) : segment_bytes(segment), bytes(segment * count) {
    void* region = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) throw std::bad_alloc();
    base = static_cast<char*>(region);
    CHECK((reinterpret_cast<uintptr_t>(base) + bytes) >> 48 == 0);  // directories keep a length in the bits above
    (void)::madvise(base, bytes,
                    MADV_HUGEPAGE);  // a row is a cache miss; it need not be one of the page tables as well
    for (size_t i = count; i > 0; --i) free.push_back(static_cast<uint32_t>(i - 1));
  }
  ~Pool() { ::munmap(base, bytes); }
  char* at(uint32_t segment) { return base + segment * segment_bytes; }
  uint32_t take() {
    MutexLock lock(mutex);
    if (free.empty()) return kNone;
    const uint32_t segment = free.back();
    free.pop_back();
    returned = std::min(returned, free.size());
    return segment;
  }
  void give_back(uint32_t segment) {
    MutexLock lock(mutex);
    --waiting;
    if (returned < lent) {
      (void)::madvise(at(segment), segment_bytes, MADV_DONTNEED);
      free.push_front(segment);
      ++returned;
    } else {
      free.push_back(segment);
    }
  }
  /// From now on `count` of the free segments are to be without memory.
  void lend(size_t count) {
    MutexLock lock(mutex);
    for (lent = count; returned < std::min(lent, free.size()); ++returned)
      (void)::madvise(at(free[returned]), segment_bytes, MADV_DONTNEED);
  }
  void retire() {
    MutexLock lock(mutex);
    ++waiting;
  }
  /// Free now, and free or free soon.
  std::pair<size_t, size_t> available() {
    MutexLock lock(mutex);
    return {free.size(), free.size() + waiting};
  }

  const size_t segment_bytes, bytes;
  char* base = nullptr;
  Mutex mutex;
  std::deque<uint32_t> free GUARDED_BY(mutex);  // taken from the back; the first `returned` have no memory
  size_t lent GUARDED_BY(mutex) = 0, returned GUARDED_BY(mutex) = 0;
  size_t waiting GUARDED_BY(mutex) = 0;  // retired, and some reader may still be there
};

struct RowCache::Retired {
  std::shared_ptr<Pool> pool;
  uint32_t segment;
  static void destroy(void* object) {
    std::unique_ptr<Retired> retired(static_cast<Retired*>(object));
    retired->pool->give_back(retired->segment);
  }
};

RowCache::RowCache(size_t bytes)
    : pool_(std::make_shared<Pool>(
          std::min(kSegmentBytesMax, std::bit_floor(std::max(bytes, kBytesMin) / 64)),
          std::max(bytes, kBytesMin) / std::min(kSegmentBytesMax, std::bit_floor(std::max(bytes, kBytesMin) / 64)))),
      segment_bytes_(static_cast<uint32_t>(pool_->segment_bytes)),
      segments_(static_cast<uint32_t>(pool_->bytes / pool_->segment_bytes)),
      reserve_(usual_reserve()),
      used_(segments_, 0) {}

RowCache::~RowCache() = default;

CachedRow* RowCache::allocate(Queue queue, size_t bytes) {
  uint32_t& open = open_[queue];
  if (open == kNone || used_[open] + bytes > segment_bytes_) {
    const uint32_t next = pool_->take();
    if (next == kNone) return nullptr;
    if (open != kNone) full_[queue].push_back(open);
    open = next;
    used_[open] = 0;
  }
  char* at = pool_->at(open) + used_[open];
  used_[open] += static_cast<uint32_t>(bytes);
  return reinterpret_cast<CachedRow*>(at);
}

void RowCache::put(KeyDirectory& directory, const Row& row, Admission admission) {
  const size_t bytes = rounded(sizeof(CachedRow) + row.key.size() + row.row.size());
  if (bytes > segment_bytes_ / 4 || row.key.size() > UINT16_MAX || !directory.caches()) return;
  if (open_[kYoung] == kNone || used_[open_[kYoung]] + bytes > segment_bytes_) {
    const auto [free, soon] = pool_->available();
    const uint32_t reserve = reserve_.load(std::memory_order_relaxed);
    if (soon <= reserve) {
      has_room_.store(false, std::memory_order_relaxed);
      if (admission == Admission::kIfRoom) return;
      evict();
      if (pool_->available().second <= reserve) evict();  // the first one's rows were mostly wanted
      (void)index::epoch_reclaim();
    } else if (admission == Admission::kIfRoom && free == 0) {
      return;
    }
  }
  CachedRow* cached = allocate(kYoung, bytes);
  if (cached == nullptr) return;  // readers are still in what was given up
  new (cached) CachedRow{row.stamp,
                         row.commit_ts,
                         &directory,
                         static_cast<uint32_t>(row.row.size()),
                         static_cast<uint16_t>(row.key.size()),
                         0};
  char* to = reinterpret_cast<char*>(cached + 1);
  std::memcpy(to, row.key.data(), row.key.size());
  std::memcpy(to + row.key.size(), row.row.data(), row.row.size());
  if (directory.cache(row.key, row.stamp, cached)) {
    ++admitted_;
  } else {
    used_[open_[kYoung]] -= static_cast<uint32_t>(bytes);  // it was superseded meanwhile, and nobody has seen this
  }
}

void RowCache::admit(KeyDirectory& directory, const Row& row, Admission admission) {
  if (!mutex_.try_lock()) return;
  put(directory, row, admission);
  mutex_.unlock();
}

void RowCache::admit_scanned(KeyDirectory& directory, const std::vector<Row>& rows) {
  MutexLock lock(mutex_);
  for (const Row& row : rows) {
    if (!has_room_.load(std::memory_order_relaxed)) return;
    put(directory, row, Admission::kIfRoom);
  }
}

void RowCache::set_bytes_max(size_t bytes) {
  const size_t most = std::min<size_t>(segments_, bytes / segment_bytes_);
  // What is filled while others are given up needs room all the same.
  const auto lent = static_cast<uint32_t>(std::min<size_t>(segments_ - most, segments_ - 2 * usual_reserve()));
  const uint32_t reserve = usual_reserve() + lent;
  const uint32_t before = reserve_.exchange(reserve, std::memory_order_relaxed);
  if (reserve == before) return;
  pool_->lend(lent);
  if (reserve < before) {
    has_room_.store(true, std::memory_order_relaxed);
    return;
  }
  for (;;) {
    MutexLock lock(mutex_);
    if (pool_->available().second > reserve || !evict()) break;
  }
  (void)index::epoch_reclaim();
}

bool RowCache::evict() {
  const size_t young = full_[kYoung].size();
  const Queue queue =
      !full_[kYoung].empty() && (full_[kOld].empty() || young * kYoungShare > segments_) ? kYoung : kOld;
  if (full_[queue].empty()) return false;
  const uint32_t segment = full_[queue].front();
  full_[queue].pop_front();
  give_up(segment, queue == kOld);
  return true;
}

void RowCache::give_up(uint32_t segment, bool old) {
  // When every row is wanted some have to go all the same.
  size_t may_move = segment_bytes_ / 8 * 7;
  char* at = pool_->at(segment);
  for (const char* end = at + used_[segment]; at < end;) {
    auto* row = reinterpret_cast<CachedRow*>(at);
    const size_t bytes = rounded(sizeof(CachedRow) + row->key_bytes + row->row_bytes);
    at += bytes;
    if (!row->directory->caches()) continue;
    const uint8_t reads = row->reads.load(std::memory_order_relaxed);
    CachedRow* moved = reads > 0 && bytes <= may_move ? allocate(kOld, bytes) : nullptr;
    if (moved == nullptr) {
      if (row->directory->uncache(*row)) ++evicted_;
      continue;
    }
    new (moved) CachedRow{row->stamp,     row->commit_ts, row->directory,
                          row->row_bytes, row->key_bytes, static_cast<uint8_t>(old ? reads - 1 : 0)};
    std::memcpy(reinterpret_cast<char*>(moved + 1), row->bytes(), bytes - sizeof(CachedRow));
    if (row->directory->move(*row, moved)) {
      may_move -= bytes;
      ++moved_;
    } else {
      used_[open_[kOld]] -= static_cast<uint32_t>(bytes);  // a newer version has taken its place
    }
  }
  pool_->retire();
  index::epoch_retire(new Retired{pool_, segment}, &Retired::destroy, segment_bytes_);
}

void RowCache::forget(KeyDirectory& directory) {
  MutexLock lock(mutex_);
  directory.stop_caching();
}

std::vector<std::pair<std::string, uint64_t>> RowCache::statistics() {
  MutexLock lock(mutex_);
  const size_t free = pool_->available().second;
  const size_t lent = reserve_.load(std::memory_order_relaxed) - usual_reserve();
  return {{"row_cache_bytes_max", pool_->bytes - lent * pool_->segment_bytes},
          {"row_cache_bytes", (segments_ - free) * pool_->segment_bytes},
          {"row_cache_admitted", admitted_},
          {"row_cache_evicted", evicted_},
          {"row_cache_moved", moved_}};
}

}  // namespace omendb::txn
