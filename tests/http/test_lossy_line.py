# SPDX-License-Identifier: Apache-2.0
"""A line that loses packets, or is gone for a while, costs time and nothing else."""
import random
import threading
import time

import pytest

from support.lossy_line import LossyLine
from support.program import outcome_of
from support.scripted_server import ScriptedServer, response

BYTES = random.Random(5).randbytes(200_000)
pytestmark = pytest.mark.usefixtures("one_try")


@pytest.fixture
def line():
    made = LossyLine()
    yield made
    made.close()


def served(line, reply):
    with line.at(line.server):
        return ScriptedServer(reply, host=line.SERVER)


def test_66_a_line_that_loses_a_fifth_of_all_packets_delivers(fetch, line):
    line.loss = 0.2
    with served(line, response(BYTES)) as server, line.at(line.client):
        fetch(server.url()).succeeded(BYTES)
    assert line.lost > 10


def test_67_a_line_that_is_down_for_two_seconds_delivers(fetch, line):
    half, go_on = threading.Event(), threading.Event()

    def reply(_, connection):
        whole = response(BYTES)
        connection.sendall(whole[:100_000])
        half.set()
        go_on.wait(30)
        connection.sendall(whole[100_000:])

    with served(line, reply) as server:
        with line.at(line.client):
            child = fetch.start(server.url())
        assert half.wait(30)
        line.is_down.set()
        go_on.set()
        time.sleep(2)
        assert child.poll() is None
        line.is_down.clear()
        outcome_of(child).succeeded(BYTES)
    assert line.lost > 0


def test_67_a_line_that_stays_down_is_a_stall(fetch, line):
    half = threading.Event()

    def reply(_, connection):
        connection.sendall(response(BYTES)[:100_000])
        half.set()
        time.sleep(0.3)
        line.is_down.set()
        server.hold()

    with served(line, reply) as server:
        with line.at(line.client):
            outcome = fetch("--stall-timeout", "1", server.url())
        assert half.is_set()
    outcome.failed("TIMEOUT")


def test_62_a_peer_that_swallows_everything_is_given_up(fetch, line):
    line.is_down.set()
    with line.at(line.client):
        outcome = fetch("--connect-timeout", "1", f"http://{line.SERVER}/")
    outcome.failed("TIMEOUT")
    assert outcome.seconds < 5


def test_62_a_host_that_the_line_does_not_lead_to_is_told(fetch, line):
    with line.at(line.client):
        fetch("http://10.99.0.1/").failed("CONNECT")
