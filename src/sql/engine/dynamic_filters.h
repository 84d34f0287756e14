// Filters that joins and Top-N nodes give to scans while the query runs: some would change its answer.
#pragma once

#include "duckdb/main/database.hpp"

namespace omendb::sql {

/// Adds a rule to the optimizer, after DuckDB's: where DuckDB 1.5 leads such a filter to a scan past a node whose output depends
/// on rows that the filter takes away, the filter is not made.
///
/// - A join's filter past LIMIT, Top-N or DISTINCT ON: other rows would be among the n, or first of their group.
/// - A Top-N's filter past a RIGHT or FULL join's left side: a row of the right side would lose its partner and come with nulls.
void register_dynamic_filter_check(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
