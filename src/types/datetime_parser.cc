#include "types/datetime_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "types/datetime_tokens.h"
#include "types/scalar.h"

namespace omendb::types::internal {
namespace {

enum : uint32_t {
  kYearBit = 1,
  kMonthBit = 2,
  kDayBit = 4,
  kHourBit = 8,
  kMinuteBit = 16,
  kSecondBit = 32,
  kZoneBit = 64,
  kDoyBit = 128,
  kDaylightBit = 256,
  kWeekdayBit = 512,
  kAmPmBit = 1024,
  kAdBcBit = 2048,
  kReservedBit = 4096,
  kDateBits = kYearBit | kMonthBit | kDayBit,
  kTimeBits = kHourBit | kMinuteBit | kSecondBit
};

using Outcome = ParsedMoment::Outcome;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
 public:
  Parser(const IoContext& context, bool time_only) : context_(context), time_only_(time_only) {}

  ParseError run(std::string_view text, ParsedMoment* out, Status* special);

 private:
  ParseError date_field(size_t i);
  ParseError time_field(const Field& f);
  ParseError number_field(size_t i);
  ParseError word_field(size_t i);
  ParseError unit_field(const Field& f);
  ParseError decode_date(std::string_view text, uint32_t have, uint32_t* mask);
  ParseError decode_number(std::string_view text, bool text_month, uint32_t have, uint32_t* mask);
  ParseError decode_number_field(std::string_view text, uint32_t have, uint32_t* mask);
  ParseError decode_zone(std::string_view text);
  ParseError named_zone(std::string_view text);
  ParseError finish();
  void set_now_date(int add_days);
  bool past_midnight() const {
    return t_.hour * kMicrosPerHour + t_.minute * kMicrosPerMinute + t_.second * kMicrosPerSecond + t_.micros >
           kMicrosPerDay;
  }

  const IoContext& context_;
  bool time_only_;
  std::vector<Field> fields_;
  CivilTime t_;
  uint32_t have_ = 0, mask_ = 0;
  bool text_month_ = false, two_digits_ = false, bc_ = false, julian_ = false;
  int am_pm_ = -1;
  int32_t day_of_year_ = 0;
  Unit prefix_ = Unit::kNone;
  bool time_prefix_ = false;
  bool zone_given_ = false;
  int32_t zone_west_ = 0;
  const TimeZone* zone_ = nullptr;
  const ZoneAbbreviation* dynamic_ = nullptr;
  Outcome outcome_ = Outcome::kDate;
  Status special_;
};

bool whole_int(std::string_view text, int32_t* v) {
  auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), *v);
  return error == std::errc() && p == text.data() + text.size();
}

// The local date at the transaction's start.
void Parser::set_now_date(int add_days) {
  int64_t now = context_.now_us;
  int64_t seconds = now / kMicrosPerSecond - (now % kMicrosPerSecond < 0);
  CivilTime c = civil_of(now + zone_of(context_).offset_at(seconds) * kMicrosPerSecond);
  civil_of_days(days_of(c.year, c.month, c.day) + add_days, &t_.year, &t_.month, &t_.day);
}

ParseError Parser::decode_number_field(std::string_view text, uint32_t have, uint32_t* mask) {
  size_t point = text.find('.');
  std::string_view digits = text;
  if (point != std::string_view::npos) {
    if (!parse_fraction(text.substr(point), &t_.micros)) return ParseError::kBadFormat;
    digits = text.substr(0, point);
  } else if ((have & kDateBits) != kDateBits && digits.size() >= 6) {
    *mask = kDateBits;
    size_t n = digits.size();
    if (!whole_int(digits.substr(n - 2), &t_.day) || !whole_int(digits.substr(n - 4, 2), &t_.month) ||
        !whole_int(digits.substr(0, n - 4), &t_.year)) {
      return ParseError::kBadFormat;
    }
    if (n - 4 == 2) two_digits_ = true;
    return ParseError::kNone;
  }
  if ((have & kTimeBits) != kTimeBits) {
    if (digits.size() == 6 || digits.size() == 4) {
      *mask = kTimeBits;
      t_.second = 0;
      if (!whole_int(digits.substr(0, 2), &t_.hour) || !whole_int(digits.substr(2, 2), &t_.minute) ||
          (digits.size() == 6 && !whole_int(digits.substr(4, 2), &t_.second))) {
        return ParseError::kBadFormat;
      }
      return ParseError::kNone;
    }
  }
  return ParseError::kBadFormat;
}

