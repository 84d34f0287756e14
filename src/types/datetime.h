// Dates, times and intervals: PostgreSQL's input, output and arithmetic.
//
// Forms: date int32 days and timestamp[tz] int64 microseconds, both since 1970-01-01 (UTC for timestamptz); their greatest and least
// values but one (INT32_MAX, -INT32_MAX, INT64_MAX, -INT64_MAX) are infinity and -infinity. time is microseconds of the day,
// 0..86,400,000,000. An interval is months, days and microseconds that do not mix (value.h).
// timetz is 12 bytes: time + zone (microseconds, big-endian, sign bit flipped), zone (seconds west, the same); memcmp order is its order.
//
// Timestamps run from 4713-11-24 BC to 294247-01-10 AD (PostgreSQL's end is 29 years later), dates to 5874897-12-31.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/io.h"
#include "types/numeric.h"
#include "types/timezone.h"
#include "types/type.h"

namespace omendb::types {

inline constexpr int32_t kDateInfinity = INT32_MAX, kDateMinusInfinity = -INT32_MAX;
inline constexpr int64_t kTimestampInfinity = INT64_MAX, kTimestampMinusInfinity = -INT64_MAX;
inline constexpr int64_t kMicrosPerSecond = 1'000'000, kMicrosPerMinute = 60 * kMicrosPerSecond,
                         kMicrosPerHour = 60 * kMicrosPerMinute, kMicrosPerDay = 24 * kMicrosPerHour;
inline constexpr int32_t kPostgresEpochDays = 10957;  // 2000-01-01
inline constexpr int64_t kPostgresEpochMicros = kPostgresEpochDays * kMicrosPerDay;
inline constexpr int64_t kJulianEpochDays = 2440588;  // Julian day of 1970-01-01

inline bool date_is_finite(int32_t d) { return d != kDateInfinity && d != kDateMinusInfinity; }
inline bool timestamp_is_finite(int64_t t) { return t != kTimestampInfinity && t != kTimestampMinusInfinity; }

/// A broken-down time. Years are astronomical: 0 is 1 BC.
struct CivilTime {
  int32_t year = 1970;
  int32_t month = 1, day = 1;
  int32_t hour = 0, minute = 0, second = 0, micros = 0;
};

struct TimeTz {
  int64_t time = 0;  // microseconds of the day, local
  int32_t zone = 0;  // seconds west of UTC
};

// ---- calendar ----
int64_t days_of(int32_t year, int32_t month,
                int32_t day);  // days since 1970-01-01; month and day may lie outside their range
void civil_of_days(int64_t days, int32_t* year, int32_t* month, int32_t* day);
int days_in_month(int32_t year, int32_t month);
bool date_in_range(int64_t days);
bool timestamp_in_range(int64_t micros);
CivilTime civil_of(int64_t micros);
/// Microseconds since 1970-01-01 of a local time; may exceed the range of timestamps (Int128).
Int128 micros_of(const CivilTime& c);
int iso_week(int32_t year, int32_t month, int32_t day, int32_t* iso_year);  // 1..53
int64_t iso_week_start(int32_t iso_year, int week);                         // days of its Monday

const TimeZone& zone_of(const IoContext& context);

// ---- text ----
Status parse_date(std::string_view text, const IoContext& context, int32_t* out);
Status parse_time(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out);
Status parse_timetz(std::string_view text, int32_t typmod, const IoContext& context, TimeTz* out);
Status parse_timestamp(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out);
Status parse_timestamptz(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out);
Status parse_interval(std::string_view text, int32_t typmod, const IoContext& context, Interval* out);

void append_date(int32_t date, const IoContext& context, std::string* out);
void append_time(int64_t time, std::string* out);
void append_timetz(TimeTz time, std::string* out);
void append_timestamp(int64_t timestamp, const IoContext& context, std::string* out);
void append_timestamptz(int64_t timestamp, const IoContext& context, std::string* out);
void append_interval(const Interval& interval, IntervalStyle style, std::string* out);

std::string timetz_to_bytes(TimeTz t);
TimeTz timetz_from_bytes(std::string_view twelve);

// ---- typmod ----
int64_t round_micros(int64_t micros, int32_t precision);  // precision < 0 or > 5: unchanged
/// Of a timestamp: halves go away from 2000-01-01, as PostgreSQL's do. Infinities stay.
int64_t round_timestamp(int64_t timestamp, int32_t precision);
Status apply_interval_typmod(Interval* interval, int32_t typmod);

// ---- intervals ----
/// The order and equality of intervals: a month counts 30 days, a day 24 hours.
Int128 interval_micros(const Interval& i);
inline int interval_compare(const Interval& a, const Interval& b) {
  Int128 x = interval_micros(a), y = interval_micros(b);
  return x < y ? -1 : x > y;
}
Status interval_add(const Interval& a, const Interval& b, Interval* out);
Status interval_sub(const Interval& a, const Interval& b, Interval* out);
Status interval_negate(const Interval& a, Interval* out);
Status interval_multiply(const Interval& a, double factor, Interval* out);
Status interval_divide(const Interval& a, double divisor, Interval* out);
Status justify_hours(const Interval& a, Interval* out);
Status justify_days(const Interval& a, Interval* out);
Status justify_interval(const Interval& a, Interval* out);
Status make_interval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                     double seconds, Interval* out);
/// avg(interval) of a sum over `count` values.
inline Status interval_average(const Interval& sum, int64_t count, Interval* out) {
  return interval_divide(sum, static_cast<double>(count), out);
}

