# SPDX-License-Identifier: Apache-2.0
"""A harness that finds nothing proves nothing: each of these wrong keepers must turn it red."""
import tempfile
from functools import partial

import pytest

import mutants
import partial_harness as harness
from support.peers import require_program


def kills(*scenes):
    return partial(harness.check_kills, scenes=scenes, stride=1)


CAUGHT_BY = {
    "boot-ignored": kills("left"),
    "cut-before-wipe": harness.check_order,
    "moved-unseen": harness.check_overtaken,
    "names-not-synced": harness.check_order,
    "no-sync": harness.check_order,
    "not-cut": kills("left"),
    "state-before-cut": kills("resumed-in-another-boot"),
    "state-before-sync": harness.check_order,
    "state-kept-at-restart": harness.check_order,
    "state-left-at-commit": harness.check_order,
    "sync-again": harness.check_syncs,
    "wipe-not-synced": harness.check_order,
}


@pytest.fixture(autouse=True)
def strace():
    require_program("strace")


@pytest.mark.parametrize("check", [harness.check_order, harness.check_overtaken,
                                   harness.check_syncs])
def test_the_keeper_as_it_is_passes(check):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        check(mutants.build(directory, program="partial_driver"))


def test_every_mutant_has_its_check():
    assert mutants.names("partial") == sorted(CAUGHT_BY)


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_wrong_keeper_is_caught(name):
    with tempfile.TemporaryDirectory(prefix="fl-mutant-") as directory:
        driver = mutants.build(directory, f"partial/{name}", "partial_driver")
        with pytest.raises(AssertionError) as caught:
            CAUGHT_BY[name](driver)
    assert not any(word in str(caught.value) for word in ("injections", "marker", "points were"))
