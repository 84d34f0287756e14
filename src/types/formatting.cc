// Date and time templates.
#include "types/formatting.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "types/datetime_tokens.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

enum class K : uint8_t {
  kAdDots, kAmDots, kAd, kAm, kCc, kDay, kDdd, kDd, kDy, kD, kFf1, kFf2, kFf3, kFf4, kFf5, kFf6, kFx, kHh24, kHh12, kHh,
  kIddd, kId, kIw, kIyyy, kIyy, kIy, kI, kJ, kMi, kMm, kMonth, kMon, kMs, kOf, kQ, kRm, kSssss, kSs, kTzh, kTzm, kTz, kUs,
  kWw, kW, kYCommaYyy, kYyyy, kYyy, kYy, kY
};
enum class Case : uint8_t { kUpper, kCapital, kLower };
struct Keyword {
  std::string_view name;
  K key;
  Case letters;
  bool digits;      // reads digits
  char convention;  // 'g' Gregorian, 'i' ISO week, 0 either
};

constexpr Keyword kKeywords[] = {
    {"A.D.", K::kAdDots, Case::kUpper, false, 0}, {"A.M.", K::kAmDots, Case::kUpper, false, 0},
    {"AD", K::kAd, Case::kUpper, false, 0}, {"AM", K::kAm, Case::kUpper, false, 0},
    {"B.C.", K::kAdDots, Case::kUpper, false, 0}, {"BC", K::kAd, Case::kUpper, false, 0},
    {"CC", K::kCc, Case::kUpper, true, 0}, {"DAY", K::kDay, Case::kUpper, false, 0},
    {"DDD", K::kDdd, Case::kUpper, true, 'g'}, {"DD", K::kDd, Case::kUpper, true, 'g'},
    {"DY", K::kDy, Case::kUpper, false, 0}, {"Day", K::kDay, Case::kCapital, false, 0},
    {"Dy", K::kDy, Case::kCapital, false, 0}, {"D", K::kD, Case::kUpper, true, 'g'},
    {"FF1", K::kFf1, Case::kUpper, false, 0}, {"FF2", K::kFf2, Case::kUpper, false, 0},
    {"FF3", K::kFf3, Case::kUpper, false, 0}, {"FF4", K::kFf4, Case::kUpper, false, 0},
    {"FF5", K::kFf5, Case::kUpper, false, 0}, {"FF6", K::kFf6, Case::kUpper, false, 0},
    {"FX", K::kFx, Case::kUpper, false, 0}, {"HH24", K::kHh24, Case::kUpper, true, 0},
    {"HH12", K::kHh12, Case::kUpper, true, 0}, {"HH", K::kHh, Case::kUpper, true, 0},
    {"IDDD", K::kIddd, Case::kUpper, true, 'i'}, {"ID", K::kId, Case::kUpper, true, 'i'},
    {"IW", K::kIw, Case::kUpper, true, 'i'}, {"IYYY", K::kIyyy, Case::kUpper, true, 'i'},
    {"IYY", K::kIyy, Case::kUpper, true, 'i'}, {"IY", K::kIy, Case::kUpper, true, 'i'},
    {"I", K::kI, Case::kUpper, true, 'i'}, {"J", K::kJ, Case::kUpper, true, 0}, {"MI", K::kMi, Case::kUpper, true, 0},
    {"MM", K::kMm, Case::kUpper, true, 'g'}, {"MONTH", K::kMonth, Case::kUpper, false, 'g'},
    {"MON", K::kMon, Case::kUpper, false, 'g'}, {"MS", K::kMs, Case::kUpper, true, 0},
    {"Month", K::kMonth, Case::kCapital, false, 'g'}, {"Mon", K::kMon, Case::kCapital, false, 'g'},
    {"OF", K::kOf, Case::kUpper, false, 0}, {"P.M.", K::kAmDots, Case::kUpper, false, 0},
    {"PM", K::kAm, Case::kUpper, false, 0}, {"Q", K::kQ, Case::kUpper, true, 0},
    {"RM", K::kRm, Case::kUpper, false, 'g'}, {"SSSSS", K::kSssss, Case::kUpper, true, 0},
    {"SSSS", K::kSssss, Case::kUpper, true, 0}, {"SS", K::kSs, Case::kUpper, true, 0},
    {"TZH", K::kTzh, Case::kUpper, false, 0}, {"TZM", K::kTzm, Case::kUpper, true, 0},
    {"TZ", K::kTz, Case::kUpper, false, 0}, {"US", K::kUs, Case::kUpper, true, 0},
    {"WW", K::kWw, Case::kUpper, true, 'g'}, {"W", K::kW, Case::kUpper, true, 'g'},
    {"Y,YYY", K::kYCommaYyy, Case::kUpper, true, 'g'}, {"YYYY", K::kYyyy, Case::kUpper, true, 'g'},
    {"YYY", K::kYyy, Case::kUpper, true, 'g'}, {"YY", K::kYy, Case::kUpper, true, 'g'},
    {"Y", K::kY, Case::kUpper, true, 'g'}};

