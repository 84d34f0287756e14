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


@case
def cast_to_unknown(server):
    return talk(server, P("select cast($1 as unknown)") + D("S") + B("", "", [b"x"]) + D("P") + E() + S,
                P("select cast($1 as unknown)", "", [705]) + D("S") + B("", "", [b"x"]) + D("P") + E() + S, P("select 'a'::unknown") + D("S") + S)


@case
def copy_tells_the_first_trouble(server):
    return talk(server, (Q("copy io from stdin (format csv)"), "G", 1), copy_data(b"\n1,2\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1),
                copy_data(b"1\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1), copy_data(b"x\n") + COPY_DONE, (Q("copy io from stdin"), "G", 1),
                copy_data(b"x\t1\t2\n") + COPY_DONE, setup="create temp table io (a int, b int)")
