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


# ---- dates and times ----

DATE_TEXTS = ["1999-01-08", "January 8, 1999", "1/8/1999", "1/18/1999", "01/02/03", "1999-Jan-08", "Jan-08-1999", "08-Jan-1999",
    "99-Jan-08", "08-Jan-99", "Jan-08-99", "19990108", "990108", "1999.008", "J2451187", "January 8, 99 BC", "epoch", "infinity",
    "-infinity", "2000-02-30", "2000-13-01", "13/13/2000", "", "foo", "2000-1-1", "2000-01-01 BC", "0000-01-01", "4713-01-01 BC",
    "4714-11-23 BC", "4714-11-24 BC", "5874897-12-31", "5874898-01-01", "294277-01-01", "2000-01-01 10:00", "mon jan 8 1999", "8 January 1999",
    "1999 Jan 08", "y1999m01d08", "2001.360", "1999/01/08", "1999-01-08T10:20", "20011225", "20011225T040506", "08.01.1999", "31.12.1999",
    "Sunday, 5 March 2023", "12-31-99", "2020-366", "2021-366", "2000-01-01 foo", "1-1-1", "2023 060", "99999999999", "2000-00-10", "2000-10-00",
    "Feb 29 2021", "29 feb 2020", "2020 feb 29", "1999-01-08 +05", "2000-1-", "-2000-01-01", "jan 2000", "2000"]
TIME_TEXTS = ["04:05:06.789", "04:05:06", "04:05", "040506", "04:05 AM", "04:05 PM", "12:05 AM", "12:05 PM", "04:05:06.789-8", "04:05:06-08:00",
    "04:05-08:00", "040506-08", "040506+0730", "040506+07:30:00", "04:05:06 PST", "24:00:00", "24:00:01", "23:59:60", "23:59:60.5", "25:00", "allballs", "13:00 PM",
    "0405", "4:5:6", "04:05:06.7899999", "23:59:59.9999999", "12:34 foo", "", "2003-04-12 04:05:06 America/New_York", "T04:05:06", "T0405",
    "12:60", "-1:00", "1:00:61", "10:00 Z", "10:00 zulu", "10:00+16", "10:00+15:59", "10:00 UTC", "10:00 EST", "10:00.5", "05:06.7"]
ZONES = ["", "", "", "+00", "-08", "+05:30", "-03:30:15", " America/New_York", " Europe/Berlin", " EST", " PDT", " UTC", "Z", " Z", " MSK", " Asia/Kolkata", " utc+3", " zulu", " Japan", "+1530", "+16", " foo", " MET DST", " PST8PDT", " america/new_york"]
INTERVAL_TEXTS = ["1 day", "-1 day", "1 year 2 months 3 days 4 hours 5 minutes 6 seconds", "1-2", "-1-2", "3 4:05:06", "P1Y2M3DT4H5M6S", "P0001-02-03T04:05:06",
    "P00010203T040506", "1 year ago", "@ 1 year 2 mons -3 days 4 hours", "1.5 years", "1.5 months", "1.7 weeks", "2.25 days", "1 mon -1 day", "-1 mon +1 day",
    "1 decade 2 centuries 1 millennium", "100000000 years", "178000000 years", "200000000 years", "1:02", "1:02:03.456789", "-1:02:03", "+1:02", "10 ms", "10 us", "1.5 ms", "1500 us",
    "1 week 1 day", "1 day 1 day", "foo", "", "1 2 3", "1 +2:03", "5", "5.5", "-.5 hour", "P-1Y", "P1W", "PT36H", "P", "PT", "P1", "P1Y1", "PT1.5S", "P1.5M", "PT-0.1S",
    "1 day ago 2 hours", "12:34:56.7890123", "1 qtr", "9223372036854775807 us", "9223372036854775808 us", "2147483648 days", "1 century ago", "0.1 month", "1e2 days", "1 hour 30", "1 year 1", "-1 year -2 mons +3 days -04:05:06",
    "PT1H30", "P2000-13-01", "infinity", "1.123456789 secs", "3 days -2:00 ago", "-1 -2:03", "1 foo", "60 min 61 sec", "1 y 1 m", "1 d 1 h 1 m 1 s", "2562047788 hours", "2562047789 hours"]
FORMATS = ["ISO, MDY", "ISO, DMY", "ISO, YMD", "SQL, MDY", "SQL, DMY", "Postgres, MDY", "Postgres, DMY", "German, DMY"]
STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]
UNITS = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "month", "quarter", "week", "year", "decade", "century", "millennium", "julian",
    "isoyear", "dow", "isodow", "doy", "epoch", "timezone", "timezone_hour", "timezone_minute", "foo", "MONTH", "now"]


def random_timestamp(r):
    if r.random() < 0.05:
        return r.choice(["infinity", "-infinity", "0001-01-01 00:00:00", "0044-03-15 10:00:00 BC", "4714-11-24 00:00:00 BC", "294246-12-31 23:59:59", "2000-02-29 12:00:00",
                         "1999-12-31 23:59:59.999999", "2024-03-10 02:30:00", "2024-11-03 01:30:00", "1883-11-18 12:00:00", "1969-12-31 23:59:59.5"])
    y = r.choice([r.randint(1, 9999), r.randint(1900, 2100), r.randint(1960, 2040), r.randint(1960, 2040)])
    return "%04d-%02d-%02d %02d:%02d:%02d%s" % (y, r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59), r.randint(0, 59), r.choice(["", "", ".5", ".123456", ".000001"]))


