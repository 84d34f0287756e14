#!/usr/bin/env python3
"""TPC-H on OmenDB, PostgreSQL 15 (with the usual indexes on foreign keys) and native DuckDB of the embedded release: the same data from
bench/tpch/generate.cc, loaded through COPY; 22 queries in turn; every result of OmenDB compared with PostgreSQL's."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

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
        start = time.monotonic()
        result = connection.execute(part)
        seconds += time.monotonic() - start
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
                self.load_seconds += self.execute(statement.replace(" primary key", "").replace(
                    ", (ps_partkey,ps_suppkey)", "").replace(", (l_orderkey,l_linenumber)", ""))
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
    arguments.add_argument("--keep-files", type=pathlib.Path, help="folder for the generated data, kept")
    options = arguments.parse_args()
    report = Report("tpch", options.json)
    with tempfile.TemporaryDirectory(prefix="omendb-tpch-") as scratch:
        files = options.keep_files or pathlib.Path(scratch)
        files.mkdir(exist_ok=True, parents=True)
        for table in TABLES:
            if not (files / f"{table}.tbl").exists():
                with open(files / f"{table}.tbl", "wb") as out:
                    subprocess.run([PROGRAMS / "tpch_generate", table, str(options.sf)], stdout=out, check=True)
        with PostgreSQL(settings=["shared_buffers=2GB", "work_mem=256MB", "max_wal_size=8GB"]) as pg, OmenDB() as omen:
            theirs_load, ours_load = load(pg, files), load(omen, files)
            report.pairs("load", options.sf, "time", "s", "postgresql-15", [(ours_load, theirs_load)], "lower")
            duck = None if options.no_duckdb else DuckPeer(pathlib.Path(scratch), files)
            ours, theirs = omen.connect(timeout=3600), pg.connect(timeout=3600)
            sums, wrong, ratios = [0.0, 0.0], [], []
            for number in options.queries:
                pairs, duck_times = [], []
                for _ in range(options.samples):
                    their_seconds, their_rows = run(theirs, number)
                    try:
                        our_seconds, our_rows = run(ours, number)
                    except Exception as trouble:
                        report.say(f"q{number}: {trouble}")
                        wrong.append(number)
                        break
                    pairs.append((our_seconds, their_seconds))
                    if duck:
                        duck_times.append(duck.run(number))
                    if not equal(our_rows, their_rows):
                        report.say(f"q{number}: another result\n  PostgreSQL {their_rows[:3]}\n  OmenDB     {our_rows[:3]}")
                        wrong.append(number)
                        break
                if not pairs:
                    continue
                report.pairs(f"q{number}", options.sf, "time", "s", "postgresql-15", pairs, "lower")
                sums[0] += statistics.median(a for a, _ in pairs)
                sums[1] += statistics.median(b for _, b in pairs)
                if duck_times:
                    duck_pairs = list(zip((a for a, _ in pairs), duck_times))
                    report.pairs(f"q{number}", options.sf, "time", "s", "duckdb", duck_pairs, "lower")
            report.pairs("sum", options.sf, "time", "s", "postgresql-15", [tuple(sums)], "lower")
            report.say(f"{len(options.queries) - len(set(wrong))} of {len(options.queries)} queries give PostgreSQL's result")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
