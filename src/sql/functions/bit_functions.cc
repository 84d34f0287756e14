// Functions over bit strings (types/bit_string.h).
#include <algorithm>

#include "sql/functions/library.h"
#include "types/bit_string.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kBit = oid::kBit, kVarbit = oid::kVarbit;

template <class F>
ValueView bitwise(RowCall& call, const ValueView* a, const char* what, F f) {
  std::string bits(a[0].bytes);
  if (bits.size() != a[1].bytes.size()) {
    throw SqlError(SqlState::kStringDataLengthMismatch,
                   std::string("cannot ") + what + " bit strings of different sizes");
  }
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = f(bits[i] == '1', a[1].bytes[i] == '1') ? '1' : '0';
  return call.text(std::move(bits));
}

/// Moves bits to the right (to the left for a negative distance), zeros come in.
ValueView shifted(RowCall& call, std::string_view bits, int64_t distance) {
  const auto size = static_cast<int64_t>(bits.size());
  std::string out(bits.size(), '0');
  for (int64_t i = 0; i < size; ++i) {
    const int64_t from = i - distance;
    if (from >= 0 && from < size) out[static_cast<size_t>(i)] = bits[static_cast<size_t>(from)];
  }
  return call.text(std::move(out));
}

std::string_view part(std::string_view s, int64_t start, int64_t length) {
  const int64_t from = std::max<int64_t>(start, 1),
                to = std::min<int64_t>(start + length, static_cast<int64_t>(s.size()) + 1);
  return to <= from ? std::string_view() : s.substr(static_cast<size_t>(from - 1), static_cast<size_t>(to - from));
}

ValueView overlay(RowCall& call, const ValueView* a, int64_t length) {
  const int64_t start = a[2].integer;
  if (start <= 0) throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
  std::string out(part(a[0].bytes, 1, start - 1));
  out += a[1].bytes;
  out += part(a[0].bytes, start + length, INT32_MAX);
  return call.text(std::move(out));
}

size_t checked_index(const ValueView* a) {
  const int64_t n = a[1].integer;
  if (n < 0 || n >= static_cast<int64_t>(a[0].bytes.size())) {
    throw SqlError(SqlState::kArraySubscriptError, "bit index " + std::to_string(n) + " out of valid range (0.." +
                                                       std::to_string(static_cast<int64_t>(a[0].bytes.size()) - 1) +
                                                       ")");
  }
  return static_cast<size_t>(n);
}

void add_operators(Library& library) {
  library.row({"bit_and", {kBit, kBit}, kBit, [](RowCall& c, const ValueView* a) {
                 return bitwise(c, a, "AND", [](bool x, bool y) { return x && y; });
               }});
  library.row({"bit_or", {kBit, kBit}, kBit, [](RowCall& c, const ValueView* a) {
                 return bitwise(c, a, "OR", [](bool x, bool y) { return x || y; });
               }});
  library.row({"bitxor", {kBit, kBit}, kBit, [](RowCall& c, const ValueView* a) {
                 return bitwise(c, a, "XOR", [](bool x, bool y) { return x != y; });
               }});
  library.row({"bitnot", {kBit}, kBit, [](RowCall& call, const ValueView* a) {
                 std::string bits(a[0].bytes);
                 for (char& c : bits) c = c == '1' ? '0' : '1';
                 return call.text(std::move(bits));
               }});
  library.row({"bitshiftright", {kBit, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return shifted(call, a[0].bytes, a[1].integer);
               }});
  library.row({"bitshiftleft", {kBit, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return shifted(call, a[0].bytes, -a[1].integer);
               }});
  library.row({"bitcat", {kVarbit, kVarbit}, kVarbit, [](RowCall& call, const ValueView* a) {
                 return call.text(std::string(a[0].bytes).append(a[1].bytes));
               }});
  library.row({"bitcmp", {kBit, kBit}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const int c = a[0].bytes.compare(a[1].bytes);
                 return int_value(c < 0 ? -1 : c > 0);
               }});
}

void add_casts(Library& library) {
  for (const bool varying : {false, true}) {
    const Oid type = varying ? kVarbit : kBit;
    library.row({varying ? "varbit" : "bit",
                 {type, oid::kInt4, oid::kBool},
                 type,
                 [varying](RowCall& call, const ValueView* a) {
                   throw_if_error(types::fit_bits(a[0].bytes, static_cast<int32_t>(a[1].integer), varying,
                                                  a[2].integer != 0, &call.buffer));
                   return call.bytes();
                 }});
  }
  library.row({"bitfromint4", {oid::kInt4, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return call.text(types::bits_of_integer(a[0].integer, static_cast<int32_t>(a[1].integer)));
               }});
  library.row({"bitfromint8", {oid::kInt8, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return call.text(types::bits_of_integer(a[0].integer, static_cast<int32_t>(a[1].integer)));
               }});
  library.row({"bittoint4", {kBit}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 int64_t v;
                 throw_if_error(types::bits_to_integer(a[0].bytes, 32, &v));
                 return int_value(v);
               }});
  library.row({"bittoint8", {kBit}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 int64_t v;
                 throw_if_error(types::bits_to_integer(a[0].bytes, 64, &v));
                 return int_value(v);
               }});
}

void add_parts(Library& library) {
  library.row({"bitlength", {kBit}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(static_cast<int64_t>(a[0].bytes.size()));
               }});
  library.row({"bitoctetlength", {kBit}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(static_cast<int64_t>((a[0].bytes.size() + 7) / 8));
               }});
  library.row({"bit_bit_count", {kBit}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 return int_value(std::count(a[0].bytes.begin(), a[0].bytes.end(), '1'));
               }});
  library.row({"bitsubstr", {kBit, oid::kInt4, oid::kInt4}, kBit, [](RowCall&, const ValueView* a) {
                 if (a[2].integer < 0)
                   throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
                 return ValueView::of_bytes(part(a[0].bytes, a[1].integer, a[2].integer));
               }});
  library.row({"bitsubstr_no_len", {kBit, oid::kInt4}, kBit, [](RowCall&, const ValueView* a) {
                 return ValueView::of_bytes(part(a[0].bytes, std::max<int64_t>(a[1].integer, 1), INT32_MAX));
               }});
  library.row({"bitposition", {kBit, kBit}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 if (a[0].bytes.empty()) return int_value(0);
                 const size_t at = a[0].bytes.find(a[1].bytes);
                 return int_value(at == std::string_view::npos ? 0 : static_cast<int64_t>(at) + 1);
               }});
  library.row({"bitoverlay", {kBit, kBit, oid::kInt4, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return overlay(call, a, a[3].integer);
               }});
  library.row({"bitoverlay_no_len", {kBit, kBit, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 return overlay(call, a, static_cast<int64_t>(a[1].bytes.size()));
               }});
  library.row({"bitgetbit", {kBit, oid::kInt4}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(a[0].bytes[checked_index(a)] == '1');
               }});
  library.row({"bitsetbit", {kBit, oid::kInt4, oid::kInt4}, kBit, [](RowCall& call, const ValueView* a) {
                 const size_t n = checked_index(a);
                 if (a[2].integer != 0 && a[2].integer != 1)
                   throw SqlError(SqlState::kInvalidParameterValue, "new bit must be 0 or 1");
                 std::string bits(a[0].bytes);
                 bits[n] = a[2].integer == 1 ? '1' : '0';
                 return call.text(std::move(bits));
               }});
}

}  // namespace

void add_bit_functions(Library& library) {
  add_operators(library);
  add_casts(library);
  add_parts(library);
}

}  // namespace omendb::sql::functions
