#include "types/io_parts.h"

#include "types/datetime.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

Status bad_length(size_t have, size_t want) {
  if (have < want) return Status(SqlState::kProtocolViolation, "insufficient data left in message");
  return Status(SqlState::kInvalidBinaryRepresentation, "incorrect binary data format");
}

// PostgreSQL counts binary dates and timestamps from 2000; ours from 1970.
Status receive_timestamp(std::string_view bytes, int32_t typmod, Value* out) {
  if (bytes.size() != 8) return bad_length(bytes.size(), 8);
  auto v = static_cast<int64_t>(read_be64(bytes.data()));
  if (v == INT64_MAX) v = kTimestampInfinity;
  else if (v == INT64_MIN) v = kTimestampMinusInfinity;
  else if (__builtin_add_overflow(v, kPostgresEpochMicros, &v) || !timestamp_in_range(v)) {
    return Status(SqlState::kDatetimeValueOutOfRange, "timestamp out of range");
  } else {
    v = round_timestamp(v, typmod);
  }
  *out = Value(ValueView::of_integer(v));
  return {};
}

}  // namespace

Status input_part(Oid type, int32_t typmod, std::string_view text, const IoContext& context, Value* out, bool* handled) {
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
    default: break;
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
    default: return false;
  }
}

Status receive_part(Oid type, int32_t typmod, std::string_view bytes, const IoContext& context, Value* out,
                    bool* handled) {
  (void)context;
  *handled = true;
  switch (type.value) {
    case oid::kDate.value: {
      if (bytes.size() != 4) return bad_length(bytes.size(), 4);
      auto v = static_cast<int32_t>(read_be32(bytes.data()));
      if (v == INT32_MAX) v = kDateInfinity;
      else if (v == INT32_MIN) v = kDateMinusInfinity;
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
      auto v = static_cast<int64_t>(read_be64(bytes.data()));
      if (v < 0 || v > kMicrosPerDay) return Status(SqlState::kDatetimeValueOutOfRange, "time out of range");
      *out = Value(ValueView::of_integer(round_micros(v, typmod)));
      return {};
    }
    case oid::kTimeTz.value: {
      if (bytes.size() != 12) return bad_length(bytes.size(), 12);
      TimeTz t;
      t.time = static_cast<int64_t>(read_be64(bytes.data()));
      t.zone = static_cast<int32_t>(read_be32(bytes.data() + 8));
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
      v.micros = static_cast<int64_t>(read_be64(bytes.data()));
      v.days = static_cast<int32_t>(read_be32(bytes.data() + 8));
      v.months = static_cast<int32_t>(read_be32(bytes.data() + 12));
      RETURN_IF_ERROR(apply_interval_typmod(&v, typmod));
      *out = Value(ValueView::of_interval(v));
      return {};
    }
    default: break;
  }
  *handled = false;
  return {};
}

Status send_part(Oid type, const PhysicalType& physical, const ValueView& value, const IoContext& context,
                 std::string* out, bool* handled) {
  (void)physical;
  (void)context;
  *handled = true;
  switch (type.value) {
    case oid::kDate.value: {
      auto v = static_cast<int32_t>(value.integer);
      if (v == kDateMinusInfinity) v = INT32_MIN;
      else if (v != kDateInfinity) v -= kPostgresEpochDays;
      append_be32(static_cast<uint32_t>(v), out);
      return {};
    }
    case oid::kTimestamp.value:
    case oid::kTimestampTz.value: {
      int64_t v = value.integer;
      if (v == kTimestampMinusInfinity) v = INT64_MIN;
      else if (v != kTimestampInfinity) v -= kPostgresEpochMicros;
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
    default: break;
  }
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
