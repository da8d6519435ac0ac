# SPDX-License-Identifier: Apache-2.0
"""Each allocation of a whole run fails once: the run succeeds in full or ends with one clean error,
the destination is absent, old or complete, and nothing else is left behind."""
import concurrent.futures
import hashlib
import json
import os
import time

import pytest

import faulty
from support.scripted_server import redirect_to, response
from support.statuses import EXIT

pytestmark = pytest.mark.skipif(faulty.HAS_OWN_ALLOCATOR,
                                reason="SKIP: a sanitizer has an allocator of its own")

BODY = bytes(range(251)) * 5000  # long enough for the second thread
CHECKSUM = ["--checksum", "sha256:" + hashlib.sha256(BODY).hexdigest()]
OLD = b"an older file"
GET = ["-o", "out"]
VOLATILE = ("t", "time_total", "speed_download")  # members that no two runs share
RUNS = {
    "get": GET, "get-verified": [*GET, *CHECKSUM], "get-json": [*GET, "--json"],
    "stat": ["stat"], "stat-json": ["stat", "--json"],
}
LISTS = {"plugins": ["plugins"], "plugins-json": ["plugins", "--json"],
         "plugins-why": ["plugins", "--why"], "config": ["config"]}
WORKERS = 2 * (os.cpu_count() or 1)


def answer(request, _):
    whole = response(BODY, 'ETag: "one"', "Last-Modified: Wed, 01 Jul 2026 10:00:00 GMT")
    return whole[:-len(BODY)] if request.startswith(b"HEAD") else whole


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "source"
    path.write_bytes(BODY)
    return f"file://{path}"


@pytest.fixture(params=["file", "http"])
def url(request, fetch, serve, source):
    if request.param == "http":
        return serve(answer).url()
    while b"weak" in fetch("stat", source, output=None).stdout:
        time.sleep(0.05)  # it was written a moment ago
    return source


def said(outcome, is_json):
    """What a reader of standard output learns; JSON comes in whole lines or not at all."""
    if not is_json:
        return outcome.stdout
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    return [{name: value for name, value in event.items() if name not in VOLATILE}
            for event in events if event["ev"] != "progress"]


class Sweep:
    """One command, with the same server or source, as often as it has allocations."""

    def __init__(self, fetch, arguments, **shortages):
        self.fetch, self.arguments, self.shortages = fetch, arguments, shortages
        self.is_json, self.gets = "--json" in arguments, "-o" in arguments
        self.whole, self.report = self.run(0)
        assert self.whole.code == 0, self.whole.stderr
        self.told = said(self.whole, self.is_json)

    def new_place(self):
        place = self.fetch.new_place()
        if self.gets:
            (place / "out").write_bytes(OLD)
        return place

    def run(self, number, place=None):
        return faulty.run(self.fetch, self.arguments, place or self.new_place(), malloc=number,
                          **self.shortages)

    def judge(self, number, outcome, report):
        who = f"allocation {number}, {report.where}: exit {outcome.code}: {outcome.stderr}"
        told = said(outcome, self.is_json)
        assert report.left <= self.report.left, f"{who}: {report.left} lost, one of {report.lost}"
        found = outcome.body if outcome.files else None
        assert outcome.files == (["out"] if self.gets else []), f"{who}: {outcome.files}"
        if outcome.code == 0:
            assert told == self.told, f"{who}: success, but not all was told: {told}"
            assert not self.gets or found == BODY, who
            return
        assert self.is_clean(outcome), who
        # An event can get lost after the publish; the exit code is all there is to tell it by.
        assert found in ((None, OLD, BODY) if self.is_json else (None, OLD)), who

    def is_clean(self, outcome):
        lines = outcome.stderr.splitlines()
        if len(lines) != 1:
            return False
        if not lines[0].startswith("flame-fetch: ") or not lines[0].isprintable():
            return False
        return self.is_expected(outcome.code, lines[0])

    def is_expected(self, code, line):
        """Where the loader and pthread_create() do not say what they had too little of."""
        return (code == EXIT["NO_MEMORY"] or (code == EXIT["PLUGIN"] and ": DLOPEN: " in line) or
                (code == EXIT["IO"] and "cannot start a thread" in line))

    def is_explained(self, outcome, report):
        """Nothing fails but by what was made to fail."""
        return report.failed or outcome.code == 0

    def over(self, numbers):
        """How many of these failures happened."""
        places = [self.new_place() for _ in numbers]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            runs = list(pool.map(self.run, numbers, places))
        for number, (outcome, report) in zip(numbers, runs):
            self.judge(number, outcome, report)
            assert self.is_explained(outcome, report), (number, outcome.code, outcome.stderr)
        return sum(report.failed > 0 for _, report in runs)

    def over_all(self, step=1):
        """Until no allocation is left to fail: threads make their number vary a little."""
        begin, fired, batch = 1, 0, 40 * step
        while True:
            happened = self.over(range(begin, begin + batch, step))
            begin, fired = begin + batch, fired + happened
            if happened == 0:
                break
        assert fired >= 0.9 * self.report.allocations / step, f"only {fired} failures happened"


