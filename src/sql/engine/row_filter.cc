#include "sql/engine/row_filter.h"

#include <cstring>

#include "codec/row.h"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

using duckdb::ExpressionType;
using types::Physical;

template <class T>
int64_t load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return static_cast<int64_t>(value);
}

int64_t load_integer(Physical kind, const char* at) {
  switch (kind) {
    case Physical::kInt16: return load<int16_t>(at);
    case Physical::kInt32: return load<int32_t>(at);
    default: return load<int64_t>(at);
  }
}

template <class T>
bool compare(ExpressionType type, const T& a, const T& b) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL: return a == b;
    case ExpressionType::COMPARE_NOTEQUAL: return a != b;
    case ExpressionType::COMPARE_LESSTHAN: return a < b;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return a <= b;
    case ExpressionType::COMPARE_GREATERTHAN: return a > b;
    default: return a >= b;
  }
}

bool comparable(ExpressionType type) {
  return type == ExpressionType::COMPARE_EQUAL || type == ExpressionType::COMPARE_NOTEQUAL ||
         type == ExpressionType::COMPARE_LESSTHAN || type == ExpressionType::COMPARE_LESSTHANOREQUALTO ||
         type == ExpressionType::COMPARE_GREATERTHAN || type == ExpressionType::COMPARE_GREATERTHANOREQUALTO;
}

}  // namespace

bool RowFilter::take(size_t column, const duckdb::TableFilter& filter) {
  // A row older than a column has no bytes for it.
  if (schema_.has_missing || column >= schema_.column_count()) return false;
  if (filter.filter_type == duckdb::TableFilterType::CONJUNCTION_AND) {
    const size_t before = conditions_.size();
    for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
      if (take(column, *child)) continue;
      conditions_.resize(before);
      return false;
    }
    return true;
  }
  if (filter.filter_type != duckdb::TableFilterType::CONSTANT_COMPARISON) return false;
  const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
  if (!comparable(comparison.comparison_type) || comparison.constant.IsNull()) return false;
  if (comparison.constant.type() != schema_.types[column]) return false;
  const types::PhysicalType& physical = schema_.access->layout().column(column);
  Condition condition{column, physical.kind, comparison.comparison_type, 0, {}};
  switch (physical.kind) {
    case Physical::kInt16:
    case Physical::kInt32:
    case Physical::kInt64: condition.integer = value_view(comparison.constant, physical).integer; break;
    case Physical::kBytes:
      if (schema_.types[column].id() != duckdb::LogicalTypeId::VARCHAR) return false;
      condition.bytes = duckdb::StringValue::Get(comparison.constant);
      break;
    default: return false;
  }
  conditions_.push_back(std::move(condition));
  return true;
}

bool RowFilter::passes(std::string_view bytes) const {
  const codec::RowView row(schema_.access->layout(), bytes);
  for (const auto& condition : conditions_) {
    if (row.is_null(condition.column)) return false;
    const bool passed =
        condition.kind == Physical::kBytes
            ? compare(condition.comparison, row.bytes(condition.column), std::string_view(condition.bytes))
            : compare(condition.comparison, load_integer(condition.kind, row.fixed(condition.column)),
                      condition.integer);
    if (!passed) return false;
  }
  return true;
}

}  // namespace omendb::sql
