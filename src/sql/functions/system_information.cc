// information_schema: the SQL standard's view of the catalog. What PostgreSQL's views compute with joins is computed from the
// objects here.
#include <algorithm>
#include <map>

#include "sql/functions/system_rows.h"
#include "sql/services.h"
#include "types/type.h"

namespace omendb::sql {
namespace {

namespace cat = omendb::catalog;
using Kind = cat::Constraint::Kind;

const char* yes(bool b) { return b ? "YES" : "NO"; }

bool is_temp(const SystemContext& c, Oid schema) { return c.names.schema_name(schema).rfind("pg_temp_", 0) == 0; }

/// The columns data_type ... dtd_identifier that many views share.
struct TypeColumns {
  std::string data_type;
  std::optional<int64_t> char_length, octet_length, precision, radix, scale, datetime, interval;
  std::optional<std::string> interval_type;
  std::string udt_schema, udt_name;
  std::optional<std::string> domain_schema, domain_name;
};

TypeColumns type_columns(const SystemContext& c, Oid type, int32_t typmod) {
  TypeColumns t;
  Oid base = type;
  if (const auto* domain = c.catalog.find<cat::DomainType>(type)) {
    t.domain_schema = c.names.schema_name(domain->schema);
    t.domain_name = domain->name;
    while (const auto* inner = c.catalog.find<cat::DomainType>(base)) {
      if (inner->typmod != -1) typmod = inner->typmod;
      base = inner->base_type;
    }
  }
  const types::TypeInfo* info = types::find_type(base);
  if (info == nullptr) {
    Oid element = c.catalog.element_of_array(base);
    t.data_type = element != kInvalidOid ? "ARRAY" : "USER-DEFINED";
    Oid named = element != kInvalidOid ? element : base;
    auto object = c.catalog.object(named);
    if (object == nullptr) object = c.catalog.object(c.catalog.relation_of_row_type(named));
    if (object != nullptr) {
      t.udt_schema = c.names.schema_name(cat::object_schema(*object));
      t.udt_name = (element != kInvalidOid ? "_" : "") + std::string(cat::object_name(*object));
    }
    return t;
  }
  t.udt_schema = "pg_catalog";
  t.udt_name = info->name;
  if (info->category == 'A' && info->length == -1) {
    t.data_type = "ARRAY";
    return t;
  }
  t.data_type = c.names.type_name(base, -1);
  if (base == types::oid::kBpchar) t.data_type = "character";
  switch (base.value) {
    case 1042:
    case 1043:
      if (typmod >= 4) {
        t.char_length = typmod - 4;
        t.octet_length = std::min<int64_t>((typmod - 4) * int64_t{4}, 1073741824);
      } else {
        t.octet_length = 1073741824;
      }
      break;
    case 25: t.octet_length = 1073741824; break;
    case 1560:
    case 1562:
      if (typmod > 0) t.char_length = typmod;
      break;
    case 21:
      t.precision = 16;
      t.radix = 2;
      t.scale = 0;
      break;
    case 23:
      t.precision = 32;
      t.radix = 2;
      t.scale = 0;
      break;
    case 20:
      t.precision = 64;
      t.radix = 2;
      t.scale = 0;
      break;
    case 700:
      t.precision = 24;
      t.radix = 2;
      break;
    case 701:
      t.precision = 53;
      t.radix = 2;
      break;
    case 1700:
      t.radix = 10;
      if (typmod >= 4) {
        t.precision = types::numeric_typmod_precision(typmod);
        t.scale = types::numeric_typmod_scale(typmod);
      }
      break;
    case 1082: t.datetime = 0; break;
    case 1083:
    case 1114:
    case 1184:
    case 1266: t.datetime = typmod < 0 ? 6 : typmod; break;
    case 1186: {
      t.datetime = typmod < 0 || (typmod & 0xFFFF) == 0xFFFF ? 6 : typmod & 0xFFFF;
      std::string text = c.names.type_name(base, typmod);
      if (text.size() > 9 && text[8] == ' ') {
        t.interval_type = text.substr(9);
        for (char& ch : *t.interval_type) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
      }
      break;
    }
    default: break;
  }
  return t;
}

void set_type(SystemRows& rows, const SystemContext& c, const TypeColumns& t, bool with_domain) {
  rows.set("data_type", t.data_type);
  rows.set("character_maximum_length", t.char_length);
  rows.set("character_octet_length", t.octet_length);
  rows.set("numeric_precision", t.precision);
  rows.set("numeric_precision_radix", t.radix);
  rows.set("numeric_scale", t.scale);
  rows.set("datetime_precision", t.datetime);
  rows.set("interval_type", t.interval_type);
  rows.set("udt_catalog", c.services->database_name());
  rows.set("udt_schema", t.udt_schema);
  rows.set("udt_name", t.udt_name);
  if (with_domain && t.domain_name) {
    rows.set("domain_catalog", c.services->database_name());
    rows.set("domain_schema", t.domain_schema);
    rows.set("domain_name", t.domain_name);
  }
}

/// Tables and views, ours and the system's, as `visit(oid, schema, name, kind, is temporary)`.
template <class Visit>
void each_relation(const SystemContext& c, Visit visit) {
  for (const SystemRelation& r : system_relations()) visit(r.oid, r.schema_name, r.name, r.kind, false);
  c.catalog.for_each([&](const cat::Object& object) {
    if (auto* t = std::get_if<cat::Table>(&object); t != nullptr && !t->is_materialized_view()) {
      visit(t->oid, c.names.schema_name(t->schema), t->name, 'r', t->persistence == 't');
    }
    if (auto* v = std::get_if<cat::View>(&object))
      visit(v->oid, c.names.schema_name(v->schema), v->name, 'v', is_temp(c, v->schema));
  });
}

/// A view over one table without anything that hides which row is which: PostgreSQL updates through it. The stored text decides.
bool simply_updatable(const cat::View& v) {
  const std::string& s = v.sql;
  for (const char* word : {"\n  GROUP BY ", "\n HAVING ", "\nUNION ", "\nINTERSECT ", "\nEXCEPT ", "\n LIMIT ",
                           "\n OFFSET ", " SELECT DISTINCT", "WITH ", "JOIN ", " WINDOW "}) {
    if (s.find(word) != std::string::npos) return false;
  }
  return v.dependencies.size() == 1;
}

void tables(const SystemContext& c, SystemRows& rows) {
  each_relation(c, [&](Oid oid, const std::string& schema, const std::string& name, char kind, bool temporary) {
    const auto* view = c.catalog.find<cat::View>(oid);
    const bool insertable = kind == 'r' || (view != nullptr && simply_updatable(*view));
    rows.add(c.services->database_name(), schema, name,
             kind == 'v' ? "VIEW"
             : temporary ? "LOCAL TEMPORARY"
                         : "BASE TABLE",
             Null{}, Null{}, Null{}, Null{}, Null{}, yes(insertable), "NO", Null{});
  });
}

void columns(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  auto row = [&](const std::string& schema, const std::string& table, const std::string& name, int64_t ordinal,
                 bool nullable, Oid type, int32_t typmod, bool updatable) {
    rows.begin_row();
    rows.set("table_catalog", database);
    rows.set("table_schema", schema);
    rows.set("table_name", table);
    rows.set("column_name", name);
    rows.set("ordinal_position", ordinal);
    rows.set("is_nullable", yes(nullable));
    set_type(rows, c, type_columns(c, type, typmod), true);
    rows.set("dtd_identifier", std::to_string(ordinal));
    rows.set("is_self_referencing", "NO");
    rows.set("is_identity", "NO");
    rows.set("identity_cycle", "NO");
    rows.set("is_generated", "NEVER");
    rows.set("is_updatable", yes(updatable));
  };
  for (const SystemRelation& r : system_relations()) {
    int64_t ordinal = 0;
    for (const auto& column : r.columns)
      row(r.schema_name, r.name, column.name, ++ordinal, !column.not_null, column.type, column.typmod, false);
  }
  std::map<std::pair<Oid, int16_t>, const cat::Sequence*> identities;
  c.catalog.for_each_of<cat::Sequence>([&](const cat::Sequence& s) {
    if (s.identity) identities[{s.owned_by_table, s.owned_by_column}] = &s;
  });
  auto collation = [&](const cat::Column& column) {
    if (column.collation == Oid{950} || column.collation == Oid{951}) {
      if (column.type == types::oid::kName) return;
      rows.set("collation_catalog", database);
      rows.set("collation_schema", "pg_catalog");
      rows.set("collation_name", column.collation == Oid{950} ? "C" : "POSIX");
    }
  };
  c.catalog.for_each([&](const cat::Object& object) {
    if (auto* t = std::get_if<cat::Table>(&object); t != nullptr && !t->is_materialized_view()) {
      const std::string schema = c.names.schema_name(t->schema);
      for (const auto& column : t->columns) {
        if (column.dropped) continue;
        bool nullable = !column.not_null;
        if (const auto* domain = c.catalog.find<cat::DomainType>(column.type); domain != nullptr && domain->not_null)
          nullable = false;
        row(schema, t->name, column.name, column.attnum, nullable, column.type, column.typmod, true);
        collation(column);
        if (column.identity != 0) {
          rows.set("is_identity", "YES");
          rows.set("identity_generation", column.identity == 'a' ? "ALWAYS" : "BY DEFAULT");
          if (const auto* s = identities[{t->oid, column.attnum}]) {
            rows.set("identity_start", std::to_string(s->start));
            rows.set("identity_increment", std::to_string(s->increment));
            rows.set("identity_maximum", std::to_string(s->max));
            rows.set("identity_minimum", std::to_string(s->min));
            rows.set("identity_cycle", yes(s->cycle));
          }
        } else if (column.generated) {
          rows.set("is_generated", "ALWAYS");
          rows.set("generation_expression", expression_text(c.names, column.default_sql, t, false));
        } else if (!column.default_sql.empty()) {
          rows.set("column_default", expression_text(c.names, column.default_sql, t, false));
        }
      }
    }
    if (auto* v = std::get_if<cat::View>(&object)) {
      const std::string schema = c.names.schema_name(v->schema);
      const bool updatable = simply_updatable(*v);
      for (const auto& column : v->columns) {
        row(schema, v->name, column.name, column.attnum, true, column.type, column.typmod, updatable);
        collation(column);
      }
    }
  });
}

void views(const SystemContext& c, SystemRows& rows) {
  for (const SystemRelation& r : system_relations()) {
    if (r.kind == 'v')
      rows.add(c.services->database_name(), r.schema_name, r.name, Null{}, "NONE", "NO", "NO", "NO", "NO", "NO");
  }
  c.catalog.for_each_of<cat::View>([&](const cat::View& v) {
    const bool updatable = simply_updatable(v);
    rows.add(c.services->database_name(), c.names.schema_name(v.schema), v.name,
             query_definition(c.names, v.sql, false),
             v.check_option == 'l'   ? "LOCAL"
             : v.check_option == 'c' ? "CASCADED"
                                     : "NONE",
             yes(updatable), yes(updatable), "NO", "NO", "NO");
  });
}

void schemata(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Schema>([&](const cat::Schema& s) {
    rows.add(c.services->database_name(), s.name, c.names.role_name(s.owner), Null{}, Null{}, Null{}, Null{});
  });
}

void sequences(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Sequence>([&](const cat::Sequence& s) {
    if (s.identity) return;
    TypeColumns t = type_columns(c, s.type, -1);
    rows.add(c.services->database_name(), c.names.schema_name(s.schema), s.name, t.data_type, t.precision, 2, 0,
             std::to_string(s.start), std::to_string(s.min), std::to_string(s.max), std::to_string(s.increment),
             yes(s.cycle));
  });
}

void table_constraints(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    const std::string schema = c.names.schema_name(t.schema);
    for (const auto& k : t.constraints) {
      const char* type = k.kind == Kind::kPrimaryKey ? "PRIMARY KEY"
                         : k.kind == Kind::kUnique   ? "UNIQUE"
                         : k.kind == Kind::kCheck    ? "CHECK"
                                                     : "FOREIGN KEY";
      std::optional<std::string> distinct;
      if (k.kind == Kind::kUnique) {
        const auto* index = c.catalog.find<cat::Index>(k.index);
        distinct = yes(index == nullptr || !index->nulls_not_distinct);
      }
      rows.add(database, schema, k.name, database, schema, t.name, type, yes(k.deferrable), yes(k.initially_deferred),
               "YES", distinct);
    }
    // NOT NULL is a check constraint of the standard, named by number.
    for (const auto& column : t.columns) {
      if (column.dropped || !column.not_null) continue;
      std::string name = std::to_string(t.schema.value) + "_" + std::to_string(t.oid.value) + "_" +
                         std::to_string(column.attnum) + "_not_null";
      rows.add(database, schema, name, database, schema, t.name, "CHECK", "NO", "NO", "YES", Null{});
    }
  });
}

