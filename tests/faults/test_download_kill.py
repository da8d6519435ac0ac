# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every system call of a whole download, of any of its threads: the destination is
absent, old or complete, the litter is one hidden name at most, and the next run works. Sanitized
builds take a sample of the calls."""
import hashlib
import os
import random
import re
import subprocess

import pytest

from support.program import BINARY_DIR, FETCH, SANITIZE, clean_environment
from support.scripted_server import ScriptedServer, response

KILL_AT = BINARY_DIR / "bin" / "kill_at"
BYTES = random.Random(11).randbytes(2_500_000)  # long enough for the second thread
CHECKSUM = ["--checksum", "sha256:" + hashlib.sha256(BYTES).hexdigest()]
OLD = b"an older file"
LITTER = re.compile(r"\.flame-(new|tmp)-[0-9a-f]{16}$")
KILLED = 200
STEP = 17 if SANITIZE else 1


class Killing:
    def __init__(self, place, url, arguments, old):
        self.place, self.old, self.report = place, old, place.with_suffix(".calls")
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
        litter = [name for name in os.listdir(self.place) if name != "out"]
        assert all(LITTER.match(name) for name in litter) and len(litter) <= 1, litter
        found = path.read_bytes() if path.exists() else None
        assert found in (None, OLD, BYTES), f"a part: {len(found)} bytes"
        assert not (self.old and found is None), "the old file is gone"
        return found, litter

    def next_run_works(self):
        subprocess.run(self.command, check=True, timeout=60, capture_output=True,
                       env=clean_environment())
        assert (self.place / "out").read_bytes() == BYTES


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def at_every_call(killing):
    killing.reset()
    code, calls = killing.run(0)
    assert (code, killing.found()) == (0, (BYTES, []))
    seen = set()
    for number in range(1, calls + 1, STEP):
        killing.reset()
        code, _ = killing.run(number)
        assert code in (KILLED, 0), code  # the last calls may not come again
        found, litter = killing.found()
        assert code == KILLED or found == BYTES
        if found != (OLD if killing.old else None) or litter:
            seen.add(found == BYTES)
            killing.next_run_works()
    killing.reset()
    killing.next_run_works()
    assert calls > 200 and (STEP > 1 or True in seen)


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
