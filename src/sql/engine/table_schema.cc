#include "sql/engine/table_schema.h"

#include "sql/duck_types.h"

namespace omendb::sql {

TableSchema::TableSchema(const catalog::Catalog& catalog, std::shared_ptr<const table::TableAccess> table_access)
    : access(std::move(table_access)) {
  const auto& columns = access->table().columns;
  types.reserve(columns.size() + 1);
  names.reserve(columns.size() + 1);
  for (const auto& column : columns) {
    Oid base = column.type;
    while (const auto* domain = catalog.find<catalog::DomainType>(base)) base = domain->base_type;
    types.push_back(duck_type(base, column.physical));
    names.push_back("c" + std::to_string(column.attnum));
    has_missing = has_missing || column.missing.has_value();
  }
  types.push_back(duckdb::LogicalType::BLOB);
  names.push_back("_key");
}

}  // namespace omendb::sql
