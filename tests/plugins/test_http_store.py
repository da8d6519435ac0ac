# SPDX-License-Identifier: Apache-2.0
"""PUT and DELETE by the http plugin: never OK for what may not be there, never sent twice when it
may have arrived, and a name for everything that a server can answer."""
import socket
import struct
import time

import pytest

from support.plugin_call import PROOF, call, call_all, source
from support.scripted_server import response

MIB = 1 << 20
REFUSED_EARLY = 2 * MIB  # large enough to be asked about first


# ---- a server that reads what it is sent ----

def head_of(request):
    return request.split(b"\r\n\r\n", 1)[0].decode()


def header(request, name):
    for line in head_of(request).split("\r\n")[1:]:
        key, value = line.split(":", 1)
        if key.lower() == name.lower():
            return value.strip()
    return None


def read_chunks(stream):
    body = b""
    while True:
        size = int(stream.readline() or b"0", 16)
        body += stream.read(size)
        if stream.readline() != b"\r\n" or size == 0:
            return body


def read_body(request, connection, goes_on=True):
    """All of it; says that it may come, if it was asked."""
    begin = request.split(b"\r\n\r\n", 1)[1]
    if goes_on and header(request, "Expect"):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if header(request, "Transfer-Encoding"):
        assert not begin
        with connection.makefile("rb") as stream:
            return read_chunks(stream)
    with connection.makefile("rb") as stream:
        return begin + stream.read(int(header(request, "Content-Length") or 0) - len(begin))


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Store:
    """Takes a PUT or DELETE in full, then gives that answer."""

    def __init__(self, answer):
        self.answer, self.bodies = answer, []

    def __call__(self, request, connection):
        self.bodies.append(read_body(request, connection))
        return self.answer


def answers(line, *headers, body=b""):
    return Store(response(body, *headers, status=line))


def put(url, **values):
    return call("http", "store", url, **{"fill": 10, **values})


def delete(url, **values):
    return call("http", "remove", url, **values)


def stored(said, size):
    assert (said.status, said.finishes, said.proof) == ("OK", "1", PROOF["COMPLETE"]), said
    assert (said.objects, said.total_size) == ("1", str(size)), said
    return said


# ---- bodies ----

@pytest.mark.parametrize("size", [0, 1, 65536, MIB, MIB + 1, 3 * MIB + 7])
@pytest.mark.parametrize("values", [{}, {"step": 1000}, {"stream": 1}], ids=["file", "steps", "stream"])
def test_the_server_gets_the_bytes_of_any_size_and_source(serve, size, values):
    server = serve(answers("201 Created"))
    stored(put(server.url("/dir/x?q=1"), fill=size, **values), size)
    assert server.reply.bodies == [source(size)]
    request = server.requests[0]
    assert request.startswith(b"PUT /dir/x?q=1 HTTP/1.1\r\n")
    if "stream" in values:
        assert header(request, "Transfer-Encoding") == "chunked"
        assert header(request, "Content-Length") is None
    else:
        assert header(request, "Content-Length") == str(size)
        assert header(request, "Transfer-Encoding") is None
        assert header(request, "Expect") == ("100-continue" if size > MIB else None)


@pytest.mark.parametrize("values", [{}, {"stream": 1}], ids=["file", "stream"])
def test_64_mib_go_out_in_constant_memory(serve, values):
    server = serve(answers("200 OK"))
    small = put(server.url(), fill=MIB, **values)
    large = stored(put(server.url(), fill=64 * MIB, **values), 64 * MIB)
    assert server.reply.bodies[1] == source(64 * MIB)
    assert int(large.rss_kib) - int(small.rss_kib) < 8 * 1024
    assert int(large.wire) >= 64 * MIB


def test_100_a_server_that_never_says_continue_gets_the_body_all_the_same(serve):
    def mute(request, connection):
        assert read_body(request, connection, goes_on=False) == source(REFUSED_EARLY)
        return response(b"", status="201 Created")
    stored(put(serve(mute).url(), fill=REFUSED_EARLY), REFUSED_EARLY)


def test_the_phases_tell_how_far_it_is(serve):
    said = put(serve(answers("201 Created")).url(), fill=3 * MIB)
    assert all(said.saw(phase) for phase in ("WAIT", "BODY", "FINISH")), said
    assert int(said.wire) > 3 * MIB and int(said.progress) > 10
    said = put(serve(answers("201 Created")).url(), fill=0)
    assert said.saw("WAIT") and not said.saw("BODY")


