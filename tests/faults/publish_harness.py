# SPDX-License-Identifier: Apache-2.0
"""The promises of publishing, each a function over a driver program: silent when the promise holds,
AssertionError when it does not. The tests run them over the real thing, and over mutants of it."""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tracing import Inject, environment, trace

HIDDEN = re.compile(r"\.flame-(tmp|new)-[0-9a-f]{16}")
SIZE = 150000
FILE_CALLS = ("openat", "openat2", "read", "write", "access", "newfstatat", "fstat", "fstatfs",
              "fchmod", "utimensat", "fcntl", "fsync", "syncfs", "linkat", "renameat", "renameat2",
              "unlinkat", "mkdirat", "getrandom", "close")


def content(letter, size=SIZE):
    return (letter * (size - 1) + "\n").encode() if size else b""


OLD, NEW = content("o"), content("n")


class Bench:
    """A directory, a destination in it, a driver that publishes NEW there."""

    def __init__(self, driver, directory, old=False, nameless=True):
        self.driver = str(driver)
        self.directory = Path(directory)
        self.path = self.directory / "file"
        self.old = old
        self.nameless = nameless

    def reset(self):
        for entry in self.directory.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if self.old:
            self.path.write_bytes(OLD)

    def command(self, *options, size=SIZE):
        return [self.driver, *options, str(size), str(self.path)]

    def run(self, *options, size=SIZE):
        done = subprocess.run(self.command(*options, size=size), capture_output=True, text=True,
                              timeout=60, check=False, env=environment())
        return done.stdout.split(" ")[0]

    def unsupported(self, *options):
        """The injection that makes the file system one without nameless inodes."""
        if self.nameless:
            return []
        self.reset()
        probe = next(call for call in trace(self.command(*options)).calls()
                     if call.name == "access" and "/proc/self/fd/" in call.arguments)
        return [Inject(probe, "error=ENOENT")]

    def trace(self, *options, injections=(), size=SIZE):
        self.reset()
        return trace(self.command(*options, size=size), injections)

    @staticmethod
    def at(call, what, base, calls):
        """Do `what` at `call`, after what of `base` comes before it."""
        earlier = {(each.name, each.when) for each in calls[:calls.index(call)]}
        return [each for each in base if (each.call.name, each.call.when) in earlier] + [
            Inject(call, what)]

    def calls(self, *options):
        """Each file call of an undisturbed run, and what makes the run this bench's kind."""
        base = self.unsupported(*options)
        self.reset()
        done = trace(self.command(*options), base, names=FILE_CALLS + ("umask",))
        assert done.status == "OK", done.stdout
        return base, done.calls()

    def litter(self):
        names = [entry.name for entry in self.directory.iterdir() if entry.name != "file"]
        for name in names:
            assert HIDDEN.fullmatch(name), f"'{name}' is left behind"
        return names

    def bytes(self):
        return self.path.read_bytes() if self.path.exists() else None

    def expect(self, *allowed):
        found = self.bytes()
        assert found in allowed, (
            "the destination is " + ("absent" if found is None else
                                     f"{len(found)} bytes starting {found[:8]!r}"))

    def before(self):
        return OLD if self.old else None


@contextlib.contextmanager
def bench(driver, **kind):
    with tempfile.TemporaryDirectory(prefix="fl-publish-") as directory:
        yield Bench(driver, directory, **kind)


KINDS = [dict(old=old, nameless=nameless) for old in (False, True) for nameless in (True, False)]


def each_bench(driver):
    for kind in KINDS:
        with bench(driver, **kind) as one:
            yield one


def check_kills(driver):
    """Killed before any of its system calls: the destination is whole, old or absent, at most one
    hidden name is left, and the next run works."""
    points = 0
    for one in each_bench(driver):
        base, calls = one.calls()
        for call in calls:
            if any(call.name == each.call.name for each in base):
                continue
            done = one.trace(injections=one.at(call, "signal=SIGKILL", base, calls))
            one.expect(NEW) if done.reached("acknowledged") else one.expect(one.before(), NEW)
            litter = one.litter()
            assert len(litter) <= 1, f"{litter} are left after a kill at {call.line}"
            assert one.run() == "OK" and one.litter() == litter
            one.expect(NEW)
            points += 1
    assert points > 60, f"only {points} points were tried"


