#include "sql/point/row_compiler.h"

#include <cmath>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_case_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/expression/bound_parameter_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"

#include "sql/engine/vectors.h"
#include "sql/functions/library.h"

namespace omendb::sql {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using types::Int128;
using types::Physical;
using types::PhysicalType;
using types::ValueView;

using Node = std::unique_ptr<RowExpression>;

ValueView truth(bool b) { return ValueView::of_integer(b ? 1 : 0); }
bool is_true(const ValueView& v) { return !v.null && v.integer != 0; }
bool is_integer(const LogicalType& type) {
  return type.id() == LogicalTypeId::SMALLINT || type.id() == LogicalTypeId::INTEGER ||
         type.id() == LogicalTypeId::BIGINT;
}
int64_t integer_max(Physical kind) {
  return kind == Physical::kInt16 ? INT16_MAX : kind == Physical::kInt32 ? INT32_MAX : INT64_MAX;
}

Int128 power_of_ten(int n) {
  Int128 p = 1;
  for (int i = 0; i < n; ++i) p *= 10;
  return p;
}

/// Integers and decimals, whatever their width.
Int128 whole(const ValueView& v, Physical kind) { return kind == Physical::kInt128 ? v.wide : Int128{v.integer}; }
ValueView of_whole(Int128 v, Physical kind) {
  return kind == Physical::kInt128 ? ValueView::of_wide(v) : ValueView::of_integer(static_cast<int64_t>(v));
}

class Leaf final : public RowExpression {
 public:
  explicit Leaf(RowSlot slot) : slot_(std::move(slot)) {}
  ValueView evaluate(RowProgram& program) override { return program.read(slot_); }
  const RowSlot* slot() const override { return &slot_; }

 private:
  const RowSlot slot_;
};

Node constant(const ValueView& value, const PhysicalType& physical, const LogicalType& type) {
  RowSlot slot;
  slot.kind = RowSlot::Kind::kConstant;
  slot.physical = physical;
  slot.type = type;
  slot.constant = std::make_shared<const types::Value>(value);
  return std::make_unique<Leaf>(std::move(slot));
}

/// DuckDB's executor over a vector of one row.
class Executed final : public RowExpression {
 public:
  Executed(const Expression& expression, const std::vector<RowSlot>& slots)
      : expression_(expression.Copy()), physical_(*physical_of(expression.return_type)) {
    take_references(expression_, slots);
  }
  ValueView evaluate(RowProgram& program) override {
    if (executor_ == nullptr) {
      executor_ = duckdb::make_uniq<duckdb::ExpressionExecutor>(program.context(), *expression_);
      duckdb::vector<LogicalType> types;
      for (const RowSlot& slot : inputs_) types.push_back(slot.type);
      auto& allocator = duckdb::Allocator::DefaultAllocator();
      if (!types.empty()) input_.Initialize(allocator, types, 1);
      result_.Initialize(allocator, {expression_->return_type}, 1);
    }
    program.set_parameters();
    input_.Reset();
    for (size_t i = 0; i < inputs_.size(); ++i)
      store_value(input_.data[i], 0, inputs_[i].physical, program.read(inputs_[i]));
    input_.SetCardinality(1);
    result_.Reset();
    executor_->Execute(&input_, result_);
    result_.SetCardinality(1);
    result_.Flatten();
    return load_value(result_.data[0], 0, physical_);
  }

 private:
  void take_references(duckdb::unique_ptr<Expression>& expression, const std::vector<RowSlot>& slots) {
    if (expression->GetExpressionType() == ExpressionType::BOUND_REF) {
      const RowSlot& slot = slots[expression->Cast<duckdb::BoundReferenceExpression>().index];
      expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(expression->return_type, inputs_.size());
      inputs_.push_back(slot);
      return;
    }
    duckdb::ExpressionIterator::EnumerateChildren(
        *expression, [&](duckdb::unique_ptr<Expression>& child) { take_references(child, slots); });
  }

