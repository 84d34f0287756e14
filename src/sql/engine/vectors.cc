#include "sql/engine/vectors.h"

#include <cstring>

#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/common/types/interval.hpp"

#include "base/check.h"

namespace omendb::sql {
namespace {

using duckdb::FlatVector;
using types::Int128;
using types::Physical;

Int128 to_wide(duckdb::hugeint_t v) { return (static_cast<Int128>(v.upper) << 64) | static_cast<Int128>(v.lower); }
duckdb::hugeint_t to_huge(Int128 v) {
  return duckdb::hugeint_t(static_cast<int64_t>(v >> 64), static_cast<uint64_t>(v));
}

}  // namespace

types::ColumnView column_view(duckdb::Vector& vector, size_t count, Oid type, int32_t typmod,
                              const types::PhysicalType& physical) {
  vector.Flatten(count);
  types::ColumnView view;
  view.type = type;
  view.typmod = typmod;
  view.physical = physical;
  view.data = FlatVector::GetData(vector);
  view.validity = FlatVector::Validity(vector).GetData();
  return view;
}

void store_value(duckdb::Vector& vector, size_t row, const types::PhysicalType& physical,
                 const types::ValueView& value) {
  if (value.null) {
    FlatVector::SetNull(vector, row, true);
    return;
  }
  switch (physical.kind) {
    case Physical::kBool: FlatVector::GetData<bool>(vector)[row] = value.integer != 0; break;
    case Physical::kInt16: FlatVector::GetData<int16_t>(vector)[row] = static_cast<int16_t>(value.integer); break;
    case Physical::kInt32: FlatVector::GetData<int32_t>(vector)[row] = static_cast<int32_t>(value.integer); break;
    case Physical::kUInt32: FlatVector::GetData<uint32_t>(vector)[row] = static_cast<uint32_t>(value.integer); break;
    case Physical::kInt64: FlatVector::GetData<int64_t>(vector)[row] = value.integer; break;
    case Physical::kInt128:
    case Physical::kUuid: FlatVector::GetData<duckdb::hugeint_t>(vector)[row] = to_huge(value.wide); break;
    case Physical::kFloat32: FlatVector::GetData<float>(vector)[row] = static_cast<float>(value.real); break;
    case Physical::kFloat64: FlatVector::GetData<double>(vector)[row] = value.real; break;
    case Physical::kInterval: {
      duckdb::interval_t interval;
      interval.months = value.interval.months;
      interval.days = value.interval.days;
      interval.micros = value.interval.micros;
      FlatVector::GetData<duckdb::interval_t>(vector)[row] = interval;
      break;
    }
    case Physical::kBytes:
      FlatVector::GetData<duckdb::string_t>(vector)[row] =
          duckdb::StringVector::AddStringOrBlob(vector, value.bytes.data(), value.bytes.size());
      break;
  }
}

types::ValueView load_value(const duckdb::Vector& vector, size_t row, const types::PhysicalType& physical) {
  types::ValueView view;
  if (FlatVector::IsNull(vector, row)) return view;
  view.null = false;
  switch (physical.kind) {
    case Physical::kBool: view.integer = FlatVector::GetData<bool>(vector)[row]; break;
    case Physical::kInt16: view.integer = FlatVector::GetData<int16_t>(vector)[row]; break;
    case Physical::kInt32: view.integer = FlatVector::GetData<int32_t>(vector)[row]; break;
    case Physical::kUInt32: view.integer = FlatVector::GetData<uint32_t>(vector)[row]; break;
    case Physical::kInt64: view.integer = FlatVector::GetData<int64_t>(vector)[row]; break;
    case Physical::kInt128:
    case Physical::kUuid: view.wide = to_wide(FlatVector::GetData<duckdb::hugeint_t>(vector)[row]); break;
    case Physical::kFloat32: view.real = FlatVector::GetData<float>(vector)[row]; break;
    case Physical::kFloat64: view.real = FlatVector::GetData<double>(vector)[row]; break;
    case Physical::kInterval: {
      const auto& interval = FlatVector::GetData<duckdb::interval_t>(vector)[row];
      view.interval = {interval.months, interval.days, interval.micros};
      break;
    }
    case Physical::kBytes: {
      const auto& text = FlatVector::GetData<duckdb::string_t>(vector)[row];
      view.bytes = {text.GetData(), text.GetSize()};
      break;
    }
  }
  return view;
}

duckdb::Value duck_value(const types::ValueView& value, const types::PhysicalType& physical,
                         const duckdb::LogicalType& type) {
  using duckdb::Value;
  if (value.null) return Value(type);
  if (physical.is_decimal()) {
    const auto width = physical.precision, scale = physical.scale;
    switch (physical.kind) {
      case Physical::kInt16: return Value::DECIMAL(static_cast<int16_t>(value.integer), width, scale);
      case Physical::kInt32: return Value::DECIMAL(static_cast<int32_t>(value.integer), width, scale);
      case Physical::kInt64: return Value::DECIMAL(value.integer, width, scale);
      default: return Value::DECIMAL(to_huge(value.wide), width, scale);
    }
  }
  Value result;
  switch (physical.kind) {
    case Physical::kBool: return Value::BOOLEAN(value.integer != 0);
    case Physical::kInt16: return Value::SMALLINT(static_cast<int16_t>(value.integer));
    case Physical::kInt32:
      if (type.id() == duckdb::LogicalTypeId::DATE)
        return Value::DATE(duckdb::date_t(static_cast<int32_t>(value.integer)));
      return Value::INTEGER(static_cast<int32_t>(value.integer));
    case Physical::kUInt32: return Value::UINTEGER(static_cast<uint32_t>(value.integer));
    case Physical::kInt64:
      switch (type.id()) {
        case duckdb::LogicalTypeId::TIME: return Value::TIME(duckdb::dtime_t(value.integer));
        case duckdb::LogicalTypeId::TIMESTAMP: return Value::TIMESTAMP(duckdb::timestamp_t(value.integer));
        case duckdb::LogicalTypeId::TIMESTAMP_TZ: return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(value.integer));
        default: return Value::BIGINT(value.integer);
      }
    case Physical::kInt128: return Value::HUGEINT(to_huge(value.wide));
    case Physical::kUuid: return Value::UUID(to_huge(value.wide));
    case Physical::kFloat32: return Value::FLOAT(static_cast<float>(value.real));
    case Physical::kFloat64: return Value::DOUBLE(value.real);
    case Physical::kInterval: return Value::INTERVAL(value.interval.months, value.interval.days, value.interval.micros);
    case Physical::kBytes:
      if (type.id() == duckdb::LogicalTypeId::VARCHAR) {
        result = Value(std::string(value.bytes));
      } else {
        result = Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(value.bytes.data()), value.bytes.size());
      }
      result.Reinterpret(type);
      return result;
  }
  return Value(type);
}

