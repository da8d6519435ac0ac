# SPDX-License-Identifier: Apache-2.0
"""--etag: what we have already is not fetched again. (For put and rm: test_put, test_rm.)"""
import json
import os

import pytest

from support.object_server import Objects

BODY = b"hello"


@pytest.fixture
def there(serve):
    objects = Objects(x=BODY)
    server = serve(objects)
    return objects, server.url("/x"), objects.etag("/x")


def one_event(outcome, kind):
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    found = [event for event in events if event["ev"] == kind]
    assert len(found) == 1 and events[-1] == found[0], events
    return found[0]


@pytest.mark.parametrize("spelling", ["{}", "etag:{}", "W/{}", "etag:W/{}"])
def test_what_is_still_current_is_a_success_without_a_body(fetch, there, spelling):
    _, url, etag = there
    outcome = fetch("--etag", spelling.format(etag), url)
    assert (outcome.code, outcome.stdout, outcome.stderr, outcome.files) == (0, b"", "", []), \
        outcome.stderr


def test_what_has_changed_is_fetched(fetch, there):
    fetch("--etag", '"another"', there[1]).succeeded(BODY)


def test_a_file_that_is_there_stays_as_it_is(fetch, there):
    _, url, etag = there
    place = fetch.new_place()
    (place / "out").write_bytes(b"mine")
    fetch("--etag", etag, url, place=place).succeeded(b"mine")


def test_stat_asks_the_same(fetch, there):
    _, url, etag = there
    outcome = fetch("stat", "--etag", etag, url, output=None)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")
    assert b"size       5" in fetch("stat", "--etag", '"another"', url, output=None).stdout


@pytest.mark.parametrize("verb", ["get", "stat"])
def test_v_and_json_tell_of_it(fetch, there, verb):
    _, url, etag = there
    outcome = fetch(verb, "--json", "--etag", etag, url, output=None)
    event = one_event(outcome, "not_modified")
    assert outcome.code == 0 and event["url"] == url
    said = fetch(verb, "-v", "--etag", etag, url, output=None).stderr.splitlines()
    assert f"flame-fetch: info: {url}: not modified" in said


def test_the_validator_that_json_tells_can_be_given_back(fetch, there, tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    os.utime(tmp_path / "source", (1_000_000_000, 1_000_000_000))
    for url in (there[1], f"file://{tmp_path}/source"):
        validator = one_event(fetch("--json", url), "done")["validator"]
        again = fetch("--json", "--etag", validator, url)
        assert again.code == 0 and one_event(again, "not_modified")["url"] == url


@pytest.mark.parametrize("arguments", [["--etag", ""], ["--etag", '"a"', "-O", "http://h/y"]],
                         ids=" ".join)
def test_a_wrong_command_line_is_told(fetch, arguments):
    fetch("http://127.0.0.1:1/x", *arguments, output=None).failed("INVALID")