def random_interval(r):
    parts = []
    if r.random() < 0.5:
        parts.append("%d mons" % r.randint(-40, 40))
    if r.random() < 0.6:
        parts.append("%d days" % r.randint(-100, 100))
    if r.random() < 0.6 or not parts:
        parts.append("%s%d:%02d:%02d%s" % (r.choice(["", "-"]), r.randint(0, 50), r.randint(0, 59), r.randint(0, 59), r.choice(["", ".25", ".000001"])))
    return " ".join(parts)


def datetime(oracle, count, r):
    def setting(name, value):
        oracle.cursor.execute("set %s = '%s'" % (name, value))

    def styled(operation, sql, *arguments):
        f, s = r.choice(FORMATS + ["ISO, MDY"] * 6), r.choice(STYLES + ["postgres"] * 4)
        setting("datestyle", f)
        setting("intervalstyle", s)
        emit(oracle, operation, sql, *(list(arguments) + ["%s|%s" % (f, s)]))
        setting("datestyle", "ISO, MDY")
        setting("intervalstyle", "postgres")

    for text in DATE_TEXTS:
        styled("date", "{0}::date", text)
        styled("timestamp", "{0}::timestamp", text)
        styled("timestamptz", "{0}::timestamptz", text)
    for text in TIME_TEXTS:
        styled("time", "{0}::time", text)
        styled("timetz", "{0}::timetz", text)
        styled("timestamp", "{0}::timestamp", "2001-02-03 " + text)
        styled("timestamptz", "{0}::timestamptz", text + " 2001-02-03")
    for text in INTERVAL_TEXTS:
        for style in STYLES:
            setting("intervalstyle", style)
            emit(oracle, "interval", "{0}::interval", text, "ISO, MDY|" + style)
        setting("intervalstyle", "postgres")
    for text in ["1 year 2 mons 3 days 04:05:06.789", "12", "1:2", "1:2:3", "-1.5"]:
        for fields in ["year", "month", "day", "hour", "minute", "second", "year to month", "day to hour", "day to minute", "day to second", "hour to minute", "hour to second", "minute to second", "second(2)", "day to second(3)"]:
            oracle.cursor.execute("create temp table if not exists dummy(); drop table if exists tm; create temp table tm(x interval %s); select atttypmod from pg_attribute where attrelid = 'tm'::regclass and attname = 'x'" % fields)
            typmod = oracle.cursor.fetchone()[0]
            emit(oracle, "interval_typmod %d" % typmod, "{0}::interval " + fields, text)
    for _ in range(count):
        t, u, i, z = random_timestamp(r), random_timestamp(r), random_interval(r), r.choice(ZONES)
        tz = t if "infinity" in t or "BC" in t else t + z
        styled("timestamptz", "{0}::timestamptz", tz)
        p = r.randint(0, 6)
        emit(oracle, "timestamp_typmod %d" % p, "{0}::timestamp(%d)" % p, t)
        styled("interval", "{0}::interval", i)
        what = r.randint(0, 15)
        zone = r.choice(["UTC", "America/New_York", "europe/berlin", "EST", "PDT", "Asia/Kolkata", "<+03>-03", "FOO5", "foo", "Australia/Lord_Howe", "MSK"])
        unit = r.choice(UNITS)
        if what == 0:
            emit(oracle, "timestamp_add", "{0}::timestamp + {1}::interval", t, i)
            emit(oracle, "timestamptz_add", "{0}::timestamptz + {1}::interval", t, i)
        elif what == 1:
            emit(oracle, "timestamp_diff", "{0}::timestamp - {1}::timestamp", t, u)
            emit(oracle, "age", "age({0}::timestamp, {1}::timestamp)", t, u)
            emit(oracle, "agetz", "age({0}::timestamptz, {1}::timestamptz)", t, u)
        elif what == 2:
            emit(oracle, "trunc", "date_trunc({0}, {1}::timestamp)", unit, t)
            emit(oracle, "trunctz", "date_trunc({0}, {1}::timestamptz)", unit, t)
            emit(oracle, "trunc_interval", "date_trunc({0}, {1}::interval)", unit, i)
        elif what == 3:
            emit(oracle, "extract", "extract(%s from {0}::timestamp)" % unit, t, unit)
            emit(oracle, "part", "date_part({1}, {0}::timestamp)", t, unit)
            emit(oracle, "extracttz", "extract(%s from {0}::timestamptz)" % unit, t, unit)
        elif what == 4:
            emit(oracle, "extract_interval", "extract(%s from {0}::interval)" % unit, i, unit)
            emit(oracle, "part_interval", "date_part({1}, {0}::interval)", i, unit)
        elif what == 5:
            emit(oracle, "extract_date", "extract(%s from {0}::date)" % unit, t[:10] if t[0].isdigit() else t, unit)
            emit(oracle, "extract_time", "extract(%s from {0}::time)" % unit, "%02d:%02d:%02d.25" % (r.randint(0, 23), r.randint(0, 59), r.randint(0, 59)), unit)
            emit(oracle, "extract_timetz", "extract(%s from {0}::timetz)" % unit, "%02d:%02d:%02d.25%+03d" % (r.randint(0, 23), r.randint(0, 59), r.randint(0, 59), r.randint(-12, 12)), unit)
        elif what == 6:
            emit(oracle, "at_zone", "{0}::timestamp at time zone {1}", t, zone)
            emit(oracle, "tz_at_zone", "{0}::timestamptz at time zone {1}", t, zone)
        elif what == 7:
            f = repr(round(r.uniform(-5, 5), r.randint(0, 6)))
            emit(oracle, "interval_mul", "{0}::interval * {1}::float8", i, f)
            emit(oracle, "interval_div", "{0}::interval / {1}::float8", i, f)
        elif what == 8:
            emit(oracle, "justify_hours", "justify_hours({0}::interval)", i)
            emit(oracle, "justify_days", "justify_days({0}::interval)", i)
            emit(oracle, "justify_interval", "justify_interval({0}::interval)", i)
        elif what == 9:
            j = random_interval(r)
            emit(oracle, "interval_add", "{0}::interval + {1}::interval", i, j)
            emit(oracle, "interval_sub", "{0}::interval - {1}::interval", i, j)
            emit(oracle, "interval_compare", "case when {0}::interval < {1}::interval then -1 when {0}::interval = {1}::interval then 0 else 1 end", i, j)
        elif what == 10:
            emit(oracle, "bin", "date_bin({0}::interval, {1}::timestamp, {2}::timestamp)", i, t, u)
        elif what == 11:
            a = [str(r.choice([0, 1, -44, 2000, 2023, 99999, 6000000])), str(r.randint(0, 13)), str(r.randint(0, 32))]
            emit(oracle, "make_date", "make_date({0}::int, {1}::int, {2}::int)", *a)
            b = [str(r.randint(-1, 25)), str(r.randint(-1, 61)), repr(r.choice([0.0, 5.5, 59.999999, 60.0, 61.0, -1.0]))]
            emit(oracle, "make_time", "make_time({0}::int, {1}::int, {2}::float8)", *b)
        elif what == 12:
            emit(oracle, "to_timestamp", "to_timestamp({0}::float8)", repr(r.choice([r.uniform(-1e10, 1e10), r.uniform(0, 2e9), 0.5, 1e15, -1e12, 1e300])))
        elif what == 13:
            emit(oracle, "timestamptz_date", "{0}::timestamptz::date", t)
            emit(oracle, "timestamp_tz", "{0}::timestamp::timestamptz", t)
            emit(oracle, "timestamptz_ts", "{0}::timestamptz::timestamp", t)
        elif what == 14:
            emit(oracle, "time_add", "{0}::time + {1}::interval", t[11:19] if t[0].isdigit() and "BC" not in t and len(t.split()[0]) == 10 else "10:00", i)
        else:
            emit(oracle, "overlaps", "({0}::timestamp, {1}::timestamp) overlaps ({2}::timestamp, {3}::timestamp)", *[x if "inf" not in x else "2000-01-01" for x in (t, u, random_timestamp(r), random_timestamp(r))])


