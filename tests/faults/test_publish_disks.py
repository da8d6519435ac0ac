# SPDX-License-Identifier: Apache-2.0
import os
import tempfile
from pathlib import Path

import pytest

import mutants
from disks import MEGABYTE, disk, memory, own_mounts, quietly
from publish_harness import NEW, OLD, Bench, content
from support.peers import require_program
from tracing import Inject, trace

DRIVER = Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "publish_driver"
DISK_SIZE = {"ext4": 24 * MEGABYTE, "xfs": 320 * MEGABYTE}
COMMIT_CALLS = ("write", "fchmod", "fsync", "linkat", "renameat")


@pytest.fixture(scope="module", autouse=True)
def mounts():
    own_mounts()


@pytest.mark.parametrize("options", [(), ("-e",)])
@pytest.mark.parametrize("old", [False, True])
def test_a_full_memory_disk_is_no_space_and_keeps_the_old_file(options, old):
    with memory("size=2m") as directory:
        one = Bench(DRIVER, directory, old=old)
        one.reset()
        assert one.run(*options, size=4 * MEGABYTE) == "NO_SPACE"
        one.expect(one.before())
        assert not one.litter()
        assert one.run(*options) == "OK"


def test_no_inode_left_is_no_space_before_any_byte():
    with memory("nr_inodes=2") as directory:
        one = Bench(DRIVER, directory)
        assert one.run() == "OK"
        assert one.run("-l", "x") == "NO_SPACE"
        one.expect(NEW)


def test_a_read_only_disk_is_refused_before_any_byte():
    require_program("strace")
    with memory("size=2m") as directory:
        one = Bench(DRIVER, directory, old=True)
        one.reset()
        assert quietly("mount", "-o", "remount,ro", directory).returncode == 0
        done = trace(one.command())
        assert done.status == "IO" and "Read-only" in done.message
        assert not [call for call in done.calls() if call.name == "write"]
        one.expect(OLD)


def free_bytes(directory):
    os.sync()
    fs = os.statvfs(directory)
    return fs.f_bfree * fs.f_frsize


@pytest.mark.parametrize("options", [(), ("-e",)])
def test_a_full_disk_is_no_space_and_gets_its_blocks_back(options):
    with disk("ext4", 24 * MEGABYTE) as made:
        one = Bench(DRIVER, made.mounted / "directory", old=True)
        one.directory.mkdir()
        one.reset()
        before = free_bytes(made.mounted)
        assert one.run(*options, size=64 * MEGABYTE) == "NO_SPACE"
        assert not one.litter()
        assert free_bytes(made.mounted) == before
        one.expect(OLD)


def test_a_disk_that_is_smaller_than_it_says_fails_at_the_sync():
    with memory("size=8m") as thin, disk("ext4", 64 * MEGABYTE, inside=thin) as made:
        one = Bench(DRIVER, made.mounted / "directory")
        one.directory.mkdir()
        os.sync()
        assert one.run("-e", size=24 * MEGABYTE) in ("IO", "NO_SPACE")
        one.expect(None)
        assert not one.litter()


def prepare(made, driver, old):
    """A directory on the disk with its old file, all of it safe from a power cut."""
    one = Bench(driver, made.mounted / "directory", old=old)
    one.directory.mkdir(exist_ok=True)
    one.reset()
    os.sync()
    return one


def sync_directory(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
@pytest.mark.parametrize("old", [False, True])
def test_what_was_acknowledged_survives_a_power_cut(kind, old):
    with disk(kind, DISK_SIZE[kind]) as made:
        one = prepare(made, DRIVER, old)
        assert one.run() == "OK"
        made.power_cut()
        one.expect(NEW)
        assert not one.litter()


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
@pytest.mark.parametrize("old", [False, True])
def test_a_power_cut_at_any_step_leaves_the_old_file_or_the_whole_new_one(kind, old):
    """Also when somebody else syncs the directory between our death and the cut."""
    require_program("strace")
    with disk(kind, DISK_SIZE[kind]) as made:
        one = prepare(made, DRIVER, old)
        _, calls = one.calls()
        points = [call for call in calls if call.name in COMMIT_CALLS]
        assert len(points) >= 7
        for call in points:
            for synced in (False, True):
                one = prepare(made, DRIVER, old)
                trace(one.command(), [Inject(call, "signal=SIGKILL")])
                if synced:
                    sync_directory(one.directory)
                made.power_cut()
                one.expect(one.before(), NEW)
                assert len(one.litter()) <= 1


@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
def test_parents_that_were_made_survive_a_power_cut(kind):
    with disk(kind, DISK_SIZE[kind]) as made:
        one = prepare(made, DRIVER, False)
        one.path = one.directory / "a" / "b" / "file"
        assert one.run("-c") == "OK"
        made.power_cut()
        one.expect(NEW)


@pytest.mark.parametrize("name", ["no-file-sync", "no-directory-sync"])
@pytest.mark.parametrize("kind", sorted(DISK_SIZE))
def test_a_publisher_without_a_sync_is_caught_by_a_power_cut(kind, name):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        driver = mutants.build(directory, name)
        with disk(kind, DISK_SIZE[kind]) as made:
            one = prepare(made, driver, False)
            assert one.run() == "OK"
            made.power_cut()
            assert one.bytes() != content("n")
