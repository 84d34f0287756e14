"""Random SQL of more shapes than query_generator.py makes: subqueries in every place, LATERAL, frames of every kind, grouping sets over
expressions, DISTINCT ON, set operations in one another, recursive and data-modifying CTEs, MERGE, prepared statements, and values at
their types' edges. Every statement has one answer as a multiset of rows."""

import re

from differential.query_generator import AGGREGATES, FAMILIES, FUNCTIONS, LITERALS, Column, Generator

EDGES = {
    "int": ["2147483647", "-2147483648", "'5'", "9223372036854775807", "32768", "'-1'", "null", "7::int2", "3::int8"],
    "num": ["1e-10", "123456789012345678.9", "'NaN'::numeric", "'Infinity'::numeric", "-0.000", "'2.50'", "5::numeric(10,2)", "null", "1e30"],
    "float": ["'NaN'::float8", "'Infinity'::float8", "'-Infinity'::float8", "'-0'::float8", "1e300::float8", "'2.5'::float8", "1.25::float4"],
    "text": ["'äöü€𝄞'", "e'a\\nb'", "e'\\\\'", "'NULL'", "'a''b'", "'a'::char(3)", "'abcdef'::varchar(4)", "null", "'{1,2}'", "'ÄB c'", "'  '"],
    "bool": ["null", "'t'", "null::bool"],
    "date": ["'2020-02-29'", "date 'infinity'", "date '-infinity'", "date '0044-03-15 BC'", "date '5874897-12-31'", "null"],
    "stamp": ["timestamp 'infinity'", "timestamp '-infinity'", "timestamp '2020-12-31 23:59:59.999999'", "timestamp '0001-01-01 BC'", "'2020-01-01'::timestamp"],
    "stamptz": ["timestamptz 'infinity'", "timestamptz '2020-06-15 12:00 Europe/Berlin'"],
    "interval": ["interval '1 month -1 day'", "interval '-1 year 5 days 00:00:00.000001'", "interval '1000 hours'", "interval '30 days'",
                 "interval '1 month'", "interval '24 hours'"],
    "time": ["time '24:00'", "time '00:00:00.000001'"],
    "uuid": ["'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"],
    "bytea": ["'\\xff'::bytea", "'abc'::bytea"],
    "intarray": ["'[0:1]={5,6}'::int4[]", "null::int4[]", "'{NULL}'::int4[]", "array[1,2]"],
    "textarray": ["'{\"\",NULL,\"NULL\",ä}'::text[]", "array['x','y']", "'{{a,b},{c,d}}'::text[]"],
    "jsonb": ["'null'::jsonb", "'[]'::jsonb", "'{\"a\": {\"b\": [1, {\"c\": null}]}, \"ä\": 1.50}'::jsonb", "'[[1, 2], {\"a\": \"b\"}]'::jsonb",
              "'-0.10'::jsonb", "'true'::jsonb"],
    "color": ["'red'", "null::color"],
}
MORE = {
    "int": [("char_length({0})", "t"), ("bit_length({0})", "t"), ("array_position({0}, {1}::int4)", "Ai"), ("array_upper({0}, 1)", "A"), ("array_ndims({0})", "A"),
            ("extract(epoch from {0})::int8", "I"), ("extract(doy from {0})::int4", "d"), ("extract(week from {0})::int4", "s"),
            ("extract(century from {0})::int4", "d"),
            ("regexp_count({0}, '[a-c]')", "t"), ("regexp_instr({0}, 'b|c')", "t"), ("({0} ->> 0)::int4", "j"), ("({0} # {1})", "ii"), ("(~ {0})", "i"),
            ("({0} << 2)", "i"), ("({0} >> 1)", "i"), ("lcm({0} % 100, {1} % 100)", "ii"), ("({0} / {1})", "ii"), ("{0}::int4", "n"), ("{0}::int2", "i"),
            ("{0}::int8", "f"), ("factorial(abs({0} % 10))::int8", "i"), ("width_bucket({0}, 0::float8, 10, 4)", "f"), ("date_part('month', {0})::int4", "d"),
            ("cardinality({0})", "B"), ("greatest({0}, {1}, null)", "ii"), ("min_scale({0})", "n"), ("num_nulls({0}, {1}, {2})", "itd"), ("octet_length({0})", "t"),
            ("({0}[2])", "A"), ("sign({0})::int4", "i"), ("get_byte({0}, 0)", "y"), ("length({0})", "y"), ("position({0} in {1})", "yy")],
    "num": [("log(abs({0}) + 1)", "n"), ("power({0} % 10, 3)", "n"), ("round({0}, {1} % 5)", "ni"), ("round({0}, {1}::int4 % 5)", "nn"),
            ("({0} / {1})", "nn"), ("({0} - {1})", "in"), ("({0} / nullif({1}, 0))", "in"), ("{0}::numeric(6,1)", "n"),
            ("to_number({0}, '999D99')", "t"), ("extract(epoch from {0})", "s"), ("extract(milliseconds from {0})", "T"),
            ("extract(julian from {0})", "d"), ("{0}::numeric", "f"), ("({0} ->> 'a')::numeric", "j"),
            ("div({0}, {1})", "nn"), ("ceiling({0} / 7)", "n"), ("{0}::numeric(38,10)", "n"), ("greatest({0}, {1}, 0.5)", "nn"),
            ("case {0} when {1} then {0} else 2 end", "nn")],
    "float": [("{0}::float4::float8", "n"), ("exp({0} / 1e10)", "f"), ("atan2({0}, {1})", "ff"), ("date_part('epoch', {0})", "s"),
              ("({0} * {1})", "fi"), ("({0} - {1})", "fn"), ("nullif({0}, {1})", "ff"),
              ("ceil({0})", "f"), ("degrees({0})", "f"), ("mod({0}::numeric, 3)::float8", "f"), ("least({0}, {1})", "fn"), ("power({0} / 1e5, 2)",
              "f"), ("to_jsonb({0})::float8", "f")],
    "text": [("substring({0} from {1} % 4)", "ti"), ("substring({0} for 2)", "t"), ("substring({0} from 'a(.)')", "t"),
             ("regexp_replace({0}, '(.)(.)', '\\2\\1')", "t"), ("regexp_substr({0}, '[a-z]+')", "t"),
             ("(regexp_match({0}, '(a|b)(.)?'))[2]", "t"), ("array_to_string(regexp_split_to_array({0}, '\\s*'), '|')", "t"),
             ("rpad({0}, {1} % 8, 'äb')", "ti"), ("ltrim({0}, {1})", "tt"),
             ("split_part({0}, 'b', -1)", "t"), ("overlay({0} placing {1} from 2)", "tt"), ("to_char({0}, 'FMMonth DDth, YYYY')", "d"),
             ("to_char({0}, 'Dy IW/IYYY HH12:MI am')", "s"), ("to_char({0}, 'S000.9')", "n"),
             ("to_char({0}, 'DD HH24:MI')", "I"), ("format('%1$I %2$10s|%1$-5s', {0}, {1})", "ti"), ("{0} || {1}", "ti"), ("{1} || {0}", "tn"),
             ("({0} #>> '{{a,b}}')", "j"), ("{0}::char(3)", "t"), ("coalesce({0}::varchar, 'none')", "t"), ("quote_ident({0})", "t"),
             ("quote_nullable({0})", "t"),
             ("pg_typeof({0})::text", "*"), ("{0}::text", "T"), ("{0}::text", "z"), ("{0}::text", "B"), ("left({0}, -2)", "t"),
             ("to_hex({0}::int4)", "i"), ("translate({0}, 'äö', 'ao')", "t"),
             ("jsonb_pretty({0})", "j"), ("json_build_array({0}, {1})::text", "tA"), ("to_json({0})::text", "B"), ("row({0}, {1})::text", "td"),
             ("concat_ws(', ', variadic {0})", "B"), ("starts_with({0}, 'a')::text", "t"), ("{0}::jsonb #>> '{{}}'", "i")],
    "bool": [("({0} in ({1}, {2}, null))", "iii"), ("({0} = any(array[{1}, null]))", "tt"), ("({0} >= all({1}))", "iA"),
             ("(({0}, {1}) >= ({2}, {3}))", "ndnd"), ("(({0}, {1}) is distinct from ({2}, {3}))", "itit"), ("(row({0}, {1}) is null)", "it"),
             ("(row({0}, {1}) is not null)", "it"),
             ("({0} is unknown)", "b"), ("({0} is not true)", "b"), ("({0} is not distinct from {1})", "bb"), ("({0} like '%' || {1} || '_')", "tt"),
             ("({0} not like '_%')", "t"), ("({0} ~ '(a|b).*\\1')", "t"), ("({0} ~* '^A')", "t"), ("({0} !~ 'c$')", "t"),
             ("({0} not similar to '%(b|z)%')", "t"), ("({0} <@ {1})", "AA"), ("({0} <@ {1})", "jj"), ("({0} ?| array['a', 'b'])", "j"),
             ("({0} @> {1})", "BB"), ("(({0}, {1}) overlaps ({2}, {3}))", "sIss"), ("({0} between {1} and {2})", "ddd"),
             ("({0} not between {1} and {2})", "ttt"), ("({0} > {1})", "II"),
             ("({0} = {1})", "dz"), ("({0} <= {1})", "sz"), ("({0} = '5')", "i"), ("({0} > '1.5')", "n"), ("({0} <> 'a')", "t"),
             ("({0} < '2020-06-01')", "d"), ("({0} = 'red')", "c"), ("(({0}, {1}) in (({2}, 'a'), (1, {3})))", "itit"), ("({0} < {1})", "uu"),
             ("({0} && {1})", "BB"), ("jsonb_exists({0}, 'a')", "j")],
    "date": [("({0} + {1})::date", "dI"), ("date_trunc('quarter', {0})::date", "d"), ("to_date({0}, 'YYYY-MM')", "t"),
             ("to_date(to_char({0}, 'IYYY-IW-ID'), 'IYYY-IW-ID')", "d"), ("greatest({0}, {1})", "dd"), ("nullif({0}, {1})", "dd"), ("{0}::date",
             "z"), ("case when {0} > '2020-01-01' then {0} else '1999-01-01' end", "d")],
    "stamp": [("({0} at time zone 'UTC')", "z"), ("date_trunc('week', {0})", "s"), ("date_bin('15 minutes', {0}, timestamp '2001-01-01')", "s"),
              ("({0} + {1} * interval '1 hour')", "si"), ("make_timestamp(2020, 1 + abs({0} % 12)::int4, 1, 2, 3, 4.5)", "i"), ("{0}::timestamp(1)",
              "s"), ("({0} - {1})", "dI"), ("least({0}, {1})", "sd")],
    "stamptz": [("({0} - {1})", "zI"), ("({0} at time zone 'Europe/Berlin')", "s"), ("to_timestamp({0} % 100000)", "i"), ("date_trunc('hour', {0})",
                "z"), ("greatest({0}, {1})", "zs")],
    "interval": [("justify_interval({0})", "I"), ("justify_hours({0})", "I"), ("({0} / 3)", "I"), ("({0} * {1})", "If"), ("age({0}, {1})", "ds"),
                 ("date_trunc('hour', {0})", "I"), ("greatest({0}, {1})", "II"), ("make_interval(months => ({0} % 30)::int4, secs => 1.5)", "i"),
                 ("{0}::interval(1)", "I"), ("({0} - {1})", "II"), ("({0} - {1})", "zz"), ("({0} - {1})", "ds")],
    "time": [("({0} - {1})", "TI"), ("make_time(abs({0} % 24)::int4, 5, 6.7)", "i"), ("greatest({0}, {1})", "TT"), ("{0}::time(0)", "T"), ("{0}::time", "I")],
    "uuid": [("md5({0})::uuid", "t"), ("greatest({0}, {1})", "uu")],
    "bytea": [("substr({0}, 1, 1)", "y"), ("convert_to({0}, 'UTF8')", "t"), ("sha256({0})", "y"), ("decode(md5({0}), 'hex')", "t"),
              ("nullif({0}, {1})", "yy"), ("overlay({0} placing {1} from 1)", "yy")],
    "intarray": [("array_fill({0}::int4, array[2])", "i"), ("array_replace({0}, {1}::int4, {2}::int4)", "Aii"),
                 ("array_positions({0}, {1}::int4)", "Ai"), ("({0})[2:]", "A"), ("({0} || {1}::int4)", "Ai"), ("({1}::int4 || {0})", "Ai"),
                 ("array[{0}, null]::int4[]", "i"), ("case when {0} is null then '{{7}}' else {0} end", "A"), ("nullif({0}, {1})", "AA")],
    "textarray": [("array_append({0}, {1})", "Bt"), ("{0}::text[]", "A"), ("regexp_split_to_array({0}, 'b')", "t"), ("array_remove({0}, {1})", "Bt"),
                  ("array_replace({0}, 'a', {1})", "Bt"), ("regexp_match({0}, '(.)(.)')", "t"), ("({0})[1:2]", "B"), ("array_cat({0}, {1})", "BB"),
                  ("string_to_array({0}, null)", "t"), ("array[{0}::text, {1}]", "ct")],
    "jsonb": [("jsonb_set({0}, '{{a}}', {1})", "jj"), ("({0} - 'a')", "j"), ("({0} #> '{{a,b}}')", "j"), ("({0} #- '{{a}}')", "j"),
              ("jsonb_object(array['k', {0}])", "t"), ("to_jsonb({0})", "d"), ("to_jsonb({0})", "s"), ("to_jsonb({0})", "B"), ("to_jsonb({0})", "b"),
              ("to_jsonb(row({0}, {1}))", "in"),
              ("nullif({0}, {1})", "jj"), ("({0})['a']", "j"), ("({0} -> -1)", "j"), ("jsonb_build_object({0}, {1})", "tA"),
              ("jsonb_insert({0}, '{{z}}', {1})", "jj"), ("jsonb_extract_path({0}, 'a', 'b')", "j")],
    "color": [("case when {0} then {1} else 'red' end", "bc"), ("nullif({0}, {1})", "cc"), ("enum_first({0}::color)", "c"), ("least({0}, {1})", "cc")],
}
MORE_AGGREGATES = [
    ("array_agg({0} order by {0})", "text", "textarray"), ("array_agg({0} order by {0} desc nulls last)", "num", "any"),
    ("string_agg({0}, {0} order by {0} desc)", "text", "text"), ("string_agg(distinct {0}, '')", "text", "text"),
    ("json_agg({0} order by {0})::text", "text", "text"), ("jsonb_object_agg(coalesce({0}, '-'), 1)", "text", "jsonb"),
    ("count(distinct {0})", "*", "int"), ("percentile_disc(0.9) within group (order by {0} desc)", "date", "date"),
    ("rank(5) within group (order by {0})", "int", "int"), ("dense_rank('b') within group (order by {0})", "text", "int"),
    ("percentile_cont(0.5) within group (order by {0})", "interval", "interval"),
    ("percentile_disc(array[0, 0.5, 1]) within group (order by {0})", "int", "intarray"),
    ("var_samp({0})", "int", "num"), ("stddev_pop({0})", "int", "num"), ("bit_xor({0})", "int", "int"), ("max({0})", "text", "text"),
    ("min({0})", "textarray", "any"), ("min({0})", "stamp", "stamp"), ("count(*)", "int", "int"),
    ("sum({0} + 1)", "int", "num"), ("avg(distinct {0})", "int", "num"), ("regr_count({0}, 1)", "float", "int"),
    ("cume_dist(3) within group (order by {0})", "int", "float"), ("array_agg(distinct {0})", "int", "intarray"), ("max({0})", "stamptz", "stamptz"),
    ("bool_and({0} is null)", "*", "bool"),
]
BOUNDS = ["unbounded preceding", "2 preceding", "1 preceding", "0 preceding", "current row", "0 following", "1 following", "3 following", "unbounded following"]
EXCLUDES = ["", "", "", " exclude current row", " exclude group", " exclude ties", " exclude no others"]


