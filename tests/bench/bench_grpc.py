# SPDX-License-Identifier: Apache-2.0
"""The object cache's protocol: against a pyarrow server, and against flame-devcache."""
import contextlib
import functools
import glob
import os
import subprocess
import sys

from race import Contestant, has_size, race, table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
KEY = "app/ssn/"


def peer(*arguments):
    """A command of flight_peer.py; [] without the Python packages that it needs."""
    if not glob.glob(f"{ROOT}/build/venv/lib/python3*/site-packages/flamepy"):
        return []
    return [f"{ROOT}/build/venv/bin/python", f"{HERE}/flight_peer.py", *arguments]


@contextlib.contextmanager
def running(command):
    """A server, and what it says first: where it listens."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = server.stdout.readline().strip()
        if not said:
            sys.exit(f"{command[0]} does not listen")
        yield said
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            sys.exit(f"{command[0]} does not end")


def ours(fetch, url, digest):
    quick = [fetch, "--durability", "none", "-o", "{out}", url]
    return [Contestant("flame-fetch, durability none", quick, "not durable"),
            Contestant("flame-fetch, sha256, durability none",
                       quick + ["--checksum", f"sha256:{digest}"], "not durable"),
            Contestant("flame-fetch, sha256",
                       [fetch, "--checksum", f"sha256:{digest}", "-o", "{out}", url])]


def pyarrow(url, key):
    whole, rows = peer("get", url, key, "{out}"), peer("stream", url, key, "{out}")
    return [Contestant("pyarrow", rows, "not durable"),
            Contestant("pyarrow, the whole table", whole, "not durable")] if rows else []


def alone(what, work, runs):
    """What a program costs that only begins and ends: part of the figures of all that it does."""
    one = Contestant(f"{what}, its imports alone", peer("imports", what))
    race([one], {"src": "", "out": f"{work}/nothing"}, runs, lambda _: None)
    return one


def run_get(title, race_of, work, size, runs):
    """Who holds a whole message needs that much memory, pyarrow three times."""
    needs = 4 * size if "one message" in title else size
    race(race_of, {"src": f"{work}/source", "out": f"{work}/out"}, runs,
         functools.partial(has_size, size), size=needs)
    extra = [alone("pyarrow", work, runs)] if race_of[0].name == "pyarrow" else []
    table(f"grpc, {size >> 20} MiB, {title}", race_of + extra, race_of[0].name)


def get_from_pyarrow(fetch, work, size, runs, digest):
    with running(peer("serve", f"{work}/source")) as port:
        for key, title in ("batches", "1 MiB batches"), ("one", "one message"):
            url = f"grpc://127.0.0.1:{port}"
            run_get(f"{title}, from pyarrow",
                    pyarrow(url, KEY + key) + ours(fetch, f"{url}/{KEY}{key}", digest), work, size, runs)


def call(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def get_from_devcache(fetch, programs, work, size, runs, digest):
    for layout, title in ("batches", "1 MiB batches"), ("one", "one message"):
        cache = [f"{programs}/flame-devcache", "--port", "0", "--body", "none", "--layout", layout]
        with running(cache) as url, running([f"{programs}/tcp_copy", "serve", f"{work}/source"]) as port:
            call(fetch, "put", f"{work}/source", f"{url}/{KEY}object")
            copy = [f"{programs}/tcp_copy", "get", port, "{out}"]
            run_get(f"{title}, from flame-devcache",
                    [Contestant("a plain TCP copy", copy, "not durable")]
                    + ours(fetch, f"{url}/{KEY}object", digest) + pyarrow(url, f"{KEY}object"),
                    work, size, runs)


def run_put(title, fetch, url, work, size, runs):
    """What arrived is asked for, and removed before the next run."""
    place = f"{url}/{KEY}object"

    def clear(_):
        call(fetch, "rm", place)

    def check(_):
        if f'"size":{size},' not in call(fetch, "stat", "--json", place):
            sys.exit(f"{place} is not {size} bytes")

    race_of = [Contestant("flame-fetch put", [fetch, "put", "{src}", place], "", clear)]
    if peer():
        race_of.insert(0, Contestant("flamepy", peer("put", url, f"{KEY}object", "{src}"), "", clear))
    race(race_of, {"src": f"{work}/source", "out": f"{work}/nothing"}, runs, check, size=size)
    extra = [alone("flamepy", work, runs)] if peer() else []
    table(f"grpc, upload {size >> 20} MiB {title}", race_of + extra, race_of[0].name)


def bench_grpc(fetch, work, size, runs, digest):
    programs = os.path.dirname(fetch)
    if not os.path.exists(f"{programs}/../lib/flame/plugins/grpc.so"):
        print("SKIP: the grpc plugin is not built", file=sys.stderr)
        return
    if peer():
        get_from_pyarrow(fetch, work, size, runs, digest)
        with running(peer("serve", f"{work}/source")) as port:
            run_put("to pyarrow", fetch, f"grpc://127.0.0.1:{port}", work, size, runs)
    else:
        print("SKIP: build/venv has no pyarrow and flamepy", file=sys.stderr)
    get_from_devcache(fetch, programs, work, size, runs, digest)
    with running([f"{programs}/flame-devcache", "--port", "0"]) as url:
        run_put("to flame-devcache", fetch, url, work, size, runs)
