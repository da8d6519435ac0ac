# SPDX-License-Identifier: Apache-2.0
"""A directory keeps what was stored: over an end, over a kill, and nothing else is touched."""
import itertools
import os
import random
import re
import shutil
import threading

import pytest

from devcache.cache import run, wait_for_no_drafts
from faults.tracing import environment
from support.peers import require_program

MIB = 1 << 20
LAST = (1 << 63) - 1
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,47}-[0-9a-f]{32}\.flame")
KEYS = ["app/ssn/model.tgz", "app/ssn/.hidden", "app/./dot", "a/b/" + "n" * 900, "ä/ö/ü ß",
        "app/ssn/con|nul?*", "-/-/-rf", "a/b/%2e%2e%2f"]


def test_a_restart_keeps_everything(cache, client, tmp_path):
    running = cache("--storage", tmp_path / "s")
    one = client(running)
    for number, key in enumerate(KEYS):
        one.put(key, b"first")
        one.put(key, key.encode() * number)
    one.patch(KEYS[0], b"patch")
    before = {key: one.rows(key) for key in KEYS}
    running.close()
    one = client(cache("--storage", tmp_path / "s"))
    assert {key: one.rows(key) for key in KEYS} == before
    assert before[KEYS[0]] == [(2, "base", b""), (3, "patch", b"patch")]
    assert one.put(KEYS[0], b"")["version"] == 4


def test_only_harmless_names_of_one_folder_are_used(cache, client, tmp_path):
    (tmp_path / "s").mkdir()
    one = client(cache("--storage", tmp_path / "s"))
    for key in KEYS:
        one.put(key, b"x")
    for key in ("../x/y", "a/../../b", "/etc/passwd", "a/b/../../../../x", "..", "a\\..\\b/c/d",
                "a/b/c\0d", "a/b/..", "./../x/y"):
        for way in (one.put, one.patch):
            with pytest.raises((one.pa.ArrowInvalid, KeyError, ValueError)):
                way(key, b"x")
    assert os.listdir(tmp_path) == ["s"]
    wait_for_no_drafts(tmp_path / "s")
    names = os.listdir(tmp_path / "s")
    assert len(names) == len(KEYS) and all(NAME.fullmatch(name) for name in names), names
    assert any(name.startswith("model.tgz-") for name in names)
    for key in KEYS:
        one.delete(key)
    assert os.listdir(tmp_path / "s") == []


def test_a_file_begins_with_the_package_itself(cache, client, tmp_path):
    client(cache("--storage", tmp_path / "s")).put("a/b/c", b"the bytes")
    (path,) = (tmp_path / "s").iterdir()
    assert path.read_bytes().startswith(b"the bytes") and path.stat().st_mode & 0o777 == 0o600


