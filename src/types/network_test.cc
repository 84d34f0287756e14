#include "types/network.h"

#include <gtest/gtest.h>

#include <random>

namespace omendb::types {
namespace {

Network any(std::mt19937_64& random) {
  Network n;
  n.v6 = random() % 2 == 0;
  n.bits = static_cast<uint8_t>(random() % static_cast<uint64_t>(n.max_bits() + 1));
  for (size_t i = 0; i < n.size(); ++i)
    n.address[i] = static_cast<uint8_t>(random() % 3 == 0 ? random() : random() % 2 * 0x80);
  return n;
}

// The manual's order: family, then the bits that both networks have, then the width, then the address.
int order(const Network& a, const Network& b) {
  if (a.v6 != b.v6) return a.v6 ? 1 : -1;
  const int common = std::min(a.bits, b.bits);
  for (int i = 0; i < common; ++i) {
    const auto bit = [i](const Network& n) { return n.address[static_cast<size_t>(i) / 8] >> (7 - i % 8) & 1; };
    if (bit(a) != bit(b)) return bit(a) - bit(b);
  }
  if (a.bits != b.bits) return a.bits < b.bits ? -1 : 1;
  return a.address < b.address ? -1 : a.address > b.address;
}

TEST(Network, BytesAreInTheOrderOfTheType) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    const Network a = any(random);
    Network b = any(random);
    if (random() % 2 == 0) {  // near a
      b = a;
      b.bits = static_cast<uint8_t>(random() % static_cast<uint64_t>(b.max_bits() + 1));
      b.address[random() % b.size()] ^= static_cast<uint8_t>(1 << random() % 8);
    }
    const int found = network_to_bytes(a).compare(network_to_bytes(b));
    ASSERT_EQ(order(a, b), found < 0 ? -1 : found > 0);
    ASSERT_EQ(network_from_bytes(network_to_bytes(a)), a);
  }
}

TEST(Network, TextAndWireReadBack) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 50000; ++i) {
    for (const bool cidr : {false, true}) {
      const Network n = cidr ? any(random).cleared() : any(random);
      std::string text, wire;
      append_network(n, cidr, &text);
      send_network(n, cidr, &wire);
      Network read, received;
      ASSERT_TRUE(parse_network(text, cidr, &read).ok()) << text;
      ASSERT_EQ(read, n) << text;
      ASSERT_TRUE(receive_network(wire, cidr, &received).ok());
      ASSERT_EQ(received, n);
      for (size_t cut = 0; cut < wire.size(); ++cut)
        ASSERT_FALSE(receive_network(wire.substr(0, cut), cidr, &received).ok());
    }
  }
}

}  // namespace
}  // namespace omendb::types
