// Plans that need no sort, because a key has the rows in the order asked for: the first rows of one table, and its least and
// greatest values. They read as many rows as they give (and those that filters drop), however many there are.
#pragma once

#include <vector>

#include "duckdb/planner/operator/logical_aggregate.hpp"

#include "sql/point/row_node.h"

namespace omendb::sql {

/// The first `count` rows behind `offset` (null: none) of `plan`: one table under filters, projections and maybe ORDER BY.
/// nullptr: no key has that order, or `plan` is something else. `kept` must live as long as the node.
NodePtr first_rows_of_key(SessionImpl& session, duckdb::LogicalOperator& plan, const duckdb::Expression& count,
                          const duckdb::Expression* offset, std::vector<Expressions>* kept);

/// min() and max() of columns of one table that keys are ordered by: each reads the first row at its end of one.
/// nullptr: `op` is something else, or a key by other columns may lead to fewer rows. `kept` must live as long as the node.
NodePtr ends_of_keys(SessionImpl& session, duckdb::LogicalAggregate& op, std::vector<Expressions>* kept);

}  // namespace omendb::sql
