// Roots, exponentials, logarithms, number theory. Results are computed with guard digits and rounded to the scale that
// PostgreSQL chooses for each function (at least 16 significant digits, never less than the scale of an argument).
#include <algorithm>
#include <cmath>

#include "types/numeric.h"

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
Status overflow() { return Status(SqlState::kNumericValueOutOfRange, "value overflows numeric format"); }

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
Numeric unit(int scale) {
  Numeric r;
  int w = -((scale + 3) / 4);
  static constexpr int kPow[] = {1, 10, 100, 1000};
  r.weight = scale <= 0 ? 0 : w;
  r.digits.push_back(static_cast<int16_t>(scale <= 0 ? 1 : kPow[-w * 4 - scale]));
  r.dscale = std::max(scale, 0);
  return r;
}
// Nearest double of a number whose size does not matter to the caller beyond double's range.
double approximate(const Numeric& x) { return x.approximate(); }

// The square root to `scale` decimals, correctly rounded. x >= 0.
Numeric root(const Numeric& x, int scale) {
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

// Decimal weight of ln(x), roughly; see select scales below. x > 0.
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
    x = root(x, std::max(local, s / 2));
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
  double value = approximate(arg);
  if (std::fabs(value) >= kResultScaleMax * 3) {
    if (value > 0) return overflow();
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
      if (base.digits.empty()) return Status(SqlState::kDivisionByZero, "division by zero");
      *out = over(one(), base, scale);
      return {};
    case 2: *out = times(base, base, scale); return {};
    default: break;
  }
  if (base.digits.empty()) {
    if (exponent < 0) return Status(SqlState::kDivisionByZero, "division by zero");
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
  if (f > 3.0 * INT16_MAX * 4) return overflow();
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
  auto local = [&](const Numeric& a, const Numeric& b) {
    return std::max(significant - (a.weight + b.weight) * 4, 0);
  };
  while ((mask >>= 1) != 0) {
    square = times(square, square, std::min(local(square, square), 2 * square.dscale));
    if (mask & 1) result = times(result, square, std::min(local(result, square), result.dscale + square.dscale));
    if (square.weight > 32767 || result.weight > 32767) {
      if (!inverse) return overflow();
      *out = Numeric();
      out->dscale = scale;
      return {};
    }
    if (result.digits.empty()) break;
  }
  if (inverse) {
    if (result.digits.empty()) return overflow();
    *out = over(one(), result, scale);
  } else {
    result.round(scale);
    *out = std::move(result);
  }
  return {};
}

}  // namespace

Status numeric_sqrt(const Numeric& x, Numeric* out) {
  if (x.sign() < 0) {
    return Status(SqlState::kInvalidArgumentForPowerFunction, "cannot take square root of a negative number");
  }
  if (!x.is_finite()) {
    *out = x;
    return {};
  }
  int weight = (x.weight + 1) * 4 / 2 - 1;
  *out = root(x, clamp_scale(std::max(kMinSignificant - weight, x.dscale)));
  return out->check_range();
}

