// SQL's view of the copies: omendb_build_columns(regclass), omendb_drop_columns(regclass), omendb_columns().
#include "duckdb/execution/expression_executor.hpp"

#include "sql/columnar/column_store.h"
#include "sql/functions/library.h"

namespace omendb::sql::functions {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::LogicalType;
using duckdb::Value;
using duckdb::Vector;

/// The table's schema, for who may make or drop its copy. Throws 42809, 42501.
std::shared_ptr<const TableSchema> own_table(duckdb::ClientContext& context, Oid oid) {
  auto& session = engine_services(context);
  const auto catalog = session.catalog();
  const auto* table = catalog->find<catalog::Table>(oid);
  if (table == nullptr) throw SqlError(SqlState::kWrongObjectType, "relation with OID " + std::to_string(oid.value) + " is not a table");
  const auto* role = catalog->find_role(session.current_user());
  if (role == nullptr || (!role->superuser && role->oid != table->owner)) {
    throw SqlError(SqlState::kInsufficientPrivilege, "must be owner of table " + table->name);
  }
  return session.table_schema(oid);
}

template <class F>
void for_each_table(DataChunk& arguments, ExpressionState& state, Vector& result, F f) {
  auto& context = state.GetContext();
  duckdb::UnaryExecutor::Execute<uint32_t, bool>(arguments.data[0], result, arguments.size(), [&](uint32_t oid) {
    return f(ColumnStatement::store_of(context), own_table(context, Oid(oid)));
  });
}

void build_columns(DataChunk& arguments, ExpressionState& state, Vector& result) {
  for_each_table(arguments, state, result,
                 [](ColumnStore& store, const std::shared_ptr<const TableSchema>& schema) { return store.build(schema->table()); });
}

void drop_columns(DataChunk& arguments, ExpressionState& state, Vector& result) {
  for_each_table(arguments, state, result, [](ColumnStore& store, const std::shared_ptr<const TableSchema>& schema) {
    return store.drop(schema->table().storage);
  });
}

/// Rows of relid, watermark, rows, dead, lag, key_bytes, log_bytes.
LogicalType columns_row_type() {
  duckdb::child_list_t<LogicalType> fields;
  fields.emplace_back("f1", LogicalType::UINTEGER);
  for (int i = 2; i <= 7; ++i) fields.emplace_back("f" + std::to_string(i), LogicalType::BIGINT);
  return LogicalType::STRUCT(std::move(fields));
}

void list_columns(DataChunk&, ExpressionState& state, Vector& result) {
  duckdb::vector<Value> rows;
  for (const auto& copy : ColumnStatement::store_of(state.GetContext()).list()) {
    duckdb::child_list_t<Value> fields;
    fields.emplace_back("f1", Value::UINTEGER(copy.table.value));
    const uint64_t numbers[] = {copy.watermark.value, copy.rows, copy.dead, copy.lag, copy.place_bytes, copy.log_bytes};
    for (size_t i = 0; i < std::size(numbers); ++i) {
      fields.emplace_back("f" + std::to_string(i + 2), Value::BIGINT(static_cast<int64_t>(std::min<uint64_t>(numbers[i], INT64_MAX))));
    }
    rows.push_back(Value::STRUCT(std::move(fields)));
  }
  result.Reference(Value::LIST(columns_row_type(), std::move(rows)));
}

}  // namespace

void add_column_functions(Library& library) {
  library.scalar("build_columns", duckdb::ScalarFunction({LogicalType::UINTEGER}, LogicalType::BOOLEAN, build_columns), Volatility::kVolatile);
  library.scalar("drop_columns", duckdb::ScalarFunction({LogicalType::UINTEGER}, LogicalType::BOOLEAN, drop_columns), Volatility::kVolatile);
  library.scalar("columns", duckdb::ScalarFunction({}, LogicalType::LIST(columns_row_type()), list_columns), Volatility::kVolatile);
}

}  // namespace omendb::sql::functions