void check_constraints(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    const std::string schema = c.names.schema_name(t.schema);
    for (const auto& k : t.constraints) {
      if (k.kind == Kind::kCheck)
        rows.add(database, schema, k.name, "(" + expression_text(c.names, k.check_sql, &t, false) + ")");
    }
    for (const auto& column : t.columns) {
      if (column.dropped || !column.not_null) continue;
      std::string name = std::to_string(t.schema.value) + "_" + std::to_string(t.oid.value) + "_" +
                         std::to_string(column.attnum) + "_not_null";
      rows.add(database, schema, name, column.name + " IS NOT NULL");
    }
  });
  c.catalog.for_each_of<cat::DomainType>([&](const cat::DomainType& d) {
    for (const auto& k : d.checks)
      rows.add(
          database, c.names.schema_name(d.schema), k.name,
          "(" + expression_text(c.names, k.check_sql, nullptr, false, c.names.type_name(d.base_type, d.typmod)) + ")");
  });
}

void key_column_usage(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    const std::string schema = c.names.schema_name(t.schema);
    for (const auto& k : t.constraints) {
      if (k.kind == Kind::kCheck) continue;
      for (size_t i = 0; i < k.columns.size(); ++i) {
        std::optional<int64_t> position;
        if (k.kind == Kind::kForeignKey) {
          // Where the referenced column stands in the unique constraint.
          const auto* index = c.catalog.find<cat::Index>(k.index);
          for (size_t j = 0; index != nullptr && j < index->keys.size(); ++j) {
            if (index->keys[j].attnum == k.referenced_columns[i]) position = static_cast<int64_t>(j) + 1;
          }
        }
        rows.add(database, schema, k.name, database, schema, t.name,
                 t.columns[static_cast<size_t>(k.columns[i]) - 1].name, i + 1, position);
      }
    }
  });
}

