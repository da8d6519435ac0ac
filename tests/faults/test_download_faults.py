# SPDX-License-Identifier: Apache-2.0
"""What a disk, a kernel or an administrator can refuse: an error of its own each, one line, the
right exit code, and nothing left behind, by the whole program."""
import contextlib
import json
import multiprocessing
import os
import shutil
import subprocess

import pytest

from disks import own_mounts, quietly
from support.peers import kernel_lacks, require_program
from support.program import SANITIZE
from support.scripted_server import response
from support.statuses import EXIT

BODY = bytes(range(256)) * 10_000
CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY +
           b"\r\n0\r\n\r\n")


@pytest.fixture(params=["file", "http"])
def url(request, serve, tmp_path):
    if request.param == "http":
        return serve(response(BODY)).url()
    (tmp_path / "source").write_bytes(BODY)
    return f"file://{tmp_path}/source"


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


@pytest.mark.parametrize("error, status", [("ENOSPC", "NO_SPACE"), ("EDQUOT", "NO_SPACE"),
                                           ("EIO", "IO"), ("EFBIG", "IO"), ("EROFS", "IO")])
def test_79_a_write_that_fails_has_its_own_error(injecting, url, error, status):
    faults = [f"{name}:error={error}:when=1+" for name in ("pwrite64", "pwritev", "sendfile",
                                                           "copy_file_range", "splice")]
    outcome = injecting(*faults)(url)
    if url.startswith("file:") and error == "EIO":
        assert outcome.code in (EXIT["IO"], EXIT["SOURCE"]) and outcome.files == []
    else:
        outcome.failed(status)


@pytest.mark.parametrize("error, status", [("ENOSPC", "NO_SPACE"), ("EDQUOT", "NO_SPACE"),
                                           ("EIO", "IO")])
def test_79_a_sync_that_fails_has_its_own_error(injecting, url, error, status):
    injecting(f"fsync:error={error}:when=1")(url).failed(status)


@pytest.mark.parametrize("error, status", [("ENOSPC", "NO_SPACE"), ("EDQUOT", "NO_SPACE"),
                                           ("EIO", "IO"), ("EMLINK", "IO"), ("EPERM", "IO")])
def test_79_a_name_that_cannot_be_given_has_its_own_error(injecting, url, error, status):
    injecting(f"linkat:error={error}:when=1+", f"renameat:error={error}:when=1+",
              f"renameat2:error={error}:when=1+")(url).failed(status)


def test_81_a_directory_that_cannot_be_synced_is_told_and_the_file_is_there(injecting, url):
    outcome = injecting("fsync:error=EIO:when=2")(url)
    assert outcome.code == EXIT["DURABILITY_UNKNOWN"], outcome.stderr
    assert outcome.files == ["out"] and outcome.body == BODY
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["pwrite64", "copy_file_range", "fsync", "poll", "linkat",
                                  "openat2", "fchmod", "recvfrom", "sendto", "connect"])
def test_80_an_interrupted_call_is_made_again(injecting, url, name):
    outcome = injecting(f"{name}:error=EINTR:when=1")(url)
    if name == "connect" and outcome.code != 0:
        assert outcome.code == EXIT["CONNECT"]  # an interrupted connect goes on by itself
    else:
        outcome.succeeded(BODY)


def test_a_slow_sync_shows_the_last_progress_once(injecting, url):
    outcome = injecting("fsync:delay_enter=300000:when=1")("--json", url)
    outcome.succeeded(BODY)
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    shown = [event for event in events if event["ev"] == "progress"]
    assert [event["phase"] for event in shown].count("verify") == 1
    assert shown[-1]["phase"] == "verify", shown


