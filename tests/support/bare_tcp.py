# SPDX-License-Identifier: Apache-2.0
"""A server that accepts, for tests that say every byte themselves."""
import contextlib
import socket
import threading


@contextlib.contextmanager
def listener(serve, host="127.0.0.1"):
    """A server of bare TCP: serve(connection) in a thread each."""
    with socket.create_server((host, 0)) as server:
        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=run, args=(connection,), daemon=True).start()

        def run(connection):
            with contextlib.suppress(OSError):
                serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield f"grpc://127.0.0.1:{server.getsockname()[1]}/app/session/object"
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
