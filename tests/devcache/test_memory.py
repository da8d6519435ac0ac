# SPDX-License-Identifier: Apache-2.0
"""Memory does not grow with objects, nor with slow clients. Sanitizers have their own memory."""
import resource

import pytest

from devcache.cache import at_once, field
from support.program import SANITIZE

MIB = 1 << 20
pytestmark = pytest.mark.skipif(bool(SANITIZE), reason="SKIP: a sanitizer keeps what is freed")


@pytest.mark.parametrize("storage", ["memory", "directory"])
@pytest.mark.parametrize("body", ["none", "zstd"])
def test_many_batches_need_the_memory_of_some(cache, client, body, storage, tmp_path):
    where = ["--storage", tmp_path / "s"] if storage == "directory" else []
    running = cache("--layout", "batches", "--body", body, *where)
    one = client(running)
    row = bytes(range(256)) * (MIB // 256)
    one.put("a/b/c", *[row] * 512)
    assert running.memory() < 40 * MIB
    total = sum(len(chunk.data.column("data")[0].as_buffer())
                for chunk in one.client.do_get(one.flight.Ticket(b"a/b/c:0")))
    assert total == 512 * MIB
    assert running.memory() < 40 * MIB


@pytest.mark.parametrize("storage", ["memory", "directory"])
def test_one_message_is_not_copied(cache, client, storage, tmp_path):
    """The file is mapped, so its pages are not the cache's own, of which it can have few more."""
    where = ["--storage", tmp_path / "s"] if storage == "directory" else []
    running = cache("--body", "none", *where)
    one = client(running)
    one.put("a/b/c", *[b"x" * MIB] * 256)
    most = running.memory("VmData") + 48 * MIB
    resource.prlimit(running.process.pid, resource.RLIMIT_DATA, (most, most))
    assert len(one.get("a/b/c")["data"][0].as_buffer()) == 256 * MIB
    assert running.memory("RssAnon") < 48 * MIB


def test_slow_readers_hold_a_message_each(cache, client, raw):
    running = cache("--layout", "batches", "--body", "none")
    client(running).put("a/b/c", *[b"x" * MIB] * 128)
    calls = []
    for _ in range(8):
        one = raw(running)
        calls.append(one.channel.unary_stream("/arrow.flight.protocol.FlightService/DoGet")(
            field(1, b"a/b/c:0")))
        next(calls[-1])
    running.wait_idle()
    assert running.memory() < 128 * MIB
    for call in calls:
        call.cancel()


def test_many_small_objects(cache, client):
    running = cache()

    def store(first):
        one = client(running)
        for number in range(first, 2000, 4):
            one.put(f"a/b/{number}", b"x" * 100)

    at_once(store, 4)
    assert running.memory() < 96 * MIB