# ---- arrays ----

ARRAY_TEXTS = ["{}", "{1,2,3}", "{NULL,1}", "{null}", "{{1,2},{3,4}}", "[0:2]={1,2,3}", "[2]={1,2}", "[-1:0][1:2]={{1,2},{3,4}}", "{1,2", "1,2}", "{1,,2}", "{1,2,}", "{,1}",
    "{{1,2},{3}}", "{{1},2}", "{1,{2}}", "{ 1 , 2 }", "  {1}  ", "{1} x", "[1:2]={1}", "[2:1]={}", "[1:2}={1,2}", "[a:b]={1}", "{1x}", "{\"1\"}", "{\"1\",\"2\"}", "{\\1}", "{1 2}", "{}{}", "{{}}", "{{},{}}",
    "[1:1]{1}", "{{{{{{{1}}}}}}}", "{\"1", "{1\"2\"}", "[1:2]=1", "", "{99999999999}", "[1:1][1:2]={{5,6}}"]
TEXT_ARRAYS = ["{a,b}", "{\"a b\",\"\",NULL,\"NULL\"}", "{\"a\\\"b\",\"c\\\\d\"}", "{a b , c }", "{\"{x}\",\"y,z\"}", "{ü,\"ß x\"}", "{\\a\\b}", "{\\N\\U\\L\\L}", "{a\\ b\\ }", "{\"a\"b}", "{a\"b\"}", "{nul,nulls}", "{[1]}", "[1:2]={a,b}", "{a{b}"]


def random_array(r, dims=None):
    dims = r.choice([0, 1, 1, 1, 1, 2]) if dims is None else dims
    element = lambda: r.choice(["NULL", "1", "2", "3", "4", "5"])
    if dims == 0:
        return "{}"
    if dims == 1:
        body = "{" + ",".join(element() for _ in range(r.randint(1, 4))) + "}"
        n = body.count(",") + 1
        lower = r.choice([1, 1, 1, 0, -3, 5])
        return body if lower == 1 else "[%d:%d]=%s" % (lower, lower + n - 1, body)
    w = r.randint(1, 3)
    return "{" + ",".join("{" + ",".join(element() for _ in range(w)) + "}" for _ in range(r.randint(1, 3))) + "}"


