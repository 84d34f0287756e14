// Rows of the system relations: a producer a relation, and what producers write to.
//
//   system_rows.cc          omen_catalog(), the cache, rows from PostgreSQL's own data
//   system_objects.cc       pg_class, pg_attribute, pg_index, pg_constraint, pg_type, ...: our objects
//   system_views.cc         pg_tables, pg_views, pg_settings, pg_stat_...: views over them
//   system_information.cc   information_schema
//
// Invariants
//   1. A relation without a producer is empty; that must be true of us (no triggers, no publications, ...).
//   2. Rows of a cached relation depend on nothing but the catalog's version.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duckdb/common/types/data_chunk.hpp"

#include "catalog/catalog.h"
#include "sql/functions/definitions.h"
#include "sql/functions/system_catalogs.h"
#include "types/value.h"

namespace duckdb {
class DatabaseInstance;
}

namespace omendb::sql {

class SessionServices;

/// Of a table's rows or an index's entries: nobody counts them. 0 for what holds none.
int64_t estimated_bytes(SessionServices& services, Oid relation);

struct Null {};

/// Takes the rows of one relation.
class SystemRows {
 public:
  explicit SystemRows(const SystemRelation& relation);
  /// One row, a value a column in order. Numbers go to number columns (timestamps: microseconds since 1970), text to text columns;
  /// text for an array or vector column is its literal ("{1,2}", "1 2").
  template <class... T>
  void add(const T&... values) {
    CHECK(sizeof...(T) == relation_.columns.size());
    begin_row();
    size_t column = 0;
    (put(column++, values), ...);
  }
  /// For rows with many columns of one kind: values by column name, the others null.
  void begin_row();
  template <class T>
  void set(std::string_view column, const T& value) {
    put(position(column), value);
  }

  void put(size_t column, Null) { put_null(column); }
  void put(size_t column, bool v) { put_integer(column, v ? 1 : 0); }
  void put(size_t column, Oid v) { put_integer(column, v.value); }
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool> && !std::is_same_v<I, char>) void put(size_t column, I v) {
    put_integer(column, static_cast<int64_t>(v));
  }
  void put(size_t column, double v) { put_real(column, v); }
  void put(size_t column, char v) {
    if (v == 0)
      put_text(column, {});
    else
      put_text(column, std::string_view(&v, 1));
  }
  void put(size_t column, std::string_view v) { put_text(column, v); }
  void put(size_t column, const std::string& v) { put_text(column, v); }
  void put(size_t column, const char* v) { put_text(column, v); }
  template <class T>
  void put(size_t column, const std::optional<T>& v) {
    if (v)
      put(column, *v);
    else
      put_null(column);
  }
  /// A field of PostgreSQL's own data, read as the column's type.
  void put_field(size_t column, std::string_view field);

  std::vector<std::unique_ptr<duckdb::DataChunk>> take();

 private:
  size_t position(std::string_view column) const;
  void put_null(size_t column);
  void put_integer(size_t column, int64_t v);
  void put_real(size_t column, double v);
  void put_text(size_t column, std::string_view v);
  const SystemRelation& relation_;
  std::vector<types::PhysicalType> physical_;
  std::vector<bool> parsed_;  // text goes through the type's input function
  std::vector<std::unique_ptr<duckdb::DataChunk>> chunks_;
  size_t row_ = 0;
};

/// What a producer may look at.
struct SystemContext {
  const catalog::Catalog& catalog;
  const NameView& names;
  SessionServices* services;  // null while rows are made for the cache
};

using SystemProducer = std::function<void(const SystemContext&, SystemRows&)>;

struct SystemSource {
  SystemProducer produce;
  bool cached = false;    // see invariant 2
  bool constant = false;  // cached, and no version of the catalog changes it
  /// Of a cached relation: columns that depend on more, so that rows are produced anew for who reads one of them.
  std::vector<std::string_view> live = {};
};

/// By "schema.name".
using SystemSources = std::vector<std::pair<std::string, SystemSource>>;
void add_object_sources(SystemSources* sources);
void add_view_sources(SystemSources* sources);
void add_information_sources(SystemSources* sources);

/// Rows of a TSV of PostgreSQL's own data, columns matched by name.
void add_static_rows(const SystemContext& context, std::string_view table, SystemRows& rows);

/// omen_catalog(name).
void register_system_relations(duckdb::DatabaseInstance& db);

/// NameView of a session.
NameView names_of(SessionServices& services);

// Shared by producers.
std::string array_literal(const std::vector<int16_t>& values);
std::string text_array_literal(const std::vector<std::string>& values);
std::string options_literal(const std::map<std::string, std::string>& options);
/// The constraint that an index carries, and its table; null: none.
const catalog::Constraint* constraint_of_index(const catalog::Catalog& catalog, const catalog::Index& index);
/// pg_type's typlen, typbyval, typalign and typstorage of any type.
struct TypeShape {
  int16_t length = -1;
  bool by_value = false;
  char align = 'i', storage = 'x';
};
TypeShape type_shape(const catalog::Catalog& catalog, Oid type);

}  // namespace omendb::sql
