// Integers and floats: division, overflow, and the markers of constants.
#include <cmath>
#include <limits>

#include "sql/functions/library.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using duckdb::ScalarFunction;

namespace {

[[noreturn]] void out_of_range(const char* type) {
  throw SqlError(SqlState::kNumericValueOutOfRange, std::string(type) + " out of range");
}
[[noreturn]] void division_by_zero() { throw SqlError(SqlState::kDivisionByZero, "division by zero"); }
[[noreturn]] void float_overflow() {
  throw SqlError(SqlState::kNumericValueOutOfRange, "value out of range: overflow");
}
[[noreturn]] void float_underflow() {
  throw SqlError(SqlState::kNumericValueOutOfRange, "value out of range: underflow");
}

template <class T>
constexpr const char* type_word() {
  return sizeof(T) == 2 ? "smallint" : sizeof(T) == 4 ? "integer" : "bigint";
}

template <class T>
T divide(T a, T b) {
  if (b == 0) division_by_zero();
  if (b == -1) {
    if (a == std::numeric_limits<T>::min()) out_of_range(type_word<T>());
    return static_cast<T>(-a);
  }
  return static_cast<T>(a / b);
}
template <class T>
T modulo(T a, T b) {
  if (b == 0) division_by_zero();
  if (b == -1) return 0;
  return static_cast<T>(a % b);
}
template <class T>
T absolute(T a) {
  if (a == std::numeric_limits<T>::min()) out_of_range(type_word<T>());
  return static_cast<T>(a < 0 ? -a : a);
}
template <class T>
T shift_left(T a, int32_t n) {
  const auto bits = static_cast<uint32_t>(sizeof(T) == 8 ? 63 : 31);
  const uint32_t by = static_cast<uint32_t>(n) & bits;
  if constexpr (sizeof(T) == 2)
    return static_cast<T>(static_cast<uint32_t>(static_cast<int32_t>(a)) << by);
  else
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << by);
}
template <class T>
T shift_right(T a, int32_t n) {
  const auto bits = static_cast<uint32_t>(sizeof(T) == 8 ? 63 : 31);
  const uint32_t by = static_cast<uint32_t>(n) & bits;
  return static_cast<T>(static_cast<int64_t>(a) >> by);
}
template <class T>
T gcd(T a, T b) {
  // The least value has no absolute value, but its divisors have.
  auto x = a < 0 ? static_cast<T>(a) : static_cast<T>(-a);
  auto y = b < 0 ? static_cast<T>(b) : static_cast<T>(-b);
  while (y != 0) {
    if (y == -1) {
      x = -1;
      break;
    }
    const T t = static_cast<T>(x % y);
    x = y;
    y = t;
  }
  if (x == std::numeric_limits<T>::min()) out_of_range(type_word<T>());
  return static_cast<T>(-x);
}
template <class T>
T lcm(T a, T b) {
  if (a == 0 || b == 0) return 0;
  T reduced = static_cast<T>(a / gcd(a, b)), result;
  if (__builtin_mul_overflow(reduced, b, &result) || result == std::numeric_limits<T>::min())
    out_of_range(type_word<T>());
  return static_cast<T>(result < 0 ? -result : result);
}

template <class T>
void add_integer(Library& library, const std::string& prefix, const LogicalType& type) {
  library.scalar(prefix + "div",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return divide(a, b); })));
  library.scalar(prefix + "mod",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return modulo(a, b); })));
  library.scalar(prefix + "abs", ScalarFunction({type}, type, unary<T, T>([](T a) { return absolute(a); })));
  library.scalar(prefix + "shl",
                 ScalarFunction({type, LogicalType::INTEGER}, type,
                                binary<T, int32_t, T>([](T a, int32_t n) { return shift_left(a, n); })));
  library.scalar(prefix + "shr",
                 ScalarFunction({type, LogicalType::INTEGER}, type,
                                binary<T, int32_t, T>([](T a, int32_t n) { return shift_right(a, n); })));
  library.scalar(prefix + "gcd",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return gcd(a, b); })));
  library.scalar(prefix + "lcm",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return lcm(a, b); })));
  library.scalar(prefix + "larger",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return a > b ? a : b; })));
  library.scalar(prefix + "smaller",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return a < b ? a : b; })));
  library.scalar("const_" + prefix, ScalarFunction({type}, type, ScalarFunction::NopFunction));
}

// --- Floats: PostgreSQL fails where IEEE arithmetic goes to infinity or zero ---

