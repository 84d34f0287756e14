#include "types/text.h"

#include <algorithm>
#include <iterator>

#include <openssl/evp.h>

#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

// Words that an identifier must quote (every keyword that is not unreserved), ordered.
// clang-format off
constexpr std::string_view kReserved[] = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check",
    "coalesce", "collate", "collation", "column", "concurrently", "constraint", "create", "cross",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "dec", "decimal", "default", "deferrable", "desc", "distinct",
    "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float", "for", "foreign",
    "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in",
    "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull",
    "join", "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp",
    "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric",
    "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position",
    "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
    "setof", "similar", "smallint", "some", "substring", "symmetric", "table", "tablesample", "then",
    "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using",
    "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes",
    "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
    "xmlserialize", "xmltable"};
// clang-format on

template <class F>
void map_characters(std::string_view text, std::string* out, F f) {
  out->clear();
  out->reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    auto c = static_cast<unsigned char>(text[at]);
    if (c < 128) {
      append_utf8(f(c), out);
      ++at;
    } else {
      append_utf8(f(utf8_next(text, &at)), out);
    }
  }
}

std::string_view character_at(std::string_view s, size_t at) {
  return s.substr(at, std::min(utf8_width(s[at]), s.size() - at));
}

Status too_long() { return Status(SqlState::kProgramLimitExceeded, "requested length too large"); }
constexpr int64_t kTextMax = 0x3FFFFFFF;

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int n = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), out, &n, kind, nullptr) == 1);
  return std::string(reinterpret_cast<char*>(out), n);
}

}  // namespace

Status text_substring(std::string_view text, int32_t start, std::optional<int32_t> length, std::string_view* out) {
  int64_t first = std::max<int64_t>(start, 1);
  if (length.has_value()) {
    if (*length < 0) return Status(SqlState::kSubstringError, "negative substring length not allowed");
    int64_t end = static_cast<int64_t>(start) + *length;  // one past the last character
    if (end <= first) {
      *out = {};
      return {};
    }
    std::string_view rest = text.substr(utf8_offset(text, static_cast<size_t>(first - 1)));
    *out = rest.substr(0, utf8_offset(rest, static_cast<size_t>(end - first)));
    return {};
  }
  *out = text.substr(utf8_offset(text, static_cast<size_t>(first - 1)));
  return {};
}

std::string_view text_left(std::string_view text, int32_t n) {
  if (n >= 0) return text.substr(0, utf8_offset(text, static_cast<size_t>(n)));
  int64_t keep = static_cast<int64_t>(utf8_count(text)) + n;
  return keep <= 0 ? std::string_view() : text.substr(0, utf8_offset(text, static_cast<size_t>(keep)));
}
std::string_view text_right(std::string_view text, int32_t n) {
  if (n < 0) return text.substr(utf8_offset(text, static_cast<size_t>(-static_cast<int64_t>(n))));
  int64_t skip = static_cast<int64_t>(utf8_count(text)) - n;
  return skip <= 0 ? text : text.substr(utf8_offset(text, static_cast<size_t>(skip)));
}

int32_t text_position(std::string_view text, std::string_view needle) {
  size_t at = text.find(needle);
  return at == std::string_view::npos ? 0 : static_cast<int32_t>(utf8_count(text.substr(0, at))) + 1;
}

