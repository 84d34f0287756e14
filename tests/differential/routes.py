#!/usr/bin/env python3
"""Random queries, each on every route (rows, columns, auto) at one snapshot: no difference, whatever happens beside them.

A seed makes a schema (tables of some rows to some thousand, of many types) and a list of events: transactions of REPEATABLE READ that
are held for a while on several connections, own writes kept or rolled back to a savepoint, and queries, each run on every route.
Meanwhile others insert, update, delete, move keys, truncate and fill again; copies are made, dropped and folded; ALTER TABLE changes
the tables that are read, and others. The answers' bytes are compared, in their order where the query has one; values that are equal but
look different (1.0 and 1.00) count as equal, since which one stands for a group is open.

An error of a value (class 22 and the like) on one route alone is counted, not a difference: which rows are computed is the optimizer's to
choose.

    routes.py [QUERIES] [--seed N] [--first N] [--workers N] [--calm] [--only K] [--show N] [--kill CYCLES]

`--seed N` runs one seed again with the same events (what others do meanwhile is not repeated); `--calm` leaves the others out;
`--only K` shows event K's answers. `--kill CYCLES`: kill -9 while copies are made, folded, written down and dropped, then the queries.
"""

import argparse
import collections
import multiprocessing
import pathlib
import random
import re
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from differential.query_generator import AGGREGATES, FAMILIES, FUNCTIONS, Column, Generator  # noqa: E402
from harness.servers import OmenDB  # noqa: E402
from harness.wire import Connection, ServerError  # noqa: E402

ROUTES = ("rows", "columns", "auto")
PER_SEED = 500
PATIENCE = 900  # seconds for an answer: the machine may be stopped for a while
ROUND = 20  # seeds that a server lives for
# A round's analytical threads. Most queries are short: a second thread costs them time, and two workers keep two cores busy.
THREADS = (1, 1, 4, 1)
# Rows of the tables, and how many a join without a good key may make. The first table passes what a node of a small plan takes.
USUAL = [(1030, 1600), (100, 400), (20, 80), (0, 12)], 5000
LARGE = [(1000, 3000), (100, 600), (20, 80), (0, 12)], 40000


