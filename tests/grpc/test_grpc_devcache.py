# SPDX-License-Identifier: Apache-2.0
"""flamepy, pyarrow and flame-fetch at one flame-devcache: what each stores the others get,
whichever way it is served. All is stored once; each way of serving then starts on that storage."""
import hashlib
import random

import pytest

from devcache.cache import Cache, Client
from support.flamepy_script import run_flamepy
from support.program import Program

KIB, MIB = 1 << 10, 1 << 20
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1, 64 * MIB]

SCRIPT = """
import numpy, pyarrow
for name in sorted(os.listdir("source")):
    if os.path.getsize("source/" + name):
        cache.upload_object("app/ssn/flamepy-" + name, "source/" + name)
put = lambda value: cache.put_object("app/values", value)
tell(object=put({"n": 1}).key, text=put("x" * 3000000).key, array=put(numpy.zeros(9)).key,
     patched=cache.patch_object(put({"n": 1}), {"n": 2}).key,
     updated=cache.update_object(cache.patch_object(put(1), 2), {"n": 9}).key,
     table=put(pyarrow.table({"x": [1, 2]})).key)
"""


def contents(size):
    """Text where the size is odd, so that codecs have something to do."""
    return (b"fox %d\n" % size * (size // 5))[:size] if size % 2 and size > 1 \
        else random.Random(size).randbytes(size)


class Filled:
    """A storage: of each size one object by flamepy (but for the empty one, which it cannot store)
    and one by flame-fetch for each dialect, and values by flamepy."""

    def __init__(self, place):
        self.storage, self.fetch = place / "storage", Program(place)
        (place / "source").mkdir()
        self.digests, self.puts = {}, []
        for size in SIZES:
            data = contents(size)
            (place / "source" / str(size)).write_bytes(data)
            for who in ("flamepy", "ours0.6", "ours0.5"):
                self.digests[f"{who}-{size}"] = hashlib.sha256(data).hexdigest()
        del self.digests["flamepy-0"]
        for dialect in ("0.6", "0.5"):
            with self.serve("--dialect", dialect) as cache:
                if dialect == "0.6":
                    self.values = run_flamepy(SCRIPT, cache.url, place)
                self.puts += [self.put(cache, place / "source" / str(size), f"ours{dialect}-{size}")
                              for size in SIZES]

    def serve(self, *arguments):
        return Cache("--storage", self.storage, *arguments)

    def put(self, cache, path, name):
        return self.fetch("put", path, f"{cache.url}/app/ssn/{name}", output=None)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    return Filled(tmp_path_factory.mktemp("filled"))


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_every_size_is_taken_by_both_dialects(filled):
    assert [(each.code, each.stderr) for each in filled.puts] == [(0, "")] * 2 * len(SIZES)


@pytest.mark.parametrize("dialect", ["0.6", "0.5"])
@pytest.mark.parametrize("layout", ["one", "batches"])
@pytest.mark.parametrize("body", ["none", "lz4", "zstd"])
def test_what_anybody_stored_is_got_with_its_digest(filled, fetch, tmp_path, body, layout, dialect):
    """By flame-fetch in one run, of which each URL has its digest; ours by pyarrow too."""
    with filled.serve("--body", body, "--layout", layout, "--dialect", dialect) as cache:
        (tmp_path / "urls").write_text("".join(f"{cache.url}/app/ssn/{name}\n"
                                               for name in filled.digests))
        outcome = fetch("-i", tmp_path / "urls", "--parallel", "2", output=None)
        assert (outcome.code, outcome.stderr) == (0, "")
        got = {name: digest_of(outcome.place / name) for name in outcome.files}
        assert got == filled.digests
        for name in outcome.files:
            (outcome.place / name).unlink()
        client = Client(cache.url)
        for size in SIZES:
            name = f"ours{dialect}-{size}"
            assert hashlib.sha256(client.data(f"app/ssn/{name}")).hexdigest() == \
                filled.digests[name]
        client.close()


@pytest.mark.parametrize("dialect", ["0.6", "0.5"])
@pytest.mark.parametrize("layout", ["one", "batches"])
def test_flamepys_values_are_files_unless_patched_or_tables(filled, fetch, layout, dialect):
    with filled.serve("--layout", layout, "--dialect", dialect) as cache:
        client = Client(cache.url)
        for name in ("object", "text", "array", "updated"):
            fetch(f"{cache.url}/{filled.values[name]}").succeeded(client.data(filled.values[name]))
        fetch(f"{cache.url}/{filled.values['patched']}").failed("UNSUPPORTED", "patches")
        fetch(f"{cache.url}/{filled.values['table']}").failed("UNSUPPORTED", "arrow table")
        client.close()


def test_what_flamepy_deletes_is_gone_and_what_we_remove_is_too(filled, fetch, tmp_path):
    with Cache() as cache:
        for name in ("one", "two", "three"):
            (tmp_path / name).write_bytes(name.encode())
            assert filled.put(cache, tmp_path / name, name).code == 0
        fetch(f"{cache.url}/app/ssn/one").succeeded(b"one")
        run_flamepy('cache.delete_objects("app/ssn/one"); tell()', cache.url, tmp_path)
        fetch(f"{cache.url}/app/ssn/one").failed("NOT_FOUND", "app/ssn/one")
        assert fetch("rm", f"{cache.url}/app/ssn/two", output=None).code == 0
        client = Client(cache.url)
        with pytest.raises(KeyError):
            client.get("app/ssn/two")
        assert client.data("app/ssn/three") == b"three"
        client.close()
