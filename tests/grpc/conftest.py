# SPDX-License-Identifier: Apache-2.0
import contextlib
import socket

import pytest

from flight.driver import encode
from support.flight_cache import start_cache
from support.raw_flight import RawFlight, messages
from support.starting import starting


@pytest.fixture
def cache():
    """An object cache on pyarrow."""
    server = start_cache()
    yield server
    server.shutdown()


@pytest.fixture
def raw():
    """Start servers that say what they are told: raw(answer)."""
    with starting(RawFlight) as start:
        yield start


@pytest.fixture
def frames(tmp_path):
    """A schema and three rows of 1000 bytes, a message each."""
    return list(messages(encode(bytes(3000), tmp_path, "none", 1000, 1, "kind")))


@pytest.fixture
def full_queue():
    """The URL of a place that answers no connection: its queue is full, so that the kernel drops
    what comes."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"grpc://127.0.0.1:{full.getsockname()[1]}/a/b/c"
