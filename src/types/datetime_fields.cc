// date_trunc, extract and date_part.
#include <cmath>

#include "types/datetime.h"
#include "types/datetime_tokens.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

using internal::Unit;
using internal::Word;
using internal::WordValue;

constexpr char kDateType[] = "date", kTimeType[] = "time without time zone", kTimeTzType[] = "time with time zone",
               kTimestampType[] = "timestamp without time zone", kTimestampTzType[] = "timestamp with time zone",
               kIntervalType[] = "interval";

std::string lowered(std::string_view s) {
  std::string r(s.substr(0, 63));
  for (char& c : r) c = ascii_lower(c);
  return r;
}

Status unsupported(std::string_view unit, const char* type) {
  return Status(SqlState::kFeatureNotSupported, "unit \"" + lowered(unit) + "\" not supported for type " + type);
}

// The unit a word names, as extract and date_trunc understand it.
// date_trunc knows the units of intervals only; the words of dates ("now") are units nowhere but known to dates and timestamps.
enum class For : uint8_t { kTruncate, kField, kDateField };
Status find_unit(std::string_view text, const char* type, For use, Unit* out) {
  std::string lower = lowered(text);
  WordValue w = internal::interval_word(lower);
  if (w.word == Word::kUnknown && use != For::kTruncate) w = internal::date_word(lower);
  if (w.word == Word::kEpoch) {
    *out = Unit::kEpoch;
    return {};
  }
  if (w.word == Word::kUnit) {
    *out = w.unit;
    return {};
  }
  if (use == For::kDateField &&
      (w.word == Word::kNow || w.word == Word::kToday || w.word == Word::kTomorrow || w.word == Word::kYesterday ||
       w.word == Word::kLate || w.word == Word::kEarly || w.word == Word::kAllBalls)) {
    return unsupported(text, type);
  }
  return Status(SqlState::kInvalidParameterValue, "unit \"" + lower + "\" not recognized for type " + type);
}

void set_integer(int64_t v, FieldResult* out) {
  out->numeric = Numeric::from_int64(v);
  out->real = static_cast<double>(v);
}
// v / 10^scale.
void set_scaled(Int128 v, int scale, double real, FieldResult* out) {
  out->numeric = Numeric::from_scaled(v, scale);
  out->real = real;
}
void set_infinite(bool negative, FieldResult* out) {
  out->numeric = Numeric::infinity(negative);
  out->real = negative ? -HUGE_VAL : HUGE_VAL;
}

int64_t year_number(int32_t year) { return year > 0 ? year : year - 1; }
int64_t decade_of(int32_t y) { return y >= 0 ? y / 10 : -((8 - (y - 1)) / 10); }
int64_t century_of(int32_t y) { return y > 0 ? (y + 99) / 100 : -((99 - (y - 1)) / 100); }
int64_t millennium_of(int32_t y) { return y > 0 ? (y + 999) / 1000 : -((999 - (y - 1)) / 1000); }

// The fields of a day; false when the unit is not one of a date.
bool date_field(Unit unit, const CivilTime& c, FieldResult* out) {
  int64_t days = days_of(c.year, c.month, c.day);
  auto weekday = ((days + 4) % 7 + 7) % 7;
  switch (unit) {
    case Unit::kDay: set_integer(c.day, out); return true;
    case Unit::kMonth: set_integer(c.month, out); return true;
    case Unit::kQuarter: set_integer((c.month - 1) / 3 + 1, out); return true;
    case Unit::kWeek: set_integer(iso_week(c.year, c.month, c.day, nullptr), out); return true;
    case Unit::kYear: set_integer(year_number(c.year), out); return true;
    case Unit::kDecade: set_integer(decade_of(c.year), out); return true;
    case Unit::kCentury: set_integer(century_of(c.year), out); return true;
    case Unit::kMillennium: set_integer(millennium_of(c.year), out); return true;
    case Unit::kIsoYear: {
      int32_t y = 0;
      (void)iso_week(c.year, c.month, c.day, &y);
      set_integer(y <= 0 ? y - 1 : y, out);
      return true;
    }
    case Unit::kDow: set_integer(weekday, out); return true;
    case Unit::kIsoDow: set_integer(weekday == 0 ? 7 : weekday, out); return true;
    case Unit::kDoy: set_integer(days - days_of(c.year, 1, 1) + 1, out); return true;
    default: return false;
  }
}

