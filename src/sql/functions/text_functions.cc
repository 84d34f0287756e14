// Text functions that need no more than bytes and characters.
#include <algorithm>
#include <cstring>

#include "duckdb/common/vector_operations/ternary_executor.hpp"

#include "sql/functions/library.h"
#include "types/text.h"

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

/// LIKE with backslash as escape; `_` is a character, or a byte. Errors: 22025.
bool like(std::string_view text, std::string_view pattern, bool of_bytes = false) {
  size_t t = 0, p = 0;
  size_t star_p = std::string_view::npos, star_t = 0;
  auto bad = [] {
    throw SqlError(SqlState::kInvalidEscapeSequence, "LIKE pattern must not end with escape character");
  };
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
        next_t = of_bytes ? t + 1 : step(text, t);
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
  return p == pattern.size();
}

std::string lower_of(std::string_view s) {
  std::string out;
  if (std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    types::text_lower(s, &out);
    return out;
  }
  out = s;
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
    throw SqlError(SqlState::kInvalidEscapeSequence, "invalid escape string")
        .hint("Escape string must be empty or one character.");
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

bool is_ascii(std::string_view s) {
  size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, s.data() + i, 8);
    if ((word & 0x8080808080808080ULL) != 0) return false;
  }
  for (; i < s.size(); ++i) {
    if ((static_cast<unsigned char>(s[i]) & 0x80) != 0) return false;
  }
  return true;
}

int64_t characters(std::string_view s) {
  int64_t n = 0;
  for (char c : s) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

/// Characters from..to (0-based, half-open; to may lie beyond the end).
std::string_view slice(std::string_view s, int64_t from, int64_t to) {
  const auto size = static_cast<int64_t>(s.size());
  if (from >= to || from >= size) return {};
  if (is_ascii(s)) return s.substr(static_cast<size_t>(from), static_cast<size_t>(std::min(to, size) - from));
  size_t i = 0;
  int64_t at = 0;
  while (i < s.size() && at < from) i = step(s, i), ++at;
  const size_t start = i;
  while (i < s.size() && at < to) i = step(s, i), ++at;
  return s.substr(start, i - start);
}

/// substring(s from start for length) as SQL counts: positions before the first character use up length.
std::string_view substring(std::string_view s, int64_t start, int64_t length) {
  if (length < 0) throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
  return slice(s, std::max<int64_t>(start - 1, 0), std::max<int64_t>(start - 1 + length, 0));
}

/// 1-based character position of `part` in `s`, 0: none.
int32_t position(std::string_view s, std::string_view part) {
  const size_t at = s.find(part);
  return at == std::string_view::npos ? 0 : static_cast<int32_t>(characters(s.substr(0, at)) + 1);
}

std::vector<std::string_view> split_characters(std::string_view s) {
  std::vector<std::string_view> list;
  for (size_t i = 0; i < s.size();) {
    const size_t next = step(s, i);
    list.push_back(s.substr(i, next - i));
    i = next;
  }
  return list;
}

std::string_view trim(std::string_view s, std::string_view set, bool left, bool right) {
  const auto chars = split_characters(set);
  auto in_set = [&](std::string_view c) { return std::find(chars.begin(), chars.end(), c) != chars.end(); };
  if (left) {
    while (!s.empty()) {
      const size_t n = step(s, 0);
      if (!in_set(s.substr(0, n))) break;
      s.remove_prefix(n);
    }
  }
  if (right) {
    while (!s.empty()) {
      size_t start = s.size() - 1;
      while (start > 0 && (static_cast<unsigned char>(s[start]) & 0xC0) == 0x80) --start;
      if (!in_set(s.substr(start))) break;
      s = s.substr(0, start);
    }
  }
  return s;
}

constexpr size_t kTextMax = (size_t{1} << 30) - 64;
void check_length(size_t bytes) {
  if (bytes > kTextMax) throw SqlError(SqlState::kProgramLimitExceeded, "requested length too large");
}

std::string replaced(std::string_view s, std::string_view from, std::string_view to) {
  if (from.empty()) return std::string(s);
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t next = s.find(from, at);
    out += s.substr(at, next == std::string_view::npos ? std::string_view::npos : next - at);
    if (next == std::string_view::npos) return out;
    out += to;
    at = next + from.size();
  }
}

