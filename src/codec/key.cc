#include "codec/key.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "codec/container_key.h"
#include "types/network.h"
#include "types/numeric.h"
#include "types/range.h"
#include "types/record.h"

namespace omendb::codec {
namespace {

using types::Int128;
using types::Physical;
using types::UInt128;
using types::Value;
using types::ValueView;

// Forms, before a descending column's bytes are inverted:
//   null       0x00 (nulls first) or 0x02 (nulls last); a value of a nullable column begins with 0x01. Never inverted.
//   integers   big-endian with the sign bit flipped; kUInt32 and kBool plain
//   floats     IEEE bits, big-endian; sign bit flipped for positive values, all bits for negative ones; -0 as 0, every
//              NaN as the one greatest pattern
//   kUuid      the sixteen bytes of the uuid
//   interval   sixteen bytes: PostgreSQL's span in microseconds with a month of 30 days (so '1 mon' equals '30 days')
//   bytes      0x00 -> 01 01, 0x01 -> 01 02, anything else as it is; then the end mark 0x00
//   numeric    the key part of its bytes (types/numeric.h); reads back with the least scale that shows every digit
//   arrays, records, jsonb  their keys (container_key.h), as bytes; not read back
//   ranges     the key part of their bytes (types/range.h), as bytes; numbers read back likewise
constexpr char kNullFirst = 0, kValue = 1, kNullLast = 2;
constexpr char kEnd = 0, kEscape = 1;

template <class U>
void put_big_endian(U value, std::string* out) {
  char bytes[sizeof(U)];
  if constexpr (sizeof(U) == 4 || sizeof(U) == 8) {  // compilers do not see one instruction in the loop below
    const U swapped = sizeof(U) == 4 ? __builtin_bswap32(static_cast<uint32_t>(value)) : __builtin_bswap64(value);
    std::memcpy(bytes, &swapped, sizeof(U));
  } else {
    for (size_t i = 0; i < sizeof(U); ++i) bytes[i] = static_cast<char>(value >> (8 * (sizeof(U) - 1 - i)));
  }
  out->append(bytes, sizeof(U));
}

template <class U>
bool take_big_endian(std::string_view* in, bool inverted, U* out) {
  if (in->size() < sizeof(U)) return false;
  U value = 0;
  for (size_t i = 0; i < sizeof(U); ++i) value = static_cast<U>((value << 8) | static_cast<unsigned char>((*in)[i]));
  *out = inverted ? static_cast<U>(~value) : value;
  in->remove_prefix(sizeof(U));
  return true;
}

template <class U>
constexpr U top_bit() {
  return static_cast<U>(U{1} << (8 * sizeof(U) - 1));
}

template <class Float, class U>
U float_bits(Float value) {
  if (std::isnan(value)) return ~U{0};
  if (value == 0) value = 0;  // -0 equals 0
  const U bits = std::bit_cast<U>(value);
  return (bits & top_bit<U>()) ? static_cast<U>(~bits) : static_cast<U>(bits | top_bit<U>());
}

template <class Float, class U>
Float bits_float(U bits) {
  if (bits == static_cast<U>(~U{0})) return std::numeric_limits<Float>::quiet_NaN();
  return std::bit_cast<Float>((bits & top_bit<U>()) ? static_cast<U>(bits ^ top_bit<U>()) : static_cast<U>(~bits));
}

constexpr int64_t kDayMicros = 86400000000LL;

/// How the bytes of a kBytes column are ordered.
enum class BytesOrder { kPlain, kNumeric, kRange, kMultirange, kContainer, kJson, kNone };

BytesOrder bytes_order(Oid type) {
  namespace oid = types::oid;
  if (type == oid::kNumeric) return BytesOrder::kNumeric;
  for (Oid plain :
       {oid::kText, oid::kVarchar, oid::kBpchar, oid::kName, oid::kChar, oid::kBytea, oid::kUnknown, oid::kRefcursor,
        oid::kTimeTz, oid::kBit, oid::kVarbit, oid::kInet, oid::kCidr, oid::kMacaddr, oid::kMacaddr8}) {
    if (type == plain) return BytesOrder::kPlain;
  }
  if (types::find_range_type(type) != nullptr) return BytesOrder::kRange;
  if (types::find_multirange_type(type) != nullptr) return BytesOrder::kMultirange;
  if (type == oid::kJsonb) return BytesOrder::kJson;
  if (type == oid::kOidVector || type == oid::kInt2Vector) return BytesOrder::kNone;
  // Types of the user's that lie as bytes are arrays and composites; domains are their base types here.
  if (type == oid::kRecord || types::find_type(type) == nullptr || types::array_element_type(type) != kInvalidOid)
    return BytesOrder::kContainer;
  return BytesOrder::kNone;
}

Status no_order(Oid type) {
  const types::TypeInfo* info = types::find_type(type);
  return Status(
      SqlState::kFeatureNotSupported,
      "an index on type " + (info ? std::string(info->name) : std::to_string(type.value)) + " is not supported");
}

void put_bytes(std::string_view bytes, std::string* out) {
  size_t copied = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (static_cast<unsigned char>(bytes[i]) > 1) continue;
    out->append(bytes, copied, i - copied);
    out->push_back(kEscape);
    out->push_back(static_cast<char>(bytes[i] + 1));
    copied = i + 1;
  }
  out->append(bytes, copied, bytes.size() - copied);
  out->push_back(kEnd);
}

bool take_bytes(std::string_view* in, bool inverted, std::string* out) {
  const char flip = inverted ? static_cast<char>(0xFF) : 0;
  for (size_t i = 0; i < in->size(); ++i) {
    char c = static_cast<char>((*in)[i] ^ flip);
    if (c == kEnd) {
      in->remove_prefix(i + 1);
      return true;
    }
    if (c == kEscape) {
      if (++i == in->size()) return false;
      c = static_cast<char>(((*in)[i] ^ flip) - 1);
    }
    out->push_back(c);
  }
  return false;
}

Status container_key(Oid type, std::string_view bytes, std::string* out) {
  if (type == types::oid::kJsonb) return append_jsonb_key(bytes, out);
  if (types::is_record_bytes(bytes)) return append_record_key(bytes, nullptr, out);
  return append_array_key(bytes, nullptr, out);
}

Status damaged() { return Status(SqlState::kDataCorrupted, "index key is damaged"); }

}  // namespace

