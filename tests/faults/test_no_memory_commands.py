# SPDX-License-Identifier: Apache-2.0
"""As test_no_memory, for what else the command does: put, ls, clean, lists of urls, several at
once, signatures."""
import subprocess

import pytest

import test_no_memory
from support.object_server import Objects
from support.peers import require_program
from support.statuses import EXIT
from test_no_memory import BODY, OLD, Sweep, answer

pytestmark = test_no_memory.pytestmark


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


def test_83_no_allocation_of_a_list_of_objects_can_fail_unclean(fetch, tmp_path):
    (tmp_path / "d").mkdir()
    for name in ("a", "b", "c d"):
        (tmp_path / "d" / name).write_bytes(b"x")

    class List(Sweep):
        """Lines that came before the failure stay."""

        def judge(self, number, outcome, report):
            if outcome.code != 0:
                assert self.told.startswith(outcome.stdout) and self.is_clean(outcome)
            else:
                super().judge(number, outcome, report)

    List(fetch, ["ls", f"file://{tmp_path}/d/"], ours=1).over_all()
    List(fetch, ["ls", "--max-entries", "2", "--cursor", "a", f"file://{tmp_path}/d/"],
         ours=1).over_all()


@pytest.mark.parametrize("kind", ["file", "http"])
def test_83_no_allocation_of_a_store_can_fail_unclean(fetch, serve, source, tmp_path, kind):
    objects = Objects()
    url = serve(objects).url("/x") if kind == "http" else f"file://{tmp_path}/stored"
    Sweep(fetch, ["put", source, url], ours=1).over_all()
    stored = (tmp_path / "stored").read_bytes() if kind == "file" else objects.objects["/x"]
    assert stored == BODY


def test_83_no_allocation_of_a_cleaning_can_fail_unclean(fetch, tmp_path):
    (tmp_path / "d").mkdir()
    Sweep(fetch, ["clean", tmp_path / "d"], ours=1).over_all()


class Lists(Sweep):
    """Runs over a list of urls that go to "out" and "out2": one failure costs what it costs, but
    neither file is ever anything else than old or complete."""

    def __init__(self, fetch, urls, *arguments):
        self.list = fetch.base / "list"
        self.list.write_text("".join(f"{url}\n out={name}\n" for url, name in
                                     zip(urls, ("out", "out2"))))
        super().__init__(fetch, [*arguments, "-i", self.list], ours=1)

    def new_place(self):
        place = self.fetch.new_place()
        (place / "out").write_bytes(OLD)
        return place

    def judge(self, number, outcome, report):
        who = f"allocation {number}, {report.where}: exit {outcome.code}: {outcome.stderr}"
        assert report.left <= self.report.left, f"{who}: {report.left} lost, one of {report.lost}"
        bodies = {name: (outcome.place / name).read_bytes() for name in outcome.files}
        assert set(bodies) <= {"out", "out2"} and bodies["out"] in (OLD, BODY), who
        assert bodies.get("out2", BODY) == BODY, who
        if outcome.code == 0:
            assert set(bodies) == set(self.whole.files) and bodies["out"] == BODY, who
            return
        lines = outcome.stderr.splitlines()
        assert 1 <= len(lines) <= 2 and self.is_expected(outcome.code, lines[0]), who


def test_83_no_allocation_of_a_list_of_urls_can_fail_unclean(fetch, source):
    Lists(fetch, [f"file://{source}"]).over_all()


@pytest.mark.parametrize("kind", ["file", "http"])
def test_83_no_allocation_of_several_downloads_at_once_can_fail_unclean(fetch, serve, source, kind):
    url = serve(answer).url() if kind == "http" else f"file://{source}"
    Lists(fetch, [url, url], "--parallel", "2").over_all()


def test_83_no_allocation_of_a_signed_download_can_fail_unclean(fetch, source, tmp_path):
    for arguments in (["-G", "-W", "-p", "key.pub", "-s", "key.sec"],
                      ["-S", "-s", "key.sec", "-m", "source"]):
        subprocess.run([require_program("minisign"), *arguments], cwd=tmp_path, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)

    class Signed(Sweep):
        """The loader does not say what it had too little of, and keeps what it says."""

        def judge(self, number, outcome, report):
            if "signatures need libsodium" in outcome.stderr:
                report = report._replace(left=0)
            super().judge(number, outcome, report)

        def is_expected(self, code, line):
            return super().is_expected(code, line) or (
                code == EXIT["UNSUPPORTED"] and "signatures need libsodium" in line)

    Signed(fetch, ["-o", "out", "--verify-sig", tmp_path / "source.minisig", "--trusted-key",
                   tmp_path / "key.pub", f"file://{source}"], ours=1).over_all()
