# SPDX-License-Identifier: Apache-2.0
"""A plugin by somebody else: built outside the tree from the SDK's headers alone, by a plain
compiler command, and dropped into a directory."""
import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import urllib.parse

import pytest

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "flame-fetch"
BYTES = bytes(range(256)) * 41 + b"end"


@pytest.fixture(scope="module")
def plugin_dir(tmp_path_factory):
    outside = tmp_path_factory.mktemp("thirdparty")
    shutil.copytree(SOURCE / "sdk" / "include", outside / "include")
    shutil.copy(SOURCE / "tests/plugins/thirdparty/data.c", outside)
    (outside / "plugins").mkdir(mode=0o755)
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-I", "include",
                    "-o", "plugins/data.so", "data.c"], cwd=outside, check=True,
                   env={"PATH": os.environ["PATH"]})
    return outside / "plugins"


def flame_fetch(plugin_dir, *arguments, cwd):
    return subprocess.run([PROGRAM, "--plugin-dir", plugin_dir, *arguments], cwd=cwd,
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("url, expected", [
    ("data:,hello", b"hello"),
    ("data:text/plain,a%20b%0A%C3%BC", b"a b\n\xc3\xbc"),
    ("data:,what?and=so", b"what?and=so"),
    ("data:application/octet-stream;base64," + base64.b64encode(BYTES[:256]).decode(),
     BYTES[:256]),
    ("data:;base64," + urllib.parse.quote(base64.b64encode(BYTES[:100]).decode()), BYTES[:100]),
    ("data:,", b""),
], ids=["text", "escapes", "query", "base64", "escaped-base64", "empty"])
def test_a_dropped_in_plugin_serves_its_scheme(plugin_dir, tmp_path, url, expected):
    done = flame_fetch(plugin_dir, "-o", "out", url, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out").read_bytes() == expected
    assert os.listdir(tmp_path) == ["out"]


def test_the_core_verifies_what_such_a_plugin_delivers(plugin_dir, tmp_path):
    right, wrong = (hashlib.sha256(text).hexdigest() for text in (b"hello", b"other"))
    done = flame_fetch(plugin_dir, "--checksum", f"sha256:{right}", "-o", "out", "data:,hello",
                       cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = flame_fetch(plugin_dir, "--checksum", f"sha256:{wrong}", "-o", "bad", "data:,hello",
                       cwd=tmp_path)
    assert done.returncode == 110
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("url", ["data:no-comma", "data:;base64,S!==", "data:;base64,SGV"])
def test_its_failure_is_one_line_with_its_own_words(plugin_dir, tmp_path, url):
    done = flame_fetch(plugin_dir, "-o", "out", url, cwd=tmp_path)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "data" in done.stderr
    assert os.listdir(tmp_path) == []


def test_it_is_listed_and_absent_without_its_directory(plugin_dir, tmp_path):
    done = flame_fetch(plugin_dir, "plugins", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "org.example.data" in done.stdout
    done = subprocess.run([PROGRAM, "-o", "out", "data:,x"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    assert "file" in done.stderr, "the schemes that are there are not named"
