// Number templates.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "types/formatting.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

enum class Key : uint8_t {
  kLiteral,
  kComma,
  kPoint,
  kZero,
  kNine,
  kBlank,
  kD,
  kG,
  kL,
  kMinus,
  kPlus,
  kBracket,
  kRomanUpper,
  kRomanLower,
  kSign,
  kSignS,
  kThUpper,
  kThLower,
  kMulti,
  kExponent,
  kFill
};
struct Item {
  Key key;
  std::string literal;
};

constexpr std::pair<std::string_view, Key> kKeys[] = {
    {"EEEE", Key::kExponent}, {"eeee", Key::kExponent}, {"FM", Key::kFill},       {"fm", Key::kFill},
    {"MI", Key::kMinus},      {"mi", Key::kMinus},      {"PL", Key::kPlus},       {"pl", Key::kPlus},
    {"PR", Key::kBracket},    {"pr", Key::kBracket},    {"RN", Key::kRomanUpper}, {"rn", Key::kRomanLower},
    {"SG", Key::kSign},       {"sg", Key::kSign},       {"SP", Key::kLiteral},    {"TH", Key::kThUpper},
    {"th", Key::kThLower},    {",", Key::kComma},       {".", Key::kPoint},       {"0", Key::kZero},
    {"9", Key::kNine},        {"B", Key::kBlank},       {"b", Key::kBlank},       {"C", Key::kLiteral},
    {"c", Key::kLiteral},     {"D", Key::kD},           {"d", Key::kD},           {"G", Key::kG},
    {"g", Key::kG},           {"L", Key::kL},           {"l", Key::kL},           {"S", Key::kSignS},
    {"s", Key::kSignS},       {"V", Key::kMulti},       {"v", Key::kMulti}};

enum class SignPlace : uint8_t { kNone, kBefore, kAfter };

struct Template {
  std::vector<Item> items;
  int pre = 0, post = 0, multi = 0, zero_start = 0, zero_end = 0, sign_after = 0;
  SignPlace sign_place = SignPlace::kNone;
  bool decimal = false, zero = false, fill = false, sign = false, bracket = false, minus = false, plus = false,
       roman = false, times = false, exponent = false, blank = false;
};

Status syntax(const char* message) { return Status(SqlState::kSyntaxError, message); }

Status prepare(Key key, Template* t) {
  if (t->exponent && key != Key::kExponent) return syntax("\"EEEE\" must be the last pattern used");
  switch (key) {
    case Key::kNine:
      if (t->bracket) return syntax("\"9\" must be ahead of \"PR\"");
      if (t->times)
        ++t->multi;
      else if (t->decimal)
        ++t->post;
      else
        ++t->pre;
      break;
    case Key::kZero:
      if (t->bracket) return syntax("\"0\" must be ahead of \"PR\"");
      if (!t->zero && !t->decimal) {
        t->zero = true;
        t->zero_start = t->pre + 1;
      }
      if (!t->decimal)
        ++t->pre;
      else
        ++t->post;
      t->zero_end = t->pre + t->post;
      break;
    case Key::kBlank:
      if (t->pre == 0 && t->post == 0 && !t->zero) t->blank = true;
      break;
    case Key::kD:
    case Key::kPoint:
      if (t->decimal) return syntax("multiple decimal points");
      if (t->times) return syntax("cannot use \"V\" and decimal point together");
      t->decimal = true;
      break;
    case Key::kFill: t->fill = true; break;
    case Key::kSignS:
      if (t->sign) return syntax("cannot use \"S\" twice");
      if (t->plus || t->minus || t->bracket) {
        return syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
      }
      if (!t->decimal) {
        t->sign_place = SignPlace::kBefore;
        t->sign_after = t->pre;
        t->sign = true;
      } else if (t->sign_place == SignPlace::kNone) {
        t->sign_place = SignPlace::kAfter;
        t->sign = true;
      }
      break;
    case Key::kMinus:
      if (t->sign) return syntax("cannot use \"S\" and \"MI\" together");
      t->minus = true;
      break;
    case Key::kPlus:
      if (t->sign) return syntax("cannot use \"S\" and \"PL\" together");
      t->plus = true;
      break;
    case Key::kSign:
      if (t->sign) return syntax("cannot use \"S\" and \"SG\" together");
      t->minus = t->plus = true;
      break;
    case Key::kBracket:
      if (t->sign || t->plus || t->minus) return syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      t->bracket = true;
      break;
    case Key::kRomanUpper:
    case Key::kRomanLower: t->roman = true; break;
    case Key::kMulti:
      if (t->decimal) return syntax("cannot use \"V\" and decimal point together");
      t->times = true;
      break;
    case Key::kExponent:
      if (t->exponent) return syntax("cannot use \"EEEE\" twice");
      if (t->fill || t->sign || t->bracket || t->minus || t->plus || t->roman || t->times) {
        return Status(SqlState::kSyntaxError, "\"EEEE\" is incompatible with other formats")
            .with_detail("\"EEEE\" may only be used together with digit and decimal point patterns.");
      }
      t->exponent = true;
      break;
    default: break;
  }
  return {};
}

