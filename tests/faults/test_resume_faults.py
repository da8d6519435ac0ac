# SPDX-License-Identifier: Apache-2.0
"""A disk that fails under a partial: an error of its own, told at once, and nothing left behind
that a later run could take for good bytes. What fails beside the download costs the partial
only."""
import random

import pytest

from support.leftovers import Leftovers
from support.peers import require_program
from support.program import SANITIZE
from support.resume_server import ResumeServer, cut

MIB = 1 << 20
BODY = random.Random(61).randbytes(66 * MIB)  # one sync on the way
ETAG = 'ETag: "v"'


@pytest.fixture
def server():
    with ResumeServer(BODY, ETAG) as made:
        yield made


@pytest.fixture
def injecting(fetch):
    """fetch with a fault: injecting("fsync:error=EIO:when=1")."""
    require_program("strace")

    def wrap(*faults):
        names = ",".join(sorted({fault.split(":")[0] for fault in faults}))
        fetch.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}"]
        for fault in faults:
            fetch.wrapper += ["-e", f"inject={fault}"]
        if SANITIZE:
            fetch.wrapper = ["env", "ASAN_OPTIONS=detect_leaks=0", *fetch.wrapper]
        return fetch

    return wrap


@pytest.mark.parametrize("fault, status", [
    ("pwrite64:error=ENOSPC:when=30", "NO_SPACE"), ("pwrite64:error=EIO:when=30+", "IO"),
    ("fdatasync:error=EIO:when=1", "IO"), ("fsync:error=EIO:when=1", "IO"),
    ("renameat:error=EIO:when=1+", "IO")])
def test_a_disk_that_fails_is_told_at_once_and_leaves_nothing(injecting, server, fault, status):
    """No try more: the bytes were right, the disk was not."""
    injecting(fault)(server.url()).failed(status)
    assert len(server.asked) == 1


@pytest.mark.parametrize("error, status", [("ENOSPC", "NO_SPACE"), ("EIO", "IO")])
def test_what_came_before_a_cut_and_cannot_be_written_ends_it(injecting, server, error, status):
    """The last bytes are written when the try is over: nothing may go on behind them."""
    server.become(BODY[:20 * MIB], ETAG)
    server.script = [cut(10 * MIB + 1000)]
    injecting(f"pwrite64:error={error}:when=10+")(server.url()).failed(status)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [
    "flock:error=EINTR:when=1", "fdatasync:error=EINTR:when=1", "flock:error=ENOLCK:when=1+",
    "flock:error=EOPNOTSUPP:when=1+", "fdatasync:error=EIO:when=2", "statx:error=EIO:when=1+",
    "linkat:error=EPERM:when=1"])
def test_what_fails_beside_the_download_costs_the_partial_only(injecting, server, fault):
    injecting(fault)(server.url()).succeeded(BODY)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", ["ftruncate:error=EIO:when=1+", "ftruncate:error=EIO:when=2",
                                   "fchmod:error=EIO:when=1", "flock:error=EIO:when=2"])
def test_a_partial_that_cannot_be_taken_over_is_told_or_left_alone(fetch, injecting, server, fault):
    server.script = [cut(20 * MIB)]
    outcome = fetch("--option", "retry.attempts=1", server.url())
    assert outcome.code == 18 and Leftovers(outcome.place).size() == 20 * MIB
    outcome = injecting(fault)(server.url(), place=outcome.place)
    assert outcome.code in (0, 23), outcome.stderr
    assert (outcome.code == 0) == ("out" in outcome.files)
    assert outcome.code == 0 or len(outcome.stderr.splitlines()) == 1
    fetch.wrapper = []
    fetch(server.url(), place=outcome.place).succeeded(BODY)
