#include "sql/point/key_path.h"

#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/expression/bound_parameter_expression.hpp"

#include "sql/duck_types.h"
#include "sql/engine/error_mapping.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionType;
using types::Physical;

bool is_integer(Physical kind) {
  return kind == Physical::kInt16 || kind == Physical::kInt32 || kind == Physical::kInt64;
}

std::optional<Physical> integer_kind(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case duckdb::LogicalTypeId::SMALLINT: return Physical::kInt16;
    case duckdb::LogicalTypeId::INTEGER: return Physical::kInt32;
    case duckdb::LogicalTypeId::BIGINT: return Physical::kInt64;
    default: return std::nullopt;
  }
}

class Matcher {
 public:
  Matcher(const TableSchema& schema, const KeyPredicates& given) : schema_(schema), given_(given) {}

  /// `predicate` as COLUMN op value, with the operator so turned that the column stands left.
  std::optional<KeyPart> comparison(Expression& predicate, const codec::KeyColumn& column, size_t position,
                                    ExpressionType* type) const {
    switch (predicate.GetExpressionType()) {
      case ExpressionType::COMPARE_EQUAL:
      case ExpressionType::COMPARE_LESSTHAN:
      case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      case ExpressionType::COMPARE_GREATERTHAN:
      case ExpressionType::COMPARE_GREATERTHANOREQUALTO: break;
      default: return std::nullopt;
    }
    auto& sides = predicate.Cast<duckdb::BoundComparisonExpression>();
    for (const bool left : {true, false}) {
      Expression& key_side = left ? *sides.left : *sides.right;
      Expression& value_side = left ? *sides.right : *sides.left;
      *type = left ? predicate.GetExpressionType() : duckdb::FlipComparisonExpression(predicate.GetExpressionType());
      if (auto part = pair(key_side, value_side, column, position, *type)) return part;
    }
    return std::nullopt;
  }

  /// `predicate` as COLUMN BETWEEN value AND value, a side of which may be of another form.
  void between(Expression& predicate, const codec::KeyColumn& column, size_t position, KeyPath* path) const {
    if (predicate.GetExpressionClass() != duckdb::ExpressionClass::BOUND_BETWEEN) return;
    auto& sides = predicate.Cast<duckdb::BoundBetweenExpression>();
    if (!path->lower) {
      path->lower = pair(*sides.input, *sides.lower, column, position, sides.LowerComparisonType());
      path->lower_open = !sides.lower_inclusive;
    }
    if (!path->upper) {
      path->upper = pair(*sides.input, *sides.upper, column, position, sides.UpperComparisonType());
      path->upper_open = !sides.upper_inclusive;
    }
  }

  /// `predicate` as COLUMN IN (value, ...); empty: it is not of that form.
  std::vector<KeyPart> in_list(Expression& predicate, const codec::KeyColumn& column, size_t position) const {
    std::vector<KeyPart> parts;
    if (predicate.GetExpressionType() != ExpressionType::COMPARE_IN) return parts;
    auto& children = predicate.Cast<duckdb::BoundOperatorExpression>().children;
    for (size_t i = 1; i < children.size(); ++i) {
      auto part = pair(*children[0], *children[i], column, position, ExpressionType::COMPARE_EQUAL);
      if (!part) return {};
      parts.push_back(std::move(*part));
    }
    return parts;
  }

 private:
  std::optional<KeyPart> pair(const Expression& key_side, Expression& value, const codec::KeyColumn& key,
                              size_t position, ExpressionType type) const {
    if (!given_.is_value(value) || !compares_as_key(key.type)) return std::nullopt;
    const Expression* column = &key_side;
    types::PhysicalType physical = key.physical;
    if (column->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
      // int4 column = int8 value: the column was widened. Narrow the value instead.
      const auto& cast = column->Cast<duckdb::BoundCastExpression>();
      const auto wide = integer_kind(cast.return_type);
      if (cast.try_cast || !is_integer(key.physical.kind) || key.physical.is_decimal() || !wide) return std::nullopt;
      physical.kind = *wide;
      column = cast.child.get();
    }
    if (given_.column_of(*column) != position) return std::nullopt;
    if (physical.kind == key.physical.kind && value.return_type != schema_.types[position]) return std::nullopt;
    if (type != ExpressionType::COMPARE_EQUAL) {
      // Numerics and arrays are not ordered by their bytes, and a bound beyond the column's type needs more thought than it is worth.
      if (key.physical.kind == Physical::kBytes && schema_.types[position].HasAlias()) return std::nullopt;
      if (physical.kind != key.physical.kind) return std::nullopt;
    }
    return KeyPart(value, physical, key);
  }

