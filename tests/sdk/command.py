# SPDX-License-Identifier: Apache-2.0
"""What the tests of the SDK's verbs share: a user with a home, caches, a copy of the command with a
helper of our own."""
import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess

import pytest

from devcache.cache import Cache
from support.peers import require_program
from support.program import BINARY_DIR, FETCH, Program, clean_environment

HELPER = BINARY_DIR / "libexec" / "flame" / "flame-fetch-sdk"
_LEAKS = pathlib.Path(__file__).parents[1] / "grpc" / "lsan.supp"


class User(Program):
    """Runs the command with a HOME of its own and a configuration only where a test writes one."""

    def __init__(self, base, program=FETCH):
        super().__init__(base)
        self.home, self.program = pathlib.Path(base) / "home", program
        self.common = []
        self.file = self.home / ".flame" / "flame.yaml"
        self.variables = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                          "LSAN_OPTIONS": f"suppressions={_LEAKS}:print_suppressions=0"}
        self.home.mkdir()

    def argv(self, *arguments, output=None):
        argv = super().argv(*arguments, output=output)
        return [self.program if word == FETCH else word for word in argv]

    def environment(self, env=None):
        kept = {name: value for name, value in clean_environment().items()
                if not name.startswith("FLAME_")}
        return kept | self.variables | (env or {})

    def __call__(self, *arguments, output=None, env=None, **options):
        gone = {name: "" for name in os.environ if name.startswith("FLAME_")}
        return super().__call__(*arguments, output=output, env=gone | self.variables | (env or {}),
                                **options)

    def begin(self, *arguments, wrapper=(), env=None, **options):
        """The running program; the caller waits for it."""
        place = self.new_place()
        child = subprocess.Popen([*wrapper, *self.argv(*arguments)], cwd=place,
                                 env=self.environment(env), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE,
                                 **({"stdin": subprocess.DEVNULL} | options))
        child.place = place
        return child

    def writes(self, text):
        """Of the file flame.yaml."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text)

    def has_context(self, storage=None, excludes=None, **cache):
        """cache: endpoint, ca_file, cert_file, key_file. YAML is a superset of JSON."""
        endpoint = {"endpoint": cache.pop("endpoint", "grpc://127.0.0.1:1")}
        tls = {"tls": {name: str(value) for name, value in cache.items()}} if cache else {}
        package = {"storage": storage} if storage else {}
        package |= {"excludes": excludes} if excludes else {}
        self.writes(json.dumps({"current-context": "here", "contexts": [
            {"name": "here", "cache": endpoint | tls} | ({"package": package} if package else {}),
            {"name": "other", "cache": {"endpoint": "grpc://other:9"}}]}))


@pytest.fixture
def user(tmp_path):
    return User(tmp_path)


@pytest.fixture
def caches(certificates):
    """Start caches that end with the test: caches(tls=, mutual=, more arguments)."""
    running = []

    def start(*arguments, tls=False, mutual=False):
        if tls or mutual:
            arguments += ("--cert", certificates.path("good"), "--key",
                          certificates.path("good", "key"))
        if mutual:
            arguments += ("--cacert", certificates.path("ca"))
        running.append(Cache(*arguments))
        running[-1].url = running[-1].url.replace("grpc+tls://", "grpcs://")
        return running[-1]

    yield start
    for one in running:
        with contextlib.suppress(AssertionError):
            one.close()
        if one.process.returncode is None:
            one.kill()


@pytest.fixture
def faked(tmp_path):
    """The command in a tree of its own with a helper that is this shell script, or none:
    faked(script) -> User. In the script, $REAL is the real helper."""
    def make(script):
        tree = tmp_path / "tree"
        (tree / "bin").mkdir(parents=True)
        (tree / "bin" / "flame-fetch").write_bytes(FETCH.read_bytes())
        (tree / "bin" / "flame-fetch").chmod(0o755)
        if script is not None:
            path = tree / "libexec" / "flame" / "flame-fetch-sdk"
            path.parent.mkdir(parents=True)
            path.write_text(f"#!/bin/sh\nREAL={shlex.quote(str(HELPER))}\n{script}\n")
            path.chmod(0o755)
        return User(tmp_path, tree / "bin" / "flame-fetch")
    return make


def events(outcome):
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def traced(user, log, *arguments, calls="execve", path=None, inject=(),
           env=None):
    """Under strace, which no leak checker can live with."""
    quiet = {"ASAN_OPTIONS": "detect_leaks=0"} | (env or {})
    wrapper = [require_program("strace"), "-f", "-v", "-qq", "-s", "100000", "-o", str(log),
               "-e", f"trace={calls}", *[f"--inject={each}" for each in inject],
               *(["-P", str(path)] if path else [])]
    return user.begin(*arguments, wrapper=wrapper, env=quiet)


def ended(child, timeout=60):
    """(exit code, stdout, stderr)"""
    stdout, stderr = child.communicate(timeout=timeout)
    return child.returncode, stdout.decode(), stderr.decode()


def interrupted(child):
    child.send_signal(signal.SIGINT)
    return ended(child)