def array(oracle, count, r):
    for text in ARRAY_TEXTS:
        emit(oracle, "int4", "{0}::int4[]", text)
    for text in TEXT_ARRAYS:
        emit(oracle, "text", "{0}::text[]", text)
    for text in ["{1.0,2.50,NaN}", "{1e3}"]:
        emit(oracle, "numeric", "{0}::numeric[]", text)
    for text in ["{ab,c}"]:
        emit(oracle, "bpchar", "{0}::char(3)[]", text)
    for text in ["{2000-01-01 10:00,infinity}"]:
        emit(oracle, "timestamp", "{0}::timestamp[]", text)
    for _ in range(count):
        a, b = random_array(r), random_array(r)
        x = r.choice(["1", "2", "3", None])
        what = r.randint(0, 11)
        if what == 0:
            emit(oracle, "cat", "{0}::int4[] || {1}::int4[]", a, b)
        elif what == 1:
            emit(oracle, "append", "array_append({0}::int4[], {1}::int4)", a, x)
            emit(oracle, "prepend", "array_prepend({1}::int4, {0}::int4[])", a, x)
        elif what == 2:
            emit(oracle, "remove", "array_remove({0}::int4[], {1}::int4)", a, x)
            emit(oracle, "replace", "array_replace({0}::int4[], {1}::int4, 9)", a, x)
        elif what == 3:
            emit(oracle, "position", "array_position({0}::int4[], {1}::int4)", a, x)
            emit(oracle, "positions", "array_positions({0}::int4[], {1}::int4)", a, x)
        elif what == 4:
            emit(oracle, "compare", "case when {0}::int4[] < {1}::int4[] then -1 when {0}::int4[] = {1}::int4[] then 0 else 1 end", a, b)
            emit(oracle, "contains", "{0}::int4[] @> {1}::int4[]", a, b)
            emit(oracle, "overlaps", "{0}::int4[] && {1}::int4[]", a, b)
        elif what == 5:
            emit(oracle, "subscript", "({0}::int4[])[{1}::int4]", a, str(r.randint(-2, 5)))
            emit(oracle, "subscript", "({0}::int4[])[{1}::int4][{2}::int4]", a, str(r.randint(0, 3)), str(r.randint(0, 3)))
        elif what == 6:
            l, u = str(r.randint(-3, 3)), str(r.randint(-2, 6))
            emit(oracle, "slice", "({0}::int4[])[{1}::int4:{2}::int4]", a, l, u)
            emit(oracle, "slice2", "({0}::int4[])[{1}::int4:{2}::int4][:2]", a, l, u)
        elif what == 7:
            emit(oracle, "to_string", "array_to_string({0}::int4[], {1})", a, r.choice([",", "", " - "]))
            emit(oracle, "to_string_null", "array_to_string({0}::int4[], {1}, '*')", a, ",")
        elif what == 8:
            emit(oracle, "from_string", "string_to_array({0}, {1}, {2})", r.choice(["a,b,c", "", "abc", ",a,", "a,,b", "äö,ü"]), r.choice([",", "", None, "bc", ",,"]), r.choice([None, "", "a", "b"]))
        elif what == 9:
            emit(oracle, "dims", "array_dims({0}::int4[])", a)
            emit(oracle, "trim", "trim_array({0}::int4[], {1}::int4)", a, str(r.randint(-1, 4)))
        elif what == 10:
            emit(oracle, "fill", "array_fill({0}::int4, {1}::int4[], {2}::int4[])", x, r.choice(["{2}", "{2,3}", "{0}", "{}"]), r.choice(["{1}", "{2}", "{0,5}"]))
        else:
            emit(oracle, "record", "row({0}::int4[], {1}::text, null, {2}::numeric)", a, r.choice(["", "a b", "x", "q\"u", "b\\s", "(p)", "a,b"]), "1.50")


# ---- json ----

JSON_TEXTS = ["{}", "[]", "null", "true", "1", "-0", "1.50", "1e5", "1E-3", "\"a\"", "\"\\u00e9\\n\\t\\\"\\\\\\/\"", "{\"b\":1,\"a\":2,\"aa\":3,\"a\":4}", "[1, [2, {\"x\": null}], \"s\"]", " { \"a\" : [ ] } ", "{\"a\":1,}", "[1,]", "[,1]",
    "{a:1}", "{\"a\"}", "{\"a\":}", "{1:2}", "tru", "truex", "nul", "01", "1.", ".5", "-", "+1", "1e", "1e+", "--1", "\"abc", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\u0000\"", "\"a\nb\"", "", " ", "{", "[", "]", "}",
    "[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "1 2", "[1]]", "{}x", "'a'", "\"\\u0041\"", "12345678901234567890.12345678901234567890", "[1.0, 1.00]", "{\"\":1}", "{\"é\":1,\"e\":2}", "\"\x7f\"", "[\"\\ud83d\\u0041\"]", "nan", "Infinity", "[true,false,null]",
    "{\"a\":{\"b\":{\"c\":[1,2,{\"d\":4}]}}}", "\"tab\there\"", "1abc", "[1,2", "{\"a\":[1,2}", "#", "{\"a\":1}}", "\"\\u00zz\"", "\"\\", "\"\\u", "*", "[*]", "{\"k\":*}"]


def random_json(r, depth=0):
    kind = r.randint(0, 8 if depth < 3 else 5)
    if kind == 0:
        return "null"
    if kind == 1:
        return r.choice(["true", "false"])
    if kind in (2, 3):
        return r.choice(["0", "1", "1.0", "-2.5", "10", "3e2", "100"])
    if kind in (4, 5):
        return r.choice(["\"\"", "\"a\"", "\"b\"", "\"aa\"", "\"é\"", "\"1\"", "\"\\n\""])
    if kind == 6:
        return "[" + ", ".join(random_json(r, depth + 1) for _ in range(r.randint(0, 4))) + "]"
    return "{" + ", ".join("\"%s\": %s" % (r.choice(["a", "b", "c", "aa", "bb", "1", ""]), random_json(r, depth + 1)) for _ in range(r.randint(0, 4))) + "}"


