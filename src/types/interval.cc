// Intervals: input (PostgreSQL's, the SQL standard's and ISO 8601's forms), precision, arithmetic.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "types/datetime.h"
#include "types/datetime_tokens.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

using internal::ClockFields;
using internal::Field;
using internal::FieldKind;
using internal::ParseError;
using internal::Unit;
using internal::Word;
using internal::WordValue;

// The fields of a typmod ("HOUR TO SECOND"), as PostgreSQL numbers them.
enum : int32_t {
  kMonthField = 1 << 1,
  kYearField = 1 << 2,
  kDayField = 1 << 3,
  kHourField = 1 << 10,
  kMinuteField = 1 << 11,
  kSecondField = 1 << 12,
  kFullRange = 0x7FFF
};

Status out_of_range() { return internal::out_of_range("interval"); }

// The parts while they are read; each adder is false on overflow.
struct Parts {
  int64_t years = 0, months = 0, days = 0, micros = 0;

  static bool add(int64_t* to, int64_t v, int64_t unit) {
    int64_t product;
    return !__builtin_mul_overflow(v, unit, &product) && !__builtin_add_overflow(*to, product, to);
  }
  static bool in_int(int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; }
  bool add_years(int64_t v, int64_t unit) { return add(&years, v, unit) && in_int(years); }
  bool add_months(int64_t v) { return add(&months, v, 1) && in_int(months); }
  bool add_days(int64_t v, int64_t unit) { return add(&days, v, unit) && in_int(days); }
  bool add_fraction_micros(double f, int64_t unit) {
    if (f == 0) return true;
    f *= static_cast<double>(unit);
    auto whole = static_cast<int64_t>(f);
    f -= static_cast<double>(whole);
    if (f > 0.5)
      ++whole;
    else if (f < -0.5)
      --whole;
    return add(&micros, whole, 1);
  }
  bool add_micros(int64_t v, double f, int64_t unit) { return add(&micros, v, unit) && add_fraction_micros(f, unit); }
  bool add_fraction_days(double f, int unit) {
    if (f == 0) return true;
    f *= unit;
    auto whole = static_cast<int64_t>(f);
    f -= static_cast<double>(whole);
    return add_days(whole, 1) && add_fraction_micros(f, kMicrosPerDay);
  }
  bool add_fraction_years(double f, int unit) { return add_months(static_cast<int64_t>(std::rint(f * unit * 12))); }
};

enum : uint32_t {
  kMicrosMask = 1,
  kMillisMask = 2,
  kSecondMask = 4,
  kMinuteMask = 8,
  kHourMask = 16,
  kDayMask = 32,
  kWeekMask = 64,
  kMonthMask = 128,
  kYearMask = 256,
  kDecadeMask = 512,
  kCenturyMask = 1024,
  kMillenniumMask = 2048,
  kAllSeconds = kMicrosMask | kMillisMask | kSecondMask,
  kTimeMask = kHourMask | kMinuteMask | kAllSeconds
};

Unit rightmost_unit(int32_t range) {
  switch (range) {
    case kYearField: return Unit::kYear;
    case kMonthField:
    case kYearField | kMonthField: return Unit::kMonth;
    case kDayField: return Unit::kDay;
    case kHourField:
    case kDayField | kHourField: return Unit::kHour;
    case kMinuteField:
    case kHourField | kMinuteField:
    case kDayField | kHourField | kMinuteField: return Unit::kMinute;
    default: return Unit::kSecond;
  }
}

ParseError clock_to_micros(std::string_view text, int32_t range, int64_t* micros) {
  ClockFields c;
  ParseError e = internal::parse_clock(text, range == (kMinuteField | kSecondField), &c);
  if (e != ParseError::kNone) return e;
  int64_t v = 0;
  if (!Parts::add(&v, c.hour, kMicrosPerHour) || !Parts::add(&v, c.minute, kMicrosPerMinute) ||
      !Parts::add(&v, c.second, kMicrosPerSecond) || !Parts::add(&v, c.micros, 1)) {
    return ParseError::kFieldOverflow;
  }
  *micros = v;
  return ParseError::kNone;
}

