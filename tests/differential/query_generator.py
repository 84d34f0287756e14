"""Random SQL by type: what the suites that make their statements share (random_queries.py, routes.py).

Expressions are made by the family of their type, so that most of them succeed.
"""

import random
import re

# type of a column -> the family whose expressions it takes part in
COLUMN_TYPES = {
    "int2": "int", "int4": "int", "int8": "int", "numeric": "num", "numeric(8,2)": "num", "numeric(14,4)": "num", "float8": "float",
    "text": "text", "varchar(12)": "text", "char(6)": "text", "bool": "bool", "date": "date", "timestamp": "stamp",
    "timestamptz": "stamptz", "interval": "interval", "time": "time", "uuid": "uuid", "bytea": "bytea", "int4[]": "intarray",
    "text[]": "textarray", "jsonb": "jsonb", "color": "color", "posint": "int",
}
LITERALS = {
    "int": ["0", "1", "-1", "2", "3", "7", "10", "42", "-5", "100", "32767", "-7", "255"],
    "num": ["0", "1.5", "-2.25", "0.00", "10.10", "3.14159", "-0.5", "100", "1e3", "99.99", "12345.6789"],
    "float": ["0::float8", "1.5::float8", "-2.25::float8", "1e10::float8", "0.1::float8", "3::float8", "-1e-3::float8"],
    "text": ["''", "'a'", "'abc'", "'Hello'", "'x y'", "'zz'", "'äö'", "'%'", "'a_c'", "' pad '", "'10'"],
    "bool": ["true", "false", "true", "false"],
    "date": ["date '2020-01-31'", "date '1999-12-31'", "date '2024-02-29'", "date '1970-01-01'", "date '2001-09-09'"],
    "stamp": ["timestamp '2020-01-31 12:34:56'", "timestamp '1999-12-31 23:59:59.999'", "timestamp '2024-02-29 00:00:00'"],
    "stamptz": ["timestamptz '2020-01-31 12:34:56+02'", "timestamptz '1999-12-31 23:59:59.999+00'", "timestamptz '2024-02-29 00:00:00-05'"],
    "interval": ["interval '1 day'", "interval '1 month 2 days'", "interval '-3 hours'", "interval '90 minutes'", "interval '0'"],
    "time": ["time '00:00:00'", "time '12:34:56.789'", "time '23:59:59'"],
    "uuid": ["'00000000-0000-0000-0000-000000000001'::uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid"],
    "bytea": ["'\\x'::bytea", "'\\x00ff'::bytea", "'\\x616263'::bytea"],
    "intarray": ["'{}'::int4[]", "'{1,2,3}'::int4[]", "'{3,NULL,1}'::int4[]", "array[[1,2],[3,4]]"],
    "textarray": ["'{}'::text[]", "'{a,b}'::text[]", "'{x,NULL,\"y z\"}'::text[]"],
    "jsonb": ["'{}'::jsonb", "'{\"a\": 1, \"b\": [1, 2]}'::jsonb", "'[1, \"x\", null]'::jsonb", "'5'::jsonb", "'\"s\"'::jsonb"],
    "color": ["'red'::color", "'green'::color", "'blue'::color"],
}
FAMILIES = list(LITERALS)

