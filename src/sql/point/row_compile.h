// From DuckDB's bound logical plan to the nodes of a small plan.
#pragma once

#include "duckdb/planner/logical_operator.hpp"

#include "sql/point/row_node.h"

namespace omendb::sql {

/// The nodes of `plan`, giving its columns in order; nullptr: not a small plan. `kept` must live as long as the nodes.
NodePtr compile_small_plan(SessionImpl& session, duckdb::LogicalOperator& plan, std::vector<Expressions>* kept);

}  // namespace omendb::sql
