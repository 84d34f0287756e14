// Small plans: selects that read few rows through keys (a join of an order with its lines, the ten newest rows of an account, an
// aggregate over a customer's orders), run on the caller's thread without DuckDB's optimizer, executor or tasks.
//
// A plan is made once a statement, from the same emitted select, bound by DuckDB's Planner and rewritten by its filter pushdown.
// Every table must be reached by a key path (key_path.h) from constants, parameters or rows already read, or be tiny. Expressions
// and aggregates are DuckDB's own, so a small plan computes what the general path would.
//
// Whether few rows are read is known only when they are: beyond kSmallRows anywhere the plan gives up and the general path answers. A
// plan that gives up often is not tried again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/engine/executor.h"

namespace omendb::sql {

/// Thread: one at a time (a session's).
class RowPlan {
 public:
  virtual ~RowPlan() = default;
  /// A plan for `select`, which must outlive it, or nullptr when its shape is none of a small plan's. `parameters` give the types.
  static std::unique_ptr<RowPlan> try_create(SessionImpl& session, const duckdb::SelectStatement& select,
                                             const Parameters& parameters);
  /// Hands all rows to `consumer`. False: there is too much to read; the consumer has seen nothing.
  virtual bool execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer) = 0;
  /// The tree of nodes, one a line, for EXPLAIN.
  virtual std::string describe() const = 0;
};

/// The selects of one statement (its own, and what ON CONFLICT DO UPDATE asks), each with its small plan, made when it is first run.
/// Thread: one at a time.
class SmallPlans {
 public:
  /// The selects must outlive this.
  explicit SmallPlans(const std::vector<const duckdb::SelectStatement*>& selects);
  /// False: `select` is none of these or has no small plan, or there is too much to read; nothing was done.
  bool run(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
           const ChunkConsumer& consumer);
  /// The plan of the first select; nullptr: it has none. `parameters` as for RowPlan::try_create.
  RowPlan* main(SessionImpl& session, const Parameters& parameters);
  /// How many runs a small plan answered.
  uint64_t answered() const { return answered_; }

 private:
  struct Entry {
    const duckdb::SelectStatement* select;
    bool made = false;
    std::unique_ptr<RowPlan> plan;
    uint64_t runs = 0, gave_up = 0;
  };
  static void make(SessionImpl& session, Entry& entry, const Parameters& parameters);
  std::vector<Entry> entries_;
  uint64_t answered_ = 0;
};

}  // namespace omendb::sql