ParseError Parser::decode_number(std::string_view text, bool text_month, uint32_t have, uint32_t* mask) {
  *mask = 0;
  int32_t value = 0;
  std::string_view rest = text;
  if (!take_int(&rest, &value)) {
    return !text.empty() && is_digit(text[0]) ? ParseError::kFieldOverflow : ParseError::kBadFormat;
  }
  if (!rest.empty()) {
    if (rest[0] != '.') return ParseError::kBadFormat;
    if (text.size() - rest.size() > 2) return decode_number_field(text, have | kDateBits, mask);
    if (!parse_fraction(rest, &t_.micros)) return ParseError::kBadFormat;
  }
  if (text.size() == 3 && (have & kDateBits) == kYearBit && value >= 1 && value <= 366) {
    *mask = kDoyBit | kMonthBit | kDayBit;
    day_of_year_ = value;
    return ParseError::kNone;
  }
  auto year = [&] {
    *mask = kYearBit;
    t_.year = value;
  };
  auto month = [&] {
    *mask = kMonthBit;
    t_.month = value;
  };
  auto day = [&] {
    *mask = kDayBit;
    t_.day = value;
  };
  switch (have & kDateBits) {
    case 0:
      if (text.size() >= 3 || context_.date_order == DateOrder::kYmd)
        year();
      else if (context_.date_order == DateOrder::kDmy)
        day();
      else
        month();
      break;
    case kYearBit: month(); break;
    case kMonthBit:
      if (text_month && (text.size() >= 3 || context_.date_order == DateOrder::kYmd))
        year();
      else
        day();
      break;
    case kYearBit | kMonthBit:
      if (text_month && text.size() >= 3 && two_digits_) {  // the first number was the day
        *mask = kDayBit;
        t_.day = t_.year;
        t_.year = value;
        two_digits_ = false;
      } else {
        day();
      }
      break;
    case kDayBit: month(); break;
    case kMonthBit | kDayBit: year(); break;
    case kDateBits: return decode_number_field(text, have, mask);
    default: return ParseError::kBadFormat;
  }
  if (*mask == kYearBit) two_digits_ = text.size() <= 2;
  return ParseError::kNone;
}

ParseError Parser::decode_date(std::string_view text, uint32_t have, uint32_t* mask) {
  *mask = 0;
  two_digits_ = false;
  std::vector<std::string_view> parts;
  size_t i = 0;
  auto alpha = [](char c) { return c >= 'a' && c <= 'z'; };
  while (i < text.size() && parts.size() < 25) {
    while (i < text.size() && !is_digit(text[i]) && !alpha(text[i])) ++i;
    if (i == text.size()) return ParseError::kBadFormat;
    size_t start = i;
    if (is_digit(text[i])) {
      while (i < text.size() && is_digit(text[i])) ++i;
    } else {
      while (i < text.size() && alpha(text[i])) ++i;
    }
    parts.push_back(text.substr(start, i - start));
    if (i < text.size()) ++i;  // the delimiter
  }
  bool text_month = false;
  for (auto& part : parts) {
    if (!alpha(part[0])) continue;
    WordValue w = date_word(part);
    if (w.word == Word::kIgnore) continue;
    if (w.word != Word::kMonth || (have & kMonthBit) != 0) return ParseError::kBadFormat;
    t_.month = w.value;
    text_month = true;
    have |= kMonthBit;
    *mask |= kMonthBit;
    part = {};
  }
  for (const auto& part : parts) {
    if (part.empty() || alpha(part[0])) continue;
    uint32_t bit = 0;
    if (ParseError e = decode_number(part, text_month, have, &bit); e != ParseError::kNone) return e;
    if ((have & bit) != 0) return ParseError::kBadFormat;
    have |= bit;
    *mask |= bit;
  }
  return (have & ~(kDoyBit | kZoneBit)) == kDateBits ? ParseError::kNone : ParseError::kBadFormat;
}

