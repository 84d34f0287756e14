// point/: statements that reach few rows through keys, run on the caller's thread straight against the row store, without DuckDB's
// optimizer, executor or tasks.
//
//   point_plan.h     statements about one row, a short range of one table, or rows of expressions (this file)
//     row_program.h  what they compute of a row; row_compiler.h makes it of DuckDB's bound expressions
//     output_rows.h  the rows that they yield
//   row_plan.h       small plans: selects over several tables, each reached by keys
//     row_node.h     the nodes of their trees; row_access.h, row_join.h: rows by key paths, joins
//     row_compile.h  from the bound plan to nodes, with bound_expressions.h, table_leaf.h, join_group.h and key_order.h
//   key_path.h       of both: from predicates to the values of a key;  parameter_slots.h: their parameters
//
// A point plan is made from the same emitted select as every other, bound by DuckDB's Planner. It is projections and filters over VALUES,
// over no table, or over one omen_scan whose filters give the primary key a value (a row), or the first columns of it or of an index
// (a range, which DuckDB reads if it turns out to be long). The key is computed, the rows fetched, and the bound expressions evaluated over
// their bytes, so that a point plan computes exactly what the general path would. An UPDATE writes the old row's bytes with the changed
// columns in their places.
#pragma once

#include <memory>
#include <string>

#include "sql/engine/executor.h"
#include "sql/engine/route_counters.h"

namespace omendb::sql {

/// Takes the rows of SELECT or RETURNING.
class RowTarget {
 public:
  virtual ~RowTarget() = default;
  /// Of DuckDB's, whose first columns are the outputs; may take the contents away. False: no more are wanted.
  virtual bool chunk(duckdb::DataChunk& chunk) = 0;
  /// Of our own; valid during the call.
  virtual void rows(const std::vector<types::ColumnView>& columns, size_t count) = 0;
};

/// Thread: one at a time (a session's).
class PointPlan {
 public:
  virtual ~PointPlan() = default;
  /// A plan for `query`, or nullptr when its shape is none of a point plan's. `parameters` give the parameters' types.
  static std::shared_ptr<PointPlan> try_create(SessionImpl& session, std::shared_ptr<AnalyzedQuery> query,
                                               const Parameters& parameters);
  /// Runs it in the present command. False: this case is the general path's after all; nothing was done.
  virtual bool execute(SessionImpl& session, const Parameters& parameters, RowTarget& target, uint64_t* affected) = 0;
  /// For EXPLAIN: "Point Lookup on t using t_pkey"; of a small plan (row_plan.h), its tree.
  virtual std::string describe() const = 0;
  virtual StatementRoute route() const { return StatementRoute::kPoint; }
};

/// How many statements ran as point plans, and how many plans were made, since the start of the process.
struct PointCounters {
  uint64_t plans = 0, executions = 0;
};
PointCounters point_counters();

}  // namespace omendb::sql