  const TableSchema& schema_;
  const KeyPredicates& given_;
};

}  // namespace

namespace {

/// An integer or a text as a literal, and what the analyser wrote around it to say its type.
bool is_plain_constant(const Expression& value) {
  const auto plain = [](const duckdb::LogicalType& type) {
    return type.IsIntegral() || type.id() == duckdb::LogicalTypeId::VARCHAR;
  };
  const Expression* e = &value;
  while (e->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST && plain(e->return_type)) {
    const auto& child = e->Cast<duckdb::BoundCastExpression>().child;
    if (child->return_type.IsIntegral() != e->return_type.IsIntegral()) return false;
    e = child.get();
  }
  return e->GetExpressionType() == ExpressionType::VALUE_CONSTANT && plain(e->return_type);
}

}  // namespace

KeyPart::KeyPart(Expression& value, types::PhysicalType physical, codec::KeyColumn column)
    : value_(&value), physical_(physical), column_(std::move(column)) {
  if (value.GetExpressionType() == ExpressionType::VALUE_PARAMETER) {
    parameter_ = std::stoul(value.Cast<duckdb::BoundParameterExpression>().identifier) - 1;
  }
}

KeyPart KeyPart::stored_key(Expression& value) {
  KeyPart part(value, types::physical_type(types::oid::kBytea, -1), {});
  part.stored_key_ = true;
  return part;
}

void KeyPart::prepare(duckdb::ClientContext& context,
                      const std::function<void(duckdb::unique_ptr<Expression>&)>& resolve) {
  if (parameter_ != SIZE_MAX || value_->GetExpressionType() == ExpressionType::VALUE_CONSTANT) return;
  duckdb::Value constant;
  if (is_plain_constant(*value_) && duckdb::ExpressionExecutor::TryEvaluateScalar(context, *value_, constant)) {
    resolved_ = duckdb::make_uniq<duckdb::BoundConstantExpression>(std::move(constant));
    value_ = resolved_.get();
    return;
  }
  resolved_ = value_->Copy();
  resolve(resolved_);
  executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *resolved_);
}

void KeyPart::compute(duckdb::DataChunk* outer) {
  if (executor_ == nullptr) return;
  const size_t rows = outer == nullptr ? 1 : outer->size();
  computed_ = duckdb::make_uniq<duckdb::Vector>(resolved_->return_type, rows);
  if (outer == nullptr) {
    executor_->ExecuteExpression(*computed_);
  } else {
    executor_->ExecuteExpression(*outer, *computed_);
  }
  computed_->Flatten(rows);
}

bool KeyPart::append(const Parameters& parameters, size_t row, std::string* key) const {
  const types::ValueView value = parameter_ != SIZE_MAX ? parameters.values[parameter_].view()
                                 : executor_ != nullptr
                                     ? load_value(*computed_, row, physical_)
                                     : value_view(value_->Cast<duckdb::BoundConstantExpression>().value, physical_);
  if (value.null) return false;
  if (stored_key_) {
    key->append(value.bytes);
    return true;
  }
  if (physical_.kind != column_.physical.kind) {
    const int64_t low = column_.physical.kind == Physical::kInt16   ? INT16_MIN
                        : column_.physical.kind == Physical::kInt32 ? INT32_MIN
                                                                    : INT64_MIN;
    if (value.integer < low || value.integer > ~low) return false;
  }
  throw_if_error(codec::append_key(column_, value, key));
  return true;
}

void KeyPath::for_each(const std::function<void(KeyPart&)>& call) {
  for (auto& part : equal) call(part);
  for (auto& part : alternatives) call(part);
  if (lower) call(*lower);
  if (upper) call(*upper);
}

