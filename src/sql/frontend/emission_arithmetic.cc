// Arithmetic: integers, floats, numerics, and the casts between them.
#include "duckdb/parser/expression/constant_expression.hpp"

#include "sql/frontend/coerce.h"
#include "sql/frontend/emission.h"
#include "sql/frontend/lifting.h"

namespace omendb::sql {

namespace oid = types::oid;
using duckdb::LogicalType;
using types::Physical;
using types::PhysicalType;

namespace {

std::string_view intern(std::string text) {
  static std::vector<std::unique_ptr<std::string>> all;
  all.push_back(std::make_unique<std::string>(std::move(text)));
  return *all.back();
}

const LogicalType& integer_type(Oid type) {
  static const LogicalType small = LogicalType::SMALLINT, normal = LogicalType::INTEGER, big = LogicalType::BIGINT;
  return type == oid::kInt2 ? small : type == oid::kInt4 ? normal : big;
}

/// An operand in the result's integer type.
DuckExpr widened(TypedExpr& e, Oid to) {
  if (e.type == to) return std::move(e.duck);
  return make_cast(std::move(e.duck), integer_type(to));
}

/// + - * of DuckDB check for overflow and fail with a message that error_mapping.cc turns into PostgreSQL's.
TypedExpr integer_operator(Call& call, const char* op) {
  const Oid to = call.result;
  const bool both = is_constant_value(call.args[0]) && is_constant_value(call.args[1]);
  DuckExpr left = widened(call.args[0], to), right = widened(call.args[1], to);
  // Two bare INTEGER literals would be typed by DuckDB as it likes.
  if (both && to == oid::kInt4) left = make_call("omen_const_int4", std::move(left));
  return call.result_of(make_call(op, std::move(left), std::move(right)));
}
TypedExpr integer_add(Call& call) { return integer_operator(call, "+"); }
TypedExpr integer_subtract(Call& call) { return integer_operator(call, "-"); }
TypedExpr integer_multiply(Call& call) { return integer_operator(call, "*"); }

TypedExpr integer_divide(Call& call) {
  const Oid to = call.result;
  DuckExpr left = widened(call.args[0], to), right = widened(call.args[1], to);
  return call.result_of(make_call(to == oid::kInt2   ? "omen_int2div"
                                  : to == oid::kInt4 ? "omen_int4div"
                                                     : "omen_int8div",
                                  std::move(left), std::move(right)));
}
TypedExpr integer_modulo(Call& call) {
  const Oid to = call.result;
  DuckExpr left = widened(call.args[0], to), right = widened(call.args[1], to);
  return call.result_of(make_call(to == oid::kInt2   ? "omen_int2mod"
                                  : to == oid::kInt4 ? "omen_int4mod"
                                                     : "omen_int8mod",
                                  std::move(left), std::move(right)));
}
TypedExpr integer_negate(Call& call) {
  DuckExpr zero = make_constant(call.result == oid::kInt2   ? duckdb::Value::SMALLINT(0)
                                : call.result == oid::kInt4 ? duckdb::Value::INTEGER(0)
                                                            : duckdb::Value::BIGINT(0));
  zero = make_call(call.result == oid::kInt2   ? "omen_const_int2"
                   : call.result == oid::kInt4 ? "omen_const_int4"
                                               : "omen_const_int8",
                   std::move(zero));
  return call.result_of(make_call("-", std::move(zero), std::move(call.args[0].duck)));
}
TypedExpr same(Call& call) {
  TypedExpr e = call.result_of(std::move(call.args[0].duck), call.result, call.args[0].physical);
  return e;
}
TypedExpr bit_and(Call& call) { return call.result_of(make_function("&", call.take_args())); }
TypedExpr bit_or(Call& call) { return call.result_of(make_function("|", call.take_args())); }
TypedExpr bit_xor(Call& call) { return call.result_of(make_function("xor", call.take_args())); }
TypedExpr bit_not(Call& call) { return call.result_of(make_function("~", call.take_args())); }

/// A cast that DuckDB's own does exactly, or refuses with "out of range".
TypedExpr native_cast(Call& call) {
  const PhysicalType physical = physical_of(call.statement(), call.result, -1);
  return call.result_of(make_cast(std::move(call.args[0].duck), duck_type(call.result, physical)), call.result,
                        physical);
}

/// float48pl and its kin: the float4 side as double, then float8's function.
TypedExpr mixed_float(Call& call) {
  std::string source(call.proc.source);
  const std::string op = source.substr(7);
  std::vector<DuckExpr> args;
  for (auto& a : call.args) {
    args.push_back(a.type == oid::kFloat4 ? make_cast(std::move(a.duck), LogicalType::DOUBLE) : std::move(a.duck));
  }
  return call.result_of(make_function("omen_float8" + op, std::move(args)));
}

// --- numeric ---

bool takes_decimal(TypedExpr& e) { return e.physical.is_decimal(); }

TypedExpr numeric_by_bytes(Call& call) {
  std::vector<DuckExpr> args;
  for (auto& a : call.args) args.push_back(std::move(to_plain(call.scope, std::move(a)).duck));
  return call.result_of(make_function("omen_" + std::string(call.proc.source), std::move(args)));
}

/// + and -: DuckDB gives max(whole) + max(scale) + 1 digits. Arguments are widened first where it would stay at 18 digits and check.
TypedExpr decimal_sum(Call& call, const char* op) {
  TypedExpr &l = call.args[0], &r = call.args[1];
  if (!takes_decimal(l) || !takes_decimal(r)) return numeric_by_bytes(call);
  const int scale = std::max(l.physical.scale, r.physical.scale);
  const int whole = std::max(l.physical.precision - l.physical.scale, r.physical.precision - r.physical.scale);
  int width = scale + whole + 1;
  if (width > 38) {
    if (call.statement().exact_numeric || width > 39) return numeric_by_bytes(call);
    call.statement().speculative_decimals = true;
    width = 38;
  }
  const int widest = std::max({static_cast<int>(l.physical.precision), static_cast<int>(r.physical.precision), 1});
  if (width > 18 && widest <= 18) {
    // One digit more is enough to leave the 64-bit kernels.
    const PhysicalType wide = decimal_form(width, scale);
    DuckExpr left = make_cast(std::move(l.duck), duck_type(oid::kNumeric, wide));
    DuckExpr right = make_cast(std::move(r.duck), duck_type(oid::kNumeric, wide));
    // DuckDB then answers with one digit more still.
    const PhysicalType result = decimal_form(std::min(width + 1, 38), scale);
    return call.result_of(make_call(op, std::move(left), std::move(right)), oid::kNumeric, result);
  }
  const int required = std::min(std::max(scale + whole, widest) + 1, 38);
  return call.result_of(make_call(op, std::move(l.duck), std::move(r.duck)), oid::kNumeric,
                        decimal_form(required, scale));
}
TypedExpr numeric_add(Call& call) { return decimal_sum(call, "+"); }
TypedExpr numeric_sub(Call& call) { return decimal_sum(call, "-"); }

/// Products of at most 18 digits are DuckDB's. Longer ones are ours, 64 x 64 into 128 bits: DuckDB would stay at 18 digits and check.
TypedExpr numeric_mul(Call& call) {
  TypedExpr &l = call.args[0], &r = call.args[1];
  if (!takes_decimal(l) || !takes_decimal(r)) return numeric_by_bytes(call);
  const int scale = l.physical.scale + r.physical.scale;
  int width = l.physical.precision + r.physical.precision;
  if (width > 38) {
    // See StatementContext::speculative_decimals. Very wide declarations are taken at their word.
    const bool likely = width <= 50 && l.physical.precision <= 36 && r.physical.precision <= 36 && scale <= 15;
    if (call.statement().exact_numeric || !likely) return numeric_by_bytes(call);
    call.statement().speculative_decimals = true;
    width = 38;
  }
  const PhysicalType form = decimal_form(width, scale);
  return call.result_of(make_call(width <= 18 ? "*" : "omen_decimal_mul", std::move(l.duck), std::move(r.duck)),
                        oid::kNumeric, form);
}

TypedExpr numeric_uminus(Call& call) {
  TypedExpr& e = call.args[0];
  if (!takes_decimal(e)) return numeric_by_bytes(call);
  const PhysicalType physical = e.physical;
  return call.result_of(make_call("-", std::move(e.duck)), oid::kNumeric, physical);
}
TypedExpr numeric_abs(Call& call) {
  TypedExpr& e = call.args[0];
  if (!takes_decimal(e)) return numeric_by_bytes(call);
  const PhysicalType physical = e.physical;
  return call.result_of(make_call("abs", std::move(e.duck)), oid::kNumeric, physical);
}

TypedExpr integer_to_numeric(Call& call) {
  TypedExpr& e = call.args[0];
  const int digits = e.type == oid::kInt2 ? 5 : e.type == oid::kInt4 ? 10 : 19;
  const LiftedConstant* lifted = lifted_of(e);
  const std::shared_ptr<LiteralSlot> slot = lifted == nullptr || lifted->slot->looked_at ? nullptr : lifted->slot;
  if (const duckdb::Value* value = constant_of(e)) {
    const int64_t v = value->GetValue<int64_t>();
    int width = 1;
    for (int64_t rest = v / 10; rest != 0; rest /= 10) ++width;
    const PhysicalType form = decimal_form(width, 0);
    types::ValueView view =
        form.kind == Physical::kInt128 ? types::ValueView::of_wide(v) : types::ValueView::of_integer(v);
    if (slot != nullptr) {
      slot->looked_at = false;
      slot->precision = width;
    }
    return remember(typed_constant(call.statement(), oid::kNumeric, -1, form, view, e.location), slot);
  }
  const PhysicalType form = decimal_form(digits, 0);
  return call.result_of(make_cast(std::move(e.duck), duck_type(oid::kNumeric, form)), oid::kNumeric, form);
}

/// numeric to int: rounding half away from zero is what DuckDB's decimal cast does too, but its message is its own.
TypedExpr numeric_to_integer(Call& call) { return numeric_by_bytes(call); }

TypedExpr numeric_to_float8(Call& call) {
  TypedExpr& e = call.args[0];
  // value / 10^scale is correctly rounded as long as both are exact doubles.
  if (e.physical.is_decimal() && e.physical.precision <= 15) {
    return call.result_of(make_cast(std::move(e.duck), LogicalType::DOUBLE));
  }
  return numeric_by_bytes(call);
}

TypedExpr numeric_typmod(Call& call) {
  // numeric(numeric, int4): the typmod follows through coerce_typmod.
  const duckdb::Value* typmod = constant_of(call.args[1]);
  if (typmod == nullptr) not_supported("numeric() with a variable type modifier", call.location);
  return coerce_typmod(call.scope, std::move(call.args[0]), typmod->GetValue<int32_t>(), CoercionContext::kImplicit);
}

/// round(x, n), trunc(x, n) with a constant n over a decimal keep to decimals.
TypedExpr numeric_round(Call& call) {
  TypedExpr& e = call.args[0];
  const duckdb::Value* places = constant_of(call.args[1]);
  if (e.physical.is_decimal() && places != nullptr) {
    const int n = places->GetValue<int32_t>();
    if (n >= 0 && n <= e.physical.scale) {
      const int width = std::min(e.physical.precision - e.physical.scale + n + 1, 38);
      if (n == e.physical.scale) return call.result_of(std::move(e.duck), oid::kNumeric, e.physical);
      return to_numeric_form(call.scope, call.result_of(std::move(e.duck), oid::kNumeric, e.physical),
                             decimal_form(width, n));
    }
  }
  return numeric_by_bytes(call);
}
TypedExpr numeric_round_0(Call& call) {
  call.args.push_back(int4_constant(0));
  ProcRow proc = call.proc;
  proc.source = "numeric_round";
  Call with{call.scope, proc, std::move(call.args), call.declared, call.result, call.location};
  return numeric_round(with);
}
TypedExpr numeric_trunc_0(Call& call) {
  call.args.push_back(int4_constant(0));
  ProcRow proc = call.proc;
  proc.source = "numeric_trunc";
  Call with{call.scope, proc, std::move(call.args), call.declared, call.result, call.location};
  return numeric_by_bytes(with);
}

}  // namespace

void add_arithmetic_emitters() {
  for (const char* types : {"int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84"}) {
    add_emitter(intern(std::string(types) + "pl"), integer_add);
    add_emitter(intern(std::string(types) + "mi"), integer_subtract);
    add_emitter(intern(std::string(types) + "mul"), integer_multiply);
    add_emitter(intern(std::string(types) + "div"), integer_divide);
  }
  for (const char* type : {"int2", "int4", "int8"}) {
    add_emitter(intern(std::string(type) + "mod"), integer_modulo);
    add_emitter(intern(std::string(type) + "um"), integer_negate);
    add_emitter(intern(std::string(type) + "up"), same);
    add_emitter(intern(std::string(type) + "and"), bit_and);
    add_emitter(intern(std::string(type) + "or"), bit_or);
    add_emitter(intern(std::string(type) + "xor"), bit_xor);
    add_emitter(intern(std::string(type) + "not"), bit_not);
  }
  for (const char* source :
       {"int28", "int48", "i2toi4", "ftod", "i2tof", "i2tod", "i4tod", "i8tod", "i8tof", "i4tof"}) {
    add_emitter(source, native_cast);
  }
  for (const char* source : {"float4up", "float8up", "numeric_uplus"}) add_emitter(source, same);
  for (const char* op : {"pl", "mi", "mul", "div"}) {
    add_emitter(intern(std::string("float48") + op), mixed_float);
    add_emitter(intern(std::string("float84") + op), mixed_float);
  }
  add_emitter("numeric_add", numeric_add);
  add_emitter("numeric_sub", numeric_sub);
  add_emitter("numeric_mul", numeric_mul);
  add_emitter("numeric_uminus", numeric_uminus);
  add_emitter("numeric_abs", numeric_abs);
  add_emitter("numeric_round", numeric_round);
  add_emitter("sql:round", numeric_round_0);
  add_emitter("sql:trunc", numeric_trunc_0);
  add_emitter("int2_numeric", integer_to_numeric);
  add_emitter("int4_numeric", integer_to_numeric);
  add_emitter("int8_numeric", integer_to_numeric);
  add_emitter("numeric_int2", numeric_to_integer);
  add_emitter("numeric_int4", numeric_to_integer);
  add_emitter("numeric_int8", numeric_to_integer);
  add_emitter("numeric_float8", numeric_to_float8);
  add_emitter("numeric", numeric_typmod);
}

}  // namespace omendb::sql
