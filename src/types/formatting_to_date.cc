// to_date and to_timestamp: a text read by a template.
//
// Two steps: read() walks template and text together and notes the number each field has; assemble() makes a date and time of them, in
// PostgreSQL's order of precedence (Julian day over week over month and day, for one). A field whose number is 0 counts as not given.
#include <algorithm>
#include <cstdio>
#include <span>

#include "types/datetime_template.h"
#include "types/datetime_tokens.h"
#include "types/formatting.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

using internal::ParseError;
using internal::TemplateNode;
using Key = internal::TemplateKey;
using Names = std::span<const char* const>;

/// What a text says, read by a template.
struct ReadMoment {
  CivilTime local;
  bool zone_given = false;
  int32_t zone_east = 0;  // seconds; when given
  int fraction = 0;       // n of FFn; 0: none
};

Status date_error(std::string message) { return Status(SqlState::kInvalidDatetimeFormat, std::move(message)); }

/// As strtol: spaces, a sign, digits, saturating far beyond an int. Returns how much was read; 0: no digit.
size_t read_integer(std::string_view text, int64_t* value) {
  size_t at = 0;
  bool negative = false;
  while (at < text.size() && is_space(text[at])) ++at;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  const size_t first = at;
  int64_t v = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    v = std::min<int64_t>(v * 10 + (text[at] - '0'), INT64_C(1) << 40);
  *value = negative ? -v : v;
  return at == first ? size_t{0} : at;
}

/// A year of less than four digits is the one nearest to 2020.
int32_t adjust_year(int32_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view format) : s_(text), nodes_(internal::parse_template(format)) {}

  Status read();
  /// After read().
  Status assemble(ReadMoment* out);

 private:
  // Reading. Fields are named by their place in nodes_.
  Status field(size_t i);
  Status integer(size_t i, size_t length, int32_t* dest, size_t* used = nullptr);
  /// An integer and the ordinal that may follow it. `length` 0: as long as the keyword.
  Status number(size_t i, int32_t* dest, size_t length = 0, size_t* used = nullptr);
  /// Which of `names`, each cut to `cut` letters, stands here.
  Status word(size_t i, Names names, size_t cut, int* value);
  Status thousands_and_rest(size_t i);
  Status zone_hour(size_t i);
  Status set(int32_t* dest, int32_t value, size_t i);
  bool next_is_separator(size_t i) const;
  void skip_ordinal(size_t i) {
    if (nodes_[i].has_ordinal()) at_ = std::min(at_ + 2, s_.size());
  }
  void skip_character() {
    if (at_ < s_.size()) at_ += std::min(utf8_width(s_[at_]), s_.size() - at_);
  }
  void skip_spaces() {
    for (; at_ < s_.size() && is_space(s_[at_]); ++at_) ++extra_;
  }
  void skip_literal(const TemplateNode& n);

  // Assembling.
  Status time_of_day(CivilTime* t) const;
  void set_year(CivilTime* t, bool* have_year);
  Status set_date(CivilTime* t, bool* have_date);
  Status check(const CivilTime& t, bool have_date) const;
  Status overflow(ParseError error) const { return internal::parse_error(error, s_, "timestamp"); }

  std::string_view s_;
  std::vector<TemplateNode> nodes_;
  size_t at_ = 0;
  bool fixed_ = false;  // FX was read: the text keeps to the template, space by space
  int extra_ = 0;       // characters skipped in s_ that the template's next separators may stand for
  char convention_ = 0;
  bool twelve_hours_ = false;
  int32_t hh_ = 0, pm_ = 0, mi_ = 0, ss_ = 0, ssss_ = 0, d_ = 0, dd_ = 0, ddd_ = 0, mm_ = 0, ms_ = 0, year_ = 0,
          bc_ = 0, ww_ = 0, w_ = 0, cc_ = 0, j_ = 0, us_ = 0, year_width_ = 0, fraction_ = 0, zone_sign_ = 0,
          zone_hour_ = 0, zone_minute_ = 0;
};

bool Reader::next_is_separator(size_t i) const {
  if (nodes_[i].has_ordinal()) return true;
  if (i + 1 >= nodes_.size()) return true;
  const TemplateNode& n = nodes_[i + 1];
  if (n.kind == TemplateNode::Kind::kField) return !n.keyword.digits;
  return !(n.text.size() == 1 && n.text[0] >= '0' && n.text[0] <= '9');
}

