# SPDX-License-Identifier: Apache-2.0
"""The promises about partials, each a function over a driver program: silent when the promise
holds, AssertionError when it does not. The tests run them over the real thing, and over mutants of
it."""
import contextlib
import functools
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from publish_harness import FILE_CALLS, is_sync
from support.program import BINARY_DIR, SANITIZE
from tracing import Inject, environment, trace

KILL_AT = BINARY_DIR / "bin" / "kill_at"
KILLED = 200
SIZE = 150000
STEP = 40000
HALF = 90000  # written by two advances and one chunk more
SYNCED = 80000
LITTER = re.compile(r"\.flame-(part-[0-9a-f]{16}(\.state)?|lock-[0-9]+|(tmp|new)-[0-9a-f]{16})")
STRIDE = 5 if SANITIZE else 1
OLD = b"an older file"
ALL_CALLS = FILE_CALLS + ("flock", "ftruncate", "pwrite64", "fdatasync", "statx", "fcntl")


@functools.lru_cache(maxsize=None)
def whole(version, size=SIZE):
    return bytes((i * 131 + i // 256 * 17 + ord(version)) % 255 + 1 for i in range(size))


class Bench:
    """A directory, a destination in it, a driver that makes versions of it there."""

    def __init__(self, driver, directory):
        self.driver, self.directory = str(driver), Path(directory)
        self.path = self.directory / "file"

    def reset(self, old=False):
        for entry in self.directory.iterdir():
            entry.unlink()
        if old:
            self.path.write_bytes(OLD)

    def command(self, mode, *options, size=SIZE):
        bytes_to_make = [str(size)] if mode == "make" else []
        return [self.driver, mode, *map(str, options), *bytes_to_make, str(self.path)]

    def run(self, mode, *options, size=SIZE):
        done = subprocess.run(self.command(mode, *options, size=size), capture_output=True,
                              text=True, timeout=60, check=False, env=environment())
        assert "SPLICE" not in done.stdout, f"bytes that are not the object's: {done.stdout}"
        assert done.stdout, f"no answer: {done.returncode} {done.stderr}"
        return done.stdout.split()

    def make(self, *options, size=SIZE):
        return self.run("make", "-a", STEP, *options, size=size)[0]

    def half(self, version="a"):
        """An earlier run stopped halfway."""
        assert self.make("-v", version, "-s", HALF) == "OK"

    def look(self):
        """(version, usable, durable) of what the next run would take over, or None."""
        words = self.run("look")
        if words[0] == "NOT_FOUND":
            return None
        assert words[0] == "LEFT", words
        return words[1], int(words[2]), int(words[3])

    def boot(self):
        self.run("boot")

    def litter(self):
        names = sorted(entry.name for entry in self.directory.iterdir() if entry.name != "file")
        for name in names:
            assert LITTER.fullmatch(name), f"'{name}' is left behind"
        kinds = [name[:11] + name[28:] for name in names]
        hidden = (".flame-tmp-", ".flame-new-")
        kinds = ["hidden" if kind[:11] in hidden else kind for kind in kinds]
        assert len(set(kinds)) == len(kinds), f"more than one of a kind: {names}"
        return names

    def bytes(self):
        return self.path.read_bytes() if self.path.exists() else None

    def expect(self, *allowed):
        found = self.bytes()
        assert found in allowed, (
            "the destination is " + ("absent" if found is None else
                                     f"{len(found)} bytes starting {found[:8]!r}"))


@contextlib.contextmanager
def bench(driver):
    with tempfile.TemporaryDirectory(prefix="fl-partial-") as directory:
        yield Bench(driver, directory)


def nothing(_):
    pass


def half(one):
    one.half()


def half_of_another_boot(one):
    """As a power cut leaves it: zeros where nothing was synced."""
    one.half()
    part, = one.directory.glob(".flame-part-????????????????")
    with open(part, "r+b") as file:
        file.seek(SYNCED)
        file.write(bytes(HALF - SYNCED))
    one.boot()


def one_half_only(one):
    one.half()
    next(one.directory.glob(".flame-part-*.state")).unlink()


# What was there before, and what the run that is killed is asked for.
SCENES = {
    "fresh": (nothing, ()),
    "left": (nothing, ("-s", HALF)),
    "resumed": (half, ()),
    "resumed-in-another-boot": (half_of_another_boot, ()),
    "changed": (half, ("-v", "b")),
    "changed-and-left": (half, ("-v", "b", "-s", HALF)),
    "unusable": (one_half_only, ("-v", "b")),
}


def kill_at(one, number, command):
    """The exit code, and the count of system calls."""
    with tempfile.NamedTemporaryFile("r") as report:
        done = subprocess.run([KILL_AT, str(number), report.name, *command], env=environment(),
                              capture_output=True, timeout=60, check=False)
        return done.returncode, int(report.read())


def check_left(one, old):
    """After a kill: what is left is true, and the next run ends well."""
    one.expect(OLD if old else None, whole("a"), whole("b"))
    one.litter()
    left = one.look()
    assert one.look() == left, "looking changes what is left"
    one.boot()
    later = one.look()
    assert (later and later[1]) == (left and left[2] or None), (left, later)
    assert one.look() == later, "what another boot left is vouched for"
    assert one.make("-v", "b") == "OK"
    one.expect(whole("b"))
    assert all("-new-" in name or "-tmp-" in name for name in one.litter())
    return left


def check_kills(driver, scenes=tuple(SCENES), stride=STRIDE):
    """Killed at any system call: the destination is whole or as it was, what is left is a true
    beginning of what its state says, of which another boot keeps what was synced."""
    usable, points = set(), 0
    for number, name in enumerate(scenes):
        prepare, options = SCENES[name]
        old = number % 2 == 1
        with bench(driver) as one:
            command = one.command("make", "-a", STEP, *options)
            _, startup = kill_at(one, 0, [driver])
            one.reset(old)
            prepare(one)
            code, calls = kill_at(one, 0, command)
            assert code == 0, f"{name}: {code}"
            for at in range(startup - 3, calls + 1, stride):
                one.reset(old)
                prepare(one)
                code, _ = kill_at(one, at, command)
                assert code in (KILLED, 0), f"{name} at {at}: {code}"
                usable.add(check_left(one, old))
                points += 1
    assert points > 40 * len(scenes) // stride, f"only {points} points were tried"
    if len(scenes) == len(SCENES):
        assert {("a", SIZE, 120000), ("b", SIZE, 120000), None} <= usable or stride > 1, usable


def check_named_kills(driver):
    """The same where the file system has no nameless inodes: the inode has a hidden name first."""
    points = 0
    with bench(driver) as one:
        command = one.command("make", "-a", STEP)
        one.reset()
        probe = next(call for call in trace(command).calls()
                     if call.name == "access" and "/proc/self/fd/" in call.arguments)
        unsupported = Inject(probe, "error=ENOENT")
        one.reset()
        calls = trace(command, [unsupported], names=ALL_CALLS).calls()
        assert one.bytes() == whole("a") and not one.litter()
        names = [call.name for call in calls]
        assert "renameat2" in names and "linkat" not in names, names
        behind = next(i for i, call in enumerate(calls) if call.name == "access") + 1
        for call in calls[behind::STRIDE]:
            if call.name == "access":
                continue
            one.reset()
            trace(command, [unsupported, Inject(call, "signal=SIGKILL")])
            check_left(one, False)
            points += 1
    assert points > 40 // STRIDE, f"only {points} points were tried"


def is_of(call, suffix):
    return re.search(r"<[^>]*/\.flame-part-[0-9a-f]{16}" + re.escape(suffix) + ">", call.arguments)


def waiting_with(process, path):
    """The child of `process` that has that file open; children and descriptors come and go."""
    while process.poll() is None:
        for task in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = task.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
                if parent == str(process.pid) and any(
                        os.readlink(entry) == str(path) for entry in task.joinpath("fd").iterdir()):
                    return int(task.name)
    raise AssertionError("it did not open the file")


def continued(process, stopped):
    """What it says once the process below it goes on, which may have yet to stop."""
    for _ in range(600):
        with contextlib.suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=0.1)[0]
    raise AssertionError("it does not go on")


@contextlib.contextmanager
def stopped_behind(call, command):
    """A run that stops when the call is done, and its tracer; neither outlives the block."""
    with subprocess.Popen(["strace", "-qq", "-o", os.devnull, "-e", f"trace={call.name}", "-e",
                           str(Inject(call, "signal=SIGSTOP")), *command],
                          stdout=subprocess.PIPE, text=True, env=environment()) as tracer:
        try:
            yield tracer
        finally:
            tracer.kill()


def check_overtaken(driver):
    """A partial that is published between the taker's open and its flock() is left alone."""
    with bench(driver) as one:
        one.half()
        part, = one.directory.glob(".flame-part-????????????????")
        call = next(each for each in trace(one.command("look", "-n")).calls()
                    if each.name == "openat" and f'"{part.name}"' in each.arguments)
        with stopped_behind(call, one.command("look", "-n")) as tracer:
            taker = waiting_with(tracer, part)
            try:
                part.rename(one.path)
                words = continued(tracer, taker).split()
            finally:
                if tracer.poll() is None:
                    os.kill(taker, signal.SIGKILL)
        assert words[0] == "NOT_FOUND", words
        one.expect(whole("a")[:HALF])


def steps(one, *options):
    """The steps of a run that matter for their order."""
    for call in trace(one.command("make", "-a", STEP, *options)).calls():
        state = is_of(call, ".state")
        if call.name in ("fdatasync", "fsync") and state:
            yield "sync-state"
        elif call.name == "fdatasync":
            yield "sync"
        elif call.name == "pwrite64" and state:
            yield "record"
        elif call.name == "ftruncate":
            yield "wipe" if state else "cut"
        elif call.name == "unlinkat" and ".state" in call.arguments and call.result == "0":
            yield "forget"
        elif call.name == "write" and call.arguments.startswith("-1"):
            yield call.arguments.split('"')[1]
        elif call.name == "write":
            yield "write"
        elif is_sync(call, one.directory):
            yield "sync-names"
        elif call.name in ("linkat", "renameat", "renameat2") and '"file"' in call.arguments:
            yield "place"


def check_order(driver):
    """Bytes are synced before a state says so; a state goes before its bytes and after them when
    they are in place; bytes are cut before a state of this boot speaks of them."""
    advance = ["write", "write", "sync", "record", "sync-state"]
    end = ["place", "forget", "sync-names", "acknowledged"]
    with bench(driver) as one:
        one.reset()
        found = list(steps(one))
        assert found == ["record", *advance, "sync-names", "advanced",
                         *2 * [*advance, "advanced"], "write", "write", *end], found
        one.reset()
        one.half()
        found = list(steps(one))
        assert found == ["cut", "record", *advance, "sync-names", "advanced", "write", *end], found
        one.reset()
        one.half()
        found = list(steps(one, "-v", "b"))
        wiped = ["cut", "record", "wipe", "sync-state", "forget", "cut", "record"]
        assert found[:7] == wiped, found


def check_syncs(driver):
    """A sync of the bytes that failed is final: no commit, nothing left. One of the state is
    not."""
    with bench(driver) as one:
        for options in ((), ("-s", str(HALF))):
            one.reset(old=True)
            calls = trace(one.command("make", "-a", STEP, *options)).calls()
            syncs = [call for call in calls if call.name == "fdatasync"]
            for call in syncs:
                one.reset(old=True)
                done = trace(one.command("make", "-a", STEP, *options), [Inject(call, "error=EIO")])
                if is_of(call, ".state"):
                    assert done.status == "OK", done.stdout
                    continue
                assert done.status == ("OK" if options else "IO"), done.stdout
                one.expect(OLD)
                assert not one.litter(), "bytes whose sync failed are left"


def check_errors(driver, errors=("EIO", "ENOSPC")):
    """Whatever call fails: success and the whole file, or failure and the destination as it was;
    and what is left is true."""
    points = 0
    with bench(driver) as one:
        for name in ("fresh", "resumed", "changed"):
            prepare, options = SCENES[name]
            command = one.command("make", "-a", STEP, *options)
            one.reset(old=True)
            prepare(one)
            calls = trace(command).calls()
            for call in calls[::STRIDE]:
                if call.name in ("close", "mmap", "munmap", "brk", "pread64") and \
                        not is_of(call, ".state") or call.arguments.startswith("-1"):
                    continue
                for error in errors:
                    one.reset(old=True)
                    prepare(one)
                    done = trace(command, [Inject(call, f"error={error}")])
                    assert done.status, f"{error} at {call.line}: no answer, {done.stderr}"
                    assert "SPLICE" not in done.stdout, f"{error} at {call.line}"
                    if done.status in ("OK", "DURABILITY_UNKNOWN"):
                        one.expect(whole("b" if "b" in options else "a"))
                    else:
                        one.expect(OLD)
                    one.litter()
                    one.look()
                    points += 1
    assert points > 150 // STRIDE, f"only {points} points were tried"