std::string padded(std::string_view s, int64_t width, std::string_view fill, bool left) {
  if (width < 0) width = 0;
  const int64_t have = characters(s);
  if (have >= width || fill.empty()) return std::string(slice(s, 0, width));
  check_length(static_cast<size_t>(width) * 4);
  const auto chars = split_characters(fill);
  std::string pad;
  for (int64_t i = 0; i < width - have; ++i) pad += chars[static_cast<size_t>(i) % chars.size()];
  return left ? pad + std::string(s) : std::string(s) + pad;
}

std::string_view split_part(std::string_view s, std::string_view delimiter, int64_t field) {
  if (field == 0) throw SqlError(SqlState::kInvalidParameterValue, "field position must not be zero");
  if (s.empty()) return {};
  if (delimiter.empty()) return field == 1 || field == -1 ? s : std::string_view{};
  std::vector<std::string_view> parts;
  size_t at = 0;
  while (true) {
    const size_t next = s.find(delimiter, at);
    parts.push_back(s.substr(at, next == std::string_view::npos ? next : next - at));
    if (next == std::string_view::npos) break;
    at = next + delimiter.size();
  }
  const auto count = static_cast<int64_t>(parts.size());
  if (field < 0) field = count + field + 1;
  return field < 1 || field > count ? std::string_view{} : parts[static_cast<size_t>(field - 1)];
}

void append_utf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0 | code >> 6);
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0 | code >> 12);
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | code >> 18);
    *out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

ValueView character_of(RowCall& call, const ValueView* a) {
  const int64_t code = a[0].integer;
  if (code < 0) throw SqlError(SqlState::kInvalidParameterValue, "character number must be positive");
  if (code == 0) throw SqlError(SqlState::kProgramLimitExceeded, "null character not permitted");
  if (code > 0x10FFFF)
    throw SqlError(SqlState::kProgramLimitExceeded,
                   "requested character too large for encoding: " + std::to_string(code));
  if (code >= 0xD800 && code <= 0xDFFF) {
    throw SqlError(SqlState::kProgramLimitExceeded,
                   "requested character not valid for encoding: " + std::to_string(code));
  }
  call.buffer.clear();
  append_utf8(static_cast<uint32_t>(code), &call.buffer);
  return call.bytes();
}

int32_t code_of(std::string_view s) {
  if (s.empty()) return 0;
  const auto b = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(s[i])); };
  if (b(0) < 0x80) return static_cast<int32_t>(b(0));
  if (b(0) < 0xE0 && s.size() > 1) return static_cast<int32_t>((b(0) & 0x1F) << 6 | (b(1) & 0x3F));
  if (b(0) < 0xF0 && s.size() > 2) return static_cast<int32_t>((b(0) & 0xF) << 12 | (b(1) & 0x3F) << 6 | (b(2) & 0x3F));
  if (s.size() > 3)
    return static_cast<int32_t>((b(0) & 7) << 18 | (b(1) & 0x3F) << 12 | (b(2) & 0x3F) << 6 | (b(3) & 0x3F));
  return 0;
}

std::string overlay(std::string_view s, std::string_view with, int64_t from, int64_t count) {
  if (from <= 0) throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
  return std::string(substring(s, 1, from - 1)) + std::string(with) +
         std::string(slice(s, std::max<int64_t>(from + count - 1, 0), INT64_MAX));
}

template <class F>
duckdb::scalar_function_t text_of_text(F f) {
  return [f](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
    duckdb::UnaryExecutor::Execute<string_t, string_t>(args.data[0], result, args.size(), [&](string_t s) {
      const std::string_view out = f(view_of(s));
      return duckdb::StringVector::AddString(result, out.data(), out.size());
    });
  };
}

