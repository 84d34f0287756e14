"""What is sent to both servers. A case is a name and a function of a server that returns comparable text."""

import time

from wire.raw import (CANCEL_REQUEST, COPY_DONE, GSS_REQUEST, PROTOCOL_3, SSL_REQUEST, B, C, D, E, H, P, Q, Raw, S, X, copy_data,
                      copy_fail, message, show_stream, startup, u16, u32, z)

CASES = []


def case(function):
    CASES.append((function.__name__, function))
    return function


def talk(server, *steps, setup=None):
    """Each step: bytes, or (bytes, kind, count). Without a kind: as many ReadyForQuery as the step has Q, S and F messages."""
    raw = Raw(server.port)
    if setup:
        raw.send(Q(setup))
        raw.until("Z")
    out = []
    for step in steps:
        if isinstance(step, bytes):
            data, kind, count = step, "Z", ready_count(step)
        else:
            data, kind, count = step
        raw.send(data)
        out += raw.until(kind, count)
        out.append("--")
        if raw.closed:
            break
    raw.close()
    return out


def ready_count(data):
    count, at = 0, 0
    while at + 5 <= len(data):
        count += data[at:at + 1] in (b"Q", b"S", b"F")
        at += 1 + max(int.from_bytes(data[at + 1:at + 5], "big"), 4)
    return max(count, 1)


# ---- startup ----

def greet(server, *pieces, seconds=2):
    raw = Raw(server.port, start=False)
    received = b""
    for i, piece in enumerate(pieces):
        raw.send(piece)
        if i + 1 < len(pieces):
            raw._fill(5)
    received = raw.bytes(seconds)
    raw.close()
    return show_stream(received) + (["closed"] if raw.closed else ["open"])


STARTUPS = {
    "version_2": [u32(296) + u32(2 << 16) + b"x" * 288],
    "version_1": [u32(8) + u32(1 << 16)],
    "version_4": [u32(8) + u32(4 << 16)],
    "version_0": [u32(8) + u32(0)],
    "length_3": [u32(3) + u32(PROTOCOL_3)],
    "length_7": [u32(7) + u32(PROTOCOL_3)],
    "length_10004": [u32(10004) + u32(PROTOCOL_3) + b"\0" * 9996],
    "length_10005": [u32(10005) + u32(PROTOCOL_3)],
    "length_huge": [u32(0x7FFFFFFF) + u32(PROTOCOL_3)],
    "http": [b"GET / HTTP/1.1\r\n\r\n"],
    "tls_hello": [bytes.fromhex("16030100c8010000c40303") + b"\0" * 32],
    "second_ssl_request": [u32(8) + u32(SSL_REQUEST), u32(8) + u32(SSL_REQUEST)],
    "bytes_behind_ssl_request": [u32(8) + u32(SSL_REQUEST) + startup()],
    "ssl_then_startup": [u32(8) + u32(SSL_REQUEST), startup()],
    "no_user": [u32(9) + u32(PROTOCOL_3) + b"\0"],
    "no_terminator": [u32(8) + u32(PROTOCOL_3)],
    "name_without_value": [u32(13) + u32(PROTOCOL_3) + z("user")],
    "trailing_byte": [startup(extra=b"x")],
    "newer_minor": [startup(protocol=PROTOCOL_3 | 2)],
    "unknown_protocol_options": [startup({"_pq_.foo": "1", "_pq_.bar": "x"})],
    "unknown_setting": [startup(nonexistent="1")],
    "unknown_database": [startup(database="nodb")],
    "unknown_user": [startup(user="nouser")],
    "replication_maybe": [startup(replication="maybe")],
    "options_unknown_setting": [startup(options="-c geqo=off -c zzz=1")],
    "options_unknown_switch": [startup(options="--geqo=off -Z")],
    "options_good": [startup(options="-c DateStyle=German --statement-timeout=5min")],
    "bad_datestyle": [startup(DateStyle="bogus")],
    "bad_encoding": [startup(client_encoding="bogus")],
    "driver_settings": [startup({"application_name": "wire", "client_encoding": "'utf-8'", "DateStyle": "ISO",
                                 "TimeZone": "Etc/UTC", "extra_float_digits": "2"})],
    "cancel_short": [u32(12) + u32(CANCEL_REQUEST) + u32(0)],
    "cancel_unknown": [u32(16) + u32(CANCEL_REQUEST) + u32(1) + u32(2)],
    "bad_type_at_once": [startup() + b"?" + u32(4)],
    "query_along_with_startup": [startup() + Q("select 1") + X],
}
for _name, _pieces in STARTUPS.items():
    CASES.append((f"startup_{_name}", lambda server, pieces=_pieces: greet(server, *pieces, seconds=1.5)))


