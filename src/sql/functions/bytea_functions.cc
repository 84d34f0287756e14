// Functions over bytea: bytes, bits, parts, trimming; and the send functions, which give a value's binary form.
#include <bit>

#include "sql/functions/library.h"
#include "types/io.h"
#include "types/geometry.h"
#include "types/network.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

void check_index(int64_t index, int64_t count) {
  if (index >= 0 && index < count) return;
  throw SqlError(SqlState::kArraySubscriptError,
                 "index " + std::to_string(index) + " out of valid range, 0.." + std::to_string(count - 1));
}

void add_bits(Library& library) {
  library.row({"byteaGetByte", {oid::kBytea, oid::kInt4}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 check_index(a[1].integer, static_cast<int64_t>(a[0].bytes.size()));
                 return int_value(static_cast<unsigned char>(a[0].bytes[static_cast<size_t>(a[1].integer)]));
               }});
  library.row(
      {"byteaSetByte", {oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea, [](RowCall& call, const ValueView* a) {
         check_index(a[1].integer, static_cast<int64_t>(a[0].bytes.size()));
         std::string bytes(a[0].bytes);
         bytes[static_cast<size_t>(a[1].integer)] = static_cast<char>(a[2].integer);
         return call.text(std::move(bytes));
       }});
  library.row({"byteaGetBit", {oid::kBytea, oid::kInt8}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 check_index(a[1].integer, static_cast<int64_t>(a[0].bytes.size()) * 8);
                 const auto byte = static_cast<unsigned char>(a[0].bytes[static_cast<size_t>(a[1].integer / 8)]);
                 return int_value((byte >> (a[1].integer % 8)) & 1);
               }});
  library.row(
      {"byteaSetBit", {oid::kBytea, oid::kInt8, oid::kInt4}, oid::kBytea, [](RowCall& call, const ValueView* a) {
         check_index(a[1].integer, static_cast<int64_t>(a[0].bytes.size()) * 8);
         if (a[2].integer != 0 && a[2].integer != 1)
           throw SqlError(SqlState::kInvalidParameterValue, "new bit must be 0 or 1");
         std::string bytes(a[0].bytes);
         const auto mask = static_cast<char>(1U << (a[1].integer % 8));
         char& byte = bytes[static_cast<size_t>(a[1].integer / 8)];
         byte = static_cast<char>(a[2].integer != 0 ? byte | mask : byte & ~mask);
         return call.text(std::move(bytes));
       }});
  library.row({"bytea_bit_count", {oid::kBytea}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 int64_t n = 0;
                 for (char c : a[0].bytes) n += std::popcount(static_cast<unsigned char>(c));
                 return int_value(n);
               }});
}

/// Bytes `start` (1-based) onwards, `length` of them; positions before the first use up length.
std::string_view part(std::string_view s, int64_t start, int64_t length) {
  const int64_t size = static_cast<int64_t>(s.size());
  const int64_t from = std::max<int64_t>(start, 1), to = std::min(start + length, size + 1);
  return to <= from ? std::string_view() : s.substr(static_cast<size_t>(from - 1), static_cast<size_t>(to - from));
}

ValueView overlay(RowCall& call, std::string_view s, std::string_view with, int64_t start, int64_t length) {
  if (start <= 0) throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
  std::string out(part(s, 1, start - 1));
  out += with;
  out += part(s, start + length, INT32_MAX);
  return call.text(std::move(out));
}

std::string_view trimmed(std::string_view s, std::string_view set, bool left, bool right) {
  size_t from = 0, to = s.size();
  while (left && from < to && set.find(s[from]) != std::string_view::npos) ++from;
  while (right && to > from && set.find(s[to - 1]) != std::string_view::npos) --to;
  return s.substr(from, to - from);
}

