#!/usr/bin/env python3
"""Runs sqllogictest scripts over the wire, as engine `postgresql`.

    run.py [--server omendb|postgresql] [--jobs N] [--limit N] PATH ...

PATH is a .test or .test.gz file, or a folder of them. Each file gets a database of its own: a schema that is dropped after it.
Result text follows sqllogictest: T text, I integer, R real with three digits; NULL, (empty), '@' for unprintables.

Some records do not hold on PostgreSQL 15 either (an operator that it does not have, a view that others depend on).
postgresql.tsv beside this file holds what PostgreSQL answers to those: FILE:LINE, then an SQLSTATE, "ok" or the MD5 of the values. OmenDB
must answer the same. `--server postgresql --record` writes it anew.
"""

import argparse
import collections
import gzip
import hashlib
import multiprocessing
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB, PostgreSQL  # noqa: E402
from harness.wire import Connection  # noqa: E402

ENGINE = "postgresql"


class Record:
    __slots__ = ("line", "kind", "types", "sort", "label", "expect_error", "sql", "expected")


def records(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="replace") as file:
        block, first = [], 0
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n").rstrip("\r")
            if line.strip() == "":
                if block:
                    yield first, block
                    block = []
                continue
            if line.startswith("#") and not block:
                continue
            if not block:
                first = number
            block.append(line)
        if block:
            yield first, block


def parse(first, block):
    """A Record, "halt", ("hash-threshold", n), or None when the record is not for this engine."""
    at = 0
    while block[at].startswith(("skipif", "onlyif")):
        word, engine = block[at].split()[:2]
        if (word == "skipif") == (engine == ENGINE):
            return None
        at += 1
    head = block[at].split("#")[0].split()
    if head[0] == "halt":
        return "halt"
    if head[0] == "hash-threshold":
        return ("hash-threshold", int(head[1]))
    record = Record()
    record.line, record.kind = first, head[0]
    body = [line for line in block[at + 1:]]
    if record.kind == "statement":
        record.expect_error = head[1] == "error"
        record.sql = "\n".join(body)
        return record
    assert record.kind == "query", block[at]
    record.types = head[1]
    record.sort = head[2] if len(head) > 2 else "nosort"
    record.label = head[3] if len(head) > 3 else None
    if "----" in body:
        cut = body.index("----")
        record.sql, record.expected = "\n".join(body[:cut]), body[cut + 1:]
    else:
        record.sql, record.expected = "\n".join(body), None
    return record


def text_of(value, kind):
    if value is None:
        return "NULL"
    if kind == "I":
        text = value.decode()
        try:
            return str(int(text))
        except ValueError:
            try:
                return str(int(float(text)))
            except ValueError:
                return "0"
    if kind == "R":
        return "%.3f" % float(value)
    text = value.decode("utf-8", "replace")
    return "".join(c if " " <= c <= "~" else "@" for c in text) or "(empty)"


def values_of(result, record):
    rows = [[text_of(v, t) for v, t in zip(row, record.types)] for row in result.rows]
    if record.sort == "rowsort":
        rows.sort()
    values = [v for row in rows for v in row]
    if record.sort == "valuesort":
        values.sort()
    return values


BASELINE = pathlib.Path(__file__).resolve().parent / "postgresql.tsv"


def baseline():
    if not BASELINE.exists():
        return {}
    return dict(line.split("\t") for line in BASELINE.read_text().splitlines())


