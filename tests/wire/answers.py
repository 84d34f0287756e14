"""What drivers' own test suites ask of a server, message by message: the same wanted from PostgreSQL and from OmenDB."""

import time

from wire.cases import talk
from wire.raw import COPY_DONE, B, D, E, H, P, Q, Raw, S, copy_data, message, show, u16, u32, z

CASES = []


def case(function):
    CASES.append((function.__name__, function))
    return function


# ---- many parameters ----

@case
def parameters_65535(server):
    """As many as Bind can count; a list, many rows, and a statement with one more."""
    numbers = [str(i % 1000).encode() for i in range(65535)]
    listed = ",".join(f"${i + 1}::int" for i in range(65535))
    return talk(server, P(f"select 7 in ({listed})") + B("", "", numbers) + E() + S,
                P("insert into many_parameters values " + ",".join(f"(${i + 1})" for i in range(65535))) + B("", "", numbers) + E() + S,
                P("select count(*), sum(a) from many_parameters") + B() + E() + S,
                P("select $1::int + $65535::int") + S, P("select $65536::int") + S, P("select 1", "", [23] * 40000) + B() + S,
                setup="create temp table many_parameters (a int)")


@case
def counts_are_unsigned(server):
    head = z("") + z("")
    return talk(server, P("select 1") + message("B", head + u16(0) + u16(0) + u16(-1)) + E() + S,
                P("select 1") + message("B", head + u16(-1) + u16(0) + u16(0)) + E() + S,
                P("select 1") + message("B", head + u16(1) + u16(1) + u16(0) + u16(0)) + E() + S)


# ---- a statement whose table changed ----

def with_place(server, *steps, setup):
    """As talk, with the place in PostgreSQL that an error names."""
    raw = Raw(server.port)
    raw.send(Q(setup))
    raw.until("Z")
    out = []
    for step in steps:
        raw.send(step)
        while (got := raw.next()) is not None:
            place = [part[1:].decode() for part in got[1].split(b"\0") if got[0] == "E" and part[:1] in (b"F", b"R")]
            out.append(" ".join([show(*got)] + (place if "cached plan" in show(*got) else [])))
            if got[0] == "Z":
                break
        out.append("--")
    raw.close()
    return out


TABLE = "create temp table changed (a int)"


@case
def changed_result_type(server):
    return with_place(server, P("select * from changed", "s") + S, Q("alter table changed add b int"), B("", "s") + E() + S,
                      B("p", "s") + D("P", "p") + E("p") + S, P("select * from changed") + B() + D("P") + E() + S, setup=TABLE)


@case
def changed_result_type_of_unnamed(server):
    return with_place(server, Q("begin"), P("select * from changed") + S, P("alter table changed add b int", "x") + B("", "x") + E() + S,
                      B() + D("P") + E() + S, Q("rollback"), setup=TABLE)


@case
def changed_names_and_types(server):
    return with_place(server, P("select * from changed", "s") + P("select a from changed", "t") + P("insert into changed values ($1)", "i") + S,
                      Q("alter table changed rename a to b"), B("", "s") + E() + S, B("", "t") + E() + S,
                      Q("alter table changed rename b to a; alter table changed alter a type bigint"), B("", "t") + E() + S,
                      B("", "i", [b"12345678901"]) + E() + S, B("", "i", [b"5"]) + E() + S, D("S", "i") + S,
                      Q("alter table changed alter a type bool using true"), B("", "i", [b"5"]) + E() + S,
                      Q("drop table changed"), B("", "t") + E() + S, setup=TABLE)


@case
def simple_queries_see_the_change(server):
    return talk(server, Q("select * from changed"), Q("alter table changed add b int"), Q("select * from changed"),
                P("select * from changed") + B() + D("P") + E() + S, Q("alter table changed drop a"), Q("select * from changed"),
                P("select * from changed") + B() + D("P") + E() + S, setup=TABLE)


# ---- cursors and statements that are not there yet ----

@case
def fetch_of_no_cursor(server):
    return talk(server, P("fetch all in c", "f") + D("S", "f") + S, B("", "f") + D("P") + S, B("", "f") + E() + S, Q("begin"),
                Q("declare c cursor for select 1"), D("S", "f") + B("", "f") + D("P") + E() + S, Q("commit"))


@case
def fetch_bound_before_declare(server):
    return talk(server, Q("begin"), P("fetch all in c", "f") + B("p", "f") + D("P", "p") + P("declare c cursor for select 1") + B() + E() + E("p") + S,
                Q("rollback"))


@case
def utilities_of_nothing(server):
    return talk(server, *[P(sql, "f" + sql[0:3]) + D("S", "f" + sql[0:3]) + B("", "f" + sql[0:3]) + D("P") + E() + S
                          for sql in ["move all in c", "close c", "execute c", "deallocate c"]],
                P("execute d", "g") + D("S", "g") + S, Q("prepare d as select 1"), B("", "g") + D("P") + E() + S)