@case
def startup_gss_request(server):
    """PostgreSQL may be built with GSSAPI and agree; then both are only asked whether an ordinary start follows."""
    raw = Raw(server.port, start=False)
    raw.send(u32(8) + u32(GSS_REQUEST))
    raw._fill(5)
    answer = raw.buffer
    raw.close()
    return ["declined or agreed" if answer in (b"N", b"G") else repr(answer)]


# ---- simple query ----

TABLE = "drop table if exists w; create table w(id int primary key, t text not null, n numeric(10,2)); " \
        "insert into w values (1,'one',1.5),(2,'two',null),(3,'three',3.25)"


@case
def simple_statements(server):
    return talk(server, Q("select id, t, n from w order by id"), Q("select 1 as a, 'x' as b, null as c"), Q("select"),
                Q("insert into w values (4,'four',4) returning id, t"), Q("update w set t='x' where id>2"),
                Q("delete from w where id=4"), Q("select id from w where false"), setup=TABLE)


@case
def simple_empty(server):
    return talk(server, Q(""), Q(";;"), Q("  -- nothing\n"), Q("/* c */"), Q("select 1;;select 2;"))


@case
def simple_several_are_one_transaction(server):
    return talk(server, Q("insert into w values (10,'a',1); insert into w values (1,'dup',1)"), Q("select count(*) from w"),
                Q("insert into w values (11,'a',1); commit; insert into w values (12,'b',1); select 1/(select 0)"),
                Q("select id from w where id>9"), Q("begin; insert into w values (13,'c',1)"), Q("select 1"), Q("rollback"),
                Q("select id from w where id>9"), Q("select 1; selec 2"), Q("select 1; select nocolumn; select 2"), setup=TABLE)


@case
def simple_transaction_states(server):
    return talk(server, Q("begin"), Q("begin"), Q("select 1/(select 0)"), Q("select 1"), Q("savepoint a"), Q("commit"), Q("commit"),
                Q("rollback"), Q("start transaction isolation level repeatable read read only"),
                Q("insert into w values (20,'a',1)"), Q("end"), Q("begin; select 1; savepoint s; select 1/(select 0)"),
                Q("rollback to s"), Q("release s"), Q("commit and chain"), setup=TABLE)


@case
def errors_and_their_fields(server):
    return talk(server, Q("select * from nothere"), Q("select nocolumn from w"), Q("select nofunction(1)"), Q("selec 1"),
                Q("insert into w values (1,'x',1)"), Q("insert into w(id) values (50)"), Q("select 'x'::int"),
                Q("select (id + 99999999998)::int from w"), Q("insert into w values (60,'x',123456789012)"), Q("select 1 +"),
                Q("select \u00e9\u00e9, nocolumn"), Q("select '2020-13-01'::date"), setup=TABLE)


@case
def foreign_key_and_check_errors(server):
    return talk(server, Q("insert into c values (1, 9)"), Q("delete from p where id=1"), Q("insert into c values (2, 1)"),
                Q("delete from p where id=1"), Q("insert into c values (3, 1, -1)"), Q("insert into c values (2, 1)"),
                setup="drop table if exists c; drop table if exists p; create table p(id int primary key); "
                      "create table c(id int primary key, p int references p, v int check (v > 0)); insert into p values (1)")


@case
def parameter_status(server):
    return talk(server, Q("set application_name='a'; set application_name='b'"), Q("set timezone='Europe/Berlin'"),
                Q("begin; set local datestyle='German'"), Q("rollback"), Q("begin; set local datestyle='German'; rollback"),
                Q("set work_mem='8MB'"), Q("reset all"), P("set application_name='c'") + B() + E() + S)