class RouteGenerator(Generator):
    """Queries whose answers are the same multiset of rows however they are computed, and that take a few milliseconds."""

    # power gives a float among numerics, and sums of floats depend on the order of the rows; scale asks which of two equal numerics
    # a max has kept, which depends on it too; the others take milliseconds a row.
    functions = {**FUNCTIONS, "num": [f for f in FUNCTIONS["num"] if not f[0].startswith(("power", "exp", "ln", "sqrt", "scale"))]}

    def schema(self):
        r = self.r
        yield "create type color as enum ('red', 'green', 'blue')"
        yield "create domain posint as int4 check (value > -1000000)"
        self.sizes, self.keyed, self.indexed = {}, {}, {}
        sizes, self.joined_max = LARGE if r.random() < 0.1 else USUAL
        for t, (low, high) in enumerate(sizes[:r.randint(2, len(sizes))]):
            name = f"t{t}"
            columns = self.tables[name] = self.columns()
            self.sizes[name] = r.randint(low, high)
            self.keyed[name] = r.random() < 0.8
            self.indexed[name] = ["id"] if self.keyed[name] else []
            yield f"create table {name} (" + ", ".join(f"{c} {n}" for c, n, _ in columns) + (", primary key (id))" if self.keyed[name] else ")")
            for c, n, f in columns[1:]:
                if f in ("int", "num", "text", "date", "stamp", "uuid") and r.random() < 0.25:
                    self.indexed[name].append(c)
                    yield f"create index on {name} ({c})"
            yield f"create table spare_{name} (like {name})"
        yield "create table side (a int primary key, b text)"

    def like(self, other):
        """Takes over its schema."""
        for name in ("tables", "sizes", "keyed", "indexed", "joined_max"):
            setattr(self, name, getattr(other, name))

    def rows(self, name):
        """The table's first rows, as COPY takes them."""
        return "".join("\t".join([str(i)] + [self.datum(f) for _, _, f in self.tables[name][1:]]) + "\n"
                       for i in range(self.sizes[name])).encode()

    def datum(self, family):
        r = self.r
        if r.random() < 0.15:
            return "\\N"
        if family == "int":
            return str(r.randint(-3, 3) if r.random() < 0.1 else r.randint(0, 6000))
        if family == "num":
            return str(round(r.uniform(-100, 2000), r.randint(0, 2)))
        if family == "float":
            return str(r.choice([0, 1.5, -2.25, 1e10, 0.1]) if r.random() < 0.3 else r.uniform(-1000, 1000))
        if family == "text":
            return "".join(r.choice("abcAz y") for _ in range(r.randint(0, 6)))
        if family == "date":
            return f"20{r.randint(10, 29)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
        if family in ("stamp", "stamptz"):
            return f"20{r.randint(10, 29)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} {r.randint(0, 23):02}:{r.randint(0, 59):02}:00"
        if family == "time":
            return f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:00"
        if family == "uuid":
            return f"00000000-0000-0000-0000-{r.randint(0, 3000):012}"
        if family == "bytea":
            return "\\\\x" + "".join(r.choice("0123456789abcdef") for _ in range(2 * r.randint(0, 5)))
        return r.choice({"bool": ["t", "f"], "interval": ["1 day", "2 mons", "-03:00:00", "01:30:00", "5 days 04:00:00"],
                         "intarray": ["{}", "{1,2,3}", "{3,NULL,1}", "{{1,2},{3,4}}", "{7}"], "textarray": ["{}", "{a,b}", "{x,NULL,y}"],
                         "jsonb": ["{}", '{"a": 1, "b": [1, 2]}', '[1, "x", null]', "5", '"s"', '{"a": "z"}'],
                         "color": ["red", "green", "blue"]}[family])

    # --- FROM: the same as everywhere, but no join may explode ---
    def base(self, alias, largest=None):
        names = [n for n in sorted(self.tables) if largest is None or self.sizes[n] <= largest] or [min(self.tables, key=self.sizes.get)]
        name = self.r.choice(names)
        self.size = max(1, self.sizes[name])
        columns = [Column(f"{alias}.{c}", f) for c, _, f in self.tables[name]]
        self.order = [f"{alias}.id"] if self.keyed[name] else [c.text for c in columns]
        return f"{name} {alias}", columns

    def from_item(self, alias, depth, outer):
        r = self.r
        if depth > 0 and r.random() < 0.2:
            sql, columns = self.select(depth - 1, [], named=True, small=True)
            self.order = [f"{alias}.{c}" for c, _ in columns]
            return f"({sql}) {alias}", [Column(f"{alias}.{c}", f) for c, f in columns if f != "any"] or [Column(f"{alias}.{columns[0][0]}", "none")]
        if r.random() < 0.08:
            n = self.size = r.randint(0, 5)
            self.order = [f"{alias}.g"]
            return f"generate_series(1, {n}) {alias}(g)", [Column(f"{alias}.g", "int")]
        return self.base(alias)

    def from_clause(self, depth, outer):
        r = self.r
        self.alias = getattr(self, "alias", 0) + 1
        text, scope = self.from_item(f"a{self.alias}", depth, outer)
        size, order = self.size, self.order
        for _ in range(r.choice([0, 0, 0, 0, 1, 1, 2])):
            self.alias += 1
            alias = f"a{self.alias}"
            if r.random() < 0.08 and size <= 900:
                right, columns = self.base(alias)
                inner = f"{r.choice([c.text for c in columns if c.family == 'int'])} = {r.choice([c.text for c in scope if c.family == 'int'] or ['3'])}"
                outputs = [(c, f"l{i}") for i, c in enumerate(r.sample(columns, min(3, len(columns))))]
                lateral, on = r.choice([("cross join lateral", ""), ("left join lateral", " on true")])
                text = (f"{text} {lateral} (select " + ", ".join(f"{c.text} as {n}" for c, n in outputs) + f" from {right} where {inner} order by " +
                        ", ".join(c.text for c in columns) + f" limit {r.randint(1, 3)}) {alias}{on}")
                scope = scope + [Column(f"{alias}.{n}", c.family) for c, n in outputs]
                order = order + [f"{alias}.{n}" for _, n in outputs]
                size *= 2
                continue
            right, columns = self.from_item(alias, depth, outer)
            mine, theirs = size, self.size
            kind = r.choice(["join", "join", "left join", "right join", "full join", "cross join"])
            both = scope + columns
            if kind == "cross join" and mine * theirs > self.joined_max:
                kind = "join"
            if kind == "cross join":
                text, size = f"{text} cross join {right}", mine * theirs
            else:
                wide = mine * theirs > self.joined_max
                families = [f for f in {c.family for c in scope} & {c.family for c in columns} if not wide or f in ("int", "num", "date", "stamp", "float")]
                if families:
                    family = r.choice(sorted(families))
                    condition = f"{r.choice([c.text for c in scope if c.family == family])} = {r.choice([c.text for c in columns if c.family == family])}"
                    if kind != "full join" and r.random() < 0.3:
                        condition += f" and {self.expression('bool', both, 1)}"
                    size = max(mine, theirs) * (2 if wide else 8)
                elif wide:
                    continue
                elif kind == "full join":
                    condition, size = "true", mine * theirs
                else:
                    condition, size = self.expression("bool", both, 1), mine * theirs
                text = f"{text} {kind} {right} on {condition}"
            scope, order = both, order + self.order
        self.size, self.order = size, order
        return text, scope

    def subquery_condition(self, scope, depth):
        r = self.r
        kept = self.size, self.order
        self.alias += 1
        right, inner = self.base(f"a{self.alias}", 4000 if r.random() < 0.5 else 900)
        kind = r.random()
        ints = [c.text for c in scope if c.family == "int"] or ["3"]
        tied = f"{r.choice([c.text for c in inner if c.family == 'int'])} = {r.choice(ints)}"
        if kind < 0.4:
            result = f"{r.choice(['exists', 'not exists'])} (select 1 from {right} where {tied} and {self.expression('bool', inner + scope, 1)})"
        elif kind < 0.75:
            family = r.choice(["int", "text", "num", "date"])
            result = f"{self.expression(family, scope, 1)} {r.choice(['in', 'not in'])} (select {self.expression(family, inner, 1)} from {right} where {self.expression('bool', inner, 1)})"
        elif kind < 0.85:
            result = f"{self.expression('int', scope, 1)} {r.choice(['< all', '= any', '>= any'])} (select {self.expression('int', inner, 0)} from {right} where {tied})"
        else:
            result = f"{self.expression('num', scope, 1)} {r.choice(['<', '>='])} (select {r.choice(['sum', 'max', 'avg'])}({self.expression('int', inner, 0)}) from {right} where {tied})"
        self.size, self.order = kept
        return result

    def select(self, depth, outer, named=False, small=False, families=None):
        r = self.r
        text, scope = self.from_clause(depth, outer)
        size, order = self.size, self.order
        where = f" where {self.expression('bool', scope, r.choice([1, 1, 2]))}" if r.random() < 0.6 else ""
        if depth > 0 and r.random() < 0.3 and size <= 4000:
            where += f"{' and' if where else ' where'} {self.subquery_condition(scope, depth)}"
        outputs, tail, grouped = self.outputs(scope, order, families, small, 0.42, 0.12)
        if grouped:
            size = min(size, 50)
        names = [f"x{i}" for i in range(len(outputs))]
        sql = f"select {'distinct ' if r.random() < 0.1 and not small else ''}" + ", ".join(f"{e} as {n}" for (e, _), n in zip(outputs, names))
        sql += f" from {text}{where}{tail}"
        if (small and r.random() < 0.4) or (not small and size > 200 and r.random() < 0.7):
            count = r.randint(0, 20)
            sql += " order by " + ", ".join(f"{i + 1}{r.choice(['', '', ' desc', ' nulls first'])}" for i in range(len(outputs))) + f" limit {count}"
            if r.random() < 0.2:
                sql += f" offset {r.randint(0, 30)}"
            size = min(size, count)
        self.size = max(1, size)
        self.order = names
        return sql, [(n, f) for (_, f), n in zip(outputs, names)]

    # --- Statements that reach few rows by keys ---
    def by_key(self):
        r = self.r
        name = r.choice(sorted(self.tables))
        scope = [Column(f"a.{c}", f) for c, _, f in self.tables[name]]
        order = ["a.id"] if self.keyed[name] else [c.text for c in scope]
        text = f"{name} a"
        key = r.choice(self.indexed[name] or ["id"])
        family = next(f for c, _, f in self.tables[name] if c == key)

        def constant():
            return str(r.randint(0, self.sizes[name] + 20)) if key == "id" else self.expression(family, [], 0)

        kind = r.random()
        if kind < 0.45:
            where = f"a.{key} = {constant()}"
        elif kind < 0.6:
            where = f"a.{key} in ({', '.join(constant() for _ in range(r.randint(2, 5)))})"
        elif kind < 0.75 and key == "id":
            low = r.randint(0, self.sizes[name] + 5)
            where = f"a.id between {low} and {low + r.randint(0, 30)}"
        elif kind < 0.85:
            where = f"a.{key} {r.choice(['<', '<=', '>', '>='])} {constant()}"
        else:
            where = f"a.{key} is null" if key != "id" else f"a.id > {constant()}"
        if r.random() < 0.4:
            other = r.choice(sorted(self.tables))
            columns = [Column(f"b.{c}", f) for c, _, f in self.tables[other]]
            left = r.choice([c.text for c in scope if c.family == "int"])
            text += f" {r.choice(['join', 'left join'])} {other} b on b.id = {left}"
            scope, order = scope + columns, order + (["b.id"] if self.keyed[other] else [c.text for c in columns])
        if r.random() < 0.3:
            where += f" and {self.expression('bool', scope, 1)}"
        if r.random() < 0.3:
            outputs = [t.format(self.expression(a, scope, 1)) for t, a, _ in r.sample(AGGREGATES, r.randint(1, 3))]
            return f"select {', '.join(outputs)} from {text} where {where}"
        outputs = [self.expression(r.choice(FAMILIES), scope, 1) for _ in range(r.randint(1, 3))]
        sql = f"select {', '.join(outputs)} from {text} where {where}"
        if r.random() < 0.5:
            direction = r.choice(["", " desc"])
            sql += " order by " + ", ".join(f"{c}{direction}" for c in order) + (f" limit {r.randint(0, 6)}" if r.random() < 0.7 else "")
        return sql

    def query(self):
        r = self.r
        self.alias = 0
        kind = r.random()
        if kind < 0.6:
            return self.by_key()
        if kind < 0.84:
            return self.select(1, [])[0]
        if kind < 0.92:
            return self.combined(["union", "union all", "intersect", "except", "intersect all", "except all"])
        return self.with_query(r.choice(["", "", "materialized ", "not materialized "]))

    # --- Writes ---
    def write(self):
        r = self.r
        name = r.choice(sorted(self.tables))
        columns = self.tables[name]
        scope = [Column(f"{name}.{c}", f) for c, _, f in columns]
        low = r.randint(0, self.sizes[name] + 10)
        some = f"id between {low} and {low + r.choice([0, 0, 1, 5, 40])}"
        kind = r.random()
        if kind < 0.4:
            return f"update {name} set {self.assignments(name, scope, 1)} where {some}"
        if kind < 0.55:
            return f"delete from {name} where {some}"
        if kind < 0.7:
            by = r.choice([100000, -100000, 1])
            return f"update {name} set id = id + {by} where id in (select max(id) from {name})" if by == 1 else f"update {name} set id = id + {by} where {some}"
        if kind < 0.9:
            source = f"select {r.choice(['id', 'id', 'id + 50000'])}, {', '.join(c for c, _, _ in columns[1:])} from spare_{name} where {some}"
            return f"insert into {name} ({', '.join(c for c, _, _ in columns)}) {source}" + (" on conflict do nothing" if self.keyed[name] else "")
        values = ", ".join([str(r.randint(0, 9999))] + [self.expression(f, [], 1) for _, _, f in columns[1:]])
        return f"insert into {name} ({', '.join(c for c, _, _ in columns)}) values ({values})" + (" on conflict do nothing" if self.keyed[name] else "")

    def events(self, count):
        """(kind, connection, text): begin, end, write, undo (a savepoint and what came after it), query."""
        r = self.r
        made, open_for = 0, {}
        while made < count:
            c = r.randint(0, 2)
            if c not in open_for:
                yield "begin", c, None
                open_for[c] = r.choice([1, 1, 2, 5, 12])
                if r.random() < 0.4:
                    continue  # its snapshot grows old while the others go on
            for _ in range(r.choice([0, 0, 1, 2, 5])):
                yield "write", c, self.write()
                if r.random() < 0.2:
                    yield "undo", c, None
            if r.random() < 0.05 and len(open_for) == 1:
                # Its lock is in everybody's way, so this transaction ends with these queries.
                yield "write", c, f"truncate {r.choice(sorted(self.tables))}"
                open_for[c] = 1
            for _ in range(r.randint(4, 16)):
                yield "query", c, self.query()
                made += 1
            open_for[c] -= 1
            if open_for[c] == 0:
                yield "end", c, r.choice(["commit", "rollback"])
                del open_for[c]
                if r.random() < 0.2:
                    # Nobody holds a lock for a moment: others may truncate and alter what is read.
                    for other in sorted(open_for):
                        yield "end", other, "rollback"
                    open_for.clear()
                    yield "pause", 0, None


