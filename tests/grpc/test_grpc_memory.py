# SPDX-License-Identifier: Apache-2.0
"""What the program flame-fetch does about memory that gRPC takes and frees for each message."""
import os
import subprocess

import pytest

from devcache.cache import Cache
from support.program import FETCH, SANITIZE

MIB = 1 << 20


@pytest.fixture
def batches():
    with Cache("--body", "none", "--layout", "batches") as running:
        yield running


def page_faults(*arguments, cwd):
    child = subprocess.Popen([FETCH, *arguments], cwd=cwd)
    _, state, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(state)
    assert child.returncode == 0
    return usage.ru_minflt


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: a sanitizer brings an allocator of its own")
def test_what_one_message_took_serves_the_next(batches, tmp_path):
    with open(tmp_path / "source", "wb") as source:
        source.truncate(256 * MIB)
    url = f"{batches.url}/app/ssn/object"
    idle = page_faults("-o", "head", f"file://{FETCH}", cwd=tmp_path)
    put = page_faults("put", tmp_path / "source", url, cwd=tmp_path)
    got = page_faults("--durability", "none", "-o", "out", url, cwd=tmp_path)
    assert (tmp_path / "out").stat().st_size == 256 * MIB
    # 24 MiB at most are in use at once; each message anew would be 65,536 pages.
    for faults in (put, got):
        assert faults - idle < 24 * MIB // 4096, "memory goes back to the kernel after each message"
