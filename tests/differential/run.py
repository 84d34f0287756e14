#!/usr/bin/env python3
"""Runs the statements of tests/sql/*.sql on PostgreSQL and on OmenDB and compares what a client sees: rows as bytes, column names,
types and typmods, command tags, SQLSTATE, message, DETAIL and HINT of errors.

A statement ends with a line that ends in ';'. Rows are compared in order when the statement says ORDER BY, else as a multiset.
A difference that we accept is declared on the lines before its statement: `-- differs: REASON`. An undeclared
difference fails, and so does a declared one that is not there. `-- message differs: REASON` excuses only the texts.

Beside the files, grids.py makes some thousand statements of one expression each; they are the "file" named grids, and what differs there
is declared in grids.differs: a statement, a tab, the reason.

known.txt lists the statements that are known to differ because something is not built yet (FILE:LINE). It is a ratchet: a difference that
is not in it fails; one that is gone is reported, so that its line is removed. `--record` writes it anew.

    run.py [--show N] [--summary] [--record] [FILE ... | grids]
"""

import argparse
import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from differential import grids  # noqa: E402
from harness.servers import OmenDB, PostgreSQL, ROOT  # noqa: E402
from harness.wire import ServerError  # noqa: E402


GRIDS = pathlib.Path("grids")


def grid_statements():
    declared = ROOT / "tests/differential/grids.differs"
    reasons = dict(line.split("\t") for line in declared.read_text().splitlines()) if declared.exists() else {}
    for number, sql in enumerate(grids.statements(), 1):
        yield number, sql, reasons.get(sql), None


def statements(path):
    """(first line, SQL, reason or None, message reason or None)"""
    if path == GRIDS:
        yield from grid_statements()
        return
    lines, first, reason, message_reason = [], None, None, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not lines and line.startswith("-- differs:"):
            reason = line.split(":", 1)[1].strip()
            continue
        if not lines and line.startswith("-- message differs:"):
            message_reason = line.split(":", 1)[1].strip()
            continue
        if not lines and (not line.strip() or line.startswith("--")):
            continue
        first = first or number
        lines.append(line)
        if line.rstrip().endswith(";"):
            yield first, "\n".join(lines), reason, message_reason
            lines, first, reason, message_reason = [], None, None, None
    if lines:
        yield first, "\n".join(lines), reason, message_reason


def seen(connection, sql):
    """What a client sees of `sql`, as comparable values, one a statement."""
    connection.notices = []
    ordered = "order by" in sql.lower()
    outcome = []
    for result in connection.query(sql):
        rows = result.rows if ordered else sorted(result.rows, key=lambda row: [(v is None, v or b"") for v in row])
        error = result.error and (result.error.get("C"), result.error.get("P"))
        # OIDs of the user's types are whatever was free.
        columns = result.columns and [(c[0], c[1] if c[1] < 16384 else "user's", c[2]) for c in result.columns]
        outcome.append({"columns": columns, "rows": rows, "tag": result.tag, "error": error,
                        "message": result.error and result.error.get("M"),
                        "detail": result.error and (result.error.get("D"), result.error.get("H"))})
    return outcome, connection.status


def differences(theirs, ours):
    names = []
    (their_results, their_status), (our_results, our_status) = theirs, ours
    if len(their_results) != len(our_results):
        names.append("number of results")
    for a, b in zip(their_results, our_results):
        # PostgreSQL folds constants while it plans, so an error in one comes before RowDescription; ours comes after it.
        early = a["error"] and b["error"]
        names += [key for key in a if a[key] != b[key] and not (early and key == "columns")]
    if their_status != our_status:
        names.append("transaction status")
    return names


def show(label, outcome):
    results, status = outcome
    for r in results:
        print(f"    {label}: {r['tag'] or ''} {r['error'] or ''} {r['message'] or ''} {r['detail'] or ''} columns={r['columns']} "
              f"rows={r['rows'][:6]}{' ...' if len(r['rows']) > 6 else ''} [{status}]")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--show", type=int, default=20, help="differences shown a file")
    arguments.add_argument("--summary", action="store_true", help="counts by kind only")
    arguments.add_argument("--record", action="store_true")
    arguments.add_argument("--route", help="forces OmenDB's way: rows, columns")
    options = arguments.parse_args()
    settings = {"omendb.route": options.route} if options.route else {}
    known_path = pathlib.Path(__file__).resolve().parent / "known.txt"
    known = set(known_path.read_text().splitlines()) if known_path.exists() and not options.record else set()
    differing, gone, known_count = [], [], 0
    files = options.files or sorted((ROOT / "tests/sql").glob("*.sql")) + [GRIDS]
    total = failed = 0
    kinds = collections.Counter()
    with PostgreSQL() as pg, OmenDB() as omen:
        for path in files:
            theirs, ours = pg.connect(), omen.connect(**settings)
            shown = file_failed = count = 0
            for line, sql, reason, message_reason in statements(path):
                count += 1
                expected = seen(theirs, sql)
                try:
                    actual = seen(ours, sql)
                except (ServerError, ConnectionError, OSError) as trouble:
                    actual = ([{"columns": None, "rows": [], "tag": None, "error": ("connection lost", str(trouble)),
                                "message": str(trouble), "detail": None}], "?")
                    if omen.process.poll() is not None:
                        print(f"{path.name}:{line}: the server died of: {sql}\n{omen.log()}")
                        omen.start()
                    ours = omen.connect(**settings)
                names = differences(expected, actual)
                key = f"{path.name}:{line}"
                if names and not reason:
                    differing.append(key)
                    if key in known:
                        known_count += 1
                        continue
                elif key in known:
                    gone.append(key)
                if names and set(names) <= {"message", "detail"} and message_reason:
                    continue
                if reason and names:
                    continue
                if not names and not reason and not message_reason:
                    continue
                file_failed += 1
                kinds[", ".join(sorted(set(names))) or "declared difference is gone"] += 1
                if shown < options.show and not options.summary:
                    shown += 1
                    print(f"{path.name}:{line}: {', '.join(names) or 'declared difference is gone'}\n  {sql}")
                    show("PostgreSQL", expected)
                    show("OmenDB    ", actual)
            print(f"{path.name}: {count} statements, {file_failed} undeclared differences", flush=True)
            total += count
            failed += file_failed
            theirs.close()
            ours.close()
    for kind, n in kinds.most_common():
        print(f"  {n} x {kind}")
    if options.record:
        known_path.write_text("".join(key + "\n" for key in differing))
    if gone:
        print(f"{len(gone)} known differences are gone; remove them from known.txt: {' '.join(gone[:20])}")
    print(f"{known_count} known differences")
    print(f"{total - failed - known_count} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
