# SPDX-License-Identifier: Apache-2.0
"""pyarrow reads what our writer writes, and our reader what pyarrow writes."""
import random

import pytest

from flight.driver import decode, encode, ipc_stream, stream
from support.peers import require_module

KIB = 1024
MIB = KIB * KIB
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1]
CODECS = ["none", "lz4", "zstd"]


@pytest.fixture(scope="module")
def pa():
    require_module("pyarrow.ipc")
    return require_module("pyarrow")


def contents(size, is_text=True):
    return (b"the quick fox\n" * (size // 14 + 1))[:size] if is_text \
        else random.Random(size).randbytes(size)


# ---- ours, read by pyarrow ----------------------------------------------------------------------

@pytest.mark.parametrize("words", [(), ("kind",), ("bitmaps",), ("kind", "bitmaps", "wide")],
                         ids="-".join)
@pytest.mark.parametrize("row_size", [0, 64 * KIB])
@pytest.mark.parametrize("codec", CODECS)
def test_pyarrow_reads_what_we_write(pa, codec, row_size, words, tmp_path):
    for size in SIZES:
        for is_text in (True, False):
            data = contents(size, is_text)
            frames = encode(data, tmp_path, codec, row_size, 7, *words)
            table = pa.ipc.open_stream(ipc_stream(frames)).read_all()
            table.validate(full=True)
            assert b"".join(table["data"].to_pylist()) == data
            assert set(table["version"].to_pylist()) == {7}
            assert table.column_names == (["version", "kind", "data"] if "kind" in words
                                          else ["version", "data"])
            if "kind" in words:
                assert set(table["kind"].to_pylist()) == {"base"}
            assert table.schema.field("version").type == pa.uint64()
            assert table.schema.field("data").type == \
                (pa.large_binary() if "wide" in words else pa.binary())


# ---- pyarrow's, read by us ----------------------------------------------------------------------

def batch(pa, rows, data_type=None, kind_type=None, version=3):
    """One batch; with a kind column where it has a type."""
    columns = {"version": pa.array([version] * len(rows), pa.uint64())}
    if kind_type:
        columns["kind"] = pa.array(["base"] * len(rows), kind_type)
    columns["data"] = pa.array(rows, data_type or pa.binary())
    return pa.RecordBatch.from_pydict(columns)


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


@pytest.mark.parametrize("layout", ["one", "rows", "batches"])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("kind", [None, "string", "large_string"])
@pytest.mark.parametrize("codec", CODECS)
def test_we_read_what_pyarrow_writes(pa, codec, kind, wide, layout, tmp_path):
    types = (pa.large_binary() if wide else pa.binary(), kind and getattr(pa, kind)())
    for size in SIZES:
        data = contents(size, size % 2)
        rows = [data] if layout == "one" else cut(data, 100 * KIB)
        batches = [batch(pa, [row], *types) for row in rows] if layout == "batches" \
            else [batch(pa, rows, *types)]
        frames = stream(pa, batches, compression=None if codec == "none" else codec)
        said, got = decode(frames, tmp_path, 0 if size % 3 else 65521)
        assert said["code"] == "NONE", said
        assert got == data and said["bytes"] == size
        assert said["version"] == 3 and said["kind"] == bool(kind)
        assert said["rows"] == len(rows)


@pytest.mark.parametrize("codec", CODECS)
def test_slices_of_arrays_are_read(pa, codec, tmp_path):
    whole = batch(pa, [b"no", b"", b"yes" * 100, b"also", b"no"], None, pa.string())
    frames = stream(pa, [whole.slice(1, 3), whole.slice(0, 0), whole.slice(3, 1)],
                    compression=None if codec == "none" else codec)
    said, got = decode(frames, tmp_path, 1)
    assert said["code"] == "NONE", said
    assert got == b"yes" * 100 + b"alsoalso"
    assert said["rows"] == 4


def test_metadata_of_version_4_is_read(pa, tmp_path):
    frames = stream(pa, [batch(pa, [b"old"])], metadata_version=pa.ipc.MetadataVersion.V4)
    assert decode(frames, tmp_path)[1] == b"old"


def test_a_table_without_rows_is_no_row(pa, tmp_path):
    said, got = decode(stream(pa, [batch(pa, [])]), tmp_path)
    assert (said["code"], got) == ("NO_ROWS", b"")


# ---- what is no file ----------------------------------------------------------------------------

def refused(pa):
    """name -> (columns, verdict)"""
    version, data = pa.array([1, 1], pa.uint64()), pa.array([b"a", b"b"], pa.binary())
    kind = pa.array(["base", "base"])
    return {
        "int64 version": ({"version": version.cast(pa.int64()), "data": data}, "COLUMNS"),
        "uint32 version": ({"version": version.cast(pa.uint32()), "data": data}, "COLUMNS"),
        "text data": ({"version": version, "data": kind}, "COLUMNS"),
        "view data": ({"version": version, "data": data.cast(pa.binary_view())}, "COLUMNS"),
        "fixed data": ({"version": version, "data": data.cast(pa.binary(1))}, "COLUMNS"),
        "data first": ({"data": data, "version": version}, "COLUMNS"),
        "data in the middle": ({"version": version, "data": data, "kind": kind}, "COLUMNS"),
        "data only": ({"data": data}, "COLUMNS"),
        "no data": ({"version": version, "kind": kind}, "COLUMNS"),
        "another name": ({"version": version, "bytes": data}, "COLUMNS"),
        "a fourth": ({"version": version, "kind": kind, "more": kind, "data": data}, "COLUMNS"),
        "a third that is not kind": ({"version": version, "type": kind, "data": data}, "COLUMNS"),
        "dictionary": ({"version": version, "kind": kind.dictionary_encode(), "data": data},
                       "COLUMNS"),
        "binary kind": ({"version": version, "kind": data, "data": data}, "COLUMNS"),
        "null data": ({"version": version, "data": pa.array([b"a", None], pa.binary())}, "COLUMNS"),
        "null version": ({"version": pa.array([1, None], pa.uint64()), "data": data}, "COLUMNS"),
        "unknown kind": ({"version": version, "kind": pa.array(["base", "delta"]), "data": data},
                         "COLUMNS"),
        "patch": ({"version": version, "kind": pa.array(["base", "patch"]), "data": data},
                  "PATCHED"),
        "patch alone": ({"version": version, "kind": pa.array(["patch", "patch"]), "data": data},
                        "PATCHED"),
        "two versions": ({"version": pa.array([1, 0], pa.uint64()), "data": data}, "PATCHED"),
    }


def test_what_is_no_file_is_refused_before_its_first_byte(pa, tmp_path):
    for name, (columns, verdict) in refused(pa).items():
        frames = stream(pa, [pa.RecordBatch.from_pydict(columns)])
        said, got = decode(frames, tmp_path)
        assert (said["code"], got) == (verdict, b""), (name, said)


def test_a_native_table_is_told_from_wrong_columns(pa, tmp_path):
    for value, verdict in (("arrow-table-v1", "NATIVE"), ("opaque-v1", "COLUMNS")):
        table = pa.RecordBatch.from_pydict({"x": pa.array([1])}).replace_schema_metadata(
            {"other": "1", "flame.cache.format": value})
        assert decode(stream(pa, [table]), tmp_path)[0]["code"] == verdict
    named = batch(pa, [b"x"]).replace_schema_metadata({"flame.cache.format": "arrow-table-v1"})
    assert decode(stream(pa, [named]), tmp_path)[0]["code"] == "NATIVE"


def test_a_later_batch_that_is_a_patch_spoils_the_file(pa, tmp_path):
    frames = stream(pa, [batch(pa, [b"base"], version=3), batch(pa, [b"patch"], version=0)])
    assert decode(frames, tmp_path)[0]["code"] == "PATCHED"


def test_more_small_bytes_than_are_held_are_refused(pa, tmp_path):
    rows = [b""] * (2 << 20)
    assert decode(stream(pa, [batch(pa, rows[:1 << 20])]), tmp_path)[0]["code"] == "NONE"
    assert decode(stream(pa, [batch(pa, rows)]), tmp_path)[0]["code"] == "LIMIT"