Status numeric_exp(const Numeric& x, Numeric* out) {
  if (!x.is_finite()) {
    *out = x.kind == Numeric::Kind::kNegInf ? Numeric() : x;
    return {};
  }
  double value = std::clamp(approximate(x) * kLog10E, -static_cast<double>(kResultScaleMax),
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
    if (base.is_inf() && x.is_inf()) *out = Numeric::nan();
    else *out = base.is_inf() ? Numeric() : x;
    return {};
  }
  int base_weight = ln_weight(base), x_weight = ln_weight(x);
  int weight = x_weight - base_weight;
  int scale = clamp_scale(std::max({kMinSignificant - weight, base.dscale, x.dscale}));
  Numeric ln_base = ln_to_scale(base, std::max(scale + weight - base_weight + 12, 0));
  Numeric ln_x = ln_to_scale(x, std::max(scale + weight - x_weight + 12, 0));
  if (ln_base.digits.empty()) return Status(SqlState::kDivisionByZero, "division by zero");
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
      RETURN_IF_ERROR(power_integer(base, static_cast<int>(n), clamp_scale(std::max(kMinSignificant, base.dscale)), &r));
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
  double value = approximate(product);
  if (std::fabs(value) > kResultScaleMax * 3.01) {
    if (value > 0) return overflow();
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
  if (n > 32177) return overflow();
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
  auto invalid = [](const char* message) {
    return Status(SqlState::kInvalidArgumentForWidthBucketFunction, message);
  };
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

// ---- NumericSum ----

void NumericSum::fold() const {
  if (small_ != 0) {
    (void)numeric_add(sum_, Numeric::from_scaled(small_, small_scale_), &sum_).ok();
    small_ = 0;
  }
  if (small_squares_ != 0) {
    (void)numeric_add(squares_, Numeric::from_scaled(small_squares_, 2 * small_scale_), &squares_).ok();
    small_squares_ = 0;
  }
}

void NumericSum::add_scaled(Int128 x, int scale) {
  if (scale != small_scale_) {
    fold();
    small_scale_ = scale;
  }
  max_scale_ = std::max(max_scale_, scale);
  ++count_;
  Int128 next;
  if (__builtin_add_overflow(small_, x, &next)) {
    fold();
    next = x;
  }
  small_ = next;
  if (!with_squares_) return;
  constexpr Int128 kSquareMax = static_cast<Int128>(1) << 62;
  if (x > -kSquareMax && x < kSquareMax) {
    Int128 square = x * x;
    if (__builtin_add_overflow(small_squares_, square, &next)) {
      fold();
      next = square;
    }
    small_squares_ = next;
  } else {
    Numeric n = Numeric::from_scaled(x, scale), square;
    (void)numeric_mul(n, n, &square).ok();
    (void)numeric_add(squares_, square, &squares_).ok();
  }
}

void NumericSum::add(const Numeric& x) {
  switch (x.kind) {
    case Numeric::Kind::kNaN: ++nan_count_; return;
    case Numeric::Kind::kPosInf: ++pos_inf_count_; return;
    case Numeric::Kind::kNegInf: ++neg_inf_count_; return;
    case Numeric::Kind::kFinite: break;
  }
  max_scale_ = std::max(max_scale_, x.dscale);
  ++count_;
  (void)numeric_add(sum_, x, &sum_).ok();
  if (with_squares_) {
    Numeric square;
    (void)numeric_mul(x, x, &square).ok();
    (void)numeric_add(squares_, square, &squares_).ok();
  }
}

void NumericSum::remove(const Numeric& x) {
  switch (x.kind) {
    case Numeric::Kind::kNaN: --nan_count_; return;
    case Numeric::Kind::kPosInf: --pos_inf_count_; return;
    case Numeric::Kind::kNegInf: --neg_inf_count_; return;
    case Numeric::Kind::kFinite: break;
  }
  --count_;
  (void)numeric_sub(sum_, x, &sum_).ok();
  if (with_squares_) {
    Numeric square;
    (void)numeric_mul(x, x, &square).ok();
    (void)numeric_sub(squares_, square, &squares_).ok();
  }
}

void NumericSum::merge(const NumericSum& other) {
  other.fold();
  (void)numeric_add(sum_, other.sum_, &sum_).ok();
  if (with_squares_) (void)numeric_add(squares_, other.squares_, &squares_).ok();
  count_ += other.count_;
  nan_count_ += other.nan_count_;
  pos_inf_count_ += other.pos_inf_count_;
  neg_inf_count_ += other.neg_inf_count_;
  max_scale_ = std::max(max_scale_, other.max_scale_);
}

bool NumericSum::special(Numeric* out) const {
  if (nan_count_ > 0 || (pos_inf_count_ > 0 && neg_inf_count_ > 0)) *out = Numeric::nan();
  else if (pos_inf_count_ > 0) *out = Numeric::infinity();
  else if (neg_inf_count_ > 0) *out = Numeric::infinity(true);
  else return false;
  return true;
}

Status NumericSum::sum(Numeric* out) const {
  if (special(out)) return {};
  fold();
  *out = sum_;
  out->dscale = max_scale_;
  return out->check_range();
}

Status NumericSum::avg(Numeric* out) const {
  if (special(out)) return {};
  Numeric total;
  RETURN_IF_ERROR(sum(&total));
  return numeric_div(total, Numeric::from_int64(count_), out);
}

namespace {
Status spread(const Numeric& sum, const Numeric& squares, int64_t count, bool sample, bool root_of, Numeric* out) {
  Numeric n = Numeric::from_int64(count), a, b, divisor;
  RETURN_IF_ERROR(numeric_mul(sum, sum, &a));
  RETURN_IF_ERROR(numeric_mul(n, squares, &b));
  RETURN_IF_ERROR(numeric_sub(b, a, &b));
  if (b.sign() <= 0) {
    *out = Numeric();
    return {};
  }
  RETURN_IF_ERROR(numeric_mul(n, Numeric::from_int64(sample ? count - 1 : count), &divisor));
  int scale = numeric_division_scale(b, divisor);
  numeric_divide_to_scale(b, divisor, scale, true, out);
  if (root_of) *out = root(*out, scale);
  return out->check_range();
}
}  // namespace

Status NumericSum::variance(bool sample, bool* null, Numeric* out) const {
  *null = sample ? count() <= 1 : count() == 0;
  if (*null) return {};
  if (special(out)) {
    *out = Numeric::nan();
    return {};
  }
  Numeric total;
  RETURN_IF_ERROR(sum(&total));
  Numeric squares = squares_;
  squares.dscale = std::min(2 * max_scale_, Numeric::kScaleMax);
  return spread(total, squares, count_, sample, false, out);
}

Status NumericSum::stddev(bool sample, bool* null, Numeric* out) const {
  *null = sample ? count() <= 1 : count() == 0;
  if (*null) return {};
  if (special(out)) {
    *out = Numeric::nan();
    return {};
  }
  Numeric total;
  RETURN_IF_ERROR(sum(&total));
  Numeric squares = squares_;
  squares.dscale = std::min(2 * max_scale_, Numeric::kScaleMax);
  return spread(total, squares, count_, sample, true, out);
}

}  // namespace omendb::types
