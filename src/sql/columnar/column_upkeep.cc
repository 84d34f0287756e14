// The thread that keeps copies: folds and trims, writes down, makes anew, makes what is wanted, and keeps to the memory there is.
#include <algorithm>
#include <chrono>

#include "duckdb/common/exception.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/storage/buffer_manager.hpp"

#include "base/processor_time.h"
#include "sql/columnar/column_copy.h"
#include "sql/columnar/column_fill.h"
#include "sql/columnar/column_store.h"

namespace omendb::sql {
namespace {

// A copy is folded when it lags by so many changes.
constexpr size_t kFoldSoon = 2000;
constexpr auto kPeriod = std::chrono::milliseconds(100);
constexpr double kDecay = 0.999;  // of a wish, a period: half is gone after a minute
constexpr uint64_t kPlaceBytes =
    3;  // of a key, about, that DuckDB cannot put on disk: of some that came or moved since they were packed

// A copy is written down when so many changes, and this share of the rows, are not on disk; any change after a while.
constexpr uint64_t kWriteSoon = 100000, kWriteShare = 10;
constexpr std::chrono::seconds kWritePeriod{30}, kWriteLate{300};

// Memory that is not to be had for so many periods: a statement may have it, and give it back.
constexpr int kPressedPeriods = 50;

thread_local bool unasked = false;  // this thread is a store's worker

}  // namespace

// What a copy is made or folded from is a snapshot, and while that is held nothing that was deleted since leaves the store: so the worker takes
// time off, but has the priority of everybody and is not starved.
Effort ColumnStore::effort() const {
  if (!unasked) return {.threads = options_.threads, .paced = false};
  return {.threads = std::max<size_t>(1, options_.threads / 2), .paced = options_.stands_back};
}

void ColumnStore::work() {
  unasked = true;
  Pace pace(options_.stands_back);
  take_up_files();
  MutexLock lock(mutex_);
  while (!closing_) {
    lock.wait_for(wake_, kPeriod);
    if (closing_) return;
    lock.unlock();
    maintain();
    pace.rest();
    lock.lock();
  }
}

bool ColumnStore::fold_lagging(const std::shared_ptr<ColumnCopy>& copy) {
  ColumnReading reading(database_);
  const auto catalog = database_.catalog(*reading);
  const auto* table = catalog->find<catalog::Table>(copy->schema().table().oid);
  if (table == nullptr || table->storage != copy->storage() || columns_wanted(*table) == ColumnsWanted::kOff ||
      copy->spoiled()) {
    remove(copy);
    return false;
  }
  const size_t pending = copy->pending(database_.last_commit());
  if (pending == SIZE_MAX) {
    remove(copy, kForgottenChanges);
    return false;
  }
  if (pending >= kFoldSoon && !fold_or_drop(copy, *reading)) return false;
  // What no snapshot can ask for is given back.
  copy->trim_log(std::min(copy->watermark(), database_.oldest_snapshot()));
  return true;
}

bool ColumnStore::ends_making() {
  // Making a large copy takes minutes, and the others are not to fall behind meanwhile.
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_look_) {
    for (const auto& copy : all()) fold_lagging(copy);
    keep_to_memory();
    next_look_ = std::chrono::steady_clock::now() + kPeriod;
  }
  return stop_;
}

void ColumnStore::remake(const std::shared_ptr<ColumnCopy>& worn, const std::function<bool()>& stop) {
  try {
    // The worn one is read until then.
    if (const auto schema = committed_schema(worn->storage())) make(schema, worn, stop);
  } catch (...) {
    remove(worn);
  }
}

// --- Memory ---

uint64_t ColumnStore::held_bytes() {
  uint64_t bytes = 0;
  for (const auto& copy : all()) bytes += copy->own_place_bytes() + copy->log().bytes();
  return std::min<uint64_t>(bytes, options_.reserved_max);
}

bool ColumnStore::reserve(uint64_t bytes) {
  auto& buffers = duckdb::BufferManager::GetBufferManager(duck_);
  const uint64_t held = reserved_.load();
  try {
    if (bytes > held)
      buffers.ReserveMemory(bytes - held);
    else
      buffers.FreeReservedMemory(held - bytes);
  } catch (const duckdb::OutOfMemoryException&) {
    return false;
  }
  reserved_ = bytes;
  return true;
}

void ColumnStore::keep_to_memory() {
  if (reserve(held_bytes())) {
    pressed_ = 0;
    return;
  }
  // First what costs no copy: who has an older snapshot reads rows.
  ++counters_.pressed;
  auto copies = all();
  {
    // One that is being made will want the log from its snapshot on.
    const MutexLock lock(mutex_);
    std::erase_if(copies, [&](const auto& copy) { return building_.contains(copy->storage().value); });
  }
  for (const auto& copy : copies) copy->trim_log(copy->watermark());
  if (reserve(held_bytes()) || ++pressed_ < kPressedPeriods || copies.empty()) return;
  pressed_ = 0;
  remove(*std::max_element(copies.begin(), copies.end(),
                           [](const auto& a, const auto& b) { return a->own_place_bytes() < b->own_place_bytes(); }),
         "the places of its keys exceed the memory for analytics");
}

// --- One period ---

void ColumnStore::maintain() {
  std::vector<std::shared_ptr<ColumnCopy>> worn;
  std::vector<catalog::Table> wanted;
  {
    const MutexLock lock(mutex_);
    uint64_t places = 0;
    for (const auto& [storage, copy] : copies_) places += std::max(copy->rows() * kPlaceBytes, copy->own_place_bytes());
    for (auto it = wishes_.begin(); it != wishes_.end();) {
      Wish& wish = it->second;
      const auto rows = static_cast<double>(database_.estimate_rows(*wish.schema->access));
      const auto more = static_cast<uint64_t>(rows) * kPlaceBytes;
      if (wish.rows_scanned >= kColumnScansWanted * rows && places + more <= options_.places_max) {
        places += more;
        wanted.push_back(wish.schema->table());
        it = wishes_.erase(it);
        continue;
      }
      wish.rows_scanned *= kDecay;
      it = wish.rows_scanned < rows / 100 ? wishes_.erase(it) : std::next(it);
    }
  }
  for (const auto& copy : all()) {
    if (!fold_lagging(copy)) continue;
    if (copy->worn()) {
      worn.push_back(copy);
      continue;
    }
    try {
      if (copy->places_loose()) copy->pack_places(publish_mutex_);
    } catch (...) {
      failures_.note_current_exception(copy->schema().table(), "was dropped");
      remove(copy);
      continue;
    }
    const auto since = std::chrono::steady_clock::now() - copy->written_at();
    const uint64_t unwritten = copy->persistent() ? copy->unwritten() : 0;
    const bool soon = unwritten >= kWriteSoon && unwritten >= copy->rows() / kWriteShare && since >= kWritePeriod;
    if (soon || copy->never_written() || (unwritten > 0 && since >= kWriteLate)) write_or_drop(copy);
  }
  keep_to_memory();
  next_look_ = std::chrono::steady_clock::now() + kPeriod;
  const auto stop = [this] { return ends_making(); };
  for (const auto& copy : worn) remake(copy, stop);
  {
    ColumnReading reading(database_);
    for (const auto& schema : wanted_.in(*database_.catalog(*reading))) {
      if (find(*schema) == nullptr && failures_.may_try(schema->table().storage)) wanted.push_back(schema->table());
    }
  }
  for (const auto& table : wanted) {
    try {
      build(table, stop);
    } catch (...) {
      // The rows answer; the failure is noted.
    }
  }
}

}  // namespace omendb::sql
