# SPDX-License-Identifier: Apache-2.0
"""Whom the program reaches, and whom it does not: names and addresses that mislead, clocks, and
what is meant for one cache alone."""
import json
import threading

import pytest

from support.program import BINARY_DIR, outcome_of
from support.raw_flight import saying

CANARY = "canary-3f1b"


def saying_late(sent, pause=None, before=None):
    """saying(), but the rest after the first message waits for `pause`, all for `before`."""
    def answer(asked):
        asked.receive_all()
        if before:
            before.wait(60)
        for number, message in enumerate(sent):
            if number == 1 and pause:
                pause.wait(60)
            asked.send(message)
        asked.end()
    return answer


# ---- addresses ----

@pytest.mark.parametrize("host", ["unix", "ipv4", "ipv6", "xds", "dns"])
def test_a_host_is_never_taken_for_a_scheme_of_grpc(fetch, one_try, host):
    fetch(f"grpc://{host}:7777/a/b/c").failed("RESOLVE", "looked up")


def test_a_place_that_answers_no_connection_is_cut_by_the_connect_clock(fetch, one_try, full_queue):
    outcome = fetch("--connect-timeout", "1", full_queue)
    outcome.failed("TIMEOUT")
    assert 0.9 < outcome.seconds < 4


def test_an_ipv6_address_is_proven_by_its_certificate(fetch, one_try, raw, frames, certificates):
    for name, is_good in (("good", True), ("wrong-name", False)):
        server = raw(saying(frames), tls=certificates.server(name), host="::1")
        outcome = fetch("--cacert", certificates.path("ca"),
                        server.url(scheme="grpcs", host="[::1]"))
        if is_good:
            outcome.succeeded(bytes(3000))
        else:
            outcome.failed("TLS", "another name")
            assert server.calls == []


@pytest.mark.parametrize("verb", ["get", "put", "rm", "ls", "stat"])
def test_no_verb_connects_to_a_forbidden_address(fetch, raw, tmp_path, verb):
    server = raw(saying([]))
    (tmp_path / "file").write_bytes(b"x")
    words = {"get": [], "put": ["put", tmp_path / "file"]}.get(verb, [verb])
    for url, option in ((server.url(), ["--option", "address.loopback=no"]),
                        ("grpc://169.254.169.254:80/a/b/c", [])):
        fetch(*words, *option, url, output="out" if verb == "get" else None).failed("POLICY")
    assert server.connections == 0


# ---- clocks ----

def test_the_clock_of_the_whole_ends_it_in_the_middle(fetch, one_try, raw, frames):
    outcome = fetch("--option", "time.total=1s", raw(saying_late(frames, threading.Event())).url())
    outcome.failed("TIMEOUT")
    assert 0.9 < outcome.seconds < 3


class Delay:
    """Lets go after so many seconds, as an event would."""

    def __init__(self, seconds):
        self.seconds = seconds

    def wait(self, _):
        threading.Event().wait(self.seconds)


@pytest.mark.parametrize("where", ["before", "pause"], ids=["before-the-schema", "before-the-rows"])
def test_a_server_at_work_for_longer_than_every_window_is_waited_for(fetch, one_try, raw, frames,
                                                                     where):
    """It compresses, and answers pings."""
    fetch("--option", "time.stall=1s", "--option", "rate.window=1s", "--option", "rate.floor=1M",
          raw(saying_late(frames, **{where: Delay(3)})).url()).succeeded(bytes(3000))


@pytest.mark.skipif(BINARY_DIR.name != "ci", reason="SKIP: 40 seconds are for one build")
def test_40_seconds_of_silence_are_no_stall(fetch, one_try, raw, frames):
    """By the options that everybody has, before the schema and before the rows."""
    children = [fetch.start(raw(saying_late(frames, **{where: Delay(40)})).url())
                for where in ("before", "pause")]
    for child in children:
        outcome = outcome_of(child)
        outcome.succeeded(bytes(3000))
        assert outcome.seconds > 39


# ---- what is meant for one cache ----

def pair(raw, frames, first):
    return raw(first), raw(saying(frames))


def headers_of(server):
    return "\n".join(f"{name}: {value}" for each in server.calls
                     for name, value in each.headers.items())


def test_what_is_for_the_url_does_not_go_to_the_mirror(fetch, raw, frames):
    home, mirror = pair(raw, frames, saying([], 5, "not here"))
    fetch("-H", f"X-Token: {CANARY}", "--oauth2-bearer", CANARY, "--mirror", mirror.url(),
          home.url()).succeeded(bytes(3000))
    assert CANARY in headers_of(home) and "authorization" in headers_of(home)
    assert CANARY not in headers_of(mirror) and "authorization" not in headers_of(mirror)


def test_a_secret_of_one_cache_does_not_reach_the_other(fetch, raw, frames, tmp_path):
    """Two URLs of one run, of which the configuration and the URL have secrets for the first."""
    first, second = pair(raw, frames, saying(frames))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"origins": {
        f"grpc://127.0.0.1:{first.port}": {"auth.bearer": CANARY}}}))
    config.chmod(0o600)
    (tmp_path / "urls").write_text("".join(server.url(f"a/b/{name}") + "\n" for server, name in (
        (first, "c"), (second, "d"), (first, "e"), (second, "f"))))
    fetch.common = ["--config", config]
    outcome = fetch("-i", tmp_path / "urls", "--parallel", "2", output=None)
    assert outcome.code == 0 and outcome.files == ["c", "d", "e", "f"], outcome.stderr
    assert [CANARY in each.headers.get("authorization", "") for each in first.calls] == [True] * 2
    assert len(second.calls) == 2 and "authorization" not in headers_of(second)
    assert CANARY not in outcome.stderr
