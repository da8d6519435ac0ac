# SPDX-License-Identifier: Apache-2.0
"""put: a file, or standard input, to a url; done means stored."""
import json
import subprocess

import pytest

from support.object_server import Objects
from support.program import clean_environment
from support.scripted_server import response

BODY = bytes(range(256)) * 300


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def put(fetch):
    return lambda *arguments, **more: fetch("put", *arguments, output=None, **more)


def is_quiet(outcome):
    assert (outcome.code, outcome.stdout, outcome.stderr, outcome.files) == (0, b"", "", []), \
        outcome.stderr


def piped(fetch, body, *arguments):
    place = fetch.new_place()
    return subprocess.run(fetch.argv(*arguments, output=None), cwd=place, input=body, timeout=60,
                          env=clean_environment(), capture_output=True, check=False)


def test_a_file_is_stored_at_a_file_url(put, source, tmp_path):
    is_quiet(put(source, f"file://{tmp_path}/stored"))
    assert (tmp_path / "stored").read_bytes() == BODY


def test_missing_directories_are_made_when_asked_for(put, source, tmp_path):
    put(source, f"file://{tmp_path}/a/b/stored").failed("NOT_FOUND")
    is_quiet(put("--create-dirs", source, f"file://{tmp_path}/a/b/stored"))
    assert (tmp_path / "a/b/stored").read_bytes() == BODY


def test_a_file_is_stored_over_http_and_replaces_what_was_there(put, serve, source):
    objects = Objects(x=b"old")
    is_quiet(put(source, serve(objects).url("/x")))
    assert objects.objects["/x"] == BODY and objects.methods("/x").count("PUT") == 1


def test_standard_input_is_stored(fetch, serve, tmp_path):
    objects = Objects()
    for url in (f"file://{tmp_path}/stored", serve(objects).url("/x")):
        done = piped(fetch, BODY, "put", "-", url)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done.stderr
    assert (tmp_path / "stored").read_bytes() == BODY and objects.objects["/x"] == BODY


def test_a_pipe_of_unknown_size_is_stored(fetch, serve):
    objects = Objects()
    place = fetch.new_place()
    argv = " ".join(map(str, fetch.argv("put", "-", serve(objects).url("/x"), output=None)))
    subprocess.run(f"head -c 200000 /dev/zero | cat | {argv}", shell=True, cwd=place, check=True,
                   timeout=60, env=clean_environment())
    assert objects.objects["/x"] == bytes(200_000)


def test_what_is_there_is_kept_when_nothing_may_be_replaced(put, serve, source, tmp_path):
    objects = Objects(x=b"old")
    (tmp_path / "stored").write_bytes(b"old")
    for url in (serve(objects).url("/x"), f"file://{tmp_path}/stored"):
        put("--overwrite", "never", source, url).failed("EXISTS")
    assert objects.objects["/x"] == b"old" and (tmp_path / "stored").read_bytes() == b"old"


def test_what_is_not_there_is_made_when_nothing_may_be_replaced(put, serve, source, tmp_path):
    objects = Objects()
    for url in (serve(objects).url("/x"), f"file://{tmp_path}/stored"):
        is_quiet(put("--overwrite", "never", source, url))
    assert objects.objects["/x"] == BODY and (tmp_path / "stored").read_bytes() == BODY


def test_always_is_what_put_does_anyhow(put, serve, source):
    objects = Objects(x=b"old")
    is_quiet(put("--overwrite", "always", source, serve(objects).url("/x")))
    assert objects.objects["/x"] == BODY


def test_an_etag_lets_nobody_elses_change_be_lost(put, serve, source):
    objects = Objects(x=b"old")
    server = serve(objects)
    put("--etag", '"another"', source, server.url("/x")).failed("CHANGED")
    assert objects.objects["/x"] == b"old"
    is_quiet(put("--etag", objects.etag("/x"), source, server.url("/x")))
    assert objects.objects["/x"] == BODY


def test_json_tells_what_was_stored(put, serve, source):
    objects = Objects()
    url = serve(objects).url("/x")
    outcome = put("--json", source, url)
    events = [json.loads(line) for line in outcome.stdout.splitlines()]
    stored = events[-1]
    assert outcome.code == 0 and events[0]["ev"] == "start"
    assert (stored["ev"], stored["url"], stored["filename"]) == ("stored", url, str(source))
    assert stored["size_upload"] == len(BODY) and stored["num_retries"] == 0


def test_progress_is_shown_as_lines(put, source, tmp_path):
    outcome = put("--progress", "line", source, f"file://{tmp_path}/stored")
    lines = outcome.stderr.splitlines()
    assert lines[0].endswith(": begins") and lines[-1].endswith(": done"), outcome.stderr


@pytest.mark.parametrize("status", ["202 Accepted", "302 Found", "500 No", "413 Too Large"])
def test_no_failure_is_taken_for_done(put, serve, source, status):
    def reply(request, connection):
        if request.startswith(b"PUT"):
            return response(b"", "Location: /y", status=status)
        return response(b"", status="404 Not Found")

    outcome = put("--retry", "0", source, serve(reply).url("/x"))
    assert outcome.code != 0 and len(outcome.stderr.splitlines()) == 1, outcome.stderr


def test_a_file_that_is_not_there_is_told_with_nobody_asked(put, serve, tmp_path):
    server = serve(Objects())
    outcome = put(tmp_path / "missing", server.url("/x"))
    assert outcome.code in (26, 78) and len(outcome.stderr.splitlines()) == 1, outcome.stderr
    assert server.connections == 0


@pytest.mark.parametrize("arguments", [[], ["x"], ["x", "file:///y", "z"],
                                       ["--overwrite", "verified", "x", "file:///y"],
                                       ["--overwrite", "never", "--etag", '"a"', "x", "file:///y"],
                                       ["-o", "x", "x", "file:///y"], ["--etag", "", "x", "file:///y"]])
def test_a_wrong_command_line_is_told(put, arguments):
    put(*arguments).failed("INVALID")


def test_a_name_with_an_at_sign_is_no_secret(fetch, tmp_path):
    place = fetch.new_place()
    (place / "me:x@y").write_bytes(BODY)
    outcome = fetch("put", "me:x@y", f"file://{tmp_path}/stored", output=None, place=place)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert (tmp_path / "stored").read_bytes() == BODY
