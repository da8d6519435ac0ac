# SPDX-License-Identifier: Apache-2.0
"""Checksum files made here and now by the programs that people make them with."""
import hashlib
import os
import pathlib
import subprocess

import pytest

from support.peers import require_program

DRIVER = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "sums_driver"
NAMES = ["x.tgz", "two words", " blank-first", "*star", "a) = b", "back\\slash", "line\nend",
         "carriage\rreturn", "\u00e4.bin", "-dash", "#hash", "\\", "x" * 255]
PLAIN = [name for name in NAMES if not set(name) & set("\\\n\r")]

# What each writes for all files in one call, and the algorithm.
TOOLS = {
    "sha256sum": (["sha256sum"], "sha256"),
    "sha256sum-b": (["sha256sum", "-b"], "sha256"),
    "sha256sum-tag": (["sha256sum", "--tag"], "sha256"),
    "sha512sum": (["sha512sum"], "sha512"),
    "sha512sum-b": (["sha512sum", "-b"], "sha512"),
    "sha512sum-tag": (["sha512sum", "--tag"], "sha512"),
    "cksum": (["cksum", "-a", "sha256"], "sha256"),
    "cksum-untagged": (["cksum", "-a", "sha512", "--untagged"], "sha512"),
}
OPENSSL = {
    "openssl-sha256": (["openssl", "dgst", "-sha256"], "sha256"),
    "openssl-sha512": (["openssl", "dgst", "-sha512"], "sha512"),
    "openssl-r": (["openssl", "dgst", "-sha256", "-r"], "sha256"),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    for name in NAMES:
        (tmp_path / "files" / name).write_bytes(name.encode())
    return tmp_path / "files"


def make(command, names, folder, **options):
    require_program(command[0])
    done = subprocess.run([*command, *names], cwd=folder, stdout=subprocess.PIPE, check=True,
                          **options)
    (folder.parent / "SUMS").write_bytes(done.stdout)
    return folder.parent / "SUMS"


def find(sums, name):
    done = subprocess.run([DRIVER, sums, name], stdout=subprocess.PIPE, check=False)
    return done.stdout.decode(errors="backslashreplace").strip()


def digest(algorithm, name):
    return f"{algorithm}:{hashlib.new(algorithm, name.encode()).hexdigest()}"


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("prefix", ["", "./"])
def test_every_name_is_found_in_what_coreutils_write(folder, tool, prefix):
    command, algorithm = TOOLS[tool]
    sums = make([*command, "--"], [prefix + name for name in NAMES], folder)
    assert {name: find(sums, name) for name in NAMES} == \
        {name: digest(algorithm, name) for name in NAMES}
    assert find(sums, "y.tgz").startswith("NOT_FOUND ")


@pytest.mark.parametrize("tool", OPENSSL)
def test_every_name_is_found_in_what_openssl_writes(folder, tool):
    """It escapes nothing, and takes no name that begins with a dash."""
    command, algorithm = OPENSSL[tool]
    sums = make(command, ["./" + name for name in PLAIN], folder)
    assert {name: find(sums, name) for name in PLAIN} == \
        {name: digest(algorithm, name) for name in PLAIN}
    assert find(sums, "y.tgz").startswith("NOT_FOUND ")


@pytest.mark.parametrize("command", [["sha256sum"], ["sha512sum"]])
def test_a_digest_of_a_pipe_is_that_of_any_name(folder, command):
    sums = make(command, [], folder, input=b"x.tgz")
    assert find(sums, "x.tgz") == digest(command[0][:6], "x.tgz")


@pytest.mark.parametrize("command", [["md5sum"], ["sha1sum", "--tag"], ["sha384sum"], ["b2sum", "--tag"],
                                     ["openssl", "dgst", "-sha3-256"],
                                     ["openssl", "dgst", "-sha256", "-hmac", "key"],
                                     ["openssl", "dgst", "-sha512-256"], ["cksum", "-a", "sm3"]],
                         ids=" ".join)
def test_no_other_digest_is_taken_for_one_of_ours(folder, command):
    assert find(make(command, ["x.tgz"], folder), "x.tgz").startswith("NOT_FOUND ")
