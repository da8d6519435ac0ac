# SPDX-License-Identifier: Apache-2.0
"""ListFlights by the grpc plugin: the cache lists everything, and what is wanted is picked out."""
import pathlib

import pytest

from support.plugin_call import PROOF, call
from support.raw_flight import field, saying

GOLDEN = pathlib.Path(__file__).parents[1] / "flight" / "golden"
RECORDED = {"rnd1m.bin": 1048576, "one.bin": 1, "text.bin": 728890, "zero5m.bin": 5242884,
            "empty1.bin": 0}


@pytest.fixture
def recorded(raw):
    """The listing of a real cache."""
    return raw(saying((GOLDEN / "list_all.grpc").read_bytes()))


def ls(url, **values):
    said = call("grpc", "list", url, **values)
    assert said.status == "OK" and said.proof == PROOF["COMPLETE"], said
    return said.urls.split()


def test_the_listing_of_a_real_cache_is_read(recorded):
    assert len(ls(recorded.url(""))) == 10
    assert ls(recorded.url("golden/pkg")) == [
        f"/golden/pkg/{name}" for name in ("rnd1m.bin", "one.bin", "rnd64k.bin", "rnd1m1.bin",
                                           "text.bin", "zero5m.bin", "empty1.bin")]
    assert len(ls(recorded.url("golden/obj/"))) == 3
    assert ls(recorded.url("golden/pkg/one.bin")) == ["/golden/pkg/one.bin"]
    assert ls(recorded.url("golden/pk")) == ls(recorded.url("gold")) == []


@pytest.mark.parametrize("name, size", RECORDED.items())
def test_a_stat_says_the_size_that_a_real_cache_says(recorded, name, size):
    said = call("grpc", "stat", recorded.url(f"golden/pkg/{name}"))
    assert (said.status, said.objects, said.total_size) == ("OK", "1", str(size)), said
    assert said.flags == "1"


def test_a_stat_of_what_is_not_listed_is_not_found(recorded):
    for name in ("golden/pkg/one", "golden/pkg/one.bin1", "golden/pkg1/one.bin"):
        said = call("grpc", "stat", recorded.url(name))
        assert (said.status, said.objects) == ("NOT_FOUND", "0"), said


def test_pyarrows_listing_is_read_too(cache, fetch):
    for key in ("a/b/c d", "a/b/e", "a/bb/c", "aa/b/c"):
        cache.put(b"12345", key)
    assert ls(cache.url("")) == ["/a/b/c%20d", "/a/b/e", "/a/bb/c", "/aa/b/c"]
    assert ls(cache.url("a")) == ["/a/b/c%20d", "/a/b/e", "/a/bb/c"]
    assert ls(cache.url("a/b/")) == ["/a/b/c%20d", "/a/b/e"]
    said = call("grpc", "stat", cache.url("a/b/c%20d"))
    assert (said.status, said.total_size) == ("OK", "5")
    outcome = fetch("ls", cache.url("a/b"), output=None)
    assert outcome.code == 0 and "c d" in outcome.stdout.decode(), outcome.stderr
    assert fetch("stat", cache.url("a/b/e"), output=None).code == 0


def test_a_conditional_stat_asks_for_the_version(cache):
    cache.put(b"x", version=3)
    same = call("grpc", "stat", cache.url(), condition="changed", validator="3")
    assert (same.status, same.objects) == ("NOT_MODIFIED", "0")
    other = call("grpc", "stat", cache.url(), condition="changed", validator="2")
    assert (other.status, other.total_size) == ("OK", "1")


def test_a_listing_goes_on_where_it_stopped(recorded):
    names, cursor = [], {}
    for _ in range(5):
        said = call("grpc", "list", recorded.url("golden"), max_entries=3, **cursor)
        names += said.urls.split()
        if "cursor" not in said:
            break
        cursor = {"cursor": said.cursor}
    assert len(names) == len(set(names)) == 10
    said = call("grpc", "list", recorded.url("golden"), cursor="x")
    assert said.status == "INVALID", said


@pytest.mark.parametrize("key", ["a/b/c/d", "a//b", "a/b/c:d", "a/..", "a/%ff"])
def test_a_prefix_of_no_key_is_refused(recorded, key):
    said = call("grpc", "list", recorded.url(key))
    assert said.status == "INVALID_URL", said
    assert recorded.calls == []


def entry(key):
    return field(3, field(1, field(1, key))) + field(4, -1) + field(5, 1)


def test_what_never_ends_is_bounded(raw):
    def answer(asked):
        asked.receive_all()
        while True:
            asked.send(entry("a/b/c"))
    server = raw(answer)
    said = call("grpc", "list", server.url("x"), option__list_max="5000")
    assert said.status == "LIMIT" and "5000" in said.message, said
    said = call("grpc", "stat", server.url("a/b/c"))
    assert (said.status, said.total_size) == ("OK", "1"), said
    assert int(said.wire) > 0, "the host cannot bound the time of what it cannot count"


def test_entries_that_no_url_can_have_are_passed_over(raw):
    sent = [entry(key) for key in ("a/b/c:d", "a/b", "", "a/b/c")]
    assert ls(raw(saying([*sent, b""])).url("")) == ["/a/b/c"]


@pytest.mark.parametrize("message", [b"\xff", field(3, b"\xff"), b"\x1a\x05"])
def test_an_entry_that_is_no_message_is_told(raw, message):
    call("grpc", "list", raw(saying([message])).url("")).failed("PROTOCOL")


def test_a_listing_that_breaks_off_is_not_complete(raw):
    server = raw(saying([entry("a/b/c")], end=lambda asked: asked.drop()))
    call("grpc", "list", server.url("")).failed("TRUNCATED")


def test_a_server_without_listings_says_so(raw):
    said = call("grpc", "stat", raw(saying([], 12)).url())
    assert (said.status, said.grpc) == ("UNSUPPORTED", "12"), said
