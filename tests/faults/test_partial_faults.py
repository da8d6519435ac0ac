# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest

import partial_harness as harness
from partial_harness import HALF, bench, whole
from support.peers import require_program
from support.program import BINARY_DIR
from tracing import Inject, environment, trace

DRIVER = BINARY_DIR / "bin" / "partial_driver"


@pytest.fixture(autouse=True)
def strace():
    require_program("strace")


@pytest.mark.parametrize("scene", harness.SCENES)
def test_a_kill_at_any_call_leaves_a_true_beginning_and_the_destination_whole(scene):
    harness.check_kills(DRIVER, [scene])


def test_a_kill_at_any_call_leaves_a_true_beginning_without_nameless_inodes_too():
    harness.check_named_kills(DRIVER)


def test_bytes_are_synced_before_a_state_speaks_of_them_and_cut_after_it_is_gone():
    harness.check_order(DRIVER)


def test_a_failed_sync_of_the_bytes_is_final_and_one_of_the_state_is_not():
    harness.check_syncs(DRIVER)


def test_an_error_at_any_call_never_splices():
    harness.check_errors(DRIVER)


def stopped(one, *options):
    process = subprocess.Popen(one.command("make", "-w", *options), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout.readline() == "stopped\n"
    return process


def finish(process):
    return process.communicate("\n", timeout=60)[0].split()[0]


def test_a_partial_that_a_living_process_writes_is_not_taken_over_when_the_lock_is_deleted():
    with bench(DRIVER) as one:
        first = stopped(one, "-s", HALF)
        try:
            assert one.run("look")[0] == "LOCKED"
            lock, = one.directory.glob(".flame-lock-*")
            lock.unlink()
            assert one.look() is None
            assert one.make("-v", "b") == "OK"
            one.expect(whole("b"))
        finally:
            assert finish(first) == "OK"
        one.expect(whole("b"))
        assert one.look() == ("a", HALF, 0)


def test_a_killed_process_frees_its_partial_at_once():
    with bench(DRIVER) as one:
        first = stopped(one, "-s", HALF)
        first.kill()
        first.communicate()
        assert one.look() == ("a", HALF, 0)
        assert one.make() == "OK"
        one.expect(whole("a"))


def test_a_partial_that_is_published_between_open_and_flock_is_left_alone():
    harness.check_overtaken(DRIVER)


def test_no_state_is_written_where_a_disk_is_full():
    """Nothing can be kept then, and the download says so itself, once."""
    with bench(DRIVER) as one:
        calls = trace(one.command("make")).calls()
        record = next(call for call in calls if call.name == "pwrite64" and
                      harness.is_of(call, ".state"))
        one.reset()
        assert trace(one.command("make"), [Inject(record, "error=ENOSPC")]).status == "OK"
        one.expect(whole("a"))
        assert not one.litter()
        one.reset()
        done = trace(one.command("make", "-s", HALF), [Inject(record, "error=ENOSPC")])
        assert done.status == "OK" and not one.litter()


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_still_takes_the_file(error):
    with bench(DRIVER) as one:
        command = one.command("make", "-n")
        flocks = [call for call in trace(command).calls() if call.name == "flock"]
        assert len(flocks) >= 1
        for call in flocks[:2]:
            one.reset()
            done = trace(command, [Inject(call, f"error={error}")])
            assert done.status == "OK", done.stdout
            one.expect(whole("a"))
            assert not [name for name in one.litter() if "-lock-" not in name]
        one.reset()
        lock = next(call for call in trace(one.command("make")).calls()
                    if call.name == "fcntl" and "F_OFD_SETLK" in call.arguments)
        one.reset()
        done = trace(one.command("make"), [Inject(lock, f"error={error}")])
        assert done.status == "UNSUPPORTED", done.stdout


@pytest.mark.parametrize("error, status", [
    ("EROFS", "UNSUPPORTED"), ("EACCES", "UNSUPPORTED"), ("EPERM", "UNSUPPORTED"),
    ("ENOSPC", "UNSUPPORTED"), ("ELOOP", "UNSUPPORTED"), ("EMFILE", "IO"), ("ENOENT", "IO"),
    ("ENOMEM", "NO_MEMORY")])
@pytest.mark.parametrize("which", [0, 1], ids=["as-it-is", "made"])
def test_a_lock_that_cannot_be_opened_says_whether_to_go_on_without(error, status, which):
    with bench(DRIVER) as one:
        calls = [each for each in trace(one.command("make")).calls()
                 if each.name == "openat" and ".flame-lock-" in each.arguments]
        assert ["O_CREAT" in each.arguments for each in calls] == [False, True]
        if which == 0 and error == "ENOENT":
            status = "OK"  # that is when it is made
        one.reset()
        done = trace(one.command("make"), [Inject(calls[which], f"error={error}")])
        assert done.status == status, done.stdout
        assert not one.litter()
