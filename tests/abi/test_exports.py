# SPDX-License-Identifier: Apache-2.0
"""What the built files show to the world and ask of it."""
import re
import shutil
import subprocess

import pytest

from abi.tree import HEADERS, SDK_HEADERS, SOURCE, binary_dir

FOREIGN = ("curl", "grpc", "protobuf", "archive", "gpr", "absl")
LIBRARY = "lib/libflame-fetch.so"
SDK = "lib/libflame-sdk.so"
# library, its map, the headers that declare what it exports
PUBLIC = [(LIBRARY, "core/src/exports.map", [HEADERS["flame/fetch.h"]]),
          (SDK, "sdk/exports.map", SDK_HEADERS.values())]
PROGRAM = "bin/flame-fetch"


def plugins():
    return sorted((binary_dir() / "lib/flame/plugins").glob("*.so"))


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=True).stdout


def exports(path):
    """Defined dynamic symbols, without the names of versions."""
    rows = [line.split() for line in run("nm", "-D", "--defined-only", path).splitlines()]
    return {row[2].split("@")[0] for row in rows if row[1] != "A"}


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW", path))


def loaded(path):
    """All libraries that the loader would map, those of the libraries too."""
    return re.findall(r"^\s*(\S+)", run("ldd", path), re.M)


def built(name):
    path = binary_dir() / name
    assert path.exists(), f"{name} was not built"
    return path


def source_plugins():
    """The folders of plugins/ that are built: the one list of plugins/CMakeLists.txt."""
    listed = re.search(r"foreach\(plugin (.*?)\)", (SOURCE / "plugins/CMakeLists.txt").read_text())
    return [name for name in listed[1].split() if (SOURCE / "plugins" / name / "CMakeLists.txt")
            .exists()]


def test_every_shipped_plugin_was_built():
    assert {path.stem for path in plugins()} >= set(source_plugins())


@pytest.mark.parametrize("name", source_plugins())
def test_a_plugin_exports_its_entry_and_nothing_else(name):
    path = built(f"lib/flame/plugins/{name}.so")
    assert exports(path) == {"flame_plugin_entry_v1"}


@pytest.mark.parametrize("name", source_plugins())
def test_a_plugin_does_not_link_the_core(name):
    path = built(f"lib/flame/plugins/{name}.so")
    assert not [library for library in loaded(path) if "flame" in library]
    undefined = run("nm", "-D", "--undefined-only", path)
    assert not re.search(r"\bU (flame_|fl_)", undefined)


@pytest.mark.parametrize("name", source_plugins())
def test_a_plugin_carries_the_flags_of_one_that_is_never_unloaded(name):
    dynamic = run("readelf", "-dW", built(f"lib/flame/plugins/{name}.so"))
    assert re.search(r"FLAGS_1\).*\bNODELETE\b", dynamic)
    assert re.search(r"FLAGS_1\).*\bNOW\b", dynamic)


def exported_by_map(path):
    text = (SOURCE / path).read_text()
    listed = re.search(r"global:(.*?)local:", text, re.S)[1]
    return set(re.findall(r"\b(flame_\w+);", listed))


@pytest.mark.parametrize("library, path, _", PUBLIC)
def test_a_library_exports_what_its_map_says(library, path, _):
    assert exports(built(library)) == exported_by_map(path)


@pytest.mark.parametrize("_, path, headers", PUBLIC)
def test_the_map_is_the_public_headers(_, path, headers):
    text = "".join(header.read_text() for header in headers)
    declared = set(re.findall(r"^FLAME_API [^;]*?\b(flame_\w+)\(", text, re.M))
    assert declared and exported_by_map(path) == declared


def test_the_command_does_not_map_what_the_sdk_needs():
    assert not [name for name in loaded(built(PROGRAM)) if re.search("yaml|bson|flame-sdk", name)]


@pytest.mark.parametrize("name", (LIBRARY, PROGRAM, SDK))
def test_the_core_maps_no_library_of_a_plugin(name):
    libraries = loaded(built(name))
    assert libraries, "ldd said nothing"
    assert not [library for library in libraries if any(word in library for word in FOREIGN)]


def test_the_command_links_the_public_library():
    assert "libflame-fetch.so.0" in needed(built(PROGRAM))


@pytest.mark.parametrize("name", [LIBRARY, PROGRAM, SDK]
                         + [f"lib/flame/plugins/{name}.so" for name in source_plugins()])
def test_the_segments_are_hardened(name):
    path = built(name)
    headers = run("readelf", "-lW", path)
    stack = re.search(r"GNU_STACK.*", headers)
    assert stack and not re.search(r"\bRWE\b", stack[0])
    assert "GNU_RELRO" in headers
    dynamic = run("readelf", "-dW", path)
    assert "TEXTREL" not in dynamic
    assert re.search(r"FLAGS_1\).*\bNOW\b", dynamic), "lazy binding leaves the GOT writable"
    assert not re.search(r"\(RPATH\)", dynamic)


@pytest.mark.parametrize("name", source_plugins())
@pytest.mark.parametrize("strip", [("strip", "--strip-all"), ("strip", "--strip-unneeded"),
                                   ("objcopy", "--strip-debug")], ids=lambda s: s[1])
def test_the_note_survives_strip(name, strip, tmp_path):
    path = tmp_path / f"{name}.so"
    shutil.copy(built(f"lib/flame/plugins/{name}.so"), path)
    run(*strip, path)
    assert re.search(r"^\s*Flame\s", run("readelf", "-nW", path), re.M)
    segments = run("readelf", "-lW", path)
    assert re.search(r"^\s+\d+\s+.*\.note\.flame\.plugin", segments, re.M), "in no segment"
    assert exports(path) == {"flame_plugin_entry_v1"}
    manifest = path.read_bytes()
    assert b"abi=1.0\n" in manifest and f"id=org.flame.{name}\n".encode() in manifest
