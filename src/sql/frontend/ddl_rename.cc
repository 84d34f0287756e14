// RENAME, SET SCHEMA and OWNER TO of everything.
#include <algorithm>

#include "duckdb/parser/parsed_expression.hpp"

#include "catalog/password.h"
#include "sql/frontend/ddl_internal.h"
#include "sql/frontend/query.h"

namespace omendb::sql {
namespace {

Oid owner_of(const catalog::Object& object) {
  return std::visit(
      [](const auto& o) -> Oid {
        if constexpr (requires { o.owner; })
          return o.owner;
        else
          return kInvalidOid;
      },
      object);
}

/// A copy with another value of one member, for kinds of objects that have it.
template <class Change>
catalog::Object changed(const catalog::Object& object, Change change) {
  catalog::Object copy = object;
  std::visit(change, copy);
  return copy;
}

}  // namespace

void Ddl::move_relation(Oid relation, Oid schema, const std::string& name) {
  auto before = catalog();
  auto object = before->object(relation);
  if (object == nullptr) not_supported("renaming a composite type's relation");
  if (before->find_relation(schema, name) != kInvalidOid) {
    if (catalog::object_schema(*object) != schema) {
      throw SqlError(SqlState::kDuplicateTable,
                     "relation " + quoted(name) + " already exists in schema " + quoted(schema_name(schema)));
    }
    throw SqlError(SqlState::kDuplicateTable, "relation " + quoted(name) + " already exists");
  }
  // Views read with the old name, before it is gone.
  Rename what{.relation = relation};
  what.new_column = quote_qualified(schema_name(schema), name);
  rename_in_views(what);
  const Oid old_schema = catalog::object_schema(*object);
  put(changed(*catalog()->object(relation), [&](auto& o) {
    if constexpr (requires {
                    o.schema;
                    o.name;
                  }) {
      o.schema = schema;
      o.name = name;
    }
  }));
  if (const auto* table = catalog()->find<catalog::Table>(relation); table != nullptr && old_schema != schema) {
    // Indexes, owned sequences go along.
    for (Oid oid : table->indexes) {
      catalog::Index index = *catalog()->find<catalog::Index>(oid);
      index.schema = schema;
      put(std::move(index));
    }
    std::vector<catalog::Sequence> owned;
    catalog()->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
      if (s.owned_by_table == relation) owned.push_back(s);
    });
    for (auto& s : owned) {
      s.schema = schema;
      put(std::move(s));
    }
  }
  // An index's constraint has its name, and the other way round.
  if (const auto* index = catalog()->find<catalog::Index>(relation)) {
    catalog::Table table = *catalog()->find<catalog::Table>(index->table);
    for (auto& c : table.constraints) {
      if (c.index == relation && c.kind != catalog::Constraint::Kind::kForeignKey) c.name = name;
    }
    put(std::move(table));
  }
  if (const auto* table = before->find<catalog::Table>(relation))
    rename_type_everywhere(*before, table->row_type, quote_qualified(schema_name(schema), name));
}

void Ddl::rename_type_everywhere(const catalog::Catalog& before, Oid type, const std::string& new_name) {
  std::vector<catalog::Object> next;
  auto renamed = [&](std::string& text, bool& any) {
    if (text.find("::") == std::string::npos && text.find("CAST") == std::string::npos) return;
    if (uses_of(before, text).types.count(type) == 0) return;
    text = rename_type_in(before, text, type, new_name);
    any = true;
  };
  catalog()->for_each([&](const catalog::Object& object) {
    bool any = false;
    catalog::Object copy = object;
    if (auto* table = std::get_if<catalog::Table>(&copy)) {
      for (auto& c : table->columns) renamed(c.default_sql, any);
      for (auto& c : table->constraints) renamed(c.check_sql, any);
    } else if (auto* index = std::get_if<catalog::Index>(&copy)) {
      for (auto& key : index->keys) renamed(key.expression_sql, any);
      renamed(index->predicate_sql, any);
    } else if (auto* domain = std::get_if<catalog::DomainType>(&copy)) {
      renamed(domain->default_sql, any);
      for (auto& c : domain->checks) renamed(c.check_sql, any);
    }
    if (any) next.push_back(std::move(copy));
  });
  for (auto& object : next) put(std::move(object));
}

