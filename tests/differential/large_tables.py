#!/usr/bin/env python3
"""Random queries over tables of many row groups, on PostgreSQL and on every route of OmenDB: the same rows.

What joins, Top-N nodes and limits learn while they run, zone maps and parallel scans show only in tables of more rows than a vector
or a row group has. The tables are made by formulas, the same on both sides. Queries nest joins of every kind, LIMIT in an order,
DISTINCT ON, GROUP BY, windows and set operations, and yield aggregates, or rows in an order without ties; so every answer is
determined. OmenDB answers each on rows, on columns and as it chooses.

    large_tables.py [QUERIES] [--seed N] [--only K] [--show N]
"""

import argparse
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB, PostgreSQL  # noqa: E402

ROUTES = ("rows", "columns", "auto")

# id is unique; u is unique, in another order; f has few values; g has gaps and nulls; d are days; t is text.
SCHEMA = """
create table big (id int primary key, u int, f int, g int, d date, t text);
insert into big select n, 1000000 - n * 3, n % 37, case when n % 11 = 0 then null else (n * 7919) % 250000 end,
  date '2020-01-01' + n % 900, 'k' || n % 5000 from generate_series(1, 250000) n;
create table middle (id int primary key, u int, f int, g int, d date, t text);
insert into middle select n * 5, (n * 70001) % 1000003, n % 11, case when n % 7 = 0 then null else n * 13 % 30000 end,
  date '2021-01-01' + n % 400, 'k' || n % 700 from generate_series(1, 30000) n;
create table small (id int primary key, u int, f int, g int, d date, t text);
insert into small select n * 31, 5000 - n, n % 5, nullif(n % 90, 17), date '2020-06-01' + n, 'k' || n from generate_series(1, 400) n;
create table few (id int primary key, u int, f int, g int, d date, t text);
insert into few select n, n * 900, n, n, date '2020-02-01' + n, 'k' || n from generate_series(1, 12) n;
create index on big (u);
create index on middle (g);
analyze;
"""
TABLES = ("big", "big", "middle", "middle", "small", "few")
INTS = ("id", "u", "f", "g")
COLUMNS = INTS + ("d", "t")


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.aliases = 0

    def alias(self):
        self.aliases += 1
        return f"a{self.aliases}"

    def literal(self, column):
        r = self.r
        return {"id": lambda: str(r.choice([r.randint(1, 400), r.randint(1, 250000)])),
                "u": lambda: str(r.choice([r.randint(1, 5000), r.randint(1, 1000000)])), "f": lambda: str(r.randint(0, 40)),
                "g": lambda: str(r.choice([r.randint(0, 100), r.randint(0, 250000)])),
                "d": lambda: f"date '2020-01-01' + {r.randint(0, 1000)}", "t": lambda: f"'k{r.randint(0, 5000)}'"}[column]()

    def condition(self, alias, depth):
        r = self.r
        column = r.choice(COLUMNS)
        kind = r.random()
        if kind < 0.45:
            return f"{alias}.{column} {r.choice(['<', '<=', '>', '>=', '=', '<>'])} {self.literal(column)}"
        if kind < 0.6:
            return f"{alias}.{column} in ({', '.join(self.literal(column) for _ in range(r.randint(1, 5)))})"
        if kind < 0.68:
            return f"{alias}.g is {r.choice(['', 'not '])}null"
        if kind < 0.76:
            return f"({self.condition(alias, 0)} or {self.condition(alias, 0)})"
        if kind < 0.84:
            return f"{alias}.id % {r.randint(2, 9)} = {r.randint(0, 2)}"
        if depth <= 0:
            return f"{alias}.id between {r.randint(1, 1000)} and {r.randint(500, 250000)}"
        inner = self.alias()
        column = r.choice(("id", "u", "g", "f", "t"))
        if r.random() < 0.5:
            # NOT IN over nulls is nowhere; IN reads as a semi join.
            return f"{alias}.{column} in (select {inner}.{column} from {self.source(depth - 1)} {inner})"
        return (f"{r.choice(['', '', 'not '])}exists (select 1 from {self.source(depth - 1)} {inner} where {inner}.{column} = "
                f"{alias}.{column}{r.choice(['', f' and {inner}.f < {alias}.f'])})")

    def where(self, alias, depth):
        n = self.r.choice([0, 1, 1, 2])
        return " where " + " and ".join(self.condition(alias, depth) for _ in range(n)) if n else ""

    def source(self, depth):
        """A FROM item with the columns id (unique or null), u, f, g, d, t; which rows it has is determined."""
        r = self.r
        if depth <= 0 or r.random() < 0.25:
            return r.choice(TABLES)
        a = self.alias()
        columns = ", ".join(f"{a}.{c}" for c in COLUMNS)
        kind = r.random()
        if kind < 0.15:
            return f"(select {columns} from {self.source(depth - 1)} {a}{self.where(a, depth - 1)})"
        if kind < 0.4:
            order = r.choice(("id", "u", "f", "g", "d", "t"))
            direction = r.choice(["", " desc", " nulls first", " desc nulls last"])
            limit = r.choice([1, 5, 10, 100, 1000, 5000, 20000])
            offset = r.choice(["", "", "", f" offset {r.choice([1, 7, 100, 3000])}"])
            return (f"(select {columns} from {self.source(depth - 1)} {a}{self.where(a, depth - 1)} order by {a}.{order}{direction}, "
                    f"{a}.id, {a}.u, {a}.g, {a}.f limit {limit}{offset})")
        if kind < 0.55:
            on = r.choice(("f", "g", "t", "d", "id % 100"))
            on = f"{a}.{on}"
            return (f"(select distinct on ({on}) {columns} from {self.source(depth - 1)} {a}{self.where(a, depth - 1)} order by {on}, "
                    f"{a}.u{r.choice(['', ' desc'])}, {a}.id, {a}.g, {a}.f)")
        if kind < 0.7:
            group = r.choice(("f", "g", "t", "d"))
            made = {"id": f"min({a}.id)", "u": f"max({a}.u)", "f": f"max({a}.f)", "g": "count(*)::int", "d": f"max({a}.d)",
                    "t": f"min({a}.t)"}
            having = r.choice(["", "", f" having count(*) > {r.randint(1, 5)}"])
            return (f"(select " + ", ".join(f"{made[c]} as {c}" for c in COLUMNS) +
                    f" from {self.source(depth - 1)} {a}{self.where(a, depth - 1)} group by {a}.{group}{having})")
        if kind < 0.82:
            partition = r.choice(("f", "g", "t"))
            return (f"(select id, u, f, g, d, t from (select {columns}, row_number() over (partition by {a}.{partition} order by "
                    f"{a}.{r.choice(['u', 'd', 'g desc'])}, {a}.id, {a}.u) as n from {self.source(depth - 1)} {a}) w "
                    f"where n {r.choice(['= 1', '<= 3', '= 2'])})")
        if kind < 0.9:
            b = self.alias()
            operation = r.choice(["union all", "union", "except", "intersect"])
            other = ", ".join(f"{b}.{c}" for c in COLUMNS)
            return (f"(select {columns} from {self.source(depth - 1)} {a}{self.where(a, 0)} {operation} "
                    f"select {other} from {self.source(depth - 1)} {b}{self.where(b, 0)})")
        b = self.alias()
        key = r.choice(("id", "id", "u"))
        join = r.choice(["join", "left join", "right join", "full join"])
        picked = ", ".join(f"{r.choice([a, a, b])}.{c}" for c in COLUMNS)
        return f"(select {picked} from {self.source(depth - 1)} {a} {join} {self.source(depth - 1)} {b} on {a}.{key} = {b}.{key})"

    def query(self):
        r = self.r
        a, depth = self.alias(), r.randint(1, 3)
        tables, columns = f"{self.source(depth)} {a}", [a]
        for _ in range(r.choice([0, 1, 1, 1, 2])):
            b = self.alias()
            # At most one side has the key more often than the other can bear: id and u are (nearly) unique.
            left, right = r.choice([("id", "id"), ("u", "u"), ("g", "id"), ("id", "g"), ("g", "u"), ("id", "u")])
            more = r.choice(["", "", f" and {b}.f {r.choice(['<', '>', '='])} {columns[0]}.f", f" and {b}.g < {self.literal('g')}"])
            join = r.choice(["join", "join", "left join", "right join", "full join"])
            if join == "full join":
                more = ""
            tables += f" {join} {self.source(depth - 1)} {b} on {r.choice(columns)}.{left} = {b}.{right}{more}"
            columns.append(b)
        c, e = r.choice(columns), r.choice(columns)
        where = self.where(r.choice(columns), 1)
        kind = r.random()
        if kind < 0.45:
            return (f"select count(*), count({c}.id), sum({c}.u::bigint), min({e}.g), max({e}.d), sum({e}.f), count(distinct {c}.t) "
                    f"from {tables}{where}")
        if kind < 0.6:
            by = f"{c}.{r.choice(['f', 'd', 't'])}"
            return (f"select {by} as k, count(*), sum({e}.id::bigint), max({e}.u) from {tables}{where} group by {by} "
                    f"order by {r.choice(['count(*) desc, k', 'k', 'k desc nulls last'])} limit {r.choice([3, 20, 1000])}")
        outputs = [f"{x}.{k}" for x in columns for k in INTS]
        order = f"{c}.{r.choice(INTS + ('d',))}{r.choice(['', ' desc', ' nulls first', ' desc nulls last'])}"
        # Ties in all that is ordered by are the same rows in all that is shown.
        return (f"select {', '.join(outputs)} from {tables}{where} order by {order}, " + ", ".join(outputs) +
                f" limit {r.choice([1, 5, 50, 3000])}{r.choice(['', '', f' offset {r.randint(1, 2000)}'])}")


