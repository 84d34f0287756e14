#include "types/datetime_tokens.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include "types/scalar.h"

namespace omendb::types::internal {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool punctuation(char c) { return c > ' ' && c < 0x7F && !digit(c) && !alpha(c); }

struct Entry {
  std::string_view text;
  Word word;
  int value;
  Unit unit = Unit::kNone;
};

// clang-format off
constexpr Entry kDateWords[] = {
    {"-infinity", Word::kEarly, 0}, {"ad", Word::kAdBc, 0}, {"allballs", Word::kAllBalls, 0}, {"am", Word::kAmPm, 0},
    {"apr", Word::kMonth, 4}, {"april", Word::kMonth, 4}, {"at", Word::kIgnore, 0}, {"aug", Word::kMonth, 8},
    {"august", Word::kMonth, 8}, {"bc", Word::kAdBc, 1}, {"d", Word::kUnit, 0, Unit::kDay}, {"dec", Word::kMonth, 12},
    {"december", Word::kMonth, 12}, {"dow", Word::kUnit, 0, Unit::kDow}, {"doy", Word::kUnit, 0, Unit::kDoy},
    {"dst", Word::kDaylight, 3600}, {"epoch", Word::kEpoch, 0}, {"feb", Word::kMonth, 2}, {"february", Word::kMonth, 2},
    {"fri", Word::kWeekday, 5}, {"friday", Word::kWeekday, 5}, {"h", Word::kUnit, 0, Unit::kHour},
    {"infinity", Word::kLate, 0}, {"isodow", Word::kUnit, 0, Unit::kIsoDow}, {"isoyear", Word::kUnit, 0, Unit::kIsoYear},
    {"j", Word::kUnit, 0, Unit::kJulian}, {"jan", Word::kMonth, 1}, {"january", Word::kMonth, 1},
    {"jd", Word::kUnit, 0, Unit::kJulian}, {"jul", Word::kMonth, 7}, {"julian", Word::kUnit, 0, Unit::kJulian},
    {"july", Word::kMonth, 7}, {"jun", Word::kMonth, 6}, {"june", Word::kMonth, 6}, {"m", Word::kUnit, 0, Unit::kMonth},
    {"mar", Word::kMonth, 3}, {"march", Word::kMonth, 3}, {"may", Word::kMonth, 5}, {"mm", Word::kUnit, 0, Unit::kMinute},
    {"mon", Word::kWeekday, 1}, {"monday", Word::kWeekday, 1}, {"nov", Word::kMonth, 11}, {"november", Word::kMonth, 11},
    {"now", Word::kNow, 0}, {"oct", Word::kMonth, 10}, {"october", Word::kMonth, 10}, {"on", Word::kIgnore, 0},
    {"pm", Word::kAmPm, 1}, {"s", Word::kUnit, 0, Unit::kSecond}, {"sat", Word::kWeekday, 6},
    {"saturday", Word::kWeekday, 6}, {"sep", Word::kMonth, 9}, {"sept", Word::kMonth, 9}, {"september", Word::kMonth, 9},
    {"sun", Word::kWeekday, 0}, {"sunday", Word::kWeekday, 0}, {"t", Word::kIsoTime, 0}, {"thu", Word::kWeekday, 4},
    {"thur", Word::kWeekday, 4}, {"thurs", Word::kWeekday, 4}, {"thursday", Word::kWeekday, 4},
    {"today", Word::kToday, 0}, {"tomorrow", Word::kTomorrow, 0}, {"tue", Word::kWeekday, 2},
    {"tues", Word::kWeekday, 2}, {"tuesday", Word::kWeekday, 2}, {"wed", Word::kWeekday, 3},
    {"wednesday", Word::kWeekday, 3}, {"weds", Word::kWeekday, 3}, {"y", Word::kUnit, 0, Unit::kYear},
    {"yesterday", Word::kYesterday, 0}};
// clang-format on

// clang-format off
constexpr Entry kIntervalWords[] = {
    {"@", Word::kIgnore, 0}, {"ago", Word::kAgo, 0}, {"c", Word::kUnit, 0, Unit::kCentury},
    {"cent", Word::kUnit, 0, Unit::kCentury}, {"centuries", Word::kUnit, 0, Unit::kCentury},
    {"century", Word::kUnit, 0, Unit::kCentury}, {"d", Word::kUnit, 0, Unit::kDay}, {"day", Word::kUnit, 0, Unit::kDay},
    {"days", Word::kUnit, 0, Unit::kDay}, {"dec", Word::kUnit, 0, Unit::kDecade},
    {"decade", Word::kUnit, 0, Unit::kDecade}, {"decades", Word::kUnit, 0, Unit::kDecade},
    {"decs", Word::kUnit, 0, Unit::kDecade}, {"h", Word::kUnit, 0, Unit::kHour}, {"hour", Word::kUnit, 0, Unit::kHour},
    {"hours", Word::kUnit, 0, Unit::kHour}, {"hr", Word::kUnit, 0, Unit::kHour}, {"hrs", Word::kUnit, 0, Unit::kHour},
    {"m", Word::kUnit, 0, Unit::kMinute}, {"microsecon", Word::kUnit, 0, Unit::kMicros},
    {"mil", Word::kUnit, 0, Unit::kMillennium}, {"millennia", Word::kUnit, 0, Unit::kMillennium},
    {"millennium", Word::kUnit, 0, Unit::kMillennium}, {"millisecon", Word::kUnit, 0, Unit::kMillis},
    {"mils", Word::kUnit, 0, Unit::kMillennium}, {"min", Word::kUnit, 0, Unit::kMinute},
    {"mins", Word::kUnit, 0, Unit::kMinute}, {"minute", Word::kUnit, 0, Unit::kMinute},
    {"minutes", Word::kUnit, 0, Unit::kMinute}, {"mon", Word::kUnit, 0, Unit::kMonth},
    {"mons", Word::kUnit, 0, Unit::kMonth}, {"month", Word::kUnit, 0, Unit::kMonth},
    {"months", Word::kUnit, 0, Unit::kMonth}, {"ms", Word::kUnit, 0, Unit::kMillis},
    {"msec", Word::kUnit, 0, Unit::kMillis}, {"msecs", Word::kUnit, 0, Unit::kMillis},
    {"mseconds", Word::kUnit, 0, Unit::kMillis}, {"qtr", Word::kUnit, 0, Unit::kQuarter},
    {"quarter", Word::kUnit, 0, Unit::kQuarter}, {"s", Word::kUnit, 0, Unit::kSecond},
    {"sec", Word::kUnit, 0, Unit::kSecond}, {"second", Word::kUnit, 0, Unit::kSecond},
    {"seconds", Word::kUnit, 0, Unit::kSecond}, {"secs", Word::kUnit, 0, Unit::kSecond},
    {"timezone", Word::kUnit, 0, Unit::kTimezone}, {"timezone_h", Word::kUnit, 0, Unit::kTimezoneHour},
    {"timezone_m", Word::kUnit, 0, Unit::kTimezoneMinute}, {"us", Word::kUnit, 0, Unit::kMicros},
    {"usec", Word::kUnit, 0, Unit::kMicros}, {"usecond", Word::kUnit, 0, Unit::kMicros},
    {"useconds", Word::kUnit, 0, Unit::kMicros}, {"usecs", Word::kUnit, 0, Unit::kMicros},
    {"w", Word::kUnit, 0, Unit::kWeek}, {"week", Word::kUnit, 0, Unit::kWeek}, {"weeks", Word::kUnit, 0, Unit::kWeek},
    {"y", Word::kUnit, 0, Unit::kYear}, {"year", Word::kUnit, 0, Unit::kYear}, {"years", Word::kUnit, 0, Unit::kYear},
    {"yr", Word::kUnit, 0, Unit::kYear}, {"yrs", Word::kUnit, 0, Unit::kYear}};
// clang-format on

template <size_t N>
WordValue find_word(const Entry (&table)[N], std::string_view text) {
  text = text.substr(0, 10);
  size_t low = 0, high = N;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (table[middle].text < text)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < N && table[low].text == text) return {table[low].word, table[low].value, table[low].unit};
  return {};
}

}  // namespace