def test_one_directory_has_one_server(cache, tmp_path):
    cache("--storage", tmp_path)
    done = run("--storage", tmp_path, "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "flame-devcache: another server has the storage directory open\n"


def test_other_files_are_passed_over_and_left_alone(cache, client, tmp_path):
    running = cache("--storage", tmp_path / "s")
    client(running).put("a/b/c", b"x" * 1000)
    running.close()
    (real,) = (tmp_path / "s").iterdir()
    whole = real.read_bytes()
    digest = "-" + "0" * 32 + ".flame"
    made = {"empty" + digest: b"", "short" + digest: whole[-8:], "moved" + digest: whole,
            "cut" + digest: whole[1:], "readme.txt": b"hello", ".flame": b"",
            ".new-notes": b"a stranger's", ".new-": b"", ".new-1x": b"also his"}
    for name, data in made.items():
        (tmp_path / "s" / name).write_bytes(data)
    os.mkfifo(tmp_path / "s" / ("fifo" + digest))
    (tmp_path / "s" / ("link" + digest)).symlink_to("/etc/passwd")
    (tmp_path / "s" / ("dir" + digest)).mkdir()
    (tmp_path / "s" / ".new-0").write_bytes(b"left by a kill")
    before = sorted(os.listdir(tmp_path / "s"))
    again = cache("--storage", tmp_path / "s")
    assert client(again).data("a/b/c") == b"x" * 1000
    assert again.end() == "flame-devcache: 7 files in the storage are no objects\n"
    before.remove(".new-0")
    assert sorted(os.listdir(tmp_path / "s")) == before
    assert all((tmp_path / "s" / name).read_bytes() == data for name, data in made.items())


def test_an_object_of_the_last_version_stays_as_it_is(cache, client, tmp_path):
    """A file says that it is; the next one could not be told, nor read again."""
    running = cache("--storage", tmp_path / "s")
    client(running).put("a/b/c", b"the bytes")
    running.close()
    (path,) = (tmp_path / "s").iterdir()
    head = len(b"the bytes") + 16 + 8  # what record.h and record.c put before it
    whole = path.read_bytes()
    assert whole[head:head + 8] == (1).to_bytes(8, "little")
    path.write_bytes(whole[:head] + LAST.to_bytes(8, "little") + whole[head + 8:])
    one = client(cache("--storage", tmp_path / "s"))
    for way in (one.put, one.patch):
        with pytest.raises(Exception, match="the object has no version left"):
            way("a/b/c", b"new")
    assert one.rows("a/b/c") == [(LAST, "base", b"the bytes")]
    one.delete("a/b/c")
    assert one.put("a/b/c", b"new")["version"] == 1


@pytest.mark.parametrize("turn", range(6))
def test_a_kill_leaves_the_old_object_or_the_new_one(cache, client, tmp_path, turn):
    """The kill comes at some moment of many stores; each is a whole object of one letter."""
    running = cache("--storage", tmp_path / "s")
    one = client(running)
    one.put("a/b/c", b"0" * MIB)
    one.put("a/b/p", b"0" * MIB)
    done = []

    def store():
        try:
            for letter in range(65, 91):
                one.put("a/b/c", *[bytes([letter]) * MIB] * (1 + letter % 3))
                one.patch("a/b/p", bytes([letter]) * MIB)
                done.append(letter)
        except Exception:
            pass

    thread = threading.Thread(target=store)
    thread.start()
    wanted = turn * 2
    while thread.is_alive() and len(done) < wanted:
        thread.join(0.001)
    thread.join(random.Random(turn).random() * 0.02)
    running.kill()
    thread.join()
    one = client(cache("--storage", tmp_path / "s"))
    got = one.data("a/b/c")
    letter = got[0]
    assert got == bytes([letter]) * (MIB * (1 if letter == 48 else 1 + letter % 3))
    last = done[-1] if done else 64
    assert letter in (48, last, last + 1) if last == 64 else letter in (last, last + 1)
    rows = one.rows("a/b/p")
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert all(len(row[2]) == MIB and row[2] == row[2][:1] * MIB for row in rows)
    assert len(rows) in (len(done) + 1, len(done) + 2)
    assert not [name for name in os.listdir(tmp_path / "s") if not NAME.fullmatch(name)]


@pytest.mark.parametrize("storage", ["memory", "directory"])
@pytest.mark.parametrize("layout", ["one", "batches"])
def test_who_reads_the_old_object_goes_on_reading_it(cache, client, layout, storage, tmp_path):
    where = ["--storage", tmp_path / "s"] if storage == "directory" else []
    one = client(cache("--layout", layout, "--body", "none", *where))
    data = b"".join(bytes([n]) * MIB for n in range(40))
    one.put("a/b/c", data)
    reader = one.client.do_get(one.flight.Ticket(b"a/b/c:0"))
    first = reader.read_chunk().data
    one.put("a/b/c", b"new")
    one.delete("a/b/c")
    table = one.pa.Table.from_batches([first, *reader.read_all().to_batches()])
    assert b"".join(table["data"].to_pylist()) == data
    with pytest.raises(KeyError):
        one.get("a/b/c")


@pytest.mark.parametrize("storage", ["memory", "directory"])
def test_what_is_over_the_bound_is_refused_and_forgotten(cache, client, storage, tmp_path):
    where = ["--storage", tmp_path / "s"] if storage == "directory" else []
    one = client(cache("--max-bytes", "4M", *where))
    one.put("a/b/c", b"x" * (3 * MIB))
    for way in (one.put, one.patch):
        with pytest.raises(Exception, match="the storage is full"):
            way("a/b/c", b"y" * (2 * MIB))
    assert one.rows("a/b/c") == [(1, "base", b"x" * (3 * MIB))]
    one.delete("a/b/c")
    for _ in range(3):
        one.put("a/b/c", b"z" * (2 * MIB))
    assert one.data("a/b/c") == b"z" * (2 * MIB)


def test_a_storage_that_is_gone_is_told(cache, client, tmp_path):
    running = cache("--storage", tmp_path / "s")
    one = client(running)
    one.put("a/b/c", b"x")
    shutil.rmtree(tmp_path / "s")
    with pytest.raises(Exception, match="could not begin an object"):
        one.put("a/b/d", b"x")
    with pytest.raises(Exception, match="could not open an object"):
        one.get("a/b/c")


@pytest.mark.parametrize("place, words", [
    ("/proc/nothing/here", "could not make the storage directory: No such file or directory"),
    ("/etc/passwd", "could not open the storage directory: Not a directory")])
def test_a_storage_that_cannot_be_is_told(place, words):
    done = run("--storage", place, "--port", "0")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"flame-devcache: {words}\n")


