#include "sql/engine/exact_arithmetic.h"

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/optimizer/rule/constant_order_normalization.hpp"
#include "duckdb/optimizer/rule/move_constants.hpp"
#include "duckdb/parser/parsed_data/create_aggregate_function_info.hpp"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionType;
using duckdb::LogicalOperatorType;
using duckdb::LogicalTypeId;

constexpr const char* kSumAsWritten = "omen_sum_as_written";

bool is_narrow(const Expression& e, LogicalTypeId wide) {
  if (e.GetExpressionType() != ExpressionType::OPERATOR_CAST) return false;
  const auto from = e.Cast<duckdb::BoundCastExpression>().child->return_type.id();
  return from == LogicalTypeId::SMALLINT || (from == LogicalTypeId::INTEGER && wide == LogicalTypeId::BIGINT);
}
/// A constant so far from the ends of its type that nothing of a narrower type takes it there.
bool is_far_from_the_ends(const Expression& e) {
  if (e.GetExpressionType() != ExpressionType::VALUE_CONSTANT) return false;
  const auto& value = e.Cast<duckdb::BoundConstantExpression>().value;
  if (value.IsNull() || !value.type().IsIntegral()) return false;
  const int64_t far = value.type().id() == LogicalTypeId::BIGINT ? int64_t{1} << 62 : int64_t{1} << 30;
  const auto number = value.GetValue<int64_t>();
  return -far < number && number < far;
}

bool may_overflow(const Expression& e) {
  if (e.GetExpressionType() != ExpressionType::BOUND_FUNCTION) return false;
  const auto& function = e.Cast<duckdb::BoundFunctionExpression>();
  if (function.function.name != "+" || function.children.size() != 2) return false;
  const Expression &left = *function.children[0], &right = *function.children[1];
  const LogicalTypeId type = e.return_type.id();
  return !(is_narrow(left, type) && is_far_from_the_ends(right)) &&
         !(is_narrow(right, type) && is_far_from_the_ends(left));
}

/// Gives sums that must be computed as they are written the name that DuckDB's rewriter does not look for.
void keep_sums(duckdb::LogicalOperator& op) {
  for (auto& child : op.children) keep_sums(*child);
  if (op.type != LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) return;
  for (auto& e : op.Cast<duckdb::LogicalAggregate>().expressions) {
    if (e->GetExpressionType() != ExpressionType::BOUND_AGGREGATE) continue;
    auto& aggregate = e->Cast<duckdb::BoundAggregateExpression>();
    if (aggregate.function.name == "sum" && may_overflow(*aggregate.children[0]))
      aggregate.function.name = kSumAsWritten;
  }
}

void pre_optimize(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  std::erase_if(input.optimizer.rewriter.rules, [](const duckdb::unique_ptr<duckdb::Rule>& rule) {
    return dynamic_cast<duckdb::ConstantOrderNormalizationRule*>(rule.get()) != nullptr ||
           dynamic_cast<duckdb::MoveConstantsRule*>(rule.get()) != nullptr;
  });
  keep_sums(*plan);
}

/// The same functions by the other name: a plan that is copied (a WITH query that is read twice) finds its functions by name.
void add_sums_as_written(duckdb::DatabaseInstance& database) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(database);
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
  auto sum = catalog.GetSchema(transaction, DEFAULT_SCHEMA)
                 .GetEntry(transaction, duckdb::CatalogType::AGGREGATE_FUNCTION_ENTRY, "sum");
  duckdb::AggregateFunctionSet set = sum->Cast<duckdb::AggregateFunctionCatalogEntry>().functions;
  set.name = kSumAsWritten;
  for (auto& function : set.functions) function.name = kSumAsWritten;
  duckdb::CreateAggregateFunctionInfo info(set);
  info.internal = true;
  catalog.CreateFunction(transaction, info);
}

}  // namespace

void register_exact_arithmetic(duckdb::DatabaseInstance& database) {
  add_sums_as_written(database);
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = pre_optimize;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
}

}  // namespace omendb::sql
