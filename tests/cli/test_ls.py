# SPDX-License-Identifier: Apache-2.0
"""ls: one line an entry, whatever it is called, and a way to go on."""
import json
import os

import pytest

from support.object_server import Objects


@pytest.fixture
def ls(fetch):
    return lambda *arguments, **more: fetch("ls", *arguments, output=None, **more)


@pytest.fixture
def folder(tmp_path):
    """x, y and z of 1, 2 and 3 bytes, all of one time."""
    place = tmp_path / "folder"
    place.mkdir()
    for size, name in enumerate("xyz", 1):
        (place / name).write_bytes(b"b" * size)
        os.utime(place / name, (1_000_000_000, 1_000_000_000))
    return place


def rows(outcome):
    assert outcome.code == 0, outcome.stderr
    return [line.split() for line in outcome.stdout.decode().splitlines()]


def test_each_entry_is_a_line_of_size_time_and_name(ls, folder):
    for url in (f"file://{folder}", f"file://{folder}/"):
        outcome = ls(url)
        assert outcome.stderr == ""
        assert rows(outcome) == [[str(size), "2001-09-09T01:46:40Z", name]
                                 for size, name in enumerate("xyz", 1)]


def test_a_directory_is_told_by_its_slash(ls, folder):
    (folder / "a").mkdir()
    assert rows(ls(f"file://{folder}/"))[0] == ["-", "-", "a/"]


def test_an_empty_directory_is_no_line(ls, tmp_path):
    (tmp_path / "empty").mkdir()
    outcome = ls(f"file://{tmp_path}/empty/")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")


def test_odd_names_are_decoded_and_make_no_odd_lines(ls, tmp_path):
    place = tmp_path / "odd"
    place.mkdir()
    for name in ("a b", "100%", "n\u00e4ive", "x\x1b[31m\ny", "?#"):
        (place / name).write_bytes(b"")
    shown = ls(f"file://{place}/").stdout.decode().splitlines()
    assert len(shown) == 5 and all(map(str.isprintable, shown))
    names = {line.split(None, 2)[2] for line in shown}
    assert names == {"a b", "100%", "n\u00e4ive", "x\\x1b[31m\\x0ay", "?#"}


def test_a_list_is_cut_and_gone_on_with(ls, folder):
    url = f"file://{folder}/"
    first = ls("--max-entries", "2", url)
    assert [row[2] for row in rows(first)] == ["x", "y"]
    assert first.stderr.startswith("flame-fetch: there is more: go on with --cursor '")
    cursor = first.stderr.strip().split("'")[1]
    rest = ls("--cursor", cursor, url)
    assert [row[2] for row in rows(rest)] == ["z"] and rest.stderr == ""
    assert ls("-q", "--max-entries", "2", url).stderr == ""


def test_json_is_an_event_an_entry_and_one_at_the_end(ls, folder):
    outcome = ls("--json", "--max-entries", "2", f"file://{folder}/")
    *entries, end = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert outcome.stderr == "" and {event["ev"] for event in entries} == {"entry"}
    assert [(event["name"], event["size"]) for event in entries] == [("x", 1), ("y", 2)]
    assert entries[0]["url"] == f"file://{folder}/x" and not entries[0]["prefix"]
    assert entries[0]["mtime"] == "2001-09-09T01:46:40Z" and entries[0]["validator"]
    assert (end["ev"], end["entries"]) == ("listed", 2) and end["cursor"]


def test_several_lists_have_headings(ls, folder, tmp_path):
    outcome = ls(f"file://{folder}/", f"file://{tmp_path}/missing/", f"file://{folder}/x")
    assert outcome.code == 78 and len(outcome.stderr.splitlines()) == 1
    shown = outcome.stdout.decode().splitlines()
    assert shown[0] == f"file://{folder}/:" and f"file://{folder}/x:" in shown
    assert shown[-1].split()[2] == "x"


def test_http_has_no_lists_and_says_so(ls, serve):
    ls(serve(Objects()).url("/")).failed("UNSUPPORTED")


@pytest.mark.parametrize("arguments", [[], ["--cursor", "a", "file:///x", "file:///y"],
                                       ["--max-entries", "0", "file:///x"],
                                       ["--max-entries", "few", "file:///x"],
                                       ["--recursive", "file:///x"]])
def test_a_wrong_command_line_is_told(ls, arguments):
    ls(*arguments).failed("INVALID")