void Ddl::move_type(Oid type, Oid schema, const std::string& name) {
  auto before = catalog();
  if (Oid other = before->find_type(schema, name); other != kInvalidOid) {
    throw SqlError(SqlState::kDuplicateObject, "type " + quoted(name) + " already exists");
  }
  Rename what{.relation = kInvalidOid};
  what.type = type;
  what.new_type = quote_qualified(schema_name(schema), name);
  rename_in_views(what);
  rename_type_everywhere(*before, type, what.new_type);
  put(changed(*catalog()->object(type), [&](auto& o) {
    if constexpr (requires {
                    o.schema;
                    o.name;
                  }) {
      o.schema = schema;
      o.name = name;
    }
  }));
}

void Ddl::rename_column(Oid relation, const std::string& old_name, const std::string& new_name) {
  auto now = catalog();
  if (const auto* view = now->find<catalog::View>(relation)) {
    catalog::View next = *view;
    catalog::Column* column = nullptr;
    for (auto& c : next.columns) {
      if (c.name == new_name)
        throw SqlError(SqlState::kDuplicateColumn,
                       "column " + quoted(new_name) + " of relation " + quoted(view->name) + " already exists");
      if (c.name == old_name) column = &c;
    }
    if (column == nullptr) throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(old_name) + " does not exist");
    rename_in_views(Rename{.relation = relation, .attnum = column->attnum, .new_column = new_name});
    column->name = new_name;
    put(std::move(next));
    return;
  }
  const auto* table = now->find<catalog::Table>(relation);
  if (table == nullptr) {
    throw SqlError(SqlState::kWrongObjectType, "cannot rename columns of relation " + relation_text(relation))
        .detail("This operation is not supported for " + std::string(relation_kind(*now, relation)) + "s.");
  }
  const catalog::Column* column = table->find_column(old_name);
  if (column == nullptr) throw SqlError(SqlState::kUndefinedColumn, "column " + quoted(old_name) + " does not exist");
  if (table->find_column(new_name) != nullptr) {
    throw SqlError(SqlState::kDuplicateColumn,
                   "column " + quoted(new_name) + " of relation " + quoted(table->name) + " already exists");
  }
  if (is_system_column(new_name)) {
    throw SqlError(SqlState::kDuplicateColumn,
                   "column name " + quoted(new_name) + " conflicts with a system column name");
  }
  const int16_t attnum = column->attnum;
  rename_in_views(Rename{.relation = relation, .attnum = attnum, .new_column = new_name});
  catalog::Table next = *catalog()->find<catalog::Table>(relation);
  for (auto& c : next.columns) {
    if (c.attnum == attnum)
      c.name = new_name;
    else if (c.generated)
      c.default_sql = rename_column_in(c.default_sql, old_name, new_name);
  }
  for (auto& c : next.constraints) {
    if (c.kind == catalog::Constraint::Kind::kCheck) c.check_sql = rename_column_in(c.check_sql, old_name, new_name);
  }
  std::vector<Oid> indexes = next.indexes;
  put(std::move(next));
  for (Oid oid : indexes) {
    catalog::Index index = *catalog()->find<catalog::Index>(oid);
    bool any = !index.predicate_sql.empty();
    index.predicate_sql = rename_column_in(index.predicate_sql, old_name, new_name);
    for (auto& key : index.keys) {
      if (key.attnum != 0) continue;
      key.expression_sql = rename_column_in(key.expression_sql, old_name, new_name);
      any = true;
    }
    if (any) put(std::move(index));
  }
}

