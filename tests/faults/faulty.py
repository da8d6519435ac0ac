# SPDX-License-Identifier: Apache-2.0
"""Runs of the program over a C library that is short of something: faulty_libc.c."""
from collections import namedtuple

from support.program import BINARY_DIR, SANITIZE

LIBRARY = BINARY_DIR / "lib" / "faulty_libc.so"
HAS_OWN_ALLOCATOR = SANITIZE != ""

Report = namedtuple("Report", "allocations failed shortened interrupted left where lost")


def run(fetch, arguments, place=None, **shortages):
    """Run with FAULTY_<NAME>=<value> for each shortage; returns the outcome and what was done."""
    place = place or fetch.new_place()
    report = place.with_suffix(".report")
    environment = {f"FAULTY_{name.upper()}": str(value) for name, value in shortages.items()}
    environment |= {"LD_PRELOAD": str(LIBRARY), "FAULTY_REPORT": str(report)}
    outcome = fetch(*arguments, output=None, place=place, env=environment, timeout=60)
    assert outcome.code >= 0, f"killed by signal {-outcome.code}: {shortages}"
    *counts, where, lost = report.read_text().split()
    return outcome, Report(*map(int, counts), where, lost)
