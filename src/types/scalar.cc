#include "types/scalar.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace omendb::types {

std::string_view trim_space(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

Status invalid_syntax(std::string_view type, std::string_view text) {
  std::string m = "invalid input syntax for type ";
  m.append(type).append(": \"").append(text).append("\"");
  return Status(SqlState::kInvalidTextRepresentation, std::move(m));
}

Status value_out_of_range(std::string_view type, std::string_view text) {
  std::string m = "value \"";
  m.append(text).append("\" is out of range for type ").append(type);
  return Status(SqlState::kNumericValueOutOfRange, std::move(m));
}

namespace {

template <class T>
Status parse_integer(const char* type, std::string_view text, T* out) {
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end && is_space(*p)) ++p;
  bool negative = false;
  if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  if (p == end || *p < '0' || *p > '9') return invalid_syntax(type, text);
  // Counted downwards: the lowest number has no positive twin.
  int64_t v = 0;
  bool over = false;
  for (; p < end && *p >= '0' && *p <= '9'; ++p) {
    over = over || __builtin_mul_overflow(v, int64_t{10}, &v) || __builtin_sub_overflow(v, *p - '0', &v) ||
           v < std::numeric_limits<T>::min();
  }
  while (p < end && is_space(*p)) ++p;
  if (p != end) return over ? value_out_of_range(type, text) : invalid_syntax(type, text);
  if (!negative) {
    if (v == INT64_MIN)
      over = true;
    else
      v = -v;
  }
  if (over || v < std::numeric_limits<T>::min() || v > std::numeric_limits<T>::max()) {
    return value_out_of_range(type, text);
  }
  *out = static_cast<T>(v);
  return {};
}

template <class T>
Status parse_real(const char* type, std::string_view text, T* out) {
  std::string_view s = trim_space(text);
  if (s.empty()) return invalid_syntax(type, text);
  bool negative = false;
  std::string_view body = s;
  if (body[0] == '+' || body[0] == '-') {
    negative = body[0] == '-';
    body.remove_prefix(1);
  }
  if (body.empty() || body[0] == '+' || body[0] == '-') return invalid_syntax(type, text);
  if (ascii_lower(body[0]) == 'n') {
    if (!equal_ignoring_case(body, "nan")) return invalid_syntax(type, text);
    *out = std::numeric_limits<T>::quiet_NaN();
    return {};
  }
  if (ascii_lower(body[0]) == 'i') {
    if (!equal_ignoring_case(body, "infinity") && !equal_ignoring_case(body, "inf")) return invalid_syntax(type, text);
    *out = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return {};
  }
  T v = 0;
  auto format = std::chars_format::general;
  if (body.size() > 2 && body[0] == '0' && ascii_lower(body[1]) == 'x') {
    body.remove_prefix(2);
    format = std::chars_format::hex;
  }
  auto [p, error] = std::from_chars(body.data(), body.data() + body.size(), v, format);
  if (error == std::errc::invalid_argument || p != body.data() + body.size()) return invalid_syntax(type, text);
  bool nonzero = false;
  if (v == 0) {
    for (char c : body) {
      if (c == 'e' || c == 'E' || c == 'p' || c == 'P') break;
      nonzero = nonzero || (c != '0' && c != '.');
    }
  }
  if (error == std::errc::result_out_of_range || nonzero || std::isinf(v)) {
    return Status(SqlState::kNumericValueOutOfRange, "\"" + std::string(s) + "\" is out of range for type " + type);
  }
  *out = negative ? -v : v;
  return {};
}

constexpr char kHexDigits[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// std::to_chars may answer with a decimal exactly halfway to the neighbouring double (it reads back by the round-to-even rule);
// PostgreSQL never does and takes one more digit. Halfway points with so few digits exist among large integers only.
template <class T>
char* avoid_halfway(T value, char* text, char* end, char* limit) {
  T size = std::fabs(value);
  auto exact = static_cast<UInt128>(size);
  UInt128 up = static_cast<UInt128>(std::nextafter(size, std::numeric_limits<T>::infinity())) - exact;
  UInt128 down = exact - static_cast<UInt128>(std::nextafter(size, T{0}));
  for (int precision = -1; precision < 20;) {
    UInt128 decimal = 0;
    int exponent = 0, after = 0, digits = 0;
    bool point = false;
    for (const char* p = text; p < end; ++p) {
      if (*p == 'e') {
        std::from_chars(p[1] == '+' ? p + 2 : p + 1, end, exponent);
        break;
      }
      if (*p == '.') point = true;
      if (*p < '0' || *p > '9') continue;
      decimal = decimal * 10 + static_cast<unsigned>(*p - '0');
      ++digits;
      after += point;
    }
    for (int i = exponent - after; i > 0; --i) decimal *= 10;
    if (exponent < after) return end;
    UInt128 distance = decimal > exact ? decimal - exact : exact - decimal;
    if (distance * 2 != (decimal > exact ? up : down)) return end;
    precision = digits;
    end = std::to_chars(text, limit, value, std::chars_format::scientific, precision).ptr;
  }
  return end;
}

// PostgreSQL writes an exponent with at least two digits, and uses one outside [-4, fixed_limit).
template <class T>
void append_real(T value, int fixed_limit, int digits, int extra, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  char text[64];
  if (extra <= 0) {
    int precision = digits + extra;
    int n = std::snprintf(text, sizeof(text), "%.*g", precision < 1 ? 1 : precision, static_cast<double>(value));
    out->append(text, static_cast<size_t>(n));
    return;
  }
  if (value == 0) {
    out->append(std::signbit(value) ? "-0" : "0");
    return;
  }
  if (std::fabs(value) < (sizeof(T) == 4 ? 1e6 : 1e15) && value == static_cast<T>(static_cast<int64_t>(value))) {
    append_int64(static_cast<int64_t>(value), out);
    return;
  }
  auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  if (std::fabs(value) >= (sizeof(T) == 4 ? 0x1p24 : 0x1p53) && std::fabs(value) < 1e38) {
    end = avoid_halfway(value, text, end, text + sizeof(text));
  }
  // text is d[.ddd]e[+-]xx: take it apart.
  const char* e = end - 1;
  while (*e != 'e') --e;
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  if (exponent < -4 || exponent >= fixed_limit) {
    out->append(text, static_cast<size_t>(end - text));
    return;
  }
  const char* p = text;
  if (*p == '-') out->push_back(*p++);
  char mantissa[32];
  int count = 0;
  for (; p < e; ++p) {
    if (*p != '.') mantissa[count++] = *p;
  }
  if (exponent < 0) {
    out->append("0.");
    out->append(static_cast<size_t>(-exponent - 1), '0');
    out->append(mantissa, static_cast<size_t>(count));
  } else if (count <= exponent + 1) {
    out->append(mantissa, static_cast<size_t>(count));
    out->append(static_cast<size_t>(exponent + 1 - count), '0');
  } else {
    out->append(mantissa, static_cast<size_t>(exponent + 1));
    out->push_back('.');
    out->append(mantissa + exponent + 1, static_cast<size_t>(count - exponent - 1));
  }
}

}  // namespace

Status parse_int2(std::string_view text, int16_t* out) { return parse_integer("smallint", text, out); }
Status parse_int4(std::string_view text, int32_t* out) { return parse_integer("integer", text, out); }
Status parse_int8(std::string_view text, int64_t* out) { return parse_integer("bigint", text, out); }
Status parse_float4(std::string_view text, float* out) { return parse_real("real", text, out); }
Status parse_float8(std::string_view text, double* out) { return parse_real("double precision", text, out); }

Status parse_unsigned(std::string_view type, std::string_view text, uint32_t* out) {
  std::string_view s = trim_space(text);
  bool negative = false;
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  uint64_t v = 0;
  auto [p, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error == std::errc::invalid_argument || p != s.data() + s.size()) return invalid_syntax(type, text);
  // A negative number wraps only if it fits a 32-bit integer.
  if (error != std::errc() || v > (negative ? uint64_t{0x80000000} : uint64_t{UINT32_MAX})) {
    return value_out_of_range(type, text);
  }
  *out = negative ? static_cast<uint32_t>(0 - v) : static_cast<uint32_t>(v);
  return {};
}

Status parse_bool(std::string_view text, bool* out) {
  std::string_view s = trim_space(text);
  auto prefix_of = [&](std::string_view word, size_t least) {
    return s.size() >= least && s.size() <= word.size() && equal_ignoring_case(s, word.substr(0, s.size()));
  };
  if (prefix_of("true", 1) || prefix_of("yes", 1) || prefix_of("on", 2) || s == "1")
    *out = true;
  else if (prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2) || s == "0")
    *out = false;
  else
    return invalid_syntax("boolean", text);
  return {};
}