@case
def notices(server):
    return talk(server, Q("drop table if exists nothere"), Q("commit"), Q("begin; begin; commit"))


# ---- extended query ----

@case
def extended_plain(server):
    return talk(server, P("select id, t from w where id=$1") + B(values=[b"2"]) + D("P") + E() + S,
                P("select $1") + D("S") + S, P("select $1::int + $2") + D("S") + S,
                P("insert into w values ($1,$2,$3) returning id") + D("S") + S,
                P("insert into w values ($1,$2,$3)") + D("S") + B(values=[b"7", b"seven", None]) + D("P") + E() + S,
                P("") + D("S") + B() + D("P") + E() + S, P("begin") + B() + E() + S, P("commit") + B() + E() + S,
                P("select 1", types=[0]) + S, P("select $1", types=[23]) + D("S") + B(values=[b"5"]) + E() + S,
                P("select $2::int") + D("S") + S, setup=TABLE)


@case
def extended_named(server):
    return talk(server, P("select 1", "a") + S, P("select 2", "a") + S, B("", "a") + E() + S, C("S", "a") + S, B("", "a") + S,
                P("select 3", "b") + B("p", "b") + B("p", "b") + S, E("p") + S, D("S", "nope") + S, D("P", "nope") + S,
                E("nope") + S, C("S", "nope") + C("P", "nope") + S, B("", "nope") + S, D("X") + S, C("X") + S,
                Q("prepare q(int) as select $1 + 1"), B("", "q", [b"4"]) + E() + S, Q("execute q(1)"), Q("deallocate q"),
                B("", "q", [b"4"]) + S, P("select 4", "r") + S, Q("execute r"), Q("execute r(1)"), Q("prepare r as select 1"))


@case
def extended_portals(server):
    rows = "select * from generate_series(1,5) g"
    return talk(server, P(rows) + B() + E(rows=2) + E(rows=2) + E(rows=2) + S, P(rows) + B() + E(rows=5) + E(rows=5) + S,
                P(rows) + B() + E(rows=2) + S + E(rows=2) + S, Q("begin"), P(rows) + B("c") + E("c", 2) + S, E("c", 2) + S,
                D("P", "c") + S, C("P", "c") + S, E("c", 2) + S, P(rows) + B("c") + E("c", 1) + S, Q("fetch 2 from c"),
                Q("declare d cursor for select 7 as seven"), E("d") + S, D("P", "d") + S, Q("commit"), E("c", 1) + S)


@case
def extended_cursor_with_parameters(server):
    declare = "declare c cursor for select g, $2 as word from generate_series(1, $1) g"
    return talk(server, Q("begin"), P(declare, "d", [23, 25]) + D("S", "d") + S, B("", "d", [b"3", b"x"]) + E() + S, Q("fetch 2 from c"),
                Q("fetch all from c"), Q("close c"), P(declare) + D("S") + S, B(values=[b"2", b"y"]) + E() + S, Q("fetch all from c"),
                P("declare e cursor for select nothing from nowhere where a = $1") + S, Q("rollback"), B("", "d", [b"1"]) + S,
                B("", "d", [b"1", b"z"]) + E() + S)


@case
def extended_unnamed_statement_dies_with_query(server):
    return talk(server, P("select 1") + S, B() + E() + S, P("select 1") + S, Q("select 2"), B() + E() + S,
                P("select 1") + B() + S, P("selec") + S, B() + S)


@case
def extended_errors(server):
    return talk(server, P("selec 1") + S, P("select nocolumn") + S, P("select 1; select 2") + S,
                P("select $1::int") + B(values=[]) + S, P("select $1::int") + B(values=[b"1", b"2"]) + S,
                P("select $1::int") + B(values=[b"x"]) + S, P("select $1::int") + B(values=[b"\0\1"], formats=[1]) + S,
                P("select $1::int") + B(values=[b"1"], formats=[7]) + S,
                P("select $1::int, $2::int") + B(values=[b"1", b"2"], formats=[0, 0, 0]) + S,
                P("select 1, 2") + B(results=[0, 0, 0]) + S, P("select 1/(select $1::int)") + B(values=[b"0"]) + E() + S,
                P("select $1::text") + B(values=[b"\xff"]) + S, P("select $1::text") + B(values=[b"a\0b"]) + S,
                P("select $1::int8") + B(values=[b"99999999999999999999"]) + S, P("select $0") + S,
                P("select $1") + B(values=[b"x"]) + E() + S)


