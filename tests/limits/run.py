#!/usr/bin/env python3
"""What happens at the edges of the machine: memory under its budget, a full disk, a directory that cannot be written.

    run.py [memory] [columns] [large] [disk] [directory] [--rows N] [--memory SIZE]

memory     a COPY of N narrow rows and a large sort; the server's peak resident memory stays under the budget
columns    copies in columns larger than the memory for analytics answer as the rows do, while they are written, and after a kill -9
large      a copy of N narrow rows (2,000,000) under a budget (128MB): answers against closed forms, before and after changes, a stop and a kill -9
disk       (as root) a data directory on a small tmpfs: 53100 when it is full, nothing acknowledged is lost, writes go on with room; a statement
           that spills more than there is fails alone and gives all of it back
directory  an unwritable or occupied data directory is one line on stderr and exit code 1
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import PG_BIN, OmenDB, parse_size  # noqa: E402
from harness.wire import ServerError  # noqa: E402
import large_copy  # noqa: E402


def bytes_read(process):
    """From files, whether the system's cache had them or not."""
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{process.pid}/io").read_text().splitlines())
    return int(fields["rchar"])


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_memory(options):
    budget = parse_size(options.memory or "2GB")
    rows = options.rows or 10_000_000
    with OmenDB(arguments=["--memory", options.memory or "2GB"]) as omen:
        connection = omen.connect(timeout=3600)
        connection.execute("create table big (id bigint primary key, a int, b double precision, c text)")
        started = time.monotonic()
        generate = (f"BEGIN {{ for (i = 1; i <= {rows}; i++) "
                    "printf \"%d\\t%d\\t%.3f\\ttext of row %d\\n\", i, (i * 7919) % 1000003, i / 7, i }")
        source = subprocess.Popen(["awk", generate], stdout=subprocess.PIPE)
        subprocess.run([PG_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(omen.port), "-U", "postgres",
                        "-c", "copy big from stdin", "postgres"], stdin=source.stdout, check=True)
        copied = time.monotonic() - started
        after_copy = omen.status("VmHWM") << 10
        assert connection.scalar("select count(*) from big") == str(rows)
        started = time.monotonic()
        got = connection.scalar("select sum(r) from (select row_number() over (order by c, b desc, a) % 7 as r from big) s")
        sort_seconds = time.monotonic() - started
        peak = omen.status("VmHWM") << 10
        connection.close()
        print(f"memory: {rows} rows copied in {copied:.1f} s, peak {after_copy >> 20} MB; sorted in {sort_seconds:.1f} s, "
              f"peak {peak >> 20} MB of {budget >> 20} MB (sum {got})")
        assert peak <= budget, f"peak resident memory {peak >> 20} MB is over the budget of {budget >> 20} MB"


def check_columns(options):
    budget = parse_size("128MB")
    analytics = budget // 100 * 40
    rows = (options.rows or 10_000_000) // 5
    queries = ("select count(*), sum(length(c)), min(d), max(c) from wide", "select id % 7, count(*), max(d) from wide where c > '8' group by 1 order by 1")
    with OmenDB(arguments=["--memory", "128MB"]) as omen:
        def both(connection):
            for query in queries:
                answers = []
                for route in ("columns", "rows"):
                    connection.execute(f"set omendb.route = {route}")
                    answers.append(connection.execute(query).rows)
                assert answers[0] == answers[1], f"{query}: {answers[0]} in columns, {answers[1]} in rows"

        connection = omen.connect(timeout=3600)
        connection.execute("create table wide (id int primary key, c text, d text)")
        for at in range(0, rows, 100_000):
            connection.execute(f"insert into wide select i, md5(i::text), md5((-i)::text) from generate_series({at + 1}, {min(at + 100_000, rows)}) i")
        started = time.monotonic()
        connection.execute("select omendb_build_columns('wide')")
        made = time.monotonic() - started
        both(connection)
        connection.execute("update wide set c = md5(c) where id % 50 = 0")
        connection.execute("delete from wide where id % 77 = 0")
        both(connection)
        deadline = time.monotonic() + 60
        size = lambda: sum(path.stat().st_size for path in (omen.directory / "data" / "columns").iterdir())
        while size() <= analytics and time.monotonic() < deadline:
            time.sleep(0.2)
        assert size() > analytics, f"{size() >> 20} MB of copies do not exceed {analytics >> 20} MB: more --rows"
        peak = omen.status("VmHWM") << 10
        connection.close()
        omen.kill()
        omen.start()
        connection = omen.connect(timeout=3600)
        started = time.monotonic()
        while connection.scalar("select count(*) from omendb_columns()") == "0" and time.monotonic() < started + 300:
            time.sleep(0.05)
        taken_up, spent, read = time.monotonic() - started, processor_seconds(omen.process), bytes_read(omen.process)
        both(connection)
        connection.close()
        print(f"columns: {rows} rows, {size() >> 20} MB of copies with {analytics >> 20} MB for analytics, made in {made:.1f} s, peak resident "
              f"{peak >> 20} MB; taken up in {taken_up:.1f} s; by then the server had used {spent:.1f} s of processors and read {read >> 20} MB of files")


