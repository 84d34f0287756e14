#include "table/database.h"

namespace omendb::table {
namespace {

std::vector<types::PhysicalType> physical_columns(const catalog::Table& table) {
  std::vector<types::PhysicalType> out;
  for (const auto& column : table.columns) out.push_back(column.physical);
  return out;
}

/// The type whose order a column's values have: a domain's is its base type's.
Oid ordered_type(const catalog::Catalog& catalog, Oid type) {
  for (int depth = 0; depth < 32; ++depth) {
    const auto* domain = catalog.find<catalog::DomainType>(type);
    if (domain == nullptr) return type;
    type = domain->base_type;
  }
  return type;
}

}  // namespace

TableAccess::TableAccess(const catalog::Catalog& catalog, const catalog::Table& table)
    : table_(table), layout_(physical_columns(table)) {
  if (const auto* schema = catalog.find<catalog::Schema>(table.schema)) schema_name_ = schema->name;
  for (const int16_t attnum : table_.primary_key()) {
    const catalog::Column& column = table_.columns[static_cast<size_t>(attnum) - 1];
    key_columns_.push_back({ordered_type(catalog, column.type), column.physical});
    key_positions_.push_back(static_cast<size_t>(attnum) - 1);
  }
  fixed_key_bytes_ = key_columns_.empty() ? 8 : 0;
  for (const auto& column : key_columns_) {
    const auto kind = column.physical.kind;
    fixed_key_bytes_ = kind == types::Physical::kBytes ? 9 : fixed_key_bytes_ + codec::fixed_bytes(kind);
    if (fixed_key_bytes_ > 8) break;
  }
  if (fixed_key_bytes_ > 8) fixed_key_bytes_ = 0;
  for (const auto& constraint : table_.constraints) {
    if (constraint.kind != catalog::Constraint::Kind::kPrimaryKey || constraint.deferrable) continue;
    primary_name_ = constraint.name;
    primary_index_ = constraint.index;
  }
  for (const Oid oid : table_.indexes) {
    const auto* index = catalog.find<catalog::Index>(oid);
    if (index == nullptr || index->primary) continue;
    IndexAccess access;
    access.index = *index;
    access.constraint_name = index->name;
    for (const auto& constraint : table_.constraints) {
      const bool key = constraint.kind == catalog::Constraint::Kind::kPrimaryKey ||
                       constraint.kind == catalog::Constraint::Kind::kUnique;
      if (key && constraint.index == oid) access.deferrable = constraint.deferrable;
    }
    access.needs_evaluator = !index->predicate_sql.empty();
    for (const auto& key : index->keys) {
      codec::KeyColumn column;
      column.descending = key.descending;
      column.nulls_first = key.nulls_first;
      column.nullable = true;
      if (key.attnum > 0) {
        const catalog::Column& of = table_.columns[static_cast<size_t>(key.attnum) - 1];
        column.type = ordered_type(catalog, of.type);
        column.physical = of.physical;
        access.positions.push_back(static_cast<size_t>(key.attnum) - 1);
      } else {
        column.type = ordered_type(catalog, key.type);
        column.physical = key.physical;
        access.positions.push_back(SIZE_MAX);
        access.needs_evaluator = true;
      }
      access.columns.push_back(column);
    }
    secondary_.push_back(std::move(access));
  }
}

}  // namespace omendb::table
