# SPDX-License-Identifier: Apache-2.0
"""docs/grpc.md says what the plugin has, and the plugin has what it says."""
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])
PAGE = (SOURCE / "docs/grpc.md").read_text()
PLUGIN = (SOURCE / "plugins/grpc/grpc.c").read_text()


def test_every_option_has_its_row_and_every_row_its_option():
    options = re.findall(r'FLAME_OPTION_\w+,\s*"(\w+)",\s*"(\w+)",', PLUGIN)
    assert len(options) >= 4
    section = PAGE.split("## Options")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, re.M) == options


def test_every_scheme_is_named():
    manifest = re.search(r'FLAME_PLUGIN\("org.flame.grpc", "[\d.]+", "([^"]*)"', PLUGIN)[1]
    schemes = [word.split(":")[0] for word in manifest.split()]
    table = "\n".join(re.findall(r"^\| `.*", PAGE.split("## Keys")[0], re.M))
    assert sorted(re.findall(r"`([a-z+]+)`", table)) == sorted(schemes)
    assert {word.split(":")[1] for word in manifest.split()} == {"9090"} and "9090" in PAGE


def test_grpc_is_known_to_four_files_only():
    """The rest could stand on another transport."""
    folder = SOURCE / "plugins" / "grpc"
    found = {path.name for path in folder.glob("*.[ch]")
             if re.search(r"#include <grpc/", path.read_text())}
    assert found == {"runtime.c", "credentials.c", "channel.c", "call.c"}
