# SPDX-License-Identifier: Apache-2.0
"""--retry and its clocks: how often, when, and what is told of it."""
import json
import signal

import pytest

from support.program import outcome_of
from support.scripted_server import response

HELLO = response(b"hello")
BUSY = response(b"", status="503 Busy")


@pytest.fixture
def failing(serve):
    """A server that fails so many times, then works: failing(times, failure)."""
    def start(times, failure=BUSY):
        return serve(lambda *_: failure if server_of[0].connections <= times else HELLO)

    server_of = []

    def begin(*arguments):
        server_of[:] = [start(*arguments)]
        return server_of[0]

    return begin


QUICK = ["--retry-delay", "1ms"]


def events_of(outcome, kind):
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    return [event for event in events if event["ev"] == kind]


def test_two_retries_are_the_default(fetch, failing):
    server = failing(2)
    fetch(*QUICK, server.url()).succeeded(b"hello")
    assert server.connections == 3
    fetch(*QUICK, failing(3).url()).failed("BUSY")


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_n_retries_are_n_more_requests(fetch, failing, retries):
    server = failing(retries)
    fetch("--retry", str(retries), *QUICK, server.url()).succeeded(b"hello")
    assert server.connections == retries + 1
    server = failing(99)
    fetch("--retry", str(retries), *QUICK, server.url()).failed("BUSY")
    assert server.connections == retries + 1


def test_a_cut_body_is_fetched_again(fetch, failing):
    server = failing(2, response(b"he", length=5))
    fetch(*QUICK, server.url()).succeeded(b"hello")
    assert server.connections == 3


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "400 Bad"])
def test_what_will_not_change_is_not_asked_again(fetch, failing, status):
    server = failing(99, response(b"", status=status))
    assert fetch("--retry", "5", *QUICK, server.url()).code != 0
    assert server.connections == 1


def test_stat_is_tried_again_too(fetch, failing):
    server = failing(1)
    assert fetch("stat", *QUICK, server.url(), output=None).code == 0
    assert server.connections == 2


def test_a_pause_is_no_longer_than_was_said_and_each_is_told(fetch, failing):
    server = failing(3)
    outcome = fetch("--json", "--retry", "3", "--retry-delay", "20ms", server.url())
    outcome.succeeded(b"hello")
    told = events_of(outcome, "retry")
    assert [event["attempt"] for event in told] == [2, 3, 4]
    assert all(event["wait_ms"] <= 20 << number for number, event in enumerate(told))
    assert all(event["to"] == server.url() and event["status"] == "BUSY" and event["reason"]
               for event in told)
    assert events_of(outcome, "done")[0]["num_retries"] == 3


@pytest.mark.parametrize("wish", ["31", "1000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_server_makes_us_wait_for_longer_than_thirty_seconds(fetch, failing, wish):
    server = failing(99, response(b"", f"Retry-After: {wish}", status="503 Busy"))
    child = fetch.start("--json", server.url())
    told = next(event for event in map(json.loads, child.stdout) if event["ev"] == "retry")
    child.send_signal(signal.SIGINT)
    assert outcome_of(child).code == 130
    assert 30_000 <= told["wait_ms"] <= 30_250 and server.connections == 1


def test_v_has_a_line_for_each_retry(fetch, failing):
    outcome = fetch("-v", *QUICK, failing(2).url())
    lines = [line for line in outcome.stderr.splitlines() if ": attempt " in line]
    assert outcome.code == 0 and len(lines) == 2, outcome.stderr
    assert all(line.startswith("flame-fetch: info: ") for line in lines)


def test_no_further_attempt_begins_after_the_time_for_retries(fetch, failing):
    server = failing(99, response(b"", "Retry-After: 5", status="503 Busy"))
    outcome = fetch("--retry-max-time", "1s", "--retry", "9", server.url())
    outcome.failed("BUSY")
    assert server.connections == 1 and outcome.seconds < 4


@pytest.mark.parametrize("arguments", [
    ["--retry", "-1"], ["--retry", "x"], ["--retry", "100"], ["--retry", ""], ["--retry", "1.5"],
    ["--retry-delay", "soon"], ["--retry-delay", "1h"], ["--retry-max-time", "x"]],
    ids=" ".join)
def test_a_wrong_number_is_told_before_anybody_is_asked(fetch, failing, arguments):
    server = failing(0)
    fetch(*arguments, server.url()).failed("INVALID")
    assert server.connections == 0


def test_config_shows_what_retry_means(fetch):
    outcome = fetch("config", "--retry", "4", "--retry-delay", "2s", output=None)
    shown = outcome.stdout.decode().splitlines()
    assert "retry.attempts = 5  (option)" in shown and "retry.delay = 2s  (option)" in shown