  duckdb::unique_ptr<Expression> expression_;
  const PhysicalType physical_;
  std::vector<RowSlot> inputs_;
  duckdb::unique_ptr<duckdb::ExpressionExecutor> executor_;
  duckdb::DataChunk input_, result_;
};

/// What arithmetic falls back to where it leaves its type; made then.
class Fallback {
 public:
  Fallback(const Expression& expression, const std::vector<RowSlot>& slots) : expression_(expression), slots_(slots) {}
  ValueView operator()(RowProgram& program) {
    if (executed_ == nullptr) executed_ = std::make_unique<Executed>(expression_, slots_);
    return executed_->evaluate(program);
  }

 private:
  const Expression& expression_;
  const std::vector<RowSlot> slots_;
  std::unique_ptr<Executed> executed_;
};

enum class Operator : uint8_t { kAdd, kSubtract, kMultiply };

class IntegerArithmetic final : public RowExpression {
 public:
  IntegerArithmetic(Operator op, Physical kind, Node left, Node right, Fallback fallback)
      : op_(op),
        max_(integer_max(kind)),
        left_(std::move(left)),
        right_(std::move(right)),
        fallback_(std::move(fallback)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView a = left_->evaluate(program), b = right_->evaluate(program);
    if (a.null || b.null) return {};
    int64_t result;
    const bool overflow = op_ == Operator::kAdd        ? __builtin_add_overflow(a.integer, b.integer, &result)
                          : op_ == Operator::kSubtract ? __builtin_sub_overflow(a.integer, b.integer, &result)
                                                       : __builtin_mul_overflow(a.integer, b.integer, &result);
    if (overflow || result > max_ || result < ~max_) return fallback_(program);
    return ValueView::of_integer(result);
  }

 private:
  const Operator op_;
  const int64_t max_;
  const Node left_, right_;
  Fallback fallback_;
};

/// Both sides and the result are of one decimal type.
class DecimalArithmetic final : public RowExpression {
 public:
  DecimalArithmetic(Operator op, PhysicalType type, Node left, Node right, Fallback fallback)
      : op_(op),
        kind_(type.kind),
        limit_(power_of_ten(type.precision)),
        left_(std::move(left)),
        right_(std::move(right)),
        fallback_(std::move(fallback)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView a = left_->evaluate(program), b = right_->evaluate(program);
    if (a.null || b.null) return {};
    const Int128 x = whole(a, kind_), y = whole(b, kind_), result = op_ == Operator::kAdd ? x + y : x - y;
    if (result >= limit_ || result <= -limit_) return fallback_(program);
    return of_whole(result, kind_);
  }

 private:
  const Operator op_;
  const Physical kind_;
  const Int128 limit_;
  const Node left_, right_;
  Fallback fallback_;
};

/// An integer or a decimal as one of another width, or with more decimals.
class WholeCast final : public RowExpression {
 public:
  WholeCast(PhysicalType from, PhysicalType to, Node child, Fallback fallback)
      : from_(from.kind),
        to_(to.kind),
        factor_(power_of_ten(to.scale - from.scale)),
        limit_(to.is_decimal() ? power_of_ten(to.precision) : Int128{integer_max(to.kind)} + 1),
        decimal_(to.is_decimal()),
        child_(std::move(child)),
        fallback_(std::move(fallback)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView v = child_->evaluate(program);
    if (v.null) return {};
    Int128 result;
    if (__builtin_mul_overflow(whole(v, from_), factor_, &result) || result >= limit_ || result < -limit_ ||
        (decimal_ && result == -limit_)) {
      return fallback_(program);
    }
    return of_whole(result, to_);
  }

