// pg_catalog and information_schema: every relation of PostgreSQL 15, with its columns.
//
// The relations are PostgreSQL's by name, OID, column order and type (frontend/data/system_*.tsv). Rows are made by producers
// over our catalog and over PostgreSQL's own static rows, as omen_catalog('schema.name'), a DuckDB table function whose columns
// are c1..cn by position (frontend/expr.h). They hold no stored rows: writing to one is refused by the analyser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/strong_id.h"

namespace omendb::sql {

struct SystemColumn {
  std::string name;
  /// What queries see. information_schema's domains are their base types here, as the wire protocol shows them.
  Oid type;
  int32_t typmod = -1;
  bool not_null = false;
  Oid declared_type;  // pg_attribute.atttypid: the domain
};

struct SystemRelation {
  Oid oid;  // fixed, below 16384
  Oid schema;
  std::string schema_name;
  std::string name;
  char kind = 'r';  // r table, v view
  Oid row_type;
  std::vector<SystemColumn> columns;  // column i is attnum i + 1 and DuckDB's "c<i + 1>"
};

/// The relation pg_catalog.name or information_schema.name; nullptr if there is none. Thread: any.
const SystemRelation* find_system_relation(std::string_view schema, std::string_view name);
const SystemRelation* find_system_relation(Oid oid);
/// All of them, by OID.
const std::vector<SystemRelation>& system_relations();

}  // namespace omendb::sql
