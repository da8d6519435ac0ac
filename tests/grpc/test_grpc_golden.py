# SPDX-License-Identifier: Apache-2.0
"""Each recorded answer of the real caches, said again to the plugin: it makes of it what the
manifest says, and asks as the recording was asked.

The manifest is that of the whole recording (see devcache/test_golden_answers.py): answers that were
recorded twice are kept once; the largest, rnd1m.grpc, is not kept (rnd64k and zero5m are its
like)."""
import json

import pytest

from devcache.test_golden_answers import SAME
from flight.driver import HERE
from support.plugin_call import PROOF, call
from support.raw_flight import fields, messages

MANIFEST = [entry for entry in json.loads((HERE.parent / "devcache" / "manifest.json").read_text())
            if entry["file"] != "rnd1m.grpc"]
STATUS = {"OK": 0, "INVALID_ARGUMENT": 3, "NOT_FOUND": 5}
NEVER_ASKED = {"ListActions", "GetFlightInfo", "GetSchema"}


def recorded(entry):
    if entry["messages"] == 0:
        return []
    return list(messages((HERE / "golden" / SAME.get(entry["file"], entry["file"])).read_bytes()))


@pytest.fixture
def replay(raw):
    """A server that answers as recorded, with what it was asked in `asked`: (method, fields)."""
    def start(entry):
        sent, asked = recorded(entry), []

        def answer(call_):
            asked.append((call_.method, fields(call_.receive())))
            for message in sent:
                call_.send(message)
            call_.end(STATUS[entry["status"]], entry.get("message", ""))
        server = raw(answer)
        server.asked = asked
        return server
    return start


def of(method):
    chosen = [entry for entry in MANIFEST if entry["method"] == method]
    return pytest.mark.parametrize("entry", chosen, ids=[entry["file"] for entry in chosen])


def judge(said, entry, key):
    """What the manifest says of an answer to DoGet."""
    if "sha256" in entry:
        assert (said.status, said.proof) == ("OK", PROOF["COMPLETE"]), said
        assert (said.body, said.sha256) == (str(entry["bytes"]), entry["sha256"])
        assert said.version == said.validator and said["flight.key"] == key
        return
    status, word = "OK", ""
    if any(kind == "patch" or version == 0 for version, kind, _ in entry.get("rows", [])):
        status, word = "UNSUPPORTED", "patches"
    elif "native" in entry["file"]:
        status, word = "UNSUPPORTED", "arrow table"
    elif entry["status"] == "NOT_FOUND":
        status, word = "NOT_FOUND", entry["message"].replace("<", "").replace(">", "")
    elif entry["messages"] == 1:
        status = "NOT_MODIFIED"
    assert said.status == status and word in said.message.replace("<", "").replace(">", ""), said
    assert said.finishes == "0" or status in ("OK", "NOT_MODIFIED"), said


@of("DoGet")
def test_each_answer_to_a_fetch_is_what_its_manifest_says(replay, entry):
    server = replay(entry)
    key, _, version = entry["ticket"].partition(":")
    condition = {"condition": "changed", "validator": version} if version.strip("0") else {}
    said = call("grpc", "fetch", server.url(key), **condition)
    if key.count("/") < 2:  # the cache would refuse it, so it is not even asked
        assert (said.status, server.calls) == ("INVALID_URL", []), said
        return
    assert server.asked == [("DoGet", {1: f"{key}:{version or 0}".encode()})]
    judge(said, entry, key)


@of("DoGet")
def test_each_answer_to_a_fetch_is_a_file_or_nothing(fetch, one_try, replay, entry):
    """By the program, without a condition: a schema alone is then nobody's object."""
    key = entry["ticket"].partition(":")[0]
    outcome = fetch(replay(entry).url(key))
    is_file = entry["status"] == "OK" and "rows" not in entry and \
        "native" not in entry["file"] and entry["messages"] > 1
    assert (outcome.code == 0, outcome.files) == (is_file, ["out"] if is_file else [])


@of("ListFlights")
def test_each_listing_is_filtered_here(replay, entry):
    server = replay(entry)
    for key, count in (("", 10), ("golden/pkg", 7), ("golden/obj", 3), ("nothing/here", 0)):
        said = call("grpc", "list", server.url(key))
        assert (said.status, len(said.urls.split())) == ("OK", count), said


@of("DoAction")
def test_each_answer_to_a_remove_is_what_its_manifest_says(replay, entry):
    server = replay(entry)
    said = call("grpc", "remove", server.url())
    assert server.asked == [("DoAction", {1: b"DELETE", 2: b"app/session/object"})]
    if entry["status"] == "OK":
        assert (said.status, said.proof) == ("OK", PROOF["COMPLETE"]), said
    else:
        assert said.status == "REMOTE" and entry["message"] in said.message, said


def test_no_other_answer_was_recorded():
    assert {entry["method"] for entry in MANIFEST} - NEVER_ASKED == \
        {"DoGet", "ListFlights", "DoAction"}
    assert len(MANIFEST) == 36
