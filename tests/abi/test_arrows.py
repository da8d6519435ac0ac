# SPDX-License-Identifier: Apache-2.0
"""The arrows of the design hold, and the check that says so would see one break."""
import shutil

import pytest

from abi import check_arrows
from abi.tree import SOURCE


def test_every_include_follows_an_arrow():
    assert check_arrows.check(SOURCE) == []


def test_the_modules_were_found():
    order, uses = check_arrows.modules(SOURCE)
    assert order[0] == "base" and order[-1] == "jobs"
    assert "base" in uses and uses["base"] == []
    assert uses["run"]


@pytest.fixture
def copy(tmp_path):
    for part in ("core", "plugins", "sdk"):
        shutil.copytree(SOURCE / part, tmp_path / part, ignore=shutil.ignore_patterns("*.md"))
    return tmp_path


BREAKS = [
    ("core/src/base/error.c", '#include "config/config.h"', "base does not use"),
    ("core/src/publish/x.c", '#include "sink/sink.h"', "publish does not use"),
    ("core/src/base/x.h", '#include "text.h"', "does not say whose"),
    ("core/src/base/x.h", '#include <curl/curl.h>', "the core has no"),
    ("core/cli/x.c", '#include <grpc/grpc.h>', "the core has no"),
    ("core/cli/x.c", '#include "base/error.h"', "is not its own"),
    ("core/cli/x.c", '#include "../src/base/error.h"', "is not its own"),
    ("core/src/stray/x.c", '#include <stdio.h>', "not in FL_MODULES"),
    ("plugins/file/x.c", '#include <flame/fetch.h>', "is not for it"),
    ("plugins/file/x.c", '#include "base/error.h"', "is not its own"),
    ("plugins/grpc/flight/x.c", '#include <grpc/grpc.h>', "the wire formats have no"),
    ("plugins/grpc/flight/x.c", '#include "flight/key.h"', "is not its own"),
    ("sdk/devcache/x.c", '#include <flame/fetch.h>', "is not for it"),
    ("sdk/devcache/x.c", '#include "base/error.h"', "is not its own"),
    ("sdk/devcache/service.c", '#include <grpc/grpc.h>', "for its server only"),
    ("sdk/devcache/call.c", '#include <curl/curl.h>', "for its server only"),
    ("sdk/include/flame/plugin.h", '#include <flame/fetch.h>', "is not for it"),
    ("sdk/include/flame/plugin.h", '#include <flame/context.h>', "is not for it"),
    ("sdk/context/x.c", '#include "object/object.h"', "context does not use"),
    ("sdk/context/x.c", '#include "run/run.h"', "context does not use"),
    ("sdk/storage/x.c", '#include "key.h"', "storage does not use"),
    ("sdk/object/x.c", '#include <grpc/grpc.h>', "the sdk has no"),
    ("sdk/cli/x.c", '#include "context/context.h"', "is not its own"),
    ("sdk/cli/x.c", '#include "base/text.h"', "is not its own"),
    ("sdk/cli/x.c", '#include <grpc/grpc.h>', "the sdk has no"),
    ("core/cli/x.c", '#include <flame/context.h>', "there is no public header"),
    ("core/include/flame/fetch.h", '#include <flame/plugin.h>', "is not for it"),
]


@pytest.mark.parametrize("path, line, complaint", BREAKS, ids=[f"{b[0]}-{b[1]}" for b in BREAKS])
def test_a_broken_arrow_is_seen(copy, path, line, complaint):
    target = copy / path
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_text() if target.exists() else ""
    target.write_text(before + line + "\n")
    found = [said for said in check_arrows.check(copy) if said.startswith(path.rsplit("/", 1)[0])]
    assert any(complaint in said for said in found), found


def test_a_module_uses_only_those_before_it(copy):
    lists = copy / "core/src/base/CMakeLists.txt"
    lists.write_text(lists.read_text().replace("fl_module(base ", "fl_module(base USES sink "))
    assert any("does not stand before" in said for said in check_arrows.check(copy))
