// Numerics as bytes (numeric.h draws them).
#include "types/numeric.h"

namespace omendb::types {

void Numeric::append_bytes(std::string* out) const {
  switch (kind) {
    case Kind::kNegInf: out->append("\x02\0\0", 3); return;
    case Kind::kPosInf: out->append("\xFD\0\0", 3); return;
    case Kind::kNaN: out->append("\xFE\0\0", 3); return;
    case Kind::kFinite: break;
  }
  char scale[2] = {static_cast<char>(dscale >> 8), static_cast<char>(dscale)};
  if (digits.empty()) {
    out->push_back('\x80');
    out->append(scale, 2);
    return;
  }
  unsigned char flip = negative ? 0xFF : 0;
  auto put = [&](int byte) { out->push_back(static_cast<char>(static_cast<unsigned char>(byte) ^ flip)); };
  if (weight >= -32 && weight <= 32) {
    put(0xC0 + weight);
  } else {
    put(weight > 0 ? 0xF0 : 0x90);
    put((weight + 0x8000) >> 8);
    put((weight + 0x8000) & 0xFF);
  }
  for (size_t i = 0; i < digits.size(); ++i) {
    int unit = digits[i] * 2 + (i + 1 < digits.size() ? 1 : 0);
    put(unit >> 8);
    put(unit & 0xFF);
  }
  out->append(scale, 2);
}

size_t numeric_key_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  auto first = static_cast<unsigned char>(bytes[0]);
  if (first == 0x02 || first == 0x80 || first == 0xFD || first == 0xFE) return 1;
  unsigned char flip = first < 0x80 ? 0xFF : 0;
  first ^= flip;
  size_t at = first == 0xF0 || first == 0x90 ? 3 : 1;
  for (;;) {
    if (at + 2 > bytes.size()) return 0;
    bool more = ((static_cast<unsigned char>(bytes[at + 1]) ^ flip) & 1) != 0;
    at += 2;
    if (!more) return at;
  }
}

std::string_view numeric_key(std::string_view bytes) { return bytes.substr(0, bytes.size() - 2); }

bool Numeric::from_key(std::string_view key, Numeric* out) {
  Numeric n;
  if (key.empty()) return false;
  auto first = static_cast<unsigned char>(key[0]);
  if (first == 0x02 || first == 0xFD || first == 0xFE || first == 0x80) {
    if (first != 0x80) n.kind = first == 0x02 ? Kind::kNegInf : first == 0xFD ? Kind::kPosInf : Kind::kNaN;
    *out = n;
    return key.size() == 1;
  }
  n.negative = first < 0x80;
  unsigned char flip = n.negative ? 0xFF : 0;
  auto byte = [&](size_t i) { return static_cast<unsigned char>(key[i]) ^ flip; };
  size_t at = 1;
  if (byte(0) == 0xF0 || byte(0) == 0x90) {
    if (key.size() < 3) return false;
    n.weight = ((byte(1) << 8) | byte(2)) - 0x8000;
    at = 3;
  } else {
    n.weight = byte(0) - 0xC0;
    if (n.weight < -32 || n.weight > 32) return false;
  }
  if (at == key.size() || (key.size() - at) % 2 != 0) return false;
  for (; at < key.size(); at += 2) {
    int unit = (byte(at) << 8) | byte(at + 1);
    if ((unit >> 1) >= kBase || ((unit & 1) != 0) != (at + 2 < key.size())) return false;
    n.digits.push_back(static_cast<int16_t>(unit >> 1));
  }
  if (n.digits.front() == 0 || n.digits.back() == 0) return false;
  n.dscale = n.min_scale();
  *out = std::move(n);
  return true;
}

Numeric Numeric::from_bytes(std::string_view bytes) {
  CHECK(bytes.size() >= 3);
  Numeric n;
  CHECK(from_key(bytes.substr(0, bytes.size() - 2), &n));
  n.dscale = (static_cast<unsigned char>(bytes[bytes.size() - 2]) << 8) | static_cast<unsigned char>(bytes.back());
  return n;
}

}  // namespace omendb::types
