# SPDX-License-Identifier: Apache-2.0
"""Servers that are not there, not what they seem, or gone in the middle: a clear word in time,
never a wrong OK, nothing left."""
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

import support.flight_cache
from flight.driver import encode
from support.bare_tcp import listener
from support.peers import require_module
from support.plugin_call import PLUGINS, PROGRAM, call
from support.program import clean_environment
from support.raw_flight import messages, saying

MIB = 1 << 20
PROMPT_MS = 100 if not os.environ.get("FLAME_SANITIZE") else 400


def get(url, **values):
    return call("grpc", "fetch", url, **values)


def hold(connection):
    connection.recv(1 << 16)
    time.sleep(60)


# ---- no connection ----

def test_a_port_where_nobody_listens_is_told_at_once(fetch, one_try):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = fetch(f"grpc://127.0.0.1:{port}/a/b/c")
    outcome.failed("CONNECT", "refused")
    assert outcome.seconds < 2


def test_a_name_that_does_not_exist_is_told(fetch, one_try):
    fetch("grpc://no-such-host.invalid:9090/a/b/c").failed("RESOLVE", "looked up")


def test_a_server_that_stays_silent_is_cut_by_the_connect_clock(fetch, one_try):
    with listener(hold) as url:
        outcome = fetch("--connect-timeout", "1", url)
    outcome.failed("TIMEOUT")
    assert 0.9 < outcome.seconds < 3
    with listener(hold) as url:
        said = get(url, connect_ms=500).failed("TIMEOUT", "in time")
        assert not said.saw("WAIT"), "a request was sent before there was a connection"


def test_a_handshake_that_never_ends_is_cut_by_the_connect_clock():
    with listener(hold) as url:
        get(url.replace("grpc:", "grpcs:"), connect_ms=500).failed("TIMEOUT", "in time")


def test_a_server_of_http_1_is_told_by_its_name(fetch, one_try):
    def answer(connection):
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        time.sleep(5)
    with listener(answer) as url:
        fetch(url).failed("PROTOCOL", "http/1")


@pytest.mark.parametrize("how", ["in order", "with a reset"])
def test_a_server_that_closes_at_once_is_told(fetch, one_try, how):
    def answer(connection):
        if how == "in order":
            connection.recv(1 << 16)
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    with listener(answer) as url:
        fetch(url).failed("CONNECT", "closed", "tls")


def test_no_proxy_of_the_environment_is_used(fetch, cache):
    cache.put(b"x")
    proxies = {name: "http://127.0.0.1:1" for name in ("http_proxy", "https_proxy", "grpc_proxy")}
    fetch(cache.url(), env=proxies).succeeded(b"x")
    fetch("--option", "net.proxy=http://127.0.0.1:1", cache.url()).failed("UNSUPPORTED", "proxy")


# ---- the address policy ----

@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.1", "224.0.0.1",
                                  "[fd00:ec2::254]"])
def test_a_forbidden_address_is_refused_before_a_connection(fetch, host):
    outcome = fetch("--connect-timeout", "5", f"grpc://{host}:9090/a/b/c")
    outcome.failed("POLICY")
    assert outcome.seconds < 2


def test_a_name_is_judged_by_where_it_leads(fetch, raw):
    server = raw(lambda asked: asked.end(0))
    for host in ("localhost", "127.0.0.1"):
        fetch("--option", "address.loopback=no", server.url(host=host)).failed("POLICY")
    assert server.connections == 0
    said = get(server.url(), refuse="127.0.0.1").failed("POLICY")
    assert said.addresses == "1" and server.connections == 0


# ---- a server that goes away ----

@pytest.mark.parametrize("count", [0, 1, 2, 4])
@pytest.mark.parametrize("part", [0, 3, 500])
@pytest.mark.parametrize("way", ["close", "reset", "stream"])
def test_a_stream_that_dies_is_never_ok(raw, frames, count, part, way):
    """After so many messages, and a part of the next one: also when all of them had come."""
    def die(asked):
        if part:
            asked.send_bytes((b"\0\0\0\x10\0" + bytes(2000))[:part])
        if way == "stream":
            asked.begin()
            asked.reset(2)
        else:
            asked.drop(with_reset=way == "reset")
    said = get(raw(saying(frames[:count], end=die)).url())
    assert said.status in ("TRUNCATED", "NETWORK", "PROTOCOL"), said
    assert said.finishes == "0" and said.retryable == "1" and "grpc" not in said


