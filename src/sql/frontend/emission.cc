#include "sql/frontend/emission.h"

#include <optional>
#include <unordered_map>

#include "duckdb/parser/expression/case_expression.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/lambda_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/lifting.h"
#include "sql/frontend/record_shape.h"
#include "sql/functions/register.h"
#include "types/numeric.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::ExpressionType;
using duckdb::LogicalType;
using types::Physical;
using types::PhysicalType;

namespace {
duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> duck_list(std::vector<DuckExpr> list) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> result;
  for (auto& e : list) result.push_back(duck_ptr(std::move(e)));
  return result;
}
DuckExpr clone_or_null(const DuckExpr& e) { return e ? copy_of(e) : nullptr; }
}  // namespace

TypedExpr TypedExpr::clone() const {
  TypedExpr c;
  c.kind = kind;
  c.duck = clone_or_null(duck);
  c.type = type;
  c.typmod = typmod;
  c.physical = physical;
  c.literal = literal;
  c.parameter = parameter;
  c.slot = slot;
  c.location = location;
  c.has_aggregate = has_aggregate;
  c.has_window = has_window;
  c.returns_set = returns_set;
  c.is_volatile = is_volatile;
  c.table = table;
  c.attnum = attnum;
  for (const auto& f : fields) c.fields.push_back(f.clone());
  c.field_names = field_names;
  c.as_decimal = clone_or_null(as_decimal);
  c.display_scale = clone_or_null(display_scale);
  c.decimal_form = decimal_form;
  return c;
}

// --- Building blocks ---

DuckExpr make_constant(duckdb::Value value) { return DuckExpr(new duckdb::ConstantExpression(std::move(value))); }
DuckExpr make_text(const std::string& text) {
  duckdb::Value value = duckdb::Value::BLOB(text);
  value.Reinterpret(LogicalType::VARCHAR);
  return make_constant(std::move(value));
}
DuckExpr make_integer(int32_t value) { return make_constant(duckdb::Value::INTEGER(value)); }
DuckExpr make_function(const std::string& name, std::vector<DuckExpr> arguments) {
  return DuckExpr(new duckdb::FunctionExpression(name, duck_list(std::move(arguments))));
}
DuckExpr make_cast(DuckExpr e, const LogicalType& type) {
  return DuckExpr(new duckdb::CastExpression(type, duck_ptr(std::move(e))));
}
DuckExpr make_compare(ExpressionType type, DuckExpr left, DuckExpr right) {
  return DuckExpr(new duckdb::ComparisonExpression(type, duck_ptr(std::move(left)), duck_ptr(std::move(right))));
}
DuckExpr make_and(DuckExpr left, DuckExpr right) {
  return DuckExpr(new duckdb::ConjunctionExpression(ExpressionType::CONJUNCTION_AND, duck_ptr(std::move(left)),
                                                    duck_ptr(std::move(right))));
}
DuckExpr make_or(DuckExpr left, DuckExpr right) {
  return DuckExpr(new duckdb::ConjunctionExpression(ExpressionType::CONJUNCTION_OR, duck_ptr(std::move(left)),
                                                    duck_ptr(std::move(right))));
}
DuckExpr make_not(DuckExpr e) {
  return DuckExpr(new duckdb::OperatorExpression(ExpressionType::OPERATOR_NOT, duck_ptr(std::move(e))));
}
DuckExpr make_is_null(DuckExpr e, bool negated) {
  return DuckExpr(new duckdb::OperatorExpression(
      negated ? ExpressionType::OPERATOR_IS_NOT_NULL : ExpressionType::OPERATOR_IS_NULL, duck_ptr(std::move(e))));
}
DuckExpr make_coalesce(DuckExpr first, DuckExpr second) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
  children.push_back(duck_ptr(std::move(first)));
  children.push_back(duck_ptr(std::move(second)));
  return DuckExpr(new duckdb::OperatorExpression(ExpressionType::OPERATOR_COALESCE, std::move(children)));
}

DuckExpr make_list_transform(DuckExpr list, const std::string& variable, DuckExpr body) {
  duckdb::vector<std::string> parameters;
  parameters.push_back(variable);
  DuckExpr lambda(new duckdb::LambdaExpression(std::move(parameters), duck_ptr(std::move(body))));
  return make_call("list_transform", std::move(list), std::move(lambda));
}

