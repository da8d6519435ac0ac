# SPDX-License-Identifier: Apache-2.0
"""docs/weaknesses.md has an answer for each weakness, and every test and decision that it names is
there."""
import functools
import re

import pytest

from abi.tree import SOURCE

PAGE = SOURCE / "docs/weaknesses.md"
GROUPS = {"3a": (1, 31), "3b": (32, 39), "3c": (40, 49), "3d": (50, 56), "3e": (57, 63)}
LATER = re.compile(r"Later: (packages|executor)\.")
TEST = re.compile(r"`(\w+)\.(\w+)::(\w+)`")
FOLDER = re.compile(r"fl_(?:python|criterion)_tests\((\w+)")


def rows(text):
    """(group, number, weakness, answer, held by) of each row."""
    group = None
    for line in text.splitlines():
        if line.startswith("## "):
            group = line[3:5]
        elif re.match(r"\| *\d", line):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            assert len(cells) == 4 and cells[0].isdigit(), line
            yield group, int(cells[0]), *cells[1:]


@functools.cache
def folders():
    """group -> the folders whose tests ctest calls so."""
    found = {}
    for path in (SOURCE / "tests").rglob("CMakeLists.txt"):
        for group in FOLDER.findall(path.read_text()):
            found.setdefault(group, set()).add(path.parent)
    return found


@functools.cache
def names_in(path):
    """The tests in one file: functions of pytest, tests of Criterion."""
    text = path.read_text()
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)\(", text, re.M))
    return set(re.findall(r"^Test\(\w+,\s+(\w+)\s*[,)]", text, re.M))


def is_there(group, file, name):
    paths = [folder / (file + suffix) for folder in folders().get(group, ())
             for suffix in (".py", ".c")]
    return any(path.is_file() and name in names_in(path) for path in paths)


def faults_of(row):
    """What is wrong with one row, as texts."""
    _, number, weakness, answer, held = row
    named = TEST.findall(held)
    said = [f"{number}: what is '{rest}'?" for rest in TEST.sub("", held).split(",")
            if rest.strip()]
    if not weakness or not answer:
        said.append(f"{number}: no weakness or no answer")
    if bool(LATER.match(answer)) == bool(named):
        said.append(f"{number}: a test or 'Later: ...', one of them")
    if answer.startswith("Later") and not LATER.match(answer):
        said.append(f"{number}: later, but when?")
    for group, file, name in named:
        if not is_there(group, file, name):
            said.append(f"{number}: {group}.{file}::{name} is not there")
    for link in re.findall(r"\]\(([^)]+)\)", answer):
        if not (PAGE.parent / link).is_file():
            said.append(f"{number}: {link} is not there")
    for shown, target in re.findall(r"\[(\d{4})\]\(([^)]+)\)", answer):
        if not target.startswith(f"decisions/{shown}-"):
            said.append(f"{number}: {shown} leads to {target}")
    return said


def test_every_weakness_stands_there_once_in_its_group():
    numbers = [(group, number) for group, number, *_ in rows(PAGE.read_text())]
    assert numbers == [(group, number) for group, (first, last) in GROUPS.items()
                       for number in range(first, last + 1)]


def test_every_answer_names_tests_and_decisions_that_are_there():
    said = [fault for row in rows(PAGE.read_text()) for fault in faults_of(row)]
    assert not said, "\n".join(said)


def test_tests_of_both_kinds_are_found_by_their_names():
    assert is_there("abi", "test_weaknesses", "test_tests_of_both_kinds_are_found_by_their_names")
    assert is_there("unit", "test_url", "is_split_and_normalised_once")
    assert is_there("bad", "test_load", "threads_that_come_at_once_share_one_instance")
    assert not is_there("unit", "test_url", "url")
    assert not is_there("http", "test_url", "is_split_and_normalised_once")


GOOD = "`unit.test_url::is_split_and_normalised_once`"


@pytest.mark.parametrize("answer, held", [
    ("fixed", ""), ("", GOOD), ("Later: executor.", GOOD), ("Later.", ""), ("Later: soon.", ""),
    ("fixed", GOOD + ", by hand"), ("fixed", "`unit.test_url::is_never_split`"),
    ("fixed", "`unit.test_urls::is_split_and_normalised_once`"),
    ("fixed", "`sdk.test_x::...`"), ("fixed", "`sdk.test_x::is_said_to_come`"),
    ("fixed ([0099](decisions/0099-none.md))", GOOD),
    ("fixed ([0001](decisions/0002-parts-begin-with-a-part.md))", GOOD)])
def test_a_wrong_row_is_seen(answer, held):
    assert not faults_of(("3a", 1, "weak", "fixed", GOOD))
    assert not faults_of(("3b", 32, "weak", "Later: executor.", ""))
    assert faults_of(("3a", 1, "weak", answer, held))
