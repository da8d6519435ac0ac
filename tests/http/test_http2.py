# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 (RFC 9113) as no proper server speaks it: what a stream's end proves, and what it does
not. The server is written here, frame by frame."""
import contextlib
import socket
import struct
import threading

import pytest

from support.starting import starting

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
pytestmark = pytest.mark.usefixtures("one_try")
STATUS_200, CONTENT_LENGTH = b"\x88", b"\x0f\x0d"  # HPACK (RFC 7541, appendix A: 8 and 28)


def frame(kind, flags=0, stream=1, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def head(length=None, flags=END_HEADERS):
    block = STATUS_200
    if length is not None:
        block += CONTENT_LENGTH + bytes([len(str(length))]) + str(length).encode()
    return frame(HEADERS, flags, payload=block)


def data(body, flags=0):
    return frame(DATA, flags, payload=body)


class Http2Server:
    """Sends `script` once the request's head has come; keeps the connection if `stays`."""

    def __init__(self, script, stays):
        self.script, self.stays = script, stays
        self.requests = 0
        self.is_over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/x" % self.listener.getsockname()[1]

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            connection.sendall(frame(SETTINGS, stream=0))
            stream.read(len(PREFACE))
            while True:
                start = stream.read(9)
                if len(start) < 9:
                    return
                stream.read(int.from_bytes(start[:3], "big"))
                if start[3] == HEADERS:
                    self.requests += 1
                    connection.sendall(frame(SETTINGS, ACK, 0) + self.script)
                    if not self.stays:
                        connection.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


@pytest.fixture
def answered(fetch):
    with starting(Http2Server) as start:
        def run(script, *arguments, stays=True):
            server = start(script, stays)
            outcome = fetch("--http2", *arguments, server.url)
            assert server.requests >= 1
            return outcome

        yield run


def reset(code):
    return frame(RST_STREAM, payload=struct.pack(">I", code))


def goaway(code, last=1):
    return frame(GOAWAY, stream=0, payload=struct.pack(">II", last, code))


def test_the_end_of_a_stream_proves_its_body(answered):
    answered(head() + data(b"hello", END_STREAM)).succeeded(b"hello")
    answered(head(5) + data(b"hel") + data(b"lo") + data(b"", END_STREAM)).succeeded(b"hello")
    answered(head(0, END_HEADERS | END_STREAM)).succeeded(b"")


@pytest.mark.parametrize("script", [
    head(9) + data(b"hello", END_STREAM),
    head(9) + data(b"hello") + reset(2),
    head() + data(b"hello") + reset(2),
    head() + data(b"hello") + reset(0),
    head(9) + reset(8),
    reset(1),
    head(9) + data(b"hello") + goaway(2, 0),
], ids=["short", "reset", "reset-unsized", "reset-without-error", "reset-at-once", "no-head",
        "goaway-before-us"])
def test_45_a_stream_that_ends_early_is_truncated(answered, script):
    answered(script, stays=False).failed("TRUNCATED")
    answered(script, "--first-byte-timeout", "5").failed("TRUNCATED")


@pytest.mark.parametrize("script", [head(9) + data(b"hello"), head() + data(b"hello"), head(9),
                                    head(9) + data(b"hello") + goaway(0)],
                         ids=["sized", "unsized", "head-only", "goaway"])
def test_45_a_connection_that_ends_early_is_truncated(answered, script):
    answered(script, stays=False).failed("TRUNCATED")


def test_45_a_body_longer_than_it_was_said_is_refused(answered):
    answered(head(3) + data(b"hello", END_STREAM), stays=False).failed("TRUNCATED")


def test_45_a_stream_that_goes_on_after_goaway_is_complete(answered):
    answered(head(5) + data(b"he") + goaway(0) + data(b"llo", END_STREAM)).succeeded(b"hello")


@pytest.mark.parametrize("script", [head(9), head(9) + data(b"hello"), b""],
                         ids=["no-data", "some-data", "nothing"])
def test_45_a_stream_that_stands_still_is_a_stall(answered, script):
    outcome = answered(script, "--stall-timeout", "1", "--first-byte-timeout", "1")
    outcome.failed("TIMEOUT")
    assert outcome.seconds < 5


@pytest.mark.parametrize("script", [
    frame(HEADERS, END_HEADERS, payload=b"\xff" * 40),
    frame(DATA, 0, 1, b"before any head"),
    frame(DATA, 0, 77, b"nobody's stream"),
    struct.pack(">I", 1 << 20)[1:] + b"\0\0\0\0\0\1" + bytes(1 << 20),
    frame(HEADERS, END_HEADERS, payload=STATUS_200 + b"\x00\x01\x00\x01x"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
], ids=["hpack", "data-first", "stream", "frame-size", "header-name", "http1"])
def test_45_frames_that_break_the_protocol_are_refused(answered, script):
    outcome = answered(script, stays=False)
    assert outcome.code in (8, 18, 56), outcome.stderr
    assert outcome.files == [] and len(outcome.stderr.splitlines()) == 1
