# SPDX-License-Identifier: Apache-2.0
"""The built flame-devcache, and clients that do not hide what it says."""
import os
import pathlib
import signal
import subprocess
import time

from support.peers import require_module

PROGRAM = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "flame-devcache"
SUPPRESSIONS = pathlib.Path(__file__).parent / "leaks.supp"
SERVICE = "/arrow.flight.protocol.FlightService/"


def run(*arguments):
    """A run that ends by itself."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False)


class Cache:
    """A running cache; close() ends it as an operator would and wants a clean end."""

    def __init__(self, *arguments):
        environment = os.environ | {"LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0"}
        self.process = subprocess.Popen(
            [PROGRAM, "--port", "0", *map(str, arguments)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment)
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate(timeout=30)[1]
        self.port = int(self.url.rpartition(":")[2])

    def close(self, how=signal.SIGTERM):
        if self.process.returncode is not None:
            return
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0 and not said, (self.process.returncode, said[:9000])

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=60)

    def memory(self):
        """Bytes of its own, not those of files: RssAnon."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
        raise AssertionError("no RssAnon")

    def peak(self):
        """The largest resident set that it ever had."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        raise AssertionError("no VmHWM")


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


def wait_for_no_drafts(storage):
    """What is refused is answered first, and then cleared away."""
    end = time.monotonic() + 30
    while list(storage.glob(".new-*")):
        assert time.monotonic() < end, "a draft stays"
        time.sleep(0.01)


def field(number, data):
    """A protobuf field of bytes, shorter than 128."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def path_descriptor(key):
    return b"\x08\x01" + field(3, key.encode())


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
