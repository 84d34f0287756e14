// DuckDB's worker threads, as crews of one size, one for each priority (docs/decisions/0043). One crew works at a time, for no thread
// gets its priority back once it was lowered, or only with privileges.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <thread>
#include <vector>

#include "duckdb/common/atomic.hpp"
#include "duckdb/parallel/task_scheduler.hpp"

#include "base/background_threads.h"
#include "base/mutex.h"

namespace omendb::sql {

/// Thread: any.
class DuckWorkers {
 public:
  /// `threads` a crew. DuckDB has none of its own: its settings "threads" and "external_threads" are the same, and
  /// "scheduler_process_partial" is on, so that a crew can leave in the middle of a pipeline.
  DuckWorkers(duckdb::TaskScheduler& scheduler, int threads);
  /// No statement runs any more.
  ~DuckWorkers();
  DuckWorkers(const DuckWorkers&) = delete;
  DuckWorkers& operator=(const DuckWorkers&) = delete;

  /// Which crew works from now on. The others end what they have begun, a part of a pipeline's task each; called again, this
  /// wakes those of them that still sleep in DuckDB's queue.
  void use(Priority priority);
  /// Processor time that all have had.
  std::chrono::nanoseconds processor_time();
  /// Gives the crews that do not work their priority back, until they are to work again: what they have begun is waited for. Without
  /// privileges this does nothing.
  void raise_others();

 private:
  struct Crew {
    Priority priority;
    duckdb::atomic<bool> works{false};
    std::atomic<size_t> inside{0};  // threads that DuckDB has
    std::vector<std::thread> threads;
    std::vector<pid_t> ids;  // under the mutex, as they begin
    bool raised = false;     // under the mutex
  };
  void work(Crew& crew);
  Crew& crew_of(Priority priority) { return crews_[static_cast<size_t>(priority)]; }

  duckdb::TaskScheduler& scheduler_;
  std::array<Crew, 3> crews_;
  Mutex mutex_;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::condition_variable wake_;
};

}  // namespace omendb::sql
