#!/usr/bin/env python3
"""CH-benCHmark on OmenDB and PostgreSQL 15 in turn, on the same data: TPC-C's transactions (bench/htap/driver.cc) without and with clients that
ask the 22 analytical queries (bench/htap/*.sql) meanwhile. Reports transactions a second, the share that is kept beside the
analysts, the queries' times under load, and a freshness probe: each commit counted at once by another connection, over columns
(`--probe-only` for that alone; PostgreSQL, which counts by reading all rows, then gets 1,000 probes at most). Afterwards the
writers stand still: TPC-C's consistency conditions 1 to 4 are checked on both, and every query's result on OmenDB is compared with PostgreSQL's
over OmenDB's own rows."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

from report import ROOT, Report
from harness.servers import OmenDB, PG_BIN, PostgreSQL

TABLES = ["region", "nation", "supplier", "item", "warehouse", "district", "customer", "stock", "orders", "order_line", "new_order", "history"]
PROGRAMS = ROOT / "build/release/bench"
HERE = pathlib.Path(__file__).resolve().parent / "htap"
CONSISTENCY = {
    "warehouse and district totals": """select count(*) from warehouse, (select d_w_id, sum(d_ytd) as ytd from district group by d_w_id) as d
        where d_w_id = w_id and w_ytd <> ytd""",
    "next order number": """select count(*) from district,
        (select o_w_id, o_d_id, max(o_id) as last from orders group by o_w_id, o_d_id) as o,
        (select no_w_id, no_d_id, max(no_o_id) as last from new_order group by no_w_id, no_d_id) as n
        where o_w_id = d_w_id and o_d_id = d_id and no_w_id = d_w_id and no_d_id = d_id
          and (d_next_o_id - 1 <> o.last or o.last <> n.last)""",
    "new orders without a gap": """select count(*) from (select max(no_o_id) - min(no_o_id) + 1 - count(*) as gap from new_order
        group by no_w_id, no_d_id) as n where gap <> 0""",
    "order lines": """select count(*) from (select o_w_id, o_d_id, sum(o_ol_cnt) as lines from orders group by o_w_id, o_d_id) as o,
        (select ol_w_id, ol_d_id, count(*) as lines from order_line group by ol_w_id, ol_d_id) as l
        where ol_w_id = o_w_id and ol_d_id = o_d_id and o.lines <> l.lines""",
}


def statements(file):
    return [part.strip() for part in (HERE / file).read_text().split(";") if part.strip()]


def copy_command(server, sql):
    return [PG_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c", sql,
            "postgres"]


def pipe(producer, consumer):
    with subprocess.Popen(producer, stdout=subprocess.PIPE) as source:
        subprocess.run(consumer, stdin=source.stdout, stdout=subprocess.DEVNULL, check=True)
    if source.returncode != 0:
        raise RuntimeError(f"{producer[0]} ended with {source.returncode}")


def load(server, warehouses):
    start = time.monotonic()
    connection = server.connect(timeout=3600)
    for statement in statements("schema.sql"):
        connection.execute(statement)
    for table in TABLES:
        pipe([PROGRAMS / "htap_generate", table, str(warehouses)], copy_command(server, f"copy {table} from stdin"))
    for statement in statements("indexes.sql") + ["analyze"]:
        connection.execute(statement)
    connection.close()
    return time.monotonic() - start


def drive(server, *arguments):
    conninfo = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres sslmode=disable"
    out = subprocess.run([PROGRAMS / "htap_driver", conninfo, *map(str, arguments)], capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(f"htap_driver {' '.join(map(str, arguments))}: {out.stderr}\n{server.log()}")
    return json.loads(out.stdout)


def check_consistency(server):
    connection = server.connect(timeout=3600)
    for name, sql in CONSISTENCY.items():
        broken = connection.scalar(sql)
        if broken != "0":
            raise RuntimeError(f"{type(server).__name__}: consistency condition broken in {broken} places: {name}")
    connection.close()


def take_over(source, target):
    """OmenDB's rows as they are now, in PostgreSQL."""
    connection = target.connect(timeout=3600)
    connection.execute("truncate " + ", ".join(TABLES))
    for table in TABLES:
        pipe(copy_command(source, f"copy {table} to stdout"), copy_command(target, f"copy {table} from stdin"))
    connection.execute("analyze")
    connection.close()


