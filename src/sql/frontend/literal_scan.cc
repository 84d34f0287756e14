#include "sql/frontend/literal_scan.h"

#include <array>
#include <climits>

namespace omendb::sql {
namespace {

enum Class : uint8_t {
  kOther,
  kBlank,
  kDigit,
  kLetter,
  kQuote,
  kDoubleQuote,
  kDot,
  kMinus,
  kSlash,
  kOperator,
  kSemicolon,
  kRefused
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    if (c < 0x20 || c == 0x7F) classes[c] = kRefused;
    if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') classes[c] = kLetter;
    if (c >= '0' && c <= '9') classes[c] = kDigit;
  }
  for (char c : {' ', '\t', '\n', '\r', '\f'}) classes[static_cast<uint8_t>(c)] = kBlank;
  for (char c : {'~', '!', '@', '#', '^', '&', '|', '`', '?', '+', '*', '%', '<', '>', '='})
    classes[static_cast<uint8_t>(c)] = kOperator;
  classes['\''] = kQuote;
  classes['"'] = kDoubleQuote;
  classes['.'] = kDot;
  classes['-'] = kMinus;
  classes['/'] = kSlash;
  classes[';'] = kSemicolon;
  classes['$'] = kRefused;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

inline Class class_of(char c) { return static_cast<Class>(kClasses[static_cast<uint8_t>(c)]); }
inline bool is_operator(char c) {
  const Class k = class_of(c);
  return k == kOperator || k == kMinus || k == kSlash;
}

/// What a shape writes for a literal must not stand in it for anything else.
inline bool is_mark(char c) { return c >= 0 && c <= static_cast<char>(LiteralKind::kString); }

/// Signs around the greatest values belong to the grammar: -2147483648 is an int4, 2147483648 an int8.
constexpr uint64_t kInt4Edge = 2147483648u, kInt8Edge = 9223372036854775808u;

struct Scanner {
  std::string_view sql;
  ScannedText* out;
  size_t at = 0;
  size_t copied = 0;  // up to here the text is in the shape

  bool number(uint32_t minus) {
    const size_t begin = at;
    uint64_t value = 0;
    bool wide = false;  // more than an int8
    while (at < sql.size() && class_of(sql[at]) == kDigit) {
      const auto digit = static_cast<uint64_t>(sql[at++] - '0');
      wide = wide || value > (UINT64_MAX - digit) / 10;
      value = value * 10 + digit;
    }
    bool fraction = false;
    if (at < sql.size() && sql[at] == '.') {
      fraction = true;
      ++at;
      while (at < sql.size() && class_of(sql[at]) == kDigit) ++at;
      if (at < sql.size() && sql[at] == '.') return false;  // 1..2
    }
    if (at < sql.size() && (class_of(sql[at]) == kLetter || sql[at] == '$')) return false;
    ScannedLiteral literal;
    literal.begin = static_cast<uint32_t>(begin);
    literal.end = static_cast<uint32_t>(at);
    literal.minus = minus;
    if (fraction || wide || value > kInt8Edge) {
      literal.kind = LiteralKind::kNumeric;
    } else if (value == kInt8Edge || value == kInt4Edge) {
      return false;
    } else {
      literal.kind = value < kInt4Edge ? LiteralKind::kInt4 : LiteralKind::kInt8;
      literal.integer = static_cast<int64_t>(value);
    }
    return add(literal);
  }

  bool string() {
    ScannedLiteral literal;
    literal.kind = LiteralKind::kString;
    literal.begin = static_cast<uint32_t>(at);
    if (!skip_quoted('\'')) return false;
    literal.end = static_cast<uint32_t>(at);
    return add(literal);
  }

  /// Past the closing quote; doubled ones are inside.
  bool skip_quoted(char quote) {
    while (true) {
      at = sql.find(quote, at + 1);
      if (at == std::string_view::npos) return false;
      if (++at == sql.size() || sql[at] != quote) return true;
    }
  }

  bool add(const ScannedLiteral& literal) {
    out->shape.append(sql, copied, literal.begin - copied);
    out->shape.push_back(static_cast<char>(literal.kind));
    copied = literal.end;
    out->literals.push_back(literal);
    return true;
  }