std::string_view text_trim(std::string_view text, std::string_view characters, bool left, bool right) {
  auto in_set = [&](std::string_view c) {
    for (size_t at = 0; at < characters.size();) {
      std::string_view x = character_at(characters, at);
      if (x == c) return true;
      at += x.size();
    }
    return false;
  };
  while (left && !text.empty()) {
    std::string_view c = character_at(text, 0);
    if (!in_set(c)) break;
    text.remove_prefix(c.size());
  }
  while (right && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && utf8_continues(text[at])) --at;
    if (!in_set(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

Status text_split_part(std::string_view text, std::string_view delimiter, int32_t n, std::string_view* out) {
  if (n == 0) return Status(SqlState::kInvalidParameterValue, "field position must not be zero");
  *out = {};
  if (text.empty()) return {};
  if (delimiter.empty()) {
    if (n == 1 || n == -1) *out = text;
    return {};
  }
  if (n > 0) {
    size_t from = 0;
    for (int32_t i = 1;; ++i) {
      size_t at = text.find(delimiter, from);
      if (i == n) {
        *out = text.substr(from, at == std::string_view::npos ? std::string_view::npos : at - from);
        return {};
      }
      if (at == std::string_view::npos) return {};
      from = at + delimiter.size();
    }
  }
  int64_t count = 1;
  for (size_t from = 0, at; (at = text.find(delimiter, from)) != std::string_view::npos; from = at + delimiter.size())
    ++count;
  int64_t wanted = count + n + 1;
  if (wanted < 1) return {};
  return text_split_part(text, delimiter, static_cast<int32_t>(wanted), out);
}

Status text_overlay(std::string_view text, std::string_view with, int32_t start, std::optional<int32_t> length,
                    std::string* out) {
  if (start <= 0) return Status(SqlState::kSubstringError, "negative substring length not allowed");
  int64_t size = length.has_value() ? *length : static_cast<int64_t>(utf8_count(with));
  int64_t after = static_cast<int64_t>(start) + size;
  if (after > INT32_MAX) return Status(SqlState::kNumericValueOutOfRange, "integer out of range");
  std::string_view head, tail;
  RETURN_IF_ERROR(text_substring(text, 1, start - 1, &head));
  RETURN_IF_ERROR(text_substring(text, static_cast<int32_t>(after), std::nullopt, &tail));
  std::string made;
  made.append(head).append(with).append(tail);
  *out = std::move(made);
  return {};
}

Status text_pad(std::string_view text, int32_t length, std::string_view fill, bool left, std::string* out) {
  auto wanted = static_cast<int64_t>(std::max(length, 0));
  if (wanted * 4 > kTextMax) return too_long();
  auto have = static_cast<int64_t>(utf8_count(text));
  if (have >= wanted || fill.empty()) {
    out->assign(text.substr(0, utf8_offset(text, static_cast<size_t>(wanted))));
    return {};
  }
  std::string padding;
  size_t at = 0;
  for (int64_t i = have; i < wanted; ++i) {
    std::string_view c = character_at(fill, at);
    padding.append(c);
    at += c.size();
    if (at >= fill.size()) at = 0;
  }
  std::string made;
  if (left)
    made.append(padding).append(text);
  else
    made.append(text).append(padding);
  *out = std::move(made);
  return {};
}

void text_translate(std::string_view text, std::string_view from, std::string_view to, std::string* out) {
  std::string made;
  for (size_t at = 0; at < text.size();) {
    std::string_view c = character_at(text, at);
    at += c.size();
    bool found = false;
    size_t t = 0;
    for (size_t f = 0; f < from.size() && !found;) {
      std::string_view x = character_at(from, f);
      if (x == c) {
        found = true;
        if (t < to.size()) made.append(character_at(to, t));
      }
      f += x.size();
      if (t < to.size()) t += character_at(to, t).size();
    }
    if (!found) made.append(c);
  }
  *out = std::move(made);
}

void text_reverse(std::string_view text, std::string* out) {
  std::string made;
  made.reserve(text.size());
  for (size_t end = text.size(); end > 0;) {
    size_t at = end - 1;
    while (at > 0 && utf8_continues(text[at])) --at;
    made.append(text.substr(at, end - at));
    end = at;
  }
  *out = std::move(made);
}

void text_replace(std::string_view text, std::string_view from, std::string_view to, std::string* out) {
  std::string made;
  size_t start = 0;
  if (!from.empty()) {
    for (size_t at; (at = text.find(from, start)) != std::string_view::npos; start = at + from.size()) {
      made.append(text.substr(start, at - start)).append(to);
    }
  }
  made.append(text.substr(start));
  *out = std::move(made);
}

Status text_repeat(std::string_view text, int32_t count, std::string* out) {
  int64_t n = std::max(count, 0);
  if (static_cast<int64_t>(text.size()) * n > kTextMax) return too_long();
  std::string made;
  made.reserve(text.size() * static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) made.append(text);
  *out = std::move(made);
  return {};
}

void text_upper(std::string_view text, std::string* out) { map_characters(text, out, unicode_upper); }
void text_lower(std::string_view text, std::string* out) { map_characters(text, out, unicode_lower); }
void text_initcap(std::string_view text, std::string* out) {
  bool in_word = false;
  map_characters(text, out, [&](uint32_t c) {
    uint32_t r = in_word ? unicode_lower(c) : unicode_upper(c);
    in_word = unicode_is_alnum(c);
    return r;
  });
}

Status text_chr(int32_t code, std::string* out) {
  if (code < 0) return Status(SqlState::kInvalidParameterValue, "character number must be positive");
  if (code == 0) return Status(SqlState::kProgramLimitExceeded, "null character not permitted");
  if (code > 0x10FFFF) {
    return Status(SqlState::kProgramLimitExceeded,
                  "requested character too large for encoding: " + std::to_string(code));
  }
  if (code >= 0xD800 && code <= 0xDFFF) {
    return Status(SqlState::kProgramLimitExceeded,
                  "requested character not valid for encoding: " + std::to_string(code));
  }
  out->clear();
  append_utf8(static_cast<uint32_t>(code), out);
  return {};
}

int32_t text_ascii(std::string_view text) {
  if (text.empty()) return 0;
  size_t at = 0;
  return static_cast<int32_t>(utf8_next(text, &at));
}

void text_to_hex(uint64_t value, std::string* out) {
  char text[16];
  char* p = text + sizeof(text);
  do {
    *--p = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  out->append(p, static_cast<size_t>(text + sizeof(text) - p));
}

// ---- quoting ----

void append_quoted_ident(std::string_view name, std::string* out) {
  bool safe = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_');
  for (char c : name) safe = safe && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  if (safe && !std::binary_search(std::begin(kReserved), std::end(kReserved), name)) {
    out->append(name);
    return;
  }
  out->push_back('"');
  for (char c : name) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

void append_quoted_literal(std::string_view text, std::string* out) {
  if (text.find('\\') != std::string_view::npos) out->push_back('E');
  out->push_back('\'');
  for (char c : text) {
    if (c == '\'' || c == '\\') out->push_back(c);
    out->push_back(c);
  }
  out->push_back('\'');
}

Status text_format(std::string_view format, std::span<const std::optional<std::string_view>> arguments,
                   std::string* out) {
  auto fail = [](std::string message) { return Status(SqlState::kInvalidParameterValue, std::move(message)); };
  auto unterminated = [&] {
    return Status(SqlState::kInvalidParameterValue, "unterminated format() type specifier")
        .with_hint("For a single \"%\" use \"%%\".");
  };
  std::string made;
  size_t next = 0;  // argument to use
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      made.push_back(format[i]);
      continue;
    }
    if (++i >= format.size()) return unterminated();
    if (format[i] == '%') {
      made.push_back('%');
      continue;
    }
    auto digits = [&](int64_t* v) {
      bool any = false;
      *v = 0;
      while (i < format.size() && format[i] >= '0' && format[i] <= '9') {
        *v = *v * 10 + (format[i++] - '0');
        any = true;
        if (*v > INT32_MAX) return -1;
      }
      return any ? 1 : 0;
    };
    auto take = [&](int64_t position, std::optional<std::string_view>* value) -> Status {
      size_t at = position > 0 ? static_cast<size_t>(position - 1) : next;
      next = at + 1;
      if (at >= arguments.size()) return fail("too few arguments for format()");
      *value = arguments[at];
      return {};
    };
    int64_t position = 0, width = 0;
    bool minus = false;
    size_t start = i;
    int have = digits(&position);
    if (have < 0) return fail("number is out of range");
    if (i >= format.size()) return unterminated();
    bool width_done = false;
    if (have > 0 && format[i] == '$') {
      if (position == 0) return fail("format specifies argument 0, but arguments are numbered from 1");
      if (++i >= format.size()) return unterminated();
    } else if (have > 0 && format[start] != '0') {
      width = position;
      position = 0;
      width_done = true;
    } else {
      i = start;
      position = 0;
    }
    if (!width_done) {
      while (i < format.size() && format[i] == '-') {
        minus = true;
        ++i;
      }
      if (i >= format.size()) return unterminated();
      if (format[i] == '*') {
        ++i;
        int64_t width_position = 0;
        int got = digits(&width_position);
        if (got < 0) return fail("number is out of range");
        if (i >= format.size()) return unterminated();
        if (got > 0) {
          if (format[i] != '$') return fail("width argument position must be ended by \"$\"");
          if (width_position == 0) return fail("format specifies argument 0, but arguments are numbered from 1");
          if (++i >= format.size()) return unterminated();
        }
        std::optional<std::string_view> value;
        RETURN_IF_ERROR(take(got > 0 ? width_position : 0, &value));
        int32_t w = 0;
        if (value.has_value()) RETURN_IF_ERROR(parse_int4(*value, &w));
        width = w;
        if (width < 0) {
          minus = true;
          width = -width;
        }
      } else {
        int got = digits(&width);
        if (got < 0) return fail("number is out of range");
        if (i >= format.size()) return unterminated();
      }
    }
    char kind = format[i];
    if (kind != 's' && kind != 'I' && kind != 'L') {
      return Status(SqlState::kInvalidParameterValue,
                    "unrecognized format() type specifier \"" + std::string(character_at(format, i)) + "\"")
          .with_hint("For a single \"%\" use \"%%\".");
    }
    std::optional<std::string_view> value;
    RETURN_IF_ERROR(take(position, &value));
    std::string text;
    if (!value.has_value()) {
      if (kind == 'I')
        return Status(SqlState::kNullValueNotAllowed, "null values cannot be formatted as an SQL identifier");
      if (kind == 'L') text = "NULL";
    } else if (kind == 's') {
      text = *value;
    } else if (kind == 'I') {
      append_quoted_ident(*value, &text);
    } else {
      append_quoted_literal(*value, &text);
    }
    auto size = static_cast<int64_t>(utf8_count(text));
    if (width > kTextMax) return too_long();
    if (!minus && size < width) made.append(static_cast<size_t>(width - size), ' ');
    made.append(text);
    if (minus && size < width) made.append(static_cast<size_t>(width - size), ' ');
  }
  *out = std::move(made);
  return {};
}

// ---- digests and encodings ----

void append_md5_hex(std::string_view bytes, std::string* out) { append_hex(digest(EVP_md5(), bytes), out); }

std::string sha_digest(Sha kind, std::string_view bytes) {
  switch (kind) {
    case Sha::k224: return digest(EVP_sha224(), bytes);
    case Sha::k256: return digest(EVP_sha256(), bytes);
    case Sha::k384: return digest(EVP_sha384(), bytes);
    case Sha::k512: return digest(EVP_sha512(), bytes);
  }
  return {};
}

namespace {
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(std::string_view bytes, std::string* out) {
  size_t column = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) out->push_back(k <= n ? kBase64[(v >> (18 - 6 * k)) & 63] : '=');
    column += 4;
    if (column >= 76 && i + 3 <= bytes.size()) {  // a line of 76 characters ends
      out->push_back('\n');
      column = 0;
    }
  }
}

Status base64_decode(std::string_view text, std::string* out) {
  uint32_t buffer = 0;
  int position = 0, end = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    uint32_t b = 0;
    if (c == '=') {
      if (end == 0) {
        if (position == 2)
          end = 1;
        else if (position == 3)
          end = 2;
        else
          return Status(SqlState::kInvalidParameterValue, "unexpected \"=\" while decoding base64 sequence");
      }
    } else {
      const char* found = std::find(kBase64, kBase64 + 64, c);
      if (found == kBase64 + 64) {
        return Status(SqlState::kInvalidParameterValue, "invalid symbol \"" + std::string(character_at(text, at)) +
                                                            "\" found while decoding base64 sequence");
      }
      b = static_cast<uint32_t>(found - kBase64);
    }
    buffer = (buffer << 6) + b;
    if (++position == 4) {
      out->push_back(static_cast<char>(buffer >> 16));
      if (end == 0 || end > 1) out->push_back(static_cast<char>(buffer >> 8));
      if (end == 0 || end > 2) out->push_back(static_cast<char>(buffer));
      buffer = 0;
      position = 0;
    }
  }
  if (position != 0) {
    return Status(SqlState::kInvalidParameterValue, "invalid base64 end sequence")
        .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
  return {};
}
}  // namespace

Status encode_bytes(std::string_view bytes, std::string_view format, std::string* out) {
  std::string made;
  if (equal_ignoring_case(format, "hex")) {
    append_hex(bytes, &made);
  } else if (equal_ignoring_case(format, "base64")) {
    base64_encode(bytes, &made);
  } else if (equal_ignoring_case(format, "escape")) {
    for (char ch : bytes) {
      auto c = static_cast<unsigned char>(ch);
      if (c == 0 || c >= 128) {
        made.push_back('\\');
        made.push_back(static_cast<char>('0' + (c >> 6)));
        made.push_back(static_cast<char>('0' + ((c >> 3) & 7)));
        made.push_back(static_cast<char>('0' + (c & 7)));
      } else {
        if (c == '\\') made.push_back('\\');
        made.push_back(ch);
      }
    }
  } else {
    return Status(SqlState::kInvalidParameterValue, "unrecognized encoding: \"" + std::string(format) + "\"");
  }
  *out = std::move(made);
  return {};
}

Status decode_bytes(std::string_view text, std::string_view format, std::string* out) {
  std::string made;
  if (equal_ignoring_case(format, "hex")) {
    RETURN_IF_ERROR(parse_bytea("\\x" + std::string(text), &made));
  } else if (equal_ignoring_case(format, "base64")) {
    RETURN_IF_ERROR(base64_decode(text, &made));
  } else if (equal_ignoring_case(format, "escape")) {
    // No hex here: \x is an error as any other unknown escape.
    if (text.starts_with("\\x")) {
      return Status(SqlState::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
    RETURN_IF_ERROR(parse_bytea(text, &made));
  } else {
    return Status(SqlState::kInvalidParameterValue, "unrecognized encoding: \"" + std::string(format) + "\"");
  }
  *out = std::move(made);
  return {};
}

}  // namespace omendb::types