Status parse_bytea(std::string_view text, std::string* out) {
  out->clear();
  if (text.size() >= 2 && text[0] == '\\' && text[1] == 'x') {
    out->reserve(text.size() / 2);
    for (size_t i = 2; i < text.size();) {
      char c = text[i];
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        ++i;
        continue;
      }
      auto bad = [&](size_t at) {
        size_t n = 1;
        while (at + n < text.size() && (static_cast<unsigned char>(text[at + n]) & 0xC0) == 0x80) ++n;
        return Status(SqlState::kInvalidParameterValue,
                      "invalid hexadecimal digit: \"" + std::string(text.substr(at, n)) + "\"");
      };
      int high = hex_value(c);
      if (high < 0) return bad(i);
      if (i + 1 >= text.size()) {
        return Status(SqlState::kInvalidParameterValue, "invalid hexadecimal data: odd number of digits");
      }
      int low = hex_value(text[i + 1]);
      if (low < 0) return bad(i + 1);
      out->push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
    return {};
  }
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out->push_back(text[i++]);
    } else if (i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3' && text[i + 2] >= '0' &&
               text[i + 2] <= '7' && text[i + 3] >= '0' && text[i + 3] <= '7') {
      out->push_back(static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
      i += 4;
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      out->push_back('\\');
      i += 2;
    } else {
      return Status(SqlState::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  return {};
}

Int128 uuid_from_bytes(const char* sixteen) {
  UInt128 v = 0;
  for (int i = 0; i < 16; ++i) v = v << 8 | static_cast<unsigned char>(sixteen[i]);
  return static_cast<Int128>(v ^ (static_cast<UInt128>(1) << 127));
}

void uuid_to_bytes(Int128 uuid, char* sixteen) {
  UInt128 v = static_cast<UInt128>(uuid) ^ (static_cast<UInt128>(1) << 127);
  for (int i = 15; i >= 0; --i, v >>= 8) sixteen[i] = static_cast<char>(v & 0xFF);
}

Status parse_uuid(std::string_view text, Int128* out) {
  std::string_view s = text;
  bool braces = !s.empty() && s[0] == '{';
  if (braces) s.remove_prefix(1);
  char bytes[16];
  for (int i = 0; i < 16; ++i) {
    if (s.size() < 2) return invalid_syntax("uuid", text);
    int high = hex_value(s[0]), low = hex_value(s[1]);
    if (high < 0 || low < 0) return invalid_syntax("uuid", text);
    bytes[i] = static_cast<char>(high << 4 | low);
    s.remove_prefix(2);
    if (!s.empty() && s[0] == '-' && i % 2 == 1 && i < 15) s.remove_prefix(1);
  }
  if (braces) {
    if (s.empty() || s[0] != '}') return invalid_syntax("uuid", text);
    s.remove_prefix(1);
  }
  if (!s.empty()) return invalid_syntax("uuid", text);
  *out = uuid_from_bytes(bytes);
  return {};
}

void append_int64(int64_t value, std::string* out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  out->append(text, static_cast<size_t>(end - text));
}
void append_uint64(uint64_t value, std::string* out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  out->append(text, static_cast<size_t>(end - text));
}

void append_float8(double value, int extra_float_digits, std::string* out) {
  append_real(value, 15, 15, extra_float_digits, out);
}
void append_float4(float value, int extra_float_digits, std::string* out) {
  append_real(value, 6, 6, extra_float_digits, out);
}

void append_decimal(Int128 value, int scale, std::string* out) {
  char text[64];
  char* p = text + sizeof(text);
  bool negative = value < 0;
  UInt128 v = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  int written = 0;
  auto put = [&](char c) {
    if (written == scale && scale > 0) *--p = '.';
    *--p = c;
    ++written;
  };
  while (v > UINT64_MAX) {
    put(static_cast<char>('0' + static_cast<int>(v % 10)));
    v /= 10;
  }
  auto u = static_cast<uint64_t>(v);
  while (u != 0 || written <= scale) {
    put(static_cast<char>('0' + u % 10));
    u /= 10;
  }
  if (negative) *--p = '-';
  out->append(p, static_cast<size_t>(text + sizeof(text) - p));
}

void append_hex(std::string_view bytes, std::string* out) {
  size_t at = out->size();
  out->resize(at + bytes.size() * 2);
  char* p = out->data() + at;
  for (char c : bytes) {
    *p++ = kHexDigits[static_cast<unsigned char>(c) >> 4];
    *p++ = kHexDigits[static_cast<unsigned char>(c) & 15];
  }
}

void append_bytea(std::string_view bytes, bool escape, std::string* out) {
  if (!escape) {
    out->append("\\x");
    append_hex(bytes, out);
    return;
  }
  for (char ch : bytes) {
    auto c = static_cast<unsigned char>(ch);
    if (c == '\\') {
      out->append("\\\\");
    } else if (c < 0x20 || c > 0x7E) {
      out->push_back('\\');
      out->push_back(static_cast<char>('0' + (c >> 6)));
      out->push_back(static_cast<char>('0' + ((c >> 3) & 7)));
      out->push_back(static_cast<char>('0' + (c & 7)));
    } else {
      out->push_back(ch);
    }
  }
}

void append_uuid(Int128 uuid, std::string* out) {
  char bytes[16];
  uuid_to_bytes(uuid, bytes);
  char text[36];
  char* p = text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
    *p++ = kHexDigits[static_cast<unsigned char>(bytes[i]) >> 4];
    *p++ = kHexDigits[static_cast<unsigned char>(bytes[i]) & 15];
  }
  out->append(text, sizeof(text));
}

}  // namespace omendb::types
