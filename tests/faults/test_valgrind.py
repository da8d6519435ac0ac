# SPDX-License-Identifier: Apache-2.0
"""Whole runs under valgrind's memcheck: no byte is used before it is written or after it is freed,
and none is lost, in success and in failure."""
import hashlib
import re

import pytest

from support.peers import require_program
from support.program import SANITIZE
from support.scripted_server import redirect_to, response

pytestmark = pytest.mark.skipif(SANITIZE != "", reason="SKIP: valgrind runs no sanitized program")

BODY = bytes(range(256)) * 5000  # long enough for the second thread
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def checked(fetch, tmp_path):
    log = tmp_path / "valgrind.log"
    fetch.wrapper = [require_program("valgrind"), "--leak-check=full", "--track-fds=yes",
                     "--errors-for-leak-kinds=definite,possible",
                     "--show-leak-kinds=definite,possible", f"--log-file={log}"]

    def run(*arguments, **options):
        outcome = fetch(*arguments, **options)
        text = log.read_text(errors="replace")
        assert re.search(r"ERROR SUMMARY: 0 errors", text), text
        assert "FILE DESCRIPTORS: " in text
        assert [line for line in text.splitlines()
                if "Open file descriptor" in line and str(log) not in line] == []
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
