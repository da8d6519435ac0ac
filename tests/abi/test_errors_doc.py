#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md says what the tables of status.h say. After a change there: test_errors_doc.py
--write puts the table of today into the page."""
import re
import sys

from abi.tree import HEADERS, SOURCE

PAGE = SOURCE / "docs/errors.md"
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.S)
ROW = re.compile(r'X\((\w+), (\d+), (\d+), ([01]), "([^"]*)"\)')
SPECIAL = re.compile(r"X\(FLAME_ERR_(\w+), (0u|FLAME_ERROR_\w+), FLAME_PHASE_(\w+), "
                     r"FLAME_PHASE_(\w+), (\d+)\)")


def special_codes(header):
    """status -> what its other exit codes say: "6 (while resolve)"."""
    codes = {}
    for status, flag, first, last, code in SPECIAL.findall(header):
        when = f"{first.lower()} phase" if flag == "0u" else flag[len("FLAME_ERROR_"):].lower()
        assert flag != "0u" or first == last
        codes.setdefault(status, []).append(f"{code} ({when})")
    return codes


def table():
    header = HEADERS["flame/status.h"].read_text()
    special = special_codes(header)
    lines = ["| status | number | exit code | retryable | meaning |\n", "|---|---|---|---|---|\n"]
    for name, number, code, retryable, text in ROW.findall(header):
        codes = ", ".join([code, *special.get(name, [])])
        lines.append(f"| {name} | {number} | {codes} | {'yes' if retryable == '1' else ''} | "
                     f"{text} |\n")
    return "".join(lines)


def test_the_page_has_the_table_of_the_header():
    assert TABLE.search(PAGE.read_text())[0] == table()


def test_the_table_is_all_of_the_header():
    numbers = [int(number) for _, number, *_ in ROW.findall(table_source())]
    assert numbers == sorted(set(numbers)) and numbers[0] == 0 and numbers[-1] == 46


def table_source():
    return HEADERS["flame/status.h"].read_text()


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    PAGE.write_text(TABLE.sub(lambda _: table(), PAGE.read_text()))
