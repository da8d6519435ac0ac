# SPDX-License-Identifier: Apache-2.0
"""What came before a kill, a cancel or a cut is gone on from, and only from: never a splice of two
versions, whatever the server says about the second half."""
import hashlib
import os
import random
import signal

import pytest

from support.leftovers import Leftovers
from support.program import outcome_of
from support.resume_server import ResumeServer, answer, make_head, stop

MIB = 1 << 20
SIZE = 16 * MIB + 321
HALF = 10 * MIB + 12345
V1, V2 = (random.Random(seed).randbytes(SIZE) for seed in (1, 2))
ETAG1, ETAG2 = 'ETag: "v1"', 'ETag: "v2"'
KINDS = {
    "strong": ((ETAG1,), (ETAG2,)),
    "weak": (('ETag: W/"v1"',), ('ETag: W/"v2"',)),
    "weak-that-stays": (('ETag: W/"v"',), ('ETag: W/"v"',)),
    "date": (("Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT",),
             ("Last-Modified: Tue, 15 Nov 1994 12:45:27 GMT",)),
    "date-that-stays": (("Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT",),) * 2,
    "none": ((), ()),
}
ENDS = pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "cancelled"])
ONCE = ("--option", "retry.attempts=1")


def checksum(body):
    return "--checksum", "sha256:" + hashlib.sha256(body).hexdigest()


@pytest.fixture
def server():
    with ResumeServer(V1, ETAG1) as made:
        yield made


