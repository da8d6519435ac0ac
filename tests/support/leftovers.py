# SPDX-License-Identifier: Apache-2.0
"""What a download leaves beside its destination for the next one: the lock, the partial and its
state, as core/src/publish names and writes them."""
import contextlib
import fcntl
import hashlib
import os
import re
import struct
import time

OFD_LOCK = re.compile(r"^lock:.*OFDLCK\s+\S+\s+(READ|WRITE)\s+\S+\s+\S+\s+(\d+)\s", re.MULTILINE)
HIDDEN = re.compile(r"\.flame-(new|tmp)-[0-9a-f]{16}$")
STATE = struct.Struct("=8sQQQQQ40s512s512s160sQQQ")
SLOT = 4096
BOOT = 6


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.005)


def descriptors(pid):
    """(name, fdinfo) of each descriptor of a process; what is closed meanwhile is left out."""
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                name = os.readlink(f"/proc/{pid}/fd/{fd}")
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as info:
                    yield name, info.read()


class Leftovers:
    def __init__(self, place, name="out"):
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self.place, self.name = place, name
        self.lock = place / f".flame-lock-{os.geteuid()}"
        self.byte = 2 * (int(digest, 16) >> 3)
        self.part = place / f".flame-part-{digest}"
        self.state = place / f".flame-part-{digest}.state"

    def names(self):
        return sorted(name for name in os.listdir(self.place) if name != self.name)

    def size(self):
        """Of the partial."""
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def wait_for(self, size, seconds=60):
        end = time.monotonic() + seconds
        while self.size() < size:
            assert time.monotonic() < end, f"{self.size()} bytes were kept: {self.names()}"
            time.sleep(0.005)

    def locks(self, pid):
        """What a process has locked of this destination: WRITE holds it, READ waits for it."""
        kinds = {"WRITE": self.byte, "READ": self.byte + 1}
        return {kind for name, info in descriptors(pid) if name.startswith(str(self.lock))
                for kind, start in OFD_LOCK.findall(info) if int(start) == kinds[kind]}

    def is_held_by(self, child):
        return "WRITE" in self.locks(child.pid)

    def is_awaited_by(self, child):
        return "READ" in self.locks(child.pid)

    def hold(self):
        """As another process would: a descriptor to close, that has the lock."""
        fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        one_byte = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, self.byte, 1, 0)
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, one_byte)
        return fd

    def expect_bounded(self, kills=0):
        """One lock, one partial and its state at most, and one hidden name per kill."""
        known = {self.lock.name, self.part.name, self.state.name}
        others = [name for name in self.names() if name not in known]
        assert all(HIDDEN.match(name) for name in others), others
        assert len(others) <= kills, others

    def change_states(self, change):
        """`change` gets each record's fields as a list; the sums are made anew."""
        data = bytearray(self.state.read_bytes())
        for at in range(0, len(data), SLOT):
            fields = list(STATE.unpack_from(data, at))
            if not fields[0].startswith(b"flpart1"):
                continue
            change(fields)
            record = STATE.pack(*fields)
            data[at:at + len(record) + 32] = record + hashlib.sha256(record).digest()
        self.state.write_bytes(data)

    def fields(self):
        """Of the newest record."""
        data = self.state.read_bytes()
        return max((STATE.unpack_from(data, at) for at in range(0, len(data), SLOT)
                    if data[at:at + 7] == b"flpart1"), key=lambda fields: fields[1])

    def forget_boot(self):
        """As if the machine had been started again since."""
        def change(fields):
            fields[BOOT] = b"00000000-0000-0000-0000-000000000000"
        self.change_states(change)