class Reader(Connection):
    """A connection that sends many statements before it reads an answer, and keeps answers as the server's bytes."""

    def answers(self, texts):
        self.socket.sendall(b"".join(b"Q" + struct.pack("!I", len(t) + 5) + t + b"\0" for t in texts))
        return [self.answer() for _ in texts]

    def answer(self):
        """Rows as bytes, SQLSTATE, message."""
        rows, error = [], (None, None)
        while True:
            kind, body = self.receive()
            if kind == b"D":
                rows.append(body)
            elif kind == b"Z":
                self.status = body.decode()
                return rows, error
            elif kind == b"E":
                fields = self.fields(body)
                error = fields.get("C"), fields.get("M")
                if fields.get("S") in ("FATAL", "PANIC"):
                    raise ServerError(fields)


TRAILING = re.compile(rb"(\d\.\d*?)0+(?!\d)")
INTERVAL = re.compile(rb"(?:([-+]?\d+) years? ?)?(?:([-+]?\d+) mons? ?)?(?:([-+]?\d+) days? ?)?(?:([-+]?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?")


def length(interval):
    """In microseconds, as intervals are compared: a month has 30 days."""
    years, months, days, sign, hours, minutes, seconds = interval.groups(b"0")
    clock = (int(hours) * 60 + int(minutes)) * 60000000 + round(float(seconds) * 1000000)
    return b"%d us" % (((int(years) * 12 + int(months)) * 30 + int(days)) * 86400000000 + (-clock if sign == b"-" else clock))


