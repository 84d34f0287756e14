"""The process: exit codes and one-line errors, limits, HTTP, signals, restarts. OmenDB only; each case starts servers of its own."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from harness.servers import OmenDB, free_port
from harness.wire import ServerError
from wire.raw import Q, Raw

CASES = []


def case(function):
    CASES.append((f"process_{function.__name__}", function))
    return function


def run(server, *arguments, seconds=30):
    done = subprocess.run([server.binary, *arguments], capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stderr.strip()


def expect(outcome, code, *words):
    assert outcome[0] == code, outcome
    assert outcome[1].count("\n") == 0, outcome
    for word in words:
        assert word in outcome[1], outcome


@case
def what_is_wrong_is_said_in_one_line(server):
    with tempfile.TemporaryDirectory() as scratch:
        port = free_port()
        data = scratch + "/data"
        expect(run(server, "start"), 1, "no data directory")
        expect(run(server, "start", "--data-dir", data, "--pg-listen", f"0.0.0.0:{port}"), 1, "loopback")
        expect(run(server, "start", "--data-dir", data, "--pg-listen", "nowhere"), 1, "ADDRESS:PORT")
        expect(run(server, "start", "--data-dir", data, "--pg-listen", f"127.0.0.1:{server.port}"), 1, "Address already in use")
        expect(run(server, "start", "--data-dir", str(server.directory / "data"), "--pg-listen", f"127.0.0.1:{port}"), 1,
               "in use by another process", str(server.process.pid))
        expect(run(server, "start", "--data-dir", scratch + "/a/b/c"), 1, "No such file or directory")
        expect(run(server, "start", "--data-dir", "/proc/omendb"), 1, "/proc/omendb")
        expect(run(server, "start", "--data-dir", data, "--config", scratch + "/missing.toml"), 1, "missing.toml")
        pathlib.Path(scratch + "/bad.toml").write_text("max_conections = 5\n")
        expect(run(server, "start", "--data-dir", data, "--config", scratch + "/bad.toml"), 1, "max_conections")
        expect(run(server, "start", "--data-dir", data, "--cert", "x", "--key", "y"), 2, "not available yet")
        expect(run(server, "backup"), 2, "not available yet")
        expect(run(server, "verify", "--data-dir", scratch + "/nothing"), 1, "No such file or directory")
        assert run(server, "version")[0] == 0
        assert run(server, "start", "--nonsense")[0] == 2


def connect_when_free(server, seconds=5):
    """A client that has just left may still hold its place for a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return server.connect()
        except ServerError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@case
def one_client_too_many(server):
    with tempfile.TemporaryDirectory() as scratch:
        config = pathlib.Path(scratch) / "omendb.toml"
        config.write_text("max_connections = 3\n")
        with OmenDB(arguments=["--config", str(config)]) as small:
            kept = [connect_when_free(small) for _ in range(3)]
            try:
                small.connect()
                raise AssertionError("a fourth client was let in")
            except ServerError as error:
                assert error.fields["C"] == "53300" and error.fields["M"] == "sorry, too many clients already", error.fields
            kept.pop().close()
            connect_when_free(small).close()
            for connection in kept:
                assert connection.scalar("select 1") == "1"


@case
def a_thousand_idle_clients(server):
    before = server.status("VmRSS")
    clients = [server.connect() for _ in range(900)]
    time.sleep(0.5)
    threads, grown = server.status("Threads"), server.status("VmRSS") - before
    assert clients[0].scalar("select 1") == "1" and clients[-1].scalar("select 2") == "2"
    for client in clients:
        client.close()
    print(f"   900 idle clients: {threads} threads, {grown / 900:.0f} kB each")
    assert threads < 100, f"{threads} threads for idle clients"


@case
def http_answers(server):
    port = free_port()
    with OmenDB(arguments=["--http-listen", f"127.0.0.1:{port}"]) as with_http:
        with_http.connect().close()
        base = f"http://127.0.0.1:{port}"
        assert urllib.request.urlopen(base + "/health").read() == b"ok\n"
        metrics = urllib.request.urlopen(base + "/metrics").read().decode()
        assert "\nomendb_connections_total " in metrics, metrics
        try:
            urllib.request.urlopen(base + "/nothing")
            raise AssertionError("/nothing was found")
        except urllib.error.HTTPError as error:
            assert error.code == 404


@case
def stopping_and_starting_again(server):
    with OmenDB() as own:
        connection = own.connect()
        connection.execute("create table kept(id int primary key)")
        connection.execute("insert into kept select generate_series(1, 1000)")
        open_transaction = Raw(own.port)
        open_transaction.send(Q("begin; insert into kept values (5000)"))
        open_transaction.until("Z")
        idle = Raw(own.port)
        own.process.send_signal(signal.SIGTERM)
        assert "57P01" in idle.until("Z")[0]
        open_transaction.send(Q("insert into kept values (5001)"))
        assert open_transaction.until("Z") == ["C INSERT 0 1", "Z T"]  # the grace of an open transaction
        open_transaction.send(Q("commit"))
        assert open_transaction.until("Z") == ["C COMMIT", "Z I"]
        assert "57P01" in open_transaction.until("Z")[0]
        assert own.process.wait(20) == 0
        assert "stopped cleanly" in own.log()
        expect(run(own, "verify", "--data-dir", str(own.directory / "data")), 0)
        own.start()
        assert own.connect().scalar("select count(*) from kept") == "1002"
        busy = Raw(own.port)
        busy.send(Q("select pg_sleep(100)"))
        time.sleep(0.2)
        began = time.monotonic()
        own.process.send_signal(signal.SIGINT)
        assert any("57P01" in m for m in busy.until("Z"))  # after the RowDescription
        assert own.process.wait(20) == 0 and time.monotonic() - began < 5
        own.start()
        own.process.send_signal(signal.SIGKILL)
        own.process.wait()
        own.start()
        assert own.connect().scalar("select count(*) from kept") == "1002"


@case
def a_file_descriptor_for_every_client(server):
    """None is left over when clients have gone."""
    count = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))  # noqa: E731
    before = count()
    for _ in range(100):
        server.connect().close()
    deadline = time.monotonic() + 5
    while count() > before + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert count() <= before + 2, f"{count()} descriptors, {before} before"
