#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "sql/point/row_node.h"

namespace omendb::sql {
namespace {

using duckdb::DataChunk;
using duckdb::Expression;
using duckdb::SelectionVector;

class Filter final : public RowNode {
 public:
  Filter(duckdb::ClientContext& context, NodePtr input, Expressions predicates)
      : RowNode(input->bindings(), input->types()) {
    inputs_.push_back(std::move(input));
    predicate_ = conjunction(std::move(predicates));
    executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *predicate_);
  }
  bool run(RunContext& context) override {
    if (!input().run(context)) return false;
    DataChunk& rows = input().chunk();
    DataChunk& output = output_.start_references(types_);
    if (rows.size() == 0) return true;
    SelectionVector selection(rows.size());
    const size_t count = executor_->SelectExpression(rows, selection);
    if (count > 0) output.Slice(rows, selection, count);
    output.SetCardinality(count);
    return true;
  }
  std::string describe() const override { return "Filter: " + predicate_->ToString(); }

 private:
  duckdb::unique_ptr<Expression> predicate_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
};

class Project final : public RowNode {
 public:
  Project(duckdb::ClientContext& context, NodePtr input, Expressions outputs, Bindings bindings)
      : RowNode(std::move(bindings), {}), computed_(context, std::move(outputs)) {
    types_ = computed_.types();
    inputs_.push_back(std::move(input));
  }
  bool run(RunContext& context) override {
    if (!input().run(context)) return false;
    current_ = &computed_.run(input().chunk());
    return true;
  }
  std::string describe() const override { return "Project"; }

 private:
  Computed computed_;
};

/// A node that keeps some rows of its input, in another order perhaps.
class Picker : public RowNode {
 public:
  explicit Picker(NodePtr input) : RowNode(input->bindings(), input->types()) { inputs_.push_back(std::move(input)); }
  bool run(RunContext& context) final {
    if (!input().run(context)) return false;
    DataChunk& rows = input().chunk();
    picked_.resize(rows.size());
    std::iota(picked_.begin(), picked_.end(), 0);
    pick(context, rows, &picked_);
    DataChunk& output = output_.start_references(types_);
    if (picked_.empty()) return true;
    SelectionVector selection(picked_.size());
    for (size_t i = 0; i < picked_.size(); ++i) selection.set_index(i, picked_[i]);
    output.Slice(rows, selection, picked_.size());
    output.SetCardinality(picked_.size());
    return true;
  }

 protected:
  virtual void pick(RunContext& context, DataChunk& rows, std::vector<uint32_t>* picked) = 0;

 private:
  std::vector<uint32_t> picked_;
};

class Order final : public Picker {
 public:
  Order(duckdb::ClientContext& context, NodePtr input, Expressions keys, duckdb::vector<duckdb::OrderType> orders,
        duckdb::vector<duckdb::OrderByNullType> nulls)
      : Picker(std::move(input)),
        keys_(context, std::move(keys)),
        orders_(std::move(orders)),
        nulls_(std::move(nulls)) {}
  std::string describe() const override { return "Sort"; }

 protected:
  void pick(RunContext&, DataChunk& rows, std::vector<uint32_t>* picked) override {
    DataChunk& keys = keys_.run(rows);  // with one row too: its expressions may fail
    if (picked->size() < 2) return;
    const SortKeys sort_keys(keys, &nulls_, &orders_);
    std::stable_sort(picked->begin(), picked->end(),
                     [&](uint32_t a, uint32_t b) { return sort_keys.at(a) < sort_keys.at(b); });
  }

 private:
  Computed keys_;
  duckdb::vector<duckdb::OrderType> orders_;
  duckdb::vector<duckdb::OrderByNullType> nulls_;
};

class Limit final : public Picker {
 public:
  Limit(duckdb::ClientContext& context, NodePtr input, duckdb::unique_ptr<Expression> limit,
        duckdb::unique_ptr<Expression> offset)
      : Picker(std::move(input)),
        limit_(context, std::move(limit), UINT64_MAX),
        offset_(context, std::move(offset), 0) {}
  std::string describe() const override { return "Limit"; }

 protected:
  void pick(RunContext&, DataChunk&, std::vector<uint32_t>* picked) override {
    const uint64_t skip = std::min<uint64_t>(offset_.value(), picked->size());
    const uint64_t count = limit_.value();
    picked->erase(picked->begin(), picked->begin() + static_cast<ptrdiff_t>(skip));
    if (count < picked->size()) picked->resize(count);
  }