struct Node {
  enum class Kind : uint8_t { kAction, kCharacter, kSeparator, kSpace } kind = Kind::kCharacter;
  Keyword keyword{};
  std::string text;   // of a character
  bool fill = false, th_upper = false, th_lower = false, translated = false;
};

bool separator_char(char c) {
  return c > 0x20 && c < 0x7F && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
}

// Keywords exist in upper case and in lower case; Day, Dy, Month and Mon capitalised too.
bool find_keyword(std::string_view s, Keyword* out) {
  for (const Keyword& k : kKeywords) {
    if (s.size() < k.name.size()) continue;
    if (s.starts_with(k.name)) {
      *out = k;
      return true;
    }
    if (k.letters == Case::kCapital) continue;
    bool lower = true;
    for (size_t i = 0; i < k.name.size() && lower; ++i) lower = s[i] == ascii_lower(k.name[i]);
    if (lower) {
      *out = k;
      out->letters = Case::kLower;
      out->name = s.substr(0, k.name.size());
      return true;
    }
  }
  return false;
}

std::vector<Node> parse_template(std::string_view f) {
  std::vector<Node> nodes;
  size_t i = 0;
  auto prefix = [&](std::string_view upper, std::string_view lower) {
    if (!f.substr(i).starts_with(upper) && !f.substr(i).starts_with(lower)) return false;
    i += upper.size();
    return true;
  };
  while (i < f.size()) {
    Node n;
    size_t start = i;
    for (bool again = true; again && i < f.size();) {
      again = false;
      if (prefix("FM", "fm")) n.fill = again = true;
      else if (prefix("TM", "tm")) n.translated = again = true;
    }
    if (find_keyword(f.substr(i), &n.keyword)) {
      n.kind = Node::Kind::kAction;
      i += n.keyword.name.size();
      for (bool again = true; again && i < f.size();) {
        again = false;
        if (f.substr(i).starts_with("TH")) n.th_upper = again = true;
        else if (f.substr(i).starts_with("th")) n.th_lower = again = true;
        else if (f.substr(i).starts_with("SP")) again = true;
        if (again) i += 2;
      }
      nodes.push_back(std::move(n));
      continue;
    }
    if (i > start) continue;  // a prefix of nothing
    if (f[i] == '"') {
      for (++i; i < f.size() && f[i] != '"';) {
        if (f[i] == '\\' && i + 1 < f.size()) ++i;
        size_t width = std::min(utf8_width(f[i]), f.size() - i);
        Node c;
        c.text = f.substr(i, width);
        nodes.push_back(std::move(c));
        i += width;
      }
      ++i;
      continue;
    }
    if (f[i] == '\\' && i + 1 < f.size() && f[i + 1] == '"') ++i;
    size_t width = std::min(utf8_width(f[i]), f.size() - i);
    Node c;
    c.text = f.substr(i, width);
    c.kind = is_space(f[i]) ? Node::Kind::kSpace : separator_char(f[i]) ? Node::Kind::kSeparator : Node::Kind::kCharacter;
    nodes.push_back(std::move(c));
    i += width;
  }
  return nodes;
}

struct OutputFields {
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
  int64_t day_of_year = 0, weekday = 0;
  bool interval = false;
  const TimeZone::Moment* zone = nullptr;
};

void print(std::string* out, const char* format, int width, int64_t v) {
  char text[64];
  std::snprintf(text, sizeof(text), format, width, static_cast<long long>(v));
  out->append(text);
}

void append_ordinal(const Node& n, size_t from, std::string* out) {
  if (!n.th_upper && !n.th_lower) return;
  std::string_view number = std::string_view(*out).substr(from);
  if (number.empty() || number.back() < '0' || number.back() > '9') return;
  char last = number.back();
  if (number.size() > 1 && number[number.size() - 2] == '1') last = '0';
  const char* th = last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
  for (const char* p = th; *p != 0; ++p) out->push_back(n.th_upper ? ascii_upper(*p) : *p);
}

void append_name(std::string_view name, const Node& n, size_t width, std::string* out) {
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (n.keyword.letters == Case::kUpper) c = ascii_upper(c);
    if (n.keyword.letters == Case::kLower) c = ascii_lower(c);
    out->push_back(c);
  }
  if (!n.fill && !n.translated && name.size() < width) out->append(width - name.size(), ' ');
}

constexpr const char* kRoman[12] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

Status interval_only_error() {
  return Status(SqlState::kInvalidDatetimeFormat, "invalid format specification for an interval value")
      .with_hint("Intervals are not tied to specific calendar dates.");
}

