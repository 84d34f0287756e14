// Arithmetic of dates and timestamps, conversions between them, time zones.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "types/datetime.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

Status timestamp_out_of_range() { return internal::out_of_range("timestamp"); }

bool narrow(Int128 v, int64_t* out) {
  if (v > INT64_MAX || v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) return false;
  *out = static_cast<int64_t>(v);
  return true;
}

int64_t whole_seconds(int64_t micros) { return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0); }

// Adds months with the day held to the month's length. `local` may lie anywhere in Int64.
bool add_months(int64_t local, int32_t months, int64_t* out) {
  CivilTime c = civil_of(local);
  int64_t m = static_cast<int64_t>(c.month) - 1 + months;
  int64_t year = c.year + (m >= 0 ? m / 12 : -((11 - m) / 12));
  if (year < -5000 || year > 300000) return false;
  c.year = static_cast<int32_t>(year);
  c.month = static_cast<int32_t>((m % 12 + 12) % 12) + 1;
  c.day = std::min(c.day, days_in_month(c.year, c.month));
  return narrow(micros_of(c), out);
}

struct AgeFields {
  int64_t year, month, day, hour, minute, second, micros;
};

Status age_of(const CivilTime& a, const CivilTime& b, bool earlier, Interval* out) {
  AgeFields f{a.year - b.year,     a.month - b.month,   a.day - b.day,      a.hour - b.hour,
              a.minute - b.minute, a.second - b.second, a.micros - b.micros};
  auto negate = [&] {
    for (int64_t* p : {&f.year, &f.month, &f.day, &f.hour, &f.minute, &f.second, &f.micros}) *p = -*p;
  };
  if (earlier) negate();
  auto carry = [](int64_t* low, int64_t unit, int64_t* high) {
    while (*low < 0) {
      *low += unit;
      --*high;
    }
  };
  carry(&f.micros, 1000000, &f.second);
  carry(&f.second, 60, &f.minute);
  carry(&f.minute, 60, &f.hour);
  carry(&f.hour, 24, &f.day);
  while (f.day < 0) {
    f.day += earlier ? days_in_month(a.year, a.month) : days_in_month(b.year, b.month);
    --f.month;
  }
  carry(&f.month, 12, &f.year);
  if (earlier) negate();
  out->months = static_cast<int32_t>(f.year * 12 + f.month);
  out->days = static_cast<int32_t>(f.day);
  out->micros = f.hour * kMicrosPerHour + f.minute * kMicrosPerMinute + f.second * kMicrosPerSecond + f.micros;
  return {};
}

CivilTime local_civil(int64_t timestamp, const TimeZone& zone) {
  return civil_of(timestamp + zone.offset_at(whole_seconds(timestamp)) * kMicrosPerSecond);
}

}  // namespace

Status date_add_days(int32_t date, int32_t days, int32_t* out) {
  if (!date_is_finite(date)) {
    *out = date;
    return {};
  }
  int64_t v = static_cast<int64_t>(date) + days;
  if (!date_in_range(v)) return internal::out_of_range("date");
  *out = static_cast<int32_t>(v);
  return {};
}

Status date_diff(int32_t a, int32_t b, int32_t* out) {
  if (!date_is_finite(a) || !date_is_finite(b)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "cannot subtract infinite dates");
  }
  *out = static_cast<int32_t>(static_cast<int64_t>(a) - b);
  return {};
}

Status date_to_timestamp(int32_t date, int64_t* out) {
  if (!date_is_finite(date)) {
    *out = date > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
    return {};
  }
  if (!narrow(static_cast<Int128>(date) * kMicrosPerDay, out))
    return Status(SqlState::kDatetimeValueOutOfRange, "date out of range for timestamp");
  return {};
}

Status date_to_timestamptz(int32_t date, const TimeZone& zone, int64_t* out) {
  if (!date_is_finite(date)) return date_to_timestamp(date, out);
  int64_t local = static_cast<int64_t>(date) * 86400;
  if (!narrow((static_cast<Int128>(local) - zone.offset_of_local(local)) * kMicrosPerSecond, out)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "date out of range for timestamp");
  }
  return {};
}

Status timestamp_to_date(int64_t timestamp, int32_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp > 0 ? kDateInfinity : kDateMinusInfinity;
    return {};
  }
  *out = static_cast<int32_t>(timestamp / kMicrosPerDay - (timestamp % kMicrosPerDay < 0));
  return {};
}

Status timestamptz_to_date(int64_t timestamp, const TimeZone& zone, int32_t* out) {
  int64_t local = 0;
  RETURN_IF_ERROR(timestamptz_to_timestamp(timestamp, zone, &local));
  return timestamp_to_date(local, out);
}

