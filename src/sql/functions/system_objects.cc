// The catalogs that describe objects: ours first, then PostgreSQL's own, which describe themselves.
#include <algorithm>
#include <set>

#include "sql/frontend/pg_data.h"
#include "sql/functions/definitions.h"
#include "sql/functions/system_rows.h"
#include "sql/services.h"
#include "types/type.h"

namespace omendb::sql {
namespace {

namespace cat = omendb::catalog;
constexpr Oid kNone{};
constexpr Oid kHeap{2}, kBtree{403}, kHash{405};

void pg_namespace(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Schema>([&](const cat::Schema& s) { rows.add(s.oid, s.name, s.owner, Null{}); });
}

struct ClassRow {
  Oid oid, schema, type, owner, am, filenode;
  std::string name;
  char persistence = 'p', kind = 'r', identity = 'n';
  int64_t columns = 0, checks = 0;
  double tuples = -1;
  int64_t pages = 0;
  bool has_index = false, has_rules = false, has_triggers = false, populated = true, shared = false;
  std::map<std::string, std::string> options;
  Oid tablespace, toast;
};

void put(SystemRows& rows, const ClassRow& r) {
  const bool stored = r.kind == 'r' || r.kind == 'm';
  rows.add(r.oid, r.name, r.schema, r.type, kNone, r.owner, r.am, r.filenode, r.tablespace, r.pages, r.tuples, 0,
           r.toast, r.has_index, r.shared, r.persistence, r.kind, r.columns, r.checks, r.has_rules, r.has_triggers,
           false, false, false, r.populated, r.identity, false, kNone, stored ? 3 : 0, stored ? 1 : 0, Null{},
           r.options.empty() ? std::optional<std::string>() : options_literal(r.options), Null{});
}

void pg_class(const SystemContext& c, SystemRows& rows) {
  static const PgDataTable data = parse_pg_data("system_relations");
  static const size_t oid = data.column("oid"), am = data.column("relam"), filenode = data.column("relfilenode"),
                      space = data.column("reltablespace"), toast = data.column("reltoastrelid"),
                      index = data.column("relhasindex"), shared = data.column("relisshared"),
                      rules = data.column("relhasrules"), identity = data.column("relreplident");
  auto number = [](std::string_view text) { return Oid{static_cast<uint32_t>(std::stoul(std::string(text)))}; };
  for (const auto& line : data.rows) {
    const SystemRelation& relation = *find_system_relation(number(line[oid]));
    ClassRow r;
    r.oid = relation.oid;
    r.schema = relation.schema;
    r.type = relation.row_type;
    r.owner = cat::oid::kBootstrapRole;
    r.name = relation.name;
    r.kind = relation.kind;
    r.am = number(line[am]);
    r.filenode = number(line[filenode]);
    r.tablespace = number(line[space]);
    r.toast = number(line[toast]);
    // Rows are produced, so there is no index to look for.
    (void)line[index];
    r.shared = line[shared] == "t";
    r.has_rules = line[rules] == "t";
    r.identity = line[identity][0];
    r.columns = static_cast<int64_t>(relation.columns.size());
    put(rows, r);
  }
  // psql lists foreign keys of tables that have triggers; in PostgreSQL both sides of one have.
  std::set<Oid> in_foreign_keys;
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    for (const auto& k : t.constraints) {
      if (k.kind == cat::Constraint::Kind::kForeignKey) in_foreign_keys.insert({t.oid, k.referenced_table});
    }
  });
  // What PostgreSQL knows since the last VACUUM or ANALYZE is known at any time here.
  const auto estimate = [&](ClassRow& r, Oid table) {
    if (c.services == nullptr) return;
    const auto access = c.services->table_access(table);
    if (access == nullptr) return;
    r.tuples = static_cast<double>(c.services->database().estimate_rows(*access));
    r.pages = estimated_bytes(*c.services, r.oid) / 8192;
  };
  c.catalog.for_each([&](const cat::Object& object) {
    ClassRow r;
    if (auto* t = std::get_if<cat::Table>(&object)) {
      r = {.oid = t->oid,
           .schema = t->schema,
           .type = t->row_type,
           .owner = t->owner,
           .am = kHeap,
           .filenode = t->oid,
           .name = t->name,
           .persistence = t->persistence,
           .kind = t->is_materialized_view() ? 'm' : 'r',
           .identity = 'd',
           .columns = static_cast<int64_t>(t->columns.size())};
      r.has_index = !t->indexes.empty();
      r.has_triggers = in_foreign_keys.count(t->oid) != 0;
      r.has_rules = t->is_materialized_view();
      r.populated = t->populated;
      r.options = t->options;
      for (const auto& k : t->constraints) {
        if (k.kind == cat::Constraint::Kind::kCheck) ++r.checks;
      }
      estimate(r, t->oid);
    } else if (auto* i = std::get_if<cat::Index>(&object)) {
      const auto* table = c.catalog.find<cat::Table>(i->table);
      r = {.oid = i->oid,
           .schema = i->schema,
           .owner = table != nullptr ? table->owner : cat::oid::kBootstrapRole,
           .am = i->method == "hash" ? kHash : kBtree,
           .filenode = i->oid,
           .name = i->name,
           .persistence = table != nullptr ? table->persistence : 'p',
           .kind = 'i',
           .columns = static_cast<int64_t>(i->keys.size() + i->included.size()),
           .tuples = 0,
           .pages = 1};
      r.options = i->options;
      estimate(r, i->table);
    } else if (auto* v = std::get_if<cat::View>(&object)) {
      r = {.oid = v->oid,
           .schema = v->schema,
           .type = v->row_type,
           .owner = v->owner,
           .name = v->name,
           .kind = 'v',
           .columns = static_cast<int64_t>(v->columns.size())};
      const auto* schema = c.catalog.find<cat::Schema>(v->schema);
      if (schema != nullptr && schema->name.rfind("pg_temp_", 0) == 0) r.persistence = 't';
      r.has_rules = true;
      r.options = v->options;
    } else if (auto* s = std::get_if<cat::Sequence>(&object)) {
      r = {.oid = s->oid,
           .schema = s->schema,
           .owner = s->owner,
           .filenode = s->oid,
           .name = s->name,
           .persistence = s->persistence,
           .kind = 'S',
           .columns = 3,
           .tuples = 1,
           .pages = 1};
    } else if (auto* k = std::get_if<cat::CompositeType>(&object)) {
      r = {.oid = k->relation,
           .schema = k->schema,
           .type = k->oid,
           .owner = k->owner,
           .name = k->name,
           .kind = 'c',
           .columns = static_cast<int64_t>(k->columns.size())};
    } else {
      return;
    }
    put(rows, r);
  });
}

