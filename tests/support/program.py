# SPDX-License-Identifier: Apache-2.0
"""The built program, run in an empty directory, and what it did there."""
import os
import pathlib
import subprocess
import time

from support.statuses import EXIT

BINARY_DIR = pathlib.Path(os.environ["FLAME_BINARY_DIR"])
FETCH = BINARY_DIR / "bin" / "flame-fetch"
SANITIZE = os.environ.get("FLAME_SANITIZE", "")


def clean_environment():
    """Ours, without what would change what the program does."""
    drop = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "flame_plugin_path")
    return {name: value for name, value in os.environ.items() if name.lower() not in drop}


class Outcome:
    def __init__(self, done, place, seconds):
        self.code, self.place, self.seconds = done.returncode, place, seconds
        self.stdout, self.stderr = done.stdout, done.stderr.decode(errors="backslashreplace")
        self.files = sorted(os.listdir(place))

    @property
    def body(self):
        return (self.place / "out").read_bytes()

    def succeeded(self, body=None):
        assert self.code == 0, f"exit {self.code}: {self.stderr}"
        if body is not None:
            assert self.body == body, f"{len(self.body)} bytes instead of {len(body)}, or others"
        assert self.files == ["out"]

    def failed(self, status, *words):
        """Bad input gets: one line, the right exit code, nothing left behind."""
        assert self.code == EXIT[status], f"exit {self.code}, not {EXIT[status]}: {self.stderr}"
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        assert lines[0].startswith("flame-fetch: "), self.stderr
        assert lines[0].isprintable(), f"letters that are not harmless: {lines[0]!r}"
        for word in words:
            assert word in lines[0], f"'{word}' is not in: {lines[0]}"
        assert self.files == [], f"left behind: {self.files}"


class Program:
    """Each call runs in a directory of its own; "-o out" unless `output` says otherwise."""

    def __init__(self, base):
        self.base, self.count = pathlib.Path(base), 0
        self.common = ["--no-config"]
        self.wrapper = []

    def try_once(self):
        """From now on no run tries again: for tests of what a single failure is."""
        self.common += ["--option", "retry.attempts=1"]

    def new_place(self):
        self.count += 1
        place = self.base / f"run{self.count}"
        place.mkdir()
        return place

    def argv(self, *arguments, output="out"):
        output = ["-o", output] if output else []
        return [*self.wrapper, FETCH, *self.common, *output, *arguments]

    def limit_memory(self, mib):
        """From now on no run may have more than that of its own (RLIMIT_DATA). A sanitizer cannot
        live with it."""
        if not SANITIZE:
            self.wrapper = ["prlimit", f"--data={mib << 20}"]

    def __call__(self, *arguments, output="out", place=None, env=None, timeout=120):
        place = place or self.new_place()
        begin = time.monotonic()
        done = subprocess.run(self.argv(*arguments, output=output), cwd=place, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              env=clean_environment() | (env or {}))
        return Outcome(done, place, time.monotonic() - begin)

    def start(self, *arguments, output="out", place=None, **options):
        """The running program; the caller waits for it."""
        place = place or self.new_place()
        child = subprocess.Popen(self.argv(*arguments, output=output), cwd=place,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=clean_environment(), **options)
        child.place, child.begin = place, time.monotonic()
        return child


def outcome_of(child, timeout=60):
    """Wait for what Program.start() began."""
    stdout, stderr = child.communicate(timeout=timeout)
    done = subprocess.CompletedProcess(child.args, child.returncode, stdout, stderr)
    return Outcome(done, child.place, time.monotonic() - child.begin)
