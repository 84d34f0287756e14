"""Statements made by crossing operators, functions and casts with values of every type: what a list by hand would forget.
Every value list holds the type's edges. One expression a statement, so that an error hides nothing."""

VALUES = {
    "int2": ["0::int2", "1::int2", "(-7)::int2", "32767::int2", "(-32768)::int2", "null::int2"],
    "int4": ["0", "3", "(-7)", "2147483647", "(-2147483648)", "null::int4"],
    "int8": ["0::int8", "5::int8", "(-9)::int8", "9223372036854775807::int8", "(-9223372036854775808)::int8", "null::int8"],
    "float4": ["0::float4", "1.5::float4", "(-2.25)::float4", "3.4e38::float4", "'NaN'::float4", "null::float4"],
    "float8": ["0::float8", "0.1::float8", "(-7.5)::float8", "1e308::float8", "'NaN'::float8", "'-Infinity'::float8", "null::float8"],
    "numeric": ["0::numeric", "0.00", "1.50", "(-12.345)", "99999999999999999999.5", "'NaN'::numeric", "null::numeric"],
    "numeric(10,2)": ["0.00::numeric(10,2)", "19.99::numeric(10,2)", "(-3.5)::numeric(10,2)", "null::numeric(10,2)"],
    "text": ["''::text", "'abc'::text", "'B'::text", "'a '::text", "'12'::text", "null::text"],
    "varchar": ["'abc'::varchar(5)", "'x'::varchar"],
    "bpchar": ["'ab'::char(4)", "''::char(2)"],
    "bool": ["true", "false", "null::bool"],
    "date": ["'2020-02-29'::date", "'1999-12-31'::date", "'infinity'::date", "null::date"],
    "time": ["'00:00'::time", "'23:59:59.999999'::time"],
    "timestamp": ["'2020-02-29 12:34:56.789'::timestamp", "'1969-12-31 23:59:59'::timestamp", "'infinity'::timestamp"],
    "timestamptz": ["'2020-02-29 12:00:00+00'::timestamptz", "'2021-07-01 00:00:00+02'::timestamptz"],
    "interval": ["'1 day'::interval", "'-2 months 3 days 04:05:06.5'::interval", "'0'::interval"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'::uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"],
    "bytea": ["'\\x'::bytea", "'\\x00ff'::bytea"],
    "jsonb": ["'1'::jsonb", "'{\"a\": [1, 2]}'::jsonb", "'null'::jsonb"],
    "int4[]": ["'{}'::int4[]", "'{1,2,3}'::int4[]", "'{3,null}'::int4[]"],
}
NUMERIC = ["int2", "int4", "int8", "float4", "float8", "numeric", "numeric(10,2)"]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">=", "is distinct from"]
CASTS = ["int2", "int4", "int8", "float4", "float8", "numeric", "numeric(6,1)", "text", "varchar(3)", "char(3)", "bool", "date", "time",
         "timestamp", "timestamptz", "interval", "uuid", "bytea", "jsonb", "int4[]"]
