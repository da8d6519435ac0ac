# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces and a line between them that loses what it is told to lose: two TUN
devices, and a thread that carries packets from one to the other. Needs root."""
import contextlib
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import threading

from support.peers import kernel_lacks

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        kernel_lacks(f"{what}: {os.strerror(ctypes.get_errno())}")


def _open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class LossyLine:
    CLIENT, SERVER = "10.77.0.1", "10.77.0.2"

    def __init__(self, loss=0.0, seed=1):
        if os.geteuid() != 0:
            kernel_lacks("only root makes network namespaces")
        self.loss, self.random, self.is_down = loss, random.Random(seed), threading.Event()
        self.is_over, self.lost = threading.Event(), 0
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            self.client = self._end("tun-client", self.CLIENT, self.SERVER)
            self.server = self._end("tun-server", self.SERVER, self.CLIENT)
        except (OSError, subprocess.CalledProcessError) as error:
            kernel_lacks(f"no namespaces with TUN devices here: {error}")
        finally:
            _libc.setns(self.home, CLONE_NEWNET)
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    @staticmethod
    def _end(name, address, peer):
        _check(_libc.unshare(CLONE_NEWNET), "cannot make a network namespace")
        tun = _open_tun(name)
        for command in (["addr", "add", address, "peer", peer, "dev", name],
                        ["link", "set", name, "up"], ["link", "set", "lo", "up"]):
            subprocess.run(["ip", *command], check=True, capture_output=True)
        return os.open("/proc/self/ns/net", os.O_RDONLY), tun

    @contextlib.contextmanager
    def at(self, end):
        """What this thread opens or starts meanwhile is at that end."""
        _check(_libc.setns(end[0], CLONE_NEWNET), "cannot enter a network namespace")
        try:
            yield
        finally:
            _libc.setns(self.home, CLONE_NEWNET)

    def _carry(self):
        ways = {self.client[1]: self.server[1], self.server[1]: self.client[1]}
        while not self.is_over.is_set():
            for source in select.select(list(ways), [], [], 0.1)[0]:
                packet = os.read(source, 65536)
                if self.is_down.is_set() or self.random.random() < self.loss:
                    self.lost += 1
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.write(ways[source], packet)

    def close(self):
        self.is_over.set()
        self.thread.join()
        for fd in (*self.client, *self.server, self.home):
            os.close(fd)