Status format_fields(const OutputFields& f, std::string_view format, std::string* out) {
  std::vector<Node> nodes = parse_template(format);
  std::string made;
  // SQL's B.C. years: -1 is year 0 here.
  auto adjusted = [&](int64_t year) { return f.interval ? year : year <= 0 ? -(year - 1) : year; };
  for (const Node& n : nodes) {
    if (n.kind != Node::Kind::kAction) {
      made += n.text;
      continue;
    }
    size_t from = made.size();
    auto number = [&](int64_t v, int width) {
      print(&made, "%0*lld", n.fill ? 0 : v >= 0 ? width : width + 1, v);
      append_ordinal(n, from, &made);
    };
    auto letters = [&](const char* upper) {
      for (const char* p = upper; *p != 0; ++p) made.push_back(n.keyword.letters == Case::kLower ? ascii_lower(*p) : *p);
    };
    K k = n.keyword.key;
    if (f.interval && (k == K::kAdDots || k == K::kAd || k == K::kDay || k == K::kDy || k == K::kD || k == K::kId ||
                       k == K::kIddd || k == K::kIw || k == K::kOf || k == K::kTz || k == K::kTzh || k == K::kTzm ||
                       k == K::kMonth || k == K::kMon || k == K::kIyyy || k == K::kIyy || k == K::kIy || k == K::kI)) {
      bool date_word = k == K::kMonth || k == K::kMon || k == K::kIyyy || k == K::kIyy || k == K::kIy || k == K::kI ||
                       k == K::kIddd || k == K::kIw;
      if (!date_word || k == K::kMonth || k == K::kMon) return interval_only_error();
    }
    auto iso_year = [&] {
      int32_t y = 0;
      (void)iso_week(static_cast<int32_t>(f.year), static_cast<int32_t>(f.month), static_cast<int32_t>(f.day), &y);
      return adjusted(y);
    };
    bool pm = f.hour % 24 >= 12;
    int64_t year = 0;
    switch (k) {
      case K::kAmDots: letters(pm ? "P.M." : "A.M."); break;
      case K::kAm: letters(pm ? "PM" : "AM"); break;
      case K::kAdDots: letters(f.year <= 0 ? "B.C." : "A.D."); break;
      case K::kAd: letters(f.year <= 0 ? "BC" : "AD"); break;
      case K::kHh:
      case K::kHh12:  // the width follows the hour, not what is shown of it
        print(&made, "%0*lld", n.fill ? 0 : f.hour >= 0 ? 2 : 3, f.hour % 12 == 0 ? 12 : f.hour % 12);
        append_ordinal(n, from, &made);
        break;
      case K::kHh24: number(f.hour, 2); break;
      case K::kMi: number(f.minute, 2); break;
      case K::kSs: number(f.second, 2); break;
      case K::kFf1:
      case K::kFf2:
      case K::kFf3:
      case K::kFf4:
      case K::kFf5:
      case K::kFf6: {
        int width = static_cast<int>(k) - static_cast<int>(K::kFf1) + 1;
        int64_t v = f.micros;
        for (int i = width; i < 6; ++i) v /= 10;
        print(&made, "%0*lld", width, v);
        append_ordinal(n, from, &made);
        break;
      }
      case K::kMs:
        print(&made, "%0*lld", 3, f.micros / 1000);
        append_ordinal(n, from, &made);
        break;
      case K::kUs:
        print(&made, "%0*lld", 6, f.micros);
        append_ordinal(n, from, &made);
        break;
      case K::kSssss:
        append_int64(f.hour * 3600 + f.minute * 60 + f.second, &made);
        append_ordinal(n, from, &made);
        break;
      case K::kTz:
        if (f.zone != nullptr) {
          for (char c : f.zone->abbreviation) made.push_back(n.keyword.letters == Case::kLower ? ascii_lower(c) : c);
        }
        break;
      case K::kTzh: {
        int32_t east = f.zone != nullptr ? f.zone->offset : 0;
        made.push_back(east >= 0 ? '+' : '-');
        print(&made, "%0*lld", 2, std::abs(east) / 3600);
        break;
      }
      case K::kTzm: print(&made, "%0*lld", 2, std::abs(f.zone != nullptr ? f.zone->offset : 0) % 3600 / 60); break;
      case K::kOf: {
        int32_t east = f.zone != nullptr ? f.zone->offset : 0;
        made.push_back(east >= 0 ? '+' : '-');
        print(&made, "%0*lld", n.fill ? 0 : 2, std::abs(east) / 3600);
        if (std::abs(east) % 3600 != 0) {
          made.push_back(':');
          print(&made, "%0*lld", 2, std::abs(east) % 3600 / 60);
        }
        break;
      }
      case K::kMonth:
        if (f.month != 0) append_name(internal::kMonthNames[f.month - 1], n, 9, &made);
        break;
      case K::kMon:
        if (f.month != 0) append_name(std::string_view(internal::kMonthNames[f.month - 1]).substr(0, 3), n, 0, &made);
        break;
      case K::kMm: number(f.month, 2); break;
      case K::kDay: append_name(internal::kDayNames[f.weekday], n, 9, &made); break;
      case K::kDy: append_name(std::string_view(internal::kDayNames[f.weekday]).substr(0, 3), n, 0, &made); break;
      case K::kDdd: print(&made, "%0*lld", n.fill ? 0 : 3, f.day_of_year); append_ordinal(n, from, &made); break;
      case K::kIddd: {
        int32_t y = 0;
        (void)iso_week(static_cast<int32_t>(f.year), static_cast<int32_t>(f.month), static_cast<int32_t>(f.day), &y);
        int64_t v = days_of(static_cast<int32_t>(f.year), static_cast<int32_t>(f.month), static_cast<int32_t>(f.day)) -
                    iso_week_start(y, 1) + 1;
        print(&made, "%0*lld", n.fill ? 0 : 3, v);
        append_ordinal(n, from, &made);
        break;
      }
      case K::kDd: print(&made, "%0*lld", n.fill ? 0 : 2, f.day); append_ordinal(n, from, &made); break;
      case K::kD: append_int64(f.weekday + 1, &made); append_ordinal(n, from, &made); break;
      case K::kId: append_int64(f.weekday == 0 ? 7 : f.weekday, &made); append_ordinal(n, from, &made); break;
      case K::kWw: print(&made, "%0*lld", n.fill ? 0 : 2, (f.day_of_year - 1) / 7 + 1); append_ordinal(n, from, &made); break;
      case K::kIw:
        print(&made, "%0*lld", n.fill ? 0 : 2,
              iso_week(static_cast<int32_t>(f.year), static_cast<int32_t>(f.month), static_cast<int32_t>(f.day), nullptr));
        append_ordinal(n, from, &made);
        break;
      case K::kQ:
        if (f.month == 0) break;
        append_int64((f.month - 1) / 3 + 1, &made);
        append_ordinal(n, from, &made);
        break;
      case K::kCc: {
        int64_t c = f.interval ? f.year / 100 : f.year > 0 ? (f.year - 1) / 100 + 1 : f.year / 100 - 1;
        if (c <= 99 && c >= -99) print(&made, "%0*lld", n.fill ? 0 : c >= 0 ? 2 : 3, c);
        else append_int64(c, &made);
        append_ordinal(n, from, &made);
        break;
      }
      case K::kYCommaYyy: {
        year = adjusted(f.year);
        append_int64(year / 1000, &made);
        made.push_back(',');
        print(&made, "%0*lld", 3, std::abs(year % 1000));
        append_ordinal(n, from, &made);
        break;
      }
      case K::kYyyy:
      case K::kIyyy: {
        year = k == K::kYyyy ? adjusted(f.year) : iso_year();
        print(&made, "%0*lld", n.fill ? 0 : year >= 0 ? 4 : 5, year);
        append_ordinal(n, from, &made);
        break;
      }
      case K::kYyy:
      case K::kIyy:
      case K::kYy:
      case K::kIy:
      case K::kY:
      case K::kI: {
        bool iso = k == K::kIyy || k == K::kIy || k == K::kI;
        int width = k == K::kYyy || k == K::kIyy ? 3 : k == K::kYy || k == K::kIy ? 2 : 1;
        year = (iso ? iso_year() : adjusted(f.year)) % (width == 3 ? 1000 : width == 2 ? 100 : 10);
        if (width == 1) print(&made, "%0*lld", 1, year);
        else print(&made, "%0*lld", n.fill ? 0 : year >= 0 ? width : width + 1, year);
        append_ordinal(n, from, &made);
        break;
      }
      case K::kRm:
        if (f.month == 0 && f.year == 0) break;
        {
          int64_t m = f.month == 0 ? (f.year >= 0 ? 12 : 1) : f.month < 0 ? 12 + f.month + 1 : f.month;
          append_name(kRoman[m - 1], n, 4, &made);
        }
        break;
      case K::kW: append_int64((f.day - 1) / 7 + 1, &made); append_ordinal(n, from, &made); break;
      case K::kJ:
        append_int64(days_of(static_cast<int32_t>(f.year), static_cast<int32_t>(f.month), static_cast<int32_t>(f.day)) + 2440588, &made);
        append_ordinal(n, from, &made);
        break;
      case K::kFx: break;
    }
  }
  *out = std::move(made);
  return {};
}

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