ParseError Parser::decode_zone(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return ParseError::kBadFormat;
  bool east = text[0] == '+';
  text.remove_prefix(1);
  size_t length = text.size() + 1;
  int32_t hour = 0, minute = 0, second = 0;
  if (!take_int(&text, &hour)) return ParseError::kZoneOverflow;
  if (!text.empty() && text[0] == ':') {
    text.remove_prefix(1);
    if (!take_int(&text, &minute)) return ParseError::kZoneOverflow;
    if (!text.empty() && text[0] == ':') {
      text.remove_prefix(1);
      if (!take_int(&text, &second)) return ParseError::kZoneOverflow;
    }
  } else if (text.empty() && length > 3) {
    minute = hour % 100;
    hour /= 100;
  }
  if (hour < 0 || hour > 15 || minute < 0 || minute > 59 || second < 0 || second > 59) return ParseError::kZoneOverflow;
  zone_west_ = (hour * 60 + minute) * 60 + second;
  if (east) zone_west_ = -zone_west_;
  zone_given_ = true;
  return text.empty() ? ParseError::kNone : ParseError::kBadFormat;
}

ParseError Parser::named_zone(std::string_view text) {
  zone_ = TimeZone::find(text);
  if (zone_ == nullptr) {
    special_ = Status(SqlState::kInvalidParameterValue, "time zone \"" + std::string(text) + "\" not recognized");
    return ParseError::kBadFormat;
  }
  zone_given_ = true;
  mask_ = kZoneBit;
  return ParseError::kNone;
}

ParseError Parser::date_field(size_t i) {
  const Field& f = fields_[i];
  if (time_only_) {
    bool leading_date = i == 0 && fields_.size() >= 2 &&
                        (fields_.back().kind == FieldKind::kDate || fields_[1].kind == FieldKind::kTime);
    if (leading_date) return decode_date(f.text, have_, &mask_);
  } else if (prefix_ == Unit::kJulian) {  // "J2452271-08"
    prefix_ = Unit::kNone;
    std::string_view text = f.text;
    int32_t day = 0;
    if (!take_int(&text, &day)) return ParseError::kFieldOverflow;
    civil_of_days(day - kJulianEpochDays, &t_.year, &t_.month, &t_.day);
    julian_ = true;
    mask_ = kDateBits | kTimeBits | kZoneBit;
    return decode_zone(text);
  } else if (!time_prefix_ && (have_ & (kMonthBit | kDayBit)) != (kMonthBit | kDayBit)) {
    return decode_date(f.text, have_, &mask_);
  }
  // There is a date already (or none is wanted): a zone name with punctuation, or run-together time and zone.
  if (is_digit(f.text[0]) || time_prefix_) {
    if (time_prefix_ && !is_digit(f.text[0])) return ParseError::kBadFormat;
    time_prefix_ = false;
    if ((have_ & kTimeBits) == kTimeBits) return ParseError::kBadFormat;
    size_t cut = f.text.find('-');
    if (cut == std::string::npos) return ParseError::kBadFormat;
    std::string_view text = f.text;
    if (ParseError e = decode_zone(text.substr(cut)); e != ParseError::kNone) return e;
    uint32_t bits = 0;
    ParseError e = decode_number_field(text.substr(0, cut), time_only_ ? have_ | kDateBits : have_, &bits);
    if (e != ParseError::kNone) return e;
    mask_ = bits | kZoneBit;
    return ParseError::kNone;
  }
  return named_zone(f.text);
}

ParseError Parser::time_field(const Field& f) {
  if (prefix_ != Unit::kNone) return ParseError::kBadFormat;
  time_prefix_ = false;
  ClockFields clock;
  ParseError e = parse_clock(f.text, false, &clock);
  if (e != ParseError::kNone) return e;
  if (clock.hour > 24) return ParseError::kFieldOverflow;
  t_.hour = static_cast<int32_t>(clock.hour);
  t_.minute = clock.minute;
  t_.second = clock.second;
  t_.micros = clock.micros;
  mask_ = kTimeBits;
  if (past_midnight()) return ParseError::kFieldOverflow;
  return ParseError::kNone;
}

