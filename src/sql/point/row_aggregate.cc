#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/storage/arena_allocator.hpp"

#include "sql/point/row_node.h"

namespace omendb::sql {
namespace {

using duckdb::AggregateInputData;
using duckdb::BoundAggregateExpression;
using duckdb::DataChunk;
using duckdb::SelectionVector;

/// One aggregate of DuckDB's, run over the groups of one chunk.
class Call {
 public:
  Call(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression> call)
      : call_(std::move(call)),
        aggregate_(call_->Cast<BoundAggregateExpression>()),
        arguments_(context, std::move(aggregate_.children)) {
    if (aggregate_.filter) filter_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *aggregate_.filter);
    if (aggregate_.order_bys) {
      Expressions keys;
      for (auto& order : aggregate_.order_bys->orders) {
        orders_.push_back(order.type);
        nulls_.push_back(order.null_order);
        keys.push_back(std::move(order.expression));
      }
      order_keys_ = std::make_unique<Computed>(context, std::move(keys));
    }
  }

  const duckdb::LogicalType& type() const { return call_->return_type; }

  /// `group` of each row of `input`, of `groups`; the results go to `result`.
  void run(DataChunk& input, const std::vector<uint32_t>& group, size_t groups, duckdb::Vector& result) {
    const auto& function = aggregate_.function;
    duckdb::ArenaAllocator arena(duckdb::Allocator::DefaultAllocator());
    AggregateInputData data(aggregate_.bind_info.get(), arena);
    const size_t size = (function.GetStateSizeCallback()(function) + 15) & ~size_t{15};
    States states(function, data, size, groups);

    std::vector<uint32_t> rows(input.size());
    std::iota(rows.begin(), rows.end(), 0);
    if (filter_ && !rows.empty()) {
      SelectionVector selected(input.size());
      rows.resize(filter_->SelectExpression(input, selected));
      for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(selected.get_index(i));
    }
    if (!rows.empty()) {
      // Only rows that pass the filter may be computed.
      DataChunk passed;
      passed.InitializeEmpty(input.GetTypes());
      SelectionVector selection(rows.size());
      for (size_t i = 0; i < rows.size(); ++i) selection.set_index(i, rows[i]);
      passed.Slice(input, selection, rows.size());
      update(passed, group, rows, states, data);
    }
    function.GetStateFinalizeCallback()(states.pointers, data, result, groups, 0);
  }

 private:
  struct States {
    States(const duckdb::AggregateFunction& of, AggregateInputData& with, size_t size, size_t count)
        : function(of),
          data(with),
          bytes(new uint64_t[(size * count + 7) / 8 + 2]),
          pointers(duckdb::LogicalType::POINTER, std::max<size_t>(1, count)),
          groups(count) {
      auto* base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(bytes.get()) + 15) & ~uintptr_t{15});
      for (size_t i = 0; i < count; ++i) {
        function.GetStateInitCallback()(function, base + i * size);
        address(pointers, i) = base + i * size;
      }
    }
    ~States() {
      if (function.HasStateDestructorCallback()) function.GetStateDestructorCallback()(pointers, data, groups);
    }
    static uint8_t*& address(duckdb::Vector& vector, size_t i) {
      return duckdb::FlatVector::GetData<uint8_t*>(vector)[i];
    }
    const duckdb::AggregateFunction& function;
    AggregateInputData& data;
    std::unique_ptr<uint64_t[]> bytes;
    duckdb::Vector pointers;
    size_t groups;
  };

  void update(DataChunk& passed, const std::vector<uint32_t>& group, const std::vector<uint32_t>& rows, States& states,
              AggregateInputData& data) {
    DataChunk& arguments = arguments_.run(passed);
    std::vector<uint32_t> picked(rows.size());
    std::iota(picked.begin(), picked.end(), 0);
    if (order_keys_) {
      DataChunk& keys = order_keys_->run(passed);
      const SortKeys sort_keys(keys, &nulls_, &orders_);
      std::stable_sort(picked.begin(), picked.end(),
                       [&](uint32_t a, uint32_t b) { return sort_keys.at(a) < sort_keys.at(b); });
    }
    if (aggregate_.IsDistinct()) {
      const SortKeys keys(arguments);
      std::vector<std::unordered_set<std::string_view>> seen(states.groups);
      picked.erase(std::remove_if(picked.begin(), picked.end(),
                                  [&](uint32_t row) { return !seen[group[rows[row]]].insert(keys.at(row)).second; }),
                   picked.end());
    }
    DataChunk inputs;
    if (arguments.ColumnCount() > 0) {
      inputs.InitializeEmpty(arguments.GetTypes());
      SelectionVector selection(picked.size());
      for (size_t i = 0; i < picked.size(); ++i) selection.set_index(i, picked[i]);
      inputs.Slice(arguments, selection, picked.size());
      inputs.SetCardinality(picked.size());
      inputs.Flatten();
    }
    duckdb::Vector targets(duckdb::LogicalType::POINTER, picked.size());
    for (size_t i = 0; i < picked.size(); ++i) {
      States::address(targets, i) = States::address(states.pointers, group[rows[picked[i]]]);
    }
    aggregate_.function.GetStateUpdateCallback()(inputs.data.empty() ? nullptr : inputs.data.data(), data,
                                                 inputs.ColumnCount(), targets, picked.size());
  }

  duckdb::unique_ptr<duckdb::Expression> call_;
  BoundAggregateExpression& aggregate_;
  Computed arguments_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> filter_;
  std::unique_ptr<Computed> order_keys_;
  duckdb::vector<duckdb::OrderType> orders_;
  duckdb::vector<duckdb::OrderByNullType> nulls_;
};

