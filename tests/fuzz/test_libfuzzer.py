# SPDX-License-Identifier: Apache-2.0
"""Each fuzz target for a few seconds under libFuzzer, with ASan and UBSan, guided by coverage."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.peers import require_program

pytestmark = pytest.mark.skipif(os.environ.get("FLAME_SANITIZE", "") != "",
                                reason="SKIP: once is enough, in the plain build")

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])
HERE = SOURCE / "tests" / "fuzz"
TARGETS = sorted(path.stem for path in HERE.glob("fuzz_*.c"))
SECONDS = 3


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The directory of the targets, built by clang with its fuzzer."""
    build = tmp_path_factory.mktemp("fuzz")
    compilers = [f"-DCMAKE_C_COMPILER={require_program('clang-14')}",
                 f"-DCMAKE_CXX_COMPILER={require_program('clang++-14')}"]
    for command in (["cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", *compilers,
                     "-DCMAKE_BUILD_TYPE=Debug", "-DFLAME_SANITIZE=address", "-DFLAME_FUZZ=ON"],
                    ["cmake", "--build", build, "--target", *TARGETS]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return build / "bin"


def corpus_of(target, directory):
    """A copy of its seeds, for the fuzzer adds to them: corpus/url is that of url_libcurl too."""
    name = target.removeprefix("fuzz_")
    while not (HERE / "corpus" / name).is_dir():
        name = name.rpartition("_")[0]
        assert name, f"{target} has no corpus"
    return shutil.copytree(HERE / "corpus" / name, directory / "corpus")


def test_there_are_targets():
    assert {"fuzz_config", "fuzz_http_head", "fuzz_note", "fuzz_url"} <= set(TARGETS)


def run(program, corpus, seconds):
    """How many inputs were tried, and how much of the parser they reached."""
    command = [program, f"-max_total_time={seconds}", "-seed=1", "-timeout=5",
               "-print_final_stats=1", corpus]
    done = subprocess.run(command, cwd=corpus.parent, capture_output=True, text=True,
                          errors="replace", timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return (int(re.search(r"number_of_executed_units: (\d+)", done.stderr)[1]),
            int(re.findall(r"cov: (\d+)", done.stderr)[-1]))


@pytest.mark.parametrize("target", TARGETS)
def test_a_parser_of_foreign_bytes_bears_what_a_fuzzer_finds(programs, target, tmp_path):
    corpus = corpus_of(target, tmp_path)
    for seconds in (SECONDS, 4 * SECONDS, 16 * SECONDS):  # what a busy machine needs
        executed, covered = run(programs / target, corpus, seconds)
        if executed > 1000:
            break
    assert executed > 1000 and covered > 100, "it saw nothing of the parser"