def canonical(rows):
    """Values that compare equal look equal: numbers without trailing zeros, zero without a sign, char(n) without spaces, intervals by length."""
    result = []
    for row in rows:
        values = []
        for value in Connection.row(row):
            interval = INTERVAL.fullmatch(value) if value else None
            if interval:
                values.append(length(interval))
                continue
            if value is not None and (b" " in value or b'"' in value):
                value = re.sub(rb' +(?=$|[",})])', b"", value).replace(b'"', b"")  # a char(n), in an array too
            if value is not None and b"." in value:
                value = re.sub(rb"(\d)\.(?!\d)", rb"\1", TRAILING.sub(rb"\1", value))
            values.append(b"0" if value == b"-0" else value)
        result.append(tuple(repr(v) for v in values))
    return result


# The whole query's: no parenthesis is closed after it. It names all outputs or a key, so the rows' order is settled.
ORDERED = re.compile(r" order by [^()]*$")


def compare(sql, answers):
    """None: equal; else how they differ: "look", "error", "timeout", "rows"."""
    first = answers[0]
    if all(a == first for a in answers):
        return None
    codes = [a[1][0] for a in answers]
    if any(code and code.startswith(("57", "53")) for code in codes):
        return "timeout"
    if any(codes):
        return None if all(c == codes[0] for c in codes) else "error" if all(c is None or c[:2] in ("0A", "21", "22", "23") for c in codes) else "rows"
    looks = [canonical(a[0]) for a in answers]
    if not ORDERED.search(sql):
        ordered = [sorted(a[0]) for a in answers]
        if all(o == ordered[0] for o in ordered):
            return None
        looks = [sorted(look) for look in looks]
    return "look" if all(look == looks[0] for look in looks) else "rows"