// Reads the fields from right to left, so that a unit is known before its number.
ParseError decode_fields(const std::vector<Field>& fields, int32_t range, IntervalStyle style, Parts* out) {
  bool before = false, force_negative = false, unit_known = false;
  Unit unit = Unit::kNone;
  uint32_t have = 0;
  if (style == IntervalStyle::kSqlStandard && !fields.empty() && fields[0].text[0] == '-') {
    force_negative = true;
    for (size_t i = 1; i < fields.size(); ++i) {
      if (fields[i].text[0] == '-' || fields[i].text[0] == '+') force_negative = false;
    }
  }
  for (size_t i = fields.size(); i-- > 0;) {
    const Field& f = fields[i];
    uint32_t mask = 0;
    std::string_view text = f.text;
    bool number = false;
    switch (f.kind) {
      case FieldKind::kTime: {
        int64_t micros = 0;
        if (ParseError e = clock_to_micros(text, range, &micros); e != ParseError::kNone) return e;
        if (force_negative && micros > 0) micros = -micros;
        out->micros = micros;
        mask = kTimeMask;
        unit = Unit::kDay;
        unit_known = true;
        break;
      }
      case FieldKind::kZone: {
        int64_t micros = 0;
        if (text.find(':', 1) != std::string_view::npos &&
            clock_to_micros(text.substr(1), range, &micros) == ParseError::kNone) {
          if (text[0] == '-' || (force_negative && micros > 0)) micros = -micros;
          out->micros = micros;
          mask = kTimeMask;
          unit = Unit::kDay;
          unit_known = true;
          break;
        }
        number = true;
        break;
      }
      case FieldKind::kDate:
      case FieldKind::kNumber: number = true; break;
      case FieldKind::kString:
      case FieldKind::kSpecial: {
        WordValue w = internal::interval_word(text);
        if (w.word == Word::kIgnore) continue;
        if (w.word == Word::kAgo) {
          before = true;
          unit = Unit::kNone;
          unit_known = true;
        } else if (w.word == Word::kUnit) {
          unit = w.unit;
          unit_known = true;
        } else {
          return ParseError::kBadFormat;
        }
        break;
      }
    }
    if (number) {
      if (!unit_known) {
        unit = rightmost_unit(range);
        unit_known = true;
      }
      int64_t value = 0;
      double fraction = 0;
      bool minus = text[0] == '-';
      std::string_view rest = text;
      if (rest[0] == '+') rest.remove_prefix(1);
      if (!rest.empty() && (rest[0] == '.' || (rest.size() > 1 && rest[0] == '-' && rest[1] == '.'))) {
        if (rest[0] == '-') rest.remove_prefix(1);
      } else {
        auto [p, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
        if (error == std::errc::result_out_of_range) return ParseError::kFieldOverflow;
        if (error != std::errc()) return ParseError::kBadFormat;
        rest.remove_prefix(static_cast<size_t>(p - rest.data()));
      }
      if (!rest.empty() && rest[0] == '-') {  // years-months
        rest.remove_prefix(1);
        int32_t months = 0;
        auto [p, error] = std::from_chars(rest.data(), rest.data() + rest.size(), months);
        if (error != std::errc() || months < 0 || months >= 12) return ParseError::kFieldOverflow;
        if (p != rest.data() + rest.size()) return ParseError::kBadFormat;
        unit = Unit::kMonth;
        if (minus) months = -months;
        int64_t total = 0;
        if (!Parts::add(&total, value, 12) || !Parts::add(&total, months, 1)) return ParseError::kFieldOverflow;
        value = total;
      } else if (!rest.empty() && rest[0] == '.') {
        for (char c : rest.substr(1)) {
          if (c < '0' || c > '9') return ParseError::kBadFormat;
        }
        if (rest.size() > 1) std::from_chars(rest.data(), rest.data() + rest.size(), fraction);
        if (minus) fraction = -fraction;
      } else if (!rest.empty()) {
        return ParseError::kBadFormat;
      }
      if (force_negative) {
        if (value > 0) value = -value;
        if (fraction > 0) fraction = -fraction;
      }
      bool fits = true;
      switch (unit) {
        case Unit::kMicros:
          fits = out->add_micros(value, fraction, 1);
          mask = kMicrosMask;
          break;
        case Unit::kMillis:
          fits = out->add_micros(value, fraction, 1000);
          mask = kMillisMask;
          break;
        case Unit::kSecond:
          fits = out->add_micros(value, fraction, kMicrosPerSecond);
          mask = fraction == 0 ? uint32_t{kSecondMask} : uint32_t{kAllSeconds};
          break;
        case Unit::kMinute:
          fits = out->add_micros(value, fraction, kMicrosPerMinute);
          mask = kMinuteMask;
          break;
        case Unit::kHour:
          fits = out->add_micros(value, fraction, kMicrosPerHour);
          mask = kHourMask;
          unit = Unit::kDay;
          break;
        case Unit::kDay:
          fits = out->add_days(value, 1) && out->add_fraction_micros(fraction, kMicrosPerDay);
          mask = kDayMask;
          break;
        case Unit::kWeek:
          fits = out->add_days(value, 7) && out->add_fraction_days(fraction, 7);
          mask = kWeekMask;
          break;
        case Unit::kMonth:
          fits = out->add_months(value) && out->add_fraction_days(fraction, 30);
          mask = kMonthMask;
          break;
        case Unit::kYear:
          fits = out->add_years(value, 1) && out->add_fraction_years(fraction, 1);
          mask = kYearMask;
          break;
        case Unit::kDecade:
          fits = out->add_years(value, 10) && out->add_fraction_years(fraction, 10);
          mask = kDecadeMask;
          break;
        case Unit::kCentury:
          fits = out->add_years(value, 100) && out->add_fraction_years(fraction, 100);
          mask = kCenturyMask;
          break;
        case Unit::kMillennium:
          fits = out->add_years(value, 1000) && out->add_fraction_years(fraction, 1000);
          mask = kMillenniumMask;
          break;
        default: return ParseError::kBadFormat;
      }
      if (!fits) return ParseError::kFieldOverflow;
    }
    if ((mask & have) != 0) return ParseError::kBadFormat;
    have |= mask;
  }
  if (have == 0) return ParseError::kBadFormat;
  if (before) {
    if (out->micros == INT64_MIN || out->days == INT32_MIN || out->months == INT32_MIN || out->years == INT32_MIN) {
      return ParseError::kFieldOverflow;
    }
    out->micros = -out->micros;
    out->days = -out->days;
    out->months = -out->months;
    out->years = -out->years;
  }
  return ParseError::kNone;
}

// ISO 8601: P1Y2M3DT4H5M6S, P0001-02-03T04:05:06, P00010203T040506.
class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : s_(text) {}
  ParseError read(Parts* out);

 private:
  char peek() const { return at_ < s_.size() ? s_[at_] : '\0'; }
  bool number(int64_t* value, double* fraction, int* width) {
    size_t start = at_, i = at_;
    auto digit = [&](size_t k) { return k < s_.size() && s_[k] >= '0' && s_[k] <= '9'; };
    if (i < s_.size() && s_[i] == '-') ++i;
    size_t first = i;
    while (digit(i)) ++i;
    *width = static_cast<int>(i - first);
    size_t digits = i - first;
    if (i < s_.size() && s_[i] == '.') {
      ++i;
      while (digit(i)) {
        ++i;
        ++digits;
      }
    }
    if (digits == 0) return false;
    if (i + 1 < s_.size() && (s_[i] | 0x20) == 'e' &&
        (digit(i + 1) || ((s_[i + 1] == '-' || s_[i + 1] == '+') && digit(i + 2)))) {
      i += 2;
      while (digit(i)) ++i;
    }
    double v = 0;
    std::from_chars(s_.data() + start, s_.data() + i, v);
    if (std::isnan(v) || v < -9e18 || v > 9e18) {
      overflow_ = true;
      return false;
    }
    *value = static_cast<int64_t>(v);
    *fraction = v - static_cast<double>(*value);
    at_ = i;
    return true;
  }

  std::string_view s_;
  size_t at_ = 0;
  bool overflow_ = false;
};

