// The parts of a small plan (row_plan.h): each computes all of its rows at once into one chunk.
//
//   Rows        leaf: rows of a table by key path, VALUES, the deduplicated rows that a correlated subquery starts from
//   Join        nested loop with a key path into the inner table, or hashed against rows of another node
//   Filter, Project, Aggregate, Order, Limit, Distinct, Append
//
// Invariants
//   1. A node's chunk has at most kSmallRows rows; what would be more makes run() return false, and the statement is DuckDB's.
//   2. Chunks share vectors with the chunks below them, all valid until the next run().
//   3. Nothing is written and no volatile function is called, so that giving up half way leaves no trace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/column_binding.hpp"

#include "sql/engine/session_impl.h"
#include "sql/engine/table_schema.h"

namespace omendb::sql {

inline constexpr size_t kSmallRows = 1024;

using Bindings = duckdb::vector<duckdb::ColumnBinding>;
using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

struct RunContext {
  SessionImpl& session;
  const Parameters& parameters;
};

/// A chunk that is as large as it ever had to be.
class SmallChunk {
 public:
  /// An empty chunk with room for `rows`.
  duckdb::DataChunk& start(const duckdb::vector<duckdb::LogicalType>& types, size_t rows);
  /// An empty chunk whose vectors will all refer to others.
  duckdb::DataChunk& start_references(const duckdb::vector<duckdb::LogicalType>& types);
  duckdb::DataChunk& chunk() { return chunk_; }

 private:
  duckdb::DataChunk chunk_;
  size_t capacity_ = 0;
  bool started_ = false;
};

class RowNode {
 public:
  RowNode(Bindings bindings, duckdb::vector<duckdb::LogicalType> types)
      : bindings_(std::move(bindings)), types_(std::move(types)) {}
  virtual ~RowNode() = default;

  /// Computes the rows. False: they are too many.
  virtual bool run(RunContext& context) = 0;
  /// One line of EXPLAIN.
  virtual std::string describe() const = 0;

  /// The rows of the last run.
  duckdb::DataChunk& chunk() { return *current_; }
  const Bindings& bindings() const { return bindings_; }
  const duckdb::vector<duckdb::LogicalType>& types() const { return types_; }
  const std::vector<std::unique_ptr<RowNode>>& inputs() const { return inputs_; }

 protected:
  RowNode& input(size_t i = 0) { return *inputs_[i]; }

  Bindings bindings_;
  duckdb::vector<duckdb::LogicalType> types_;
  std::vector<std::unique_ptr<RowNode>> inputs_;
  SmallChunk output_;
  duckdb::DataChunk* current_ = &output_.chunk();
};

using NodePtr = std::unique_ptr<RowNode>;

/// The bytes by which DuckDB tells equal rows (and orders them), one a row of `keys`.
class SortKeys {
 public:
  SortKeys(duckdb::DataChunk& keys, const duckdb::vector<duckdb::OrderByNullType>* nulls = nullptr,
           const duckdb::vector<duckdb::OrderType>* orders = nullptr);
  std::string_view at(size_t row) const;

 private:
  duckdb::Vector keys_;
  bool constant_ = false;  // there is no column: all rows are equal
};

/// Turns references to columns of `bindings` into positions. False: one of them is not there.
bool resolve_columns(duckdb::unique_ptr<duckdb::Expression>& expression, const Bindings& bindings);

/// Computed columns over a node's rows.
class Computed {
 public:
  Computed(duckdb::ClientContext& context, Expressions expressions);
  duckdb::DataChunk& run(duckdb::DataChunk& input);
  const duckdb::vector<duckdb::LogicalType>& types() const { return types_; }
  size_t size() const { return expressions_.size(); }

 private:
  Expressions expressions_;
  duckdb::vector<duckdb::LogicalType> types_;
  duckdb::ExpressionExecutor executor_;
  SmallChunk output_;
};

/// A count that is the same for all rows: LIMIT, OFFSET. `none` stands for null and for no expression.
class Count {
 public:
  Count(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression> expression, uint64_t none);
  uint64_t value();

 private:
  duckdb::unique_ptr<duckdb::Expression> expression_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
  uint64_t none_;
};

/// All of `predicates` as one.
duckdb::unique_ptr<duckdb::Expression> conjunction(Expressions predicates);

// Makers; the expressions given to them are resolved already (positions in the input's chunk).

NodePtr make_filter(duckdb::ClientContext& context, NodePtr input, Expressions predicates);
NodePtr make_project(duckdb::ClientContext& context, NodePtr input, Expressions outputs, Bindings bindings);
NodePtr make_order(duckdb::ClientContext& context, NodePtr input, Expressions keys,
                   duckdb::vector<duckdb::OrderType> orders, duckdb::vector<duckdb::OrderByNullType> nulls);
/// Null expressions: no limit, no offset.
NodePtr make_limit(duckdb::ClientContext& context, NodePtr input, duckdb::unique_ptr<duckdb::Expression> limit,
                   duckdb::unique_ptr<duckdb::Expression> offset);
/// The first of the rows with equal keys.
NodePtr make_distinct(duckdb::ClientContext& context, NodePtr input, Expressions keys);
NodePtr make_append(std::vector<NodePtr> inputs, Bindings bindings);
/// Rows of expressions without columns. No row at all, too.
NodePtr make_values(duckdb::ClientContext& context, std::vector<Expressions> rows, Bindings bindings,
                    duckdb::vector<duckdb::LogicalType> types);
/// `groups` and then `aggregates` (BoundAggregateExpressions); nullptr: a form of aggregate that is not for small plans.
NodePtr make_aggregate(duckdb::ClientContext& context, NodePtr input, Expressions groups, Expressions aggregates,
                       Bindings bindings);

}  // namespace omendb::sql
