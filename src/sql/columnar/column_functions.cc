// SQL's view of the copies: omendb_build_columns(regclass), omendb_drop_columns(regclass), omendb_columns(), omendb_column_failures(); and
// omendb_statistics(), the counters.
#include "duckdb/execution/expression_executor.hpp"

#include "sql/columnar/column_store.h"
#include "sql/engine/route_counters.h"
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
  if (table == nullptr)
    throw SqlError(SqlState::kWrongObjectType, "relation with OID " + std::to_string(oid.value) + " is not a table");
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
  for_each_table(arguments, state, result, [](ColumnStore& store, const std::shared_ptr<const TableSchema>& schema) {
    return store.build(schema->table());
  });
}

void drop_columns(DataChunk& arguments, ExpressionState& state, Vector& result) {
  for_each_table(arguments, state, result, [](ColumnStore& store, const std::shared_ptr<const TableSchema>& schema) {
    return store.drop(schema->table().storage);
  });
}

LogicalType row_type(const std::vector<LogicalType>& fields) {
  duckdb::child_list_t<LogicalType> named;
  for (const LogicalType& field : fields) named.emplace_back("f" + std::to_string(named.size() + 1), field);
  return LogicalType::STRUCT(std::move(named));
}

Value row_of(std::vector<Value> fields) {
  duckdb::child_list_t<Value> named;
  for (Value& field : fields) named.emplace_back("f" + std::to_string(named.size() + 1), std::move(field));
  return Value::STRUCT(std::move(named));
}

Value number(uint64_t value) { return Value::BIGINT(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX))); }

/// Rows of relid, watermark, rows, dead, lag, key_bytes, log_bytes, lag_commits, lag_bytes.
LogicalType columns_row_type() {
  std::vector<LogicalType> fields(9, LogicalType::BIGINT);
  fields[0] = LogicalType::UINTEGER;
  return row_type(fields);
}

void list_columns(DataChunk&, ExpressionState& state, Vector& result) {
  duckdb::vector<Value> rows;
  for (const auto& copy : ColumnStatement::store_of(state.GetContext()).list()) {
    rows.push_back(row_of({Value::UINTEGER(copy.table.value), number(copy.watermark.value), number(copy.rows),
                           number(copy.dead), number(copy.lag), number(copy.place_bytes), number(copy.log_bytes),
                           number(copy.lag_commits), number(copy.lag_bytes)}));
  }
  result.Reference(Value::LIST(columns_row_type(), std::move(rows)));
}

/// Rows of relid, failures, reason, retry_seconds.
LogicalType failures_row_type() {
  return row_type({LogicalType::UINTEGER, LogicalType::BIGINT, LogicalType::VARCHAR, LogicalType::BIGINT});
}

void list_failures(DataChunk&, ExpressionState& state, Vector& result) {
  duckdb::vector<Value> rows;
  const auto now = ColumnFailures::Clock::now();
  for (const auto& failure : ColumnStatement::store_of(state.GetContext()).failures().list()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(failure.retry - now).count();
    rows.push_back(row_of({Value::UINTEGER(failure.table.value), number(failure.times), Value(failure.reason),
                           number(static_cast<uint64_t>(std::max<int64_t>(left, 0)))}));
  }
  result.Reference(Value::LIST(failures_row_type(), std::move(rows)));
}

/// Rows of name, value.
LogicalType statistics_row_type() { return row_type({LogicalType::VARCHAR, LogicalType::BIGINT}); }

void list_statistics(DataChunk&, ExpressionState& state, Vector& result) {
  auto& context = state.GetContext();
  auto all = engine_counters(ColumnStatement::store_of(context));
  for (auto& counter : engine_services(context).database().statistics()) all.push_back(std::move(counter));
  duckdb::vector<Value> rows;
  for (const auto& [name, value] : all) rows.push_back(row_of({Value(name), number(value)}));
  result.Reference(Value::LIST(statistics_row_type(), std::move(rows)));
}

}  // namespace

void add_column_functions(Library& library) {
  library.scalar("build_columns", duckdb::ScalarFunction({LogicalType::UINTEGER}, LogicalType::BOOLEAN, build_columns),
                 Volatility::kVolatile);
  library.scalar("drop_columns", duckdb::ScalarFunction({LogicalType::UINTEGER}, LogicalType::BOOLEAN, drop_columns),
                 Volatility::kVolatile);
  library.scalar("columns", duckdb::ScalarFunction({}, LogicalType::LIST(columns_row_type()), list_columns),
                 Volatility::kVolatile);
  library.scalar("column_failures", duckdb::ScalarFunction({}, LogicalType::LIST(failures_row_type()), list_failures),
                 Volatility::kVolatile);
  library.scalar("statistics", duckdb::ScalarFunction({}, LogicalType::LIST(statistics_row_type()), list_statistics),
                 Volatility::kVolatile);
}

}  // namespace omendb::sql::functions
