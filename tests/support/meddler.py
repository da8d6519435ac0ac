# SPDX-License-Identifier: Apache-2.0
"""A line on which somebody changes one byte of what the server says."""
import contextlib
import socket
import threading

CHANGES = {
    "flip": lambda byte: bytes([byte[0] ^ 1]),
    "double": lambda byte: byte * 2,
    "drop": lambda byte: b"",
}


class Meddler:
    """Listens in place of `port`; the byte at `offset` of each answer is changed."""

    def __init__(self, port, change, offset):
        self.target, self.change, self.offset = port, CHANGES[change], offset
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.target))
                for source, sink, meddles in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=(source, sink, meddles),
                                     daemon=True).start()

    def _carry(self, source, sink, meddles):
        position = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                at = self.offset - position
                position += len(data)
                if meddles and 0 <= at < len(data):
                    data = data[:at] + self.change(data[at:at + 1]) + data[at + 1:]
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