void add_vectorised(Library& library) {
  const LogicalType &t = LogicalType::VARCHAR, &i = LogicalType::INTEGER;
  for (const char* name : {"textlen", "bpcharlen"}) {
    library.scalar(name, ScalarFunction({t}, i, unary<string_t, int32_t>([](string_t s) {
                                          return static_cast<int32_t>(characters(view_of(s)));
                                        })));
  }
  library.scalar("textpos", ScalarFunction({t, t}, i, binary<string_t, string_t, int32_t>([](string_t s, string_t p) {
                                             return position(view_of(s), view_of(p));
                                           })));
  library.scalar(
      "text_substr",
      ScalarFunction({t, i, i}, t, [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::TernaryExecutor::Execute<string_t, int32_t, int32_t, string_t>(
            args.data[0], args.data[1], args.data[2], result, args.size(),
            [&](string_t s, int32_t start, int32_t length) {
              const std::string_view out = substring(view_of(s), start, length);
              return duckdb::StringVector::AddString(result, out.data(), out.size());
            });
      }));
  library.scalar(
      "text_substr_no_len",
      ScalarFunction({t, i}, t, [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::BinaryExecutor::Execute<string_t, int32_t, string_t>(
            args.data[0], args.data[1], result, args.size(), [&](string_t s, int32_t start) {
              const std::string_view out = slice(view_of(s), std::max(start - 1, 0), INT64_MAX);
              return duckdb::StringVector::AddString(result, out.data(), out.size());
            });
      }));
  library.scalar("btrim1",
                 ScalarFunction({t}, t, text_of_text([](std::string_view s) { return trim(s, " ", true, true); })));
  library.scalar("ltrim1",
                 ScalarFunction({t}, t, text_of_text([](std::string_view s) { return trim(s, " ", true, false); })));
}

}  // namespace

