// Inside datetime: the fields a date/time text falls into and the words it may hold. Shared by datetime_parse.cc and interval.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::types::internal {

enum class FieldKind : uint8_t { kNumber, kString, kDate, kTime, kZone, kSpecial };
struct Field {
  FieldKind kind;
  std::string text;  // letters in lower case
};
/// Cuts `text` into fields; false for a character that no date holds.
bool split_fields(std::string_view text, std::vector<Field>* out);

enum class Word : uint8_t {
  kUnknown,
  kIgnore,
  kMonth,
  kWeekday,
  kAmPm,
  kAdBc,
  kDaylight /* "dst" */,
  kUnit,
  kIsoTime,
  kNow,
  kToday,
  kTomorrow,
  kYesterday,
  kEpoch,
  kLate,
  kEarly,
  kAgo,
  kAllBalls
};
enum class Unit : uint8_t {
  kNone,
  kMicros,
  kMillis,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kJulian,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
  kDow,
  kDoy,
  kIsoYear,
  kIsoDow,
  kEpoch
};
struct WordValue {
  Word word = Word::kUnknown;
  int value = 0;
  Unit unit = Unit::kNone;
};
/// A word of a date (lower case, cut to ten letters as PostgreSQL does).
WordValue date_word(std::string_view lower);
/// A word of an interval, also the units of extract and date_trunc.
WordValue interval_word(std::string_view lower);

enum class ParseError : uint8_t {
  kNone,
  kBadFormat,
  kFieldOverflow,
  kMonthDayOverflow,
  kIntervalOverflow,
  kZoneOverflow
};
Status parse_error(ParseError error, std::string_view text, std::string_view type);

/// ".digits" to microseconds, rounded. False for anything else.
bool parse_fraction(std::string_view text, int32_t* micros);
/// Digits at the front of `text` with an optional sign; false when there are none or they exceed an int.
bool take_int(std::string_view* text, int32_t* value);

struct ClockFields {
  int64_t hour = 0;
  int32_t minute = 0, second = 0, micros = 0;
};
/// hh:mm[:ss[.ffffff]]; mm:ss.fff when `minutes_first` or a fraction follows the second part.
ParseError parse_clock(std::string_view text, bool minutes_first, ClockFields* out);

}  // namespace omendb::types::internal