// ---- arithmetic. Errors: 22008 `timestamp out of range`, `date out of range` ----
Status date_add_days(int32_t date, int32_t days, int32_t* out);
/// date - date. Errors: 22008 for an infinite date.
Status date_diff(int32_t a, int32_t b, int32_t* out);
Status date_to_timestamp(int32_t date, int64_t* out);
Status date_to_timestamptz(int32_t date, const TimeZone& zone, int64_t* out);
Status timestamp_to_date(int64_t timestamp, int32_t* out);
Status timestamptz_to_date(int64_t timestamp, const TimeZone& zone, int32_t* out);
/// timestamp -> timestamptz in `zone` (AT TIME ZONE, cast), and back.
Status timestamp_to_timestamptz(int64_t timestamp, const TimeZone& zone, int64_t* out);
Status timestamptz_to_timestamp(int64_t timestamp, const TimeZone& zone, int64_t* out);
int64_t timestamp_time_of_day(int64_t timestamp);
Status timestamp_add(int64_t timestamp, const Interval& span, int64_t* out);
Status timestamptz_add(int64_t timestamp, const Interval& span, const TimeZone& zone, int64_t* out);
/// a - b as days and time. Errors: 22008 for infinite arguments.
Status timestamp_diff(int64_t a, int64_t b, Interval* out);
/// age(a, b): years, months, days.
Status timestamp_age(int64_t a, int64_t b, Interval* out);
Status timestamptz_age(int64_t a, int64_t b, const TimeZone& zone, Interval* out);
int64_t time_add(int64_t time, const Interval& span);
TimeTz timetz_add(TimeTz time, const Interval& span);
/// The zone argument of AT TIME ZONE: name, abbreviation or POSIX form. Errors: 22023 `time zone "x" not recognized`.
/// An abbreviation has one offset all year: *offset_fixed then holds seconds east and *zone is null.
Status find_zone_argument(std::string_view name, const TimeZone** zone, int32_t* offset_fixed);
/// `zone AT TIME ZONE`, both ways, and for timetz; interval zones are seconds of the interval (no months or days: 22023).
Status timestamp_at_zone(std::string_view zone, int64_t timestamp, int64_t* out);  // timestamp -> timestamptz
/// make_timestamptz's zone: a number has its ISO sign ("+2" is east). Errors: 22023.
Status timestamp_at_plain_zone(std::string_view zone, int64_t timestamp, int64_t* out);
Status timestamptz_at_zone(std::string_view zone, int64_t timestamp, int64_t* out);  // timestamptz -> timestamp
Status timetz_at_zone(std::string_view zone, TimeTz time, const IoContext& context, TimeTz* out);
Status interval_zone_offset(const Interval& zone, int32_t* seconds_east);
bool overlaps(int64_t start1, int64_t end1, int64_t start2, int64_t end2);  // finite, not null

// ---- fields ----
/// date_trunc. Errors: 22023 `unit "x" not recognized for type timestamp without time zone`, 0A000 not supported.
Status date_trunc_timestamp(std::string_view unit, int64_t timestamp, int64_t* out);
Status date_trunc_timestamptz(std::string_view unit, int64_t timestamp, const TimeZone& zone, int64_t* out);
Status date_trunc_interval(std::string_view unit, const Interval& span, Interval* out);
Status date_bin(const Interval& stride, int64_t timestamp, int64_t origin, int64_t* out);

/// extract (numeric) and date_part (double): pass one of them. *null is set where PostgreSQL answers null (infinite arguments).
struct FieldResult {
  bool null = false;
  Numeric numeric;  // extract's answer
  double real = 0;  // date_part's answer
};
Status extract_date(std::string_view field, int32_t date, FieldResult* out);
Status extract_time(std::string_view field, int64_t time, FieldResult* out);
Status extract_timetz(std::string_view field, TimeTz time, FieldResult* out);
Status extract_timestamp(std::string_view field, int64_t timestamp, FieldResult* out);
Status extract_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone, FieldResult* out);
Status extract_interval(std::string_view field, const Interval& span, FieldResult* out);

Status make_date(int32_t year, int32_t month, int32_t day, int32_t* out);
Status make_time(int32_t hour, int32_t minute, double second, int64_t* out);
Status make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                      int64_t* out);
/// to_timestamp(double): seconds since 1970.
Status timestamp_of_seconds(double seconds, int64_t* out);

namespace internal {
// English names, capitalised.
extern const char* const kMonthNames[12];
extern const char* const kDayNames[7];
Status out_of_range(const char* what);  // 22008 `WHAT out of range`
}  // namespace internal

}  // namespace omendb::types
