#include "types/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

namespace omendb::types {
namespace {

constexpr int kPow10[] = {1, 10, 100, 1000};

Status out_of_range(const char* type) {
  return Status(SqlState::kNumericValueOutOfRange, std::string(type) + " out of range");
}

int compare_abs(const Numeric& a, const Numeric& b) {
  if (a.digits.empty() || b.digits.empty()) return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  size_t n = std::min(a.digits.size(), b.digits.size());
  for (size_t i = 0; i < n; ++i) {
    if (a.digits[i] != b.digits[i]) return a.digits[i] < b.digits[i] ? -1 : 1;
  }
  return a.digits.size() == b.digits.size() ? 0 : a.digits.size() < b.digits.size() ? -1 : 1;
}

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
    int c = compare_abs(a, b);
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

void Numeric::strip() {
  size_t first = 0;
  while (first < digits.size() && digits[first] == 0) ++first;
  if (first > 0) {
    digits.erase(digits.begin(), digits.begin() + static_cast<ptrdiff_t>(first));
    weight -= static_cast<int>(first);
  }
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  if (digits.empty()) {
    weight = 0;
    negative = false;
  }
}

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

Numeric Numeric::from_float8(double value) {
  if (std::isnan(value)) return nan();
  if (std::isinf(value)) return infinity(value < 0);
  char text[64];
  std::snprintf(text, sizeof(text), "%.*g", 15, value);
  Numeric n;
  Status s = parse(text, &n);
  CHECK(s.ok());
  return n;
}
Numeric Numeric::from_float4(float value) {
  if (std::isnan(value)) return nan();
  if (std::isinf(value)) return infinity(value < 0);
  char text[64];
  std::snprintf(text, sizeof(text), "%.*g", 6, static_cast<double>(value));
  Numeric n;
  Status s = parse(text, &n);
  CHECK(s.ok());
  return n;
}

Status Numeric::parse(std::string_view text, Numeric* out) {
  auto invalid = [&] {
    return Status(SqlState::kInvalidTextRepresentation,
                  "invalid input syntax for type numeric: \"" + std::string(text) + "\"");
  };
  auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end && space(*p)) ++p;
  while (end > p && space(end[-1])) --end;
  Numeric n;
  if (p == end) return invalid();
  bool negative = false;
  bool signed_text = *p == '-' || *p == '+';
  if (signed_text) negative = *p++ == '-';
  auto word = [&](std::string_view w) {
    if (static_cast<size_t>(end - p) != w.size()) return false;
    for (size_t i = 0; i < w.size(); ++i) {
      if ((p[i] | 0x20) != w[i]) return false;
    }
    return true;
  };
  if (p < end && !(*p >= '0' && *p <= '9') && *p != '.') {
    if (!signed_text && word("nan")) {
      *out = nan();
      return {};
    }
    if (word("infinity") || word("inf")) {
      *out = infinity(negative);
      return {};
    }
    return invalid();
  }
  const char* whole = p;
  while (p < end && *p >= '0' && *p <= '9') ++p;
  const char* whole_end = p;
  const char* fraction = p;
  const char* fraction_end = p;
  if (p < end && *p == '.') {
    fraction = ++p;
    while (p < end && *p >= '0' && *p <= '9') ++p;
    fraction_end = p;
  }
  int64_t whole_count = whole_end - whole, fraction_count = fraction_end - fraction;
  if (whole_count + fraction_count == 0) return invalid();
  int64_t exponent = 0;
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    bool down = false;
    if (p < end && (*p == '-' || *p == '+')) down = *p++ == '-';
    if (p == end) return invalid();
    for (; p < end && *p >= '0' && *p <= '9'; ++p) {
      exponent = exponent * 10 + (*p - '0');
      if (exponent >= INT32_MAX / 2) {
        return Status(SqlState::kNumericValueOutOfRange, "value overflows numeric format");
      }
    }
    if (p[-1] == 'e' || p[-1] == 'E' || p[-1] == '-' || p[-1] == '+') return invalid();
    if (down) exponent = -exponent;
  }
  if (p != end) return invalid();

