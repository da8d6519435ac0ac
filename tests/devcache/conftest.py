# SPDX-License-Identifier: Apache-2.0
"""Caches and clients that end with the test; a cache has to end cleanly."""
import contextlib

import pytest

from devcache.cache import Cache, Client, Raw


@pytest.fixture
def cache():
    """Start caches: cache(argument, ..., wrapper=(), NAME=value) -> Cache."""
    with contextlib.ExitStack() as running:
        yield lambda *arguments, **options: running.enter_context(Cache(*arguments, **options))


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
