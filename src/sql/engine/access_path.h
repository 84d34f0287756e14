// How a scan reaches its rows: the filters that DuckDB pushed down, as keys to look up or ranges to walk.
//
// A path may yield more rows than the filters let through (the scan evaluates every filter again), never fewer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "duckdb/common/types/value.hpp"
#include "duckdb/planner/table_filter.hpp"

#include "table/database.h"

namespace omendb::sql {

/// What the filters on one column imply.
struct ColumnBounds {
  bool bounded = false;
  std::optional<std::vector<duckdb::Value>> equal;  // = and IN: one of these, sorted and distinct
  std::optional<duckdb::Value> lower, upper;
  bool lower_open = false, upper_open = false;  // > instead of >=

  /// Narrows by `filter`; kinds of filters that say nothing useful are ignored.
  void narrow(const duckdb::TableFilter& filter);
};

struct AccessPath {
  enum class Kind : uint8_t { kFull, kLookup, kRange, kIndex };
  Kind kind = Kind::kFull;
  std::vector<std::string> keys;        // kLookup: complete keys in key order
  std::vector<table::KeyRange> ranges;  // kRange, kIndex: disjoint, in key order
  size_t index = 0;                     // kIndex: position in TableAccess::secondary()
  bool unique = false;                  // kIndex: at most one row a range
  /// For EXPLAIN: "Full Scan", "Primary Key Lookup", "Index Range Scan using t_a_idx".
  std::string describe(const table::TableAccess& access) const;
};

/// Chooses the path. `bounds` by position in the row layout. `rows`: estimated size of the table.
AccessPath choose_access_path(const table::TableAccess& access, const std::vector<ColumnBounds>& bounds, uint64_t rows);

}  // namespace omendb::sql
