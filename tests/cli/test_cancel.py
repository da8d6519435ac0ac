# SPDX-License-Identifier: Apache-2.0
"""Cancelled means soon, wherever the program is, with the exit code of the signal and nothing left
behind but what the next run can go on from, of which it is told. (The bound of 100 ms is held by
the engine's own test; here a process start is in the way.)"""
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.program import SANITIZE, outcome_of
from support.scripted_server import response

SOON = 3.0 if SANITIZE else 1.0


HINT = "flame-fetch: run the same command again to go on"


def stopped(child, number=signal.SIGINT):
    begin = time.monotonic()
    child.send_signal(number)
    outcome = outcome_of(child)
    assert time.monotonic() - begin < SOON
    assert outcome.code == 128 + number, outcome.stderr
    return outcome


def interrupted(child, number=signal.SIGINT):
    outcome = stopped(child, number)
    assert outcome.files == [] and len(outcome.stderr.splitlines()) == 1, outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_102_a_signal_ends_a_download_that_waits(fetch, silent, number):
    child = fetch.start(silent.url())
    assert silent.asked.wait(30)
    interrupted(child, number)


def test_102_a_signal_ends_a_download_in_its_body(fetch, serve):
    sent = threading.Event()

    def reply(_, connection):
        connection.sendall(response(b"x" * 100_000, length=200_000))
        sent.set()
        server.hold()

    server = serve(reply)
    child = fetch.start(server.url())
    assert sent.wait(30)
    interrupted(child)


def test_102_a_signal_ends_a_connection_that_is_not_there_yet(fetch):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        child = fetch.start("http://127.0.0.1:%d/" % listener.getsockname()[1])
        time.sleep(0.5)
        interrupted(child)
        for each in full:
            each.close()


def test_102_a_signal_ends_a_handshake(fetch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = fetch.start("https://127.0.0.1:%d/" % listener.getsockname()[1])
        connection, _ = listener.accept()
        interrupted(child)
        connection.close()


@pytest.fixture
def copying(fetch, tmp_path):
    """Start copying a file that takes long, and wait until it has begun: copying(argument, ...)"""
    source = tmp_path / "source"
    with open(source, "wb") as file:
        file.truncate(8 << 30)

    def start(*arguments):
        child = fetch.start("--durability", "none", "--progress", "line", *arguments, "--checksum",
                            "sha256:" + "0" * 64, f"file://{source}")
        assert b"begins" in child.stderr.readline()
        time.sleep(0.3)
        return child

    return start


def test_102_a_signal_ends_a_copy_of_a_file_and_says_how_to_go_on(copying):
    outcome = stopped(copying())
    part, state = outcome.files
    assert part.startswith(".flame-part-") and state == part + ".state"
    assert outcome.stderr.splitlines()[-1] == HINT, outcome.stderr


def test_102_nothing_is_left_when_nothing_shall_be_gone_on_from(copying):
    interrupted(copying("--continue", "never"))




def test_102_a_reader_that_does_not_read_can_be_left(fetch, serve):
    server = serve(response(bytes(4 << 20)))
    child = fetch.start(server.url(), output="-")
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    begin = time.monotonic()
    assert child.wait(30) == 130
    assert time.monotonic() - begin < SOON
    child.communicate()


def test_an_ignored_signal_stays_ignored(fetch, serve):
    """nohup and shells that start jobs rely on it."""
    asked, go_on = threading.Event(), threading.Event()

    def reply(*_):
        asked.set()
        go_on.wait(30)
        return response(b"hello")

    server = serve(reply)
    child = fetch.start(server.url(),
                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert asked.wait(30)
    child.send_signal(signal.SIGINT)
    go_on.set()
    outcome_of(child).succeeded(b"hello")


def test_a_reader_that_leaves_ends_the_program_without_a_word_too_many(fetch, serve):
    """SIGPIPE belongs to the program: it ends with an error, not by a signal in a library."""
    server = serve(response(bytes(4 << 20)))
    child = fetch.start(server.url(), output="-")
    child.stdout.close()
    stderr = child.stderr.read().decode()
    assert child.wait(30) == 23 and len(stderr.splitlines()) == 1, stderr
    child.stderr.close()


def test_a_stopped_program_goes_on(fetch, serve):
    asked, go_on = threading.Event(), threading.Event()

    def reply(*_):
        asked.set()
        go_on.wait(30)
        return response(b"hello")

    server = serve(reply)
    child = fetch.start(server.url())
    assert asked.wait(30)
    child.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    go_on.set()
    child.send_signal(signal.SIGCONT)
    outcome_of(child).succeeded(b"hello")


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_102_a_signal_ends_a_store_of_what_never_ends(fetch, serve, tmp_path, scheme):
    asked = threading.Event()

    def reply(*_):
        asked.set()
        server.hold()

    server = serve(reply)
    url = server.url() if scheme == "http" else f"file://{tmp_path}/stored"
    child = subprocess.Popen(fetch.argv("put", "-", url, output=None), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=fetch.new_place())
    child.stdin.write(b"x" * 100_000)
    child.stdin.flush()
    assert scheme == "file" or asked.wait(30)
    time.sleep(0.3)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130 and time.monotonic() - begin < SOON
    assert len(child.stderr.read().splitlines()) == 1
    assert not (tmp_path / "stored").exists() and list(tmp_path.glob(".flame-*")) == []
    child.stdin.close()


def test_102_a_signal_ends_a_wait_between_two_attempts(fetch, serve):
    server = serve(response(b"", "Retry-After: 20", status="503 Busy"))
    child = fetch.start("-v", server.url())
    lines = iter(child.stderr.readline, b"")
    assert any(b": attempt 2 in " in line for line in lines)
    stopped(child)
