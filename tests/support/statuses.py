# SPDX-License-Identifier: Apache-2.0
"""The statuses, their exit codes, and the phases, read from the one header that says them."""
import os
import pathlib
import re

_HEADER = (pathlib.Path(os.environ["FLAME_SOURCE_DIR"]) / "sdk/include/flame/status.h").read_text()

EXIT = {name: int(code) for name, code in
        re.findall(r"X\((\w+), \d+, (\d+), [01], \"", _HEADER)}
# Where the phase or a flag decides:
EXIT |= {"RESOLVE": 6, "CONNECT": 7, "REDIRECTS": 47, "SOURCE": 26}
PHASE = {name: int(number) for name, number in
         re.findall(r"FLAME_PHASE_(\w+) = (\d+)", _HEADER)}