void attribute(const SystemContext& c, SystemRows& rows, Oid relation, const cat::Column& column, char kind) {
  const bool dropped = column.dropped;
  const TypeShape shape = type_shape(c.catalog, column.type);
  const bool array =
      c.catalog.element_of_array(column.type) != kInvalidOid || types::array_element_type(column.type) != kInvalidOid;
  const bool has_default = !column.default_sql.empty() && column.identity == 0;
  rows.add(relation, column.name, dropped ? kNone : column.type, column.attnum < 0 ? 0 : -1, shape.length,
           column.attnum, array ? 1 : 0, -1, column.typmod, shape.by_value, shape.align, shape.storage, '\0',
           column.not_null, has_default && kind != 'c', column.missing.has_value(), column.identity,
           column.generated ? 's' : '\0', dropped, true, 0, column.collation, Null{}, Null{}, Null{}, Null{});
}

void pg_attribute(const SystemContext& c, SystemRows& rows) {
  static const PgDataTable data = parse_pg_data("system_attributes");
  for (const auto& f : data.rows) {
    // attrelid attnum attname atttypid domain attlen atttypmod attndims attbyval attalign attstorage attnotnull attcollation
    rows.begin_row();
    const size_t to[] = {0, 5, 1, 2, SIZE_MAX, 4, 8, 6, 9, 10, 11, 13, 21};
    for (size_t i = 0; i < f.size(); ++i) {
      if (to[i] != SIZE_MAX) rows.put_field(to[i], f[i]);
    }
    rows.set("attstattarget", -1);
    rows.set("attcacheoff", -1);
    rows.set("attcompression", "");
    for (const char* name : {"atthasdef", "atthasmissing", "attisdropped"}) rows.set(name, false);
    rows.set("attidentity", "");
    rows.set("attgenerated", "");
    rows.set("attislocal", true);
    rows.set("attinhcount", 0);
  }
  struct SystemColumnOfTables {
    const char* name;
    Oid type;
    int16_t attnum;
  };
  static constexpr SystemColumnOfTables kSystem[] = {
      {"tableoid", types::oid::kOid, -6}, {"cmax", types::oid::kCid, -5}, {"xmax", types::oid::kXid, -4},
      {"cmin", types::oid::kCid, -3},     {"xmin", types::oid::kXid, -2}, {"ctid", types::oid::kTid, -1}};
  c.catalog.for_each([&](const cat::Object& object) {
    if (auto* t = std::get_if<cat::Table>(&object)) {
      for (const auto& s : kSystem) {
        cat::Column column{.attnum = s.attnum, .name = s.name, .type = s.type, .not_null = true};
        attribute(c, rows, t->oid, column, 'c');
      }
      for (const auto& column : t->columns) attribute(c, rows, t->oid, column, 'r');
    } else if (auto* v = std::get_if<cat::View>(&object)) {
      for (const auto& column : v->columns) attribute(c, rows, v->oid, column, 'v');
    } else if (auto* k = std::get_if<cat::CompositeType>(&object)) {
      for (const auto& column : k->columns) attribute(c, rows, k->relation, column, 'c');
    } else if (auto* s = std::get_if<cat::Sequence>(&object)) {
      int16_t attnum = 0;
      for (auto [name, type] : {std::pair{"last_value", types::oid::kInt8},
                                {"log_cnt", types::oid::kInt8},
                                {"is_called", types::oid::kBool}}) {
        attribute(c, rows, s->oid, {.attnum = ++attnum, .name = name, .type = type, .not_null = true}, 'S');
      }
    } else if (auto* i = std::get_if<cat::Index>(&object)) {
      const auto* table = c.catalog.find<cat::Table>(i->table);
      if (table == nullptr) return;
      int16_t attnum = 0;
      std::set<std::string> taken;
      auto new_name = [&](const std::string& wanted) {
        std::string name = wanted;
        for (int n = 1; !taken.insert(name).second; ++n) name = wanted + std::to_string(n);
        return name;
      };
      auto of_column = [&](int16_t from) {
        const cat::Column& source = table->columns[static_cast<size_t>(from) - 1];
        attribute(c, rows, i->oid,
                  {.attnum = ++attnum,
                   .name = new_name(source.name),
                   .type = source.type,
                   .typmod = source.typmod,
                   .collation = source.collation},
                  'i');
      };
      for (const auto& key : i->keys) {
        if (key.attnum != 0)
          of_column(key.attnum);
        else
          attribute(c, rows, i->oid,
                    {.attnum = ++attnum, .name = new_name(index_expression_name(key.expression_sql)), .type = key.type},
                    'i');
      }
      for (int16_t from : i->included) of_column(from);
    }
  });
}