def around(mine, theirs):
    at = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), 0 if mine == theirs else min(len(mine), len(theirs)))
    return (".." if at > 30 else "") + mine[max(0, at - 30):at + 60]


class Others:
    """What happens beside the queries, on threads: writers, and those who make, drop and change; with `reading`, who reads copies."""

    def __init__(self, port, schema, generator, seed, reading=False):
        self.port, self.schema, self.generator = port, schema, generator
        self.stop = threading.Event()
        self.done = collections.Counter()
        self.trouble = None
        self.threads = [threading.Thread(target=self.guarded, args=(body, seed * 10 + i)) for i, body in enumerate((self.write, self.change) + reading * (self.read,))]
        for thread in self.threads:
            thread.start()

    def guarded(self, body, seed):
        try:
            connection = Connection(self.port, timeout=PATIENCE)
            connection.execute(f"set search_path = {self.schema}; set lock_timeout = '50ms'; set statement_timeout = '5s'")
            own = RouteGenerator(seed)
            own.like(self.generator)
            while not self.stop.is_set():
                body(connection, own)
            connection.close()
        except Exception as trouble:  # noqa: BLE001 (told by the reader)
            self.trouble = trouble

    def write(self, connection, own):
        r = own.r
        for sql in ["begin"] + [own.write() for _ in range(r.choice([1, 1, 2, 5]))] + [r.choice(["commit", "commit", "commit", "rollback"])]:
            outcome = connection.query(sql)[-1]
            self.done[sql.split()[0]] += outcome.error is None
        self.stop.wait(r.choice([0.005, 0.01, 0.05]))

    def change(self, connection, own):
        r = own.r
        name = r.choice(sorted(own.tables))
        kind = r.choice(["build", "build", "drop", "side", "alter", "truncate", "analyze"])
        texts = {"build": [f"select omendb_build_columns('{name}')"], "drop": [f"select omendb_drop_columns('{name}')"],
                 "side": ["alter table side add column if not exists extra int default 3", "insert into side (a) values (1) on conflict do nothing",
                          "alter table side alter column extra type bigint", "alter table side drop column extra"],
                 "alter": [r.choice([f"alter table {name} add column if not exists extra int default {r.randint(1, 9)}",
                                     f"alter table {name} drop column if exists extra"])],
                 "truncate": ["begin", f"truncate {name}", f"insert into {name} select * from spare_{name} where id % {r.randint(1, 3)} = 0", "commit"],
                 "analyze": [f"analyze {name}"]}[kind]
        for sql in texts:
            outcome = connection.query(sql)[-1]
            self.done[kind] += outcome.error is None and sql not in ("begin", "commit")
        self.stop.wait(r.choice([0.03, 0.1, 0.3]))

    def read(self, connection, own):
        """Makes, by asking for columns, the copies that are not there, and folds those that are."""
        for sql in ("set omendb.route = columns", own.query(), own.query()):
            self.done["read"] += connection.query(sql)[-1].error is None

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Seed:
    def __init__(self, port, seed, calm, only):
        self.port, self.seed, self.calm, self.only = port, seed, calm, only
        self.kinds, self.reports = collections.Counter(), []

    def connect(self):
        connection = Reader(self.port, timeout=PATIENCE)
        connection.execute(f"set search_path = s{self.seed}; set lock_timeout = '100ms'; set statement_timeout = '10s'")
        return connection

    def make(self):
        self.generator = generator = RouteGenerator(self.seed)
        owner = Connection(self.port, timeout=PATIENCE)
        owner.execute(f"create schema s{self.seed}; set search_path = s{self.seed}")
        for sql in generator.schema():
            owner.execute(sql)
        for name in generator.tables:
            owner.execute(f"copy spare_{name} from stdin", generator.rows(name))
            owner.execute(f"insert into {name} select * from spare_{name}")
        self.tables = ", ".join(generator.tables)
        owner.close()

    def drop(self):
        owner = Connection(self.port, timeout=PATIENCE)
        self.kinds["copies"] += int(owner.scalar("select count(*) from omendb_columns()"))
        owner.execute(f"drop schema s{self.seed} cascade")
        owner.close()

    def run(self, count):
        self.make()
        generator = self.generator
        connections = [self.connect() for _ in range(3)]
        others = None if self.calm else Others(self.port, f"s{self.seed}", generator, self.seed)
        pending, at = [], None
        try:
            for number, (kind, c, text) in enumerate(generator.events(count)):
                if kind == "query":
                    at = c
                    pending.append((number, text))
                    continue
                self.ask(connections[at] if at is not None else None, pending)
                pending = []
                connection = connections[c]
                if kind == "begin":
                    self.begin(connection)
                elif kind == "write":
                    # A write that fails (a conflict, a value out of range) leaves the transaction as it was.
                    outcome = connection.query("rollback to q; " + text)[-1]
                    connection.execute("rollback to q" if outcome.error else "savepoint q")
                    self.kinds["own writes"] += outcome.error is None
                elif kind == "undo":
                    connection.execute("rollback to q")
                    connection.execute("release q")
                    connection.execute("savepoint q")
                elif kind == "end":
                    connection.execute(text)
                elif kind == "pause":
                    time.sleep(0.05)
            self.ask(connections[at] if at is not None else None, pending)
        finally:
            if others is not None:
                others.end()
                for name, n in others.done.items():
                    self.kinds[f"others: {name}"] += n
        if others is not None and others.trouble:
            raise others.trouble
        for connection in connections:
            connection.close()
        self.drop()

    def run_killed(self, omen, cycles):
        """Each time: others make, fold and drop copies, kill -9, and the queries on what was taken up."""
        self.make()
        r = random.Random(self.seed)
        for cycle in range(cycles):
            others = Others(self.port, f"s{self.seed}", self.generator, self.seed * 1000 + cycle, reading=True)
            time.sleep(r.uniform(0.05, 1.5))
            omen.kill()
            others.end()
            if others.trouble is not None and not isinstance(others.trouble, OSError):
                raise others.trouble
            omen.start()
            connection = self.connect()
            self.begin(connection)
            self.ask(connection, [(cycle * 100 + i, self.generator.query()) for i in range(100)])
            connection.execute("commit")
            there = statistics(connection)
            self.kinds["copies made anew"] += there["columns_made"]
            self.kinds["copies taken up"] += max(0, there["columns_copies"] + there["columns_dropped"] - there["columns_made"])
            self.kinds["killed"] += 1
            for name in ("read", "build", "drop"):
                self.kinds[f"others: {name}"] += others.done[name]
            connection.close()
        self.drop()

    def begin(self, connection):
        for _ in range(100):
            connection.execute("begin isolation level repeatable read")
            # The locks stay through rollbacks to q: nobody truncates between two routes.
            if connection.query(f"select 1 from {self.tables.split(',')[0]} limit 1; lock table {self.tables} in access share mode; savepoint q")[-1].error is None:
                return
            connection.execute("rollback")
        raise RuntimeError("the tables stay locked")

    @staticmethod
    def on(route):
        """What goes before queries on a route: a setting that rollbacks to q leave as it is."""
        return b"rollback to q; release q; set omendb.route = " + route.encode() + b"; savepoint q"

    def ask(self, connection, queries):
        if not queries:
            return
        texts = []
        for route in ROUTES:
            texts.append(self.on(route))
            for _, sql in queries:
                texts += [sql.encode(), b"rollback to q"]
        answers = connection.answers(texts)
        for i, (number, sql) in enumerate(queries):
            found = [answers[k * (1 + 2 * len(queries)) + 1 + 2 * i] for k in range(len(ROUTES))]
            self.kinds["queries"] += 1
            self.kinds["errors"] += found[0][1][0] is not None
            verdict = compare(sql, found)
            if verdict is not None:
                self.kinds[verdict] += 1
            if verdict in ("rows", "error") or self.only == number:
                self.report(connection, number, sql, verdict, found)

    def report(self, connection, number, sql, verdict, found):
        lines = [f"--seed {self.seed} --only {number}: {verdict}\n  {sql}"]
        looks = [sorted(canonical(rows)) for rows, _ in found]
        for k, (route, (rows, error)) in enumerate(zip(ROUTES, found)):
            others = [set(look) for j, look in enumerate(looks) if j != k]
            alone = [row for row in looks[k] if not all(row in other for other in others)]
            lines.append(f"    {route}: {len(rows)} rows {error[0] or ''} {error[1] or ''}")
            for row in alone[:3]:
                # Of each value what stands around the first difference to the row of another route that is most like it.
                other = max((r for j, look in enumerate(looks) if j != k for r in look), key=lambda r: sum(a == b for a, b in zip(r, row)), default=row)
                lines.append("        not elsewhere: " + " | ".join(around(mine, theirs) for mine, theirs in zip(row, other)))
        again = connection.answers([t for route in ROUTES for t in (self.on(route), sql.encode(), b"rollback to q")])
        lines.append(f"    again: {compare(sql, again[1::3])}")
        self.reports.append((verdict, "\n".join(lines)))


