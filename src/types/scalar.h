// Text forms of the simple types: numbers, booleans, bytea, uuid. io.h is the general door; these are for who knows the type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"

namespace omendb::types {

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
/// Without space at both ends.
std::string_view trim_space(std::string_view text);
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// 22P02 `invalid input syntax for type TYPE: "TEXT"`.
Status invalid_syntax(std::string_view type, std::string_view text);
/// 22003 `value "TEXT" is out of range for type TYPE`.
Status value_out_of_range(std::string_view type, std::string_view text);

Status parse_int2(std::string_view text, int16_t* out);
Status parse_int4(std::string_view text, int32_t* out);
Status parse_int8(std::string_view text, int64_t* out);
/// oid, xid, cid and the numbers of reg* types: as strtoul, so -1 is 4294967295.
Status parse_unsigned(std::string_view type, std::string_view text, uint32_t* out);
Status parse_float4(std::string_view text, float* out);
Status parse_float8(std::string_view text, double* out);
Status parse_bool(std::string_view text, bool* out);
Status parse_bytea(std::string_view text, std::string* out);
/// In the form of Physical::kUuid.
Status parse_uuid(std::string_view text, Int128* out);

void append_int64(int64_t value, std::string* out);
void append_uint64(uint64_t value, std::string* out);
/// Shortest text that reads back, or with extra_float_digits <= 0 rounded to 15 (6) + extra_float_digits digits.
void append_float8(double value, int extra_float_digits, std::string* out);
void append_float4(float value, int extra_float_digits, std::string* out);
/// value / 10^scale with `scale` decimals.
void append_decimal(Int128 value, int scale, std::string* out);
void append_bytea(std::string_view bytes, bool escape, std::string* out);
void append_uuid(Int128 uuid, std::string* out);
void append_hex(std::string_view bytes, std::string* out);

Int128 uuid_from_bytes(const char* sixteen);
void uuid_to_bytes(Int128 uuid, char* sixteen);

}  // namespace omendb::types