Status Reader::set(int32_t* dest, int32_t value, size_t i) {
  if (*dest != 0 && *dest != value) {
    return date_error("conflicting values for \"" + std::string(nodes_[i].keyword.name) +
                      "\" field in formatting string")
        .with_detail("This value contradicts a previous setting for the same field type.");
  }
  *dest = value;
  return {};
}

Status Reader::integer(size_t i, size_t length, int32_t* dest, size_t* used_out) {
  const TemplateNode& n = nodes_[i];
  const std::string key(n.keyword.name);
  while (at_ < s_.size() && is_space(s_[at_])) ++at_;
  const std::string copy(s_.substr(at_, length));
  auto needs = [&](size_t given, const char* what) {
    return "Field requires " + std::to_string(length) + " characters, but only " + std::to_string(given) + what;
  };
  constexpr const char* kHint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
  int64_t value = 0;
  size_t used = 0;
  if (n.fill || next_is_separator(i)) {
    used = read_integer(s_.substr(at_), &value);
  } else {
    if (copy.size() < length) {
      return date_error("source string too short for \"" + key + "\" formatting field")
          .with_detail(needs(copy.size(), " remain."))
          .with_hint(kHint);
    }
    used = read_integer(copy, &value);
    if (used > 0 && used < length) {
      return date_error("invalid value \"" + copy + "\" for \"" + key + "\"")
          .with_detail(needs(used, " could be parsed."))
          .with_hint(kHint);
    }
  }
  if (used == 0) {
    return date_error("invalid value \"" + copy + "\" for \"" + key + "\"").with_detail("Value must be an integer.");
  }
  at_ += used;
  if (value > INT32_MAX || value < INT32_MIN) {
    return Status(SqlState::kDatetimeValueOutOfRange, "value for \"" + key + "\" in source string is out of range")
        .with_detail("Value must be in the range -2147483648 to 2147483647.");
  }
  if (used_out != nullptr) *used_out = used;
  return set(dest, static_cast<int32_t>(value), i);
}

Status Reader::number(size_t i, int32_t* dest, size_t length, size_t* used) {
  RETURN_IF_ERROR(integer(i, length == 0 ? nodes_[i].keyword.name.size() : length, dest, used));
  skip_ordinal(i);
  return {};
}

Status Reader::word(size_t i, Names names, size_t cut, int* value) {
  const std::string_view rest = s_.substr(at_);
  for (size_t k = 0; k < names.size(); ++k) {
    const std::string_view name = std::string_view(names[k]).substr(0, cut);
    if (rest.size() >= name.size() && equal_ignoring_case(rest.substr(0, name.size()), name)) {
      *value = static_cast<int>(k);
      at_ += name.size();
      return {};
    }
  }
  size_t end = 0;
  while (end < rest.size() && !is_space(rest[end])) ++end;
  return date_error("invalid value \"" + std::string(rest.substr(0, end)) + "\" for \"" +
                    std::string(nodes_[i].keyword.name) + "\"")
      .with_detail("The given value did not match any of the allowed values for this field.");
}

Status Reader::thousands_and_rest(size_t i) {
  int thousands = 0, rest = 0, length = 0;
  const std::string text(s_.substr(at_));
  if (std::sscanf(text.c_str(), "%d,%03d%n", &thousands, &rest, &length) < 2) {
    return date_error("invalid input string for \"Y,YYY\"");
  }
  if (thousands > 2'000'000 || thousands < -2'000'000) {
    return Status(SqlState::kDatetimeValueOutOfRange, "value for \"Y,YYY\" in source string is out of range");
  }
  RETURN_IF_ERROR(set(&year_, thousands * 1000 + rest, i));
  year_width_ = 4;
  at_ += static_cast<size_t>(length);
  skip_ordinal(i);
  return {};
}

Status Reader::zone_hour(size_t i) {
  // A missing sign means plus, as does a space that was skipped before.
  if (at_ < s_.size() && (s_[at_] == '+' || s_[at_] == '-' || s_[at_] == ' ')) {
    zone_sign_ = s_[at_] == '-' ? -1 : 1;
    ++at_;
  } else {
    zone_sign_ = extra_ > 0 && at_ > 0 && s_[at_ - 1] == '-' ? -1 : 1;
  }
  return integer(i, 2, &zone_hour_);
}

