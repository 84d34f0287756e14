#include "sql/point/key_order.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/operator/logical_order.hpp"

#include "sql/point/row_join.h"
#include "sql/point/table_leaf.h"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

/// The first rows of `path`, an ordered one found with `predicates`, that pass them.
NodePtr first_rows(duckdb::ClientContext& context, const TableLeaf& leaf, TableAccessPath path, Expressions predicates,
                   const Expression& count, const Expression* offset, std::vector<Expressions>* kept) {
  ExpressionViews pending = views_of(predicates);
  if (!enter_path(context, {}, &path, &pending)) return nullptr;
  auto residual = resolved(pending, leaf.bindings);
  if (!residual) return nullptr;
  kept->push_back(std::move(predicates));
  return make_first_rows(context, std::move(path), leaf.bindings, std::move(*residual), count.Copy(),
                         offset == nullptr ? nullptr : offset->Copy());
}

/// The column of `leaf` that `key` is, seen through `projections` (outermost first); SIZE_MAX: none.
size_t column_below(const TableLeaf& leaf, const std::vector<LogicalOperator*>& projections, const Expression* key) {
  for (auto* projection : projections) {
    if (key->GetExpressionType() != duckdb::ExpressionType::BOUND_COLUMN_REF) return SIZE_MAX;
    key = projection->expressions[key->Cast<duckdb::BoundColumnRefExpression>().binding.column_index].get();
  }
  return leaf.column_of(*key);
}

/// What other columns have to be may lead to fewer rows by another key than `path`, which is in the order of `column`.
bool other_key_is_better(SessionImpl& session, const TableLeaf& leaf, const TableAccessPath& path, size_t column,
                         const ExpressionViews& asked) {
  const auto& used = path.key.used;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (std::find(used.begin(), used.end(), i) != used.end() || leaf.only_on(*asked[i], column)) continue;
    return path_into(session, leaf, {}, asked).has_value();
  }
  return false;
}

/// One min() or max() as an aggregate of the row at the end of a key, which keeps the null of a table without rows.
NodePtr end_of_key(SessionImpl& session, LogicalOperator& input, Expression& aggregate,
                   const duckdb::ColumnBinding& binding, std::vector<Expressions>* kept) {
  if (aggregate.GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return nullptr;
  const auto& call = aggregate.Cast<duckdb::BoundAggregateExpression>();
  const bool min_max = call.function.name == "min" || call.function.name == "max";
  if (!min_max || call.filter || call.order_bys || call.children.size() != 1) return nullptr;
  Expressions predicates;
  const auto leaf = table_leaf(input, &predicates);
  if (!leaf) return nullptr;
  const size_t column = leaf->column_of(*call.children[0]);
  if (column == SIZE_MAX) return nullptr;
  const auto asked = views_of(predicates);
  auto path = find_ordered_path(
      leaf->schema, leaf->columns, leaf->asked({}, asked),
      {{.column = column, .descending = call.function.name == "max", .nulls_first = false, .not_null = true}});
  if (!path || other_key_is_better(session, *leaf, *path, column, asked)) return nullptr;

  auto& context = *session.connection().context;
  const duckdb::BoundConstantExpression one(duckdb::Value::BIGINT(1));
  NodePtr row = first_rows(context, *leaf, std::move(*path), std::move(predicates), one, nullptr, kept);
  if (row == nullptr) return nullptr;
  auto own = resolved(ExpressionViews{&aggregate}, row->bindings());
  return own ? make_aggregate(context, std::move(row), {}, std::move(*own), {binding}) : nullptr;
}

}  // namespace

NodePtr first_rows_of_key(SessionImpl& session, LogicalOperator& plan, const Expression& count,
                          const Expression* offset, std::vector<Expressions>* kept) {
  auto& context = *session.connection().context;
  LogicalOperator* op = &plan;
  duckdb::LogicalOrder* sort = nullptr;
  if (op->type == LogicalOperatorType::LOGICAL_ORDER_BY) {
    sort = &op->Cast<duckdb::LogicalOrder>();
    if (!sort->projection_map.empty()) return nullptr;
    op = op->children[0].get();
  }
  std::vector<LogicalOperator*> projections;
  while (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
    projections.push_back(op);
    op = op->children[0].get();
  }
  Expressions predicates;
  auto leaf = table_leaf(*op, &predicates);
  if (!leaf) return nullptr;
  std::vector<OrderedColumn> order;
  for (size_t i = 0; sort != nullptr && i < sort->orders.size(); ++i) {
    const auto& key = sort->orders[i];
    const size_t column = column_below(*leaf, projections, key.expression.get());
    if (column == SIZE_MAX) return nullptr;
    order.push_back(
        {column, key.type == duckdb::OrderType::DESCENDING, key.null_order == duckdb::OrderByNullType::NULLS_FIRST});
  }
  auto path = find_ordered_path(leaf->schema, leaf->columns, leaf->asked({}, views_of(predicates)), order);
  if (!path) return nullptr;
  NodePtr node = first_rows(context, *leaf, std::move(*path), std::move(predicates), count, offset, kept);
  for (auto it = projections.rbegin(); node != nullptr && it != projections.rend(); ++it) {
    auto outputs = resolved((*it)->expressions, node->bindings());
    if (!outputs) return nullptr;
    node = make_project(context, std::move(node), std::move(*outputs), (*it)->GetColumnBindings());
  }
  return node;
}

NodePtr ends_of_keys(SessionImpl& session, duckdb::LogicalAggregate& op, std::vector<Expressions>* kept) {
  if (!op.groups.empty()) return nullptr;
  const Bindings bindings = op.GetColumnBindings();
  NodePtr node;
  for (size_t i = 0; i < op.expressions.size(); ++i) {
    NodePtr row = end_of_key(session, *op.children[0], *op.expressions[i], bindings[i], kept);
    if (row == nullptr) return nullptr;
    if (node == nullptr) {
      node = std::move(row);
      continue;
    }
    // One row each: without keys they pair.
    JoinSpec spec;
    spec.bindings = joined(node->bindings(), row->bindings());
    node = make_hash_join(*session.connection().context, std::move(node), std::move(row), {}, {}, {}, std::move(spec));
  }
  return node;
}

}  // namespace omendb::sql
