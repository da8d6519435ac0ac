# SPDX-License-Identifier: Apache-2.0
"""pyarrow's client, both ways: every size, body and layout, and what an object's life is."""
import hashlib
import random
import re

import pytest

from devcache.cache import at_once
from support.peers import require_module

KIB, MIB = 1 << 10, 1 << 20
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1]
BODIES = ["none", "lz4", "zstd"]
LAYOUTS = ["one", "batches"]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def contents(size, is_text):
    return (b"the quick fox\n" * (size // 14 + 1))[:size] if is_text \
        else random.Random(size).randbytes(size)


def in_rows(data, size=MIB):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


@pytest.mark.parametrize("dialect", ["0.6", "0.5"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("body", BODIES)
def test_what_is_put_is_got(cache, client, body, layout, dialect):
    one = client(cache("--body", body, "--layout", layout, "--dialect", dialect))
    for size in SIZES:
        for is_text in (True, False):
            data = contents(size, is_text)
            rows = [data] if dialect == "0.5" else in_rows(data, 100 * KIB)
            reference = one.put(f"app/ssn/{size}-{is_text}", *rows)
            assert reference == {"endpoint": one.url, "version": 1,
                                 "key": f"app/ssn/{size}-{is_text}"}
            table = one.get(reference["key"])
            table.validate(full=True)
            assert b"".join(table["data"].to_pylist()) == data
            assert set(table["version"].to_pylist()) == {1}
            assert table.num_rows == (1 if layout == "one" else max(1, -(-size // MIB)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("storage", ["memory", "directory"])
def test_64_mib(cache, client, body, layout, storage, tmp_path):
    where = ["--storage", tmp_path] if storage == "directory" else []
    one = client(cache("--body", body, "--layout", layout, *where))
    data = contents(64 * MIB, body == "zstd")
    one.put("app/ssn/large", *in_rows(data))
    got = one.data("app/ssn/large")
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()


def test_an_upload_may_be_compressed(cache, client):
    pa = require_module("pyarrow")
    one = client(cache())
    data = contents(3 * MIB, True)
    for codec in ("lz4", "zstd"):
        options = one.flight.FlightCallOptions(
            write_options=pa.ipc.IpcWriteOptions(compression=codec))
        writer, reader = one.client.do_put(
            one.flight.FlightDescriptor.for_path(f"app/ssn/{codec}"), one.schema, options)
        for row in in_rows(data):
            writer.write_batch(one.batch(row))
        writer.done_writing()
        assert reader.read() is not None
        writer.close()
        assert one.data(f"app/ssn/{codec}") == data


def test_the_server_names_what_has_no_name(cache, client):
    one = client(cache())
    keys = {one.put("app/ssn", b"same")["key"] for _ in range(20)}
    assert len(keys) == 20
    assert all(re.fullmatch("app/ssn/" + UUID, key) for key in keys)
    assert all(one.data(key) == b"same" for key in keys)


# ---- versions -----------------------------------------------------------------------------------

def test_each_version_is_one_more_and_begins_again_after_a_delete(cache, client):
    one = client(cache())
    assert [one.put("a/b/c", bytes([n]))["version"] for n in range(3)] == [1, 2, 3]
    assert one.rows("a/b/c") == [(3, "base", b"\x02")]
    assert one.rows("a/b/c", 3) == []
    assert one.rows("a/b/c", 2) == one.rows("a/b/c", 4) == one.rows("a/b/c")
    one.delete("a/b/c")
    assert one.put("a/b/c", b"")["version"] == 1


def test_patches_are_rows_of_their_own_and_only_the_new_ones_are_sent(cache, client):
    one = client(cache())
    one.put("a/b/c", b"old")
    one.put("a/b/c", b"base")
    assert [one.patch("a/b/c", b"p3")["version"], one.patch("a/b/c", b"p4")["version"]] == [3, 4]
    full = [(2, "base", b"base"), (3, "patch", b"p3"), (4, "patch", b"p4")]
    assert one.rows("a/b/c") == one.rows("a/b/c", 1) == one.rows("a/b/c", 5) == full
    assert one.rows("a/b/c", 2) == full[1:]
    assert one.rows("a/b/c", 3) == full[2:]
    assert one.rows("a/b/c", 4) == []
    assert one.put("a/b/c", b"new")["version"] == 5
    assert one.rows("a/b/c") == [(5, "base", b"new")]


def test_a_patch_of_what_is_not_there_is_refused(cache, client):
    one = client(cache())
    with pytest.raises(KeyError, match="object <a/b/c> not found for patch"):
        one.patch("a/b/c", b"x")


def test_a_table_comes_back_with_its_version(cache, client):
    one = client(cache("--body", "none"))
    table = one.pa.table({"x": [1, 2, 3], "s": one.pa.array(["a", "b", "a"]).dictionary_encode()})
    metadata = {b"flame.cache.format": b"arrow-table-v1", b"flame.cache.version": b"0"}
    sent = table.replace_schema_metadata(metadata)
    for version in range(1, 12):
        said = one.put_batches(one.flight.FlightDescriptor.for_path("a/b/t"), sent.schema,
                               sent.to_batches())
        assert said["version"] == version
    got = one.get("a/b/t")
    assert got.equals(table) and got.schema.metadata[b"flame.cache.version"] == b"11"
    assert one.get("a/b/t", 11).num_rows == 0
    assert one.get("a/b/t", 10).equals(table)
    with pytest.raises(one.pa.ArrowInvalid, match="is an arrow table, which takes no patch"):
        one.patch("a/b/t", b"x")


# ---- deleting and refusing ----------------------------------------------------------------------

def test_a_delete_takes_an_object_a_session_or_an_application(cache, client):
    one = client(cache())
    keys = ["a/b/c", "a/b/d", "a/bb/c", "aa/b/c", "a/b/c2"]

    def left():
        found = []
        for key in keys:
            try:
                found += [key] if one.get(key).num_rows else []
            except KeyError:
                pass
        return found

    for key in keys:
        one.put(key, b"x")
    for what, remaining in (("a/b/c", ["a/b/d", "a/bb/c", "aa/b/c", "a/b/c2"]),
                            ("a/b/none", ["a/b/d", "a/bb/c", "aa/b/c", "a/b/c2"]),
                            ("a/b", ["a/bb/c", "aa/b/c"]), ("a/*", ["aa/b/c"]),
                            ("b/*", ["aa/b/c"])):
        assert one.delete(what) == [b"OK"]
        assert left() == remaining, what


BAD = [("", "Invalid key component: ''"), ("a", "expected '<app>/<ssn>'"),
       ("a/b/c/d", "expected '<app>/<ssn>'"), ("a//c", "Invalid key component: ''"),
       ("a/../c", r"Invalid key component: '\.\.'"), ("../b/c", r"Invalid key component: '\.\.'"),
       ("a/b/c\\d", "Invalid key component"), ("*/b/c", "wildcard"), ("a/*/c", "wildcard"),
       ("a/b/*", "wildcard"), ("a/b/c:d", "':'"), ("a/b/c\nd", "control character"),
       ("a/b/" + "x" * 2000, "too long")]


@pytest.mark.parametrize("key, words", BAD, ids=[repr(key)[:20] for key, _ in BAD])
def test_a_bad_key_is_refused_wherever_it_stands(cache, client, key, words):
    one = client(cache())
    for way in (lambda: one.put(key, b"x"), lambda: one.delete(key)):
        with pytest.raises(one.pa.ArrowInvalid, match=words):
            way()
    for way in (lambda: one.patch(key, b"x"), lambda: one.get(key)):
        with pytest.raises((one.pa.ArrowInvalid, KeyError)):
            way()
    with pytest.raises(one.pa.ArrowInvalid, match="wildcard|names an application"):
        one.put("a/*", b"x")


def test_an_upload_of_no_row_is_refused(cache, client):
    for dialect in ("0.6", "0.5"):
        one = client(cache("--dialect", dialect))
        with pytest.raises(one.pa.ArrowInvalid, match="No data received"):
            one.put("a/b/c")


def test_0_5_takes_exactly_one_row(cache, client):
    one = client(cache("--dialect", "0.5"))
    with pytest.raises(one.pa.ArrowInvalid, match="Expected exactly one row"):
        one.put("a/b/c", b"x", b"y")
    with pytest.raises(KeyError):
        one.get("a/b/c")
    assert one.put("a/b/c", b"x" * (5 * MIB))["version"] == 1
    assert one.data("a/b/c") == b"x" * (5 * MIB)


def test_other_columns_are_refused(cache, client):
    one = client(cache())
    pa, path = one.pa, one.flight.FlightDescriptor.for_path("a/b/c")
    for columns in ({"version": pa.array([1], pa.int64()), "data": pa.array([b"x"])},
                    {"data": pa.array([b"x"])}, {"x": pa.array([1])},
                    {"version": pa.array([1], pa.uint64()), "kind": pa.array(["base"]),
                     "data": pa.array([b"x"])}):
        batch = pa.RecordBatch.from_pydict(columns)
        with pytest.raises(pa.ArrowInvalid, match="columns"):
            one.put_batches(path, batch.schema, [batch])


# ---- many at once -------------------------------------------------------------------------------

@pytest.mark.parametrize("storage", ["memory", "directory"])
def test_many_clients_at_once_see_whole_objects(cache, client, storage, tmp_path):
    """Writers replace one object, readers always see one of what was written, in one piece."""
    where = ["--storage", tmp_path] if storage == "directory" else []
    running = cache("--layout", "batches", "--body", "none", "--max-calls", "6", *where)

    def work(number):
        one = client(running)
        for turn in range(8):
            letter = bytes([65 + (number * 7 + turn) % 26])
            one.put("a/b/shared", *[letter * MIB] * 3)
            got = one.data("a/b/shared")
            assert len(got) == 3 * MIB and got == got[:1] * len(got), (number, turn, len(got))
            one.put(f"a/b/{number}", letter)
            assert one.data(f"a/b/{number}") == letter, (number, turn)

    at_once(work, 12)
    one = client(running)
    assert one.put("a/b/shared", b"")["version"] == 12 * 8 + 1


def test_no_patch_is_lost_among_many(cache, client):
    """Each is joined to a base of some size, so that others come meanwhile."""
    running = cache()
    client(running).put("a/b/c", *[b"base" * (MIB // 4)] * 8)

    def work(number):
        one = client(running)
        for turn in range(10):
            one.patch("a/b/c", f"{number}.{turn}".encode())

    at_once(work, 6)
    rows = client(running).rows("a/b/c")
    assert [row[0] for row in rows] == list(range(1, 62))
    assert {row[2].decode() for row in rows[1:]} == {f"{n}.{t}" for n in range(6) for t in range(10)}
