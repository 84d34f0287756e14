// The one DuckDB inside: in memory, without files, network, extensions or a catalog of ours.
#pragma once

#include <memory>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database.hpp"

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

 private:
  int threads_ = 1;
  size_t memory_bytes_ = 0;
  std::unique_ptr<duckdb::DuckDB> database_;
};

}  // namespace omendb::sql
