# SPDX-License-Identifier: Apache-2.0
"""DoPut and DELETE by the grpc plugin: OK only for what is proven to be there, never for a part."""
import json
import threading

import pytest

from flight.driver import encode
from support.bson import reference
from support.plugin_call import PROOF, call, call_all, source
from support.raw_flight import field, fields, messages, saying

KIB, MIB = 1 << 10, 1 << 20
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7]
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 8, 14
KEY = "app/session/object"


def put(url, **values):
    return call("grpc", "store", url, **{"fill": 10, **values})


def stored(said, size, version=1, key=KEY):
    assert (said.status, said.finishes, said.proof) == ("OK", "1", PROOF["VERIFIED"]), said
    assert (said.objects, said.total_size, said.urls) == ("1", str(size), f"/{key}")
    assert (said.version, said.validator) == (str(version),) * 2 and said["flight.key"] == key
    return said


def nothing_was_stored(cache):
    """Not later either: the cache may learn of an end after the plugin has returned."""
    stored(put(cache.url()), 10, version=1)
    assert cache.objects == {KEY: (1, source(10))}


# ---- what arrives ----

@pytest.mark.parametrize("values", [{}, {"step": 1000}, {"stream": 1}],
                         ids=["file", "steps", "stream"])
@pytest.mark.parametrize("size", SIZES)
def test_the_cache_gets_the_bytes_of_any_size_and_source(cache, size, values):
    said = stored(put(cache.url(), fill=size, **values), size)
    assert cache.objects == {KEY: (1, source(size))}
    assert said["flight.endpoint"] == f"grpc+tls://elsewhere.test:{cache.port}"
    rows = [seen[1] for seen in cache.seen if seen[0] == "row"]
    assert rows == ([min(MIB, size - at) for at in range(0, size, MIB)] or [0])
    assert cache.seen[-1] == ("get", f"{KEY}:1"), "it was not proven"


def test_64_mib_arrive_in_constant_memory_and_come_back(cache, fetch, tmp_path):
    small = put(cache.url(), fill=MIB)
    large = stored(put(cache.url(), fill=64 * MIB), 64 * MIB, version=2)
    assert int(large.rss_kib) - int(small.rss_kib) < 24 * KIB
    fetch(cache.url()).succeeded(source(64 * MIB))


def test_a_slow_cache_holds_the_upload_back(cache):
    """20 ms for each MiB: what it does not take yet is not read yet."""
    cache.knobs.slow_put = 0.02
    small = put(cache.url(), fill=MIB)
    large = stored(put(cache.url(), fill=48 * MIB), 48 * MIB, version=2)
    assert int(large.rss_kib) - int(small.rss_kib) < 24 * KIB


def test_the_server_names_what_has_two_parts(cache, fetch):
    said = stored(put(cache.url("app/session")), 10, key="app/session/made-1")
    assert cache.objects["app/session/made-1"] == (1, source(10))
    fetch(cache.url("app/session/made-1")).succeeded(source(10))
    assert said.message == ""


@pytest.mark.parametrize("key", ["", "app", "app/*", "a/b/c/d", "a/b/c:d", "a/../c"])
def test_a_key_that_could_not_be_found_again_is_not_stored(raw, key):
    server = raw(lambda asked: asked.end(0))
    put(server.url(key)).failed("INVALID_URL")
    assert server.calls == []


def test_the_command_puts_and_says_where(cache, fetch, tmp_path):
    (tmp_path / "file").write_bytes(b"hello")
    outcome = fetch("put", tmp_path / "file", cache.url("app/session"), output=None)
    assert outcome.code == 0, outcome.stderr
    assert cache.objects == {"app/session/made-1": (1, b"hello")}
    assert [what[0] for what in cache.seen] == ["row", "put", "get"], "a list of all is no proof"


