// to_char of dates and times.
#include <cstdlib>
#include <cstdio>

#include "types/datetime_template.h"
#include "types/formatting.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

using internal::LetterCase;
using internal::TemplateNode;
using Key = internal::TemplateKey;

constexpr const char* kRoman[12] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

struct OutputFields {
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
  int64_t day_of_year = 0, weekday = 0;
  bool interval = false;
  const TimeZone::Moment* zone = nullptr;

  int32_t zone_east() const { return zone == nullptr ? 0 : zone->offset; }
  int64_t days() const {
    return days_of(static_cast<int32_t>(year), static_cast<int32_t>(month), static_cast<int32_t>(day));
  }
  int iso_week(int32_t* iso_year) const {
    return types::iso_week(static_cast<int32_t>(year), static_cast<int32_t>(month), static_cast<int32_t>(day),
                           iso_year);
  }
  /// As it is written: SQL's year -1 is year 0 here.
  int64_t shown_year(int64_t y) const { return interval || y > 0 ? y : -(y - 1); }
  int64_t shown_iso_year() const {
    int32_t y = 0;
    (void)iso_week(&y);
    return shown_year(y);
  }
};

OutputFields fields_of(int64_t local) {
  CivilTime c = civil_of(local);
  OutputFields f;
  f.year = c.year;
  f.month = c.month;
  f.day = c.day;
  f.hour = c.hour;
  f.minute = c.minute;
  f.second = c.second;
  f.micros = c.micros;
  int64_t days = days_of(c.year, c.month, c.day);
  f.weekday = ((days + 4) % 7 + 7) % 7;
  f.day_of_year = days - days_of(c.year, 1, 1) + 1;
  return f;
}

/// At least `width` characters, filled with zeros behind the sign.
void append_padded(int64_t value, int width, std::string* out) {
  char text[64];
  std::snprintf(text, sizeof(text), "%0*lld", width, static_cast<long long>(value));
  out->append(text);
}

void append_ordinal(const TemplateNode& n, size_t from, std::string* out) {
  if (!n.has_ordinal()) return;
  std::string_view number = std::string_view(*out).substr(from);
  if (number.empty() || number.back() < '0' || number.back() > '9') return;
  char last = number.back();
  if (number.size() > 1 && number[number.size() - 2] == '1') last = '0';
  const char* th = last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
  for (const char* p = th; *p != 0; ++p) out->push_back(n.th_upper ? ascii_upper(*p) : *p);
}

void append_name(std::string_view name, const TemplateNode& n, size_t width, std::string* out) {
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (n.keyword.letters == LetterCase::kUpper) c = ascii_upper(c);
    if (n.keyword.letters == LetterCase::kLower) c = ascii_lower(c);
    out->push_back(c);
  }
  if (!n.fill && !n.translated && name.size() < width) out->append(width - name.size(), ' ');
}

void append_letters(std::string_view upper, const TemplateNode& n, std::string* out) {
  for (char c : upper) out->push_back(n.keyword.letters == LetterCase::kLower ? ascii_lower(c) : c);
}

/// Does an interval, which is tied to no date, have no such field?
bool needs_date(Key key) {
  switch (key) {
    case Key::kAdDots:
    case Key::kAd:
    case Key::kDay:
    case Key::kDy:
    case Key::kD:
    case Key::kId:
    case Key::kMonth:
    case Key::kMon:
    case Key::kOf:
    case Key::kTz:
    case Key::kTzh:
    case Key::kTzm: return true;
    default: return false;
  }
}

