# SPDX-License-Identifier: Apache-2.0
"""Clients that break every rule: the cache says no, lives, and stores nothing of it."""
import os
import random
import socket
import threading
import time

import pytest

from devcache.cache import GOLDEN, an_upload, at_once, field, wait_for_no_drafts
from flight.driver import flight_data, parts, varint
from support.program import SANITIZE

MIB = 1 << 20
UNARY = ["DoGet", "DoAction", "ListFlights", "GetFlightInfo", "GetSchema", "ListActions"]
UNREAD = ["ListFlights", "GetSchema", "ListActions"]  # whatever they ask, the answer is one


def test_a_recorded_answer_can_be_put(cache, raw):
    assert raw(cache()).call("DoPut", *an_upload())[0] == "OK"


@pytest.mark.parametrize("method", UNARY)
def test_garbage_is_refused(cache, raw, method):
    one = raw(cache())
    chance = random.Random(method)
    for _ in range(300):
        status, text, _ = one.call(method, chance.randbytes(chance.randrange(60)))
        assert status in ("OK", "INVALID_ARGUMENT", "NOT_FOUND"), text
    status, _, _ = one.call(method, b"\x0a" + varint(1 << 40) + b"x")
    assert status == ("OK" if method in UNREAD else "INVALID_ARGUMENT")
    status, text, messages = one.call(method, field(1, b"x" * (2 * MIB)))
    assert (status, messages) == ("RESOURCE_EXHAUSTED", []), text


def test_a_damaged_upload_is_refused_or_harmless(cache, raw, tmp_path):
    one = raw(cache("--storage", tmp_path / "s"))
    chance = random.Random(7)
    stored = 0
    for name in ("old_one", "native_table", "one", "old_patched"):
        for _ in range(250):
            messages = [bytearray(message) for message in an_upload(recorded=name)]
            for _ in range(chance.randrange(1, 4)):
                message = chance.choice(messages)
                message[chance.randrange(min(len(message), 400))] = chance.randrange(256)
            if chance.random() < 0.2:
                messages[-1] = messages[-1][:chance.randrange(len(messages[-1]))]
            status, text, _ = one.call("DoPut", *map(bytes, messages))
            assert status in ("OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND"), text
            stored += status == "OK"
    assert 0 < stored < 1000
    assert os.listdir(tmp_path) == ["s"]
    wait_for_no_drafts(tmp_path / "s")
    names = os.listdir(tmp_path / "s")
    assert names and all(name.endswith(".flame") for name in names)
    status, _, listed = one.call("ListFlights", b"")
    assert status == "OK" and len(listed) == len(names)


@pytest.mark.parametrize("messages, words", [
    ([], "No data received"), ([b""], "names no object"),
    ([an_upload()[1]], "before its schema"), ([an_upload()[0]], "No data received"),
    ([an_upload()[0], an_upload()[0]], "second schema"),
    ([flight_data(*next(parts((GOLDEN / "old_one.grpc").read_bytes())))[5:]], "names no object"),
    ([an_upload(recorded="native_table")[0], an_upload()[0]], "a second schema"),
    ([an_upload(recorded="native_table")[0], b"\x12\x03abc"], "arrow header")])
def test_messages_in_no_order_are_refused(cache, raw, messages, words):
    one = raw(cache())
    status, text, _ = one.call("DoPut", *messages)
    assert status == "INVALID_ARGUMENT" and words in text, (status, text)
    assert one.call("ListFlights", b"")[2] == []


@pytest.mark.parametrize("key", ["../../etc/x", "a/../b", "/a/b", "a/b/c\0", "a/b\\c/d", "a/b/..",
                                 "a/b/\x7f", "a/b/\udcff", ""])
