# SPDX-License-Identifier: Apache-2.0
"""The built flame-devcache, and clients that do not hide what it says."""
import concurrent.futures
import os
import pathlib
import re
import select
import signal
import subprocess
import time

from flight.driver import HERE, flight_data, parts, varint
from support.peers import require_module

PROGRAM = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "flame-devcache"
SUPPRESSIONS = pathlib.Path(__file__).parents[1] / "support" / "lsan.supp"
GOLDEN = HERE / "golden"
SERVICE = "/arrow.flight.protocol.FlightService/"


def run(*arguments, wrapper=(), **environment):
    """A run that ends by itself."""
    return subprocess.run([*wrapper, PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, env=os.environ | environment)


class Cache:
    """A running cache; close() ends it as an operator would and wants a clean end. As a context it
    ends with it, whatever happens."""

    def __init__(self, *arguments, wrapper=(), **environment):
        leaks = f"suppressions={SUPPRESSIONS}:print_suppressions=0"
        self.process = subprocess.Popen(
            [*wrapper, PROGRAM, "--port", "0", *map(str, arguments)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=os.environ | {"LSAN_OPTIONS": leaks} | environment)
        try:
            self.url = self._first_line()
            self.port = int(self.url.rpartition(":")[2])
        except BaseException:
            self.kill()
            raise

    def _first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        assert ready, "the cache does not say where it listens"
        line = self.process.stdout.readline().strip()
        assert line, self.process.communicate(timeout=30)[1]
        return line

    def end(self, how=signal.SIGTERM):
        """End it cleanly; what it has said on stderr."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, (self.process.returncode, said[:9000])
        return said

    def close(self, how=signal.SIGTERM):
        if self.process.returncode is None:
            said = self.end(how)
            assert not said, said[:9000]

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.close()
        finally:
            if self.process.returncode is None:
                self.kill()

    def memory(self, what="VmHWM"):
        """Bytes, by the name that /proc has for them; the largest resident set that it ever had."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) << 10
        raise AssertionError(f"no {what}")

    def switches(self, name):
        """How often its threads of that name have waited for something."""
        count = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                       (task / "status").read_text(), re.M).group(1))
        return count

    def wait_idle(self):
        """Until it takes no more processor time: what it could do is done."""
        end, before, looks = time.monotonic() + 60, None, 0
        while looks < 20:
            assert time.monotonic() < end, "the cache never rests"
            stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
            now = stat.rpartition(")")[2].split()[11:13]
            looks = looks + 1 if now == before else 0
            before = now
            time.sleep(0.02)


class Raw:
    """Calls by bytes: what goes over the wire and nothing else."""

    def __init__(self, port):
        self.grpc = require_module("grpc")
        self.channel = self.grpc.insecure_channel(f"127.0.0.1:{port}", options=[
            ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
            ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)])

    def call(self, method, *requests, timeout=60):
        """(name of the status, its text, the messages)"""
        streams = method in ("DoPut", "DoExchange", "Handshake")
        path = method if method.startswith("/") else SERVICE + method
        call = (self.channel.stream_stream if streams else self.channel.unary_stream)(path)
        messages = []
        try:
            answer = call(iter(requests) if streams else requests[0], timeout=timeout)
            for message in answer:
                messages.append(message)
        except self.grpc.RpcError as failure:
            return failure.code().name, failure.details(), messages
        return "OK", "", messages

    def close(self):
        self.channel.close()


def at_once(work, count):
    """work(0) ... work(count - 1) in a thread each; their results, or the first that was raised."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def wait_for_no_drafts(storage):
    """What is refused is answered first, and then cleared away."""
    _wait_for_drafts(storage, False, "a draft stays")


def wait_for_a_draft(storage):
    """An upload has come."""
    _wait_for_drafts(storage, True, "no upload has begun")


def _wait_for_drafts(storage, wanted, otherwise):
    end = time.monotonic() + 30
    while any(storage.glob(".new-*")) != wanted:
        assert time.monotonic() < end, otherwise
        time.sleep(0.01)


def field(number, data):
    """A protobuf field of bytes, by a number below 16."""
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def path_descriptor(key):
    return b"\x08\x01" + field(3, key.encode())


def an_upload(key="a/b/c", recorded="old_one"):
    """The messages of an upload, from a recorded answer of the same columns."""
    frames = [flight_data(header, body)[5:]
              for header, body in parts((GOLDEN / f"{recorded}.grpc").read_bytes())]
    return [field(1, path_descriptor(key)) + frames[0], *frames[1:]]


class Client:
    """pyarrow's Flight client, as flamepy uses it."""

    def __init__(self, url, **options):
        self.pa = require_module("pyarrow")
        self.flight = require_module("pyarrow.flight")
        self.url = url
        self.client = self.flight.connect(url, generic_options=[
            ("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1),
            ("grpc.enable_http_proxy", 0)], **options)
        self.schema = self.pa.schema([("version", self.pa.uint64()), ("data", self.pa.binary())])

    def batch(self, row):
        return self.pa.record_batch([self.pa.array([0], self.pa.uint64()),
                                     self.pa.array([row], self.pa.binary())], schema=self.schema)

    def put_batches(self, descriptor, schema, batches):
        """The reference that comes back, decoded."""
        writer, reader = self.client.do_put(descriptor, schema)
        try:
            for batch in batches:
                writer.write_batch(batch)
            writer.done_writing()
            result = reader.read()
        finally:
            writer.close()
        return require_module("bson").decode(result.to_pybytes())

    def put(self, key, *rows):
        return self.put_batches(self.flight.FlightDescriptor.for_path(key), self.schema,
                                [self.batch(row) for row in rows])

    def patch(self, key, row):
        return self.put_batches(self.flight.FlightDescriptor.for_command(f"PATCH:{key}"),
                                self.schema, [self.batch(row)])

    def get(self, key, version=0):
        return self.client.do_get(self.flight.Ticket(f"{key}:{version}")).read_all()

    def rows(self, key, version=0):
        """[(version, kind or None, data)]"""
        table = self.get(key, version).to_pydict()
        kinds = table.get("kind", [None] * len(table["version"]))
        return list(zip(table["version"], kinds, table["data"]))

    def data(self, key):
        return b"".join(self.get(key)["data"].to_pylist())

    def delete(self, key):
        return [result.body.to_pybytes()
                for result in self.client.do_action(self.flight.Action("DELETE", key.encode()))]

    def close(self):
        self.client.close()
