#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the #include lines against the arrows of the design.

A module of the core includes itself and the modules it USES, all of which stand before it in
FL_MODULES. A plugin includes its own folder, flame/plugin.h and flame/status.h; grpc/flight knows
nothing of the plugin around it, nor of gRPC; flame-devcache uses it too, and gRPC in its server
only. The command includes its own folder and the public
headers; the SDK's verbs include theirs, the command's and the SDK's headers. The core includes no
protocol library.

Usage: check_arrows.py [TOP]; prints what breaks an arrow and exits with 1."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')
PUBLIC = {"flame/status.h", "flame/plugin.h", "flame/fetch.h"}
SDK = PUBLIC | {"flame/context.h", "flame/object.h", "flame/storage.h"}
PURE = {"base", "url"}  # modules of the core that the SDK may use: functions without state
ABI = {"flame/status.h", "flame/plugin.h"}
FOREIGN = re.compile(r"^(curl|grpc|grpcpp|google/protobuf)/|^archive(_entry)?\.h$")


def includes(folder):
    """(file, line number, bracket, name) of each #include below a folder."""
    for path in sorted(folder.rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if found:
                yield path, number, found[1], found[2]


def cmake_list(text, start, keywords=r"SOURCES|USES|LINKS"):
    """The words behind `start` up to the next keyword or parenthesis."""
    found = re.search(rf"\b{start}\b(.*?)(?:\b(?:{keywords})\b|\))", text, re.S)
    return found[1].split() if found else []


def modules(top):
    """name -> the modules it may use, in the order of FL_MODULES."""
    order = cmake_list((top / "core/CMakeLists.txt").read_text(), "set.FL_MODULES")
    found = {}
    for name in order:
        lists = top / "core/src" / name / "CMakeLists.txt"
        if lists.exists():
            found[name] = cmake_list(lists.read_text(), "USES")
    return order, found


def check_modules(top):
    order, uses = modules(top)
    for folder in sorted(path for path in (top / "core/src").iterdir() if path.is_dir()):
        if folder.name not in order and any(folder.rglob("*.[ch]")):
            yield f"core/src/{folder.name}: not in FL_MODULES"
    for name, used in uses.items():
        for other in used:
            if other not in order[:order.index(name)]:
                yield f"core/src/{name}/CMakeLists.txt: USES {other}, which does not stand before it"
        allowed = {name, *used}
        for path, number, bracket, what in includes(top / "core/src" / name):
            where = f"{path.relative_to(top)}:{number}"
            if bracket == '"' and what.split("/")[0] not in allowed:
                yield f"{where}: {name} does not use '{what}'"
            if bracket == '"' and "/" not in what:
                yield f"{where}: '{what}' does not say whose it is"


def check_core(top):
    """What holds for all of the core, the command included."""
    for path, number, bracket, what in includes(top / "core"):
        where = f"{path.relative_to(top)}:{number}"
        if FOREIGN.match(what):
            yield f"{where}: the core has no '{what}'"
        if bracket == "<" and what.startswith("flame/") and what not in PUBLIC:
            yield f"{where}: there is no public header '{what}' for the core"


def check_folder(top, folder, public):
    """Own files and some public headers only."""
    for path, number, bracket, what in includes(folder):
        where = f"{path.relative_to(top)}:{number}"
        if bracket == "<" and what.startswith("flame/") and what not in public:
            yield f"{where}: '{what}' is not for it"
        inside = any((base / what).exists() for base in (path.parent, folder))
        if bracket == '"' and (".." in what or not inside):
            yield f"{where}: '{what}' is not its own"


def check_flight(top):
    """The wire formats know neither the plugin around them nor gRPC."""
    folder = top / "plugins/grpc/flight"
    yield from check_folder(top, folder, ABI)
    for path, number, _, what in includes(folder):
        if FOREIGN.match(what):
            yield f"{path.relative_to(top)}:{number}: the wire formats have no '{what}'"


SERVER = {"call", "credentials", "cut", "hub", "main", "server", "wire"}


def check_devcache(top):
    """The cache knows the wire formats and itself; only its server knows gRPC."""
    folder = top / "sdk/devcache"
    flight = top / "plugins/grpc/flight"
    for path, number, bracket, what in includes(folder):
        where = f"{path.relative_to(top)}:{number}"
        if bracket == "<" and what.startswith("flame/") and what not in ABI:
            yield f"{where}: '{what}' is not for it"
        if bracket == '"' and not any((base / what).exists() for base in (folder, flight)):
            yield f"{where}: '{what}' is not its own"
        if FOREIGN.match(what) and not (what.startswith("grpc/") and path.stem in SERVER):
            yield f"{where}: '{what}' is for its server only"


def check_abi_headers(top):
    """What a plugin includes knows no host."""
    for path, number, _, what in includes(top / "sdk/include"):
        if path.name in ("plugin.h", "status.h") and what in SDK - {"flame/status.h"}:
            yield f"{path.relative_to(top)}:{number}: '{what}' is not for it"


def check_sdk(top):
    """A part of libflame-sdk includes itself, the parts before it, the public headers, and pure
    functions: the core's, and in `object` the wire formats of the cache."""
    order = cmake_list((top / "sdk/CMakeLists.txt").read_text(), "set.FL_SDK_PARTS")
    for part in order:
        allowed = {*order[:order.index(part) + 1], *PURE}
        flight = top / "plugins/grpc/flight" if part == "object" else None
        for path, number, bracket, what in includes(top / "sdk" / part):
            where = f"{path.relative_to(top)}:{number}"
            if bracket == "<" and what.startswith("flame/") and what not in SDK:
                yield f"{where}: '{what}' is not for it"
            if FOREIGN.match(what):
                yield f"{where}: the sdk has no '{what}'"
            is_flight = flight and (flight / what).exists()
            if bracket == '"' and what.split("/")[0] not in allowed and not is_flight:
                yield f"{where}: {part} does not use '{what}'"


def check_sdk_cli(top):
    """The SDK's verbs are a program like any other, and speak with the command's parts."""
    folder = top / "sdk/cli"
    for path, number, bracket, what in includes(folder):
        where = f"{path.relative_to(top)}:{number}"
        if bracket == "<" and what.startswith("flame/") and what not in SDK:
            yield f"{where}: '{what}' is not for it"
        if FOREIGN.match(what):
            yield f"{where}: the sdk has no '{what}'"
        if bracket == '"' and not any((base / what).is_file() for base in (folder, top / "core/cli")):
            yield f"{where}: '{what}' is not its own"


def check(top):
    found = [*check_modules(top), *check_core(top)]
    found += check_folder(top, top / "core/cli", PUBLIC)
    found += check_folder(top, top / "core/include", {"flame/status.h"})
    found += check_folder(top, top / "sdk/include", {"flame/status.h", "flame/fetch.h", "flame/context.h"})
    found += check_abi_headers(top)
    found += check_sdk(top)
    found += check_sdk_cli(top)
    for folder in sorted(path for path in (top / "plugins").iterdir() if path.is_dir()):
        found += check_folder(top, folder, ABI)
    found += check_flight(top)
    found += check_devcache(top)
    return found


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    broken = check(top if top.is_dir() else top.parents[2])
    for line in broken:
        print(line)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