@case
def extended_errors_skip_to_sync(server):
    return talk(server, P("select 1/(select 0)") + B() + E() + P("select 1") + B() + E() + H + S + P("select 2") + B() + E() + S,
                P("insert into w values (30,'x',1)") + B() + E() + P("select 1/(select 0)") + B() + E() + S,
                Q("select count(*) from w where id=30"),
                P("insert into w values (31,'x',1)") + B() + E() + S + P("select 1/(select 0)") + B() + E() + S,
                Q("select count(*) from w where id=31"), setup=TABLE)


@case
def extended_in_failed_transaction(server):
    return talk(server, P("select 1", "one") + S, Q("begin"), Q("select 1/(select 0)"), P("select 1") + S, B("", "one") + S,
                D("S", "one") + S, C("S", "one") + S, P("rollback") + B() + E() + S, Q("select 1"))


@case
def extended_pipeline_of_many(server):
    data = b"".join(P("insert into w values ($1,'p',1)") + B(values=[str(i).encode()]) + E() for i in range(100, 200))
    return talk(server, data + S, Q("select count(*), sum(id) from w where id>=100"),
                (P("select 1") + B() + E() + H, "C", 1), S, setup=TABLE)


@case
def extended_transaction_control(server):
    return talk(server, P("begin") + B() + E() + P("insert into w values (40,'x',1)") + B() + E() + P("commit") + B() + E() + S,
                Q("select count(*) from w where id=40"), P("begin") + B() + E() + S,
                P("insert into w values (41,'x',1)") + B() + E() + S, P("rollback") + B() + E() + S,
                Q("select count(*) from w where id=41"), setup=TABLE)


@case
def describe_columns(server):
    return talk(server, P("select id, t, n, id+1 as e, t||'x', count(*) over (), n*2, 'lit', 1.5, true, now()::date from w")
                + D("S") + S, P("select * from w") + D("S") + S, P("update w set t=$2 where id=$1 returning *") + D("S") + S,
                P("select v, c, d, ts, tz, u, b, j, a from many") + D("S") + S,
                setup=TABLE + "; drop table if exists many; create table many(v varchar(10), c char(5), d date, ts timestamp(3), "
                      "tz timestamptz, u uuid, b bytea, j jsonb, a int[])")


@case
def function_call(server):
    raw = Raw(server.port)
    raw.send(message("F", u32(1) + u16(0) + u16(0) + u16(0)))
    kinds = [m.split()[0] for m in raw.until("Z")]
    raw.close()
    return [kinds[-2:]]  # PostgreSQL knows the fast path; an error and a ReadyForQuery from both


# ---- malformed ----

@case
def malformed_bodies(server):
    return talk(server, message("Q", b"no terminator"), message("Q", z("select 1") + b"x"), message("Q", b""), Q(b"select '\xff'"),
                message("P", z("a")) + S, message("P", z("a") + z("select 1") + u16(3) + u32(23)) + S,
                message("B", z("") + z("")) + S, message("E", z("")) + S, message("D", b"") + S, message("C", b"S") + S,
                message("E", z("") + u32(0) + b"x") + S, message("H", b"x") + S, P("select $1", "neg") + S,
                message("B", z("") + z("neg") + u16(0) + u16(1) + u32(-5) + u16(0)) + S, Q("select 'still here'"))


@case
def malformed_sync(server):
    return talk(server, (message("S", b"x"), "Z", 1), Q("select 1"))


def malformed(name, data):
    CASES.append((f"malformed_{name}", lambda server: talk(server, (data, "Z", 9))))


malformed("unknown_type", b"?" + u32(4))
malformed("type_zero", b"\0" + u32(4))
malformed("high_type", b"\xfe" + u32(4))
malformed("length_0", b"Q" + u32(0))
malformed("length_3", b"Q" + u32(3))
malformed("length_1gb", b"Q" + u32(0x40000000))
malformed("length_negative", b"Q" + u32(-1))
malformed("sync_too_long", b"S" + u32(10001))
malformed("execute_too_long", b"E" + u32(20000))
malformed("terminate", X + Q("select 1"))
malformed("copy_messages_outside_copy", copy_data(b"x") + COPY_DONE + copy_fail("x") + Q("select 1") + X)