# family -> [(template, argument families)]; {0} {1} ... are expressions
FUNCTIONS = {
    "int": [("({0} + {1})", "ii"), ("({0} - {1})", "ii"), ("({0} * {1})", "ii"), ("({0} / nullif({1}, 0))", "ii"), ("({0} % nullif({1}, 0))", "ii"),
            ("abs({0})", "i"), ("(- {0})", "i"), ("length({0})", "t"), ("sign({0})::int4", "n"), ("coalesce({0}, {1})", "ii"),
            ("greatest({0}, {1})", "ii"), ("least({0}, {1}, {2})", "iii"), ("extract(year from {0})::int4", "d"),
            ("extract(dow from {0})::int4", "s"), ("({0} - {1})", "dd"), ("array_length({0}, 1)", "A"), ("cardinality({0})", "A"),
            ("({0})[1]", "A"), ("jsonb_array_length(case when jsonb_typeof({0}) = 'array' then {0} end)", "j"), ("position({0} in {1})", "tt"),
            ("octet_length({0})", "y"), ("ascii({0})", "t"), ("mod({0}, nullif({1}, 0))", "ii"), ("({0} & {1})", "ii"), ("({0} | {1})", "ii"),
            ("{0}::int4", "b"), ("round({0})::int8", "n"), ("strpos({0}, {1})", "tt"), ("nullif({0}, {1})", "ii"), ("gcd({0}, {1})", "ii"),
            ("width_bucket({0}, 0, 100, 5)", "n"), ("div({0}, nullif({1}, 0))::int8", "nn"), ("trunc({0})::int4", "f"), ("num_nonnulls({0}, {1})", "it")],
    "num": [("({0} + {1})", "nn"), ("({0} - {1})", "nn"), ("({0} * {1})", "nn"), ("({0} / nullif({1}, 0))", "nn"), ("({0} % nullif({1}, 0))", "nn"),
            ("round({0}, 2)", "n"), ("trunc({0}, 1)", "n"), ("abs({0})", "n"), ("ceil({0})", "n"), ("floor({0})", "n"), ("{0}::numeric", "i"),
            ("coalesce({0}, {1})", "nn"), ("greatest({0}, {1})", "nn"), ("sqrt(abs({0}))", "n"), ("{0}::numeric(10,2)", "i"), ("(- {0})", "n"),
            ("({0} + {1})", "ni"), ("({0} * {1})", "in"), ("extract(epoch from {0})", "I"), ("round({0})", "n"), ("{0}::numeric(20,3)", "n"),
            ("least({0}, {1})", "nn"), ("sign({0})", "n"), ("power(2, {0} % 5)", "i"), ("scale({0})::numeric", "n"), ("trim_scale({0})", "n"),
            ("extract(second from {0})", "s"), ("mod({0}, nullif({1}, 0))", "nn"), ("ln(abs({0}) + 1)", "n"), ("exp({0} % 3)", "n")],
    "float": [("({0} + {1})", "ff"), ("({0} * {1})", "ff"), ("({0} - {1})", "ff"), ("({0} / nullif({1}, 0))", "ff"), ("abs({0})", "f"),
              ("{0}::float8", "i"), ("{0}::float8", "n"), ("sqrt(abs({0}))", "f"), ("floor({0})", "f"), ("round({0})", "f"), ("({0} + {1})", "fi"),
              ("coalesce({0}, {1})", "ff"), ("greatest({0}, {1})", "ff"), ("trunc({0})", "f"), ("sign({0})", "f"), ("cbrt({0})", "f")],
    "text": [("({0} || {1})", "tt"), ("upper({0})", "t"), ("lower({0})", "t"), ("substr({0}, 2, 3)", "t"), ("left({0}, {1} % 4)", "ti"),
             ("right({0}, 2)", "t"), ("replace({0}, 'a', 'bb')", "t"), ("trim({0})", "t"), ("{0}::text", "i"), ("{0}::text", "n"),
             ("{0}::text", "d"), ("{0}::text", "s"), ("{0}::text", "f"), ("{0}::text", "b"), ("coalesce({0}, {1})", "tt"), ("reverse({0})", "t"),
             ("lpad({0}, 6, '*')", "t"), ("concat({0}, {1}, {2})", "tin"), ("md5({0})", "t"), ("repeat({0}, 2)", "t"), ("to_char({0}, 'YYYY-MM-DD')", "d"),
             ("split_part({0}, ' ', 1)", "t"), ("initcap({0})", "t"), ("({0})[1]", "B"), ("array_to_string({0}, ',', '-')", "B"), ("{0}::text", "A"),
             ("({0} ->> 'a')", "j"), ("{0}::text", "j"), ("to_char({0}, '999D99')", "n"), ("{0}::text", "I"), ("{0}::text", "u"), ("{0}::text", "c"),
             ("rtrim({0}, 'c ')", "t"), ("{0}::varchar(3)", "t"), ("{0}::char(4)::text", "t"), ("translate({0}, 'abc', 'xy')", "t"),
             ("regexp_replace({0}, '[aeiou]', '#', 'g')", "t"), ("overlay({0} placing 'Q' from 1 for 1)", "t"), ("format('%s-%L', {0}, {1})", "ti"),
             ("nullif({0}, {1})", "tt"), ("encode({0}, 'hex')", "y"), ("to_char({0}, 'HH24:MI:SS.MS')", "s"), ("concat_ws('/', {0}, {1})", "tt"),
             ("quote_literal({0})", "t"), ("chr(65 + abs({0} % 20))", "i"), ("btrim({0}, 'a')", "t"), ("greatest({0}, {1})", "tt"), ("jsonb_typeof({0})", "j")],
    "bool": [("({0} and {1})", "bb"), ("({0} or {1})", "bb"), ("(not {0})", "b"), ("({0} is null)", "*"), ("({0} is not null)", "*"),
             ("({0} like {1})", "tt"), ("({0} like 'a%')", "t"), ("({0} between {1} and {2})", "iii"), ("({0} in ({1}, {2}))", "iii"),
             ("({0} is true)", "b"), ("({0} is distinct from {1})", "ii"), ("({0} is distinct from {1})", "tt"), ("({0} = any({1}))", "iA"),
             ("({0} <> all({1}))", "iA"), ("starts_with({0}, {1})", "tt"), ("({0} ~ '^[a-z]+$')", "t"), ("({0} @> {1})", "AA"), ("({0} && {1})", "AA"),
             ("({0} ? 'a')", "j"), ("({0} @> {1})", "jj"), ("({0} not in ({1}, {2}))", "ttt"), ("(({0}, {1}) < ({2}, {3}))", "itit"),
             ("(({0}, {1}) = ({2}, {3}))", "itit"), ("({0} ilike '%A%')", "t"), ("({0} is not distinct from {1})", "nn"), ("({0} between symmetric {1} and {2})", "nnn"),
             ("({0} similar to '(a|b)%')", "t"), ("({0} = {1})", "in"), ("({0} < {1})", "if"), ("({0} >= {1})", "nf"), ("({0} < {1})", "ds"), ("isfinite({0})", "d")],
    "date": [("({0} + {1} % 100)", "di"), ("({0} - {1} % 100)", "di"), ("{0}::date", "s"), ("coalesce({0}, {1})", "dd"), ("least({0}, {1})", "dd"), ("make_date(2000 + abs({0} % 30)::int4, 5, 17)", "i")],
    "stamp": [("({0} + {1})", "sI"), ("({0} - {1})", "sI"), ("date_trunc('month', {0})", "s"), ("{0}::timestamp", "d"), ("coalesce({0}, {1})", "ss"),
              ("({0} + {1})", "dI"), ("date_trunc('hour', {0})", "s"), ("greatest({0}, {1})", "ss"), ("({0} + {1})", "dT"), ("{0}::timestamp(0)", "s")],
    "stamptz": [("({0} + {1})", "zI"), ("coalesce({0}, {1})", "zz"), ("date_trunc('day', {0})", "z"), ("({0} at time zone 'UTC')", "s"), ("{0}::timestamptz", "s")],
    "interval": [("({0} - {1})", "ss"), ("({0} + {1})", "II"), ("({0} * 2)", "I"), ("(- {0})", "I"), ("age({0}, {1})", "ss"), ("coalesce({0}, {1})", "II"),
                 ("justify_days({0})", "I"), ("({0} - {1})", "TT"), ("make_interval(days => ({0} % 50)::int4)", "i"), ("{0}::interval", "T")],
    "time": [("{0}::time", "s"), ("({0} + {1})", "TI"), ("coalesce({0}, {1})", "TT")],
    "uuid": [("coalesce({0}, {1})", "uu"), ("nullif({0}, {1})", "uu")],
    "bytea": [("({0} || {1})", "yy"), ("coalesce({0}, {1})", "yy")],
    "intarray": [("({0} || {1})", "AA"), ("array[{0}, {1}]::int4[]", "ii"), ("array_append({0}, {1}::int4)", "Ai"), ("array_remove({0}, {1}::int4)", "Ai"),
                 ("({0})[1:2]", "A"), ("coalesce({0}, {1})", "AA"), ("array_cat({0}, {1})", "AA")],
    "textarray": [("array[{0}, {1}]", "tt"), ("string_to_array({0}, ' ')", "t"), ("array_prepend({0}, {1})", "tB"), ("coalesce({0}, {1})", "BB")],
    "jsonb": [("to_jsonb({0})", "i"), ("to_jsonb({0})", "t"), ("({0} -> 'b')", "j"), ("jsonb_build_object('k', {0}, 'l', {1})", "it"), ("({0} || {1})", "jj"),
              ("jsonb_build_array({0}, {1}, {2})", "inb"), ("coalesce({0}, {1})", "jj"), ("to_jsonb({0})", "n"), ("({0} -> 0)", "j"), ("to_jsonb({0})", "A"), ("jsonb_strip_nulls({0})", "j")],
    "color": [("coalesce({0}, {1})", "cc"), ("greatest({0}, {1})", "cc")],
}
LETTER = {"i": "int", "n": "num", "f": "float", "t": "text", "b": "bool", "d": "date", "s": "stamp", "z": "stamptz", "I": "interval", "T": "time",
          "u": "uuid", "y": "bytea", "A": "intarray", "B": "textarray", "j": "jsonb", "c": "color"}
