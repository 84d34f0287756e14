#include "sql/functions/system_catalogs.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/check.h"
#include "catalog/objects.h"
#include "sql/frontend/pg_data.h"
#include "types/type.h"

namespace omendb::sql {
namespace {

template <class Integer>
Integer number(std::string_view field) {
  Integer value{};
  auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  CHECK(error == std::errc() && end == field.data() + field.size());
  return value;
}

struct Registry {
  std::vector<SystemRelation> relations;
  std::unordered_map<std::string, const SystemRelation*> by_name;
  std::unordered_map<Oid, const SystemRelation*> by_oid;
};

/// information_schema's domains, by name, as their base types.
Oid base_of_domain(std::string_view name) {
  if (name == "cardinal_number") return types::oid::kInt4;
  if (name == "character_data" || name == "yes_or_no") return types::oid::kVarchar;
  if (name == "sql_identifier") return types::oid::kName;
  CHECK(name == "time_stamp");
  return types::oid::kTimestampTz;
}

Registry load() {
  Registry registry;
  std::unordered_map<uint32_t, size_t> position;
  for (const auto& fields : parse_pg_data("system_relations").rows) {
    SystemRelation relation;
    relation.oid = Oid{number<uint32_t>(fields[0])};
    relation.schema_name = fields[1];
    relation.schema = fields[1] == "pg_catalog" ? catalog::oid::kPgCatalogSchema : catalog::oid::kInformationSchema;
    relation.name = fields[2];
    relation.kind = fields[3][0];
    relation.row_type = Oid{number<uint32_t>(fields[4])};
    position[relation.oid.value] = registry.relations.size();
    registry.relations.push_back(std::move(relation));
  }
  for (const auto& fields : parse_pg_data("system_attributes").rows) {
    SystemRelation& relation = registry.relations[position.at(number<uint32_t>(fields[0]))];
    CHECK(number<size_t>(fields[1]) == relation.columns.size() + 1);
    SystemColumn column;
    column.name = fields[2];
    column.declared_type = Oid{number<uint32_t>(fields[3])};
    column.type = fields[4].empty() ? column.declared_type : base_of_domain(fields[4]);
    column.typmod = number<int32_t>(fields[6]);
    column.not_null = fields[11] == "t";
    relation.columns.push_back(std::move(column));
  }
  for (const SystemRelation& relation : registry.relations) {
    CHECK(!relation.columns.empty());
    registry.by_name[relation.schema_name + "." + relation.name] = &relation;
    registry.by_oid[relation.oid] = &relation;
  }
  return registry;
}

const Registry& registry() {
  static const Registry loaded = load();
  return loaded;
}

}  // namespace

const SystemRelation* find_system_relation(std::string_view schema, std::string_view name) {
  std::string key(schema);
  key += '.';
  key += name;
  auto it = registry().by_name.find(key);
  return it == registry().by_name.end() ? nullptr : it->second;
}

const SystemRelation* find_system_relation(Oid oid) {
  auto it = registry().by_oid.find(oid);
  return it == registry().by_oid.end() ? nullptr : it->second;
}

const std::vector<SystemRelation>& system_relations() { return registry().relations; }

}  // namespace omendb::sql