class ShapeGenerator(Generator):
    """Who derives from it says tables; all queries here are `shape()`s and changes."""

    functions = {f: FUNCTIONS[f] + MORE[f] for f in FUNCTIONS}
    aggregate_calls = AGGREGATES + MORE_AGGREGATES

    def name(self):
        self.alias = getattr(self, "alias", 0) + 1
        return f"a{self.alias}"

    def expression(self, family, scope, depth=2):
        r = self.r
        if family == "*":
            family = r.choice(FAMILIES)
        if depth <= 0 and r.random() < 0.06:
            return r.choice(EDGES[family])
        if depth > 0 and self.subqueries > 0 and r.random() < 0.07:
            self.subqueries -= 1
            return self.subquery(family, scope)
        if depth > 0 and r.random() < 0.04:
            return r.choice([
                lambda: f"coalesce({self.expression(family, scope, 0)}, {self.expression(family, scope, depth - 1)}, {self.expression(family, scope, 0)})",
                lambda: f"case {self.expression('int', scope, 0)} when {self.expression('int', scope, 0)} then {self.expression(family, scope, depth - 1)} when 1 then null else {self.expression(family, scope, 0)} end",
                lambda: f"nullif({self.expression(family, scope, depth - 1)}, {self.expression(family, scope, 0)})",
                lambda: f"(array[{self.expression(family, scope, 0)}, {self.expression(family, scope, 0)}])[{r.randint(0, 2)}]" if "array" not in family else self.expression(family, scope, 0),
            ])()
        return super().expression(family, scope, depth)

    # --- subqueries ---
    def base(self):
        name, alias = self.r.choice(sorted(self.tables)), self.name()
        return f"{name} {alias}", [Column(f"{alias}.{c}", f) for c, _, f in self.tables[name]]

    def subquery(self, family, scope):
        """A scalar subquery, which may look outside, or for a bool any of the conditions that have one."""
        r = self.r
        text, inner = self.base()
        both = inner + scope
        tied = self.tie(inner, scope)
        where = f" where {tied}" if r.random() < 0.6 else f" where {self.expression('bool', both, 1)}" if r.random() < 0.6 else ""
        if family == "bool":
            f = r.choice(["int", "text", "num", "date"])
            return r.choice([
                lambda: f"{r.choice(['', 'not '])}exists (select {self.expression(f, both, 0)} from {text}{where})",
                lambda: f"({self.expression(f, scope, 0)} {r.choice(['in', 'not in'])} (select {self.expression(f, both, 1)} from {text}{where}))",
                lambda: f"({self.expression(f, scope, 0)} {r.choice(['=', '<>', '<', '>='])} {r.choice(['any', 'all', 'some'])} (select {self.expression(f, inner, 0)} from {text}{where}))",
                lambda: f"(({self.expression(f, scope, 0)}, {self.expression('int', scope, 0)}) {r.choice(['in', 'not in'])} (select {self.expression(f, inner, 0)}, {self.expression('int', inner, 0)} from {text}{where}))",
                lambda: f"(({self.expression(f, scope, 0)}, {self.expression('int', scope, 0)}) {r.choice(['=', '<', '>=', '<>'])} (select {self.expression(f, inner, 0)}, {self.expression('int', inner, 0)} from {text}{where} order by {self.total(inner)} limit 1))",
                lambda: f"({self.expression(f, scope, 0)} = any (array(select {self.expression(f, inner, 0)} from {text}{where})))",
            ])()
        if family in ("intarray", "textarray"):
            f, cast = ("int", "::int4") if family == "intarray" else ("text", "::text")
            return f"array(select {self.expression(f, both, 0)}{cast} as v from {text}{where} order by 1)"
        calls = [(t, a) for t, a, result in self.aggregate_calls if result == family]
        if calls and r.random() < 0.6:
            template, argument = r.choice(calls)
            call = template.format(self.expression(argument, inner if r.random() < 0.8 else both, 1))
            having = f" having {self.expression('bool', scope, 0)}" if r.random() < 0.1 else ""
            return f"(select {call} from {text}{where}{having})"
        return f"(select {self.expression(family, both, 1)} from {text}{where} order by {self.total(inner)} limit 1{r.choice(['', '', ' offset 1'])})"

    def tie(self, inner, scope):
        r = self.r
        for _ in range(4):
            column = r.choice(inner)
            others = [c.text for c in scope if c.family == column.family]
            if others:
                return f"{column.text} = {r.choice(others)}"
        return f"{inner[0].text} % 3 = 1"

    def total(self, columns):
        return ", ".join(c.text for c in columns if c.family != "any")

    # --- FROM ---
    def source(self, depth, scope):
        """What may stand in FROM: (text, columns, whether it looks at what stands before it)."""
        r = self.r
        kind = r.random()
        a = self.name()
        if depth > 0 and kind < 0.14:
            sql, columns = self.shape(depth - 1)
            return f"({sql}) {a}", [Column(f"{a}.{n}", f) for n, f in columns], False
        if depth > 0 and kind < 0.26 and scope:
            text, inner = self.base()
            outputs = [(self.expression(f, inner + scope, 1), f) for f in (r.choice(FAMILIES) for _ in range(r.randint(1, 2)))]
            tail = f" order by {self.total(inner)} limit {r.randint(1, 3)}" if r.random() < 0.5 else ""
            if r.random() < 0.3:
                outputs, tail = [(f"count({self.expression('*', inner, 0)})", "int"), (f"max({self.expression('text', inner + scope, 0)})", "text")], ""
            sql = "select " + ", ".join(f"{e} as x{i}" for i, (e, _) in enumerate(outputs)) + f" from {text} where {self.tie(inner, scope)}{tail}"
            return f"lateral ({sql}) {a}", [Column(f"{a}.x{i}", f) for i, (_, f) in enumerate(outputs)], True
        if kind < 0.32 and scope:
            call, f = r.choice([(lambda: f"unnest({self.expression('intarray', scope, 1)})", "int"), (lambda: f"unnest({self.expression('textarray', scope, 1)})", "text"),
                                (lambda: f"generate_series(1, {self.expression('int', scope, 0)} % 4)", "int"), (lambda: f"regexp_split_to_table({self.expression('text', scope, 0)}, 'b')", "text"),
                                (lambda: f"jsonb_array_elements(case when jsonb_typeof({self.expression('jsonb', scope, 0)}) = 'array' then '[1, \"a\"]'::jsonb end)", "jsonb"), (lambda: f"string_to_table({self.expression('text', scope, 0)}, ' ')", "text")])
            if r.random() < 0.4:
                return f"{call()} with ordinality {a}(g, n)", [Column(f"{a}.g", f), Column(f"{a}.n", "int")], True
            return f"{call()} {a}(g)", [Column(f"{a}.g", f)], True
        if kind < 0.38:
            families = [r.choice(["int", "text", "num", "date", "bool"]) for _ in range(2)]
            rows = ", ".join("(" + ", ".join(self.expression(f, [], 0) if i else r.choice(LITERALS[f]) for f in families) + ")" for i in range(r.randint(1, 3)))
            return f"(values {rows}) {a}(x, y)", [Column(f"{a}.{n}", f) for n, f in zip("xy", families)], False
        if kind < 0.42:
            return f"generate_series({r.randint(0, 2)}, {r.randint(0, 5)}) {a}(g)", [Column(f"{a}.g", "int")], False
        if kind < 0.45 and depth > 0:
            left, mine = self.base()
            right, theirs = self.base()
            kind = r.choice(["join", "left join", "full join"])
            return f"({left} {kind} {right} on {mine[0].text} = {theirs[0].text})", mine + theirs, False
        name = r.choice(sorted(self.tables))
        return f"{name} {a}", [Column(f"{a}.{c}", f) for c, _, f in self.tables[name]], False

    def from_list(self, depth):
        r = self.r
        text, scope, _ = self.source(depth, [])
        for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
            right, columns, looks = self.source(depth, scope)
            both = scope + columns
            kind = r.choice(["join", "left join", "cross join"] if looks else ["join", "join", "left join", "right join", "full join", "cross join"])
            if kind == "cross join":
                text = f"{text} cross join {right}"
            else:
                common = sorted({c.family for c in scope} & {c.family for c in columns} - {"any"})
                condition = "true" if looks and r.random() < 0.5 else self.expression("bool", both, 1)
                if common and (kind == "full join" or r.random() < 0.7):
                    f = r.choice(common)
                    condition = f"{r.choice([c.text for c in scope if c.family == f])} = {r.choice([c.text for c in columns if c.family == f])}"
                    if r.random() < 0.3:
                        condition += f" and {self.expression('bool', both, 1)}"
                elif kind == "full join":
                    condition = "true"
                text = f"{text} {kind} {right} on {condition}"
            scope = both
        return text, scope

    # --- SELECT ---
    def shape(self, depth):
        """(SQL, [(column name, family)])"""
        r = self.r
        text, scope = self.from_list(depth)
        where = f" where {self.expression('bool', scope, 2)}" if r.random() < 0.5 else ""
        kind = r.random()
        if kind < 0.3:
            outputs, tail = self.groups(scope)
        elif kind < 0.45:
            outputs, tail = self.framed(scope)
        else:
            outputs, tail = [(self.expression(f, scope, r.choice([0, 1, 2])), f) for f in (r.choice(FAMILIES) for _ in range(r.choice([1, 2, 3])))], ""
        names = [f"x{i}" for i in range(len(outputs))]
        listed = ", ".join(f"{e} as {n}" for (e, _), n in zip(outputs, names))
        ordered = r.random()
        directions = ", ".join(f"{i + 1}{r.choice(['', '', ' desc', ' nulls first', ' desc nulls last'])}" for i in range(len(outputs)))
        limit = f" limit {r.choice(['0', '1', '3', '8', 'all', '(select 2)'])}{r.choice(['', '', ' offset 1', ' offset 3'])}"
        columns = [(n, f) for n, (_, f) in zip(names, outputs)]
        if kind >= 0.45 and ordered < 0.12:
            key = self.expression(r.choice(["int", "text", "bool", "date"]), scope, 0)
            if re.search(r"\ba\d+\.", key):
                # Rows that agree in key and outputs are the same.
                return f"select distinct on ({key}) {listed} from {text}{where} order by {key}{r.choice(['', ' desc'])}, {directions}", columns
        distinct = "distinct " if r.random() < 0.1 else ""
        sql = f"select {distinct}{listed} from {text}{where}{tail}"
        if ordered < 0.4:
            sql += f" order by {directions}"
            if ordered < 0.3:
                sql += limit if r.random() < 0.8 else f" fetch first {r.randint(0, 3)} rows with ties"
        return sql, columns

    def aggregate(self, scope):
        r = self.r
        template, argument, result = r.choice(self.aggregate_calls)
        call = template.format(self.expression(argument, scope, 1))
        if r.random() < 0.2:
            call += f" filter (where {self.expression('bool', scope, 1)})"
        return call, result

    def groups(self, scope):
        r = self.r
        keys = []
        for _ in range(r.choice([0, 1, 1, 2, 2, 3])):
            f = r.choice(FAMILIES)
            key = self.expression(f, scope, r.choice([0, 0, 1, 2]))
            if re.search(r"\ba\d+\.", key) and "select" not in key:
                keys.append((key, f))
        outputs = [k for k in keys if r.random() < 0.9] + [self.aggregate(scope) for _ in range(r.choice([1, 1, 2, 3]))]
        texts = [k for k, _ in keys]
        tail = ""
        if keys:
            kind = r.random()
            if kind < 0.6:
                by = ", ".join(texts)
            elif kind < 0.75:
                by = f"{r.choice(['rollup', 'cube'])} ({', '.join(texts)})"
            elif kind < 0.9:
                sets = [r.sample(texts, r.randint(0, len(texts))) for _ in range(r.randint(1, 3))] + [texts]
                by = "grouping sets (" + ", ".join(f"({', '.join(s)})" for s in sets) + ")"
            else:
                by = f"{texts[0]}, rollup ({', '.join(texts)})"
            tail = f" group by {r.choice(['', '', '', 'distinct ']) if kind >= 0.6 else ''}{by}"
            if kind >= 0.6:
                outputs.append((f"grouping({', '.join(texts)})", "int"))
            # Over groups: expressions of keys and aggregates, windows of aggregates.
            over = [Column(k, f) for k, f in keys]
            if r.random() < 0.3:
                f = r.choice([f for _, f in keys])
                outputs.append((self.expression(f, over, 1), f))
            if r.random() < 0.15:
                outputs.append((f"sum(count(*)) over (partition by {r.choice(texts)})", "num"))
            if r.random() < 0.15:
                outputs.append((f"rank() over (order by {self.aggregate(scope)[0]})", "int"))
        if r.random() < 0.2:
            f = r.choice(["int", "num", "bool"])
            calls = [(t, a) for t, a, result in self.aggregate_calls if result == f]
            template, argument = r.choice(calls)
            call = template.format(self.expression(argument, scope, 1))
            tail += f" having {call if f == 'bool' else f'{call} > {self.expression(f, [], 0)}'}"
        return outputs, tail

    def framed(self, scope):
        """Windows that are ordered wholly, or whose calls do not see the order of equal rows."""
        r = self.r
        keys = [c.text for c in scope if c.family not in ("any", "jsonb")] or [c.text for c in scope]
        partition = f"partition by {self.expression(r.choice(FAMILIES), scope, r.choice([0, 0, 1]))} " if r.random() < 0.5 else ""
        outputs = []
        for _ in range(r.randint(1, 3)):
            first = r.randint(0, 7)
            last = r.randint(max(first, 0), 8)
            start, end = BOUNDS[first], BOUNDS[last]
            exclude = r.choice(EXCLUDES)
            units = r.choice(["rows", "groups", "range"])
            aggregate = lambda: r.choice([f"count({self.expression('*', scope, 0)})", f"sum({self.expression('int', scope, 1)})", f"min({self.expression('text', scope, 1)})", f"max({self.expression('num', scope, 0)})",
                                         f"bool_or({self.expression('bool', scope, 1)})", f"avg({self.expression('num', scope, 0)})", f"count(*) filter (where {self.expression('bool', scope, 0)})", f"max({self.expression('date', scope, 0)})"])
            total = ", ".join(f"{k}{r.choice(['', ' desc', ' nulls first'])}" for k in keys)
            if units == "rows":
                call = r.choice([aggregate, lambda: f"first_value({self.expression('text', scope, 1)})", lambda: f"last_value({self.expression('int', scope, 0)})", lambda: f"nth_value({self.expression('num', scope, 0)}, 2)",
                                 lambda: f"array_agg({self.expression('int', scope, 0)})", lambda: f"string_agg({self.expression('text', scope, 0)}, ',')"])()
                if call.startswith(("last_value", "nth_value")) and "ties" in exclude:
                    exclude = ""  # PostgreSQL answers null where the frame ends among the ties (docs/differences.md)
                over = f"order by {total} rows between {start} and {end}{exclude}"
            elif units == "groups":
                over = f"order by {self.expression(r.choice(['int', 'text', 'num', 'date', 'bool']), scope, r.choice([0, 1]))} groups between {start} and {end}{exclude}"
                call = aggregate()
            else:
                key, offset = r.choice([(self.expression("int", scope, 0), lambda n: f"{n}"), (f"{self.expression('float', scope, 0)}", lambda n: f"{n}.5"), (self.expression("date", scope, 0), lambda n: f"interval '{n} days'"),
                                        (self.expression("stamp", scope, 0), lambda n: f"interval '{n} hours'"), (f"({self.expression('num', scope, 0)})::numeric(12,2)", lambda n: f"{n}.25")])
                start, end = (re.sub(r"\d", lambda m: offset(m.group()), s) for s in (start, end))
                over = f"order by {key}{r.choice(['', ' desc'])} range between {start} and {end}{exclude}"
                call = aggregate()
            if r.random() < 0.2:
                call, over = r.choice(["row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", f"ntile({r.randint(1, 4)})", f"lag({self.expression('text', scope, 0)}, {r.randint(0, 2)}, 'none')", f"lead({self.expression('int', scope, 0)}, {self.expression('int', scope, 0)} % 3)"]), f"order by {total}"
            outputs.append((f"{call} over ({partition}{over})", "any"))
        return outputs + [(keys[0], next(c.family for c in scope if c.text == keys[0]))], ""

    # --- statements ---
    def sets(self, families, depth):
        r = self.r
        if depth == 0 or r.random() < 0.4:
            text, scope = self.from_list(0)
            outputs = [self.expression(f, scope, 1) for f in families]
            sql = "select " + ", ".join(f"{e} as x{i}" for i, e in enumerate(outputs)) + f" from {text}"
            if r.random() < 0.5:
                sql += f" where {self.expression('bool', scope, 1)}"
        else:
            operator = r.choice(["union", "union all", "intersect", "except", "union all", "intersect all", "except all"])
            sql = f"({self.sets(families, depth - 1)}) {operator} ({self.sets(families, depth - 1)})"
        if r.random() < 0.25:
            sql += " order by " + ", ".join(f"{i + 1}{r.choice(['', ' desc'])}" for i in range(len(families))) + f" limit {r.randint(0, 9)}"
        return sql

    def ctes(self):
        r = self.r
        parts, names = [], []
        for i in range(r.randint(1, 3)):
            sql, columns = self.shape(1)
            columns = [(n, f) for n, f in columns]
            parts.append(f"w{i} as {r.choice(['', '', 'materialized ', 'not materialized '])}({sql})")
            names.append((f"w{i}", columns))
            # Later parts and the statement read it as a table.
            self.tables[f"w{i}"] = [(n, "", f) for n, f in columns]
        body = self.shape(1)[0]
        for name, _ in names:
            del self.tables[name]
        return f"with {', '.join(parts)} {body}"

    def recursive(self):
        r = self.r
        name = r.choice(sorted(self.tables))
        columns = self.tables[name]
        scope = [Column(f"b.{c}", f) for c, _, f in columns]
        all_ = r.choice(["union", "union all"])
        return r.choice([
            lambda: f"with recursive q(n, v) as (select 1, {self.expression('text', [], 1)}::text {all_} select n + 1, (v || {self.expression('text', [], 0)})::text from q where n < {r.randint(1, 6)}) select q.n, q.v, count(b.id) from q left join {name} b on b.id = q.n group by 1, 2",
            lambda: f"with recursive q(id, depth) as (select b.id, 0 from {name} b where {self.expression('bool', scope, 1)} {all_} select b.id, q.depth + 1 from {name} b join q on b.id = q.id + {r.randint(1, 3)} where q.depth < 4) select * from q",
            lambda: f"with recursive q(a) as ((select b.id from {name} b order by b.id limit 2) {all_} (select (q.a * 3 + 1) % 17 from q where q.a < {r.randint(5, 40)} and {self.expression('bool', [Column('q.a', 'int')], 1)})) select a, count(*) from q group by a having count(*) < 1000" if all_ == "union" else "select 1",
        ])()

    def unnamed(self, sql):
        """Its literals as a prepared statement's parameters."""
        kinds = {"date": "date", "timestamp": "timestamp", "interval": "interval", "time": "time"}
        values = []

        def parameter(match):
            if self.r.random() < 0.5 or len(values) > 6:
                return match.group()
            values.append((match.group(2), kinds[match.group(1)]))
            return f"${len(values)}"

        prepared = re.sub(r"\b(date|timestamp|interval|time) ('[^']*')", parameter, sql)
        if not values:
            return sql
        return f"deallocate all; prepare p ({', '.join(t for _, t in values)}) as {prepared}; execute p ({', '.join(v for v, _ in values)})"

    def statement(self):
        """A query of these shapes."""
        r = self.r
        self.alias, self.subqueries = 0, 3
        kind = r.random()
        if kind < 0.62:
            sql = self.shape(1)[0]
        elif kind < 0.75:
            sql = self.sets([r.choice([f for f in FAMILIES if f != "jsonb"]) for _ in range(r.randint(1, 3))], 2)
        elif kind < 0.92:
            sql = self.ctes()
        else:
            sql = self.recursive()
        return self.unnamed(sql) if r.random() < 0.15 else sql

    def returning(self, name, scope):
        r = self.r
        if r.random() < 0.4:
            return " returning *"
        return " returning " + ", ".join(self.expression(r.choice(FAMILIES), scope, 2) for _ in range(r.randint(1, 3)))

    def change_shape(self):
        """INSERT, UPDATE, DELETE, MERGE: rows are found by what tells them apart, so that there is one answer."""
        r = self.r
        self.alias, self.subqueries = 0, 2
        name = r.choice(sorted(self.tables))
        columns = self.tables[name]
        scope = [Column(f"t.{c}", f) for c, _, f in columns]
        keyed = name in self.keyed
        other = r.choice(sorted(self.tables))
        others = [Column(f"o.{c}", f) for c, _, f in self.tables[other]]
        single = other in self.keyed
        row = lambda s, first: ", ".join([first] + [self.expression(f, s, 1) for _, _, f in columns[1:]])
        kind = r.random()
        if kind < 0.2:
            sets = self.assignments(name, scope, 2)
            if r.random() < 0.3 and len(columns) > 2:
                (a, _, fa), (b, _, fb) = r.sample(columns[1:], 2)
                sets = f"({a}, {b}) = ({self.expression(fa, scope, 1)}, {self.expression(fb, scope, 1)})"
            return f"update {name} t set {sets} where {self.expression('bool', scope, 2)}{self.returning(name, scope)}"
        if kind < 0.35 and single:
            return f"update {name} t set {self.assignments(name, scope + others, 1)} from {other} o where o.id = t.id and {self.expression('bool', scope + others, 1)}{self.returning(name, scope + others)}"
        if kind < 0.45 and single:
            return f"delete from {name} t using {other} o where o.id = t.id % 11 and t.id % 5 = {r.randint(0, 4)} and {self.expression('bool', scope + others, 1)}{self.returning(name, scope + others)}"
        if kind < 0.6:
            source = f"select {row(others, f'o.id + {r.choice([0, 0, 20, 50])}')} from {other} o where {self.expression('bool', others, 1)}"
            conflict = ""
            if keyed and single and r.random() < 0.8:
                excluded = [Column(f"excluded.{c}", f) for c, _, f in columns]
                conflict = r.choice([" on conflict do nothing", " on conflict (id) do nothing", f" on conflict (id) do update set {self.assignments(name, scope + excluded, 1)}",
                                     f" on conflict (id) do update set {self.assignments(name, scope + excluded, 1)} where {self.expression('bool', scope + excluded, 1)}"])
            return f"insert into {name} as t {source}{conflict}{self.returning(name, scope)}"
        if kind < 0.72:
            self.values = ", ".join(f"({row([], str(r.randint(0, 60) + 100 * i))})" for i in range(r.randint(1, 3)))
            conflict = f" on conflict (id) do update set {self.assignments(name, scope, 1)}" if keyed and r.random() < 0.5 else " on conflict do nothing" if r.random() < 0.5 else ""
            return f"insert into {name} as t values {self.values}{conflict}{self.returning(name, scope)}"
        if kind < 0.88 and single and keyed:
            both = scope + others
            clauses = r.sample([f"when matched and {self.expression('bool', both, 1)} then update set {self.assignments(name, both, 1)}", f"when matched and t.id % 3 = {r.randint(0, 2)} then delete",
                                "when matched then do nothing", f"when not matched and {self.expression('bool', others, 1)} then insert values ({row(others, 'o.id')})", f"when not matched then insert ({columns[0][0]}, {columns[1][0]}) values (o.id, {self.expression(columns[1][2], others, 1)})"], r.randint(1, 3))
            clauses.sort(key=lambda c: c.startswith(("when matched then", "when not matched then")))
            return f"merge into {name} t using {other} o on t.id = o.id {' '.join(clauses)}; select * from {name}"
        change = r.choice([f"update {name} t set {self.assignments(name, scope, 1)} where {self.expression('bool', scope, 1)} returning t.*",
                           f"delete from {name} t where t.id % 6 = {r.randint(0, 5)} returning t.*", f"insert into {name} as t values ({row([], str(r.randint(100, 160)))}) returning t.*"])
        self.tables["w0"] = columns
        body = self.shape(1)[0]
        del self.tables["w0"]
        return f"with w0 as ({change}) {body}"
