# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

import publish_harness as harness
from publish_harness import NEW, OLD, bench, each_bench, fail_at, finish, halfway
from support.peers import require_program
from tracing import Inject

UMASK = 2  # without nameless inodes, the third openat() is for the umask
DRIVER = Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "publish_driver"


@pytest.fixture(autouse=True)
def strace():
    require_program("strace")


def test_a_kill_at_any_call_leaves_the_destination_whole_and_the_next_run_works():
    harness.check_kills(DRIVER)


def test_an_error_at_any_call_leaves_the_destination_whole_and_no_litter():
    harness.check_errors(DRIVER)


def test_file_is_synced_before_it_is_named_and_the_directory_before_it_is_acknowledged():
    harness.check_order(DRIVER)


def test_a_failed_sync_is_final_and_one_of_the_directory_says_so():
    harness.check_syncs(DRIVER)


def test_two_at_once_both_succeed_and_keep_never_replaces():
    harness.check_races(DRIVER)


def test_nobody_reads_or_writes_the_file_before_its_time():
    harness.check_mode(DRIVER)


def test_a_hidden_name_is_held_before_it_is_moved_so_that_no_sweep_takes_it():
    for one in each_bench(DRIVER):
        base = one.unsupported()
        one.reset()
        calls = harness.trace(one.command(), base, names=harness.FILE_CALLS + ("flock",)).calls()
        hidden = [i for i, call in enumerate(calls) if '".flame-' in call.arguments]
        held = [i for i, call in enumerate(calls) if call.name == "flock"]
        assert bool(hidden) == bool(held) == (one.old or not one.nameless)
        assert not hidden or held[0] < hidden[0] + 2 and held[0] < hidden[-1]


@pytest.mark.parametrize("name, where, error, status", [
    ("openat", 0, "ENOENT", "IO"), ("openat", 0, "EMFILE", "IO"), ("openat", 0, "ENFILE", "IO"),
    ("openat", 1, "ENOSPC", "NO_SPACE"), ("openat", 1, "EDQUOT", "NO_SPACE"),
    ("openat", 1, "EROFS", "IO"), ("openat", 1, "EMFILE", "IO"),
    ("openat", 1, "ENOMEM", "NO_MEMORY"),
    ("utimensat", 0, "EIO", "IO"),
    ("linkat", 0, "EDQUOT", "NO_SPACE"), ("linkat", 0, "ENOSPC", "NO_SPACE"),
    ("linkat", 0, "EIO", "IO"), ("linkat", 1, "EDQUOT", "NO_SPACE"), ("renameat", 0, "EIO", "IO"),
    ("renameat", 0, "ENOSPC", "NO_SPACE"), ("getrandom", -1, "ENOSYS", "IO"),
])
def test_each_error_has_its_own_status_and_leaves_the_old_file(name, where, error, status):
    with bench(DRIVER, old=True) as one:
        done = fail_at(one, name, error, where, options=("-t",))
        assert done.status == status, done.stdout
        assert done.message and done.message == done.message.strip()
        one.expect(OLD)
        assert not one.litter()


@pytest.mark.parametrize("name, where, error", [
    ("openat", UMASK, "EMFILE"), ("fchmod", 0, "EMFILE"), ("fchmod", 0, "EPERM")])
def test_a_mode_that_cannot_be_set_is_an_error(name, where, error):
    with bench(DRIVER, old=True, nameless=False) as one:
        assert fail_at(one, name, error, where).status == "IO"
        one.expect(OLD)
        assert not one.litter()


@pytest.mark.parametrize("options", [(), ("-k",), ("-d", "none")])
def test_an_interrupted_call_is_made_again(options):
    tried = 0
    for one in each_bench(DRIVER):
        if "-k" in options and one.old:
            continue
        base, calls = one.calls(*options)
        for call in calls:
            if call.name not in ("openat", "read", "write", "fchmod", "fsync", "linkat", "renameat",
                                 "renameat2", "close") or '"acknowledged"' in call.line:
                continue
            done = one.trace(*options, injections=one.at(call, "error=EINTR", base, calls))
            assert done.status == "OK", f"{call.line}: {done.stdout}"
            one.expect(NEW)
            assert not one.litter()
            tried += 1
    assert tried > 15


@pytest.mark.parametrize("error", ["EOPNOTSUPP", "EISDIR", "ENOENT", "EINVAL"])
def test_a_file_system_without_nameless_inodes_works_too(error):
    with bench(DRIVER, old=True) as one:
        _, calls = one.calls()
        call = next(each for each in calls if "O_TMPFILE" in each.arguments)
        done = one.trace(injections=[Inject(call, f"error={error}")])
        assert done.status == "OK", done.stdout
        one.expect(NEW)
        assert not one.litter()


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS"])
def test_keep_works_where_rename_cannot_refuse_to_replace(error):
    with bench(DRIVER, nameless=False) as one:
        done = fail_at(one, "renameat2", error, options=("-k",))
        assert done.status == "OK", done.stdout
        one.expect(NEW)
        assert not one.litter()