 private:
  const Physical from_, to_;
  const Int128 factor_, limit_;
  const bool decimal_;
  const Node child_;
  Fallback fallback_;
};

int compare_reals(double a, double b) {  // NaN equals NaN and is the greatest
  if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare(const ValueView& a, const ValueView& b, Physical kind) {
  switch (kind) {
    case Physical::kBytes: return a.bytes.compare(b.bytes);
    case Physical::kInt128:
    case Physical::kUuid: return a.wide < b.wide ? -1 : a.wide > b.wide ? 1 : 0;
    case Physical::kFloat32:
    case Physical::kFloat64: return compare_reals(a.real, b.real);
    default: return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
  }
}

bool holds(ExpressionType type, int order) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
    case ExpressionType::COMPARE_NOT_DISTINCT_FROM: return order == 0;
    case ExpressionType::COMPARE_NOTEQUAL:
    case ExpressionType::COMPARE_DISTINCT_FROM: return order != 0;
    case ExpressionType::COMPARE_LESSTHAN: return order < 0;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return order <= 0;
    case ExpressionType::COMPARE_GREATERTHAN: return order > 0;
    default: return order >= 0;
  }
}

/// Whether DuckDB orders values of this type as compare() does.
bool comparable(const LogicalType& type) {
  const auto physical = physical_of(type);
  return physical && physical->kind != Physical::kInterval && !(type.id() == LogicalTypeId::BLOB && type.HasAlias());
}

class Comparison final : public RowExpression {
 public:
  Comparison(ExpressionType type, Physical kind, Node left, Node right)
      : type_(type),
        kind_(kind),
        nulls_(type == ExpressionType::COMPARE_DISTINCT_FROM || type == ExpressionType::COMPARE_NOT_DISTINCT_FROM),
        left_(std::move(left)),
        right_(std::move(right)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView a = left_->evaluate(program), b = right_->evaluate(program);
    if (!a.null && !b.null) return truth(holds(type_, compare(a, b, kind_)));
    return nulls_ ? truth(holds(type_, a.null == b.null ? 0 : 1)) : ValueView();
  }

 private:
  const ExpressionType type_;
  const Physical kind_;
  const bool nulls_;
  const Node left_, right_;
};

class Conjunction final : public RowExpression {
 public:
  Conjunction(bool is_and, std::vector<Node> children) : is_and_(is_and), children_(std::move(children)) {}
  ValueView evaluate(RowProgram& program) override {
    bool unknown = false;
    for (const auto& child : children_) {
      const ValueView v = child->evaluate(program);
      unknown = unknown || v.null;
      if (!v.null && (v.integer != 0) != is_and_) return truth(!is_and_);
    }
    return unknown ? ValueView() : truth(is_and_);
  }

 private:
  const bool is_and_;
  const std::vector<Node> children_;
};

class Unary final : public RowExpression {
 public:
  Unary(ExpressionType type, Node child) : type_(type), child_(std::move(child)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView v = child_->evaluate(program);
    if (type_ == ExpressionType::OPERATOR_IS_NULL) return truth(v.null);
    if (type_ == ExpressionType::OPERATOR_IS_NOT_NULL) return truth(!v.null);
    return v.null ? v : truth(v.integer == 0);  // NOT
  }

 private:
  const ExpressionType type_;
  const Node child_;
};

class InList final : public RowExpression {
 public:
  InList(bool in, Physical kind, std::vector<Node> children) : in_(in), kind_(kind), children_(std::move(children)) {}
  ValueView evaluate(RowProgram& program) override {
    const ValueView v = children_[0]->evaluate(program);
    if (v.null) return {};
    bool unknown = false;
    for (size_t i = 1; i < children_.size(); ++i) {
      const ValueView other = children_[i]->evaluate(program);
      if (other.null)
        unknown = true;
      else if (compare(v, other, kind_) == 0)
        return truth(in_);
    }
    return unknown ? ValueView() : truth(!in_);
  }

 private:
  const bool in_;
  const Physical kind_;
  const std::vector<Node> children_;
};

class Coalesce final : public RowExpression {
 public:
  explicit Coalesce(std::vector<Node> children) : children_(std::move(children)) {}
  ValueView evaluate(RowProgram& program) override {
    for (const auto& child : children_) {
      const ValueView v = child->evaluate(program);
      if (!v.null) return v;
    }
    return {};
  }

