#include "sql/point/parameter_slots.h"

#include "duckdb/planner/expression/bound_parameter_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"

#include "sql/duck_types.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

bool is_bound(duckdb::Expression& expression) {
  if (expression.GetExpressionType() == duckdb::ExpressionType::VALUE_PARAMETER) {
    return expression.return_type == expression.Cast<duckdb::BoundParameterExpression>().parameter_data->return_type;
  }
  bool bound = true;
  duckdb::ExpressionIterator::EnumerateChildren(expression,
                                                [&](duckdb::Expression& child) { bound = bound && is_bound(child); });
  return bound;
}

bool is_bound(duckdb::LogicalOperator& op) {
  bool bound = true;
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(
      op, [&](duckdb::unique_ptr<duckdb::Expression>* expression) { bound = bound && is_bound(**expression); });
  for (const auto& child : op.children) bound = bound && is_bound(*child);
  return bound;
}

}  // namespace

bool ParameterSlots::all_bound(duckdb::Planner& planner) {
  // DuckDB asks for another binding wherever a parameter is read twice: the cast around its second place might have taken it as
  // untyped. Ours are cast to the statement's type in every place.
  return planner.properties.bound_all_parameters || is_bound(*planner.plan);
}

bool ParameterSlots::take(duckdb::bound_parameter_map_t slots, const Parameters& parameters) {
  for (size_t i = 0; i < parameters.types.size(); ++i) {
    Slot slot;
    slot.type = duck_type(parameters.types[i], parameters.physical[i]);
    if (auto found = slots.find(std::to_string(i + 1)); found != slots.end()) {
      slot.data = found->second;
      if (slot.data->return_type != slot.type) return false;
    }
    slots_.push_back(std::move(slot));
  }
  return true;
}

void ParameterSlots::set(const Parameters& parameters) {
  for (size_t i = 0; i < parameters.values.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.data == nullptr) continue;
    slot.data->SetValue(duck_value(parameters.values[i].view(), parameters.physical[i], slot.type));
  }
}

}  // namespace omendb::sql
