# SPDX-License-Identifier: Apache-2.0
"""The little of BSON (bsonspec.org) that the cache's references are made of."""
import struct


def reference(endpoint, key, version):
    def text(name, value):
        value = value.encode() + b"\0"
        return b"\2" + name + b"\0" + struct.pack("<i", len(value)) + value

    body = text(b"endpoint", endpoint) + text(b"key", key) + \
        b"\x12version\0" + struct.pack("<q", version) + b"\0"
    return struct.pack("<i", len(body) + 4) + body