@pytest.fixture
def half(fetch):
    """half(server, ...) -> what is left of a download that was ended in its middle."""
    def begin(server, *arguments, end=signal.SIGKILL, kept=True, url=None, size=HALF):
        server.script.insert(0, stop(size))
        before = len(server.asked)
        child = fetch.start(*arguments, url or server.url())
        left = Leftovers(child.place)
        server.wait_for(lambda _: len(server.asked) > before and server.asked[-1].sent == size)
        if kept:
            left.wait_for(size // MIB * MIB)
        child.send_signal(end)
        outcome = outcome_of(child)
        assert outcome.code == {signal.SIGKILL: -9, signal.SIGINT: 130}[end], outcome.stderr
        assert left.part.exists() == left.state.exists() == kept, left.names()
        assert left.lock.exists() == (end == signal.SIGKILL), left.names()
        assert "out" not in outcome.files
        return left
    return begin


def went_on(server, fetch, left, *arguments, body=V1, url=None):
    """The next run takes what is there, and asks for the rest only."""
    size, before = left.size(), len(server.asked)
    fetch(*arguments, url or server.url(), place=left.place).succeeded(body)
    assert [request.offset for request in server.asked[before:]] == [size]
    assert server.asked[-1].sent == SIZE - size


def began_anew(server, fetch, left, *arguments, body=V2, url=None):
    """The next run may try to go on, but ends with nothing but the new bytes."""
    fetch(*arguments, url or server.url(), place=left.place).succeeded(body)
    assert server.asked[-1].sent == SIZE


# ---- the same version ----------------------------------------------------------------------------

@ENDS
def test_a_strong_validator_makes_the_next_run_fetch_the_rest_only(fetch, server, half, end):
    left = half(server, end=end)
    assert left.size() == HALF or (end == signal.SIGKILL and HALF - left.size() < MIB)
    went_on(server, fetch, left)
    assert server.asked[-1].if_range == '"v1"'


@ENDS
@pytest.mark.parametrize("kind", ["none", "weak", "date"])
def test_a_digest_makes_the_next_run_fetch_the_rest_only(fetch, server, half, end, kind):
    server.become(V1, *KINDS[kind][0])
    left = half(server, *checksum(V1), end=end)
    went_on(server, fetch, left, *checksum(V1))
    assert server.asked[-1].if_range is None


def test_a_run_can_be_ended_again_and_again(fetch, server, half):
    left = half(server, size=9 * MIB)
    for size in (2 * MIB, 3 * MIB + 17):
        at = left.size()
        server.script.insert(0, stop(size))
        child = fetch.start(server.url(), place=left.place)
        left.wait_for((at + size) - MIB)
        child.send_signal(signal.SIGKILL)
        outcome_of(child)
        assert server.asked[-1].offset == at
    went_on(server, fetch, left)


def test_a_digest_known_later_is_of_the_whole_file(fetch, server, half):
    went_on(server, fetch, half(server), *checksum(V1))


def test_a_digest_that_is_known_no_more_does_not_hinder(fetch, server, half):
    went_on(server, fetch, half(server, *checksum(V1)))


def test_an_old_file_stays_until_the_new_one_is_whole(fetch, server, half):
    left = half(server)
    (left.place / "out").write_bytes(b"an older file")
    went_on(server, fetch, left)


def test_what_is_whole_already_is_proven_by_its_last_byte(fetch, server, half):
    left = half(server, size=SIZE - 1)
    with open(left.part, "ab") as part:
        part.write(V1[left.size():])
    fetch(server.url(), place=left.place).succeeded(V1)
    assert (server.asked[-1].offset, server.asked[-1].sent) == (SIZE - 1, 1)


def test_small_bodies_leave_nothing(fetch, server, half):
    server.become(V1[:8 * MIB - 1], ETAG1)
    left = half(server, kept=False, size=7 * MIB, end=signal.SIGINT)
    assert left.names() == []


# ---- another version -----------------------------------------------------------------------------

@ENDS
@pytest.mark.parametrize("kind", KINDS)
def test_another_version_is_fetched_whole(fetch, server, half, end, kind):
    old, new = KINDS[kind]
    server.become(V1, *old)
    left = half(server, end=end, kept=kind == "strong")
    server.become(V2, *new)
    began_anew(server, fetch, left)
    assert server.asked[-1].if_range == ('"v1"' if kind == "strong" else None)
    assert len(server.asked) == 2


@pytest.mark.parametrize("size", [0, 1, HALF - MIB, HALF + MIB, 2 * SIZE])
def test_another_version_of_another_size_is_fetched_whole(fetch, server, half, size):
    left = half(server)
    body = (V2 + V2)[:size]
    server.become(body, ETAG2)
    fetch(server.url(), place=left.place).succeeded(body)
    assert len(server.asked) == 2


def send_as(*headers, body=V2, first=None, status="206 Partial Content", total=SIZE):
    """An answer to a ranged request that says `headers` and sends `body` from `first` on; {first},
    {last} and {size} are what would be right."""
    def step(server, request, connection):
        at = request.offset if first is None else request.offset + first
        part = body[at:]
        lines = [each.format(first=at, last=len(body) - 1, size=total) for each in headers]
        server.send(request, connection, make_head(status, len(part), *lines), part)
    return step


RANGE = "Content-Range: bytes {first}-{last}/{size}"
LIES = {
    "another-etag": send_as(ETAG2, RANGE),
    "no-etag": send_as(RANGE),
    "the-same-but-weak": send_as('ETag: W/"v1"', RANGE),
    "a-date-instead": send_as("Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT", RANGE),
    "another-total": send_as(ETAG1, RANGE, total=SIZE + 1),
    "shifted-by-one": send_as(ETAG1, RANGE, first=1),
    "shifted-back": send_as(ETAG1, RANGE, first=-1000),
    "another-unit": send_as(ETAG1, "Content-Range: items {first}-{last}/{size}"),
    "no-content-range": send_as(ETAG1),
    "a-backward-range": send_as(ETAG1, "Content-Range: bytes {last}-{first}/{size}"),
    "behind-the-total": send_as(ETAG1, RANGE, total=HALF),
    "zipped": send_as(ETAG1, RANGE, "Content-Encoding: gzip"),
    "zipped-whole": send_as(ETAG2, "Content-Encoding: gzip", status="200 OK"),
    "multipart": send_as(ETAG1, "Content-Type: multipart/byteranges; boundary=x"),
    "416": answer("416 Range Not Satisfiable"),
    "416-with-our-size": answer("416 Range Not Satisfiable", f"Content-Range: bytes */{SIZE}"),
    "416-of-a-smaller-one": answer("416 Range Not Satisfiable", "Content-Range: bytes */5"),
    "412": answer("412 Precondition Failed"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_rest_that_is_not_proven_is_never_appended(fetch, server, half, lie):
    """What the server sends next is not our rest: one plain request more, and the new version."""
    left = half(server)
    server.become(V2, ETAG2)
    server.script = [LIES[lie]]
    began_anew(server, fetch, left, *ONCE)
    assert [request.offset is None for request in server.asked[1:]] == [False, True]


@pytest.mark.parametrize("etag", [ETAG2, ETAG1, 'ETag: W/"v2"', None])
def test_a_server_that_ignores_the_range_is_believed_whole(fetch, server, half, etag):
    left = half(server)
    server.become(V2, *([etag] if etag else []))
    server.serves_ranges = False
    began_anew(server, fetch, left)
    assert len(server.asked) == 2


def test_a_server_that_ignores_if_range_is_found_out(fetch, server, half):
    left = half(server)
    server.become(V2, ETAG2)
    server.keeps_if_range = False
    began_anew(server, fetch, left)
    assert len(server.asked) == 3


def test_a_version_that_changes_twice_is_the_last_one(fetch, server, half):
    """The rest was refused, and while the second version comes there is a third one."""
    left = half(server)
    third = random.Random(3).randbytes(SIZE)

    def become_third(server, request, connection):
        server.serve(request, connection, HALF)
        server.become(third, 'ETag: "v3"')

    server.become(V2, ETAG2)
    server.script = [become_third]
    began_anew(server, fetch, left, "--option", "retry.delay=1ms", body=third)
    assert server.asked[-1].if_range == '"v2"'


def test_a_digest_decides_over_a_spliced_rest(fetch, server, half):
    """By range without a validator: the digest finds the splice, and the whole is fetched anew."""
    server.become(V1)
    left = half(server, *checksum(V1))
    server.script = [send_as(RANGE)]
    began_anew(server, fetch, left, *checksum(V1), body=V1)
    assert "no-cache" in server.asked[-1].fields["cache-control"]


def test_a_digest_of_a_version_that_is_gone_is_an_error(fetch, server, half):
    server.become(V1)
    left = half(server, *checksum(V1))
    server.become(V2)
    fetch(*checksum(V1), server.url(), place=left.place).failed("DIGEST")


def test_a_partial_for_another_digest_is_dropped(fetch, server, half):
    left = half(server, *checksum(V1))
    server.become(V2, ETAG1)  # the etag lies; the digests do not
    began_anew(server, fetch, left, *checksum(V2))
    assert server.asked[-1].offset is None and len(server.asked) == 2


# ---- another place -------------------------------------------------------------------------------

def test_another_server_with_the_same_etag_is_never_spliced(fetch, server, half):
    left = half(server)
    with ResumeServer(V2, ETAG1) as other:
        began_anew(other, fetch, left)
        assert other.asked[0].offset is None


def test_another_url_of_the_server_with_the_same_etag_is_never_spliced(fetch, server, half):
    """An etag says nothing of two resources: many are made of time and size."""
    left = half(server, url=server.url("/a"))
    server.become(V2, ETAG1)
    began_anew(server, fetch, left, url=server.url("/b"))
    left = half(server, url=server.url("/x?file=a"))
    server.become(V1, ETAG1)
    began_anew(server, fetch, left, url=server.url("/x?file=b"), body=V1)


def test_another_destination_takes_nothing(fetch, server, half):
    left = half(server)
    outcome = fetch(server.url(), output="other", place=left.place)
    assert outcome.code == 0 and (left.place / "other").read_bytes() == V1
    assert server.asked[-1].offset is None and left.part.exists()


def test_names_that_differ_in_their_ends_alone_share_no_partial(fetch, server):
    """What is kept beside a destination is named after all of its name, not after its stem."""
    place, bodies = fetch.new_place(), {"app.zip": V1, "app.tgz": V2, "app.tmp": V1, "app": V2}
    for count, (name, body) in enumerate(bodies.items()):
        server.become(body, ETAG1)  # one validator: nothing but the names keeps them apart
        server.script = [stop(HALF)]
        child = fetch.start(server.url(), output=name, place=place)
        server.wait_for(lambda _, n=count: len(server.asked) > n and server.asked[n].sent == HALF)
        child.send_signal(signal.SIGINT)
        assert outcome_of(child).code == 130
        assert len(list(place.glob(".flame-part-*.state"))) == count + 1
    for name, body in bodies.items():
        server.become(body, ETAG1)
        assert fetch(server.url(), output=name, place=place).code == 0
        assert (place / name).read_bytes() == body and server.asked[-1].sent < SIZE, name
    assert sorted(os.listdir(place)) == sorted(bodies)


# ---- what is found is looked at ------------------------------------------------------------------

def test_after_another_boot_only_durable_bytes_count(fetch, server, half):
    """Nothing was synced yet: what the page cache lost reads as zeros."""
    left = half(server)
    left.forget_boot()
    with open(left.part, "r+b") as part:
        part.write(bytes(left.size()))
    began_anew(server, fetch, left, body=V1)
    assert server.asked[-1].offset is None


def test_after_another_boot_durable_bytes_do_count(fetch, server, half):
    """64 MiB were synced; behind them a power cut left a hole."""
    body, size = V1 + V2 + V1 + V2 + V1 + V2, 70 * MIB
    server.become(body, ETAG1)
    left = half(server, size=size)
    durable = left.fields()[-2]
    assert durable == 64 * MIB
    left.forget_boot()
    with open(left.part, "r+b") as part:
        part.seek(durable)
        part.write(bytes(left.size() - durable))
    fetch(server.url(), place=left.place).succeeded(body)
    assert [request.offset for request in server.asked] == [None, durable]


@pytest.mark.parametrize("damage", ["torn", "empty", "missing", "not-a-file"])
def test_a_partial_without_a_good_state_is_not_used(fetch, server, half, damage):
    left = half(server)
    if damage == "torn":
        left.state.write_bytes(left.state.read_bytes().replace(b'"v1"', b'"v2"'))
    elif damage == "empty":
        left.state.write_bytes(b"")
    else:
        left.state.unlink()
        if damage == "not-a-file":
            os.mkfifo(left.state)
    left.part.write_bytes(bytes(left.size()))
    outcome = fetch(server.url(), place=left.place)
    assert outcome.code == 0 and outcome.body == V1, outcome.stderr
    assert server.asked[-1].offset is None
    assert damage == "not-a-file" or outcome.files == ["out"]


def test_a_file_that_was_put_in_the_partials_place_is_not_used(fetch, server, half):
    left = half(server)
    other = left.place.parent / "other"
    other.write_bytes(bytes(left.size()))
    os.replace(other, left.part)
    began_anew(server, fetch, left, body=V1)
    assert server.asked[-1].offset is None


def test_bytes_that_somebody_added_to_the_partial_are_found_by_the_digest(fetch, server, half):
    left = half(server, *checksum(V1))
    with open(left.part, "r+b") as part:
        part.write(b"not ours")
    began_anew(server, fetch, left, *checksum(V1), body=V1)


@pytest.mark.parametrize("kind", ["link", "hard-link", "fifo", "directory"])
@pytest.mark.parametrize("which", ["part", "state"])
def test_a_trap_at_the_partials_names_hurts_nobody(fetch, server, kind, which):
    place = fetch.new_place()
    left, victim = Leftovers(place), place.parent / "victim"
    victim.write_bytes(b"precious")
    trap = getattr(left, which)
    {"link": lambda: trap.symlink_to(victim), "hard-link": lambda: os.link(victim, trap),
     "fifo": lambda: os.mkfifo(trap), "directory": trap.mkdir}[kind]()
    outcome = fetch(server.url(), place=place, timeout=60)
    assert outcome.code == 0 and outcome.body == V1, outcome.stderr
    assert victim.read_bytes() == b"precious"
    left.expect_bounded()


# ---- failures that keep, failures that do not ----------------------------------------------------

@pytest.mark.parametrize("reply, status, keeps", [
    (answer("503 Busy"), "BUSY", True), (answer("403 Forbidden"), "AUTH", True),
    (answer("500 Oops"), "REMOTE", True), (answer("404 Not Found"), "NOT_FOUND", False)])
def test_a_failure_keeps_what_another_run_can_go_on_from(fetch, server, half, reply, status, keeps):
    left = half(server)
    server.script = [reply]
    outcome = fetch(*ONCE, server.url(), place=left.place)
    if not keeps:
        outcome.failed(status)
        return
    left.expect_bounded()
    went_on(server, fetch, left)


def test_a_download_that_is_cut_for_good_keeps_what_came(fetch, server):
    server.then = stop(HALF)
    outcome = fetch(*ONCE, "--stall-timeout", "1", server.url())
    assert outcome.code == 28, outcome.stderr
    left = Leftovers(outcome.place)
    assert left.size() == HALF and left.names() == sorted([left.part.name, left.state.name])
    server.then = None
    went_on(server, fetch, left)


@pytest.mark.parametrize("size", [1, 3 * MIB])
@pytest.mark.parametrize("total", [SIZE, "*"], ids=["total", "unknown-total"])
@pytest.mark.parametrize("arguments", [(), checksum(V1)], ids=["etag", "digest"])
def test_a_rest_that_is_shorter_than_it_should_be_is_not_the_end(fetch, server, half, size, total,
                                                                 arguments):
    """A server may send less than was asked for, and say so; that is not the whole."""
    def piece(server, request, connection):
        last = min(request.offset + size, SIZE) - 1
        part = V1[request.offset:last + 1]
        server.send(request, connection, make_head(
            "206 Partial Content", len(part), ETAG1,
            f"Content-Range: bytes {request.offset}-{last}/{total}"), part)

    left = half(server, *arguments)
    server.script = [piece]
    fetch("--option", "retry.delay=1ms", *arguments, server.url(), place=left.place).succeeded(V1)
