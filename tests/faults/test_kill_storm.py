# SPDX-License-Identifier: Apache-2.0
"""Six processes at one destination, killed at random while the server changes its mind: whoever
looks sees the old file or a complete version of the new one."""
import os
import random
import threading
import time

import pytest

from support.leftovers import HIDDEN, Leftovers
from support.program import SANITIZE
from support.resume_server import ResumeServer

MIB = 1 << 20
SECONDS = float(os.environ.get("FLAME_STORM_SECONDS", "15"))
PROCESSES = 6
VERSIONS = [random.Random(seed).randbytes(10 * MIB + seed) for seed in (31, 32)]
ETAGS = ['ETag: "one"', 'ETag: "two"']
OLD = b"an older file"
ARGUMENTS = ("--option", "retry.delay=10ms", "--option", "retry.attempts=20")


class Storm:
    def __init__(self, fetch, arguments, server, left):
        self.fetch, self.arguments, self.server, self.left = fetch, arguments, server, left
        seed = int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}")
        self.dice = random.Random(seed)
        self.children, self.kills, self.ended, self.checks = {}, 0, 0, 0
        self.seen, self.is_over = set(), threading.Event()

    def start(self):
        child = self.fetch.start(*self.arguments, self.server.url(), place=self.left.place)
        lives = self.dice.uniform(0, 1.5 if SANITIZE else 0.5)
        self.children[child] = time.monotonic() + lives

    def step(self):
        """Kill whose time has come, and see what the others have made."""
        for child, end in list(self.children.items()):
            if child.poll() is None and time.monotonic() > end:
                child.kill()
            elif child.poll() is None:
                continue
            stderr = child.communicate()[1]
            assert child.returncode in (0, -9), stderr
            self.kills += child.returncode == -9
            self.ended += child.returncode == 0
            del self.children[child]
            self.start()

    def look(self):
        found = (self.left.place / "out").read_bytes()
        assert found in (OLD, *VERSIONS), f"{len(found)} bytes of no version"
        self.seen.add(len(found))
        self.checks += 1

    def change(self):
        """The server, on a thread of its own."""
        number = 0
        while not self.is_over.wait(0.2):
            number = 1 - number
            self.server.become(VERSIONS[number], ETAGS[number])
            self.server.pause = self.dice.choice([0, 0.001, 0.003])

    def rage(self, seconds):
        changing = threading.Thread(target=self.change)
        changing.start()
        try:
            for _ in range(PROCESSES):
                self.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.step()
                self.look()
        finally:
            self.is_over.set()
            changing.join()
            for child in self.children:
                child.kill()
                child.communicate()
                self.kills += 1


def prepare(fetch, locks):
    """A place with an old file, and how to be called there."""
    left = Leftovers(fetch.new_place())
    (left.place / "out").write_bytes(OLD)
    if locks == "impossible":
        os.mkfifo(left.lock)
    return left, (*ARGUMENTS, "--no-lock") if locks == "off" else ARGUMENTS


@pytest.mark.parametrize("locks", ["on", "impossible", "off"])
def test_85_a_storm_of_kills_never_shows_a_part(fetch, locks):
    left, arguments = prepare(fetch, locks)
    with ResumeServer(VERSIONS[0], ETAGS[0]) as server:
        storm = Storm(fetch, arguments, server, left)
        storm.rage(SECONDS)
        storm.look()
        left.expect_bounded(storm.kills)
        resumed = sum(request.offset is not None for request in server.asked)
        print(f"{storm.kills} kills, {storm.ended} ends, {storm.checks} looks, {resumed} resumed")
        assert storm.kills > PROCESSES and storm.ended > 0 and storm.checks > 100
        assert len(storm.seen) > 1 and (resumed > 0 or locks != "on")
        assert locks != "off" or all(map(HIDDEN.match, left.names())), left.names()
        server.become(VERSIONS[1], ETAGS[1])
        outcome = fetch(*arguments, server.url(), place=left.place)
    assert outcome.code == 0 and outcome.body == VERSIONS[1], outcome.stderr
    rest = [name for name in left.names() if not HIDDEN.match(name)]
    assert rest == ([left.lock.name] if locks == "impossible" else [])
