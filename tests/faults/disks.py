# SPDX-License-Identifier: Apache-2.0
"""File systems of a test's own, in a mount namespace of its own: full ones, thin ones, and ones
whose power fails. They need root and, most of them, loop devices."""
import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from support.peers import kernel_lacks

CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 0x40000
SHUTDOWN = 0x8004587D  # the ioctl of XFS, also of ext4
NO_LOG_FLUSH = struct.pack("I", 2)
MEGABYTE = 1 << 20

MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}


def own_mounts():
    """What this process mounts from now on is its own and goes with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None):
        kernel_lacks(f"no mounts of our own: {os.strerror(ctypes.get_errno())}")


def quietly(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False)


class Disk:
    """An image in a file, mounted over a loop device."""

    def __init__(self, kind, directory, size):
        self.kind = kind
        self.image = Path(directory) / "image"
        self.mounted = Path(directory) / "mounted"
        self.mounted.mkdir()
        if not shutil.which(MAKE[kind][0]):
            kernel_lacks(f"no {kind} can be made here: '{MAKE[kind][0]}' is missing")
        with open(self.image, "wb") as image:
            image.truncate(size)
        subprocess.run([*MAKE[kind], str(self.image)], check=True, capture_output=True)
        done = self.mount()
        if done.returncode != 0:
            kernel_lacks(f"no loop mount of {kind}: {done.stderr.strip()}")

    def mount(self):
        return quietly("mount", "-t", self.kind, "-o", "loop", self.image, self.mounted)

    def unmount(self):
        subprocess.run(["umount", str(self.mounted)], check=True)

    def power_cut(self):
        """What is not on the disk by now is gone; then the machine starts again."""
        fd = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, NO_LOG_FLUSH)
        except OSError as error:
            kernel_lacks(f"{self.kind} cannot be shut down: {error}")
        finally:
            os.close(fd)
        self.unmount()
        done = self.mount()
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def disk(kind, size, inside=None):
    with tempfile.TemporaryDirectory(prefix="fl-disk-", dir=inside) as directory:
        made = Disk(kind, directory, size)
        try:
            yield made
        finally:
            made.unmount()


@contextlib.contextmanager
def memory(options):
    with tempfile.TemporaryDirectory(prefix="fl-disk-") as directory:
        done = quietly("mount", "-t", "tmpfs", "-o", options, "none", directory)
        if done.returncode != 0:
            kernel_lacks(f"no tmpfs can be mounted: {done.stderr.strip()}")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)