// A number after a unit letter: y2000m10d3, J2451187, T040506.
ParseError Parser::unit_field(const Field& f) {
  Unit unit = prefix_;
  prefix_ = Unit::kNone;
  int32_t value = 0;
  std::string_view rest = f.text;
  if (!take_int(&rest, &value)) return ParseError::kFieldOverflow;
  if (!rest.empty()) {
    if (rest[0] != '.') return ParseError::kBadFormat;
    if (unit != Unit::kJulian && unit != Unit::kSecond && unit != Unit::kTimezone) return ParseError::kBadFormat;
  }
  switch (unit) {
    case Unit::kYear:
      t_.year = value;
      mask_ = kYearBit;
      break;
    case Unit::kMonth:
      if ((have_ & kMonthBit) != 0 && (have_ & kHourBit) != 0) {
        t_.minute = value;
        mask_ = kMinuteBit;
      } else {
        t_.month = value;
        mask_ = kMonthBit;
      }
      break;
    case Unit::kDay:
      t_.day = value;
      mask_ = kDayBit;
      break;
    case Unit::kHour:
      t_.hour = value;
      mask_ = kHourBit;
      break;
    case Unit::kMinute:
      t_.minute = value;
      mask_ = kMinuteBit;
      break;
    case Unit::kSecond:
      t_.second = value;
      mask_ = kSecondBit;
      if (!rest.empty()) {
        if (!parse_fraction(rest, &t_.micros)) return ParseError::kBadFormat;
        mask_ |= 0;
      }
      break;
    case Unit::kJulian: {
      if (value < 0) return ParseError::kFieldOverflow;
      mask_ = kDateBits;
      civil_of_days(value - kJulianEpochDays, &t_.year, &t_.month, &t_.day);
      julian_ = true;
      if (!rest.empty()) {
        double part = 0;
        std::from_chars(rest.data(), rest.data() + rest.size(), part);
        auto time = static_cast<int64_t>(std::rint(part * static_cast<double>(kMicrosPerDay)));
        t_.hour = static_cast<int32_t>(time / kMicrosPerHour);
        t_.minute = static_cast<int32_t>(time / kMicrosPerMinute % 60);
        t_.second = static_cast<int32_t>(time / kMicrosPerSecond % 60);
        t_.micros = static_cast<int32_t>(time % kMicrosPerSecond);
        mask_ |= kTimeBits;
      }
      break;
    }
    default: return ParseError::kBadFormat;
  }
  return ParseError::kNone;
}

ParseError Parser::number_field(size_t i) {
  const Field& f = fields_[i];
  if (prefix_ != Unit::kNone) return unit_field(f);
  if (time_prefix_) {  // after the T of ISO 8601
    time_prefix_ = false;
    return decode_number_field(f.text, have_ | kDateBits, &mask_);
  }
  size_t point = f.text.find('.');
  size_t size = f.text.size();
  if (time_only_) {
    if (point != std::string::npos) {
      if (i == 0 && fields_.size() >= 2 && fields_.back().kind == FieldKind::kDate) {
        return decode_date(f.text, have_, &mask_);
      }
      if (point > 2) return decode_number_field(f.text, have_ | kDateBits, &mask_);
      return ParseError::kBadFormat;
    }
    if (size > 4) return decode_number_field(f.text, have_ | kDateBits, &mask_);
    return decode_number(f.text, false, have_ | kDateBits, &mask_);
  }
  if (point != std::string::npos && (have_ & kDateBits) == 0) return decode_date(f.text, have_, &mask_);
  if (point != std::string::npos && point > 2) return decode_number_field(f.text, have_, &mask_);
  if (size >= 6 && ((have_ & kDateBits) == 0 || (have_ & kTimeBits) == 0)) {
    return decode_number_field(f.text, have_, &mask_);
  }
  return decode_number(f.text, text_month_, have_, &mask_);
}

