// Arithmetic on the digits: sums, products, quotients, and what rounds to whole numbers.
#include <algorithm>
#include <vector>

#include "types/numeric.h"
#include "types/numeric_errors.h"

namespace omendb::types {
namespace {

// |a| + |b| and |a| - |b| (the latter needs |a| >= |b|); digits only.
void add_abs(const Numeric& a, const Numeric& b, Numeric* out) {
  int top = std::max(a.weight, b.weight) + 1;
  int low = std::min(a.weight - static_cast<int>(a.digits.size()), b.weight - static_cast<int>(b.digits.size())) + 1;
  Numeric::Digits r(static_cast<size_t>(top - low + 1));
  int carry = 0;
  for (int w = low; w <= top; ++w) {
    int ia = a.weight - w, ib = b.weight - w;
    int d = carry;
    if (ia >= 0 && ia < static_cast<int>(a.digits.size())) d += a.digits[static_cast<size_t>(ia)];
    if (ib >= 0 && ib < static_cast<int>(b.digits.size())) d += b.digits[static_cast<size_t>(ib)];
    carry = d >= Numeric::kBase;
    if (carry) d -= Numeric::kBase;
    r[static_cast<size_t>(top - w)] = static_cast<int16_t>(d);
  }
  out->digits = std::move(r);
  out->weight = top;
}
void sub_abs(const Numeric& a, const Numeric& b, Numeric* out) {
  int top = std::max(a.weight, b.weight);
  int low = std::min(a.weight - static_cast<int>(a.digits.size()), b.weight - static_cast<int>(b.digits.size())) + 1;
  Numeric::Digits r(static_cast<size_t>(top - low + 1));
  int borrow = 0;
  for (int w = low; w <= top; ++w) {
    int ia = a.weight - w, ib = b.weight - w;
    int d = -borrow;
    if (ia >= 0 && ia < static_cast<int>(a.digits.size())) d += a.digits[static_cast<size_t>(ia)];
    if (ib >= 0 && ib < static_cast<int>(b.digits.size())) d -= b.digits[static_cast<size_t>(ib)];
    borrow = d < 0;
    if (borrow) d += Numeric::kBase;
    r[static_cast<size_t>(top - w)] = static_cast<int16_t>(d);
  }
  out->digits = std::move(r);
  out->weight = top;
}

void add_finite(const Numeric& a, const Numeric& b, bool negate_b, Numeric* out) {
  Numeric r;
  bool b_negative = b.negative != negate_b;
  if (b.digits.empty()) {
    r = a;
  } else if (a.digits.empty()) {
    r = b;
    r.negative = b_negative;
  } else if (a.negative == b_negative) {
    add_abs(a, b, &r);
    r.negative = a.negative;
  } else {
    int c = Numeric::compare_magnitudes(a, b);
    if (c > 0) {
      sub_abs(a, b, &r);
      r.negative = a.negative;
    } else if (c < 0) {
      sub_abs(b, a, &r);
      r.negative = b_negative;
    }
  }
  r.dscale = std::max(a.dscale, b.dscale);
  r.strip();
  *out = std::move(r);
}

}  // namespace

Status numeric_add(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan() || (a.is_inf() && b.is_inf() && a.kind != b.kind))
      *out = Numeric::nan();
    else
      *out = a.is_inf() ? a : b;
    return {};
  }
  add_finite(a, b, false, out);
  return out->check_range();
}

Status numeric_sub(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    Numeric minus = b;
    minus.negate();
    return numeric_add(a, minus, out);
  }
  add_finite(a, b, true, out);
  return out->check_range();
}

