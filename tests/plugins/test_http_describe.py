# SPDX-License-Identifier: Apache-2.0
"""What the http plugin says of an object: by HEAD, by GET where HEAD is refused, and of the part of
it that was asked for."""
import pytest

from support.plugin_call import PROOF, call
from support.scripted_server import response

SIZE, BODY_SIZE, STRONG = 1, 2, 8  # FLAME_OBJECT_*


def part(body, content_range, *headers):
    return response(body, f"Content-Range: {content_range}", *headers, status="206 Partial Content")


def stat(url, **values):
    return call("http", "stat", url, **values)


# ---- stat where HEAD is refused ----

def presigned(refusal, answer):
    """Signed for GET: HEAD is refused."""
    def reply(request, _):
        return refusal if request.startswith(b"HEAD ") else answer
    return reply


def methods(server):
    return [request.split(b" ")[0].decode() for request in server.requests]


@pytest.mark.parametrize("line", ["403 Forbidden", "405 Method Not Allowed", "501 Not Implemented"])
@pytest.mark.parametrize("answer, total", [
    (part(b"a", "bytes 0-0/12345", 'ETag: "v1"'), "12345"),
    (response(b"a" * 12345, 'ETag: "v1"'), "12345"),
    (response(b"", 'ETag: "v1"', length=1 << 40), str(1 << 40)),
    (response(b"", "Content-Range: bytes */0", 'ETag: "v1"', status="416 Range"), "0"),
], ids=["part", "whole", "huge", "empty"])
def test_what_head_refuses_is_asked_for_by_get(serve, line, answer, total):
    server = serve(presigned(response(b"", status=line), answer))
    said = stat(server.url("/x?sig=1"))
    assert (said.status, said.objects, said.total_size) == ("OK", "1", total), said
    assert (said.validator, said.body, said.body_size, said.offset) == ('etag:"v1"', "0", "0", "0")
    assert int(said.flags) & BODY_SIZE == 0
    assert int(said.flags) & SIZE and int(said.flags) & STRONG
    assert methods(server) == ["HEAD", "GET"]
    assert b"\r\nRange: bytes=0-0\r\n" in server.requests[1]
    assert b" /x?sig=1 " in server.requests[1]