def statistics(connection):
    return {name.decode(): int(n) for name, n in connection.execute("select name, value from omendb_statistics()").rows}


def taken(omen):
    """How many statements each route answered since the server's start, those of the others beside the queries too."""
    connection = omen.connect()
    counts = statistics(connection)
    connection.close()
    return {f"route {name}": counts[f"route_{name}_statements"] for name in ("point", "small", "rows", "columns")}


def guarded(runner, run):
    try:
        run()
    except Exception as trouble:  # noqa: BLE001 (the server's end, a broken connection: told with its seed)
        runner.kinds["rows"] += 1
        runner.reports.append(("rows", f"--seed {runner.seed}: {type(trouble).__name__}: {trouble}"))
    return runner.seed, runner.kinds, runner.reports


def run_seed(task):
    port, seed, count, calm, only = task
    runner = Seed(port, seed, calm, only)
    return guarded(runner, lambda: runner.run(count))


def killed(first, cycles):
    """The same table for ten kills."""
    total = collections.Counter()
    with OmenDB() as omen:
        for seed in range(first, first - (-cycles // 10)):
            runner = Seed(omen.port, seed, False, None)
            for _, text in guarded(runner, lambda: runner.run_killed(omen, min(10, cycles - 10 * (seed - first))))[2]:
                print(text, flush=True)
            total.update(runner.kinds)
        if total["rows"]:
            print(omen.log())
    print("  " + ", ".join(f"{name} {n}" for name, n in sorted(total.items())))
    print(f"seeds from {first}: {total['killed']} kills, {total['queries']} queries after them, {total['rows']} differ")
    return 1 if total["rows"] or total["killed"] != cycles or not total["copies taken up"] else 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("queries", nargs="?", type=int, default=10000)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--first", type=int, help="the first of the seeds")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--calm", action="store_true")
    arguments.add_argument("--only", type=int)
    arguments.add_argument("--show", type=int, default=20)
    arguments.add_argument("--kill", type=int)
    options = arguments.parse_args()
    first = options.first if options.first is not None else int(time.time()) % 1000000
    if options.kill:
        return killed(first, options.kill)
    seeds = [options.seed] if options.seed is not None else list(range(first, first + -(-options.queries // PER_SEED)))
    per_seed = min(PER_SEED, options.queries) if options.seed is None else PER_SEED
    total, shown, started, said = collections.Counter(), collections.Counter(), time.monotonic(), time.monotonic()
    with multiprocessing.Pool(options.workers) as pool:
        for at in range(0, len(seeds), ROUND):
            with OmenDB(analytics_threads=THREADS[(seeds[at] // ROUND) % len(THREADS)]) as omen:
                for seed, kinds, reports in pool.imap_unordered(run_seed, [(omen.port, s, per_seed, options.calm, options.only) for s in seeds[at:at + ROUND]]):
                    total.update(kinds)
                    for verdict, text in reports:
                        shown[verdict] += 1
                        if options.only is not None or shown[verdict] <= (options.show if verdict == "rows" else 3):
                            print(text, flush=True)
                    if time.monotonic() - said > 30:
                        said = time.monotonic()
                        print(f"{total['queries']} queries in {said - started:.0f} s, {total['rows']} differ", flush=True)
                total.update(taken(omen))
            if total["rows"] and omen.log():
                print(omen.log())
    seconds = time.monotonic() - started
    print("  " + ", ".join(f"{name} {n}" for name, n in sorted(total.items())))
    queries = total["queries"]
    print(f"seeds {seeds[0]}..{seeds[-1]}: {queries} queries on {len(ROUTES)} routes in {seconds:.0f} s, {total['rows']} differ")
    # Every route was really taken: forced ones by many queries (copies come and go), and those that auto alone takes by some.
    unused = [name for name, share in (("rows", 0.7), ("columns", 0.3), ("small", 0.1), ("point", 0.03)) if total[f"route {name}"] < share * queries]
    if unused:
        print(f"too few queries took the route {', '.join(unused)}")
    return 1 if total["rows"] or not queries or not total["copies"] or unused else 0


if __name__ == "__main__":
    sys.exit(main())