def check_large(options):
    large_copy.check(options.rows or 2_000_000, options.memory or "128MB")


def check_disk(options):
    if os.getuid() != 0:
        print("disk: needs root to mount a small tmpfs: skipped")
        return
    directory = pathlib.Path(tempfile.mkdtemp(prefix="omendb-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", directory], check=True)
    try:
        omen = OmenDB(directory, arguments=["--memory", "256MB"]).start()
        connection = omen.connect(timeout=120)
        connection.execute("create table t (id int primary key, v text)")
        acknowledged, error = 0, None
        for number in range(1, 20000):
            try:
                connection.execute(f"insert into t select {number} * 100 + g, repeat(md5(({number} * 100 + g)::text), 30) from generate_series(0, 99) g")
                acknowledged += 100
            except ServerError as trouble:
                error = trouble
                break
        assert error is not None, "the disk never filled"
        assert error.sqlstate in ("53100", "40003", "58030"), f"a full disk gave {error}"
        print(f"disk: full after {acknowledged} rows: {error}")
        try:
            counted = int(connection.scalar("select count(*) from t"))
            assert counted >= acknowledged, f"{acknowledged} rows acknowledged, {counted} there"
        except (ServerError, ConnectionError) as trouble:
            print(f"disk: reading while full: {trouble}")
        connection.close()
        omen.stop()
        subprocess.run(["mount", "-o", "remount,size=512m", directory], check=True)
        omen.start()
        connection = omen.connect(timeout=120)
        counted = int(connection.scalar("select count(*) from t"))
        assert counted >= acknowledged, f"{acknowledged} rows acknowledged, {counted} there after the restart"
        connection.execute("insert into t values (-1, 'room again')")
        connection.close()
        omen.stop()
        print(f"disk: {counted} rows after a restart with room, and writes go on")
        shutil.rmtree(omen.directory / "data")
        check_spilling(directory)
    finally:
        subprocess.run(["umount", "-l", directory], check=False)
        shutil.rmtree(directory, ignore_errors=True)


def check_spilling(directory):
    """On an empty disk of 512 MB."""
    (directory / "spilling").mkdir()
    omen = OmenDB(directory / "spilling", arguments=["--memory", "256MB"]).start()
    connection, other = omen.connect(timeout=600), omen.connect(timeout=600)
    other.execute("create table t (id int primary key, v text); insert into t select g, repeat('x', 100) from generate_series(1, 1000) g")
    for number in range(2):
        try:
            connection.execute("select count(*) from (select md5(g::text) || md5((g + 1)::text) || md5((g * 3)::text) as r "
                               "from generate_series(1, 20000000) g order by r offset 1) s")
            assert False, "so much does not fit on the disk"
        except ServerError as trouble:
            assert trouble.sqlstate == "53400", trouble
            print(f"disk: a sort beyond it: {trouble}")
        other.execute(f"insert into t select g + 1000 * {number + 1}, repeat('x', 100) from generate_series(1, 1000) g")
        left = sum(file.stat().st_size for file in (omen.directory / "data" / "temp").iterdir())
        assert left == 0, f"{left} bytes of what was spilled are still there"
        (directory / "ballast").write_bytes(bytes(200 << 20))  # others fill the disk
    connection.close()
    other.close()
    omen.stop()


def start_once(data_directory, **arguments):
    binary = OmenDB().binary
    return subprocess.run([binary, "start", "--data-dir", data_directory, "--pg-listen", "127.0.0.1:1"], capture_output=True, text=True,
                          timeout=60, **arguments)


def check_directory(_):
    with OmenDB() as omen:
        second = start_once(str(omen.directory / "data"))
        assert second.returncode == 1 and second.stderr.strip(), f"an occupied directory: {second}"
        print(f"directory: occupied: {second.stderr.strip().splitlines()[-1]}")
    with tempfile.NamedTemporaryFile() as file:
        not_a_directory = start_once(file.name + "/data")
        assert not_a_directory.returncode == 1 and not_a_directory.stderr.strip(), f"a file as directory: {not_a_directory}"
        print(f"directory: unusable: {not_a_directory.stderr.strip().splitlines()[-1]}")


def main():
    checks = {"memory": check_memory, "columns": check_columns, "large": check_large, "disk": check_disk, "directory": check_directory}
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checks", nargs="*", default=list(checks))
    arguments.add_argument("--rows", type=int)
    arguments.add_argument("--memory")
    options = arguments.parse_args()
    failed = 0
    for name in options.checks:
        try:
            checks[name](options)
        except AssertionError as broken:
            failed += 1
            print(f"{name}: FAILED: {broken}")
    print(f"{len(options.checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