Status numeric_mul(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan() || a.sign() == 0 || b.sign() == 0)
      *out = Numeric::nan();
    else
      *out = Numeric::infinity(a.sign() * b.sign() < 0);
    return {};
  }
  Numeric r;
  r.dscale = a.dscale + b.dscale;
  if (!a.digits.empty() && !b.digits.empty()) {
    size_t na = a.digits.size(), nb = b.digits.size();
    absl::InlinedVector<int64_t, 32> acc(na + nb, 0);
    for (size_t i = 0; i < na; ++i) {
      int64_t d = a.digits[i];
      if (d == 0) continue;
      for (size_t j = 0; j < nb; ++j) acc[i + j + 1] += d * b.digits[j];
    }
    int64_t carry = 0;
    for (size_t i = na + nb; i-- > 0;) {
      carry += acc[i];
      acc[i] = carry % Numeric::kBase;
      carry /= Numeric::kBase;
    }
    r.digits.resize(na + nb);
    for (size_t i = 0; i < na + nb; ++i) r.digits[i] = static_cast<int16_t>(acc[i]);
    r.weight = a.weight + b.weight + 1;
    r.negative = a.negative != b.negative;
    r.strip();
  }
  if (r.dscale > Numeric::kScaleMax) r.round(Numeric::kScaleMax);
  *out = std::move(r);
  return out->check_range();
}

int numeric_division_scale(const Numeric& a, const Numeric& b) {
  int wa = a.digits.empty() ? 0 : a.weight, wb = b.digits.empty() ? 0 : b.weight;
  int fa = a.digits.empty() ? 0 : a.digits[0], fb = b.digits.empty() ? 0 : b.digits[0];
  int weight = wa - wb;
  if (fa <= fb) --weight;
  int scale = 16 - weight * Numeric::kDigitWidth;
  scale = std::max({scale, a.dscale, b.dscale, 0});
  return std::min(scale, Numeric::kDisplayScaleMax);
}

void numeric_divide_to_scale(const Numeric& a, const Numeric& b, int scale, bool round, Numeric* out) {
  CHECK(!b.digits.empty());
  Numeric r;
  if (a.digits.empty()) {
    r.dscale = std::max(scale, 0);
    *out = r;
    return;
  }
  // Knuth's algorithm D on base-10000 digits: enough quotient digits for `scale` decimals and one more to round by.
  int count = a.weight - b.weight + 1 + (scale + 3) / 4 + 1;
  r.negative = a.negative != b.negative;
  if (count < 1) count = 1;
  size_t n = b.digits.size();
  size_t q = static_cast<size_t>(count);
  r.weight = a.weight - b.weight;
  r.digits.resize(q + 1);
  if (n == 1) {
    int64_t rest = 0;
    for (size_t i = 0; i <= q; ++i) {
      rest = rest * Numeric::kBase + (i < a.digits.size() ? a.digits[i] : 0);
      r.digits[i] = static_cast<int16_t>(rest / b.digits[0]);
      rest %= b.digits[0];
    }
  } else {
    int scale_up = Numeric::kBase / (b.digits[0] + 1);
    std::vector<int32_t> u(q + n + 1, 0), v(n);
    int carry = 0;
    for (size_t i = n; i-- > 0;) {
      carry += b.digits[i] * scale_up;
      v[i] = carry % Numeric::kBase;
      carry /= Numeric::kBase;
    }
    carry = 0;
    for (size_t i = q + n; i-- > 0;) {
      carry += (i < a.digits.size() ? a.digits[i] : 0) * scale_up;
      u[i + 1] = carry % Numeric::kBase;
      carry /= Numeric::kBase;
    }
    u[0] = carry;
    for (size_t j = 0; j <= q && j + n < u.size(); ++j) {
      int64_t top = static_cast<int64_t>(u[j]) * Numeric::kBase + u[j + 1];
      int64_t guess = top / v[0], rest = top % v[0];
      while (guess >= Numeric::kBase || guess * v[1] > rest * Numeric::kBase + u[j + 2]) {
        --guess;
        rest += v[0];
        if (rest >= Numeric::kBase) break;
      }
      if (guess != 0) {
        int64_t borrow = 0;
        for (size_t i = n; i-- > 0;) {
          int64_t d = u[j + i + 1] - guess * v[i] - borrow;
          borrow = 0;
          if (d < 0) {
            borrow = (-d + Numeric::kBase - 1) / Numeric::kBase;
            d += borrow * Numeric::kBase;
          }
          u[j + i + 1] = static_cast<int32_t>(d);
        }
        u[j] -= static_cast<int32_t>(borrow);
        if (u[j] < 0) {
          --guess;
          int over = 0;
          for (size_t i = n; i-- > 0;) {
            int d = u[j + i + 1] + v[i] + over;
            over = d >= Numeric::kBase;
            u[j + i + 1] = over ? d - Numeric::kBase : d;
          }
          u[j] += over;
        }
      }
      r.digits[j] = static_cast<int16_t>(guess);
    }
  }
  if (round)
    r.round(scale);
  else
    r.truncate(scale);
  *out = std::move(r);
}

