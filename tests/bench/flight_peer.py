#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Flame's users have in the place of flame-fetch, for the bench: pyarrow's Flight server and
client, and flamepy. Runs in packaging/setup.sh's environment (build/venv).

    flight_peer.py serve FILE            prints its port; keys app/ssn/batches and app/ssn/one
    flight_peer.py get URL KEY OUT       as flamepy's get_object reads, and into a file
    flight_peer.py stream URL KEY OUT    as flamepy's download_object would, if it could
    flight_peer.py put URL KEY FILE      flamepy's upload_object
    flight_peer.py imports pyarrow|flamepy    only what these cost before they begin"""
import os
import pathlib
import struct
import sys

import pyarrow as pa
from pyarrow import flight

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from support.bson import reference  # noqa: E402

MIB = 1 << 20
SCHEMA = pa.schema([pa.field("version", pa.uint64(), False), pa.field("kind", pa.string(), False),
                    pa.field("data", pa.binary(), False)])
NO_LIMITS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def row(data):
    """A batch of one row whose bytes stay where they are."""
    offsets = pa.py_buffer(struct.pack("<ii", 0, data.size))
    return pa.RecordBatch.from_arrays(
        [pa.array([1], pa.uint64()), pa.array(["base"]),
         pa.Array.from_buffers(pa.binary(), 1, [None, offsets, data])], schema=SCHEMA)


class Server(flight.FlightServerBase):
    """Serves one file, and forgets the bytes that it is given: neither costs it memory."""

    def __init__(self, path):
        super().__init__("grpc://127.0.0.1:0")
        self.file = pa.memory_map(path).read_buffer()
        self.sizes = {}

    def do_get(self, context, ticket):
        key, _, version = ticket.ticket.decode().partition(":")
        if version != "0":
            return flight.GeneratorStream(SCHEMA, iter([]))
        step = MIB if key.endswith("/batches") else max(self.file.size, 1)
        return flight.GeneratorStream(SCHEMA, (row(self.file[at:at + step])
                                               for at in range(0, self.file.size, step)))

    def do_put(self, context, descriptor, reader, writer):
        key, size = descriptor.path[0].decode(), 0
        for chunk in reader:
            column = chunk.data.column(1)
            size += sum(len(value.as_buffer()) for value in column)
        self.sizes[key] = size
        writer.write(pa.py_buffer(reference(f"grpc://127.0.0.1:{self.port}", key, 1)))

    def do_action(self, context, action):
        self.sizes.pop(action.body.to_pybytes().decode(), None)
        return [b"OK"]

    def list_flights(self, context, criteria):
        for key, size in self.sizes.items():
            endpoint = flight.FlightEndpoint(key.encode(), [f"grpc://127.0.0.1:{self.port}"])
            yield flight.FlightInfo(SCHEMA, flight.FlightDescriptor.for_path(key), [endpoint], -1,
                                    size)


def serve(path):
    server = Server(path)
    print(server.port, flush=True)
    server.serve()


def ask(url, key):
    return flight.FlightClient(url, generic_options=NO_LIMITS).do_get(flight.Ticket(f"{key}:0"))


def get(url, key, path):
    table = ask(url, key).read_all()
    with open(path, "wb") as out:
        for value in table.column("data"):
            out.write(value.as_py())


def stream(url, key, path):
    with open(path, "wb") as out:
        for chunk in ask(url, key):
            for value in chunk.data.column("data"):
                out.write(value.as_py())


def put(url, key, path):
    os.environ |= {"FLAME_CACHE_ENDPOINT": url, "FLAME_ENDPOINT": "http://127.0.0.1:1"}
    from flamepy.core.cache import upload_object
    upload_object(key, path)


def imports(what):
    if what == "flamepy":
        import flamepy.core.cache  # noqa: F401


if __name__ == "__main__":
    VERBS = {"serve": serve, "get": get, "stream": stream, "put": put, "imports": imports}
    VERBS[sys.argv[1]](*sys.argv[2:])
