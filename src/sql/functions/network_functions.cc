// Functions over network addresses (types/network.h; PostgreSQL's manual, 9.12).
#include "sql/functions/library.h"
#include "types/network.h"

namespace omendb::sql::functions {

using types::Network;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kInet = oid::kInet, kCidr = oid::kCidr, kMac = oid::kMacaddr, kMac8 = oid::kMacaddr8;

Network network(const ValueView& value) { return types::network_from_bytes(value.bytes); }
ValueView network(RowCall& call, const Network& value) { return call.text(types::network_to_bytes(value)); }

template <class F>
void text_of(Library& library, const char* name, Oid argument, F append) {
  library.row({name, {argument}, oid::kText, [append](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 append(network(a[0]), &call.buffer);
                 return call.bytes();
               }});
}

template <class F>
void network_of(Library& library, const char* name, Oid result, F change) {
  library.row({name, {kInet}, result, [change](RowCall& call, const ValueView* a) {
                 return network(call, change(network(a[0])));
               }});
}

Network with_bits(Network value, int64_t bits) {
  if (bits == -1) bits = value.max_bits();
  if (bits < 0 || bits > value.max_bits())
    throw SqlError(SqlState::kInvalidParameterValue, "invalid mask length: " + std::to_string(bits));
  value.bits = static_cast<uint8_t>(bits);
  return value;
}

/// All bits of the network set, or all behind it.
Network mask(const Network& of, bool host) {
  Network value;
  value.v6 = of.v6;
  value.bits = of.bits;
  if (host) {
    value = value.filled_with_ones();
  } else {
    const Network behind = value.filled_with_ones();
    for (size_t i = 0; i < value.size(); ++i) value.address[i] = static_cast<uint8_t>(~behind.address[i]);
  }
  value.bits = static_cast<uint8_t>(of.max_bits());
  return value;
}

/// The least network that holds both.
Network merged(const Network& a, const Network& b) {
  if (a.v6 != b.v6) throw SqlError(SqlState::kInvalidParameterValue, "cannot merge addresses from different families");
  int bits = std::min(a.bits, b.bits);
  while (!a.shares(b, bits)) --bits;
  return with_bits(a, bits).cleared();
}

void add_parts(Library& library) {
  text_of(library, "network_host", kInet, [](const Network& n, std::string* out) { types::append_host(n, out); });
  text_of(library, "network_show", kInet,
          [](const Network& n, std::string* out) { types::append_network(n, true, out); });
  text_of(library, "inet_abbrev", kInet,
          [](const Network& n, std::string* out) { types::append_network(n, false, out); });
  text_of(library, "cidr_abbrev", kCidr,
          [](const Network& n, std::string* out) { types::append_abbreviated_cidr(n, out); });
  library.row({"network_family", {kInet}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(network(a[0]).v6 ? 6 : 4);
               }});
  library.row({"network_masklen", {kInet}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(network(a[0]).bits);
               }});
  network_of(library, "network_netmask", kInet, [](const Network& n) { return mask(n, false); });
  network_of(library, "network_hostmask", kInet, [](const Network& n) { return mask(n, true); });
  network_of(library, "network_broadcast", kInet, [](const Network& n) { return n.filled_with_ones(); });
  network_of(library, "network_network", kCidr, [](const Network& n) { return n.cleared(); });
  network_of(library, "inet_to_cidr", kCidr, [](const Network& n) { return n.cleared(); });
  library.row({"inet_set_masklen", {kInet, oid::kInt4}, kInet, [](RowCall& call, const ValueView* a) {
                 return network(call, with_bits(network(a[0]), a[1].integer));
               }});
  library.row({"cidr_set_masklen", {kCidr, oid::kInt4}, kCidr, [](RowCall& call, const ValueView* a) {
                 return network(call, with_bits(network(a[0]), a[1].integer).cleared());
               }});
  library.row({"inet_merge", {kInet, kInet}, kCidr, [](RowCall& call, const ValueView* a) {
                 return network(call, merged(network(a[0]), network(a[1])));
               }});
  library.row({"inet_same_family", {kInet, kInet}, oid::kBool, [](RowCall&, const ValueView* a) {
                 return bool_value(network(a[0]).v6 == network(a[1]).v6);
               }});
}

void add_containment(Library& library) {
  const auto test = [&](const char* name, bool (*holds)(const Network&, const Network&)) {
    library.row({name, {kInet, kInet}, oid::kBool, [holds](RowCall&, const ValueView* a) {
                   return bool_value(holds(network(a[0]), network(a[1])));
                 }});
  };
  test("network_sub", [](const Network& a, const Network& b) { return b.contains(a) && a.bits > b.bits; });
  test("network_subeq", [](const Network& a, const Network& b) { return b.contains(a); });
  test("network_sup", [](const Network& a, const Network& b) { return a.contains(b) && b.bits > a.bits; });
  test("network_supeq", [](const Network& a, const Network& b) { return a.contains(b); });
  test("network_overlap", [](const Network& a, const Network& b) { return a.contains(b) || b.contains(a); });
}

template <class F>
void add_bitwise(Library& library, const char* name, const char* verb, F f) {
  library.row({name, {kInet, kInet}, kInet, [verb, f](RowCall& call, const ValueView* a) {
                 const Network left = network(a[0]), right = network(a[1]);
                 if (left.v6 != right.v6) {
                   throw SqlError(SqlState::kInvalidParameterValue,
                                  std::string("cannot ") + verb + " inet values of different sizes");
                 }
                 Network value = left;
                 value.bits = std::max(left.bits, right.bits);
                 for (size_t i = 0; i < value.size(); ++i)
                   value.address[i] = static_cast<uint8_t>(f(left.address[i], right.address[i]));
                 return network(call, value);
               }});
}