DuckExpr make_case(DuckExpr condition, DuckExpr then, DuckExpr otherwise) {
  auto result = std::make_unique<duckdb::CaseExpression>();
  duckdb::CaseCheck check;
  check.when_expr = duck_ptr(std::move(condition));
  check.then_expr = duck_ptr(std::move(then));
  result->case_checks.push_back(std::move(check));
  result->else_expr = duck_ptr(std::move(otherwise));
  return result;
}

namespace {

const duckdb::Value* value_of(const TypedExpr& e) {
  if (e.kind != TypedExpr::Kind::kPlain || !e.duck) return nullptr;
  const duckdb::ParsedExpression* node = e.duck.get();
  if (node->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
    // int2 and int8 constants stand in a marker that keeps DuckDB from taking them for untyped literals.
    const auto& function = node->Cast<duckdb::FunctionExpression>();
    if (!function.function_name.starts_with("omen_const_")) return nullptr;
    node = function.children[0].get();
  }
  if (node->GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) return nullptr;
  const auto& value = node->Cast<duckdb::ConstantExpression>().value;
  return value.IsNull() ? nullptr : &value;
}

}  // namespace

const duckdb::Value* constant_of(const TypedExpr& e) {
  if (const LiftedConstant* lifted = lifted_of(e)) lifted->slot->looked_at = true;
  return value_of(e);
}

bool is_constant_value(const TypedExpr& e) { return value_of(e) != nullptr; }

bool is_constant(const TypedExpr& e) {
  if (e.kind == TypedExpr::Kind::kUnknownLiteral || e.kind == TypedExpr::Kind::kNull) return true;
  if (is_constant_value(e)) return true;
  return e.duck && e.duck->GetExpressionClass() == duckdb::ExpressionClass::CONSTANT;
}

bool is_null_constant(const TypedExpr& e) { return is_constant(e) && !is_constant_value(e); }

namespace {

duckdb::hugeint_t to_hugeint(types::Int128 v) {
  duckdb::hugeint_t h;
  h.lower = static_cast<uint64_t>(v);
  h.upper = static_cast<int64_t>(v >> 64);
  return h;
}
types::Int128 from_hugeint(duckdb::hugeint_t h) {
  return static_cast<types::Int128>((static_cast<types::UInt128>(static_cast<uint64_t>(h.upper)) << 64) | h.lower);
}

duckdb::Value constant_value(Oid type, const PhysicalType& physical, const types::ValueView& v) {
  using duckdb::Value;
  const LogicalType logical = duck_type(type, physical);
  if (v.null) return Value(logical);
  if (physical.is_decimal()) {
    switch (physical.kind) {
      case Physical::kInt16: return Value::DECIMAL(static_cast<int16_t>(v.integer), physical.precision, physical.scale);
      case Physical::kInt32: return Value::DECIMAL(static_cast<int32_t>(v.integer), physical.precision, physical.scale);
      case Physical::kInt64: return Value::DECIMAL(v.integer, physical.precision, physical.scale);
      default: return Value::DECIMAL(to_hugeint(v.wide), physical.precision, physical.scale);
    }
  }
  switch (physical.kind) {
    case Physical::kBool: return Value::BOOLEAN(v.integer != 0);
    case Physical::kInt16: return Value::SMALLINT(static_cast<int16_t>(v.integer));
    case Physical::kInt32:
      if (logical.id() == duckdb::LogicalTypeId::DATE)
        return Value::DATE(duckdb::date_t(static_cast<int32_t>(v.integer)));
      return Value::INTEGER(static_cast<int32_t>(v.integer));
    case Physical::kUInt32: return Value::UINTEGER(static_cast<uint32_t>(v.integer));
    case Physical::kInt64:
      switch (logical.id()) {
        case duckdb::LogicalTypeId::TIME: return Value::TIME(duckdb::dtime_t(v.integer));
        case duckdb::LogicalTypeId::TIMESTAMP: return Value::TIMESTAMP(duckdb::timestamp_t(v.integer));
        case duckdb::LogicalTypeId::TIMESTAMP_TZ: return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(v.integer));
        default: return Value::BIGINT(v.integer);
      }
    case Physical::kInt128: return Value::HUGEINT(to_hugeint(v.wide));
    case Physical::kFloat32: return Value::FLOAT(static_cast<float>(v.real));
    case Physical::kFloat64: return Value::DOUBLE(v.real);
    case Physical::kInterval: return Value::INTERVAL(v.interval.months, v.interval.days, v.interval.micros);
    case Physical::kUuid: return Value::UUID(to_hugeint(v.wide));
    case Physical::kBytes: break;
  }
  Value value = Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(v.bytes.data()), v.bytes.size());
  if (logical != LogicalType::BLOB || logical.HasAlias()) value.Reinterpret(logical);
  return value;
}

