# SPDX-License-Identifier: Apache-2.0
"""Every recorded answer of a real cache is treated exactly as its manifest says."""
import hashlib
import json

import pytest

from flight.driver import HERE, decode, driver

MANIFEST = json.loads((HERE / "golden" / "manifest.json").read_text())
ANSWERS = [entry for entry in MANIFEST if entry["method"] == "DoGet"]


def wanted(entry):
    """The verdict that the manifest asks for."""
    if any(row[1] == "patch" or row[0] != entry["rows"][0][0] for row in entry.get("rows", [])):
        return "PATCHED"
    if "Arrow table" in entry["note"]:
        return "NATIVE"
    return "NO_ROWS" if entry["messages"] == 1 else "NONE"


@pytest.mark.parametrize("piece", [0, 1, 1000])
@pytest.mark.parametrize("entry", ANSWERS, ids=[entry["file"] for entry in ANSWERS])
def test_an_answer_is_what_its_manifest_says(entry, piece, tmp_path):
    said, data = decode((HERE / "golden" / entry["file"]).read_bytes(), tmp_path, piece)
    assert said["code"] == wanted(entry), said
    assert said["codec"] == "none" or said["codec"] == "zstd"
    if said["rows"]:
        assert said["kind"] == (entry["server"] == "0.6")
    if "sha256" in entry:
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert said["bytes"] == entry["bytes"] == len(data)
        assert said["rows"] == 1 and said["version"] >= 1


def test_all_verdicts_are_among_them():
    assert {wanted(entry) for entry in ANSWERS} == {"NONE", "NO_ROWS", "PATCHED", "NATIVE"}


def test_a_listing_says_keys_and_sizes():
    lines = driver("info", HERE / "golden" / "list_all.grpc").decode().splitlines()
    listed = {line.split()[0]: int(line.split()[3]) for line in lines}
    assert len(listed) == 10
    for entry in ANSWERS:
        key = entry["ticket"].rpartition(":")[0]
        if entry["server"] == "0.6" and "sha256" in entry and key in listed:
            assert listed[key] == entry["bytes"]
