#!/usr/bin/env python3
"""pgbench's three scripts in its three protocol modes, on OmenDB and on PostgreSQL 15 in turn, with the same durability.
After the writing scripts the balance invariant is checked on both: sum(abalance) = sum(tbalance) = sum(bbalance) = sum(delta)."""

import argparse
import re
import subprocess
import sys

from report import Report
from harness.servers import OmenDB, PG_BIN, PostgreSQL

SCRIPTS = {"select-only": ["-S"], "tpcb-like": [], "simple-update": ["-N"]}


def pgbench(server, *arguments):
    out = subprocess.run([PG_BIN / "pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", *arguments, "postgres"],
                         capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(f"pgbench {' '.join(arguments)}: {out.stdout}{out.stderr}\n{server.log()}")
    return out.stdout + out.stderr


def measure(server, script, mode, clients, seconds):
    out = pgbench(server, "-n", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(seconds), *SCRIPTS[script])
    failed = re.search(r"number of failed transactions: (\d+)", out)
    if failed is None or failed.group(1) != "0":
        raise RuntimeError(f"failed transactions: {out}")
    return float(re.search(r"tps = ([0-9.]+)", out).group(1))


def check_balances(server):
    connection = server.connect()
    sums = [connection.scalar(f"select coalesce(sum({column}), 0) from {table}") for table, column in
            (("pgbench_accounts", "abalance"), ("pgbench_tellers", "tbalance"), ("pgbench_history", "delta"))]
    branches = connection.scalar("select sum(bbalance) from pgbench_branches")
    connection.close()
    # simple-update leaves tellers and branches alone, so accounts and history agree, and tellers and branches do.
    if sums[0] != sums[2] or sums[1] != branches:
        raise RuntimeError(f"balance invariant broken: accounts {sums[0]}, history {sums[2]}, tellers {sums[1]}, branches {branches}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--scale", type=int, default=10)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seconds", type=int, default=30)
    arguments.add_argument("--samples", type=int, default=1)
    arguments.add_argument("--scripts", nargs="*", default=list(SCRIPTS), choices=list(SCRIPTS))
    arguments.add_argument("--modes", nargs="*", default=["simple", "extended", "prepared"])
    options = arguments.parse_args()
    report = Report("pgbench", options.json)
    with PostgreSQL() as pg, OmenDB() as omen:
        for server in (pg, omen):
            pgbench(server, "-i", "-q", "-s", str(options.scale))
        for script in options.scripts:
            for mode in options.modes:
                pairs = []
                for sample in range(options.samples):
                    theirs = measure(pg, script, mode, options.clients, options.seconds)
                    ours = measure(omen, script, mode, options.clients, options.seconds)
                    pairs.append((ours, theirs))
                report.pairs(f"{script}/{mode}", options.clients, "throughput", "tps", "postgresql-15", pairs, "higher")
        for server in (pg, omen):
            check_balances(server)
        report.say("balance invariant holds on both; no failed transaction")


if __name__ == "__main__":
    sys.exit(main())
