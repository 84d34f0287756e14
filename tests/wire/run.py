#!/usr/bin/env python3
"""Wire tests: the same bytes to PostgreSQL 15 and to OmenDB, and the same messages wanted from both; then clients that vanish, and
the drivers that people use.

    run.py [--name TEXT] [--list] [--verbose]
"""

import argparse
import difflib
import pathlib
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB, PostgreSQL  # noqa: E402
from wire import answers, binary, cases, composites, domains, drivers, process, utilities, vanish  # noqa: E402

# Differences that we accept, and why.
ACCEPTED = {
    "foreign_key_error_comes_before_returned_rows": "RowDescription goes out before the error; the rows do not",
    "binary_json": "the context does not quote the JSON",
    "binary_jsonb": "the context does not quote the JSON",
}


def lines(function, server):
    try:
        return [str(line) for line in function(server)]
    except Exception:  # a broken case is a failed one, on whichever server
        return ["exception:"] + traceback.format_exc().splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="", help="only cases whose name contains this")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show every exchange")
    arguments = parser.parse_args()
    everything = cases.CASES + answers.CASES + list(binary.cases()) + composites.CASES + domains.CASES
    everything += utilities.CASES + drivers.CASES
    compared = [c for c in everything if arguments.name in c[0]]
    alone = [c for c in utilities.ALONE + vanish.CASES + process.CASES if arguments.name in c[0]]
    if arguments.list:
        print("\n".join(name for name, _ in compared + alone))
        return 0
    failed = []
    with PostgreSQL(settings=["timezone=Etc/UTC"]) as postgres, OmenDB() as omendb:
        for name, function in compared:
            theirs, ours = lines(function, postgres), lines(function, omendb)
            if arguments.verbose:
                print(f"== {name}\n" + "\n".join(ours))
            if theirs[:1] == ["exception:"] or theirs != ours and name not in ACCEPTED:
                failed.append(name)
                print(f"DIFFERENT {name}")
                print("\n".join(theirs if theirs[:1] == ["exception:"] else list(difflib.unified_diff(theirs, ours, "postgresql", "omendb", lineterm="", n=1))[:60]))
            if omendb.process.poll() is not None:
                print(f"OmenDB ended during {name}:\n{omendb.log()}")
                return 1
        for name, function in alone:
            try:
                function(omendb)
            except Exception:
                failed.append(name)
                print(f"FAILED {name}\n{traceback.format_exc()}")
    print(f"wire: {len(compared) + len(alone) - len(failed)} of {len(compared) + len(alone)} cases agree")
    if failed:
        print("failed: " + " ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