ParseError IsoReader::read(Parts* out) {
  if (s_.size() < 2 || s_[0] != 'P') return ParseError::kBadFormat;
  at_ = 1;
  bool date = true, have_field = false;
  auto failed = [&] { return overflow_ ? ParseError::kFieldOverflow : ParseError::kBadFormat; };
  int64_t v = 0;
  double f = 0;
  int width = 0;
  while (at_ < s_.size()) {
    if (peek() == 'T') {
      date = false;
      have_field = false;
      ++at_;
      continue;
    }
    if (!number(&v, &f, &width)) return failed();
    char unit = peek();
    if (unit != '\0') ++at_;
    bool fits = true;
    if (date) {
      switch (unit) {
        case 'Y': fits = out->add_years(v, 1) && out->add_fraction_years(f, 1); break;
        case 'M': fits = out->add_months(v) && out->add_fraction_days(f, 30); break;
        case 'W': fits = out->add_days(v, 7) && out->add_fraction_days(f, 7); break;
        case 'D': fits = out->add_days(v, 1) && out->add_fraction_micros(f, kMicrosPerDay); break;
        case 'T':
        case '\0':
        case '-':
          if (unit != '-' && width == 8 && !have_field) {
            fits = out->add_years(v / 10000, 1) && out->add_months(v / 100 % 100) && out->add_days(v % 100, 1) &&
                   out->add_fraction_micros(f, kMicrosPerDay);
            if (!fits) return ParseError::kFieldOverflow;
            if (unit == '\0') return ParseError::kNone;
            date = false;
            have_field = false;
            continue;
          }
          if (have_field) return ParseError::kBadFormat;
          if (!out->add_years(v, 1) || !out->add_fraction_years(f, 1)) return ParseError::kFieldOverflow;
          if (unit == '\0') return ParseError::kNone;
          if (unit == '-') {
            if (!number(&v, &f, &width)) return failed();
            if (!out->add_months(v) || !out->add_fraction_days(f, 30)) return ParseError::kFieldOverflow;
            if (peek() == '\0') return ParseError::kNone;
            if (peek() == '-') {
              ++at_;
              if (!number(&v, &f, &width)) return failed();
              if (!out->add_days(v, 1) || !out->add_fraction_micros(f, kMicrosPerDay))
                return ParseError::kFieldOverflow;
              if (peek() == '\0') return ParseError::kNone;
            }
            if (peek() != 'T') return ParseError::kBadFormat;
            ++at_;
          }
          date = false;
          have_field = false;
          continue;
        default: return ParseError::kBadFormat;
      }
    } else {
      switch (unit) {
        case 'H': fits = out->add_micros(v, f, kMicrosPerHour); break;
        case 'M': fits = out->add_micros(v, f, kMicrosPerMinute); break;
        case 'S': fits = out->add_micros(v, f, kMicrosPerSecond); break;
        case '\0':
        case ':':
          if (unit == '\0' && width == 6 && !have_field) {
            fits = out->add_micros(v / 10000, 0, kMicrosPerHour) &&
                   out->add_micros(v / 100 % 100, 0, kMicrosPerMinute) &&
                   out->add_micros(v % 100, 0, kMicrosPerSecond) && out->add_fraction_micros(f, 1);
            return fits ? ParseError::kNone : ParseError::kFieldOverflow;
          }
          if (have_field) return ParseError::kBadFormat;
          if (!out->add_micros(v, f, kMicrosPerHour)) return ParseError::kFieldOverflow;
          if (unit == '\0') return ParseError::kNone;
          if (!number(&v, &f, &width)) return failed();
          if (!out->add_micros(v, f, kMicrosPerMinute)) return ParseError::kFieldOverflow;
          if (peek() == '\0') return ParseError::kNone;
          if (peek() != ':') return ParseError::kBadFormat;
          ++at_;
          if (!number(&v, &f, &width)) return failed();
          if (!out->add_micros(v, f, kMicrosPerSecond)) return ParseError::kFieldOverflow;
          return peek() == '\0' ? ParseError::kNone : ParseError::kBadFormat;
        default: return ParseError::kBadFormat;
      }
    }
    if (!fits) return ParseError::kFieldOverflow;
    have_field = true;
  }
  return ParseError::kNone;
}

