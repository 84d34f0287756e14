"""Binary and text forms of every type, as PostgreSQL's own bytes: results, and the same bytes sent back as a parameter."""

from wire.raw import B, D, E, P, Raw, S, show

VALUES = {
    "bool": ["t", "f"],
    "int2": ["0", "-32768", "32767"],
    "int4": ["0", "-2147483648", "2147483647"],
    "int8": ["0", "-9223372036854775808", "9223372036854775807"],
    "oid": ["0", "4294967295"],
    "float4": ["0", "-0", "1.5", "3.4e38", "1e-45", "NaN", "Infinity", "-Infinity", "0.1"],
    "float8": ["0", "-0", "1.5", "1.7e308", "5e-324", "NaN", "Infinity", "-Infinity", "0.1", "1e15", "123456789012345680"],
    "numeric": ["0", "1", "-1", "0.1", "10000", "0.0001", "12345678901234567890.123456789", "1e30", "1e-30", "NaN", "Infinity",
                "-Infinity", "1.10", "100.00"],
    "numeric(4,1)": ["0", "-99.9", "123.4"],
    "numeric(10,2)": ["0", "99999999.99", "-0.01", "5"],
    "numeric(18,9)": ["123456789.123456789", "-0.000000001"],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789", "-1", "0"],
    "text": ["", "abc", "é€😀"],
    "varchar(5)": ["abc"],
    "char(5)": ["ab", "abcde"],
    "name": ["x"],
    "\"char\"": ["x", ""],
    "bytea": ["", "\\x00ff10", "abc"],
    "date": ["2000-01-01", "1970-01-01", "0001-01-01", "9999-12-31", "infinity", "-infinity", "4713-01-01 BC", "12345-06-07"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.5"],
    "timetz": ["12:34:56+02", "00:00:00-11:30"],
    "timestamp": ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity", "0044-03-15 12:00:00 BC",
                  "2020-02-29 12:34:56.789", "20000-01-01 00:00:00"],
    "timestamp(0)": ["2020-02-29 12:34:56.789"],
    "timestamptz": ["2000-01-01 00:00:00+00", "2020-06-15 12:00:00.5+02", "infinity", "-infinity"],
    "interval": ["0", "1 day", "-1 year 2 mons 3 days 04:05:06.789", "178000000 years", "00:00:00.000001", "-5 days 10:00"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ["{\"a\": [1, 2]}", "null", " 1 "],
    "jsonb": ["{\"b\": 1, \"a\": [1, 2.50, null]}", "null", "\"x\"", "[]"],
    "int4[]": ["{}", "{1,2,3}", "{NULL,1}", "{{1,2},{3,4}}", "[2:3]={5,6}"],
    "int8[]": ["{1,-1}"],
    "text[]": ["{}", "{a,\"b c\",NULL,\"\",\"q\\\"\"}"],
    "numeric[]": ["{1.5,NULL,100}"],
    "bool[]": ["{t,f}"],
    "date[]": ["{2020-01-01,infinity}"],
    "timestamptz[]": ["{2020-01-01 00:00:00+00}"],
    "float8[]": ["{1.5,NaN}"],
    "uuid[]": ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    "bytea[]": ["{\"\\\\x00ff\"}"],
    "jsonb[]": ["{\"{\\\"a\\\": 1}\"}"],
    "regclass": ["pg_class"],
    "regtype": ["integer", "text[]"],
    "inet": ["192.168.0.1", "10.0.0.0/8", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "money": ["12.34"],
    "bit(5)": ["10101"],
    "varbit": ["101", ""],
    "int4range": ["[1,5)", "empty", "(,3)", "(,)", "[-7,]"],
    "int8range": ["[1,5)", "(-9223372036854775808,9223372036854775807)"],
    "numrange": ["[1.50,5]", "empty", "(-1e30,1e-30]", "[0,)", "[1,NaN)"],
    "daterange": ["[2000-01-01,2000-02-01]", "[-infinity,infinity]"],
    "tsrange": ["[\"2000-01-01 10:00:00\",infinity)", "(,2000-01-01]"],
    "tstzrange": ["[\"2000-01-01 10:00:00+02\",)"],
    "int4range[]": ["{\"[1,5)\",empty,NULL}"],
    "int4multirange": ["{}", "{[1,5),[7,9]}", "{(,)}"],
    "nummultirange": ["{[1.0,2.50),(3,4]}"],
    "tstzmultirange": ["{[\"2000-01-01 10:00:00+02\",)}"],
    "datemultirange[]": ["{\"{[2000-01-01,2000-01-02)}\",\"{}\"}"],
    "xid": ["5"],
    "point": ["(1,2)", "(NaN,-Infinity)"],
    "line": ["{1,2,3}"],
    "lseg": ["[(1,2),(3,4)]"],
    "box": ["(1,2),(3,4)"],
    "path": ["[(1,2),(3,4)]", "((1,2))"],
    "polygon": ["((1,2),(3,4))"],
    "circle": ["<(1,2),3>"],
    "box[]": ["{(3,4),(1,2);(7,8),(5,6)}"],
}


def cases():
    for type_name, values in VALUES.items():
        yield f"binary_{type_name}", lambda server, t=type_name, vs=values: forms(server, t, vs)


def forms(server, type_name, values):
    raw = Raw(server.port)
    raw.send(P("set timezone='UTC'") + B() + E() + S)
    raw.until("Z")
    out = []
    for value in values:
        literal = value.replace("'", "''")
        raw.send(P(f"select '{literal}'::{type_name} as v") + B(results=[1]) + D("P") + E() + S)
        binary = None
        while True:
            got = raw.next()
            if got is None:
                out.append("closed")
                return out
            if got[0] == "D":
                binary = got[1]
            if got[0] in "TDE":
                out.append(f"{value!r}: {show(*got)}")
            if got[0] == "Z":
                break
        raw.send(P(f"select '{literal}'::{type_name} as v") + B() + E() + S)
        out += [f"{value!r}: {m}" for m in raw.until("Z") if m[0] in "DE"]
        if binary is not None:  # the same bytes as a parameter
            raw.send(P(f"select $1::{type_name} as v") + B(values=[binary[6:]], formats=[1]) + D("S") + E() + S)
            out += [f"{value!r} sent back: {m}" for m in raw.until("Z") if m[0] in "tDE"]
    for wrong in (b"", b"\1", b"\0\0\0"):
        raw.send(P(f"select $1::{type_name} as v") + B(values=[wrong], formats=[1]) + E() + S)
        # One and the same thing to whoever reads it; which of the two is said depends on the size of the first read.
        out += [f"wrong bytes {wrong!r}: {m}".replace("no data left", "insufficient data left") for m in raw.until("Z") if m[0] in "DE"]
    raw.close()
    return out
