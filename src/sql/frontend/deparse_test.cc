#include "sql/frontend/deparse.h"

#include <gtest/gtest.h>

#include "sql/frontend/parser.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

std::string view(const std::string& sql, bool pretty = false) {
  ParseTree tree(sql);
  DeparseHooks hooks;
  hooks.pretty = pretty;
  return deparse_select(reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node), hooks);
}
std::string expression(const std::string& sql, const DeparseHooks& hooks = {}) {
  ParseTree tree("SELECT " + sql);
  auto* select = reinterpret_cast<const SelectStmt*>(tree.statements().at(0).node);
  return deparse_expression(static_cast<const ResTarget*>(linitial(select->targetList))->val, hooks);
}

TEST(Deparse, ExpressionsLookLikeRuleutils) {
  EXPECT_EQ(expression("v > 0 and w is not null or not x"), "(((v > 0) AND (w IS NOT NULL)) OR (NOT x))");
  EXPECT_EQ(expression("v between 1 and -2"), "((v >= 1) AND (v <= '-2'::integer))");
  EXPECT_EQ(expression("a + b * 2"), "(a + (b * 2))");
  EXPECT_EQ(expression("cast(a as varchar(10))"), "(a)::character varying(10)");
  EXPECT_EQ(expression("'x'::text || \"Order\""), "('x'::text || \"Order\")");
  EXPECT_EQ(expression("case when a then 'it''s' else null end"),
            "\nCASE\n    WHEN a THEN 'it''s'\n    ELSE NULL\nEND");
  EXPECT_EQ(expression("true and current_timestamp(3) > now()"), "(true AND (CURRENT_TIMESTAMP(3) > now()))");
  EXPECT_EQ(expression("9223372036854775807 + 1.5"), "('9223372036854775807'::bigint + 1.5)");
  EXPECT_EQ(expression("extract(year from d) = any(array[1,2])"), "(EXTRACT(year FROM d) = ANY (ARRAY[1, 2]))");
  EXPECT_EQ(expression("d at time zone 'UTC'"), "(d AT TIME ZONE 'UTC')");
  EXPECT_EQ(expression("(r).f[1]"), "(r).f[1]");
  EXPECT_EQ(expression("a is distinct from b"), "(a IS DISTINCT FROM b)");
  EXPECT_EQ(expression("interval '1 day'"), "'1 day'::interval");
}

TEST(Deparse, ColumnTypesBringTheCastsThatAnalysisAdds) {
  DeparseHooks hooks;
  hooks.column_type = [](const ColumnRef& ref) -> std::string {
    std::string name = strVal(linitial(ref.fields));
    return name == "t" ? "text" : name == "c" ? "character varying" : name == "i" ? "integer" : "";
  };
  EXPECT_EQ(expression("t = 'a'", hooks), "(t = 'a'::text)");
  EXPECT_EQ(expression("c <> 'a'", hooks), "((c)::text <> 'a'::text)");
  EXPECT_EQ(expression("t in ('a', 'b')", hooks), "(t = ANY (ARRAY['a'::text, 'b'::text]))");
  EXPECT_EQ(expression("c in ('a', 'b')", hooks),
            "((c)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))");
  EXPECT_EQ(expression("i not in (1, 2)", hooks), "(i <> ALL (ARRAY[1, 2]))");
  EXPECT_EQ(expression("t like 'a%'", hooks), "(t ~~ 'a%'::text)");
}

TEST(Deparse, QueriesLookLikeRuleutils) {
  EXPECT_EQ(
      view("select t.a, sum(t.b) as s from t join u on t.a = u.a where t.b > 1 group by t.a having count(*) > 1 order "
           "by t.a desc limit 3"),
      " SELECT t.a,\n    sum(t.b) AS s\n   FROM (t\n     JOIN u ON ((t.a = u.a)))\n  WHERE (t.b > 1)\n  GROUP BY t.a\n"
      " HAVING (count(*) > 1)\n  ORDER BY t.a DESC\n LIMIT 3");
  EXPECT_EQ(view("select t.a, sum(t.b) as s from t join u on t.a = u.a where t.b > 1", true),
            " SELECT t.a,\n    sum(t.b) AS s\n   FROM t\n     JOIN u ON t.a = u.a\n  WHERE t.b > 1");
  EXPECT_EQ(view("select 1 as a union all select 2 as b"), " SELECT 1 AS a\nUNION ALL\n SELECT 2 AS b");
  EXPECT_EQ(view("with x as (select 1 as y) select x.y from x"),
            " WITH x AS (\n         SELECT 1 AS y\n        )\n SELECT x.y\n   FROM x");
  EXPECT_EQ(view("select (select max(u.b) as max from u where u.a = t.a) as m from t"),
            " SELECT ( SELECT max(u.b) AS max\n           FROM u\n          WHERE (u.a = t.a)) AS m\n   FROM t");
}

TEST(Deparse, TextParsesBackToItself) {
  for (const char* sql : {
           "select distinct on (a) a, b as \"B\" from only s.t as x(a, b), lateral (select 1 as one) y, "
           "generate_series(1, 2) with ordinality g(n, o) for update of x nowait",
           "select rank() over (partition by a order by b desc nulls last rows between 1 preceding and unbounded "
           "following exclude ties) as r, sum(x) filter (where x > 0) over w as s from t window w as (order by a)",
           "select a from t left join u using (a) natural full join v cross join w group by grouping sets ((a), (), "
           "rollup(a, b)), cube(c)",
           "(select 1 as x union select 2 order by 1) intersect (select 3 except all select 4 as z) offset 3",
           "values (1, 'x'), (2, null)",
           "select string_agg(distinct a, ',' order by a) as s, percentile_cont(0.5) within group (order by b) as p, "
           "array(select 1 as o) as arr, f(n => 3, variadic x) as v from t where (a, b) in (select 1 as c, 2 as d) and "
           "exists (select from u) and a not like 'x%' escape '!' and b similar to 'y'",
           "with recursive r(n) as (select 1 as x union all select r.n + 1 from r where r.n < 5), m as materialized "
           "(select 2 as z) select * from r tablesample bernoulli (10) repeatable (1)",
           "select substring(a from 2 for 3) as s, trim(leading 'x' from a) as t, overlay(a placing 'b' from 1) as o, "
           "position('a' in b) as p, coalesce(a, b) as c, greatest(1, 2) as g, nullif(a, '') as n, a collate \"C\" as "
           "c2, x[1:2] as sl, row(1, 2) as r, b'101' as bits, a is not true as bt",
       }) {
    SCOPED_TRACE(sql);
    std::string once = view(sql);
    EXPECT_EQ(view(once), once) << sql;
    std::string pretty = view(sql, true);
    EXPECT_EQ(view(pretty), once) << pretty;
  }
}

TEST(Deparse, IdentifiersAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(quote_identifier("plain_1"), "plain_1");
  EXPECT_EQ(quote_identifier("select"), "\"select\"");
  EXPECT_EQ(quote_identifier("Caps"), "\"Caps\"");
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_identifier("1a"), "\"1a\"");
  EXPECT_EQ(quote_qualified("my schema", "t"), "\"my schema\".t");
  EXPECT_EQ(quote_literal("it's \\"), "E'it''s \\\\'");
}

}  // namespace
}  // namespace omendb::sql
