// Exact decimal numbers with PostgreSQL's display scale, and their bytes.
//
// Bytes of a numeric (Physical::kBytes), version 1: a key, then the display scale.
//
//   key     1 byte    0x02 -Infinity, 0x80 zero, 0xFD Infinity, 0xFE NaN, and nothing more; otherwise
//                     positive: 0xC0 + w for a weight w of -32..32, 0xF0 for a greater and 0x90 for a smaller one, then
//           0/2 bytes the weight + 0x8000, big-endian, after 0xF0 and 0x90
//           2n bytes  n base-10000 digits, big-endian, each as digit * 2 + (another follows ? 1 : 0); the last is not 0
//                     negative: all of this with every bit flipped
//   scale   2 bytes   decimals to display, big-endian, 0..16383
//
// The value is sum(digit[i] * 10000^(weight - i)). memcmp order of keys is the order of the values (-Infinity first, NaN last),
// no key is a prefix of another, and equal values have equal keys whatever their scales.
//
// Results carry the digits and the display scale that PostgreSQL's functions give them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "base/status.h"
#include "types/type.h"

namespace omendb::types {

/// The key part of a numeric's bytes. Requires bytes written by Numeric::to_bytes.
std::string_view numeric_key(std::string_view bytes);
/// Length of the key that `bytes` begins with; 0 if they begin with none (damage).
size_t numeric_key_length(std::string_view bytes);

/// One number. Invariant: no leading or trailing zero digits; zero has no digits, weight 0 and is not negative.
class Numeric {
 public:
  enum class Kind : uint8_t { kNegInf, kFinite, kPosInf, kNaN };
  using Digits = absl::InlinedVector<int16_t, 16>;
  static constexpr int kBase = 10000;
  static constexpr int kDigitWidth = 4;
  static constexpr int kScaleMax = 16383;
  static constexpr int kDisplayScaleMax = 1000;

  Numeric() = default;
  static Numeric from_int64(int64_t value);
  /// value / 10^scale, displayed with `scale` decimals.
  static Numeric from_scaled(Int128 value, int scale);
  static Numeric nan() { return special(Kind::kNaN); }
  static Numeric infinity(bool negative = false) { return special(negative ? Kind::kNegInf : Kind::kPosInf); }
  /// PostgreSQL's casts: rounded to 15 (float8) and 6 (float4) significant digits.
  static Numeric from_float8(double value);
  static Numeric from_float4(float value);
  /// Text as numeric_in reads it (surrounding space, exponent, NaN, Infinity). Errors: 22P02, 22003.
  static Status parse(std::string_view text, Numeric* out);
  /// Requires bytes written by to_bytes.
  static Numeric from_bytes(std::string_view bytes);
  /// As from_bytes, for a key alone; the scale is the least that shows every digit. Returns false on damage.
  static bool from_key(std::string_view key, Numeric* out);

  void append_bytes(std::string* out) const;
  std::string to_bytes() const {
    std::string s;
    append_bytes(&s);
    return s;
  }
  void append_text(std::string* out) const;
  std::string to_text() const {
    std::string s;
    append_text(&s);
    return s;
  }

  /// Rounded half away from zero. Errors: 22003 `bigint out of range`; 0A000 `cannot convert NaN to bigint`.
  Status to_int64(int64_t* out) const;
  Status to_int32(int32_t* out) const;
  Status to_int16(int16_t* out) const;
  /// value * 10^scale rounded half away from zero. Returns false when it needs more than 38 digits or is not finite.
  bool to_scaled(int scale, Int128* out) const;
  /// Errors: 22003 when out of double's range.
  Status to_float8(double* out) const;
  Status to_float4(float* out) const;
  /// Nearest double; +-HUGE_VAL when too large.
  double approximate() const;

  bool is_nan() const { return kind == Kind::kNaN; }
  bool is_finite() const { return kind == Kind::kFinite; }
  bool is_inf() const { return kind == Kind::kPosInf || kind == Kind::kNegInf; }
  bool is_zero() const { return kind == Kind::kFinite && digits.empty(); }
  bool is_integer() const { return is_finite() && static_cast<int>(digits.size()) <= weight + 1; }
  /// -1, 0, 1; NaN: 0.
  int sign() const;
  /// Total order: NaN equals NaN and is greatest.
  static int compare(const Numeric& a, const Numeric& b);
  /// Order of |a| and |b|. Requires finite numbers.
  static int compare_magnitudes(const Numeric& a, const Numeric& b);

  /// Rounds (half away from zero) or cuts to `to` decimals, which may be negative, and sets the display scale to max(to, 0).
  void round(int to);
  void truncate(int to);
  void negate();
  /// Applies numeric(p,s). Errors: 22003 `numeric field overflow` with PostgreSQL's detail.
  Status apply_typmod(int32_t typmod);
  /// Least scale that shows every digit.
  int min_scale() const;
  /// 22003 `value overflows numeric format` when the number has too many digits for PostgreSQL.
  Status check_range() const;
  /// Restores the invariant after digits were written.
  void strip();

  Kind kind = Kind::kFinite;
  bool negative = false;
  int32_t weight = 0;
  int32_t dscale = 0;
  Digits digits;

 private:
  static constexpr int kPow10[kDigitWidth] = {1, 10, 100, 1000};
  static Numeric special(Kind k) {
    Numeric n;
    n.kind = k;
    return n;
  }
};

// Arithmetic as PostgreSQL's operators and functions. Errors: 22003, 22012 and what is said.
Status numeric_add(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_sub(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_mul(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_div(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_mod(const Numeric& a, const Numeric& b, Numeric* out);
/// div(a, b): the quotient cut to an integer.
Status numeric_div_trunc(const Numeric& a, const Numeric& b, Numeric* out);
/// round(x, n) and trunc(x, n), with n held to +-16383 as PostgreSQL does.
void numeric_round(const Numeric& x, int32_t n, Numeric* out);
void numeric_trunc(const Numeric& x, int32_t n, Numeric* out);
void numeric_ceil(const Numeric& x, Numeric* out);
void numeric_floor(const Numeric& x, Numeric* out);
void numeric_abs(const Numeric& x, Numeric* out);
void numeric_sign(const Numeric& x, Numeric* out);
void numeric_trim_scale(const Numeric& x, Numeric* out);
/// Errors: 2201F for a negative number.
Status numeric_sqrt(const Numeric& x, Numeric* out);
Status numeric_exp(const Numeric& x, Numeric* out);
/// Errors: 2201E for zero and negative numbers.
Status numeric_ln(const Numeric& x, Numeric* out);
Status numeric_log(const Numeric& base, const Numeric& x, Numeric* out);
/// Errors: 2201F.
Status numeric_power(const Numeric& base, const Numeric& exponent, Numeric* out);
Status numeric_gcd(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_lcm(const Numeric& a, const Numeric& b, Numeric* out);
Status numeric_factorial(int64_t n, Numeric* out);
/// Errors: 2201G.
Status numeric_width_bucket(const Numeric& x, const Numeric& low, const Numeric& high, int32_t count, int32_t* out);

/// a / b to exactly `scale` decimals, rounded or cut; b is finite and not zero.
void numeric_divide_to_scale(const Numeric& a, const Numeric& b, int scale, bool round, Numeric* out);
/// The square root of x, finite and not negative, to exactly `scale` decimals, rounded.
Numeric numeric_root_to_scale(const Numeric& x, int scale);
/// The scale of a / b (select_div_scale).
int numeric_division_scale(const Numeric& a, const Numeric& b);

}  // namespace omendb::types
