# SPDX-License-Identifier: Apache-2.0
"""What the tests of the built program share."""
import threading

import pytest

from support.certificates import Certificates
from support.nginx import Nginx
from support.program import Program
from support.scripted_server import ScriptedServer
from support.starting import starting


@pytest.fixture
def fetch(tmp_path):
    """Run flame-fetch: fetch(argument, ...) -> Outcome."""
    return Program(tmp_path)


@pytest.fixture
def one_try(fetch):
    """What is judged is a single failure: nothing is tried again."""
    fetch.try_once()


@pytest.fixture
def serve():
    """Start scripted servers that end with the test: serve(reply, tls=None)."""
    with starting(ScriptedServer) as start:
        yield start


@pytest.fixture
def silent(serve):
    """A server that hears requests and answers none; the first sets its `asked`."""
    def reply(*_):
        server.asked.set()
        server.hold()

    server = serve(reply)
    server.asked = threading.Event()
    return server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory, certificates):
    server = Nginx(tmp_path_factory.mktemp("nginx"), certificates)
    yield server
    server.close()
