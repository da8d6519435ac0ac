# SPDX-License-Identifier: Apache-2.0
"""Where things are, and what the public headers say, for the tests in this folder."""
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ.get("FLAME_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
HERE = SOURCE / "tests" / "abi"
HEADERS = {
    "flame/status.h": SOURCE / "sdk/include/flame/status.h",
    "flame/plugin.h": SOURCE / "sdk/include/flame/plugin.h",
    "flame/fetch.h": SOURCE / "core/include/flame/fetch.h",
}
# The SDK's: on the host API, not part of the plugin ABI and its baseline.
SDK_HEADERS = {f"flame/{name}.h": SOURCE / f"sdk/include/flame/{name}.h"
               for name in ("context", "object", "storage")}
INCLUDES = [f"-I{SOURCE}/sdk/include", f"-I{SOURCE}/core/include"]


def binary_dir():
    """The build tree; a test that looks at built files is run by ctest, which names it."""
    return pathlib.Path(os.environ["FLAME_BINARY_DIR"])


def sources(*suffixes):
    """The project's own files with these endings, as paths from the top."""
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], capture_output=True)
    if listed.returncode == 0:
        names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    else:  # a tarball
        names = [str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*") if path.is_file()]
        names = [name for name in names if not re.match(r"build|\.", name)]
    return sorted(n for n in names if n.endswith(suffixes) and (SOURCE / n).is_file())


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def header_structs(headers=None):
    """The public structs with a body, in the order of the headers."""
    return [tag for path in (headers or HEADERS).values()
            for tag in re.findall(r"^struct (flame_\w+) \{", path.read_text(), re.M)]


def header_enums(headers=None):
    return [tag for path in (headers or HEADERS).values()
            for tag in re.findall(r"^enum (flame_\w+) \{", path.read_text(), re.M)]


def header_numbers():
    """The names of all public numbers: macros that are a number, enumerators, statuses."""
    names = set()
    for path in HEADERS.values():
        text = without_comments(path.read_text())
        names |= set(re.findall(r"^#define (FLAME_[A-Z0-9_]+) (?:0x[0-9a-f]+u|\d+u?)\s*$", text,
                                re.M))
        for body in re.findall(r"^enum flame_\w+ \{(.*?)^\};", text, re.M | re.S):
            names |= set(re.findall(r"^\s*(FLAME_\w+) = (?!number)", body, re.M))
        for name, number in re.findall(r"X\((\w+), (\d+), \d+, [01], \"", text):
            names.add(("FLAME_" if int(number) < 16 else "FLAME_ERR_") + name)
    return names


def header_strings():
    """The public macros that are one string."""
    found = {}
    for path in HEADERS.values():
        found.update(re.findall(r'^#define (FLAME_[A-Z0-9_]+) "([^"]*)"',
                                path.read_text(), re.M))
    return found
