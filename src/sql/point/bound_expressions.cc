#include "sql/point/bound_expressions.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"

namespace omendb::sql {

using duckdb::Expression;

ExpressionViews views_of(const Expressions& expressions) {
  ExpressionViews views;
  for (const auto& expression : expressions) views.push_back(expression.get());
  return views;
}

Tables tables_of(const Bindings& bindings) {
  Tables tables;
  for (const auto& binding : bindings) tables.insert(binding.table_index);
  return tables;
}

Bindings joined(const Bindings& left, const Bindings& right) {
  Bindings both = left;
  both.insert(both.end(), right.begin(), right.end());
  return both;
}

bool is_repeatable(const Expression& expression) { return !expression.IsVolatile() && !expression.HasSubquery(); }

bool are_repeatable(const Expressions& expressions) {
  return std::all_of(expressions.begin(), expressions.end(),
                     [](const auto& expression) { return is_repeatable(*expression); });
}

bool within(const Expression& expression, const Tables& tables) {
  if (expression.GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
    return tables.count(expression.Cast<duckdb::BoundColumnRefExpression>().binding.table_index) > 0;
  }
  bool all = true;
  duckdb::ExpressionIterator::EnumerateChildren(expression,
                                                [&](const Expression& child) { all = all && within(child, tables); });
  return all;
}

bool add_predicates(const Expressions& given, Expressions* predicates) {
  if (!are_repeatable(given)) return false;
  Expressions copies;
  for (const auto& expression : given) copies.push_back(expression->Copy());
  duckdb::LogicalFilter::SplitPredicates(copies);
  for (auto& copy : copies) predicates->push_back(std::move(copy));
  return true;
}

std::optional<Expressions> resolved(const ExpressionViews& expressions, const Bindings& bindings) {
  Expressions copies;
  for (const auto* expression : expressions) {
    if (!is_repeatable(*expression)) return std::nullopt;
    copies.push_back(expression->Copy());
    if (!resolve_columns(copies.back(), bindings)) return std::nullopt;
  }
  return copies;
}

std::optional<Expressions> resolved(const Expressions& expressions, const Bindings& bindings) {
  return resolved(views_of(expressions), bindings);
}

}  // namespace omendb::sql
