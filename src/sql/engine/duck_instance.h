// The one DuckDB inside: in memory, without files, network, extensions or a catalog of ours.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database.hpp"

#include "base/background_threads.h"
#include "sql/engine/duck_workers.h"
#include "sql/services.h"
#include "sql/session.h"

namespace omendb::sql {

/// Owns the DuckDB instance. Thread: any.
class DuckInstance {
 public:
  /// Throws what DuckDB throws.
  explicit DuckInstance(const EngineOptions& options);

  /// A connection whose context answers services(). Costs some 7 KB and 8 us. `services` outlives the connection.
  duckdb::unique_ptr<duckdb::Connection> connect(duckdb::shared_ptr<SessionServices> services);
  duckdb::DatabaseInstance& instance() { return *database_->instance; }
  int threads() const { return threads_; }
  size_t memory_bytes() const { return memory_bytes_; }
  /// Whether a statement that takes long has to stand back now: short ones came in the last moments. DuckDB's workers do as it says.
  bool stands_back();
  /// Where such a statement goes on: on what short ones leave, and when that is next to nothing, with a share of its own.
  BackgroundThreads& idle_threads() { return *idle_threads_; }
  BackgroundThreads& low_threads() { return *low_threads_; }
  /// A worker in SCHED_IDLE holds up its statement, for it gets no processor: workers have nice 10 for the next two seconds.
  void free_workers();
  /// Workers do not stand back for so long, for nice 10 is no share either.
  void raise_workers(std::chrono::milliseconds time);
  /// Processor time of the workers.
  std::chrono::nanoseconds workers_time() {
    return workers_ == nullptr ? std::chrono::nanoseconds(0) : workers_->processor_time();
  }

 private:
  int threads_ = 1;
  size_t memory_bytes_ = 0;
  std::unique_ptr<BackgroundThreads> idle_threads_, low_threads_;  // null: nothing stands back
  std::unique_ptr<duckdb::DuckDB> database_;
  std::unique_ptr<DuckWorkers> workers_;  // null: DuckDB's own, or none
  using Clock = std::chrono::steady_clock;
  // Workers that stand back do so at nice 10; do not.
  std::atomic<Clock::time_point> low_until_{Clock::time_point()}, normal_until_{Clock::time_point()};
};

}  // namespace omendb::sql
