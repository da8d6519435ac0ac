# SPDX-License-Identifier: Apache-2.0
"""Programs that do the same work in turn, what they cost, and the server that they ask."""
import functools
import hashlib
import http.server
import mmap
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time


class Contestant:
    """One way to do the work: a command in which {src} and {out} are filled in. `prepare` is done
    before each run, outside its time."""

    def __init__(self, name, command, note="", prepare=None):
        self.name, self.command, self.note = name, command, note
        self.prepare = prepare or forget
        self.wall, self.cpu, self.peak_kib = [], [], 0

    def watch_memory(self, pid):
        """The kernel's own high-water mark, read until the process is gone. (ru_maxrss would begin
        with the size of the Python that forked it.)"""
        try:
            while True:
                with open(f"/proc/{pid}/status", encoding="ascii") as status:
                    mark = [line for line in status if line.startswith("VmHWM:")]
                if mark:
                    self.peak_kib = max(self.peak_kib, int(mark[0].split()[1]))
                time.sleep(0.001)
        except OSError:
            return

    def run(self, places, check, is_warm_up):
        self.prepare(places["out"])
        argv = [word.format(**places) for word in self.command]
        begin = time.perf_counter()
        child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if is_warm_up and argv[0] != "sh":
            threading.Thread(target=self.watch_memory, args=(child.pid,)).start()
        _, state, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(state)
        wall = time.perf_counter() - begin
        if child.returncode != 0:
            sys.exit(f"{self.name}: exit {child.returncode}: {' '.join(argv)}")
        check(places["out"])
        if not is_warm_up:
            self.wall.append(wall)
            self.cpu.append(usage.ru_utime + usage.ru_stime)


def forget(out):
    """Nothing but what a contestant can have made: never a device."""
    if os.path.isdir(out):
        shutil.rmtree(out)
    elif os.path.isfile(out):
        os.unlink(out)


def synced(command):
    """The same, and then a sync of the file: what the others would need to be durable."""
    return ["sh", "-c", 'out=$1; shift; "$@" && sync "$out"', "sh", "{out}"] + command


def table(title, contestants, base):
    reference = {c.name: statistics.median(c.wall) for c in contestants}[base]
    print(f"\n### {title}\n\n| what | wall, median ms | min | x {base} | cpu ms | peak MiB | |")
    print("|---|---|---|---|---|---|---|")
    for c in contestants:
        peak = f"{c.peak_kib / 1024:.1f}" if c.peak_kib else ""
        median = statistics.median(c.wall)
        print(f"| {c.name} | {median * 1e3:.1f} | {min(c.wall) * 1e3:.1f} | {median / reference:.2f} "
              f"| {statistics.median(c.cpu) * 1e3:.0f} | {peak} | {c.note} |")
    sys.stdout.flush()


def settle(size):
    """A virtual machine gives freed memory back to its host and pays for each page of it that it
    needs again, up to a second for a GiB: whoever came first would pay for all. So as much as the
    file needs is touched before each run."""
    os.sync()
    memory = mmap.mmap(-1, size + (256 << 20), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS |
                       mmap.MAP_POPULATE)
    memory.close()


def race(contestants, places, runs, check, size=0):
    for number in range(runs + 1):
        for contestant in contestants:
            if size > 1 << 20:
                settle(size)
            contestant.run(places, check, is_warm_up=number == 0)
    forget(places["out"])


def has_size(size, path):
    if os.path.getsize(path) != size:
        sys.exit(f"{path} has {os.path.getsize(path)} bytes instead of {size}")


def make_source(path, size):
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for offset in range(0, size, 1 << 20):
            block = os.urandom(min(1 << 20, size - offset))
            digest.update(block)
            out.write(block)
    os.sync()
    return digest.hexdigest()


NGINX = """
daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ }}
http {{
    access_log off; sendfile on;
    client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
    uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
    server {{ listen 127.0.0.1:{port}; root {work}; location /slow/ {{ alias {work}/; limit_rate 20m; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_server(work):
    """nginx, or without it Python's own server (slower, for the smoke run only)."""
    port = free_port()
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not nginx:
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=work)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return port, server.shutdown
    with open(f"{work}/nginx.conf", "w", encoding="ascii") as out:
        out.write(NGINX.format(work=work, port=port))
    server = subprocess.Popen([nginx, "-c", f"{work}/nginx.conf", "-p", work],
                              stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    return port, server.terminate
