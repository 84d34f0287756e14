#!/usr/bin/env python3
"""Concurrent schedules on PostgreSQL and on OmenDB: the same steps in the same order, and the same outcome wanted from both -
rows, tags, SQLSTATEs, and who waits for whom.

A schedule is text: `setup:` statements, then one line a step, `SESSION: SQL`. A step that does not answer within WAIT seconds, and of which the
server says that others block it, is recorded as waiting, and its answer is recorded after the step that let it go. Schedules stand in *.schedule, parted by lines of
`== name`. `-- differs: REASON` under the name declares a difference that we accept.

    run.py [FILE ...] [--name TEXT]
"""

import argparse
import pathlib
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness.servers import OmenDB, PostgreSQL  # noqa: E402
from harness.wire import Result  # noqa: E402

WAIT = 0.25
PATIENCE = 20  # for a step that nobody blocks: the machine may be busy
HERE = pathlib.Path(__file__).resolve().parent


def schedules(path):
    name, reason, setup, steps = None, None, [], []
    for line in path.read_text().splitlines():
        if line.startswith("== "):
            if name:
                yield name, reason, setup, steps
            name, reason, setup, steps = line[3:].strip(), None, [], []
        elif line.startswith("-- differs:"):
            reason = line.split(":", 1)[1].strip()
        elif line.startswith("setup:"):
            setup.append(line[6:].strip())
        elif ":" in line and not line.startswith("--"):
            session, sql = line.split(":", 1)
            steps.append((session.strip(), sql.strip()))
    if name:
        yield name, reason, setup, steps


class Session:
    def __init__(self, server):
        self.connection = server.connect(timeout=30)
        self.connection.query("set deadlock_timeout = '400ms'")  # who notices first is the victim
        self.process_id = self.connection.scalar("select pg_backend_pid()")
        self.waiting = None

    def answered(self, seconds):
        connection = self.connection
        if connection.start < len(connection.buffer):
            return True
        return bool(select.select([connection.socket], [], [], seconds)[0])

    def outcome(self):
        results = self.connection._until_ready(Result())
        parts = []
        for r in results:
            if r.error:
                parts.append(f"{r.error['C']} {r.error['M']}")
            elif r.tag:
                rows = [tuple(v.decode() if v is not None else None for v in row) for row in r.rows]
                parts.append(f"{r.tag} {rows if r.columns is not None else ''}")
        return "; ".join(parts)


def run(server, setup, steps):
    administrator = server.connect()
    administrator.query("drop schema public cascade; create schema public")
    for sql in setup:
        administrator.execute(sql)
    sessions, log = {}, []

    def answers(session, seconds):
        """Whether the step has answered; if not, it is blocked."""
        until = time.monotonic() + PATIENCE
        others = ",".join(s.process_id for s in sessions.values())
        while not session.answered(seconds):
            blocked = f"select pg_isolation_test_session_is_blocked({session.process_id}, array[{others}]::int[])"
            if administrator.scalar(blocked) == "t" or time.monotonic() > until:
                return session.answered(0)
        return True

    def collect(seconds):
        for name, session in sessions.items():
            if session.waiting and answers(session, seconds):
                log.append(f"{name} goes on: {session.waiting} -> {session.outcome()}")
                session.waiting = None

    for name, sql in steps:
        session = sessions.get(name)
        if session is None:
            session = sessions[name] = Session(server)
        if session.waiting:  # its next step needs the answer first (a deadlock or a timeout will bring it)
            log.append(f"{name} goes on: {session.waiting} -> {session.outcome()}")
            session.waiting = None
        session.connection.send(b"Q", sql.encode() + b"\0")
        if answers(session, WAIT):
            log.append(f"{name}: {sql} -> {session.outcome()}")
            collect(0.1 if any(s.waiting for s in sessions.values()) else 0)
        else:
            log.append(f"{name}: {sql} -> waiting")
            session.waiting = sql
    for name, session in sessions.items():
        if session.waiting:
            log.append(f"{name} goes on: {session.waiting} -> {session.outcome()}")
    for session in sessions.values():
        session.connection.close()
    administrator.close()
    return log


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--name", default="")
    options = arguments.parse_args()
    passed = failed = 0
    with PostgreSQL() as pg, OmenDB() as omen:
        for path in options.files or sorted(HERE.glob("*.schedule")):
            for name, reason, setup, steps in schedules(path):
                if options.name not in name:
                    continue
                expected = run(pg, setup, steps)
                try:
                    actual = run(omen, setup, steps)
                except Exception as trouble:
                    actual = [f"broken: {trouble}"]
                    if omen.process.poll() is not None:
                        omen.start()
                if (expected == actual) == (reason is None):
                    passed += 1
                    continue
                failed += 1
                print(f"{path.name}: {name}" + (" (declared difference is gone)" if reason else ""))
                for i in range(max(len(expected), len(actual))):
                    a, b = expected[i] if i < len(expected) else "-", actual[i] if i < len(actual) else "-"
                    print(f"    {'  ' if a == b else '!!'} {a}" + ("" if a == b else f"\n    OmenDB: {b}"))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
