# SPDX-License-Identifier: Apache-2.0
"""--mirror: the next source when one fails, and nobody's secret goes there."""
import hashlib
import json

import pytest

from support.scripted_server import response

BODY = b"hello"
HELLO = response(BODY)
GONE = response(b"", status="404 Not Found")
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


def events_of(outcome):
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_mirrors_are_asked_in_order_and_the_one_that_served_is_told(fetch, serve):
    servers = [serve(GONE), serve(GONE), serve(HELLO), serve(HELLO)]
    home, *mirrors = [server.url() for server in servers]
    outcome = fetch("--json", *[word for url in mirrors for word in ("--mirror", url)], home)
    outcome.succeeded(BODY)
    told = [event for event in events_of(outcome) if event["ev"] == "mirror"]
    assert [(event["from"], event["to"]) for event in told] == [
        (home, mirrors[0]), (mirrors[0], mirrors[1])]
    assert all(event["status"] == "NOT_FOUND" and event["reason"] for event in told)
    done = events_of(outcome)[-1]
    assert (done["source"], done["url"], done["url_effective"]) == (2, home, mirrors[1])
    assert servers[3].connections == 0


def test_the_url_that_works_is_the_only_one_asked(fetch, serve):
    mirror = serve(HELLO)
    fetch("--mirror", mirror.url(), serve(HELLO).url()).succeeded(BODY)
    assert mirror.connections == 0


def test_a_mirror_may_have_another_scheme(fetch, serve, tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    fetch("--mirror", f"file://{tmp_path}/source", serve(GONE).url()).succeeded(BODY)


def test_other_bytes_than_the_digest_says_send_to_the_mirror(fetch, serve):
    mirror = serve(HELLO)
    fetch("--checksum", DIGEST, "--mirror", mirror.url(), serve(response(b"jello")).url()
          ).succeeded(BODY)


def test_when_all_fail_the_last_failure_is_told(fetch, serve):
    mirror = serve(response(b"", status="403 No")).url("/mirror")
    fetch("--mirror", mirror, serve(GONE).url()).failed("AUTH", mirror)


def test_a_source_that_is_silent_too_long_is_left(fetch, serve):
    silent = serve(lambda *_: silent.hold())
    outcome = fetch("--source-timeout", "300ms", "--mirror", serve(HELLO).url(), silent.url())
    outcome.succeeded(BODY)
    assert outcome.seconds < 10


def test_what_is_for_the_url_does_not_go_to_the_mirror(fetch, serve):
    home, mirror = serve(GONE), serve(HELLO)
    fetch("-H", "X-Token: canary", "-u", "me:canary", "--mirror", mirror.url(), home.url()
          ).succeeded(BODY)
    assert b"canary" in home.sent and b"canary" not in mirror.sent
    assert b"authorization" not in mirror.sent.lower()


def test_v_has_a_line_for_the_change(fetch, serve):
    outcome = fetch("-v", "--mirror", serve(HELLO).url(), serve(GONE).url())
    assert [line for line in outcome.stderr.splitlines() if "another source" in line]


@pytest.mark.parametrize("arguments", [["--mirror"], ["--mirror", "http://m/x", "--parallel", "2",
                                                     "-O", "http://a/y"],
                                       ["--source-timeout", "x"]], ids=" ".join)
def test_a_wrong_command_line_is_told(fetch, arguments):
    fetch("http://127.0.0.1:1/x", *arguments, output=None).failed("INVALID")


def test_credentials_in_a_mirrors_url_are_refused_and_not_shown(fetch, serve):
    outcome = fetch("--mirror", "http://me:canary@127.0.0.1:1/", serve(GONE).url())
    assert outcome.code != 0 and "canary" not in outcome.stderr