bool clock_field(Unit unit, const CivilTime& c, FieldResult* out) {
  int64_t micros = c.second * kMicrosPerSecond + c.micros;
  switch (unit) {
    case Unit::kMicros: set_integer(micros, out); return true;
    case Unit::kMillis: set_scaled(micros, 3, c.second * 1000.0 + c.micros / 1000.0, out); return true;
    case Unit::kSecond: set_scaled(micros, 6, c.second + c.micros / 1000000.0, out); return true;
    case Unit::kMinute: set_integer(c.minute, out); return true;
    case Unit::kHour: set_integer(c.hour, out); return true;
    default: return false;
  }
}

bool infinite_field(Unit unit, bool negative, FieldResult* out) {
  switch (unit) {
    case Unit::kYear:
    case Unit::kDecade:
    case Unit::kCentury:
    case Unit::kMillennium:
    case Unit::kJulian:
    case Unit::kIsoYear:
    case Unit::kEpoch: set_infinite(negative, out); return true;
    case Unit::kMicros:
    case Unit::kMillis:
    case Unit::kSecond:
    case Unit::kMinute:
    case Unit::kHour:
    case Unit::kDay:
    case Unit::kMonth:
    case Unit::kQuarter:
    case Unit::kWeek:
    case Unit::kDow:
    case Unit::kIsoDow:
    case Unit::kDoy:
    case Unit::kTimezone:
    case Unit::kTimezoneHour:
    case Unit::kTimezoneMinute: out->null = true; return true;
    default: return false;
  }
}

Status julian(const CivilTime& c, FieldResult* out) {
  int64_t day = days_of(c.year, c.month, c.day) + kJulianEpochDays;
  int64_t time = c.hour * kMicrosPerHour + c.minute * kMicrosPerMinute + c.second * kMicrosPerSecond + c.micros;
  Numeric part;
  RETURN_IF_ERROR(numeric_div(Numeric::from_int64(time), Numeric::from_int64(kMicrosPerDay), &part));
  RETURN_IF_ERROR(numeric_add(Numeric::from_int64(day), part, &out->numeric));
  out->real =
      static_cast<double>(day) + (((c.hour * 60.0 + c.minute) * 60.0) + c.second + c.micros / 1000000.0) / 86400.0;
  return {};
}

bool zone_field(Unit unit, int32_t seconds_east, FieldResult* out) {
  switch (unit) {
    case Unit::kTimezone: set_integer(seconds_east, out); return true;
    case Unit::kTimezoneHour: set_integer(seconds_east / 3600, out); return true;
    case Unit::kTimezoneMinute: set_integer(seconds_east / 60 % 60, out); return true;
    default: return false;
  }
}

enum class Truncated : uint8_t { kDay, kTime, kUnsupported };

// Cuts `c` to the unit; kDay: the result lies at midnight, so its zone offset must be found anew.
Truncated truncate(Unit unit, CivilTime* c) {
  auto midnight = [&] { c->hour = c->minute = c->second = c->micros = 0; };
  switch (unit) {
    case Unit::kWeek: {
      int32_t iso_year = 0;
      int week = iso_week(c->year, c->month, c->day, &iso_year);
      civil_of_days(iso_week_start(iso_year, week), &c->year, &c->month, &c->day);
      midnight();
      return Truncated::kDay;
    }
    case Unit::kMillennium:
      c->year = c->year > 0 ? ((c->year + 999) / 1000) * 1000 - 999 : -((999 - (c->year - 1)) / 1000) * 1000 + 1;
      c->month = c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kCentury:
      c->year = c->year > 0 ? ((c->year + 99) / 100) * 100 - 99 : -((99 - (c->year - 1)) / 100) * 100 + 1;
      c->month = c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kDecade:
      c->year = c->year > 0 ? (c->year / 10) * 10 : -((8 - (c->year - 1)) / 10) * 10;
      c->month = c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kYear:
      c->month = c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kQuarter:
      c->month = 3 * ((c->month - 1) / 3) + 1;
      c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kMonth:
      c->day = 1;
      midnight();
      return Truncated::kDay;
    case Unit::kDay: midnight(); return Truncated::kDay;
    case Unit::kHour: c->minute = c->second = c->micros = 0; return Truncated::kTime;
    case Unit::kMinute: c->second = c->micros = 0; return Truncated::kTime;
    case Unit::kSecond: c->micros = 0; return Truncated::kTime;
    case Unit::kMillis: c->micros = c->micros / 1000 * 1000; return Truncated::kTime;
    case Unit::kMicros: return Truncated::kTime;
    default: return Truncated::kUnsupported;
  }
}

int64_t seconds_of(int64_t micros) { return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0); }

}  // namespace