 private:
  const std::vector<Node> children_;
};

/// children: WHEN, THEN, ..., ELSE.
class Case final : public RowExpression {
 public:
  explicit Case(std::vector<Node> children) : children_(std::move(children)) {}
  ValueView evaluate(RowProgram& program) override {
    size_t i = 0;
    for (; i + 1 < children_.size(); i += 2) {
      if (is_true(children_[i]->evaluate(program))) return children_[i + 1]->evaluate(program);
    }
    return children_[i]->evaluate(program);
  }

 private:
  const std::vector<Node> children_;
};

/// One of our functions.
class Call final : public RowExpression {
 public:
  Call(functions::BoundRowFunction function, duckdb::ClientContext& context, std::vector<Node> arguments)
      : function_(std::move(function)),
        call_(&context, function_.types),
        arguments_(std::move(arguments)),
        values_(arguments_.size()) {
    call_.argument_count = arguments_.size();
  }
  ValueView evaluate(RowProgram& program) override {
    bool null = false;
    for (size_t i = 0; i < arguments_.size(); ++i) {
      values_[i] = arguments_[i]->evaluate(program);
      null = null || values_[i].null;
    }
    if (null && function_.strict) return {};
    ValueView result = function_.function(call_, values_.data());
    if (function_.result == Physical::kFloat32)
      result.real = static_cast<float>(result.real);  // as its vector holds it
    return result;
  }

 private:
  const functions::BoundRowFunction function_;
  functions::RowCall call_;
  const std::vector<Node> arguments_;
  std::vector<ValueView> values_;
};

}  // namespace

std::optional<PhysicalType> physical_of(const LogicalType& type) {
  PhysicalType physical;
  if (type.id() == LogicalTypeId::DECIMAL) type.GetDecimalProperties(physical.precision, physical.scale);
  switch (type.InternalType()) {
    case duckdb::PhysicalType::BOOL: physical.kind = Physical::kBool; break;
    case duckdb::PhysicalType::INT16: physical.kind = Physical::kInt16; break;
    case duckdb::PhysicalType::INT32: physical.kind = Physical::kInt32; break;
    case duckdb::PhysicalType::UINT32: physical.kind = Physical::kUInt32; break;
    case duckdb::PhysicalType::INT64: physical.kind = Physical::kInt64; break;
    case duckdb::PhysicalType::INT128:
      physical.kind = type.id() == LogicalTypeId::UUID ? Physical::kUuid : Physical::kInt128;
      break;
    case duckdb::PhysicalType::FLOAT: physical.kind = Physical::kFloat32; break;
    case duckdb::PhysicalType::DOUBLE: physical.kind = Physical::kFloat64; break;
    case duckdb::PhysicalType::INTERVAL: physical.kind = Physical::kInterval; break;
    case duckdb::PhysicalType::VARCHAR: physical.kind = Physical::kBytes; break;
    default: return std::nullopt;
  }
  return type.id() == LogicalTypeId::SQLNULL ? std::nullopt : std::optional(physical);
}

