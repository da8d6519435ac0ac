# SPDX-License-Identifier: Apache-2.0
"""A body in several parts at once is still one version, whatever becomes of its parts."""
import os
import random
import signal
import threading

import pytest

from support.leftovers import Leftovers
from support.program import outcome_of
from support.resume_server import ResumeServer, stop

MIB = 1 << 20
SIZE = 16 * MIB + 77
BODY, OTHER = (random.Random(seed).randbytes(SIZE) for seed in (7, 8))
PARTS = ("--option", "parts.connections=4", "--option", "parts.min_size=1M", "--option",
         "retry.delay=1ms")


@pytest.fixture
def server():
    with ResumeServer(BODY, 'ETag: "v"') as made:
        yield made


@pytest.fixture
def dice():
    """Random places, which a failure prints."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    return random.Random(seed)


def test_parts_that_are_cut_are_one_file(fetch, server, dice):
    chance = threading.Lock()

    def unsteady(server, request, connection):
        with chance:
            size = dice.randrange(2 * MIB) if dice.random() < 0.3 else None
        return server.serve(request, connection, size)

    server.then = unsteady
    fetch(*PARTS, "--option", "retry.attempts=20", server.url()).succeeded(BODY)
    assert all(request.if_range == '"v"' for request in server.asked if request.offset)


def test_parts_of_a_version_that_changes_are_dropped(fetch, server):
    def change(server, request, connection):
        if request.offset:
            server.become(OTHER, 'ETag: "w"')
        return server.serve(request, connection)

    server.then = change
    fetch(*PARTS, server.url()).succeeded(OTHER)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "cancelled"])
def test_parts_leave_no_hole_for_the_next_run(fetch, server, end):
    """Every other part stands still: behind the first of them nothing counts."""
    chance, count = threading.Lock(), [0]

    def every_other(server, request, connection):
        with chance:
            count[0] += 1
            is_odd = count[0] % 2
        return server.serve(request, connection) if is_odd else stop(1000)(server, request, connection)

    server.then = every_other
    child = fetch.start(*PARTS, server.url())
    server.wait_for(lambda _: len(server.asked) >= 6)
    Leftovers(child.place).wait_for(2 * MIB)
    child.send_signal(end)
    outcome_of(child)
    server.then = None
    fetch(server.url(), place=child.place).succeeded(BODY)


@pytest.mark.parametrize("headers", [(), ('ETag: W/"v"',)], ids=["nothing", "weak"])
def test_parts_of_what_has_no_strong_validator_are_not_made(fetch, server, headers):
    server.become(BODY, *headers)
    fetch(*PARTS, server.url()).succeeded(BODY)
    assert server.asked[-1].sent == SIZE


def test_a_server_without_ranges_sends_the_whole_in_one(fetch, server):
    server.serves_ranges = False
    fetch(*PARTS, server.url()).succeeded(BODY)
    assert len(server.asked) == 1


def test_parts_go_on_where_an_earlier_run_was_killed(fetch, server):
    server.script = [stop(9 * MIB)]
    child = fetch.start(server.url())
    left = Leftovers(child.place)
    left.wait_for(8 * MIB)
    child.kill()
    outcome_of(child)
    size = left.size()
    fetch(*PARTS, server.url(), place=left.place).succeeded(BODY)
    assert min(request.offset for request in server.asked[1:]) == size
    assert sum(request.sent for request in server.asked[1:]) < SIZE - size + MIB


def test_a_part_of_another_length_or_place_is_refused(fetch, server):
    """The rest comes in one then, and the bytes that were wrong are not in it."""
    def shift(server, request, connection):
        if request.offset and request.offset % 2 == 0 and request.offset > 3 * MIB:
            request.offset += 1
        return server.serve(request, connection)

    server.then = shift
    outcome = fetch(*PARTS, server.url())
    assert outcome.code == 0 and outcome.body == BODY or outcome.code in (8, 36), outcome.stderr
    assert outcome.code == 0 or "out" not in outcome.files