def answer(connection, sql):
    result = connection.query(sql)[-1]
    return ("error", result.error["C"]) if result.error else [tuple(row) for row in result.rows]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("queries", nargs="?", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments.add_argument("--only", type=int)
    arguments.add_argument("--show", type=int, default=5)
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    differ = skipped = refused = empty = 0
    started = time.monotonic()
    with PostgreSQL() as pg, OmenDB() as omen:
        theirs = pg.connect(timeout=600)
        theirs.execute(SCHEMA)
        theirs.query("set statement_timeout = '10s'")
        rows = omen.connect(timeout=600)
        rows.execute(SCHEMA.replace("t text)", "t text) with (omendb.columns = on)"))
        ours = {route: omen.connect(timeout=600, **{"omendb.route": route}) for route in ROUTES}
        for connection in ours.values():
            connection.query("set statement_timeout = '60s'")
        for number in range(options.queries):
            sql = Maker(f"{options.seed}/{number}").query()
            if options.only is not None and number != options.only:
                continue
            expected = answer(theirs, sql)
            if expected == ("error", "57014"):  # a plan of PostgreSQL's that takes too long says nothing
                skipped += 1
                continue
            refused += isinstance(expected, tuple)
            empty += not expected
            wrong = {}
            for route, connection in ours.items():
                actual = answer(connection, sql)
                if actual != expected:
                    wrong[route] = actual
            differ += bool(wrong)
            if wrong and differ <= options.show:
                print(f"--seed {options.seed} --only {number}\n  {sql}\n    PostgreSQL: {str(expected)[:300]}")
                for route, actual in wrong.items():
                    print(f"    {route}: {str(actual)[:300]}", flush=True)
            if number % 100 == 99:
                print(f"{number + 1} queries in {time.monotonic() - started:.0f} s, {differ} differ", flush=True)
    print(f"{options.queries} queries in {time.monotonic() - started:.0f} s on {len(ROUTES)} routes, {skipped} too slow in PostgreSQL, "
          f"{refused} errors, {empty} without rows, {differ} differ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
