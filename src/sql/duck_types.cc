#include "sql/duck_types.h"

#include "types/geometry.h"
#include "types/network.h"
#include "types/range.h"

namespace omendb::sql {

namespace {

duckdb::LogicalType named_blob(const char* alias) {
  duckdb::LogicalType type = duckdb::LogicalType::BLOB;
  type.SetAlias(alias);
  return type;
}

bool is_record(Oid type) {
  if (type == types::oid::kRecord) return true;
  const types::TypeInfo* info = types::find_type(type);
  return info != nullptr && info->kind == 'c';
}

}  // namespace

const duckdb::LogicalType& duck_numeric_type() {
  static const duckdb::LogicalType type = named_blob("PGNUMERIC");
  return type;
}
const duckdb::LogicalType& duck_array_type() {
  static const duckdb::LogicalType type = named_blob("PGARRAY");
  return type;
}
const duckdb::LogicalType& duck_record_type() {
  static const duckdb::LogicalType type = named_blob("PGRECORD");
  return type;
}

/// Bytes that are no text.
static bool lies_as_bytes(Oid type) {
  return type == types::oid::kBytea || type == types::oid::kTimeTz || type == types::oid::kInet ||
         type == types::oid::kCidr || type == types::oid::kMacaddr || type == types::oid::kMacaddr8 ||
         types::is_geometric(type) || types::find_range_type(type) != nullptr ||
         types::find_multirange_type(type) != nullptr;
}

duckdb::LogicalType duck_type(Oid type, const types::PhysicalType& physical) {
  using duckdb::LogicalType;
  if (physical.is_decimal()) return LogicalType::DECIMAL(physical.precision, physical.scale);
  switch (physical.kind) {
    case types::Physical::kBool: return LogicalType::BOOLEAN;
    case types::Physical::kInt16: return LogicalType::SMALLINT;
    case types::Physical::kInt32: return type == types::oid::kDate ? LogicalType::DATE : LogicalType::INTEGER;
    case types::Physical::kUInt32: return LogicalType::UINTEGER;
    case types::Physical::kInt64:
      if (type == types::oid::kTime) return LogicalType::TIME;
      if (type == types::oid::kTimestamp) return LogicalType::TIMESTAMP;
      if (type == types::oid::kTimestampTz) return LogicalType::TIMESTAMP_TZ;
      return LogicalType::BIGINT;
    case types::Physical::kInt128: return LogicalType::HUGEINT;
    case types::Physical::kFloat32: return LogicalType::FLOAT;
    case types::Physical::kFloat64: return LogicalType::DOUBLE;
    case types::Physical::kInterval: return LogicalType::INTERVAL;
    case types::Physical::kUuid: return LogicalType::UUID;
    case types::Physical::kBytes: break;
  }
  if (type == types::oid::kNumeric) return duck_numeric_type();
  if (lies_as_bytes(type)) return LogicalType::BLOB;
  if (is_record(type)) return duck_record_type();
  const types::TypeInfo* info = types::find_type(type);
  // int2vector and oidvector are arrays by another name.
  if (type == types::oid::kInt2Vector || type == types::oid::kOidVector) return duck_array_type();
  if (type == Oid{2287}) return duck_array_type();  // record[]
  if (info != nullptr) return info->category == 'A' ? duck_array_type() : LogicalType::VARCHAR;
  // A type of the user's: enums are floats, domains carry their base type's OID here, so it is an array or a composite.
  return duck_array_type();
}

}  // namespace omendb::sql
