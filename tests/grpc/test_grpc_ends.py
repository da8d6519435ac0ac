# SPDX-License-Identifier: Apache-2.0
"""How a call ends, by whose word, and what is refused before anybody is asked."""
import fcntl
import os
import pty
import subprocess
import termios
import time

import pytest

from flight.driver import encode
from support.plugin_call import call
from support.program import clean_environment
from support.raw_flight import DATA, messages

MIB = 1 << 20
BODY = 40  # FLAME_PHASE_BODY


def stops(asked):
    """The stream ends, and nobody has said how it went."""
    asked.receive_all()
    asked.begin()
    asked.connection.frame(DATA, 1, asked.stream, b"")


@pytest.mark.parametrize("verb, values", [("store", {"fill": 10}), ("remove", {})])
def test_an_end_without_a_status_is_no_answer_to_a_change(raw, verb, values):
    said = call("grpc", verb, raw(stops).url(), **values)
    assert said.status == "UNKNOWN_OUTCOME" and "grpc" not in said, said


@pytest.mark.parametrize("verb", ["fetch", "list", "stat"])
def test_an_end_without_a_status_is_never_ok(raw, verb):
    said = call("grpc", verb, raw(stops).url())
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
    assert said.saw(BODY), said


@pytest.mark.parametrize("verb, values", [("store", {"fill": 10}), ("remove", {})])
@pytest.mark.parametrize("condition", ["absent", "same"])
def test_a_condition_that_the_cache_does_not_know_is_refused(raw, verb, values, condition):
    server = raw(lambda asked: asked.end())
    said = call("grpc", verb, server.url(), condition=condition, validator="1", **values)
    assert said.status == "UNSUPPORTED" and server.calls == [], said


@pytest.mark.parametrize("name", ["Keep-Alive", "Upgrade", "Proxy-Connection", "Transfer-Encoding", "TE"])
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
    os.set_blocking(ours, False)
    while child.poll() is None and time.monotonic() < end:
        try:
            shown += os.read(ours, 4096)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    if child.poll() is None:
        child.kill()
    code = child.wait(30)
    os.close(ours)
    return shown.decode(errors="replace"), code


@pytest.mark.parametrize("what", ["--cacert", "--cert"])
def test_nobody_is_asked_for_a_password(fetch, certificates, tmp_path, what):
    locked = tmp_path / "locked.pem"
    locked.write_text("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END CERTIFICATE-----\n")
    more = ["--key", certificates.path("client", "key")] if what == "--cert" else []
    shown, code = on_a_terminal(fetch.argv(what, locked, *more, "grpcs://127.0.0.1:1/a/b/c"),
                                fetch.new_place())
    assert "pass phrase" not in shown and code > 0, shown
