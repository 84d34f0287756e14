// The table functions that every emitted statement reads through.
//
//   omen_scan(oid)   rows of a table at the statement's snapshot: columns "c<attnum>" and "_key". Projection and filters are
//                    pushed into it; filters over keys, those that a join makes at run time included, become lookups and
//                    ranges (access_path.h). Large tables are cut into ranges and read in parallel, or from their
//                    copy in columns (../columnar/) where there is one.
//   omen_rows(n)     a collection of rows that the session keeps (ON CONFLICT, data-modifying WITH, re-checks)
#pragma once

#include "duckdb/function/table_function.hpp"
#include "duckdb/main/database.hpp"

#include "sql/engine/table_schema.h"

namespace omendb::sql {

inline constexpr const char* kScanFunction = "omen_scan";
inline constexpr const char* kRowsFunction = "omen_rows";

/// Bind data of omen_scan; the point tier reads it too.
struct ScanBindData : public duckdb::TableFunctionData {
  explicit ScanBindData(std::shared_ptr<const TableSchema> table_schema) : schema(std::move(table_schema)) {}
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    auto copy = duckdb::make_uniq<ScanBindData>(schema);
    copy->row_limit = row_limit;
    copy->reverse = reverse;
    return copy;
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& that = other.Cast<ScanBindData>();
    return schema->table().oid == that.schema->table().oid && row_limit == that.row_limit && reverse == that.reverse;
  }
  std::shared_ptr<const TableSchema> schema;
  // Set by the optimizer rule of ordered_scan.h: rows in key order (or its reverse), and no more than these.
  uint64_t row_limit = 0;
  bool reverse = false;
};

/// Bind data of omen_rows.
struct RowsBindData : public duckdb::TableFunctionData {
  explicit RowsBindData(int64_t n) : number(n) {}
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override { return duckdb::make_uniq<RowsBindData>(number); }
  bool Equals(const duckdb::FunctionData& other) const override { return number == other.Cast<RowsBindData>().number; }
  bool SupportStatementCache() const override { return false; }
  int64_t number;
};

void register_scan_functions(duckdb::DatabaseInstance& database);

/// Counters for EXPLAIN, metrics and tests.
struct ScanCounters {
  uint64_t rows_read = 0;    // as rows, but for those of an overlay
  uint64_t column_rows = 0;  // of copies
  uint64_t delta_rows = 0;   // of overlays
  uint64_t full_scans = 0;
  uint64_t lookups = 0;
  uint64_t range_scans = 0;
  uint64_t index_scans = 0;
  uint64_t column_scans = 0;
};
ScanCounters scan_counters();

}  // namespace omendb::sql
