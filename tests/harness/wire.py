"""A small client of PostgreSQL's protocol 3.0 that hides nothing: rows as the server's own bytes, type OIDs, tags and every
error field. What a test compares between two servers is what a driver would see."""

import socket
import struct
import time


class ServerError(Exception):
    """An ErrorResponse; fields by their protocol letter ('C' is the SQLSTATE)."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")
        self.fields = fields

    @property
    def sqlstate(self):
        return self.fields.get("C")


class Result:
    """One statement's outcome: columns [(name, type oid, typmod)], rows of bytes or None, tag, or an error's fields."""

    def __init__(self):
        self.columns = None
        self.rows = []
        self.tag = None
        self.error = None
        self.empty = False


class Connection:
    def __init__(self, port, host="127.0.0.1", user="postgres", database="postgres", timeout=60, **settings):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.start = 0
        self.notices = []
        self.parameters = {}
        self.status = None
        self.copy_data = b""
        body = struct.pack("!I", 196608)
        for key, value in {"user": user, "database": database, **settings}.items():
            body += key.encode() + b"\0" + value.encode() + b"\0"
        body += b"\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self._until_ready(Result())

    def close(self):
        try:
            self.socket.sendall(b"X\0\0\0\x04")
        except OSError:
            pass
        self.socket.close()

    def send(self, kind, body=b""):
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def receive(self):
        """Next message: (kind byte, body bytes)."""
        while True:
            available = len(self.buffer) - self.start
            if available >= 5:
                length = struct.unpack_from("!I", self.buffer, self.start + 1)[0]
                if available >= length + 1:
                    kind = self.buffer[self.start:self.start + 1]
                    body = self.buffer[self.start + 5:self.start + 1 + length]
                    self.start += length + 1
                    return kind, body
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            self.buffer = self.buffer[self.start:] + chunk
            self.start = 0

    @staticmethod
    def fields(body):
        fields = {}
        for part in body.split(b"\0"):
            if part:
                fields[chr(part[0])] = part[1:].decode("utf-8", "replace")
        return fields

    @staticmethod
    def describe(body):
        count, columns, at = struct.unpack_from("!H", body)[0], [], 2
        for _ in range(count):
            end = body.index(b"\0", at)
            _, _, oid, _, typmod, _ = struct.unpack_from("!IHIhih", body, end + 1)
            columns.append((body[at:end].decode(), oid, typmod))
            at = end + 19
        return columns

    @staticmethod
    def row(body):
        count, values, at = struct.unpack_from("!H", body)[0], [], 2
        for _ in range(count):
            length = struct.unpack_from("!i", body, at)[0]
            at += 4
            if length < 0:
                values.append(None)
            else:
                values.append(body[at:at + length])
                at += length
        return values

    def _until_ready(self, result, copy_in=None):
        results = [result]
        while True:
            kind, body = self.receive()
            if kind == b"Z":
                self.status = body.decode()
                return results
            if kind == b"D":
                result.rows.append(self.row(body))
            elif kind == b"T":
                result.columns = self.describe(body)
            elif kind == b"C":
                result.tag = body[:-1].decode()
                result = Result()
                results.append(result)
            elif kind == b"I":
                result.empty = True
                result = Result()
                results.append(result)
            elif kind == b"E":
                result.error = self.fields(body)
                if result.error.get("S") in ("FATAL", "PANIC"):
                    raise ServerError(result.error)
            elif kind == b"N":
                self.notices.append(self.fields(body))
            elif kind == b"S":
                key, value = body[:-1].split(b"\0")
                self.parameters[key.decode()] = value.decode()
            elif kind == b"R" and body != b"\0\0\0\0":
                raise ConnectionError("the server asks for a password")
            elif kind == b"G":
                if copy_in is None:
                    self.send(b"f", b"no data\0")
                else:
                    for at in range(0, len(copy_in), 1 << 16):
                        self.send(b"d", copy_in[at:at + (1 << 16)])
                    self.send(b"c")
            elif kind == b"d":
                self.copy_data += body

    def query(self, sql, copy_in=None):
        """Runs a string by the simple protocol: a list of Results, the last one with .error set if it failed."""
        self.copy_data = b""
        self.send(b"Q", sql.encode() + b"\0")
        results = self._until_ready(Result(), copy_in)
        if len(results) > 1 and results[-1].error is None and not results[-1].empty and results[-1].tag is None:
            results.pop()
        return results

    def execute(self, sql, copy_in=None):
        """As query, for one statement; raises ServerError."""
        result = self.query(sql, copy_in)[-1]
        if result.error:
            raise ServerError(result.error)
        return result

    def timed(self, sql):
        """(seconds, result) of execute, up to the answer's last byte: what reading it costs in Python is not the server's."""
        start, parts, tail = time.monotonic(), [], b""
        self.send(b"Q", sql.encode() + b"\0")
        while tail[:5] != b"Z\0\0\0\5":
            chunk = self.socket.recv(1 << 20)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            parts.append(chunk)
            tail = (tail + chunk)[-6:]
        seconds = time.monotonic() - start
        self.buffer, self.start = self.buffer[self.start:] + b"".join(parts), 0
        results = self._until_ready(Result())
        for result in results:
            if result.error:
                raise ServerError(result.error)
        return seconds, next((result for result in results if result.columns is not None), results[0])

    def scalar(self, sql):
        value = self.execute(sql).rows[0][0]
        return None if value is None else value.decode()
