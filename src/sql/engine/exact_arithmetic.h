// Integers overflow where PostgreSQL's do: what DuckDB's optimizer rewrites without asking whether an error gets lost or comes in.
#pragma once

#include "duckdb/main/database.hpp"

namespace omendb::sql {

/// Takes from DuckDB's optimizer, for every statement, the rewrites that change which sums and products of integers are computed:
///
/// - The order of a chain: (a * 7) * (7 * b) as 49 * a * b has no 22003 where a is null and 7 * b overflows, and
///   (a + 2000000000) + (b + 2000000000) has one where no sum overflows.
/// - Constants moved over a comparison: a + 1 > 5 as a > 4 answers for the largest integer.
/// - sum(a + 1) as sum(a) + count(a), unless a is narrower than the sum's type and a + 1 cannot overflow.
void register_exact_arithmetic(duckdb::DatabaseInstance& database);

}  // namespace omendb::sql
