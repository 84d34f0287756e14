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


SUITES = {"numeric": numeric, "datetime": datetime}


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