[[noreturn]] void out_of_range() { throw SqlError(SqlState::kNumericValueOutOfRange, "result is out of range"); }

Network moved(Network value, int64_t by) {
  // Byte by byte from the end, the distance's sign carried on.
  types::Int128 carry = by;
  for (size_t i = value.size(); i-- > 0;) {
    carry += value.address[i];
    value.address[i] = static_cast<uint8_t>(carry & 0xFF);
    carry >>= 8;
  }
  if (carry != 0) out_of_range();
  return value;
}

int64_t apart(const Network& a, const Network& b) {
  if (a.v6 != b.v6) throw SqlError(SqlState::kInvalidParameterValue, "cannot subtract inet values of different sizes");
  types::UInt128 left = 0, right = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    left = left << 8 | a.address[i];
    right = right << 8 | b.address[i];
  }
  const bool negative = left < right;
  const types::UInt128 distance = negative ? right - left : left - right;
  constexpr auto kMost = static_cast<types::UInt128>(INT64_MAX);
  if (distance > kMost + (negative ? 1 : 0)) out_of_range();
  return static_cast<int64_t>(negative ? -static_cast<types::Int128>(distance) : static_cast<types::Int128>(distance));
}

void add_arithmetic(Library& library) {
  network_of(library, "inetnot", kInet, [](Network n) {
    for (size_t i = 0; i < n.size(); ++i) n.address[i] = static_cast<uint8_t>(~n.address[i]);
    return n;
  });
  add_bitwise(library, "inetand", "AND", [](uint8_t a, uint8_t b) { return a & b; });
  add_bitwise(library, "inetor", "OR", [](uint8_t a, uint8_t b) { return a | b; });
  library.row({"inetpl", {kInet, oid::kInt8}, kInet, [](RowCall& call, const ValueView* a) {
                 return network(call, moved(network(a[0]), a[1].integer));
               }});
  library.row({"sql_int8pl_inet", {oid::kInt8, kInet}, kInet, [](RowCall& call, const ValueView* a) {
                 return network(call, moved(network(a[1]), a[0].integer));
               }});
  library.row({"inetmi_int8", {kInet, oid::kInt8}, kInet, [](RowCall& call, const ValueView* a) {
                 if (a[1].integer == INT64_MIN) out_of_range();
                 return network(call, moved(network(a[0]), -a[1].integer));
               }});
  library.row({"inetmi", {kInet, kInet}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 return int_value(apart(network(a[0]), network(a[1])));
               }});
}

void add_orders(Library& library) {
  for (const auto& [name, type] : {std::pair{"network_cmp", kInet}, {"macaddr_cmp", kMac}, {"macaddr8_cmp", kMac8}}) {
    library.row({name, {type, type}, oid::kInt4, [](RowCall&, const ValueView* a) {
                   const int order = a[0].bytes.compare(a[1].bytes);
                   return int_value(order < 0 ? -1 : order > 0);
                 }});
  }
  library.row({"network_larger", {kInet, kInet}, kInet, [](RowCall&, const ValueView* a) {
                 return a[0].bytes > a[1].bytes ? a[0] : a[1];
               }});
  library.row({"network_smaller", {kInet, kInet}, kInet, [](RowCall&, const ValueView* a) {
                 return a[0].bytes < a[1].bytes ? a[0] : a[1];
               }});
}

template <class F>
void add_mac_bits(Library& library, const char* name, Oid type, F f) {
  library.row({name, {type, type}, type, [f](RowCall& call, const ValueView* a) {
                 std::string bytes(a[0].bytes);
                 for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(f(bytes[i], a[1].bytes[i]));
                 return call.text(std::move(bytes));
               }});
}

void add_hardware_addresses(Library& library) {
  const auto of = [&](const char* name, Oid from, Oid to, void (*change)(std::string&)) {
    library.row({name, {from}, to, [change](RowCall& call, const ValueView* a) {
                   std::string bytes(a[0].bytes);
                   change(bytes);
                   return call.text(std::move(bytes));
                 }});
  };
  const auto maker = [](std::string& bytes) { std::fill(bytes.begin() + 3, bytes.end(), '\0'); };
  const auto inverted = [](std::string& bytes) {
    for (char& byte : bytes) byte = static_cast<char>(~byte);
  };
  of("macaddr_trunc", kMac, kMac, maker);
  of("macaddr8_trunc", kMac8, kMac8, maker);
  of("macaddr_not", kMac, kMac, inverted);
  of("macaddr8_not", kMac8, kMac8, inverted);
  of("macaddr8_set7bit", kMac8, kMac8, [](std::string& bytes) { bytes[0] = static_cast<char>(bytes[0] | 2); });
  of("macaddrtomacaddr8", kMac, kMac8, [](std::string& bytes) { bytes.insert(3, "\xFF\xFE"); });
  of("macaddr8tomacaddr", kMac8, kMac, [](std::string& bytes) {
    if (bytes.compare(3, 2, "\xFF\xFE") != 0) {
      throw SqlError(SqlState::kNumericValueOutOfRange, "macaddr8 data out of range to convert to macaddr")
          .hint(
              "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example "
              "xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.");
    }
    bytes.erase(3, 2);
  });
  for (const auto& [prefix, type] : {std::pair<std::string, Oid>{"macaddr", kMac}, {"macaddr8", kMac8}}) {
    add_mac_bits(library, (prefix + "_and").c_str(), type, [](char a, char b) { return a & b; });
    add_mac_bits(library, (prefix + "_or").c_str(), type, [](char a, char b) { return a | b; });
  }
}

}  // namespace

void add_network_functions(Library& library) {
  add_parts(library);
  add_containment(library);
  add_arithmetic(library);
  add_orders(library);
  add_hardware_addresses(library);
}

}  // namespace omendb::sql::functions