// ---- input ----

class Reader {
 public:
  int fraction() const { return fraction_; }
  Reader(std::string_view text, std::string_view format) : s_(text), nodes_(parse_template(format)) {}

  Status read();
  /// After read(): the local time and, when the template has one, the zone.
  Status assemble(CivilTime* out, bool* zone_given, int32_t* zone_east);

 private:
  Status date_error(std::string message) { return Status(SqlState::kInvalidDatetimeFormat, std::move(message)); }
  bool next_is_separator(size_t i) const {
    if (nodes_[i].th_upper || nodes_[i].th_lower) return true;
    if (i + 1 >= nodes_.size()) return true;
    const Node& n = nodes_[i + 1];
    if (n.kind == Node::Kind::kAction) return !n.keyword.digits;
    return !(n.text.size() == 1 && n.text[0] >= '0' && n.text[0] <= '9');
  }
  Status integer(size_t i, size_t length, int32_t* dest, size_t* used_out = nullptr);
  Status integer(size_t i, int32_t* dest) { return integer(i, nodes_[i].keyword.name.size(), dest); }
  Status word(size_t i, const char* const* names, size_t count, size_t cut, int* value);
  Status set(int32_t* dest, int32_t value, size_t i) {
    if (*dest != 0 && *dest != value) {
      return date_error("conflicting values for \"" + std::string(nodes_[i].keyword.name) + "\" field in formatting string")
          .with_detail("This value contradicts a previous setting for the same field type.");
    }
    *dest = value;
    return {};
  }
  void skip_th(const Node& n) {
    if (n.th_upper || n.th_lower) at_ = std::min(at_ + 2, s_.size());
  }