def test_the_url_of_what_was_stored_has_the_place_that_was_asked(cache, fetch, tmp_path):
    """The cache calls itself elsewhere.test: where it may not be reached from here."""
    (tmp_path / "file").write_bytes(b"hello")
    for key, stored_as in (("app/session", "app/session/made-1"), ("app/s/a%20b", "app/s/a%20b")):
        outcome = fetch("put", "--json", tmp_path / "file", cache.url(key), output=None)
        assert outcome.code == 0, outcome.stderr
        told = json.loads(outcome.stdout.splitlines()[-1])
        assert (told["ev"], told["url_effective"]) == ("stored", cache.url(stored_as))
        fetch(told["url_effective"]).succeeded(b"hello")


# ---- servers of the 0.5 line ----

def test_a_cache_that_takes_one_row_only_gets_one_row(cache, tmp_path):
    cache.knobs.one_row_only = True
    small, *_ = call_all("grpc", "store", cache.url(), fill=MIB)
    stored(small, MIB)
    large = call_all("grpc", "store", cache.url(), fill=64 * MIB, times=2)
    for version, said in enumerate(large, 2):
        stored(said, 64 * MIB, version)
        assert cache.objects[KEY][1] == source(64 * MIB)
    refused = [seen for seen in cache.seen if seen == ("row", MIB)]
    assert len(refused) <= 1 + 2, "the second upload did not remember"
    assert int(large[0].rss_kib) < (64 + 100) * KIB, "more than the pages of the copy"


@pytest.mark.parametrize("size", [0, 1, MIB + 1])
def test_a_cache_that_is_known_to_take_one_row_gets_it_at_once(cache, size):
    cache.knobs.one_row_only = True
    first, second = call_all("grpc", "store", cache.url(), fill=2 * MIB, later__fill=size, times=2)
    stored(first, 2 * MIB)
    stored(second, size, version=2)
    assert cache.objects[KEY] == (2, source(size))
    assert cache.seen[-2] == ("put", KEY, 1) and cache.seen.count(("row", MIB)) <= 2


def test_what_changed_is_not_stored_as_one_row_either(cache):
    cache.knobs.one_row_only = True
    for later, status in (({"later__size": MIB}, "CHANGED"),
                          ({"later__size": 4 * MIB}, "TRUNCATED"),
                          ({"later__max_bytes": MIB}, "LIMIT")):
        first, second = call_all("grpc", "store", cache.url(), fill=2 * MIB, times=2, **later)
        assert first.status == "OK"
        second.failed(status)