# ---- COPY ----

COPY_TABLE = "drop table if exists tt; create table tt(a int, b text)"


@case
def copy_in(server):
    start = (Q("copy tt from stdin"), "G", 1)
    return talk(server, start, copy_data(b"1\tone\n2\ttwo\n") + COPY_DONE, Q("select * from tt order by a"), start,
                copy_data(b"3\tth") + copy_data(b"ree\n4") + copy_data(b"") + copy_data(b"\t\\N\n") + H + S + COPY_DONE,
                Q("select * from tt order by a"), start, COPY_DONE, start, copy_fail("I give up"), Q("select count(*) from tt"),
                start, copy_data(b"x\ty\n") + COPY_DONE, Q("select count(*) from tt"), start,
                copy_data(b"1\ty\tz\n") + COPY_DONE, start, copy_data(b"1\n") + COPY_DONE, start,
                copy_data(b"5\tfive\n\\.\nrubbish\n") + COPY_DONE, Q("select count(*) from tt"), Q("copy nothere from stdin"),
                setup=COPY_TABLE)


@case
def copy_in_query_during(server):
    return talk(server, (Q("copy tt from stdin"), "G", 1), (Q("select 1"), "Z", 9), setup=COPY_TABLE)


@case
def copy_in_unknown_type_during(server):
    return talk(server, (Q("copy tt from stdin"), "G", 1), (b"?" + u32(4), "Z", 9), setup=COPY_TABLE)


@case
def copy_in_error_while_data_flow(server):
    data = b"".join(copy_data(b"%d\tx\n" % i) for i in range(2000))
    return talk(server, Q("copy tt from stdin") + copy_data(b"bad\tx\n") + data + COPY_DONE + Q("select count(*) from tt"),
                setup=COPY_TABLE)


@case
def copy_in_extended(server):
    return talk(server, (P("copy tt from stdin") + B() + D("P") + E(), "G", 1), copy_data(b"1\tone\n") + COPY_DONE + S,
                Q("select * from tt"), (P("copy tt from stdin") + B() + E(), "G", 1), copy_fail("no") + S, setup=COPY_TABLE)


@case
def copy_formats(server):
    return talk(server, (Q("copy tt from stdin (format csv, header)"), "G", 1),
                copy_data(b"a,b\n1,\"quo\"\"ted, and\nbroken\"\n2,\n3,\"\"\n") + COPY_DONE,
                Q("copy tt to stdout"), Q("copy tt to stdout (format csv, header)"),
                Q("copy (select a, b from tt order by a limit 1) to stdout (delimiter '|', null 'nil')"),
                Q("copy tt(b) to stdout; select 1"), P("copy tt to stdout") + B() + E() + S, setup=COPY_TABLE)


@case
def copy_binary_in(server):
    header, row = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, u16(2) + u32(4) + u32(7) + u32(1) + b"x"
    start = (Q("copy tt from stdin (format binary)"), "G", 1)
    return talk(server, start, copy_data(header + row) + copy_data(row + u16(-1)) + COPY_DONE,
                start, copy_data(header + row) + COPY_DONE,  # no trailer
                Q("select a, b, count(*) from tt group by 1, 2"), setup=COPY_TABLE)


@case
def copy_binary(server):
    return talk(server, Q("copy (select 1::int4, 'x'::text, null::int8) to stdout (format binary)"), setup=COPY_TABLE)


# ---- cancel, timeouts ----

@case
def cancel_of_a_running_statement(server):
    raw = Raw(server.port, start=False)
    raw.send(startup())
    raw.until("Z")
    raw.send(Q("select pg_sleep(30)"))
    time.sleep(0.3)
    other = Raw(server.port, start=False)
    other.send(u32(16) + u32(CANCEL_REQUEST) + raw.key)
    silence = other.bytes(2)
    out = raw.until("Z") + [repr(silence)]
    raw.send(Q("select 1"))
    out += raw.until("Z")
    raw.close()
    return out


