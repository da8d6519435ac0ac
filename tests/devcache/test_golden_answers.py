# SPDX-License-Identifier: Apache-2.0
"""The cache answers as the real ones were recorded to answer: each recorded request again, the
answer compared by what it means, and byte by byte where nothing in it is a matter of taste.

manifest.json is that of the whole recording. Answers that were recorded twice are kept once, see
SAME; of those that are too large to be kept the manifest's digest remains."""
import contextlib
import hashlib
import json
import pathlib
import random

import pytest

from devcache.cache import Cache, Client, Raw, field, path_descriptor
from flight.driver import HERE, decode, frame, ipc_stream
from support.peers import require_module

GOLDEN = HERE / "golden"
MANIFEST = json.loads((pathlib.Path(__file__).parent / "manifest.json").read_text())
SAME = {"noversion.grpc": "text.grpc", "rnd64k_from_disk.grpc": "rnd64k.grpc",
        "list_prefix.grpc": "list_all.grpc", "list_none.grpc": "list_all.grpc",
        "delete_again.grpc": "delete_one.grpc", "old_noversion.grpc": "old_text.grpc"}
ENDPOINT = "grpc://127.0.0.1:9090"
TABLE = "golden/obj/d1276ee7-e2c1-45ea-a353-879bc5f4415c"


def recorded(name):
    """The frames, or None where they are not kept."""
    path = GOLDEN / SAME.get(name, name)
    return path.read_bytes() if path.exists() else None


def messages_of(frames):
    at = 0
    while at < len(frames):
        size = int.from_bytes(frames[at + 1:at + 5], "big")
        yield frames[at + 5:at + 5 + size]
        at += 5 + size


def read(frames):
    """(schema, batches) of an answer."""
    pa = require_module("pyarrow")
    require_module("pyarrow.ipc")
    reader = pa.ipc.open_stream(ipc_stream(frames))
    return reader.schema, list(reader)


def column(name, of="data"):
    return [value for batch in read(recorded(name))[1] for value in batch.column(of).to_pylist()]


def fill(client, server):
    """Store what the real caches had been given; 0.5 had everything but what was patched twice."""
    old = server == "0.5"
    times = 2 if old else 1
    for name in ("text", "one", "rnd64k"):
        for _ in range(times):
            client.put(f"golden/pkg/{name}.bin", *column(f"{name}.grpc"))
    for name, suffix in (("patched", "3c2352b6-6e68-4a03-a5c6-44c02c0b3ddb"),
                         ("old_patched", "b91c84f2-c93c-4dd0-8766-33baab6fd811")):
        if old == name.startswith("old"):
            base, *patches = column(f"{name}.grpc")
            client.put(f"golden/obj/{suffix}", base)
            for patch in patches:
                client.patch(f"golden/obj/{suffix}", patch)
    numpy = "dd249f7e-5a88-4212-b870-06503405aeaf" if old else "4c72ad02-c31d-42f6-a842-1b2eaef01f63"
    client.put(f"golden/obj/{numpy}", *column("numpy.grpc"))
    if not old:
        fill_new(client)


def fill_new(client):
    client.put("golden/pkg/zero5m.bin", *column("zero5m.grpc"))
    client.put("golden/pkg/rnd1m.bin", random.Random(1).randbytes(1 << 20))
    client.put("golden/pkg/rnd1m1.bin", *[random.Random(2).randbytes(1 << 20), b"x"])
    client.put("golden/pkg/empty1.bin", b"")
    schema, batches = read(recorded("native_table.grpc"))
    sent = schema.with_metadata(schema.metadata | {b"flame.cache.version": b"0"})
    client.put_batches(client.flight.FlightDescriptor.for_path(TABLE), sent,
                       [batch.replace_schema_metadata(sent.metadata) for batch in batches])


@pytest.fixture(scope="module", params=["memory", "directory"])
def caches(request, tmp_path_factory):
    """server -> Raw client of a cache that holds what the real one held."""
    with contextlib.ExitStack() as running:
        clients = {}
        for server in ("0.6", "0.5"):
            arguments = ["--dialect", server, "--endpoint", ENDPOINT]
            if request.param == "directory":
                arguments += ["--storage", tmp_path_factory.mktemp("storage")]
            clients[server] = start(running, arguments, request.param == "directory", server)
        yield clients