  std::string_view s_;
  std::vector<Node> nodes_;
  size_t at_ = 0;
  char convention_ = 0;
  bool twelve_hours_ = false;
  int32_t hh_ = 0, pm_ = 0, mi_ = 0, ss_ = 0, ssss_ = 0, d_ = 0, dd_ = 0, ddd_ = 0, mm_ = 0, ms_ = 0, year_ = 0, bc_ = 0, ww_ = 0,
          w_ = 0, cc_ = 0, j_ = 0, us_ = 0, year_width_ = 0, fraction_ = 0, zone_sign_ = 0, zone_hour_ = 0, zone_minute_ = 0;
};

Status Reader::integer(size_t i, size_t length, int32_t* dest, size_t* used_out) {
  const Node& n = nodes_[i];
  std::string key(n.keyword.name);
  while (at_ < s_.size() && is_space(s_[at_])) ++at_;
  size_t start = at_;
  std::string copy(s_.substr(at_, length));
  auto parse = [&](std::string_view from, int64_t* v) {  // strtol: sign and digits, saturating
    size_t k = 0;
    bool negative = false;
    while (k < from.size() && is_space(from[k])) ++k;
    if (k < from.size() && (from[k] == '-' || from[k] == '+')) negative = from[k++] == '-';
    size_t first = k;
    int64_t r = 0;
    for (; k < from.size() && from[k] >= '0' && from[k] <= '9'; ++k) r = std::min<int64_t>(r * 10 + (from[k] - '0'), INT64_C(1) << 40);
    *v = negative ? -r : r;
    return k == first ? size_t{0} : k;
  };
  int64_t value = 0;
  size_t used = 0;
  if (n.fill || next_is_separator(i)) {
    used = parse(s_.substr(at_), &value);
    at_ += used;
  } else {
    if (copy.size() < length) {
      return date_error("source string too short for \"" + key + "\" formatting field")
          .with_detail("Field requires " + std::to_string(length) + " characters, but only " + std::to_string(copy.size()) +
                       " remain.")
          .with_hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
    }
    used = parse(copy, &value);
    if (used > 0 && used < length) {
      return date_error("invalid value \"" + copy + "\" for \"" + key + "\"")
          .with_detail("Field requires " + std::to_string(length) + " characters, but only " + std::to_string(used) +
                       " could be parsed.")
          .with_hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
    }
    at_ += used;
  }
  if (at_ == start) {
    return date_error("invalid value \"" + copy + "\" for \"" + key + "\"").with_detail("Value must be an integer.");
  }
  if (value > INT32_MAX || value < INT32_MIN) {
    return Status(SqlState::kDatetimeValueOutOfRange, "value for \"" + key + "\" in source string is out of range")
        .with_detail("Value must be in the range -2147483648 to 2147483647.");
  }
  if (used_out != nullptr) *used_out = used;
  return set(dest, static_cast<int32_t>(value), i);
}

