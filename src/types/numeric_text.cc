// Numerics as text.
#include <algorithm>

#include "types/numeric.h"
#include "types/numeric_errors.h"
#include "types/scalar.h"

namespace omendb::types {

Status Numeric::parse(std::string_view text, Numeric* out) {
  auto invalid = [&] { return invalid_syntax("numeric", text); };
  const std::string_view trimmed = trim_space(text);
  const char* p = trimmed.data();
  const char* end = p + trimmed.size();
  Numeric n;
  if (p == end) return invalid();
  bool negative = false;
  bool signed_text = *p == '-' || *p == '+';
  if (signed_text) negative = *p++ == '-';
  auto word = [&](std::string_view w) { return equal_ignoring_case({p, end}, w); };
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
        return internal::numeric_overflow();
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
      return internal::numeric_overflow();
    }
    int64_t i = first - (weight * 4 + 3 - top);
    n.weight = static_cast<int32_t>(weight);
    for (; i < total; i += 4) {
      n.digits.push_back(static_cast<int16_t>(digit(i) * 1000 + digit(i + 1) * 100 + digit(i + 2) * 10 + digit(i + 3)));
    }
  }
  n.strip();
  RETURN_IF_ERROR(n.check_range());
  *out = std::move(n);
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

}  // namespace omendb::types
