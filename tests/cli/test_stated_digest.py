# SPDX-License-Identifier: Apache-2.0
"""What a plugin states of the target of its redirect binds what the target delivers."""
import base64
import hashlib
import os
import pathlib
import subprocess

import pytest

from support.program import clean_environment

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])


@pytest.fixture
def pointer(fetch, tmp_path):
    """Fetch "hello" by a redirect that states this Repr-Digest."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-I", SOURCE / "sdk/include",
                    "-o", tmp_path / "plugins/pointer.so",
                    SOURCE / "tests/plugins/thirdparty/pointer.c"],
                   check=True, env=clean_environment())
    return lambda field: fetch("--plugin-dir", tmp_path / "plugins", f"pointer:hello?{field}")


def member(algorithm, body):
    value = base64.b64encode(hashlib.new(algorithm.replace("-", ""), body).digest()).decode()
    return f"{algorithm}=:{value}:"


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_the_stated_digest_binds_the_target(pointer, algorithm):
    pointer(member(algorithm, b"hello")).succeeded(b"hello")
    pointer(member(algorithm, b"other")).failed("DIGEST")
    pointer(f"{member(algorithm, b'other')};q=1,unixsum=1").failed("DIGEST")


def test_a_field_that_is_not_understood_binds_nothing(pointer):
    pointer(member("md5", b"other")).succeeded(b"hello")
    pointer(member("sha-256", b"other") + ",").succeeded(b"hello")
    pointer("id-" + member("sha-256", b"other")).succeeded(b"hello")
