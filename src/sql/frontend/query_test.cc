// What statements become: shapes that the engine relies on, and errors with their places. Answers are compared with a live PostgreSQL
// by tests/sql/query_*.sql.
#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "sql/frontend/analyzer.h"
#include "sql/frontend/parser.h"

namespace omendb::sql {
namespace {

namespace oid = types::oid;

catalog::Column column(int16_t attnum, const char* name, Oid type, int32_t typmod = -1) {
  catalog::Column c;
  c.attnum = attnum;
  c.name = name;
  c.type = type;
  c.typmod = typmod;
  c.physical = types::physical_type(type, typmod);
  return c;
}

/// t(a int primary key, b int, n text), u(id int primary key, v int, w int8), g(id, q, doubled generated, CHECK q > 0), view tv.
std::shared_ptr<const catalog::Catalog> test_catalog() {
  std::vector<catalog::Change> changes;
  uint32_t next = 20000;
  auto add_table = [&](uint32_t number, const char* name, std::vector<catalog::Column> columns, const char* check) {
    catalog::Table t;
    t.oid = Oid{number};
    t.schema = catalog::oid::kPublicSchema;
    t.name = name;
    t.columns = std::move(columns);
    t.row_type = Oid{next++};
    t.array_type = Oid{next++};
    t.storage = StorageId{next};
    catalog::Index index;
    index.oid = Oid{next++};
    index.schema = t.schema;
    index.name = t.name + "_pkey";
    index.table = t.oid;
    index.unique = index.primary = true;
    catalog::IndexKey key;
    key.attnum = 1;
    index.keys.push_back(key);
    catalog::Constraint primary;
    primary.oid = Oid{next++};
    primary.name = index.name;
    primary.kind = catalog::Constraint::Kind::kPrimaryKey;
    primary.columns = {1};
    primary.index = index.oid;
    t.constraints.push_back(primary);
    t.indexes.push_back(index.oid);
    if (check != nullptr) {
      catalog::Constraint c;
      c.oid = Oid{next++};
      c.name = t.name + "_check";
      c.check_sql = check;
      t.constraints.push_back(c);
    }
    changes.push_back({index.oid, std::make_shared<catalog::Object>(index)});
    changes.push_back({t.oid, std::make_shared<catalog::Object>(t)});
  };
  add_table(16384, "t", {column(1, "a", oid::kInt4), column(2, "b", oid::kInt4), column(3, "n", oid::kText)}, nullptr);
  add_table(16385, "u", {column(1, "id", oid::kInt4), column(2, "v", oid::kInt4), column(3, "w", oid::kInt8)}, nullptr);
  catalog::Column doubled = column(3, "doubled", oid::kInt4);
  doubled.generated = true;
  doubled.default_sql = "q * 2";
  add_table(16386, "g", {column(1, "id", oid::kInt4), column(2, "q", oid::kInt4), doubled}, "q > 0");
  catalog::View view;
  view.oid = Oid{16387};
  view.schema = catalog::oid::kPublicSchema;
  view.name = "tv";
  view.sql = "SELECT t.a AS x, t.b AS y FROM public.t WHERE t.b > 0";
  view.search_path = {"pg_catalog"};
  view.columns = {column(1, "x", oid::kInt4), column(2, "y", oid::kInt4)};
  view.row_type = Oid{next++};
  view.check_option = 'l';
  changes.push_back({view.oid, std::make_shared<catalog::Object>(view)});
  auto result = catalog::Catalog::initial()->with(changes);
  CHECK(result.ok());
  return result.value();
}

struct Analysed {
  AnalyzedQuery query;
  std::string sql;
  std::string error;
};

Analysed analyse(const std::string& text) {
  Analysed result;
  types::IoContext io;
  StatementContext statement;
  statement.catalog = test_catalog();
  statement.search_path = {"pg_catalog", "public"};
  statement.current_user = statement.database_name = "postgres";
  statement.io = &io;
  statement.text = text;
  try {
    ParseTree tree(text);
    result.query = analyze_query(statement, tree.statements().at(0).node);
    result.sql = result.query.select->ToString();
  } catch (const SqlError& e) {
    auto state = sqlstate_text(e.info().code);
    int position = e.info().position > 0 ? e.info().position : character_position(text, e.byte_location());
    result.error = std::string(state.data(), 5) + " " + e.info().message + " @" + std::to_string(position);
  }
  return result;
}

std::string sql_of(const std::string& text) {
  Analysed a = analyse(text);
  return a.error.empty() ? a.sql : a.error;
}

TEST(Query, PointStatementsStayFlat) {
  EXPECT_EQ(sql_of("select b, n from t where a = $1"),
            "SELECT r1.c2 AS o1, r1.c3 AS o2 FROM omen_scan(16384) AS r1 WHERE (r1.c1 = CAST($1 AS INTEGER))");
  EXPECT_EQ(sql_of("delete from t where a = 5"), "SELECT r1._key AS o1 FROM omen_scan(16384) AS r1 WHERE (r1.c1 = 5)");
  Analysed update = analyse("update t set n = 'x' where a = $1 returning a, n");
  EXPECT_EQ(update.sql,
            "SELECT r1._key AS o1, r1.c1 AS o2, r1.c2 AS o3, 'x' AS o4 FROM omen_scan(16384) AS r1 WHERE (r1.c1 = "
            "CAST($1 AS INTEGER))");
  EXPECT_EQ(update.query.key, 0u);
  EXPECT_EQ(update.query.actions.at(0).row, (std::vector<size_t>{1, 2, 3}));
  EXPECT_EQ(update.query.returning, (std::vector<size_t>{1, 3}));
  EXPECT_EQ(sql_of("insert into t values (1, $1, 'z')"), "SELECT 1 AS o1, CAST($1 AS INTEGER) AS o2, 'z' AS o3");
}

TEST(Query, GeneratedColumnsAndChecksFollowTheNewRow) {
  Analysed a = analyse("insert into g (id, q) values (1, 7) returning doubled");
  ASSERT_EQ(a.error, "");
  const WriteAction& action = a.query.actions.at(0);
  EXPECT_EQ(action.row, (std::vector<size_t>{0, 1, 2}));
  ASSERT_EQ(action.checks.size(), 1u);
  EXPECT_EQ(action.checks[0].constraint, "g_check");
  EXPECT_EQ(action.checks[0].column, 3u);
  EXPECT_EQ(a.query.returning, (std::vector<size_t>{2}));
  EXPECT_EQ(analyse("insert into g (id, doubled) values (1, 7)").error,
            "428C9 cannot insert a non-DEFAULT value into column \"doubled\" @0");
}

TEST(Query, WritesThroughSimpleViewsReachTheTable) {
  Analysed a = analyse("update tv set y = 3 where x = 1");
  ASSERT_EQ(a.error, "");
  EXPECT_EQ(a.query.target, Oid{16384});
  EXPECT_EQ(a.sql,
            "SELECT r1._key AS o1, r1.c1 AS o2, 3 AS o3, r1.c3 AS o4, COALESCE((3 > 0), false) AS o5 FROM "
            "omen_scan(16384) AS r1 WHERE "
            "((r1.c2 > 0) AND (r1.c1 = 1))");
  EXPECT_TRUE(a.query.actions.at(0).checks.at(0).view_check);
}

TEST(Query, NullsComeWherePostgresPutsThem) {
  EXPECT_EQ(sql_of("select a from t order by b desc, 1, n nulls first"),
            "SELECT r1.c1 AS o1 FROM omen_scan(16384) AS r1 ORDER BY r1.c2 DESC NULLS FIRST, 1 ASC NULLS LAST, r1.c3 "
            "ASC NULLS FIRST");
}

TEST(Query, GroupingByAPrimaryKeyLetsItsTablesColumnsPass) {
  EXPECT_EQ(sql_of("select a, n, count(*) from t group by a"),
            "SELECT r1.c1 AS o1, r1.c3 AS o2, count_star() AS o3 FROM omen_scan(16384) AS r1 GROUP BY r1.c1, r1.c3");
  EXPECT_EQ(sql_of("select b, n from t group by b"),
            "42803 column \"t.n\" must appear in the GROUP BY clause or be used in an aggregate function @11");
  EXPECT_EQ(sql_of("select b, (select max(v) from u where id = t.a) from t group by b"),
            "42803 subquery uses ungrouped column \"t.a\" from outer query @44");
}

TEST(Query, ErrorsNameThePlace) {
  EXPECT_EQ(sql_of("select nosuch from t"), "42703 column \"nosuch\" does not exist @8");
  EXPECT_EQ(sql_of("select * from t, nosuch"), "42P01 relation \"nosuch\" does not exist @18");
  EXPECT_EQ(sql_of("select x.a from t"), "42P01 missing FROM-clause entry for table \"x\" @8");
  EXPECT_EQ(sql_of("select * from t, t"), "42712 table name \"t\" specified more than once @0");
  EXPECT_EQ(sql_of("select a from t order by 3"), "42P10 ORDER BY position 3 is not in select list @26");
  EXPECT_EQ(sql_of("select 1 union select 1, 2"), "42601 each UNION query must have the same number of columns @23");
  EXPECT_EQ(sql_of("insert into t (a) values ('x'::text)"),
            "42804 column \"a\" is of type integer but expression is of type text @27");
  EXPECT_EQ(sql_of("insert into t values (1) on conflict (b) do nothing"),
            "42P10 there is no unique or exclusion constraint matching the ON CONFLICT specification @0");
  EXPECT_EQ(sql_of("with recursive r(n) as (select n from r union all select 1) select * from r"),
            "42P19 recursive reference to query \"r\" must not appear within its non-recursive term @39");
}

TEST(Query, LockingSelectsBelowTheTopRunFirst) {
  Analysed a = analyse("update t set b = 0 where a = (select id from u order by v limit 1 for update skip locked)");
  ASSERT_EQ(a.error, "");
  ASSERT_EQ(a.query.modifying_ctes.size(), 1u);
  const AnalyzedQuery& first = a.query.modifying_ctes[0];
  EXPECT_EQ(first.kind, QueryKind::kSelect);
  ASSERT_EQ(first.row_marks.size(), 1u);
  EXPECT_EQ(first.row_marks[0].wait, table::LockWait::kSkip);
  EXPECT_EQ(first.row_marks[0].key_column, 1u);
  EXPECT_EQ(first.limit_column, 2u);
  EXPECT_NE(a.sql.find("omen_rows(100)"), std::string::npos) << a.sql;
}

TEST(Query, ManyUnionsDoNotNeedAStack) {
  std::string text = "select 1";
  for (int i = 0; i < 3000; ++i) text += " union all select 1";
  EXPECT_EQ(analyse(text).error, "");
}

}  // namespace
}  // namespace omendb::sql