ParseError Parser::word_field(size_t i) {
  const Field& f = fields_[i];
  WordValue w;
  const ZoneAbbreviation* abbreviation = find_abbreviation(f.text);
  if (f.text == "z" || f.text == "zulu" || f.text == "utc" || f.text == "ut" || f.text == "gmt") {
    static const ZoneAbbreviation kUtc{"utc", 0, false, {}};
    abbreviation = &kUtc;
  }
  if (abbreviation == nullptr) w = date_word(f.text);
  if (abbreviation != nullptr) {
    mask_ = kZoneBit;
    zone_given_ = true;
    if (!abbreviation->zone.empty()) {
      dynamic_ = abbreviation;
    } else {
      zone_west_ = -abbreviation->offset;
    }
    return ParseError::kNone;
  }
  switch (w.word) {
    case Word::kIgnore: mask_ = 0; return ParseError::kNone;
    case Word::kNow: {
      mask_ = kDateBits | kTimeBits | kZoneBit | kReservedBit;
      int64_t now = context_.now_us;
      int64_t seconds = now / kMicrosPerSecond - (now % kMicrosPerSecond < 0);
      int32_t offset = zone_of(context_).offset_at(seconds);
      t_ = civil_of(now + offset * kMicrosPerSecond);
      zone_west_ = -offset;
      zone_given_ = true;
      if (time_only_) mask_ = kTimeBits | kZoneBit | kReservedBit;
      return ParseError::kNone;
    }
    case Word::kYesterday:
    case Word::kToday:
    case Word::kTomorrow:
      if (time_only_) return ParseError::kBadFormat;
      mask_ = kDateBits | kReservedBit;
      set_now_date(w.word == Word::kYesterday ? -1 : w.word == Word::kTomorrow ? 1 : 0);
      return ParseError::kNone;
    case Word::kAllBalls:
      mask_ = kTimeBits | kZoneBit | kReservedBit;
      t_.hour = t_.minute = t_.second = t_.micros = 0;
      zone_west_ = 0;
      zone_given_ = true;
      return ParseError::kNone;
    case Word::kEpoch:
    case Word::kLate:
    case Word::kEarly:
      if (time_only_) return ParseError::kBadFormat;
      mask_ = kDateBits | kTimeBits | kZoneBit | kReservedBit;
      outcome_ = w.word == Word::kEpoch ? Outcome::kEpoch : w.word == Word::kLate ? Outcome::kLate : Outcome::kEarly;
      return ParseError::kNone;
    case Word::kMonth:
      if (time_only_) return ParseError::kBadFormat;
      mask_ = kMonthBit;
      if ((have_ & kMonthBit) != 0 && !text_month_ && (have_ & kDayBit) == 0 && t_.month >= 1 && t_.month <= 31) {
        t_.day = t_.month;  // the number taken for a month was the day
        mask_ = kDayBit;
      }
      text_month_ = true;
      t_.month = w.value;
      return ParseError::kNone;
    case Word::kDaylight:
      mask_ = kDaylightBit;
      zone_west_ -= w.value;
      zone_given_ = true;
      return ParseError::kNone;
    case Word::kAmPm:
      mask_ = kAmPmBit;
      am_pm_ = w.value;
      return ParseError::kNone;
    case Word::kAdBc:
      mask_ = kAdBcBit;
      bc_ = w.value == 1;
      return ParseError::kNone;
    case Word::kWeekday:
      mask_ = time_only_ ? 0U : uint32_t{kWeekdayBit};
      return time_only_ ? ParseError::kBadFormat : ParseError::kNone;
    case Word::kUnit:
      mask_ = 0;
      prefix_ = w.unit;
      return ParseError::kNone;
    case Word::kIsoTime:
      mask_ = 0;
      if (!time_only_ && (have_ & kDateBits) != kDateBits) return ParseError::kBadFormat;
      if (i + 1 >= fields_.size() ||
          (fields_[i + 1].kind != FieldKind::kTime && fields_[i + 1].kind != FieldKind::kNumber &&
           fields_[i + 1].kind != FieldKind::kDate)) {
        return ParseError::kBadFormat;
      }
      time_prefix_ = true;
      return ParseError::kNone;
    default: break;
  }
  // An all-letter zone name ("Japan").
  zone_ = TimeZone::find(f.text);
  if (zone_ == nullptr) return ParseError::kBadFormat;
  zone_given_ = true;
  mask_ = kZoneBit;
  return ParseError::kNone;
}