bool fits_int32(double v) { return v >= INT32_MIN && v <= INT32_MAX; }  // false for NaN
double to_micros_grid(double v) { return std::rint(v * 1e6) / 1e6; }

}  // namespace

Status parse_interval(std::string_view text, int32_t typmod, const IoContext& context, Interval* out) {
  int32_t range = typmod >= 0 ? (typmod >> 16) & 0x7FFF : kFullRange;
  Parts parts;
  std::vector<Field> fields;
  ParseError e = ParseError::kBadFormat;
  if (text.size() <= 255 && internal::split_fields(text, &fields)) {
    e = decode_fields(fields, range, context.interval_style, &parts);
  }
  if (e == ParseError::kBadFormat) {
    parts = {};
    e = IsoReader(text).read(&parts);
  }
  if (e == ParseError::kFieldOverflow) e = ParseError::kIntervalOverflow;
  if (e != ParseError::kNone) return internal::parse_error(e, text, "interval");
  int64_t months = parts.years * 12 + parts.months;
  if (!Parts::in_int(months)) return out_of_range();
  out->months = static_cast<int32_t>(months);
  out->days = static_cast<int32_t>(parts.days);
  out->micros = parts.micros;
  return apply_interval_typmod(out, typmod);
}

Status apply_interval_typmod(Interval* v, int32_t typmod) {
  if (typmod < 0) return {};
  int32_t range = (typmod >> 16) & 0x7FFF, precision = typmod & 0xFFFF;
  switch (range) {
    case kYearField:
      v->months = v->months / 12 * 12;
      v->days = 0;
      v->micros = 0;
      break;
    case kMonthField:
    case kYearField | kMonthField:
      v->days = 0;
      v->micros = 0;
      break;
    case kDayField: v->micros = 0; break;
    case kHourField:
    case kDayField | kHourField: v->micros = v->micros / kMicrosPerHour * kMicrosPerHour; break;
    case kMinuteField:
    case kHourField | kMinuteField:
    case kDayField | kHourField | kMinuteField: v->micros = v->micros / kMicrosPerMinute * kMicrosPerMinute; break;
    default: break;
  }
  if (precision < 6) v->micros = round_micros(v->micros, precision);
  return {};
}