/// The fields that are words or zones, none of which takes an ordinal. False: `n` is a number.
bool append_word(const OutputFields& f, const TemplateNode& n, std::string* out) {
  const bool pm = f.hour % 24 >= 12;
  const int32_t east = f.zone_east(), size = std::abs(east);
  switch (n.keyword.key) {
    case Key::kFx: break;
    case Key::kAmDots: append_letters(pm ? "P.M." : "A.M.", n, out); break;
    case Key::kAm: append_letters(pm ? "PM" : "AM", n, out); break;
    case Key::kAdDots: append_letters(f.year <= 0 ? "B.C." : "A.D.", n, out); break;
    case Key::kAd: append_letters(f.year <= 0 ? "BC" : "AD", n, out); break;
    case Key::kMonth:
      if (f.month != 0) append_name(internal::kMonthNames[f.month - 1], n, 9, out);
      break;
    case Key::kMon:
      if (f.month != 0) append_name(std::string_view(internal::kMonthNames[f.month - 1]).substr(0, 3), n, 0, out);
      break;
    case Key::kRm: {
      if (f.month == 0 && f.year == 0) break;
      const int64_t month = f.month == 0 ? (f.year >= 0 ? 12 : 1) : f.month < 0 ? 12 + f.month + 1 : f.month;
      append_name(kRoman[month - 1], n, 4, out);
      break;
    }
    case Key::kDay: append_name(internal::kDayNames[f.weekday], n, 9, out); break;
    case Key::kDy: append_name(std::string_view(internal::kDayNames[f.weekday]).substr(0, 3), n, 0, out); break;
    case Key::kTz:
      if (f.zone != nullptr) append_letters(f.zone->abbreviation, n, out);
      break;
    case Key::kTzh:
      out->push_back(east >= 0 ? '+' : '-');
      append_padded(size / 3600, 2, out);
      break;
    case Key::kTzm: append_padded(size % 3600 / 60, 2, out); break;
    case Key::kOf:
      out->push_back(east >= 0 ? '+' : '-');
      append_padded(size / 3600, n.fill ? 0 : 2, out);
      if (size % 3600 != 0) {
        out->push_back(':');
        append_padded(size % 3600 / 60, 2, out);
      }
      break;
    default: return false;
  }
  return true;
}

void append_number(const OutputFields& f, const TemplateNode& n, std::string* out) {
  const size_t from = out->size();
  const Key key = n.keyword.key;
  auto fixed = [&](int64_t value, int width) { append_padded(value, width, out); };
  auto padded = [&](int64_t value, int width) { fixed(value, n.fill ? 0 : width); };
  auto signed_padded = [&](int64_t value, int width) { padded(value, value < 0 ? width + 1 : width); };
  // As wide as the year is, whatever the sign of the ISO year: an interval's may be the only one that is negative.
  auto iso_padded = [&](int64_t value, int width) { padded(value, f.shown_year(f.year) < 0 ? width + 1 : width); };
  auto plain = [&](int64_t value) { append_int64(value, out); };
  switch (key) {
    case Key::kHh:
    case Key::kHh12:
      padded(f.hour % 12 == 0 ? 12 : f.hour % 12, f.hour < 0 ? 3 : 2);
      break;  // as wide as the whole hour
    case Key::kHh24: signed_padded(f.hour, 2); break;
    case Key::kMi: signed_padded(f.minute, 2); break;
    case Key::kSs: signed_padded(f.second, 2); break;
    case Key::kFf1:
    case Key::kFf2:
    case Key::kFf3:
    case Key::kFf4:
    case Key::kFf5:
    case Key::kFf6: {
      const int width = static_cast<int>(key) - static_cast<int>(Key::kFf1) + 1;
      int64_t fraction = f.micros;
      for (int i = width; i < 6; ++i) fraction /= 10;
      fixed(fraction, width);
      break;
    }
    case Key::kMs: fixed(f.micros / 1000, 3); break;
    case Key::kUs: fixed(f.micros, 6); break;
    case Key::kSssss: plain(f.hour * 3600 + f.minute * 60 + f.second); break;
    case Key::kMm: signed_padded(f.month, 2); break;
    case Key::kDdd: padded(f.day_of_year, 3); break;
    case Key::kIddd: {
      int32_t iso_year = 0;
      (void)f.iso_week(&iso_year);
      padded(f.days() - iso_week_start(iso_year, 1) + 1, 3);
      break;
    }
    case Key::kDd: padded(f.day, 2); break;
    case Key::kD: plain(f.weekday + 1); break;
    case Key::kId: plain(f.weekday == 0 ? 7 : f.weekday); break;
    case Key::kWw: padded((f.day_of_year - 1) / 7 + 1, 2); break;
    case Key::kIw: padded(f.iso_week(nullptr), 2); break;
    case Key::kQ:
      if (f.month != 0) plain((f.month - 1) / 3 + 1);
      break;
    case Key::kCc: {
      const int64_t century = f.interval ? f.year / 100 : f.year > 0 ? (f.year - 1) / 100 + 1 : f.year / 100 - 1;
      if (century <= 99 && century >= -99)
        signed_padded(century, 2);
      else
        plain(century);
      break;
    }
    case Key::kYCommaYyy: {
      const int64_t year = f.shown_year(f.year);
      plain(year / 1000);
      out->push_back(',');
      fixed(year % 1000, 3);
      break;
    }
    case Key::kYyyy: signed_padded(f.shown_year(f.year), 4); break;
    case Key::kYyy: signed_padded(f.shown_year(f.year) % 1000, 3); break;
    case Key::kYy: signed_padded(f.shown_year(f.year) % 100, 2); break;
    case Key::kY: fixed(f.shown_year(f.year) % 10, 1); break;
    case Key::kIyyy: iso_padded(f.shown_iso_year(), 4); break;
    case Key::kIyy: iso_padded(f.shown_iso_year() % 1000, 3); break;
    case Key::kIy: iso_padded(f.shown_iso_year() % 100, 2); break;
    case Key::kI: fixed(f.shown_iso_year() % 10, 1); break;
    case Key::kW: plain((f.day - 1) / 7 + 1); break;
    case Key::kJ: plain(f.days() + kJulianEpochDays); break;
    default: break;  // append_word's
  }
  append_ordinal(n, from, out);
}

