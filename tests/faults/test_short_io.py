# SPDX-License-Identifier: Apache-2.0
"""Every read and write of files, pipes and sockets moves a few bytes only, and each second one is
interrupted before it moves any: the file is the same to the byte."""
import hashlib
import random
import stat

import pytest

import faulty
from support.scripted_server import response

pytestmark = pytest.mark.skipif(faulty.HAS_OWN_ALLOCATOR,
                                reason="SKIP: the library goes with a plain build only")

SIZES = [1, 2, 3, 7, 100, 4096, 65_537, 1_000_003]
COPIES = {"copied": 1, "sent": 2, "read": 3}  # how many of the kernel's ways are refused
PIPE_BYTES = 65_536  # a pipe takes no more at once


def body_for(size):
    """So much that it takes many calls, and not for ever."""
    return random.Random(size).randbytes(min(1_500_000, 20_000 * size) + 1)


def fetched(fetch, url, body, size, arguments=(), **shortages):
    outcome, report = faulty.run(fetch, ["-o", "out", *arguments, url], short=size, **shortages)
    outcome.succeeded(body)
    calls = len(body) // size
    assert report.shortened >= calls, f"{report}: {calls} calls and more would be needed"
    assert report.interrupted >= calls, report
    return report


def checksum(body):
    return ["--checksum", "sha256:" + hashlib.sha256(body).hexdigest()]


@pytest.fixture
def source(tmp_path):
    def write(body):
        (tmp_path / "source").write_bytes(body)
        return f"file://{tmp_path}/source"

    return write


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("refused", COPIES.values(), ids=COPIES)
def test_80_a_copy_in_short_pieces_is_whole(fetch, source, size, refused):
    body = body_for(size)
    fetched(fetch, source(body), body, size, refuse=refused)


@pytest.mark.parametrize("size", SIZES)
def test_80_a_verified_copy_in_short_pieces_is_whole(fetch, source, size):
    body = body_for(size)
    report = fetched(fetch, source(body), body, size, checksum(body))
    assert report.shortened >= 1.5 * (len(body) // size), "read or written, not both"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_verified", [False, True], ids=["plain", "verified"])
def test_80_a_download_in_short_pieces_is_whole(fetch, serve, size, is_verified):
    body = body_for(size)
    fetched(fetch, serve(response(body)).url(), body, size, checksum(body) if is_verified else [])


@pytest.mark.parametrize("size", [7, 4096])
def test_80_a_download_over_tls_in_short_pieces_is_whole(fetch, serve, certificates, size):
    body = body_for(size)
    url = serve(response(body), tls=certificates.server("good")).url(host="localhost")
    fetched(fetch, url, body, size, ["--cacert", certificates.path("ca")])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_verified", [False, True], ids=["plain", "verified"])
def test_80_a_pipe_that_takes_short_pieces_gets_all(fetch, source, size, is_verified):
    body = body_for(size)
    arguments = ["-o", "-", *(checksum(body) if is_verified else []), source(body)]
    outcome, report = faulty.run(fetch, arguments, short=size)
    assert (outcome.code, outcome.stderr) == (0, "") and outcome.stdout == body
    calls = len(body) // size if size < PIPE_BYTES else 1
    assert report.shortened >= calls and report.interrupted > 0


@pytest.mark.parametrize("size", SIZES)
def test_80_a_verification_in_short_pieces_reads_all(fetch, source, size):
    body = body_for(size)
    path = source(body).removeprefix("file://")
    outcome, report = faulty.run(fetch, ["verify", *checksum(body), path], short=size)
    assert outcome.code == 0, outcome.stderr
    assert report.shortened >= 0.9 * (len(body) // size) and report.interrupted > 0


@pytest.mark.parametrize("size", [1, 16, 500])
def test_80_a_mode_is_not_widened_by_a_short_read(fetch, source, size):
    fetch.wrapper = ["sh", "-c", 'umask 077; exec "$@"', "sh"]
    outcome, _ = faulty.run(fetch, ["-o", "out", source(b"private")], short=size)
    outcome.succeeded(b"private")
    assert stat.S_IMODE((outcome.place / "out").stat().st_mode) == 0o600


def test_80_a_configuration_read_in_short_pieces_is_read_whole(fetch, source, tmp_path):
    (tmp_path / "settings").write_text('{"options": {' + "\n" * 1000 + '"limit.bytes": 3}}')
    fetch.common = ["--config", str(tmp_path / "settings")]
    outcome, _ = faulty.run(fetch, ["-o", "out", source(b"four")], short=5)
    outcome.failed("LIMIT")
