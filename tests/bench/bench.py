#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flame-fetch beside its peers, in turn, in one run: medians and ratios as a markdown table.

    packaging/bench.sh                     # sets up, builds the release preset, runs this
    tests/bench/bench.py --size 1G --runs 5 --only http

Absolute times belong to one machine on one day; the ratios are what counts. Programs that do not
sync their file are measured as they are and with a sync of it."""
import argparse
import functools
import hashlib
import http.server
import mmap
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def size_of(text):
    units = {"k": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


class Contestant:
    """One way to do the work: a shell command in which {url}, {src}, {out} are filled in."""

    def __init__(self, name, command, note=""):
        self.name, self.command, self.note = name, command, note
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
        if os.path.exists(places["out"]):
            os.unlink(places["out"])
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
    if os.path.exists(places["out"]):
        os.unlink(places["out"])


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


def bench_file(fetch, work, size, runs, digest):
    places = {"src": f"{work}/source", "out": f"{work}/out"}
    url = "file://" + places["src"]
    race_of = [
        Contestant("cp", ["cp", "{src}", "{out}"], "not durable"),
        Contestant("cp + sync", synced(["cp", "{src}", "{out}"])),
        Contestant("flame-fetch", [fetch, "-o", "{out}", url]),
        Contestant("flame-fetch, sha256", [fetch, "--checksum", f"sha256:{digest}", "-o", "{out}", url]),
        Contestant("flame-fetch, durability none", [fetch, "--durability", "none", "-o", "{out}", url],
                   "not durable"),
    ]
    race(race_of, places, runs, functools.partial(has_size, size), size=size)
    table(f"file, {size >> 20} MiB", race_of, "cp + sync")


def bench_start(fetch, work, runs):
    places = {"src": f"{work}/small", "out": f"{work}/out"}
    with open(places["src"], "w", encoding="ascii") as out:
        out.write("hello\n")
    url = "file://" + places["src"]
    race_of = [
        Contestant("cp", ["cp", "{src}", "{out}"], "not durable"),
        Contestant("flame-fetch", [fetch, "-o", "{out}", url]),
        Contestant("flame-fetch, durability none", [fetch, "--durability", "none", "-o", "{out}", url],
                   "not durable"),
    ]
    if shutil.which("curl"):
        race_of.append(Contestant("curl", ["curl", "-s", "-o", "{out}", url], "not durable"))
    race(race_of, places, runs * 8, functools.partial(has_size, 6))
    table("start-up to done, 6 bytes", race_of, "cp")


NGINX = """
daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ }}
http {{
    access_log off; sendfile on;
    client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
    uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
    server {{ listen 127.0.0.1:{port}; root {work}; }}
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


def bench_http(fetch, work, size, runs, digest):
    port, stop = start_server(work)
    url = f"http://127.0.0.1:{port}/source"
    places = {"src": f"{work}/source", "out": f"{work}/out"}
    race_of = [
        Contestant("flame-fetch, durability none", [fetch, "--durability", "none", "-o", "{out}", url],
                   "not durable"),
        Contestant("flame-fetch, sha256, durability none",
                   [fetch, "--durability", "none", "--checksum", f"sha256:{digest}", "-o", "{out}", url],
                   "not durable"),
        Contestant("flame-fetch", [fetch, "-o", "{out}", url]),
        Contestant("flame-fetch, sha256", [fetch, "--checksum", f"sha256:{digest}", "-o", "{out}", url]),
    ]
    peers = {
        "curl": ["curl", "-s", "-o", "{out}", url],
        "wget2": ["wget2", "-q", "--no-config", "-O", "{out}", url],
        "aria2": ["aria2c", "-q", "--no-conf", "--allow-overwrite=true", "-d", work, "-o", "out", url],
    }
    for name, command in peers.items():
        if shutil.which(command[0]):
            race_of.append(Contestant(name, command, "not durable"))
    race_of.append(Contestant("curl + sync", synced(peers["curl"])))
    try:
        race(race_of, places, runs, functools.partial(has_size, size), size=size)
    finally:
        stop()
    table(f"http, {size >> 20} MiB, one stream", race_of, "curl")


def bench_scan(fetch, work, runs):
    plugins = os.path.join(os.path.dirname(os.path.dirname(fetch)), "lib/flame/plugins/file.so")
    many = f"{work}/many"
    os.mkdir(many)
    for number in range(2000):
        shutil.copy(plugins, f"{many}/p{number:04}.so")
    places = {"src": f"{work}/small", "out": f"{work}/out"}
    url = "file://" + places["src"]
    race_of = [
        Contestant("flame-fetch", [fetch, "-o", "{out}", url]),
        Contestant("flame-fetch, 2,000 more plugins",
                   [fetch, "--plugin-dir", many, "-o", "{out}", url]),
    ]
    race(race_of, places, runs * 4, functools.partial(has_size, 6))
    table("2,000 files in the plugin directory", race_of, "flame-fetch")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fetch", default=f"{ROOT}/build/release/bin/flame-fetch")
    parser.add_argument("--size", type=size_of, default=size_of("1G"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["file", "http", "start", "scan"])
    parser.add_argument("--dir", help="where the files lie (default: $TMPDIR or /tmp)")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="flame-bench-", dir=options.dir) as work:
        os.chmod(work, 0o755)
        digest = make_source(f"{work}/source", options.size)
        wants = lambda name: options.only in (None, name)
        if wants("start") or wants("scan"):
            bench_start(options.fetch, work, options.runs)
        if wants("scan"):
            bench_scan(options.fetch, work, options.runs)
        if wants("file"):
            bench_file(options.fetch, work, options.size, options.runs, digest)
        if wants("http"):
            bench_http(options.fetch, work, options.size, options.runs, digest)


if __name__ == "__main__":
    main()