def compare(omen, pg, report):
    """The queries whose results differ. Rows that tie under ORDER BY may come in either order."""
    ours, theirs, wrong = omen.connect(timeout=3600), pg.connect(timeout=3600), []
    for number in range(1, 23):
        sql = (HERE / f"{number}.sql").read_text()
        expected = theirs.execute(sql).rows
        try:
            start = time.monotonic()
            found = ours.execute(sql).rows
            report.say(f"q{number}: {len(found)} rows, {1000 * (time.monotonic() - start):.0f} ms with the writers standing still")
        except Exception as trouble:
            report.say(f"q{number}: {trouble}")
            wrong.append(number)
            continue
        if found != expected and sorted(map(repr, found)) != sorted(map(repr, expected)):
            report.say(f"q{number}: another result\n  PostgreSQL {expected[:3]}\n  OmenDB     {found[:3]}")
            wrong.append(number)
    return wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--warehouses", type=int, default=4)
    arguments.add_argument("--clients", type=int, default=4)
    arguments.add_argument("--analysts", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--samples", type=int, default=1)
    arguments.add_argument("--probes", type=int, default=500)
    arguments.add_argument("--probe-only", action="store_true")
    options = arguments.parse_args()
    report = Report("htap", options.json)
    with PostgreSQL(settings=["shared_buffers=2GB", "work_mem=256MB", "max_wal_size=8GB"]) as pg, OmenDB() as omen:
        servers = {"theirs": pg, "ours": omen}
        seconds = {name: load(server, options.warehouses) for name, server in servers.items()}
        report.pairs("load", options.warehouses, "time", "s", "postgresql-15", [(seconds["ours"], seconds["theirs"])], "lower")
        alone, beside, kept, queries, retries = [], [], [], {}, 0
        for sample in range(0 if options.probe_only else options.samples):
            found = {name: {} for name in servers}
            for analysts in (0, options.analysts):
                for name, server in servers.items():
                    found[name][analysts] = drive(server, "run", options.warehouses, options.clients, options.seconds, analysts, HERE,
                                                  2 * sample + (analysts > 0) + 1)
                    retries += found[name][analysts]["retries"]
            tps = {name: {a: found[name][a]["tps"] for a in found[name]} for name in servers}
            alone.append((tps["ours"][0], tps["theirs"][0]))
            beside.append((tps["ours"][options.analysts], tps["theirs"][options.analysts]))
            kept.append(tuple(100 * tps[name][options.analysts] / tps[name][0] for name in ("ours", "theirs")))
            for number in range(1, 23):
                times = [found[name][options.analysts]["queries_ms"].get(str(number)) for name in ("ours", "theirs")]
                if all(times):
                    queries.setdefault(number, []).append(tuple(statistics.median(t) for t in times))
            for name in servers:
                for analysts, result in found[name].items():
                    asked = sum(len(t) for t in result["queries_ms"].values())
                    slow = max(result["transactions"].items(), key=lambda item: item[1]["p99_ms"])
                    report.say(f"{name}, {analysts} analysts: {result['tps']:.1f} tps, {asked} queries, {result['retries']} retries, "
                               f"new_order p50 {result['transactions']['new_order']['p50_ms']:.1f} ms, slowest p99 {slow[0]} {slow[1]['p99_ms']:.1f} ms")
        n, peer = options.clients, "postgresql-15"
        if not options.probe_only:
            report.pairs("transactions/0 analysts", n, "throughput", "tps", peer, alone, "higher")
            report.pairs(f"transactions/{options.analysts} analysts", n, "throughput", "tps", peer, beside, "higher")
            report.pairs(f"kept/{options.analysts} analysts", n, "share", "%", peer, kept, "higher")
        for number, pairs in queries.items():
            report.pairs(f"q{number}/under load", n, "time", "ms", peer, pairs, "lower")
        wanted = {"ours": options.probes, "theirs": min(options.probes, 1000) if options.probe_only else options.probes}
        probes = {name: drive(server, "probe", wanted[name], options.warehouses, options.clients, 97) for name, server in servers.items()}
        for metric in ("fresh_p50_ms", "fresh_p99_ms", "repeated_p99_ms", "added_p50_ms", "added_p99_ms"):
            report.pairs(f"freshness/{metric[:-3]}", options.probes, "time", "ms", peer, [(probes["ours"][metric], probes["theirs"][metric])], "lower")
        missed = {name: found["missed"] for name, found in probes.items()}
        counted = omen.connect().scalar("select count(*) from omendb_columns() where relid = 'history'::regclass")
        report.say(f"commits missed by the probe: ours {missed['ours']} of {wanted['ours']}, theirs {missed['theirs']} of {wanted['theirs']}; "
                   f"history {'has' if counted == '1' else 'HAS NO'} copy in columns; {retries} transactions made again")
        for server in servers.values():
            check_consistency(server)
        report.say("TPC-C's consistency conditions 1 to 4 hold on both")
        if options.probe_only:
            return 1 if missed["ours"] or counted != "1" else 0
        take_over(omen, pg)
        wrong = compare(omen, pg, report)
        report.say(f"{22 - len(wrong)} of 22 queries give PostgreSQL's result")
    return 1 if wrong or missed["ours"] else 0


if __name__ == "__main__":
    sys.exit(main())