Status date_trunc_timestamp(std::string_view name, int64_t timestamp, int64_t* out) {
  *out = timestamp;
  if (!timestamp_is_finite(timestamp)) return {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimestampType, For::kTruncate, &unit));
  CivilTime c = civil_of(timestamp);
  if (truncate(unit, &c) == Truncated::kUnsupported) return unsupported(name, kTimestampType);
  Int128 v = micros_of(c);
  if (v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) return internal::out_of_range("timestamp");
  *out = static_cast<int64_t>(v);
  return {};
}

Status date_trunc_timestamptz(std::string_view name, int64_t timestamp, const TimeZone& zone, int64_t* out) {
  *out = timestamp;
  if (!timestamp_is_finite(timestamp)) return {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimestampTzType, For::kTruncate, &unit));
  int32_t offset = zone.offset_at(seconds_of(timestamp));
  CivilTime c = civil_of(timestamp + offset * kMicrosPerSecond);
  Truncated kind = truncate(unit, &c);
  if (kind == Truncated::kUnsupported) return unsupported(name, kTimestampTzType);
  Int128 local = micros_of(c);
  if (kind == Truncated::kDay) offset = zone.offset_of_local(static_cast<int64_t>(local / kMicrosPerSecond));
  Int128 v = local - offset * kMicrosPerSecond;
  if (v < INT64_MIN || v > INT64_MAX || !timestamp_in_range(static_cast<int64_t>(v))) {
    return internal::out_of_range("timestamp");
  }
  *out = static_cast<int64_t>(v);
  return {};
}

Status date_trunc_interval(std::string_view name, const Interval& span, Interval* out) {
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kIntervalType, For::kTruncate, &unit));
  Interval r = span;
  auto months = [&](int32_t n) {
    r.months = r.months / n * n;
    r.days = 0;
    r.micros = 0;
  };
  switch (unit) {
    case Unit::kMillennium: months(12000); break;
    case Unit::kCentury: months(1200); break;
    case Unit::kDecade: months(120); break;
    case Unit::kYear: months(12); break;
    case Unit::kQuarter: months(3); break;
    case Unit::kMonth: months(1); break;
    case Unit::kDay: r.micros = 0; break;
    case Unit::kHour: r.micros = r.micros / kMicrosPerHour * kMicrosPerHour; break;
    case Unit::kMinute: r.micros = r.micros / kMicrosPerMinute * kMicrosPerMinute; break;
    case Unit::kSecond: r.micros = r.micros / kMicrosPerSecond * kMicrosPerSecond; break;
    case Unit::kMillis: r.micros = r.micros / 1000 * 1000; break;
    case Unit::kMicros: break;
    case Unit::kWeek: return unsupported(name, kIntervalType).with_detail("Months usually have fractional weeks.");
    default: return unsupported(name, kIntervalType);
  }
  *out = r;
  return {};
}

Status extract_date(std::string_view name, int32_t date, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kDateType, For::kDateField, &unit));
  if (!date_is_finite(date)) {
    switch (unit) {
      case Unit::kDay:
      case Unit::kMonth:
      case Unit::kQuarter:
      case Unit::kWeek:
      case Unit::kDow:
      case Unit::kIsoDow:
      case Unit::kDoy: out->null = true; return {};
      case Unit::kYear:
      case Unit::kDecade:
      case Unit::kCentury:
      case Unit::kMillennium:
      case Unit::kJulian:
      case Unit::kIsoYear:
      case Unit::kEpoch: set_infinite(date < 0, out); return {};
      default: return unsupported(name, kDateType);
    }
  }
  if (unit == Unit::kEpoch) {
    set_integer(static_cast<int64_t>(date) * 86400, out);
    return {};
  }
  if (unit == Unit::kJulian) {
    set_integer(date + kJulianEpochDays, out);
    return {};
  }
  CivilTime c;
  civil_of_days(date, &c.year, &c.month, &c.day);
  if (!date_field(unit, c, out)) return unsupported(name, kDateType);
  return {};
}

Status extract_time(std::string_view name, int64_t time, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimeType, For::kField, &unit));
  CivilTime c;
  c.hour = static_cast<int32_t>(time / kMicrosPerHour);
  c.minute = static_cast<int32_t>(time / kMicrosPerMinute % 60);
  c.second = static_cast<int32_t>(time / kMicrosPerSecond % 60);
  c.micros = static_cast<int32_t>(time % kMicrosPerSecond);
  if (unit == Unit::kEpoch) {
    set_scaled(time, 6, static_cast<double>(time) / 1e6, out);
    return {};
  }
  if (!clock_field(unit, c, out)) return unsupported(name, kTimeType);
  return {};
}