# ---- what it asks of the kernel -----------------------------------------------------------------

def strace(log, *arguments):
    """For Cache and run(): the program stays a child of ours, and LeakSanitizer is off."""
    return {"wrapper": [require_program("strace"), "-D", "-f", "-q", "-s", "4096", "-o", log,
                        *arguments],
            "ASAN_OPTIONS": environment()["ASAN_OPTIONS"]}


def completed(log):
    """(name, arguments) of each call, in the order of their ends, but what is sent when it begins:
    from then on a client may know it."""
    begun = {}
    for line in log.read_text(errors="replace").splitlines():
        pid, _, call = line.partition(" ")
        name, _, arguments = call.strip().partition("(")
        if call.strip().startswith("<... "):
            name = call.strip()[5:].partition(" ")[0]
            arguments = begun.pop((pid, name))
        elif call.endswith("<unfinished ...>"):
            begun[pid, name] = arguments
            if name != "sendmsg":
                continue
        elif not arguments:
            continue
        if name != "sendmsg" or "resumed>" not in call:
            yield name, arguments


def deed(name, arguments):
    """What a call means to an object; None = nothing."""
    if name in ("pwritev", "fdatasync", "fsync"):
        return {"pwritev": "write", "fdatasync": "flush", "fsync": "settle"}[name]
    if name == "renameat":
        return "name"
    if name == "unlinkat":
        return None if '".new-' in arguments else "remove"
    return "answer" if "a/b/c" in arguments or r"\n\2OK" in arguments else None


def test_durable_is_what_was_stored_or_deleted_before_the_client_knows(cache, client, tmp_path):
    """Bytes are flushed, then the record, before the file has its name; then the folder."""
    traced = strace(tmp_path / "log", "-e", "trace=pwritev,fdatasync,fsync,renameat,unlinkat,sendmsg")
    running = cache("--storage", tmp_path / "s", "--sync", "--threads", "1", **traced)
    one = client(running)
    assert one.put("a/b/c", b"x")["version"] == 1
    assert one.patch("a/b/c", b"y")["version"] == 2
    assert one.delete("a/b/c") == [b"OK"]
    one.close()
    running.close()
    done = filter(None, (deed(*call) for call in completed(tmp_path / "log")))
    stored = ["write", "flush", "write", "flush", "name", "settle", "answer"]
    assert [each for each, _ in itertools.groupby(done)] == [
        *stored, *stored, "remove", "settle", "answer"]


def test_a_storage_that_cannot_be_locked_is_told(tmp_path):
    """Which is not the fault of another server."""
    done = run("--storage", tmp_path / "s", "--port", "0", **strace(
        tmp_path / "log", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK"))
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "flame-devcache: could not lock the storage directory: No locks available\n")


def test_a_storage_that_cannot_be_read_to_its_end_is_told(cache, client, tmp_path):
    """Served without what was not seen, an object would be stored again as version 1."""
    running = cache("--storage", tmp_path / "s")
    client(running).put("a/b/c", b"x")
    running.close()
    done = run("--storage", tmp_path / "s", "--port", "0", **strace(
        tmp_path / "log", "-e", "trace=getdents64", "-e", "inject=getdents64:error=EIO:when=2"))
    assert "(INJECTED)" in (tmp_path / "log").read_text()
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "flame-devcache: could not read the storage directory: Input/output error\n")