ParseError Parser::finish() {
  if (prefix_ != Unit::kNone || time_prefix_) return ParseError::kBadFormat;
  if ((have_ & kYearBit) != 0) {
    if (julian_) {
    } else if (bc_) {
      if (t_.year <= 0) return ParseError::kFieldOverflow;
      t_.year = -(t_.year - 1);
    } else if (two_digits_) {
      if (t_.year < 0) return ParseError::kFieldOverflow;
      if (t_.year < 70)
        t_.year += 2000;
      else if (t_.year < 100)
        t_.year += 1900;
    } else if (t_.year <= 0) {
      return ParseError::kFieldOverflow;
    }
  }
  if ((have_ & kDoyBit) != 0) {
    civil_of_days(days_of(t_.year, 1, 1) + day_of_year_ - 1, &t_.year, &t_.month, &t_.day);
  }
  if ((have_ & kMonthBit) != 0 && (t_.month < 1 || t_.month > 12)) return ParseError::kMonthDayOverflow;
  if ((have_ & kDayBit) != 0 && (t_.day < 1 || t_.day > 31)) return ParseError::kMonthDayOverflow;
  if ((have_ & kDateBits) == kDateBits && t_.day > days_in_month(t_.year, t_.month)) return ParseError::kFieldOverflow;
  if (am_pm_ >= 0 && t_.hour > 12) return ParseError::kFieldOverflow;
  if (am_pm_ == 0 && t_.hour == 12) t_.hour = 0;
  if (am_pm_ == 1 && t_.hour != 12) t_.hour += 12;
  if (t_.hour < 0 || t_.hour > 24 || t_.minute < 0 || t_.minute > 59 || t_.second < 0 || t_.second > 60 ||
      past_midnight()) {
    return ParseError::kFieldOverflow;
  }
  return ParseError::kNone;
}

ParseError Parser::run(std::string_view text, ParsedMoment* out, Status* special) {
  if (text.size() > 200 || !split_fields(text, &fields_)) return ParseError::kBadFormat;
  if (fields_.empty()) return ParseError::kBadFormat;
  for (size_t i = 0; i < fields_.size(); ++i) {
    mask_ = 0;
    ParseError e = ParseError::kNone;
    switch (fields_[i].kind) {
      case FieldKind::kDate: e = date_field(i); break;
      case FieldKind::kTime: e = time_field(fields_[i]); break;
      case FieldKind::kZone: {
        if (prefix_ != Unit::kNone) return ParseError::kBadFormat;
        e = decode_zone(fields_[i].text);
        mask_ = kZoneBit;
        break;
      }
      case FieldKind::kNumber: e = number_field(i); break;
      case FieldKind::kString:
      case FieldKind::kSpecial: e = word_field(i); break;
    }
    if (e != ParseError::kNone) {
      *special = special_;
      return e;
    }
    if ((mask_ & have_) != 0) return ParseError::kBadFormat;
    have_ |= mask_;
  }
  out->has_date = (have_ & kDateBits) == kDateBits;
  out->outcome = outcome_;
  if (outcome_ != Outcome::kDate) return ParseError::kNone;
  if (ParseError e = finish(); e != ParseError::kNone) return e;
  if (time_only_) {
    if ((have_ & kTimeBits) != kTimeBits) return ParseError::kBadFormat;
    const uint32_t date = have_ & kDateBits;
    if (date != 0 && date != kDateBits) return ParseError::kBadFormat;
  } else if ((have_ & kDateBits) != kDateBits) {
    if ((have_ & kTimeBits) == kTimeBits)
      out->outcome = Outcome::kTimeOnly;
    else
      return ParseError::kBadFormat;
  }
  out->civil = t_;
  out->zone_given = zone_given_;
  out->zone_west = zone_west_;
  out->zone = zone_;
  if (dynamic_ != nullptr) {
    out->zone = TimeZone::find(dynamic_->zone);
    out->dynamic = dynamic_;
    if (out->zone == nullptr) return ParseError::kBadFormat;
  }
  return ParseError::kNone;
}

}  // namespace

Status parse_moment(std::string_view text, std::string_view type, const IoContext& context, bool time_only,
                    ParsedMoment* out) {
  Status special;
  ParseError e = Parser(context, time_only).run(text, out, &special);
  if (!special.ok()) return special;
  return e == ParseError::kNone ? Status() : parse_error(e, text, type);
}

}  // namespace omendb::types::internal
