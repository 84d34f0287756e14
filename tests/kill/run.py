#!/usr/bin/env python3
"""Pulls the plug: kill -9 in the middle of a concurrent load, restart, and compare what is there with what was promised.

Every client logs an intent before it sends a transaction and an acknowledgement after it has seen COMMIT's answer. A transaction
moves money between two accounts, writes two ledger rows and a row with a unique secondary key, some with a savepoint that is rolled
back, some as one multi-row COPY. Beside them one client builds an index over many rows and drops it again, and one reads copies in
columns of the tables that are written. After the restart:
  - every acknowledged transaction is there, whole;
  - every other one is there whole or not at all (only the last of a client is in doubt);
  - the sum of balances is what it was, and equals what the ledger says;
  - reading through each index gives the rows that reading the table gives, and `omendb verify` agrees;
  - the copies in columns, taken up where they stood, give what the rows give.

    run.py [--cycles N] [--clients N] [--seed N]
"""

import argparse
import random
import subprocess
import sys
import threading
import time
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB  # noqa: E402
from harness.wire import ServerError  # noqa: E402

ACCOUNTS = 200
SETTLED = 60000
SCHEMA = f"""
create table account (id int primary key, balance bigint not null check (balance > -1000000));
insert into account select g, 1000 from generate_series(1, {ACCOUNTS}) g;
create table ledger (client int, number bigint, leg int, account int not null, amount bigint not null, primary key (client, number, leg));
create table receipt (id bigserial primary key, code text unique not null, client int not null, number bigint not null);
create index receipt_client on receipt (client, number);
create table settled (id int primary key, v int, note text);
insert into settled select g, g * 7919 % {SETTLED}, 'note ' || g % 10 from generate_series(1, {SETTLED}) g;
"""


class Worker(threading.Thread):
    """Takes one step after the other until the plug is pulled. `trouble`: what ended it that the plug does not explain."""

    def __init__(self, server, stop):
        super().__init__(daemon=True)
        self.server, self.stop, self.trouble = server, stop, None

    def run(self):
        try:
            connection = self.server.connect(timeout=30)
            self.begin(connection)
            while not self.stop.is_set():
                self.step(connection)
        except (OSError, ConnectionError):
            pass  # the plug
        except ServerError as error:
            if error.sqlstate not in ("57P01", "57P02", "57P03"):
                self.trouble = str(error)
        except AssertionError as broken:
            self.trouble = str(broken)
        except Exception as error:
            self.trouble = repr(error)

    def begin(self, connection):
        pass


class Client(Worker):
    def __init__(self, server, client, first, seed, stop):
        super().__init__(server, stop)
        self.client, self.number, self.random = client, first, random.Random(seed)
        self.acknowledged = []
        self.in_doubt = None

    def step(self, connection):
        self.in_doubt = self.number
        if self.transaction(connection):
            self.acknowledged.append(self.number)
        self.in_doubt = None
        self.number += 1

    def transaction(self, connection):
        a, b = self.random.sample(range(1, ACCOUNTS + 1), 2)
        amount, kind = self.random.randint(1, 50), self.random.randint(0, 3)
        number, client = self.number, self.client
        try:
            connection.execute("begin")
            connection.execute(f"update account set balance = balance - {amount} where id = {a}")
            connection.execute(f"update account set balance = balance + {amount} where id = {b}")
            if kind == 0:
                connection.execute("copy ledger from stdin",
                                   f"{client}\t{number}\t1\t{a}\t{-amount}\n{client}\t{number}\t2\t{b}\t{amount}\n".encode())
            else:
                connection.execute(f"insert into ledger values ({client}, {number}, 1, {a}, {-amount}), ({client}, {number}, 2, {b}, {amount})")
            if kind == 1:
                connection.execute("savepoint s")
                connection.execute(f"insert into receipt (code, client, number) values ('lost-{client}-{number}', {client}, {number})")
                connection.execute("rollback to s")
            connection.execute(f"insert into receipt (code, client, number) values ('{client}-{number}', {client}, {number})")
            connection.execute("commit")
            return True
        except ServerError as error:
            if error.sqlstate not in ("40P01", "40001"):  # a deadlock of two transfers is a fair answer
                raise
            connection.query("rollback")
            return False


class Builder(Worker):
    """Makes an index and drops it; `there`: as acknowledged last, None while that is in doubt."""

    def __init__(self, server, stop):
        super().__init__(server, stop)
        self.there, self.built = False, 0

    def step(self, connection):
        self.there = None
        connection.execute("create unique index settled_v on settled (v, note)")
        self.there, self.built = True, self.built + 1
        self.there = None
        connection.execute("drop index settled_v")
        self.there = False


class Analyst(Worker):
    """Reads every table from its copy in columns, which is folded, and sometimes made anew."""

    def __init__(self, server, seed, stop):
        super().__init__(server, stop)
        self.random, self.answers = random.Random(seed), 0

    def begin(self, connection):
        connection.execute("set omendb.route = columns")

    def step(self, connection):
        total = connection.scalar("select sum(balance) from account")
        assert total == str(1000 * ACCOUNTS), f"money appeared or vanished in columns: {total}"
        legs = connection.scalar("select count(*) from (select client, number from ledger group by 1, 2 having count(*) <> 2) x")
        assert legs == "0", f"{legs} torn transactions in columns"
        connection.scalar("select count(*) from receipt r join ledger l on (l.client, l.number) = (r.client, r.number)")
        self.answers += 1
        if self.random.random() < 0.02:
            connection.scalar(f"select omendb_drop_columns('{self.random.choice(COPIED)}')")