Status parse_template(std::string_view f, Template* t) {
  for (size_t i = 0; i < f.size();) {
    if (f[i] == '"') {
      for (++i; i < f.size() && f[i] != '"';) {
        if (f[i] == '\\' && i + 1 < f.size()) ++i;
        size_t width = std::min(utf8_width(f[i]), f.size() - i);
        t->items.push_back({Key::kLiteral, std::string(f.substr(i, width))});
        i += width;
      }
      ++i;
      continue;
    }
    bool found = false;
    for (auto [name, key] : kKeys) {
      if (!f.substr(i).starts_with(name)) continue;
      i += name.size();
      found = true;
      if (key != Key::kLiteral) {  // SP and C are known and do nothing
        RETURN_IF_ERROR(prepare(key, t));
        t->items.push_back({key, {}});
      }
      break;
    }
    if (found) continue;
    if (f[i] == '\\' && i + 1 < f.size() && f[i + 1] == '"') ++i;
    size_t width = std::min(utf8_width(f[i]), f.size() - i);
    t->items.push_back({Key::kLiteral, std::string(f.substr(i, width))});
    i += width;
  }
  return {};
}

const char* ordinal(std::string_view number, bool upper) {
  char last = number.empty() ? '0' : number.back();
  if (number.size() > 1 && number[number.size() - 2] == '1') last = '0';
  switch (last) {
    case '1': return upper ? "ST" : "st";
    case '2': return upper ? "ND" : "nd";
    case '3': return upper ? "RD" : "rd";
    default: return upper ? "TH" : "th";
  }
}

