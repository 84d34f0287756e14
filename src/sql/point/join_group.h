// Inner joins taken apart: their order is not the statement's matter, and the cheapest key decides it.
#pragma once

#include <optional>
#include <vector>

#include "duckdb/planner/operator/logical_join.hpp"

#include "sql/point/bound_expressions.h"

namespace omendb::sql {

/// Relations that join in any order, and the predicates that all must hold.
struct JoinGroup {
  std::vector<duckdb::LogicalOperator*> leaves;
  Expressions predicates;  // over columns of the leaves
  // Projections between the joins are dissolved: their columns, and what each is computed from.
  Bindings projected;
  Expressions projections;  // over columns of the leaves
};

/// The group under `op`: a scan, or inner joins, filters and projections over others. nullopt: not one, or with a predicate or
/// projection that is not repeatable. The plan must outlive the group.
std::optional<JoinGroup> join_group(duckdb::LogicalOperator& op);

/// Appends the conditions of a join, as predicates over both sides. False: one is not repeatable.
bool add_conditions(duckdb::LogicalJoin& join, Expressions* predicates);

}  // namespace omendb::sql
