#include "types/utf8.h"

#include <algorithm>
#include <cstring>

namespace omendb::types {

size_t valid_utf8_prefix(std::string_view text) {
  size_t i = 0, n = text.size();
  const auto* s = reinterpret_cast<const unsigned char*>(text.data());
  while (i < n) {
    // Eight ASCII bytes at a time: no high bit, no zero byte.
    while (i + 8 <= n) {
      uint64_t word;
      std::memcpy(&word, s + i, 8);
      if (((word | (word - 0x0101010101010101ULL)) & 0x8080808080808080ULL) != 0) break;
      i += 8;
    }
    if (i >= n) break;
    unsigned char c = s[i];
    if (c < 0x80) {
      if (c == 0) return i;
      ++i;
      continue;
    }
    size_t width = utf8_width(text[i]);
    if (width == 1 || i + width > n) return i;
    unsigned char d = s[i + 1];
    bool good = (d & 0xC0) == 0x80;
    switch (c) {
      case 0xC0:
      case 0xC1: good = false; break;
      case 0xE0: good = good && d >= 0xA0; break;
      case 0xED: good = good && d <= 0x9F; break;
      case 0xF0: good = good && d >= 0x90; break;
      case 0xF4: good = good && d <= 0x8F; break;
      default: good = good && c < 0xF5; break;
    }
    for (size_t k = 2; k < width; ++k) good = good && (s[i + k] & 0xC0) == 0x80;
    if (!good) return i;
    i += width;
  }
  return i;
}

Status verify_utf8(std::string_view text) {
  size_t at = valid_utf8_prefix(text);
  if (at == text.size()) return {};
  std::string message = "invalid byte sequence for encoding \"UTF8\":";
  size_t shown = std::min(utf8_width(text[at]), text.size() - at);
  for (size_t i = 0; i < shown; ++i) {
    static const char* const kHex = "0123456789abcdef";
    auto c = static_cast<unsigned char>(text[at + i]);
    message += " 0x";
    message += kHex[c >> 4];
    message += kHex[c & 15];
  }
  return Status(SqlState::kCharacterNotInRepertoire, std::move(message));
}

size_t utf8_count(std::string_view text) {
  size_t n = 0, i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    // A byte continues a character when its two highest bits are 10.
    uint64_t continues = (word >> 7) & (~word >> 6) & 0x0101010101010101ULL;
    n += 8 - static_cast<size_t>(__builtin_popcountll(continues));
  }
  for (; i < text.size(); ++i) n += !utf8_continues(text[i]);
  return n;
}

size_t utf8_offset(std::string_view text, size_t count) {
  size_t i = 0;
  while (count > 0 && i < text.size()) {
    i += utf8_width(text[i]);
    --count;
  }
  return std::min(i, text.size());
}

uint32_t utf8_next(std::string_view text, size_t* at) {
  const auto* s = reinterpret_cast<const unsigned char*>(text.data()) + *at;
  size_t width = std::min(utf8_width(text[*at]), text.size() - *at);
  *at += width;
  switch (width) {
    case 2: return ((s[0] & 0x1FU) << 6) | (s[1] & 0x3FU);
    case 3: return ((s[0] & 0x0FU) << 12) | ((s[1] & 0x3FU) << 6) | (s[2] & 0x3FU);
    case 4: return ((s[0] & 0x07U) << 18) | ((s[1] & 0x3FU) << 12) | ((s[2] & 0x3FU) << 6) | (s[3] & 0x3FU);
    default: return s[0];
  }
}

void append_utf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (c >> 6)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (c >> 12)));
    out->push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (c >> 18)));
    out->push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

std::string_view utf8_clip(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && utf8_continues(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

}  // namespace omendb::types