WordValue date_word(std::string_view lower) { return find_word(kDateWords, lower); }
WordValue interval_word(std::string_view lower) { return find_word(kIntervalWords, lower); }

bool split_fields(std::string_view s, std::vector<Field>* out) {
  size_t i = 0, n = s.size();
  auto at = [&](size_t k) { return k < n ? s[k] : '\0'; };
  while (i < n) {
    char c = s[i];
    if (is_space(c)) {
      ++i;
      continue;
    }
    if (out->size() >= 25) return false;
    Field field;
    auto push = [&] { field.text.push_back(ascii_lower(s[i++])); };
    if (digit(c)) {
      push();
      while (digit(at(i))) push();
      if (at(i) == ':') {
        field.kind = FieldKind::kTime;
        push();
        while (digit(at(i)) || at(i) == ':' || at(i) == '.') push();
      } else if (at(i) == '-' || at(i) == '/' || at(i) == '.') {
        char delimiter = at(i);
        push();
        if (digit(at(i))) {
          field.kind = delimiter == '.' ? FieldKind::kNumber : FieldKind::kDate;
          while (digit(at(i))) push();
          if (at(i) == delimiter) {  // the same delimiter again: a date of three parts
            field.kind = FieldKind::kDate;
            push();
            while (digit(at(i)) || at(i) == delimiter) push();
          }
        } else {
          field.kind = FieldKind::kDate;
          while (digit(at(i)) || alpha(at(i)) || at(i) == delimiter) push();
        }
      } else {
        field.kind = FieldKind::kNumber;
      }
    } else if (c == '.') {
      field.kind = FieldKind::kNumber;
      push();
      while (digit(at(i))) push();
    } else if (alpha(c)) {
      field.kind = FieldKind::kString;
      push();
      while (alpha(at(i))) push();
      bool date = at(i) == '-' || at(i) == '/' || at(i) == '.';
      if (!date && (at(i) == '+' || digit(at(i)))) date = date_word(field.text).word == Word::kUnknown;
      if (date) {
        field.kind = FieldKind::kDate;
        do push();
        while (at(i) == '+' || at(i) == '-' || at(i) == '/' || at(i) == '_' || at(i) == '.' || at(i) == ':' ||
               digit(at(i)) || alpha(at(i)));
      }
    } else if (c == '+' || c == '-') {
      push();
      while (is_space(at(i)) && i < n) ++i;
      if (digit(at(i))) {
        field.kind = FieldKind::kZone;
        push();
        while (digit(at(i)) || at(i) == ':' || at(i) == '.' || at(i) == '-') push();
      } else if (alpha(at(i))) {
        field.kind = FieldKind::kSpecial;
        push();
        while (alpha(at(i))) push();
      } else {
        return false;
      }
    } else if (punctuation(c)) {
      ++i;
      continue;
    } else {
      return false;
    }
    out->push_back(std::move(field));
  }
  return true;
}