Status numeric_div(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan() || (a.is_inf() && b.is_inf())) {
      *out = Numeric::nan();
    } else if (a.is_inf()) {
      if (b.sign() == 0) return internal::division_by_zero();
      *out = Numeric::infinity(a.sign() * b.sign() < 0);
    } else {
      *out = Numeric();
    }
    return {};
  }
  if (b.digits.empty()) return internal::division_by_zero();
  Numeric r;
  numeric_divide_to_scale(a, b, numeric_division_scale(a, b), true, &r);
  *out = std::move(r);
  return out->check_range();
}

Status numeric_div_trunc(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) return numeric_div(a, b, out);
  if (b.digits.empty()) return internal::division_by_zero();
  Numeric r;
  numeric_divide_to_scale(a, b, 0, false, &r);
  *out = std::move(r);
  return out->check_range();
}

Status numeric_mod(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan())
      *out = Numeric::nan();
    else if (a.is_inf()) {
      if (b.sign() == 0) return internal::division_by_zero();
      *out = Numeric::nan();
    } else {
      *out = a;
    }
    return {};
  }
  if (b.digits.empty()) return internal::division_by_zero();
  Numeric quotient, product;
  numeric_divide_to_scale(a, b, 0, false, &quotient);
  RETURN_IF_ERROR(numeric_mul(quotient, b, &product));
  add_finite(a, product, true, out);
  out->dscale = std::max(a.dscale, b.dscale);
  return {};
}

void numeric_round(const Numeric& x, int32_t n, Numeric* out) {
  Numeric r = x;
  r.round(std::clamp(n, -Numeric::kScaleMax, Numeric::kScaleMax));
  *out = std::move(r);
}
void numeric_trunc(const Numeric& x, int32_t n, Numeric* out) {
  Numeric r = x;
  r.truncate(std::clamp(n, -Numeric::kScaleMax, Numeric::kScaleMax));
  *out = std::move(r);
}
void numeric_ceil(const Numeric& x, Numeric* out) {
  Numeric r = x;
  r.truncate(0);
  if (x.is_finite() && !x.negative && !x.is_integer()) add_finite(r, Numeric::from_int64(1), false, &r);
  *out = std::move(r);
}
void numeric_floor(const Numeric& x, Numeric* out) {
  Numeric r = x;
  r.truncate(0);
  if (x.is_finite() && x.negative && !x.is_integer()) add_finite(r, Numeric::from_int64(1), true, &r);
  *out = std::move(r);
}
void numeric_abs(const Numeric& x, Numeric* out) {
  Numeric r = x;
  r.negative = false;
  if (r.kind == Numeric::Kind::kNegInf) r.kind = Numeric::Kind::kPosInf;
  *out = std::move(r);
}
void numeric_sign(const Numeric& x, Numeric* out) { *out = x.is_nan() ? x : Numeric::from_int64(x.sign()); }
void numeric_trim_scale(const Numeric& x, Numeric* out) {
  Numeric r = x;
  if (r.is_finite()) r.dscale = r.min_scale();
  *out = std::move(r);
}

}  // namespace omendb::types
