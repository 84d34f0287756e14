// Text read as the lexer reads it: parse_ident and unistr.
#include "sql/functions/library.h"
#include "types/array.h"
#include "types/utf8.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool starts_identifier(char c) {
  return c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_identifier(char c) { return starts_identifier(c) || c == '$' || (c >= '0' && c <= '9'); }

/// The parts of a qualified name, quotes undone, bare ones folded.
std::vector<std::string> parse_ident(std::string_view s, bool strict) {
  auto refuse = [&](const char* detail) {
    throw SqlError(SqlState::kInvalidParameterValue, "string is not a valid identifier: \"" + std::string(s) + "\"")
        .detail(detail);
  };
  std::vector<std::string> parts;
  size_t at = 0;
  auto skip = [&] {
    while (at < s.size() && is_space(s[at])) ++at;
  };
  bool after_dot = false;
  for (skip();;) {
    if (at < s.size() && s[at] == '"') {
      std::string part;
      for (++at;; ++at) {
        if (at >= s.size()) refuse("String has unclosed double quotes.");
        if (s[at] == '"') {
          if (at + 1 >= s.size() || s[at + 1] != '"') break;
          ++at;
        }
        part.push_back(s[at]);
      }
      ++at;
      if (part.empty()) refuse("Quoted identifier must not be empty.");
      parts.push_back(std::move(part));
    } else if (at < s.size() && starts_identifier(s[at])) {
      std::string part;
      for (; at < s.size() && continues_identifier(s[at]); ++at) {
        part.push_back(s[at] >= 'A' && s[at] <= 'Z' ? static_cast<char>(s[at] + 32) : s[at]);
      }
      parts.push_back(std::move(part));
    } else {
      refuse(at < s.size() && s[at] == '.' ? "No valid identifier before \".\"."
             : after_dot                   ? "No valid identifier after \".\"."
                                           : "");
    }
    skip();
    if (at < s.size() && s[at] == '.') {
      after_dot = true;
      ++at;
      skip();
      continue;
    }
    if (at < s.size() && strict) refuse("");
    return parts;
  }
}

/// \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX become characters, \\ a backslash.
std::string unistr(std::string_view s) {
  std::string out;
  uint32_t high = 0;  // the first half of a surrogate pair
  auto broken_pair = [] { throw SqlError(SqlState::kSyntaxError, "invalid Unicode surrogate pair"); };
  for (size_t at = 0; at < s.size();) {
    if (s[at] != '\\' || (at + 1 < s.size() && s[at + 1] == '\\')) {
      if (high != 0) broken_pair();
      out.push_back(s[at]);
      at += s[at] == '\\' ? 2 : 1;
      continue;
    }
    const char kind = at + 1 < s.size() ? s[at + 1] : '\0';
    const size_t prefix = kind == '+' || kind == 'u' || kind == 'U' ? 2 : 1;
    const size_t digits = kind == '+' ? 6 : kind == 'U' ? 8 : 4;
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i) {
      const char c = at + prefix + i < s.size() ? s[at + prefix + i] : '\0';
      int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
      if (d < 0) {
        throw SqlError(SqlState::kSyntaxError, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
      }
      code = code << 4 | static_cast<uint32_t>(d);
    }
    at += prefix + digits;
    if (code == 0 || code > 0x10FFFF) {
      char text[16];
      std::snprintf(text, sizeof(text), "%04X", code);
      throw SqlError(SqlState::kInvalidParameterValue, std::string("invalid Unicode code point: ") + text);
    }
    const bool first = code >= 0xD800 && code < 0xDC00, second = code >= 0xDC00 && code < 0xE000;
    if ((high != 0) != second) broken_pair();
    if (first) {
      high = code;
      continue;
    }
    if (second) code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00);
    high = 0;
    types::append_utf8(code, &out);
  }
  if (high != 0) broken_pair();
  return out;
}

}  // namespace

void add_escape_functions(Library& library) {
  library.row({"parse_ident", {oid::kText, oid::kBool}, kTextArray, [](RowCall& call, const ValueView* a) {
                 types::ArrayBuilder builder(oid::kText, {types::Physical::kBytes});
                 for (const std::string& part : parse_ident(a[0].bytes, a[1].integer != 0))
                   builder.add(ValueView::of_bytes(part));
                 return call.text(builder.finish());
               }});
  library.row({"unistr", {oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(unistr(a[0].bytes));
               }});
}

}  // namespace omendb::sql::functions
