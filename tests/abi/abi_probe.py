#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The types of the ABI, as abidw sees them in a library with a function for each of them. (In a
plugin they hide behind the entry's pointer, and abidiff would see nothing.)

Usage: abi_probe.py --accept "REASON"
makes today's headers the baseline v1.abi and notes the reason in HISTORY."""
import datetime
import hashlib
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from abi.tree import HERE, HEADERS, header_enums, header_structs

BASELINE = HERE / "v1.abi"
HISTORY = HERE / "HISTORY"

# What abidiff may say of a change: something was added, and that at the end. Every other line is a
# break. (Its own suppressions are of no use here: one that lets members be added at the end hides
# every other change of the same struct.)
SUMMARY = re.compile(r"^(Leaf changes summary|Changed leaf types summary|.* changes? summary"
                     r"|Removed/Changed/Added \w+ summary: 0 Removed, 0 Changed,).*|^$")
HARMLESS = [re.compile(line) for line in (
    r"^'(struct|enum) \w+' changed:$",
    r"^  type size hasn't changed$",
    r"^  type size changed from (?P<old_bits>\d+) to \d+ \(in bits\)$",
    r"^  \d+ data member insertions?:$",
    r"^    '.*', at offset (?P<offset_bits>\d+) \(in bits\)$",
    r"^  \d+ enumerator insertions?:$",
    r"^    '\w+::\w+' value '\d+'$",
    r"^\d+ Added functions?:$",
    r"^  \[A\] .*$",
)]


def probe_source(headers):
    takes = {tag: f"const struct {tag} *" for tag in header_structs(headers)}
    takes.update({tag: f"enum {tag} " for tag in header_enums(headers)})
    functions = [f'__attribute__((visibility("default"))) int probe_{tag}({take}it)\n'
                 f"{{\n    return (int)sizeof(it);\n}}\n" for tag, take in takes.items()]
    return "".join([f"#include <{header}>\n" for header in headers] + functions)


def describe(out, edit=None):
    """Write the ABI of today's headers to `out`; edit(header, text) may change them before."""
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        headers = {header: work / header for header in HEADERS}
        for header, path in HEADERS.items():
            text = path.read_text()
            headers[header].parent.mkdir(exist_ok=True)
            headers[header].write_text(edit(header, text) if edit else text)
        (work / "probe.c").write_text(probe_source(headers))
        subprocess.run(["gcc", "-std=c11", "-g", "-O0", "-shared", "-fPIC", f"-I{work}",
                        f"-ffile-prefix-map={work}=.", "-o", work / "libprobe.so",
                        work / "probe.c"], check=True)
        subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
                        "--out-file", out, work / "libprobe.so"], check=True)


def breaks(old, new):
    """The lines of abidiff's report that are more than growth at a tail."""
    done = subprocess.run(["abidiff", "--leaf-changes-only", "--harmless", old, new],
                          capture_output=True, text=True)
    if done.stderr or done.returncode & 3:  # it could not compare
        return [done.stderr or f"abidiff: {done.returncode}"]
    found, old_bits = [], math.inf
    for line in done.stdout.splitlines():
        match = next((m for m in (h.match(line) for h in HARMLESS) if m), None)
        if match is None:
            found += [] if SUMMARY.match(line) else [line]
            continue
        named = match.groupdict()
        if line.endswith("changed:"):
            old_bits = math.inf
        if "old_bits" in named:
            old_bits = int(named["old_bits"])
        if "offset_bits" in named and int(named["offset_bits"]) < old_bits:
            found.append(line)
    return found


def fingerprint(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def accept(reason):
    describe(BASELINE)
    with HISTORY.open("a") as history:
        history.write(f"{datetime.date.today()} {fingerprint(BASELINE)} {reason}\n")


def accepted():
    """The fingerprints of all baselines there ever were."""
    return re.findall(r"^\d{4}-\d\d-\d\d ([0-9a-f]{64}) \S", HISTORY.read_text(), re.M)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--accept" or not sys.argv[2].strip():
        sys.exit(__doc__)
    accept(sys.argv[2].strip())