class AnyCaller(Sweep):
    """Libraries of others may make something else of it, and may write about it."""

    def is_clean(self, outcome):
        lines = [line for line in outcome.stderr.splitlines() if line.startswith("flame-fetch: ")]
        return len(lines) == 1 and outcome.code in EXIT.values()


@pytest.mark.parametrize("arguments", RUNS.values(), ids=RUNS)
def test_83_no_allocation_of_ours_can_fail_unclean(fetch, url, arguments):
    Sweep(fetch, [*arguments, url], ours=1).over_all()


@pytest.mark.parametrize("arguments", LISTS.values(), ids=LISTS)
def test_83_no_list_is_shortened_by_a_lack_of_memory(fetch, arguments):
    Sweep(fetch, arguments, ours=1).over_all()


@pytest.fixture
def configured(fetch, tmp_path):
    """A configuration with a bit of everything."""
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "fetch.json").write_text(json.dumps({
        "plugin_path": [str(tmp_path / "plugins")], "pins": {"file": "org.flame.file"},
        "options": {"time.stall": "10s", "limit.bytes": "4G",
                    "net.user_agent": "one that is longer than any buffer to begin with, " * 9},
        "origins": {"http://127.0.0.1:1": {"auth.bearer": f"@{tmp_path}/token"},
                    "https://*.example.org:443": {"tls.min": "1.3"}},
        "plugins": {"org.flame.http": {"http_version": "1.1"}}}))
    fetch.common = ["--config", str(tmp_path / "fetch.json")]
    return fetch


def test_83_no_allocation_of_a_run_with_many_settings_can_fail_unclean(configured, serve):
    url = serve(redirect_to(serve(answer).url("/y?a=%41"))).url()
    Sweep(configured, [*GET, *CHECKSUM, "-R", "--header", "X-One: 1", "--option",
                       "time.total=60s", url], ours=1).over_all()


def test_83_no_allocation_of_a_list_of_many_settings_can_fail_unclean(configured):
    Sweep(configured, ["config", "--json"], ours=1).over_all()


def test_83_no_allocation_of_a_verification_can_fail_unclean(fetch, source):
    path = source.removeprefix("file://")
    Sweep(fetch, ["verify", *CHECKSUM, path], ours=1).over_all()


def test_83_no_allocation_of_a_copy_by_reading_can_fail_unclean(fetch, source):
    Sweep(fetch, [*GET, source], ours=1, refuse=3).over_all()


def test_83_memory_that_is_gone_for_good_is_a_clean_error(fetch, url):
    Sweep(fetch, [*GET, url], ours=1, lasting=1).over_all(step=5)


def test_83_no_allocation_of_a_library_brings_the_program_down(fetch, url):
    sweep = AnyCaller(fetch, [*GET, url])
    sweep.over_all(step=1 + sweep.report.allocations // 150)


def test_83_only_what_asked_for_memory_is_refused(fetch, url):
    """The tool itself: one failure, where it was said, and none without being told."""
    sweep = Sweep(fetch, [*GET, url], ours=1)
    _, report = sweep.run(1)
    assert sweep.report.failed == 0 and report.failed == 1
    assert report.where.startswith(("flame-fetch+", "libflame-fetch.so")), report.where
    if url.startswith("http:"):
        _, every = faulty.run(fetch, [*GET, url])
        assert every.allocations > 2 * sweep.report.allocations, "no library's were counted"
