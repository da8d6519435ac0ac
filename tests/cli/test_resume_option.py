# SPDX-License-Identifier: Apache-2.0
"""What a stopped download has brought is gone on from, unless --continue never; and one waits for
another that fetches the same, unless --no-lock."""
import json
import os
import re
import signal
import threading

import pytest

from support.program import outcome_of
from support.scripted_server import response

BODY = os.urandom(12 << 20)
HALF = 9 << 20
HINT = "flame-fetch: run the same command again to go on"


class Halting:
    """Serves BODY with an ETag; the first reply stops half-way until the test is over."""

    def __init__(self, serve, etag='"v1"', body=BODY):
        self.etag, self.body = etag, body
        self.is_half_sent, self.ranges = threading.Event(), []
        self.server = serve(self.reply)
        self.url = self.server.url("/x")

    def reply(self, request, connection):
        asked = re.search(rb"\r\nrange: bytes=(\d+)-\r\n", request, re.I)
        tag = re.search(rb"\r\nif-range: ([^\r]+)\r\n", request, re.I)
        self.ranges.append(int(asked[1]) if asked else 0)
        if not self.is_half_sent.is_set():
            connection.sendall(response(self.body[:HALF], f"ETag: {self.etag}",
                                        length=len(self.body)))
            self.is_half_sent.set()
            self.server.hold()
            return None
        if not asked or (tag and tag[1].decode() != self.etag):
            return response(self.body, f"ETag: {self.etag}")
        begin, last = int(asked[1]), len(self.body) - 1
        return response(self.body[begin:], f"ETag: {self.etag}",
                        f"Content-Range: bytes {begin}-{last}/{last + 1}",
                        status="206 Partial Content")


@pytest.fixture
def halting(serve):
    return Halting(serve)


def stopped(fetch, halting, *arguments, number=signal.SIGINT):
    child = fetch.start(*arguments, halting.url)
    assert halting.is_half_sent.wait(30)
    child.send_signal(number)
    outcome = outcome_of(child)
    assert outcome.code == 128 + number
    return outcome


def events_of(outcome):
    return {event["ev"]: event for event in map(json.loads, outcome.stdout.splitlines())}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_download_is_gone_on_from_by_the_same_command(fetch, halting, number):
    first = stopped(fetch, halting, "--json", number=number)
    assert first.stderr.splitlines()[-1] == HINT and len(first.files) == 2, first.files
    assert events_of(first)["error"]["resumable"]
    again = fetch("--json", halting.url, place=first.place)
    again.succeeded(BODY)
    events = events_of(again)
    begin = halting.ranges[-1]
    assert 0 < begin <= HALF and events["resume"]["offset"] == begin
    assert events["done"]["resumed"] == begin
    assert events["done"]["size_download"] == len(BODY) - begin


def test_v_tells_of_it(fetch, halting):
    first = stopped(fetch, halting)
    again = fetch("-v", halting.url, place=first.place)
    again.succeeded(BODY)
    assert [line for line in again.stderr.splitlines()
            if line.startswith(f"flame-fetch: info: {halting.url}: goes on at byte ")]


def test_never_leaves_nothing_and_has_no_hint(fetch, halting):
    first = stopped(fetch, halting, "--continue", "never")
    assert first.files == [] and HINT not in first.stderr


def test_never_does_not_use_what_is_there(fetch, halting):
    first = stopped(fetch, halting)
    fetch("--continue", "never", halting.url, place=first.place)
    assert halting.ranges == [0, 0] and (first.place / "out").read_bytes() == BODY


def test_the_last_word_counts(fetch, halting):
    first = stopped(fetch, halting, "--continue", "never", "--continue", "auto")
    assert len(first.files) == 2


def test_quiet_is_without_the_hint(fetch, halting):
    first = stopped(fetch, halting, "-q")
    assert len(first.files) == 2 and len(first.stderr.splitlines()) == 1


def test_another_version_is_begun_anew_and_told(fetch, halting):
    first = stopped(fetch, halting)
    halting.etag, halting.body = '"v2"', os.urandom(12 << 20)
    again = fetch("--json", halting.url, place=first.place)
    again.succeeded(halting.body)
    assert {"resume", "restart"} <= set(events_of(again)) and events_of(again)["done"]["resumed"] == 0


# ---- others at the same file -------------------------------------------------------------------


def test_who_waits_for_another_says_so_and_takes_what_it_made(fetch, serve):
    asked, go_on = threading.Event(), threading.Event()

    def reply(*_):
        asked.set()
        go_on.wait(30)
        return response(b"hello")

    server = serve(reply)
    first = fetch.start(server.url())
    assert asked.wait(30)
    second = fetch.start("--json", server.url(), place=first.place)
    lines = iter(second.stdout.readline, b"")
    assert any(json.loads(line)["ev"] == "locked" for line in lines)
    go_on.set()
    ended = outcome_of(first)
    waited = outcome_of(second)  # whoever leaves last takes the lock file away
    assert ended.code == 0 and waited.files == ["out"] and waited.body == b"hello"
    done = json.loads(waited.stdout.splitlines()[-1])
    assert done["ev"] == "done" and done["joined"] and server.connections == 1


@pytest.fixture
def busy(fetch, serve):
    """A place where another process is at work, and its server."""
    asked = threading.Event()

    def reply(*_):
        if asked.is_set():
            return response(b"hello")
        asked.set()
        server.hold()
        return None

    server = serve(reply)
    child = fetch.start(server.url())
    assert asked.wait(30)
    yield child.place, server
    child.terminate()
    child.communicate(timeout=30)


def test_waiting_for_another_ends_with_its_time(fetch, busy):
    place, server = busy
    outcome = fetch("-v", "--lock-timeout", "300ms", server.url(), place=place)
    assert outcome.code == 114 and server.connections == 1
    assert any("waiting for it" in line for line in outcome.stderr.splitlines()), outcome.stderr


def test_without_lock_nobody_is_waited_for(fetch, busy):
    place, server = busy
    outcome = fetch("--no-lock", server.url(), place=place)
    assert outcome.code == 0 and (place / "out").read_bytes() == b"hello", outcome.stderr


@pytest.mark.parametrize("arguments", [["--continue", "always"], ["--continue"],
                                       ["--lock-timeout", "x"], ["--no-lock=yes"]], ids=" ".join)
def test_a_wrong_command_line_is_told(fetch, arguments):
    fetch("http://127.0.0.1:1/x", *arguments).failed("INVALID")
