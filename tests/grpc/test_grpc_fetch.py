# SPDX-License-Identifier: Apache-2.0
"""DoGet by the grpc plugin: the bytes of every object that is a file, and a clear word about every
one that is none."""
import hashlib
import pathlib
import random

import pytest

from flight.driver import encode
from support.plugin_call import call, call_all
from support.program import SANITIZE
from support.raw_flight import saying

KIB, MIB = 1 << 10, 1 << 20
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1]
GOLDEN = pathlib.Path(__file__).parents[1] / "flight" / "golden"


def contents(size, is_text=False):
    return (b"the quick fox\n" * (size // 14 + 1))[:size] if is_text \
        else random.Random(size).randbytes(size)


# ---- peers that nobody here wrote ----

@pytest.mark.parametrize("layout", ["one", "rows", "batches"])
@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("size", SIZES)
def test_an_object_of_any_size_layout_and_codec_comes_as_it_is(fetch, cache, size, codec, layout):
    cache.knobs.codec, cache.knobs.layout = codec, layout
    for has_kind, is_wide in ((True, False), (False, False), (True, True)):
        cache.knobs.has_kind, cache.knobs.is_wide = has_kind, is_wide
        data = contents(size, has_kind)
        fetch(cache.put(data)).succeeded(data)


@pytest.mark.parametrize("layout", ["one", "batches"])
def test_64_mib_come_as_they_are_and_are_proven_by_a_digest(fetch, cache, layout):
    cache.knobs.layout = layout
    data = contents(64 * MIB)
    digest = hashlib.sha256(data).hexdigest()
    fetch(cache.put(data) + f"#sha256={digest}").succeeded(data)
    fetch(cache.url() + "#sha256=" + "0" * 64).failed("DIGEST")


@pytest.mark.parametrize("scheme", ["grpc", "grpc+tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_schemes_and_names_lead_to_the_cache(fetch, cache, scheme, host):
    cache.put(b"hello")
    fetch(cache.url(scheme=scheme, host=host)).succeeded(b"hello")


def test_an_ipv6_address_leads_to_the_cache(fetch, raw, tmp_path):
    frames = encode(b"hello", tmp_path, "none", 0, 1, "kind")
    server = raw(saying(frames), host="::1")
    fetch(server.url(host="[::1]")).succeeded(b"hello")
    assert server.calls[0].headers[":authority"] == f"[::1]:{server.port}"


def test_a_key_is_decoded_once(fetch, cache):
    cache.put(b"hello", "app/session/a b%41+ü")
    fetch(cache.url("app/session/a%20b%2541+%C3%BC")).succeeded(b"hello")
    assert cache.seen == [("get", "app/session/a b%41+ü:0")]


@pytest.mark.parametrize("key", ["", "app", "app/session", "app/session/", "app/session/a/b",
                                 "app//object", "app/session/a%3ab", "app/session/a:b",
                                 "app/session/a%5cb", "app/session/a%2fb",
                                 "app/session/%ff", "app/session/%00"])
def test_a_key_that_the_cache_could_not_find_is_refused_before_it_is_asked(fetch, raw, key):
    server = raw(saying(b""))
    fetch(server.url(key)).failed("INVALID_URL")
    fetch(server.url("app/session/object?x=1")).failed("INVALID_URL")
    assert server.calls == []


# ---- conditions ----

def test_what_the_caller_has_is_not_sent_again(cache):
    cache.put(b"new", version=7)
    said = call("grpc", "fetch", cache.url())
    assert (said.status, said.validator, said.version) == ("OK", "7", "7")
    assert not int(said.flags) & 8, "a version is no proof of equal bytes"
    same = call("grpc", "fetch", cache.url(), condition="changed", validator="7")
    assert (same.status, same.body, same.objects) == ("NOT_MODIFIED", "0", "0")
    other = call("grpc", "fetch", cache.url(), condition="changed", validator="6")
    assert (other.status, other.body) == ("OK", "3")


def test_the_command_fetches_only_what_is_new(fetch, cache):
    url = cache.put(b"new", version=7)
    outcome = fetch("--etag", "7", url)
    assert (outcome.code, outcome.stderr, outcome.files) == (0, "", []), outcome.stderr
    fetch("--etag", "6", url).succeeded(b"new")


def test_many_at_once_share_few_connections(fetch, raw, tmp_path):
    frames = encode(bytes(65536), tmp_path)
    server = raw(saying(frames))
    (tmp_path / "urls").write_text("".join(server.url(f"a/b/{i}") + "\n" for i in range(200)))
    outcome = fetch("--parallel", "16", "-i", tmp_path / "urls", output=None)
    assert outcome.code == 0, outcome.stderr
    assert len(outcome.files) == 200 and len(server.calls) == 200
    assert server.connections <= 16


@pytest.mark.parametrize("validator", ["", "0", "07", "-1", "1 ", "x", "18446744073709551616"])
def test_a_validator_of_somebody_else_is_refused(raw, validator):
    server = raw(saying(b""))
    call("grpc", "fetch", server.url(), condition="changed", validator=validator).failed(
        "INVALID", "validator")
    assert server.calls == []


def test_an_answer_without_a_row_is_not_found_unless_a_version_was_asked_for(raw):
    server = raw(saying((GOLDEN / "text_current.grpc").read_bytes()))
    call("grpc", "fetch", server.url()).failed("NOT_FOUND", "no row")


# ---- what is sent ----

def test_headers_and_credentials_go_with_the_call(fetch, raw, tmp_path):
    frames = encode(b"hello", tmp_path)
    server = raw(saying(frames))
    fetch("-H", "X-Team: red", "--option", "net.user_agent=me/1", server.url()).succeeded(b"hello")
    fetch(server.url(host="user:secret@127.0.0.1")).succeeded(b"hello")
    first, second = (each.headers for each in server.calls)
    assert first["x-team"] == "red" and first["user-agent"].startswith("me/1 ")
    assert "authorization" not in first
    assert second["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert second[":authority"] == f"127.0.0.1:{server.port}" and "x-team" not in second


def test_a_bearer_token_is_for_its_origin_only(raw, tmp_path):
    server = raw(saying(encode(b"hello", tmp_path)))
    origin = f"grpc://127.0.0.1:{server.port}"
    said = call("grpc", "fetch", server.url(), secret__auth__bearer=f"t0ken {origin}")
    assert said.status == "OK", said
    assert server.calls[0].headers["authorization"] == "Bearer t0ken"
    said = call("grpc", "fetch", server.url(), secret__auth__bearer="t0ken grpc://elsewhere:9090")
    assert said.status == "OK" and "authorization" not in server.calls[1].headers


@pytest.mark.parametrize("header", ["grpc-timeout: 1S", "te: x", "x-bin: aGk=", "content-type: a",
                                    "x-y: \x7f"])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(fetch, raw, header):
    server = raw(saying(b""))
    fetch("-H", header, server.url()).failed("INVALID", header.split(":")[0])
    assert server.calls == []


# ---- connections ----

def test_one_connection_serves_one_request_after_the_other(raw, tmp_path):
    server = raw(saying(encode(b"hello", tmp_path)))
    said = call_all("grpc", "fetch", server.url(), times=5)
    assert [each.status for each in said] == ["OK"] * 5
    assert (len(server.calls), server.connections) == (5, 1)


def test_an_idle_connection_that_died_is_not_noticed_by_the_caller(raw, tmp_path):
    frames = encode(b"hello", tmp_path)

    def answer(asked):
        saying(frames)(asked)
        asked.drop()

    server = raw(answer)
    said = call_all("grpc", "fetch", server.url(), times=4)
    assert [each.status for each in said] == ["OK"] * 4, said
    assert server.connections == 4


def test_a_connection_that_dies_of_the_second_request_is_not_noticed_either(raw, tmp_path):
    """It looks alive until it is used."""
    frames, used = encode(b"hello", tmp_path), set()

    def answer(asked):
        if asked.connection in used:
            asked.drop()
        used.add(asked.connection)
        saying(frames)(asked)

    server = raw(answer)
    said = call_all("grpc", "fetch", server.url(), times=4)
    assert [each.status for each in said] == ["OK"] * 4, said
    assert (server.connections, len(server.calls)) == (4, 7)


# ---- memory ----

def test_many_batches_need_constant_memory(cache):
    cache.knobs.layout, cache.knobs.codec = "batches", None
    cache.put(contents(MIB))
    small = call("grpc", "fetch", cache.url(), keep_bytes=0)
    cache.put(bytes(256 * MIB))
    large = call("grpc", "fetch", cache.url(), keep_bytes=0)
    assert large.body == str(256 * MIB)
    assert int(large.rss_kib) - int(small.rss_kib) < 48 * KIB


def test_one_message_needs_no_more_than_itself(cache):
    cache.knobs.layout, cache.knobs.codec = "one", None
    cache.put(bytes(128 * MIB))
    said = call("grpc", "fetch", cache.url(), keep_bytes=0)
    assert said.body == str(128 * MIB)
    assert int(said.rss_kib) < (128 + 64) * KIB


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: 1 GiB is for a build without sanitizers")
@pytest.mark.parametrize("layout, most", [("batches", 64), ("one", 1024 + 64)])
def test_1_gib_comes_and_goes_as_it_is(cache, layout, most):
    cache.knobs.layout, cache.knobs.codec = layout, None
    block = random.Random(1).randbytes(MIB)
    data = b"".join(block[i:] + block[:i] for i in range(1024))
    cache.put(data)
    said = call("grpc", "fetch", cache.url(), keep_bytes=0)
    assert (said.status, said.sha256) == ("OK", hashlib.sha256(data).hexdigest())
    assert int(said.rss_kib) < most * KIB
    said = call("grpc", "store", cache.url("app/session/other"), fill=1 << 30)
    assert (said.status, said.total_size) == ("OK", str(1 << 30)), said
    assert int(said.rss_kib) < 64 * KIB
    assert len(cache.objects["app/session/other"][1]) == 1 << 30
