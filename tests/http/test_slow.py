# SPDX-License-Identifier: Apache-2.0
"""Nobody keeps us waiting for ever: each phase has its clock, and a fault of the network is told by
its name."""
import socket

import pytest

from support.program import SANITIZE
from support.scripted_server import response, slowly

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
SLACK = 3 if SANITIZE else 1.5
pytestmark = pytest.mark.usefixtures("one_try")


def timed_out(outcome, within):
    outcome.failed("TIMEOUT")
    assert outcome.seconds < within + SLACK, f"{outcome.seconds:.1f} s"


def test_62_a_refused_connection_is_told_at_once(fetch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fetch(f"http://127.0.0.1:{port}/").failed("CONNECT")


def test_62_a_peer_that_never_answers_is_given_up(fetch):
    """A listener whose backlog is full drops every SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        url = "http://127.0.0.1:%d/" % listener.getsockname()[1]
        timed_out(fetch("--connect-timeout", "1", url), 1)
        for each in full:
            each.close()


def test_62_a_name_that_nobody_has_is_told(fetch):
    fetch("http://no-such-host.invalid/").failed("RESOLVE")


def test_62_an_address_without_a_route_is_told(fetch):
    outcome = fetch("--connect-timeout", "2", "http://[2001:db8::1]/")
    assert outcome.code in (7, 28), outcome.stderr
    assert outcome.seconds < 2 + SLACK


def test_63_a_head_that_comes_byte_by_byte_has_the_first_byte_clock(fetch, serve):
    server = serve(slowly([b"HTTP/1.1 200 OK\r\nX: "] + [b"a"] * 100, 0.1))
    timed_out(fetch("--first-byte-timeout", "1", server.url()), 1)


def test_63_a_body_that_comes_byte_by_byte_is_under_the_rate_floor(fetch, serve):
    server = serve(slowly([HEAD] + [b"a"] * 100, 0.1))
    timed_out(fetch("--option", "rate.floor=1k", "--option", "rate.window=1s", server.url()), 2)


def test_63_a_slow_body_that_goes_on_is_no_stall(fetch, serve):
    body = b"a" * 20
    server = serve(slowly([response(body)[:-20]] + [b"a"] * 20, 0.1))
    fetch("--stall-timeout", "1", server.url()).succeeded(body)


def test_64_a_body_that_stops_is_a_stall(fetch, serve):
    def reply(_, connection):
        connection.sendall(HEAD + b"part")
        server.hold()
    server = serve(reply)
    timed_out(fetch("--stall-timeout", "1", server.url()), 1)


def test_64_a_peer_that_says_nothing_has_the_first_byte_clock(fetch, serve):
    server = serve(lambda *_: server.hold())
    timed_out(fetch("--first-byte-timeout", "1", server.url()), 1)


def test_the_total_clock_runs_whatever_happens(fetch, serve):
    server = serve(slowly([HEAD] + [b"a"] * 100, 0.1))
    timed_out(fetch("--max-time", "1", server.url()), 1)


@pytest.mark.parametrize("size", [0, 1, 9, 17, len(HEAD) - 1, len(HEAD), len(HEAD) + 1,
                                  len(HEAD) + 499])
def test_65_a_reset_at_any_place_is_a_network_failure(fetch, serve, size):
    def reply(_, connection):
        connection.sendall((HEAD + b"a" * 500)[:size])
        return server.RESET
    server = serve(reply)
    fetch(server.url()).failed("NETWORK")


def test_68_a_flipped_byte_is_a_digest_mismatch(fetch, serve):
    body = bytes(100)
    for change in (b"\1", body[:50] + b"\1" + body[51:], body[:-1], body + b"\0"):
        url = serve(response(change)).url()
        fetch("--checksum", "sha256:cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3",
              url).failed("DIGEST")


def test_69_a_server_that_asks_for_patience_is_told_as_such(fetch, serve):
    """Where nothing is tried again the answer is immediate, whatever Retry-After says."""
    busy = response(b"", "Retry-After: 999999999", status="503 Busy")
    outcome = fetch("--json", serve(busy).url())
    outcome.failed("BUSY")
    assert outcome.seconds < 5
