#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <random>

namespace omendb::catalog {
namespace {

Change put(Object object) {
  Oid oid = object_oid(object);
  return {oid, std::make_shared<const Object>(std::move(object))};
}
Change drop(uint32_t oid) { return {Oid{oid}, nullptr}; }
std::shared_ptr<const Catalog> apply(const Catalog& catalog, std::vector<Change> changes) {
  auto made = catalog.with(changes);
  EXPECT_TRUE(made.ok()) << made.status().message();
  return std::move(made).value();
}
Table table(uint32_t oid, std::string name, Oid schema = oid::kPublicSchema) {
  Table t{.oid = Oid{oid}, .schema = schema, .name = std::move(name)};
  t.row_type = Oid{oid + 1};
  t.array_type = Oid{oid + 2};
  t.columns.push_back({.attnum = 1, .name = "id", .type = types::oid::kInt4});
  t.columns.push_back({.attnum = 2, .name = "old", .type = types::oid::kText, .dropped = true});
  t.columns.push_back({.attnum = 3, .name = "name", .type = types::oid::kText});
  t.constraints.push_back(
      {.oid = Oid{oid + 3}, .name = "pk", .kind = Constraint::Kind::kPrimaryKey, .columns = {3, 1}});
  return t;
}

TEST(Catalog, StartsWithThreeSchemasAndThePredefinedRoles) {
  auto c = Catalog::initial();
  EXPECT_EQ(c->object_count(), 16u);
  EXPECT_EQ(c->find_schema("public")->oid, oid::kPublicSchema);
  EXPECT_EQ(c->find_schema("pg_catalog")->oid, oid::kPgCatalogSchema);
  EXPECT_TRUE(c->find_role("postgres")->superuser);
  EXPECT_EQ(c->find_schema("Public"), nullptr);
}

TEST(Catalog, AnOldVersionKeepsWhatItHad) {
  auto before = apply(*Catalog::initial(), {put(table(100, "t"))});
  auto after = apply(*before, {drop(100), put(table(200, "u"))});
  EXPECT_EQ(before->find_relation(oid::kPublicSchema, "t"), Oid{100});
  EXPECT_EQ(before->find_relation(oid::kPublicSchema, "u"), kInvalidOid);
  EXPECT_EQ(after->find_relation(oid::kPublicSchema, "t"), kInvalidOid);
  EXPECT_EQ(after->find_relation(oid::kPublicSchema, "u"), Oid{200});
  EXPECT_GT(after->version(), before->version());
}

TEST(Catalog, TablesAreFoundThroughTheirTypes) {
  auto c = apply(*Catalog::initial(), {put(table(100, "t"))});
  EXPECT_EQ(c->find_type(oid::kPublicSchema, "t"), Oid{101});
  EXPECT_EQ(c->find_type(oid::kPublicSchema, "_t"), Oid{102});
  EXPECT_EQ(c->element_of_array(Oid{102}), Oid{101});
  EXPECT_EQ(c->array_of(Oid{101}), Oid{102});
  EXPECT_EQ(c->table_of_row_type(Oid{101})->name, "t");
  EXPECT_EQ(c->find<View>(Oid{100}), nullptr);
}

TEST(Catalog, RefusesTwoObjectsOfOneName) {
  auto c = apply(*Catalog::initial(), {put(table(100, "t"))});
  auto same = c->with({put(Index{.oid = Oid{200}, .schema = oid::kPublicSchema, .name = "t"})});
  ASSERT_FALSE(same.ok());
  EXPECT_TRUE(same.status().is(SqlState::kDuplicateTable));
  EXPECT_EQ(same.status().message(), "relation \"t\" already exists");

  auto type = c->with({put(EnumType{.oid = Oid{200}, .schema = oid::kPublicSchema, .name = "t"})});
  EXPECT_TRUE(type.status().is(SqlState::kDuplicateObject));
  EXPECT_EQ(type.status().message(), "type \"t\" already exists");

  EXPECT_TRUE(c->with({put(Schema{.oid = Oid{200}, .name = "public"})}).status().is(SqlState::kDuplicateSchema));
  EXPECT_EQ(c->with({put(Role{.oid = Oid{200}, .name = "postgres"})}).status().message(),
            "role \"postgres\" already exists");
  // Another schema is another name, and so is a name given up in the same step.
  EXPECT_TRUE(c->with({put(table(200, "t", oid::kPgCatalogSchema))}).ok());
  EXPECT_TRUE(c->with({put(table(200, "t")), drop(100)}).ok());
}

TEST(Catalog, NamesMaySwapInOneStep) {
  auto c = apply(*Catalog::initial(), {put(table(100, "a")), put(table(200, "b"))});
  c = apply(*c, {put(table(100, "b")), put(table(200, "a"))});
  EXPECT_EQ(c->find_relation(oid::kPublicSchema, "a"), Oid{200});
  EXPECT_EQ(c->find_relation(oid::kPublicSchema, "b"), Oid{100});
}

TEST(Catalog, CommentsAreFoundByWhatTheyDescribe) {
  auto c = apply(
      *Catalog::initial(),
      {put(Comment{.oid = Oid{300}, .class_oid = oid::kPgClass, .object = Oid{100}, .sub_object = 3, .text = "x"})});
  EXPECT_EQ(c->find_comment(oid::kPgClass, Oid{100}, 3)->text, "x");
  EXPECT_EQ(c->find_comment(oid::kPgClass, Oid{100}, 0), nullptr);
  EXPECT_EQ(c->find_comment(oid::kPgType, Oid{100}, 3), nullptr);
}

TEST(Catalog, AgreesWithAMapUnderRandomChanges) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  auto c = Catalog::initial();
  std::map<uint32_t, std::string> model;  // OID -> name
  for (int step = 0; step < 300; ++step) {
    std::vector<Change> changes;
    auto next = model;
    for (int n = static_cast<int>(random() % 5) + 1; n > 0; --n) {
      uint32_t oid = 1000 + 10 * (random() % 40);
      if (random() % 3 == 0) {
        changes.push_back(drop(oid));
        next.erase(oid);
      } else {
        next[oid] = "n" + std::to_string(random() % 60);
        changes.push_back(put(table(oid, next[oid])));
      }
    }
    std::map<std::string, uint32_t> by_name;
    for (auto& [oid, name] : next) by_name.emplace(name, oid);
    auto made = c->with(changes);
    ASSERT_EQ(made.ok(), by_name.size() == next.size());
    if (!made.ok()) continue;
    c = *made;
    model = next;
    for (int i = 0; i < 60; ++i) {
      std::string name = "n" + std::to_string(i);
      uint32_t want = by_name.count(name) ? by_name[name] : 0;
      ASSERT_EQ(c->find_relation(oid::kPublicSchema, name), Oid{want});
      ASSERT_EQ(c->find_type(oid::kPublicSchema, name), Oid{want == 0 ? 0 : want + 1});
    }
    uint32_t last = 0;
    size_t count = 0;
    c->for_each([&](const Object& o) {
      EXPECT_GT(object_oid(o).value, last);
      last = object_oid(o).value;
      ++count;
    });
    ASSERT_EQ(count, model.size() + 16);
  }
}

TEST(Table, KnowsItsKeyAndItsLiveColumns) {
  Table t = table(100, "t");
  EXPECT_EQ(t.primary_key(), (std::vector<int16_t>{3, 1}));
  EXPECT_EQ(t.find_column("name")->attnum, 3);
  EXPECT_EQ(t.find_column("old"), nullptr);
  EXPECT_EQ(t.column(2), nullptr);
  EXPECT_EQ(t.column(0), nullptr);
  EXPECT_EQ(t.column(4), nullptr);
  EXPECT_EQ(t.find_constraint("pk")->columns.size(), 2u);
}

// --- Bytes ---

class Fill {
 public:
  explicit Fill(uint32_t seed) : random_(seed) {}
  uint64_t number() { return random_() >> (random_() % 64); }
  bool flag() { return random_() % 2 == 0; }
  Oid oid() { return Oid{static_cast<uint32_t>(number()) | 1}; }
  std::string text() {
    std::string s(random_() % 20, ' ');
    for (char& c : s) c = static_cast<char>(random_());
    return s;
  }
  std::vector<int16_t> attnums() {
    std::vector<int16_t> v(random_() % 4);
    for (auto& a : v) a = static_cast<int16_t>(number());
    return v;
  }
  std::map<std::string, std::string> options() {
    return flag() ? std::map<std::string, std::string>{}
                  : std::map<std::string, std::string>{{"fillfactor", "70"}, {text(), text()}};
  }
  Column column() {
    Column c{.attnum = static_cast<int16_t>(number()),
             .name = text(),
             .type = oid(),
             .typmod = static_cast<int32_t>(number()),
             .not_null = flag(),
             .dropped = flag(),
             .default_sql = text(),
             .identity = flag() ? 'a' : '\0',
             .generated = flag(),
             .collation = oid()};
    c.physical = {.kind = static_cast<types::Physical>(random_() % 11),
                  .precision = static_cast<uint8_t>(number()),
                  .scale = static_cast<uint8_t>(number()),
                  .width = static_cast<int32_t>(number())};
    if (flag()) {
      std::string bytes = text();
      types::ValueView v;
      switch (c.physical.kind) {
        case types::Physical::kInterval:
          v = types::ValueView::of_interval({-3, static_cast<int32_t>(number()), 5});
          break;
        case types::Physical::kInt128:
        case types::Physical::kUuid:
          v = types::ValueView::of_wide(-static_cast<types::Int128>(number()) * 1000000007);
          break;
        case types::Physical::kFloat32:
        case types::Physical::kFloat64: v = types::ValueView::of_real(-0.1); break;
        case types::Physical::kBytes: v = types::ValueView::of_bytes(bytes); break;
        default: v = types::ValueView::of_integer(static_cast<int64_t>(number()) - 5);
      }
      c.missing.emplace(v);
    }
    return c;
  }
  Constraint constraint() {
    return {.oid = oid(),
            .name = text(),
            .kind = flag() ? Constraint::Kind::kForeignKey : Constraint::Kind::kUnique,
            .columns = attnums(),
            .check_sql = text(),
            .index = oid(),
            .deferrable = flag(),
            .initially_deferred = flag(),
            .validated = flag(),
            .no_inherit = flag(),
            .referenced_table = oid(),
            .referenced_columns = attnums(),
            .on_update = 'c',
            .on_delete = 'n',
            .on_delete_columns = attnums(),
            .match = 'f'};
  }
  template <class T, class Make>
  std::vector<T> list(Make make) {
    std::vector<T> v(random_() % 4);
    for (auto& e : v) e = make();
    return v;
  }
  Object object(size_t kind) {
    auto columns = [&] { return list<Column>([&] { return column(); }); };
    auto oids = [&] { return list<Oid>([&] { return oid(); }); };
    auto texts = [&] { return list<std::string>([&] { return text(); }); };
    auto number64 = [&] { return static_cast<int64_t>(random_()); };
    switch (kind) {
      case 0: return Schema{.oid = oid(), .name = text(), .owner = oid()};
      case 1:
        return Table{.oid = oid(),
                     .schema = oid(),
                     .name = text(),
                     .owner = oid(),
                     .persistence = 't',
                     .storage = StorageId{77},
                     .columns = columns(),
                     .constraints = list<Constraint>([&] { return constraint(); }),
                     .indexes = oids(),
                     .row_type = oid(),
                     .array_type = oid(),
                     .options = options(),
                     .on_commit = 'D',
                     .view_sql = text(),
                     .view_search_path = texts(),
                     .view_dependencies = oids(),
                     .populated = flag()};
      case 2:
        return Index{.oid = oid(),
                     .schema = oid(),
                     .name = text(),
                     .table = oid(),
                     .storage = StorageId{9},
                     .unique = flag(),
                     .primary = flag(),
                     .nulls_not_distinct = flag(),
                     .keys = list<IndexKey>([&] {
                       return IndexKey{static_cast<int16_t>(number()),
                                       text(),
                                       flag(),
                                       flag(),
                                       text(),
                                       oid(),
                                       oid(),
                                       {.kind = types::Physical::kInt64, .precision = 3}};
                     }),
                     .included = attnums(),
                     .predicate_sql = text(),
                     .method = text(),
                     .options = options()};
      case 3:
        return View{.oid = oid(),
                    .schema = oid(),
                    .name = text(),
                    .owner = oid(),
                    .sql = text(),
                    .search_path = texts(),
                    .columns = columns(),
                    .dependencies = oids(),
                    .row_type = oid(),
                    .array_type = oid(),
                    .check_option = 'c',
                    .options = options()};
      case 4:
        return Sequence{.oid = oid(),
                        .schema = oid(),
                        .name = text(),
                        .owner = oid(),
                        .storage = StorageId{3},
                        .type = oid(),
                        .start = number64(),
                        .increment = INT64_MIN,
                        .min = number64(),
                        .max = INT64_MAX,
                        .cache = number64(),
                        .cycle = flag(),
                        .owned_by_table = oid(),
                        .owned_by_column = 3,
                        .identity = flag(),
                        .persistence = 'u'};
      case 5:
        return EnumType{.oid = oid(),
                        .array_type = oid(),
                        .schema = oid(),
                        .name = text(),
                        .owner = oid(),
                        .labels = list<EnumLabel>([&] {
                          return EnumLabel{oid(), 1.5f, text()};
                        })};
      case 6:
        return DomainType{.oid = oid(),
                          .array_type = oid(),
                          .schema = oid(),
                          .name = text(),
                          .owner = oid(),
                          .base_type = oid(),
                          .typmod = -1,
                          .not_null = flag(),
                          .default_sql = text(),
                          .checks = list<Constraint>([&] { return constraint(); })};
      case 7:
        return CompositeType{.oid = oid(),
                             .array_type = oid(),
                             .schema = oid(),
                             .name = text(),
                             .owner = oid(),
                             .relation = oid(),
                             .columns = columns()};
      case 8:
        return Role{.oid = oid(),
                    .name = text(),
                    .superuser = flag(),
                    .create_role = flag(),
                    .create_db = flag(),
                    .login = flag(),
                    .replication = flag(),
                    .inherit = flag(),
                    .bypass_rls = flag(),
                    .connection_limit = -1,
                    .password = text(),
                    .member_of = oids()};
      default: return Comment{.oid = oid(), .class_oid = oid(), .object = oid(), .sub_object = -2, .text = text()};
    }
  }

