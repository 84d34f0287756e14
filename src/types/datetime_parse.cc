// Input of dates and times: each type's range, zone and rounding of what the parser found, and a fast lane for ISO texts.
#include "types/datetime_parser.h"
#include "types/datetime_tokens.h"

namespace omendb::types {
namespace {

using internal::parse_error;
using internal::parse_moment;
using internal::ParsedMoment;
using internal::ParseError;
using Outcome = ParsedMoment::Outcome;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Status out_of_range(const char* what, std::string_view text) {
  return Status(SqlState::kDatetimeValueOutOfRange, std::string(what) + " out of range: \"" + std::string(text) + "\"");
}

Int128 local_seconds(const CivilTime& c) {
  CivilTime whole = c;
  whole.micros = 0;
  return micros_of(whole) / kMicrosPerSecond;
}

int32_t zone_west_of(const ParsedMoment& p, const IoContext& context) {
  if (p.zone_given && p.zone == nullptr) return p.zone_west;
  const TimeZone& zone = p.zone != nullptr ? *p.zone : zone_of(context);
  auto local = static_cast<int64_t>(local_seconds(p.civil));
  int32_t offset = zone.offset_of_local(local);
  if (p.dynamic != nullptr) (void)zone.offset_of_abbreviation(p.dynamic->name, local - offset, &offset);
  return -offset;
}

// The fast lane: exactly YYYY-MM-DD, with valid numbers.
bool parse_iso_date(std::string_view s, int32_t* year, int32_t* month, int32_t* day) {
  if (s.size() != 10 || s[4] != '-' || s[7] != '-') return false;
  auto number = [&](size_t from, size_t n, int32_t* v) {
    int32_t r = 0;
    for (size_t i = from; i < from + n; ++i) {
      if (!is_digit(s[i])) return false;
      r = r * 10 + (s[i] - '0');
    }
    *v = r;
    return true;
  };
  return number(0, 4, year) && number(5, 2, month) && number(8, 2, day) && *year > 0 && *month >= 1 && *month <= 12 &&
         *day >= 1 && *day <= days_in_month(*year, *month);
}

// YYYY-MM-DD HH:MM:SS[.ffffff], nothing else.
bool parse_iso_timestamp(std::string_view s, int64_t* out) {
  if (s.size() < 19 || s.size() > 26 || s[10] != ' ' || s[13] != ':' || s[16] != ':') return false;
  CivilTime c;
  if (!parse_iso_date(s.substr(0, 10), &c.year, &c.month, &c.day)) return false;
  auto two = [&](size_t i, int32_t* v) {
    if (!is_digit(s[i]) || !is_digit(s[i + 1])) return false;
    *v = (s[i] - '0') * 10 + (s[i + 1] - '0');
    return true;
  };
  if (!two(11, &c.hour) || !two(14, &c.minute) || !two(17, &c.second)) return false;
  if (c.hour > 23 || c.minute > 59 || c.second > 59) return false;
  if (s.size() > 19) {
    if (s[19] != '.' || s.size() == 20) return false;
    int32_t unit = 100000;
    for (size_t i = 20; i < s.size(); ++i, unit /= 10) {
      if (!is_digit(s[i])) return false;
      c.micros += (s[i] - '0') * unit;
    }
  }
  *out = static_cast<int64_t>(micros_of(c));
  return true;
}

}  // namespace

Status parse_date(std::string_view text, const IoContext& context, int32_t* out) {
  CivilTime iso;
  if (parse_iso_date(text, &iso.year, &iso.month, &iso.day)) {
    *out = static_cast<int32_t>(days_of(iso.year, iso.month, iso.day));
    return {};
  }
  ParsedMoment p;
  RETURN_IF_ERROR(parse_moment(text, "date", context, false, &p));
  switch (p.outcome) {
    case Outcome::kDate: break;
    case Outcome::kEpoch: *out = 0; return {};
    case Outcome::kLate: *out = kDateInfinity; return {};
    case Outcome::kEarly: *out = kDateMinusInfinity; return {};
    case Outcome::kTimeOnly: return parse_error(ParseError::kBadFormat, text, "date");
  }
  int64_t days = days_of(p.civil.year, p.civil.month, p.civil.day);
  if (!date_in_range(days)) return out_of_range("date", text);
  *out = static_cast<int32_t>(days);
  return {};
}

Status parse_timestamp(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out) {
  if (parse_iso_timestamp(text, out)) {
    *out = round_timestamp(*out, typmod);
    return {};
  }
  ParsedMoment p;
  RETURN_IF_ERROR(parse_moment(text, "timestamp", context, false, &p));
  switch (p.outcome) {
    case Outcome::kDate: break;
    case Outcome::kEpoch: *out = 0; return {};
    case Outcome::kLate: *out = kTimestampInfinity; return {};
    case Outcome::kEarly: *out = kTimestampMinusInfinity; return {};
    case Outcome::kTimeOnly: return parse_error(ParseError::kBadFormat, text, "timestamp");
  }
  Int128 v = micros_of(p.civil);
  if (v > INT64_MAX || v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) {
    return out_of_range("timestamp", text);
  }
  *out = round_timestamp(static_cast<int64_t>(v), typmod);
  return {};
}

Status parse_timestamptz(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out) {
  ParsedMoment p;
  RETURN_IF_ERROR(parse_moment(text, "timestamp with time zone", context, false, &p));
  switch (p.outcome) {
    case Outcome::kDate: break;
    case Outcome::kEpoch: *out = 0; return {};
    case Outcome::kLate: *out = kTimestampInfinity; return {};
    case Outcome::kEarly: *out = kTimestampMinusInfinity; return {};
    case Outcome::kTimeOnly: return parse_error(ParseError::kBadFormat, text, "timestamp with time zone");
  }
  Int128 v = micros_of(p.civil);
  if (v > INT64_MAX || v < INT64_MIN) return out_of_range("timestamp", text);
  v += static_cast<Int128>(zone_west_of(p, context)) * kMicrosPerSecond;
  if (v > INT64_MAX || v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) {
    return out_of_range("timestamp", text);
  }
  *out = round_timestamp(static_cast<int64_t>(v), typmod);
  return {};
}

Status parse_time(std::string_view text, int32_t typmod, const IoContext& context, int64_t* out) {
  ParsedMoment p;
  RETURN_IF_ERROR(parse_moment(text, "time", context, true, &p));
  // A named zone says nothing about the time of no date.
  if (p.zone != nullptr && !p.has_date) {
    return parse_error(ParseError::kBadFormat, text, "time");
  }
  const CivilTime& c = p.civil;
  *out = round_micros(c.hour * kMicrosPerHour + c.minute * kMicrosPerMinute + c.second * kMicrosPerSecond + c.micros,
                      typmod);
  if (*out > kMicrosPerDay) return parse_error(ParseError::kFieldOverflow, text, "time");
  return {};
}

Status parse_timetz(std::string_view text, int32_t typmod, const IoContext& context, TimeTz* out) {
  ParsedMoment p;
  RETURN_IF_ERROR(parse_moment(text, "time with time zone", context, true, &p));
  CivilTime c = p.civil;
  if (p.zone_given && p.zone == nullptr) {
    out->zone = p.zone_west;
  } else {
    if (p.zone != nullptr && !p.has_date && p.zone->name()[0] != '<') {
      // Only a zone of one offset all year would do.
      return parse_error(ParseError::kBadFormat, text, "time with time zone");
    }
    const TimeZone& zone = p.zone != nullptr ? *p.zone : zone_of(context);
    CivilTime on = c;
    if (!p.has_date) {
      int64_t seconds = context.now_us / kMicrosPerSecond - (context.now_us % kMicrosPerSecond < 0);
      CivilTime today = civil_of(context.now_us + zone.offset_at(seconds) * kMicrosPerSecond);
      on.year = today.year;
      on.month = today.month;
      on.day = today.day;
    }
    out->zone = -zone.offset_of_local(static_cast<int64_t>(local_seconds(on)));
  }
  out->time = round_micros(
      c.hour * kMicrosPerHour + c.minute * kMicrosPerMinute + c.second * kMicrosPerSecond + c.micros, typmod);
  if (out->time > kMicrosPerDay) return parse_error(ParseError::kFieldOverflow, text, "time with time zone");
  return {};
}

}  // namespace omendb::types
