"""Composite values in binary, as parameters and through COPY: what record_recv takes and what it refuses."""

import re

from wire.raw import COPY_DONE, B, D, E, P, Q, Raw, S, copy_data, u16, u32

SETUP = """create domain wc_positive as int check (value > 0);
create type wc_inner as (n numeric(6,2), t varchar(3));
create type wc as (a int, b text, c wc_inner, d wc_positive, e char(4), f wc_inner[]);
create table wc_row (x int, y text);
create type wc_empty as ();
create table wc_copied (v wc_inner, r wc_row)"""
CLEANUP = "drop table if exists wc_copied, wc_row; drop type if exists wc, wc_inner, wc_empty; drop domain if exists wc_positive"
INT4, TEXT, NUMERIC, VARCHAR = 23, 25, 1700, 1043


def record(*fields):
    body = u32(len(fields))
    for oid, value in fields:
        body += u32(oid) + (u32(-1) if value is None else u32(len(value)) + value)
    return body


def array(oid, *values):
    return u32(1) + u32(0) + u32(oid) + u32(len(values)) + u32(1) + b"".join(u32(len(v)) + v for v in values)


def numeric(whole):
    return u16(1) + u16(0) + u16(0) + u16(0) + u16(whole)


def composites(server):
    connection = server.connect()
    connection.query(CLEANUP)
    connection.query(SETUP)
    oid = {name: int(connection.scalar(f"select pg_typeof(null::{name})::oid"))
           for name in ("wc", "wc_inner", "wc_positive", "wc_row", "wc_empty", "wc_inner[]")}
    one = record((INT4, u32(1)), (TEXT, b"x"))
    inner = record((NUMERIC, numeric(7)), (VARCHAR, b"abc"))
    whole = record((INT4, u32(1)), (TEXT, b'q"u,o'), (oid["wc_inner"], inner), (oid["wc_positive"], u32(5)), (1042, b"ab"),
                   (oid["wc_inner[]"], array(oid["wc_inner"], inner, inner)))
    nulls = record((INT4, None), (TEXT, None), (oid["wc_inner"], None), (oid["wc_positive"], None), (1042, None),
                   (oid["wc_inner[]"], None))
    sent = [
        ("wc", whole), ("wc", nulls), ("wc[]", array(oid["wc"], whole, nulls)), ("wc_row", one), ("wc_empty", record()),
        ("wc_inner[]", array(oid["wc_inner"], inner)),
        # one column too few, one too many, a negative number of them
        ("wc_row", record((INT4, u32(1)))), ("wc_row", record((INT4, u32(1)), (TEXT, b"x"), (TEXT, b"y"))), ("wc_row", u32(-1)),
        # other types
        ("wc_row", record((INT4, u32(1)), (VARCHAR, b"x"))), ("wc_row", record((0, u32(1)), (TEXT, b"x"))),
        ("wc_row", record((4000000000, u32(1)), (TEXT, b"x"))), ("wc_inner", record((1231, None), (VARCHAR, None))),
        # cut short, at every byte; too long; an item's length that cannot be
        *[("wc_row", one[:n]) for n in range(len(one))], ("wc_row", one + b"z"), ("wc_row", u32(2) + u32(INT4) + u32(-2) + one[12:]),
        ("wc_row", u32(2) + u32(INT4) + u32(1000) + one[12:]),
        # items of a wrong size, and wrong values in them
        ("wc_row", record((INT4, b"\0\0\0\1\2"), (TEXT, b"x"))), ("wc_row", record((INT4, b"\0"), (TEXT, b"x"))),
        ("wc_row", record((INT4, u32(1)), (TEXT, b"\xff"))), ("wc_inner", record((NUMERIC, None), (VARCHAR, b"abcd"))),
        ("wc_inner", record((NUMERIC, numeric(9999) + b"!"), (VARCHAR, b"abc"))),
        ("wc_inner[]", array(oid["wc_inner"], inner, inner + b"z")), ("int4[]", array(INT4, u32(1), u32(2) + b"z")),
        ("wc_inner[]", array(oid["wc_inner"], record((NUMERIC, None)))),
    ]
    raw, out = Raw(server.port), []
    sent += [("int4[]", array(oid["wc"], u32(1))), ("int4[]", array(TEXT, u32(1))), ("wc_inner[]", array(oid["wc_row"], inner))]
    for number, (type_name, value) in enumerate(sent):
        raw.send(P(f"select $1::{type_name} as v, ($1::{type_name})::text") + B(values=[value], formats=[1], results=[1, 0]) + E() + S)
        out.append((number, type_name))
        out += [m for m in raw.until("Z") if m[0] in "DE"]
    raw.send(P("select $1::record") + B(values=[one], formats=[1]) + E() + S)
    out += raw.until("Z")
    header = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
    for value in (inner, inner[:-1], inner + b"z", record((NUMERIC, None))):
        raw.send(Q("copy wc_copied from stdin (format binary)"))
        raw.until("G")
        raw.send(copy_data(header + u16(2) + u32(len(value)) + value + u32(len(one)) + one + u16(-1)) + COPY_DONE)
        out += raw.until("Z")
    raw.send(Q("select * from wc_copied; select (v).n, (r).y from wc_copied"))
    out += raw.until("Z")
    raw.close()
    connection.query(CLEANUP)
    return [shown(line, oid) for line in out]


def shown(line, oids):
    """OIDs of the user's types are whatever was free."""
    text = str(line)
    for name, value in oids.items():
        text = text.replace(repr(u32(value))[2:-1], name)
    names = {str(value): name for name, value in oids.items()}
    return re.sub(r"\b\d{5}\b", lambda found: names.get(found.group(), found.group()), text)


CASES = [("composites_in_binary", composites)]