void constraint_columns(const SystemContext& c, SystemRows& rows, bool by_table) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    const std::string schema = c.names.schema_name(t.schema);
    for (const auto& k : t.constraints) {
      const cat::Table* of = k.kind == Kind::kForeignKey ? c.catalog.find<cat::Table>(k.referenced_table) : &t;
      if (of == nullptr) continue;
      const std::string of_schema = c.names.schema_name(of->schema);
      if (by_table) {
        if (k.kind != Kind::kCheck) rows.add(database, of_schema, of->name, database, schema, k.name);
        continue;
      }
      for (int16_t attnum : k.kind == Kind::kForeignKey ? k.referenced_columns : k.columns) {
        rows.add(database, of_schema, of->name, of->columns[static_cast<size_t>(attnum) - 1].name, database, schema,
                 k.name);
      }
    }
  });
}

void referential_constraints(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  auto rule = [](char action) {
    switch (action) {
      case 'c': return "CASCADE";
      case 'n': return "SET NULL";
      case 'd': return "SET DEFAULT";
      case 'r': return "RESTRICT";
      default: return "NO ACTION";
    }
  };
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    for (const auto& k : t.constraints) {
      if (k.kind != Kind::kForeignKey) continue;
      std::optional<std::string> unique_catalog, unique_schema, unique_name;
      if (const auto* index = c.catalog.find<cat::Index>(k.index)) {
        if (const auto* target = constraint_of_index(c.catalog, *index)) {
          unique_catalog = database;
          unique_schema = c.names.schema_name(index->schema);
          unique_name = target->name;
        }
      }
      rows.add(database, c.names.schema_name(t.schema), k.name, unique_catalog, unique_schema, unique_name,
               k.match == 'f' ? "FULL" : "NONE", rule(k.on_update), rule(k.on_delete));
    }
  });
}

