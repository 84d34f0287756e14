"""PostgreSQL and OmenDB as fixtures: each on a directory and a loopback port of its own, gone when the test is over."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import wire

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PG_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_size(text):
    """Bytes of a size in MB or GB, "1.5GB"."""
    units = {"MB": 1 << 20, "GB": 1 << 30}
    return int(float(text[:-2]) * units[text[-2:]])


class Server:
    patience = 30  # seconds until a server that was told to stop is killed

    def __init__(self, directory=None):
        self.own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="omendb-test-"))
        self.port = free_port()
        self.process = None

    def connect(self, **arguments):
        return wire.Connection(self.port, **arguments)

    def wait_until_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"{type(self).__name__} ended with {self.process.returncode}:\n{self.log()}")
            try:
                self.connect(timeout=5).close()
                return self
            except (OSError, wire.ServerError):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{type(self).__name__} does not answer:\n{self.log()}")
                time.sleep(0.02)

    def log(self):
        path = self.directory / "server.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def status(self, field):
        """A number of /proc/PID/status: VmRSS and VmHWM (resident memory, and the most it was) in kB, Threads."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise RuntimeError("no " + field)

    def kill(self):
        """kill -9: the plug is pulled (the machine's page cache survives)."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class OmenDB(Server):
    def __init__(self, directory=None, preset=None, arguments=(), **configuration):
        """`configuration`: what the configuration file says, numbers by name."""
        super().__init__(directory)
        self.binary = ROOT / "build" / (preset or os.environ.get("OMENDB_PRESET", "release")) / "omendb"
        self.arguments = list(arguments)
        if configuration:
            path = self.directory / "omendb.toml"
            path.write_text("".join(f"{name} = {value}\n" for name, value in configuration.items()))
            self.arguments += ["--config", str(path)]
        self.patience = 30 if self.binary.parent.name == "release" else 300

    def start(self):
        with open(self.directory / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "start", "--data-dir", str(self.directory / "data"),
                 "--pg-listen", f"127.0.0.1:{self.port}", *self.arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self.wait_until_ready()

    def stop(self):
        super().stop()
        self.raise_reports()

    def raise_reports(self):
        """A server built with a sanitizer writes its reports to the log, and leaks when it ends."""
        log = (self.directory / "server.log").read_text(errors="replace")
        found = re.search(r"==\d+==ERROR: |WARNING: ThreadSanitizer|: runtime error: ", log)
        if found:
            raise RuntimeError(f"a sanitizer reports:\n{log[max(0, found.start() - 200):found.start() + 6000]}")


class PostgreSQL(Server):
    """PostgreSQL 15 with the durability we promise (fsync and synchronous_commit on), bytewise collation, UTC."""

    def __init__(self, directory=None, settings=()):
        super().__init__(directory)
        self.settings = list(settings)

    def _as_postgres(self):
        if os.getuid() != 0:
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self):
        data = self.directory / "data"
        account = self._as_postgres()
        if account:
            os.chown(self.directory, account["user"], account["group"])
        if not data.exists():
            subprocess.run([PG_BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                            "--locale=C", "--no-instructions"],
                           check=True, stdout=subprocess.DEVNULL, cwd=self.directory, **account)
        options = ["listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.directory}",
                   "timezone=UTC", "log_min_messages=fatal", *self.settings]
        with open(self.directory / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [PG_BIN / "postgres", "-D", data, *(word for option in options for word in ("-c", option))],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory, **account)
        return self.wait_until_ready()