template <class T>
T checked(T result, bool inputs_infinite, bool zero_is_valid) {
  if (std::isinf(result) && !inputs_infinite) float_overflow();
  if (result == 0 && !zero_is_valid) float_underflow();
  return result;
}
template <class T>
T add(T a, T b) {
  return checked<T>(a + b, std::isinf(a) || std::isinf(b), true);
}
template <class T>
T subtract(T a, T b) {
  return checked<T>(a - b, std::isinf(a) || std::isinf(b), true);
}
template <class T>
T multiply(T a, T b) {
  return checked<T>(a * b, std::isinf(a) || std::isinf(b), a == 0 || b == 0);
}
template <class T>
T float_divide(T a, T b) {
  if (b == 0 && !std::isnan(a)) division_by_zero();
  return checked<T>(a / b, std::isinf(a), a == 0 || std::isinf(b));
}

template <class T>
void add_float(Library& library, const std::string& prefix, const LogicalType& type) {
  library.scalar(prefix + "pl",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return add(a, b); })));
  library.scalar(prefix + "mi",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return subtract(a, b); })));
  library.scalar(prefix + "mul",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return multiply(a, b); })));
  library.scalar(prefix + "div",
                 ScalarFunction({type, type}, type, binary<T, T, T>([](T a, T b) { return float_divide(a, b); })));
  library.scalar(prefix + "um", ScalarFunction({type}, type, unary<T, T>([](T a) { return -a; })));
  library.scalar(prefix + "abs", ScalarFunction({type}, type, unary<T, T>([](T a) { return std::fabs(a); })));
}

using Unary = double (*)(double);

void add_double(Library& library, const std::string& name, Unary f) {
  library.scalar(name, ScalarFunction({LogicalType::DOUBLE}, LogicalType::DOUBLE, unary<double, double>(f)));
}

[[noreturn]] void bad_argument(SqlState state, const char* message) { throw SqlError(state, message); }
[[noreturn]] void input_out_of_range() { throw SqlError(SqlState::kNumericValueOutOfRange, "input is out of range"); }

double power(double x, double y) {
  if (std::isnan(x)) return y == 0 ? 1 : x;
  if (std::isnan(y)) return x == 1 ? 1 : y;
  if (x == 0 && y < 0)
    bad_argument(SqlState::kInvalidArgumentForPowerFunction, "zero raised to a negative power is undefined");
  if (x < 0 && std::floor(y) != y) {
    bad_argument(SqlState::kInvalidArgumentForPowerFunction,
                 "a negative number raised to a non-integer power yields a complex result");
  }
  const double r = std::pow(x, y);
  if (std::isinf(x) || std::isinf(y)) return r;
  if (std::isinf(r)) float_overflow();
  if (r == 0 && x != 0) float_underflow();
  return r;
}

double logarithm(double x, double (*f)(double)) {
  if (x == 0) bad_argument(SqlState::kInvalidArgumentForLog, "cannot take logarithm of zero");
  if (x < 0) bad_argument(SqlState::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  return f(x);
}

double trigonometric(double x, double (*f)(double)) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) input_out_of_range();
  const double r = f(x);
  if (std::isinf(r)) float_overflow();
  return r;
}
double in_unit(double x, double (*f)(double)) {
  if (std::isnan(x)) return x;
  if (x < -1 || x > 1) input_out_of_range();
  return f(x);
}

// Sine, cosine and their inverses over the first quadrant of degrees, scaled so that 30, 45 and 60 give what school says.
constexpr double kDegree = M_PI / 180.0;
const double kSin30 = std::sin(30.0 * kDegree), kCos60Gap = 1.0 - std::cos(60.0 * kDegree);
const double kAsinHalf = std::asin(0.5), kAcosHalf = std::acos(0.5), kAtan1 = std::atan(1.0);

double small_sine(double degrees) { return std::sin(degrees * kDegree) / kSin30 / 2.0; }                     // to 30
double small_cosine(double degrees) { return 1.0 - (1.0 - std::cos(degrees * kDegree)) / kCos60Gap / 2.0; }  // to 60
double quadrant_sine(double degrees) { return degrees <= 30.0 ? small_sine(degrees) : small_cosine(90.0 - degrees); }
double quadrant_cosine(double degrees) { return degrees <= 60.0 ? small_cosine(degrees) : small_sine(90.0 - degrees); }

