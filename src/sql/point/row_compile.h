// From DuckDB's bound logical plan to the nodes of a small plan, operator by operator. What more than one operator decides has a file
// of its own: inner joins in any order (join_group.h), tables under filters (table_leaf.h), rows in a key's order (key_order.h).
#pragma once

#include "duckdb/planner/logical_operator.hpp"

#include "sql/point/row_node.h"

namespace omendb::sql {

/// The nodes of `plan`, giving its columns in order; nullptr: not a small plan. `kept` must live as long as the nodes: it has the
/// predicates that their key paths compute values of.
NodePtr compile_small_plan(SessionImpl& session, duckdb::LogicalOperator& plan, std::vector<Expressions>* kept);

}  // namespace omendb::sql