def test_a_stream_cannot_be_sent_twice(cache):
    cache.knobs.one_row_only = True
    put(cache.url(), fill=2 * MIB, stream=1).failed("UNSUPPORTED", "one row")
    stored(put(cache.url(), fill=MIB // 2, stream=1), MIB // 2)


def test_no_copy_stays_behind(cache, tmp_path, monkeypatch):
    cache.knobs.one_row_only = True
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    stored(put(cache.url(), fill=3 * MIB), 3 * MIB)
    assert list(tmp_path.iterdir()) == []


def test_a_place_for_the_copy_that_is_missing_is_not_the_only_one(cache, monkeypatch):
    cache.knobs.one_row_only = True
    monkeypatch.setenv("TMPDIR", "/nowhere")
    stored(put(cache.url(), fill=2 * MIB), 2 * MIB)


# ---- sources ----

def test_a_source_that_shrinks_grows_or_is_too_large_is_not_stored(cache):
    url = cache.url()
    put(url, fill=1000, size=2000).failed("TRUNCATED", "shrank")
    put(url, fill=1000, size=999).failed("CHANGED", "grew")
    put(url, fill=1, size=0).failed("CHANGED", "grew")
    put(url, fill=MIB, grow_at=MIB, step=65536).failed("CHANGED", "grew")
    put(url, fill=3 * MIB, grow_at=2 * MIB, step=65536).failed("CHANGED", "grew")
    put(url, fill=1000, max_bytes=999).failed("LIMIT")
    put(url, fill=1000, max_bytes=999, stream=1).failed("LIMIT")
    nothing_was_stored(cache)


def test_more_than_the_cache_can_join_is_refused_before_it_is_asked(raw):
    server = raw(lambda asked: asked.end(0))
    put(server.url(), size=1 << 31).failed("LIMIT", "2147483647")
    assert server.calls == []


def test_it_stops_when_it_is_no_longer_wanted(cache):
    put(cache.url(), fill=8 * MIB, cancel_at=MIB).failed("CANCELLED")
    nothing_was_stored(cache)


# ---- answers ----

def put_result(key=KEY, version=1):
    return field(1, reference("grpc://x:1", key, version))


def answers(result, proof, status=0, text="", after=None):
    """A server that takes (`after` messages, then no more) and confirms, and what it says when it
    is asked for the version."""
    def answer(asked):
        if asked.method == "DoGet":
            return proof(asked)
        for _ in range(after) if after is not None else iter(asked.receive, None):
            if after is not None:
                asked.receive()
        if result is not None:
            asked.send(result)
        return asked.end(status, text)
    return answer


gone = saying([], 5, "object <x> not found")


@pytest.fixture
def has_it(tmp_path):
    """An answer: a FlightData with the columns of 0.6, and no row."""
    return saying([next(messages(encode(b"x", tmp_path, "none", 0, 1, "kind")))])


def test_a_confirmed_version_that_is_there_is_stored(raw, has_it):
    server = raw(answers(put_result(version=9), has_it))
    stored(put(server.url()), 10, version=9)
    assert [each.method for each in server.calls] == ["DoPut", "DoGet"]
    assert server.connections == 1


def test_a_confirmed_version_that_is_not_there_is_not_ok(cache):
    cache.knobs.forgets = True
    put(cache.url()).failed("UNKNOWN_OUTCOME", "does not have it")


def test_a_confirmed_version_that_was_replaced_is_not_ok(raw, tmp_path):
    other = saying(encode(b"other", tmp_path, "none", 0, 2, "kind"))
    put(raw(answers(put_result(), other)).url()).failed("UNKNOWN_OUTCOME", "another one")


def test_a_proof_that_nobody_answers_is_not_ok(raw):
    put(raw(answers(put_result(), lambda asked: asked.drop())).url()).failed(
        "UNKNOWN_OUTCOME", "does not show it")


@pytest.mark.parametrize("result", [
    None, b"", field(1, b""), field(1, b"no bson"), field(1, reference("grpc://x:1", "a/b", 1)),
    field(1, reference("grpc://x:1", KEY, 1)[:-3])], ids=range(6))
def test_an_ok_that_does_not_say_what_was_stored_proves_nothing(raw, result):
    server = raw(answers(result, gone))
    said = put(server.url())
    assert (said.status, said.proof, said.objects) == ("OK", PROOF["NONE"], "0"), said
    assert len(server.calls) == 1


def test_another_object_than_was_asked_for_is_not_ok(raw, has_it):
    server = raw(answers(put_result("app/session/other"), has_it))
    put(server.url()).failed("UNKNOWN_OUTCOME", "another object")
    assert len(server.calls) == 1


def test_an_ok_before_all_was_sent_is_not_ok(raw, has_it):
    """The version is even there: with a part of the bytes."""
    server = raw(answers(put_result(), has_it, after=2))
    put(server.url(), fill=64 * MIB).failed("UNKNOWN_OUTCOME", "before it had all")


def test_a_refusal_in_the_middle_is_told_in_the_servers_words(raw):
    server = raw(answers(None, gone, INVALID_ARGUMENT, "no such app", after=2))
    said = put(server.url(), fill=64 * MIB).failed("REMOTE", "no such app")
    assert said.grpc == "3"
    server = raw(answers(None, gone, RESOURCE_EXHAUSTED, "full"))
    put(server.url()).failed("STORE_REFUSED", "full")


def test_a_result_and_then_an_error_is_not_ok(raw):
    put(raw(answers(put_result(), gone, 13, "disk")).url()).failed("UNKNOWN_OUTCOME")


def test_a_line_that_breaks_before_the_end_was_sent_may_be_tried_again(raw):
    def answer(asked):
        asked.receive()
        asked.receive()
        asked.drop(with_reset=True)
    said = put(raw(answer).url(), fill=64 * MIB).failed("TRUNCATED", "connection was lost")
    assert said.retryable == "1" and "grpc" not in said


def test_a_line_that_breaks_after_the_end_was_sent_leaves_it_open(raw):
    server = raw(saying([], end=lambda asked: asked.drop()))
    said = put(server.url()).failed("UNKNOWN_OUTCOME", "all was sent")
    assert "retryable" not in said and "grpc" not in said


def test_a_server_that_takes_no_more_is_not_vouched_for(raw):
    """The host's stall clock must be able to ring, though the server answers pings."""
    def answer(asked):
        asked.receive()
        asked.connection.server.takes_more = False
        asked.receive_all()
    server = raw(answer)
    said = put(server.url(), fill=64 * MIB, cancel_ms=2500).failed("CANCELLED")
    assert int(said.progress) < 12, "told of life while nothing moved"
    assert int(said.late_ms) < 200


def test_an_idle_connection_that_died_is_not_used_to_store(raw, has_it):
    """What is lost with it could not be sent again."""
    def hang_up(asked):
        has_it(asked)
        threading.Timer(0.1, asked.drop).start()
    server = raw(answers(put_result(), hang_up))
    for said in call_all("grpc", "store", server.url(), fill=10, times=3, pause_ms=500):
        stored(said, 10)
    assert server.connections == 3


def test_a_store_is_never_sent_twice_by_itself(raw, has_it):
    used = []

    def answer(asked):
        if asked.method == "DoPut" and used:
            asked.receive_all()
            asked.drop()
        used.append(asked.method)
        answers(put_result(), has_it)(asked)
    server = raw(answer)
    first, second = call_all("grpc", "store", server.url(), fill=10, times=2)
    stored(first, 10)
    second.failed("UNKNOWN_OUTCOME", "all was sent")
    assert [each.method for each in server.calls] == ["DoPut", "DoGet", "DoPut"]


# ---- remove ----

def remove(url, **values):
    return call("grpc", "remove", url, **values)


def test_a_remove_removes_one_object(cache):
    for key in (KEY, "app/session/other", "app/else/object"):
        cache.put(b"x", key)
    said = remove(cache.url())
    assert (said.status, said.proof) == ("OK", PROOF["COMPLETE"]), said
    assert set(cache.objects) == {"app/session/other", "app/else/object"}
    assert cache.seen == [("DELETE", KEY)]
    assert remove(cache.url()).status == "OK", "the cache does not say that nothing was there"


@pytest.mark.parametrize("key", ["app/session", "app/*", "app", ""])
def test_more_than_one_object_is_removed_only_when_that_is_asked_for(cache, key):
    cache.put(b"x")
    remove(cache.url(key)).failed("INVALID_URL")
    assert cache.seen == [] and len(cache.objects) == 1


@pytest.mark.parametrize("key", ["app/session", "app/*"])
def test_a_prefix_removes_what_is_below_it(cache, key):
    cache.put(b"x")
    cache.put(b"x", "app2/session/object")
    assert remove(cache.url(key), flags=4).status == "OK"
    assert list(cache.objects) == ["app2/session/object"]


def test_a_remove_that_nobody_answers_is_left_open(raw):
    server = raw(saying([], end=lambda asked: asked.drop()))
    said = remove(server.url()).failed("UNKNOWN_OUTCOME", "lost before the cache answered")
    assert "retryable" not in said and len(server.calls) == 1
    remove(raw(saying([], 7, "no")).url()).failed("AUTH", "no")


def test_the_action_is_what_the_cache_reads(raw):
    seen = []

    def answer(asked):
        seen.append(fields(asked.receive()))
        asked.end()
    assert remove(raw(answer).url()).status == "OK"
    assert seen == [{1: b"DELETE", 2: KEY.encode()}]