def test_a_size_that_get_does_not_tell_is_not_made_up(serve):
    for answer in (part(b"a", "bytes 0-0/*"),
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
        said = stat(serve(presigned(response(b"", status="403 No"), answer)).url())
        assert said.status == "OK" and not int(said.flags) & SIZE, said


@pytest.mark.parametrize("answer", [
    response(b"", status="403 Forbidden too"), response(b"", status="404 Gone"),
    response(b"", status="500 Error"), b"garbage", part(b"b", "bytes 1-1/9"),
    response(b"", status="416 Range"),
    response(b"", "Content-Range: bytes */7", status="416 Range"),
    response(b"a", "Content-Encoding: gzip"), response(b"", "Content-Length: 7"),
], ids=["403", "404", "500", "garbage", "other-part", "416", "416-of-some", "encoded", "broken"])
def test_the_answer_to_head_stands_where_get_brings_none(serve, answer):
    server = serve(presigned(response(b"", status="405 Not By Head"), answer))
    said = stat(server.url()).failed("REMOTE", "405 Not By Head")
    assert (said.http, said.objects) == ("405", "0")
    assert "curl" not in said and methods(server) == ["HEAD", "GET"]


@pytest.mark.parametrize("line, status", [
    ("401 Who", "AUTH"), ("404 Where", "NOT_FOUND"), ("410 Gone", "NOT_FOUND"),
    ("400 Bad", "REMOTE"), ("500 Error", "REMOTE"), ("503 Busy", "BUSY")])
def test_another_answer_to_head_is_the_answer(serve, line, status):
    server = serve(presigned(response(b"", status=line), response(b"a")))
    stat(server.url()).failed(status, line[:3])
    assert methods(server) == ["HEAD"]


def test_get_in_place_of_head_keeps_the_condition_and_tells_of_redirects(serve):
    refusal = response(b"", status="403 Forbidden")
    server = serve(presigned(refusal, response(b"", status="304 Not Modified")))
    assert stat(server.url(), condition="changed", validator='etag:"v1"').status == "NOT_MODIFIED"
    assert b'\r\nIf-None-Match: "v1"\r\n' in server.requests[1]
    moved = response(b"", "Location: /y", status="302 Found")
    said = stat(serve(presigned(refusal, moved)).url())
    assert (said.status, said.url) == ("REDIRECT", "/y")


# ---- a part of this version, else the whole ----

WHOLE = b"0123456789"


def rest(url, offset=5, validator='etag:"v1"', **values):
    return call("http", "fetch", url, offset=offset, condition="same", validator=validator,
                **values)


@pytest.mark.parametrize("reply, status, words", [
    (part(b"56789", "bytes 4-9/10", 'ETag: "v1"'), "PROTOCOL", "starts at 4"),
    (part(b"0123456789", "bytes 0-9/10", 'ETag: "v1"'), "PROTOCOL", "starts at 0"),
    (response(b"56789", 'ETag: "v1"', status="206 Partial"), "PROTOCOL", "Content-Range"),
    (part(b"56789", "bytes */10", 'ETag: "v1"'), "PROTOCOL", "Content-Range"),
    (part(b"567", "bytes 5-7/10", 'ETag: "v1"'), "PROTOCOL", "shorter"),
    (part(b"56789", "bytes 5-9/9", 'ETag: "v1"'), "PROTOCOL", "behind the whole"),
    (part(b"56789", "bytes 5-8/9", 'ETag: "v1"'), "PROTOCOL", "differ"),
    (part(b"56789", "bytes 5-9/10", 'ETag: "v2"'), "CHANGED", "another version"),
    (part(b"56789", "bytes 5-9/10", "Content-Encoding: gzip"), "PROTOCOL", "encoded"),
    (response(WHOLE, "Content-Encoding: gzip"), "PROTOCOL", "encoded"),
    (response(b"", "Content-Range: bytes */5", status="416 Range"), "RANGE", "416"),
    (response(b"", status="412 Condition"), "CHANGED", "412"),
    (response(b"", status="404 Where"), "NOT_FOUND", "404"),
], ids=["early", "whole-as-part", "no-range", "no-part", "short", "behind", "length", "version",
        "encoded-part", "encoded-whole", "416", "412", "404"])
def test_a_part_is_the_one_that_was_asked_for_or_refused(serve, reply, status, words):
    said = rest(serve(reply).url()).failed(status, words)
    assert said.body == "0" and said.objects == "0"


def test_the_part_that_was_asked_for_is_delivered_where_it_belongs(serve):
    server = serve(part(b"56789", "bytes 5-9/10", 'ETag: "v1"'))
    said = rest(server.url())
    assert (said.status, said.proof, said.body) == ("OK", PROOF["COMPLETE"], "5"), said
    assert (said.offset, said.body_size, said.total_size) == ("5", "5", "10")
    assert b'\r\nIf-Range: "v1"\r\n' in server.requests[0]
    assert b"\r\nRange: bytes=5-\r\n" in server.requests[0]


def test_the_last_part_may_end_with_the_object(serve):
    said = rest(serve(part(b"56789", "bytes 5-9/10", 'ETag: "v1"')).url(), length=100)
    assert (said.status, said.body) == ("OK", "5"), said


def test_a_part_of_another_version_comes_as_the_whole_from_0(serve):
    said = rest(serve(response(WHOLE, 'ETag: "v2"')).url())
    assert (said.status, said.offset, said.body, said.total_size) == ("OK", "0", "10", "10"), said
    assert said.validator == 'etag:"v2"'


# ---- digests ----

@pytest.mark.parametrize("headers, digest", [
    (["Content-Digest: sha-256=:aa=:"], "sha-256=:aa=:"),
    (["Content-Digest: sha-256=:aa=:", "Repr-Digest: sha-256=:bb=:"], "sha-256=:bb=:"),
    (["Repr-Digest: sha-256=:bb=:"], "sha-256=:bb=:"),
    ([], None),
], ids=["content", "both", "representation", "none"])
def test_the_digest_of_a_whole_is_the_objects(serve, headers, digest):
    said = call("http", "fetch", serve(response(WHOLE, *headers)).url())
    assert said.status == "OK" and said.get("repr-digest") == digest, said


def test_the_digest_of_a_part_or_of_no_body_is_not_the_objects(serve):
    header = "Content-Digest: sha-256=:aa=:"
    said = rest(serve(part(b"56789", "bytes 5-9/10", header)).url())
    assert said.status == "OK" and "repr-digest" not in said, said
    said = stat(serve(response(b"", header, length=10)).url())
    assert said.status == "OK" and "repr-digest" not in said, said
