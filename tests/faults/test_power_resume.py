# SPDX-License-Identifier: Apache-2.0
"""The power goes while a partial is written, at a random moment; the machine starts again, and the
download goes on: never behind a hole, never behind bytes that did not reach the disk."""
import os
import random
import tempfile

import pytest

from disks import MEGABYTE, disk, own_mounts
from support.leftovers import Leftovers
from support.resume_server import ResumeServer

SIZE = 150 * MEGABYTE + 17
STEP = 64 * MEGABYTE  # what is synced at a time
DISK_SIZE = 400 * MEGABYTE
BODY = random.Random(41).randbytes(SIZE)
ROUNDS = 4


@pytest.fixture(scope="module", autouse=True)
def mounts():
    own_mounts()


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def machine(request):
    with tempfile.TemporaryDirectory(prefix="fl-power-") as directory:
        with disk(request.param, DISK_SIZE, inside=directory) as made:
            yield made


class Machine:
    """A place on a disk whose power fails, and what is left there."""

    def __init__(self, made, fetch, server):
        self.disk, self.fetch, self.server = made, fetch, server
        self.left = Leftovers(made.mounted / "place")
        self.left.place.mkdir(exist_ok=True)
        for name in os.listdir(self.left.place):
            (self.left.place / name).unlink()
        os.sync()

    def lose_power_at(self, size):
        """Once so many bytes were written: kill, cut, mount, another boot."""
        child = self.fetch.start(self.server.url(), place=self.left.place)
        self.left.wait_for(size)
        child.kill()
        child.communicate()
        self.disk.power_cut()
        if self.left.state.exists() and self.left.state.stat().st_size:
            self.left.forget_boot()
        return self.left.size()

    def finish(self):
        before = len(self.server.asked)
        outcome = self.fetch(self.server.url(), place=self.left.place)
        assert outcome.code == 0, outcome.stderr
        assert outcome.body == BODY, "a resumed hole, or bytes that were lost"
        assert outcome.files == ["out"]
        return self.server.asked[before].offset or 0


@pytest.fixture
def place(machine, fetch):
    with ResumeServer(BODY, 'ETag: "v"') as server:
        yield Machine(machine, fetch, server)


def test_87_what_a_power_cut_left_is_gone_on_from_without_a_hole(place):
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    dice, offsets = random.Random(seed), []
    for _ in range(ROUNDS):
        place = Machine(place.disk, place.fetch, place.server)
        found = place.lose_power_at(dice.randrange(MEGABYTE, SIZE - MEGABYTE))
        offsets.append((found, place.finish()))
    print(f"(found, gone on from): {offsets}")
    assert all(offset % STEP == 0 and offset <= found for found, offset in offsets)


def test_87_durable_bytes_survive_a_power_cut(place):
    """That the next run asks for the rest only is what the syncs on the way are for."""
    place.lose_power_at(2 * STEP + 3 * MEGABYTE)
    assert place.finish() == 2 * STEP


def test_87_the_power_may_go_twice(place):
    place.lose_power_at(STEP + 3 * MEGABYTE)
    place.lose_power_at(2 * STEP + 3 * MEGABYTE)
    assert place.finish() == 2 * STEP
    assert place.server.asked[1].offset == STEP


def test_87_a_partial_of_another_version_is_dropped_after_a_power_cut_too(place):
    place.lose_power_at(STEP + 3 * MEGABYTE)
    place.server.become(BODY, 'ETag: "w"')
    place.finish()
    assert place.server.asked[-1].sent == SIZE
