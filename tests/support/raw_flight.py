# SPDX-License-Identifier: Apache-2.0
"""A gRPC server on bare sockets, which says whatever a test wants to be said: HTTP/2 as far as a
gRPC client needs it, and the small protobuf messages of Flight."""
import contextlib
import queue
import socket
import struct
import threading

from flight.driver import read_varint, varint

DATA, HEADERS, RST, SETTINGS, PING, WINDOW = 0, 1, 3, 4, 6, 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATIC = {1: ":authority", 2: ":method", 3: ":method", 4: ":path", 5: ":path", 6: ":scheme",
          7: ":scheme", 23: "authorization", 31: "content-type", 58: "user-agent"}


# ---- protobuf ----

def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value & (1 << 64) - 1)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """number -> the last value."""
    found, at = {}, 0
    while at < len(message):
        tag, at = read_varint(message, at)
        value, at = read_varint(message, at)
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        found[tag >> 3] = value
    return found


def messages(frames):
    """Of a recording: see tests/flight/golden."""
    at = 0
    while at < len(frames):
        size = struct.unpack(">I", frames[at + 1:at + 5])[0]
        yield frames[at + 5:at + 5 + size]
        at += 5 + size


def saying(sent, status=0, text="", end=None):
    """What a server answers to whoever asks: these messages (bytes: of a recording), and the
    status; or else what `end`, a function of the call, does."""
    sent = list(messages(sent) if isinstance(sent, bytes) else sent)

    def answer(asked):
        asked.receive_all()
        for message in sent:
            asked.send(message)
        if end:
            end(asked)
        else:
            asked.end(status, text)
    return answer


# ---- HPACK, as a client writes it that was told to keep no table ----

def _integer(block, at, bits):
    value, at = block[at] & (1 << bits) - 1, at + 1
    if value == (1 << bits) - 1:
        more, at = read_varint(block, at)
        value += more
    return value, at


def _string(block, at):
    assert not block[at] & 0x80, "a Huffman code"
    size, at = _integer(block, at, 7)
    return block[at:at + size].decode(), at + size


def read_headers(block):
    headers, at = {}, 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            headers.setdefault(STATIC.get(index, str(index)), "")
            continue
        if first & 0xe0 == 0x20:
            _, at = _integer(block, at, 5)
            continue
        index, at = _integer(block, at, 6 if first & 0x40 else 4)
        name, at = (STATIC.get(index, str(index)), at) if index else _string(block, at)
        headers[name], at = _string(block, at)
    return headers


def write_headers(pairs):
    def text(value):
        value = str(value).encode()
        size = bytes([len(value)]) if len(value) < 127 else b"\x7f" + varint(len(value) - 127)
        return size + value

    return b"".join(b"\0" + text(name) + text(value) for name, value in pairs)


# ---- the server ----

class Call:
    """One call: messages come with receive() (None = the client has ended), and go with send()."""

    def __init__(self, connection, stream, headers):
        self.connection, self.stream, self.headers = connection, stream, headers
        self.method = headers[":path"].rsplit("/", 1)[-1]
        self.window, self.incoming, self.buffer = connection.first_window, queue.Queue(), b""
        self.is_begun, self.is_gone = False, False

    def receive(self, timeout=30):
        while len(self.buffer) < 5 or \
                len(self.buffer) < 5 + struct.unpack(">I", self.buffer[1:5])[0]:
            data = self.incoming.get(timeout=timeout)
            if data is None:
                return None
            self.buffer += data
        size = 5 + struct.unpack(">I", self.buffer[1:5])[0]
        message, self.buffer = self.buffer[5:size], self.buffer[size:]
        return message

    def receive_all(self):
        return list(iter(self.receive, None))

    def begin(self):
        if not self.is_begun:
            self.is_begun = True
            self.connection.frame(HEADERS, 4, self.stream, b"\x88" + write_headers(
                [("content-type", "application/grpc")]))

    def send(self, message):
        self.send_bytes(b"\0" + struct.pack(">I", len(message)) + message)

    def send_bytes(self, data):
        self.begin()
        self.connection.send_data(self, data)

    def end(self, status=0, text=""):
        """Trailers; trailers only, where nothing was sent before."""
        first = b"" if self.is_begun else b"\x88" + write_headers(
            [("content-type", "application/grpc")])
        self.connection.frame(HEADERS, 5, self.stream, first + write_headers(
            [("grpc-status", status), ("grpc-message", text)]))

    def reset(self, code=0):
        self.connection.frame(RST, 0, self.stream, struct.pack(">I", code))

    def drop(self, with_reset=False):
        """The whole connection."""
        if with_reset:
            self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.socket.shutdown(socket.SHUT_RDWR)