std::string Ddl::rename(RenameStmt* stmt) {
  const std::string new_name = stmt->newname;
  auto expect = [&](Oid oid, const char* kind) {
    if (relation_kind(*catalog(), oid) != kind) {
      throw SqlError(SqlState::kWrongObjectType,
                     quoted(stmt->relation->relname) + " is not " + (*kind == 'i' ? "an " : "a ") + kind);
    }
  };
  auto open = [&](txn::ObjectLockMode mode) -> Oid {
    Oid oid = open_relation(stmt->relation, mode, stmt->missing_ok);
    if (oid == kInvalidOid) {
      notice(SqlState::kSuccessfulCompletion,
             "relation " + quoted(stmt->relation->relname) + " does not exist, skipping");
      return oid;
    }
    auto object = catalog()->object(oid);
    if (object != nullptr) {
      Oid owner = owner_of(*object);
      if (auto* index = catalog()->find<catalog::Index>(oid))
        owner = catalog()->find<catalog::Table>(index->table)->owner;
      check_owner(owner, std::string(relation_kind(*catalog(), oid)).c_str(), stmt->relation->relname);
    }
    if (stmt->renameType == OBJECT_VIEW) expect(oid, "view");
    if (stmt->renameType == OBJECT_SEQUENCE) expect(oid, "sequence");
    if (stmt->renameType == OBJECT_MATVIEW) expect(oid, "materialized view");
    if (object == nullptr) refuse_composite(stmt->relation);
    return oid;
  };
  switch (stmt->renameType) {
    case OBJECT_TABLE:
    case OBJECT_VIEW:
    case OBJECT_INDEX:
    case OBJECT_SEQUENCE:
    case OBJECT_MATVIEW: {
      const char* tag = stmt->renameType == OBJECT_TABLE      ? "ALTER TABLE"
                        : stmt->renameType == OBJECT_VIEW     ? "ALTER VIEW"
                        : stmt->renameType == OBJECT_INDEX    ? "ALTER INDEX"
                        : stmt->renameType == OBJECT_SEQUENCE ? "ALTER SEQUENCE"
                                                              : "ALTER MATERIALIZED VIEW";
      Oid oid = open(txn::ObjectLockMode::kAccessExclusive);
      if (oid == kInvalidOid) return tag;
      move_relation(oid, catalog::object_schema(*catalog()->object(oid)), new_name);
      return tag;
    }
    case OBJECT_COLUMN: {
      const char* tag = stmt->relationType == OBJECT_VIEW      ? "ALTER VIEW"
                        : stmt->relationType == OBJECT_MATVIEW ? "ALTER MATERIALIZED VIEW"
                                                               : "ALTER TABLE";
      Oid oid = open(txn::ObjectLockMode::kAccessExclusive);
      if (oid != kInvalidOid) rename_column(oid, stmt->subname, new_name);
      return tag;
    }
    case OBJECT_TABCONSTRAINT: {
      Oid oid = open(txn::ObjectLockMode::kAccessExclusive);
      if (oid == kInvalidOid) return "ALTER TABLE";
      const auto* table = catalog()->find<catalog::Table>(oid);
      if (table == nullptr)
        throw SqlError(SqlState::kWrongObjectType, quoted(stmt->relation->relname) + " is not a table");
      const auto* found = table->find_constraint(stmt->subname);
      if (found == nullptr) {
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(stmt->subname) + " for table " + quoted(table->name) + " does not exist");
      }
      if (table->find_constraint(new_name) != nullptr) {
        throw SqlError(SqlState::kDuplicateObject,
                       "constraint " + quoted(new_name) + " for relation " + quoted(table->name) + " already exists");
      }
      if (found->kind == catalog::Constraint::Kind::kPrimaryKey || found->kind == catalog::Constraint::Kind::kUnique) {
        move_relation(found->index, table->schema, new_name);
        return "ALTER TABLE";
      }
      catalog::Table next = *table;
      for (auto& c : next.constraints) {
        if (c.name == stmt->subname) c.name = new_name;
      }
      put(std::move(next));
      return "ALTER TABLE";
    }
    case OBJECT_SCHEMA: {
      const catalog::Schema* schema = catalog()->find_schema(stmt->subname);
      if (schema == nullptr)
        throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(stmt->subname) + " does not exist");
      check_owner(schema->owner, "schema", schema->name);
      if (new_name.rfind("pg_", 0) == 0) {
        throw SqlError(SqlState::kReservedName, "unacceptable schema name " + quoted(new_name))
            .detail("The prefix \"pg_\" is reserved for system schemas.");
      }
      if (catalog()->find_schema(new_name) != nullptr)
        throw SqlError(SqlState::kDuplicateSchema, "schema " + quoted(new_name) + " already exists");
      // Everything in it that a stored text names is named anew.
      auto before = catalog();
      const Oid oid = schema->oid;
      std::vector<std::pair<Oid, std::string>> relations, types;
      before->for_each([&](const catalog::Object& object) {
        if (catalog::object_schema(object) != oid) return;
        std::string name(catalog::object_name(object));
        const bool type = std::holds_alternative<catalog::EnumType>(object) ||
                          std::holds_alternative<catalog::DomainType>(object) ||
                          std::holds_alternative<catalog::CompositeType>(object);
        (type ? types : relations).emplace_back(catalog::object_oid(object), name);
      });
      bool used = false;
      auto check = [&](const std::vector<Oid>& dependencies) {
        for (Oid d : dependencies) {
          auto object = before->object(d);
          used = used || (object != nullptr && catalog::object_schema(*object) == oid);
        }
      };
      before->for_each_of<catalog::View>([&](const catalog::View& v) { check(v.dependencies); });
      before->for_each_of<catalog::Table>([&](const catalog::Table& t) { check(t.view_dependencies); });
      if (used) not_supported("renaming a schema whose relations or types views use");
      for (auto& [type, name] : types) rename_type_everywhere(*before, type, quote_qualified(new_name, name));
      catalog::Schema next = *catalog()->find<catalog::Schema>(oid);
      next.name = new_name;
      put(std::move(next));
      return "ALTER SCHEMA";
    }
    case OBJECT_TYPE:
    case OBJECT_DOMAIN: {
      auto* names = castNode(List, stmt->object);
      Oid type = lookup_type(names);
      auto object = type == kInvalidOid ? nullptr : catalog()->object(type);
      if (object == nullptr)
        throw SqlError(SqlState::kUndefinedObject, "type " + quoted(strings_of(names).back()) + " does not exist");
      check_owner(owner_of(*object), "type", catalog::object_name(*object));
      move_type(type, catalog::object_schema(*object), new_name);
      return stmt->renameType == OBJECT_TYPE ? "ALTER TYPE" : "ALTER DOMAIN";
    }
    case OBJECT_DOMCONSTRAINT: {
      Oid type = lookup_type(castNode(List, stmt->object));
      const auto* domain = catalog()->find<catalog::DomainType>(type);
      if (domain == nullptr)
        throw SqlError(SqlState::kUndefinedObject,
                       "type " + quoted(strings_of(castNode(List, stmt->object)).back()) + " does not exist");
      catalog::DomainType next = *domain;
      bool found = false;
      for (auto& c : next.checks) {
        if (c.name == stmt->subname) {
          c.name = new_name;
          found = true;
        }
      }
      if (!found)
        throw SqlError(SqlState::kUndefinedObject,
                       "constraint " + quoted(stmt->subname) + " for domain " + domain->name + " does not exist");
      put(std::move(next));
      return "ALTER DOMAIN";
    }
    case OBJECT_ATTRIBUTE: return rename_attribute(stmt);
    case OBJECT_ROLE: {
      const catalog::Role* role = catalog()->find_role(stmt->subname);
      if (role == nullptr)
        throw SqlError(SqlState::kUndefinedObject, "role " + quoted(stmt->subname) + " does not exist");
      if (!is_superuser()) throw SqlError(SqlState::kInsufficientPrivilege, "permission denied to rename role");
      catalog::Role next = *role;
      next.name = new_name;
      if (catalog::is_md5_verifier(next.password)) {
        next.password.clear();
        notice(SqlState::kSuccessfulCompletion, "MD5 password cleared because of role rename");
      }
      put(std::move(next));
      return "ALTER ROLE";
    }
    case OBJECT_DATABASE: not_supported("ALTER DATABASE RENAME");
    default: not_supported("renaming this kind of object");
  }
}