def start(running, arguments, again, server):
    """Filled, and where it keeps files started once more."""
    cache = running.enter_context(Cache(*arguments))
    with contextlib.closing(Client(cache.url)) as client:
        fill(client, server)
    if again:
        cache.close()
        cache = running.enter_context(Cache(*arguments))
    return running.enter_context(contextlib.closing(Raw(cache.port)))


def request_of(entry):
    key = "golden/pkg/text.bin"
    return {"DoGet": lambda: field(1, entry["ticket"].encode()),
            "ListFlights": lambda: field(1, {"list_prefix.grpc": b"golden/pkg",
                                             "list_none.grpc": b"nothing/here"}
                                         .get(entry["file"], b"")),
            "DoAction": lambda: field(1, b"NOSUCH" if "unknown" in entry["file"] else b"DELETE")
            + field(2, b"golden/gone/x"),
            "ListActions": lambda: b"", "GetFlightInfo": lambda: path_descriptor(key),
            "GetSchema": lambda: path_descriptor(key)}[entry["method"]]()


def ask(caches, entry):
    return caches[entry["server"]].call(entry["method"], request_of(entry))


def named(method):
    chosen = [entry for entry in MANIFEST if entry["method"] == method]
    return pytest.mark.parametrize("entry", chosen, ids=[entry["file"] for entry in chosen])


@pytest.mark.parametrize("entry", MANIFEST, ids=[entry["file"] for entry in MANIFEST])
def test_the_status_its_text_and_the_number_of_messages_are_the_same(caches, entry):
    status, text, messages = ask(caches, entry)
    assert (status, text) == (entry["status"], entry.get("message", ""))
    assert len(messages) == entry["messages"]


@named("DoGet")
def test_an_object_is_the_same(caches, entry, tmp_path):
    messages = ask(caches, entry)[2]
    want = recorded(entry["file"])
    if entry["messages"] == 0:
        return
    got = b"".join(frame(message) for message in messages)
    if "Arrow table" not in entry["note"]:
        said, data = decode(got, tmp_path)
        if "bytes" in entry:
            assert len(data) == entry["bytes"]
        if "sha256" in entry and want:
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        if want:
            assert (said, data) == decode(want, tmp_path)
    if want:
        assert_same_arrow(read(got), read(want))
    if "rows" in entry:
        assert rows(got, entry["server"]) == entry["rows"]


def assert_same_arrow(got, want):
    assert got[0].equals(want[0], check_metadata=True)
    assert len(got[1]) == len(want[1])
    for one, other in zip(got[1], want[1]):
        one.validate(full=True)
        assert one.equals(other)


def rows(frames, server):
    found = []
    for batch in read(frames)[1]:
        columns = batch.to_pydict()
        kinds = columns["kind"] if server == "0.6" else [None] * batch.num_rows
        found += [[version, kind, len(data)] for version, kind, data
                  in zip(columns["version"], kinds, columns["data"])]
    return found


@named("ListFlights")
def test_a_listing_is_the_same_but_for_its_order(caches, entry):
    """And but for the size of the table, which the real cache gives as it lies in its memory."""
    other = [message for message in messages_of(recorded(entry["file"]))
             if TABLE.encode() not in message]
    got = [message for message in ask(caches, entry)[2] if TABLE.encode() not in message]
    assert sorted(got) == sorted(other)


@pytest.mark.parametrize("name", ["delete_one.grpc", "delete_again.grpc", "list_actions.grpc",
                                  "info.grpc"])
def test_a_small_answer_is_the_same_byte_by_byte(caches, name):
    entry = next(entry for entry in MANIFEST if entry["file"] == name)
    assert ask(caches, entry)[2] == list(messages_of(recorded(name)))


def test_the_schema_is_the_same(caches):
    entry = next(entry for entry in MANIFEST if entry["method"] == "GetSchema")
    (message,) = ask(caches, entry)[2]
    schema, _ = read(recorded("text.grpc"))
    (want,) = messages_of(recorded("schema.grpc"))
    for answer in (message, want):
        assert answer[:1] == b"\x0a"
        header = answer[3:] if answer[1] > 0x7f else answer[2:]
        got, _ = read(frame(field(2, header)))
        assert got.equals(schema, check_metadata=True)


def test_every_recorded_answer_was_asked_for():
    kept = {path.name for path in GOLDEN.glob("*.grpc")}
    assert kept <= {entry["file"] for entry in MANIFEST}
    assert {entry["server"] for entry in MANIFEST} == {"0.6", "0.5"}
    assert len(MANIFEST) == 37
