// Calendar and output.
#include "types/datetime.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "types/io_parts.h"
#include "types/scalar.h"

namespace omendb::types {

namespace internal {
const char* const kMonthNames[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char* const kDayNames[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
Status out_of_range(const char* what) {
  return Status(SqlState::kDatetimeValueOutOfRange, std::string(what) + " out of range");
}
}  // namespace internal

namespace {

constexpr int64_t kDateMin = -kJulianEpochDays;  // 4714-11-24 BC, Julian day 0
constexpr int64_t kDateEnd = 2145042906;         // 5874898-01-01
constexpr int64_t kTimestampMin = -210866803200000000;

void append_padded(int64_t v, int width, std::string* out) {
  char text[24];
  char* p = text + sizeof(text);
  bool negative = v < 0;
  uint64_t u = negative ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
  do {
    *--p = static_cast<char>('0' + u % 10);
    u /= 10;
    --width;
  } while (u != 0 || width > 0);
  if (negative) *--p = '-';
  out->append(p, static_cast<size_t>(text + sizeof(text) - p));
}

// Seconds with as many decimals as it takes.
void append_seconds(int second, int micros, bool pad, std::string* out) {
  append_padded(second, pad ? 2 : 1, out);
  if (micros == 0) return;
  char text[8];
  text[0] = '.';
  for (int i = 6; i >= 1; --i, micros /= 10) text[i] = static_cast<char>('0' + micros % 10);
  size_t n = 7;
  while (text[n - 1] == '0') --n;
  out->append(text, n);
}

void append_clock(const CivilTime& c, std::string* out) {
  append_padded(c.hour, 2, out);
  out->push_back(':');
  append_padded(c.minute, 2, out);
  out->push_back(':');
  append_seconds(c.second, c.micros, true, out);
}

void append_zone(int32_t east, std::string* out) {
  int32_t size = std::abs(east);
  out->push_back(east >= 0 ? '+' : '-');
  append_padded(size / 3600, 2, out);
  if (size % 60 != 0) {
    out->push_back(':');
    append_padded(size / 60 % 60, 2, out);
    out->push_back(':');
    append_padded(size % 60, 2, out);
  } else if (size / 60 % 60 != 0) {
    out->push_back(':');
    append_padded(size / 60 % 60, 2, out);
  }
}

int32_t display_year(int32_t year) { return year > 0 ? year : -(year - 1); }

void append_ymd(const CivilTime& c, std::string* out) {
  append_padded(display_year(c.year), 4, out);
  out->push_back('-');
  append_padded(c.month, 2, out);
  out->push_back('-');
  append_padded(c.day, 2, out);
}

// Day or month first, the year last.
void append_dmy(const CivilTime& c, bool day_first, char separator, std::string* out) {
  append_padded(day_first ? c.day : c.month, 2, out);
  out->push_back(separator);
  append_padded(day_first ? c.month : c.day, 2, out);
  out->push_back(separator);
  append_padded(display_year(c.year), 4, out);
}

// The date part of a date (not a timestamp) in each style.
void append_date_only(const CivilTime& c, const IoContext& context, std::string* out) {
  const bool day_first = context.date_order == DateOrder::kDmy;
  switch (context.date_format) {
    case DateFormat::kIso: append_ymd(c, out); break;
    case DateFormat::kSql: append_dmy(c, day_first, '/', out); break;
    case DateFormat::kPostgres: append_dmy(c, day_first, '-', out); break;
    case DateFormat::kGerman: append_dmy(c, true, '.', out); break;
  }
  if (c.year <= 0) out->append(" BC");
}

void append_date_time(const CivilTime& c, const TimeZone::Moment* zone, const IoContext& context, std::string* out) {
  switch (context.date_format) {
    case DateFormat::kIso:
      append_ymd(c, out);
      out->push_back(' ');
      append_clock(c, out);
      if (zone != nullptr) append_zone(zone->offset, out);
      break;
    case DateFormat::kSql:
    case DateFormat::kGerman: {
      const bool german = context.date_format == DateFormat::kGerman;
      append_dmy(c, german || context.date_order == DateOrder::kDmy, german ? '.' : '/', out);
      out->push_back(' ');
      append_clock(c, out);
      if (zone != nullptr) {
        if (zone->abbreviation.empty()) {
          append_zone(zone->offset, out);
        } else {
          out->push_back(' ');
          out->append(zone->abbreviation);
        }
      }
      break;
    }
    case DateFormat::kPostgres: {
      int64_t days = days_of(c.year, c.month, c.day);
      int weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
      out->append(internal::kDayNames[weekday], 3);
      out->push_back(' ');
      if (context.date_order == DateOrder::kDmy) {
        append_padded(c.day, 2, out);
        out->push_back(' ');
        out->append(internal::kMonthNames[c.month - 1], 3);
      } else {
        out->append(internal::kMonthNames[c.month - 1], 3);
        out->push_back(' ');
        append_padded(c.day, 2, out);
      }
      out->push_back(' ');
      append_clock(c, out);
      out->push_back(' ');
      append_padded(display_year(c.year), 4, out);
      if (zone != nullptr) {
        out->push_back(' ');
        if (zone->abbreviation.empty())
          append_zone(zone->offset, out);
        else
          out->append(zone->abbreviation);
      }
      break;
    }
  }
  if (c.year <= 0) out->append(" BC");
}

}  // namespace

// ---- calendar ----

int64_t days_of(int32_t year, int32_t month, int32_t day) {
  int64_t m = static_cast<int64_t>(month) - 1;
  int64_t y = year + (m >= 0 ? m / 12 : -((11 - m) / 12));
  m = ((m % 12) + 12) % 12 + 1;
  y -= m <= 2;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t yoe = y - era * 400;
  int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
  int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468 + day - 1;
}

void civil_of_days(int64_t days, int32_t* year, int32_t* month, int32_t* day) {
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  *day = static_cast<int32_t>(doy - (153 * mp + 2) / 5 + 1);
  *month = static_cast<int32_t>(mp < 10 ? mp + 3 : mp - 9);
  *year = static_cast<int32_t>(yoe + era * 400 + (*month <= 2));
}

int days_in_month(int32_t year, int32_t month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool date_in_range(int64_t days) { return days >= kDateMin && days < kDateEnd; }
bool timestamp_in_range(int64_t micros) { return micros >= kTimestampMin && micros < kTimestampInfinity; }

CivilTime civil_of(int64_t micros) {
  int64_t days = micros / kMicrosPerDay, rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  CivilTime c;
  civil_of_days(days, &c.year, &c.month, &c.day);
  c.hour = static_cast<int32_t>(rest / kMicrosPerHour);
  rest %= kMicrosPerHour;
  c.minute = static_cast<int32_t>(rest / kMicrosPerMinute);
  rest %= kMicrosPerMinute;
  c.second = static_cast<int32_t>(rest / kMicrosPerSecond);
  c.micros = static_cast<int32_t>(rest % kMicrosPerSecond);
  return c;
}

Int128 micros_of(const CivilTime& c) {
  return static_cast<Int128>(days_of(c.year, c.month, c.day)) * kMicrosPerDay + c.hour * kMicrosPerHour +
         c.minute * kMicrosPerMinute + c.second * kMicrosPerSecond + c.micros;
}

int64_t iso_week_start(int32_t iso_year, int week) {
  int64_t fourth = days_of(iso_year, 1, 4);
  int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7;
  return monday + (week - 1) * 7;
}

int iso_week(int32_t year, int32_t month, int32_t day, int32_t* iso_year) {
  int64_t d = days_of(year, month, day);
  int32_t y = year;
  if (d < iso_week_start(y, 1))
    --y;
  else if (d >= iso_week_start(y + 1, 1))
    ++y;
  if (iso_year != nullptr) *iso_year = y;
  return static_cast<int>((d - iso_week_start(y, 1)) / 7) + 1;
}

const TimeZone& zone_of(const IoContext& context) {
  return context.time_zone != nullptr ? *context.time_zone : TimeZone::utc();
}

// ---- output ----

void append_date(int32_t date, const IoContext& context, std::string* out) {
  if (date == kDateInfinity || date == kDateMinusInfinity) {
    out->append(date > 0 ? "infinity" : "-infinity");
    return;
  }
  CivilTime c;
  civil_of_days(date, &c.year, &c.month, &c.day);
  append_date_only(c, context, out);
}

void append_time(int64_t time, std::string* out) {
  CivilTime c;
  c.hour = static_cast<int32_t>(time / kMicrosPerHour);
  c.minute = static_cast<int32_t>(time / kMicrosPerMinute % 60);
  c.second = static_cast<int32_t>(time / kMicrosPerSecond % 60);
  c.micros = static_cast<int32_t>(time % kMicrosPerSecond);
  append_clock(c, out);
}

void append_timetz(TimeTz t, std::string* out) {
  append_time(t.time, out);
  append_zone(-t.zone, out);
}

void append_timestamp(int64_t timestamp, const IoContext& context, std::string* out) {
  if (!timestamp_is_finite(timestamp)) {
    out->append(timestamp > 0 ? "infinity" : "-infinity");
    return;
  }
  append_date_time(civil_of(timestamp), nullptr, context, out);
}

void append_timestamptz(int64_t timestamp, const IoContext& context, std::string* out) {
  if (!timestamp_is_finite(timestamp)) {
    out->append(timestamp > 0 ? "infinity" : "-infinity");
    return;
  }
  int64_t seconds = timestamp / kMicrosPerSecond - (timestamp % kMicrosPerSecond < 0);
  TimeZone::Moment moment;
  if (context.date_format == DateFormat::kIso)
    moment.offset = zone_of(context).offset_at(seconds);
  else
    moment = zone_of(context).moment_at(seconds);
  Int128 local = static_cast<Int128>(timestamp) + moment.offset * kMicrosPerSecond;
  if (local > INT64_MAX) local = INT64_MAX;
  append_date_time(civil_of(static_cast<int64_t>(local)), &moment, context, out);
}

namespace {

/// An interval as its text names it: months, days and time have signs of their own.
struct IntervalParts {
  explicit IntervalParts(const Interval& v)
      : year(v.months / 12), month(v.months % 12), day(v.days), negative_time(v.micros < 0) {
    const uint64_t size = negative_time ? 0 - static_cast<uint64_t>(v.micros) : static_cast<uint64_t>(v.micros);
    hour = static_cast<int64_t>(size / kMicrosPerHour);
    minute = static_cast<int>(size / kMicrosPerMinute % 60);
    second = static_cast<int>(size / kMicrosPerSecond % 60);
    micros = static_cast<int>(size % kMicrosPerSecond);
  }
  bool has_time() const { return hour != 0 || minute != 0 || has_seconds(); }
  bool has_seconds() const { return second != 0 || micros != 0; }
  void append_clock(int hour_width, std::string* out) const {
    append_padded(hour, hour_width, out);
    out->push_back(':');
    append_padded(minute, 2, out);
    out->push_back(':');
    append_seconds(second, micros, true, out);
  }

  int32_t year, month, day;
  bool negative_time;  // of the following, which have no sign
  int64_t hour;
  int minute, second, micros;
};

void append_sql_interval(const IntervalParts& v, std::string* out) {
  const bool has_negative = v.year < 0 || v.month < 0 || v.day < 0 || v.negative_time;
  const bool has_positive = v.year > 0 || v.month > 0 || v.day > 0 || (v.has_time() && !v.negative_time);
  const bool has_year_month = v.year != 0 || v.month != 0;
  const bool has_day_time = v.day != 0 || v.has_time();
  const auto size = [](int32_t part) { return std::abs(static_cast<int64_t>(part)); };
  if (!has_negative && !has_positive) {
    out->push_back('0');
    return;
  }
  // The standard knows one sign, and months or days with time; what mixes them is written with all signs.
  if ((has_negative && has_positive) || (has_year_month && has_day_time)) {
    out->push_back(v.year < 0 || v.month < 0 ? '-' : '+');
    append_int64(size(v.year), out);
    out->push_back('-');
    append_int64(size(v.month), out);
    out->push_back(' ');
    out->push_back(v.day < 0 ? '-' : '+');
    append_int64(size(v.day), out);
    out->push_back(' ');
    out->push_back(v.negative_time ? '-' : '+');
    v.append_clock(1, out);
    return;
  }
  if (has_negative) out->push_back('-');
  if (has_year_month) {
    append_int64(size(v.year), out);
    out->push_back('-');
    append_int64(size(v.month), out);
    return;
  }
  if (v.day != 0) {
    append_int64(size(v.day), out);
    out->push_back(' ');
  }
  v.append_clock(1, out);
}

void append_iso_interval(const IntervalParts& v, std::string* out) {
  if (v.year == 0 && v.month == 0 && v.day == 0 && !v.has_time()) {
    out->append("PT0S");
    return;
  }
  auto part = [&](int64_t n, char unit) {
    if (n == 0) return;
    append_int64(n, out);
    out->push_back(unit);
  };
  out->push_back('P');
  part(v.year, 'Y');
  part(v.month, 'M');
  part(v.day, 'D');
  if (v.has_time()) out->push_back('T');
  part(v.negative_time ? -v.hour : v.hour, 'H');
  part(v.negative_time ? -v.minute : v.minute, 'M');
  if (v.has_seconds()) {
    if (v.negative_time) out->push_back('-');
    append_seconds(v.second, v.micros, false, out);
    out->push_back('S');
  }
}

void append_postgres_interval(const IntervalParts& v, std::string* out) {
  bool is_zero = true, is_before = false;
  auto part = [&](int64_t n, const char* unit) {
    if (n == 0) return;
    if (!is_zero) out->push_back(' ');
    if (is_before && n > 0) out->push_back('+');
    append_int64(n, out);
    out->push_back(' ');
    out->append(unit);
    if (n != 1) out->push_back('s');
    is_before = n < 0;
    is_zero = false;
  };
  part(v.year, "year");
  part(v.month, "mon");
  part(v.day, "day");
  if (!is_zero && !v.has_time()) return;
  if (!is_zero) out->push_back(' ');
  if (v.negative_time)
    out->push_back('-');
  else if (is_before)
    out->push_back('+');
  v.append_clock(2, out);
}

void append_verbose_interval(const IntervalParts& v, std::string* out) {
  // The first part says whether the whole is "ago"; the others have their signs relative to that.
  bool is_zero = true, is_before = false;
  auto part = [&](int64_t n, const char* unit) {
    if (n == 0) return;
    if (is_zero) {
      is_before = n < 0;
      n = std::abs(n);
    } else if (is_before) {
      n = -n;
    }
    out->push_back(' ');
    append_int64(n, out);
    out->push_back(' ');
    out->append(unit);
    if (n != 1) out->push_back('s');
    is_zero = false;
  };
  out->push_back('@');
  part(v.year, "year");
  part(v.month, "mon");
  part(v.day, "day");
  part(v.negative_time ? -v.hour : v.hour, "hour");
  part(v.negative_time ? -v.minute : v.minute, "min");
  if (v.has_seconds()) {
    out->push_back(' ');
    if (v.negative_time) {
      if (is_zero)
        is_before = true;
      else if (!is_before)
        out->push_back('-');
    } else if (is_before) {
      out->push_back('-');
    }
    append_seconds(v.second, v.micros, false, out);
    out->append(v.second != 1 || v.micros != 0 ? " secs" : " sec");
    is_zero = false;
  }
  if (is_zero) out->append(" 0");
  if (is_before) out->append(" ago");
}

}  // namespace

void append_interval(const Interval& interval, IntervalStyle style, std::string* out) {
  const IntervalParts parts(interval);
  switch (style) {
    case IntervalStyle::kSqlStandard: return append_sql_interval(parts, out);
    case IntervalStyle::kIso8601: return append_iso_interval(parts, out);
    case IntervalStyle::kPostgres: return append_postgres_interval(parts, out);
    case IntervalStyle::kPostgresVerbose: return append_verbose_interval(parts, out);
  }
}

// ---- timetz bytes ----

std::string timetz_to_bytes(TimeTz t) {
  std::string bytes;
  append_be64(static_cast<uint64_t>(t.time + t.zone * kMicrosPerSecond) ^ (uint64_t{1} << 63), &bytes);
  append_be32(static_cast<uint32_t>(t.zone) ^ (uint32_t{1} << 31), &bytes);
  return bytes;
}

TimeTz timetz_from_bytes(std::string_view b) {
  CHECK(b.size() == 12);
  TimeTz t;
  t.zone = static_cast<int32_t>(load_be32(b.data() + 8) ^ (uint32_t{1} << 31));
  t.time = static_cast<int64_t>(load_be64(b.data()) ^ (uint64_t{1} << 63)) - t.zone * kMicrosPerSecond;
  return t;
}

int64_t round_micros(int64_t micros, int32_t precision) {
  if (precision < 0 || precision > 5) return micros;
  static constexpr int64_t kUnit[] = {1000000, 100000, 10000, 1000, 100, 10};
  int64_t unit = kUnit[precision], half = unit / 2;
  return micros >= 0 ? (micros + half) / unit * unit : -((-micros + half) / unit * unit);
}

int64_t round_timestamp(int64_t timestamp, int32_t precision) {
  if (precision < 0 || precision > 5 || !timestamp_is_finite(timestamp)) return timestamp;
  return round_micros(timestamp - kPostgresEpochMicros, precision) + kPostgresEpochMicros;
}

}  // namespace omendb::types