  n.dscale = static_cast<int32_t>(std::max<int64_t>(0, fraction_count - exponent));
  n.negative = negative;
  // Decimal digit i of the mantissa (from the left) has the weight 10^(whole_count - 1 - i + exponent).
  int64_t total = whole_count + fraction_count;
  auto digit = [&](int64_t i) -> int {
    if (i < 0 || i >= total) return 0;
    return (i < whole_count ? whole[i] : fraction[i - whole_count]) - '0';
  };
  int64_t first = 0;
  while (first < total && digit(first) == 0) ++first;
  if (first < total) {
    int64_t top = whole_count - 1 - first + exponent;  // power of ten of the first digit
    int64_t weight = top >= 0 ? top / 4 : -((-top + 3) / 4);
    if (weight > 32767 || n.dscale > 2 * kScaleMax + 100000) {
      return Status(SqlState::kNumericValueOutOfRange, "value overflows numeric format");
    }
    int64_t i = first - (weight * 4 + 3 - top);
    n.weight = static_cast<int32_t>(weight);
    for (; i < total; i += 4) {
      n.digits.push_back(
          static_cast<int16_t>(digit(i) * 1000 + digit(i + 1) * 100 + digit(i + 2) * 10 + digit(i + 3)));
    }
  }
  n.strip();
  RETURN_IF_ERROR(n.check_range());
  *out = std::move(n);
  return {};
}

Status Numeric::check_range() const {
  if (weight > 32767 || dscale > kScaleMax || weight < -8192) {
    return Status(SqlState::kNumericValueOutOfRange, "value overflows numeric format");
  }
  return {};
}

int Numeric::sign() const {
  switch (kind) {
    case Kind::kNaN: return 0;
    case Kind::kPosInf: return 1;
    case Kind::kNegInf: return -1;
    case Kind::kFinite: return digits.empty() ? 0 : negative ? -1 : 1;
  }
  return 0;
}

int Numeric::compare(const Numeric& a, const Numeric& b) {
  if (a.kind != Kind::kFinite || b.kind != Kind::kFinite) {
    return a.kind == b.kind ? 0 : a.kind < b.kind ? -1 : 1;
  }
  int sa = a.sign(), sb = b.sign();
  if (sa != sb) return sa < sb ? -1 : 1;
  return sa < 0 ? -compare_abs(a, b) : compare_abs(a, b);
}

void Numeric::negate() {
  if (kind == Kind::kPosInf) {
    kind = Kind::kNegInf;
  } else if (kind == Kind::kNegInf) {
    kind = Kind::kPosInf;
  } else if (!digits.empty()) {
    negative = !negative;
  }
}

void Numeric::round(int to) {
  if (kind != Kind::kFinite) return;
  dscale = std::max(to, 0);
  // Decimal digits kept, counted from the first digit of digits[0].
  int64_t keep = static_cast<int64_t>(weight + 1) * kDigitWidth + to;
  if (keep < 0) {
    digits.clear();
    strip();
    return;
  }
  size_t whole = static_cast<size_t>(keep / kDigitWidth);
  int part = static_cast<int>(keep % kDigitWidth);
  if (whole >= digits.size()) return;
  bool up;
  if (part == 0) {
    up = digits[whole] >= kBase / 2;
    digits.resize(whole);
  } else {
    int unit = kPow10[kDigitWidth - part];
    int rest = digits[whole] % unit;
    up = rest >= unit / 2;
    digits[whole] = static_cast<int16_t>(digits[whole] - rest);
    digits.resize(whole + 1);
    if (up) digits[whole] = static_cast<int16_t>(digits[whole] + unit);
    if (digits[whole] < kBase) up = false;
    else digits[whole] = static_cast<int16_t>(digits[whole] - kBase);
    if (up) digits.resize(whole + 1);
  }
  if (up) {
    size_t i = whole;
    for (;;) {
      if (i == 0) {
        digits.insert(digits.begin(), 1);
        ++weight;
        break;
      }
      --i;
      if (++digits[i] < kBase) break;
      digits[i] = 0;
    }
  }
  strip();
}

void Numeric::truncate(int to) {
  if (kind != Kind::kFinite) return;
  dscale = std::max(to, 0);
  int64_t keep = static_cast<int64_t>(weight + 1) * kDigitWidth + to;
  if (keep <= 0) {
    digits.clear();
  } else {
    size_t whole = static_cast<size_t>(keep / kDigitWidth);
    int part = static_cast<int>(keep % kDigitWidth);
    if (whole < digits.size()) {
      if (part == 0) {
        digits.resize(whole);
      } else {
        digits.resize(whole + 1);
        digits[whole] = static_cast<int16_t>(digits[whole] - digits[whole] % kPow10[kDigitWidth - part]);
      }
    }
  }
  strip();
}

int Numeric::min_scale() const {
  if (digits.empty()) return 0;
  int scale = (static_cast<int>(digits.size()) - weight - 1) * kDigitWidth;
  if (scale <= 0) return 0;
  for (int d = digits.back(); d % 10 == 0; d /= 10) --scale;
  return scale;
}

