#!/usr/bin/python3
"""Asks a live PostgreSQL 15 what the functions of src/types/ must answer.

  tools/generate_type_cases.py DSN SUITE [COUNT] [SEED]     writes the cases to standard output, one a line:
      operation TAB argument TAB ... TAB => TAB answer      an error is !SQLSTATE message; null is \\N; \\t \\n \\\\ are escaped

The unit tests hold a fixed set (src/types/cases/SUITE.inc, made with --inc); OMENDB_TYPE_CASES=FILE makes them read another, larger one.
"""
import random
import sys

import psycopg2


def quote(s):
    return "'" + s.replace("'", "''") + "'"


class Oracle:
    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("set timezone = 'America/New_York'; set standard_conforming_strings = on")
        self.settings = None

    def ask(self, sql):
        try:
            self.cursor.execute("select (" + sql + ")::text")
            answer = self.cursor.fetchone()[0]
            return "\\N" if answer is None else escape(answer)
        except psycopg2.Error as e:
            text = e.diag.message_primary
            return "!" + (e.pgcode or "") + " " + escape(text or "")


def escape(s):
    return s.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def emit(oracle, operation, sql, *arguments):
    """sql uses {0}, {1}, ... for the quoted arguments."""
    answer = oracle.ask(sql.format(*[quote(a) if a is not None else "null" for a in arguments]))
    fields = [operation] + ["\\N" if a is None else escape(a) for a in arguments] + ["=>", answer]
    sys.stdout.write("\t".join(fields) + "\n")


# ---- numeric ----

def random_numeric(r):
    kind = r.random()
    if kind < 0.04:
        return r.choice(["NaN", "Infinity", "-Infinity"])
    if kind < 0.12:
        return r.choice(["0", "1", "-1", "0.00", "10", "100", "10000", "0.0001", "9999", "0.5", "2", "-0.5", "1.000"])
    whole = r.choice([0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 30])
    part = r.choice([0, 0, 1, 2, 3, 4, 5, 8, 12, 20])
    digits = lambda n: "".join(r.choice("0000123456789999") for _ in range(n))
    text = (digits(whole).lstrip("0") or "0")
    if part:
        text += "." + digits(part)
    if r.random() < 0.1:
        text += "e%d" % r.randint(-30, 30)
    return ("-" if r.random() < 0.4 else "") + text


def small_numeric(r):
    return r.choice(["", "-"]) + "%.*f" % (r.randint(0, 6), r.uniform(0, r.choice([0.01, 1, 3, 30, 300])))


NUMERIC_TWO = [("add", "{0}::numeric + {1}::numeric"), ("sub", "{0}::numeric - {1}::numeric"),
               ("mul", "{0}::numeric * {1}::numeric"), ("div", "{0}::numeric / {1}::numeric"),
               ("mod", "{0}::numeric % {1}::numeric"), ("div_trunc", "div({0}::numeric, {1}::numeric)"),
               ("gcd", "gcd({0}::numeric, {1}::numeric)"), ("lcm", "lcm({0}::numeric, {1}::numeric)"),
               ("compare", "case when {0}::numeric < {1}::numeric then -1 when {0}::numeric = {1}::numeric then 0 else 1 end")]
NUMERIC_ONE = [("abs", "abs({0}::numeric)"), ("ceil", "ceil({0}::numeric)"), ("floor", "floor({0}::numeric)"),
               ("sign", "sign({0}::numeric)"), ("scale", "scale({0}::numeric)"), ("min_scale", "min_scale({0}::numeric)"),
               ("trim_scale", "trim_scale({0}::numeric)"), ("sqrt", "sqrt({0}::numeric)"), ("ln", "ln({0}::numeric)"),
               ("int8", "{0}::numeric::int8"), ("int4", "{0}::numeric::int4"), ("float8", "{0}::numeric::float8"),
               ("float4", "{0}::numeric::float4"), ("text", "{0}::numeric")]


