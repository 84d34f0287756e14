"""The same bytes to two servers, and what came back as comparable text, message by message."""

import re
import socket
import struct
import time

PROTOCOL_3 = 196608
SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102


def u16(value):
    return struct.pack("!H", value & 0xFFFF)


def u32(value):
    return struct.pack("!I", value & 0xFFFFFFFF)


def z(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def message(kind, body=b""):
    return kind.encode() + u32(len(body) + 4) + body


def startup(settings=None, protocol=PROTOCOL_3, extra=b"", **more):
    values = {"user": "postgres", "database": "postgres", **(settings or {}), **more}
    body = u32(protocol) + b"".join(z(k) + z(v) for k, v in values.items()) + b"\0" + extra
    return u32(len(body) + 4) + body


def Q(sql):
    return message("Q", z(sql))


def P(sql, name="", types=()):
    return message("P", z(name) + z(sql) + u16(len(types)) + b"".join(u32(t) for t in types))


def B(portal="", name="", values=(), formats=(), results=()):
    body = z(portal) + z(name) + u16(len(formats)) + b"".join(u16(f) for f in formats) + u16(len(values))
    for value in values:
        body += u32(-1) if value is None else u32(len(value)) + value
    return message("B", body + u16(len(results)) + b"".join(u16(f) for f in results))


def D(kind, name=""):
    return message("D", kind.encode() + z(name))


def E(portal="", rows=0):
    return message("E", z(portal) + u32(rows))


def C(kind, name=""):
    return message("C", kind.encode() + z(name))


S, H, X = message("S"), message("H"), message("X")


def copy_data(data):
    return message("d", data)


COPY_DONE = message("c")


def copy_fail(text):
    return message("f", z(text))


class Raw:
    """A socket and the messages that come out of it."""

    def __init__(self, port, start=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.closed = False
        self.key = None
        if start:
            self.send(startup())
            self.until("Z")

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the server may have closed; what it said before is still to be read

    def _fill(self, seconds):
        self.socket.settimeout(seconds)
        try:
            chunk = self.socket.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            chunk = b""
        if not chunk:
            self.closed = True
            return False
        self.buffer += chunk
        return True

    def next(self, seconds=20):
        """(kind, body), or None when the server closed or says nothing."""
        while len(self.buffer) < 5 or len(self.buffer) < struct.unpack_from("!I", self.buffer, 1)[0] + 1:
            if not self._fill(seconds):
                return None
        length = struct.unpack_from("!I", self.buffer, 1)[0]
        kind, body = chr(self.buffer[0]), self.buffer[5:length + 1]
        self.buffer = self.buffer[length + 1:]
        return kind, body

    def until(self, kind, count=1, seconds=20):
        """Messages as text up to the `count`th of type `kind`; "closed" or "silent" where they end early."""
        seen = []
        while count > 0:
            got = self.next(seconds)
            if got is None:
                seen.append("closed" if self.closed else f"silent {self.buffer!r}" if self.buffer else "silent")
                break
            if got[0] == "K":
                self.key = got[1]
            seen.append(show(*got))
            if got[0] == kind:
                count -= 1
        return seen

    def bytes(self, seconds=2):
        """Everything up to the end of the connection or to silence, as it came."""
        deadline = time.monotonic() + seconds
        while not self.closed and time.monotonic() < deadline:
            self._fill(max(deadline - time.monotonic(), 0.01))
        data, self.buffer = self.buffer, b""
        return data

    def close(self):
        self.socket.close()


# Differ by nature: the server's source line; object ids; process ids.
VERSION_PARAMETERS = {"server_version"}


def show(kind, body):
    if kind in "EN":
        fields = [(chr(part[0]), part[1:].decode("utf-8", "replace")) for part in body.split(b"\0") if part]
        return kind + " " + " ".join(f"{k}={v!r}" for k, v in fields if k not in "FLR")
    if kind == "Z":
        return "Z " + body.decode()
    if kind in "C":
        return "C " + body[:-1].decode()
    if kind == "S":
        name, value = body[:-1].decode().split("\0")
        return f"S {name}" + ("" if name in VERSION_PARAMETERS else f"={value}")
    if kind == "T":
        count, at, columns = struct.unpack_from("!H", body)[0], 2, []
        for _ in range(count):
            end = body.index(b"\0", at)
            table, attnum, oid, size, typmod, fmt = struct.unpack_from("!IHIhih", body, end + 1)
            columns.append(f"{body[at:end].decode()}({'table ' if table else ''}{attnum} {oid} {size} {typmod} {fmt})")
            at = end + 19
        return "T " + " ".join(columns)
    if kind == "t":
        count = struct.unpack_from("!H", body)[0]
        return "t " + " ".join(str(v) for v in struct.unpack_from(f"!{count}I", body, 2))
    if kind == "D":
        count, at, values = struct.unpack_from("!H", body)[0], 2, []
        for _ in range(count):
            size = struct.unpack_from("!i", body, at)[0]
            at += 4
            values.append("null" if size < 0 else repr(body[at:at + size])[1:])
            at += max(size, 0)
        return "D " + " ".join(values)
    if kind == "K":
        return "K"
    if kind == "A":
        channel, payload = body[4:-1].decode().split("\0")
        return f"A {channel} {payload!r}"
    return kind + (" " + body.hex() if body else "")


def show_stream(data):
    """Startup replies: single bytes 'N' and 'S' before messages, and the old 'E' without a length."""
    shown = []
    while data:
        if data[:1] == b"N" and (len(data) == 1 or data[1:2] in b"NRESv"):
            shown.append("declined")
            data = data[1:]
            continue
        length = struct.unpack_from("!I", data, 1)[0] if len(data) >= 5 else 0
        if 4 <= length < len(data):
            shown.append(show(chr(data[0]), data[5:length + 1]))
            data = data[length + 1:]
            continue
        shown.append("bytes " + re.sub(r"\s+", " ", repr(data)))
        break
    return shown
