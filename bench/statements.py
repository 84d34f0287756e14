#!/usr/bin/env python3
"""CPU time of the server for each of TPC-C's statements (bench/htap/driver.cc), prepared and sent one by one by one client: fifty in a
transaction that is rolled back, so that commits and the disk stay out of it. OmenDB and PostgreSQL 15 in turn on the same data, or, with
--peer, two builds of OmenDB. The rest of the machine disturbs CPU time too, by its caches: compare what one call measured."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import htap
from report import Report
from harness.servers import OmenDB, PG_BIN, PostgreSQL

VARIABLES = {"w": "1", "d": "random(1, 10)", "c": "random(1, 3000)", "i": "random(1, 100000)", "o": "random(2101, 3000)",
             "new": "random(1, 1000000000)", "q": "random(1, 10)", "remote": "0", "paid": "5.25"}
CUSTOMER = "where c_w_id = :w and c_d_id = :d and c_id = :c"
LINES = "where ol_w_id = :w and ol_d_id = :d and ol_o_id = :o"
STATEMENTS = {
    "select/parameter": "select :new",
    "select/warehouse": "select w_tax from warehouse where w_id = :w",
    "select/item": "select i_price, i_name, i_data from item where i_id = :i",
    "select/customer": f"select c_discount, c_last, c_credit from customer {CUSTOMER}",
    "update/district": "update district set d_next_o_id = d_next_o_id + 1 where d_w_id = :w and d_id = :d returning d_next_o_id - 1, d_tax",
    "update/stock": "update stock set s_quantity = case when s_quantity >= :q + 10 then s_quantity - :q else s_quantity - :q + 91 end, "
                    "s_ytd = s_ytd + :q, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :remote "
                    "where s_w_id = :w and s_i_id = :i returning s_quantity, s_dist_01, s_data",
    "update/warehouse": "update warehouse set w_ytd = w_ytd + :paid where w_id = :w returning w_name, w_street_1, w_city, w_zip",
    "update/customer": "update customer set c_balance = c_balance - :paid, c_ytd_payment = c_ytd_payment + :paid, "
                       f"c_payment_cnt = c_payment_cnt + 1 {CUSTOMER} returning c_first, c_last, c_since, c_credit_lim, c_balance, c_credit",
    "update/orders": "update orders set o_carrier_id = 3 where o_w_id = :w and o_d_id = :d and o_id = :o returning o_c_id",
    "update/order_line": f"update order_line set ol_delivery_d = localtimestamp {LINES}",
    "insert/order_line": "insert into order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, "
                         "ol_dist_info) values (:new, :d, :w, :i, :i, :w, :q, :paid, 'abcdefghijklmnopqrstuvwx')",
    "insert/new_order": "insert into new_order (no_o_id, no_d_id, no_w_id) values (:new, :d, :w)",
    "insert/history": "insert into history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data) "
                      "values (:c, :d, :w, :d, :w, localtimestamp, :paid, 'abc')",
    "delete/new_order": "delete from new_order where no_w_id = :w and no_d_id = :d and no_o_id = :o",
    "range/order_line": f"select ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d from order_line {LINES}",
    "range/sum": f"select sum(ol_amount) from order_line {LINES}",
    "range/by_name": "select c_id from customer where c_w_id = :w and c_d_id = :d and c_last = 'BARBARBAR' order by c_first",
    "range/last_order": "select o_id, o_entry_d, o_carrier_id from orders where o_w_id = :w and o_d_id = :d and o_c_id = :c "
                        "order by o_id desc limit 1",
    "range/oldest": "select no_o_id from new_order where no_w_id = :w and no_d_id = :d order by no_o_id limit 1 for update",
}
AT_ONCE = 50


def cpu_seconds(pid):
    """Of a process and its children, those that have ended included."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ticks = sum(int(field) for field in fields[11:15])
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(child)) for child in children)


def measure(server, script, count):
    before = cpu_seconds(server.process.pid)
    out = subprocess.run([PG_BIN / "pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(count // AT_ONCE), "-f", script, "-h", "127.0.0.1",
                          "-p", str(server.port), "-U", "postgres", "postgres"], capture_output=True, text=True)
    if out.returncode != 0 or "ERROR" in out.stderr:
        raise RuntimeError(f"{script.read_text()}: {out.stderr}\n{server.log()}")
    return (cpu_seconds(server.process.pid) - before) / count * 1e6


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--statements", type=int, default=20000, help="of each kind in a sample")
    arguments.add_argument("--samples", type=int, default=3)
    arguments.add_argument("--only", default="", help="cases whose name has this in it")
    arguments.add_argument("--peer", help="another build's omendb, instead of PostgreSQL")
    options = arguments.parse_args()
    report = Report("statements", options.json)
    theirs = OmenDB() if options.peer else PostgreSQL(settings=["shared_buffers=1GB"])
    if options.peer:
        theirs.binary = pathlib.Path(options.peer).resolve()
    with theirs, OmenDB() as ours, tempfile.TemporaryDirectory() as directory:
        for server in (theirs, ours):
            htap.load(server, 1)
        script = pathlib.Path(directory) / "script.sql"
        variables = "".join(f"\\set {name} {value}\n" for name, value in VARIABLES.items())
        for case, sql in STATEMENTS.items():
            if options.only not in case:
                continue
            script.write_text("begin;\n" + f"{variables}{sql};\n" * AT_ONCE + "rollback;\n")
            for server in (theirs, ours):
                measure(server, script, AT_ONCE)
            pairs = [tuple(reversed([measure(server, script, options.statements) for server in (theirs, ours)])) for _ in range(options.samples)]
            report.pairs(case, options.statements, "cpu_time", "us", "omendb" if options.peer else "postgresql-15", pairs, "lower")


if __name__ == "__main__":
    sys.exit(main())