  bool skip_line() {
    while (at < sql.size() && sql[at] != '\n' && sql[at] != '\r') {
      if (is_mark(sql[at])) return false;
      ++at;
    }
    return true;
  }

  bool skip_comment() {
    int depth = 0;
    while (at + 1 < sql.size()) {
      if (sql[at] == '/' && sql[at + 1] == '*') {
        ++depth;
        at += 2;
      } else if (sql[at] == '*' && sql[at + 1] == '/') {
        at += 2;
        if (--depth == 0) return true;
      } else {
        if (is_mark(sql[at])) return false;
        ++at;
      }
    }
    return false;
  }

  bool starts_comment(size_t i) const {
    return i + 1 < sql.size() && ((sql[i] == '-' && sql[i + 1] == '-') || (sql[i] == '/' && sql[i + 1] == '*'));
  }

  bool run() {
    uint32_t minus = UINT32_MAX;  // the last token, if it was "-"
    bool after_string = false;    // the last token was a string: another one might continue it
    bool ended = false;           // by a semicolon
    while (at < sql.size()) {
      const Class kind = class_of(sql[at]);
      if (kind == kBlank) {
        ++at;
        continue;
      }
      if (starts_comment(at)) {
        if (sql[at] == '-' ? !skip_line() : !skip_comment()) return false;
        continue;
      }
      if (ended && kind != kSemicolon) return false;
      const uint32_t sign = minus;
      const bool continued = after_string;
      minus = UINT32_MAX;
      after_string = false;
      switch (kind) {
        case kDigit:
          if (!number(sign)) return false;
          break;
        case kDot:
          if (at + 1 < sql.size() && class_of(sql[at + 1]) == kDigit) {
            if (!number(sign)) return false;
          } else if (at + 1 < sql.size() && sql[at + 1] == '.') {
            return false;
          } else {
            ++at;
          }
          break;
        case kQuote:
          if (continued || !string()) return false;
          after_string = true;
          break;
        case kDoubleQuote: {
          const size_t begin = at;
          if (!skip_quoted('"')) return false;
          for (size_t i = begin; i < at; ++i) {
            if (is_mark(sql[i])) return false;
          }
          break;
        }
        case kLetter: {
          const size_t begin = at;
          while (at < sql.size() && (class_of(sql[at]) == kLetter || class_of(sql[at]) == kDigit || sql[at] == '$'))
            ++at;
          if (at - begin > 1 || at == sql.size()) break;
          const char prefix = static_cast<char>(sql[begin] | 0x20);
          if (sql[at] == '\'' && (prefix == 'e' || prefix == 'b' || prefix == 'x' || prefix == 'n')) return false;
          if (sql[at] == '&' && prefix == 'u') return false;
          break;
        }
        case kMinus:
        case kSlash:
        case kOperator: {
          // As many operator characters as there are, up to a comment; a lone '-' may be a number's sign.
          const size_t begin = at;
          bool special = false;  // lets a longer operator end in + or -
          do {
            special = special || std::string_view("~!@#^&|`?%").find(sql[at]) != std::string_view::npos;
            ++at;
          } while (at < sql.size() && is_operator(sql[at]) && !starts_comment(at));
          if (!special) {
            while (at - begin > 1 && (sql[at - 1] == '-' || sql[at - 1] == '+')) --at;
          }
          if (at - begin == 1 && kind == kMinus) minus = static_cast<uint32_t>(begin);
          break;
        }
        case kSemicolon:
          ended = true;
          ++at;
          break;
        case kRefused: return false;
        default: ++at;
      }
    }
    out->shape.append(sql, copied);
    return true;
  }
};

}  // namespace

bool scan_literals(std::string_view sql, ScannedText* out) {
  if (sql.size() >= INT_MAX) return false;
  out->shape.clear();
  out->literals.clear();
  return Scanner{sql, out}.run();
}

std::string string_value(std::string_view literal) {
  std::string value(literal.substr(1, literal.size() - 2));
  size_t quote = value.find('\'');
  if (quote == std::string::npos) return value;
  size_t to = quote;
  for (size_t from = quote; from < value.size(); ++from, ++to) {
    value[to] = value[from];
    if (value[from] == '\'') ++from;
  }
  value.resize(to);
  return value;
}

}  // namespace omendb::sql
