# SPDX-License-Identifier: Apache-2.0
"""Whole runs under valgrind's memcheck: no byte is used before it is written or after it is freed,
and none is lost, in success and in failure."""
import hashlib
import pathlib
import re

import pytest

from flight.driver import encode
from support.bson import reference
from support.peers import require_program
from support.program import SANITIZE
from support.raw_flight import RawFlight, field, messages
from support.scripted_server import redirect_to, response

pytestmark = pytest.mark.skipif(SANITIZE != "", reason="SKIP: valgrind runs no sanitized program")

BODY = bytes(range(256)) * 5000  # long enough for the second thread
SUPPRESSIONS = pathlib.Path(__file__).parent / "valgrind.supp"
POLLERS = 2
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


OPEN = re.compile(r"==\d+== Open (?=[^\n]*(?:descriptor|socket) \d+:)")
POLLER = re.compile(r"file descriptor \d+:(?: anon_inode:\S*)?\n.*libgrpc\.so", re.DOTALL)


def open_files(text, log, is_grpc):
    """What was opened and not closed, of whatever kind; but for the log, what the harness had open,
    and gRPC's two of its poller, which is never stopped."""
    blocks = [block.split("== \n")[0] for block in OPEN.split(text)[1:]]
    ours = [block for block in blocks
            if str(log) not in block.splitlines()[0] and "inherited from parent" not in block]
    pollers = [block for block in ours if is_grpc and POLLER.match(block)][:POLLERS]
    return [block for block in ours if block not in pollers]


@pytest.fixture
def checked(fetch, tmp_path):
    log = tmp_path / "valgrind.log"
    valgrind = [require_program("valgrind"), "--leak-check=full", "--track-fds=yes",
                "--errors-for-leak-kinds=definite,possible",
                "--show-leak-kinds=definite,possible", f"--log-file={log}"]

    def run(*arguments, **options):
        is_grpc = any(str(each).startswith("grpc:") for each in arguments)
        fetch.wrapper = [*valgrind, f"--suppressions={SUPPRESSIONS}"] if is_grpc else valgrind
        outcome = fetch(*arguments, **options)
        text = log.read_text(errors="replace")
        assert re.search(r"ERROR SUMMARY: 0 errors", text), text
        assert "FILE DESCRIPTORS: " in text
        assert open_files(text, log, is_grpc) == []
        return outcome

    return run


@pytest.fixture(params=["file", "http"])
def url(request, serve, tmp_path):
    if request.param == "http":
        return serve(response(BODY)).url()
    (tmp_path / "source").write_bytes(BODY)
    return f"file://{tmp_path}/source"


@pytest.mark.parametrize("arguments", [[], ["--checksum", DIGEST, "--json"]],
                         ids=["plain", "verified"])
def test_a_download_uses_no_memory_that_is_not_its_own(checked, url, arguments):
    checked(*arguments, url).succeeded(BODY)


def test_a_digest_that_differs_loses_no_memory(checked, url):
    checked("--checksum", "sha256:" + "0" * 64, url).failed("DIGEST")


def test_a_redirect_and_a_refusal_lose_no_memory(checked, serve):
    gone = serve(response(status="404 Not Found"))
    checked(serve(redirect_to(gone.url())).url()).failed("NOT_FOUND")


def test_an_answer_cut_short_loses_no_memory(checked, serve):
    checked(serve(response(BODY[:-1], length=len(BODY))).url()).failed("TRUNCATED")


@pytest.mark.parametrize("arguments", [["stat"], ["stat", "--json"]], ids=["text", "json"])
def test_a_look_at_an_object_loses_no_memory(checked, url, arguments):
    assert checked(*arguments, url, output=None).code == 0


def test_the_lists_lose_no_memory(checked):
    for arguments in (["plugins", "--why"], ["plugins", "--json"], ["config"]):
        assert checked(*arguments, output=None).code == 0


# ---- the object cache ----

def frames_of(directory):
    return list(messages(encode(BODY, directory, "zstd", 65536, 1, "kind")))


@pytest.fixture
def cache(tmp_path):
    """A server that has BODY and takes what comes; "gone", "short" and "damaged" say what they
    are."""
    frames = frames_of(tmp_path)

    def answer(asked):
        key = asked.receive()
        asked.receive_all()
        if asked.method == "DoPut":
            asked.send(field(1, reference("grpc://x:1", "a/b/c", 1)))
        elif b"gone" in key:
            return asked.end(5, "not found")
        elif b"damaged" in key:
            asked.send(frames[0])
            asked.send(frames[1][:-40])
        elif b"c:1" in key:
            asked.send(frames[0])
        else:
            for message in frames if b"short" not in key else frames[:3]:
                asked.send(message)
            if b"short" in key:
                return asked.drop()
        return asked.end()

    server = RawFlight(answer)
    yield server
    server.close()


def test_a_download_from_a_cache_uses_no_memory_that_is_not_its_own(checked, cache):
    checked("--checksum", DIGEST, cache.url("a/b/c")).succeeded(BODY)


def test_a_store_into_a_cache_loses_no_memory(checked, cache, tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    outcome = checked("put", tmp_path / "source", cache.url("a/b/c"), output=None)
    assert outcome.code == 0, outcome.stderr


@pytest.mark.parametrize("key, status", [("gone", "NOT_FOUND"), ("damaged", None), ("short", None)])
def test_a_failed_download_from_a_cache_loses_no_memory(checked, one_try, cache, key, status):
    outcome = checked(cache.url(f"a/b/{key}"))
    assert outcome.code != 0 and outcome.files == [], outcome.stderr
    if status:
        outcome.failed(status)