class Aggregate final : public RowNode {
 public:
  Aggregate(duckdb::ClientContext& context, NodePtr input, Expressions groups, Expressions aggregates,
            Bindings bindings)
      : RowNode(std::move(bindings), {}), groups_(context, std::move(groups)) {
    types_ = groups_.types();
    for (auto& aggregate : aggregates) {
      calls_.push_back(std::make_unique<Call>(context, std::move(aggregate)));
      types_.push_back(calls_.back()->type());
    }
    inputs_.push_back(std::move(input));
  }

  bool run(RunContext& context) override {
    if (!input().run(context)) return false;
    DataChunk& rows = input().chunk();
    DataChunk& keys = groups_.run(rows);
    std::vector<uint32_t> group(rows.size(), 0), first;
    if (groups_.size() == 0) {
      first.push_back(0);
    } else if (rows.size() > 0) {
      const SortKeys sort_keys(keys);
      std::unordered_map<std::string_view, uint32_t> numbers;
      for (uint32_t i = 0; i < rows.size(); ++i) {
        const auto [it, added] = numbers.emplace(sort_keys.at(i), static_cast<uint32_t>(first.size()));
        if (added) first.push_back(i);
        group[i] = it->second;
      }
    }
    DataChunk& output = output_.start(types_, first.size());
    if (first.empty()) return true;
    if (groups_.size() > 0) {
      SelectionVector selection(first.size());
      for (size_t i = 0; i < first.size(); ++i) selection.set_index(i, first[i]);
      for (size_t i = 0; i < groups_.size(); ++i) {
        duckdb::VectorOperations::Copy(keys.data[i], output.data[i], selection, first.size(), 0, 0);
      }
    }
    for (size_t i = 0; i < calls_.size(); ++i)
      calls_[i]->run(rows, group, first.size(), output.data[groups_.size() + i]);
    output.SetCardinality(first.size());
    return true;
  }
  std::string describe() const override { return groups_.size() == 0 ? "Aggregate" : "HashAggregate"; }

 private:
  Computed groups_;
  std::vector<std::unique_ptr<Call>> calls_;
};

}  // namespace

NodePtr make_aggregate(duckdb::ClientContext& context, NodePtr input, Expressions groups, Expressions aggregates,
                       Bindings bindings) {
  for (const auto& aggregate : aggregates) {
    if (aggregate->GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return nullptr;
    const auto& function = aggregate->Cast<BoundAggregateExpression>().function;
    if (!function.HasStateUpdateCallback() || !function.HasStateFinalizeCallback()) return nullptr;
  }
  return std::make_unique<Aggregate>(context, std::move(input), std::move(groups), std::move(aggregates),
                                     std::move(bindings));
}

}  // namespace omendb::sql
