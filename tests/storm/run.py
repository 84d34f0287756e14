#!/usr/bin/env python3
"""A storm of writes on tables with copies in columns, while aggregates run: every answer on every route, and the memory budget.

Writers go at full speed, each on rows of its own or on those of all:
  stock    rows are updated in place; what one gains another loses, so sum(amount) stands still
  event    pairs of rows that cancel one another come and go, one by one and in bulk loads of up to --load rows, some rolled back
  note     no primary key; rows come, are rewritten whole and go
Analysts read each table in one snapshot on rows, on columns and as the router likes: the answers are the same, and the invariants hold.
Meanwhile the server's resident size is sampled, which has to stay within the budget, and what copies say of themselves.

    run.py [--seconds N] [--memory SIZE] [--writers N] [--load N] [--seed N]
"""

import argparse
import collections
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB, parse_size  # noqa: E402
from harness.wire import ServerError  # noqa: E402

STOCK = 200_000
EVENTS_MAX = 400_000
NOTES_MAX = 60_000
SCHEMA = f"""
create table stock (id int primary key, place int, amount bigint, twice bigint) with (omendb.columns = on);
create table event (id bigint primary key, kind int, amount bigint, twice bigint, word text) with (omendb.columns = on);
create table note (a int, b text, c int) with (omendb.columns = on);
insert into stock select i, i % 50, 1000, 2000 from generate_series(1, {STOCK}) i;
"""
QUERIES = {
    "stock": ("select count(*), sum(amount), sum(twice) - 2 * sum(amount), count(distinct place), min(id), max(id) from stock",
              lambda row: row[:3] == [str(STOCK), str(1000 * STOCK), "0"]),
    "stock by place": ("select place, count(*), sum(amount), max(amount) from stock group by place order by place", None),
    "event": ("select count(*) % 2, coalesce(sum(amount), 0), coalesce(sum(twice), 0), count(distinct kind), min(id), max(id) from event",
              lambda row: row[:3] == ["0", "0", "0"]),
    "event by kind": ("select kind, count(*), sum(amount), min(word) from event group by kind order by kind", None),
    "note": ("select count(*), coalesce(sum(a + c), 0), count(distinct b) from note", lambda row: row[1] == "0"),
}
# Of errors that a storm brings about: deadlock, serialization failure, lock not available.
EXPECTED = ("40P01", "40001", "55P03")


def rows_of(connection, query):
    return [[None if value is None else value.decode() for value in row] for row in connection.execute(query).rows]


class Client(threading.Thread):
    def __init__(self, storm, number, seed):
        super().__init__(daemon=True)
        self.storm, self.number, self.random = storm, number, random.Random(seed)

    def run(self):
        try:
            connection = self.storm.server.connect(timeout=600)
            while not self.storm.over.is_set():
                try:
                    self.step(connection)
                except ServerError as error:
                    if error.sqlstate not in EXPECTED:
                        raise
                    self.storm.counts["given up: " + error.sqlstate] += 1
                    connection.execute("rollback")
            connection.close()
        except Exception as error:  # noqa: BLE001
            self.storm.fail(f"{type(self).__name__} {self.number}: {error!r}")


class Writer(Client):
    def step(self, connection):
        r, counts = self.random, self.storm.counts
        kind = r.randrange(12)
        if kind < 5:
            rows = 2 * r.choice((1, 5, 50, 500))
            at = r.randrange(STOCK - rows)
            sign = r.choice(("-", ""))
            connection.execute("begin")
            connection.execute(f"update stock set amount = amount + {sign}(case id % 2 when 0 then 7 else -7 end), "
                               f"twice = twice + {sign}(case id % 2 when 0 then 14 else -14 end) where id between {at + 1} and {at + rows}")
            self.end(connection, "stock rows updated", rows)
        elif kind < 9:
            pairs = r.choice((1, 1, 10, 100, 1000)) if r.random() > 0.01 else self.storm.load // 2
            connection.execute("begin")
            first = self.storm.event_ids(2 * pairs)
            connection.execute(f"insert into event select {first} + i, i / 2 % 10, v, 2 * v, 'word ' || i % 100 from (select i, "
                               f"case i % 2 when 0 then i + 1 else -i end as v from generate_series(0, {2 * pairs - 1}) i) s")
            if pairs == self.storm.load // 2:
                counts["bulk loads"] += 1
            self.end(connection, "event rows inserted", 2 * pairs)
        elif kind < 11:
            low = rows_of(connection, "select min(id), max(id) from event")[0]
            if low[0] is None or int(low[1]) - int(low[0]) < EVENTS_MAX * r.random():
                return
            # Pairs stand beside one another, the first of them with an amount above zero.
            rows = 2 * r.choice((1, 50, 1000, 20_000))
            connection.execute("begin")
            gone = connection.execute(f"delete from event where id >= {low[0]} and id < {int(low[0]) + rows} returning amount")
            total = sum(int(row[0]) for row in gone.rows)
            if total != 0:
                connection.execute("rollback")
                counts["pairs cut"] += 1
                return
            self.end(connection, "event rows deleted", len(gone.rows))
        else:
            mine = self.number
            count = int(connection.scalar(f"select count(*) from note where b = 'of {mine}'"))
            connection.execute("begin")
            if count > NOTES_MAX / self.storm.writers:
                connection.execute(f"delete from note where b = 'of {mine}'")
            elif r.random() < 0.2:
                connection.execute(f"update note set a = a + 1, c = c - 1 where b = 'of {mine}'")
            else:
                rows = r.choice((1, 20, 3000))
                connection.execute(f"insert into note select i, 'of {mine}', -i from generate_series(1, {rows}) i")
                count = rows
            self.end(connection, "note rows written", count)

    def end(self, connection, what, rows):
        if self.random.random() < 0.1:
            connection.execute("rollback")
            return
        connection.execute("commit")
        self.storm.counts[what] += rows
        self.storm.counts["commits"] += 1


