#include "sql/engine/row_at_a_time.h"

#include <string>
#include <vector>

#include "duckdb/execution/physical_operator.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_extension_operator.hpp"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

/// Hands its input on, one row a chunk.
class PhysicalSingleRows : public duckdb::PhysicalOperator {
 public:
  PhysicalSingleRows(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> types, duckdb::idx_t cardinality)
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, std::move(types), cardinality) {}

  struct State : duckdb::OperatorState {
    duckdb::idx_t next = 0;
  };
  duckdb::unique_ptr<duckdb::OperatorState> GetOperatorState(duckdb::ExecutionContext&) const override {
    return duckdb::make_uniq<State>();
  }
  duckdb::OperatorResultType Execute(duckdb::ExecutionContext&, duckdb::DataChunk& input, duckdb::DataChunk& chunk,
                                     duckdb::GlobalOperatorState&, duckdb::OperatorState& state) const override {
    duckdb::idx_t& next = state.Cast<State>().next;
    if (input.size() <= 1) {
      chunk.Reference(input);
      return duckdb::OperatorResultType::NEED_MORE_INPUT;
    }
    duckdb::SelectionVector row(1);
    row.set_index(0, next++);
    chunk.Slice(input, row, 1);
    if (next < input.size()) return duckdb::OperatorResultType::HAVE_MORE_OUTPUT;
    next = 0;
    return duckdb::OperatorResultType::NEED_MORE_INPUT;
  }
  // Not parallel: values are given out in the order of the rows.
  duckdb::string GetName() const override { return "SINGLE_ROWS"; }
};

class LogicalSingleRows : public duckdb::LogicalExtensionOperator {
 public:
  explicit LogicalSingleRows(duckdb::unique_ptr<LogicalOperator> child) {
    estimated_cardinality = child->estimated_cardinality;
    has_estimated_cardinality = child->has_estimated_cardinality;
    children.push_back(std::move(child));
  }
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return children[0]->GetColumnBindings(); }
  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    auto& child = planner.CreatePlan(*children[0]);
    auto& rows = planner.Make<PhysicalSingleRows>(types, estimated_cardinality);
    rows.children.push_back(child);
    return rows;
  }
  duckdb::string GetName() const override { return "SINGLE_ROWS"; }
  duckdb::string GetExtensionName() const override { return "single_rows"; }

 protected:
  void ResolveTypes() override { types = children[0]->types; }
};

struct Call {
  bool changes;          // nextval, setval
  std::string sequence;  // empty: any
};

void add_calls(const Expression& expression, std::vector<Call>* calls) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION) {
    const auto& call = expression.Cast<duckdb::BoundFunctionExpression>();
    const auto& name = call.function.name;
    const bool changes = name == "omen_nextval_oid" || name == "omen_setval_oid" || name == "omen_setval3_oid";
    if (changes || name == "omen_currval_oid" || name == "omen_lastval") {
      const bool known =
          !call.children.empty() && call.children[0]->GetExpressionType() == duckdb::ExpressionType::VALUE_CONSTANT;
      calls->push_back({changes, known ? call.children[0]->Cast<duckdb::BoundConstantExpression>().value.ToString()
                                       : std::string()});
    }
  }
  duckdb::ExpressionIterator::EnumerateChildren(expression, [&](const Expression& child) { add_calls(child, calls); });
}

std::vector<Call> calls_of(const LogicalOperator& op) {
  std::vector<Call> calls;
  for (const auto& expression : op.expressions) add_calls(*expression, &calls);
  return calls;
}

void add_all_calls(const LogicalOperator& op, std::vector<Call>* calls) {
  for (auto& call : calls_of(op)) calls->push_back(std::move(call));
  for (const auto& child : op.children) add_all_calls(*child, calls);
}

bool see_each_other(const std::vector<Call>& calls) {
  for (size_t i = 0; i < calls.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const bool same =
          calls[i].sequence.empty() || calls[k].sequence.empty() || calls[i].sequence == calls[k].sequence;
      if (same && (calls[i].changes || calls[k].changes)) return true;
    }
  }
  return false;
}

void separate_rows(LogicalOperator& op) {
  for (auto& child : op.children) separate_rows(*child);
  if (calls_of(op).empty()) return;
  for (auto& child : op.children) {
    if (child->type == LogicalOperatorType::LOGICAL_DUMMY_SCAN) continue;  // one row
    child = duckdb::make_uniq<LogicalSingleRows>(std::move(child));
  }
}

void optimize(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& plan) {
  std::vector<Call> calls;
  add_all_calls(*plan, &calls);
  const bool separate = see_each_other(calls);
  if (separate) separate_rows(*plan);
  // Filters and joins would gather small chunks into larger ones.
  duckdb::ClientConfig::GetConfig(input.context).enable_caching_operators = !separate;
}

}  // namespace

void register_row_at_a_time(duckdb::DatabaseInstance& database) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = optimize;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

}  // namespace omendb::sql