Status Reader::field(size_t i) {
  static constexpr const char* kAmPm[] = {"am", "pm"};
  static constexpr const char* kAmPmDots[] = {"a.m.", "p.m."};
  static constexpr const char* kAdBc[] = {"ad", "bc"};
  static constexpr const char* kAdBcDots[] = {"a.d.", "b.c."};
  static constexpr const char* kRomanDown[] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                               "VI",  "V",  "IV", "III", "II",   "I"};
  constexpr size_t kWhole = 20;  // longer than any name
  const internal::TemplateKeyword& keyword = nodes_[i].keyword;
  int value = 0;
  size_t used = 0;
  switch (keyword.key) {
    case Key::kFx: fixed_ = true; break;
    case Key::kAm:
    case Key::kAmDots:
      RETURN_IF_ERROR(word(i, keyword.key == Key::kAm ? Names(kAmPm) : Names(kAmPmDots), kWhole, &value));
      RETURN_IF_ERROR(set(&pm_, value, i));
      twelve_hours_ = true;
      break;
    case Key::kHh:
    case Key::kHh12: twelve_hours_ = true; return number(i, &hh_, 2);
    case Key::kHh24: return number(i, &hh_, 2);
    case Key::kMi: return number(i, &mi_);
    case Key::kSs: return number(i, &ss_);
    case Key::kMs:
      RETURN_IF_ERROR(number(i, &ms_, 3, &used));
      ms_ *= used == 1 ? 100 : used == 2 ? 10 : 1;
      break;
    case Key::kFf1:
    case Key::kFf2:
    case Key::kFf3:
    case Key::kFf4:
    case Key::kFf5:
    case Key::kFf6:
    case Key::kUs:
      // FF3 reads as US does, then rounds.
      if (keyword.key != Key::kUs) fraction_ = static_cast<int>(keyword.key) - static_cast<int>(Key::kFf1) + 1;
      RETURN_IF_ERROR(number(i, &us_, 6, &used));
      for (size_t digit = used; digit < 6; ++digit) us_ *= 10;
      break;
    case Key::kSssss: return number(i, &ssss_);
    case Key::kTz:
    case Key::kOf:
      return Status(SqlState::kFeatureNotSupported,
                    "formatting field \"" + std::string(keyword.name) + "\" is only supported in to_char");
    case Key::kTzh: return zone_hour(i);
    case Key::kTzm:
      if (zone_sign_ == 0) zone_sign_ = 1;
      return integer(i, 2, &zone_minute_);
    case Key::kAd:
    case Key::kAdDots:
      RETURN_IF_ERROR(word(i, keyword.key == Key::kAd ? Names(kAdBc) : Names(kAdBcDots), kWhole, &value));
      return set(&bc_, value, i);
    case Key::kMonth:
    case Key::kMon:
      RETURN_IF_ERROR(word(i, internal::kMonthNames, keyword.key == Key::kMonth ? kWhole : 3, &value));
      return set(&mm_, value + 1, i);
    case Key::kRm: RETURN_IF_ERROR(word(i, kRomanDown, kWhole, &value)); return set(&mm_, 12 - value, i);
    case Key::kMm: return number(i, &mm_);
    case Key::kDay:
    case Key::kDy:
      RETURN_IF_ERROR(word(i, internal::kDayNames, keyword.key == Key::kDay ? kWhole : 3, &value));
      return set(&d_, value + 1, i);
    case Key::kDdd: return number(i, &ddd_);
    case Key::kIddd: return number(i, &ddd_, 3);
    case Key::kDd: return number(i, &dd_);
    case Key::kD: return number(i, &d_);
    case Key::kId:
      RETURN_IF_ERROR(number(i, &d_, 1));
      d_ = d_ >= 7 ? 1 : d_ + 1;  // Sunday is the first here
      break;
    case Key::kWw:
    case Key::kIw: return number(i, &ww_);
    case Key::kQ:
      // Checked and forgotten: a quarter does not say which month.
      return number(i, &value);
    case Key::kCc: return number(i, &cc_);
    case Key::kYCommaYyy: return thousands_and_rest(i);
    case Key::kYyyy:
    case Key::kIyyy: year_width_ = 4; return number(i, &year_);
    case Key::kYyy:
    case Key::kIyy:
    case Key::kYy:
    case Key::kIy:
    case Key::kY:
    case Key::kI: {
      int32_t year = 0;
      RETURN_IF_ERROR(number(i, &year, 0, &used));
      if (used < 4) year = adjust_year(year);
      year_width_ = static_cast<int32_t>(keyword.name.size());
      return set(&year_, year, i);
    }
    case Key::kW: return number(i, &w_);
    case Key::kJ: return number(i, &j_);
  }
  return {};
}

