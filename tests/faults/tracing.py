# SPDX-License-Identifier: Apache-2.0
"""Runs a program under strace: what it calls between its markers, and what happens when one of
these calls fails or is its last. An injection that did not happen is an error, never a pass."""
import os
import re
import signal
import subprocess
import tempfile
from collections import Counter, namedtuple

CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+|\?)(.*)$")

# `when`: the how-manieth call of that name in the whole run, as strace counts.
Call = namedtuple("Call", "name when arguments result line")


class Inject(namedtuple("Inject", "call what")):
    def __str__(self):
        return f"inject={self.call.name}:{self.what}:when={self.call.when}"


def environment():
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(os.environ, LC_ALL="C", ASAN_OPTIONS=f"{options}:detect_leaks=0".lstrip(":"))


class Traced:
    def __init__(self, returncode, stdout, stderr, lines):
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.lines = lines
        self.status, _, self.message = stdout.strip().partition(" ")

    def calls(self):
        """The calls between the markers "begin" and "end"."""
        seen, found, inside = Counter(), [], False
        for line in self.lines:
            match = CALL.match(line)
            if not match:
                continue
            name, arguments, result, _ = match.groups()
            seen[name] += 1
            if arguments.startswith('-1, "end"'):
                break
            if inside:
                found.append(Call(name, seen[name], arguments, result, line))
            inside = inside or arguments.startswith('-1, "begin"')
        assert inside and found, "no marker was seen:\n" + "\n".join(self.lines)
        return found

    def reached(self, marker):
        return any(f'-1, "{marker}"' in line for line in self.lines)


def trace(command, injections=(), names=None, cwd=None):
    """Run `command` with `injections`; each of them must have happened."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        strace = ["strace", "-y", "-o", log.name]
        wanted = set(names or ()) | {each.call.name for each in injections}
        if wanted:
            strace += ["-e", "trace=" + ",".join(sorted(wanted | {"write"}))]
        for each in injections:
            strace += ["-e", str(each)]
        run = subprocess.run(strace + list(command), capture_output=True, text=True, cwd=cwd,
                             errors="replace", env=environment(), timeout=60, check=False)
        lines = log.read().splitlines()
    done = Traced(run.returncode, run.stdout, run.stderr, lines)
    expected = sum("error=" in each.what for each in injections)
    injected = sum("(INJECTED)" in line for line in lines)
    if any("SIGKILL" in each.what for each in injections):
        assert run.returncode == -signal.SIGKILL and "killed by SIGKILL" in lines[-1], (
            f"the kill did not happen: {injections}\n{run.stderr}" + "\n".join(lines[-5:]))
    else:
        assert injected == expected, (
            f"{injected} of {expected} injections happened: {injections}\n{run.stderr}")
    return done