def test_no_key_leads_out(cache, raw, key, tmp_path):
    one = raw(cache("--storage", tmp_path / "s"))
    name = key.encode(errors="surrogateescape")
    upload = an_upload()
    body = next(iter(parts((GOLDEN / "old_one.grpc").read_bytes())))
    for descriptor in (b"\x08\x01" + field(3, name), b"\x08\x02" + field(2, b"PATCH:" + name)):
        first = field(1, descriptor) + flight_data(*body)[5:]
        assert one.call("DoPut", first, *upload[1:])[0] == "INVALID_ARGUMENT"
    assert one.call("DoGet", field(1, name))[0] == "INVALID_ARGUMENT"
    assert one.call("DoAction", field(1, b"DELETE") + field(2, name))[0] == "INVALID_ARGUMENT"
    wait_for_no_drafts(tmp_path / "s")  # the client has its answer first
    assert os.listdir(tmp_path) == ["s"] and os.listdir(tmp_path / "s") == []


@pytest.mark.parametrize("method, text", [
    ("Handshake", "Handshake not implemented"), ("DoExchange", "Do exchange not implemented"),
    ("PollFlightInfo", "Poll flight info not implemented"), ("Nothing", "no such method"),
    ("/grpc.health.v1.Health/Check", "no such service"), ("/", "no such service")])
def test_other_methods_are_not_implemented(cache, raw, method, text):
    assert raw(cache()).call(method, b"") == ("UNIMPLEMENTED", text, [])


@pytest.mark.parametrize("method, asked, words", [
    ("DoAction", field(1, b"A\x1b[31m\n \xff\x7f"), "Unknown action type: A?[31m? ??. Only "),
    ("DoGet", field(1, b"a/\x07\xc3\xa4:0"), "Invalid key 'a/???': expected")],
    ids=["action", "key"])
def test_foreign_bytes_are_shown_harmless(cache, raw, method, asked, words):
    status, text, _ = raw(cache()).call(method, asked)
    assert status == "INVALID_ARGUMENT" and text.startswith(words), text


def test_a_request_without_a_message_is_refused(cache, raw):
    one = raw(cache())
    call = one.channel.stream_stream("/arrow.flight.protocol.FlightService/DoGet")
    with pytest.raises(one.grpc.RpcError) as caught:
        list(call(iter(())))
    assert caught.value.code().name == "INVALID_ARGUMENT"


@pytest.mark.parametrize("how", ["cancel", "disconnect"])
def test_an_upload_that_ends_early_is_none(cache, raw, client, how):
    """However the client goes away, what it had sent never becomes an object."""
    running = cache("--threads", "4")
    client(running).put("a/b/c", b"old")
    first, batch = an_upload(recorded="old_rnd64k")

    def go(number):
        one = raw(running)
        gate = threading.Event()

        def messages():
            yield first
            for _ in range(number % 5):
                yield batch
            gate.wait(30)

        call = one.channel.stream_stream("/arrow.flight.protocol.FlightService/DoPut")(messages())
        if number % 3:
            time.sleep(0.002 * (number % 7))
        if how == "cancel":
            call.cancel()
        else:
            one.channel.close()
        gate.set()
        with pytest.raises((one.grpc.RpcError, ValueError)):
            next(call)

    at_once(go, 80)
    assert client(running).rows("a/b/c") == [(1, "base", b"old")]


def test_noise_on_the_port_is_survived(cache, client):
    running = cache()
    chance = random.Random(3)
    for text in (b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
                 b"\x16\x03\x01\x02\x00", *[chance.randbytes(500) for _ in range(30)]):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as stranger:
            stranger.sendall(text)
    crowd = [socket.create_connection(("127.0.0.1", running.port), timeout=10) for _ in range(100)]
    assert client(running).put("a/b/c", b"x")["version"] == 1
    for stranger in crowd:
        stranger.close()


def test_more_memory_than_there_may_be_is_refused(cache, client):
    """One message of 256 MiB where all connections together may have 64."""
    running = cache("--memory", "64M")
    one = client(running)
    with pytest.raises(Exception):
        one.put("a/b/c", b"x" * (256 * MIB))
    if not SANITIZE:
        assert running.memory() < 160 * MIB
    assert client(running).put("a/b/c", b"x")["version"] == 1


def test_the_least_memory_is_enough_for_clients_that_send_rows(cache, client):
    one = client(cache("--memory", "16M"))
    assert one.put("a/b/c", *[b"x" * MIB] * 40)["version"] == 1
    assert one.data("a/b/c") == b"x" * (40 * MIB)