def json(oracle, count, r):
    for text in JSON_TEXTS:
        emit(oracle, "json", "{0}::json", text)
        emit(oracle, "jsonb", "{0}::jsonb", text)
    for _ in range(count):
        a, b = random_json(r), random_json(r)
        if r.random() < 0.7:
            a = r.choice(["{\"a\": 1, \"b\": [1, 2, {\"a\": null}], \"c\": {\"a\": \"x\", \"bb\": 2}}", "[1, \"a\", null, {\"a\": 1}, [1, 2]]", a])
        path = r.choice(["{a}", "{b}", "{c,a}", "{b,2,a}", "{0}", "{1}", "{-1}", "{3,a}", "{b,x}", "{}", "{zz}", "{b,-1}", "{-9}", "{9}", "{c,zz}", "{b,9}", "{ 1}", "{b,1}", "{4,0}"])
        key = r.choice(["a", "b", "c", "1", "", "aa", "zz"])
        index = str(r.randint(-6, 6))
        what = r.randint(0, 11)
        if what == 0:
            emit(oracle, "jsonb", "{0}::jsonb", a)
            emit(oracle, "pretty", "jsonb_pretty({0}::jsonb)", a)
        elif what == 1:
            emit(oracle, "field", "{0}::jsonb -> {1}", a, key)
            emit(oracle, "field_text", "{0}::jsonb ->> {1}", a, key)
            emit(oracle, "json_field", "{0}::json -> {1}", a, key)
        elif what == 2:
            emit(oracle, "element", "{0}::jsonb -> {1}::int", a, index)
            emit(oracle, "path", "{0}::jsonb #> {1}::text[]", a, path)
            emit(oracle, "json_path", "{0}::json #> {1}::text[]", a, path)
        elif what == 3:
            emit(oracle, "contains", "{0}::jsonb @> {1}::jsonb", a, b)
            emit(oracle, "contains", "{0}::jsonb @> {1}::jsonb", a, r.choice(["{\"a\": 1}", "[1]", "1", "\"a\"", "[[1]]", "{\"b\": [1]}", "{\"c\": {}}", "{}", "[]", "{\"b\": [{\"a\": null}]}"]))
            emit(oracle, "exists", "{0}::jsonb ? {1}", a, key)
        elif what == 4:
            emit(oracle, "concat", "{0}::jsonb || {1}::jsonb", a, b)
        elif what == 5:
            emit(oracle, "delete_key", "{0}::jsonb - {1}::text", a, key)
            emit(oracle, "delete_index", "{0}::jsonb - {1}::int", a, index)
            emit(oracle, "delete_path", "{0}::jsonb #- {1}::text[]", a, path)
        elif what == 6:
            emit(oracle, "set", "jsonb_set({0}::jsonb, {1}::text[], '[9]', true)", a, path)
            emit(oracle, "set_only", "jsonb_set({0}::jsonb, {1}::text[], '[9]', false)", a, path)
        elif what == 7:
            emit(oracle, "insert", "jsonb_insert({0}::jsonb, {1}::text[], '[9]', false)", a, path)
            emit(oracle, "insert_after", "jsonb_insert({0}::jsonb, {1}::text[], '[9]', true)", a, path)
        elif what == 8:
            emit(oracle, "compare", "case when {0}::jsonb < {1}::jsonb then -1 when {0}::jsonb = {1}::jsonb then 0 else 1 end", a, b)
            emit(oracle, "compare", "case when {0}::jsonb < {1}::jsonb then -1 when {0}::jsonb = {1}::jsonb then 0 else 1 end", random_json(r), b)
        elif what == 9:
            emit(oracle, "strip", "jsonb_strip_nulls({0}::jsonb)", a)
            emit(oracle, "json_strip", "json_strip_nulls({0}::json)", a)
        elif what == 10:
            emit(oracle, "length", "jsonb_array_length({0}::jsonb)", a)
            emit(oracle, "typeof", "jsonb_typeof({0}::jsonb)", a)
            emit(oracle, "to_numeric", "({0}::jsonb)::numeric", a)
            emit(oracle, "to_bool", "({0}::jsonb)::bool", a)
        else:
            emit(oracle, "to_json_array", "to_json({0}::int4[])", random_array(r))
            emit(oracle, "to_jsonb_array", "to_jsonb({0}::int4[])", random_array(r))
            emit(oracle, "to_json_tz", "to_json({0}::timestamptz)", random_timestamp(r))
            emit(oracle, "to_jsonb_float", "to_jsonb({0}::float8)", r.choice(["1e20", "0.5", "NaN", "-Infinity", "1e-10", "123"]))


# ---- text ----

TEXTS = ["", "a", "abc", "Hello World", "äöü", "héllo wörld", "日本語", "a,b,,c", "  pad  ", "xxabcxx", "ABC def", "o'brien", "back\\slash", "MiXeD cAsE 123abc", "ǆ ß İ ı", "aXbXc", "\"q\""]