Status append_any_key(const KeyColumn& column, const ValueView& value, std::string* out) {
  if (value.null) {
    CHECK(column.nullable);
    out->push_back(column.nulls_first ? kNullFirst : kNullLast);
    return {};
  }
  if (column.nullable) out->push_back(kValue);
  const size_t begin = out->size();
  switch (column.physical.kind) {
    case Physical::kBool: out->push_back(static_cast<char>(value.integer != 0)); break;
    case Physical::kInt16:
      put_big_endian<uint16_t>(static_cast<uint16_t>(value.integer) ^ top_bit<uint16_t>(), out);
      break;
    case Physical::kInt32:
      put_big_endian<uint32_t>(static_cast<uint32_t>(value.integer) ^ top_bit<uint32_t>(), out);
      break;
    case Physical::kUInt32: put_big_endian<uint32_t>(static_cast<uint32_t>(value.integer), out); break;
    case Physical::kInt64:
      put_big_endian<uint64_t>(static_cast<uint64_t>(value.integer) ^ top_bit<uint64_t>(), out);
      break;
    case Physical::kInt128:
    case Physical::
        kUuid:  // the physical form has uuid's top bit flipped already, so flipping it gives the uuid's bytes
      put_big_endian<UInt128>(static_cast<UInt128>(value.wide) ^ top_bit<UInt128>(), out);
      break;
    case Physical::kFloat32:
      put_big_endian<uint32_t>(float_bits<float, uint32_t>(static_cast<float>(value.real)), out);
      break;
    case Physical::kFloat64: put_big_endian<uint64_t>(float_bits<double, uint64_t>(value.real), out); break;
    case Physical::kInterval: {
      const types::Interval& i = value.interval;
      const Int128 span = (Int128{i.months} * 30 + i.days) * kDayMicros + i.micros;
      put_big_endian<UInt128>(static_cast<UInt128>(span) ^ top_bit<UInt128>(), out);
      break;
    }
    case Physical::kBytes:
      switch (bytes_order(column.type)) {
        case BytesOrder::kNone: return no_order(column.type);
        case BytesOrder::kNumeric: out->append(types::numeric_key(value.bytes)); break;
        case BytesOrder::kRange: put_bytes(types::range_key(value.bytes), out); break;
        case BytesOrder::kMultirange: put_bytes(types::multirange_key(value.bytes), out); break;
        case BytesOrder::kPlain: put_bytes(value.bytes, out); break;
        case BytesOrder::kContainer:
        case BytesOrder::kJson: {
          std::string key;
          RETURN_IF_ERROR(container_key(column.type, value.bytes, &key));
          put_bytes(key, out);
          break;
        }
      }
      break;
  }
  if (column.descending) {
    for (size_t i = begin; i < out->size(); ++i) (*out)[i] = static_cast<char>(~(*out)[i]);
  }
  return {};
}

