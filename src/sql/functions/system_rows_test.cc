#include "sql/functions/system_rows.h"

#include <gtest/gtest.h>

#include <set>

#include "sql/error.h"
#include "types/type.h"

namespace omendb::sql {
namespace {

namespace cat = omendb::catalog;

struct Sample {
  std::shared_ptr<const cat::Catalog> catalog;
  Sample() {
    std::vector<cat::Change> changes;
    auto add = [&](cat::Object object) {
      Oid oid = cat::object_oid(object);
      changes.push_back({oid, std::make_shared<const cat::Object>(std::move(object))});
    };
    cat::Table t{.oid = Oid{20000},
                 .schema = cat::oid::kPublicSchema,
                 .name = "t",
                 .row_type = Oid{20001},
                 .array_type = Oid{20002}};
    auto column = [&](std::string name, Oid type, std::string default_sql = {}) {
      cat::Column c{.attnum = static_cast<int16_t>(t.columns.size() + 1),
                    .name = std::move(name),
                    .type = type,
                    .default_sql = std::move(default_sql)};
      c.physical = types::physical_type(type, -1);
      t.columns.push_back(std::move(c));
    };
    column("id", types::oid::kInt4, "nextval('20010'::regclass)");
    column("v", types::oid::kText, "'x'::text");
    column("Odd name", types::oid::kVarchar);
    t.constraints.push_back({.oid = Oid{20020},
                             .name = "t_pkey",
                             .kind = cat::Constraint::Kind::kPrimaryKey,
                             .columns = {1},
                             .index = Oid{20030}});
    t.constraints.push_back(
        {.oid = Oid{20021}, .name = "t_check", .columns = {2}, .check_sql = "((v <> 'a') AND (length(v) > 0))"});
    t.indexes = {Oid{20030}, Oid{20031}};
    add(t);
    add(cat::Index{.oid = Oid{20030},
                   .schema = cat::oid::kPublicSchema,
                   .name = "t_pkey",
                   .table = Oid{20000},
                   .unique = true,
                   .primary = true,
                   .keys = {{.attnum = 1}}});
    add(cat::Index{.oid = Oid{20031},
                   .schema = cat::oid::kPublicSchema,
                   .name = "t_v_idx",
                   .table = Oid{20000},
                   .keys = {{.expression_sql = "lower(v)", .type = types::oid::kText},
                            {.attnum = 3, .descending = true, .nulls_first = true}},
                   .predicate_sql = "(id > 5)"});
    add(cat::Sequence{.oid = Oid{20010},
                      .schema = cat::oid::kPublicSchema,
                      .name = "t_id_seq",
                      .type = types::oid::kInt4,
                      .owned_by_table = Oid{20000},
                      .owned_by_column = 1});
    add(cat::View{.oid = Oid{20040},
                  .schema = cat::oid::kPublicSchema,
                  .name = "w",
                  .sql = " SELECT t.id,\n    upper(t.v) AS upper\n   FROM public.t\n  WHERE (t.v = 'b')",
                  .dependencies = {Oid{20000}},
                  .row_type = Oid{20041}});
    add(cat::EnumType{.oid = Oid{20050},
                      .array_type = Oid{20051},
                      .schema = cat::oid::kPublicSchema,
                      .name = "mood",
                      .labels = {{Oid{20052}, 1, "sad"}}});
    catalog = *cat::Catalog::initial()->with(changes);
  }
  NameView names(std::vector<std::string> path = {"pg_catalog", "public"}) const {
    return NameView(catalog, std::move(path), kInvalidOid);
  }
};

TEST(Definitions, PrintWhatPostgresPrints) {
  Sample s;
  NameView names = s.names();
  const auto& t = *s.catalog->find<cat::Table>(Oid{20000});
  EXPECT_EQ(expression_text(names, t.columns[0].default_sql, &t, false), "nextval('t_id_seq'::regclass)");
  EXPECT_EQ(expression_text(s.names({"pg_catalog"}), t.columns[0].default_sql, &t, false),
            "nextval('public.t_id_seq'::regclass)");
  EXPECT_EQ(constraint_definition(names, t, t.constraints[0], false), "PRIMARY KEY (id)");
  EXPECT_EQ(constraint_definition(names, t, t.constraints[1], false), "CHECK (((v <> 'a'::text) AND (length(v) > 0)))");
  EXPECT_EQ(constraint_definition(names, t, t.constraints[1], true), "CHECK (v <> 'a'::text AND length(v) > 0)");
  EXPECT_EQ(index_definition(names, *s.catalog->find<cat::Index>(Oid{20030}), 0, false),
            "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)");
  EXPECT_EQ(index_definition(names, *s.catalog->find<cat::Index>(Oid{20031}), 0, false),
            "CREATE INDEX t_v_idx ON public.t USING btree (lower(v), \"Odd name\" DESC) WHERE (id > 5)");
  EXPECT_EQ(domain_constraint_definition(names, {.check_sql = "(VALUE > 0)"}, "integer", false), "CHECK ((VALUE > 0))");
  EXPECT_EQ(query_definition(names, s.catalog->find<cat::View>(Oid{20040})->sql, false),
            " SELECT t.id,\n    upper(t.v) AS upper\n   FROM t\n  WHERE (t.v = 'b'::text);");
}

TEST(Definitions, NamesAreQualifiedWhereThePathDoesNotReach) {
  Sample s;
  EXPECT_EQ(s.names().type_name(Oid{20050}, -1), "mood");
  EXPECT_EQ(s.names({"pg_catalog"}).type_name(Oid{20051}, -1), "public.mood[]");
  EXPECT_EQ(s.names().type_name(types::oid::kVarchar, 14), "character varying(10)");
  EXPECT_EQ(s.names().type_name(types::oid::kNumeric, types::numeric_typmod(10, 2)), "numeric(10,2)");
  EXPECT_EQ(s.names().type_name(Oid{1009}, -1), "text[]");
  EXPECT_EQ(s.names().type_name(Oid{99999}, -1), "???");
  EXPECT_EQ(s.names().relation_name(Oid{1259}), "pg_class");
  EXPECT_TRUE(s.names().relation_visible(Oid{20000}));
  EXPECT_FALSE(s.names({"pg_catalog"}).relation_visible(Oid{20000}));
}

TEST(SystemRows, EveryCachedRelationMakesItsRows) {
  Sample s;
  NameView names = s.names();
  SystemContext context{*s.catalog, names, nullptr};
  SystemSources sources;
  add_object_sources(&sources);
  std::set<std::string> seen;
  for (auto& [name, source] : sources) {
    if (!source.cached) continue;
    SCOPED_TRACE(name);
    SystemRows rows(*find_system_relation("pg_catalog", name.substr(11)));
    try {
      source.produce(context, rows);
    } catch (const SqlError& error) {
      // Columns of a type that types/ cannot read say so; nothing else may go wrong.
      EXPECT_EQ(error.info().code, SqlState::kFeatureNotSupported) << error.what();
      EXPECT_TRUE(seen.insert(name).second);
      continue;
    }
    size_t count = 0;
    for (auto& chunk : rows.take()) count += chunk->size();
    EXPECT_GT(count + (name == "pg_catalog.pg_description" || name == "pg_catalog.pg_shdescription" ||
                       name == "pg_catalog.pg_auth_members"),
              0u);
    EXPECT_TRUE(seen.insert(name).second);
  }
  EXPECT_GE(seen.size(), 30u);
}

TEST(SystemRows, ColumnsOfTheTableAreThere) {
  Sample s;
  NameView names = s.names();
  SystemContext context{*s.catalog, names, nullptr};
  SystemSources sources;
  add_object_sources(&sources);
  for (auto& [name, source] : sources) {
    if (name != "pg_catalog.pg_attribute") continue;
    SystemRows rows(*find_system_relation("pg_catalog", "pg_attribute"));
    source.produce(context, rows);
    std::set<std::string> columns;
    for (auto& chunk : rows.take()) {
      for (size_t i = 0; i < chunk->size(); ++i) {
        if (chunk->GetValue(0, i).GetValue<uint32_t>() == 20000) columns.insert(chunk->GetValue(1, i).ToString());
      }
    }
    EXPECT_EQ(columns,
              (std::set<std::string>{"id", "v", "Odd name", "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}));
  }
}

}  // namespace
}  // namespace omendb::sql