# aggregate -> (family of the argument, family of the result); floats only where the order of addition does not show
AGGREGATES = [("count({0})", "*", "int"), ("sum({0})", "int", "num"), ("sum({0})", "num", "num"), ("avg({0})", "int", "num"), ("avg({0})", "num", "num"),
              ("min({0})", "int", "int"), ("max({0})", "num", "num"), ("min({0})", "text", "text"), ("max({0})", "date", "date"), ("min({0})", "stamp", "stamp"),
              ("max({0})", "float", "float"), ("bool_and({0})", "bool", "bool"), ("bool_or({0})", "bool", "bool"), ("count(distinct {0})", "*", "int"),
              ("string_agg({0}, ',' order by {0})", "text", "text"), ("array_agg({0} order by {0})", "int", "any"), ("sum(distinct {0})", "int", "num"),
              ("max({0})", "interval", "interval"), ("sum({0})", "interval", "interval"), ("stddev_samp({0})", "int", "num"), ("var_pop({0})", "num", "num"),
              ("bit_and({0})", "int", "int"), ("bit_or({0})", "int", "int"), ("array_agg(distinct {0})", "text", "textarray"), ("max({0})", "color", "color"),
              ("percentile_disc(0.5) within group (order by {0})", "int", "int"), ("mode() within group (order by {0})", "text", "text"),
              ("percentile_cont(0.25) within group (order by {0})", "float", "float"), ("jsonb_agg({0} order by {0})", "int", "jsonb"), ("max({0})", "time", "time"),
              ("every({0})", "bool", "bool"), ("min({0})", "stamptz", "stamptz"), ("max({0})", "intarray", "any"), ("avg({0})", "interval", "interval")]