Status extract_timetz(std::string_view name, TimeTz time, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimeTzType, For::kField, &unit));
  if (zone_field(unit, -time.zone, out)) return {};
  if (unit == Unit::kEpoch) {
    int64_t v = time.time + time.zone * kMicrosPerSecond;
    set_scaled(v, 6, static_cast<double>(time.time) / 1e6 + time.zone, out);
    return {};
  }
  Status s = extract_time(name, time.time, out);
  return s.ok() ? s : unsupported(name, kTimeTzType);
}

Status extract_timestamp(std::string_view name, int64_t timestamp, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimestampType, For::kDateField, &unit));
  if (unit == Unit::kTimezone || unit == Unit::kTimezoneHour || unit == Unit::kTimezoneMinute) {
    return unsupported(name, kTimestampType);
  }
  if (!timestamp_is_finite(timestamp)) {
    return infinite_field(unit, timestamp < 0, out) ? Status() : unsupported(name, kTimestampType);
  }
  CivilTime c = civil_of(timestamp);
  if (unit == Unit::kEpoch) {
    set_scaled(timestamp, 6, static_cast<double>(timestamp) / 1e6, out);
    return {};
  }
  if (unit == Unit::kJulian) return julian(c, out);
  if (!clock_field(unit, c, out) && !date_field(unit, c, out)) return unsupported(name, kTimestampType);
  return {};
}

Status extract_timestamptz(std::string_view name, int64_t timestamp, const TimeZone& zone, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kTimestampTzType, For::kDateField, &unit));
  if (!timestamp_is_finite(timestamp)) {
    return infinite_field(unit, timestamp < 0, out) ? Status() : unsupported(name, kTimestampTzType);
  }
  int32_t offset = zone.offset_at(seconds_of(timestamp));
  if (zone_field(unit, offset, out)) return {};
  if (unit == Unit::kEpoch) {
    set_scaled(timestamp, 6, static_cast<double>(timestamp) / 1e6, out);
    return {};
  }
  CivilTime c = civil_of(timestamp + offset * kMicrosPerSecond);
  if (unit == Unit::kJulian) return julian(c, out);
  if (!clock_field(unit, c, out) && !date_field(unit, c, out)) return unsupported(name, kTimestampTzType);
  return {};
}

Status extract_interval(std::string_view name, const Interval& span, FieldResult* out) {
  *out = {};
  Unit unit = Unit::kNone;
  RETURN_IF_ERROR(find_unit(name, kIntervalType, For::kField, &unit));
  int64_t year = span.months / 12, month = span.months % 12;
  int64_t second_micros = span.micros % kMicrosPerMinute;
  switch (unit) {
    case Unit::kMicros: set_integer(second_micros, out); break;
    case Unit::kMillis:
      set_scaled(second_micros, 3,
                 static_cast<double>(second_micros / kMicrosPerSecond) * 1000.0 +
                     static_cast<double>(second_micros % kMicrosPerSecond) / 1000.0,
                 out);
      break;
    case Unit::kSecond:
      set_scaled(second_micros, 6,
                 static_cast<double>(second_micros / kMicrosPerSecond) +
                     static_cast<double>(second_micros % kMicrosPerSecond) / 1000000.0,
                 out);
      break;
    case Unit::kMinute: set_integer(span.micros / kMicrosPerMinute % 60, out); break;
    case Unit::kHour: set_integer(span.micros / kMicrosPerHour, out); break;
    case Unit::kDay: set_integer(span.days, out); break;
    case Unit::kMonth: set_integer(month, out); break;
    case Unit::kQuarter: set_integer(month / 3 + 1, out); break;
    case Unit::kYear: set_integer(year, out); break;
    case Unit::kDecade: set_integer(year / 10, out); break;
    case Unit::kCentury: set_integer(year / 100, out); break;
    case Unit::kMillennium: set_integer(year / 1000, out); break;
    case Unit::kEpoch: {
      // A year counts 365.25 days here; four times that is whole.
      Int128 seconds =
          (static_cast<Int128>(1461) * year + 120 * month + static_cast<Int128>(4) * span.days) * (86400 / 4);
      set_scaled(seconds * kMicrosPerSecond + span.micros, 6,
                 static_cast<double>(span.micros) / 1000000.0 + 365.25 * 86400.0 * static_cast<double>(year) +
                     30.0 * 86400.0 * static_cast<double>(month) + 86400.0 * span.days,
                 out);
      break;
    }
    default: return unsupported(name, kIntervalType);
  }
  return {};
}

}  // namespace omendb::types
