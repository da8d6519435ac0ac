# SPDX-License-Identifier: Apache-2.0
"""Caches and clients that end with the test; a cache has to end cleanly."""
import pytest

from devcache.cache import Cache, Client, Raw


@pytest.fixture
def cache():
    """Start caches: cache(argument, ...) -> Cache."""
    running = []

    def start(*arguments):
        running.append(Cache(*arguments))
        return running[-1]

    yield start
    try:
        for one in running:
            one.close()
    finally:
        for one in running:
            if one.process.returncode is None:
                one.kill()


@pytest.fixture
def client():
    """Connect with pyarrow: client(cache, options) -> Client."""
    connected = []

    def connect(to, **options):
        connected.append(Client(to.url, **options))
        return connected[-1]

    yield connect
    for one in connected:
        one.close()


@pytest.fixture
def raw():
    """Call by bytes: raw(cache) -> Raw."""
    connected = []

    def connect(to):
        connected.append(Raw(to.port))
        return connected[-1]

    yield connect
    for one in connected:
        one.close()