Status Numeric::apply_typmod(int32_t typmod) {
  if (typmod < 4) return {};
  int precision = numeric_typmod_precision(typmod), scale = numeric_typmod_scale(typmod);
  auto overflow = [&](std::string detail) {
    return Status(SqlState::kNumericValueOutOfRange, "numeric field overflow").with_detail(std::move(detail));
  };
  auto field = [&] { return "A field with precision " + std::to_string(precision) + ", scale " + std::to_string(scale); };
  if (is_nan()) return {};
  if (is_inf()) return overflow(field() + " cannot hold an infinite value.");
  round(scale);
  if (digits.empty()) return {};
  int whole = (weight + 1) * kDigitWidth;
  for (int d = digits[0]; d < kBase / 10; d *= 10) --whole;
  int allowed = precision - scale;
  if (whole > allowed) {
    return overflow(field() + " must round to an absolute value less than " + (allowed ? "10^" : "") +
                    std::to_string(allowed ? allowed : 1) + ".");
  }
  return {};
}

void Numeric::append_text(std::string* out) const {
  switch (kind) {
    case Kind::kNaN: out->append("NaN"); return;
    case Kind::kPosInf: out->append("Infinity"); return;
    case Kind::kNegInf: out->append("-Infinity"); return;
    case Kind::kFinite: break;
  }
  if (negative) out->push_back('-');
  auto digit_at = [&](int w) -> int {
    int i = weight - w;
    return i >= 0 && i < static_cast<int>(digits.size()) ? digits[static_cast<size_t>(i)] : 0;
  };
  char four[4];
  auto spell = [&](int d) {
    four[0] = static_cast<char>('0' + d / 1000);
    four[1] = static_cast<char>('0' + d / 100 % 10);
    four[2] = static_cast<char>('0' + d / 10 % 10);
    four[3] = static_cast<char>('0' + d % 10);
  };
  if (weight < 0 || digits.empty()) {
    out->push_back('0');
  } else {
    spell(digits[0]);
    int skip = 0;
    while (skip < 3 && four[skip] == '0') ++skip;
    out->append(four + skip, static_cast<size_t>(4 - skip));
    for (int w = weight - 1; w >= 0; --w) {
      spell(digit_at(w));
      out->append(four, 4);
    }
  }
  if (dscale > 0) {
    out->push_back('.');
    int left = dscale;
    for (int w = -1; left > 0; --w, left -= 4) {
      spell(digit_at(w));
      out->append(four, static_cast<size_t>(std::min(left, 4)));
    }
  }
}

// ---- bytes ----

void Numeric::append_bytes(std::string* out) const {
  switch (kind) {
    case Kind::kNegInf: out->append("\x02\0\0", 3); return;
    case Kind::kPosInf: out->append("\xFD\0\0", 3); return;
    case Kind::kNaN: out->append("\xFE\0\0", 3); return;
    case Kind::kFinite: break;
  }
  char scale[2] = {static_cast<char>(dscale >> 8), static_cast<char>(dscale)};
  if (digits.empty()) {
    out->push_back('\x80');
    out->append(scale, 2);
    return;
  }
  unsigned char flip = negative ? 0xFF : 0;
  auto put = [&](int byte) { out->push_back(static_cast<char>(static_cast<unsigned char>(byte) ^ flip)); };
  if (weight >= -32 && weight <= 32) {
    put(0xC0 + weight);
  } else {
    put(weight > 0 ? 0xF0 : 0x90);
    put((weight + 0x8000) >> 8);
    put((weight + 0x8000) & 0xFF);
  }
  for (size_t i = 0; i < digits.size(); ++i) {
    int unit = digits[i] * 2 + (i + 1 < digits.size() ? 1 : 0);
    put(unit >> 8);
    put(unit & 0xFF);
  }
  out->append(scale, 2);
}

size_t numeric_key_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  auto first = static_cast<unsigned char>(bytes[0]);
  if (first == 0x02 || first == 0x80 || first == 0xFD || first == 0xFE) return 1;
  unsigned char flip = first < 0x80 ? 0xFF : 0;
  first ^= flip;
  size_t at = first == 0xF0 || first == 0x90 ? 3 : 1;
  for (;;) {
    if (at + 2 > bytes.size()) return 0;
    bool more = ((static_cast<unsigned char>(bytes[at + 1]) ^ flip) & 1) != 0;
    at += 2;
    if (!more) return at;
  }
}

std::string_view numeric_key(std::string_view bytes) { return bytes.substr(0, bytes.size() - 2); }