bool KeyPath::make_range(const Parameters& parameters, size_t row, table::KeyRange* range) const {
  std::string prefix;
  for (const auto& part : equal) {
    if (!part.append(parameters, row, &prefix)) return false;
  }
  std::string low = prefix, high = prefix;
  bool has_low = lower.has_value(), has_high = upper.has_value();
  if (has_low && !lower->append(parameters, row, &low)) return false;
  if (has_high && !upper->append(parameters, row, &high)) return false;
  bool low_open = lower_open, high_open = upper_open;
  const bool descending = has_low ? lower->column().descending : has_high && upper->column().descending;
  if (descending) {
    std::swap(low, high);
    std::swap(has_low, has_high);
    std::swap(low_open, high_open);
  }
  range->lower = !has_low ? prefix : low_open ? codec::prefix_successor(low) : low;
  range->upper = !has_high ? codec::prefix_successor(prefix) : high_open ? high : codec::prefix_successor(high);
  if (not_null && not_null->nullable) {
    std::string null = prefix;
    throw_if_error(codec::append_key(*not_null, types::ValueView(), &null));
    if (not_null->nulls_first) {
      range->lower = std::max(range->lower, codec::prefix_successor(null));
    } else if (range->upper.empty() || range->upper > null) {
      range->upper = std::move(null);
    }
  }
  return range->upper.empty() || range->lower < range->upper;
}

KeyPath match_key(const TableSchema& schema, const std::vector<codec::KeyColumn>& columns,
                  const std::vector<size_t>& positions, const KeyPredicates& given) {
  const Matcher matcher(schema, given);
  KeyPath path;
  ExpressionType type;
  size_t k = 0;
  for (; k < columns.size() && positions[k] != SIZE_MAX; ++k) {
    bool found = false;
    for (size_t p = 0; p < given.predicates.size() && !found; ++p) {
      auto part = matcher.comparison(*given.predicates[p], columns[k], positions[k], &type);
      if (!part || type != ExpressionType::COMPARE_EQUAL) continue;
      path.equal.push_back(std::move(*part));
      path.used.push_back(p);
      found = true;
    }
    if (!found) break;
  }
  if (k == columns.size() || positions[k] == SIZE_MAX) return path;
  for (size_t p = 0; p < given.predicates.size() && path.alternatives.empty(); ++p) {
    path.alternatives = matcher.in_list(*given.predicates[p], columns[k], positions[k]);
    if (!path.alternatives.empty()) path.used.push_back(p);
  }
  if (!path.alternatives.empty()) return path;
  // Bounds on the next column; their predicates stay, since a null may lie within the range.
  for (auto* predicate : given.predicates) {
    matcher.between(*predicate, columns[k], positions[k], &path);
    auto part = matcher.comparison(*predicate, columns[k], positions[k], &type);
    if (!part) continue;
    const bool open = type == ExpressionType::COMPARE_GREATERTHAN || type == ExpressionType::COMPARE_LESSTHAN;
    if (type == ExpressionType::COMPARE_GREATERTHAN || type == ExpressionType::COMPARE_GREATERTHANOREQUALTO) {
      if (path.lower) continue;
      path.lower = std::move(part);
      path.lower_open = open;
    } else if (type != ExpressionType::COMPARE_EQUAL) {
      if (path.upper) continue;
      path.upper = std::move(part);
      path.upper_open = open;
    }
  }
  return path;
}

KeyPath match_stored_key(const TableSchema& schema, const KeyPredicates& given) {
  KeyPath path;
  for (size_t p = 0; p < given.predicates.size() && path.empty(); ++p) {
    if (given.predicates[p]->GetExpressionType() != ExpressionType::COMPARE_EQUAL) continue;
    auto& sides = given.predicates[p]->Cast<duckdb::BoundComparisonExpression>();
    if (given.column_of(*sides.left) != schema.key_column() || !given.is_value(*sides.right)) continue;
    path.equal.push_back(KeyPart::stored_key(*sides.right));
    path.used.push_back(p);
  }
  return path;
}

}  // namespace omendb::sql