def test_a_stream_that_dies_when_its_beginning_was_taken_is_truncated(raw, frames):
    """gRPC drops what it has not handed out yet, so the peer waits until it has."""
    def die(asked):
        time.sleep(1)
        asked.drop()
    said = get(raw(saying(frames[:2], end=die)).url())
    assert said.status == "TRUNCATED" and said.retryable == "1", said


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_ok_after_too_few_rows_is_judged_by_what_came(raw, frames, count):
    """Without a schema: cut short. Without a row: nothing there. What a server leaves out of its
    rows and then calls complete, only a digest can tell."""
    said = get(raw(saying(frames[:count])).url())
    assert said.status == ["TRUNCATED", "NOT_FOUND", "OK"][count], said


@pytest.mark.parametrize("cut", [1, 40, 600, 1200])
def test_a_message_whose_own_lengths_are_wrong_is_never_ok(raw, frames, cut):
    said = get(raw(saying([frames[0], frames[1][:-cut]])).url())
    assert said.status in ("PROTOCOL", "TRUNCATED") and said.finishes == "0", said


STATUSES = {1: ("REMOTE", "1"), 2: ("REMOTE", None), 3: ("REMOTE", None), 4: ("BUSY", None),
            5: ("NOT_FOUND", None), 6: ("EXISTS", None), 7: ("AUTH", None), 8: ("BUSY", None),
            9: ("REMOTE", None), 10: ("REMOTE", "1"), 11: ("RANGE", None),
            12: ("UNSUPPORTED", None), 13: ("REMOTE", "1"), 14: ("BUSY", None),
            15: ("REMOTE", None), 16: ("AUTH", None), 99: ("REMOTE", None)}


@pytest.mark.parametrize("code, wanted", STATUSES.items(), ids=STATUSES)
@pytest.mark.parametrize("count", [0, 4], ids=["trailers-only", "after-all-rows"])
def test_each_status_has_its_meaning_and_the_servers_words(raw, frames, code, wanted, count):
    server = raw(saying(frames[:count], code, "in its words"))
    said = get(server.url()).failed(wanted[0], "in its words")
    assert said.get("retryable") == wanted[1]
    assert said.grpc == str(code)


def test_what_a_server_says_cannot_break_the_line(fetch, one_try, raw):
    server = raw(saying([], 13, "a%0Ab%1B[31mc" + "x" * 2000))
    fetch(server.url()).failed("REMOTE", r"status 13): a\x0ab\x1b[31mcxxxx")


# ---- size ----

def test_a_message_over_the_limit_is_told_with_the_option(cache):
    cache.knobs.codec = None
    cache.put(bytes(8 * MIB))
    get(cache.url(), option__message_max=str(4 * MIB)).failed(
        "LIMIT", str(4 * MIB), "message_max")
    get(cache.url(), max_bytes=8 * MIB - 1).failed("LIMIT")
    assert get(cache.url(), max_bytes=8 * MIB).status == "OK"


def test_a_message_far_over_the_limit_does_not_take_the_memory(raw):
    """More than limit and spare together: gRPC itself gives up, before it has all."""
    def answer(asked):
        asked.receive_all()
        asked.send_bytes(b"\0\x40\0\0\0")  # 1 GiB
        for _ in range(1024):
            asked.send_bytes(bytes(MIB))
        asked.end(0)
    said = get(raw(answer).url(), option__message_max=str(MIB)).failed("LIMIT", "message_max")
    assert int(said.rss_kib) < 450 * 1024


def test_a_bomb_is_held_to_the_limit(cache):
    cache.put(bytes(256 * MIB))
    get(cache.url(), max_bytes=MIB).failed("LIMIT")


# ---- silence ----

def test_a_peer_that_is_dead_is_noticed_by_keepalive(raw, frames):
    """It has sent a schema, so the host is told that it lives: until it does not answer a ping."""
    def answer(asked):
        asked.receive_all()
        asked.send(frames[0])
        asked.connection.server.answers_pings = False
        time.sleep(30)
    begin = time.monotonic()
    said = get(raw(answer).url(), option__keepalive="1000", option__keepalive_timeout="1000")
    said.failed("TIMEOUT", "keepalive")
    assert time.monotonic() - begin < 10 and int(said.progress) > 10


