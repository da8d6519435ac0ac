# SPDX-License-Identifier: Apache-2.0
"""The power fails while a partial grows, is taken over or is given up."""
import os
import tempfile

import pytest

import mutants
from disks import MEGABYTE, disk, own_mounts
from partial_harness import HALF, SCENES, STEP, SYNCED, Bench, whole
from support.peers import require_program
from support.program import BINARY_DIR, SANITIZE
from test_publish_disks import DISK_SIZE, sync_directory
from tracing import Inject, trace

DRIVER = BINARY_DIR / "bin" / "partial_driver"
CALLS = ("openat", "write", "pwrite64", "fdatasync", "fsync", "ftruncate", "fchmod", "linkat",
         "renameat", "renameat2", "unlinkat")
SIZES = [50_000, 150_000, 1_000_001]
STRIDE = 3 if SANITIZE else 1


@pytest.fixture(scope="module", autouse=True)
def mounts():
    own_mounts()


def prepare(made, driver, scene="fresh"):
    """A directory on the disk as the scene wants it, all of it safe from a power cut."""
    one = Bench(driver, made.mounted / "directory")
    one.directory.mkdir(exist_ok=True)
    one.reset()
    SCENES[scene][0](one)
    os.sync()
    return one


def cut(made, one):
    """Power cut, another boot; what is left then."""
    made.power_cut()
    one.boot()
    return one.look()


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
@pytest.mark.parametrize("size", SIZES)
def test_what_was_advanced_survives_a_power_cut(kind, size):
    with disk(kind, DISK_SIZE[kind]) as made:
        for stop in (size // 2, size - 1):
            one = prepare(made, DRIVER)
            assert one.make("-s", stop, size=size) == "OK"
            synced = one.look()[2]
            assert synced >= min(stop - STEP, stop // STEP * STEP) // 20000 * 20000
            left = cut(made, one)
            assert left == (("a", synced, synced) if synced else None)
            assert one.make(size=size) == "OK"
            one.expect(whole("a", size))
            made.power_cut()
            one.expect(whole("a", size))


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
@pytest.mark.parametrize("scene", ["fresh", "resumed", "changed"])
def test_a_power_cut_at_any_call_leaves_a_true_beginning(kind, scene):
    """Also when somebody else syncs the directory, or everything, between our death and the cut.
    look() and make() check every byte that they take over."""
    require_program("strace")
    versions = ("a", "b") if scene == "changed" else ("a",)
    seen = set()
    with disk(kind, DISK_SIZE[kind]) as made:
        one = prepare(made, DRIVER, scene)
        command = one.command("make", "-a", STEP, *SCENES[scene][1])
        points = [call for call in trace(command).calls() if call.name in CALLS]
        assert len(points) > 25
        for number, call in enumerate(points[::STRIDE]):
            one = prepare(made, DRIVER, scene)
            trace(command, [Inject(call, "signal=SIGKILL")])
            if number % 3 == 1:
                sync_directory(one.directory)
            elif number % 3 == 2:
                os.sync()
            left = cut(made, one)
            one.expect(None, *map(whole, versions))
            assert left is None or left[0] in versions and left[1] == left[2], left
            one.litter()
            seen.add(left)
            assert one.make("-v", versions[-1]) == "OK"
            one.expect(whole(versions[-1]))
    grown = {"fresh": {40000, 80000, 120000}, "resumed": {SYNCED, 130000},
             "changed": {40000, SYNCED, 120000}}[scene]
    assert STRIDE > 1 or {left[1] for left in seen if left} >= grown, seen


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
def test_a_remount_in_one_boot_counts_as_another(kind):
    with disk(kind, DISK_SIZE[kind]) as made:
        one = prepare(made, DRIVER)
        one.half()
        made.power_cut()
        left = one.look()
        release = tuple(int(number) for number in os.uname().release.split(".")[:2])
        assert left == ("a", SYNCED, SYNCED) or release < (6, 8), left


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
def test_a_partial_without_a_sync_is_caught_by_a_power_cut(kind):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        driver = mutants.build(directory, "partial/no-sync", "partial_driver")
        with disk(kind, DISK_SIZE[kind]) as made:
            one = prepare(made, driver)
            one.half()
            assert one.look() == ("a", HALF, SYNCED)
            assert cut(made, one) != ("a", SYNCED, SYNCED)


def test_a_full_disk_leaves_a_true_beginning():
    with disk("ext4", 24 * MEGABYTE) as made:
        one = prepare(made, DRIVER)
        assert one.make(size=64 * MEGABYTE) == "NO_SPACE"
        one.expect(None)
        assert not one.litter()