def check_errors(driver, errors=("EIO", "ENOSPC", "ENOMEM", "EMFILE")):
    """Whatever call fails, with whatever error: failure and the destination as it was, or success
    and it is the new file; nothing is left either way."""
    points = 0
    for one in each_bench(driver):
        base, calls = one.calls("-e", "-t")
        for call in calls:
            if call.name in ("unlinkat", "close", "access") or '"acknowledged"' in call.line:
                continue
            for error in errors:
                done = one.trace("-e", "-t", injections=one.at(call, f"error={error}", base, calls))
                assert done.status, f"{error} at {call.line}: no answer, {done.stderr}"
                if done.status in ("OK", "DURABILITY_UNKNOWN"):
                    one.expect(NEW)
                else:
                    one.expect(one.before())
                assert not one.litter(), f"{error} at {call.line} leaves {one.litter()}"
                points += 1
    assert points > 150, f"only {points} points were tried"


def is_sync(call, path):
    return call.name == "fsync" and f"<{path}>" in call.arguments


def check_order(driver):
    """The file is synced, then gets its name, then the directory is synced, then it is said."""
    for one in each_bench(driver):
        _, calls = one.calls()
        names = [("sync" if is_sync(call, one.directory) else
                  "write" if call.name == "write" and "acknowledged" not in call.line else
                  "settle" if call.name == "fsync" else
                  "name" if call.name in ("linkat", "renameat") and call.result == "0" and
                  call.arguments.rsplit('"', 2)[1] == "file" else
                  "say" if "acknowledged" in call.line else None) for call in calls]
        order = [name for name in names if name and name != "write"]
        assert order == ["settle", "name", "sync", "say"], f"{order}"
        assert max(i for i, name in enumerate(names) if name == "write") < names.index("settle")


def fail_at(one, name, error, where=0, options=()):
    """Let the `where`th call of that name fail; what the driver said."""
    base, calls = one.calls(*options)
    call = [each for each in calls if each.name == name][where]
    return one.trace(*options, injections=one.at(call, f"error={error}", base, calls))


def check_syncs(driver):
    """A failed sync of the file fails, and is not tried again; one of the directory says so."""
    for one in each_bench(driver):
        for error, status in (("EIO", "IO"), ("ENOSPC", "NO_SPACE"), ("EDQUOT", "NO_SPACE")):
            done = fail_at(one, "fsync", error)
            assert done.status == status, done.stdout
            one.expect(one.before())
            assert sum("fsync(" in line for line in done.lines) == 1, "synced again"
        done = fail_at(one, "fsync", "EIO", where=1)
        assert done.status == "DURABILITY_UNKNOWN", done.stdout
        one.expect(NEW)


@contextlib.contextmanager
def halfway(one, *options, injections=()):
    """A driver that has written half of its bytes; let it go on with .communicate("\\n")."""
    command = one.command("-p", *options)
    if injections:
        names = ",".join(sorted({each.call.name for each in injections}))
        command = ["strace", "-qq", "-o", os.devnull, "-e", f"trace={names}",
                   *[word for each in injections for word in ("-e", str(each))], *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=environment()) as process:
        try:
            assert process.stdout.readline() == "half\n"
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finish(process):
    return process.communicate("\n", timeout=60)[0].split(" ")[0]


def check_races(driver):
    """Two at once both succeed, and the last one's file is whole; with keep the first one stays."""
    for one in each_bench(driver):
        base = one.unsupported()
        one.reset()
        with halfway(one, "-l", "x", injections=base) as slow:
            one.expect(one.before())
            with halfway(one, "-l", "y", injections=base) as quick:
                assert finish(quick) == "OK"
            one.expect(content("y"))
            assert finish(slow) == "OK"
        one.expect(content("x"))
        assert not one.litter()
        if one.old:
            continue
        one.reset()
        with halfway(one, "-k", injections=base) as slow:
            one.path.write_bytes(OLD)
            assert finish(slow) == "EXISTS"
        one.expect(OLD)
        assert not one.litter()
        _, calls = one.calls("-k")
        assert not [call for call in calls if call.name == "renameat"], "keep may replace"


def check_mode(driver):
    """Private until the end, by its mode or for want of a name, then what the umask leaves."""
    for one in each_bench(driver):
        base, calls = one.calls()
        created = [call for call in calls if call.name == "openat" and
                   ("O_TMPFILE" in call.arguments or "O_EXCL" in call.arguments)]
        assert created and all(call.arguments.endswith(", 0600") for call in created
                               if "O_TMPFILE" not in call.arguments), created
        assert one.nameless or any("O_EXCL" in call.arguments for call in created), created
        assert not [call for call in calls if call.name == "umask"], "umask() changes the process"
        one.reset()
        previous = os.umask(0o027)
        try:
            done = trace(one.command(), base)
        finally:
            os.umask(previous)
        assert done.status == "OK" and one.path.stat().st_mode & 0o7777 == 0o640