DuckExpr constant_expression(duckdb::Value value) {
  const auto id = value.type().id();
  const bool null = value.IsNull();
  DuckExpr constant = make_constant(std::move(value));
  if (null) return constant;
  if (id == duckdb::LogicalTypeId::BIGINT) return make_call("omen_const_int8", std::move(constant));
  if (id == duckdb::LogicalTypeId::SMALLINT) return make_call("omen_const_int2", std::move(constant));
  return constant;
}

}  // namespace

TypedExpr typed_constant(StatementContext& statement, Oid type, int32_t typmod, const PhysicalType& physical,
                         const types::ValueView& value, int location) {
  TypedExpr e;
  e.duck = constant_expression(constant_value(base_type_of(statement, type), physical, value));
  e.type = type;
  e.typmod = typmod;
  e.physical = physical;
  e.location = location;
  return e;
}

TypedExpr typed_null(StatementContext& statement, Oid type, int32_t typmod, int location) {
  TypedExpr e;
  e.type = type;
  e.typmod = typmod;
  e.physical = physical_of(statement, type, typmod);
  e.duck = make_constant(duckdb::Value(duck_type(base_type_of(statement, type), e.physical)));
  e.location = location;
  return e;
}

TypedExpr text_constant(const std::string& text, int location) {
  return typed(make_text(text), oid::kText, {Physical::kBytes}, {}, location);
}
TypedExpr int4_constant(int32_t value, int location) {
  return typed(make_integer(value), oid::kInt4, {Physical::kInt32}, {}, location);
}
TypedExpr bool_constant(bool value, int location) {
  return typed(make_constant(duckdb::Value::BOOLEAN(value)), oid::kBool, {Physical::kBool}, {}, location);
}

void inherit_flags(TypedExpr& target, const TypedExpr& part) {
  target.has_aggregate |= part.has_aggregate;
  target.has_window |= part.has_window;
  target.returns_set |= part.returns_set;
  target.is_volatile |= part.is_volatile;
}

TypedExpr typed(DuckExpr duck, Oid type, const PhysicalType& physical, std::initializer_list<const TypedExpr*> parts,
                int location) {
  TypedExpr e;
  e.duck = std::move(duck);
  e.type = type;
  e.physical = physical;
  e.location = location;
  for (const TypedExpr* part : parts) inherit_flags(e, *part);
  return e;
}

std::string type_descriptor(const StatementContext& statement, Oid type, const PhysicalType& physical, int32_t typmod) {
  // type,base type,typmod,kind,precision,scale,width,element,element kind
  const Oid base = base_type_of(statement, type);
  const Oid element = element_type_of(statement, base);
  auto& mutable_statement = const_cast<StatementContext&>(statement);
  const PhysicalType of_element =
      element == kInvalidOid ? PhysicalType{Physical::kBytes} : physical_of(mutable_statement, element, -1);
  // Decimals, as a domain's numbers may be, never lie in arrays.
  const Physical element_kind = of_element.is_decimal() ? Physical::kBytes : of_element.kind;
  std::string text = std::to_string(type.value);
  for (int64_t n :
       {int64_t{base.value}, int64_t{typmod}, static_cast<int64_t>(physical.kind), int64_t{physical.precision},
        int64_t{physical.scale}, int64_t{physical.width}, int64_t{element.value}, static_cast<int64_t>(element_kind)}) {
    text += ',' + std::to_string(n);
  }
  return text;
}

// --- Physical forms ---