Status Reader::word(size_t i, const char* const* names, size_t count, size_t cut, int* value) {
  std::string_view rest = s_.substr(at_);
  for (size_t k = 0; k < count; ++k) {
    std::string_view name = std::string_view(names[k]).substr(0, cut);
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

int32_t adjust_year(int32_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

Status Reader::read() {
  static const char* const kAmPm[] = {"am", "pm"};
  static const char* const kAmPmDots[] = {"a.m.", "p.m."};
  static const char* const kAdBc[] = {"ad", "bc"};
  static const char* const kAdBcDots[] = {"a.d.", "b.c."};
  static const char* const kRomanDown[] = {"XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"};
  bool fixed = false;
  int extra = 0;
  for (size_t i = 0; i < nodes_.size() && at_ < s_.size(); ++i) {
    const Node& n = nodes_[i];
    bool action = n.kind == Node::Kind::kAction;
    if (!fixed && (!action || n.keyword.key != K::kFx) && (action || i == 0)) {
      while (at_ < s_.size() && is_space(s_[at_])) {
        ++at_;
        ++extra;
      }
      if (at_ >= s_.size() && !action) break;
    }
    auto skip_character = [&] {
      if (at_ < s_.size()) at_ += std::min(utf8_width(s_[at_]), s_.size() - at_);
    };
    if (n.kind == Node::Kind::kSpace || n.kind == Node::Kind::kSeparator) {
      if (!fixed) {
        --extra;
        if (at_ < s_.size() && (is_space(s_[at_]) || separator_char(s_[at_]))) {
          ++at_;
          ++extra;
        }
      } else {
        skip_character();
      }
      continue;
    }
    if (!action) {
      if (!fixed) {
        if (extra > 0) --extra;
        else skip_character();
      } else {
        skip_character();
      }
      continue;
    }
    if (n.keyword.convention != 0) {
      if (convention_ != 0 && convention_ != n.keyword.convention) {
        return date_error("invalid combination of date conventions")
            .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
      }
      convention_ = n.keyword.convention;
    }
    int value = 0;
    size_t used = 0;
    switch (n.keyword.key) {
      case K::kFx: fixed = true; break;
      case K::kAmDots:
        RETURN_IF_ERROR(word(i, kAmPmDots, 2, 4, &value));
        RETURN_IF_ERROR(set(&pm_, value, i));
        twelve_hours_ = true;
        break;
      case K::kAm:
        RETURN_IF_ERROR(word(i, kAmPm, 2, 2, &value));
        RETURN_IF_ERROR(set(&pm_, value, i));
        twelve_hours_ = true;
        break;
      case K::kHh:
      case K::kHh12:
        RETURN_IF_ERROR(integer(i, 2, &hh_));
        twelve_hours_ = true;
        skip_th(n);
        break;
      case K::kHh24:
        RETURN_IF_ERROR(integer(i, 2, &hh_));
        skip_th(n);
        break;
      case K::kMi:
        RETURN_IF_ERROR(integer(i, &mi_));
        skip_th(n);
        break;
      case K::kSs:
        RETURN_IF_ERROR(integer(i, &ss_));
        skip_th(n);
        break;
      case K::kMs:
        RETURN_IF_ERROR(integer(i, 3, &ms_, &used));
        ms_ *= used == 1 ? 100 : used == 2 ? 10 : 1;
        skip_th(n);
        break;
      case K::kFf1:
      case K::kFf2:
      case K::kFf3:
      case K::kFf4:
      case K::kFf5:
      case K::kFf6:
      case K::kUs: {
        // FF3 reads as US does, then rounds.
        if (n.keyword.key != K::kUs) fraction_ = static_cast<int>(n.keyword.key) - static_cast<int>(K::kFf1) + 1;
        RETURN_IF_ERROR(integer(i, 6, &us_, &used));
        for (size_t d = used; d < 6; ++d) us_ *= 10;
        skip_th(n);
        break;
      }
      case K::kSssss:
        RETURN_IF_ERROR(integer(i, &ssss_));
        skip_th(n);
        break;
      case K::kTz:
      case K::kOf:
        return Status(SqlState::kFeatureNotSupported,
                      "formatting field \"" + std::string(n.keyword.name) + "\" is only supported in to_char");
      case K::kTzh:
        // A missing sign means plus, as does a space that was skipped before.
        if (at_ < s_.size() && (s_[at_] == '+' || s_[at_] == '-' || s_[at_] == ' ')) {
          zone_sign_ = s_[at_] == '-' ? -1 : 1;
          ++at_;
        } else {
          zone_sign_ = extra > 0 && at_ > 0 && s_[at_ - 1] == '-' ? -1 : 1;
        }
        RETURN_IF_ERROR(integer(i, 2, &zone_hour_));
        break;
      case K::kTzm:
        if (zone_sign_ == 0) zone_sign_ = 1;
        RETURN_IF_ERROR(integer(i, 2, &zone_minute_));
        break;
      case K::kAdDots:
        RETURN_IF_ERROR(word(i, kAdBcDots, 2, 4, &value));
        RETURN_IF_ERROR(set(&bc_, value, i));
        break;
      case K::kAd:
        RETURN_IF_ERROR(word(i, kAdBc, 2, 2, &value));
        RETURN_IF_ERROR(set(&bc_, value, i));
        break;
      case K::kMonth:
        RETURN_IF_ERROR(word(i, internal::kMonthNames, 12, 20, &value));
        RETURN_IF_ERROR(set(&mm_, value + 1, i));
        break;
      case K::kMon:
        RETURN_IF_ERROR(word(i, internal::kMonthNames, 12, 3, &value));
        RETURN_IF_ERROR(set(&mm_, value + 1, i));
        break;
      case K::kMm:
        RETURN_IF_ERROR(integer(i, &mm_));
        skip_th(n);
        break;
      case K::kDay:
        RETURN_IF_ERROR(word(i, internal::kDayNames, 7, 20, &value));
        RETURN_IF_ERROR(set(&d_, value + 1, i));
        break;
      case K::kDy:
        RETURN_IF_ERROR(word(i, internal::kDayNames, 7, 3, &value));
        RETURN_IF_ERROR(set(&d_, value + 1, i));
        break;
      case K::kDdd:
        RETURN_IF_ERROR(integer(i, &ddd_));
        skip_th(n);
        break;
      case K::kIddd:
        RETURN_IF_ERROR(integer(i, 3, &ddd_));
        skip_th(n);
        break;
      case K::kDd:
        RETURN_IF_ERROR(integer(i, &dd_));
        skip_th(n);
        break;
      case K::kD:
        RETURN_IF_ERROR(integer(i, &d_));
        skip_th(n);
        break;
      case K::kId:
        RETURN_IF_ERROR(integer(i, 1, &d_));
        if (d_ >= 7) d_ = 1;  // Sunday
        else ++d_;
        skip_th(n);
        break;
      case K::kWw:
      case K::kIw:
        RETURN_IF_ERROR(integer(i, &ww_));
        skip_th(n);
        break;
      case K::kQ: {
        // Checked and forgotten: a quarter does not say which month.
        int32_t ignored = 0;
        RETURN_IF_ERROR(integer(i, &ignored));
        skip_th(n);
        break;
      }
      case K::kCc:
        RETURN_IF_ERROR(integer(i, &cc_));
        skip_th(n);
        break;
      case K::kYCommaYyy: {
        int thousands = 0, rest = 0, length = 0;
        std::string text(s_.substr(at_));
        if (std::sscanf(text.c_str(), "%d,%03d%n", &thousands, &rest, &length) < 2) {
          return date_error("invalid input string for \"Y,YYY\"");
        }
        if (thousands > 2'000'000 || thousands < -2'000'000) {
          return Status(SqlState::kDatetimeValueOutOfRange, "value for \"Y,YYY\" in source string is out of range");
        }
        RETURN_IF_ERROR(set(&year_, thousands * 1000 + rest, i));
        year_width_ = 4;
        at_ += static_cast<size_t>(length);
        skip_th(n);
        break;
      }
      case K::kYyyy:
      case K::kIyyy:
        RETURN_IF_ERROR(integer(i, &year_));
        year_width_ = 4;
        skip_th(n);
        break;
      case K::kYyy:
      case K::kIyy:
      case K::kYy:
      case K::kIy:
      case K::kY:
      case K::kI: {
        int32_t v = 0;
        RETURN_IF_ERROR(integer(i, n.keyword.name.size(), &v, &used));
        if (used < 4) v = adjust_year(v);
        RETURN_IF_ERROR(set(&year_, v, i));
        year_width_ = static_cast<int32_t>(n.keyword.name.size());
        skip_th(n);
        break;
      }
      case K::kRm:
        RETURN_IF_ERROR(word(i, kRomanDown, 12, 4, &value));
        RETURN_IF_ERROR(set(&mm_, 12 - value, i));
        break;
      case K::kW:
        RETURN_IF_ERROR(integer(i, &w_));
        skip_th(n);
        break;
      case K::kJ:
        RETURN_IF_ERROR(integer(i, &j_));
        skip_th(n);
        break;
    }
    if (!fixed) {
      extra = 0;
      while (at_ < s_.size() && is_space(s_[at_])) {
        ++at_;
        ++extra;
      }
    }
  }
  return {};
}

Status Reader::assemble(CivilTime* out, bool* zone_given, int32_t* zone_east) {
  // Numbers that no date holds, before they are multiplied.
  constexpr int64_t kFieldMax = 2'000'000;
  for (int64_t v : {cc_, ww_, w_, ddd_, ms_, d_}) {
    if (v > kFieldMax || v < -kFieldMax) return internal::parse_error(internal::ParseError::kFieldOverflow, s_, "timestamp");
  }
  for (int64_t v : {year_, us_}) {
    if (v > 2'000'000'000 || v < -2'000'000'000) {
      return internal::parse_error(internal::ParseError::kFieldOverflow, s_, "timestamp");
    }
  }
  CivilTime t;
  t.year = 0;
  bool have_year = false, have_date = false;
  if (ssss_ != 0) {
    t.hour = ssss_ / 3600;
    t.minute = ssss_ % 3600 / 60;
    t.second = ssss_ % 60;
  }
  if (ss_ != 0) t.second = ss_;
  if (mi_ != 0) t.minute = mi_;
  if (hh_ != 0) t.hour = hh_;
  if (twelve_hours_) {
    if (t.hour < 1 || t.hour > 12) {
      return date_error("hour \"" + std::to_string(t.hour) + "\" is invalid for the 12-hour clock")
          .with_hint("Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (pm_ != 0 && t.hour < 12) t.hour += 12;
    else if (pm_ == 0 && t.hour == 12) t.hour = 0;
  }
  if (year_ != 0) {
    if (cc_ != 0 && year_width_ <= 2) {
      if (bc_ != 0) cc_ = -cc_;
      t.year = year_ % 100;
      if (t.year != 0) {
        if (cc_ >= 0) t.year += (cc_ - 1) * 100;
        else t.year = (cc_ + 1) * 100 - t.year + 1;
      } else {
        t.year = cc_ * 100 + (cc_ >= 0 ? 0 : 1);
      }
    } else {
      t.year = bc_ != 0 ? -year_ : year_;
      if (t.year < 0) ++t.year;
    }
    have_year = true;
  } else if (cc_ != 0) {
    if (bc_ != 0) cc_ = -cc_;
    t.year = cc_ >= 0 ? (cc_ - 1) * 100 + 1 : cc_ * 100 + 1;
    have_year = true;
  }
  if (j_ != 0) {
    civil_of_days(static_cast<int64_t>(j_) - 2440588, &t.year, &t.month, &t.day);
    have_date = true;
  }
  if (ww_ != 0) {
    if (convention_ == 'i') {
      int64_t day = iso_week_start(t.year, ww_) + (d_ > 1 ? d_ - 2 : d_ == 1 ? 6 : 0);
      civil_of_days(day, &t.year, &t.month, &t.day);
      have_date = true;
    } else {
      ddd_ = (ww_ - 1) * 7 + 1;
    }
  }
  if (w_ != 0) dd_ = (w_ - 1) * 7 + 1;
  if (dd_ != 0) {
    t.day = dd_;
    have_date = true;
  }
  if (mm_ != 0) {
    t.month = mm_;
    have_date = true;
  }
  if (ddd_ != 0 && (t.month <= 1 || t.day <= 1)) {
    if (t.year == 0 && bc_ == 0) return date_error("cannot calculate day of year without year information");
    int64_t day = convention_ == 'i' ? iso_week_start(t.year, 1) + ddd_ - 1 : 0;
    if (convention_ == 'i') {
      civil_of_days(day, &t.year, &t.month, &t.day);
    } else {
      int rest = ddd_, month = 1;
      while (month <= 12 && rest > days_in_month(t.year, month)) rest -= days_in_month(t.year, month++);
      if (month > 12) {
        month = 12;
        rest += days_in_month(t.year, 12);
      }
      if (t.month <= 1) t.month = month;
      if (t.day <= 1) t.day = rest;
    }
    have_date = true;
  }
  t.micros = ms_ * 1000 + us_;
  auto overflow = [&](internal::ParseError e) { return internal::parse_error(e, s_, "timestamp"); };
  if (have_year || have_date) {
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31) return overflow(internal::ParseError::kMonthDayOverflow);
    if (t.day > days_in_month(t.year, t.month)) return overflow(internal::ParseError::kFieldOverflow);
  }
  if (t.hour < 0 || t.hour >= 24 || t.minute < 0 || t.minute >= 60 || t.second < 0 || t.second >= 60 || t.micros < 0 ||
      t.micros >= 1000000) {
    return overflow(internal::ParseError::kFieldOverflow);
  }
  *zone_given = zone_sign_ != 0;
  if (*zone_given) {
    if (zone_hour_ < 0 || zone_hour_ > 15 || zone_minute_ < 0 || zone_minute_ >= 60) {
      return overflow(internal::ParseError::kZoneOverflow);
    }
    *zone_east = zone_sign_ * (zone_hour_ * 3600 + zone_minute_ * 60);
  }
  *out = t;
  return {};
}

Status parse_with_template(std::string_view text, std::string_view format, CivilTime* out, bool* zone_given,
                           int32_t* zone_east, int* fraction) {
  Reader reader(text, format);
  RETURN_IF_ERROR(reader.read());
  *fraction = reader.fraction();
  return reader.assemble(out, zone_given, zone_east);
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

Status to_date(std::string_view text, std::string_view format, int32_t* out) {
  CivilTime t;
  bool zone_given = false;
  int32_t east = 0;
  int fraction = 0;
  RETURN_IF_ERROR(parse_with_template(text, format, &t, &zone_given, &east, &fraction));
  int64_t days = days_of(t.year, t.month, t.day);
  if (!date_in_range(days)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "date out of range: \"" + std::string(text) + "\"");
  }
  *out = static_cast<int32_t>(days);
  return {};
}

Status to_timestamp(std::string_view text, std::string_view format, const TimeZone& zone, int64_t* out) {
  CivilTime t;
  bool zone_given = false;
  int32_t east = 0;
  int fraction = 0;
  RETURN_IF_ERROR(parse_with_template(text, format, &t, &zone_given, &east, &fraction));
  Int128 local = micros_of(t);
  if (local > INT64_MAX || local < INT64_MIN) return internal::out_of_range("timestamp");
  if (!zone_given) {
    CivilTime whole = t;
    whole.micros = 0;
    east = zone.offset_of_local(static_cast<int64_t>(micros_of(whole) / kMicrosPerSecond));
  }
  Int128 v = local - east * kMicrosPerSecond;
  if (v > INT64_MAX || v < INT64_MIN || !timestamp_in_range(static_cast<int64_t>(v))) {
    return internal::out_of_range("timestamp");
  }
  *out = fraction > 0 ? round_timestamp(static_cast<int64_t>(v), fraction) : static_cast<int64_t>(v);
  return {};
}

}  // namespace omendb::types