def run_file(task):
    path, root, port, limit, known, settings = task
    connection = Connection(port, timeout=600, **settings)
    schema = "slt_" + hashlib.md5(str(path).encode()).hexdigest()[:12]
    connection.execute(f"create schema {schema}")
    connection.execute(f"set search_path = {schema}")
    threshold, labels, queries, failures, started = 8, {}, 0, [], time.monotonic()
    kinds, outcomes = collections.Counter(), []

    def fail(record, why, outcome):
        where = f"{path.relative_to(root)}:{record.line}"
        if known.get(where) == outcome:
            return
        outcomes.append((where, outcome))
        failures.append(f"{path.name}:{record.line}: {why}\n    {record.sql}")

    for first, block in records(path):
        record = parse(first, block)
        if record is None:
            continue
        if record == "halt":
            break
        if isinstance(record, tuple):
            threshold = record[1]
            continue
        try:
            result = connection.query(record.sql)[-1]
        except Exception as trouble:  # the server went away: the rest of the file cannot run
            fail(record, f"connection lost: {trouble}", "lost")
            return path, queries, failures, time.monotonic() - started, kinds, outcomes
        if record.kind == "statement":
            if (result.error is not None) != record.expect_error:
                fail(record, f"expected {'an error' if record.expect_error else 'success'}, got {result.error or result.tag}",
                     result.error["C"] if result.error else "ok")
            continue
        queries += 1
        if result.error:
            kinds[result.error.get("C") + " " + result.error.get("M")[:60]] += 1
            fail(record, f"{result.error.get('C')} {result.error.get('M')}", result.error["C"])
            continue
        values = values_of(result, record)
        digest = hashlib.md5("".join(v + "\n" for v in values).encode()).hexdigest()
        if record.expected is not None:
            expected = record.expected
            if len(expected) == 1 and " values hashing to " in expected[0]:
                if expected[0] != f"{len(values)} values hashing to {digest}":
                    kinds["wrong hash"] += 1
                    fail(record, f"expected {expected[0]}, got {len(values)} values hashing to {digest}: {values[:8]}",
                         digest)
            elif values != expected:
                kinds["wrong values"] += 1
                fail(record, f"expected {expected[:12]}, got {values[:12]}", digest)
        if record.label is not None and labels.setdefault(record.label, digest) != digest:
            kinds["label"] += 1
            fail(record, f"label {record.label} had another result", digest)
        if limit and queries >= limit:
            break
    try:
        connection.execute(f"drop schema {schema} cascade")
    except Exception as trouble:
        failures.append(f"{path.name}: drop schema: {trouble}")
    connection.close()
    return path, queries, failures, time.monotonic() - started, kinds, outcomes


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("paths", nargs="+", type=pathlib.Path)
    arguments.add_argument("--server", choices=["omendb", "postgresql"], default="omendb")
    arguments.add_argument("--port", type=int, help="of a server that runs already")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--record", action="store_true", help="write postgresql.tsv (with --server postgresql)")
    arguments.add_argument("--limit", type=int, default=0, help="queries a file")
    arguments.add_argument("--route", help="forces OmenDB's way: rows, columns")
    arguments.add_argument("--show", type=int, default=3, help="failures shown a file")
    options = arguments.parse_args()
    files = []
    for path in options.paths:
        root = path if path.is_dir() else path.parent
        files += [(file, root) for file in (sorted(path.rglob("*.test*")) if path.is_dir() else [path])]
    known = baseline() if options.server == "omendb" else {}
    recorded = []
    server = None
    if not options.port:
        server = (OmenDB if options.server == "omendb" else PostgreSQL)().start()
    port = options.port or server.port
    total = failed = 0
    kinds = collections.Counter()
    try:
        with multiprocessing.Pool(options.jobs) as pool:
            settings = {"omendb.route": options.route} if options.route else {}
            tasks = [(path, root, port, options.limit, known, settings) for path, root in files]
            for path, queries, failures, seconds, file_kinds, outcomes in pool.imap_unordered(run_file, tasks):
                total += queries
                failed += len(failures)
                kinds.update(file_kinds)
                recorded += outcomes
                print(f"{path.name}: {queries} queries, {len(failures)} wrong, {seconds:.1f} s", flush=True)
                for failure in failures[:options.show]:
                    print("  " + failure[:1500])
    finally:
        if server:
            server.stop()
    if options.record:
        BASELINE.write_text("".join(f"{where}\t{outcome}\n" for where, outcome in sorted(recorded)))
    for kind, n in kinds.most_common(15):
        print(f"  {n} x {kind}")
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
