// A table as the scan and the writer see it: physical columns as DuckDB types, worked out once a catalog version.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/common/types.hpp"
#include "duckdb/common/types/data_chunk.hpp"

#include "sql/engine/table_statistics.h"
#include "sql/services.h"

namespace omendb::sql {

/// Columns by position in the row layout (attnum - 1), then "_key". Immutable.
struct TableSchema {
  TableSchema(const catalog::Catalog& catalog, std::shared_ptr<const table::TableAccess> table_access);

  std::shared_ptr<const table::TableAccess> access;
  duckdb::vector<duckdb::LogicalType> types;  // layout columns, then _key
  duckdb::vector<std::string> names;          // c<attnum>, then _key
  bool has_missing = false;                   // a column was added with a default after rows were written

  size_t column_count() const { return access->layout().column_count(); }
  size_t key_column() const { return column_count(); }
  const catalog::Table& table() const { return access->table(); }
};

/// Rows that a session keeps for omen_rows(n).
struct RowCollection {
  duckdb::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
  std::vector<duckdb::unique_ptr<duckdb::DataChunk>> chunks;
};

/// What the engine's own table functions need beside SessionServices.
class EngineServices : public SessionServices {
 public:
  /// Throws 42P01 when the table is gone.
  virtual std::shared_ptr<const TableSchema> table_schema(Oid table) = 0;
  virtual const RowCollection& row_collection(int64_t number) = 0;
  /// Null: nothing is known (a small table).
  virtual std::shared_ptr<const TableStatistics> statistics(const TableSchema& schema) = 0;
  /// How many threads may scan for one statement.
  virtual int scan_threads() const = 0;
};

inline EngineServices& engine_services(duckdb::ClientContext& context) {
  return static_cast<EngineServices&>(services(context));
}

}  // namespace omendb::sql
