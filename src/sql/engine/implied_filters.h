// Conditions on one table that an OR over several tables implies, as PostgreSQL draws them out:
//   (a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4)   implies   a.x = 1 OR a.x = 3   and   b.y = 2 OR b.y = 4
// They stand beside the OR, and DuckDB pushes each into its table's scan. Only comparisons of a column with constants take
// part: they cannot fail, so evaluating them on more rows changes nothing.
#pragma once

#include "duckdb/main/database.hpp"

namespace omendb::sql {

void register_implied_filters(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
