# SPDX-License-Identifier: Apache-2.0
"""A reply is what its framing proves, and nothing else: never OK for a body that may be a part, and
nothing of a refused one is left behind."""
import hashlib

import pytest

from support.scripted_server import response

OK = b"HTTP/1.1 200 OK\r\n"
pytestmark = pytest.mark.usefixtures("one_try")
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SUM = "sha256:" + hashlib.sha256(b"hello").hexdigest()


def with_length(text, body=b"hello"):
    return OK + b"Content-Length: " + text + b"\r\n\r\n" + body


@pytest.mark.parametrize("reply", [
    with_length(b"5"),
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"2;name=value\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + with_length(b"5"),
    with_length(b"5\r\nContent-Length: 5"),
    OK + b"content-length:5  \r\n\r\nhello",
], ids=["length", "chunked", "extensions", "http1.0", "interim", "length-said-twice", "spelling"])
def test_a_framed_reply_is_complete(fetch, serve, reply):
    fetch(serve(reply).url()).succeeded(b"hello")


@pytest.mark.parametrize("reply", [with_length(b"5"), CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"],
                         ids=["length", "chunked"])
def test_30_a_reply_cut_at_any_byte_is_never_ok(fetch, serve, reply):
    """libcurl takes the end of the connection for the last line end of a chunked reply; by then
    every byte and the last chunk have come."""
    last = b"0\r\n\r\n"
    for size in range(len(reply)):
        outcome = fetch(serve(reply[:size]).url())
        if size >= len(reply) - 1 and reply.endswith(last) and outcome.code == 0:
            outcome.succeeded(b"hello")
        elif size == 0:
            outcome.failed("PROTOCOL")
        elif size < len(b"HTTP/"):
            assert outcome.code in (8, 18) and outcome.files == [], (size, outcome.stderr)
        else:
            outcome.failed("TRUNCATED")


@pytest.mark.parametrize("reply, status", [
    (with_length(b"9"), "TRUNCATED"),                                # 31
    (with_length(b"1" + b"0" * 18, b"x"), "PROTOCOL"),
    (with_length(b"-3"), "PROTOCOL"),                                # 33
    (with_length(b"10abc", b"hellohello"), "PROTOCOL"),
    (with_length(b"1e30"), "PROTOCOL"),
    (with_length(b"1" + b"0" * 30), "PROTOCOL"),
    (with_length(b"+5"), "PROTOCOL"),
    (with_length(b"0x5"), "PROTOCOL"),
    (with_length(b""), "PROTOCOL"),
    (with_length(b"5\r\nContent-Length: 6", b"hello!"), "PROTOCOL"),
    (with_length(b"5, 6", b"hello!"), "PROTOCOL"),
    (with_length(b"5\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"), "PROTOCOL"),
    (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "PROTOCOL"),
    (CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", "PROTOCOL"),             # 34
    (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", "PROTOCOL"),
    (CHUNKED + b"f" * 20 + b"\r\nhello\r\n0\r\n\r\n", "PROTOCOL"),
    (CHUNKED + b"5\r\nhelloXX0\r\n\r\n", "PROTOCOL"),
    (CHUNKED + b"9\r\nhello", "TRUNCATED"),
    (CHUNKED + b"5\r\nhello\r\n", "TRUNCATED"),
    (CHUNKED + b"5\r\nhello\r\n0\r\n", "TRUNCATED"),
    (OK + b"\r\nhello", "UNPROVEN"),                                 # 35
    (b"HTTP/1.0 200 OK\r\n\r\nhello", "UNPROVEN"),
    (b"hello there\n", "PROTOCOL"),                                  # 37
    (b"\x00\x01\x02garbage\x1b[2J\r\n\r\n", "PROTOCOL"),
    (b"", "PROTOCOL"),
    (with_length(b"5\r\nContent-Encoding: gzip"), "PROTOCOL"),       # 40
    (with_length(b"5\r\nContent-Encoding: br"), "PROTOCOL"),
    (with_length(b"5\r\nContent-Encoding: \x1b[2J"), "PROTOCOL"),
], ids=lambda value: None if isinstance(value, bytes) else value)
def test_31_to_40_a_reply_that_lies_about_its_body_is_refused(fetch, serve, reply, status):
    fetch(serve(reply).url()).failed(status)


def test_32_and_44_what_follows_the_body_is_ignored_and_its_connection_not_used_again(fetch, serve):
    server = serve(with_length(b"5") + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld")
    outcome = fetch("-d", "out", "--create-dirs", server.url("/a"), server.url("/b"), output=None)
    assert outcome.code == 0, outcome.stderr
    assert [(outcome.place / "out" / name).read_bytes() for name in "ab"] == [b"hello", b"hello"]
    assert server.connections == 2


def test_35_a_digest_proves_what_framing_does_not(fetch, serve):
    url = serve(OK + b"\r\nhello").url()
    fetch("--checksum", SUM, url).succeeded(b"hello")
    fetch("--allow-unproven", url).succeeded(b"hello")


def test_36_tls_that_ends_without_a_goodbye_proves_nothing(fetch, serve, certificates):
    server = serve(OK + b"\r\nhello", tls=certificates.server("good"))
    fetch("--cacert", certificates.path("ca"), server.url()).failed("UNPROVEN")


REFUSED = {"201 Created": "REMOTE", "202 Accepted": "REMOTE", "203 Other": "REMOTE",
           "204 No Content": "REMOTE", "205 Reset": "REMOTE", "206 Partial Content": "REMOTE",
           "226 IM Used": "REMOTE", "300 Multiple": "REMOTE", "304 Not Modified": "REMOTE",
           "400 Bad": "REMOTE", "401 Unauthorized": "AUTH", "403 Forbidden": "AUTH",
           "404 Not Found": "NOT_FOUND", "407 Proxy": "AUTH", "410 Gone": "NOT_FOUND",
           "416 Range": "RANGE", "418 Teapot": "REMOTE", "429 Slow": "BUSY", "500 Error": "REMOTE",
           "503 Busy": "BUSY", "600 What": "REMOTE", "999 Odd": "REMOTE"}


@pytest.mark.parametrize("line, status", REFUSED.items(), ids=[line[:3] for line in REFUSED])
def test_38_only_200_is_an_answer(fetch, serve, line, status):
    outcome = fetch(serve(response(b"", status=line)).url())
    outcome.failed(status)
    if status != "RANGE":
        fetch(serve(response(b"hello", status=line)).url()).failed(status)


def test_38_a_part_that_nobody_asked_for_is_refused_whatever_it_says(fetch, serve):
    part = response(b"hello", "Content-Range: bytes 0-4/5", status="206 Partial Content")
    fetch(serve(part).url()).failed("REMOTE", "206")


def test_39_a_login_page_in_place_of_the_file_is_a_digest_mismatch(fetch, serve):
    url = serve(response(b"<html>log in")).url()
    fetch("--checksum", SUM, url).failed("DIGEST")


@pytest.mark.parametrize("head", [
    b"X: " + b"a" * 20_000_000 + b"\r\n",
    b"".join(b"X-%d: a\r\n" % number for number in range(200_000)),
    b"X" * 2_000_000,
], ids=["long", "many", "no-colon"])
def test_41_a_head_without_end_is_refused_in_little_memory(fetch, serve, head):
    fetch.limit_memory(16)
    fetch(serve(OK + head + b"Content-Length: 5\r\n\r\nhello").url()).failed("PROTOCOL")


def test_41_interim_replies_without_end_are_refused_in_little_memory(fetch, serve):
    fetch.limit_memory(16)
    reply = b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000 + with_length(b"5")
    fetch(serve(reply).url()).failed("PROTOCOL")


def endless(_, connection):
    connection.sendall(CHUNKED)
    while True:
        connection.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")


def test_42_a_body_without_end_stops_at_the_limit(fetch, serve):
    fetch("--max-filesize", "1M", serve(endless).url()).failed("LIMIT")


def test_43_a_size_over_the_limit_is_refused_before_any_write(fetch, serve):
    fetch("--max-filesize", "1M", serve(with_length(b"1048577", b"")).url()).failed("LIMIT")


def test_43_a_size_that_no_disk_has_is_refused_before_any_write(fetch, serve):
    url = serve(with_length(b"1000000000000000", b"x")).url()
    fetch(url).failed("LIMIT")
    fetch("--max-filesize", "off", url).failed("NO_SPACE")


def test_the_order_of_the_headers_does_not_matter(fetch, serve):
    reply = OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    fetch(serve(reply).url()).failed("PROTOCOL")


@pytest.mark.parametrize("reply", [with_length(b"5"), CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"],
                         ids=["length", "chunked"])
def test_a_reply_byte_by_byte_is_the_same(fetch, serve, reply):
    def drip(_, connection):
        for number in range(len(reply)):
            connection.sendall(reply[number:number + 1])
    fetch(serve(drip).url()).succeeded(b"hello")
