#include "sql/engine/copy_pipeline.h"

#include <utility>

namespace omendb::sql {
namespace {

// A batch is worth a change of threads; below one batch no thread is started.
constexpr size_t kBatchRows = 2048;
constexpr size_t kBatchBytes = 1 << 20;

}  // namespace

CopyPipeline::~CopyPipeline() {
  if (!worker_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void CopyPipeline::add(std::string_view row, uint64_t line, std::string_view raw) {
  filling_.bytes.append(row);
  const size_t row_end = filling_.bytes.size();
  filling_.bytes.append(raw);
  filling_.rows.push_back({row_end, filling_.bytes.size(), line});
  if (filling_.rows.size() >= kBatchRows || filling_.bytes.size() >= kBatchBytes) hand_over();
}

void CopyPipeline::finish() {
  if (failed_) return;
  if (worker_.joinable()) wait_idle();
  std::swap(filling_, inserting_);
  insert_batch();
}

void CopyPipeline::wait_idle() {
  MutexLock lock(mutex_);
  while (busy_) lock.wait(changed_);
  failed_ = error_ != nullptr;
  if (failed_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void CopyPipeline::hand_over() {
  if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
  wait_idle();
  std::swap(filling_, inserting_);
  filling_.bytes.clear();
  filling_.rows.clear();
  {
    MutexLock lock(mutex_);
    busy_ = true;
  }
  changed_.notify_all();
}

void CopyPipeline::insert_batch() {
  const std::string_view bytes = inserting_.bytes;
  size_t at = 0;
  for (const auto& row : inserting_.rows) {
    insert_(bytes.substr(at, row.row_end - at), row.line, bytes.substr(row.row_end, row.raw_end - row.row_end));
    at = row.raw_end;
  }
  inserting_.rows.clear();
}

void CopyPipeline::work() {
  MutexLock lock(mutex_);
  while (true) {
    while (!busy_ && !stop_) lock.wait(changed_);
    if (!busy_) return;
    lock.unlock();
    std::exception_ptr error;
    try {
      insert_batch();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace omendb::sql