 private:
  std::mt19937_64 random_;
};

TEST(Encoding, EveryObjectComesBackAsItWas) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Fill fill(seed);
  for (int i = 0; i < 2000; ++i) {
    Object object = fill.object(static_cast<size_t>(i) % std::variant_size_v<Object>);
    std::string bytes = encode_object(object);
    auto back = decode_object(bytes);
    ASSERT_TRUE(back.ok()) << back.status().message();
    ASSERT_EQ(back->index(), object.index());
    ASSERT_EQ(encode_object(*back), bytes);  // equal bytes: every field is in them
  }
}

TEST(Encoding, FieldsAreNotMixedUp) {
  Sequence s{.oid = Oid{7},
             .schema = Oid{8},
             .name = "s",
             .type = types::oid::kInt2,
             .start = -5,
             .increment = 2,
             .min = -9,
             .max = 9,
             .cache = 3,
             .cycle = true,
             .owned_by_table = Oid{70},
             .owned_by_column = 2};
  auto back = decode_object(encode_object(s));
  const auto& got = std::get<Sequence>(*back);
  EXPECT_EQ(got.start, -5);
  EXPECT_EQ(got.increment, 2);
  EXPECT_EQ(got.min, -9);
  EXPECT_EQ(got.cache, 3);
  EXPECT_TRUE(got.cycle);
  EXPECT_EQ(got.owned_by_table, Oid{70});
  Table t = table(100, "t");
  t.columns[0].physical.kind = types::Physical::kInt32;
  t.columns[0].missing.emplace(types::ValueView::of_integer(-42));
  auto table_back = decode_object(encode_object(t));
  const auto& got_table = std::get<Table>(*table_back);
  EXPECT_EQ(got_table.columns[0].missing->view().integer, -42);
  EXPECT_FALSE(got_table.columns[2].missing.has_value());
  EXPECT_TRUE(got_table.columns[1].dropped);
  EXPECT_EQ(got_table.primary_key(), t.primary_key());
}

TEST(Encoding, DamageIsFound) {
  Fill fill(1);
  for (size_t kind = 0; kind < std::variant_size_v<Object>; ++kind) {
    const std::string bytes = encode_object(fill.object(kind));
    for (size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_TRUE(decode_object(std::string_view(bytes).substr(0, n)).status().is(SqlState::kDataCorrupted));
      for (int bit = 0; bit < 8; ++bit) {
        std::string bad = bytes;
        bad[n] = static_cast<char>(bad[n] ^ (1 << bit));
        EXPECT_TRUE(decode_object(bad).status().is(SqlState::kDataCorrupted)) << "byte " << n << " bit " << bit;
      }
    }
    EXPECT_TRUE(decode_object(bytes + "x").status().is(SqlState::kDataCorrupted));
  }
}

}  // namespace
}  // namespace omendb::catalog