namespace {

const types::Numeric constant_numeric(const duckdb::Value& value) {
  if (value.type().id() == duckdb::LogicalTypeId::DECIMAL) {
    uint8_t width, scale;
    value.type().GetDecimalProperties(width, scale);
    types::Int128 raw = 0;
    switch (value.type().InternalType()) {
      case duckdb::PhysicalType::INT16: raw = value.GetValueUnsafe<int16_t>(); break;
      case duckdb::PhysicalType::INT32: raw = value.GetValueUnsafe<int32_t>(); break;
      case duckdb::PhysicalType::INT64: raw = value.GetValueUnsafe<int64_t>(); break;
      default: raw = from_hugeint(value.GetValueUnsafe<duckdb::hugeint_t>());
    }
    return types::Numeric::from_scaled(raw, scale);
  }
  return types::Numeric::from_bytes(duckdb::StringValue::Get(value));
}

}  // namespace

TypedExpr to_plain(Scope& scope, TypedExpr e) {
  if (!e.physical.is_decimal()) return e;
  return to_numeric_form(scope, std::move(e), {Physical::kBytes});
}

TypedExpr to_numeric_form(Scope& scope, TypedExpr e, const PhysicalType& form) {
  if (e.physical == form) return e;
  DuckExpr duck;
  if (const duckdb::Value* value = value_of(e)) {
    const LiftedConstant* lifted = lifted_of(e);
    const std::shared_ptr<LiteralSlot> slot = lifted == nullptr ? nullptr : lifted->slot;
    types::Numeric n = constant_numeric(*value);
    if (!form.is_decimal()) {
      return remember(typed_constant(*scope.statement, e.type, e.typmod, form, types::ValueView::of_bytes(n.to_bytes()),
                                     e.location),
                      slot, n.dscale);
    }
    types::Int128 scaled;
    bool fits = false;
    if (n.is_finite() && n.to_scaled(form.scale, &scaled)) {
      types::Int128 limit = 1;
      for (int i = 0; i < form.precision; ++i) limit *= 10;
      fits = scaled < limit && scaled > -limit;
    }
    // A literal is lifted when this is so for every number of as many digits.
    const bool all_fit =
        form.scale >= e.physical.scale && form.precision - form.scale >= e.physical.precision - e.physical.scale;
    if (slot != nullptr && (!e.physical.is_decimal() || fits != all_fit)) slot->looked_at = true;
    if (fits) {
      types::ValueView view = form.kind == Physical::kInt128
                                  ? types::ValueView::of_wide(scaled)
                                  : types::ValueView::of_integer(static_cast<int64_t>(scaled));
      return remember(typed_constant(*scope.statement, e.type, e.typmod, form, view, e.location), slot);
    }
  }
  if (!form.is_decimal()) {
    duck = make_call("omen_numeric", std::move(e.duck));
  } else if (e.physical.is_decimal() && form.scale >= e.physical.scale &&
             form.precision - form.scale >= e.physical.precision - e.physical.scale) {
    duck = make_cast(std::move(e.duck), duck_type(oid::kNumeric, form));
  } else {
    duck = make_call("omen_numeric_typmod", std::move(e.duck), make_integer(form.precision), make_integer(form.scale));
  }
  TypedExpr result = std::move(e);
  result.duck = std::move(duck);
  result.physical = form;
  result.as_decimal.reset();
  result.display_scale.reset();
  return result;
}

PhysicalType decimal_form(int precision, int scale) {
  PhysicalType form;
  form.kind = precision <= 4    ? Physical::kInt16
              : precision <= 9  ? Physical::kInt32
              : precision <= 18 ? Physical::kInt64
                                : Physical::kInt128;
  form.precision = static_cast<uint8_t>(precision);
  form.scale = static_cast<uint8_t>(scale);
  return form;
}

TypedExpr shrink_numeric_constant(Scope& scope, TypedExpr e) {
  const duckdb::Value* value = value_of(e);
  if (value == nullptr || e.physical.is_decimal()) return e;
  const types::Numeric n = constant_numeric(*value);
  // What stays in bytes is not lifted.
  const LiftedConstant* lifted = lifted_of(e);
  const std::shared_ptr<LiteralSlot> slot = lifted == nullptr || lifted->slot->looked_at ? nullptr : lifted->slot;
  if (slot != nullptr) slot->looked_at = true;
  if (!n.is_finite() || n.dscale > 38) return e;
  types::Int128 scaled;
  if (!n.to_scaled(n.dscale, &scaled)) return e;
  int digits = 0;
  for (types::UInt128 rest = scaled < 0 ? -static_cast<types::UInt128>(scaled) : static_cast<types::UInt128>(scaled);
       rest > 0; rest /= 10)
    ++digits;
  const int precision = std::max({digits, n.dscale, 1});
  if (precision > 38) return e;
  e = to_numeric_form(scope, std::move(e), decimal_form(precision, n.dscale));
  if (slot != nullptr) {
    slot->looked_at = false;
    slot->precision = precision;
    slot->scale = n.dscale;
  }
  return e;
}