Status read_key(const KeyColumn& column, std::string_view* bytes, Value* out) {
  *out = Value();
  if (column.nullable) {
    if (bytes->empty()) return damaged();
    const char mark = bytes->front();
    bytes->remove_prefix(1);
    if (mark == (column.nulls_first ? kNullFirst : kNullLast)) return {};
    if (mark != kValue) return damaged();
  }
  const bool inverted = column.descending;
  switch (column.physical.kind) {
    case Physical::kBool: {
      uint8_t v;
      if (!take_big_endian(bytes, inverted, &v) || v > 1) return damaged();
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case Physical::kInt16: {
      uint16_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_integer(static_cast<int16_t>(v ^ top_bit<uint16_t>())));
      return {};
    }
    case Physical::kInt32: {
      uint32_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_integer(static_cast<int32_t>(v ^ top_bit<uint32_t>())));
      return {};
    }
    case Physical::kUInt32: {
      uint32_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case Physical::kInt64: {
      uint64_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_integer(static_cast<int64_t>(v ^ top_bit<uint64_t>())));
      return {};
    }
    case Physical::kInt128:
    case Physical::kUuid: {
      UInt128 v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_wide(static_cast<Int128>(v ^ top_bit<UInt128>())));
      return {};
    }
    case Physical::kFloat32: {
      uint32_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_real(bits_float<float>(v)));
      return {};
    }
    case Physical::kFloat64: {
      uint64_t v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      *out = Value(ValueView::of_real(bits_float<double>(v)));
      return {};
    }
    case Physical::kInterval: {
      UInt128 v;
      if (!take_big_endian(bytes, inverted, &v)) return damaged();
      const Int128 span = static_cast<Int128>(v ^ top_bit<UInt128>());
      const Int128 days = span / kDayMicros;
      *out = Value(ValueView::of_interval(
          {static_cast<int32_t>(days / 30), static_cast<int32_t>(days % 30), static_cast<int64_t>(span % kDayMicros)}));
      return {};
    }
    case Physical::kBytes: {
      const BytesOrder order = bytes_order(column.type);
      if (order == BytesOrder::kNone) return no_order(column.type);
      std::string text;
      if (order == BytesOrder::kNumeric) {
        std::string turned;
        std::string_view from = *bytes;
        if (inverted) {
          turned.assign(from);
          for (char& c : turned) c = static_cast<char>(~c);
          from = turned;
        }
        const size_t length = types::numeric_key_length(from);
        types::Numeric number;
        if (length == 0 || !types::Numeric::from_key(from.substr(0, length), &number)) return damaged();
        bytes->remove_prefix(length);
        *out = Value::of_bytes(number.to_bytes());
        return {};
      }
      if (!take_bytes(bytes, inverted, &text)) return damaged();
      if (order == BytesOrder::kContainer || order == BytesOrder::kJson) return no_order(column.type);
      if (order == BytesOrder::kRange) text = types::range_from_key(text);
      if (order == BytesOrder::kMultirange) text = types::multirange_from_key(text);
      *out = Value::of_bytes(std::move(text));
      return {};
    }
  }
  return damaged();
}

std::string prefix_successor(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xFF) next.pop_back();
  if (!next.empty()) next.back() = static_cast<char>(next.back() + 1);
  return next;
}

}  // namespace omendb::codec
