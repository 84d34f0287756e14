// The network address types: inet, cidr, macaddr, macaddr8 (PostgreSQL's manual, 8.9 and 9.12). All are
// kBytes whose order, byte by byte, is the type's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"

namespace omendb::types {

/// An inet or a cidr.
struct Network {
  bool v6 = false;
  uint8_t bits = 0;                   // of the network; at most max_bits()
  std::array<uint8_t, 16> address{};  // the first size() bytes count

  size_t size() const { return v6 ? 16 : 4; }
  int max_bits() const { return v6 ? 128 : 32; }
  /// The same with the bits behind the network's cleared, or set.
  Network cleared() const { return filled(0); }
  Network filled_with_ones() const { return filled(0xFF); }
  /// Whether the first n bits of both addresses are equal. Requires the same family.
  bool shares(const Network& other, int n) const;
  /// Whether `inner` lies within this one, or is it.
  bool contains(const Network& inner) const { return v6 == inner.v6 && bits <= inner.bits && shares(inner, bits); }
  bool operator==(const Network&) const = default;

 private:
  Network filled(uint8_t with) const;
};

/// 22P02 for what is none, and for a cidr with bits behind its network.
Status parse_network(std::string_view text, bool cidr, Network* out);
/// address/bits, the bits left out where they are all of an inet's.
void append_network(const Network& network, bool cidr, std::string* out);
/// The address alone.
void append_host(const Network& network, std::string* out);
/// As abbrev(cidr): without the bytes behind the network.
void append_abbreviated_cidr(const Network& network, std::string* out);

/// In the house: family, network, bits, address.
std::string network_to_bytes(const Network& network);
Network network_from_bytes(std::string_view bytes);

/// On the wire. 22P03 for what is none.
Status receive_network(std::string_view bytes, bool cidr, Network* out);
void send_network(const Network& network, bool cidr, std::string* out);

/// Six bytes, eight bytes.
Status parse_macaddr(std::string_view text, std::string* out);
Status parse_macaddr8(std::string_view text, std::string* out);
void append_macaddr(std::string_view bytes, std::string* out);

}  // namespace omendb::types