std::string roman(int number) {
  if (number > 3999 || number < 1) return std::string(15, '#');
  static const char* const kParts[4][10] = {{"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"},
                                            {"", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"},
                                            {"", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"},
                                            {"", "M", "MM", "MMM", "", "", "", "", "", ""}};
  std::string s;
  s += kParts[3][number / 1000];
  s += kParts[2][number / 100 % 10];
  s += kParts[1][number / 10 % 10];
  s += kParts[0][number % 10];
  return s;
}

// Lays the digits of `number` (without sign) out as the template says.
class Layout {
 public:
  Layout(Template& t, std::string number, int spaces, char sign, std::string* out)
      : t_(t), number_(std::move(number)), spaces_(spaces), sign_(sign), out_(out) {}

  void run() {
    if (t_.zero_start > 0) --t_.zero_start;
    if (t_.exponent) {
      out_->append(number_);
      return;
    }
    if (t_.roman) {
      bool fill = t_.fill;
      std::vector<Item> items = std::move(t_.items);
      t_ = Template{};
      t_.items = std::move(items);
      t_.roman = true;
      t_.fill = fill;
      spaces_ = 0;
      sign_ = 0;
    }
    if (t_.plus || t_.minus) {
      sign_written_ = !(t_.plus && !t_.minus);
    } else {
      if (sign_ != '-' && t_.fill) t_.bracket = false;
      sign_written_ = sign_ == '+' && t_.fill && !t_.sign;
      if (t_.sign_place == SignPlace::kBefore && t_.pre == t_.sign_after) t_.sign_place = SignPlace::kAfter;
    }
    count_ = t_.post + t_.pre - 1;
    if (t_.fill && t_.decimal) {
      size_t point = number_.find('.');
      if (point != std::string::npos) {
        last_ = point;
        for (size_t i = point + 1; i < number_.size(); ++i) {
          if (number_[i] != '0') last_ = i;
        }
        if (t_.zero_end > spaces_) {
          size_t keep = std::min(static_cast<size_t>(t_.zero_end - spaces_), number_.size() - 1);
          last_ = std::max(last_, keep);
        }
      }
    }
    if (!sign_written_ && spaces_ == 0) ++count_;
    for (const Item& item : t_.items) element(item);
    if (cut_ != kNone) out_->resize(cut_);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  char here() const { return at_ < number_.size() ? number_[at_] : '\0'; }
  bool ends_at_point() const { return last_ != kNone && number_[last_] == '.'; }
  bool space_before_point() const { return !t_.zero && at_ == 0 && here() == '0' && t_.post != 0; }

  void element(const Item& item) {
    switch (item.key) {
      case Key::kNine:
      case Key::kZero:
      case Key::kPoint:
      case Key::kD: digit(item.key); break;
      case Key::kComma:
      case Key::kG:
        if (in_number_)
          out_->push_back(',');
        else if (!t_.fill)
          out_->push_back(' ');
        break;
      case Key::kL: out_->push_back(' '); break;
      case Key::kRomanUpper:
      case Key::kRomanLower: {
        std::string text = number_;
        if (item.key == Key::kRomanLower) {
          for (char& c : text) c = ascii_lower(c);
        }
        if (!t_.fill && text.size() < 15) out_->append(15 - text.size(), ' ');
        out_->append(text);
        break;
      }
      case Key::kThUpper:
      case Key::kThLower:
        if (t_.roman || (!number_.empty() && number_[0] == '#') || sign_ == '-' || t_.decimal) break;
        out_->append(ordinal(number_, item.key == Key::kThUpper));
        break;
      case Key::kMinus:
        if (sign_ == '-')
          out_->push_back('-');
        else if (!t_.fill)
          out_->push_back(' ');
        break;
      case Key::kPlus:
        if (sign_ == '+')
          out_->push_back('+');
        else if (!t_.fill)
          out_->push_back(' ');
        break;
      case Key::kSign: out_->push_back(sign_); break;
      case Key::kLiteral: out_->append(item.literal); break;
      default: break;
    }
  }

  void digit(Key key) {
    if (t_.roman) return;
    in_number_ = false;
    if (!sign_written_ && (current_ >= spaces_ || (t_.zero && t_.zero_start == current_)) &&
        (!space_before_point() || ends_at_point())) {
      if (t_.sign) {
        if (t_.sign_place == SignPlace::kBefore) {
          out_->push_back(sign_ == '-' ? '-' : '+');
          sign_written_ = true;
        }
      } else if (t_.bracket) {
        out_->push_back(sign_ == '+' ? ' ' : '<');
        sign_written_ = true;
      } else if (sign_ == '+') {
        if (!t_.fill) out_->push_back(' ');
        sign_written_ = true;
      } else if (sign_ == '-') {
        out_->push_back('-');
        sign_written_ = true;
      }
    }
    if (current_ < spaces_ && (t_.zero_start > current_ || !t_.zero)) {
      if (!t_.fill) out_->push_back(' ');
    } else if (t_.zero && current_ < spaces_ && t_.zero_start <= current_) {
      out_->push_back('0');
      in_number_ = true;
    } else {
      if (here() == '.') {
        if (!ends_at_point() || t_.fill) out_->push_back('.');
      } else if (last_ != kNone && at_ > last_ && key != Key::kZero) {
      } else if (space_before_point()) {
        if (!t_.fill)
          out_->push_back(' ');
        else if (ends_at_point())
          out_->push_back('0');
      } else if (at_ < number_.size()) {
        out_->push_back(here());
        in_number_ = true;
      } else if (cut_ == kNone) {
        cut_ = out_->size();
      }
      if (at_ < number_.size()) ++at_;
    }
    int end = count_ + (spaces_ > 0 ? 1 : 0) + (t_.decimal ? 1 : 0);
    if (last_ != kNone && last_ == at_) end = current_;
    if (current_ + 1 == end) {
      if (sign_written_ && t_.bracket)
        out_->push_back(sign_ == '+' ? ' ' : '>');
      else if (t_.sign && t_.sign_place == SignPlace::kAfter)
        out_->push_back(sign_ == '-' ? '-' : '+');
    }
    ++current_;
  }

  Template& t_;
  std::string number_;
  int spaces_;
  char sign_;
  std::string* out_;
  size_t at_ = 0, last_ = kNone;
  size_t cut_ = kNone;  // where the first digit was asked for that the number has not: PostgreSQL ends its text there
  int current_ = 0, count_ = 0;
  bool sign_written_ = false, in_number_ = false;
};

// `text` is the number rounded to the template's decimals, with its sign.
Status lay_out(Template& t, std::string text, std::string* out) {
  char sign = '+';
  if (!text.empty() && text[0] == '-') {
    sign = '-';
    text.erase(0, 1);
  }
  size_t point = text.find('.');
  int before = static_cast<int>(point == std::string::npos ? text.size() : point);
  int spaces = 0;
  if (before < t.pre) {
    spaces = t.pre - before;
  } else if (before > t.pre) {
    text.assign(static_cast<size_t>(t.pre + t.post + 1), '#');
    text[static_cast<size_t>(t.pre)] = '.';
  }
  if (!text.empty() && (text.back() < '0' || text.back() > '9') && text[0] != '#') {
    for (const Item& item : t.items) {
      if ((item.key == Key::kThUpper || item.key == Key::kThLower) && sign != '-' && !t.decimal) {
        return Status(SqlState::kInvalidTextRepresentation, "\"" + text + "\" is not a number");
      }
    }
  }
  Layout(t, std::move(text), spaces, sign, out).run();
  return {};
}

std::string overflowed_exponent(const Template& t) {
  std::string s(static_cast<size_t>(t.pre + t.post + 6), '#');
  s[0] = ' ';
  s[static_cast<size_t>(t.pre + 1)] = '.';
  return s;
}

template <class T>
Status float_to_char(T value, int digits, std::string_view format, std::string* out) {
  Template t;
  RETURN_IF_ERROR(parse_template(format, &t));
  std::string made;
  char text[512];
  if (t.roman) {
    int n = std::isfinite(value) && std::fabs(value) < 1e6 ? static_cast<int>(std::rint(value)) : 0;
    Layout(t, roman(n), 0, '+', &made).run();
  } else if (t.exponent) {
    if (!std::isfinite(value)) {
      made = overflowed_exponent(t);
    } else {
      std::snprintf(text, sizeof(text), "%+.*e", t.post, static_cast<double>(value));
      if (text[0] == '+') text[0] = ' ';
      made = text;
    }
  } else {
    double v = value;
    if (t.times) {
      v = static_cast<double>(static_cast<T>(v * std::pow(10.0, t.multi)));
      t.pre += t.multi;
    }
    int whole = std::snprintf(text, sizeof(text), "%.0f", std::fabs(v));
    if (whole >= digits)
      t.post = 0;
    else if (whole + t.post > digits)
      t.post = digits - whole;
    if (std::isnan(v))
      std::snprintf(text, sizeof(text), "NaN");
    else if (std::isinf(v))
      std::snprintf(text, sizeof(text), v < 0 ? "-Infinity" : "Infinity");
    else
      std::snprintf(text, sizeof(text), "%.*f", t.post, v);
    RETURN_IF_ERROR(lay_out(t, text, &made));
  }
  *out = std::move(made);
  return {};
}

}  // namespace

Status to_char_numeric(const Numeric& value, std::string_view format, std::string* out) {
  Template t;
  RETURN_IF_ERROR(parse_template(format, &t));
  std::string made;
  if (t.roman) {
    int32_t n = 0;
    RETURN_IF_ERROR(value.to_int32(&n));
    Layout(t, roman(n), 0, '+', &made).run();
  } else if (t.exponent) {
    if (!value.is_finite()) {
      made = overflowed_exponent(t);
    } else {
      // d.ddde+xx of the rounded significand.
      int exponent = 0;
      if (!value.digits.empty()) {
        exponent = (value.weight + 1) * 4;
        for (int d = value.digits[0]; d < Numeric::kBase; d *= 10) --exponent;
        // The first digit stands at 10^exponent.
      }
      // Rounding may give two digits in front (10.00e+02); PostgreSQL leaves them.
      Numeric rounded = value;
      rounded.round(t.post - exponent);
      int now = exponent;
      if (!rounded.digits.empty()) {
        now = (rounded.weight + 1) * 4;
        for (int d = rounded.digits[0]; d < Numeric::kBase; d *= 10) --now;
      }
      rounded.negative = false;
      rounded.dscale = rounded.min_scale();
      std::string digits = rounded.to_text();
      digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
      size_t first = digits.find_first_not_of('0');
      digits = first == std::string::npos ? std::string() : digits.substr(first);
      auto front = static_cast<size_t>(std::max(now - exponent, 0)) + 1;
      digits.resize(static_cast<size_t>(t.post) + front, '0');
      made = value.negative ? "-" : " ";
      made.append(digits, 0, front);
      if (t.post > 0) made.append(".").append(digits, front);
      char tail[16];
      std::snprintf(tail, sizeof(tail), "e%+03d", exponent);
      made += tail;
    }
  } else {
    Numeric v = value;
    if (t.times) {
      Numeric ten;
      RETURN_IF_ERROR(numeric_power(Numeric::from_int64(10), Numeric::from_int64(t.multi), &ten));
      RETURN_IF_ERROR(numeric_mul(v, ten, &v));
      t.pre += t.multi;
    }
    if (v.is_finite()) v.round(t.post);
    RETURN_IF_ERROR(lay_out(t, v.to_text(), &made));
  }
  *out = std::move(made);
  return {};
}

Status to_char_int64(int64_t value, std::string_view format, std::string* out, bool narrow) {
  Template t;
  RETURN_IF_ERROR(parse_template(format, &t));
  if (t.times) {
    const double shifted = std::abs(static_cast<double>(value) * std::pow(10.0, t.multi));
    if (shifted > (narrow ? 2147483647.0 : 9223372036854775807.0)) {
      return Status(SqlState::kNumericValueOutOfRange, narrow ? "integer out of range" : "bigint out of range");
    }
  }
  if (t.roman || t.exponent || t.times) return to_char_numeric(Numeric::from_int64(value), format, out);
  std::string text, made;
  append_int64(value, &text);
  if (t.post > 0) text.append(".").append(static_cast<size_t>(t.post), '0');
  RETURN_IF_ERROR(lay_out(t, std::move(text), &made));
  *out = std::move(made);
  return {};
}

Status to_char_float8(double value, std::string_view format, std::string* out) {
  return float_to_char(value, 15, format, out);
}
Status to_char_float4(float value, std::string_view format, std::string* out) {
  return float_to_char(value, 6, format, out);
}

namespace {

// Reads a number along a template. Positions of the template and of the text move together, as PostgreSQL's do: a place for a
// digit takes one character whatever it is.
class NumberReader {
 public:
  NumberReader(const Template& t, std::string_view text) : t_(t), s_(text) {}

  std::string run() {
    for (const Item& item : t_.items) {
      if (done()) break;
      switch (item.key) {
        case Key::kNine:
        case Key::kZero:
        case Key::kPoint:
        case Key::kD: place(item.key == Key::kNine || item.key == Key::kZero); break;
        case Key::kComma:
        case Key::kG:
          if (t_.fill || here() != ',') continue;
          break;
        case Key::kL: skip(1); continue;
        case Key::kThUpper:
        case Key::kThLower: skip(2); continue;
        case Key::kMinus:
          if (here() != '-') {
            skip(1);
            continue;
          }
          sign_ = '-';
          break;
        case Key::kPlus:
          if (here() != '+') {
            skip(1);
            continue;
          }
          sign_ = '+';
          break;
        case Key::kSign:
          if (here() != '-' && here() != '+') {
            skip(1);
            continue;
          }
          sign_ = here();
          break;
        case Key::kLiteral: at_ += std::min(utf8_width(here()), s_.size() - at_); continue;
        default: continue;
      }
      ++at_;
    }
    if (!number_.empty() && number_.back() == '.') number_.pop_back();
    return sign_ + number_;
  }
  int decimals() const { return after_; }

 private:
  bool done() const { return at_ >= s_.size(); }
  char here() const { return at_ < s_.size() ? s_[at_] : '\0'; }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  void skip(int count) {
    while (count-- > 0 && !done() && std::strchr("0123456789.,+-", here()) == nullptr) {
      at_ += std::min(utf8_width(here()), s_.size() - at_);
    }
  }

  void place(bool for_digit) {
    bool read = false;
    if (done()) return;
    if (here() == ' ') ++at_;
    if (done()) return;
    if (sign_ == ' ' && for_digit && before_ + after_ == 0) {
      if (t_.sign && t_.sign_place == SignPlace::kBefore) {
        if (here() == '-' || here() == '+') sign_ = s_[at_++];
      } else if (here() == '-' || (t_.bracket && here() == '<')) {
        sign_ = '-';
        ++at_;
      } else if (here() == '+') {
        sign_ = '+';
        ++at_;
      }
    }
    if (done()) return;
    if (digit(here())) {
      if (point_ && after_ == t_.post) return;
      number_.push_back(here());
      if (point_)
        ++after_;
      else
        ++before_;
      read = true;
    } else if (t_.decimal && !point_ && here() == '.') {
      number_.push_back('.');
      point_ = read = true;
    }
    if (done() || sign_ != ' ' || before_ + after_ == 0) return;
    // A sign behind the last digit.
    if (t_.sign && read && at_ + 1 < s_.size() && !digit(s_[at_ + 1])) {
      if (s_[at_ + 1] == '-' || s_[at_ + 1] == '+') sign_ = s_[++at_];
    } else if (!read && !t_.sign && (t_.plus || t_.minus)) {
      if (here() == '-' || here() == '+') sign_ = here();
    }
  }

  const Template& t_;
  std::string_view s_;
  std::string number_;
  size_t at_ = 0;
  int before_ = 0, after_ = 0;
  bool point_ = false;
  char sign_ = ' ';
};

}  // namespace

Status to_number(std::string_view text, std::string_view format, Numeric* out) {
  Template t;
  RETURN_IF_ERROR(parse_template(format, &t));
  if (t.roman) return Status(SqlState::kFeatureNotSupported, "\"RN\" not supported for input");
  if (t.exponent) return Status(SqlState::kFeatureNotSupported, "\"EEEE\" not supported for input");
  NumberReader reader(t, text);
  std::string number = reader.run();
  int scale = reader.decimals();
  Numeric v;
  RETURN_IF_ERROR(Numeric::parse(number, &v));
  RETURN_IF_ERROR(v.apply_typmod(numeric_typmod(t.pre + t.multi + scale, scale)));
  if (t.times) {
    Numeric ten;
    RETURN_IF_ERROR(numeric_power(Numeric::from_int64(10), Numeric::from_int64(-t.multi), &ten));
    RETURN_IF_ERROR(numeric_mul(v, ten, &v));
  }
  *out = std::move(v);
  return {};
}

}  // namespace omendb::types