Node RowCompiler::compile(const Expression& expression) {
  const auto physical = physical_of(expression.return_type);
  if (!physical) return nullptr;
  if (expression.GetExpressionType() == ExpressionType::BOUND_REF) {
    all_constant_ = false;
    return std::make_unique<Leaf>(program_.slots_[expression.Cast<duckdb::BoundReferenceExpression>().index]);
  }
  if (expression.GetExpressionType() == ExpressionType::VALUE_PARAMETER) {
    all_constant_ = false;
    RowSlot slot;
    slot.kind = RowSlot::Kind::kParameter;
    slot.index = std::stoul(expression.Cast<duckdb::BoundParameterExpression>().identifier) - 1;
    slot.physical = *physical;
    slot.type = expression.return_type;
    return std::make_unique<Leaf>(std::move(slot));
  }
  if (expression.GetExpressionType() == ExpressionType::VALUE_CONSTANT) {
    const auto& value = expression.Cast<duckdb::BoundConstantExpression>().value;
    return constant(value_view(value, *physical), *physical, expression.return_type);
  }
  const bool siblings_constant = all_constant_;
  all_constant_ = true;
  bool foldable = true;
  Node node = own(expression, &foldable);
  if (node == nullptr) {
    program_.plain_ = false;
    all_constant_ = false;
    return std::make_unique<Executed>(expression, program_.slots_);
  }
  all_constant_ = all_constant_ && foldable;
  if (all_constant_ && node->slot() == nullptr) {
    try {
      node = constant(node->evaluate(program_), *physical, expression.return_type);
    } catch (...) {
      all_constant_ = false;  // fails each time that it is asked for
    }
  }
  all_constant_ = all_constant_ && siblings_constant;
  return node;
}

bool RowCompiler::compile_all(const duckdb::vector<duckdb::unique_ptr<Expression>>& expressions, Children* out) {
  for (const auto& expression : expressions) {
    out->push_back(compile(*expression));
    if (out->back() == nullptr) return false;
  }
  return true;
}

Node RowCompiler::comparison(ExpressionType type, const Expression& left, const Expression& right) {
  if (left.return_type != right.return_type || !comparable(left.return_type)) return nullptr;
  Node a = compile(left), b = compile(right);
  return std::make_unique<Comparison>(type, physical_of(left.return_type)->kind, std::move(a), std::move(b));
}

Node RowCompiler::own(const Expression& expression, bool* foldable) {
  Children children;
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COMPARISON: {
      const auto& sides = expression.Cast<duckdb::BoundComparisonExpression>();
      switch (expression.GetExpressionType()) {
        case ExpressionType::COMPARE_EQUAL:
        case ExpressionType::COMPARE_NOTEQUAL:
        case ExpressionType::COMPARE_LESSTHAN:
        case ExpressionType::COMPARE_LESSTHANOREQUALTO:
        case ExpressionType::COMPARE_GREATERTHAN:
        case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
        case ExpressionType::COMPARE_DISTINCT_FROM:
        case ExpressionType::COMPARE_NOT_DISTINCT_FROM:
          return comparison(expression.GetExpressionType(), *sides.left, *sides.right);
        default: return nullptr;
      }
    }
    case ExpressionClass::BOUND_BETWEEN: {
      const auto& between = expression.Cast<duckdb::BoundBetweenExpression>();
      if (between.input->IsVolatile()) return nullptr;
      children.push_back(comparison(between.LowerComparisonType(), *between.input, *between.lower));
      children.push_back(comparison(between.UpperComparisonType(), *between.input, *between.upper));
      if (children[0] == nullptr || children[1] == nullptr) return nullptr;
      return std::make_unique<Conjunction>(true, std::move(children));
    }
    case ExpressionClass::BOUND_CONJUNCTION:
      if (!compile_all(expression.Cast<duckdb::BoundConjunctionExpression>().children, &children)) return nullptr;
      return std::make_unique<Conjunction>(expression.GetExpressionType() == ExpressionType::CONJUNCTION_AND,
                                           std::move(children));
    case ExpressionClass::BOUND_OPERATOR: {
      const auto type = expression.GetExpressionType();
      const auto& given = expression.Cast<duckdb::BoundOperatorExpression>().children;
      switch (type) {
        case ExpressionType::OPERATOR_IS_NULL:
        case ExpressionType::OPERATOR_IS_NOT_NULL:
        case ExpressionType::OPERATOR_NOT:
          if (!compile_all(given, &children)) return nullptr;
          return std::make_unique<Unary>(type, std::move(children[0]));
        case ExpressionType::OPERATOR_COALESCE:
          if (!compile_all(given, &children)) return nullptr;
          return std::make_unique<Coalesce>(std::move(children));
        case ExpressionType::COMPARE_IN:
        case ExpressionType::COMPARE_NOT_IN:
          if (!comparable(given[0]->return_type)) return nullptr;
          for (const auto& child : given) {
            if (child->return_type != given[0]->return_type) return nullptr;
          }
          if (!compile_all(given, &children)) return nullptr;
          return std::make_unique<InList>(type == ExpressionType::COMPARE_IN, physical_of(given[0]->return_type)->kind,
                                          std::move(children));
        default: return nullptr;
      }
    }
    case ExpressionClass::BOUND_CASE: {
      const auto& given = expression.Cast<duckdb::BoundCaseExpression>();
      for (const auto& check : given.case_checks) {
        children.push_back(compile(*check.when_expr));
        children.push_back(compile(*check.then_expr));
      }
      children.push_back(compile(*given.else_expr));
      for (const auto& child : children) {
        if (child == nullptr) return nullptr;
      }
      return std::make_unique<Case>(std::move(children));
    }
    case ExpressionClass::BOUND_CAST: return cast(expression);
    case ExpressionClass::BOUND_FUNCTION: return function(expression, foldable);
    default: return nullptr;
  }
}

