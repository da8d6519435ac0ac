# SPDX-License-Identifier: Apache-2.0
"""The built flight_driver, and FlightData for those who have no gRPC: framed, in pieces."""
import json
import os
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).parent
PROGRAM = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "flight_driver"


def driver(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=240,
                          check=False)
    assert done.returncode == 0, (arguments, done.stderr.decode(errors="replace"))
    return done.stdout


def decode(frames, directory, piece=0):
    """What our reader says of frames, and the bytes that it gave away."""
    (directory / "frames").write_bytes(frames)
    said = json.loads(driver("decode", directory / "frames", directory / "out", piece))
    return said, (directory / "out").read_bytes()


def encode(data, directory, codec="none", row_size=0, version=1, *words):
    """The frames that our writer makes of a file."""
    (directory / "file").write_bytes(data)
    driver("encode", directory / "file", directory / "frames", codec, row_size, version, *words)
    return (directory / "frames").read_bytes()


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def frame(message):
    return b"\0" + struct.pack(">I", len(message)) + message


def flight_data(header, body):
    """A FlightData as pyarrow would send it."""
    message = b"\x12" + varint(len(header)) + header
    if body:
        message += b"\xc2\x3e" + varint(len(body)) + body
    return frame(message)


def parts(frames):
    """(header, body) of each FlightData in frames."""
    at = 0
    while at < len(frames):
        size = struct.unpack(">I", frames[at + 1:at + 5])[0]
        message, at = frames[at + 5:at + 5 + size], at + 5 + size
        fields, position = {2: b"", 1000: b""}, 0
        while position < len(message):
            tag, position = read_varint(message, position)
            length, position = read_varint(message, position)
            fields[tag >> 3] = message[position:position + length]
            position += length
        yield fields[2], fields[1000]


def ipc_stream(frames):
    """The same as an Arrow IPC stream (a file that any Arrow library opens)."""
    out = bytearray()
    for header, body in parts(frames):
        padded = header + bytes(-len(header) % 8)
        out += struct.pack("<iI", -1, len(padded)) + padded + body
    return bytes(out) + struct.pack("<iI", -1, 0)


def stream(pa, batches, **options):
    """The frames that pyarrow would send for these batches."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema,
                           options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    frames = b""
    for message in pa.ipc.MessageReader.open_stream(sink.getvalue()):
        body = message.body.to_pybytes() if message.body is not None else b""
        frames += flight_data(message.metadata.to_pybytes(), body)
    return frames
