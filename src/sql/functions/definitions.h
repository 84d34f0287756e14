// Objects of the catalog as SQL, the way pg_get_constraintdef, pg_get_indexdef, pg_get_viewdef and pg_get_expr print them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"

namespace omendb::sql {

/// Names as a session sees them: qualified only when the search path does not find them.
class NameView {
 public:
  NameView(std::shared_ptr<const catalog::Catalog> catalog, std::vector<std::string> search_path, Oid temp_schema)
      : catalog_(std::move(catalog)), search_path_(std::move(search_path)), temp_schema_(temp_schema) {}
  const catalog::Catalog& catalog() const { return *catalog_; }

  /// The relation or type that a bare name means; kInvalidOid: none. System relations are found too.
  Oid find_relation(std::string_view name) const;
  Oid find_type(std::string_view name) const;  // user-defined ones only
  bool relation_visible(Oid relation) const;
  bool type_visible(Oid type) const;  // user-defined ones; built-in ones are
  /// Quoted where necessary; "" for an unknown OID.
  std::string relation_name(Oid relation) const;
  std::string qualified_relation_name(Oid relation) const;
  std::string schema_name(Oid schema) const;
  /// format_type(): "character varying(10)", "mood", "s.mood[]"; "???" for an unknown OID.
  std::string type_name(Oid type, int32_t typmod) const;
  std::string role_name(Oid role) const;

 private:
  std::vector<const catalog::Schema*> path() const;
  std::shared_ptr<const catalog::Catalog> catalog_;
  std::vector<std::string> search_path_;
  Oid temp_schema_;
};

/// A stored expression for reading, over `table`, or (nullptr) over a domain's VALUE, whose type is `value_type`.
std::string expression_text(const NameView& names, std::string_view stored, const catalog::Table* table, bool pretty,
                            const std::string& value_type = {});
std::string constraint_definition(const NameView& names, const catalog::Table& table,
                                  const catalog::Constraint& constraint, bool pretty);
std::string domain_constraint_definition(const NameView& names, const catalog::Constraint& constraint,
                                         const std::string& base_type, bool pretty);
/// `column` 0: the whole CREATE INDEX; else the key column of that number.
std::string index_definition(const NameView& names, const catalog::Index& index, int column, bool pretty);
/// What the column of an index over this expression is called: its function, or "expr".
std::string index_expression_name(const std::string& stored);
/// A view's SELECT with its semicolon.
std::string query_definition(const NameView& names, const std::string& stored_sql, bool pretty);

}  // namespace omendb::sql
