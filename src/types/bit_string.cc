#include "types/bit_string.h"

#include <algorithm>

#include "types/io_parts.h"

namespace omendb::types {

namespace {

Status wrong_length(size_t have, int32_t wanted) {
  return Status(SqlState::kStringDataLengthMismatch, "bit string length " + std::to_string(have) +
                                                         " does not match type bit(" + std::to_string(wanted) + ")");
}
Status too_long(int32_t limit) {
  return Status(SqlState::kStringDataRightTruncation,
                "bit string too long for type bit varying(" + std::to_string(limit) + ")");
}

}  // namespace

Status parse_bits(std::string_view text, int32_t typmod, bool varying, std::string* out) {
  bool hex = false;
  if (!text.empty() && (text[0] == 'b' || text[0] == 'B' || text[0] == 'x' || text[0] == 'X')) {
    hex = text[0] == 'x' || text[0] == 'X';
    text.remove_prefix(1);
  }
  std::string bits;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    auto invalid = [&](const char* kind) {
      size_t end = i + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      return Status(SqlState::kInvalidTextRepresentation,
                    "\"" + std::string(text.substr(i, end - i)) + "\" is not a valid " + kind + " digit");
    };
    if (!hex) {
      if (c != '0' && c != '1') return invalid("binary");
      bits.push_back(c);
      continue;
    }
    int digit;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if ((c | 32) >= 'a' && (c | 32) <= 'f')
      digit = (c | 32) - 'a' + 10;
    else
      return invalid("hexadecimal");
    for (int bit = 3; bit >= 0; --bit) bits.push_back(static_cast<char>('0' + ((digit >> bit) & 1)));
  }
  return fit_bits(bits, typmod, varying, false, out);
}

Status fit_bits(std::string_view bits, int32_t length, bool varying, bool explicit_cast, std::string* out) {
  out->assign(bits);
  if (length <= 0 || bits.size() == static_cast<size_t>(length) ||
      (varying && bits.size() <= static_cast<size_t>(length)))
    return {};
  if (!explicit_cast) return varying ? too_long(length) : wrong_length(bits.size(), length);
  out->resize(static_cast<size_t>(length), '0');
  return {};
}

std::string bits_of_integer(int64_t value, int32_t length) {
  std::string bits(static_cast<size_t>(std::max(length, 1)), '0');
  for (size_t i = 0; i < bits.size(); ++i) {
    const size_t shift = std::min<size_t>(i, 63);
    bits[bits.size() - 1 - i] = static_cast<char>('0' + ((value >> shift) & 1));
  }
  return bits;
}

Status bits_to_integer(std::string_view bits, int width, int64_t* out) {
  if (bits.size() > static_cast<size_t>(width)) {
    return Status(SqlState::kNumericValueOutOfRange, width == 32 ? "integer out of range" : "bigint out of range");
  }
  uint64_t v = 0;
  for (char c : bits) v = v << 1 | static_cast<uint64_t>(c - '0');
  *out = width == 32 ? static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(v))) : static_cast<int64_t>(v);
  return {};
}

void send_bits(std::string_view bits, std::string* out) {
  append_be32(static_cast<uint32_t>(bits.size()), out);
  for (size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (size_t j = i; j < i + 8; ++j) byte = byte << 1 | (j < bits.size() && bits[j] == '1' ? 1 : 0);
    out->push_back(static_cast<char>(byte));
  }
}

Status receive_bits(std::string_view bytes, int32_t typmod, bool varying, std::string* out) {
  if (bytes.size() < 4) return Status(SqlState::kProtocolViolation, "insufficient data left in message");
  const auto length = static_cast<int32_t>(load_be32(bytes.data()));
  if (length < 0) return Status(SqlState::kInvalidBinaryRepresentation, "invalid length in external bit string");
  bytes.remove_prefix(4);
  if (bytes.size() != (static_cast<size_t>(length) + 7) / 8) {
    return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
  }
  std::string bits;
  for (int32_t i = 0; i < length; ++i)
    bits.push_back((static_cast<unsigned char>(bytes[static_cast<size_t>(i / 8)]) >> (7 - i % 8) & 1) != 0 ? '1' : '0');
  return fit_bits(bits, typmod, varying, false, out);
}

}  // namespace omendb::types
