# SPDX-License-Identifier: Apache-2.0
"""Each allocation of a call of the SDK fails once: it does all that it does otherwise, or it says
that memory ran out, and it loses nothing."""
import concurrent.futures
import os
import subprocess

import pytest

import faulty
from sdk.driver import Said, argv

pytestmark = pytest.mark.skipif(faulty.HAS_OWN_ALLOCATOR,
                                reason="SKIP: a sanitizer has an allocator of its own")

WORKERS = 2 * (os.cpu_count() or 1)
CONTEXT = """
current-context: here
contexts:
- name: other
- name: here
  cluster: {endpoint: "http://127.0.0.1:8080", tls: {ca_file: /ca.pem}}
  cache: {endpoint: "grpcs://127.0.0.1:9", tls: &tls {ca_file: CA, cert_file: CERT, key_file: KEY}}
  package: {excludes: ["*.log", data/]}
"""
CALLS = {
    "storage-upload": {"name": "a b"}, "storage-exists": {"name": "there"}, "storage-list": {},
    "storage-remove": {"name": "there"}, "storage-download": {"name": "there"},
    "encode": {"ref_endpoint": "grpc://h:1", "key": "a/b/c", "version": 3},
    "decode": {"bytes": "00"}, "ref-url": {"ref_endpoint": "grpc+tls://h:1", "key": "a/b/c d"},
    "settings": {"for": "grpcs://127.0.0.1:9/a/b/c"},
}


class Calls:
    def __init__(self, base, call, certificates):
        self.base, self.call, self.count = base, call, iter(range(10**6))
        (base / "source").write_bytes(b"a package" * 1000)
        text = CONTEXT.replace("CA}", f"{certificates.path('ca')}}}")
        for name, path in (("CA", certificates.path("ca")), ("CERT", certificates.path("client")),
                           ("KEY", certificates.path("client", "key"))):
            text = text.replace(f": {name}", f": {path}")
        (base / "flame.yaml").write_text(text)

    def run(self, number):
        place = self.base / f"run{next(self.count)}"
        (place / "packages/app/pkg").mkdir(parents=True)
        (place / "packages/app/pkg/there").write_bytes(b"x")
        values = {"context": self.base / "flame.yaml", "base": f"file://{place}/packages", "app": "app"}
        values["path"] = self.base / "source" if self.call == "storage-upload" else place / "out"
        report = place / "report"
        done = subprocess.run(argv(self.call, **(values | CALLS[self.call])), capture_output=True,
                              timeout=60, check=False, env=os.environ | {
                                  "FAULTY_OURS": "1", "FAULTY_MALLOC": str(number),
                                  "LD_PRELOAD": str(faulty.LIBRARY), "FAULTY_REPORT": str(report)})
        assert done.returncode == 0, f"allocation {number}: exit {done.returncode}: {done.stderr}"
        *counts, where, lost = report.read_text().split()
        return Said(done.stdout.decode()), faulty.Report(*map(int, counts), where, lost)

    def judge(self, number, whole, told):
        said, report = told
        who = f"allocation {number}, {report.where}: {dict(said)}"
        # Of a node that finds no place in its tree, libyaml 0.2.5 loses what it had for it.
        libyamls = 2 if report.lost.startswith("libyaml") else 0
        assert report.left <= whole[1].left + libyamls, f"{who}: {report.left} lost, one of {report.lost}"
        assert said["status"] in (whole[0]["status"], "NO_MEMORY", "PLUGIN", "IO"), who
        if said["status"] != "NO_MEMORY" and said["status"] != whole[0]["status"]:
            assert "cannot start a thread" in said["message"] or "DLOPEN" in said["message"], who
        if said["status"] == "OK":
            assert said.listed == whole[0].listed, who


@pytest.mark.parametrize("call", CALLS)
def test_83_no_allocation_of_the_sdk_can_fail_unclean(tmp_path, certificates, call):
    calls = Calls(tmp_path, call, certificates)
    whole = calls.run(0)
    begin, fired = 1, 0
    while True:
        numbers = range(begin, begin + 40)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            told = list(pool.map(calls.run, numbers))
        for number, one in zip(numbers, told):
            calls.judge(number, whole, one)
        begin, happened = begin + 40, sum(report.failed > 0 for _, report in told)
        fired += happened
        if happened == 0:
            break
    assert fired >= 0.9 * whole[1].allocations, f"only {fired} failures happened"
