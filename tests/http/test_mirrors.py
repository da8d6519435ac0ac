# SPDX-License-Identifier: Apache-2.0
"""Several places for one file: where one fails another goes on, but only a digest makes bytes of two
places into one file."""
import hashlib
import random

import pytest

from support.leftovers import Leftovers
from support.program import outcome_of
from support.resume_server import ResumeServer, answer, cut, stop

MIB = 1 << 20
SIZE = 16 * MIB + 7
AT = 9 * MIB
BODY, OTHER = (random.Random(seed).randbytes(SIZE) for seed in (51, 52))
ETAG = 'ETag: "v"'
SUM = ("--checksum", "sha256:" + hashlib.sha256(BODY).hexdigest())
SOON = ("--option", "retry.delay=1ms")
GONE = answer("404 Not Found")


@pytest.fixture
def first():
    with ResumeServer(BODY, ETAG) as made:
        yield made


@pytest.fixture
def mirror():
    with ResumeServer(BODY, ETAG) as made:
        yield made


@pytest.fixture
def third():
    with ResumeServer(BODY, ETAG) as made:
        yield made


@pytest.fixture
def get(fetch, first, mirror, third):
    """get(argument, ..., count=1): from the first, with so many mirrors."""
    def run(*arguments, count=1, **options):
        mirrors = [each.url("/elsewhere") for each in (mirror, third)[:count]]
        mirrors = [word for url in mirrors for word in ("--mirror", url)]
        return fetch(*SOON, *arguments, *mirrors, first.url(), **options)
    return run


def test_a_mirror_is_asked_once_the_first_has_had_its_tries(get, first, mirror, third):
    first.then = mirror.then = answer("503 Busy")
    get(count=2).succeeded(BODY)
    assert [len(each.asked) for each in (first, mirror, third)] == [3, 3, 1]


def test_what_is_not_there_is_asked_of_a_mirror_at_once(get, first, mirror):
    first.then = GONE
    get().succeeded(BODY)
    assert len(first.asked) == len(mirror.asked) == 1


def test_no_mirror_is_asked_without_need(get, first, mirror):
    first.script = [cut(AT)]
    get().succeeded(BODY)
    assert len(first.asked) == 2 and mirror.asked == []


def test_the_same_etag_at_another_origin_is_never_spliced(get, first, mirror):
    first.script = [cut(AT)]
    first.then = GONE
    mirror.become(OTHER, ETAG)
    get().succeeded(OTHER)
    assert [request.range for request in mirror.asked] == [None]


def test_a_digest_carries_what_came_over_to_a_mirror(get, first, mirror):
    first.script = [cut(AT)]
    first.then = GONE
    get(*SUM).succeeded(BODY)
    assert [(request.offset, request.if_range) for request in mirror.asked] == [(AT, None)]


def test_a_mirror_with_other_bytes_is_found_out_by_the_digest(get, first, mirror, third):
    """The splice is dropped, all of it, and the next one is asked for the whole."""
    first.script = [cut(AT)]
    first.then = GONE
    mirror.become(OTHER, ETAG)
    get(*SUM, count=2).succeeded(BODY)
    assert [request.range for request in third.asked] == [None]
    first.script = [cut(AT)]
    get(*SUM).failed("DIGEST")


def test_a_mirror_of_another_size_is_not_gone_on_with(get, first, mirror):
    first.script = [cut(AT)]
    first.then = GONE
    mirror.become(BODY + b"x", ETAG)
    outcome = get(*SUM)
    outcome.failed("DIGEST")
    assert mirror.asked[-1].range is None


def test_wrong_bytes_are_asked_of_another_place_first(get, first, mirror):
    first.become(OTHER, ETAG)
    get(*SUM).succeeded(BODY)
    assert len(first.asked) == 1 and mirror.asked[0].range is None


def test_what_a_mirror_went_on_with_is_not_believed_without_the_digest(fetch, first, mirror):
    """The first's etag is of the first's bytes only."""
    first.script = [cut(AT)]
    first.then = GONE
    mirror.become(OTHER, ETAG)
    mirror.script = [stop(3 * MIB)]
    child = fetch.start(*SOON, *SUM, "--mirror", mirror.url(), first.url())
    left = Leftovers(child.place)
    left.wait_for(AT + 2 * MIB)
    child.kill()
    outcome_of(child)
    first.then = None
    fetch(first.url(), place=left.place).succeeded(BODY)
    assert first.asked[-1].range is None


def test_a_stream_goes_to_no_mirror_once_bytes_have_left(get, first, mirror):
    first.script = [cut(AT)]
    first.then = GONE
    outcome = get(*SUM, output="-")
    assert outcome.code == 36 and outcome.stdout == BODY[:AT], outcome.stderr
    assert len(mirror.asked) == 1


def test_a_mirror_may_have_another_scheme(fetch, first, tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    first.then = GONE
    fetch(*SOON, "--mirror", f"file://{tmp_path}/source", first.url()).succeeded(BODY)


def test_a_mirror_hears_no_secret(get, first, mirror):
    first.then = GONE
    get("-H", "X-Token: canary", "--oauth2-bearer", "canary").succeeded(BODY)
    assert b"canary" in first.sent and b"canary" not in mirror.sent


def test_a_first_place_that_stalls_is_left(get, first, mirror):
    first.then = stop(AT)
    outcome = get("--option", "retry.attempts=1", "--stall-timeout", "1")
    outcome.succeeded(BODY)
    assert outcome.seconds < 10 and mirror.asked[0].range is None