void domains(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::DomainType>([&](const cat::DomainType& d) {
    rows.begin_row();
    rows.set("domain_catalog", c.services->database_name());
    rows.set("domain_schema", c.names.schema_name(d.schema));
    rows.set("domain_name", d.name);
    set_type(rows, c, type_columns(c, d.base_type, d.typmod), false);
    if (!d.default_sql.empty()) rows.set("domain_default", expression_text(c.names, d.default_sql, nullptr, false));
    rows.set("dtd_identifier", "1");
  });
}

void domain_constraints(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::DomainType>([&](const cat::DomainType& d) {
    const std::string schema = c.names.schema_name(d.schema);
    for (const auto& k : d.checks) rows.add(database, schema, k.name, database, schema, d.name, "NO", "NO");
  });
}

void enabled_roles(const SystemContext& c, SystemRows& rows) {
  const auto* me = c.catalog.find_role(c.services->current_user());
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    const bool member =
        me != nullptr && (me->superuser || me->oid == r.oid ||
                          std::find(me->member_of.begin(), me->member_of.end(), r.oid) != me->member_of.end());
    if (member) rows.add(r.name);
  });
}

void table_privileges(const SystemContext& c, SystemRows& rows) {
  // Owners have everything; nothing else is kept.
  c.catalog.for_each([&](const cat::Object& object) {
    Oid owner, schema;
    if (auto* t = std::get_if<cat::Table>(&object))
      owner = t->owner, schema = t->schema;
    else if (auto* v = std::get_if<cat::View>(&object))
      owner = v->owner, schema = v->schema;
    else
      return;
    const std::string role = c.names.role_name(owner);
    for (const char* privilege : {"INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}) {
      rows.add(role, role, c.services->database_name(), c.names.schema_name(schema), cat::object_name(object),
               privilege, "YES", yes(std::string_view(privilege) == "SELECT"));
    }
  });
}

void view_table_usage(const SystemContext& c, SystemRows& rows) {
  const std::string database = c.services->database_name();
  c.catalog.for_each_of<cat::View>([&](const cat::View& v) {
    for (Oid used : v.dependencies) {
      auto object = c.catalog.object(used);
      if (object == nullptr ||
          !(std::holds_alternative<cat::Table>(*object) || std::holds_alternative<cat::View>(*object)))
        continue;
      rows.add(database, c.names.schema_name(v.schema), v.name, database,
               c.names.schema_name(cat::object_schema(*object)), cat::object_name(*object));
    }
  });
}

}  // namespace

