# SPDX-License-Identifier: Apache-2.0
"""Calls of the SDK, each in a process of its own."""
import os
import pathlib
import subprocess

BINARY_DIR = pathlib.Path(os.environ["FLAME_BINARY_DIR"])
DRIVER = BINARY_DIR / "bin" / "sdk_driver"
PLUGINS = BINARY_DIR / "lib" / "flame" / "plugins"
SUPPRESSIONS = pathlib.Path(os.environ["FLAME_SOURCE_DIR"]) / "tests/grpc/lsan.supp"


class Said(dict):
    """What a call printed; lines of a listing are pairs (name, size)."""

    def __init__(self, text):
        super().__init__()
        self.listed = {}
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if name in ("package", "object"):
                size, _, what = value.partition(" ")
                self.listed[what] = int(size)
            else:
                self[name] = value

    def ok(self):
        assert self["status"] == "OK", dict(self)
        return self

    def failed(self, status, *words):
        assert self["status"] == status, dict(self)
        assert self["message"].isprintable(), dict(self)
        for word in words:
            assert word in self["message"], dict(self)
        return self


def environment(variables):
    """Ours without what a context would read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLAME_C")}
    return kept | {"LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0"} | variables


def argv(call, **values):
    words = {name: value for name, value in ({"plugins": PLUGINS} | values).items() if value is not None}
    return [DRIVER, call,
            *(os.fsencode(f"{name}=") + (value if isinstance(value, bytes) else os.fsencode(str(value)))
              for name, value in words.items())]


def sdk(call, variables=None, stdin="", timeout=120, **values):
    done = subprocess.run(argv(call, **values), capture_output=True, timeout=timeout, check=False,
                          input=stdin.encode(), env=environment(variables or {}))
    assert done.returncode == 0 and not done.stderr, (done.returncode, done.stderr.decode()[-5000:])
    text = done.stdout.decode()
    return text.partition("status=")[0] if call == "keys" else Said(text)
