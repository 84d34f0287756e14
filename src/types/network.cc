#include "types/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr uint8_t kWireV4 = 2, kWireV6 = 3;  // PostgreSQL's numbers, on every platform

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }
int hex_value(char c) { return is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10; }

/// Digits only, at least one.
std::optional<int> number(std::string_view text, int most) {
  int n = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    n = n * 10 + (c - '0');
    if (n > most) return std::nullopt;
  }
  return n;
}

/// What stands before the slash, and the number behind it.
struct Halves {
  std::string_view address;
  std::optional<int> bits;
  bool sound = true;

  Halves(std::string_view text, int most) {
    const size_t slash = text.find('/');
    address = text.substr(0, slash);
    if (slash == std::string_view::npos) return;
    bits = number(text.substr(slash + 1), most);
    sound = bits.has_value();
  }
};

bool parse_v6(std::string_view text, Network* out) {
  const Halves halves(text, 128);
  const size_t slash = text.find('/');
  if (!halves.sound || (slash != std::string_view::npos && text.size() > slash + 2 && text[slash + 1] == '0'))
    return false;
  in6_addr address;
  if (inet_pton(AF_INET6, std::string(halves.address).c_str(), &address) != 1) return false;
  out->v6 = true;
  out->bits = static_cast<uint8_t>(halves.bits.value_or(128));
  std::memcpy(out->address.data(), &address, 16);
  return true;
}

/// The bytes of a cidr in hexadecimal; an odd digit at the end is the upper half of a byte.
bool parse_hex(std::string_view digits, Network* out, size_t* bytes) {
  if (digits.empty() || digits.size() > 8 || !std::all_of(digits.begin(), digits.end(), is_hex)) return false;
  for (size_t i = 0; i < digits.size(); ++i)
    out->address[i / 2] = static_cast<uint8_t>(out->address[i / 2] | hex_value(digits[i]) << (i % 2 == 0 ? 4 : 0));
  *bytes = (digits.size() + 1) / 2;
  return true;
}

/// The width of a network whose text has none: that of its class, or of the bytes that were written.
int class_bits(uint8_t first, size_t bytes) {
  const int of_class = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  const int bits = std::max(of_class, static_cast<int>(bytes) * 8);
  return bits == 8 && first == 224 ? 4 : bits;
}

/// Fewer than four bytes will do where the width says that the rest does not matter.
bool parse_v4(std::string_view text, bool cidr, Network* out) {
  const Halves halves(text, 32);
  if (!halves.sound) return false;
  std::string_view rest = halves.address;
  size_t bytes = 0;
  if (cidr && rest.size() > 2 && rest[0] == '0' && ascii_lower(rest[1]) == 'x') {
    if (!parse_hex(rest.substr(2), out, &bytes)) return false;
  } else {
    for (bool more = true; more;) {
      const size_t dot = rest.find('.');
      more = dot != std::string_view::npos;
      const std::optional<int> byte = number(rest.substr(0, dot), 255);
      if (!byte || bytes == 4) return false;
      out->address[bytes++] = static_cast<uint8_t>(*byte);
      if (more) rest.remove_prefix(dot + 1);
      if (more && rest.empty() && !cidr) break;  // a dot may end an inet
    }
  }
  if (halves.bits) {
    out->bits = static_cast<uint8_t>(*halves.bits);
    return cidr || static_cast<size_t>(*halves.bits) / 8 <= bytes;
  }
  if (!cidr && bytes < 4) return false;
  out->bits = static_cast<uint8_t>(cidr ? class_bits(out->address[0], bytes) : 32);
  return true;
}

void append_bits(const Network& network, std::string* out) {
  out->push_back('/');
  append_uint64(network.bits, out);
}

constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

Network Network::filled(uint8_t with) const {
  Network result = *this;
  for (size_t i = bits / 8; i < size(); ++i) {
    const auto kept = static_cast<uint8_t>(i == bits / 8 ? 0xFF00 >> bits % 8 : 0);
    result.address[i] = static_cast<uint8_t>((address[i] & kept) | (with & ~kept));
  }
  return result;
}