void pg_attrdef(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    for (const auto& column : t.columns) {
      if (column.dropped || column.default_sql.empty() || column.identity != 0) continue;
      // Defaults have no OID of their own here; one that is stable and unlike the others of the table.
      rows.add(Oid{t.oid.value * 1600u + static_cast<uint32_t>(column.attnum)}, t.oid, column.attnum,
               column.default_sql);
    }
  });
}

/// The default btree operator class of a type.
Oid default_opclass(const cat::Catalog& catalog, Oid type, bool hash) {
  static const auto load = [](std::string_view method) {
    std::map<uint32_t, uint32_t> classes;
    PgDataTable t = parse_pg_data("pg_opclass");
    const size_t oid = t.column("oid"), am = t.column("opcmethod"), is_default = t.column("opcdefault"),
                 in = t.column("opcintype");
    for (const auto& row : t.rows) {
      if (row[am] == method && row[is_default] == "t") {
        classes[static_cast<uint32_t>(std::stoul(std::string(row[in])))] =
            static_cast<uint32_t>(std::stoul(std::string(row[oid])));
      }
    }
    return classes;
  };
  static const auto btree = load("403"), hashed = load("405");
  const auto& classes = hash ? hashed : btree;
  while (const auto* domain = catalog.find<cat::DomainType>(type)) type = domain->base_type;
  uint32_t key = type.value;
  if (type == types::oid::kVarchar) key = types::oid::kText.value;
  if (catalog.find<cat::EnumType>(type) != nullptr) key = types::oid::kAnyEnum.value;
  if (catalog.element_of_array(type) != kInvalidOid || types::array_element_type(type) != kInvalidOid)
    key = types::oid::kAnyArray.value;
  auto it = classes.find(key);
  return it == classes.end() ? kInvalidOid : Oid{it->second};
}

