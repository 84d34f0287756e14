// ORDER BY primary key LIMIT n, min(key), max(key): the scan reads the rows it needs, in key order, and stops.
#pragma once

#include "duckdb/main/database.hpp"

namespace omendb::sql {

/// Adds the rule to the optimizer. It only tells the scan (ScanBindData) to go in order and stop; the plan stays as it is.
void register_ordered_scan(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
