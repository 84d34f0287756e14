#include "sql/point/row_node.h"

#include <algorithm>

#include "duckdb/function/create_sort_key.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"

namespace omendb::sql {

using duckdb::DataChunk;
using duckdb::Expression;
using duckdb::LogicalType;

DataChunk& SmallChunk::start(const duckdb::vector<LogicalType>& types, size_t rows) {
  if (!started_ || capacity_ < rows) {
    capacity_ = 8;
    while (capacity_ < rows) capacity_ *= 2;
    chunk_.Destroy();
    chunk_.Initialize(duckdb::Allocator::DefaultAllocator(), types, capacity_);
    started_ = true;
  } else {
    chunk_.Reset();
  }
  return chunk_;
}

DataChunk& SmallChunk::start_references(const duckdb::vector<LogicalType>& types) {
  if (!started_) {
    chunk_.Destroy();
    chunk_.InitializeEmpty(types);
    started_ = true;
  }
  chunk_.SetCardinality(0);
  return chunk_;
}

SortKeys::SortKeys(DataChunk& keys, const duckdb::vector<duckdb::OrderByNullType>* nulls,
                   const duckdb::vector<duckdb::OrderType>* orders)
    : keys_(LogicalType::BLOB, std::max<size_t>(1, keys.size())) {
  if (keys.ColumnCount() == 0) {
    constant_ = true;
    return;
  }
  duckdb::vector<duckdb::OrderModifiers> modifiers;
  for (size_t i = 0; i < keys.ColumnCount(); ++i) {
    modifiers.emplace_back(orders == nullptr ? duckdb::OrderType::ASCENDING : (*orders)[i],
                           nulls == nullptr ? duckdb::OrderByNullType::NULLS_LAST : (*nulls)[i]);
  }
  duckdb::CreateSortKeyHelpers::CreateSortKey(keys, modifiers, keys_);
  keys_.Flatten(keys.size());
}

std::string_view SortKeys::at(size_t row) const {
  if (constant_) return {};
  const auto& key = duckdb::FlatVector::GetData<duckdb::string_t>(keys_)[row];
  return {key.GetData(), key.GetSize()};
}

bool resolve_columns(duckdb::unique_ptr<Expression>& expression, const Bindings& bindings) {
  if (expression->GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
    const auto& column = expression->Cast<duckdb::BoundColumnRefExpression>();
    const auto found = std::find(bindings.begin(), bindings.end(), column.binding);
    if (found == bindings.end() || column.depth != 0) return false;
    expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(column.GetAlias(), column.return_type,
                                                                     static_cast<size_t>(found - bindings.begin()));
    return true;
  }
  bool all = true;
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](duckdb::unique_ptr<Expression>& child) { all = all && resolve_columns(child, bindings); });
  return all;
}

Count::Count(duckdb::ClientContext& context, duckdb::unique_ptr<Expression> expression, uint64_t none)
    : expression_(std::move(expression)), none_(none) {
  if (expression_) executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *expression_);
}

uint64_t Count::value() {
  if (executor_ == nullptr) return none_;
  duckdb::Vector result(expression_->return_type, 1);
  executor_->ExecuteExpression(result);
  const duckdb::Value value = result.GetValue(0);
  return value.IsNull() ? none_ : value.GetValue<uint64_t>();
}

duckdb::unique_ptr<Expression> conjunction(Expressions predicates) {
  if (predicates.size() == 1) return std::move(predicates[0]);
  auto all = duckdb::make_uniq<duckdb::BoundConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_AND);
  all->children = std::move(predicates);
  return all;
}

Computed::Computed(duckdb::ClientContext& context, Expressions expressions)
    : expressions_(std::move(expressions)), executor_(context, expressions_) {
  for (const auto& expression : expressions_) types_.push_back(expression->return_type);
}

DataChunk& Computed::run(DataChunk& input) {
  DataChunk& output = output_.start(types_, input.size());
  if (!expressions_.empty() && input.size() > 0) executor_.Execute(input, output);
  output.SetCardinality(input.size());
  return output;
}

}  // namespace omendb::sql