Int128 interval_micros(const Interval& i) {
  return static_cast<Int128>(i.micros) + (static_cast<Int128>(i.months) * 30 + i.days) * kMicrosPerDay;
}

Status interval_add(const Interval& a, const Interval& b, Interval* out) {
  Interval r;
  if (__builtin_add_overflow(a.months, b.months, &r.months) || __builtin_add_overflow(a.days, b.days, &r.days) ||
      __builtin_add_overflow(a.micros, b.micros, &r.micros)) {
    return out_of_range();
  }
  *out = r;
  return {};
}
Status interval_sub(const Interval& a, const Interval& b, Interval* out) {
  Interval r;
  if (__builtin_sub_overflow(a.months, b.months, &r.months) || __builtin_sub_overflow(a.days, b.days, &r.days) ||
      __builtin_sub_overflow(a.micros, b.micros, &r.micros)) {
    return out_of_range();
  }
  *out = r;
  return {};
}
Status interval_negate(const Interval& a, Interval* out) { return interval_sub(Interval{}, a, out); }

namespace {
Status from_products(double months, double days, double micros, double month_total, double day_total, Interval* out) {
  if (!fits_int32(months) || !fits_int32(days)) return out_of_range();
  Interval r;
  r.months = static_cast<int32_t>(months);
  r.days = static_cast<int32_t>(days);
  double month_days = to_micros_grid((month_total - r.months) * 30);
  double seconds = (day_total - r.days + month_days - static_cast<int>(month_days)) * 86400.0;
  seconds = to_micros_grid(seconds);
  if (std::fabs(seconds) >= 86400.0) {
    int carry = static_cast<int>(seconds / 86400.0);
    if (__builtin_add_overflow(r.days, carry, &r.days)) return out_of_range();
    seconds -= carry * 86400.0;
  }
  if (__builtin_add_overflow(r.days, static_cast<int32_t>(month_days), &r.days)) return out_of_range();
  double total = std::rint(micros + seconds * 1e6);
  if (!(total >= -9223372036854775808.0 && total < 9223372036854775808.0)) return out_of_range();
  r.micros = static_cast<int64_t>(total);
  *out = r;
  return {};
}

void share_sign(int32_t* days, int64_t* micros) {
  if (*days > 0 && *micros < 0) {
    *micros += kMicrosPerDay;
    --*days;
  } else if (*days < 0 && *micros > 0) {
    *micros -= kMicrosPerDay;
    ++*days;
  }
}
}  // namespace