bool Numeric::from_key(std::string_view key, Numeric* out) {
  Numeric n;
  if (key.empty()) return false;
  auto first = static_cast<unsigned char>(key[0]);
  if (first == 0x02 || first == 0xFD || first == 0xFE || first == 0x80) {
    if (first != 0x80) n.kind = first == 0x02 ? Kind::kNegInf : first == 0xFD ? Kind::kPosInf : Kind::kNaN;
    *out = n;
    return key.size() == 1;
  }
  n.negative = first < 0x80;
  unsigned char flip = n.negative ? 0xFF : 0;
  auto byte = [&](size_t i) { return static_cast<unsigned char>(key[i]) ^ flip; };
  size_t at = 1;
  if (byte(0) == 0xF0 || byte(0) == 0x90) {
    if (key.size() < 3) return false;
    n.weight = ((byte(1) << 8) | byte(2)) - 0x8000;
    at = 3;
  } else {
    n.weight = byte(0) - 0xC0;
    if (n.weight < -32 || n.weight > 32) return false;
  }
  if (at == key.size() || (key.size() - at) % 2 != 0) return false;
  for (; at < key.size(); at += 2) {
    int unit = (byte(at) << 8) | byte(at + 1);
    if ((unit >> 1) >= kBase || ((unit & 1) != 0) != (at + 2 < key.size())) return false;
    n.digits.push_back(static_cast<int16_t>(unit >> 1));
  }
  if (n.digits.front() == 0 || n.digits.back() == 0) return false;
  n.dscale = n.min_scale();
  *out = std::move(n);
  return true;
}

Numeric Numeric::from_bytes(std::string_view bytes) {
  CHECK(bytes.size() >= 3);
  Numeric n;
  CHECK(from_key(bytes.substr(0, bytes.size() - 2), &n));
  n.dscale = (static_cast<unsigned char>(bytes[bytes.size() - 2]) << 8) | static_cast<unsigned char>(bytes.back());
  return n;
}

// ---- conversions ----

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

namespace {
Status to_integer(const Numeric& n, const char* type, int64_t low, int64_t high, int64_t* out) {
  if (n.is_nan()) return Status(SqlState::kFeatureNotSupported, std::string("cannot convert NaN to ") + type);
  if (n.is_inf()) return Status(SqlState::kFeatureNotSupported, std::string("cannot convert infinity to ") + type);
  Int128 v;
  if (!n.to_scaled(0, &v) || v < low || v > high) return out_of_range(type);
  *out = static_cast<int64_t>(v);
  return {};
}
}  // namespace

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
    return Status(SqlState::kNumericValueOutOfRange,
                  "\"" + to_text() + "\" is out of range for type double precision");
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

// ---- arithmetic ----

Status numeric_add(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan() || (a.is_inf() && b.is_inf() && a.kind != b.kind)) *out = Numeric::nan();
    else *out = a.is_inf() ? a : b;
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
    if (a.is_nan() || b.is_nan() || a.sign() == 0 || b.sign() == 0) *out = Numeric::nan();
    else *out = Numeric::infinity(a.sign() * b.sign() < 0);
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
  if (round) r.round(scale);
  else r.truncate(scale);
  *out = std::move(r);
}

Status numeric_div(const Numeric& a, const Numeric& b, Numeric* out) {
  auto by_zero = [] { return Status(SqlState::kDivisionByZero, "division by zero"); };
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan() || (a.is_inf() && b.is_inf())) {
      *out = Numeric::nan();
    } else if (a.is_inf()) {
      if (b.sign() == 0) return by_zero();
      *out = Numeric::infinity(a.sign() * b.sign() < 0);
    } else {
      *out = Numeric();
    }
    return {};
  }
  if (b.digits.empty()) return by_zero();
  Numeric r;
  numeric_divide_to_scale(a, b, numeric_division_scale(a, b), true, &r);
  *out = std::move(r);
  return out->check_range();
}

Status numeric_div_trunc(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) return numeric_div(a, b, out);
  if (b.digits.empty()) return Status(SqlState::kDivisionByZero, "division by zero");
  Numeric r;
  numeric_divide_to_scale(a, b, 0, false, &r);
  *out = std::move(r);
  return out->check_range();
}

Status numeric_mod(const Numeric& a, const Numeric& b, Numeric* out) {
  if (!a.is_finite() || !b.is_finite()) {
    if (a.is_nan() || b.is_nan()) *out = Numeric::nan();
    else if (a.is_inf()) {
      if (b.sign() == 0) return Status(SqlState::kDivisionByZero, "division by zero");
      *out = Numeric::nan();
    } else {
      *out = a;
    }
    return {};
  }
  if (b.digits.empty()) return Status(SqlState::kDivisionByZero, "division by zero");
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
void numeric_sign(const Numeric& x, Numeric* out) {
  *out = x.is_nan() ? x : Numeric::from_int64(x.sign());
}
void numeric_trim_scale(const Numeric& x, Numeric* out) {
  Numeric r = x;
  if (r.is_finite()) r.dscale = r.min_scale();
  *out = std::move(r);
}

}  // namespace omendb::types
