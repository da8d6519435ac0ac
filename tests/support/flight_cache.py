# SPDX-License-Identifier: Apache-2.0
"""An object cache on pyarrow's Flight server: a peer whose gRPC, protobuf and Arrow nobody here
wrote. By itself it is a program, for tests that stop it:

    flight_cache.py [PAUSE]   prints its port, and a line when it is asked; serves until its input
                              ends"""
import pathlib
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from support.bson import reference  # noqa: E402
from support.peers import require_module  # noqa: E402

MIB = 1 << 20


class Knobs:
    """How the cache answers; a test sets what it needs."""
    codec = "zstd"         # None, "lz4", "zstd"
    layout = "one"         # "rows": of 100 KiB in one batch; "batches": one row each, of 1 MiB
    has_kind = True        # 0.6
    is_wide = False        # large_binary
    one_row_only = False   # 0.5: refuses a second row
    forgets = False        # confirms, and keeps nothing
    says_nothing = False   # stores without a result
    slow_put = 0.0         # seconds for each batch
    pause = 0.0            # after the schema, before the rows
    asked = None           # called when an object is asked for


def start_cache(location="grpc://127.0.0.1:0", **options):
    """The server, with `objects` (key -> (version, bytes)), `knobs`, `seen`; to be shut down."""
    pa, flight = require_module("pyarrow"), require_module("pyarrow.flight")

    class Cache(flight.FlightServerBase):
        def __init__(self):
            super().__init__(location, **options)
            self.objects, self.knobs, self.seen, self.counter = {}, Knobs(), [], 0

        def url(self, key="app/session/object", scheme="grpc", host="127.0.0.1"):
            return f"{scheme}://{host}:{self.port}/{key}"

        def put(self, data, key="app/session/object", version=1):
            self.objects[key] = (version, data)
            return self.url(key)

        # ---- reading ----

        def _schema(self):
            columns = [pa.field("version", pa.uint64(), False)]
            if self.knobs.has_kind:
                columns.append(pa.field("kind", pa.string(), False))
            kind = pa.large_binary() if self.knobs.is_wide else pa.binary()
            return pa.schema([*columns, pa.field("data", kind, False)])

        def _batch(self, rows, version):
            columns = [[version] * len(rows), rows]
            if self.knobs.has_kind:
                columns.insert(1, ["base"] * len(rows))
            schema = self._schema()
            return pa.RecordBatch.from_arrays(
                [pa.array(values, field.type) for values, field in zip(columns, schema)],
                schema=schema)

        def _batches(self, version, data):
            size = {"one": max(len(data), 1), "rows": 100 * 1024, "batches": MIB}[self.knobs.layout]
            rows = [data[at:at + size] for at in range(0, len(data), size)] or [b""]
            if self.knobs.layout == "batches":
                return [self._batch([row], version) for row in rows]
            return [self._batch(rows, version)]

        def do_get(self, context, ticket):
            self.seen.append(("get", ticket.ticket.decode()))
            if self.knobs.asked:
                self.knobs.asked()
            key, _, asked = ticket.ticket.decode().partition(":")
            if key not in self.objects:
                raise KeyError(f"object <{key}> not found")
            version, data = self.objects[key]
            batches = [] if int(asked or 0) == version else self._batches(version, data)
            options = pa.ipc.IpcWriteOptions(compression=self.knobs.codec)

            def stream():
                time.sleep(self.knobs.pause)
                yield from batches

            return flight.GeneratorStream(self._schema(), stream() if self.knobs.pause
                                          else iter(batches), options=options)

        # ---- writing ----

        def do_put(self, context, descriptor, reader, writer):
            key, rows = descriptor.path[0].decode(), []
            assert reader.schema.names == ["version", "data"], reader.schema
            for chunk in reader:
                time.sleep(self.knobs.slow_put)
                rows += chunk.data.column(1).to_pylist()
                self.seen.append(("row", len(rows[-1])))
                if self.knobs.one_row_only and len(rows) > 1:
                    raise pa.ArrowInvalid("Expected exactly one row")
            if context.is_cancelled():  # pyarrow takes it for the end of the stream
                return
            if not rows:
                raise pa.ArrowInvalid("No data received")
            if key.count("/") == 1:
                self.counter += 1
                key += f"/made-{self.counter}"
            version = self.objects.get(key, (0,))[0] + 1
            self.seen.append(("put", key, len(rows)))
            if not self.knobs.forgets:
                self.objects[key] = (version, b"".join(rows))
            if not self.knobs.says_nothing:
                writer.write(pa.py_buffer(
                    reference(f"grpc+tls://elsewhere.test:{self.port}", key, version)))

        def do_action(self, context, action):
            self.seen.append((action.type, action.body.to_pybytes().decode()))
            if action.type != "DELETE":
                raise pa.ArrowInvalid(f"Unknown action type: {action.type}")
            key = action.body.to_pybytes().decode().removesuffix("*").rstrip("/")
            for name in list(self.objects):
                if name == key or name.startswith(key + "/"):
                    del self.objects[name]
            return [b"OK"]

        def list_flights(self, context, criteria):
            self.seen.append(("list", criteria))
            for key, (_, data) in self.objects.items():
                endpoint = flight.FlightEndpoint(key.encode(), [f"grpc://127.0.0.1:{self.port}"])
                yield flight.FlightInfo(self._schema(), flight.FlightDescriptor.for_path(key),
                                        [endpoint], -1, len(data))

    return Cache()


if __name__ == "__main__":
    CACHE = start_cache()
    CACHE.put(b"hello" * MIB)
    CACHE.knobs.layout, CACHE.knobs.codec = "batches", None
    CACHE.knobs.pause = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    CACHE.knobs.asked = lambda: print("asked", flush=True)
    print(CACHE.port, flush=True)
    sys.stdin.read()