void Reader::skip_literal(const TemplateNode& n) {
  if (fixed_) {
    skip_character();
  } else if (n.kind == TemplateNode::Kind::kCharacter) {
    if (extra_ > 0)
      --extra_;
    else
      skip_character();
  } else {
    --extra_;
    if (at_ < s_.size() && (is_space(s_[at_]) || internal::is_separator(s_[at_]))) {
      ++at_;
      ++extra_;
    }
  }
}

Status Reader::read() {
  for (size_t i = 0; i < nodes_.size() && at_ < s_.size(); ++i) {
    const TemplateNode& n = nodes_[i];
    const bool is_field = n.kind == TemplateNode::Kind::kField;
    if (!fixed_ && (is_field ? n.keyword.key != Key::kFx : i == 0)) {
      skip_spaces();
      if (at_ >= s_.size() && !is_field) break;
    }
    if (!is_field) {
      skip_literal(n);
      continue;
    }
    if (n.keyword.convention != 0) {
      if (convention_ != 0 && convention_ != n.keyword.convention) {
        return date_error("invalid combination of date conventions")
            .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
      }
      convention_ = n.keyword.convention;
    }
    RETURN_IF_ERROR(field(i));
    if (!fixed_) {
      extra_ = 0;
      skip_spaces();
    }
  }
  return {};
}

