// Text functions that need no more than bytes and characters.
#include "sql/functions/library.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using duckdb::ScalarFunction;
using duckdb::string_t;
using types::ValueView;
namespace oid = types::oid;

namespace {

inline size_t step(std::string_view s, size_t i) {
  ++i;
  while (i < s.size() && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80) ++i;
  return i;
}

/// LIKE with backslash as escape. Errors: 22025.
bool like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0;
  size_t star_p = std::string_view::npos, star_t = 0;
  auto bad = [] { throw SqlError(SqlState::kInvalidEscapeSequence, "LIKE pattern must not end with escape character"); };
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star_p = ++p;
      star_t = t;
      continue;
    }
    bool matched = false;
    size_t next_p = p, next_t = t;
    if (p < pattern.size()) {
      if (pattern[p] == '_') {
        next_p = p + 1;
        next_t = step(text, t);
        matched = true;
      } else {
        size_t literal = p;
        if (pattern[p] == '\\') {
          if (p + 1 >= pattern.size()) bad();
          literal = p + 1;
        }
        if (pattern[literal] == text[t]) {
          next_p = literal + 1;
          next_t = t + 1;
          matched = true;
        }
      }
    }
    if (matched) {
      p = next_p;
      t = next_t;
    } else if (star_p != std::string_view::npos) {
      p = star_p;
      star_t = step(text, star_t);
      t = star_t;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  if (p + 1 == pattern.size() && pattern[p] == '\\') bad();
  return p == pattern.size();
}

std::string ascii_lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

/// like_escape(pattern, escape): the pattern with backslash as its escape.
ValueView like_escape(RowCall& call, const ValueView* a) {
  const std::string_view pattern = a[0].bytes, escape = a[1].bytes;
  std::string out;
  if (escape.empty()) {
    for (char c : pattern) {
      if (c == '\\') out += '\\';
      out += c;
    }
    return call.text(std::move(out));
  }
  if (step(escape, 0) != escape.size()) {
    throw SqlError(SqlState::kInvalidEscapeSequence, "invalid escape string").hint("Escape string must be empty or one character.");
  }
  if (escape == "\\") return a[0];
  bool after_escape = false;
  for (size_t i = 0; i < pattern.size();) {
    const size_t next = step(pattern, i);
    const std::string_view c = pattern.substr(i, next - i);
    if (c == escape && !after_escape) {
      out += '\\';
      after_escape = true;
    } else {
      if (c == "\\" && !after_escape) out += '\\';
      out += c;
      after_escape = false;
    }
    i = next;
  }
  return call.text(std::move(out));
}

}  // namespace

void add_text_functions(Library& library) {
  library.scalar("textlike", ScalarFunction({LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::BOOLEAN,
                                            binary<string_t, string_t, bool>([](string_t a, string_t b) { return like(view_of(a), view_of(b)); })));
  library.scalar("texticlike", ScalarFunction({LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::BOOLEAN,
                                              binary<string_t, string_t, bool>([](string_t a, string_t b) {
                                                return like(ascii_lower(view_of(a)), ascii_lower(view_of(b)));
                                              })));
  library.row({"like_escape", {oid::kText, oid::kText}, oid::kText, like_escape});
  for (const LogicalType& type : {LogicalType(LogicalType::VARCHAR), LogicalType(LogicalType::BLOB)}) {
    library.scalar("octet_length", ScalarFunction({type}, LogicalType::INTEGER,
                                                  unary<string_t, int32_t>([](string_t s) { return static_cast<int32_t>(s.GetSize()); })));
  }
}

}  // namespace omendb::sql::functions
