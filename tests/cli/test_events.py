# SPDX-License-Identifier: Apache-2.0
"""--json: one object a line, for machines; every url has its start and its end."""
import hashlib
import json

import pytest

from support.scripted_server import redirect_to, response, slowly

BODY = b"hello"
DIGEST = hashlib.sha256(BODY).hexdigest()
HELLO = response(BODY)


def events_in(text):
    lines = text.decode("ascii").splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        assert event["v"] == 1 and isinstance(event["t"], int) and event["ev"]
    assert [event["t"] for event in events] == sorted(event["t"] for event in events)
    return events


def one(events, name):
    found = [event for event in events if event["ev"] == name]
    assert len(found) == 1, events
    return found[0]


def test_a_download_begins_and_is_done(fetch, serve):
    url = serve(HELLO).url()
    outcome = fetch("--json", "--checksum", f"sha256:{DIGEST}", url)
    outcome.succeeded(BODY)
    events = events_in(outcome.stdout)
    assert outcome.stderr == "" and [events[0]["ev"], events[-1]["ev"]] == ["start", "done"]
    done = one(events, "done")
    assert done["url"] == done["url_effective"] == url and done["filename_effective"] == "out"
    assert done["size_download"] == 5 and done["http_code"] == 200 and done["num_redirects"] == 0
    assert done["sha256"] == DIGEST and done["verified"] and done["complete"]
    assert done["plugin"] == "org.flame.http" and not done["from_cache"]


def test_what_was_kept_is_said_to_be_cached(fetch, serve):
    url, place = serve(HELLO).url(), fetch.new_place()
    arguments = ["--json", "--checksum", f"sha256:{DIGEST}", url]
    assert not one(events_in(fetch(*arguments, place=place).stdout), "done")["from_cache"]
    again = one(events_in(fetch(*arguments, place=place).stdout), "done")
    assert again["from_cache"] and again["size_download"] == 0


def test_a_redirect_is_told_without_its_query(fetch, serve):
    target = serve(HELLO)
    home = serve(redirect_to(target.url("/y?sig=canary")))
    outcome = fetch("--json", home.url())
    redirect = one(events_in(outcome.stdout), "redirect")
    assert redirect["from"] == home.url() and redirect["to"].startswith(target.url("/y"))
    assert one(events_in(outcome.stdout), "done")["num_redirects"] == 1
    assert b"canary" not in outcome.stdout


@pytest.mark.parametrize("reply, code, status, http", [
    (response(b"", status="404 No"), 78, "NOT_FOUND", 404),
    (response(b"", status="500 \x1b[31m"), 22, "REMOTE", 500),
    (response(BODY, length=9), 18, "TRUNCATED", None)], ids=["404", "500", "cut"])
def test_a_failure_is_an_event_and_a_line(fetch, serve, reply, code, status, http):
    outcome = fetch("--json", serve(reply).url())
    outcome.failed({18: "TRUNCATED", 22: "REMOTE", 78: "NOT_FOUND"}[code])
    events = events_in(outcome.stdout)
    error = one(events, "error")
    assert (error["exitcode"], error["status"]) == (code, status) and events[-1] == error
    assert error["http_code"] == http and error["errormsg"] in outcome.stderr
    assert error["plugin"] == "org.flame.http" and error["phase"]


def test_every_url_has_its_number_and_its_end(fetch, serve):
    good, gone = serve(HELLO), serve(response(b"", status="404 No"))
    outcome = fetch("--json", good.url("/a"), gone.url("/b"), "nothing:c/d", good.url("/e"),
                    output=None)
    assert outcome.code == 78 and outcome.files == ["a", "e"]
    ends = [(event["id"], event["ev"]) for event in events_in(outcome.stdout)
            if event["ev"] in ("done", "error")]
    assert ends == [(1, "done"), (2, "error"), (3, "error"), (4, "done")]


@pytest.mark.parametrize("arguments", [["--no-such"], ["--max-time", "x"], []])
def test_a_command_line_that_is_no_good_is_one_line(fetch, arguments):
    outcome = fetch("--json", *arguments, output=None)
    outcome.failed("INVALID")
    for event in events_in(outcome.stdout):
        assert event["ev"] == "error" and event["exitcode"] == 2


def test_standard_output_is_the_bodys_and_the_events_go_to_the_other(fetch, serve):
    for more in ([], ["--spool"]):
        outcome = fetch("--json", *more, serve(HELLO).url(), output="-")
        assert outcome.code == 0 and outcome.stdout == BODY
        assert events_in(outcome.stderr.encode())[-1]["ev"] == "done"


def test_a_long_download_tells_how_far_it_is(fetch, serve):
    body = b"x" * 25
    slow = slowly([response(body)[:-25]] + [b"x"] * 25, 0.1)
    events = events_in(fetch("--json", serve(slow).url()).stdout)
    shown = [event for event in events if event["ev"] == "progress"]
    assert len(shown) >= 2 and {event["total"] for event in shown} == {25}
    assert [event["bytes"] for event in shown] == sorted(event["bytes"] for event in shown)
    assert 0 < shown[0]["bytes"] < 25 and shown[-1]["bytes"] == 25


def test_odd_names_make_no_odd_lines(fetch, tmp_path):
    source = tmp_path / "na\u00efve\n\x1b"
    source.write_bytes(BODY)
    url = "file://" + str(tmp_path) + "/na%C3%AFve%0A%1B"
    outcome = fetch("--json", url, output="out\n\u00ef\x1b")
    events = events_in(outcome.stdout)
    assert outcome.code == 0 and events[0]["filename_effective"] == "out\n\u00ef\x1b"