Oid named_opclass(const std::string& name) {
  static const PgDataTable t = parse_pg_data("pg_opclass");
  static const size_t oid = t.column("oid"), am = t.column("opcmethod"), column = t.column("opcname");
  for (const auto& row : t.rows) {
    if (row[column] == name && row[am] == "403") return Oid{static_cast<uint32_t>(std::stoul(std::string(row[oid])))};
  }
  return kInvalidOid;
}

void pg_index(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Index>([&](const cat::Index& i) {
    const auto* table = c.catalog.find<cat::Table>(i.table);
    if (table == nullptr) return;
    std::string keys, collations, classes, options, expressions;
    auto append = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : " ") + item; };
    for (const auto& key : i.keys) {
      append(keys, std::to_string(key.attnum));
      Oid type = key.type, collation;
      if (key.attnum != 0) {
        const cat::Column& column = table->columns[static_cast<size_t>(key.attnum) - 1];
        type = column.type;
        collation = column.collation;
      } else if (type == types::oid::kText || type == types::oid::kVarchar || type == types::oid::kBpchar) {
        collation = Oid{100};
      }
      if (key.collation != kInvalidOid) collation = key.collation;
      append(collations, std::to_string(collation.value));
      append(classes, std::to_string((key.opclass.empty() ? default_opclass(c.catalog, type, i.method == "hash")
                                                          : named_opclass(key.opclass))
                                         .value));
      append(options, std::to_string((key.descending ? 1 : 0) | (key.nulls_first ? 2 : 0)));
      if (key.attnum == 0) expressions += (expressions.empty() ? "" : ", ") + key.expression_sql;
    }
    for (int16_t attnum : i.included) append(keys, std::to_string(attnum));
    const auto* constraint = constraint_of_index(c.catalog, i);
    const bool primary = constraint != nullptr && constraint->kind == cat::Constraint::Kind::kPrimaryKey;
    rows.add(i.oid, i.table, i.keys.size() + i.included.size(), i.keys.size(), i.unique, i.nulls_not_distinct, primary,
             false, constraint == nullptr || !constraint->deferrable, false, true, false, true, true, false, keys,
             collations, classes, options, expressions.empty() ? std::optional<std::string>() : expressions,
             i.predicate_sql.empty() ? std::optional<std::string>() : i.predicate_sql);
  });
}