Status timestamp_to_timestamptz(int64_t timestamp, const TimeZone& zone, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  int32_t offset = zone.offset_of_local(whole_seconds(timestamp));
  if (!narrow(static_cast<Int128>(timestamp) - offset * kMicrosPerSecond, out)) return timestamp_out_of_range();
  return {};
}

Status timestamptz_to_timestamp(int64_t timestamp, const TimeZone& zone, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  int32_t offset = zone.offset_at(whole_seconds(timestamp));
  if (!narrow(static_cast<Int128>(timestamp) + offset * kMicrosPerSecond, out)) return timestamp_out_of_range();
  return {};
}

int64_t timestamp_time_of_day(int64_t timestamp) {
  int64_t t = timestamp % kMicrosPerDay;
  return t < 0 ? t + kMicrosPerDay : t;
}

Status timestamp_add(int64_t timestamp, const Interval& span, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  int64_t t = timestamp;
  if (span.months != 0 && !add_months(t, span.months, &t)) return timestamp_out_of_range();
  if (!narrow(static_cast<Int128>(t) + static_cast<Int128>(span.days) * kMicrosPerDay, &t)) {
    return timestamp_out_of_range();
  }
  if (!narrow(static_cast<Int128>(t) + span.micros, &t)) return timestamp_out_of_range();
  *out = t;
  return {};
}

Status timestamptz_add(int64_t timestamp, const Interval& span, const TimeZone& zone, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  int64_t t = timestamp;
  if (span.months != 0) {
    RETURN_IF_ERROR(timestamptz_to_timestamp(t, zone, &t));
    if (!add_months(t, span.months, &t)) return timestamp_out_of_range();
    RETURN_IF_ERROR(timestamp_to_timestamptz(t, zone, &t));
  }
  if (span.days != 0) {
    RETURN_IF_ERROR(timestamptz_to_timestamp(t, zone, &t));
    if (!narrow(static_cast<Int128>(t) + static_cast<Int128>(span.days) * kMicrosPerDay, &t)) {
      return timestamp_out_of_range();
    }
    RETURN_IF_ERROR(timestamp_to_timestamptz(t, zone, &t));
  }
  if (!narrow(static_cast<Int128>(t) + span.micros, &t)) return timestamp_out_of_range();
  *out = t;
  return {};
}

Status timestamp_diff(int64_t a, int64_t b, Interval* out) {
  if (!timestamp_is_finite(a) || !timestamp_is_finite(b)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "cannot subtract infinite timestamps");
  }
  Interval r;
  if (__builtin_sub_overflow(a, b, &r.micros)) return internal::out_of_range("interval");
  return justify_hours(r, out);
}

Status timestamp_age(int64_t a, int64_t b, Interval* out) {
  if (!timestamp_is_finite(a) || !timestamp_is_finite(b)) return timestamp_out_of_range();
  return age_of(civil_of(a), civil_of(b), a < b, out);
}

Status timestamptz_age(int64_t a, int64_t b, const TimeZone& zone, Interval* out) {
  if (!timestamp_is_finite(a) || !timestamp_is_finite(b)) return timestamp_out_of_range();
  return age_of(local_civil(a, zone), local_civil(b, zone), a < b, out);
}

int64_t time_add(int64_t time, const Interval& span) {
  int64_t t = (time + span.micros % kMicrosPerDay) % kMicrosPerDay;
  return t < 0 ? t + kMicrosPerDay : t;
}
TimeTz timetz_add(TimeTz time, const Interval& span) {
  time.time = time_add(time.time, span);
  return time;
}

Status find_zone_argument(std::string_view name, const TimeZone** zone, int32_t* offset_fixed) {
  std::string lower(name);
  for (char& c : lower) c = ascii_lower(c);
  if (const ZoneAbbreviation* a = find_abbreviation(lower)) {
    *offset_fixed = a->offset;
    *zone = a->zone.empty() ? nullptr : TimeZone::find(a->zone);
    if (a->zone.empty() || *zone != nullptr) return {};
  }
  *zone = TimeZone::find(name);
  if (*zone == nullptr) {
    return Status(SqlState::kInvalidParameterValue, "time zone \"" + std::string(name) + "\" not recognized");
  }
  return {};
}

namespace {
bool abbreviated(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = ascii_lower(c);
  return find_abbreviation(lower) != nullptr;
}
}  // namespace