def test_82_too_few_descriptors_are_an_error_and_never_a_hang(fetch, url):
    codes = set()
    for count in range(4, 24):
        fetch.wrapper = ["prlimit", f"--nofile={count}"]
        outcome = fetch(url, timeout=60)
        codes.add(outcome.code)
        assert outcome.code != 0 or outcome.body == BODY
        assert outcome.code == 0 or outcome.files == []
        assert outcome.code >= 0, f"killed by {-outcome.code} with {count} descriptors"
    assert 0 in codes and len(codes) > 1


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: a sanitizer needs its own address space")
def test_83_too_little_memory_is_an_error_and_never_a_crash(fetch, url):
    codes = set()
    for mib in [4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 1024]:
        fetch.wrapper = ["prlimit", f"--as={mib << 20}"]
        outcome = fetch(url, timeout=60)
        codes.add(outcome.code)
        assert outcome.code >= 0, f"killed by {-outcome.code} with {mib} MiB"
        assert outcome.files == (["out"] if outcome.code == 0 else [])
    assert 0 in codes and len(codes) > 1


def test_79_a_limit_of_file_size_is_an_error(fetch, url):
    fetch.wrapper = ["prlimit", "--fsize=100000"]
    fetch(url).failed("IO")


def as_nobody(fetch):
    if os.geteuid() == 0:
        fetch.wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def open_the_way(place):
    for parent in place.parents:
        with contextlib.suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o111)


def test_21_a_directory_without_rights_is_refused_before_anybody_is_asked(fetch, serve):
    server = serve(response(BODY))
    place = fetch.new_place()
    open_the_way(place)
    place.chmod(0o555)
    as_nobody(fetch)
    fetch(server.url(), place=place).failed("IO", "ermission")
    assert server.connections == 0


def test_21_an_immutable_directory_is_refused_before_anybody_is_asked(fetch, serve):
    server = serve(response(BODY))
    place = fetch.new_place()
    if os.geteuid() != 0 or quietly("chattr", "+i", place).returncode != 0:
        kernel_lacks("nothing can be made immutable here")
    try:
        fetch(server.url(), place=place).failed("IO")
    finally:
        quietly("chattr", "-i", place)
    assert server.connections == 0


def mounted(options, place):
    """A tmpfs at `place`, for this process."""
    if os.geteuid() != 0:
        kernel_lacks("only root mounts")
    own_mounts()
    done = quietly("mount", "-t", "tmpfs", "-o", options, "none", place)
    if done.returncode != 0:
        kernel_lacks(f"no tmpfs: {done.stderr.strip()}")


def apart(function, *arguments):
    """In a process of its own, which may change its mounts."""
    def body(results):
        try:
            function(*arguments)
            results.put(None)
        except BaseException as error:  # pylint: disable=broad-except
            results.put(f"{type(error).__name__}: {error}")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=body, args=(results,))
    child.start()
    said = results.get(timeout=120)
    child.join()
    if said and said.startswith("Skipped"):
        kernel_lacks(said)
    assert said is None, said


def test_21_a_read_only_file_system_is_refused_before_anybody_is_asked(fetch, serve):
    server, place = serve(response(BODY)), fetch.new_place()

    def body():
        mounted("ro", place)
        outcome = fetch(server.url(), place=place)
        outcome.failed("IO", "ead-only")

    apart(body)
    assert server.connections == 0


@pytest.mark.parametrize("known", [True, False], ids=["size-known", "size-unknown"])
@pytest.mark.parametrize("arguments", [[], ["--checksum", "sha256:" + "0" * 64]])
def test_79_a_disk_that_is_full_is_told(fetch, serve, known, arguments):
    server, place = serve(response(BODY) if known else CHUNKED), fetch.new_place()

    def body():
        mounted("size=1M", place)
        fetch(*arguments, server.url(), place=place).failed("NO_SPACE")
        assert shutil.disk_usage(place).used < 65536

    apart(body)


def fetch_often(fetch, url, place, rounds):
    for _ in range(rounds):
        done = subprocess.run(fetch.argv(url), cwd=place, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_two_processes_with_one_destination_both_succeed(fetch, url):
    place = fetch.new_place()
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=fetch_often, args=(fetch, url, place, 10))
                for _ in range(6)]
    for child in children:
        child.start()
    while any(child.is_alive() for child in children):
        if (place / "out").exists():
            assert (place / "out").stat().st_size == len(BODY)
        children[0].join(0.005)
    assert [child.exitcode for child in children] == [0] * 6
    assert os.listdir(place) == ["out"] and (place / "out").read_bytes() == BODY
