#!/usr/bin/env python3
"""Runs the statements of tests/sql/*.sql and of grids.py, each with its literals varied, on a server whose sessions run plans of statements that differ
in literals alone (omendb.plan_cache) and on one whose sessions do not. What a client sees must be the same: rows, columns, types,
typmods, tags, and errors with their positions.

    plan_cache.py [--variants N] [--seed N] [FILE ... | grids]
"""

import argparse
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from differential.run import GRIDS, differences, show, statements  # noqa: E402
from harness.servers import OmenDB, ROOT  # noqa: E402

LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w.$])(?:\d+\.\d+|\d+)(?![\w.])")
QUERY = re.compile(r"\s*(select|insert|update|delete|with|values)\b", re.I)
UNSTEADY = re.compile(r"random|now\(\)|clock|timeofday|current_time|current_date|localtime|pid|uuid|pg_stat|statement_timestamp|"
                      r"transaction_timestamp|xmin|ctid|pg_settings|'now'|'today'|age\(", re.I)
INTEGERS = ["0", "1", "2", "3", "5", "7", "10", "42", "100", "32767", "32768", "2147483647", "2147483648", "3000000000", "99999999999999999999"]
NUMERICS = ["0.0", "1.5", "2.50", "0.05", "7.25", "100.25", "12345.678"]
STRINGS = ["''", "'a'", "'b'", "'abc'", "'5'", "'1.5'", "'it''s'", "'2020-02-29'", "'2021-12-31 23:59:59'", "'t'", "'{1,2}'", "'caf\u00e9'"]


def vary(sql, choice):
    """The statement with some of its literals exchanged for others of their kind."""
    strings = STRINGS + LITERAL.findall(sql)

    def other(match):
        text = match.group()
        if choice.random() < 0.3:
            return text
        if text.startswith("'"):
            return choice.choice([s for s in strings if s.startswith("'")])
        if "." in text:
            return choice.choice(NUMERICS) if choice.random() < 0.5 else "".join(choice.choice("0123456789") if c.isdigit() else c for c in text)
        return choice.choice(INTEGERS[:8] if choice.random() < 0.7 else INTEGERS)

    return LITERAL.sub(other, sql)


def seen(connection, sql):
    connection.notices = []
    outcome = []
    for result in connection.query(sql):
        rows = sorted(result.rows, key=lambda row: [(v is None, v or b"") for v in row])  # ties of ORDER BY come as they like
        error = result.error and tuple(sorted((k, v) for k, v in result.error.items() if k not in "FLR"))
        outcome.append({"columns": result.columns, "rows": rows, "tag": result.tag, "error": error, "message": None})
    return outcome, connection.status


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--variants", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    choice = random.Random(options.seed)
    failed = count = hits = plans = 0
    with OmenDB() as plain, OmenDB() as cached:
        for path in options.files or sorted((ROOT / "tests/sql").glob("*.sql")) + [GRIDS]:
            without = plain.connect(statement_timeout="2s", **{"omendb.plan_cache": "off"})
            with_cache = cached.connect(statement_timeout="2s")
            for line, sql, *_ in statements(path):
                texts = [sql]
                if QUERY.match(sql) and not UNSTEADY.search(sql):
                    texts += [vary(sql, choice) for _ in range(options.variants)]
                    texts += [texts[1], sql] if options.variants else []
                for text in texts:
                    count += 1
                    expected, actual = seen(without, text), seen(with_cache, text)
                    slow = any(("C", "57014") in (r["error"] or ()) for r in expected[0] + actual[0])
                    names = [] if slow or UNSTEADY.search(text) else differences(expected, actual)
                    if names:
                        failed += 1
                        print(f"{path.name}:{line}: {', '.join(names)}\n  {text}")
                        show("without", expected)
                        show("with   ", actual)
            hits += int(with_cache.scalar("show omendb.plan_cache_hits"))
            plans += int(with_cache.scalar("show omendb.plan_cache_plans"))
            without.close()
            with_cache.close()
            print(f"{path.name}: done", flush=True)
    print(f"{count} statements, {plans} plans made, {hits} statements ran without being parsed, {failed} differ")
    return 1 if failed or plans == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