class Analyst(Client):
    def step(self, connection):
        name = self.random.choice(list(QUERIES))
        query, holds = QUERIES[name]
        connection.execute("begin isolation level repeatable read")
        answers = {}
        for route in self.random.sample(("rows", "columns", "auto"), 3):
            connection.execute(f"set local omendb.route = {route}")
            answers[route] = rows_of(connection, query)
            if self.random.random() < 0.05:
                time.sleep(self.random.random() * 2)  # the snapshot grows old
        connection.execute("commit")
        if any(rows != answers["rows"] for rows in answers.values()):
            self.storm.fail(f"{name}: {answers}")
        elif holds is not None and not holds(answers["rows"][0]):
            self.storm.fail(f"{name}: {answers['rows'][0]}")
        self.storm.counts["queries, on three routes"] += 1


class Storm:
    def __init__(self, server, options):
        self.server, self.writers, self.load = server, options.writers, options.load
        self.over = threading.Event()
        self.counts = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()
        self.next_event = 0

    def event_ids(self, count):
        with self.lock:
            self.next_event += count
            return self.next_event - count

    def fail(self, what):
        self.failures.append(what)
        self.over.set()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=180)
    arguments.add_argument("--memory", default="1GB")
    arguments.add_argument("--writers", type=int, default=4)
    arguments.add_argument("--load", type=int, default=250_000)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = arguments.parse_args()
    budget = parse_size(options.memory) >> 20
    print(f"storm: {options.seconds} s, {options.writers} writers, budget {budget} MB, seed {options.seed}", flush=True)
    with OmenDB(arguments=["--memory", options.memory]) as omen:
        watcher = omen.connect(timeout=600)
        for statement in SCHEMA.strip().split(";\n"):
            watcher.execute(statement)
        storm = Storm(omen, options)
        clients = [Writer(storm, n, options.seed + n) for n in range(options.writers)]
        clients += [Analyst(storm, n, options.seed + 1000 + n) for n in range(2)]
        for client in clients:
            client.start()
        began, largest, told = time.monotonic(), collections.Counter(), 0
        while not storm.over.is_set() and time.monotonic() < began + options.seconds:
            time.sleep(0.5)
            now = dict(rows_of(watcher, "select name, value from omendb_statistics() where name like 'columns_%'"))
            now = {name: int(value) for name, value in now.items()}
            now["resident_mb"] = omen.status("VmRSS") >> 10
            for name, value in now.items():
                largest[name] = max(largest[name], value)
            if time.monotonic() - began > told:
                told += 60
                print(f"  {int(time.monotonic() - began):5} s: resident {now['resident_mb']} MB, places {now['columns_place_bytes'] >> 20} MB, logs "
                      f"{now['columns_log_bytes'] >> 10} kB, lag {now['columns_lag_bytes'] >> 10} kB in {now['columns_lag_commits']} commits, "
                      f"{storm.counts['commits']} commits, {storm.counts['queries, on three routes']} queries", flush=True)
        storm.over.set()
        for client in clients:
            client.join(timeout=600)
        print("  done: " + ", ".join(f"{value} {name}" for name, value in sorted(storm.counts.items())))
        print("  copies: " + ", ".join(f"{name[8:]} {largest[name]}" for name in sorted(largest) if name.startswith("columns_")))
        peak = omen.status("VmHWM") / 1024
        print(f"  resident: {largest['resident_mb']} MB sampled, {peak:.0f} MB at most, of {budget} MB")
        if not storm.failures:
            # What is left, on every route, and the copies against the rows.
            for name, (query, holds) in QUERIES.items():
                answers = []
                for route in ("rows", "columns"):
                    watcher.execute(f"set omendb.route = {route}")
                    answers.append(rows_of(watcher, query))
                if answers[0] != answers[1] or (holds is not None and not holds(answers[0][0])):
                    storm.failures.append(f"in the end {name}: {answers}")
        if peak > budget:
            storm.failures.append(f"{peak:.0f} MB resident exceed the budget of {budget} MB")
        watcher.close()
        for failure in storm.failures:
            print(f"storm: FAILED: {failure}")
    return 1 if storm.failures else 0


if __name__ == "__main__":
    sys.exit(main())
