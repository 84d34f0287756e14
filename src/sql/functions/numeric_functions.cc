// numeric: exact arithmetic over bytes (types/numeric.h), and the ways between bytes, decimals, integers and floats.
#include <cmath>

#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"

#include "sql/functions/library.h"
#include "types/datetime.h"
#include "types/io.h"
#include "types/numeric.h"

namespace omendb::sql::functions {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::LogicalType;
using duckdb::ScalarFunction;
using duckdb::string_t;
using duckdb::Vector;
using types::Numeric;
using types::ValueView;
namespace oid = types::oid;

namespace {

Numeric read(const ValueView& v) { return Numeric::from_bytes(v.bytes); }
Numeric read(const string_t& s) { return Numeric::from_bytes(view_of(s)); }

ValueView write(RowCall& call, const Numeric& n) {
  call.buffer.clear();
  n.append_bytes(&call.buffer);
  return call.bytes();
}

string_t write(Vector& result, std::string& buffer, const Numeric& n) {
  buffer.clear();
  n.append_bytes(&buffer);
  return duckdb::StringVector::AddStringOrBlob(result, buffer.data(), buffer.size());
}

using Binary = Status (*)(const Numeric&, const Numeric&, Numeric*);

void add_binary(Library& library, const std::string& name, Binary f) {
  const LogicalType& n = duck_numeric_type();
  library.scalar(name, ScalarFunction({n, n}, n, [f](DataChunk& args, ExpressionState&, Vector& result) {
                   std::string buffer;
                   duckdb::BinaryExecutor::Execute<string_t, string_t, string_t>(
                       args.data[0], args.data[1], result, args.size(), [&](string_t a, string_t b) {
                         Numeric out;
                         throw_if_error(f(read(a), read(b), &out));
                         return write(result, buffer, out);
                       });
                 }));
  library.row_form(name, [f](const auto&, const LogicalType&) {
    return [f](RowCall& call, const ValueView* a) {
      Numeric out;
      throw_if_error(f(read(a[0]), read(a[1]), &out));
      return write(call, out);
    };
  });
}

void add_unary(Library& library, const std::string& name, Status (*f)(const Numeric&, Numeric*)) {
  library.row({name, {oid::kNumeric}, oid::kNumeric, [f](RowCall& call, const ValueView* a) {
                 Numeric out;
                 throw_if_error(f(read(a[0]), &out));
                 return write(call, out);
               }});
}
void add_plain(Library& library, const std::string& name, void (*f)(const Numeric&, Numeric*)) {
  library.row({name, {oid::kNumeric}, oid::kNumeric, [f](RowCall& call, const ValueView* a) {
                 Numeric out;
                 f(read(a[0]), &out);
                 return write(call, out);
               }});
}

/// Decimals of any width as 128-bit numbers, with their scale.
template <class F>
void each_decimal(Vector& input, size_t count, F f) {
  duckdb::UnifiedVectorFormat format;
  input.ToUnifiedFormat(count, format);
  auto run = [&](auto* data, auto wide) {
    for (size_t i = 0; i < count; ++i) {
      const auto at = format.sel->get_index(i);
      f(i, format.validity.RowIsValid(at), format.validity.RowIsValid(at) ? wide(data[at]) : types::Int128{0});
    }
  };
  auto plain = [](auto v) { return static_cast<types::Int128>(v); };
  switch (input.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16: run(reinterpret_cast<const int16_t*>(format.data), plain); break;
    case duckdb::PhysicalType::INT32: run(reinterpret_cast<const int32_t*>(format.data), plain); break;
    case duckdb::PhysicalType::INT64: run(reinterpret_cast<const int64_t*>(format.data), plain); break;
    default:
      run(reinterpret_cast<const duckdb::hugeint_t*>(format.data), [](duckdb::hugeint_t v) { return from_hugeint(v); });
  }
}

int scale_of(const LogicalType& type) {
  uint8_t width = 0, scale = 0;
  type.GetDecimalProperties(width, scale);
  return scale;
}

/// A vector function over one decimal, one row of output an input row.
template <class F>
void map_decimal(DataChunk& args, Vector& result, F f) {
  const bool constant = args.AllConstant();
  const size_t count = constant ? 1 : args.size();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  each_decimal(args.data[0], count, [&](size_t i, bool valid, types::Int128 v) {
    if (!valid)
      duckdb::FlatVector::SetNull(result, i, true);
    else
      f(i, v);
  });
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

duckdb::unique_ptr<duckdb::FunctionData> keep_argument_type(
    duckdb::ClientContext&, ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  for (size_t i = 0; i < function.arguments.size() && i < arguments.size(); ++i) {
    if (function.arguments[i].id() == duckdb::LogicalTypeId::ANY ||
        function.arguments[i].id() == duckdb::LogicalTypeId::DECIMAL) {
      function.arguments[i] = arguments[i]->return_type;
    }
  }
  return nullptr;
}

/// Decimal to bytes. HUGEINT sums come as DECIMAL(38, 0).
void decimal_to_bytes(DataChunk& args, ExpressionState&, Vector& result) {
  const int scale = scale_of(args.data[0].GetType());
  std::string buffer;
  auto* out = duckdb::FlatVector::GetData<string_t>(result);
  map_decimal(args, result,
              [&](size_t i, types::Int128 v) { out[i] = write(result, buffer, Numeric::from_scaled(v, scale)); });
}

void store_decimal(Vector& result, size_t i, types::Int128 v) {
  switch (result.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16: duckdb::FlatVector::GetData<int16_t>(result)[i] = static_cast<int16_t>(v); break;
    case duckdb::PhysicalType::INT32: duckdb::FlatVector::GetData<int32_t>(result)[i] = static_cast<int32_t>(v); break;
    case duckdb::PhysicalType::INT64: duckdb::FlatVector::GetData<int64_t>(result)[i] = static_cast<int64_t>(v); break;
    default: duckdb::FlatVector::GetData<duckdb::hugeint_t>(result)[i] = to_hugeint(v);
  }
}

types::Int128 power_of_ten(int n) {
  types::Int128 p = 1;
  for (int i = 0; i < n; ++i) p *= 10;
  return p;
}

/// numeric(p,s) applied to a decimal or to bytes: the result is DECIMAL(p, s).
duckdb::unique_ptr<duckdb::FunctionData> bind_typmod(
    duckdb::ClientContext&, ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto constant = [&](size_t i) {
    CHECK(arguments[i]->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONSTANT);
    return arguments[i]->Cast<duckdb::BoundConstantExpression>().value.GetValue<int32_t>();
  };
  function.arguments[0] = arguments[0]->return_type;
  function.SetReturnType(LogicalType::DECIMAL(static_cast<uint8_t>(constant(1)), static_cast<uint8_t>(constant(2))));
  return nullptr;
}

/// numeric(precision, scale) of single values, as a decimal of that type.
class Typmod {
 public:
  explicit Typmod(const LogicalType& decimal) {
    uint8_t precision, scale;
    decimal.GetDecimalProperties(precision, scale);
    scale_ = scale;
    limit_ = power_of_ten(precision);
    typmod_ = types::numeric_typmod(precision, scale);
  }
  types::Int128 operator()(Numeric n) const {
    throw_if_error(n.apply_typmod(typmod_));
    types::Int128 scaled = 0;
    if (!n.to_scaled(scale_, &scaled)) {
      throw SqlError(SqlState::kFeatureNotSupported, "NaN and infinity in numeric(p,s) are not supported");
    }
    return scaled;
  }
  types::Int128 operator()(types::Int128 v, int from) const {
    types::Int128 scaled;
    if (from >= scale_) {
      const types::Int128 divisor = power_of_ten(from - scale_);
      scaled = v / divisor;
      const types::Int128 rest = v % divisor;
      // Half away from zero.
      if (rest >= divisor - rest && rest > 0)
        ++scaled;
      else if (-rest >= divisor + rest && rest < 0)
        --scaled;
    } else if (__builtin_mul_overflow(v, power_of_ten(scale_ - from), &scaled)) {
      return (*this)(Numeric::from_scaled(v, from));
    }
    return scaled >= limit_ || scaled <= -limit_ ? (*this)(Numeric::from_scaled(v, from)) : scaled;
  }

 private:
  int scale_;
  types::Int128 limit_;
  int32_t typmod_;
};

void apply_typmod(DataChunk& args, ExpressionState&, Vector& result) {
  const Typmod typmod(result.GetType());
  Vector& input = args.data[0];
  const bool constant = args.AllConstant();
  const size_t count = constant ? 1 : args.size();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  if (input.GetType().id() == duckdb::LogicalTypeId::DECIMAL) {
    const int from = scale_of(input.GetType());
    each_decimal(input, count, [&](size_t i, bool valid, types::Int128 v) {
      if (!valid)
        duckdb::FlatVector::SetNull(result, i, true);
      else
        store_decimal(result, i, typmod(v, from));
    });
  } else {
    duckdb::UnifiedVectorFormat format;
    input.ToUnifiedFormat(count, format);
    const auto* data = reinterpret_cast<const string_t*>(format.data);
    for (size_t i = 0; i < count; ++i) {
      const auto at = format.sel->get_index(i);
      if (!format.validity.RowIsValid(at))
        duckdb::FlatVector::SetNull(result, i, true);
      else
        store_decimal(result, i, typmod(read(data[at])));
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

bool is_wide(const LogicalType& decimal) { return decimal.InternalType() == duckdb::PhysicalType::INT128; }

/// Single rows of what is vectorised here.
void add_row_forms(Library& library) {
  library.row_form("numeric", [](const auto& arguments, const LogicalType&) -> RowFunction {
    if (arguments[0].id() != duckdb::LogicalTypeId::DECIMAL) return nullptr;
    return [scale = scale_of(arguments[0]), wide = is_wide(arguments[0])](RowCall& call, const ValueView* a) {
      return write(call, Numeric::from_scaled(wide ? a[0].wide : types::Int128{a[0].integer}, scale));
    };
  });
  library.row_form("numeric_typmod", [](const auto& arguments, const LogicalType& result) -> RowFunction {
    const Typmod typmod(result);
    auto value = [wide = is_wide(result)](types::Int128 v) {
      return wide ? ValueView::of_wide(v) : int_value(static_cast<int64_t>(v));
    };
    if (arguments[0].id() != duckdb::LogicalTypeId::DECIMAL) {
      if (arguments[0].id() != duckdb::LogicalTypeId::BLOB) return nullptr;
      return [typmod, value](RowCall&, const ValueView* a) { return value(typmod(read(a[0]))); };
    }
    return [typmod, value, from = scale_of(arguments[0]), wide = is_wide(arguments[0])](RowCall&, const ValueView* a) {
      return value(typmod(wide ? a[0].wide : types::Int128{a[0].integer}, from));
    };
  });
}

/// Products of more than 18 digits: DECIMAL(min(w1 + w2, 38), s1 + s2).
duckdb::unique_ptr<duckdb::FunctionData> bind_decimal_mul(
    duckdb::ClientContext&, ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  uint8_t w1, s1, w2, s2;
  arguments[0]->return_type.GetDecimalProperties(w1, s1);
  arguments[1]->return_type.GetDecimalProperties(w2, s2);
  function.SetReturnType(
      LogicalType::DECIMAL(static_cast<uint8_t>(std::min(w1 + w2, 38)), static_cast<uint8_t>(s1 + s2)));
  // Operands of 16 and 32 bits are widened by DuckDB's cast; the others are taken as they are, for a cast costs as much as the product.
  constexpr int kNarrowDigits = 9;
  auto taken = [](uint8_t width, uint8_t scale) {
    return LogicalType::DECIMAL(std::max(width, static_cast<uint8_t>(kNarrowDigits + 1)), scale);
  };
  function.arguments[0] = taken(w1, s1);
  function.arguments[1] = taken(w2, s2);
  return nullptr;
}

duckdb::hugeint_t multiply_wide(types::Int128 a, types::Int128 b) {
  const auto narrow = [](types::Int128 v) { return v == static_cast<int64_t>(v); };
  if (narrow(a) && narrow(b)) return to_hugeint(a * b);  // 126 bits at most: no need to look
  types::Int128 r;
  static const types::Int128 limit = power_of_ten(38);
  if (__builtin_mul_overflow(a, b, &r) || r >= limit || r <= -limit) {
    throw duckdb::OutOfRangeException("Overflow in multiplication of DECIMAL(38)");
  }
  return to_hugeint(r);
}

void decimal_mul(DataChunk& args, ExpressionState&, Vector& result) {
  using duckdb::BinaryExecutor;
  using duckdb::hugeint_t;
  const bool narrow_a = args.data[0].GetType().InternalType() == duckdb::PhysicalType::INT64;
  const bool narrow_b = args.data[1].GetType().InternalType() == duckdb::PhysicalType::INT64;
  if (narrow_a && narrow_b) {
    BinaryExecutor::Execute<int64_t, int64_t, hugeint_t>(
        args.data[0], args.data[1], result, args.size(),
        [](int64_t a, int64_t b) { return to_hugeint(static_cast<types::Int128>(a) * b); });
  } else if (narrow_b) {
    BinaryExecutor::Execute<hugeint_t, int64_t, hugeint_t>(
        args.data[0], args.data[1], result, args.size(),
        [](hugeint_t a, int64_t b) { return multiply_wide(from_hugeint(a), b); });
  } else if (narrow_a) {
    BinaryExecutor::Execute<int64_t, hugeint_t, hugeint_t>(
        args.data[0], args.data[1], result, args.size(),
        [](int64_t a, hugeint_t b) { return multiply_wide(a, from_hugeint(b)); });
  } else {
    BinaryExecutor::Execute<hugeint_t, hugeint_t, hugeint_t>(
        args.data[0], args.data[1], result, args.size(),
        [](hugeint_t a, hugeint_t b) { return multiply_wide(from_hugeint(a), from_hugeint(b)); });
  }
}

void add_conversions(Library& library) {
  const LogicalType& n = duck_numeric_type();
  ScalarFunction to_bytes({duckdb::LogicalTypeId::DECIMAL}, n, decimal_to_bytes, keep_argument_type);
  library.scalar("numeric", to_bytes);
  library.row({"numeric", {oid::kNumeric, oid::kInt4}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 Numeric v = read(a[0]);
                 throw_if_error(v.apply_typmod(static_cast<int32_t>(a[1].integer)));
                 return write(call, v);
               }});
  // The type of a null result is known after binding only, so DuckDB must not make the null before.
  ScalarFunction typmod({LogicalType::ANY, LogicalType::INTEGER, LogicalType::INTEGER}, LogicalType::ANY, apply_typmod,
                        bind_typmod);
  typmod.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  library.scalar("numeric_typmod", typmod);
  ScalarFunction product({duckdb::LogicalTypeId::DECIMAL, duckdb::LogicalTypeId::DECIMAL},
                         duckdb::LogicalTypeId::DECIMAL, decimal_mul, bind_decimal_mul);
  product.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  library.scalar("decimal_mul", product);
  library.scalar(
      "numeric_key", ScalarFunction({n}, LogicalType::BLOB, [](DataChunk& args, ExpressionState&, Vector& result) {
        duckdb::UnaryExecutor::Execute<string_t, string_t>(args.data[0], result, args.size(), [&](string_t s) {
          const std::string_view key = types::numeric_key(view_of(s));
          return duckdb::StringVector::AddStringOrBlob(result, key.data(), key.size());
        });
      }));
  library.row({"numeric_int2", {oid::kNumeric}, oid::kInt2, [](RowCall&, const ValueView* a) {
                 int16_t v;
                 throw_if_error(read(a[0]).to_int16(&v));
                 return int_value(v);
               }});
  library.row({"numeric_int4", {oid::kNumeric}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 int32_t v;
                 throw_if_error(read(a[0]).to_int32(&v));
                 return int_value(v);
               }});
  library.row({"numeric_int8", {oid::kNumeric}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 int64_t v;
                 throw_if_error(read(a[0]).to_int64(&v));
                 return int_value(v);
               }});
  library.row({"numeric_float8", {oid::kNumeric}, oid::kFloat8, [](RowCall&, const ValueView* a) {
                 double v;
                 throw_if_error(read(a[0]).to_float8(&v));
                 return real_value(v);
               }});
  library.row({"numeric_float4", {oid::kNumeric}, oid::kFloat4, [](RowCall&, const ValueView* a) {
                 float v;
                 throw_if_error(read(a[0]).to_float4(&v));
                 return real_value(v);
               }});
  library.row({"float8_numeric", {oid::kFloat8}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 return write(call, Numeric::from_float8(a[0].real));
               }});
  library.row({"float4_numeric", {oid::kFloat4}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 return write(call, Numeric::from_float4(static_cast<float>(a[0].real)));
               }});
}

void add_aggregate_helpers(Library& library) {
  // avg: the sum over the count, in numeric's division; null where nothing was counted.
  library.row({"numeric_avg", {oid::kNumeric, oid::kInt8}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 if (a[1].integer == 0) return null_value();
                 const Numeric sum = read(a[0]);
                 Numeric out;
                 throw_if_error(types::numeric_div(sum, Numeric::from_int64(a[1].integer), &out));
                 return write(call, out);
               }});
  // A sum over decimals whose display scale varied by row: the widest that was seen.
  library.scalar("numeric_rescale", ScalarFunction(
                                        {duckdb::LogicalTypeId::DECIMAL, LogicalType::INTEGER}, duck_numeric_type(),
                                        [](DataChunk& args, ExpressionState&, Vector& result) {
                                          const int scale = scale_of(args.data[0].GetType());
                                          duckdb::UnifiedVectorFormat shown;
                                          args.data[1].ToUnifiedFormat(args.size(), shown);
                                          const auto* scales = reinterpret_cast<const int32_t*>(shown.data);
                                          std::string buffer;
                                          result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
                                          auto* out = duckdb::FlatVector::GetData<string_t>(result);
                                          each_decimal(args.data[0], args.size(),
                                                       [&](size_t i, bool valid, types::Int128 v) {
                                                         const auto at = shown.sel->get_index(i);
                                                         if (!valid || !shown.validity.RowIsValid(at)) {
                                                           duckdb::FlatVector::SetNull(result, i, true);
                                                           return;
                                                         }
                                                         Numeric n = Numeric::from_scaled(v, scale);
                                                         n.dscale = scales[at];
                                                         out[i] = write(result, buffer, n);
                                                       });
                                        },
                                        keep_argument_type));
}