types::ValueView value_view(const duckdb::Value& value, const types::PhysicalType& physical) {
  types::ValueView view;
  if (value.IsNull()) return view;
  view.null = false;
  switch (physical.kind) {
    case Physical::kBool: view.integer = value.GetValueUnsafe<bool>(); break;
    case Physical::kInt16: view.integer = value.GetValueUnsafe<int16_t>(); break;
    case Physical::kInt32: view.integer = value.GetValueUnsafe<int32_t>(); break;
    case Physical::kUInt32: view.integer = value.GetValueUnsafe<uint32_t>(); break;
    case Physical::kInt64: view.integer = value.GetValueUnsafe<int64_t>(); break;
    case Physical::kInt128:
    case Physical::kUuid: view.wide = to_wide(value.GetValueUnsafe<duckdb::hugeint_t>()); break;
    case Physical::kFloat32: view.real = value.GetValueUnsafe<float>(); break;
    case Physical::kFloat64: view.real = value.GetValueUnsafe<double>(); break;
    case Physical::kInterval: {
      const auto interval = value.GetValueUnsafe<duckdb::interval_t>();
      view.interval = {interval.months, interval.days, interval.micros};
      break;
    }
    case Physical::kBytes: view.bytes = duckdb::StringValue::Get(value); break;
  }
  return view;
}

}  // namespace omendb::sql
