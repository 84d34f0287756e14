// Calls of nextval() and its kin that see each other: nextval('s') beside currval('s'), beside lastval(), beside itself. PostgreSQL
// computes all of a row before it begins the next one; DuckDB computes an expression for a chunk of rows and then the
// next expression. A statement with such calls gets chunks of one row below each operator that has them.
#pragma once

#include "duckdb/main/database.hpp"

namespace omendb::sql {

void register_row_at_a_time(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
