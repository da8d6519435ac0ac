# SPDX-License-Identifier: Apache-2.0
"""rm: what is gone afterwards, and what stays."""
import json

import pytest

from support.object_server import Objects


@pytest.fixture
def rm(fetch):
    return lambda *arguments, **more: fetch("rm", *arguments, output=None, **more)


def test_a_file_and_an_object_are_removed_without_a_word(rm, serve, tmp_path):
    objects = Objects(x=b"hello", y=b"stays")
    (tmp_path / "x").write_bytes(b"hello")
    outcome = rm(f"file://{tmp_path}/x", serve(objects).url("/x"))
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", ""), outcome.stderr
    assert not (tmp_path / "x").exists() and objects.objects == {"/y": b"stays"}


def test_what_is_not_there_is_a_failure_and_the_others_are_removed(rm, serve, tmp_path):
    objects = Objects(x=b"hello")
    outcome = rm(f"file://{tmp_path}/missing", serve(objects).url("/x"))
    assert outcome.code == 78 and len(outcome.stderr.splitlines()) == 1
    assert objects.objects == {}


def test_a_directory_stays(rm, tmp_path):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "x").write_bytes(b"hello")
    outcome = rm(f"file://{tmp_path}/dir")
    assert outcome.code != 0 and (tmp_path / "dir" / "x").exists()


@pytest.mark.parametrize("url", ["file://{place}/dir/", "{http}"])
def test_who_cannot_remove_all_below_a_url_says_so_and_removes_nothing(rm, serve, tmp_path, url):
    objects = Objects(x=b"hello")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "x").write_bytes(b"hello")
    url = url.format(place=tmp_path, http=serve(objects).url("/x"))
    rm("--recursive", url).failed("UNSUPPORTED")
    assert objects.objects and (tmp_path / "dir" / "x").exists()


def test_an_etag_spares_what_was_changed_meanwhile(rm, serve):
    objects = Objects(x=b"hello")
    server = serve(objects)
    rm("--etag", '"another"', server.url("/x")).failed("CHANGED")
    assert objects.objects
    assert rm("--etag", objects.etag("/x"), server.url("/x")).code == 0
    assert objects.objects == {}


def test_v_and_json_tell_of_each(rm, serve):
    objects = Objects(x=b"1", y=b"2")
    server = serve(objects)
    outcome = rm("--json", server.url("/x"), server.url("/gone"))
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [(event["ev"], event["id"]) for event in events] == [("removed", 1), ("error", 2)]
    assert events[0]["url"] == server.url("/x")
    assert f"{server.url('/y')}: removed" in rm("-v", server.url("/y")).stderr


@pytest.mark.parametrize("arguments", [[], ["--etag", '"a"', "file:///x", "file:///y"],
                                       ["--etag", '"a"', "--recursive", "file:///x"],
                                       ["-o", "x", "file:///x"]])
def test_a_wrong_command_line_is_told(rm, arguments):
    rm(*arguments).failed("INVALID")