Status parse_error(ParseError error, std::string_view text, std::string_view type) {
  std::string quoted = "\"" + std::string(text) + "\"";
  switch (error) {
    case ParseError::kFieldOverflow:
      return Status(SqlState::kDatetimeFieldOverflow, "date/time field value out of range: " + quoted);
    case ParseError::kMonthDayOverflow:
      return Status(SqlState::kDatetimeFieldOverflow, "date/time field value out of range: " + quoted)
          .with_hint("Perhaps you need a different \"datestyle\" setting.");
    case ParseError::kIntervalOverflow:
      return Status(SqlState::kIntervalFieldOverflow, "interval field value out of range: " + quoted);
    case ParseError::kZoneOverflow:
      return Status(SqlState::kInvalidTimeZoneDisplacementValue, "time zone displacement out of range: " + quoted);
    default:
      return Status(SqlState::kInvalidDatetimeFormat,
                    "invalid input syntax for type " + std::string(type) + ": " + quoted);
  }
}

bool parse_fraction(std::string_view text, int32_t* micros) {
  if (text.empty() || text[0] != '.') return false;
  for (char c : text.substr(1)) {
    if (!digit(c)) return false;
  }
  double v = 0;
  if (text.size() > 1) std::from_chars(text.data(), text.data() + text.size(), v);
  *micros = static_cast<int32_t>(std::rint(v * 1e6));
  return true;
}

bool take_int(std::string_view* text, int32_t* value) {
  std::string_view s = *text;
  if (!s.empty() && s[0] == '+') s.remove_prefix(1);
  auto [p, error] = std::from_chars(s.data(), s.data() + s.size(), *value);
  if (error != std::errc()) return false;
  *text = s.substr(static_cast<size_t>(p - s.data()));
  return true;
}

ParseError parse_clock(std::string_view text, bool minutes_first, ClockFields* out) {
  *out = {};
  if (text.empty() || !digit(text[0])) return ParseError::kBadFormat;
  auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), out->hour);
  if (error != std::errc()) return ParseError::kFieldOverflow;
  text.remove_prefix(static_cast<size_t>(p - text.data()));
  if (text.empty() || text[0] != ':') return ParseError::kBadFormat;
  text.remove_prefix(1);
  if (!take_int(&text, &out->minute)) return ParseError::kBadFormat;
  if (text.empty()) {
    if (minutes_first) {
      if (out->hour > INT32_MAX || out->hour < INT32_MIN) return ParseError::kFieldOverflow;
      out->second = out->minute;
      out->minute = static_cast<int32_t>(out->hour);
      out->hour = 0;
    }
  } else if (text[0] == '.') {  // mm:ss.fff
    if (!parse_fraction(text, &out->micros)) return ParseError::kBadFormat;
    out->second = out->minute;
    out->minute = static_cast<int32_t>(out->hour);
    out->hour = 0;
  } else if (text[0] == ':') {
    text.remove_prefix(1);
    if (!take_int(&text, &out->second)) return ParseError::kBadFormat;
    if (!text.empty() && !parse_fraction(text, &out->micros)) return ParseError::kBadFormat;
  } else {
    return ParseError::kBadFormat;
  }
  if (out->hour < 0 || out->minute < 0 || out->minute > 59 || out->second < 0 || out->second > 60 || out->micros < 0 ||
      out->micros > 1000000) {
    return ParseError::kFieldOverflow;
  }
  return ParseError::kNone;
}

}  // namespace omendb::types::internal
