# SPDX-License-Identifier: Apache-2.0
"""file: local files only, whole and unchanged, and nothing that only looks like one."""
import hashlib
import os
import subprocess
import time

import pytest

from support.program import SANITIZE, outcome_of

BODY = b"x" * 100_000
SUM = hashlib.sha512(BODY).hexdigest()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


def test_23_a_file_that_is_missing_is_not_found(fetch, tmp_path):
    fetch(f"file://{tmp_path}/missing").failed("NOT_FOUND")
    fetch(f"file://{tmp_path}/missing/too").failed("NOT_FOUND")


def test_24_what_is_no_file_is_refused_at_once(fetch, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dir").mkdir()
    for path in (tmp_path / "fifo", tmp_path / "dir", "/dev/zero", "/dev/null", "/proc/self/mem"):
        outcome = fetch(f"file://{path}", timeout=20)
        outcome.failed("POLICY")
        assert outcome.seconds < 5


def test_24_a_file_whose_size_is_a_lie_is_not_taken_for_empty(fetch):
    for path in ("/proc/self/environ", "/proc/self/maps", "/sys/kernel/uevent_seqnum"):
        fetch(f"file://{path}").failed("POLICY")


@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
@pytest.mark.parametrize("arguments", [[], ["--checksum", "sha512:" + "0" * 128]])
def test_25_a_source_that_changes_meanwhile_is_told(fetch, tmp_path, change, arguments):
    """A copy of 1 GiB of a sparse file that is changed as soon as it has been opened."""
    source = tmp_path / "source"
    with open(source, "wb") as file:
        file.truncate(1 << 30)
    child = fetch.start("--durability", "none", *arguments, f"file://{source}")
    while child.poll() is None and not has_open(child.pid, source):
        time.sleep(0.001)
    if change == "rewrite":
        with open(source, "r+b") as file:
            file.write(b"changed")
    else:
        os.truncate(source, (1 << 30) + (1 if change == "grow" else -(1 << 29)))
    stderr = child.communicate(timeout=120)[1].decode()
    assert child.returncode in (36, 110), stderr
    assert os.listdir(child.place) == [] and len(stderr.splitlines()) == 1
    if not arguments:
        assert child.returncode == 36


def has_open(pid, path):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == str(path)
                   for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def test_26_a_file_copied_to_itself_is_never_emptied(fetch):
    place = fetch.new_place()
    (place / "out").write_bytes(b"precious")
    (place / "link").symlink_to("out")
    os.link(place / "out", place / "hard")
    for name in ("out", "link", "hard"):
        outcome = fetch(f"file://{place}/{name}", place=place)
        assert outcome.body == b"precious", outcome.stderr


@pytest.mark.parametrize("url", ["file://otherhost{}", "file://{}?q=1",
                                 "file://localhost:80{}", "file:relative", "file://", "file:",
                                 "file://127.0.0.2{}", "file://{}%00", "file:////otherhost{}"])
def test_27_a_file_url_names_a_local_file(fetch, source, url):
    outcome = fetch(url.format(source))
    if url.startswith("file:////"):
        outcome.failed("NOT_FOUND")  # a path of two slashes is a path
    else:
        assert outcome.code in (3, 116), outcome.stderr
        assert outcome.files == []


@pytest.mark.parametrize("url", ["file://{}", "file:{}", "file://localhost{}", "FILE://{}",
                                 "file://LOCALHOST{}", "file://{}#part"])
def test_27_a_local_file_has_several_urls(fetch, source, url):
    fetch(url.format(source)).succeeded(source.read_bytes())


def test_28_a_sparse_giant_meets_the_limit(fetch, tmp_path):
    with open(tmp_path / "giant", "wb") as file:
        file.truncate(1 << 40)
    outcome = fetch(f"file://{tmp_path}/giant")
    outcome.failed("LIMIT")
    assert outcome.seconds < 5


def test_29_an_empty_file_is_a_file(fetch, tmp_path):
    (tmp_path / "empty").touch()
    fetch(f"file://{tmp_path}/empty").succeeded(b"")


def test_a_source_that_may_not_be_read_is_told(fetch, source):
    if os.geteuid() == 0:
        child = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "true"], check=False)
        if child.returncode != 0:
            pytest.skip("SKIP: root reads everything")
    source.chmod(0)
    place = fetch.new_place()
    place.chmod(0o777)
    for parent in place.parents:
        if parent.stat().st_mode & 0o1 == 0:
            parent.chmod(parent.stat().st_mode | 0o111)
    fetch.wrapper = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    fetch(f"file://{source}", place=place).failed("SOURCE", "ermission")


@pytest.mark.parametrize("mode", [0o400, 0o777, 0o6755])
@pytest.mark.parametrize("arguments", [[], ["--checksum", "sha512:" + SUM]], ids=["copied", "read"])
def test_the_rights_of_the_source_are_not_copied(fetch, source, mode, arguments):
    source.chmod(mode)
    child = fetch.start(*arguments, f"file://{source}", preexec_fn=lambda: os.umask(0o022))
    outcome = outcome_of(child)
    assert outcome.code == 0, outcome.stderr
    assert (outcome.place / "out").stat().st_mode & 0o7777 == 0o644


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: a sanitizer maps what it likes")
def test_a_file_run_maps_neither_libcurl_nor_libgrpc(fetch, tmp_path):
    """Looked at while the bytes flow into a pipe that nobody empties."""
    source = tmp_path / "source"
    source.write_bytes(bytes(1 << 20))
    child = fetch.start(f"file://{source}", output="-")
    while child.poll() is None and not has_open(child.pid, source):
        time.sleep(0.001)
    with open(f"/proc/{child.pid}/maps", encoding="utf-8") as maps:
        mapped = maps.read()
    assert len(child.communicate(timeout=60)[0]) == 1 << 20
    assert "plugins/file.so" in mapped
    for name in ("libcurl", "libgrpc", "libssl", "plugins/http.so"):
        assert name not in mapped