def test_a_silent_server_that_answers_pings_is_not_taken_for_a_stall(fetch, one_try, raw, frames):
    def answer(asked):
        asked.receive_all()
        asked.send(frames[0])
        time.sleep(4)
        for message in frames[1:]:
            asked.send(message)
        asked.end()
    fetch("--option", "time.stall=1s", raw(answer).url()).succeeded(bytes(3000))


def test_a_server_that_answers_nothing_is_cut_by_the_first_byte_clock(fetch, one_try, raw):
    server = raw(lambda asked: (asked.receive_all(), time.sleep(30)))
    outcome = fetch("--option", "time.first_byte=1s", server.url())
    outcome.failed("TIMEOUT")
    assert outcome.seconds < 3


def test_a_server_that_minds_pings_is_told_with_the_option(cache):
    cache.put(b"x")
    cache.knobs.pause = 8
    get(cache.url(), option__keepalive="1000").failed("BUSY", "raise 'keepalive'")


@pytest.fixture
def stopped_cache():
    """pyarrow's server in a process of its own."""
    require_module("pyarrow.flight")
    process = subprocess.Popen([sys.executable, support.flight_cache.__file__, "20"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.port = int(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()


def test_a_stopped_server_is_noticed_by_keepalive(stopped_cache):
    url = f"grpc://127.0.0.1:{stopped_cache.port}/app/session/object"
    with subprocess.Popen([PROGRAM, PLUGINS / "grpc.so", "fetch", url, "option.keepalive=1000",
                           "option.keepalive_timeout=1000"], stdout=subprocess.PIPE, text=True,
                          env=clean_environment()) as child:
        assert stopped_cache.stdout.readline() == "asked\n"
        os.kill(stopped_cache.pid, signal.SIGSTOP)
        said, _ = child.communicate(timeout=30)
    assert "status=TIMEOUT" in said and "keepalive" in said, said


# ---- cancel ----

@pytest.mark.parametrize("place", ["connect", "hello", "tls", "wait", "body"])
def test_a_cancel_is_prompt_wherever_it_is(raw, frames, full_queue, place):
    def answer(asked):
        asked.receive_all()
        if place == "body":
            asked.send(frames[0])
        time.sleep(30)
    with listener(lambda connection: reached.set() or time.sleep(30)) as silent:
        reached = threading.Event()
        url = {"connect": full_queue, "hello": silent,
               "tls": silent.replace("grpc:", "grpcs:")}.get(place) or raw(answer).url()
        said = get(url, cancel_ms=300).failed("CANCELLED")
        assert reached.is_set() == (place in ("hello", "tls"))
    assert said.saw("WAIT") == (place in ("wait", "body"))
    assert int(said.late_ms) <= PROMPT_MS, said


def test_a_cancel_in_the_middle_of_a_flood_is_prompt(cache):
    cache.knobs.layout, cache.knobs.codec = "batches", None
    cache.put(bytes(512 * MIB))
    said = get(cache.url(), cancel_body=MIB, cancel_ms=1, keep_bytes=0).failed("CANCELLED")
    assert int(said.late_ms) <= PROMPT_MS and 0 < int(said.body) < 512 * MIB


# ---- one process ----

def test_nothing_is_printed_by_grpc_itself(cache):
    """A failed handshake is among what it says to stderr of its own accord."""
    done = subprocess.run([PROGRAM, PLUGINS / "grpc.so", "fetch", cache.url(scheme="grpcs")],
                          capture_output=True, env=clean_environment(), timeout=60, check=True)
    assert b"status=TLS" in done.stdout and done.stderr == b""


def test_batches_without_end_and_without_bytes_are_bounded(raw, tmp_path):
    empty = list(messages(encode(b"", tmp_path, "none", 0, 1, "kind")))

    def answer(asked):
        asked.receive_all()
        asked.send(empty[0])
        many = b"".join(b"\0" + len(empty[1]).to_bytes(4, "big") + empty[1] for _ in range(100))
        while True:
            asked.send_bytes(many)
    get(raw(answer).url()).failed("PROTOCOL", "without bytes")