void pg_constraint(const SystemContext& c, SystemRows& rows) {
  using Kind = cat::Constraint::Kind;
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    for (const auto& k : t.constraints) {
      const bool foreign = k.kind == Kind::kForeignKey;
      rows.begin_row();
      rows.set("oid", k.oid);
      rows.set("conname", k.name);
      rows.set("connamespace", t.schema);
      rows.set("contype", static_cast<char>(k.kind));
      rows.set("condeferrable", k.deferrable);
      rows.set("condeferred", k.initially_deferred);
      rows.set("convalidated", k.validated);
      rows.set("conrelid", t.oid);
      rows.set("contypid", kNone);
      rows.set("conindid", k.index);
      rows.set("conparentid", kNone);
      rows.set("confrelid", k.referenced_table);
      rows.set("confupdtype", foreign ? k.on_update : ' ');
      rows.set("confdeltype", foreign ? k.on_delete : ' ');
      rows.set("confmatchtype", foreign ? k.match : ' ');
      rows.set("conislocal", true);
      rows.set("coninhcount", 0);
      rows.set("connoinherit", k.kind != Kind::kCheck || k.no_inherit);
      if (!k.columns.empty()) rows.set("conkey", array_literal(k.columns));
      if (foreign) {
        rows.set("confkey", array_literal(k.referenced_columns));
        if (!k.on_delete_columns.empty()) rows.set("confdelsetcols", array_literal(k.on_delete_columns));
      }
      if (k.kind == Kind::kCheck) rows.set("conbin", k.check_sql);
    }
  });
  c.catalog.for_each_of<cat::DomainType>([&](const cat::DomainType& d) {
    for (const auto& k : d.checks) {
      rows.begin_row();
      rows.set("oid", k.oid);
      rows.set("conname", k.name);
      rows.set("connamespace", d.schema);
      rows.set("contype", 'c');
      rows.set("condeferrable", false);
      rows.set("condeferred", false);
      rows.set("convalidated", k.validated);
      rows.set("conrelid", kNone);
      rows.set("contypid", d.oid);
      for (const char* name : {"conindid", "conparentid", "confrelid"}) rows.set(name, kNone);
      for (const char* name : {"confupdtype", "confdeltype", "confmatchtype"}) rows.set(name, " ");
      rows.set("conislocal", true);
      rows.set("coninhcount", 0);
      rows.set("connoinherit", false);
      rows.set("conbin", k.check_sql);
    }
  });
}

/// Input and output functions by name, from pg_proc.
Oid proc(std::string_view name) {
  const auto& found = procs_named(name);
  return found.empty() ? kInvalidOid : found[0]->oid;
}

struct TypeRow {
  Oid oid, schema, owner, relation, element, array, base, collation;
  std::string name;
  TypeShape shape;
  char kind = 'b', category = 'U';
  bool not_null = false;
  int32_t typmod = -1;
  std::string_view in, out, receive, send;
  std::optional<std::string> default_text;
  bool subscripts = false;
};

void put(SystemRows& rows, const TypeRow& t) {
  rows.add(t.oid, t.name.size() > 63 ? t.name.substr(0, 63) : t.name, t.schema, t.owner, t.shape.length,
           t.shape.by_value, t.kind, t.category, false, true, ',', t.relation,
           t.subscripts ? proc("array_subscript_handler") : kNone, t.element, t.array, proc(t.in), proc(t.out),
           proc(t.receive), proc(t.send), kNone, kNone, t.subscripts ? proc("array_typanalyze") : kNone, t.shape.align,
           t.shape.storage, t.not_null, t.base, t.typmod, 0, t.collation, t.default_text, t.default_text, Null{});
}

void put_array(SystemRows& rows, Oid array, Oid element, const std::string& name, Oid schema, Oid owner, char align,
               Oid collation) {
  if (array == kInvalidOid) return;
  put(rows, {.oid = array,
             .schema = schema,
             .owner = owner,
             .element = element,
             .collation = collation,
             .name = "_" + name,
             .shape = {-1, false, align == 'd' ? 'd' : 'i', 'x'},
             .category = 'A',
             .in = "array_in",
             .out = "array_out",
             .receive = "array_recv",
             .send = "array_send",
             .subscripts = true});
}