PhysicalType common_physical(Scope& scope, Oid type, std::vector<TypedExpr*> exprs) {
  PhysicalType result = physical_of(*scope.statement, type, -1);
  const Oid base = base_type_of(*scope.statement, type);
  if (base == oid::kBpchar) {
    std::optional<int32_t> width;
    bool mixed = false;
    for (TypedExpr* e : exprs) {
      if (e->kind != TypedExpr::Kind::kPlain || is_null_constant(*e)) continue;
      mixed |= width.value_or(e->physical.width) != e->physical.width;
      width = e->physical.width;
    }
    result.width = mixed ? kOwnSpaces : width.value_or(0);
    for (TypedExpr* e : exprs) {
      if (mixed && e->duck) e->duck = bpchar_padded(*e);
      e->physical.width = result.width;
    }
    return result;
  }
  if (base != oid::kNumeric || exprs.empty()) return result;
  bool same = true;
  bool any = false;
  PhysicalType form{Physical::kBytes};
  for (TypedExpr* e : exprs) {
    if (is_null_constant(*e)) continue;
    if (!any) form = e->physical;
    any = true;
    if (!e->physical.is_decimal() || e->physical.scale != form.scale) same = false;
    if (e->physical.is_decimal() && e->physical.precision > form.precision) form = e->physical;
  }
  if (!same || !any || !form.is_decimal()) form = {Physical::kBytes};
  for (TypedExpr* e : exprs) {
    if (is_null_constant(*e)) {
      e->duck = make_constant(duckdb::Value(duck_type(oid::kNumeric, form)));
      e->physical = form;
    } else {
      *e = to_numeric_form(scope, std::move(*e), form);
    }
  }
  return form;
}

/// How functions of ours take and give values: a domain's decimals as any numeric.
static PhysicalType plain_form(StatementContext& statement, Oid type) {
  const PhysicalType physical = physical_of(statement, type, -1);
  return physical.is_decimal() ? PhysicalType{Physical::kBytes} : physical;
}

PhysicalType element_physical(StatementContext& statement, Oid element) {
  PhysicalType physical = plain_form(statement, element);
  if (base_type_of(statement, element) == oid::kBpchar) physical.width = kOwnSpaces;
  return physical;
}

TypedExpr without_spaces(TypedExpr e) {
  if (e.physical.width != kOwnSpaces) return e;
  e.duck = make_call("rtrim", std::move(e.duck), make_text(" "));
  e.physical.width = 0;
  return e;
}

DuckExpr bpchar_padded(const TypedExpr& e) {
  if (e.physical.width <= 0) return copy_of(e.duck);
  return make_call("omen_bpchar_pad", copy_of(e.duck), make_integer(e.physical.width));
}

TypedExpr to_text_by_output(Scope& scope, TypedExpr e) {
  const Oid base = base_type_of(*scope.statement, e.type);
  DuckExpr duck;
  if (base == oid::kBpchar) {
    duck = bpchar_padded(e);
  } else if (base == oid::kInt4 || base == oid::kInt8 || base == oid::kInt2 || base == oid::kOid) {
    duck = make_cast(std::move(e.duck), LogicalType::VARCHAR);
  } else if (e.physical.kind == Physical::kBytes && (type_category(*scope.statement, base) == 'S' ||
                                                     base == oid::kJson || base == oid::kJsonb || base == oid::kXml)) {
    duck = std::move(e.duck);
  } else {
    duck = make_call("omen_output", make_descriptor(*scope.statement, e), std::move(e.duck));
  }
  return typed(std::move(duck), oid::kText, {Physical::kBytes}, {&e}, e.location);
}

// --- Calls ---

TypedExpr Call::result_of(DuckExpr duck, Oid type, const PhysicalType& physical) const {
  TypedExpr e = typed(std::move(duck), type, physical, {}, location);
  for (const TypedExpr& a : args) inherit_flags(e, a);
  if (proc.volatility == 'v') {
    e.is_volatile = true;
    statement().has_volatile = true;
  }
  return e;
}