def numeric(oracle, count, r):
    for _ in range(count):
        a, b = random_numeric(r), random_numeric(r)
        name, sql = r.choice(NUMERIC_TWO)
        emit(oracle, name, sql, a, b)
        name, sql = r.choice(NUMERIC_ONE)
        emit(oracle, name, sql, a)
        what = r.randint(0, 9)
        if what == 0:
            emit(oracle, "exp", "exp({0}::numeric)", small_numeric(r))
        elif what == 1:
            emit(oracle, "power", "power({0}::numeric, {1}::numeric)", small_numeric(r), small_numeric(r))
        elif what == 2:
            emit(oracle, "power", "power({0}::numeric, {1}::numeric)", a, r.choice(["0", "1", "-1", "2", "3", "-2", "0.5", "7", "-3", "10", "NaN", "Infinity", "-Infinity"]))
        elif what == 3:
            emit(oracle, "log", "log({0}::numeric, {1}::numeric)", a, b)
        elif what == 4:
            emit(oracle, "round", "round({0}::numeric, {1}::int)", a, str(r.randint(-12, 25)))
            emit(oracle, "trunc", "trunc({0}::numeric, {1}::int)", a, str(r.randint(-12, 25)))
        elif what == 5:
            p = r.randint(1, 45)
            s = r.randint(-3, p + 2)
            emit(oracle, "typmod %d %d" % (p, s), "{0}::numeric(%d,%d)" % (p, s), a)
        elif what == 6:
            lo, hi = random_numeric(r), random_numeric(r)
            emit(oracle, "width_bucket", "width_bucket({0}::numeric, {1}::numeric, {2}::numeric, {3}::int)", a, lo, hi, str(r.choice([0, 1, 5, 10, 1000, 2147483647])))
        elif what == 7:
            values = [random_numeric(r) if r.random() < 0.1 else small_numeric(r) for _ in range(r.randint(1, 6))]
            for f in ("sum", "avg", "var_samp", "var_pop", "stddev_samp", "stddev_pop"):
                emit(oracle, f, "select %s(x::numeric) from unnest(string_to_array({0}, ' ')) x" % f, " ".join(values))
        elif what == 8:
            v = repr(r.choice([r.uniform(-10, 10), r.uniform(-1e20, 1e20), r.uniform(0, 1e-10), r.gauss(0, 1) * 10 ** r.randint(-30, 30)]))
            emit(oracle, "from_float8", "{0}::float8::numeric", v)
            emit(oracle, "from_float4", "{0}::float4::numeric", v)
            emit(oracle, "float8_text", "{0}::float8", v)
            emit(oracle, "float4_text", "{0}::float4", v)
        else:
            emit(oracle, "text", "{0}::numeric", r.choice(["", " 1 ", "1e", "1e5", "-.5", "5.", ".", "+1", "1e-5", "--1", "1 2", "nan", "+inf", "-NaN", "1e131072", "1e131071x", "0e5", "1e2000000000", "1e-16383", "1e-16384", "0x1", "1_0", "infinit", "INFINITY"]))
    for n in [-1, 0, 1, 5, 20, 33, 100, 500]:
        emit(oracle, "factorial", "factorial({0}::bigint)", str(n))
    for n in ["1e50", "1e-50", "123456789012345678901234567890.123456789", "2e1000"]:
        for name, sql in NUMERIC_ONE:
            emit(oracle, name, sql, n)


SUITES = {"numeric": numeric}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--inc"]
    dsn, suite = arguments[:2]
    count = int(arguments[2]) if len(arguments) > 2 else 60
    seed = int(arguments[3]) if len(arguments) > 3 else 1
    inc = "--inc" in sys.argv
    if inc:
        print('R"~~(')
    SUITES[suite](Oracle(dsn), count, random.Random(seed))
    if inc:
        print(')~~"')


if __name__ == "__main__":
    main()
