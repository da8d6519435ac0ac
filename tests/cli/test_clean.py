# SPDX-License-Identifier: Apache-2.0
"""clean: what killed runs have left goes, and nothing else."""
import json
import os
import time

import pytest

LEFT = [".flame-part-0123456789abcdef", ".flame-part-0123456789abcdef.state",
        ".flame-tmp-0123456789abcdef", f".flame-lock-{os.geteuid()}"]
OTHERS = ["x", ".flame-part", ".flame-part-0123456789abcdeg", ".flamed", ".hidden"]


@pytest.fixture
def clean(fetch):
    return lambda *arguments, **more: fetch("clean", *arguments, output=None, **more)


def fill(place, names, age=0):
    place.mkdir(exist_ok=True)
    for name in names:
        (place / name).write_bytes(b"b" * 2048)
        os.utime(place / name, (time.time() - age,) * 2)
    return place


def test_what_is_older_than_a_day_goes_and_is_told(clean, tmp_path):
    place = fill(tmp_path / "d", LEFT + OTHERS, age=90_000)
    outcome = clean(place)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert sorted(outcome.stdout.decode().splitlines()) == sorted(
        f"{place}/{name}  (2.0k)" for name in LEFT)
    assert sorted(os.listdir(place)) == sorted(OTHERS)


def test_what_is_younger_stays(clean, tmp_path):
    place = fill(tmp_path / "d", LEFT, age=80_000)
    assert clean(place).stdout == b"" and len(os.listdir(place)) == len(LEFT)


@pytest.mark.parametrize("age, goes", [("1s", True), ("90m", False), ("1h", True), ("3700", False),
                                       ("0", True), ("2d", False), ("2h", False), ("3500s", True),
                                       ("59m", True)])
def test_the_age_can_be_said(clean, tmp_path, age, goes):
    place = fill(tmp_path / "d", LEFT, age=3650)
    assert clean("--older-than", age, place).code == 0
    assert os.listdir(place) == [] if goes else len(os.listdir(place)) == len(LEFT)


def test_what_a_stopped_download_left_can_be_cleaned(clean, fetch, tmp_path):
    place = fill(tmp_path / "d", [LEFT[0], LEFT[1]])
    assert clean("--older-than", "0", place).code == 0 and os.listdir(place) == []


def test_json_has_an_event_for_each(clean, tmp_path):
    place = fill(tmp_path / "d", LEFT)
    outcome = clean("--json", "--older-than", "0", place)
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert {event["ev"] for event in events} == {"cleaned"} and len(events) == len(LEFT)
    assert {event["filename"] for event in events} == set(LEFT)
    assert {(event["directory"], event["size"]) for event in events} == {(str(place), 2048)}


def test_of_several_directories_one_may_be_missing(clean, tmp_path):
    place = fill(tmp_path / "me:x@y", LEFT)
    outcome = clean("--older-than", "0", "missing", "me:x@y", place=tmp_path)
    assert outcome.code == 78 and os.listdir(place) == []
    assert len(outcome.stderr.splitlines()) == 1 and "missing" in outcome.stderr


def test_nothing_to_do_is_no_failure(clean, tmp_path):
    outcome = clean(fill(tmp_path / "d", OTHERS))
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")


@pytest.mark.parametrize("arguments", [[], ["--older-than", "", "."], ["--older-than", "1y", "."],
                                       ["--older-than", "-1", "."], ["--older-than", "1.5h", "."],
                                       ["--older-than", "99999999999d", "."], ["-o", "x", "."],
                                       ["--older-than"]], ids=" ".join)
def test_a_wrong_command_line_is_told(clean, arguments):
    clean(*arguments).failed("INVALID")
