# SPDX-License-Identifier: Apache-2.0
"""How a call ends, by whose word, and what is refused before anybody is asked."""
import contextlib
import fcntl
import os
import pty
import select
import subprocess
import termios
import time

import pytest

from flight.driver import encode
from support.plugin_call import call
from support.program import clean_environment
from support.raw_flight import DATA, HEADERS, field, messages, saying, write_headers

MIB = 1 << 20


def stops(asked, is_said):
    """The stream ends, and nobody has said how it went: trailers of another kind, or none."""
    asked.receive_all()
    asked.begin()
    if is_said:
        asked.connection.frame(HEADERS, 5, asked.stream, write_headers([("x-said", "nothing")]))
    else:
        asked.connection.frame(DATA, 1, asked.stream, b"")


@pytest.fixture(params=[False, True], ids=["no-trailers", "other-trailers"])
def stopping(raw, request):
    return raw(lambda asked: stops(asked, request.param))


@pytest.mark.parametrize("verb, values", [("store", {"fill": 10}), ("remove", {})])
def test_an_end_without_a_status_is_no_answer_to_a_change(stopping, verb, values):
    said = call("grpc", verb, stopping.url(), **values)
    assert said.status == "UNKNOWN_OUTCOME" and "grpc" not in said, said


def from_a_gateway(asked, status):
    """As a proxy answers that has lost the cache, or does not let us through."""
    asked.receive_all()
    asked.connection.frame(HEADERS, 5, asked.stream, write_headers(
        [(":status", status), ("content-type", "text/html")]))


@pytest.mark.parametrize("verb, values", [("store", {"fill": 10}), ("remove", {})])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateway_that_lost_the_cache_is_no_answer_to_a_change(raw, verb, values, status):
    server = raw(lambda asked: from_a_gateway(asked, status))
    said = call("grpc", verb, server.url(), **values)
    assert said.status == "UNKNOWN_OUTCOME" and str(status) in said.message, said


@pytest.mark.parametrize("status, expected", [(401, "AUTH"), (403, "AUTH"), (404, None), (504, "NETWORK")])
@pytest.mark.parametrize("verb", ["fetch", "remove"])
def test_a_gateway_that_refuses_is_an_answer(raw, verb, status, expected):
    said = call("grpc", verb, raw(lambda asked: from_a_gateway(asked, status)).url())
    assert said.status not in ("OK", "NOT_FOUND"), said
    if verb == "remove" and status == 504:
        return
    assert said.status != "UNKNOWN_OUTCOME" and said.status == (expected or said.status), said


@pytest.mark.parametrize("verb", ["fetch", "list", "stat"])
def test_an_end_without_a_status_is_never_ok(stopping, verb):
    said = call("grpc", verb, stopping.url())
    assert said.status in ("NETWORK", "TRUNCATED", "PROTOCOL") and said.finishes == "0", said
    assert "grpc" not in said and said.retryable == "1", said


def test_a_stat_that_gets_all_of_another_version_waits_for_a_body(raw, tmp_path):
    """The clock of the first byte is over when the schema has come."""
    frames = list(messages(encode(b"x" * 100, tmp_path, "none", 0, 9, "kind")))

    def answer(asked):
        asked.receive_all()
        if asked.method == "DoGet":
            asked.send(frames[0])
            asked.send(frames[1])
        asked.end()
    said = call("grpc", "stat", raw(answer).url(), condition="changed", validator="3")
    assert said.saw("BODY"), said


def test_a_stat_waits_for_another_version_as_long_as_the_connection_lives(raw, frames):
    """What the host is told every 40 ms."""
    def answer(asked):
        asked.receive_all()
        if asked.method == "DoGet":
            asked.send(frames[0])
            time.sleep(1)
        asked.end()
    said = call("grpc", "stat", raw(answer).url(), condition="changed", validator="3")
    assert int(said.progress) > 10, said


def test_a_stat_says_that_a_body_has_begun_once_and_with_the_schema(raw, frames):
    """What comes before or after it without a row does not feed the clock."""
    nothing = field(3, b"x")

    def said_of(*sent, pause=0):
        asks = saying(sent, end=lambda asked: (time.sleep(pause), asked.end()))
        server = raw(lambda asked: (asks if asked.method == "DoGet" else saying([]))(asked))
        return call("grpc", "stat", server.url(), condition="changed", validator="3")

    said = said_of(frames[0])
    assert said.status == "NOT_MODIFIED" and said.saw("BODY"), said
    said = said_of(frames[0], *1000 * [nothing])
    assert said.status == "NOT_MODIFIED" and int(said.progress) < 500, said
    said = said_of(nothing, pause=0.5)
    assert said.status == "NOT_FOUND" and not said.saw("BODY"), said


