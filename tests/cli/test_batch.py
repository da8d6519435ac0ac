# SPDX-License-Identifier: Apache-2.0
"""Many urls: --input-file says where each goes, --parallel fetches several at once."""
import hashlib
import json
import os
import signal
import subprocess
import threading

import pytest

from support.object_server import Objects
from support.program import clean_environment, outcome_of
from support.scripted_server import response

GONE = response(b"", status="404 Not Found")


def sha256(body):
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def batch(fetch, tmp_path):
    """Run with an input file: batch(text, argument, ...)"""
    def run(text, *arguments, **more):
        (tmp_path / "list").write_bytes(text if isinstance(text, bytes) else text.encode())
        return fetch("-i", tmp_path / "list", *arguments, output=None, **more)

    return run


def tree(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


# ---- the input file ----------------------------------------------------------------------------


def test_each_line_is_a_url(batch, serve):
    server = serve(Objects(a=b"1", b=b"2"))
    outcome = batch(f"# both\n{server.url('/a')}\n\n{server.url('/b')}  \r\n")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")
    assert outcome.files == ["a", "b"]


def test_names_directories_and_checksums_belong_to_the_url_above(batch, serve):
    server = serve(Objects(a=b"1", b=b"2", c=b"3"))
    outcome = batch(f"{server.url('/a')}\n  out=one\n\tchecksum=sha256:{sha256(b'1')}\n"
                    f"{server.url('/b')}\n dir=sub/deep/\n # a comment\n"
                    f"{server.url('/c')}\n dir=sub\n out=x/three\n"
                    f" checksum=sha-256={sha256(b'3')}\n", "--create-dirs")
    assert outcome.code == 0, outcome.stderr
    assert tree(outcome.place) == ["one", "sub/deep/b", "sub/x/three"]


def test_all_of_it_is_below_the_output_directory(batch, serve, tmp_path):
    server = serve(Objects(a=b"1"))
    outcome = batch(f"{server.url('/a')}\n out=x\n dir=y\n", "--create-dirs", "-d", tmp_path / "o")
    assert outcome.code == 0 and tree(tmp_path / "o") == ["y/x"] and outcome.files == []


def test_a_wrong_checksum_costs_its_url_only(batch, serve):
    server = serve(Objects(a=b"1", b=b"2"))
    outcome = batch(f"{server.url('/a')}\n checksum=sha256:{'0' * 64}\n{server.url('/b')}\n")
    assert outcome.code == 110 and outcome.files == ["b"]


def test_further_urls_on_a_line_are_mirrors(batch, serve):
    gone, good = serve(GONE), serve(Objects(b=b"2"))
    outcome = batch(f"{gone.url('/a')}\t{good.url('/b')}\t\n")
    assert outcome.code == 0 and outcome.files == ["a"]


def test_standard_input_is_a_file_too(fetch, serve):
    server = serve(Objects(a=b"1"))
    place = fetch.new_place()
    subprocess.run(fetch.argv("-i", "-", output=None), cwd=place, check=True, timeout=60,
                   input=server.url("/a").encode(), env=clean_environment())
    assert os.listdir(place) == ["a"]


def test_urls_of_the_command_line_come_first(fetch, batch, serve):
    server = serve(Objects(a=b"1", b=b"2"))
    outcome = batch(server.url("/b"), "--json", server.url("/a"))
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [(event["id"], event["filename_effective"]) for event in events
            if event["ev"] == "done"] == [(1, "a"), (2, "b")]


def test_a_line_of_the_file_is_not_about_a_url_of_the_command_line(batch, serve):
    server = serve(Objects(a=b"1"))
    batch(" out=x\n", server.url("/a")).failed("INVALID", "list:1: ")


def test_why_a_name_is_refused_is_told(batch):
    for path, reason in (("/x", "is absolute"), ("a/../../x", "leads out"), (".flame-x", "own files")):
        batch(f"http://127.0.0.1:1/a\n out={path}\n").failed("UNSAFE_NAME", reason, f"out={path}")


def test_an_empty_file_is_no_failure(batch):
    assert batch("# nothing\n").code == 0


@pytest.mark.parametrize("path", ["../x", "/tmp/x", "a/../../x", "..", ".", "a/", "", ".flame-x",
                                  "a/.flame-part-0", "x\x07", "a/" + "n" * 256, "a//b"])
@pytest.mark.parametrize("option", ["out", "dir"])
def test_no_name_leads_out_of_the_output_directory(batch, serve, path, option):
    if option == "dir" and path == "a/":
        pytest.skip("a directory may end in a slash")
    server = serve(Objects(a=b"1"))
    outcome = batch(f"{server.url('/a')}\n{server.url('/a')}\n {option}={path}\n")
    outcome.failed("UNSAFE_NAME", "list:3: ")
    assert server.connections == 0


@pytest.mark.parametrize("line, number", [
    ("{url}\n  nonsense", 2), ("{url}\n  user=me", 2), (" out=x\n{url}", 1),
    ("{url}\n checksum=md5:00", 2), ("{url}\n checksum=sha256:00", 2), ("{url}\n checksum=", 2),
    ("{url}\n\n# x\n checksum=sha-256=" + "g" * 64, 4), ("{url}\n checksum=sha-512=" + "0" * 64, 2),
    ("{url}\0x", 1), ("http://h/" + "x" * 70000, 1)])
def test_a_mistake_is_told_with_its_line_before_anybody_is_asked(batch, serve, line, number):
    server = serve(Objects(a=b"1"))
    batch(line.format(url=server.url("/a"))).failed("INVALID", f"list:{number}: ")
    assert server.connections == 0


def test_a_line_that_is_no_url_costs_that_line_only(batch, serve):
    server = serve(Objects(a=b"1"))
    outcome = batch(f"nothing\n{server.url('/a')}\n")
    assert outcome.code == 3 and outcome.files == ["a"] and len(outcome.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_told(fetch):
    for path in ("missing", "/"):
        outcome = fetch("-i", path, output=None)
        assert outcome.code == 26 and len(outcome.stderr.splitlines()) == 1, outcome.stderr


def test_a_password_in_the_file_is_not_shown(batch):
    outcome = batch("http://me:canary@127.0.0.1:1/x\n", "--json", "--retry", "0")
    assert outcome.code == 7 and "canary" not in outcome.stderr and b"canary" not in outcome.stdout


@pytest.mark.parametrize("arguments", [["-o", "x"], ["--checksum", "sha256:" + "0" * 64],
                                       ["--mirror", "http://m/"], ["--etag", '"a"']])
def test_what_is_for_one_url_is_not_for_a_file_of_them(batch, arguments):
    batch("http://127.0.0.1:1/x\n", *arguments).failed("INVALID", "for one url only")


# ---- in parallel -------------------------------------------------------------------------------


class Meeting:
    """Answers once `size` requests are there at the same time; notes how many ever were."""

    def __init__(self, size):
        self.barrier, self.lock = threading.Barrier(size), threading.Lock()
        self.now = self.most = 0

    def __call__(self, *_):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(30)
        with self.lock:
            self.now -= 1
        return response(b"hello")


@pytest.mark.parametrize("size, arguments", [(8, ["-Z"]), (3, ["--parallel", "3"]),
                                             (2, ["-qZ", "--parallel=2"])], ids=["8", "3", "2"])
def test_so_many_are_fetched_at_once_and_no_more(fetch, serve, size, arguments):
    meeting = Meeting(size)
    server = serve(meeting)
    outcome = fetch(*arguments, *[server.url(f"/{i}") for i in range(2 * size)], output=None)
    assert outcome.code == 0 and len(outcome.files) == 2 * size, outcome.stderr
    assert meeting.most == size


def test_the_first_failure_of_the_command_line_counts_not_of_time(fetch, serve):
    late = threading.Event()

    def slow(*_):
        late.wait(30)
        return GONE

    def quick(*_):
        late.set()
        return response(b"", status="403 No")

    urls = [serve(slow).url("/a"), serve(quick).url("/b"), serve(Objects(c=b"3")).url("/c")]
    outcome = fetch("-Z", "--json", *urls, output=None)
    assert outcome.code == 78 and outcome.files == ["c"] and len(outcome.stderr.splitlines()) == 2
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    ends = {event["id"]: event for event in events if event["ev"] in ("done", "error")}
    assert [(ends[i]["ev"], ends[i]["url"]) for i in (1, 2, 3)] == [
        ("error", urls[0]), ("error", urls[1]), ("done", urls[2])]
    assert {event["id"] for event in events if event["ev"] == "start"} == {1, 2, 3}


def test_each_has_its_place_mirror_and_digest(batch, serve):
    server = serve(Objects(a=b"1", b=b"2"))
    outcome = batch(f"{server.url('/a')}\n out=x/1\n checksum=sha256:{sha256(b'1')}\n"
                    f"{server.url('/gone')}\t{server.url('/b')}\n dir=y\n"
                    f"{server.url('/a')}\n out=z\n checksum=sha256:{sha256(b'2')}\n",
                    "--parallel", "2", "--create-dirs")
    assert outcome.code == 110 and tree(outcome.place) == ["x/1", "y/gone"]


def test_a_bad_name_among_them_costs_that_one_only(fetch, serve):
    server = serve(Objects(a=b"1"))
    outcome = fetch("-Z", server.url("/"), server.url("/a"), "nothing:x", output=None)
    assert outcome.code == 115 and outcome.files == ["a"] and len(outcome.stderr.splitlines()) == 2


def test_lines_of_progress_are_of_all_together(fetch, serve):
    server = serve(Objects(**{f"n{i}": b"x" * 1000 for i in range(10)}))
    outcome = fetch("--parallel", "4", "--progress", "line",
                    *[server.url(f"/n{i}") for i in range(10)], output=None)
    lines = outcome.stderr.splitlines()
    assert outcome.code == 0 and lines[0] == "10 urls: begin" and len(lines) <= 11
    assert lines[-1].startswith("10 urls: 10 of 10 done, ")


def test_json_progress_has_the_number_of_its_url(fetch, serve):
    server = serve(Objects(**{f"n{i}": b"x" * 1000 for i in range(4)}))
    outcome = fetch("-Z", "--json", *[server.url(f"/n{i}") for i in range(4)], output=None)
    shown = [json.loads(line) for line in outcome.stdout.splitlines()]
    last = {event["id"]: event for event in shown if event["ev"] == "progress"}
    assert {(number, event["done"], event["total"]) for number, event in last.items()} == {
        (number, 1000, 1000) for number in (1, 2, 3, 4)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_and_begins_none(fetch, serve, number):
    both = threading.Semaphore(0)

    def reply(*_):
        both.release()
        server.hold()

    server = serve(reply)
    child = fetch.start("--parallel", "2", *[server.url(f"/{i}") for i in range(5)], output=None)
    assert both.acquire(timeout=30) and both.acquire(timeout=30)
    child.send_signal(number)
    outcome = outcome_of(child)
    assert outcome.code == 128 + number and outcome.files == [] and server.connections == 2
    assert len(outcome.stderr.splitlines()) == 2, outcome.stderr


def test_two_hundred_at_once_from_one_server(fetch, nginx):
    for i in range(200):
        (nginx.root / f"many{i}").write_bytes(b"%d" % i * 100)
    outcome = fetch("--parallel", "200", *[nginx.url(f"/many{i}") for i in range(200)], output=None)
    assert outcome.code == 0 and len(outcome.files) == 200, outcome.stderr
    assert all((outcome.place / f"many{i}").read_bytes() == b"%d" % i * 100 for i in range(200))


@pytest.mark.parametrize("value", ["0", "257", "x", "-1", ""])
def test_a_wrong_number_is_told(fetch, value):
    fetch("--parallel", value, "http://127.0.0.1:1/x", output=None).failed("INVALID")
