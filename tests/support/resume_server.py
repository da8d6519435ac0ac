# SPDX-License-Identifier: Apache-2.0
"""A server of one object that knows ranges, changes its mind, breaks off where it is told to, and
remembers what it was asked and what it has sent."""
import threading
import time

from support.scripted_server import ScriptedServer

PIECE = 1 << 16


class Request:
    """What one client asked for, and how much of a body it was sent."""

    def __init__(self, text):
        line, *lines = text.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        self.line = line
        self.fields = dict(each.lower().split(": ", 1) for each in lines)
        self.range, self.if_range = self.fields.get("range"), self.fields.get("if-range")
        self.offset = int(self.range.split("=")[1].split("-")[0]) if self.range else None
        self.sent = 0

    def __repr__(self):
        return f"<{self.line!r} range={self.range} if-range={self.if_range} sent={self.sent}>"


class ResumeServer(ScriptedServer):
    """`script`: for each request to come, what happens to it: None (nothing special), bytes (the
    whole answer), a function of (server, request, connection) as in ScriptedServer, or one made by
    cut() or stop(). Behind its end `then` counts for every request."""

    def __init__(self, body=b"", *headers, script=(), then=None, **options):
        self.lock, self.asked, self.script, self.then = threading.Lock(), [], list(script), then
        self.serves_ranges, self.keeps_if_range = True, True
        self.piece, self.pause = PIECE, 0
        self.become(body, *headers)
        super().__init__(self._decide, **options)

    def become(self, body, *headers):
        """From now on there is another version."""
        self.version = (body, headers)

    @property
    def sent_in_all(self):
        return sum(request.sent for request in self.asked)

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < end, f"it did not come so far: {self.asked}"
            time.sleep(0.005)

    def _decide(self, text, connection):
        request = Request(text)
        with self.lock:
            self.asked.append(request)
            step = self.script.pop(0) if self.script else self.then
        if callable(step):
            return step(self, request, connection)
        return step if step is not None else self.serve(request, connection)

    def head(self, request, headers=()):
        """The answer's head and the bytes behind it, as a proper server has them."""
        body, own = self.version
        names = [each.lower().partition(":")[0] for each in headers]
        headers = [each for each in own if each.lower().partition(":")[0] not in names] + [
            each for each in headers if each.partition(":")[2]]
        is_same = request.if_range is None or not self.keeps_if_range or (
            request.if_range in [each.lower().partition(": ")[2] for each in own])
        if request.offset is None or not self.serves_ranges or not is_same:
            return make_head("200 OK", len(body), *headers), body
        if request.offset >= len(body):
            return answer("416 Range Not Satisfiable", f"Content-Range: bytes */{len(body)}"), b""
        last = request.range.partition("-")[2]
        last = min(int(last), len(body) - 1) if last else len(body) - 1
        part = memoryview(body)[request.offset:last + 1]
        return make_head("206 Partial Content", len(part), *headers,
                    f"Content-Range: bytes {request.offset}-{last}/{len(body)}"), part

    def serve(self, request, connection, size=None, headers=()):
        """The whole answer, or `size` bytes of its body; a header without a value goes."""
        start, part = self.head(request, headers)
        self.send(request, connection, start, part if size is None else part[:size])

    def send(self, request, connection, start, part):
        connection.sendall(start)
        for at in range(0, len(part), self.piece):
            piece = part[at:at + self.piece]
            connection.sendall(piece)
            request.sent += len(piece)
            if self.pause:
                time.sleep(self.pause)


def make_head(status, length, *headers):
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "",
                        ""]).encode()


def cut(size, reset=False):
    """Breaks off behind `size` bytes of the body."""
    def step(server, request, connection):
        server.serve(request, connection, size)
        return server.RESET if reset else None
    return step


def stop(size):
    """Goes silent behind `size` bytes of the body."""
    def step(server, request, connection):
        server.serve(request, connection, size)
        server.hold()
    return step


def answer(status, *headers, body=b""):
    return make_head(status, len(body), *headers) + body