void pg_type(const SystemContext& c, SystemRows& rows) {
  add_static_rows(c, "pg_type", rows);
  auto record = [&](Oid type, Oid array, Oid relation, const std::string& name, Oid schema, Oid owner) {
    if (type == kInvalidOid) return;
    put(rows, {.oid = type,
               .schema = schema,
               .owner = owner,
               .relation = relation,
               .array = array,
               .name = name,
               .shape = {-1, false, 'd', 'x'},
               .kind = 'c',
               .category = 'C',
               .in = "record_in",
               .out = "record_out",
               .receive = "record_recv",
               .send = "record_send"});
    put_array(rows, array, type, name, schema, owner, 'd', kNone);
  };
  c.catalog.for_each([&](const cat::Object& object) {
    if (auto* t = std::get_if<cat::Table>(&object))
      record(t->row_type, t->array_type, t->oid, t->name, t->schema, t->owner);
    if (auto* v = std::get_if<cat::View>(&object))
      record(v->row_type, v->array_type, v->oid, v->name, v->schema, v->owner);
    if (auto* k = std::get_if<cat::CompositeType>(&object))
      record(k->oid, k->array_type, k->relation, k->name, k->schema, k->owner);
    if (auto* e = std::get_if<cat::EnumType>(&object)) {
      put(rows, {.oid = e->oid,
                 .schema = e->schema,
                 .owner = e->owner,
                 .array = e->array_type,
                 .name = e->name,
                 .shape = {4, true, 'i', 'p'},
                 .kind = 'e',
                 .category = 'E',
                 .in = "enum_in",
                 .out = "enum_out",
                 .receive = "enum_recv",
                 .send = "enum_send"});
      put_array(rows, e->array_type, e->oid, e->name, e->schema, e->owner, 'i', kNone);
    }
    if (auto* d = std::get_if<cat::DomainType>(&object)) {
      Oid base = d->base_type;
      while (const auto* inner = c.catalog.find<cat::DomainType>(base)) base = inner->base_type;
      const types::TypeInfo* info = types::find_type(base);
      const bool text = base == types::oid::kText || base == types::oid::kVarchar || base == types::oid::kBpchar;
      TypeShape shape = type_shape(c.catalog, base);
      put(rows, {.oid = d->oid,
                 .schema = d->schema,
                 .owner = d->owner,
                 .array = d->array_type,
                 .base = d->base_type,
                 .collation = text ? Oid{100} : kNone,
                 .name = d->name,
                 .shape = shape,
                 .kind = 'd',
                 .category = info == nullptr ? 'E' : info->category,
                 .not_null = d->not_null,
                 .typmod = d->typmod,
                 .in = "domain_in",
                 .out = info == nullptr ? "enum_out" : "",
                 .receive = "domain_recv",
                 .send = info == nullptr ? "enum_send" : "",
                 .default_text = d->default_sql.empty() ? std::optional<std::string>()
                                                        : expression_text(c.names, d->default_sql, nullptr, false)});
      put_array(rows, d->array_type, d->oid, d->name, d->schema, d->owner, shape.align, text ? Oid{100} : kNone);
    }
  });
}

void pg_enum(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::EnumType>([&](const cat::EnumType& e) {
    for (const auto& label : e.labels) rows.add(label.oid, e.oid, static_cast<double>(label.sort_order), label.label);
  });
}

void pg_sequence(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Sequence>(
      [&](const cat::Sequence& s) { rows.add(s.oid, s.type, s.start, s.increment, s.max, s.min, s.cache, s.cycle); });
}

void pg_description(const SystemContext& c, SystemRows& rows) {
  add_static_rows(c, "pg_description", rows);
  c.catalog.for_each_of<cat::Comment>([&](const cat::Comment& k) {
    if (k.class_oid == cat::oid::kPgAuthid || k.class_oid == cat::oid::kPgDatabase) return;
    rows.add(k.object, k.class_oid, k.sub_object, k.text);
  });
}

void pg_shdescription(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Comment>([&](const cat::Comment& k) {
    if (k.class_oid == cat::oid::kPgAuthid || k.class_oid == cat::oid::kPgDatabase)
      rows.add(k.object, k.class_oid, k.text);
  });
}