# ---- statement_timeout between messages ----

def pauses(server, *steps):
    raw = Raw(server.port)
    raw.send(Q("set statement_timeout = 300"))
    raw.until("Z")
    out = []
    for step in steps:
        if isinstance(step, float):
            time.sleep(step)
            continue
        raw.send(step)
        out += raw.until("Z", seconds=0.15 if step.endswith(H) else 20) + ["--"]
    raw.close()
    return out


@case
def timeout_after_parse(server):
    return pauses(server, P("select 1", "s") + H, 0.5, D("S", "s") + H, S, Q("select 2"), D("S", "s") + S)


@case
def timeout_after_parse_in_transaction(server):
    return pauses(server, Q("begin"), P("select 1", "s") + H, 0.5, D("S", "s") + H, S, Q("select 2"), Q("rollback"))


@case
def timeout_before_sync(server):
    return pauses(server, P("select 1") + B() + H, 0.5, S, Q("select 2"))


@case
def timeout_before_query(server):
    return pauses(server, P("select 1") + B() + H, 0.5, Q("select 2"), Q("select 3"))


@case
def timeout_of_suspended_portal(server):
    return pauses(server, P("select generate_series(1,3)") + B() + E("", 1) + H, 0.5, E() + H, S)


@case
def timeout_ends_with_execute(server):
    return pauses(server, P("select 1") + B() + E() + H, 0.5, P("select 2") + B() + E() + S)


@case
def timeout_counts_from_the_first_message(server):
    return pauses(server, P("select 1") + B() + H, P("select pg_sleep(0.25)") + B() + E() + S, Q("select pg_sleep(0.2)"))


@case
def timeout_ends_with_an_error(server):
    return pauses(server, P("select 1") + B("", "none") + H, 0.5, S, P("select 1") + S, 0.5, P("select 2") + B() + E() + S)


# ---- other encodings ----

def encoded(server, *steps, setup):
    """As talk; rows and descriptions as they came."""
    raw = Raw(server.port)
    raw.send(Q(setup))
    raw.until("Z")
    out = []
    for step, last in [step if isinstance(step, tuple) else (step, "Z") for step in steps]:
        raw.send(step)
        while (got := raw.next()) is not None:
            shown = repr(got[1]) if got[0] == "T" and not got[1].replace(b"\xff", b"").isascii() else show(*got)
            if got[0] == "E":
                shown += "".join(f" {part!r}" for part in got[1].split(b"\0") if part[:1] in b"MDW" and not part.isascii())
            out.append(got[0] + " " + shown)
            if got[0] == last:
                break
        out.append("--")
    raw.close()
    return out


def sql(text):
    return message("Q", text + b"\0")


@case
def encoding_latin1(server):
    array = u32(1) + u32(0) + u32(25) + u32(1) + u32(1) + u32(1) + b"\xe4"
    return encoded(server, sql(b"select '\xe4', '\xe4' as \"\xfc\", length('\xe4\xf6')"), Q("select U&'\\00e4' union all select 'a'"),
                   P("select $1::text, $2::text[], $3::jsonb, $4::bytea")
                   + B("", "", [b"\xe4", array, b"\x01\"\xe4\"", b"\xe4"], [1, 1, 1, 1], [1, 1, 1, 1]) + E() + S,
                   P("select $1::text, $2::text[], row('\xe4')".encode("latin1")) + B("", "", [b"\xe4", b"{\xe4,b}"]) + D("P") + E() + S,
                   message("P", b"\xe4\0select $1::int\0" + u16(0)) + B("", b"\xe4", [b"\xfc"]) + E() + S,
                   sql(b"select '\xe4'::int"), sql(b"select * from \"\xe4\""), Q("select 'a' union all select U&'\\4e2d'"),
                   Q("select U&'\\4e2d'::int"), Q("select 1 as U&\"\\4e2d\""), Q("select 2"), sql(b"set application_name = '\xe4'; show application_name"),
                   Q("set client_encoding = utf8; select U&'\\00e4'; set client_encoding = latin1; select U&'\\00e4'"),
                   Q("begin; set local client_encoding = koi8r; select U&'\\0444'; rollback; select U&'\\00e4'"),
                   setup="set client_encoding = latin1")


@case
def encoding_win1252(server):
    return encoded(server, P("select $1::text") + B("", "", [b"\x81"]) + E() + S, sql(b"select '\x81'"), sql(b"select '\x80', ascii('\x80')"),
                   setup="set client_encoding = win1252")


