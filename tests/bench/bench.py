#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flame-fetch beside its peers, in turn, in one run: medians and ratios as a markdown table.

    packaging/bench.sh                     # sets up, builds the release preset, runs this
    tests/bench/bench.py --size 1G --runs 5 --only http

Absolute times belong to one machine on one day; the ratios are what counts. Programs that do not
sync their file are measured as they are and with a sync of it."""
import argparse
import contextlib
import functools
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from bench_grpc import bench_grpc
from race import Contestant, forget, has_size, make_source, race, start_server, synced, table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def size_of(text):
    units = {"k": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


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


def installed(contestants):
    return [c for c in contestants if shutil.which(c.command[0])]


def has_files(count, size, path):
    sizes = [os.path.getsize(os.path.join(path, name)) for name in os.listdir(path)]
    if sizes != [size] * count:
        sys.exit(f"{path} has {len(sizes)} files, not {count} of {size} bytes")


def make_many(work, count, size):
    """The files, and a list of their urls for each program."""
    os.mkdir(f"{work}/many-src")
    for number in range(count):
        with open(f"{work}/many-src/f{number:04}", "wb") as out:
            out.write(os.urandom(size))
    os.sync()


def bench_many(fetch, work, runs, count=1000, size=65536):
    make_many(work, count, size)
    port, stop = start_server(work)
    urls = [f"http://127.0.0.1:{port}/many-src/f{number:04}" for number in range(count)]
    out = f"{work}/many-out"
    with open(f"{work}/list", "w", encoding="ascii") as text:
        text.write("\n".join(urls) + "\n")
    with open(f"{work}/curl-list", "w", encoding="ascii") as text:
        text.write("".join(f"url={url}\noutput={out}/{url[-5:]}\n" for url in urls))

    def empty(path):
        """What was there is kept until the end: ext4 looks at every inode that was freed within a
        minute before it makes a new one, which would be measured instead."""
        if os.path.exists(path):
            os.rename(path, f"{path}-{time.monotonic_ns()}")
        os.mkdir(path)

    ours = [fetch, "-q", "--parallel", "16", "-i", f"{work}/list", "-d", "{out}"]
    race_of = installed([
        Contestant("curl -Z 16", ["curl", "-s", "-Z", "--parallel-max", "16", "-K", f"{work}/curl-list"],
                   "not durable", empty),
        Contestant("flame-fetch --parallel 16, durability none", ours + ["--durability", "none"],
                   "not durable", empty),
        Contestant("flame-fetch --parallel 16", ours, "", empty),
        Contestant("wget2, 16 threads", ["wget2", "-q", "--no-config", "--max-threads=16", "-P", "{out}",
                                         "-i", f"{work}/list"], "not durable", empty),
        Contestant("aria2 -j16", ["aria2c", "-q", "--no-conf", "-j16", "-d", "{out}", "-i", f"{work}/list"],
                   "not durable", empty),
    ])
    try:
        race(race_of, {"src": "", "out": out}, runs, functools.partial(has_files, count, size))
    finally:
        stop()
    table(f"http, {count:,} x {size >> 10} KiB, 16 at a time", race_of, "curl -Z 16")


def bench_parts(fetch, work, runs, size=200 << 20):
    digest = make_source(f"{work}/limited", size)
    port, stop = start_server(work)
    url = f"http://127.0.0.1:{port}/slow/limited"
    places = {"src": f"{work}/limited", "out": f"{work}/out"}
    ours = [fetch, "--connections", "8", "-o", "{out}", url]
    race_of = installed([
        Contestant("aria2 -x8 -s8 -k1M", ["aria2c", "-q", "--no-conf", "--allow-overwrite=true", "-x8", "-s8",
                                          "-k1M", "-d", work, "-o", "out", url], "not durable"),
        Contestant("flame-fetch --connections 8, durability none", ours + ["--durability", "none"],
                   "not durable"),
        Contestant("flame-fetch --connections 8", ours),
        Contestant("flame-fetch --connections 8, sha256", ours + ["--checksum", f"sha256:{digest}"]),
        Contestant("curl, one stream", ["curl", "-s", "-o", "{out}", url], "not durable"),
    ])
    try:
        race(race_of, places, runs, functools.partial(has_size, size), size=size)
    finally:
        stop()
    table(f"http, {size >> 20} MiB, 20 MB/s per connection", race_of, "aria2 -x8 -s8 -k1M")


def leave_partial(command, out, size):
    """Begin, and interrupt it half-way: what the next run goes on from. Without it the figures
    would be of a whole run."""
    forget(out)
    pattern = os.path.join(os.path.dirname(out), ".flame-part-????????????????")

    def is_half():
        with contextlib.suppress(FileNotFoundError):
            return any(os.path.getsize(part) >= size // 2 for part in glob.glob(pattern))
        return False

    child = subprocess.Popen([word.format(out=out) for word in command], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not is_half() and child.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    child.send_signal(signal.SIGINT)
    try:
        code = child.wait(60)
    except subprocess.TimeoutExpired:
        child.kill()
        code = child.wait()
    if code != 128 + signal.SIGINT or not is_half() or os.path.exists(out):
        sys.exit(f"no half of {out} is left: exit {code}: {' '.join(command)}")


def bench_resume(fetch, work, size, runs, digest):
    port, stop = start_server(work)
    url = f"http://127.0.0.1:{port}/source"
    places = {"src": f"{work}/source", "out": f"{work}/out"}
    checksum = ["--checksum", f"sha256:{digest}"]
    half = functools.partial(leave_partial, [fetch, "--limit-rate", "400M", "-o", "{out}", url] + checksum,
                             size=size)
    race_of = [
        Contestant("flame-fetch, whole", [fetch, "-o", "{out}", url]),
        Contestant("flame-fetch, whole, sha256", [fetch, "-o", "{out}", url] + checksum),
        Contestant("flame-fetch, half is there", [fetch, "-o", "{out}", url], "", half),
        Contestant("flame-fetch, half is there, sha256", [fetch, "-o", "{out}", url] + checksum, "", half),
    ]
    try:
        race(race_of, places, runs, functools.partial(has_size, size), size=size)
    finally:
        stop()
    table(f"resume, {size >> 20} MiB", race_of, "flame-fetch, whole")


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
    parser.add_argument("--only", choices=["file", "http", "start", "scan", "many", "parts", "resume",
                                           "grpc"])
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
        is_smoke = options.size < 64 << 20
        if wants("resume") and not is_smoke:
            bench_resume(options.fetch, work, options.size, options.runs, digest)
        if wants("many"):
            bench_many(options.fetch, work, options.runs, 20 if is_smoke else 1000)
        if wants("parts"):
            bench_parts(options.fetch, work, options.runs, min(options.size, 200 << 20))
        if wants("grpc"):
            bench_grpc(options.fetch, work, options.size, options.runs, digest)


if __name__ == "__main__":
    main()