class Connection:
    def __init__(self, server, connection):
        self.server, self.socket = server, connection
        self.lock, self.room = threading.Lock(), threading.Condition()
        self.window, self.first_window, self.calls = 65535, 65535, {}

    def frame(self, kind, flags, stream, payload=b""):
        with self.lock:
            self.socket.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
                                struct.pack(">I", stream) + payload)

    def send_data(self, call, data):
        view = memoryview(data)
        while len(view):
            with self.room:
                size = min(len(view), 16384, self.window, call.window)
                if call.is_gone:
                    raise BrokenPipeError
                if size <= 0:
                    self.room.wait(5)
                    continue
                self.window, call.window = self.window - size, call.window - size
            self.frame(DATA, 0, call.stream, bytes(view[:size]))
            view = view[size:]

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        self.server.received += data
        return data

    def run(self):
        with contextlib.suppress(OSError):
            assert self._exactly(len(PREFACE)) == PREFACE
            settings = b"".join(struct.pack(">HI", *pair) for pair in self.server.settings.items())
            self.frame(SETTINGS, 0, 0, settings)
            self.frame(WINDOW, 0, 0, struct.pack(">I", 1 << 28))
            while True:
                head = self._exactly(9)
                payload = self._exactly(int.from_bytes(head[:3], "big"))
                self._take(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        with self.room:
            for call in self.calls.values():
                call.is_gone = True
                call.incoming.put(None)
            self.room.notify_all()
        self.socket.close()

    def _take(self, kind, flags, stream, payload):
        call = self.calls.get(stream)
        if kind == SETTINGS and not flags & 1:
            self._settings(payload)
            self.frame(SETTINGS, 1, 0)
        elif kind == PING and not flags & 1 and self.server.answers_pings:
            self.frame(PING, 1, 0, payload)
        elif kind == WINDOW:
            with self.room:
                size = struct.unpack(">I", payload)[0]
                if stream == 0:
                    self.window += size
                elif call:
                    call.window += size
                self.room.notify_all()
        elif kind == HEADERS:
            assert flags & 4, "headers in several frames"
            self._begin(stream, payload)
        elif kind == DATA and call:
            self._data(call, flags, payload)
        elif kind == RST and call:
            with self.room:
                call.is_gone = True
                self.room.notify_all()
            call.incoming.put(None)

    def _settings(self, payload):
        for at in range(0, len(payload), 6):
            key, value = struct.unpack(">HI", payload[at:at + 6])
            if key == 4:
                with self.room:
                    for call in self.calls.values():
                        call.window += value - self.first_window
                    self.first_window = value
                    self.room.notify_all()

    def _begin(self, stream, block):
        call = self.calls[stream] = Call(self, stream, read_headers(block))
        self.server.calls.append(call)
        threading.Thread(target=self._answer, args=(call,), daemon=True).start()

    def _answer(self, call):
        with contextlib.suppress(OSError):
            self.server.answer(call)

    def _data(self, call, flags, payload):
        if payload:
            call.incoming.put(payload)
            if self.server.takes_more:
                for stream in (0, call.stream):
                    self.frame(WINDOW, 0, stream, struct.pack(">I", len(payload)))
        if flags & 1:
            call.incoming.put(None)


class RawFlight:
    """`answer(call)` runs in a thread of its own. `received`: all bytes, of every connection."""

    def __init__(self, answer, tls=None, host="127.0.0.1"):
        self.answer, self.tls, self.calls, self.connections = answer, tls, [], 0
        if tls:
            tls.set_alpn_protocols(["h2"])
        self.settings = {1: 0, 4: 1 << 20}  # no header table; a window of 1 MiB
        self.answers_pings = self.takes_more = True
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host
                                             else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.open, self.received = [], bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, key="app/session/object", scheme="grpc", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}/{key}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                self.open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.append(connection)  # the other one has nothing any more
            Connection(self, connection).run()

    def hang_up(self):
        """Close all connections that there are."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()
