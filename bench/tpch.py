#!/usr/bin/env python3
"""TPC-H on OmenDB, PostgreSQL 15 (with the usual indexes on foreign keys), native DuckDB of the embedded release and SQLite (with the same
indexes): the same data from bench/tpch/generate.cc, loaded through COPY; each query on all of them in turn; every result of OmenDB
compared with PostgreSQL's. SQLite is asked each query once, and given up on after --sqlite-seconds."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from random import Random

from report import ROOT, Report
from harness.servers import OmenDB, PG_BIN, PostgreSQL

TABLES = ["region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem"]
INDEXES = ["create index on lineitem(l_partkey, l_suppkey)", "create index on orders(o_custkey)",
           "create index on partsupp(ps_suppkey)"]
PROGRAMS = ROOT / "build/release/bench"
HERE = pathlib.Path(__file__).resolve().parent / "tpch"


def query_parts(number):
    text = (HERE / f"{number}.sql").read_text()
    return [part.strip() for part in text.split(";") if part.strip()]


def load(server, files):
    """Seconds to create, fill through COPY, index and analyse."""
    start = time.monotonic()
    connection = server.connect(timeout=3600)
    for statement in (HERE / "schema.sql").read_text().split(";"):
        if statement.strip():
            connection.execute(statement)
    for table in TABLES:
        with open(files / f"{table}.tbl", "rb") as data:
            subprocess.run([PG_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(server.port),
                            "-U", "postgres", "-c", f"copy {table} from stdin", "postgres"], stdin=data, check=True)
    for statement in INDEXES + ["analyze"]:
        connection.execute(statement)
    seconds = time.monotonic() - start
    connection.close()
    return seconds


def run(connection, number):
    """(seconds, rows) of the query's SELECT."""
    rows, seconds = None, 0.0
    for part in query_parts(number):
        took, result = connection.timed(part)
        seconds += took
        if result.columns is not None:
            rows = result.rows
    return seconds, rows