COPIED = ("account", "ledger", "receipt", "settled")


def check_columns(server):
    """Returns how many copies were there before anybody asked for one."""
    connection = server.connect(timeout=120)
    taken_up = int(connection.scalar("select count(*) from omendb_columns()"))
    for table in COPIED:
        answers = []
        for route in ("columns", "rows"):
            connection.execute(f"set omendb.route = {route}")
            answers.append(connection.scalar(f"select count(*) || ' rows ' || md5(string_agg(x::text, ' ' order by x::text)) from {table} x"))
        assert answers[0] == answers[1], f"table {table}: {answers[0]} in columns, {answers[1]} in rows"
    connection.close()
    return taken_up


def check_built(server, builder):
    connection = server.connect(timeout=120)
    there = connection.scalar("select count(*) from pg_class where relname = 'settled_v'") == "1"
    assert builder.there in (None, there), f"an index was promised: {builder.there}, and is there: {there}"
    if there:
        found = connection.scalar("select count(*) from generate_series(0, %d) g join settled s on s.v = g" % (SETTLED - 1))
        assert found == str(SETTLED), f"the built index finds {found} rows of {SETTLED}"
        connection.execute("drop index settled_v")
    connection.close()


def check(server, clients, acknowledged):
    """Raises on the first broken promise; returns the numbers of in-doubt transactions that made it."""
    connection = server.connect(timeout=120)
    total = connection.scalar("select sum(balance) from account")
    assert total == str(1000 * ACCOUNTS), f"money appeared or vanished: {total}"
    wrong = connection.scalar("""select count(*) from account a left join (select account, sum(amount) s from ledger group by 1) l
        on l.account = a.id where a.balance <> 1000 + coalesce(l.s, 0)""")
    assert wrong == "0", f"{wrong} accounts disagree with the ledger"
    assert connection.scalar("select count(*) from receipt where code like 'lost%'") == "0", "a rolled back savepoint is there"
    for client in clients:
        legs = {int(n): int(c) for n, c in connection.execute(
            f"select number, count(*) from ledger where client = {client.client} group by number").rows}
        receipts = {int(n): int(c) for n, c in connection.execute(
            f"select number, count(*) from receipt where client = {client.client} group by number").rows}
        for number in acknowledged[client.client]:
            assert legs.get(number) == 2 and receipts.get(number) == 1, \
                f"acknowledged transaction {client.client}/{number} is lost or torn: {legs.get(number)} legs, {receipts.get(number)} receipts"
        extra = (set(legs) | set(receipts)) - acknowledged[client.client]
        for number in extra:
            assert number == client.in_doubt, f"transaction {client.client}/{number} was never sent to commit"
            assert legs.get(number) == 2 and receipts.get(number) == 1, f"in-doubt transaction {client.client}/{number} is torn"
            acknowledged[client.client].add(number)
        if client.acknowledged:
            code = f"{client.client}-{client.acknowledged[-1]}"
            assert connection.scalar(f"select count(*) from receipt where code = '{code}'") == "1", f"unique index lost {code}"
    by_table = connection.scalar("select count(*) from receipt")
    by_index = connection.scalar("select count(*) from receipt r where exists (select 1 from receipt x where x.code = r.code)")
    assert by_table == by_index, f"index disagrees: {by_table} rows, {by_index} through the index"
    connection.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cycles", type=int, default=5)
    arguments.add_argument("--clients", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    options = arguments.parse_args()
    print(f"seed {options.seed}")
    rng = random.Random(options.seed)
    acknowledged = {c: set() for c in range(options.clients)}
    next_number = {c: 1 for c in range(options.clients)}
    server = OmenDB()
    restarts, built, answers, taken_up = [], 0, 0, 0
    try:
        server.start()
        connection = server.connect()
        connection.execute(SCHEMA)
        connection.close()
        for cycle in range(1, options.cycles + 1):
            stop = threading.Event()
            clients = [Client(server, c, next_number[c], rng.random(), stop) for c in range(options.clients)]
            builder = Builder(server, stop)
            analyst = Analyst(server, rng.random(), stop)
            for client in [*clients, builder, analyst]:
                client.start()
            time.sleep(rng.uniform(0.1, 1.5))
            server.kill()
            stop.set()
            for client in clients:
                client.join(60)
                assert client.trouble is None, f"client {client.client}: {client.trouble}"
                acknowledged[client.client].update(client.acknowledged)
                next_number[client.client] = client.number + 1
            builder.join(60)
            assert builder.trouble is None, f"building an index: {builder.trouble}"
            built += builder.built
            analyst.join(60)
            assert analyst.trouble is None, f"reading columns: {analyst.trouble}"
            answers += analyst.answers
            if cycle % 10 == 0 or cycle == options.cycles:
                verify = subprocess.run([server.binary, "verify", "--data-dir", str(server.directory / "data")],
                                        capture_output=True, text=True)
                assert verify.returncode == 0, f"omendb verify: {verify.stdout}{verify.stderr}"
            started = time.monotonic()
            server.start()
            restarts.append(time.monotonic() - started)
            check(server, clients, acknowledged)
            check_built(server, builder)
            taken_up += check_columns(server)
        total = sum(len(numbers) for numbers in acknowledged.values())
        print(f"{options.cycles} cycles, {total} transactions acknowledged and found, {built} indexes built, "
              f"{answers} times read in columns, {taken_up} copies taken up, slowest restart {max(restarts):.2f} s")
        print(f"{options.cycles} passed, 0 failed")
    except AssertionError as broken:
        print(f"cycle failed: {broken}\n{server.log()}")
        print("0 passed, 1 failed")
        return 1
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
