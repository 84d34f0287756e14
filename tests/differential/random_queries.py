#!/usr/bin/env python3
"""Random statements, run on PostgreSQL and on OmenDB, that must give the same rows, types and SQLSTATEs.

A seed makes a schema (tables of many types with nulls, keys and indexes) and then statements over it: expressions, joins, aggregates,
windows, subqueries, set operations, CTEs and changes of data, the more unusual ones by query_shapes.py. Expressions are made by type, so
that most of them succeed. Every difference prints its statement and `--seed N --only K`, which runs the seed again and shows only that
statement; what is counted as "excused" does not fail.

    random_queries.py [--seed N] [--seeds N] [--queries N] [--only K] [--show N]
"""

import argparse
import collections
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from differential.query_generator import FAMILIES, LITERALS, Column  # noqa: E402
from differential.query_shapes import ShapeGenerator  # noqa: E402
from harness.servers import OmenDB, PostgreSQL  # noqa: E402
from harness.wire import ServerError  # noqa: E402


class ComparedGenerator(ShapeGenerator):
    keyed = frozenset()
    subqueries = 0

    # --- schema ---
    def schema(self):
        yield "create type color as enum ('red', 'green', 'blue')"
        yield "create domain posint as int4 check (value > -1000000)"
        for t in range(self.r.randint(2, 4)):
            columns = self.columns()
            name = f"t{t}"
            key = self.r.random() < 0.7
            self.keyed |= {name} if key else set()
            yield f"create table {name} (" + ", ".join(f"{c} {n}" + (" primary key" if key and c == "id" else "") for c, n, _ in columns) + ")"
            self.tables[name] = columns
            rows = self.r.choice([0, 3, 12, 40])
            if rows:
                values = []
                for i in range(rows):
                    values.append("(" + ", ".join([str(i)] + [self.value(f) for _, _, f in columns[1:]]) + ")")
                yield f"insert into {name} values " + ", ".join(values)
            for c, n, f in columns[1:]:
                if f in ("int", "num", "text", "date", "stamp") and self.r.random() < 0.2:
                    yield f"create index on {name} ({c})"

    def value(self, family):
        if self.r.random() < 0.2:
            return "null"
        if family == "int":
            return str(self.r.choice([self.r.randint(-3, 3), self.r.randint(-100, 100), self.r.randint(0, 30000)]))
        if family == "num":
            return str(round(self.r.uniform(-100, 1000), self.r.randint(0, 3)))
        if family == "text":
            return "'" + "".join(self.r.choice("abcAz y") for _ in range(self.r.randint(0, 5))) + "'"
        if family == "date":
            return f"date '2020-01-01' + {self.r.randint(-800, 800)}"
        if family == "stamp":
            return f"timestamp '2020-01-01' + {self.r.randint(-80000, 80000)} * interval '1 minute'"
        return self.r.choice(LITERALS[family])

    # --- queries ---
    def from_item(self, alias, depth, outer):
        r = self.r
        if depth > 0 and r.random() < 0.25:
            sql, columns = self.select(depth - 1, [] if r.random() < 0.8 else outer, named=True, small=True)
            return f"({sql}) {alias}", [Column(f"{alias}.{c}", f) for c, f in columns]
        if r.random() < 0.1:
            n = r.randint(0, 5)
            return f"generate_series(1, {n}) {alias}(g)", [Column(f"{alias}.g", "int")]
        name = r.choice(sorted(self.tables))
        return f"{name} {alias}", [Column(f"{alias}.{c}", f) for c, _, f in self.tables[name]]

    def from_clause(self, depth, outer):
        r = self.r
        self.alias = getattr(self, "alias", 0) + 1
        text, scope = self.from_item(f"a{self.alias}", depth, outer)
        for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
            self.alias += 1
            right, columns = self.from_item(f"a{self.alias}", depth, outer)
            kind = r.choice(["join", "left join", "right join", "full join", "cross join", ","])
            both = scope + columns
            if kind in ("cross join", ","):
                text = f"{text} {kind} {right}" if kind == "cross join" else f"{text} cross join {right}"
            else:
                family = r.choice([c.family for c in scope])
                mine = [c.text for c in scope if c.family == family]
                theirs = [c.text for c in columns if c.family == family]
                if theirs:
                    condition = f"{r.choice(mine)} = {r.choice(theirs)}"
                    if kind != "full join" and r.random() < 0.3:
                        condition += f" and {self.expression('bool', both, 1)}"
                elif kind == "full join":
                    condition = "true"
                else:
                    condition = self.expression("bool", both, 1)
                text = f"{text} {kind} {right} on {condition}"
            scope = both
        return text, scope

    def subquery_condition(self, scope, depth):
        r = self.r
        kind = r.random()
        if kind < 0.4:
            text, inner = self.from_clause(0, [])
            return f"{r.choice(['exists', 'not exists'])} (select 1 from {text} where {self.expression('bool', inner + scope, 1)})"
        family = r.choice(["int", "text", "num", "date"])
        text, inner = self.from_clause(0, [])
        if kind < 0.8:
            return f"{self.expression(family, scope, 1)} {r.choice(['in', 'not in'])} (select {self.expression(family, inner, 1)} from {text} where {self.expression('bool', inner, 1)})"
        return f"{self.expression('num', scope, 1)} {r.choice(['<', '>='])} (select {r.choice(['sum', 'max', 'avg'])}({self.expression('int', inner, 0)}) from {text} where {self.expression('bool', inner + scope, 1)})"

    def select(self, depth, outer, named=False, small=False, families=None):
        """(SQL, [(column name, family)])"""
        r = self.r
        text, scope = self.from_clause(depth, outer)
        scope = scope + outer if outer and r.random() < 0.3 else scope
        where = ""
        if r.random() < 0.6:
            where = f" where {self.expression('bool', scope, 2)}"
            if depth > 0 and r.random() < 0.25:
                where += f" and {self.subquery_condition(scope, depth)}"
        keys = [c.text for c in scope if c.family not in ("any", "jsonb")]
        outputs, tail, _ = self.outputs(scope, keys, families, small, 0.3, 0.12)
        names = [f"x{i}" for i in range(len(outputs))]
        distinct = "distinct " if r.random() < 0.1 and not small else ""
        sql = f"select {distinct}" + ", ".join(f"{e} as {n}" for (e, _), n in zip(outputs, names)) + f" from {text}{where}{tail}"
        if small and r.random() < 0.3:
            sql += " order by " + ", ".join(str(i + 1) for i in range(len(outputs))) + f" limit {r.randint(0, 8)}"
        return sql, [(n, f) for (_, f), n in zip(outputs, names) if f != "any"] or [(names[0], "any")]

    def query(self):
        r = self.r
        if r.random() < 0.6:
            return self.change_shape() if r.random() < 0.25 else self.statement()
        self.subqueries = 1
        kind = r.random()
        if kind < 0.62:
            return self.select(1, [])[0]
        if kind < 0.75:
            return self.combined(["union", "union all", "intersect", "except", "union all"])
        if kind < 0.85:
            return self.with_query()
        return self.change()

    def change(self):
        r = self.r
        name = r.choice(sorted(self.tables))
        columns = self.tables[name]
        scope = [Column(f"{name}.{c}", f) for c, _, f in columns]
        kind = r.random()
        if kind < 0.4:
            return f"update {name} set {self.assignments(name, scope, 2)} where {self.expression('bool', scope, 2)} returning *"
        if kind < 0.6:
            return f"delete from {name} where id % 7 = {r.randint(0, 6)} and {self.expression('bool', scope, 1)} returning *"
        values = ", ".join([str(r.randint(0, 60))] + [self.expression(f, [], 1) for _, _, f in columns[1:]])
        conflict = r.choice(["", "", " on conflict do nothing"])
        return f"insert into {name} values ({values}){conflict} returning *"


