// Numerics from and to integers and floating point.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "types/numeric.h"

namespace omendb::types {
namespace {

Status out_of_range(const char* type) {
  return Status(SqlState::kNumericValueOutOfRange, std::string(type) + " out of range");
}

/// `value` rounded to `significant` digits.
Numeric from_double(double value, int significant) {
  if (std::isnan(value)) return Numeric::nan();
  if (std::isinf(value)) return Numeric::infinity(value < 0);
  char text[64];
  std::snprintf(text, sizeof(text), "%.*g", significant, value);
  Numeric n;
  CHECK(Numeric::parse(text, &n).ok());
  return n;
}

Status to_integer(const Numeric& n, const char* type, int64_t low, int64_t high, int64_t* out) {
  if (n.is_nan()) return Status(SqlState::kFeatureNotSupported, std::string("cannot convert NaN to ") + type);
  if (n.is_inf()) return Status(SqlState::kFeatureNotSupported, std::string("cannot convert infinity to ") + type);
  Int128 v;
  if (!n.to_scaled(0, &v) || v < low || v > high) return out_of_range(type);
  *out = static_cast<int64_t>(v);
  return {};
}

}  // namespace

Numeric Numeric::from_scaled(Int128 value, int scale) {
  Numeric n;
  n.dscale = scale;
  if (value == 0) return n;
  n.negative = value < 0;
  UInt128 v = n.negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  // The lowest base-10000 digit holds the last (scale mod 4) decimals, moved up to fill it.
  int low = (scale + kDigitWidth - 1) / kDigitWidth;
  int shift = low * kDigitWidth - scale;
  int16_t reversed[16];
  int count = 0;
  if (shift > 0) {
    int part = kPow10[kDigitWidth - shift];
    reversed[count++] = static_cast<int16_t>(static_cast<int>(v % static_cast<unsigned>(part)) * kPow10[shift]);
    v /= static_cast<unsigned>(part);
  }
  while (v > UINT64_MAX) {
    reversed[count++] = static_cast<int16_t>(v % kBase);
    v /= kBase;
  }
  for (uint64_t u = static_cast<uint64_t>(v); u != 0; u /= kBase) reversed[count++] = static_cast<int16_t>(u % kBase);
  n.weight = count - 1 - low;
  for (int i = count - 1; i >= 0; --i) n.digits.push_back(reversed[i]);
  n.strip();
  return n;
}

Numeric Numeric::from_int64(int64_t value) { return from_scaled(value, 0); }

Numeric Numeric::from_float8(double value) { return from_double(value, 15); }
Numeric Numeric::from_float4(float value) { return from_double(value, 6); }

bool Numeric::to_scaled(int scale, Int128* out) const {
  if (kind != Kind::kFinite) return false;
  Numeric rounded;
  const Numeric* n = this;
  if (min_scale() > scale) {
    rounded = *this;
    rounded.round(scale);
    n = &rounded;
  }
  static const Int128 limit = [] {
    Int128 v = 1;
    for (int i = 0; i < 38; ++i) v *= 10;
    return v;
  }();
  Int128 v = 0;
  int power = (n->weight + 1) * kDigitWidth + scale;  // decimal digits in front of the point of the scaled value
  if (n->digits.empty()) {
    *out = 0;
    return true;
  }
  if (power > 38 + 4) return false;
  for (size_t i = 0; power > 0; ++i) {
    int d = i < n->digits.size() ? n->digits[i] : 0;
    int take = std::min(power, 4);
    int unit = take == 4 ? kBase : kPow10[take];
    if (v > limit / unit) return false;
    v = v * unit + d / (kBase / unit);
    power -= take;
  }
  if (v >= limit) return false;
  *out = n->negative ? -v : v;
  return true;
}

Status Numeric::to_int64(int64_t* out) const { return to_integer(*this, "bigint", INT64_MIN, INT64_MAX, out); }
Status Numeric::to_int32(int32_t* out) const {
  int64_t v = 0;
  RETURN_IF_ERROR(to_integer(*this, "integer", INT32_MIN, INT32_MAX, &v));
  *out = static_cast<int32_t>(v);
  return {};
}
Status Numeric::to_int16(int16_t* out) const {
  int64_t v = 0;
  RETURN_IF_ERROR(to_integer(*this, "smallint", INT16_MIN, INT16_MAX, &v));
  *out = static_cast<int16_t>(v);
  return {};
}

double Numeric::approximate() const {
  switch (kind) {
    case Kind::kNaN: return std::nan("");
    case Kind::kPosInf: return HUGE_VAL;
    case Kind::kNegInf: return -HUGE_VAL;
    case Kind::kFinite: break;
  }
  Numeric whole = *this;
  whole.dscale = min_scale();  // all digits, whatever the display scale
  std::string text = whole.to_text();
  double v = 0;
  auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error == std::errc::result_out_of_range) v = weight < 0 ? 0.0 : negative ? -HUGE_VAL : HUGE_VAL;
  return v;
}

Status Numeric::to_float8(double* out) const {
  double v = approximate();
  if (is_finite() && (std::isinf(v) || (v == 0 && !digits.empty()))) {
    return Status(SqlState::kNumericValueOutOfRange, "\"" + to_text() + "\" is out of range for type double precision");
  }
  *out = v;
  return {};
}
Status Numeric::to_float4(float* out) const {
  if (!is_finite()) {
    *out = static_cast<float>(approximate());
    return {};
  }
  std::string text = to_text();
  float v = 0;
  auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || (v == 0 && !digits.empty())) {
    return Status(SqlState::kNumericValueOutOfRange, "\"" + text + "\" is out of range for type real");
  }
  *out = v;
  return {};
}

}  // namespace omendb::types