TypedExpr Call::result_of(DuckExpr duck) const {
  return result_of(std::move(duck), result, plain_form(statement(), result));
}

std::vector<DuckExpr> Call::take_args() {
  std::vector<DuckExpr> list;
  for (TypedExpr& a : args) list.push_back(std::move(a.duck));
  return list;
}

namespace {

std::unordered_map<std::string_view, Emitter>& emitters() {
  static std::unordered_map<std::string_view, Emitter> table;
  return table;
}

void fill_emitters() {
  static const bool done = [] {
    add_comparison_emitters();
    add_arithmetic_emitters();
    add_text_emitters();
    add_datetime_emitters();
    add_misc_emitters();
    return true;
  }();
  (void)done;
}

std::string signature(const Call& call) {
  std::string text = std::string(call.proc.name) + "(";
  for (size_t i = 0; i < call.declared.size(); ++i) {
    if (i > 0) text += ", ";
    text += type_name(call.statement(), call.declared[i]);
  }
  return text + ")";
}

/// Own functions by prosrc, or, where several functions share a source ("aggregate_dummy" and SQL bodies), by name.
const OwnFunction* own_function(const ProcRow& proc) {
  if (const OwnFunction* own = find_own_function(proc.source)) return own;
  return proc.language.value == 14 ? find_own_function(std::string("sql_") + std::string(proc.name)) : nullptr;
}

/// The types of the OUT columns; polymorphic ones follow from the arguments.
std::vector<Oid> output_types(const Call& call) {
  std::vector<Oid> outputs = call.proc.output_types;
  Oid element{}, array{};
  for (Oid declared : call.declared) {
    const Oid e = element_type_of(call.statement(), declared);
    if (e != kInvalidOid) element = e, array = declared;
  }
  for (Oid& o : outputs) {
    if (o == oid::kAnyElement) o = element;
    if (o == oid::kAnyArray) o = array;
  }
  return outputs;
}

/// A set is unnest(list) (expr.h).
TypedExpr emit_set(Call& call, DuckExpr list) {
  StatementContext& statement = call.statement();
  const auto& names = call.proc.output_names;
  if (call.proc.output_types.size() <= 1) {
    TypedExpr e =
        call.result_of(make_call("unnest", std::move(list)), call.result, element_physical(statement, call.result));
    e.returns_set = true;
    if (names.size() == 1) e.field_names.emplace_back(names[0]);
    return e;
  }
  const std::vector<Oid> outputs = output_types(call);
  if (call.scope.kind != ExprKind::kFromFunction) {
    std::vector<DuckExpr> arguments;
    arguments.push_back(make_text(type_descriptor(statement, oid::kRecord, {Physical::kBytes})));
    const std::string variable = statement.new_alias("x");
    for (size_t i = 0; i < outputs.size(); ++i) {
      const PhysicalType physical = physical_of(statement, outputs[i], -1);
      arguments.push_back(make_text(type_descriptor(statement, outputs[i], physical)));
      arguments.push_back(make_call("struct_extract", DuckExpr(new duckdb::ColumnRefExpression(variable)),
                                    make_text("f" + std::to_string(i + 1))));
    }
    list = make_list_transform(std::move(list), variable, make_function("omen_record", std::move(arguments)));
    TypedExpr e = call.result_of(make_call("unnest", std::move(list)), oid::kRecord, {Physical::kBytes});
    e.returns_set = true;
    RecordShape shape;
    for (size_t i = 0; i < outputs.size(); ++i) shape.push_back({std::string(names[i]), outputs[i]});
    e.typmod = record_typmod(std::move(shape));
    return e;
  }
  TypedExpr e = call.result_of(make_call("unnest", std::move(list)), oid::kRecord, {Physical::kBytes});
  e.returns_set = true;
  for (size_t i = 0; i < outputs.size(); ++i) {
    TypedExpr field;
    field.type = outputs[i];
    field.physical = physical_of(statement, outputs[i], -1);
    e.fields.push_back(std::move(field));
    e.field_names.emplace_back(names[i]);
  }
  return e;
}

}  // namespace

