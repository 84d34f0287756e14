"""Values of domains, alone and inside others, as parameters and through COPY: their constraints hold there too."""

from wire.composites import array, record, shown
from wire.raw import COPY_DONE, B, E, P, Q, Raw, S, copy_data, u16, u32

SETUP = """create domain wd_positive as int check (value > 0);
create domain wd_present as text not null;
create domain wd_few as wd_positive[] check (cardinality(value) < 3);
create type wd as (p wd_positive, t wd_present);
create table wd_copied (p wd_positive, t wd_present, a wd_positive[], c wd, f wd_few)"""
CLEANUP = "drop table if exists wd_copied; drop type if exists wd; drop domain if exists wd_few, wd_positive, wd_present"
INT4, TEXT = 23, 25


def domains(server):
    connection = server.connect()
    connection.query(CLEANUP)
    connection.query(SETUP)
    oid = {name: int(connection.scalar(f"select pg_typeof(null::{name}[])::oid")) for name in ("wd_positive", "wd")}
    oid = {name + "[]": value for name, value in oid.items()}
    for name in ("wd", "wd_positive", "wd_present"):
        oid[name] = int(connection.scalar(f"select oid from pg_type where typname = '{name}'"))
    positive, present = oid["wd_positive"], oid["wd_present"]
    good, low, empty = (record((positive, u32(1)), (present, b"x")), record((positive, u32(-1)), (present, b"x")),
                        record((positive, u32(1)), (present, None)))
    with_null = u32(1) + u32(1) + u32(present) + u32(1) + u32(1) + u32(-1)
    sent = [
        # type, value, format
        ("wd_positive", b"1", 0), ("wd_positive", b"-1", 0), ("wd_positive", None, 0),
        ("wd_positive", u32(1), 1), ("wd_positive", u32(-1), 1),
        ("wd_present", b"x", 0), ("wd_present", None, 0), ("wd_present", None, 1),
        ("wd_positive[]", b"{1,2}", 0), ("wd_positive[]", b"{1,0}", 0), ("wd_positive[]", b"{1,NULL}", 0),
        ("wd_positive[]", array(positive, u32(1), u32(2)), 1), ("wd_positive[]", array(positive, u32(1), u32(0)), 1),
        ("wd_present[]", b"{x,NULL}", 0), ("wd_present[]", with_null, 1),
        ("wd", b"(1,x)", 0), ("wd", b"(-1,x)", 0), ("wd", b"(1,)", 0), ("wd", good, 1), ("wd", low, 1), ("wd", empty, 1),
        ("wd[]", b'{"(1,x)","(0,x)"}', 0), ("wd[]", array(oid["wd"], good, low), 1),
        ("wd_few", b"{1,2}", 0), ("wd_few", b"{1,-2}", 0), ("wd_few", b"{1,2,3}", 0), ("wd_few", array(positive, u32(1), u32(0)), 1),
    ]
    raw, out = Raw(server.port), []
    for number, (type_name, value, form) in enumerate(sent):
        raw.send(P(f"select ($1::{type_name})::text, {number}") + B(values=[value], formats=[form]) + E() + S)
        out += [m for m in raw.until("Z") if m[0] in "DE"]
    texts = [rb"1\tx\t{1,2}\t(1,x)\t{1}", rb"0\tx\t\N\t\N\t\N", rb"1\t\N\t\N\t\N\t\N", rb"\N\tx\t{1,-2}\t\N\t\N",
             rb"\N\tx\t\N\t(0,x)\t\N", rb"\N\tx\t\N\t(1,)\t\N", rb"\N\tx\t\N\t\N\t{1,2,3}", rb"\N\tx\t\N\t\N\t{-1}"]
    for text in texts:
        for options, line in ("", text.replace(rb"\t", b"\t")), ("(format csv, delimiter ';', null '\\N')", text.replace(rb"\t", b";")):
            raw.send(Q("copy wd_copied from stdin " + options))
            raw.until("G")
            raw.send(copy_data(b"\n".join([texts[0].replace(rb"\t", b";" if options else b"\t"), line, b""])) + COPY_DONE)
            out += raw.until("Z")
    header = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
    numbers = array(positive, u32(1), u32(2))
    binary = [(u32(1), b"x", numbers, good, numbers), (u32(0), b"x", None, None, None), (u32(1), None, None, None, None),
              (None, b"x", array(positive, u32(0)), None, None), (None, b"x", None, low, None), (None, b"x", None, empty, None),
              (None, b"x", None, None, array(positive, u32(3), u32(4), u32(5)))]
    for row in binary:
        raw.send(Q("copy wd_copied from stdin (format binary)"))
        raw.until("G")
        fields = b"".join(u32(-1) if value is None else u32(len(value)) + value for value in row)
        raw.send(copy_data(header + u16(len(row)) + fields + u16(-1)) + COPY_DONE)
        out += raw.until("Z")
    raw.send(Q("copy wd_copied(p) from stdin"))
    raw.until("G")
    raw.send(copy_data(b"4\n\\N\n-4\n") + COPY_DONE)
    out += raw.until("Z")
    raw.send(Q("select * from wd_copied"))
    out += raw.until("Z")
    raw.close()
    connection.query(CLEANUP)
    return [shown(line, oid) for line in out]


CASES = [("domains_within_values", domains)]