def test_progress_is_told_of_only_while_bytes_flow(serve):
    """Each call feeds the host's stall clock: it must be able to ring."""
    def silent(request, connection):
        read_body(request, connection)
        time.sleep(2.5)
        return response(b"", status="201 Created")
    quick = put(serve(answers("201 Created")).url())
    slow = put(serve(silent).url())
    assert int(slow.progress) - int(quick.progress) < 2


# ---- sources that are not what was promised ----

def test_a_source_that_shrinks_grows_or_is_too_large_is_not_stored(serve):
    store = answers("201 Created")
    url = serve(store).url
    put(url(), fill=1000, size=2000).failed("TRUNCATED", "shrank")
    put(url(), fill=1000, size=999).failed("CHANGED", "grew")
    put(url(), fill=1, size=0).failed("CHANGED", "grew")
    put(url(), fill=3 * MIB, grow_at=2 * MIB, step=65536).failed("CHANGED", "grew")
    put(url(), fill=1000, max_bytes=999).failed("LIMIT")
    put(url(), fill=1000, max_bytes=999, stream=1).failed("LIMIT")
    assert all(not body or body != source(999) for body in store.bodies), store.bodies


def test_it_stops_when_it_is_no_longer_wanted(serve):
    put(serve(answers("201 Created")).url(), fill=8 * MIB, cancel_at=MIB).failed("CANCELLED")


# ---- answers ----

PUT_ANSWERS = {
    "203 Other": "UNKNOWN_OUTCOME", "205 Reset": "UNKNOWN_OUTCOME", "206 Part": "UNKNOWN_OUTCOME",
    "207 Multi": "UNKNOWN_OUTCOME", "300 Many": "REMOTE", "304 Same": "REMOTE",
    "400 Bad": "REMOTE", "401 Who": "AUTH", "403 No": "AUTH", "404 Where": "REMOTE",
    "405 How": "REMOTE", "407 Proxy": "AUTH", "408 Slow": "BUSY", "409 Conflict": "REMOTE",
    "410 Gone": "REMOTE", "411 Length": "REMOTE", "412 Condition": "CHANGED",
    "413 Large": "STORE_REFUSED", "416 Range": "REMOTE", "417 Expect": "REMOTE",
    "418 Tea": "REMOTE", "429 Often": "BUSY", "500 Error": "REMOTE", "502 Gateway": "REMOTE",
    "503 Busy": "BUSY", "504 Gateway": "REMOTE", "507 Full": "STORE_REFUSED", "999 Odd": "REMOTE"}
WORDS = {"404": "no such place", "409": "is missing", "411": "unknown size"}


@pytest.mark.parametrize("line, status", PUT_ANSWERS.items(), ids=[line[:3] for line in PUT_ANSWERS])
def test_each_answer_to_a_put_has_its_meaning(serve, line, status):
    server = serve(answers(line, body=b"why"))
    said = put(server.url()).failed(status, line[:3], WORDS.get(line[:3], ""))
    if status != "UNKNOWN_OUTCOME":
        assert said.http == line[:3]
    assert said.get("retryable") == ("1" if line[0] in "59" and status == "REMOTE" else None)
    assert server.connections == 1


@pytest.mark.parametrize("line", ["200 OK", "201 Created", "204 None"])
def test_a_confirmed_put_is_stored(serve, line):
    reply = answers(line, 'ETag: "new"', "Repr-Digest: sha-256=:abc=:",
                    "Last-Modified: Thu, 01 Jan 1970 00:00:09 GMT", "Content-Type: text/plain")
    said = stored(put(serve(reply).url()), 10)
    assert (said.validator, said["repr-digest"]) == ('etag:"new"', "sha-256=:abc=:")
    assert (said["http.status"], said.mtime_ns) == (line[:3], "9000000000")
    assert int(said.flags) & 8 and "content-type" not in said


def test_202_is_accepted_but_not_confirmed(serve):
    for verb in put, delete:
        said = verb(serve(answers("202 Accepted")).url())
        assert (said.status, said.finishes, said.proof) == ("OK", "1", PROOF["NONE"])
        assert said.objects == "0"


def test_a_busy_server_says_how_long(serve):
    for line in "429 Often", "503 Busy":
        said = put(serve(answers(line, "Retry-After: 7")).url()).failed("BUSY")
        assert said.retry_after == "7000"


