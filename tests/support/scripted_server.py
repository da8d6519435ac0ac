# SPDX-License-Identifier: Apache-2.0
"""A server that sends exactly the bytes it was told to: what no proper server would say."""
import contextlib
import socket
import ssl
import struct
import threading
import time


class ScriptedServer:
    """`reply` is the bytes of the answer, or a function of (request, connection) that returns them,
    or None once it has sent what it wanted. One request for each connection, then it is closed in
    order; `reset` as return value closes it with a RST."""

    RESET = object()

    def __init__(self, reply, tls=None, host="127.0.0.1"):
        self.reply, self.tls, self.host = reply, tls, host
        self.requests, self.connections = [], 0
        self.is_over = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def url(self, path="/x", scheme=None, host=None):
        host = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{scheme or ('https' if self.tls else 'http')}://{host}:{self.port}{path}"

    @property
    def sent(self):
        """All that clients have sent."""
        return b"".join(self.requests)

    def close(self):
        self.is_over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def hold(self, seconds=30):
        """Say nothing until the test is over."""
        self.is_over.wait(seconds)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):  # the client may leave when it likes
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True,
                                                  do_handshake_on_connect=False)
            if self._shake_hands(connection):
                self._answer(connection)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            while connection.recv(65536):
                pass
        connection.close()

    def _shake_hands(self, connection):
        """Whoever is refused shall be able to read the alert: no reset."""
        try:
            if self.tls:
                connection.do_handshake()
            return True
        except ssl.SSLError:
            return False

    def _answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return
            request += more
        self.requests.append(request)
        reply = self.reply(request, connection) if callable(self.reply) else self.reply
        if reply is self.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        elif reply:
            connection.sendall(reply)


def response(body=b"", *headers, status="200 OK", length=None):
    """A well-formed answer, but for `length`."""
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect_to(location, status="302 Found"):
    return response(b"", f"Location: {location}", status=status)


def slowly(pieces, seconds):
    """A reply that sends one piece each `seconds`."""
    def reply(_, connection):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(seconds)
    return reply
