# SPDX-License-Identifier: Apache-2.0
"""Caches and clients that end with the test; a cache has to end cleanly."""
import contextlib

import pytest

from devcache.cache import Cache, Client, Raw
from support.starting import starting


@pytest.fixture
def cache():
    """Start caches: cache(argument, ..., wrapper=(), NAME=value) -> Cache."""
    with contextlib.ExitStack() as running:
        yield lambda *arguments, **options: running.enter_context(Cache(*arguments, **options))


@pytest.fixture
def client():
    """Connect with pyarrow: client(cache, options) -> Client."""
    with starting(lambda to, **options: Client(to.url, **options)) as connect:
        yield connect


@pytest.fixture
def raw():
    """Call by bytes: raw(cache) -> Raw."""
    with starting(lambda to: Raw(to.port)) as connect:
        yield connect