Status Reader::time_of_day(CivilTime* t) const {
  if (ssss_ != 0) {
    t->hour = ssss_ / 3600;
    t->minute = ssss_ % 3600 / 60;
    t->second = ssss_ % 60;
  }
  if (ss_ != 0) t->second = ss_;
  if (mi_ != 0) t->minute = mi_;
  if (hh_ != 0) t->hour = hh_;
  if (twelve_hours_) {
    if (t->hour < 1 || t->hour > 12) {
      return date_error("hour \"" + std::to_string(t->hour) + "\" is invalid for the 12-hour clock")
          .with_hint("Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (pm_ != 0 && t->hour < 12)
      t->hour += 12;
    else if (pm_ == 0 && t->hour == 12)
      t->hour = 0;
  }
  t->micros = ms_ * 1000 + us_;
  return {};
}

void Reader::set_year(CivilTime* t, bool* have_year) {
  *have_year = year_ != 0 || cc_ != 0;
  const int32_t century = bc_ != 0 ? -cc_ : cc_;
  if (year_ != 0 && cc_ != 0 && year_width_ <= 2) {
    t->year = year_ % 100;
    if (t->year == 0)
      t->year = century * 100 + (century >= 0 ? 0 : 1);
    else if (century >= 0)
      t->year += (century - 1) * 100;
    else
      t->year = (century + 1) * 100 - t->year + 1;
  } else if (year_ != 0) {
    t->year = bc_ != 0 ? -year_ : year_;
    if (t->year < 0) ++t->year;
  } else if (cc_ != 0) {
    t->year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
  }
}

Status Reader::set_date(CivilTime* t, bool* have_date) {
  if (j_ != 0) {
    civil_of_days(j_ - kJulianEpochDays, &t->year, &t->month, &t->day);
    *have_date = true;
  }
  if (ww_ != 0) {
    if (convention_ == 'i') {
      const int64_t day = iso_week_start(t->year, ww_) + (d_ > 1 ? d_ - 2 : d_ == 1 ? 6 : 0);
      civil_of_days(day, &t->year, &t->month, &t->day);
      *have_date = true;
    } else {
      ddd_ = (ww_ - 1) * 7 + 1;
    }
  }
  if (w_ != 0) dd_ = (w_ - 1) * 7 + 1;
  if (dd_ != 0) {
    t->day = dd_;
    *have_date = true;
  }
  if (mm_ != 0) {
    t->month = mm_;
    *have_date = true;
  }
  if (ddd_ == 0 || (t->month > 1 && t->day > 1)) return {};

  if (t->year == 0 && bc_ == 0) return date_error("cannot calculate day of year without year information");
  *have_date = true;
  if (convention_ == 'i') {
    civil_of_days(iso_week_start(t->year, 1) + ddd_ - 1, &t->year, &t->month, &t->day);
    return {};
  }
  int rest = ddd_, month = 1;
  while (month <= 12 && rest > days_in_month(t->year, month)) rest -= days_in_month(t->year, month++);
  if (month > 12) {
    month = 12;
    rest += days_in_month(t->year, 12);
  }
  if (t->month <= 1) t->month = month;
  if (t->day <= 1) t->day = rest;
  return {};
}

Status Reader::check(const CivilTime& t, bool have_date) const {
  if (have_date) {
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31) return overflow(ParseError::kFieldOverflow);
    if (t.day > days_in_month(t.year, t.month)) return overflow(ParseError::kFieldOverflow);
  }
  if (t.hour < 0 || t.hour >= 24 || t.minute < 0 || t.minute >= 60 || t.second < 0 || t.second >= 60 || t.micros < 0 ||
      t.micros >= kMicrosPerSecond) {
    return overflow(ParseError::kFieldOverflow);
  }
  return {};
}

Status Reader::assemble(ReadMoment* out) {
  // Numbers that no date holds, before they are multiplied.
  constexpr int64_t kFieldMax = 2'000'000, kYearMax = 2'000'000'000;
  for (int64_t v : {cc_, ww_, w_, ddd_, ms_, d_}) {
    if (v > kFieldMax || v < -kFieldMax) return overflow(ParseError::kFieldOverflow);
  }
  for (int64_t v : {year_, us_}) {
    if (v > kYearMax || v < -kYearMax) return overflow(ParseError::kFieldOverflow);
  }
  CivilTime t;
  t.year = 0;
  bool have_year = false, have_date = false;
  RETURN_IF_ERROR(time_of_day(&t));
  set_year(&t, &have_year);
  RETURN_IF_ERROR(set_date(&t, &have_date));
  RETURN_IF_ERROR(check(t, have_year || have_date));

  out->local = t;
  out->fraction = fraction_;
  out->zone_given = zone_sign_ != 0;
  if (out->zone_given) {
    if (zone_hour_ < 0 || zone_hour_ > 15 || zone_minute_ < 0 || zone_minute_ >= 60) {
      return overflow(ParseError::kZoneOverflow);
    }
    out->zone_east = zone_sign_ * (zone_hour_ * 3600 + zone_minute_ * 60);
  }
  return {};
}

Status read_by_template(std::string_view text, std::string_view format, ReadMoment* out) {
  Reader reader(text, format);
  RETURN_IF_ERROR(reader.read());
  return reader.assemble(out);
}

}  // namespace

Status to_date(std::string_view text, std::string_view format, int32_t* out) {
  ReadMoment read;
  RETURN_IF_ERROR(read_by_template(text, format, &read));
  const int64_t days = days_of(read.local.year, read.local.month, read.local.day);
  if (!date_in_range(days)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "date out of range: \"" + std::string(text) + "\"");
  }
  *out = static_cast<int32_t>(days);
  return {};
}

Status to_timestamp(std::string_view text, std::string_view format, const TimeZone& zone, int64_t* out) {
  ReadMoment read;
  RETURN_IF_ERROR(read_by_template(text, format, &read));
  const Int128 local = micros_of(read.local);
  if (local > INT64_MAX || local < INT64_MIN) return internal::out_of_range("timestamp");
  int32_t east = read.zone_east;
  if (!read.zone_given) {
    CivilTime whole = read.local;
    whole.micros = 0;
    east = zone.offset_of_local(static_cast<int64_t>(micros_of(whole) / kMicrosPerSecond));
  }
  const Int128 v = local - east * kMicrosPerSecond;
  if (v > INT64_MAX || v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) {
    return internal::out_of_range("timestamp");
  }
  *out = read.fraction > 0 ? round_timestamp(static_cast<int64_t>(v), read.fraction) : static_cast<int64_t>(v);
  return {};
}

}  // namespace omendb::types