bool Network::shares(const Network& other, int n) const {
  const auto whole = static_cast<size_t>(n / 8);
  if (std::memcmp(address.data(), other.address.data(), whole) != 0) return false;
  return n % 8 == 0 || ((address[whole] ^ other.address[whole]) & (0xFF00 >> n % 8) & 0xFF) == 0;
}

Status parse_network(std::string_view text, bool cidr, Network* out) {
  *out = Network();
  const bool sound = text.find(':') != std::string_view::npos ? parse_v6(text, out) : parse_v4(text, cidr, out);
  if (!sound) return invalid_syntax(cidr ? "cidr" : "inet", text);
  if (cidr && out->cleared() != *out) {
    return Status(SqlState::kInvalidTextRepresentation, "invalid cidr value: \"" + std::string(text) + "\"")
        .with_detail("Value has bits set to right of mask.");
  }
  return {};
}

void append_host(const Network& network, std::string* out) {
  char text[INET6_ADDRSTRLEN];
  CHECK(inet_ntop(network.v6 ? AF_INET6 : AF_INET, network.address.data(), text, sizeof(text)) != nullptr);
  out->append(text);
}

void append_network(const Network& network, bool cidr, std::string* out) {
  append_host(network, out);
  if (cidr || network.bits < network.max_bits()) append_bits(network, out);
}

void append_abbreviated_cidr(const Network& network, std::string* out) {
  if (!network.v6) {
    const size_t bytes = std::max<size_t>(1, (network.bits + 7U) / 8);
    for (size_t i = 0; i < bytes; ++i) {
      if (i > 0) out->push_back('.');
      append_uint64(network.address[i], out);
    }
    return append_bits(network, out);
  }
  // Words behind the network are not there, or zeros that the run of them takes in.
  const size_t words = network.bits == 0 ? 8 : std::max<size_t>(2, (network.bits + 15U) / 16);
  const auto word = [&](size_t i) { return network.address[2 * i] << 8 | network.address[2 * i + 1]; };
  size_t best = 0, length = 0;
  for (size_t i = 0, run = 0; i < words; ++i) {
    run = word(i) == 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      best = i + 1 - run;
    }
  }
  const bool dotted = length != words && best == 0 && (length == 6 || (length == 5 && word(5) == 0xFFFF));
  for (size_t i = 0; i < words; ++i) {
    if (length > 0 && i >= best && i < best + length) {
      if (i == best) out->push_back(':');
      if (i == words - 1) out->push_back(':');
      continue;
    }
    if (dotted && i > 5) {
      out->push_back(i == 6 ? ':' : '.');
      append_uint64(network.address[2 * i], out);
      if (i == 7 && network.bits <= 120) continue;
      out->push_back('.');
      append_uint64(network.address[2 * i + 1], out);
      continue;
    }
    if (i > 0) out->push_back(':');
    char hex[8];
    out->append(hex, static_cast<size_t>(std::snprintf(hex, sizeof(hex), "%x", static_cast<unsigned>(word(i)))));
  }
  append_bits(network, out);
}

std::string network_to_bytes(const Network& network) {
  std::string bytes(1, network.v6 ? '\6' : '\4');
  const Network base = network.cleared();
  bytes.append(reinterpret_cast<const char*>(base.address.data()), network.size());
  bytes.push_back(static_cast<char>(network.bits));
  bytes.append(reinterpret_cast<const char*>(network.address.data()), network.size());
  return bytes;
}

Network network_from_bytes(std::string_view bytes) {
  Network network;
  network.v6 = !bytes.empty() && bytes[0] == '\6';
  const size_t size = network.size();
  if (bytes.size() != 2 + 2 * size) return network;
  network.bits = static_cast<uint8_t>(bytes[1 + size]);
  std::memcpy(network.address.data(), bytes.data() + 2 + size, size);
  return network;
}

