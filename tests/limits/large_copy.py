"""A copy in columns larger than memory: every answer has a closed form, so nothing needs the rows to be checked."""

import threading
import time

from harness.servers import OmenDB

MODULUS, FACTOR, GROUPS, SLICE = 1_073_741_789, 7_368_787, 1000, 10_000_000


def floor_sum(n, m, a, b):
    """The sum of (a * i + b) // m for i in range(n)."""
    total = 0
    while n > 0:
        total += n * (n - 1) // 2 * (a // m) + n * (b // m)
        a, b = a % m, b % m
        top = a * n + b
        n, b, m, a = top // m, top % m, a, m
    return total


def sum_of_residues(count, step, first):
    """The sum of v over the ids first, first + step, ...: `count` of them."""
    a, b = FACTOR * step, FACTOR * first
    return a * (count * (count - 1) // 2) + b * count - MODULUS * floor_sum(count, MODULUS, a, b)


class Expected:
    """Of n(id, k, v) with ids 1 to `rows`, k = id % GROUPS, v = id * FACTOR % MODULUS, and `added` to v for the ids up to `updated`."""

    def __init__(self, rows):
        self.rows, self.updated, self.added = rows, 0, 0

    def group(self, k):
        first = k or GROUPS
        count = (self.rows - first) // GROUPS + 1
        changed = max(0, (self.updated - first) // GROUPS + 1)
        return count, sum_of_residues(count, GROUPS, first) + changed * self.added

    def between(self, first, last):
        changed = max(0, min(last, self.updated) - first + 1)
        return last - first + 1, sum_of_residues(last - first + 1, 1, first) + changed * self.added

    def queries(self):
        n = self.rows
        low, high = n // 3, n // 3 + n // 10
        tenths = (n - n % 10) // 10 + 1
        yield "select count(*), sum(id), sum(v) from n", [(n, n * (n + 1) // 2, self.between(1, n)[1])]
        yield "select k, count(*), sum(v) from n group by k order by k", [(k, *self.group(k)) for k in range(GROUPS)]
        yield "select count(*), sum(v) from n where k = 7", [self.group(7)]
        yield f"select count(*), sum(v) from n where id between {low} and {high}", [self.between(low, high)]
        # So many groups do not fit into memory.
        yield ("select count(*), sum(c), sum(s) from (select id / 10 as g, count(*) as c, sum(v) as s from n group by 1) t",
               [(tenths, n, self.between(1, n)[1])])


class Peaks(threading.Thread):
    """The largest resident size since the last take(), in MB."""

    def __init__(self, omen):
        super().__init__(daemon=True)
        self.omen, self.largest = omen, 0
        self.start()

    def run(self):
        while True:
            try:
                self.largest = max(self.largest, self.omen.status("VmRSS") >> 10)
            except (OSError, AttributeError, RuntimeError, IndexError):
                pass  # between two servers
            time.sleep(0.05)

    def take(self):
        largest, self.largest = self.largest, 0
        return largest


def size(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) >> 20


def taken_up(omen):
    started = time.monotonic()
    omen.start()
    connection = omen.connect(timeout=7200)
    ready = time.monotonic() - started
    while connection.scalar("select count(*) from omendb_columns()") == "0":
        assert time.monotonic() - started < 1800, "the copy was not taken up"
        time.sleep(0.1)
    return connection, ready, time.monotonic() - started


def check(rows, memory):
    expected = Expected(rows)

    def say(what, started):
        print(f"large: {what}: {time.monotonic() - started:.1f} s, at most {peaks.take()} MB resident", flush=True)

    def ask(connection, routes):
        for query, answer in expected.queries():
            for route in routes:
                connection.execute(f"set omendb.route = {route}")
                started = time.monotonic()
                got = [tuple(int(value) for value in row) for row in connection.execute(query).rows]
                assert got == answer, f"{query} by {route}: {got[:3]} for {answer[:3]}"
                say(f"{route}: {query[:60]}", started)
        connection.execute("set omendb.route = auto")

    with OmenDB(arguments=["--memory", memory]) as omen:
        peaks = Peaks(omen)
        connection = omen.connect(timeout=7200)
        connection.execute("create table n (id bigint primary key, k int, v bigint)")
        started = time.monotonic()
        for at in range(1, rows + 1, SLICE):
            connection.execute(f"insert into n select g, g % {GROUPS}, g * {FACTOR} % {MODULUS} "
                               f"from generate_series({at}::bigint, {min(at + SLICE - 1, rows)}::bigint) g")
        say(f"{rows} rows loaded with {memory}", started)
        started = time.monotonic()
        connection.execute("select omendb_build_columns('n')")
        say("the copy made", started)
        data = omen.directory / "data"
        print(f"large: {size(data / 'rows')} MB of rows, {size(data / 'columns')} MB of columns on disk", flush=True)
        ask(connection, ("columns",))
        for _ in range(3):
            step = min(10_000, rows // 10)
            expected.updated, expected.added = step, expected.added + 1
            started = time.monotonic()
            connection.execute(f"update n set v = v + 1 where id <= {step}")
            say(f"{step} rows updated", started)
            started = time.monotonic()
            assert connection.scalar("select sum(v) from n where k >= 0") == str(expected.between(1, rows)[1])
            say("sum after it", started)
        connection.close()
        for how in (omen.stop, omen.kill):
            how()
            connection, ready, seconds = taken_up(omen)
            print(f"large: restart after {how.__name__}: answers in {ready:.1f} s, the copy in {seconds:.1f} s, at most {peaks.take()} MB resident", flush=True)
            ask(connection, ("columns",))
            connection.close()
        connection = omen.connect(timeout=7200)
        in_memory = {name.decode(): int(value) >> 20 for name, value in connection.execute("select * from omendb_statistics()").rows
                     if name in (b"index_bytes", b"columns_place_bytes", b"row_cache_bytes")}
        print(f"large: MB in memory: {in_memory}", flush=True)
        ask(connection, ("rows",))
        connection.close()
