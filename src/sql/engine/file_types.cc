#include "sql/engine/file_types.h"

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/common/types/timestamp.hpp"
#include "duckdb/common/vector_operations/binary_executor.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/parsed_data/create_scalar_function_info.hpp"

#include "sql/duck_types.h"
#include "sql/engine/vectors.h"
#include "sql/error.h"
#include "types/array.h"

namespace omendb::sql {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
namespace oid = types::oid;

constexpr const char* kArray = "omen_file_array";
constexpr const char* kMicroseconds = "omen_file_microseconds";

/// (list, column): the array.
void list_to_array(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  const auto element = *file_type(duckdb::ListType::GetChildType(arguments.data[0].GetType()));
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (duckdb::idx_t row = 0; row < arguments.size(); ++row) {
    const duckdb::Value list = arguments.data[0].GetValue(row);
    if (list.IsNull()) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    types::ArrayBuilder array(element.type, element.physical);
    for (const duckdb::Value& value : duckdb::ListValue::GetChildren(list)) {
      array.add(value.IsNull() ? types::ValueView() : value_view(value, element.physical));
    }
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddStringOrBlob(result, array.finish());
  }
}

/// (timestamp_ns, column): the timestamp.
void whole_microseconds(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<duckdb::timestamp_ns_t, duckdb::string_t, duckdb::timestamp_t>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [](duckdb::timestamp_ns_t at, duckdb::string_t column) {
        if (!duckdb::Timestamp::IsFinite(duckdb::timestamp_t(at.value))) return duckdb::timestamp_t(at.value);
        if (at.value % 1000 != 0)
          not_supported("reading column \"" + column.GetString() + "\", which has fractions of a microsecond,");
        return duckdb::timestamp_t(at.value / 1000);
      });
}

Tree with_column(const char* function, Tree value, const std::string& column) {
  std::vector<Tree> arguments;
  arguments.push_back(std::move(value));
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(column)));
  return emit::call(function, std::move(arguments));
}

}  // namespace

std::optional<FileType> file_type(const LogicalType& type) {
  const auto as = [](Oid counterpart, int32_t typmod = -1) {
    return FileType{counterpart, typmod, types::physical_type(counterpart, typmod)};
  };
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN: return as(oid::kBool);
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::SMALLINT: return as(oid::kInt2);
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::INTEGER: return as(oid::kInt4);
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::BIGINT: return as(oid::kInt8);
    case LogicalTypeId::UBIGINT: return as(oid::kNumeric, types::numeric_typmod(20, 0));
    case LogicalTypeId::DECIMAL:
      return as(oid::kNumeric,
                types::numeric_typmod(duckdb::DecimalType::GetWidth(type), duckdb::DecimalType::GetScale(type)));
    case LogicalTypeId::FLOAT: return as(oid::kFloat4);
    case LogicalTypeId::DOUBLE: return as(oid::kFloat8);
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::ENUM: return as(oid::kText);
    case LogicalTypeId::BLOB: return as(oid::kBytea);
    case LogicalTypeId::UUID: return as(oid::kUuid);
    case LogicalTypeId::DATE: return as(oid::kDate);
    case LogicalTypeId::TIME: return as(oid::kTime);
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS: return as(oid::kTimestamp);
    case LogicalTypeId::TIMESTAMP_TZ: return as(oid::kTimestampTz);
    case LogicalTypeId::INTERVAL: return as(oid::kInterval);
    case LogicalTypeId::LIST: {
      const LogicalType& child = duckdb::ListType::GetChildType(type);
      const auto element = file_type(child);
      if (!element || child.id() == LogicalTypeId::LIST || child.id() == LogicalTypeId::TIMESTAMP_NS)
        return std::nullopt;
      return as(types::find_type(element->type)->array);
    }
    default: return std::nullopt;
  }
}

Tree file_value(Tree value, const LogicalType& type, const std::string& column) {
  if (type.id() == LogicalTypeId::LIST) {
    const FileType element = *file_type(duckdb::ListType::GetChildType(type));
    const LogicalType wanted = LogicalType::LIST(duck_type(element.type, element.physical));
    return with_column(kArray, wanted == type ? std::move(value) : emit::cast(std::move(value), wanted), column);
  }
  if (type.id() == LogicalTypeId::TIMESTAMP_NS) return with_column(kMicroseconds, std::move(value), column);
  const FileType counterpart = *file_type(type);
  const LogicalType wanted = duck_type(counterpart.type, counterpart.physical);
  return wanted == type ? std::move(value) : emit::cast(std::move(value), wanted);
}

void register_file_values(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction array(kArray, {LogicalType::ANY, LogicalType::VARCHAR}, duck_array_type(), list_to_array);
  duckdb::ScalarFunction microseconds(kMicroseconds, {LogicalType::TIMESTAMP_NS, LogicalType::VARCHAR},
                                      LogicalType::TIMESTAMP, whole_microseconds);
  auto& catalog = duckdb::Catalog::GetSystemCatalog(database);
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
  for (auto* function : {&array, &microseconds}) {
    function->SetFallible();
    duckdb::CreateScalarFunctionInfo info(*function);
    info.internal = true;
    catalog.CreateFunction(transaction, info);
  }
}

}  // namespace omendb::sql