void add_parts(Library& library) {
  library.row({"bytea_substr", {oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea, [](RowCall&, const ValueView* a) {
                 if (a[2].integer < 0)
                   throw SqlError(SqlState::kSubstringError, "negative substring length not allowed");
                 return ValueView::of_bytes(part(a[0].bytes, a[1].integer, a[2].integer));
               }});
  library.row({"bytea_substr_no_len", {oid::kBytea, oid::kInt4}, oid::kBytea, [](RowCall&, const ValueView* a) {
                 return ValueView::of_bytes(part(a[0].bytes, std::max<int64_t>(a[1].integer, 1), INT32_MAX));
               }});
  library.row({"byteaoverlay",
               {oid::kBytea, oid::kBytea, oid::kInt4, oid::kInt4},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 return overlay(call, a[0].bytes, a[1].bytes, a[2].integer, a[3].integer);
               }});
  library.row({"byteaoverlay_no_len",
               {oid::kBytea, oid::kBytea, oid::kInt4},
               oid::kBytea,
               [](RowCall& call, const ValueView* a) {
                 return overlay(call, a[0].bytes, a[1].bytes, a[2].integer, static_cast<int64_t>(a[1].bytes.size()));
               }});
  library.row({"byteapos", {oid::kBytea, oid::kBytea}, oid::kInt4, [](RowCall&, const ValueView* a) {
                 const size_t at = a[0].bytes.find(a[1].bytes);
                 return int_value(at == std::string_view::npos ? 0 : static_cast<int64_t>(at) + 1);
               }});
  struct Side {
    const char* name;
    bool left, right;
  };
  for (const Side side :
       {Side{"byteatrim", true, true}, Side{"bytealtrim", true, false}, Side{"byteartrim", false, true}}) {
    library.row({side.name, {oid::kBytea, oid::kBytea}, oid::kBytea, [side](RowCall&, const ValueView* a) {
                   return ValueView::of_bytes(trimmed(a[0].bytes, a[1].bytes, side.left, side.right));
                 }});
  }
}

void add_send(Library& library) {
  const std::pair<const char*, Oid> senders[] = {{"int2send", oid::kInt2},
                                                 {"int4send", oid::kInt4},
                                                 {"int8send", oid::kInt8},
                                                 {"float4send", oid::kFloat4},
                                                 {"float8send", oid::kFloat8},
                                                 {"textsend", oid::kText},
                                                 {"boolsend", oid::kBool},
                                                 {"numeric_send", oid::kNumeric},
                                                 {"byteasend", oid::kBytea},
                                                 {"uuid_send", oid::kUuid},
                                                 {"date_send", oid::kDate},
                                                 {"time_send", oid::kTime},
                                                 {"timestamp_send", oid::kTimestamp},
                                                 {"timestamptz_send", oid::kTimestampTz},
                                                 {"interval_send", oid::kInterval},
                                                 {"jsonb_send", oid::kJsonb},
                                                 {"json_send", oid::kJson},
                                                 {"inet_send", oid::kInet},
                                                 {"cidr_send", oid::kCidr},
                                                 {"macaddr_send", oid::kMacaddr},
                                                 {"macaddr8_send", oid::kMacaddr8},
                                                 {"point_send", oid::kPoint},
                                                 {"lseg_send", oid::kLseg},
                                                 {"path_send", oid::kPath},
                                                 {"box_send", oid::kBox},
                                                 {"poly_send", oid::kPolygon},
                                                 {"line_send", oid::kLine},
                                                 {"circle_send", oid::kCircle}};
  for (const auto& [name, type] : senders) {
    library.row({name,
                 {type},
                 oid::kBytea,
                 [type = type](RowCall& call, const ValueView* a) {
                   call.buffer.clear();
                   throw_if_error(types::send(type, types::physical_type(type, -1), a[0], call.io(), &call.buffer));
                   return call.bytes();
                 },
                 Volatility::kStable});
  }
}

}  // namespace

void add_bytea_functions(Library& library) {
  add_bits(library);
  add_parts(library);
  add_send(library);
}

}  // namespace omendb::sql::functions