std::string Ddl::set_schema(AlterObjectSchemaStmt* stmt) {
  Oid schema = schema_oid(stmt->newschema);
  switch (stmt->objectType) {
    case OBJECT_TABLE:
    case OBJECT_VIEW:
    case OBJECT_SEQUENCE:
    case OBJECT_MATVIEW: {
      const char* tag = stmt->objectType == OBJECT_TABLE      ? "ALTER TABLE"
                        : stmt->objectType == OBJECT_VIEW     ? "ALTER VIEW"
                        : stmt->objectType == OBJECT_SEQUENCE ? "ALTER SEQUENCE"
                                                              : "ALTER MATERIALIZED VIEW";
      Oid oid = open_relation(stmt->relation, txn::ObjectLockMode::kAccessExclusive, stmt->missing_ok);
      if (oid == kInvalidOid) {
        notice(SqlState::kSuccessfulCompletion,
               "relation " + quoted(stmt->relation->relname) + " does not exist, skipping");
        return tag;
      }
      auto object = catalog()->object(oid);
      if (object == nullptr) refuse_composite(stmt->relation);
      check_owner(owner_of(*object), std::string(relation_kind(*catalog(), oid)).c_str(), stmt->relation->relname);
      if (auto* sequence = std::get_if<catalog::Sequence>(object.get());
          sequence != nullptr && sequence->owned_by_table != kInvalidOid) {
        throw SqlError(SqlState::kFeatureNotSupported, "cannot move an owned sequence into another schema")
            .detail("Sequence " + quoted(sequence->name) + " is linked to table " +
                    quoted(catalog()->find<catalog::Table>(sequence->owned_by_table)->name) + ".");
      }
      if (catalog::object_schema(*object) == schema) return tag;
      move_relation(oid, schema, std::string(catalog::object_name(*object)));
      return tag;
    }
    case OBJECT_TYPE:
    case OBJECT_DOMAIN: {
      auto* names = castNode(List, stmt->object);
      Oid type = lookup_type(names);
      auto object = type == kInvalidOid ? nullptr : catalog()->object(type);
      if (object == nullptr)
        throw SqlError(SqlState::kUndefinedObject, "type " + quoted(strings_of(names).back()) + " does not exist");
      check_owner(owner_of(*object), "type", catalog::object_name(*object));
      if (catalog::object_schema(*object) != schema)
        move_type(type, schema, std::string(catalog::object_name(*object)));
      return stmt->objectType == OBJECT_TYPE ? "ALTER TYPE" : "ALTER DOMAIN";
    }
    default: not_supported("SET SCHEMA of this kind of object");
  }
}