Status format_fields(const OutputFields& f, std::string_view format, std::string* out) {
  std::string made;
  for (const TemplateNode& n : internal::parse_template(format)) {
    if (n.kind != TemplateNode::Kind::kField) {
      made += n.text;
      continue;
    }
    if (f.interval && needs_date(n.keyword.key)) {
      return Status(SqlState::kInvalidDatetimeFormat, "invalid format specification for an interval value")
          .with_hint("Intervals are not tied to specific calendar dates.");
    }
    if (!append_word(f, n, &made)) append_number(f, n, &made);
  }
  *out = std::move(made);
  return {};
}

}  // namespace

Status to_char_timestamp(int64_t timestamp, std::string_view format, bool* null, std::string* out) {
  *null = format.empty() || !timestamp_is_finite(timestamp);
  if (*null) return {};
  return format_fields(fields_of(timestamp), format, out);
}

Status to_char_timestamptz(int64_t timestamp, const TimeZone& zone, std::string_view format, bool* null,
                           std::string* out) {
  *null = format.empty() || !timestamp_is_finite(timestamp);
  if (*null) return {};
  int64_t seconds = timestamp / kMicrosPerSecond - (timestamp % kMicrosPerSecond < 0);
  TimeZone::Moment moment = zone.moment_at(seconds);
  OutputFields f = fields_of(timestamp + moment.offset * kMicrosPerSecond);
  f.zone = &moment;
  return format_fields(f, format, out);
}

Status to_char_interval(const Interval& v, std::string_view format, std::string* out) {
  OutputFields f;
  f.interval = true;
  f.year = v.months / 12;
  f.month = v.months % 12;
  f.day = v.days;
  int64_t t = v.micros;
  f.hour = t / kMicrosPerHour;
  t %= kMicrosPerHour;
  f.minute = t / kMicrosPerMinute;
  t %= kMicrosPerMinute;
  f.second = t / kMicrosPerSecond;
  f.micros = t % kMicrosPerSecond;
  f.day_of_year = (f.year * 12 + f.month) * 30 + f.day;
  return format_fields(f, format, out);
}

}  // namespace omendb::types