double sine_of_degrees(double d) {
  double sign = 1;
  if (d < 0) d = -d, sign = -sign;
  if (d > 180) d = 360 - d, sign = -sign;
  return sign * quadrant_sine(d > 90 ? 180 - d : d);
}
double cosine_of_degrees(double d) {
  d = std::fabs(d);
  if (d > 180) d = 360 - d;
  return d > 90 ? -quadrant_cosine(180 - d) : quadrant_cosine(d);
}
double tangent_of_degrees(double d, bool inverse) {
  double sign = 1;
  if (d < 0) d = -d, sign = -sign;
  if (d > 180) d = 360 - d, sign = -sign;
  if (d > 90) d = 180 - d, sign = -sign;
  auto ratio = [&](double degrees) {
    const double sine = quadrant_sine(degrees), cosine = quadrant_cosine(degrees);
    return inverse ? cosine / sine : sine / cosine;
  };
  const double result = sign * (ratio(d) / ratio(45.0));
  return result == 0 ? 0 : result;  // never minus zero
}
double degrees_in(double x, double (*f)(double)) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) input_out_of_range();
  return f(std::fmod(x, 360.0));
}
double arc_sine_degrees(double x) {
  return x <= 0.5 ? std::asin(x) / kAsinHalf * 30.0 : 90.0 - std::acos(x) / kAcosHalf * 60.0;
}
double arc_cosine_degrees(double x) {
  return x <= 0.5 ? 90.0 - std::asin(x) / kAsinHalf * 30.0 : std::acos(x) / kAcosHalf * 60.0;
}

double cube_root(double x) { return std::cbrt(x); }
double square_root(double x) {
  if (x < 0) bad_argument(SqlState::kInvalidArgumentForPowerFunction, "cannot take square root of a negative number");
  return std::sqrt(x);
}

template <class To>
To round_to_integer(double x, const char* type) {
  x = std::rint(x);
  // The upper bound itself is not a value of the type, and is exact as a double.
  if (!(x >= static_cast<double>(std::numeric_limits<To>::min()) &&
        x < -static_cast<double>(std::numeric_limits<To>::min()))) {
    out_of_range(type);
  }
  return static_cast<To>(x);
}

float to_float(double x) {
  const float r = static_cast<float>(x);
  if (std::isinf(r) && !std::isinf(x)) float_overflow();
  if (r == 0 && x != 0) float_underflow();
  return r;
}

template <class From, class To>
To narrowed(From v) {
  if (v < std::numeric_limits<To>::min() || v > std::numeric_limits<To>::max()) out_of_range(type_word<To>());
  return static_cast<To>(v);
}

/// DuckDB's own would be right too, but its optimiser takes a narrowing cast out of a comparison, and the error with it.
void add_integer_casts(Library& library) {
  const LogicalType &i2 = LogicalType::SMALLINT, &i4 = LogicalType::INTEGER, &i8 = LogicalType::BIGINT;
  library.scalar(
      "int82",
      ScalarFunction({i8}, i2, unary<int64_t, int16_t>([](int64_t v) { return narrowed<int64_t, int16_t>(v); })));
  library.scalar(
      "int84",
      ScalarFunction({i8}, i4, unary<int64_t, int32_t>([](int64_t v) { return narrowed<int64_t, int32_t>(v); })));
  library.scalar(
      "i4toi2",
      ScalarFunction({i4}, i2, unary<int32_t, int16_t>([](int32_t v) { return narrowed<int32_t, int16_t>(v); })));
}

void add_float_casts(Library& library) {
  const LogicalType& d = LogicalType::DOUBLE;
  const LogicalType& f = LogicalType::FLOAT;
  library.scalar("dtoi2", ScalarFunction({d}, LogicalType::SMALLINT, unary<double, int16_t>([](double x) {
                                           return round_to_integer<int16_t>(x, "smallint");
                                         })));
  library.scalar("dtoi4", ScalarFunction({d}, LogicalType::INTEGER, unary<double, int32_t>([](double x) {
                                           return round_to_integer<int32_t>(x, "integer");
                                         })));
  library.scalar("dtoi8", ScalarFunction({d}, LogicalType::BIGINT, unary<double, int64_t>([](double x) {
                                           return round_to_integer<int64_t>(x, "bigint");
                                         })));
  library.scalar("ftoi2", ScalarFunction({f}, LogicalType::SMALLINT, unary<float, int16_t>([](float x) {
                                           return round_to_integer<int16_t>(x, "smallint");
                                         })));
  library.scalar("ftoi4", ScalarFunction({f}, LogicalType::INTEGER, unary<float, int32_t>([](float x) {
                                           return round_to_integer<int32_t>(x, "integer");
                                         })));
  library.scalar("ftoi8", ScalarFunction({f}, LogicalType::BIGINT, unary<float, int64_t>([](float x) {
                                           return round_to_integer<int64_t>(x, "bigint");
                                         })));
  library.scalar("dtof", ScalarFunction({d}, f, unary<double, float>([](double x) { return to_float(x); })));
}

