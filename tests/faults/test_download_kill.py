# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every system call of a whole download, of any of its threads: the destination is
absent, old or complete; the litter is one lock file, one partial with its state, and one hidden
name at most; the next run works and leaves nothing but that hidden name. Sanitized builds take a
sample of the calls, as does the download that is long enough for a partial."""
import hashlib
import os
import random
import subprocess

import pytest

from support.leftovers import HIDDEN, Leftovers
from support.program import BINARY_DIR, FETCH, SANITIZE, clean_environment
from support.resume_server import ResumeServer, cut
from support.scripted_server import ScriptedServer, response

KILL_AT = BINARY_DIR / "bin" / "kill_at"
BYTES = random.Random(11).randbytes(2_500_000)  # long enough for the second thread
LONG_BYTES = random.Random(12).randbytes(9 << 20)  # long enough for a partial
CHECKSUM = ["--checksum", "sha256:" + hashlib.sha256(BYTES).hexdigest()]
OLD = b"an older file"
KILLED = 200
STEP = 17 if SANITIZE else 1


class Killing:
    def __init__(self, place, url, arguments, old, body=BYTES):
        self.place, self.old, self.body = place, old, body
        self.left, self.report = Leftovers(place), place.with_suffix(".calls")
        self.command = [FETCH, "--no-config", "-o", place / "out", *arguments, url]

    def reset(self):
        for name in os.listdir(self.place):
            (self.place / name).unlink()
        if self.old:
            (self.place / "out").write_bytes(OLD)

    def run(self, number):
        """The exit code, and the count of calls."""
        environment = clean_environment() | {"ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run([KILL_AT, str(number), self.report, *self.command], env=environment,
                              capture_output=True, timeout=60, check=False)
        return done.returncode, int(self.report.read_text())

    def found(self):
        path = self.place / "out"
        self.left.expect_bounded(kills=1)
        found = path.read_bytes() if path.exists() else None
        assert found in (None, OLD, self.body), f"a part: {len(found)} bytes"
        assert not (self.old and found is None), "the old file is gone"
        return found, self.left.names()

    def next_run_works(self):
        """Where it finds the file verified already, it leaves the dead one's lock alone."""
        before = [self.left.lock.name] if self.is_verified() else []
        subprocess.run(self.command, check=True, timeout=60, capture_output=True,
                       env=clean_environment())
        assert (self.place / "out").read_bytes() == self.body
        assert all(HIDDEN.match(name) or name in before for name in self.left.names())

    def is_verified(self):
        return "--checksum" in self.command and self.found()[0] == self.body


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def at_every_call(killing, step=STEP):
    killing.reset()
    code, calls = killing.run(0)
    assert (code, killing.found()) == (0, (killing.body, []))
    seen = set()
    for number in range(1, calls + 1, step):
        killing.reset()
        code, _ = killing.run(number)
        assert code in (KILLED, 0), code  # the last calls may not come again
        found, litter = killing.found()
        assert code == KILLED or found == killing.body
        if found != (OLD if killing.old else None) or litter:
            seen.add(found == killing.body)
            killing.next_run_works()
    killing.reset()
    killing.next_run_works()
    assert calls > 200 and (step > 1 or True in seen)


@pytest.mark.parametrize("arguments, old", [
    ([], False), (CHECKSUM, True), (["--durability", "none"], True)],
    ids=["new", "verified-over-old", "not-durable-over-old"])
def test_a_kill_at_any_call_of_a_copy_leaves_the_destination_whole(place, arguments, old):
    source = place.with_suffix(".source")
    source.write_bytes(BYTES)
    at_every_call(Killing(place, f"file://{source}", arguments, old))


@pytest.mark.parametrize("arguments, old", [(CHECKSUM, True), ([], False)],
                         ids=["verified-over-old", "new"])
def test_a_kill_at_any_call_of_a_download_leaves_the_destination_whole(place, arguments, old):
    with ScriptedServer(response(BYTES)) as server:
        at_every_call(Killing(place, server.url(), arguments, old))


def test_a_kill_at_any_call_of_a_resumable_download_leaves_what_can_be_gone_on_from(place):
    """It is cut once, so that a second try goes on behind the first."""
    with ResumeServer(LONG_BYTES, 'ETag: "v"') as server:
        def breaks_off_once(self, request, connection):
            if request.offset is None:
                return cut(6 << 20)(self, request, connection)
            return self.serve(request, connection)

        server.then = breaks_off_once
        arguments = ["--option", "retry.delay=1ms"]
        at_every_call(Killing(place, server.url(), arguments, True, LONG_BYTES), step=5 * STEP)
        assert any(request.offset not in (None, 6 << 20) for request in server.asked)
