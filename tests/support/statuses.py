# SPDX-License-Identifier: Apache-2.0
"""The statuses and their exit codes, read from the one table that says them."""
import os
import pathlib
import re

_HEADER = (pathlib.Path(os.environ["FLAME_SOURCE_DIR"]) / "sdk/include/flame/status.h").read_text()

EXIT = {name: int(code) for name, code in
        re.findall(r"X\((\w+), \d+, (\d+), [01], \"", _HEADER)}
# Where the phase or a flag decides:
EXIT |= {"RESOLVE": 6, "CONNECT": 7, "REDIRECTS": 47, "SOURCE": 26}
