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
