# SPDX-License-Identifier: Apache-2.0
"""A failure that may pass is tried again, from where it broke off and no byte before, at a pace
that hurts nobody; one that will not pass is told at once."""
import hashlib
import os
import random
import signal
import socket
import time

import pytest

from support.leftovers import Leftovers
from support.program import SANITIZE, outcome_of
from support.resume_server import ResumeServer, answer, cut, stop
from support.scripted_server import redirect_to

MIB = 1 << 20
SIZE = 16 * MIB + 77
BODY = random.Random(7).randbytes(SIZE)
OTHER = random.Random(8).randbytes(SIZE)
STRONG, WEAK = 'ETag: "v"', 'ETag: W/"v"'
SUM = "sha256:" + hashlib.sha256(BODY).hexdigest()
SOON = ("--option", "retry.delay=1ms")
SIX = ("--option", "retry.attempts=6", *SOON)
OK = answer("200 OK", body=b"hello")
SLACK = 3 if SANITIZE else 1


@pytest.fixture
def server():
    with ResumeServer(BODY, STRONG) as made:
        yield made


@pytest.fixture
def dice():
    """Random places, which a failure prints."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    return random.Random(seed)


def random_cuts(dice, resets=True, size=SIZE):
    """Five parts that together are shorter than the body."""
    return [cut(dice.randrange(1, size // 6), resets and dice.random() < 0.5) for _ in range(5)]


# ---- going on ------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [(), ("--checksum", SUM)], ids=["etag", "etag-and-digest"])
@pytest.mark.parametrize("size", [SIZE, 5 * MIB], ids=["kept-by-name", "small"])
def test_a_body_that_is_cut_five_times_is_not_fetched_twice(fetch, server, dice, arguments, size):
    if size != SIZE:
        server.become(BODY[:size], STRONG)
        arguments = ()
    server.script = random_cuts(dice, resets=False, size=size)
    fetch(*SIX, *arguments, server.url()).succeeded(server.version[0])
    assert [request.offset is None for request in server.asked] == [True] + [False] * 5
    assert server.sent_in_all <= size + MIB, f"{server.sent_in_all - size} bytes twice"


def test_resets_lose_no_more_than_what_the_kernel_had(fetch, server, dice):
    """A reset discards what was not read yet; the next try goes on behind what was."""
    server.script = random_cuts(dice)
    fetch(*SIX, server.url()).succeeded(BODY)
    offsets = [request.offset or 0 for request in server.asked]
    assert offsets == sorted(offsets) and len(offsets) == 6


NO_PROOFS = pytest.mark.parametrize(
    "headers", [(), (WEAK,), ("Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT",)],
    ids=["nothing", "weak", "date"])


@NO_PROOFS
def test_a_digest_goes_on_without_a_strong_validator(fetch, server, dice, headers):
    server.become(BODY, *headers)
    server.script = [cut(dice.randrange(1, 3 * MIB)) for _ in range(5)]
    fetch(*SIX, "--checksum", SUM, server.url()).succeeded(BODY)
    assert all(request.offset for request in server.asked[1:])
    assert server.sent_in_all <= SIZE + MIB


@NO_PROOFS
def test_without_any_proof_each_try_begins_at_the_beginning(fetch, server, dice, headers):
    server.become(BODY, *headers)
    server.script = random_cuts(dice)
    fetch(*SIX, server.url()).succeeded(BODY)
    assert [request.range for request in server.asked] == [None] * 6
    server.script = [cut(MIB)] * 6
    fetch(*SIX, server.url()).failed("TRUNCATED")


def test_a_version_that_changes_between_two_tries_is_not_spliced(fetch, server):
    def become_other(server, request, connection):
        server.serve(request, connection, 9 * MIB)
        server.become(OTHER, 'ETag: "w"')

    server.script = [become_other]
    fetch(*SOON, server.url()).succeeded(OTHER)
    assert server.asked[1].if_range == '"v"' and len(server.asked) == 2


def test_the_tries_are_counted(fetch, server):
    server.then = cut(MIB)
    outcome = fetch(*SOON, server.url())
    assert outcome.code == 18 and len(server.asked) == 3, outcome.stderr
    outcome = fetch("--option", "retry.attempts=1", server.url())
    assert outcome.code == 18 and len(server.asked) == 4, outcome.stderr


def test_what_two_runs_and_their_tries_fetched_is_one_file(fetch, server):
    """A partial of a run that was cut for good, adopted by one that is cut as well."""
    server.script = [cut(4 * MIB), cut(5 * MIB), cut(3 * MIB), cut(1), cut(0)]
    outcome = fetch(*SOON, server.url())
    assert outcome.code == 18 and Leftovers(outcome.place).size() == 12 * MIB
    fetch(*SOON, server.url(), place=outcome.place).succeeded(BODY)
    assert server.sent_in_all == SIZE
    assert [request.offset for request in server.asked] == [
        None, 4 * MIB, 9 * MIB, 12 * MIB, 12 * MIB + 1, 12 * MIB + 1]


# ---- to a pipe -----------------------------------------------------------------------------------

def test_a_stream_goes_on_at_exactly_the_byte_where_it_broke_off(fetch, server, dice):
    server.script = [cut(dice.randrange(1, 3 * MIB)) for _ in range(5)]
    outcome = fetch(*SIX, server.url(), output="-")
    assert outcome.code == 0 and outcome.stdout == BODY, outcome.stderr
    assert server.sent_in_all == SIZE


@pytest.mark.parametrize("headers", [(), (WEAK,)], ids=["nothing", "weak"])
def test_a_stream_that_cannot_go_on_is_a_failure(fetch, server, headers):
    """What has left cannot be taken back."""
    server.become(BODY, *headers)
    server.script = [cut(3 * MIB)]
    outcome = fetch(*SOON, server.url(), output="-")
    assert outcome.code == 18 and len(outcome.stderr.splitlines()) == 1, outcome.stderr
    assert BODY.startswith(outcome.stdout) and len(server.asked) == 1


@pytest.mark.parametrize("body, etag", [(OTHER, 'ETag: "w"'), (BODY[:-1], STRONG)],
                         ids=["version", "size"])
def test_a_stream_is_never_gone_on_with_from_another_version(fetch, server, body, etag):
    def change(server, request, connection):
        server.serve(request, connection, 3 * MIB)
        server.become(body, etag)

    server.script = [change]
    outcome = fetch(*SOON, server.url(), output="-")
    assert outcome.code == 36 and len(outcome.stderr.splitlines()) == 1, outcome.stderr
    assert BODY.startswith(outcome.stdout)


def test_a_stream_is_checked_at_its_end(fetch, server):
    """No second try: the bytes have left."""
    outcome = fetch("--checksum", "sha256:" + "0" * 64, server.url(), output="-")
    assert outcome.code == 110 and len(server.asked) == 1 and outcome.stdout == BODY


def test_a_spooled_stream_begins_anew_without_anybody_seeing_it(fetch, server):
    server.become(BODY, WEAK)
    server.script = [cut(3 * MIB)]
    outcome = fetch(*SOON, "--spool", server.url(), output="-")
    assert outcome.code == 0 and outcome.stdout == BODY, outcome.stderr


# ---- the server's wishes -------------------------------------------------------------------------

def test_69_retry_after_is_obeyed(fetch, server):
    server.script = [answer("503 Busy", "Retry-After: 1")] * 2 + [OK]
    outcome = fetch(server.url())
    outcome.succeeded(b"hello")
    assert 2 <= outcome.seconds < 2.5 + SLACK and len(server.asked) == 3


def test_69_retry_after_may_be_a_date(fetch, server):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
    server.script = [answer("429 Slow down", f"Retry-After: {date}"), OK]
    outcome = fetch(server.url())
    outcome.succeeded(b"hello")
    assert 1.5 < outcome.seconds < 3.5 + SLACK


@pytest.mark.parametrize("wish", ["1000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_69_retry_after_is_capped(fetch, server, wish):
    """Not waited for at all where it does not fit into the time for retries."""
    server.then = answer("503 Busy", f"Retry-After: {wish}")
    outcome = fetch("--option", "retry.max_time=29s", server.url())
    outcome.failed("BUSY")
    assert outcome.seconds < SLACK and len(server.asked) == 1
    child = fetch.start("--option", "retry.max_time=31s", server.url())
    server.wait_for(lambda _: len(server.asked) == 2)
    time.sleep(0.5)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert outcome_of(child).code == 130


@pytest.mark.parametrize("wish", ["-1", "soon", "0", "", "1e9", "99999999999999999999999"])
def test_a_wish_that_makes_no_sense_is_none(fetch, server, wish):
    server.script = [answer("503 Busy", f"Retry-After: {wish}"), OK]
    if wish.isdigit() and wish != "0":
        fetch("--option", "retry.max_time=29s", server.url()).failed("BUSY")
    else:
        outcome = fetch(server.url())
        outcome.succeeded(b"hello")
        assert outcome.seconds < 1 + SLACK


@pytest.mark.parametrize("status", ["408 Timeout", "429 Slow", "500 Oops", "502 Bad", "503 Busy",
                                    "504 Late"])
def test_what_may_pass_is_tried_again(fetch, server, status):
    server.script = [answer(status), answer(status), OK]
    fetch(*SOON, server.url()).succeeded(b"hello")
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 No", "404 Not Found", "410 Gone",
                                    "405 No", "451 Law", "501 Cannot", "505 What"])
def test_what_will_not_pass_is_told_at_once(fetch, server, status):
    server.then = answer(status)
    outcome = fetch(*SOON, server.url())
    assert outcome.code in (22, 67, 78) and outcome.files == [], outcome.stderr
    assert len(server.asked) == 1


def test_pauses_grow_and_are_spread(fetch, server):
    """Full jitter: anything below 100, 200, 400 ... ms; 3.1 s at the very most, and not nothing."""
    server.then = answer("503 Busy")
    outcome = fetch("--option", "retry.attempts=6", "--option", "retry.delay=100ms", server.url())
    outcome.failed("BUSY")
    assert len(server.asked) == 6 and 0.1 < outcome.seconds < 3.1 + SLACK


# ---- the peer is not there -----------------------------------------------------------------------

def test_a_peer_that_comes_up_meanwhile_is_found(fetch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    child = fetch.start("--option", "retry.attempts=100", "--option", "retry.delay=20ms",
                        f"http://127.0.0.1:{port}/")
    time.sleep(0.5)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(OK)
        connection.close()
        outcome_of(child).succeeded(b"hello")


def test_what_is_down_for_good_is_told(fetch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fetch(*SOON, f"http://127.0.0.1:{port}/").failed("CONNECT")


def test_each_try_follows_the_redirects_anew(fetch, server):
    server.script = [redirect_to("/second"), cut(9 * MIB), redirect_to("/second")]
    fetch(*SOON, server.url("/first")).succeeded(BODY)
    assert [request.line.split()[1] for request in server.asked] == ["/first", "/second"] * 2
    assert [request.offset for request in server.asked[1::2]] == [None, 9 * MIB]
    assert server.sent_in_all == SIZE


def test_a_redirect_that_leads_elsewhere_the_second_time_is_not_spliced(fetch, server):
    server.script = [redirect_to("/old"), cut(9 * MIB)]
    with ResumeServer(OTHER, STRONG) as other:
        server.script.append(redirect_to(other.url("/new")))
        fetch(*SOON, server.url()).succeeded(OTHER)
        assert other.asked[-1].if_range is None
    server.script = [redirect_to("/old"), cut(9 * MIB), redirect_to("/new"),
                     lambda self, *ask: (self.become(OTHER, STRONG), self.serve(*ask))[1]]
    fetch(*SOON, server.url()).succeeded(OTHER)
    assert server.asked[-1].range is None


# ---- wrong bytes ---------------------------------------------------------------------------------

@pytest.mark.parametrize("headers", [(), (STRONG,)])
def test_a_wrong_digest_is_asked_for_once_more_past_all_caches(fetch, server, headers):
    server.become(OTHER, *headers)
    fetch(*SOON, "--checksum", SUM, server.url()).failed("DIGEST")
    assert [request.fields.get("cache-control") for request in server.asked] == [None, "no-cache"]
    assert [request.range for request in server.asked] == [None, None]


def test_a_poisoned_cache_is_passed_by(fetch, server):
    def cached(server, request, connection):
        server.become(BODY if "cache-control" in request.fields else OTHER, STRONG)
        server.serve(request, connection)

    server.then = cached
    fetch(*SOON, "--checksum", SUM, server.url()).succeeded(BODY)
    assert len(server.asked) == 2