def text(oracle, count, r):
    for _ in range(count):
        a, b, c = r.choice(TEXTS), r.choice(TEXTS + ["b", "l", "o", ",", "X", "ö", "abc", "bc"]), r.choice(TEXTS + ["z", "", "12"])
        i, j = str(r.randint(-5, 12)), str(r.randint(-2, 12))
        what = r.randint(0, 15)
        if what == 0:
            emit(oracle, "substring2", "substring({0} from {1}::int)", a, i)
            emit(oracle, "substring3", "substring({0} from {1}::int for {2}::int)", a, i, j)
        elif what == 1:
            emit(oracle, "left", "left({0}, {1}::int)", a, i)
            emit(oracle, "right", "right({0}, {1}::int)", a, i)
        elif what == 2:
            emit(oracle, "position", "position({1} in {0})", a, b)
            emit(oracle, "length", "length({0})", a)
        elif what == 3:
            emit(oracle, "ltrim", "ltrim({0}, {1})", a, c)
            emit(oracle, "rtrim", "rtrim({0}, {1})", a, c)
            emit(oracle, "btrim", "btrim({0}, {1})", a, c)
        elif what == 4:
            emit(oracle, "split_part", "split_part({0}, {1}, {2}::int)", a, b, i)
        elif what == 5:
            emit(oracle, "overlay3", "overlay({0} placing {1} from {2}::int)", a, b, i)
            emit(oracle, "overlay4", "overlay({0} placing {1} from {2}::int for {3}::int)", a, b, i, j)
        elif what == 6:
            emit(oracle, "lpad", "lpad({0}, {1}::int, {2})", a, i, c)
            emit(oracle, "rpad", "rpad({0}, {1}::int, {2})", a, i, c)
        elif what == 7:
            emit(oracle, "translate", "translate({0}, {1}, {2})", a, b, c)
            emit(oracle, "replace", "replace({0}, {1}, {2})", a, b, c)
        elif what == 8:
            emit(oracle, "reverse", "reverse({0})", a)
            emit(oracle, "repeat", "repeat({0}, {1}::int)", a, i)
        elif what == 9:
            emit(oracle, "upper", "upper({0})", a)
            emit(oracle, "lower", "lower({0})", a)
            emit(oracle, "initcap", "initcap({0})", a)
        elif what == 10:
            emit(oracle, "chr", "chr({0}::int)", r.choice(["65", "228", "26085", "128512", "1114112", "-1", "55296"]))
            emit(oracle, "ascii", "ascii({0})", a)
            emit(oracle, "to_hex", "to_hex({0}::bigint)", r.choice(["0", "255", "-1", "123456789"]))
        elif what == 11:
            w = r.choice([a, "select", "table", "name", "x1", "_a", "1a", "Value", "value", "between", "foo bar"])
            emit(oracle, "quote_ident", "quote_ident({0})", w)
            emit(oracle, "quote_literal", "quote_literal({0})", w)
        elif what == 12:
            f = r.choice(["%s", "%s %s", "%I.%I", "%L", "%2$s %1$s", "%10s|", "%-10s|", "%*s|", "%%", "%", "%x", "%s %s %s %s", "%0$s", "%3$L", "%-3$5s|", "%3$-5s|", "%1$*2$s", "a%", "%5", "%-s", "%2$I %s"])
            emit(oracle, "format", "format({0}, {1}, {2}, {3})", f, a, r.choice(["5", b]), r.choice([None, c]))
        elif what == 13:
            emit(oracle, "md5", "md5({0})", a)
            emit(oracle, "sha256", "encode(sha256(convert_to({0}, 'UTF8')), 'hex')", a)
            emit(oracle, "sha512", "encode(sha512(convert_to({0}, 'UTF8')), 'hex')", a)
        elif what == 14:
            e = r.choice(["hex", "base64", "escape", "foo", "HEX"])
            emit(oracle, "encode", "encode(convert_to({0}, 'UTF8'), {1})", a * r.choice([1, 1, 9]), e)
            emit(oracle, "decode", "encode(decode({0}, {1}), 'hex')", r.choice(["", "6162", "616", "YWI=", "YWJj", "YW", "Y=I=", "YQ==", "a\\\\b", "a\\001", "a\\", "zz", "!!", "YW I=", "\\x41"]), e)
        else:
            p = r.choice(["%", "a%", "%c", "_b_", "%b%", "h_llo%", "%ö%", "\\%", "a\\", "Hello%", "hello%", "%WORLD", "", "a_c", "%l_ W%", "___", "%\\\\%", "%ö%l%", "日_語", "%%c", "_%_"])
            emit(oracle, "like", "{0} like {1}", a, p)
            emit(oracle, "ilike", "{0} ilike {1}", a, p)
            emit(oracle, "like_escape", "{0} like {1} escape {2}", a, p, r.choice(["!", "", "a", "!!"]))
            emit(oracle, "similar", "{0} similar to {1}", a, r.choice(["%(b|d)%", "a|abc", "(a|b)*c?", "[a-c]+", "%ö%", "abc", "a_c", "H%(o|d)", "[^x]%", "x{2}%", "\\%", "A%", "%"]))
            emit(oracle, "similar_escape", "substring({0} similar '%#\"o_b#\"%' escape '#')", r.choice(["foobar", "xo_b", "ob", a]))


# ---- regex ----