Status timestamp_at_zone(std::string_view name, int64_t timestamp, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  const TimeZone* zone = nullptr;
  int32_t offset = 0;
  RETURN_IF_ERROR(find_zone_argument(name, &zone, &offset));
  if (zone != nullptr && abbreviated(name)) {
    int64_t local = whole_seconds(timestamp);
    offset = zone->offset_of_local(local);
    (void)zone->offset_of_abbreviation(name, local - offset, &offset);
    zone = nullptr;
  }
  if (zone != nullptr) return timestamp_to_timestamptz(timestamp, *zone, out);
  if (!narrow(static_cast<Int128>(timestamp) - offset * kMicrosPerSecond, out)) return timestamp_out_of_range();
  return {};
}

namespace {

enum class NumericZone { kOk, kMalformed, kOutOfRange };

/// "+2", "-03:30", "+0530": seconds east.
NumericZone parse_numeric_zone(std::string_view text, int32_t* east) {
  const bool minus = text[0] == '-';
  text.remove_prefix(1);
  const size_t length = text.size() + 1;
  int32_t part[3] = {0, 0, 0};
  size_t parts = 0;
  while (true) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits > 8) return NumericZone::kOutOfRange;
    for (char c : text.substr(0, digits)) part[parts] = part[parts] * 10 + (c - '0');
    text.remove_prefix(digits);
    if (text.empty() || text[0] != ':' || ++parts == 3) break;
    text.remove_prefix(1);
  }
  if (!text.empty()) return NumericZone::kMalformed;
  if (parts == 0 && length > 3) {
    part[1] = part[0] % 100;
    part[0] /= 100;
  }
  if (part[0] > 15 || part[1] > 59 || part[2] > 59) return NumericZone::kOutOfRange;
  *east = ((part[0] * 60 + part[1]) * 60 + part[2]) * (minus ? -1 : 1);
  return NumericZone::kOk;
}

}  // namespace

Status timestamp_at_plain_zone(std::string_view name, int64_t timestamp, int64_t* out) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || (name[0] != '+' && name[0] != '-' && !digit(name[0])))
    return timestamp_at_zone(name, timestamp, out);
  if (digit(name[0])) {
    return Status(SqlState::kInvalidParameterValue,
                  "invalid input syntax for type numeric time zone: \"" + std::string(name) + "\"")
        .with_hint("Numeric time zones must have \"-\" or \"+\" as first character.");
  }
  int32_t east = 0;
  switch (parse_numeric_zone(name, &east)) {
    case NumericZone::kMalformed:
      return Status(SqlState::kInvalidParameterValue,
                    "invalid input syntax for type numeric time zone: \"" + std::string(name) + "\"");
    case NumericZone::kOutOfRange:
      return Status(SqlState::kInvalidParameterValue, "numeric time zone \"" + std::string(name) + "\" out of range");
    case NumericZone::kOk: break;
  }
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  if (!narrow(static_cast<Int128>(timestamp) - east * kMicrosPerSecond, out)) return timestamp_out_of_range();
  return {};
}

Status timestamptz_at_zone(std::string_view name, int64_t timestamp, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  const TimeZone* zone = nullptr;
  int32_t offset = 0;
  RETURN_IF_ERROR(find_zone_argument(name, &zone, &offset));
  if (zone != nullptr && abbreviated(name)) {
    offset = zone->offset_at(whole_seconds(timestamp));
    (void)zone->offset_of_abbreviation(name, whole_seconds(timestamp), &offset);
    zone = nullptr;
  }
  if (zone != nullptr) return timestamptz_to_timestamp(timestamp, *zone, out);
  if (!narrow(static_cast<Int128>(timestamp) + offset * kMicrosPerSecond, out)) return timestamp_out_of_range();
  return {};
}

Status timetz_at_zone(std::string_view name, TimeTz time, const IoContext& context, TimeTz* out) {
  const TimeZone* zone = nullptr;
  int32_t offset = 0;
  RETURN_IF_ERROR(find_zone_argument(name, &zone, &offset));
  if (zone != nullptr) offset = zone->offset_at(whole_seconds(context.now_us));
  int64_t t = (time.time + (static_cast<int64_t>(time.zone) + offset) * kMicrosPerSecond) % kMicrosPerDay;
  out->time = t < 0 ? t + kMicrosPerDay : t;
  out->zone = -offset;
  return {};
}

Status interval_zone_offset(const Interval& zone, int32_t* seconds_east) {
  if (zone.months != 0 || zone.days != 0) {
    std::string text;
    append_interval(zone, IntervalStyle::kPostgres, &text);
    return Status(SqlState::kInvalidParameterValue,
                  "interval time zone \"" + text + "\" must not include months or days");
  }
  *seconds_east = static_cast<int32_t>(zone.micros / kMicrosPerSecond);
  return {};
}