def test_a_rename_that_was_done_but_reported_as_failed_is_a_success():
    with bench(DRIVER, old=True, nameless=False) as one:
        base = one.unsupported()
        one.reset()
        with halfway(one, injections=base) as process:
            hidden, = one.litter()
            assert hidden.startswith(".flame-tmp-")
            os.rename(one.directory / hidden, one.path)
            assert finish(process) == "OK"
        one.expect(NEW)


def test_a_directory_without_a_sync_of_its_own_syncs_its_file_system():
    with bench(DRIVER) as one:
        done = fail_at(one, "fsync", "EINVAL", where=1)
        assert done.status == "OK", done.stdout
        one.expect(NEW)
        base, calls = one.calls()
        syncs = [Inject(call, "error=EINVAL") for call in calls if call.name == "fsync"]
        assert one.trace(injections=base + syncs[:1]).status == "IO"


@pytest.mark.parametrize("level, syncs", [("full", 2), ("file", 1), ("none", 0)])
def test_a_durability_syncs_what_it_says(level, syncs):
    for one in each_bench(DRIVER):
        _, calls = one.calls("-d", level)
        assert sum(call.name in ("fsync", "fdatasync", "syncfs") for call in calls) == syncs


def test_a_write_that_failed_late_is_seen_without_a_sync():
    with bench(DRIVER, old=True) as one:
        base, calls = one.calls("-d", "none")
        settled = next(i for i, call in enumerate(calls) if call.name == "fcntl")
        close = next(call for call in calls[settled:] if call.name == "close")
        done = one.trace("-d", "none", injections=base + [Inject(close, "error=EDQUOT")])
        assert done.status == "NO_SPACE", done.stdout
        one.expect(OLD)


def test_the_path_is_read_once_and_the_rest_is_relative_to_its_directory():
    for one in each_bench(DRIVER):
        _, calls = one.calls()
        assert sum(f'"{one.directory}' in call.arguments for call in calls) == 1


def test_the_mode_is_by_the_umask_with_a_nameless_inode_and_without():
    for one in each_bench(DRIVER):
        for mask, mode in ((0o077, 0o600), (0o002, 0o664), (0o022, 0o644)):
            previous = os.umask(mask)
            try:
                assert one.trace().status == "OK"
            finally:
                os.umask(previous)
            assert one.path.stat().st_mode & 0o7777 == mode
            one.reset()


def test_the_umask_is_a_guess_only_where_there_is_no_proc():
    with bench(DRIVER, nameless=False) as one:
        previous = os.umask(0o077)
        try:
            for error, status in (("ENOENT", "OK"), ("EACCES", "OK"), ("ENFILE", "IO")):
                assert fail_at(one, "openat", error, UMASK).status == status
                if status == "OK":
                    assert one.path.stat().st_mode & 0o7777 == 0o644
        finally:
            os.umask(previous)


def test_a_root_holds_where_the_kernel_lacks_openat2():
    with bench(DRIVER) as one:
        root = ("-r", str(one.directory))
        assert fail_at(one, "openat2", "ENOSYS", options=root).status == "OK"
        one.expect(NEW)
        base, calls = one.calls(*root)
        openat2 = next(call for call in calls if call.name == "openat2")
        one.reset()
        outside = one.directory / "outside"
        outside.mkdir()
        (one.directory / "root").mkdir()
        (one.directory / "root" / "link").symlink_to("../outside")
        done = harness.trace(one.command("-r", str(one.directory / "root"))[:-1] +
                             [str(one.directory / "root" / "link" / "file")],
                             base + [Inject(openat2, "error=ENOSYS")])
        assert done.status == "UNSAFE_NAME", done.stdout
        assert not list(outside.iterdir())


def test_a_made_parent_is_synced_into_its_own_before_any_byte():
    with bench(DRIVER) as one:
        one.path = one.directory / "a" / "b" / "file"
        _, calls = one.calls("-c")
        names = [call.name for call in calls]
        made = [i for i, name in enumerate(names) if name == "mkdirat"]
        assert len(made) == 2
        for i, parent in zip(made, (one.directory, one.directory / "a")):
            later = [call for call in calls[i:names.index("write")] if call.name == "fsync"]
            assert any(f"<{parent}>" in call.arguments for call in later), parent
        assert one.bytes() == NEW
        for where in (0, 1):
            assert fail_at(one, "fsync", "EIO", where, options=("-c",)).status == "IO"
            assert one.bytes() is None
