// Roots, exponentials, logarithms, number theory. Results are computed with guard digits and rounded to the scale that
// PostgreSQL chooses for each function (at least 16 significant digits, never less than the scale of an argument).
#include <algorithm>
#include <cmath>

#include "types/numeric.h"
#include "types/numeric_errors.h"

namespace omendb::types {
namespace {

constexpr int kMinSignificant = 16;
constexpr int kResultScaleMax = 2000;
constexpr double kLog10E = 0.434294481903252;
constexpr double kLn10 = 2.302585092994046;

const Numeric& one() {
  static const Numeric v = Numeric::from_int64(1);
  return v;
}

int clamp_scale(int scale) { return std::min(std::max(scale, 0), Numeric::kDisplayScaleMax); }

// Internal arithmetic: finite arguments, results rounded to `scale` decimals, no range check.
Numeric times(const Numeric& a, const Numeric& b, int scale) {
  Numeric r;
  (void)numeric_mul(a, b, &r).ok();
  r.round(scale);
  return r;
}
Numeric plus(const Numeric& a, const Numeric& b) {
  Numeric r;
  (void)numeric_add(a, b, &r).ok();
  return r;
}
Numeric minus(const Numeric& a, const Numeric& b) {
  Numeric r;
  (void)numeric_sub(a, b, &r).ok();
  return r;
}
Numeric over(const Numeric& a, const Numeric& b, int scale) {
  Numeric r;
  numeric_divide_to_scale(a, b, scale, true, &r);
  return r;
}
// 10^-scale.
Numeric unit(int scale) { return Numeric::from_scaled(1, std::max(scale, 0)); }

// Decimal weight of ln(x), roughly, by which the scales below are chosen. x > 0.
int ln_weight(const Numeric& x) {
  if (x.sign() <= 0) return 0;
  if (Numeric::compare(x, Numeric::from_scaled(9, 1)) >= 0 && Numeric::compare(x, Numeric::from_scaled(11, 1)) <= 0) {
    Numeric d = minus(x, one());
    return d.digits.empty() ? 0 : d.weight * 4 + static_cast<int>(std::log10(static_cast<double>(d.digits[0])));
  }
  int64_t digits = x.digits[0];
  int power = x.weight * 4;
  if (x.digits.size() > 1) {
    digits = digits * Numeric::kBase + x.digits[1];
    power -= 4;
  }
  double ln = std::log(static_cast<double>(digits)) + power * kLn10;
  return static_cast<int>(std::log10(std::fabs(ln)));
}

// ln(x) to `scale` decimals. x > 0. Square roots bring x near 1, a series does the rest.
Numeric ln_to_scale(const Numeric& arg, int scale) {
  Numeric x = arg;
  int roots = 0;
  int local = scale + 12;
  const Numeric low = Numeric::from_scaled(9, 1), high = Numeric::from_scaled(11, 1);
  // Each root halves the logarithm: as many guard digits as it takes to double it back.
  {
    double size = std::fabs((x.weight + 1) * 4 * kLn10) + 2;
    local += static_cast<int>(std::log10(size)) + 4;
  }
  while (Numeric::compare(x, low) <= 0 || Numeric::compare(x, high) >= 0) {
    int s = local - x.weight * 4;
    x = numeric_root_to_scale(x, std::max(local, s / 2));
    ++roots;
  }
  Numeric z = over(minus(x, one()), plus(x, one()), local);
  Numeric square = times(z, z, local);
  Numeric sum = z, power = z;
  Numeric limit = unit(local);
  for (int64_t n = 3;; n += 2) {
    power = times(power, square, local);
    Numeric term = over(power, Numeric::from_int64(n), local);
    if (term.digits.empty()) break;
    sum = plus(sum, term);
  }
  Numeric factor = Numeric::from_int64(2);
  for (int i = 0; i < roots; ++i) factor = plus(factor, factor);
  return times(sum, factor, scale);
}

// exp(x) to `scale` decimals. Errors: overflow.
Status exp_to_scale(const Numeric& arg, int scale, Numeric* out) {
  double value = arg.approximate();
  if (std::fabs(value) >= kResultScaleMax * 3) {
    if (value > 0) return internal::numeric_overflow();
    *out = Numeric();
    out->dscale = scale;
    return {};
  }
  int weight = static_cast<int>(value * kLog10E);
  Numeric x = arg;
  int halvings = 0;
  if (std::fabs(value) > 0.01) {
    halvings = 1;
    value /= 2;
    while (std::fabs(value) > 0.01) {
      ++halvings;
      value /= 2;
    }
  }
  int significant = std::max(1 + weight + scale + static_cast<int>(halvings * 0.301029995663981), 0) + 10;
  int local = significant + 2;
  if (halvings > 0) {
    Numeric divisor = Numeric::from_int64(1);
    for (int i = 0; i < halvings; ++i) divisor = plus(divisor, divisor);
    x = over(x, divisor, local);
  }
  Numeric sum = plus(one(), x);
  Numeric power = x;
  for (int64_t n = 2; !power.digits.empty(); ++n) {
    power = over(times(power, x, local), Numeric::from_int64(n), local);
    sum = plus(sum, power);
  }
  sum.round(local);
  for (int i = 0; i < halvings; ++i) {
    int s = significant - sum.weight * 2 * 4;
    sum = times(sum, sum, std::max(s, 0) + 4);
  }
  sum.round(scale);
  *out = std::move(sum);
  return {};
}

Status power_integer(const Numeric& base, int exponent, int scale, Numeric* out) {
  switch (exponent) {
    case 0:
      *out = one();
      out->dscale = scale;
      return {};
    case 1:
      *out = base;
      out->round(scale);
      return {};
    case -1:
      if (base.digits.empty()) return internal::division_by_zero();
      *out = over(one(), base, scale);
      return {};
    case 2: *out = times(base, base, scale); return {};
    default: break;
  }
  if (base.digits.empty()) {
    if (exponent < 0) return internal::division_by_zero();
    *out = Numeric();
    out->dscale = scale;
    return {};
  }
  double f = base.digits[0];
  int p = base.weight * 4;
  for (size_t i = 1; i < base.digits.size() && i * 4 < 16; ++i) {
    f = f * Numeric::kBase + base.digits[i];
    p -= 4;
  }
  f = exponent * (std::log10(f) + p);
  if (f > 3.0 * INT16_MAX * 4) return internal::numeric_overflow();
  if (f + 1 < -scale || f + 1 < -Numeric::kDisplayScaleMax) {
    *out = Numeric();
    out->dscale = scale;
    return {};
  }
  int significant = std::max(1 + scale + static_cast<int>(f), 0) +
                    static_cast<int>(std::log(std::fabs(static_cast<double>(exponent)))) + 12;
  bool inverse = exponent < 0;
  uint32_t mask = inverse ? 0U - static_cast<uint32_t>(exponent) : static_cast<uint32_t>(exponent);
  Numeric square = base, result = (mask & 1) ? base : one();
  auto local = [&](const Numeric& a, const Numeric& b) { return std::max(significant - (a.weight + b.weight) * 4, 0); };
  while ((mask >>= 1) != 0) {
    square = times(square, square, std::min(local(square, square), 2 * square.dscale));
    if (mask & 1) result = times(result, square, std::min(local(result, square), result.dscale + square.dscale));
    if (square.weight > 32767 || result.weight > 32767) {
      if (!inverse) return internal::numeric_overflow();
      *out = Numeric();
      out->dscale = scale;
      return {};
    }
    if (result.digits.empty()) break;
  }
  if (inverse) {
    if (result.digits.empty()) return internal::numeric_overflow();
    *out = over(one(), result, scale);
  } else {
    result.round(scale);
    *out = std::move(result);
  }
  return {};
}

}  // namespace

Numeric numeric_root_to_scale(const Numeric& x, int scale) {
  Numeric r;
  if (x.digits.empty()) {
    r.dscale = std::max(scale, 0);
    return r;
  }
  // First guess from the leading digits, with an even power of the base taken out.
  int half = x.weight >= 0 ? x.weight / 2 : -((-x.weight + 1) / 2);
  Numeric mantissa = x;
  mantissa.weight -= 2 * half;
  double guess = std::sqrt(mantissa.approximate());
  Numeric s = Numeric::from_float8(guess);
  s.weight += half;
  int local = scale + 6;
  s.dscale = std::max(local, 0);
  int digits_wanted = std::max(0, (s.weight + 1) * 4 + local);
  for (int good = 12; good < digits_wanted + 2; good *= 2) {
    Numeric q = over(x, s, local);
    s = times(plus(s, q), Numeric::from_scaled(5, 1), local);
  }
  // Settle the last digit exactly.
  Numeric step = unit(scale);
  s.truncate(scale);
  Numeric square;
  for (;;) {
    (void)numeric_mul(s, s, &square).ok();
    if (Numeric::compare(square, x) <= 0) break;
    s = minus(s, step);
  }
  for (;;) {
    Numeric next = plus(s, step);
    (void)numeric_mul(next, next, &square).ok();
    if (Numeric::compare(square, x) > 0) break;
    s = next;
  }
  Numeric middle = plus(s, times(step, Numeric::from_scaled(5, 1), scale + 1));
  (void)numeric_mul(middle, middle, &square).ok();
  if (Numeric::compare(square, x) <= 0) s = plus(s, step);
  s.dscale = std::max(scale, 0);
  return s;
}

Status numeric_sqrt(const Numeric& x, Numeric* out) {
  if (x.sign() < 0) {
    return Status(SqlState::kInvalidArgumentForPowerFunction, "cannot take square root of a negative number");
  }
  if (!x.is_finite()) {
    *out = x;
    return {};
  }
  int weight = (x.weight + 1) * 4 / 2 - 1;
  *out = numeric_root_to_scale(x, clamp_scale(std::max(kMinSignificant - weight, x.dscale)));
  return out->check_range();
}

Status numeric_exp(const Numeric& x, Numeric* out) {
  if (!x.is_finite()) {
    *out = x.kind == Numeric::Kind::kNegInf ? Numeric() : x;
    return {};
  }
  double value = std::clamp(x.approximate() * kLog10E, -static_cast<double>(kResultScaleMax),
                            static_cast<double>(kResultScaleMax));
  Numeric r;
  RETURN_IF_ERROR(exp_to_scale(x, clamp_scale(std::max(kMinSignificant - static_cast<int>(value), x.dscale)), &r));
  *out = std::move(r);
  return out->check_range();
}

namespace {
Status check_logarithm(const Numeric& x) {
  if (x.is_nan()) return {};
  if (x.sign() < 0) return Status(SqlState::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  if (x.sign() == 0) return Status(SqlState::kInvalidArgumentForLog, "cannot take logarithm of zero");
  return {};
}
}  // namespace

Status numeric_ln(const Numeric& x, Numeric* out) {
  RETURN_IF_ERROR(check_logarithm(x));
  if (!x.is_finite()) {
    *out = x;
    return {};
  }
  *out = ln_to_scale(x, clamp_scale(std::max(kMinSignificant - ln_weight(x), x.dscale)));
  return out->check_range();
}

Status numeric_log(const Numeric& base, const Numeric& x, Numeric* out) {
  if (base.is_nan() || x.is_nan()) {
    *out = Numeric::nan();
    return {};
  }
  if (base.is_finite() && x.is_finite()) RETURN_IF_ERROR(check_logarithm(base));
  if (base.sign() < 0 || x.sign() < 0) {
    return Status(SqlState::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  }
  if (base.sign() == 0 || x.sign() == 0) {
    return Status(SqlState::kInvalidArgumentForLog, "cannot take logarithm of zero");
  }
  if (base.is_inf() || x.is_inf()) {
    if (base.is_inf() && x.is_inf())
      *out = Numeric::nan();
    else
      *out = base.is_inf() ? Numeric() : x;
    return {};
  }
  int base_weight = ln_weight(base), x_weight = ln_weight(x);
  int weight = x_weight - base_weight;
  int scale = clamp_scale(std::max({kMinSignificant - weight, base.dscale, x.dscale}));
  Numeric ln_base = ln_to_scale(base, std::max(scale + weight - base_weight + 12, 0));
  Numeric ln_x = ln_to_scale(x, std::max(scale + weight - x_weight + 12, 0));
  if (ln_base.digits.empty()) return internal::division_by_zero();
  *out = over(ln_x, ln_base, scale);
  return out->check_range();
}

Status numeric_power(const Numeric& base, const Numeric& exponent, Numeric* out) {
  auto complex = [] {
    return Status(SqlState::kInvalidArgumentForPowerFunction,
                  "a negative number raised to a non-integer power yields a complex result");
  };
  auto zero_negative = [] {
    return Status(SqlState::kInvalidArgumentForPowerFunction, "zero raised to a negative power is undefined");
  };
  if (!base.is_finite() || !exponent.is_finite()) {
    if (base.is_nan() && exponent.is_zero()) {
      *out = one();
      return {};
    }
    if (exponent.is_nan() && base.is_finite() && Numeric::compare(base, one()) == 0) {
      *out = one();
      return {};
    }
    if (base.is_nan() || exponent.is_nan()) {
      *out = Numeric::nan();
      return {};
    }
    int sign = base.sign(), exponent_sign = exponent.sign();
    if (sign == 0 && exponent_sign < 0) return zero_negative();
    if (sign < 0 && exponent.is_finite() && !exponent.is_integer()) return complex();
    if (base.is_finite() && Numeric::compare(base, one()) == 0) {
      *out = one();
      return {};
    }
    if (exponent_sign == 0) {
      *out = one();
      return {};
    }
    if (sign == 0) {
      *out = Numeric();
      return {};
    }
    if (exponent.is_inf()) {
      bool large = base.is_inf();
      if (base.is_finite()) {
        Numeric size;
        numeric_abs(base, &size);
        int c = Numeric::compare(size, one());
        if (c == 0) {
          *out = one();
          return {};
        }
        large = c > 0;
      }
      *out = large == (exponent_sign > 0) ? Numeric::infinity() : Numeric();
      return {};
    }
    if (exponent_sign < 0) {
      *out = Numeric();
      return {};
    }
    // An infinite base and a positive finite exponent: an odd integer keeps the sign.
    bool odd = exponent.is_integer() && static_cast<int>(exponent.digits.size()) == exponent.weight + 1 &&
               exponent.digits.back() % 2 != 0;
    *out = Numeric::infinity(sign < 0 && odd);
    return {};
  }

  if (base.is_zero() && exponent.negative) return zero_negative();
  Numeric r;
  if (exponent.is_integer()) {
    Int128 n = 0;
    if (exponent.to_scaled(0, &n) && n >= INT32_MIN && n <= INT32_MAX) {
      RETURN_IF_ERROR(
          power_integer(base, static_cast<int>(n), clamp_scale(std::max(kMinSignificant, base.dscale)), &r));
      *out = std::move(r);
      return out->check_range();
    }
  }
  if (base.is_zero()) {
    *out = Numeric();
    out->dscale = kMinSignificant;
    return {};
  }
  bool negative = false;
  Numeric size = base;
  if (base.negative) {
    if (!exponent.is_integer()) return complex();
    negative = static_cast<int>(exponent.digits.size()) == exponent.weight + 1 && exponent.digits.back() % 2 != 0;
    size.negative = false;
  }
  int weight = ln_weight(size);
  Numeric ln = ln_to_scale(size, std::max(8 - weight, 0));
  Numeric product;
  RETURN_IF_ERROR(numeric_mul(ln, exponent, &product));
  double value = product.approximate();
  if (std::fabs(value) > kResultScaleMax * 3.01) {
    if (value > 0) return internal::numeric_overflow();
    *out = Numeric();
    out->dscale = Numeric::kDisplayScaleMax;
    return {};
  }
  value *= kLog10E;
  int scale = clamp_scale(std::max({kMinSignificant - static_cast<int>(value), base.dscale, exponent.dscale}));
  int significant = std::max(scale + static_cast<int>(value), 0) + 12;
  int exponent_digits = std::max((exponent.weight + 1) * 4, 0);
  ln = ln_to_scale(size, std::max(significant - weight + 8 + exponent_digits, 0));
  product = times(ln, exponent, significant + 8);
  RETURN_IF_ERROR(exp_to_scale(product, scale, &r));
  if (negative) r.negate();
  *out = std::move(r);
  return out->check_range();
}

Status numeric_gcd(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    *out = Numeric::nan();
    return {};
  }
  Numeric x, y;
  numeric_abs(a, &x);
  numeric_abs(b, &y);
  int scale = std::max(a.dscale, b.dscale);
  while (!y.digits.empty()) {
    Numeric rest;
    RETURN_IF_ERROR(numeric_mod(x, y, &rest));
    x = std::move(y);
    y = std::move(rest);
  }
  x.dscale = scale;
  *out = std::move(x);
  return {};
}

Status numeric_lcm(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    *out = Numeric::nan();
    return {};
  }
  Numeric r;
  int scale = std::max(a.dscale, b.dscale);
  if (!a.digits.empty() && !b.digits.empty()) {
    Numeric common, part;
    RETURN_IF_ERROR(numeric_gcd(a, b, &common));
    numeric_divide_to_scale(a, common, 0, false, &part);
    RETURN_IF_ERROR(numeric_mul(part, b, &r));
    r.negative = false;
  }
  r.dscale = scale;
  *out = std::move(r);
  return out->check_range();
}

Status numeric_factorial(int64_t n, Numeric* out) {
  if (n < 0) return Status(SqlState::kNumericValueOutOfRange, "factorial of a negative number is undefined");
  if (n > 32177) return internal::numeric_overflow();
  Numeric r = one();
  Int128 batch = 1;
  for (int64_t i = 2; i <= n; ++i) {
    batch *= i;
    if (batch > (static_cast<Int128>(1) << 100) || i == n) {
      RETURN_IF_ERROR(numeric_mul(r, Numeric::from_scaled(batch, 0), &r));
      batch = 1;
    }
  }
  *out = std::move(r);
  return {};
}

Status numeric_width_bucket(const Numeric& x, const Numeric& low, const Numeric& high, int32_t count, int32_t* out) {
  auto invalid = [](const char* message) { return Status(SqlState::kInvalidArgumentForWidthBucketFunction, message); };
  if (count <= 0) return invalid("count must be greater than zero");
  if (x.is_nan() || low.is_nan() || high.is_nan()) {
    return invalid("operand, lower bound, and upper bound cannot be NaN");
  }
  if (low.is_inf() || high.is_inf()) return invalid("lower and upper bounds must be finite");
  int order = Numeric::compare(low, high);
  if (order == 0) return invalid("lower bound cannot equal upper bound");
  int at_low = Numeric::compare(x, low), at_high = Numeric::compare(x, high);
  if (order > 0) {
    at_low = -at_low;
    at_high = -at_high;
  }
  if (at_low < 0) {
    *out = 0;
    return {};
  }
  if (at_high >= 0) {
    if (count == INT32_MAX) return Status(SqlState::kNumericValueOutOfRange, "integer out of range");
    *out = count + 1;
    return {};
  }
  Numeric above, width, scaled, bucket;
  RETURN_IF_ERROR(numeric_sub(x, low, &above));
  RETURN_IF_ERROR(numeric_sub(high, low, &width));
  above.negative = width.negative = false;
  RETURN_IF_ERROR(numeric_mul(above, Numeric::from_int64(count), &scaled));
  RETURN_IF_ERROR(numeric_div(scaled, width, &bucket));
  bucket.truncate(0);
  RETURN_IF_ERROR(numeric_add(bucket, one(), &bucket));
  RETURN_IF_ERROR(bucket.to_int32(out));
  return {};
}

}  // namespace omendb::types
