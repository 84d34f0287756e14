"""Clients that vanish. What they held must come free, and the server must go on. OmenDB only."""

import time

from wire.raw import B, E, P, Q, Raw, S, copy_data

CASES = []


def case(function):
    CASES.append((function.__name__, function))
    return function


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def prepare(server):
    with_rows = server.connect()
    with_rows.execute("drop table if exists v")
    with_rows.execute("create table v(id int primary key, t text)")
    with_rows.execute("insert into v select g, repeat('x', 100) from generate_series(1, 1000) g")
    with_rows.close()


@case
def vanish_in_a_transaction(server):
    prepare(server)
    raw = Raw(server.port)
    raw.send(Q("begin; update v set t='y' where id=1; insert into v values (5000, 'z')"))
    raw.until("Z")
    raw.close()
    other = server.connect()
    other.execute("set lock_timeout='10s'")
    other.execute("update v set t='z' where id=1")  # waits until the lock is free
    assert other.scalar("select count(*) from v where id=5000") == "0"
    other.close()


@case
def vanish_in_a_result(server):
    prepare(server)
    raw = Raw(server.port)
    raw.send(Q("begin; update v set t='y' where id=2"))
    raw.until("Z")
    raw.send(Q("select a.t, b.t from v a, v b, generate_series(1, 100) g"))
    raw.next()
    raw.close()
    other = server.connect()
    other.execute("set lock_timeout='20s'")
    other.execute("update v set t='z' where id=2")
    other.close()


@case
def a_slow_reader_does_not_fill_the_server(server):
    prepare(server)
    before = server.status("VmRSS")
    raw = Raw(server.port)
    raw.send(Q("select a.t, b.t from v a, v b, generate_series(1, 10) g"))  # 2 GB of text
    raw.next()
    time.sleep(2)
    grown = server.status("VmRSS") - before
    raw.close()
    assert grown < 400_000, f"grew by {grown} kB for a result that nobody reads"


@case
def vanish_in_copy(server):
    prepare(server)
    raw = Raw(server.port)
    raw.send(Q("copy v from stdin"))
    raw.until("G")
    raw.send(copy_data(b"9001\tx\n90"))
    time.sleep(0.1)
    raw.close()
    other = server.connect()
    eventually(lambda: other.scalar("select count(*) from v where id>=9000") == "0")
    other.execute("insert into v values (9001, 'free')")
    other.close()


@case
def vanish_in_the_middle_of_a_message(server):
    for data in (b"Q\0\0\1\0select", P("select 1")[:7], b"Q", b"\0"):
        raw = Raw(server.port)
        raw.send(data)
        raw.close()
    raw = Raw(server.port, start=False)
    raw.send(b"\0\0\0\x20\0\3")
    raw.close()
    server.connect().close()


@case
def vanish_many_times(server):
    for i in range(200):
        raw = Raw(server.port)
        raw.send(P("select $1::int") + B(values=[b"1"]) + E() + (S if i % 2 else b""))
        raw.close()
    server.connect().close()


@case
def a_statement_that_waits_is_cancelled_by_a_vanished_holder(server):
    prepare(server)
    holder, waiter = Raw(server.port), Raw(server.port)
    holder.send(Q("begin; update v set t='h' where id=3"))
    holder.until("Z")
    waiter.send(Q("update v set t='w' where id=3"))
    time.sleep(0.2)
    holder.close()
    assert waiter.until("Z") == ["C UPDATE 1", "Z I"]
    waiter.close()