void add_information_sources(SystemSources* sources) {
  auto add = [&](const char* name, SystemProducer produce) {
    sources->push_back({std::string("information_schema.") + name, {std::move(produce), false}});
  };
  add("information_schema_catalog_name",
      [](const SystemContext& c, SystemRows& rows) { rows.add(c.services->database_name()); });
  add("tables", tables);
  add("columns", columns);
  add("views", views);
  add("schemata", schemata);
  add("sequences", sequences);
  add("table_constraints", table_constraints);
  add("check_constraints", check_constraints);
  add("key_column_usage", key_column_usage);
  add("constraint_column_usage", [](const SystemContext& c, SystemRows& rows) { constraint_columns(c, rows, false); });
  add("constraint_table_usage", [](const SystemContext& c, SystemRows& rows) { constraint_columns(c, rows, true); });
  add("referential_constraints", referential_constraints);
  add("domains", domains);
  add("domain_constraints", domain_constraints);
  add("enabled_roles", enabled_roles);
  add("table_privileges", table_privileges);
  add("role_table_grants", table_privileges);
  add("view_table_usage", view_table_usage);
  add("character_sets", [](const SystemContext& c, SystemRows& rows) {
    rows.add(Null{}, Null{}, "UTF8", "UCS", "UTF8", c.services->database_name(), "pg_catalog", "default");
  });
}

}  // namespace omendb::sql
