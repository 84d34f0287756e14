// UTF-8 as PostgreSQL sees it. Every string inside the house is valid; this is where it is made sure of and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::types {

/// Errors: 22021 `invalid byte sequence for encoding "UTF8": 0x..`, also for a zero byte.
Status verify_utf8(std::string_view text);
/// Length in bytes of the valid, non-zero prefix.
size_t valid_utf8_prefix(std::string_view text);

/// Bytes of the character that begins with `first`, as told by that byte; 1 for a stray byte.
inline size_t utf8_width(char first) {
  auto c = static_cast<unsigned char>(first);
  return c < 0x80 ? 1 : (c & 0xE0) == 0xC0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : (c & 0xF8) == 0xF0 ? 4 : 1;
}
inline bool utf8_continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Number of characters. Requires valid text.
size_t utf8_count(std::string_view text);
/// Byte offset of character `count` (0-based), text.size() if there are fewer characters.
size_t utf8_offset(std::string_view text, size_t count);
/// The character at `at`, which is advanced past it. Requires valid text and at < size.
uint32_t utf8_next(std::string_view text, size_t* at);
void append_utf8(uint32_t code_point, std::string* out);
/// The longest prefix of at most `bytes` bytes that cuts no character.
std::string_view utf8_clip(std::string_view text, size_t bytes);

}  // namespace omendb::types
