// The value itself: its invariant, its order, rounding.
#include "types/numeric.h"

#include <algorithm>

#include "types/numeric_errors.h"

namespace omendb::types {

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

Status Numeric::check_range() const {
  if (weight > 32767 || dscale > kScaleMax || weight < -8192) {
    return internal::numeric_overflow();
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

int Numeric::compare_magnitudes(const Numeric& a, const Numeric& b) {
  if (a.digits.empty() || b.digits.empty())
    return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  size_t n = std::min(a.digits.size(), b.digits.size());
  for (size_t i = 0; i < n; ++i) {
    if (a.digits[i] != b.digits[i]) return a.digits[i] < b.digits[i] ? -1 : 1;
  }
  return a.digits.size() == b.digits.size() ? 0 : a.digits.size() < b.digits.size() ? -1 : 1;
}

int Numeric::compare(const Numeric& a, const Numeric& b) {
  if (a.kind != Kind::kFinite || b.kind != Kind::kFinite) {
    return a.kind == b.kind ? 0 : a.kind < b.kind ? -1 : 1;
  }
  int sa = a.sign(), sb = b.sign();
  if (sa != sb) return sa < sb ? -1 : 1;
  return sa < 0 ? -compare_magnitudes(a, b) : compare_magnitudes(a, b);
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
    if (digits[whole] < kBase)
      up = false;
    else
      digits[whole] = static_cast<int16_t>(digits[whole] - kBase);
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
  auto field = [&] {
    return "A field with precision " + std::to_string(precision) + ", scale " + std::to_string(scale);
  };
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

}  // namespace omendb::types