@case
def encoding_euc_jp(server):
    return encoded(server, sql(b"select '\xa4'"), sql(b"select '\xa4\xa2', length('\xa4\xa2')"), sql(b"select '\xa4\xa2'::int"),
                   P("select $1::text") + B("", "", [b"a\xa4"]) + E() + S, setup="set client_encoding = euc_jp")


@case
def encoding_sjis_backslash(server):
    """The second byte of a character may look like a backslash or a quote of ours."""
    return encoded(server, sql(b"select '\x95\x5c', E'\x95\x5c\\n', length('\x95\x5c')"), Q("create temp table sj (a text)"),
                   (Q("copy sj from stdin"), "G"), copy_data(b"\x95\x5c\nb\n") + COPY_DONE, Q("select a || '', length(a) from sj"),
                   Q("copy sj to stdout"), setup="set client_encoding = sjis")


@case
def encoding_of_copy(server):
    return encoded(server, (Q("copy enc from stdin"), "G"), copy_data(b"a\n\xa4") + copy_data(b"\xa2\nb\n") + COPY_DONE,
                   (Q("copy enc from stdin"), "G"), copy_data(b"a\n\xa4") + copy_data(b"\xa2\nb\n\xa4 \n") + COPY_DONE,
                   (Q("copy enc from stdin (encoding 'latin1')"), "G"), copy_data(b"\xe4\n") + COPY_DONE,
                   Q("copy enc to stdout"), Q("copy enc to stdout (encoding 'utf8')"), Q("copy (select U&'\\3042') to stdout (encoding 'sjis')"),
                   Q("copy (select U&'\\3042' as a) to stdout (format csv, header, encoding 'euc-jp')"),
                   Q("copy (select U&'\\0e01') to stdout"), Q("copy enc to stdout (encoding 'nope')"), Q("select count(*) from enc"),
                   setup="create temp table enc (a text); set client_encoding = euc_jp")


@case
def encoding_sql_ascii(server):
    return encoded(server, Q("select U&'\\3042'"), sql(b"select '\xe4'"), Q("set client_encoding = unicode; select U&'\\3042'"),
                   setup="set client_encoding = sql_ascii")


# ---- notices of what is made besides ----

@case
def implicit_objects(server):
    """Without what PostgreSQL tells of its indexes' and tables' files."""
    return [line for line in implicit(server) if not any(word in line for word in ("building", "dedupl", "rewriting", "verifying"))]


def implicit(server):
    return talk(server, Q("create temp table io (id serial primary key, u int unique, constraint two unique (id, u))"),
                Q("alter table io add column s bigserial"), Q("alter table io add column y int unique"),
                Q("create temp table id (id int generated always as identity); alter table id add primary key (id)"),
                Q("create temp table il (like io including all)"), Q("set client_min_messages = log"),
                Q("create temp table quiet (id serial primary key)"), setup="set client_min_messages = debug1")


@case
def void_parameter_is_no_argument(server):
    return talk(server, P("select length(now($1::void)::text) > 0") + B("", "", [b""]) + E() + S, P("select abs($1::void, $2::int)") + B("", "", [b"", b"-1"]) + E() + S)


# ---- portals in a failed transaction ----

@case
def portals_of_a_failed_transaction(server):
    return talk(server, Q("begin"), P("select 1") + B("p") + S, Q("select 1/(select 0)"), E("p") + S, D("P", "p") + S, E("none") + S, Q("rollback"),
                E("p") + S)


@case
def portals_older_than_the_savepoint(server):
    return talk(server, Q("begin"), P("select generate_series(1,3)") + B("p") + E("p", 1) + S, Q("declare c cursor for select generate_series(1,4)"),
                Q("savepoint a"), P("select 5") + B("q") + S, Q("declare d cursor for select 6"), Q("select 1/(select 0)"), E("q") + S,
                Q("rollback to a"), Q("fetch 2 from c"), E("q") + S, Q("rollback to a"), Q("fetch d"), Q("rollback to a"), E("p") + S, Q("rollback"))


@case
def terminating_oneself(server):
    return [line for line in talk(server, Q("select pg_terminate_backend(pg_backend_pid())")) if not line.startswith("D ")]


@case
def cast_to_unknown(server):
    return talk(server, P("select cast($1 as unknown)") + D("S") + B("", "", [b"x"]) + D("P") + E() + S,
                P("select cast($1 as unknown)", "", [705]) + D("S") + B("", "", [b"x"]) + D("P") + E() + S, P("select 'a'::unknown") + D("S") + S)


@case
def copy_tells_the_first_trouble(server):
    return talk(server, (Q("copy io from stdin (format csv)"), "G", 1), copy_data(b"\n1,2\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1),
                copy_data(b"1\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1), copy_data(b"x\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1),
                copy_data(b"x\t1\t2\n") + COPY_DONE, setup="create temp table io (a int, b int)")
