// The one DuckDB inside: in memory, without files, network, extensions or a catalog of ours.
#pragma once

#include <memory>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database.hpp"

#include "base/background_threads.h"
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
  /// Where a statement goes on that takes long: on what short ones leave, and when that is next to nothing, with a share of its own.
  /// Null: where it is.
  BackgroundThreads* idle_threads() { return idle_threads_.get(); }
  BackgroundThreads& low_threads() { return *low_threads_; }

 private:
  int threads_ = 1;
  size_t memory_bytes_ = 0;
  std::unique_ptr<BackgroundThreads> idle_threads_, low_threads_;
  std::unique_ptr<duckdb::DuckDB> database_;
};

}  // namespace omendb::sql
