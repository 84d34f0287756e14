#!/usr/bin/env python3
"""psql's backslash commands over one schema (schema.sql), on PostgreSQL 15 and on OmenDB: the same output from both.

    run.py [--name TEXT] [--verbose]
"""

import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import PG_BIN, OmenDB, PostgreSQL  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

# Sizes are those of the storage, and PostgreSQL's own temporary schema has another number.
MASKS = [(re.compile(r"\b\d+ (bytes|kB|MB)\b"), "SIZE"), (re.compile(r"pg_temp_\d+"), "pg_temp_N"),
         (re.compile(r"LOCATION: .*\n"), ""), (re.compile(r"(?m)^[-+ |]*$"), ""), (re.compile(r" +"), " "), (re.compile(r"-{2,}"), "--")]


def commands():
    for line in (HERE / "commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


def psql(server, text, *arguments):
    environment = dict(os.environ, PGTZ="UTC", PGCLIENTENCODING="UTF8", LC_ALL="C.UTF-8")
    done = subprocess.run([PG_BIN / "psql", "-X", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-d", "postgres", *arguments],
                          input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, timeout=120)
    return done.stdout


def sections(server, script, lines):
    """Output of each command, run in one session."""
    text = script + "\n\\set VERBOSITY verbose\n" + "".join(f"\\echo '#### {i}'\n{line.removeprefix('! ')}\n" for i, line in enumerate(lines))
    output = psql(server, text, "-q", "-P", "pager=off")
    for pattern, replacement in MASKS:
        output = pattern.sub(replacement, output)
    return dict(enumerate(output.split("#### ")[1:]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="", help="only commands that contain this")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    lines = [line for line in commands() if arguments.name in line]
    script = (HERE / "schema.sql").read_text()
    failed = 0
    with PostgreSQL(settings=["timezone=Etc/UTC"]) as postgres, OmenDB() as omendb:
        theirs, ours = sections(postgres, script, lines), sections(omendb, script, lines)
        for i, line in enumerate(lines):
            if arguments.verbose:
                print(f"== {line}\n{theirs.get(i)}")
            weak = line.startswith("! ")
            if theirs.get(i) is None or ours.get(i) is None or (weak and "ERROR" in ours[i]) or (not weak and theirs[i] != ours[i]):
                failed += 1
                print(f"DIFFERENT {line}")
                print("\n".join(list(difflib.unified_diff((theirs.get(i) or "").splitlines(), (ours.get(i) or "").splitlines(),
                                                           "postgresql", "omendb", lineterm="", n=1))[:40]))
    print(f"psql: {len(lines) - failed} of {len(lines)} commands agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
