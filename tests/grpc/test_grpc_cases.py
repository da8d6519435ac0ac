# SPDX-License-Identifier: Apache-2.0
"""The fault cases 70 to 78 by the program: the right exit code, one line, in time, nothing left.
(test_grpc_faults.py tries the plugin alone, at more places.)"""
import signal
import struct
import threading
import time

import pytest

from devcache.cache import Cache
from flight.driver import encode, stream
from support.peers import require_module
from support.program import SANITIZE, outcome_of
from support.raw_flight import messages, saying
from support.statuses import EXIT

SOON = 3.0 if SANITIZE else 1.0
pytestmark = pytest.mark.usefixtures("one_try")


@pytest.fixture
def says(raw):
    """The URL of a server that says this: see saying()."""
    return lambda *what, **how: raw(saying(*what, **how)).url()


def test_70_ok_in_trailers_alone_is_no_empty_file(fetch, says, frames):
    fetch(says([])).failed("TRUNCATED")
    fetch(says(frames[:1])).failed("NOT_FOUND")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_71_a_status_after_data_is_a_failure(fetch, says, frames, count):
    fetch(says(frames[:count], 13, "disk full")).failed("REMOTE", "disk full")


@pytest.mark.parametrize("end", [lambda asked: asked.drop(), lambda asked: asked.drop(True),
                                 lambda asked: asked.reset(2)], ids=["closed", "reset", "stream"])
@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_72_a_stream_without_trailers_is_no_file(fetch, says, frames, count, end):
    """Also when all rows had come. What had not been handed out is lost with the connection, so
    the program may not know that there was any."""
    outcome = fetch(says(frames[:count], end=end))
    assert outcome.code in {EXIT[name] for name in ("TRUNCATED", "NETWORK", "PROTOCOL")}
    assert outcome.files == [] and len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments, word", [
    (["--option", "message_max=1M"], "message_max"), (["--max-filesize", "1M"], "too large")])
def test_73_a_message_over_the_limit_is_told(fetch, says, tmp_path, arguments, word):
    sent = messages(encode(bytes(2 << 20), tmp_path, "none", 0, 1, "kind"))
    fetch(*arguments, says(list(sent))).failed("LIMIT", word)


def damaged(message, old, new):
    assert old in message
    return message.replace(old, new, 1)


DAMAGE = {
    "a continuation": lambda row: row[:3] + b"\xff\xff\xff\xff" + row[7:],
    "a length below 0": lambda row: damaged(row, struct.pack("<q", 1000), struct.pack("<q", -1000)),
    "a length past the end": lambda row: damaged(row, struct.pack("<q", 1000),
                                                 struct.pack("<q", 1 << 40)),
    "an offset past the end": lambda row: damaged(row, struct.pack("<ii", 0, 1000),
                                                  struct.pack("<ii", 0, 1 << 30)),
    "an offset below 0": lambda row: damaged(row, struct.pack("<ii", 0, 1000),
                                             struct.pack("<ii", -8, 1000)),
    "offsets that fall": lambda row: damaged(row, struct.pack("<ii", 0, 1000),
                                             struct.pack("<ii", 900, 1)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_74_damaged_rows_are_refused(fetch, says, frames, damage):
    fetch(says([frames[0], damage(frames[1]), *frames[2:]])).failed("PROTOCOL")


def columns(pa):
    version, data = pa.array([1, 1], pa.uint64()), pa.array([b"a", b"b"], pa.binary())
    return {
        "no data": {"version": version}, "no version": {"data": data},
        "data first": {"data": data, "version": version},
        "version of another type": {"version": version.cast(pa.int32()), "data": data},
        "data of another type": {"version": version, "data": pa.array(["a", "b"])},
        "a row without a value": {"version": version, "data": pa.array([b"a", None], pa.binary())},
        "a row without a version": {"version": pa.array([1, None], pa.uint64()), "data": data},
        "nothing of ours": {"x": version},
    }


def of_pyarrow(*batches):
    return list(messages(stream(require_module("pyarrow"), batches)))


def test_74_other_columns_are_no_file(fetch, says):
    """That is no fault of the protocol: a table of somebody else is one too."""
    pa = require_module("pyarrow")
    require_module("pyarrow.ipc")
    for name, named in columns(pa).items():
        outcome = fetch(says(of_pyarrow(pa.RecordBatch.from_pydict(named))))
        assert (outcome.code, outcome.files) == (EXIT["UNSUPPORTED"], []), (name, outcome.stderr)


def test_74_large_binary_and_bitmaps_are_read(fetch, says, tmp_path):
    for words in (["wide"], ["bitmaps"], ["kind", "bitmaps", "wide"]):
        sent = messages(encode(b"x" * 3000, tmp_path, "none", 1000, 1, *words))
        fetch(says(list(sent))).succeeded(b"x" * 3000)


@pytest.mark.parametrize("words", [["kind"], ["wide"], []], ids=["same", "wide", "no-kind"])
def test_75_a_second_schema_is_refused(fetch, says, frames, tmp_path, words):
    other = list(messages(encode(bytes(1000), tmp_path, "none", 1000, 1, *words)))
    fetch(says([*frames[:2], *other])).failed("PROTOCOL", "schema")


def test_75_rows_of_another_schema_are_refused(fetch, says, frames, tmp_path):
    other = list(messages(encode(bytes(1000), tmp_path, "none", 1000, 1)))
    fetch(says([*frames[:2], other[1]])).failed("PROTOCOL")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_76_a_signal_in_the_middle_ends_it_at_once(fetch, says, frames, count, number):
    sent, over = threading.Event(), threading.Event()

    def hold(_):
        sent.set()
        over.wait(60)

    child = fetch.start(says(frames[:count], end=hold))
    assert sent.wait(30)
    begin = time.monotonic()
    child.send_signal(number)
    outcome = outcome_of(child)
    assert time.monotonic() - begin < SOON
    over.set()
    assert (outcome.code, outcome.files) == (128 + number, []), outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_77_a_server_without_tls_is_told_as_one(fetch):
    with Cache() as server:
        fetch(server.url.replace("grpc:", "grpcs:") + "/a/b/c").failed("TLS", "does not speak tls")


def test_78_empty_batches_without_end_are_refused(fetch, raw, tmp_path):
    schema, empty = messages(encode(b"", tmp_path, "none", 0, 1, "kind"))
    many = (b"\0" + len(empty).to_bytes(4, "big") + empty) * 100

    def answer(asked):
        asked.receive_all()
        asked.send(schema)
        while True:
            asked.send_bytes(many)
    fetch(raw(answer).url()).failed("PROTOCOL", "without bytes")