void pg_depend(const SystemContext& c, SystemRows& rows) {
  using namespace cat::oid;
  auto on = [&](Oid klass, Oid object, int sub, Oid ref_class, Oid ref, int ref_sub, char kind) {
    rows.add(klass, object, sub, ref_class, ref, ref_sub, kind);
  };
  c.catalog.for_each([&](const cat::Object& object) {
    if (Oid schema = cat::object_schema(object); schema != kInvalidOid) {
      const bool type = std::holds_alternative<cat::EnumType>(object) ||
                        std::holds_alternative<cat::DomainType>(object) ||
                        std::holds_alternative<cat::CompositeType>(object);
      if (!std::holds_alternative<cat::Index>(object))
        on(type ? kPgType : kPgClass, cat::object_oid(object), 0, kPgNamespace, schema, 0, 'n');
    }
    if (auto* t = std::get_if<cat::Table>(&object)) {
      on(kPgType, t->row_type, 0, kPgClass, t->oid, 0, 'i');
      for (const auto& k : t->constraints) {
        for (int16_t attnum : k.columns) on(kPgConstraint, k.oid, 0, kPgClass, t->oid, attnum, 'a');
        if (k.kind == cat::Constraint::Kind::kForeignKey) {
          for (int16_t attnum : k.referenced_columns)
            on(kPgConstraint, k.oid, 0, kPgClass, k.referenced_table, attnum, 'n');
          on(kPgConstraint, k.oid, 0, kPgClass, k.index, 0, 'n');
        } else if (k.index != kInvalidOid) {
          on(kPgClass, k.index, 0, kPgConstraint, k.oid, 0, 'i');
        }
      }
      for (const auto& column : t->columns) {
        if (column.dropped || column.default_sql.empty() || column.identity != 0) continue;
        on(kPgAttrdef, Oid{t->oid.value * 1600u + static_cast<uint32_t>(column.attnum)}, 0, kPgClass, t->oid,
           column.attnum, 'a');
        // nextval('16390'::regclass)
        size_t at = column.default_sql.find("nextval('");
        if (at == std::string::npos) continue;
        uint32_t sequence = static_cast<uint32_t>(std::strtoul(column.default_sql.c_str() + at + 9, nullptr, 10));
        if (sequence != 0)
          on(kPgAttrdef, Oid{t->oid.value * 1600u + static_cast<uint32_t>(column.attnum)}, 0, kPgClass, Oid{sequence},
             0, 'n');
      }
    } else if (auto* i = std::get_if<cat::Index>(&object)) {
      if (constraint_of_index(c.catalog, *i) != nullptr) return;
      for (const auto& key : i->keys) {
        if (key.attnum != 0) on(kPgClass, i->oid, 0, kPgClass, i->table, key.attnum, 'a');
      }
    } else if (auto* s = std::get_if<cat::Sequence>(&object)) {
      if (s->owned_by_table != kInvalidOid)
        on(kPgClass, s->oid, 0, kPgClass, s->owned_by_table, s->owned_by_column, s->identity ? 'i' : 'a');
    } else if (auto* v = std::get_if<cat::View>(&object)) {
      // Through the view's rule, as PostgreSQL has it.
      on(Oid{2618}, Oid{v->oid.value + 0x40000000u}, 0, kPgClass, v->oid, 0, 'i');
      for (Oid used : v->dependencies) {
        const bool type = c.catalog.find<cat::EnumType>(used) != nullptr ||
                          c.catalog.find<cat::DomainType>(used) != nullptr ||
                          c.catalog.find<cat::CompositeType>(used) != nullptr;
        on(Oid{2618}, Oid{v->oid.value + 0x40000000u}, 0, type ? kPgType : kPgClass, used, 0, 'n');
      }
    }
  });
}

void pg_rewrite(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::View>([&](const cat::View& v) {
    rows.add(Oid{v.oid.value + 0x40000000u}, "_RETURN", v.oid, '1', 'O', true, "<>", v.sql);
  });
  c.catalog.for_each_of<cat::Table>([&](const cat::Table& t) {
    if (t.is_materialized_view())
      rows.add(Oid{t.oid.value + 0x40000000u}, "_RETURN", t.oid, '1', 'O', true, "<>", t.view_sql);
  });
}

void pg_authid(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    rows.add(r.oid, r.name, r.superuser, r.inherit, r.create_role, r.create_db, r.login, r.replication, r.bypass_rls,
             r.connection_limit, r.password.empty() ? std::optional<std::string>() : r.password, Null{});
  });
}