def test_an_answer_that_is_cut_behind_its_head_counts(serve):
    stored(put(serve(Store(response(b"x", status="201 Created", length=9))).url()), 10)


@pytest.mark.parametrize("line", ["200 OK", "201 Created", "202 Accepted", "204 None"])
def test_100_a_success_before_all_was_sent_is_none(serve, line):
    said = put(serve(response(b"", status=line)).url(), fill=REFUSED_EARLY)
    said.failed("UNKNOWN_OUTCOME", "before")


@pytest.mark.parametrize("values", [{}, {"stream": 1}], ids=["file", "stream"])
def test_100_a_success_in_the_middle_of_the_body_is_none(serve, values):
    def hasty(_, connection):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        left = MIB
        while left > 0:
            left -= len(connection.recv(65536))
        connection.sendall(response(b"", status="200 OK"))
        while connection.recv(65536):
            pass
    put(serve(hasty).url(), fill=64 * MIB, **values).failed("UNKNOWN_OUTCOME", "before")


@pytest.mark.parametrize("line, status", [
    ("413 Large", "STORE_REFUSED"), ("507 Full", "STORE_REFUSED"), ("401 Who", "AUTH"),
    ("412 Condition", "CHANGED"), ("417 Expect", "REMOTE"), ("503 Busy", "BUSY"),
    ("302 Found", "POLICY")])
def test_100_a_refusal_before_the_body_is_sent_saves_it(serve, line, status):
    server = serve(response(b"no", "Location: /y", status=line))
    said = put(server.url(), fill=REFUSED_EARLY).failed(status)
    assert int(said.wire) < 65536 and server.connections == 1


# ---- conditions ----

def test_create_only_and_replace_only_this_version(serve):
    server = serve(answers("201 Created"))
    date = "Thu, 01 Jan 1970 00:00:09 GMT"
    put(server.url(), condition="absent")
    put(server.url(), condition="same", validator='etag:"v1"')
    put(server.url(), condition="same", validator="lm:" + date)
    delete(server.url(), condition="same", validator='etag:"v1"')
    names = ("If-None-Match", "If-Match", "If-Unmodified-Since")
    assert [[header(request, name) for name in names] for request in server.requests] == [
        ["*", None, None], [None, '"v1"', None], [None, None, date], [None, '"v1"', None]]


def test_412_says_what_was_not_so(serve):
    url = serve(answers("412 Precondition Failed")).url()
    put(url, condition="absent").failed("EXISTS")
    put(url, condition="same", validator='etag:"v1"').failed("CHANGED")
    delete(url, condition="same", validator='etag:"v1"').failed("CHANGED")


def test_what_http_cannot_ask_for_is_not_sent(serve):
    server = serve(answers("201 Created"))
    put(server.url(), condition="same", validator='etag:W/"v1"').failed("UNSUPPORTED", "weak")
    put(server.url(), condition="same", validator="foreign").failed("INVALID")
    put(server.url(), condition="same").failed("INVALID")
    put(server.url(), condition="changed", validator='etag:"v1"').failed("UNSUPPORTED")
    put(server.url(), condition=9).failed("UNSUPPORTED")
    delete(server.url(), condition="absent").failed("UNSUPPORTED")
    delete(server.url(), flags=4).failed("UNSUPPORTED")
    put(server.url(), flags=0x10000).failed("UNSUPPORTED")
    assert server.connections == 0


def test_a_server_that_replaced_in_spite_of_create_only_is_told_of(serve):
    assert stored(put(serve(answers("204 None")).url(), condition="absent"), 10).warned == "1"
    assert "warned" not in put(serve(answers("204 None")).url())
    assert "warned" not in put(serve(answers("201 Created")).url(), condition="absent")


# ---- redirects ----

@pytest.mark.parametrize("verb", [put, delete])
def test_a_redirect_is_told_of_and_not_followed(serve, verb):
    for line in "307 Temporary", "308 Permanent":
        server = serve(answers(line, "Location: /elsewhere"))
        said = verb(server.url())
        assert (said.status, said.url, said.finishes) == ("REDIRECT", "/elsewhere", "0")
        assert server.connections == 1
    verb(serve(answers("307 Temporary")).url()).failed("PROTOCOL", "Location")


@pytest.mark.parametrize("verb", [put, delete])
@pytest.mark.parametrize("line", ["301 Moved", "302 Found", "303 Other"])
def test_52_a_redirect_that_would_change_the_request_is_refused(serve, verb, line):
    server = serve(answers(line, "Location: /elsewhere"))
    said = verb(server.url()).failed("POLICY", line[:3], "would change it")
    assert said.objects == "0" and server.connections == 1


