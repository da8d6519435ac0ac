# SPDX-License-Identifier: Apache-2.0
"""A harness that finds nothing proves nothing: each of these wrong publishers must turn it red."""
import tempfile

import pytest

import mutants
import publish_harness as harness
from support.peers import require_program

CAUGHT_BY = {
    "direct-write": harness.check_kills,
    "directory-sync-ignored": harness.check_syncs,
    "errno-lost": harness.check_errors,
    "keep-looked-up-once": harness.check_races,
    "keep-then-rename": harness.check_races,
    "litter": harness.check_errors,
    "name-before-sync": harness.check_order,
    "no-directory-sync": harness.check_order,
    "no-file-sync": harness.check_order,
    "no-mode": harness.check_mode,
    "public-early": harness.check_mode,
    "shared-name": harness.check_races,
    "sync-again": harness.check_syncs,
    "umask-ignored": harness.check_mode,
}


@pytest.fixture(autouse=True)
def strace():
    require_program("strace")


@pytest.mark.parametrize("check", sorted(set(CAUGHT_BY.values()), key=lambda check: check.__name__))
def test_the_publisher_as_it_is_passes(check):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        check(mutants.build(directory))


def test_every_mutant_has_its_check():
    assert mutants.names() == sorted(CAUGHT_BY)


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_wrong_publisher_is_caught(name):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        driver = mutants.build(directory, name)
        with pytest.raises(AssertionError) as caught:
            CAUGHT_BY[name](driver)
    assert not any(word in str(caught.value) for word in ("injections", "marker", "points were"))