PATTERNS = ["a", "^a", "a$", "b*", "a|ab", "(a|ab)(c|bcd)(d*)", "a+?b", "(a+?)(b*)", "x*", "[a-c]+", "[^a-c]+", "\\d+", "\\w+", "\\s", "(foo|bar)+", "(\\w+)\\s(\\w+)", "(a)(b)?", "^(.*?),(.*)$", "(.)\\1", "a{2,3}", "a{2}", "a{,3}", "a{1,2}?",
    "(?i)ABC", "(?:ab)+c", "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "\\mfoo\\M", "\\yb", "[[:alpha:]]+", "[[:digit:][:space:]]+", "[[:<:]]w", "ö", "[ä-ü]+", ".", "", "a||b", "(a*)*", "(a*)+b", "(a|b)*abb", "(ab|a)(bc|c)?", "\\", "(", ")", "[", "a**", "*a", "a{3,1}", "[z-a]", "[[:foo:]]",
    "(a)\\2", "\\1(a)", "a{256}", "(?x) a b # c", "***=a.b", "***:a", "a\\.b", "\\u0061", "\\x61", "[\\d]+", "[\\w-]+", "[]a]+", "[^]a]+", "[a\\]]+", "a]", "{a", "a{", "a{x", "x?y?z?", "(x?)(y*)z", "(.*)(\\d+)", "(.*?)(\\d+)", "(\\d+?)(\\d*)", "^$", "\\A\\w", "\\w\\Z", "(a(b(c)))", "(?:(a)|b)+", "((a)|b)+", "\\q", "foo.*?bar|baz", "[[.a.]]", "[[=a=]]b", "(^|,)b", "^^a", "$*", "(?=a)*", "a(?#comment)b", "W\\S+", "^(name|other)$", "(a?)(ab)?(abc)?"]
SUBJECTS = ["", "a", "ab", "abc", "abcd", "aaa", "aab", "foobar", "foo bar", "foo,bar,baz", "hello world", "AbC abc", "xyz", "xyyz", "123", "abc123def", "a1b22c333", "äöü", "x ö y", "a.b axb", "aa bb cd", "line1\nline2", "abb abab", "]a]", "bcbc", "name", "foo  bar", "a-b_c", "aXbXXc", "zzz", "barfoo foo", "baz"]
FLAGS = ["", "", "i", "g", "n", "x", "q", "p", "w", "gi", "z", "s"]


def regex(oracle, count, r):
    for p in PATTERNS:
        emit(oracle, "match", "regexp_match({0}, {1})", r.choice(SUBJECTS), p)
    for _ in range(count):
        s, p, f = r.choice(SUBJECTS), r.choice(PATTERNS), r.choice(FLAGS)
        if r.random() < 0.3:
            p = "".join(r.choice(["a", "b", "c", ".", "[ab]", "(a|b)", "(ab)", "(a*)", "|", "x", "\\w", "\\d", "(.*?)", "b+?", "(a|bc)"]) + r.choice(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}"]) for _ in range(r.randint(1, 4))).replace("|*", "|").replace("|+", "|").replace("|?", "|")
            s = "".join(r.choice("abcx1 ") for _ in range(r.randint(0, 10)))
        what = r.randint(0, 7)
        if what == 0:
            emit(oracle, "test", "{0} ~ {1}", s, p)
            emit(oracle, "itest", "{0} ~* {1}", s, p)
        elif what in (1, 2, 3):
            emit(oracle, "match", "regexp_match({0}, {1})", s, p)
            if "g" not in f:
                emit(oracle, "match_flags", "regexp_match({0}, {1}, {2})", s, p, f)
        elif what == 4:
            emit(oracle, "replace", "regexp_replace({0}, {1}, {2}, {3})", s, p, r.choice(["X", "", "[\\1]", "<\\&>", "\\\\", "\\2\\1", "a\\z"]), f)
            emit(oracle, "replace_n", "regexp_replace({0}, {1}, 'X', {2}::int, {3}::int)", s, p, str(r.randint(1, 4)), str(r.randint(0, 3)))
        elif what == 5:
            emit(oracle, "split", "regexp_split_to_array({0}, {1})", s, p)
        elif what == 6:
            emit(oracle, "substring", "substring({0} from {1})", s, p)
        else:
            emit(oracle, "count", "regexp_count({0}, {1}, {2}::int)", s, p, str(r.randint(1, 5)))
            emit(oracle, "all", "select array_agg(m::text) from regexp_matches({0}, {1}, 'g') m", s, p)


# ---- to_char and its family ----

DATE_FORMATS = ["YYYY-MM-DD HH24:MI:SS.US", "Day, DD Month YYYY", "FMDay, FMDD FMMonth YYYY", "DY Dy dy DAY day", "MON Mon mon MONTH month", "HH12:MI:SS AM", "hh:mi:ss p.m.", "D ID DDD IDDD", "WW IW W Q CC J", "Y,YYY YYYY YYY YY Y", "IYYY IYY IY I",
    "RM rm FMRM", "SSSS SSSSS MS US FF1 FF3 FF6", "DDth DDTH FMDDth", "YYYYth", "TZ tz OF TZH:TZM", "BC B.C. ad a.d.", "\"text\" YYYY \\\"q\\\"", "HH24hMI", "YYYYMMDD", "TMMonth TMDay", "FMHH24:FMMI:FMSS", "yyyy/mm/dd", "Yyyy", "", "FXYYYY", "x YYYY ü", "HH HH24 HH12", "Dth ID CCth"]
INTERVAL_FORMATS = ["HH24:MI:SS", "DD HH24:MI", "YYYY-MM-DD", "DDD", "HH12 AM", "MS US", "Day", "Month", "RM", "CC Q", "SSSS", "YY Y", "FMDD FMHH24"]
PARSE = [("2000-01-02", "YYYY-MM-DD"), ("20000102", "YYYYMMDD"), ("05 Dec 2000", "DD Mon YYYY"), ("5 December 2000", "DD Month YYYY"), ("2000/13/01", "YYYY/MM/DD"), ("97-02-16 20:38:40", "YY-MM-DD HH24:MI:SS"), ("2011-12-18 11:38 PM", "YYYY-MM-DD HH12:MI PM"),
    ("2011-12-18 23:38", "YYYY-MM-DD HH12:MI"), ("2011-12-18 11:38 +05", "YYYY-MM-DD HH12:MI TZH"), ("2011-12-18 11:38 -05:30", "YYYY-MM-DD HH12:MI TZH:TZM"), ("Fri 1-Jan-1999", "DY DD-MON-YYYY"), ("1 4 1902", "Q MM YYYY"), ("2000 01", "YYYY DDD"), ("2000 366", "YYYY DDD"),
    ("2005-W01-3", "IYYY-\"W\"IW-ID"), ("2000-1-1", "YYYY-MM-DD"), ("1-1-1", "YY-MM-DD"), ("44-02-01 BC", "YYYY-MM-DD BC"), ("12345", "J"), ("2451545", "J"), ("2000-01-01 25:00", "YYYY-MM-DD HH24:MI"), ("abc", "YYYY"), ("2000-Foo-01", "YYYY-Mon-DD"), ("  2000  01 02", "YYYY MM DD"),
    ("2000   JUN", "YYYY MON"), ("2000-02-30", "YYYY-MM-DD"), ("1999-12-31 23:59:59.123456", "YYYY-MM-DD HH24:MI:SS.US"), ("1999-12-31 23:59:59.12", "YYYY-MM-DD HH24:MI:SS.MS"), ("15:30:45", "HH24:MI:SS"), ("86399", "SSSS"), ("19", "CC"), ("20 44", "CC YY"), ("2,000", "Y,YYY"), ("2000ad", "YYYYAD"), ("1st Jan 2000", "DDth Mon YYYY"),
    ("2000-01-01", "YYYY/MM/DD"), ("2000 01 01", "FXYYYY-MM-DD"), ("200-1-1", "YYYY-MM-DD"), ("", "YYYY"), ("2000", ""), ("2000-XII-05", "YYYY-RM-DD"), ("12 2000 3", "WW YYYY W"), ("2000 5 2", "YYYY WW D"), ("2000-01 2000-02", "YYYY-MM IYYY-IW"), ("0097/Feb/16 --> 08:14:30", "YYYY/Mon/DD --> HH:MI:SS"), ("97/Feb/16", "YYMonDD"), ("2011$03!18 23_38_15", "YYYY-MM-DD HH24:MI:SS"),
    ("1985 January 12", "YYYY FMMonth DD"), ("My birthday-> Year: 1976, Month: May, Day: 16", "\"My birthday-> Year:\" YYYY, \"Month:\" FMMonth, \"Day:\" DD"), ("1,582nd VIII 21", "Y,YYYth FMRM DD"), ("15 \"text between quote marks\" 98 54 45", "HH24 \"\\\"text between quote marks\\\"\" YY MI SS"), ("05121445482000", "MMDDHH24MISSYYYY"), ("9-1114", "Y-MMDD"), ("95-1116", "YY-MMDD"), ("200401", "IYYYIW"), ("3 4 21 01", "W MM CC YY"), ("10/31/99999", "DD/MM/YYYY"), ("2000 12-31", "YYYY MMDD"), ("99999999999", "YYYY"), ("12 12 12", "MM MM MM"), ("11 12", "MM MM")]
NUMBER_FORMATS = ["999", "9999.99", "FM999.99", "000.00", "0999", "S999", "999S", "MI999", "999MI", "PL999", "SG999", "999PR", "9,999,999.99", "9G999D99", "L999.9", "FM9,999.990", "RN", "FMRN", "rn", "999th", "999TH", "9.99EEEE", "99V99", "99V9", "B999", "0", "9", ".99", "FM.99", "9.9", "FM9.9", "FM0.9", "\"Good number:\"999", "9 9 9", "99999", "FM99999", "S0.00",
    "9.999EEEE", "EEEE", "0.0PR", "99.99S", "FMS999", "9,999MI", "999,999,999,999.999999", "C9", "9.9.9", "SS9", "9EEEE9", "9V.9", "9PR9", "0009.9900", "FM0009.9900", "PR9"]
NUMBERS = ["0", "1", "-1", "12", "-12", "123", "0.1", "-0.1", "0.01", "123.456", "-123.456", "1234567.891", "0.5", "999.995", "485", "-485", "3999", "4000", "1e10", "NaN", "Infinity", "0.00001", "1234", "12345678901234", "1.5", "2.5", "11", "22", "-Infinity"]


def formatting(oracle, count, r):
    for text, f in PARSE:
        emit(oracle, "to_date", "to_date({0}, {1})", text, f)
        emit(oracle, "to_timestamp", "to_timestamp({0}, {1})", text, f)
    for v in ["12,454.8-", "-34,338,492", "123", "<123>", "  12.5", "$1,234.56", "abc", "1 2 3", "-.5", "12th", "+5", "5-", "", "123.456", "0.00001-"]:
        for f in ["99G999D9S", "99,999,999", "999", "999PR", "99.9", "L9,999.99", "9 9 9", "9.9", "99th", "S9", "9S", "9MI", "9.99999S", "999V99"]:
            emit(oracle, "to_number", "to_number({0}, {1})", v, f)
    for _ in range(count):
        f, n = r.choice(NUMBER_FORMATS), r.choice(NUMBERS)
        emit(oracle, "numeric", "to_char({0}::numeric, {1})", n, f)
        emit(oracle, "float8", "to_char({0}::float8, {1})", n, f)
        m = r.choice(["0", "1", "-1", "12", "485", "-485", "3999", "4000", "123456789", "-5"])
        emit(oracle, "int8", "to_char({0}::int8, {1})", m, f)
        t = random_timestamp(r)
        f = r.choice(DATE_FORMATS)
        emit(oracle, "timestamp", "to_char({0}::timestamp, {1})", t, f)
        emit(oracle, "timestamptz", "to_char({0}::timestamptz, {1})", t, f)
        emit(oracle, "interval", "to_char({0}::interval, {1})", random_interval(r), r.choice(INTERVAL_FORMATS))


SUITES = {"formatting": formatting, "numeric": numeric, "datetime": datetime, "array": array, "json": json, "text": text, "regex": regex}


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