# ---- connections that break ----

@pytest.mark.parametrize("size, values", [(10, {}), (0, {}), (3 * MIB, {}), (10, {"stream": 1})],
                         ids=["small", "empty", "large", "stream"])
@pytest.mark.parametrize("how", ["close", "reset", "half", "garbage"])
def test_100_no_answer_after_the_last_byte_may_mean_anything(serve, size, values, how):
    def quiet(request, connection):
        read_body(request, connection)
        if how == "reset":
            reset(connection)
        return {"half": b"HTTP/1.1 201 Cre", "garbage": b"hello\r\n\r\n"}.get(how)
    server = serve(quiet)
    put(server.url(), fill=size, **values).failed("UNKNOWN_OUTCOME")
    assert server.connections == 1


@pytest.mark.parametrize("values", [{}, {"stream": 1}], ids=["file", "stream"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_100_a_connection_that_breaks_in_the_middle_is_cut_short(serve, how, values):
    def broken(request, connection):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.recv(65536)
        reset(connection) if how == "reset" else connection.close()
    said = put(serve(broken).url(), fill=64 * MIB, **values).failed("TRUNCATED")
    assert said.retryable == "1"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_100_a_connection_that_breaks_before_the_body_was_is_a_network_failure(serve, how):
    def broken(_, connection):
        if how == "reset":
            reset(connection)
    said = put(serve(broken).url(), fill=REFUSED_EARLY).failed("NETWORK")
    assert said.retryable == "1"


def test_nobody_there_is_a_network_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    put(f"http://127.0.0.1:{port}/x").failed("NETWORK")
    delete(f"http://127.0.0.1:{port}/x").failed("NETWORK")


# ---- never twice ----

class Persistent:
    """Answers the first request of a connection, and does `second` with the next one."""

    def __init__(self, second):
        self.second, self.bodies = second, []

    def __call__(self, request, connection):
        self.bodies.append(read_body(request, connection))
        connection.sendall(response(b"", status="204 None"))
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return
            request += more
        self.second(self, request, connection)


def take_and_close(store, request, connection):
    store.bodies.append(read_body(request, connection))


@pytest.mark.parametrize("verb, size", [("store", 10), ("store", 0), ("remove", 0), ("store", 3 * MIB)])
def test_what_may_have_arrived_over_a_used_connection_is_not_sent_again(serve, verb, size):
    server = serve(Persistent(take_and_close))
    first, second = call_all("http", verb, server.url(), fill=size, times=2)
    assert first.status == "OK", first
    second.failed("UNKNOWN_OUTCOME")
    assert len(server.reply.bodies) == 2 and len(server.requests) == 1


def test_what_cannot_have_arrived_is_sent_again_over_a_new_connection(serve):
    """A file that was cut on its way: no server can have taken that for the whole."""
    def cut(store, request, connection):
        connection.recv(65536)
        reset(connection)
    server = serve(Persistent(cut))
    said = call_all("http", "store", server.url(), fill=8 * MIB, times=2, timeout=60)
    assert said[0].status == "OK", said
    assert said[1].status in ("OK", "TRUNCATED"), said
    assert all(body == source(8 * MIB) for body in server.reply.bodies)


def test_a_connection_that_was_closed_meanwhile_is_no_failure(serve):
    def once(request, connection):
        """The end comes in one segment with the answer: who has that, has seen it."""
        read_body(request, connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        connection.sendall(response(b"", status="204 None"))
        connection.shutdown(socket.SHUT_WR)
    server = serve(once)
    assert [said.status for said in call_all("http", "store", server.url(), fill=10, times=3)] == \
        ["OK"] * 3
    assert server.connections == 3


# ---- delete ----

DELETE_ANSWERS = {
    "201 Created": "UNKNOWN_OUTCOME", "207 Multi": "UNKNOWN_OUTCOME", "401 Who": "AUTH",
    "403 No": "AUTH", "404 Where": "NOT_FOUND", "405 How": "REMOTE", "409 Conflict": "REMOTE",
    "410 Gone": "NOT_FOUND", "412 Condition": "CHANGED", "413 Large": "REMOTE", "429 Often": "BUSY",
    "500 Error": "REMOTE", "503 Busy": "BUSY", "507 Full": "REMOTE"}


@pytest.mark.parametrize("line, status", DELETE_ANSWERS.items(),
                         ids=[line[:3] for line in DELETE_ANSWERS])
def test_each_answer_to_a_delete_has_its_meaning(serve, line, status):
    delete(serve(answers(line)).url()).failed(status, line[:3])


@pytest.mark.parametrize("line", ["200 OK", "204 None"])
def test_a_confirmed_delete_is_done(serve, line):
    server = serve(answers(line))
    said = delete(server.url("/a%20b"))
    assert (said.status, said.finishes, said.proof, said.objects) == ("OK", "1", "1", "0")
    assert server.requests[0].startswith(b"DELETE /a%20b HTTP/1.1\r\n")
    assert header(server.requests[0], "Content-Length") in (None, "0")


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_a_delete_without_an_answer_may_mean_anything(serve, how):
    def quiet(_, connection):
        if how == "reset":
            reset(connection)
        return b"HTTP/1.1 204 N" if how == "half" else None
    server = serve(quiet)
    delete(server.url()).failed("UNKNOWN_OUTCOME")
    assert server.connections == 1


# ---- credentials ----

def test_a_refused_password_is_sent_once(serve):
    server = serve(answers("401 Who", 'WWW-Authenticate: Basic realm="x"'))
    origin = server.url("")
    put(server.url(), secret__auth__basic=f"me:secret {origin}").failed("AUTH")
    assert server.connections == 1
    assert header(server.requests[0], "Authorization").startswith("Basic ")


# ---- a real server ----

KINDS = ["http", "h2c"]


def options(kind):
    return {"option__http_version": "2"} if kind == "h2c" else {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1, MIB + 1, 20 * MIB])
@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_nginx_keeps_and_removes_it(nginx, kind, size, stream):
    (nginx.root / "dav").mkdir(exist_ok=True)
    url, values = nginx.url("/dav/file", kind), options(kind) | ({"stream": 1} if stream else {})
    assert stored(put(url, fill=size, **values), size)["http.status"] == "201"
    assert (nginx.root / "dav/file").read_bytes() == source(size)
    assert stored(put(url, fill=size, **values), size)["http.status"] == "204"
    said = delete(url, **options(kind))
    assert (said.status, said.proof) == ("OK", "1")
    assert not (nginx.root / "dav/file").exists()
    delete(url, **options(kind)).failed("NOT_FOUND")


@pytest.mark.parametrize("size", [10_000, 3 * MIB])
def test_nginx_refuses_what_is_too_large_or_has_no_place(nginx, size):
    (nginx.root / "dav/small").mkdir(parents=True, exist_ok=True)
    put(nginx.url("/dav/small/x"), fill=size).failed("STORE_REFUSED", "413")
    put(nginx.url("/dav/"), fill=size).failed("REMOTE", "409")
    put(nginx.url("/dav/no/such/x"), fill=size).failed("REMOTE", "500")
    put(nginx.url("/x")).failed("REMOTE", "405")
    assert not list((nginx.root / "dav/small").iterdir())


def test_nginx_that_refuses_over_http2_is_never_ok(nginx):
    """libcurl may lose the answer there: then it is a failure that can be tried again."""
    (nginx.root / "dav/small").mkdir(parents=True, exist_ok=True)
    said = put(nginx.url("/dav/small/x", "h2c"), fill=3 * MIB, **options("h2c"))
    assert said.status in ("STORE_REFUSED", "NETWORK", "TRUNCATED"), said


def test_a_body_goes_over_http1_where_the_server_leaves_the_choice(nginx, certificates):
    (nginx.root / "dav").mkdir(exist_ok=True)
    values = {"option__tls.ca": certificates.path("ca")}
    stored(put(nginx.url("/dav/tls", "h2"), fill=3 * MIB, **values), 3 * MIB)
    said = delete(nginx.url("/dav/tls", "h2"), **values)
    assert said.status == "OK", said
    assert [line.split()[1:3] for line in nginx.log()[-2:]] == [["HTTP/1.1", "201"],
                                                               ["HTTP/2.0", "204"]]


def test_nginx_takes_many_over_one_connection(nginx):
    (nginx.root / "dav").mkdir(exist_ok=True)
    before = len(nginx.log())
    for said in call_all("http", "store", nginx.url("/dav/many"), fill=100_000, times=20):
        stored(said, 100_000)
    lines = nginx.log()[before:]
    assert len(lines) == 20 and len({line.split()[0] for line in lines}) == 1