void add_emitter(std::string_view source, Emitter emitter) { emitters()[source] = emitter; }

Emitter find_emitter(std::string_view source) {
  fill_emitters();
  auto it = emitters().find(source);
  return it == emitters().end() ? nullptr : it->second;
}

bool can_emit(const ProcRow& proc) { return find_emitter(proc.source) != nullptr || own_function(proc) != nullptr; }

namespace {

/// PostgreSQL never calls a strict function that has a constant null for an argument: the planner puts null in its place, and whatever
/// else stood in the call (a division by zero) is not computed.
bool is_known_null(const Call& call) {
  if (!call.proc.strict || call.proc.returns_set || call.result == oid::kRecord) return false;
  bool found = false;
  for (const TypedExpr& a : call.args) {
    if (a.returns_set) return false;
    const bool settled = a.kind == TypedExpr::Kind::kPlain || a.kind == TypedExpr::Kind::kNull;
    found = found || (settled && is_null_constant(a));
  }
  return found;
}

}  // namespace

TypedExpr emit_call(Call call) {
  if (is_known_null(call)) {
    TypedExpr null = typed_null(call.statement(), call.result, -1, call.location);
    for (const TypedExpr& a : call.args) {
      null.has_aggregate |= a.has_aggregate;
      null.has_window |= a.has_window;
    }
    return null;
  }
  const bool padded = call.proc.source.find("regex") != std::string_view::npos ||
                      call.proc.source.find("like") != std::string_view::npos ||
                      call.proc.source.starts_with("array_") || call.proc.source == "bpcharoctetlen";
  for (TypedExpr& a : call.args) {
    if (base_type_of(call.statement(), a.type) != oid::kBpchar || !a.duck) continue;
    // Patterns see a char(n)'s spaces, nothing else does.
    if (padded && a.physical.width > 0) {
      a.duck = bpchar_padded(a);
      a.physical.width = 0;
    } else if (!padded) {
      a = without_spaces(std::move(a));
    }
  }
  // SQL-language functions have their body for a source; they are looked up by name.
  const bool sql_body = call.proc.language.value == 14;
  const std::string key = sql_body ? "sql:" + std::string(call.proc.name) : std::string(call.proc.source);
  if (Emitter emitter = find_emitter(key)) return emitter(call);
  const OwnFunction* own = own_function(call.proc);
  if (call.variadic_array && call.proc.variadic == oid::kAny)
    own = find_own_function(std::string(call.proc.source) + "_variadic");
  if (own == nullptr) not_supported("function " + signature(call), call.location);
  std::vector<DuckExpr> arguments;
  for (TypedExpr& a : call.args) a = to_plain(call.scope, std::move(a));
  size_t next = 0;
  for (char c : own->shape) {
    if (c == 'r') {
      // A set of several columns describes its first one.
      const Oid result =
          call.proc.returns_set && call.proc.output_types.size() > 1 ? output_types(call)[0] : call.result;
      arguments.push_back(make_text(type_descriptor(call.statement(), result, plain_form(call.statement(), result))));
    } else if (c == 'd' && next < call.args.size()) {
      arguments.push_back(make_descriptor(call.statement(), call.args[next]));
    } else if (c == 'v' && next < call.args.size()) {
      arguments.push_back(std::move(call.args[next++].duck));
    } else if (c == 't') {
      for (; next < call.args.size(); ++next) {
        arguments.push_back(make_descriptor(call.statement(), call.args[next]));
        arguments.push_back(std::move(call.args[next].duck));
      }
    }
  }
  for (; next < call.args.size(); ++next) arguments.push_back(std::move(call.args[next].duck));
  DuckExpr duck = make_function("omen_" + std::string(own->name), std::move(arguments));
  if (!call.proc.returns_set) return call.result_of(std::move(duck));
  return emit_set(call, std::move(duck));
}

TypedExpr emit_named(Scope& scope, std::string_view source, std::vector<TypedExpr> args, Oid result, int location) {
  ProcRow proc;
  proc.name = proc.source = source;
  proc.language = Oid{12};
  proc.strict = true;
  proc.volatility = 'i';
  proc.result = result;
  std::vector<Oid> declared;
  for (const auto& a : args) declared.push_back(a.type);
  return emit_call(Call{scope, proc, std::move(args), std::move(declared), result, location});
}

}  // namespace omendb::sql