class DuckPeer:
    def __init__(self, directory, files):
        self.process = subprocess.Popen([PROGRAMS / "duckdb_peer", str(directory / "tpch.duckdb"), str(os.cpu_count())],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.load_seconds = 0.0
        for statement in (HERE / "schema.sql").read_text().split(";"):
            if statement.strip():
                # Native DuckDB without primary keys, as the columnar copy will be.
                self.load_seconds += self.execute(re.sub(r",? primary key(\([^)]*\))?", "", statement))
        for table in TABLES:
            self.load_seconds += self.execute(f"copy {table} from '{files / (table + '.tbl')}' (delimiter '\t', header false, quote '')")

    def execute(self, sql):
        self.process.stdin.write(sql.strip() + "\n;\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["error"]:
            raise RuntimeError(f"DuckDB: {answer['error']}\n{sql}")
        return answer["ms"] / 1000

    def run(self, number):
        return sum(self.execute(part) for part in query_parts(number))


class SqlitePeer:
    """SQLite in the bench's own process, over the loaded file; decimals are its floats, which is what its users get."""

    def __init__(self, directory, files, seconds):
        self.seconds = seconds
        self.connection = sqlite3.connect(directory / "tpch.sqlite")
        start = time.monotonic()
        self.connection.executescript("pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -2000000;" +
                                      (HERE / "schema.sql").read_text())
        for table in TABLES:
            with open(files / f"{table}.tbl") as data:
                rows = (line.rstrip("\n").split("\t") for line in data)
                first = next(rows)
                statement = f"insert into {table} values ({', '.join('?' * len(first))})"
                self.connection.execute(statement, first)
                self.connection.executemany(statement, rows)
            self.connection.commit()
        for number, statement in enumerate(INDEXES):
            self.connection.execute(statement.replace("index on", f"index i{number} on"))
        self.connection.execute("analyze")
        self.connection.commit()
        self.load_seconds = time.monotonic() - start

    @staticmethod
    def dialect(sql):
        sql = re.sub(r"date '([^']*)' ([+-]) interval '(\d+)' (\w+)", r"date('\1', '\2\3 \4')", sql)
        sql = re.sub(r"date '([^']*)'", r"'\1'", sql)
        sql = re.sub(r"extract\(year from (\w+)\)", r"cast(strftime('%Y', \1) as integer)", sql)
        sql = re.sub(r"substring\((\w+) from (\d+) for (\d+)\)", r"substr(\1, \2, \3)", sql)
        # A derived table's columns cannot be renamed (query 13).
        return sql.replace("count(o_orderkey)", "count(o_orderkey) as c_count").replace("c_orders (c_custkey, c_count)", "c_orders")

    def run(self, number):
        """Seconds; None: given up."""
        start = time.monotonic()
        deadline = start + self.seconds
        self.connection.set_progress_handler(lambda: time.monotonic() > deadline, 100000)
        try:
            for part in query_parts(number):
                self.connection.execute(self.dialect(part)).fetchall()
        except sqlite3.OperationalError as trouble:
            if "interrupted" not in str(trouble):
                raise
            self.connection.set_progress_handler(None, 0)
            self.connection.execute("drop view if exists revenue0")
            return None
        return time.monotonic() - start


class Writer:
    """Updates about `rate` rows of lineitem a second, twenty in a transaction, in a column that no query reads."""

    def __init__(self, server, rate):
        self.connection = server.connect(timeout=60)
        self.orders = int(self.connection.scalar("select max(l_orderkey) from lineitem"))
        self.rate, self.rows, self.stop, self.trouble = rate, 0, threading.Event(), None
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        random = Random(1)
        try:
            while not self.stop.is_set():
                self.connection.execute("begin")
                wanted = self.rows + 20
                while self.rows < wanted:
                    tag = self.connection.execute(f"update lineitem set l_comment = 'number {self.rows}' "
                                                  f"where l_orderkey = {random.randint(1, self.orders)}").tag
                    self.rows += int(tag.split()[1])
                self.connection.execute("commit")
                self.stop.wait(max(0, self.started + self.rows / self.rate - time.monotonic()))
        except Exception as trouble:  # noqa: BLE001 (told at the end)
            self.trouble = trouble

    def end(self):
        """Rows a second."""
        self.stop.set()
        self.thread.join()
        self.connection.close()
        if self.trouble:
            raise self.trouble
        return self.rows / (time.monotonic() - self.started)


def equal(a, b):
    """Rows are compared exactly; rows that tie under the query's ORDER BY may come in either order."""
    return a == b or sorted(map(repr, a)) == sorted(map(repr, b))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--sf", type=float, default=1)
    arguments.add_argument("--samples", type=int, default=3)
    arguments.add_argument("--queries", type=int, nargs="*", default=list(range(1, 23)))
    arguments.add_argument("--no-duckdb", action="store_true")
    arguments.add_argument("--no-postgresql", action="store_true", help="times beside DuckDB's alone; no result is compared")
    arguments.add_argument("--postgresql-samples", type=int, help="how often PostgreSQL is asked, if not as often as the others")
    arguments.add_argument("--no-sqlite", action="store_true")
    arguments.add_argument("--sqlite-seconds", type=float, default=20)
    arguments.add_argument("--keep-files", type=pathlib.Path, help="folder for the generated data, kept")
    arguments.add_argument("--rows", action="store_true", help="without copies in columns: everything runs on rows")
    arguments.add_argument("--writer", type=float, help="rows a second that a writer updates in OmenDB meanwhile")
    options = arguments.parse_args()
    report = Report("tpch", options.json)
    with tempfile.TemporaryDirectory(prefix="omendb-tpch-") as scratch:
        files = options.keep_files or pathlib.Path(scratch)
        files.mkdir(exist_ok=True, parents=True)
        for table in TABLES:
            if not (files / f"{table}.tbl").exists():
                with open(files / f"{table}.tbl", "wb") as out:
                    subprocess.run([PROGRAMS / "tpch_generate", table, str(options.sf)], stdout=out, check=True)
        with contextlib.ExitStack() as servers:
            pg = None
            if not options.no_postgresql:
                pg = servers.enter_context(PostgreSQL(settings=["shared_buffers=2GB", "work_mem=256MB", "max_wal_size=8GB"]))
            omen = servers.enter_context(OmenDB())
            theirs_load, ours_load = pg and load(pg, files), load(omen, files)
            if pg:
                report.pairs("load", options.sf, "time", "s", "postgresql-15", [(ours_load, theirs_load)], "lower")
            duck = None if options.no_duckdb else DuckPeer(pathlib.Path(scratch), files)
            sqlite = None if options.no_sqlite or options.sqlite_seconds <= 0 else SqlitePeer(pathlib.Path(scratch), files, options.sqlite_seconds)
            for peer, name in ((duck, "duckdb"), (sqlite, "sqlite")):
                if peer:
                    report.pairs("load", options.sf, "time", "s", name, [(ours_load, peer.load_seconds)], "lower")
            ours, theirs = omen.connect(timeout=3600), pg and pg.connect(timeout=3600)
            if options.rows:
                ours.execute("set omendb.route = rows")
            else:
                start = time.monotonic()
                for table in TABLES:
                    ours.execute(f"select omendb_build_columns('{table}')")
                copied = time.monotonic() - start
                if duck:
                    report.pairs("copies", options.sf, "time", "s", "duckdb", [(copied, duck.load_seconds)], "lower")
            writer = Writer(omen, options.writer) if options.writer else None
            sums, wrong = {"postgresql-15": [], "duckdb": [], "sqlite": []}, []
            for number in options.queries:
                pairs, duck_pairs, sqlite_pairs = [], [], []
                for sample in range(options.samples):
                    if pg and sample < max(1, options.postgresql_samples or options.samples):
                        their_seconds, their_rows = run(theirs, number)
                    try:
                        our_seconds, our_rows = run(ours, number)
                    except Exception as trouble:
                        report.say(f"q{number}: {trouble}")
                        wrong.append(number)
                        break
                    if pg:
                        pairs.append((our_seconds, their_seconds))
                    if duck:
                        duck_pairs.append((our_seconds, duck.run(number)))
                    if sqlite and not sqlite_pairs:
                        seconds = sqlite.run(number)
                        if seconds is None:
                            report.say(f"q{number}: sqlite gave up after {options.sqlite_seconds} s")
                        sqlite_pairs.append((our_seconds, seconds or options.sqlite_seconds))
                    if pg and not equal(our_rows, their_rows):
                        report.say(f"q{number}: another result\n  PostgreSQL {their_rows[:3]}\n  OmenDB     {our_rows[:3]}")
                        wrong.append(number)
                        break
                for name, found in (("postgresql-15", pairs), ("duckdb", duck_pairs), ("sqlite", sqlite_pairs)):
                    if found:
                        report.pairs(f"q{number}", options.sf, "time", "s", name, found, "lower")
                        sums[name].append([statistics.median(side) for side in zip(*found)])
            if writer:
                report.say(f"the writer updated {writer.end():.0f} rows a second")
            for name, found in sums.items():
                if found:
                    report.pairs("sum", options.sf, "time", "s", name, [tuple(sum(side) for side in zip(*found))], "lower")
                    means = tuple(statistics.geometric_mean(side) for side in zip(*found))
                    report.pairs("geometric mean", options.sf, "time", "s", name, [means], "lower")
            if pg:
                report.say(f"{len(options.queries) - len(set(wrong))} of {len(options.queries)} queries give PostgreSQL's result")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
