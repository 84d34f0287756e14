#include "types/io_parts.h"

#include "types/array.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/geometry.h"
#include "types/multirange.h"
#include "types/network.h"
#include "types/numeric.h"
#include "types/bit_string.h"
#include "types/record.h"
#include "types/scalar.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

Status bad_length(size_t have, size_t want) {
  if (have < want) return Status(SqlState::kProtocolViolation, "insufficient data left in message");
  return incorrect_binary_format();
}

// PostgreSQL counts binary dates and timestamps from 2000; ours from 1970.
Status receive_timestamp(std::string_view bytes, int32_t typmod, Value* out) {
  if (bytes.size() != 8) return bad_length(bytes.size(), 8);
  auto v = static_cast<int64_t>(load_be64(bytes.data()));
  if (v == INT64_MAX)
    v = kTimestampInfinity;
  else if (v == INT64_MIN)
    v = kTimestampMinusInfinity;
  else if (__builtin_add_overflow(v, kPostgresEpochMicros, &v) || !timestamp_in_range(v)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "timestamp out of range");
  } else {
    v = round_timestamp(v, typmod);
  }
  *out = Value(ValueView::of_integer(v));
  return {};
}

// The element type of an array type, built in or the catalog's; kInvalidOid for anything else.
Oid element_of(Oid type, const IoContext& context) {
  if (find_type(type) != nullptr) return array_element_type(type);
  return context.catalog != nullptr ? context.catalog->element_type(type) : kInvalidOid;
}

// money, in the C locale: $1,234.56
Status parse_money(std::string_view text, int64_t* out) {
  auto invalid = [&] { return invalid_syntax("money", text); };
  std::string_view s = trim_space(text);
  bool negative = false, paren = false;
  std::string digits;
  int decimals = -1;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
      if (decimals >= 0) ++decimals;
    } else if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c == '-' && !negative) {
      negative = true;
    } else if (c == '(' && i == 0) {
      negative = paren = true;
    } else if (c == ')' && paren && i + 1 == s.size()) {
    } else if (c == '$' || (c == ',' && decimals < 0 && !digits.empty()) || c == '+' || is_space(c)) {
    } else {
      return invalid();
    }
  }
  Numeric n;
  if (decimals < 0) decimals = 0;
  std::string number = digits.substr(0, digits.size() - static_cast<size_t>(decimals)) + "." +
                       digits.substr(digits.size() - static_cast<size_t>(decimals));
  if (number == ".") number = "0";
  RETURN_IF_ERROR(Numeric::parse(number, &n));
  if (negative) n.negate();
  Int128 v = 0;
  if (!n.to_scaled(2, &v) || v < INT64_MIN || v > INT64_MAX) return value_out_of_range("money", text);
  *out = static_cast<int64_t>(v);
  return {};
}

void append_money(int64_t v, std::string* out) {
  std::string digits;
  append_decimal(v < 0 ? -static_cast<Int128>(v) : static_cast<Int128>(v), 2, &digits);
  if (v < 0) out->push_back('-');
  out->push_back('$');
  size_t whole = digits.size() - 3;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i < whole && (whole - i) % 3 == 0) out->push_back(',');
    out->push_back(digits[i]);
  }
}

}  // namespace