 private:
  Count limit_, offset_;
};

class Distinct final : public Picker {
 public:
  Distinct(duckdb::ClientContext& context, NodePtr input, Expressions keys)
      : Picker(std::move(input)), keys_(context, std::move(keys)) {}
  std::string describe() const override { return "Unique"; }

 protected:
  void pick(RunContext&, DataChunk& rows, std::vector<uint32_t>* picked) override {
    DataChunk& keys = keys_.run(rows);
    if (picked->size() < 2) return;
    const SortKeys sort_keys(keys);
    std::unordered_set<std::string_view> seen;
    picked->erase(std::remove_if(picked->begin(), picked->end(),
                                 [&](uint32_t row) { return !seen.insert(sort_keys.at(row)).second; }),
                  picked->end());
  }

 private:
  Computed keys_;
};

class Append final : public RowNode {
 public:
  Append(std::vector<NodePtr> inputs, Bindings bindings) : RowNode(std::move(bindings), inputs[0]->types()) {
    inputs_ = std::move(inputs);
  }
  bool run(RunContext& context) override {
    size_t rows = 0;
    for (auto& node : inputs_) {
      if (!node->run(context)) return false;
      rows += node->chunk().size();
    }
    if (rows > kSmallRows) return false;
    DataChunk& output = output_.start(types_, rows);
    for (auto& node : inputs_) output.Append(node->chunk());
    return true;
  }
  std::string describe() const override { return "Append"; }
};

class Values final : public RowNode {
 public:
  Values(duckdb::ClientContext& context, std::vector<Expressions> rows, Bindings bindings,
         duckdb::vector<duckdb::LogicalType> types)
      : RowNode(std::move(bindings), std::move(types)), rows_(std::move(rows)) {
    for (const auto& row : rows_) executors_.push_back(duckdb::make_uniq<duckdb::ExpressionExecutor>(context, row));
  }
  bool run(RunContext&) override {
    DataChunk& output = output_.start(types_, rows_.size());
    for (size_t r = 0; r < rows_.size(); ++r) {
      for (size_t c = 0; c < rows_[r].size(); ++c) {
        duckdb::Vector value(types_[c], 1);
        executors_[r]->ExecuteExpression(c, value);
        duckdb::VectorOperations::Copy(value, output.data[c], 1, 0, r);
      }
    }
    output.SetCardinality(rows_.size());
    return true;
  }
  std::string describe() const override { return rows_.size() == 1 ? "Result" : "Values"; }

 private:
  std::vector<Expressions> rows_;
  std::vector<duckdb::unique_ptr<duckdb::ExpressionExecutor>> executors_;
};

}  // namespace

NodePtr make_filter(duckdb::ClientContext& context, NodePtr input, Expressions predicates) {
  return std::make_unique<Filter>(context, std::move(input), std::move(predicates));
}
NodePtr make_project(duckdb::ClientContext& context, NodePtr input, Expressions outputs, Bindings bindings) {
  return std::make_unique<Project>(context, std::move(input), std::move(outputs), std::move(bindings));
}
NodePtr make_order(duckdb::ClientContext& context, NodePtr input, Expressions keys,
                   duckdb::vector<duckdb::OrderType> orders, duckdb::vector<duckdb::OrderByNullType> nulls) {
  return std::make_unique<Order>(context, std::move(input), std::move(keys), std::move(orders), std::move(nulls));
}
NodePtr make_limit(duckdb::ClientContext& context, NodePtr input, duckdb::unique_ptr<Expression> limit,
                   duckdb::unique_ptr<Expression> offset) {
  return std::make_unique<Limit>(context, std::move(input), std::move(limit), std::move(offset));
}
NodePtr make_distinct(duckdb::ClientContext& context, NodePtr input, Expressions keys) {
  return std::make_unique<Distinct>(context, std::move(input), std::move(keys));
}
NodePtr make_append(std::vector<NodePtr> inputs, Bindings bindings) {
  return std::make_unique<Append>(std::move(inputs), std::move(bindings));
}
NodePtr make_values(duckdb::ClientContext& context, std::vector<Expressions> rows, Bindings bindings,
                    duckdb::vector<duckdb::LogicalType> types) {
  return std::make_unique<Values>(context, std::move(rows), std::move(bindings), std::move(types));
}

}  // namespace omendb::sql