WINDOW_CALLS = ["row_number()", "rank()", "dense_rank()", "count(*)", "sum({i})", "min({t})", "max({n})", "lag({i})", "lead({t}, 1)", "first_value({n})",
                "ntile(3)", "avg({i})", "last_value({d})"]
FRAMES = [" rows between 1 preceding and 1 following", " rows between unbounded preceding and current row",
          " range between unbounded preceding and unbounded following", " groups between 1 preceding and current row"]


class Column:
    def __init__(self, text, family):
        self.text, self.family = text, family


class Generator:
    """Expressions over columns, and the parts of queries that need no more than that. Who derives from it says what is read: `tables`
    (name -> [(column, type, family)]), from_clause() and select()."""

    functions = FUNCTIONS

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.tables = {}

    def columns(self):
        """A new table's: a key and some of any types."""
        names = self.r.sample(sorted(COLUMN_TYPES), self.r.randint(4, 9))
        return [("id", "int4", "int")] + [(f"c{i}", n, COLUMN_TYPES[n]) for i, n in enumerate(names)]

    def expression(self, family, scope, depth=2):
        r = self.r
        if family == "*":
            family = r.choice(FAMILIES)
        choice = r.random()
        columns = [c for c in scope if c.family == family]
        if depth <= 0 or choice < 0.3:
            if columns and r.random() < 0.85:
                return r.choice(columns).text
            return r.choice(LITERALS[family]) if r.random() < 0.95 else f"null::{self.type_of(family)}"
        if choice < 0.37:
            return f"case when {self.expression('bool', scope, depth - 1)} then {self.expression(family, scope, depth - 1)} else {self.expression(family, scope, depth - 1)} end"
        if family == "bool" and choice < 0.62:
            other = r.choice(FAMILIES)
            return f"({self.expression(other, scope, depth - 1)} {r.choice(['=', '<>', '<', '<=', '>', '>='])} {self.expression(other, scope, depth - 1)})"
        template, arguments = r.choice(self.functions[family])
        values = [self.expression("*" if a == "*" else LETTER[a], scope, depth - 1) for a in arguments]
        return template.format(*values)

    @staticmethod
    def type_of(family):
        return {"int": "int4", "num": "numeric", "float": "float8", "stamp": "timestamp", "stamptz": "timestamptz", "intarray": "int4[]", "textarray": "text[]"}.get(family, family)

    # --- parts of queries ---
    def outputs(self, scope, order, families, small, grouped, windowed):
        """What a SELECT yields: [(expression, family)], what follows its WHERE, whether it is grouped. `order`: what tells its rows apart.
        `families`: what it must yield; `grouped`, `windowed`: how often it is, unless it must."""
        r = self.r
        kind = 1 if families else r.random()
        if kind < grouped:
            return (*self.aggregates(scope), True)
        if kind < grouped + windowed and not small:
            return self.windows(scope, order), "", False
        families = families or [r.choice(FAMILIES) for _ in range(r.choice([1, 1, 2, 3]))]
        return [(self.expression(f, scope, r.choice([0, 1, 1, 2])), f) for f in families], "", False

    def aggregates(self, scope):
        r = self.r
        groups = [self.expression(r.choice(FAMILIES), scope, r.choice([0, 0, 1])) for _ in range(r.randint(0, 2))]
        groups = [g for g in groups if re.search(r"\ba\d+\.", g)]  # a constant would be a position
        outputs = [(g, "any") for g in groups]
        for _ in range(r.choice([1, 1, 2, 3])):
            template, argument, result = r.choice(AGGREGATES)
            aggregate = template.format(self.expression(argument, scope, 1))
            if r.random() < 0.2 and "within" not in template:
                aggregate += f" filter (where {self.expression('bool', scope, 1)})"
            outputs.append((aggregate, result))
        tail = ""
        if groups:
            tail = " group by " + (", ".join(groups) if r.random() < 0.85 else f"{r.choice(['rollup', 'cube'])}({', '.join(groups)})")
        if r.random() < 0.2:
            tail += f" having count(*) > {r.randint(0, 2)}"
        return outputs, tail

    def windows(self, scope, order):
        r = self.r
        partition = self.expression(r.choice(["int", "text", "bool", "date"]), scope, 0)
        over = f"({f'partition by {partition} ' if r.random() < 0.6 else ''}order by {', '.join(order)}"
        outputs = []
        for _ in range(r.randint(1, 2)):
            call = r.choice(WINDOW_CALLS)
            frame = r.choice(FRAMES) if call[:3] in ("sum", "min", "max", "cou", "avg", "fir", "las") and r.random() < 0.4 else ""
            for letter in "itnd":
                call = call.replace("{" + letter + "}", self.expression(LETTER[letter], scope, 1))
            outputs.append((f"{call} over {over}{frame})", "any"))
        return outputs + [(order[0], "any")]

    def combined(self, operators):
        """Two or three SELECTs by set operations."""
        r = self.r
        families = [f for f in (r.choice(FAMILIES) for _ in range(r.randint(1, 3))) if f != "jsonb"] or ["int"]
        sql = self.select(0, [], families=families)[0]
        for _ in range(r.choice([1, 1, 2])):
            sql = f"({sql}) {r.choice(operators)} ({self.select(0, [], families=families)[0]})"
        return sql

    def with_query(self, how=""):
        sql, columns = self.select(1, [], small=True)
        scope = [Column(f"w.{n}", f) for n, f in columns if f != "any"]
        inner = ", ".join(self.expression(self.r.choice(FAMILIES), scope, 1) for _ in range(2))
        return f"with w as {how}({sql}) select {inner}, (select count(*) from w) from w"

    def assignments(self, name, scope, depth):
        columns = self.tables[name][1:]
        return ", ".join(f"{c} = {self.expression(f, scope, depth)}" for c, _, f in self.r.sample(columns, min(2, len(columns))))
