# SPDX-License-Identifier: Apache-2.0
"""One call of a plugin's slot, and what the plugin said (see plugin_call.c)."""
import subprocess

from support.program import BINARY_DIR, clean_environment
from support.statuses import PHASE

PROGRAM = BINARY_DIR / "bin" / "plugin_call"
PLUGINS = BINARY_DIR / "lib" / "flame" / "plugins"
PROOF = {"NONE": "0", "COMPLETE": "1", "VERIFIED": "2"}


class Said(dict):
    """What one call said; texts, by their names."""

    def __getattr__(self, name):
        return self[name]

    def saw(self, phase):
        return bool(int(self["phases"]) >> PHASE[phase] // 10 & 1)

    def failed(self, status, *words):
        """It did, with these words, and called nothing finished."""
        assert self.status == status, self
        assert self.finishes == "0" and self.objects in ("0", "1"), self
        for word in words:
            assert word in self.message, self
        return self


def call_all(plugin, verb, url, timeout=120, **values):
    """One Said for each of `times` calls. Keys with a dot are spelled with two underscores."""
    pairs = [f"{key.replace('__', '.')}={value}" for key, value in values.items()]
    done = subprocess.run([PROGRAM, PLUGINS / f"{plugin}.so", verb, url, *pairs], check=False,
                          capture_output=True, timeout=timeout, env=clean_environment())
    assert done.returncode == 0, done.stderr.decode()
    blocks = done.stdout.decode(errors="backslashreplace").split("\n\n")[:-1]
    said = [Said(line.split("=", 1) for line in block.split("\n")) for block in blocks]
    for each in said:
        assert each.misuse == "", each
    return said


def call(plugin, verb, url, **values):
    return call_all(plugin, verb, url, **values)[0]


def source(size):
    """The bytes of a source of that size."""
    cycle, blocks = bytes(range(251)) * 263, []
    for number, at in enumerate(range(0, size, 65521)):
        start, add = at % 251, number % 256
        block = cycle[start:start + min(65521, size - at)]
        blocks.append(block.translate(bytes((i + add) % 256 for i in range(256))))
    return b"".join(blocks)