void add_float_functions(Library& library) {
  add_double(library, "dround", [](double x) { return std::rint(x); });
  add_double(library, "dtrunc", [](double x) { return std::trunc(x); });
  add_double(library, "dceil", [](double x) { return std::ceil(x); });
  add_double(library, "dfloor", [](double x) { return std::floor(x); });
  add_double(library, "dsign", [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; });
  add_double(library, "dsqrt", square_root);
  add_double(library, "dcbrt", cube_root);
  add_double(library, "dexp", [](double x) {
    if (std::isnan(x)) return x;
    if (std::isinf(x)) return x > 0 ? x : 0.0;
    const double r = std::exp(x);
    if (std::isinf(r)) float_overflow();
    if (r == 0) float_underflow();
    return r;
  });
  add_double(library, "dlog1", [](double x) { return logarithm(x, std::log); });
  add_double(library, "dlog10", [](double x) { return logarithm(x, std::log10); });
  add_double(library, "dsin", [](double x) { return trigonometric(x, std::sin); });
  add_double(library, "dcos", [](double x) { return trigonometric(x, std::cos); });
  add_double(library, "dtan", [](double x) { return trigonometric(x, std::tan); });
  add_double(library, "dcot", [](double x) {
    if (std::isnan(x)) return x;
    if (std::isinf(x)) input_out_of_range();
    return 1.0 / std::tan(x);
  });
  // Of degrees: exact at multiples of 30 (of 45 for the tangents), as PostgreSQL's are.
  add_double(library, "dsind", [](double x) { return degrees_in(x, [](double d) { return sine_of_degrees(d); }); });
  add_double(library, "dcosd", [](double x) { return degrees_in(x, [](double d) { return cosine_of_degrees(d); }); });
  add_double(library, "dtand",
             [](double x) { return degrees_in(x, [](double d) { return tangent_of_degrees(d, false); }); });
  add_double(library, "dcotd",
             [](double x) { return degrees_in(x, [](double d) { return tangent_of_degrees(d, true); }); });
  add_double(library, "dasind", [](double x) {
    return in_unit(x, [](double v) { return v >= 0 ? arc_sine_degrees(v) : -arc_sine_degrees(-v); });
  });
  add_double(library, "dacosd", [](double x) {
    return in_unit(x, [](double v) { return v >= 0 ? arc_cosine_degrees(v) : 90.0 + arc_sine_degrees(-v); });
  });
  add_double(library, "datand", [](double x) { return std::atan(x) / kAtan1 * 45.0; });
  add_double(library, "dasin", [](double x) { return in_unit(x, std::asin); });
  add_double(library, "dacos", [](double x) { return in_unit(x, std::acos); });
  add_double(library, "datan", [](double x) { return std::atan(x); });
  add_double(library, "dsinh", [](double x) { return std::sinh(x); });
  add_double(library, "dcosh", [](double x) { return std::cosh(x); });
  add_double(library, "dtanh", [](double x) { return std::tanh(x); });
  add_double(library, "dasinh", [](double x) { return std::asinh(x); });
  add_double(library, "dacosh", [](double x) {
    if (x < 1) input_out_of_range();
    return std::acosh(x);
  });
  add_double(library, "datanh", [](double x) {
    if (x < -1 || x > 1) input_out_of_range();
    if (x == -1) return -std::numeric_limits<double>::infinity();
    if (x == 1) return std::numeric_limits<double>::infinity();
    return std::atanh(x);
  });
  add_double(library, "degrees", [](double x) { return checked<double>(x / (M_PI / 180.0), std::isinf(x), x == 0); });
  add_double(library, "radians", [](double x) { return x * (M_PI / 180.0); });
  const LogicalType& d = LogicalType::DOUBLE;
  library.scalar(
      "dpow",
      ScalarFunction({d, d}, d, binary<double, double, double>([](double a, double b) { return power(a, b); })));
  library.scalar(
      "datan2",
      ScalarFunction({d, d}, d, binary<double, double, double>([](double a, double b) { return std::atan2(a, b); })));
  library.scalar("datan2d", ScalarFunction({d, d}, d, binary<double, double, double>([](double a, double b) {
                                             return std::atan2(a, b) / kAtan1 * 45.0;
                                           })));
  library.row({"dpi", {}, types::oid::kFloat8, [](RowCall&, const types::ValueView*) { return real_value(M_PI); }});
}

}  // namespace

void add_core_functions(Library& library) {
  add_integer<int16_t>(library, "int2", LogicalType::SMALLINT);
  add_integer<int32_t>(library, "int4", LogicalType::INTEGER);
  add_integer<int64_t>(library, "int8", LogicalType::BIGINT);
  add_float<float>(library, "float4", LogicalType::FLOAT);
  add_float<double>(library, "float8", LogicalType::DOUBLE);
  add_float_functions(library);
  add_float_casts(library);
  add_integer_casts(library);
}

}  // namespace omendb::sql::functions
