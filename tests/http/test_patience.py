# SPDX-License-Identifier: Apache-2.0
"""Whatever is waited for, the wait has an end, and a cancel ends it at once: a peer, a pause,
a lock."""
import contextlib
import os
import random
import signal
import time

import pytest

from support.leftovers import Leftovers, wait_until
from support.program import SANITIZE, outcome_of
from support.resume_server import ResumeServer, answer, cut, stop

MIB = 1 << 20
BODY = random.Random(7).randbytes(16 * MIB + 77)
SOON = ("--option", "retry.delay=1ms")
SLACK = 3 if SANITIZE else 1


@pytest.fixture
def server():
    with ResumeServer(BODY, 'ETag: "v"') as made:
        yield made


def test_64_a_stalled_peer_is_given_up_in_time(fetch, server):
    server.then = stop(MIB)
    outcome = fetch("--option", "retry.attempts=1", "--stall-timeout", "1", server.url())
    assert outcome.code == 28, outcome.stderr
    assert 1 <= outcome.seconds < 2 + SLACK / 2


def test_a_stalled_peer_is_asked_again_for_the_rest(fetch, server):
    server.script = [stop(9 * MIB)]
    fetch(*SOON, "--stall-timeout", "1", server.url()).succeeded(BODY)
    assert server.asked[1].offset == 9 * MIB


def test_the_total_clock_ends_all_tries(fetch, server):
    server.then = answer("503 Busy", "Retry-After: 30")
    outcome = fetch("--max-time", "1", server.url())
    outcome.failed("TIMEOUT")
    assert 1 <= outcome.seconds < 1.5 + SLACK


def test_the_time_for_retries_has_an_end(fetch, server):
    server.then = answer("503 Busy")
    outcome = fetch("--option", "retry.max_time=1s", "--option", "retry.attempts=100", server.url())
    outcome.failed("BUSY")
    assert outcome.seconds < 1.5 + SLACK and 1 < len(server.asked) < 100


def ends_soon(child):
    """With one line; what a further run can go on from may be told in a second one."""
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    outcome = outcome_of(child)
    assert time.monotonic() - begin < 0.1 + SLACK / 2
    assert outcome.code == 130, outcome.stderr
    assert len(outcome.stderr.splitlines()) == (2 if "again" in outcome.stderr else 1)
    return outcome


def test_a_pause_can_be_cancelled(fetch, server):
    server.then = answer("503 Busy", "Retry-After: 30")
    child = fetch.start(server.url())
    server.wait_for(lambda _: server.asked)
    time.sleep(0.3)
    assert ends_soon(child).files == []


def test_a_pause_that_is_cancelled_keeps_what_came(fetch, server):
    server.script = [cut(9 * MIB), answer("503 Busy", "Retry-After: 30")]
    child = fetch.start(*SOON, server.url())
    server.wait_for(lambda _: len(server.asked) == 2)
    time.sleep(0.3)
    ends_soon(child)
    assert Leftovers(child.place).size() == 9 * MIB
    fetch(server.url(), place=child.place).succeeded(BODY)
    assert server.asked[-1].offset == 9 * MIB


# ---- a lock --------------------------------------------------------------------------------------

@contextlib.contextmanager
def held(left):
    fd = left.hold()
    try:
        yield
    finally:
        os.close(fd)


def test_waiting_for_a_lock_can_be_cancelled(fetch, server):
    left = Leftovers(fetch.new_place())
    with held(left):
        child = fetch.start(server.url(), place=left.place)
        wait_until(lambda: left.is_awaited_by(child))
        ends_soon(child)
    assert server.asked == [] and left.names() == [left.lock.name]


def test_waiting_for_a_lock_has_an_end(fetch, server):
    left = Leftovers(fetch.new_place())
    with held(left):
        outcome = fetch("--option", "time.lock=500ms", server.url(), place=left.place)
        assert outcome.code == 114 and len(outcome.stderr.splitlines()) == 1, outcome.stderr
        assert 0.5 <= outcome.seconds < 1 + SLACK and server.asked == []
    fetch(server.url(), place=left.place).succeeded(BODY)


def test_a_lock_that_is_let_go_is_taken(fetch, server):
    left = Leftovers(fetch.new_place())
    with held(left):
        child = fetch.start(server.url(), place=left.place)
        wait_until(lambda: left.is_awaited_by(child))
        assert server.asked == []
    outcome_of(child).succeeded(BODY)


def test_the_total_clock_runs_while_a_lock_is_waited_for(fetch, server):
    left = Leftovers(fetch.new_place())
    with held(left):
        outcome = fetch("--max-time", "1", server.url(), place=left.place)
        assert outcome.code == 28 and 1 <= outcome.seconds < 1.5 + SLACK, outcome.stderr