void pg_auth_members(const SystemContext& c, SystemRows& rows) {
  c.catalog.for_each_of<cat::Role>([&](const cat::Role& r) {
    for (Oid role : r.member_of) rows.add(role, r.oid, cat::oid::kBootstrapRole, false);
  });
}

void pg_database(const SystemContext& c, SystemRows& rows) {
  auto row = [&](uint32_t oid, const std::string& name, bool is_template, bool connect) {
    rows.add(Oid{oid}, name, cat::oid::kBootstrapRole, 6, 'c', is_template, connect, -1, 716, 1, Oid{1663}, "C.UTF-8",
             "C.UTF-8", Null{}, Null{}, Null{});
  };
  row(cat::oid::kDatabase.value, c.services->database_name(), false, true);
  row(1, "template1", true, true);
  row(4, "template0", true, false);
}

void pg_tablespace(const SystemContext&, SystemRows& rows) {
  rows.add(Oid{1663}, "pg_default", cat::oid::kBootstrapRole, Null{}, Null{});
  rows.add(Oid{1664}, "pg_global", cat::oid::kBootstrapRole, Null{}, Null{});
}

void pg_extension(const SystemContext&, SystemRows& rows) {
  rows.add(Oid{13559}, "plpgsql", cat::oid::kBootstrapRole, cat::oid::kPgCatalogSchema, false, "1.0", Null{}, Null{});
}

}  // namespace

int64_t estimated_bytes(SessionServices& services, Oid relation) {
  auto now = services.catalog();
  const auto* index = now->find<catalog::Index>(relation);
  const Oid table_oid = index != nullptr ? index->table : relation;
  const auto* table = now->find<catalog::Table>(table_oid);
  if (table == nullptr) return 0;
  auto access = services.table_access(table_oid);
  if (access == nullptr) return 0;
  int64_t width = 24;
  auto add = [&](int16_t attnum) {
    const auto& column = table->columns[static_cast<size_t>(attnum) - 1];
    TypeShape shape = type_shape(*now, column.type);
    width += column.dropped ? 0 : shape.length > 0 ? shape.length : 16;
  };
  if (index != nullptr) {
    for (const auto& key : index->keys) key.attnum != 0 ? add(key.attnum) : void(width += 16);
  } else {
    for (const auto& column : table->columns) add(column.attnum);
  }
  const auto rows = static_cast<int64_t>(services.database().estimate_rows(*access));
  return (rows * width + 8191) / 8192 * 8192;
}

void add_object_sources(SystemSources* sources) {
  auto add = [&](const char* name, SystemProducer produce, bool cached = true) {
    sources->push_back({std::string("pg_catalog.") + name, {std::move(produce), cached}});
  };
  add("pg_namespace", pg_namespace);
  add("pg_class", pg_class);
  sources->back().second.live = {"reltuples", "relpages"};
  add("pg_attribute", pg_attribute);
  add("pg_attrdef", pg_attrdef);
  add("pg_index", pg_index);
  add("pg_constraint", pg_constraint);
  add("pg_type", pg_type);
  add("pg_enum", pg_enum);
  add("pg_sequence", pg_sequence);
  add("pg_description", pg_description);
  add("pg_shdescription", pg_shdescription);
  add("pg_depend", pg_depend);
  add("pg_rewrite", pg_rewrite);
  add("pg_authid", pg_authid);
  add("pg_auth_members", pg_auth_members);
  add("pg_database", pg_database, false);
  add("pg_tablespace", pg_tablespace);
  add("pg_extension", pg_extension);
  for (const char* name : {"pg_proc", "pg_operator", "pg_cast", "pg_aggregate", "pg_language", "pg_collation", "pg_am",
                           "pg_opclass", "pg_opfamily", "pg_amop", "pg_amproc", "pg_range", "pg_conversion",
                           "pg_ts_config", "pg_ts_config_map", "pg_ts_dict", "pg_ts_parser", "pg_ts_template"}) {
    add(name, [name](const SystemContext& c, SystemRows& rows) { add_static_rows(c, name, rows); });
    sources->back().second.constant = true;
  }
}

}  // namespace omendb::sql