Node RowCompiler::cast(const Expression& expression) {
  const auto& given = expression.Cast<duckdb::BoundCastExpression>();
  const LogicalType &from = given.child->return_type, &to = given.return_type;
  const auto target = *physical_of(to);
  if (given.child->GetExpressionType() == ExpressionType::VALUE_CONSTANT &&
      given.child->Cast<duckdb::BoundConstantExpression>().value.IsNull()) {
    return constant(ValueView(), target, to);
  }
  if (given.try_cast) return nullptr;
  if (from == to) return compile(*given.child);
  const bool whole_from = is_integer(from) || from.id() == LogicalTypeId::DECIMAL;
  if (!whole_from || !(is_integer(to) || to.id() == LogicalTypeId::DECIMAL)) return nullptr;
  const auto source = *physical_of(from);
  if (target.scale < source.scale || (source.is_decimal() && !target.is_decimal())) return nullptr;  // rounds
  return std::make_unique<WholeCast>(source, target, compile(*given.child), Fallback(expression, program_.slots_));
}

Node RowCompiler::function(const Expression& expression, bool* foldable) {
  const auto& given = expression.Cast<duckdb::BoundFunctionExpression>();
  const std::string& name = given.function.name;
  if (given.children.size() == 2 && (name == "+" || name == "-" || name == "*")) {
    const LogicalType& type = expression.return_type;
    if (given.children[0]->return_type != type || given.children[1]->return_type != type) return nullptr;
    const Operator op = name == "+" ? Operator::kAdd : name == "-" ? Operator::kSubtract : Operator::kMultiply;
    const bool decimal = type.id() == LogicalTypeId::DECIMAL && op != Operator::kMultiply;
    if (!decimal && !is_integer(type)) return nullptr;
    Children children;
    if (!compile_all(given.children, &children)) return nullptr;
    const auto physical = *physical_of(type);
    Fallback fallback(expression, program_.slots_);
    if (decimal)
      return std::make_unique<DecimalArithmetic>(op, physical, std::move(children[0]), std::move(children[1]),
                                                 std::move(fallback));
    return std::make_unique<IntegerArithmetic>(op, physical.kind, std::move(children[0]), std::move(children[1]),
                                               std::move(fallback));
  }
  auto function = functions::bound_row_function(given);
  if (!function) return nullptr;
  Children arguments;
  for (size_t position : function->values) {
    arguments.push_back(compile(*given.children[position]));
    if (arguments.back() == nullptr) return nullptr;
  }
  *foldable = function->volatility == functions::Volatility::kImmutable;
  if (!*foldable) program_.plain_ = false;
  return std::make_unique<Call>(std::move(*function), program_.context(), std::move(arguments));
}

}  // namespace omendb::sql