@pytest.mark.parametrize("verb, values", [("store", {"fill": 10}), ("remove", {})])
@pytest.mark.parametrize("condition", ["absent", "same", "changed", "77"])
def test_a_condition_that_the_cache_does_not_know_is_refused(raw, verb, values, condition):
    server = raw(lambda asked: asked.end())
    said = call("grpc", verb, server.url(), condition=condition, validator="1", **values)
    assert said.status == "UNSUPPORTED" and server.calls == [], said


@pytest.mark.parametrize("name", [
    "Connection", "Content-Length", "Content-Type", "Host", "Keep-Alive", "Proxy-Connection", "TE",
    "Transfer-Encoding", "Upgrade", "User-Agent"])
def test_a_header_that_http2_forbids_is_refused(fetch, raw, name):
    server = raw(lambda asked: asked.end())
    fetch("-H", f"{name}: x", server.url()).failed("INVALID", "cannot be set")
    assert server.calls == []


def test_authorities_are_not_cut_off(fetch, one_try, certificates, tmp_path):
    """More than can be taken is an error, not a part of it."""
    many = tmp_path / "many.pem"
    many.write_text(certificates.path("ca").read_text() + "# padding\n" * MIB)
    fetch("--cacert", many, "grpcs://127.0.0.1:1/a/b/c").failed("INVALID", "tls.ca")


def on_a_terminal(command, place):
    """What stands on the terminal of a command that has one, and its exit code."""
    ours, its = pty.openpty()

    def take_it():
        os.setsid()
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)
    child = subprocess.Popen(command, cwd=place, stdin=its, stdout=its, stderr=its,
                             preexec_fn=take_it, env=clean_environment())
    os.close(its)
    shown, end = b"", time.monotonic() + 30
    with contextlib.suppress(OSError):  # of a terminal that nobody has open any more
        while select.select([ours], [], [], max(0, end - time.monotonic()))[0]:
            shown += os.read(ours, 4096)
    if time.monotonic() > end:
        child.kill()
    code = child.wait(30)
    os.close(ours)
    return shown.decode(errors="replace"), code


def locked(kind):
    """What OpenSSL would ask the password of."""
    return (f"-----BEGIN {kind}-----\nProc-Type: 4,ENCRYPTED\n"
            "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
            f"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END {kind}-----\n")


@pytest.fixture
def asks_nobody(fetch, one_try, tmp_path):
    """Run it with a terminal: asks_nobody(url, option=the text of a file)."""
    def run(url, **texts):
        options = []
        for option, text in texts.items():
            (tmp_path / option).write_text(text)
            options += [f"--{option}", tmp_path / option]
        shown, code = on_a_terminal(fetch.argv(*options, url), fetch.new_place())
        assert "pass phrase" not in shown and code > 0, shown
        return shown
    return run


def test_nobody_is_asked_for_the_password_of_a_file(asks_nobody, certificates):
    cert, key = (certificates.path("client", kind).read_text() for kind in ("pem", "key"))
    nobody, certificate = "grpcs://127.0.0.1:1/a/b/c", locked("CERTIFICATE")
    for texts in ({"cacert": certificate}, {"cert": certificate, "key": key},
                  {"cert": cert, "key": locked("EC PRIVATE KEY")}):
        asks_nobody(nobody, **texts)


@pytest.mark.parametrize("what", ["cacert", "cert"])
def test_nobody_is_asked_for_a_password_when_a_handshake_is_looked_into(
        asks_nobody, raw, certificates, what):
    """The first one can be read, and what comes behind it is looked at too."""
    texts = {"cacert": certificates.path("ca").read_text(),
             "cert": certificates.path("client").read_text(),
             "key": certificates.path("client", "key").read_text()}
    texts[what] += locked("CERTIFICATE")
    server = raw(lambda asked: asked.end(), tls=certificates.server("wrong-name"))
    shown = asks_nobody(server.url(scheme="grpcs"), **texts)
    assert "another name" in shown, shown