bool overlaps(int64_t start1, int64_t end1, int64_t start2, int64_t end2) {
  if (start1 > end1) std::swap(start1, end1);
  if (start2 > end2) std::swap(start2, end2);
  if (start1 > start2) return start1 < end2;
  if (start1 < start2) return start2 < end1;
  return true;
}

Status date_bin(const Interval& stride, int64_t timestamp, int64_t origin, int64_t* out) {
  if (!timestamp_is_finite(timestamp)) {
    *out = timestamp;
    return {};
  }
  if (!timestamp_is_finite(origin)) return Status(SqlState::kDatetimeValueOutOfRange, "origin out of range");
  if (stride.months != 0) {
    return Status(SqlState::kFeatureNotSupported,
                  "timestamps cannot be binned into intervals containing months or years");
  }
  Int128 step = static_cast<Int128>(stride.days) * kMicrosPerDay + stride.micros;
  if (step > INT64_MAX || step < INT64_MIN) return internal::out_of_range("interval");
  if (step <= 0) return Status(SqlState::kDatetimeValueOutOfRange, "stride must be greater than zero");
  Int128 diff = static_cast<Int128>(timestamp) - origin;
  if (diff > INT64_MAX || diff < INT64_MIN) return internal::out_of_range("interval");
  Int128 part = diff % step;
  if (part < 0) part += step;
  if (!narrow(static_cast<Int128>(timestamp) - part, out)) return timestamp_out_of_range();
  return {};
}

namespace {
std::string dated(const char* what, int64_t a, int64_t b, int64_t c) {
  char text[96];
  std::snprintf(text, sizeof(text), "%s field value out of range: %d-%02d-%02d", what, static_cast<int>(a),
                static_cast<int>(b), static_cast<int>(c));
  return text;
}
}  // namespace

Status make_date(int32_t year, int32_t month, int32_t day, int32_t* out) {
  int32_t y = year < 0 ? year + 1 : year;  // -1 is 1 BC
  if (year == 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(y, month)) {
    return Status(SqlState::kDatetimeFieldOverflow, dated("date", y, month, day));
  }
  int64_t days = days_of(y, month, day);
  if (!date_in_range(days)) {
    std::string text = dated("", year, month, day);
    return Status(SqlState::kDatetimeValueOutOfRange, "date out of range: " + text.substr(text.rfind(": ") + 2));
  }
  *out = static_cast<int32_t>(days);
  return {};
}

Status make_time(int32_t hour, int32_t minute, double second, int64_t* out) {
  double micros = std::rint(second * 1e6);
  if (std::isnan(second) || hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(micros >= 0 && micros <= 60e6) ||
      (hour == 24 && (minute > 0 || micros > 0))) {
    char text[128];
    std::snprintf(text, sizeof(text), "time field value out of range: %d:%02d:%02g", hour, minute, second);
    return Status(SqlState::kDatetimeFieldOverflow, text);
  }
  *out = hour * kMicrosPerHour + minute * kMicrosPerMinute + static_cast<int64_t>(micros);
  return {};
}

Status make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                      int64_t* out) {
  int32_t date = 0;
  int64_t time = 0, start = 0;
  RETURN_IF_ERROR(make_date(year, month, day, &date));
  RETURN_IF_ERROR(make_time(hour, minute, second, &time));
  if (!date_to_timestamp(date, &start).ok() || !narrow(static_cast<Int128>(start) + time, out)) {
    return timestamp_out_of_range();
  }
  return {};
}

Status timestamp_of_seconds(double seconds, int64_t* out) {
  if (std::isnan(seconds)) return Status(SqlState::kDatetimeValueOutOfRange, "timestamp cannot be NaN");
  if (std::isinf(seconds)) {
    *out = seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
    return {};
  }
  double micros = std::rint(seconds * 1e6);
  if (!(micros > -9.2e18 && micros < 9.2e18) || !timestamp_in_range(static_cast<int64_t>(micros))) {
    char text[64];
    std::snprintf(text, sizeof(text), "timestamp out of range: \"%g\"", seconds);
    return Status(SqlState::kDatetimeValueOutOfRange, text);
  }
  // PostgreSQL rounds after moving to its own epoch, where the number is smaller.
  double shifted = std::rint((seconds - static_cast<double>(kPostgresEpochDays) * 86400.0) * 1e6);
  *out = static_cast<int64_t>(shifted) + kPostgresEpochMicros;
  return {};
}

}  // namespace omendb::types