Status input_part(Oid type, int32_t typmod, std::string_view text, const IoContext& context, Value* out,
                  bool* handled) {
  *handled = true;
  switch (type.value) {
    case oid::kDate.value: {
      int32_t v = 0;
      RETURN_IF_ERROR(parse_date(text, context, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kTime.value: {
      int64_t v = 0;
      RETURN_IF_ERROR(parse_time(text, typmod, context, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kTimestamp.value: {
      int64_t v = 0;
      RETURN_IF_ERROR(parse_timestamp(text, typmod, context, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kTimestampTz.value: {
      int64_t v = 0;
      RETURN_IF_ERROR(parse_timestamptz(text, typmod, context, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kTimeTz.value: {
      TimeTz v;
      RETURN_IF_ERROR(parse_timetz(text, typmod, context, &v));
      *out = Value::of_bytes(timetz_to_bytes(v));
      return {};
    }
    case oid::kInterval.value: {
      Interval v;
      RETURN_IF_ERROR(parse_interval(text, typmod, context, &v));
      *out = Value(ValueView::of_interval(v));
      return {};
    }
    case oid::kMoney.value: {
      int64_t v = 0;
      RETURN_IF_ERROR(parse_money(text, &v));
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kJson.value:
      RETURN_IF_ERROR(verify_utf8(text));
      RETURN_IF_ERROR(json_validate(text));
      *out = Value(ValueView::of_bytes(text));
      return {};
    case oid::kJsonb.value: {
      std::string v;
      RETURN_IF_ERROR(verify_utf8(text));
      RETURN_IF_ERROR(jsonb_from_text(text, &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kBit.value:
    case oid::kVarbit.value: {
      std::string v;
      RETURN_IF_ERROR(parse_bits(text, typmod, type == oid::kVarbit, &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kInet.value:
    case oid::kCidr.value: {
      Network v;
      RETURN_IF_ERROR(parse_network(text, type == oid::kCidr, &v));
      *out = Value::of_bytes(network_to_bytes(v));
      return {};
    }
    case oid::kMacaddr.value:
    case oid::kMacaddr8.value: {
      std::string v;
      RETURN_IF_ERROR(type == oid::kMacaddr ? parse_macaddr(text, &v) : parse_macaddr8(text, &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kInt2Vector.value:
    case oid::kOidVector.value: {
      std::string v;
      RETURN_IF_ERROR(parse_vector(type == oid::kOidVector ? oid::kOid : oid::kInt2, text, &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kRecord.value:
      return Status(SqlState::kFeatureNotSupported, "input of anonymous composite types is not implemented");
    default: break;
  }
  if (is_geometric(type)) {
    std::string v;
    RETURN_IF_ERROR(parse_geometry(type, text, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (Oid element = element_of(type, context); element != kInvalidOid) {
    std::string v;
    RETURN_IF_ERROR(parse_array(element, typmod, text, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (const RangeType* range = find_range_type(type)) {
    std::string v;
    RETURN_IF_ERROR(parse_range(*range, text, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (const RangeType* range = find_multirange_type(type)) {
    std::string v;
    RETURN_IF_ERROR(parse_multirange(*range, text, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  *handled = false;
  return {};
}

bool output_part(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                 std::string* out) {
  (void)physical;
  switch (type.value) {
    case oid::kDate.value: append_date(static_cast<int32_t>(value.integer), context, out); return true;
    case oid::kTime.value: append_time(value.integer, out); return true;
    case oid::kTimestamp.value: append_timestamp(value.integer, context, out); return true;
    case oid::kTimestampTz.value: append_timestamptz(value.integer, context, out); return true;
    case oid::kTimeTz.value: append_timetz(timetz_from_bytes(value.bytes), out); return true;
    case oid::kInterval.value: append_interval(value.interval, context.interval_style, out); return true;
    case oid::kMoney.value: append_money(value.integer, out); return true;
    case oid::kJsonb.value: out->append(value.bytes); return true;
    case oid::kInet.value:
    case oid::kCidr.value: append_network(network_from_bytes(value.bytes), type == oid::kCidr, out); return true;
    case oid::kMacaddr.value:
    case oid::kMacaddr8.value: append_macaddr(value.bytes, out); return true;
    case oid::kInt2Vector.value:
    case oid::kOidVector.value: append_vector(value.bytes, out); return true;
    case oid::kRecord.value: append_record(value.bytes, context, out); return true;
    case oid::kAnyArray.value: append_array(value.bytes, context, out); return true;
    default: break;
  }
  if (is_geometric(type)) {
    append_geometry(type, value.bytes, context.extra_float_digits, out);
  } else if (element_of(type, context) != kInvalidOid) {
    append_array(value.bytes, context, out);
  } else if (const RangeType* range = find_range_type(type)) {
    append_range(*range, Range(value.bytes), context, out);
  } else if (const RangeType* of = find_multirange_type(type)) {
    append_multirange(*of, value.bytes, context, out);
  } else {
    return false;
  }
  return true;
}

Status receive_part(Oid type, int32_t typmod, std::string_view bytes, const IoContext& context, Value* out,
                    bool* handled) {
  *handled = true;
  switch (type.value) {
    case oid::kDate.value: {
      if (bytes.size() != 4) return bad_length(bytes.size(), 4);
      auto v = static_cast<int32_t>(load_be32(bytes.data()));
      if (v == INT32_MAX)
        v = kDateInfinity;
      else if (v == INT32_MIN)
        v = kDateMinusInfinity;
      else {
        int64_t days = static_cast<int64_t>(v) + kPostgresEpochDays;
        if (!date_in_range(days)) return Status(SqlState::kDatetimeValueOutOfRange, "date out of range");
        v = static_cast<int32_t>(days);
      }
      *out = Value(ValueView::of_integer(v));
      return {};
    }
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value: return receive_timestamp(bytes, typmod, out);
    case oid::kTime.value: {
      if (bytes.size() != 8) return bad_length(bytes.size(), 8);
      auto v = static_cast<int64_t>(load_be64(bytes.data()));
      if (v < 0 || v > kMicrosPerDay) return Status(SqlState::kDatetimeValueOutOfRange, "time out of range");
      *out = Value(ValueView::of_integer(round_micros(v, typmod)));
      return {};
    }
    case oid::kTimeTz.value: {
      if (bytes.size() != 12) return bad_length(bytes.size(), 12);
      TimeTz t;
      t.time = static_cast<int64_t>(load_be64(bytes.data()));
      t.zone = static_cast<int32_t>(load_be32(bytes.data() + 8));
      if (t.time < 0 || t.time > kMicrosPerDay) {
        return Status(SqlState::kDatetimeValueOutOfRange, "time out of range");
      }
      if (t.zone <= -16 * 3600 || t.zone >= 16 * 3600) {
        return Status(SqlState::kInvalidTimeZoneDisplacementValue, "time zone displacement out of range");
      }
      t.time = round_micros(t.time, typmod);
      *out = Value::of_bytes(timetz_to_bytes(t));
      return {};
    }
    case oid::kInterval.value: {
      if (bytes.size() != 16) return bad_length(bytes.size(), 16);
      Interval v;
      v.micros = static_cast<int64_t>(load_be64(bytes.data()));
      v.days = static_cast<int32_t>(load_be32(bytes.data() + 8));
      v.months = static_cast<int32_t>(load_be32(bytes.data() + 12));
      RETURN_IF_ERROR(apply_interval_typmod(&v, typmod));
      *out = Value(ValueView::of_interval(v));
      return {};
    }
    case oid::kJson.value:
      RETURN_IF_ERROR(verify_utf8(bytes));
      RETURN_IF_ERROR(json_validate(bytes));
      *out = Value(ValueView::of_bytes(bytes));
      return {};
    case oid::kJsonb.value: {
      if (bytes.empty()) return bad_length(0, 1);
      if (bytes[0] != 1) {
        return Status(SqlState::kInternalError,
                      "unsupported jsonb version number " + std::to_string(static_cast<unsigned char>(bytes[0])));
      }
      std::string v;
      RETURN_IF_ERROR(verify_utf8(bytes.substr(1)));
      RETURN_IF_ERROR(jsonb_from_text(bytes.substr(1), &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kBit.value:
    case oid::kVarbit.value: {
      std::string v;
      RETURN_IF_ERROR(receive_bits(bytes, typmod, type == oid::kVarbit, &v));
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kInet.value:
    case oid::kCidr.value: {
      Network v;
      RETURN_IF_ERROR(receive_network(bytes, type == oid::kCidr, &v));
      *out = Value::of_bytes(network_to_bytes(v));
      return {};
    }
    case oid::kMacaddr.value:
      if (bytes.size() != 6) return bad_length(bytes.size(), 6);
      *out = Value(ValueView::of_bytes(bytes));
      return {};
    case oid::kMacaddr8.value: {
      if (bytes.size() != 6 && bytes.size() != 8) return bad_length(bytes.size(), 8);
      std::string v(bytes);
      if (v.size() == 6) v.insert(3, "\xFF\xFE");
      *out = Value::of_bytes(std::move(v));
      return {};
    }
    case oid::kRecord.value:
      return Status(SqlState::kFeatureNotSupported, "input of anonymous composite types is not implemented");
    default: break;
  }
  if (is_geometric(type)) {
    std::string v;
    RETURN_IF_ERROR(receive_geometry(type, bytes, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (Oid element = element_of(type, context); element != kInvalidOid) {
    std::string v;
    RETURN_IF_ERROR(receive_array(element, typmod, bytes, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (const RangeType* range = find_range_type(type)) {
    std::string v;
    RETURN_IF_ERROR(receive_range(*range, bytes, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  if (const RangeType* range = find_multirange_type(type)) {
    std::string v;
    RETURN_IF_ERROR(receive_multirange(*range, bytes, context, &v));
    *out = Value::of_bytes(std::move(v));
    return {};
  }
  *handled = false;
  return {};
}

Status send_part(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                 std::string* out, bool* handled) {
  (void)physical;
  *handled = true;
  switch (type.value) {
    case oid::kDate.value: {
      auto v = static_cast<int32_t>(value.integer);
      if (v == kDateMinusInfinity)
        v = INT32_MIN;
      else if (v != kDateInfinity)
        v -= kPostgresEpochDays;
      append_be32(static_cast<uint32_t>(v), out);
      return {};
    }
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value: {
      int64_t v = value.integer;
      if (v == kTimestampMinusInfinity)
        v = INT64_MIN;
      else if (v != kTimestampInfinity)
        v -= kPostgresEpochMicros;
      append_be64(static_cast<uint64_t>(v), out);
      return {};
    }
    case oid::kTime.value: append_be64(static_cast<uint64_t>(value.integer), out); return {};
    case oid::kTimeTz.value: {
      TimeTz t = timetz_from_bytes(value.bytes);
      append_be64(static_cast<uint64_t>(t.time), out);
      append_be32(static_cast<uint32_t>(t.zone), out);
      return {};
    }
    case oid::kInterval.value:
      append_be64(static_cast<uint64_t>(value.interval.micros), out);
      append_be32(static_cast<uint32_t>(value.interval.days), out);
      append_be32(static_cast<uint32_t>(value.interval.months), out);
      return {};
    case oid::kJson.value: out->append(value.bytes); return {};
    case oid::kJsonb.value:
      out->push_back(1);
      out->append(value.bytes);
      return {};
    case oid::kRecord.value: return send_record(value.bytes, context, out);
    case oid::kBit.value:
    case oid::kVarbit.value: send_bits(value.bytes, out); return {};
    case oid::kInet.value:
    case oid::kCidr.value: send_network(network_from_bytes(value.bytes), type == oid::kCidr, out); return {};
    case oid::kMacaddr.value:
    case oid::kMacaddr8.value: out->append(value.bytes); return {};
    default: break;
  }
  if (is_geometric(type)) {
    out->append(value.bytes);
    return {};
  }
  if (element_of(type, context) != kInvalidOid || type == oid::kAnyArray) {
    return send_array(value.bytes, context, out);
  }
  if (const RangeType* range = find_range_type(type)) return send_range(*range, Range(value.bytes), context, out);
  if (const RangeType* range = find_multirange_type(type)) return send_multirange(*range, value.bytes, context, out);
  *handled = false;
  return {};
}

bool coerce_part(Oid type, const ValueView& value, int32_t typmod, Value* out) {
  switch (type.value) {
    case oid::kTime.value:
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value:
      *out = Value(ValueView::of_integer(type == oid::kTime ? round_micros(value.integer, typmod)
                                                            : round_timestamp(value.integer, typmod)));
      return true;
    case oid::kTimeTz.value: {
      TimeTz t = timetz_from_bytes(value.bytes);
      t.time = round_micros(t.time, typmod);
      *out = Value::of_bytes(timetz_to_bytes(t));
      return true;
    }
    case oid::kInterval.value: {
      Interval v = value.interval;
      (void)apply_interval_typmod(&v, typmod).ok();
      *out = Value(ValueView::of_interval(v));
      return true;
    }
    default: return false;
  }
}

}  // namespace omendb::types