def seen(connection, sql):
    connection.notices = []
    outcome = []
    for result in connection.query(sql):
        rows = sorted(result.rows, key=lambda row: [(v is None, v or b"") for v in row])
        types = result.columns and [(c[0], c[1] if c[1] < 16384 else 0, c[2]) for c in result.columns]
        error = result.error and result.error.get("C")
        outcome.append((None if error else types, [] if error else rows, result.tag, error, result.error and result.error.get("M")))
    return outcome, connection.status


def plain(outcome):
    """The rows with numbers that are equal looking the same: which of 1.0 and 1.00, of 0 and -0 stands for both is open."""
    def text(v, oid):
        if v is None or oid not in (700, 701, 1700):
            return v
        v = v.decode()
        v = v.rstrip("0").rstrip(".") if "." in v and "e" not in v else v
        return "0" if v == "-0" else v
    return [sorted(([text(v, c[1]) for v, c in zip(row, types)] for row in rows), key=repr) if types else rows for types, rows, *_ in outcome]


def excused(sql, expected, actual):
    """What says that a difference is none: a refusal that names itself, or an error of a value that only one of the two computes (which
    rows are computed, and whether a constant is computed beforehand, is the planner's to choose)."""
    their_error, our_error = expected[-1][3], actual[-1][3]
    message = actual[-1][4] or ""
    if their_error is None and our_error is None and [o[0] for o in expected] == [o[0] for o in actual] and plain(expected) == plain(actual):
        return "equal numbers of different looks"
    if our_error == "0A000" and their_error != "0A000" and message.endswith("is not supported"):
        return message
    folded = re.search(r"when (true|false|null|nullif)|coalesce\(|null::", sql)
    if folded and [([c[:2] for c in o[0] or []], *o[1:]) for o in expected] == [([c[:2] for c in o[0] or []], *o[1:]) for o in actual]:
        return "the typmod of constants that PostgreSQL folds"
    of_a_value = ("22", "21000", "0A000")
    if (their_error is None) != (our_error is None) and (their_error or our_error).startswith(of_a_value):
        return f"{their_error} -> {our_error}"
    both_values = their_error and our_error and their_error.startswith((*of_a_value, "23")) and our_error.startswith((*of_a_value, "23"))
    return f"{their_error} -> {our_error}" if both_values and their_error != our_error else None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--seeds", type=int, default=10)
    arguments.add_argument("--queries", type=int, default=200)
    arguments.add_argument("--only", type=int, default=None)
    arguments.add_argument("--show", type=int, default=20)
    options = arguments.parse_args()
    first = options.seed if options.seed is not None else int(time.time()) % 1000000
    seeds = [first] if options.seed is not None else range(first, first + options.seeds)
    total = failed = shown = errors = 0
    kinds, excuses = collections.Counter(), collections.Counter()
    with PostgreSQL() as pg, OmenDB() as omen:
        for seed in seeds:
            generator = ComparedGenerator(seed)
            theirs, ours = pg.connect(timeout=60), omen.connect(timeout=60)
            for connection in (theirs, ours):
                connection.query(f"create schema s{seed}; set search_path = s{seed}; set statement_timeout = '20s'")
            statements = list(generator.schema())
            rows_from = len(statements)
            statements += [generator.query() for _ in range(options.queries)]
            for number, sql in enumerate(statements):
                total += 1
                change = sql.startswith(("insert", "update", "delete", "merge", "with w0 as (update", "with w0 as (insert", "with w0 as (delete")) and number >= rows_from
                if change:
                    for connection in (theirs, ours):
                        connection.query("begin")
                expected = seen(theirs, sql)
                try:
                    actual = seen(ours, sql)
                except (ServerError, ConnectionError, OSError) as trouble:
                    actual = ([(None, [], None, "connection lost", str(trouble))], "?")
                    if omen.process.poll() is not None:
                        print(f"the server died:\n{omen.log()}")
                        omen.start()
                    ours = omen.connect(timeout=60)
                    ours.query(f"set search_path = s{seed}")
                errors += bool(expected[0][-1][3])
                same = [o[:4] for o in expected[0]] == [o[:4] for o in actual[0]]
                excuse = None if same else excused(sql, expected[0], actual[0])
                if change:
                    # The tables stay the same on both sides, whatever was found.
                    for connection in (theirs, ours):
                        connection.query("commit" if same else "rollback")
                if same and options.only != number:
                    continue
                code = actual[0][-1][3]
                if excuse and options.only != number:
                    excuses[excuse] += 1
                    continue
                failed += not same
                kinds["rows or columns" if code is None and expected[0][-1][3] is None else f"{expected[0][-1][3]} -> {code} {(actual[0][-1][4] or '')[:70] if code else ''}"] += 1
                if (options.only is None and shown < options.show) or options.only == number:
                    shown += 1
                    print(f"--seed {seed} --only {number}\n  {sql}")
                    for label, (outcome, status) in (("PostgreSQL", expected), ("OmenDB    ", actual)):
                        for types, rows, tag, error, message in outcome:
                            print(f"    {label}: {tag or ''} {error or ''} {message or ''} columns={types} rows={rows[:5]}")
            for connection in (theirs, ours):
                connection.query(f"drop schema s{seed} cascade")
                connection.close()
    for kind, n in kinds.most_common(40):
        print(f"  {n} x {kind}")
    for kind, n in excuses.most_common(40):
        print(f"  excused: {n} x {kind}")
    print(f"seeds {seeds[0]}..{seeds[-1]}: {total} statements ({errors} raise an error on PostgreSQL), {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