@case
def statement_timeout(server):
    return talk(server, Q("set statement_timeout='100ms'"), Q("select pg_sleep(10)"), Q("select 1"), Q("begin"),
                Q("select pg_sleep(10)"), Q("select 1"), Q("rollback"))


@case
def idle_in_transaction_timeout(server):
    return talk(server, Q("set idle_in_transaction_session_timeout='200ms'"), (Q("begin"), "E", 1))


@case
def terminate_backend(server):
    victim, killer = Raw(server.port), Raw(server.port)
    victim.send(Q("select pg_backend_pid()"))
    pid = victim.until("Z")[1].split("'")[1]
    killer.send(Q(f"select pg_terminate_backend({pid})"))
    out = killer.until("Z") + victim.until("Z")
    victim.close()
    killer.close()
    return out


# ---- other sessions ----

@case
def notifications(server):
    """To oneself at the end of the statement, to an idle listener at once, and to a busy one after its transaction."""
    listener, sender = Raw(server.port), Raw(server.port)
    out = []

    def say(raw, sql):
        raw.send(Q(sql))
        out.extend(raw.until("Z") + ["--"])

    say(listener, "listen c1; listen c2")
    say(listener, "select * from pg_listening_channels() order by 1")
    say(listener, "notify c1; notify c1; notify c1, 'x'")
    say(sender, "begin; notify c1, 'in transaction'; notify c3, 'unheard'; select pg_notify('c2', 'function')")
    say(sender, "savepoint s; notify c1, 'taken back'; rollback to s; commit")
    out.extend(listener.until("A", 2) + ["--"])
    say(listener, "begin")
    say(sender, "notify c1, 'while busy'")
    say(listener, "select 1")
    say(listener, "commit")
    say(sender, "begin; notify c1, 'rolled back'; rollback")
    say(listener, "unlisten c1; notify c1, 'nobody'; notify c2, 'me'")
    say(listener, "unlisten *; notify c2, 'nobody'")
    say(listener, "select pg_notify('', 'x')")
    say(listener, "select pg_notify(repeat('x', 64), 'x')")
    say(listener, "select pg_notify('x', repeat('x', 8000))")
    listener.close()
    sender.close()
    return out


@case
def cancel_backend(server):
    victim, killer = Raw(server.port), Raw(server.port)
    victim.send(Q("select pg_backend_pid()"))
    pid = victim.until("Z")[1].split("'")[1]
    victim.send(Q("select pg_sleep(20)"))
    time.sleep(0.3)
    killer.send(Q(f"select pg_cancel_backend({pid})"))
    out = killer.until("Z") + victim.until("Z")
    victim.close()
    killer.close()
    return out


@case
def activity(server):
    one, other = Raw(server.port), Raw(server.port)
    one.send(Q("set application_name = 'the one'; begin; select 42"))
    one.until("Z")
    other.send(Q("select state, query, usename, datname, backend_type, application_name from pg_stat_activity where application_name = 'the one'"))
    out = other.until("Z")
    one.send(Q("rollback"))
    one.until("Z")
    other.send(Q("select state, query, xact_start is null from pg_stat_activity where application_name = 'the one'"))
    out += other.until("Z")
    one.close()
    other.close()
    return out


@case
def foreign_key_error_comes_before_returned_rows(server):
    setup = "drop table if exists fc, fp; create table fp (id int primary key); create table fc (p int references fp deferrable)"
    return talk(server, Q("insert into fc values (1) returning p"), P("insert into fc values (2) returning p") + B() + D("P") + E() + S,
                Q("with x as (insert into fc values (3) returning p) select * from x"),
                Q("begin; set constraints all deferred; insert into fc values (4) returning p; commit"),
                Q("begin; set constraints all deferred; insert into fc values (5) returning p"), Q("commit"),
                Q("select count(*) from fc; drop table fc, fp"), setup=setup)


@case
def portal_moves_between_executions(server):
    return talk(server, Q("begin"), P("select generate_series(1, 20)") + B("c") + E("c", 3) + S, Q("move forward 5 in c"),
                E("c", 2) + S, Q("fetch 1 from c"), E("c", 0) + S, Q("commit"))