Status interval_multiply(const Interval& a, double factor, Interval* out) {
  return from_products(a.months * factor, a.days * factor, static_cast<double>(a.micros) * factor, a.months * factor,
                       a.days * factor, out);
}

Status interval_divide(const Interval& a, double divisor, Interval* out) {
  if (divisor == 0) return Status(SqlState::kDivisionByZero, "division by zero");
  return from_products(a.months / divisor, a.days / divisor, static_cast<double>(a.micros) / divisor,
                       a.months / divisor, a.days / divisor, out);
}

Status justify_hours(const Interval& a, Interval* out) {
  Interval r = a;
  auto whole = static_cast<int32_t>(r.micros / kMicrosPerDay);
  r.micros %= kMicrosPerDay;
  if (__builtin_add_overflow(r.days, whole, &r.days)) return out_of_range();
  share_sign(&r.days, &r.micros);
  *out = r;
  return {};
}

Status justify_days(const Interval& a, Interval* out) {
  Interval r = a;
  int32_t whole = r.days / 30;
  r.days -= whole * 30;
  if (__builtin_add_overflow(r.months, whole, &r.months)) return out_of_range();
  if (r.months > 0 && r.days < 0) {
    r.days += 30;
    --r.months;
  } else if (r.months < 0 && r.days > 0) {
    r.days -= 30;
    ++r.months;
  }
  *out = r;
  return {};
}

Status justify_interval(const Interval& a, Interval* out) {
  Interval r = a;
  if ((r.days > 0 && r.micros > 0) || (r.days < 0 && r.micros < 0)) {
    int32_t whole = r.days / 30;
    r.days -= whole * 30;
    if (__builtin_add_overflow(r.months, whole, &r.months)) return out_of_range();
  }
  auto whole_days = static_cast<int32_t>(r.micros / kMicrosPerDay);
  r.micros %= kMicrosPerDay;
  if (__builtin_add_overflow(r.days, whole_days, &r.days)) return out_of_range();
  int32_t whole = r.days / 30;
  r.days -= whole * 30;
  if (__builtin_add_overflow(r.months, whole, &r.months)) return out_of_range();
  if (r.months > 0 && (r.days < 0 || (r.days == 0 && r.micros < 0))) {
    r.days += 30;
    --r.months;
  } else if (r.months < 0 && (r.days > 0 || (r.days == 0 && r.micros > 0))) {
    r.days -= 30;
    ++r.months;
  }
  share_sign(&r.days, &r.micros);
  *out = r;
  return {};
}

Status make_interval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                     double seconds, Interval* out) {
  if (!std::isfinite(seconds)) return out_of_range();
  int64_t m = static_cast<int64_t>(years) * 12 + months, d = static_cast<int64_t>(weeks) * 7 + days;
  double s = std::rint(seconds * 1e6);
  if (!Parts::in_int(m) || !Parts::in_int(d) || !(std::fabs(s) < 9e18)) return out_of_range();
  Int128 t = static_cast<Int128>(hours) * kMicrosPerHour + static_cast<Int128>(minutes) * kMicrosPerMinute +
             static_cast<int64_t>(s);
  if (t > INT64_MAX || t < INT64_MIN) return out_of_range();
  out->months = static_cast<int32_t>(m);
  out->days = static_cast<int32_t>(d);
  out->micros = static_cast<int64_t>(t);
  return {};
}

}  // namespace omendb::types
