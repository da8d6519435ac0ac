# SPDX-License-Identifier: Apache-2.0
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
