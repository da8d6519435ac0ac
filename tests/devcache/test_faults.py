# SPDX-License-Identifier: Apache-2.0
"""Each fault switch does what its name says, to whom it says, and nobody else notices."""
import contextlib
import threading
import time

import pytest

from devcache.cache import (SERVICE, Cache, Client, Raw, an_upload, field, path_descriptor,
                            wait_for_a_draft)
from flight.driver import decode, frame

MIB = 1 << 20
TICKET = field(1, b"a/b/c:0")
CODES = ["CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
         "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
         "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A storage with a small object, for caches that are started on it one after another."""
    place = tmp_path_factory.mktemp("filled") / "s"
    with Cache("--storage", place) as plain, contextlib.closing(Client(plain.url)) as one:
        one.put("a/b/c", b"x")
    return place


@pytest.fixture
def faulty(cache, client, raw, tmp_path):
    """A cache with an object of 8 MiB, then with a fault: faulty(argument, ...) -> Raw."""
    def start(*arguments):
        plain = cache("--storage", tmp_path / "s")
        client(plain).put("a/b/c", *[bytes([n]) * MIB for n in range(8)])
        plain.close()
        start.cache = cache("--storage", tmp_path / "s", "--body", "none", "--layout", "batches",
                            *arguments)
        return raw(start.cache)

    return start


def test_without_a_fault_there_are_nine_messages(faulty):
    status, _, messages = faulty().call("DoGet", TICKET)
    assert (status, len(messages)) == ("OK", 9)


@pytest.mark.parametrize("after, most", [("0", 1), ("1k", 2), ("3M", 4)])
def test_a_cut_is_no_end(faulty, after, most):
    """What left just before may be lost with the connection."""
    status, _, messages = faulty("--fault", "cut", "--fault-after", after).call("DoGet", TICKET)
    assert status == "UNAVAILABLE"
    assert len(messages) <= most


def test_a_cut_may_come_inside_a_message(cache, client, raw, tmp_path):
    """The schema comes, but for a time when it is lost with the connection; the rest never does."""
    plain = cache("--storage", tmp_path)
    client(plain).put("a/b/c", b"x" * (64 * MIB))
    plain.close()
    one = raw(cache("--storage", tmp_path, "--body", "none", "--fault", "cut", "--fault-after",
                    "1M"))
    calls = [one.call("DoGet", TICKET) for _ in range(5)]
    assert [status for status, _, _ in calls] == 5 * ["UNAVAILABLE"]
    assert {len(messages) for _, _, messages in calls} | {0} == {0, 1}


def test_a_cut_is_for_one_connection(faulty, raw, tmp_path):
    """An upload that is under way over another one ends as if nothing had happened."""
    one = faulty("--fault", "cut", "--fault-times", "1", "--fault-method", "DoGet")
    other, gate = raw(faulty.cache), threading.Event()

    def messages():
        first, *rest = an_upload("a/b/other")
        yield first
        gate.wait(60)
        yield from rest

    upload = other.channel.stream_stream(SERVICE + "DoPut")(messages(), timeout=60)
    wait_for_a_draft(tmp_path / "s")
    assert one.call("DoGet", TICKET)[0] == "UNAVAILABLE"
    gate.set()
    assert len(list(upload)) == 1 and upload.code().name == "OK"
    assert one.call("DoGet", TICKET)[0] == other.call("DoGet", TICKET)[0] == "OK"


@pytest.mark.parametrize("after, messages", [("0", 0), ("1k", 1), ("3M", 3)])
def test_a_stall_lasts_until_the_client_goes(faulty, after, messages):
    one = faulty("--fault", "stall", "--fault-after", after, "--fault-method", "DoGet")
    status, _, got = one.call("DoGet", TICKET, timeout=0.5)
    assert (status, len(got)) == ("DEADLINE_EXCEEDED", messages)
    assert one.call("ListActions", b"")[0] == "OK"


def test_a_stall_may_have_an_end(faulty):
    one = faulty("--fault", "stall", "--fault-after", "3M", "--stall-ms", "400")
    begin = time.monotonic()
    status, _, messages = one.call("DoGet", TICKET)
    assert (status, len(messages)) == ("OK", 9)
    assert time.monotonic() - begin >= 0.4


def test_nobody_looks_at_the_clock_while_a_call_stalls(faulty):
    """The thread sleeps until the call is due: it gives its processor away a few times at most."""
    one = faulty("--fault", "stall", "--fault-after", "3M", "--stall-ms", "1000", "--threads", "1")
    before = faulty.cache.switches("cache-serve")
    assert one.call("DoGet", TICKET)[0] == "OK"
    assert faulty.cache.switches("cache-serve") - before < 20


def test_a_server_that_stalls_is_alive(faulty):
    """A client that pings each second for 3.5 seconds of silence hears of no fault."""
    faulty("--fault", "stall", "--stall-ms", "3500", "--threads", "1")
    one = Raw(faulty.cache.port)
    one.channel.close()
    one.channel = one.grpc.insecure_channel(f"127.0.0.1:{faulty.cache.port}", options=[
        ("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_timeout_ms", 1000),
        ("grpc.http2.max_pings_without_data", 0), ("grpc.max_receive_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1)])
    status, text, messages = one.call("DoGet", TICKET)
    assert (status, text, len(messages)) == ("OK", "", 9)
    one.close()


@pytest.mark.parametrize("code", CODES)
def test_every_status_can_be_asked_for(cache, raw, filled, code):
    one = raw(cache("--storage", filled, "--fault", "status", "--fault-status", code))
    for method, *requests in (
            ("DoGet", TICKET), ("DoPut", *an_upload("a/b/new")),
            ("DoAction", field(1, b"DELETE") + field(2, b"a/b/none")), ("ListFlights", b""),
            ("GetFlightInfo", path_descriptor("a/b/c")), ("GetSchema", b""), ("ListActions", b"")):
        assert one.call(method, *requests) == (code, "a fault was asked for", []), method


def test_a_status_may_come_after_data(faulty):
    one = faulty("--fault", "status", "--fault-status", "13", "--fault-after", "4M")
    status, text, messages = one.call("DoGet", TICKET)
    assert (status, text, len(messages)) == ("INTERNAL", "a fault was asked for", 4)


def test_trailers_only_is_ok_without_a_message(faulty):
    one = faulty("--fault", "trailers")
    assert one.call("DoGet", TICKET) == ("OK", "", [])
    assert one.call("ListFlights", b"") == ("OK", "", [])


@pytest.mark.parametrize("layout, whole", [("batches", 9), ("one", 2)])
def test_short_is_ok_with_too_few_rows(faulty, layout, whole, tmp_path):
    one = faulty("--fault", "short", "--layout", layout)
    status, _, messages = one.call("DoGet", TICKET)
    assert (status, len(messages)) == ("OK", whole - 1)
    said, _ = decode(b"".join(map(frame, messages)), tmp_path)
    assert said["rows"] == whole - 2


def test_the_schema_can_be_another_one(faulty, tmp_path):
    status, _, messages = faulty("--fault", "schema").call("DoGet", TICKET)
    assert (status, len(messages)) == ("OK", 9)
    assert decode(b"".join(map(frame, messages)), tmp_path)[0]["code"] == "COLUMNS"


def test_only_the_first_calls_have_it(faulty):
    one = faulty("--fault", "status", "--fault-times", "2", "--fault-method", "DoGet")
    said = []
    for _ in range(4):
        said.append(one.call("DoGet", TICKET)[0])
        assert one.call("ListActions", b"")[0] == "OK"
    assert said == ["UNAVAILABLE", "UNAVAILABLE", "OK", "OK"]


def test_a_stall_of_who_is_gone_already_holds_nothing(faulty):
    """Calls are cancelled at every moment of their beginning; the few places are all free again."""
    one = faulty("--fault", "stall", "--fault-method", "DoGet", "--max-calls", "3")
    method = one.channel.unary_stream("/arrow.flight.protocol.FlightService/DoGet")
    for number in range(400):
        call = method(TICKET)
        for _ in range(number * 20):
            pass
        call.cancel()
    assert one.call("ListActions", b"", timeout=20)[0] == "OK"


# ---- uploads ------------------------------------------------------------------------------------

def upload(cache, rows=20, timeout=60):
    """What came of an upload of 1 MiB rows: "stored", or the exception."""
    one = Client(cache.url)
    options = one.flight.FlightCallOptions(timeout=timeout)
    try:
        writer, reader = one.client.do_put(one.flight.FlightDescriptor.for_path("a/b/new"),
                                           one.schema, options)
        try:
            for _ in range(rows):
                writer.write_batch(one.batch(b"x" * MIB))
            writer.done_writing()
            return "stored" if reader.read() else "no result"
        finally:
            writer.close()
    except Exception as failure:
        return failure
    finally:
        one.close()


@pytest.mark.parametrize("after", ["0", "4M"])
@pytest.mark.parametrize("fault", ["cut", "status"])
def test_an_upload_is_refused_in_its_middle(faulty, fault, after):
    one = faulty("--fault", fault, "--fault-after", after, "--fault-method", "DoPut")
    assert type(upload(faulty.cache)).__name__ == "FlightUnavailableError"
    status, _, messages = one.call("ListFlights", b"")
    assert status == "OK" and len(messages) == 1


def test_an_upload_that_is_not_taken_waits(faulty):
    one = faulty("--fault", "stall", "--fault-after", "2M", "--fault-method", "DoPut")
    said = upload(faulty.cache, rows=200, timeout=1)
    assert "Deadline" in str(said) or "deadline" in str(said), said
    assert faulty.cache.memory() < (400 << 20)
    assert len(one.call("ListFlights", b"")[2]) == 1


def test_an_upload_may_be_answered_with_nothing(faulty):
    faulty("--fault", "trailers", "--fault-method", "DoPut")
    assert upload(faulty.cache) != "stored"