Status receive_network(std::string_view bytes, bool cidr, Network* out) {
  const std::string type = cidr ? "cidr" : "inet";
  const auto invalid = [&](const char* what) {
    return Status(SqlState::kInvalidBinaryRepresentation,
                  std::string("invalid ") + what + " in external \"" + type + "\" value");
  };
  const auto cut_off = [] { return Status(SqlState::kProtocolViolation, "insufficient data left in message"); };
  *out = Network();
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.empty()) return cut_off();
  if (at(0) != kWireV4 && at(0) != kWireV6) return invalid("address family");
  out->v6 = at(0) == kWireV6;
  if (bytes.size() < 2) return cut_off();
  if (at(1) > out->max_bits()) return invalid("bits");
  out->bits = at(1);
  if (bytes.size() < 4) return cut_off();
  if (at(3) != out->size()) return invalid("length");
  if (bytes.size() < 4 + out->size()) return cut_off();
  if (bytes.size() > 4 + out->size())
    return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
  std::memcpy(out->address.data(), bytes.data() + 4, out->size());
  if (cidr && out->cleared() != *out) {
    return Status(SqlState::kInvalidBinaryRepresentation, "invalid external \"cidr\" value")
        .with_detail("Value has bits set to right of mask.");
  }
  return {};
}

void send_network(const Network& network, bool cidr, std::string* out) {
  out->push_back(static_cast<char>(network.v6 ? kWireV6 : kWireV4));
  out->push_back(static_cast<char>(network.bits));
  out->push_back(cidr ? '\1' : '\0');
  out->push_back(static_cast<char>(network.size()));
  out->append(reinterpret_cast<const char*>(network.address.data()), network.size());
}

Status parse_macaddr(std::string_view text, std::string* out) {
  // What scanf takes for a number, PostgreSQL does. The last item is anything behind the address.
  static constexpr const char* kForms[] = {
      "%x:%x:%x:%x:%x:%x%1s",    "%x-%x-%x-%x-%x-%x%1s",    "%2x%2x%2x:%2x%2x%2x%1s", "%2x%2x%2x-%2x%2x%2x%1s",
      "%2x%2x.%2x%2x.%2x%2x%1s", "%2x%2x-%2x%2x-%2x%2x%1s", "%2x%2x%2x%2x%2x%2x%1s"};
  const std::string terminated(text);
  for (const char* form : kForms) {
    std::array<unsigned, 6> octets;
    char behind[2];
    const int n =
        std::sscanf(terminated.c_str(), form, &octets[0], &octets[1], &octets[2], &octets[3], &octets[4],  // NOLINT
                    &octets[5], behind);
    if (n != 6) continue;
    out->clear();
    for (const unsigned octet : octets) {
      if (octet > 255) {
        return Status(SqlState::kNumericValueOutOfRange,
                      "invalid octet value in \"macaddr\" value: \"" + terminated + "\"");
      }
      out->push_back(static_cast<char>(octet));
    }
    return {};
  }
  return invalid_syntax("macaddr", text);
}

Status parse_macaddr8(std::string_view text, std::string* out) {
  const std::string_view s = trim_space(text);
  out->clear();
  char separator = 0;
  for (size_t i = 0; i < s.size();) {
    if (i + 1 >= s.size() || !is_hex(s[i]) || !is_hex(s[i + 1]) || out->size() == 8)
      return invalid_syntax("macaddr8", text);
    out->push_back(static_cast<char>(hex_value(s[i]) << 4 | hex_value(s[i + 1])));
    i += 2;
    if (i == s.size() || is_hex(s[i])) continue;
    if ((s[i] != ':' && s[i] != '-' && s[i] != '.') || (separator != 0 && s[i] != separator))
      return invalid_syntax("macaddr8", text);
    separator = s[i++];
  }
  if (out->size() == 6) out->insert(3, "\xFF\xFE");
  return out->size() == 8 ? Status() : invalid_syntax("macaddr8", text);
}

void append_macaddr(std::string_view bytes, std::string* out) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out->push_back(':');
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out->push_back(kDigits[byte >> 4]);
    out->push_back(kDigits[byte & 15]);
  }
}

}  // namespace omendb::types