UNARY = {
    "numeric": ["-({})", "+({})", "abs({})", "sign({})", "ceil({})", "floor({})", "round({})", "trunc({})", "sqrt(abs({}))", "@({})",
                "({})::text", "pg_typeof(-({}))"],
    "text": ["length({})", "upper({})", "lower({})", "reverse({})", "md5({})", "initcap({})", "trim({})", "quote_literal({})", "ascii({})",
             "left({}, 2)", "right({}, -1)", "substr({}, 2, 1)", "repeat({}, 2)", "lpad({}, 4, '*')", "({}) || '|'", "octet_length({})"],
    "date": ["extract(year from {})", "extract(doy from {})", "extract(isoyear from {})", "date_trunc('week', {})", "({}) + 1", "({}) - 1",
             "({}) + interval '1 month'", "to_char({}, 'YYYY-MM-DD')", "isfinite({})"],
    "timestamp": ["extract(epoch from {})", "extract(week from {})", "date_trunc('hour', {})", "({}) + interval '1 day 1 second'",
                  "({})::date", "({})::time", "to_char({}, 'YYYY-MM-DD HH24:MI:SS.US')", "isfinite({})"],
    "timestamptz": ["extract(epoch from {})", "({}) at time zone 'Asia/Tokyo'", "date_trunc('day', {})", "({}) - interval '1 month'"],
    "interval": ["extract(epoch from {})", "extract(month from {})", "justify_hours({})", "justify_interval({})", "-({})", "({}) * 2.5", "({}) / 3"],
    "bool": ["not ({})", "({}) is true", "({}) is not false", "({}) is unknown", "({})::int", "({})::text"],
    "bytea": ["length({})", "md5({})", "encode({}, 'base64')", "({}) || '\\x01'::bytea", "get_byte({}, 0)"],
    "jsonb": ["jsonb_typeof({})", "({}) -> 'a'", "({})::text", "jsonb_pretty({})", "({}) ->> 'a'", "({}) #> '{{a,0}}'"],
    "int4[]": ["array_length({}, 1)", "({})[1]", "({}) || 9", "array_to_string({}, ',', '*')", "({})::text", "cardinality({})",
               "array_remove({}, 2)", "2 = any ({})", "array_ndims({})"],
}


def statements():
    # Arithmetic over every pair of numeric types, each type's edges against a few values of the other.
    for left in NUMERIC:
        for right in NUMERIC:
            for a in VALUES[left]:
                for b in VALUES[right][:4]:
                    for op in ("+", "-", "*", "/"):
                        yield f"select ({a}) {op} ({b})"
            for op in ("%", "^"):
                yield f"select ({VALUES[left][2]}) {op} ({VALUES[right][1]})"
    for name, values in VALUES.items():
        for a in values:
            for b in values:
                for op in COMPARISONS:
                    yield f"select ({a}) {op} ({b})"
            for target in CASTS:
                yield f"select ({a})::{target}"
            yield f"select {a}"
    for left in NUMERIC:
        for right in NUMERIC:
            yield f"select ({VALUES[left][1]}) = ({VALUES[right][1]}), ({VALUES[left][2]}) < ({VALUES[right][1]})"
            yield f"select coalesce({VALUES[left][1]}, {VALUES[right][2]}), greatest({VALUES[left][1]}, {VALUES[right][2]})"
            yield f"select case when true then {VALUES[left][1]} else {VALUES[right][1]} end"
            yield f"select {VALUES[left][1]} union all select {VALUES[right][2]} order by 1"
    for name, forms in UNARY.items():
        for type_name in (NUMERIC if name == "numeric" else ["text", "varchar", "bpchar"] if name == "text" else [name]):
            for value in VALUES[type_name]:
                for form in forms:
                    yield "select " + form.format(value)
    # Aggregates, grouping, ordering and distinct over a column of every type.
    for name, values in VALUES.items():
        rows = ", ".join(f"({v})" for v in values) + f", ({values[0]})"
        source = f"(values {rows}) v(x)"
        yield f"select x from {source} order by x"
        yield f"select x from {source} order by x desc"
        yield f"select distinct x from {source} order by x"
        yield f"select x, count(*) from {source} group by x order by x"
        yield f"select count(x), count(distinct x) from {source}"
        yield f"select min(x), max(x) from {source}"
        yield f"select array_agg(x) from {source}"
        yield f"select x, rank() over (order by x) from {source} order by x"
        yield f"select a.x from {source}, (values {rows}) a(x) where a.x = v.x order by 1"
        for function in ("sum", "avg", "stddev", "variance", "var_pop", "bool_and", "string_agg", "bit_and"):
            yield f"select {function}(x{', chr(44)' if function == 'string_agg' else ''}) from {source}"
        yield f"select x from {source} union select x from {source} order by 1"
        yield f"select x from {source} intersect select x from {source} order by 1"
