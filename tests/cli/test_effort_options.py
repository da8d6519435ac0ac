# SPDX-License-Identifier: Apache-2.0
"""--limit-rate, --connections and --min-split: how fast, and in how many parts."""
import json
import os

import pytest

from support.object_server import Objects
from support.scripted_server import response

BODY = os.urandom(12 << 20)


def connections(outcome):
    outcome.succeeded(BODY)
    return json.loads(outcome.stdout.splitlines()[-1])["connections"]


@pytest.fixture
def large(nginx):
    (nginx.root / "large").write_bytes(BODY)
    return nginx.url("/large")


def test_a_large_file_comes_in_parts_when_asked(fetch, large, nginx):
    begin = len(nginx.log())
    assert connections(fetch("--json", "--connections", "4", "--min-split", "1M", large)) > 1
    assert len([line for line in nginx.log()[begin:] if " 206 " in line]) > 1


@pytest.mark.parametrize("arguments", [[], ["--connections", "4", "--min-split", "16M"]],
                         ids=["default", "small"])
def test_it_comes_in_one_unless_asked_and_large_enough(fetch, large, nginx, arguments):
    begin = len(nginx.log())
    assert connections(fetch("--json", *arguments, large)) <= 1
    assert [line for line in nginx.log()[begin:] if " 206 " in line] in ([], nginx.log()[-1:])


def test_the_rate_is_limited(fetch, serve, tmp_path):
    body = bytes(300_000)
    (tmp_path / "source").write_bytes(body)
    for url in (serve(response(body)).url(), f"file://{tmp_path}/source"):
        outcome = fetch("--limit-rate", "100k", url)
        outcome.succeeded(body)
        assert outcome.seconds > 1
    for url in (serve(Objects()).url("/x"), f"file://{tmp_path}/stored"):
        stored = fetch("put", "--limit-rate", "100k", tmp_path / "source", url, output=None)
        assert stored.code == 0 and stored.seconds > 1, stored.stderr
    assert (tmp_path / "stored").read_bytes() == body


@pytest.mark.parametrize("arguments", [["--limit-rate", "fast"], ["--limit-rate", "0"],
                                       ["--connections", "17"], ["--connections", "0"],
                                       ["--min-split", "1k"], ["--min-split", "x"]], ids=" ".join)
def test_a_wrong_number_is_told(fetch, arguments):
    fetch(*arguments, "http://127.0.0.1:1/x").failed("INVALID")