void Ddl::change_owner(Oid oid, Oid owner) {
  auto object = catalog()->object(oid);
  put(changed(*object, [&](auto& o) {
    if constexpr (requires { o.owner; }) o.owner = owner;
  }));
  if (std::holds_alternative<catalog::Table>(*object)) {
    std::vector<catalog::Sequence> owned;
    catalog()->for_each_of<catalog::Sequence>([&](const catalog::Sequence& s) {
      if (s.owned_by_table == oid) owned.push_back(s);
    });
    for (auto& s : owned) {
      s.owner = owner;
      put(std::move(s));
    }
  }
}

std::string Ddl::set_owner(AlterOwnerStmt* stmt) {
  Oid owner = role_of(stmt->newowner);
  switch (stmt->objectType) {
    case OBJECT_SCHEMA: {
      const catalog::Schema* schema = catalog()->find_schema(strVal(stmt->object));
      if (schema == nullptr)
        throw SqlError(SqlState::kUndefinedSchema, "schema " + quoted(strVal(stmt->object)) + " does not exist");
      check_owner(schema->owner, "schema", schema->name);
      change_owner(schema->oid, owner);
      return "ALTER SCHEMA";
    }
    case OBJECT_TYPE:
    case OBJECT_DOMAIN: {
      auto* names = castNode(List, stmt->object);
      Oid type = lookup_type(names);
      auto object = type == kInvalidOid ? nullptr : catalog()->object(type);
      if (object == nullptr)
        throw SqlError(SqlState::kUndefinedObject, "type " + quoted(strings_of(names).back()) + " does not exist");
      check_owner(owner_of(*object), "type", catalog::object_name(*object));
      change_owner(type, owner);
      return stmt->objectType == OBJECT_TYPE ? "ALTER TYPE" : "ALTER DOMAIN";
    }
    case OBJECT_DATABASE: return "ALTER DATABASE";
    default: not_supported("OWNER TO of this kind of object");
  }
}

}  // namespace omendb::sql