/// GREATEST and LEAST of a type that DuckDB does not order as PostgreSQL: the first of equal ones; nulls do not count.
void add_extremes(Library& library, const std::string& type, Oid oid,
                  int (*compare)(const ValueView&, const ValueView&)) {
  for (int sign : {1, -1}) {
    RowSpec spec{
        type + (sign > 0 ? "_greatest" : "_least"), {}, oid, [sign, compare](RowCall& call, const ValueView* a) {
          const ValueView* best = nullptr;
          for (size_t i = 0; i < call.argument_count; ++i) {
            if (!a[i].null && (best == nullptr || compare(a[i], *best) * sign > 0)) best = &a[i];
          }
          return best == nullptr ? null_value() : *best;
        }};
    spec.strict = false;
    spec.tail = oid;
    library.row(std::move(spec));
  }
}

}  // namespace

void add_numeric_functions(Library& library) {
  add_conversions(library);
  add_row_forms(library);
  add_aggregate_helpers(library);
  add_binary(library, "numeric_add", types::numeric_add);
  library.row({"numeric_inc", {oid::kNumeric}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 Numeric sum;
                 throw_if_error(types::numeric_add(read(a[0]), Numeric::from_int64(1), &sum));
                 call.buffer = sum.to_bytes();
                 return call.bytes();
               }});
  add_binary(library, "numeric_sub", types::numeric_sub);
  add_binary(library, "numeric_mul", types::numeric_mul);
  add_binary(library, "numeric_div", types::numeric_div);
  add_binary(library, "numeric_mod", types::numeric_mod);
  add_binary(library, "numeric_div_trunc", types::numeric_div_trunc);
  add_binary(library, "numeric_power", types::numeric_power);
  add_binary(library, "numeric_log", types::numeric_log);
  add_binary(library, "numeric_gcd", types::numeric_gcd);
  add_binary(library, "numeric_lcm", types::numeric_lcm);
  add_unary(library, "numeric_sqrt", types::numeric_sqrt);
  add_unary(library, "numeric_exp", types::numeric_exp);
  add_unary(library, "numeric_ln", types::numeric_ln);
  add_plain(library, "numeric_abs", types::numeric_abs);
  add_plain(library, "numeric_ceil", types::numeric_ceil);
  add_plain(library, "numeric_floor", types::numeric_floor);
  add_plain(library, "numeric_sign", types::numeric_sign);
  add_plain(library, "numeric_trim_scale", types::numeric_trim_scale);
  add_plain(library, "numeric_uminus", [](const Numeric& a, Numeric* out) {
    *out = a;
    out->negate();
  });
  library.row({"numeric_round", {oid::kNumeric, oid::kInt4}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 Numeric out;
                 types::numeric_round(read(a[0]), static_cast<int32_t>(a[1].integer), &out);
                 return write(call, out);
               }});
  library.row({"numeric_trunc", {oid::kNumeric, oid::kInt4}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 Numeric out;
                 types::numeric_trunc(read(a[0]), static_cast<int32_t>(a[1].integer), &out);
                 return write(call, out);
               }});
  add_extremes(library, "numeric", oid::kNumeric, [](const ValueView& a, const ValueView& b) {
    return types::numeric_key(a.bytes).compare(types::numeric_key(b.bytes));
  });
  add_extremes(library, "interval", oid::kInterval,
               [](const ValueView& a, const ValueView& b) { return types::interval_compare(a.interval, b.interval); });
  library.row({"numeric_fac", {oid::kInt8}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                 Numeric out;
                 throw_if_error(types::numeric_factorial(a[0].integer, &out));
                 return write(call, out);
               }});
  library.row({"numeric_scale", {oid::kNumeric}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const Numeric n = read(a[0]);
                 return n.is_finite() ? int_value(n.dscale) : null_value();
               }});
  library.row({"numeric_min_scale", {oid::kNumeric}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const Numeric n = read(a[0]);
                 return n.is_finite() ? int_value(n.min_scale()) : null_value();
               }});
  for (const char* name : {"sql_log", "sql_log10"}) {
    library.row({name, {oid::kNumeric}, oid::kNumeric, [](RowCall& call, const ValueView* a) {
                   Numeric out;
                   throw_if_error(types::numeric_log(Numeric::from_int64(10), read(a[0]), &out));
                   return write(call, out);
                 }});
  }
  library.row({"width_bucket_float8",
               {oid::kFloat8, oid::kFloat8, oid::kFloat8, oid::kInt4},
               oid::kInt4,
               [](RowCall&, const ValueView* a) {
                 const double x = a[0].real, low = a[1].real, high = a[2].real;
                 const auto count = a[3].integer;
                 auto refuse = [](const char* message) {
                   throw SqlError(SqlState::kInvalidArgumentForWidthBucketFunction, message);
                 };
                 if (count <= 0) refuse("count must be greater than zero");
                 if (std::isnan(x) || std::isnan(low) || std::isnan(high))
                   refuse("operand, lower bound, and upper bound cannot be NaN");
                 if (std::isinf(low) || std::isinf(high)) refuse("lower and upper bounds must be finite");
                 if (low == high) refuse("lower bound cannot equal upper bound");
                 const bool up = low < high;
                 int64_t bucket;
                 if (up ? x < low : x > low) {
                   bucket = 0;
                 } else if (up ? x >= high : x <= high) {
                   bucket = count + 1;
                 } else {
                   // Halves keep the spans finite.
                   const double span = std::isinf(high - low) ? 0.5 : 1;
                   bucket = static_cast<int64_t>(static_cast<double>(count) *
                                                 ((x * span - low * span) / (high * span - low * span))) +
                            1;
                 }
                 if (bucket > INT32_MAX) throw SqlError(SqlState::kNumericValueOutOfRange, "integer out of range");
                 return int_value(bucket);
               }});
  library.row({"width_bucket_numeric",
               {oid::kNumeric, oid::kNumeric, oid::kNumeric, oid::kInt4},
               oid::kInt4,
               [](RowCall&, const ValueView* a) {
                 int32_t out;
                 throw_if_error(types::numeric_width_bucket(read(a[0]), read(a[1]), read(a[2]),
                                                            static_cast<int32_t>(a[3].integer), &out));
                 return int_value(out);
               }});
}

}  // namespace omendb::sql::functions