void add_text_functions(Library& library) {
  add_vectorised(library);
  auto text2 = [&](const char* name, auto f) {
    library.row({name, {oid::kText, oid::kText}, oid::kText, [f](RowCall&, const ValueView* a) {
                   return ValueView::of_bytes(f(a[0].bytes, a[1].bytes));
                 }});
  };
  text2("btrim", [](std::string_view s, std::string_view c) { return trim(s, c, true, true); });
  text2("ltrim", [](std::string_view s, std::string_view c) { return trim(s, c, true, false); });
  text2("rtrim", [](std::string_view s, std::string_view c) { return trim(s, c, false, true); });
  library.row({"replace_text", {oid::kText, oid::kText, oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(replaced(a[0].bytes, a[1].bytes, a[2].bytes));
               }});
  library.row({"split_part", {oid::kText, oid::kText, oid::kInt4}, oid::kText, [](RowCall&, const ValueView* a) {
                 return ValueView::of_bytes(split_part(a[0].bytes, a[1].bytes, a[2].integer));
               }});
  library.row({"lpad", {oid::kText, oid::kInt4, oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(padded(a[0].bytes, a[1].integer, a[2].bytes, true));
               }});
  library.row({"rpad", {oid::kText, oid::kInt4, oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(padded(a[0].bytes, a[1].integer, a[2].bytes, false));
               }});
  library.row({"sql_lpad", {oid::kText, oid::kInt4}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(padded(a[0].bytes, a[1].integer, " ", true));
               }});
  library.row({"sql_rpad", {oid::kText, oid::kInt4}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(padded(a[0].bytes, a[1].integer, " ", false));
               }});
  library.row({"text_left", {oid::kText, oid::kInt4}, oid::kText, [](RowCall&, const ValueView* a) {
                 const int64_t n =
                     a[1].integer < 0 ? std::max<int64_t>(characters(a[0].bytes) + a[1].integer, 0) : a[1].integer;
                 return ValueView::of_bytes(slice(a[0].bytes, 0, n));
               }});
  library.row({"text_right", {oid::kText, oid::kInt4}, oid::kText, [](RowCall&, const ValueView* a) {
                 const int64_t have = characters(a[0].bytes);
                 const int64_t from = a[1].integer < 0 ? -a[1].integer : std::max<int64_t>(have - a[1].integer, 0);
                 return ValueView::of_bytes(slice(a[0].bytes, from, INT64_MAX));
               }});
  library.row({"text_reverse", {oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 const auto chars = split_characters(a[0].bytes);
                 call.buffer.clear();
                 for (auto it = chars.rbegin(); it != chars.rend(); ++it) call.buffer += *it;
                 return call.bytes();
               }});
  library.row({"repeat", {oid::kText, oid::kInt4}, oid::kText, [](RowCall& call, const ValueView* a) {
                 const auto n = static_cast<size_t>(std::max<int64_t>(a[1].integer, 0));
                 check_length(n * a[0].bytes.size());
                 call.buffer.clear();
                 for (size_t i = 0; i < n; ++i) call.buffer += a[0].bytes;
                 return call.bytes();
               }});
  library.row({"translate", {oid::kText, oid::kText, oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 const auto from = split_characters(a[1].bytes), to = split_characters(a[2].bytes);
                 call.buffer.clear();
                 for (std::string_view c : split_characters(a[0].bytes)) {
                   const auto at = static_cast<size_t>(std::find(from.begin(), from.end(), c) - from.begin());
                   if (at == from.size())
                     call.buffer += c;
                   else if (at < to.size())
                     call.buffer += to[at];
                 }
                 return call.bytes();
               }});
  library.row({"chr", {oid::kInt4}, oid::kText, character_of});
  // DuckDB's makes another letter of the sharp s, which has no upper case of its own here.
  library.row({"upper", {oid::kText}, oid::kText, [](RowCall& call, const ValueView* a) {
                 types::text_upper(a[0].bytes, &call.buffer);
                 return call.bytes();
               }});
  library.row(
      {"ascii", {oid::kText}, oid::kInt4, [](RowCall&, const ValueView* a) { return int_value(code_of(a[0].bytes)); }});
  library.row({"textoverlay",
               {oid::kText, oid::kText, oid::kInt4, oid::kInt4},
               oid::kText,
               [](RowCall& call, const ValueView* a) {
                 return call.text(overlay(a[0].bytes, a[1].bytes, a[2].integer, a[3].integer));
               }});
  library.row(
      {"textoverlay_no_len", {oid::kText, oid::kText, oid::kInt4}, oid::kText, [](RowCall& call, const ValueView* a) {
         return call.text(overlay(a[0].bytes, a[1].bytes, a[2].integer, characters(a[1].bytes)));
       }});
  for (const char* name : {"to_hex32", "to_hex64"}) {
    const bool wide = name[6] == '6';
    library.row({name, {wide ? oid::kInt8 : oid::kInt4}, oid::kText, [wide](RowCall& call, const ValueView* a) {
                   char text[20];
                   std::snprintf(text, sizeof(text), "%llx",
                                 static_cast<unsigned long long>(wide ? static_cast<uint64_t>(a[0].integer)
                                                                      : static_cast<uint32_t>(a[0].integer)));
                   return call.text(text);
                 }});
  }

  library.scalar("textlike", ScalarFunction({LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::BOOLEAN,
                                            binary<string_t, string_t, bool>(
                                                [](string_t a, string_t b) { return like(view_of(a), view_of(b)); })));
  library.scalar("texticlike", ScalarFunction({LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::BOOLEAN,
                                              binary<string_t, string_t, bool>([](string_t a, string_t b) {
                                                return like(lower_of(view_of(a)), lower_of(view_of(b)));
                                              })));
  library.row({"like_escape", {oid::kText, oid::kText}, oid::kText, like_escape});
  for (bool negated : {false, true}) {
    library.row({negated ? "byteanlike" : "bytealike",
                 {oid::kBytea, oid::kBytea},
                 oid::kBool,
                 [negated](RowCall&, const ValueView* a) {
                   return bool_value(like(a[0].bytes, a[1].bytes, true) != negated);
                 }});
  }
  library.row({"like_escape_bytea", {oid::kBytea, oid::kBytea}, oid::kBytea, like_escape});
  for (const LogicalType& type : {LogicalType(LogicalType::VARCHAR), LogicalType(LogicalType::BLOB)}) {
    library.scalar("octet_length",
                   ScalarFunction({type}, LogicalType::INTEGER, unary<string_t, int32_t>([](string_t s) {
                                    return static_cast<int32_t>(s.GetSize());
                                  })));
  }
}

}  // namespace omendb::sql::functions
