# SPDX-License-Identifier: Apache-2.0
"""The command line: every promised option is there, does what it says, and a wrong one is told."""
import hashlib
import os
import pty
import subprocess

import pytest

from support.scripted_server import redirect_to, response, slowly
from support.statuses import EXIT

BODY = b"hello"
HELLO = response(BODY)
DIGEST = hashlib.sha256(BODY).hexdigest()

PROMISED = """-o -O -d --checksum --plugin-dir --overwrite --connect-timeout --stall-timeout --max-time
--max-filesize -H --cacert --cert --key --pinnedpubkey --oauth2-bearer -u --proxy --netrc --max-redirs
--resolve --connect-to -4 -6 -A --remote-time -q -v --json --spool --why --config --retry
--retry-delay --retry-max-time --mirror --source-timeout --connections --min-split --limit-rate
--checksum-file --etag --continue --no-lock --lock-timeout -i --input-file -Z --parallel --verify-sig
--trusted-key --recursive --max-entries --cursor --older-than""".split()


def test_every_promised_option_is_in_the_help(fetch):
    done = fetch("--help", output=None)
    assert done.code == 0 and done.stderr == ""
    words = done.stdout.decode().replace(",", " ").split()
    assert [option for option in PROMISED if option not in words] == []


@pytest.mark.parametrize("verb", ["get", "put", "rm", "stat", "ls", "verify", "clean",
                                  "plugins", "config"])
def test_each_verb_has_its_help(fetch, verb):
    done = fetch(verb, "--help", output=None)
    assert done.code == 0 and done.stdout.decode().startswith("usage: flame-fetch ")
    assert verb in done.stdout.decode().splitlines()[0]


def test_without_o_and_with_capital_o_the_url_names_the_file(fetch, serve):
    server = serve(HELLO)
    for arguments in ([], ["-O"], ["get"], ["get", "--remote-name"]):
        outcome = fetch(*arguments, server.url("/a%20b?q=1"), output=None)
        assert (outcome.code, outcome.files) == (0, ["a b"]), outcome.stderr


def test_d_puts_a_file_into_a_directory(fetch, serve):
    server = serve(HELLO)
    place = fetch.new_place()
    (place / "dir").mkdir()
    for arguments in (["-d", "dir"], ["-O", "--output-dir=dir"], ["-ddir", "-o", "named"]):
        assert fetch(*arguments, server.url("/x"), output=None, place=place).code == 0
    assert sorted(os.listdir(place / "dir")) == ["named", "x"]


@pytest.mark.parametrize("digest", [f"sha256:{DIGEST}", f"sha256={DIGEST.upper()}",
                                    "sha512:" + hashlib.sha512(BODY).hexdigest()])
def test_a_checksum_is_demanded_in_both_spellings(fetch, serve, digest):
    fetch("--checksum", digest, serve(HELLO).url()).succeeded(BODY)
    fetch("--checksum", digest, serve(response(b"jello")).url()).failed("DIGEST")


def test_a_wrong_checksum_is_told_also_when_the_bytes_have_left(fetch, serve):
    server = serve(response(b"jello"))
    outcome = fetch("--checksum", f"sha256:{DIGEST}", server.url(), output="-")
    outcome.failed("DIGEST")
    assert outcome.stdout == b"jello"
    outcome = fetch("--spool", "--checksum", f"sha256:{DIGEST}", server.url(), output="-")
    outcome.failed("DIGEST")
    assert outcome.stdout == b""


@pytest.mark.parametrize("name", ["-x", "--", "--help", "-o", "-"])
def test_104_a_name_may_begin_with_a_dash(fetch, serve, name):
    server = serve(HELLO)
    for arguments in ([f"--output=./{name}"], [f"-o./{name}"], [f"--output={name}"]):
        outcome = fetch(*arguments, "--", server.url(), output=None)
        if arguments == ["--output=-"]:
            assert (outcome.code, outcome.stdout, outcome.files) == (0, BODY, [])
        else:
            assert (outcome.code, outcome.files) == (0, [name]), outcome.stderr


def test_104_behind_two_dashes_all_are_urls(fetch, serve):
    server = serve(HELLO)
    fetch("--", "--help").failed("INVALID_URL")
    fetch("--", "-o").failed("INVALID_URL")
    fetch("--", server.url(), "-q").failed("INVALID")  # two urls for one -o
    fetch(server.url(), "-q").succeeded(BODY)


WRONG = [["--no-such-option"], ["-Y"], ["--quiet=yes"], ["--max-time"], ["--max-time", "soon"],
         ["--max-time", "-1"], ["--connect-timeout", "1y"], ["--stall-timeout", ""],
         ["--max-filesize", "big"], ["--max-redirs", "many"], ["--max-redirs", "-1"],
         ["--overwrite", "sometimes"], ["--checksum", "md5:00"], ["--checksum", "sha256:0g"],
         ["--checksum", "x"], ["--option", "no-value"], ["--option", "no.such=1"],
         ["--option", "tls.verify=perhaps"], ["-H", "no colon"], ["-u", "nobody"],
         ["--cacert", "missing"], ["--cert", "missing"], ["--key", "missing"],
         ["--oauth2-bearer", "@missing"], ["-u", "@missing"], ["-H", "@missing"],
         ["--netrc-file", "missing"], ["-d", ""], ["--plugin-dir", ""], ["--cacert="],
         ["--cert="], ["--netrc-file", ""], ["-O"], ["--why"], ["--check"]]


@pytest.mark.parametrize("arguments", WRONG, ids=[" ".join(each) for each in WRONG])
def test_a_wrong_option_is_told_before_anybody_is_asked(fetch, serve, arguments):
    server = serve(HELLO)
    fetch(server.url(), *arguments).failed("INVALID")
    assert server.connections == 0


def test_a_configuration_that_is_named_must_be_there_and_whole(fetch, serve):
    server, place = serve(HELLO), fetch.new_place()
    fetch.common = []
    fetch("--config", f"{place}/missing", server.url()).failed("IO", "missing")
    (place / "bad.json").write_text('{"options": {"tls.min": "1.1"}}')
    fetch("--config", f"{place}/bad.json", server.url()).failed("INVALID", "options.tls.min")
    (place / "good.json").write_text('{"options": {"limit.bytes": 4}}')
    fetch("--config", f"{place}/good.json", server.url()).failed("LIMIT")
    fetch("--config", f"{place}/good.json", "--max-filesize", "5", server.url()).succeeded(BODY)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "nothing:x", "file:///missing",
                                 "http://h:0/", "file://far/x"])
def test_a_failure_names_the_url_first(fetch, url):
    outcome = fetch(url)
    assert outcome.code != 0 and outcome.files == []
    assert outcome.stderr.startswith(f"flame-fetch: {url}: "), outcome.stderr
    assert outcome.stderr.count("\n") == 1 and outcome.stdout == b""


def test_letters_of_a_stranger_are_shown_harmlessly(fetch, serve):
    evil = "\x1b]0;x\x07\u202e\r\n"
    for arguments in ([f"http://h/{evil}"], [f"{evil}:x"], ["--checksum", evil, "file:///x"],
                      [f"--{evil}"], ["--option", evil, "x:"], ["--overwrite", evil, "x:"]):
        outcome = fetch(*arguments)
        assert outcome.code in (2, 3) and outcome.files == []
        assert len(outcome.stderr.splitlines()) == 1 and outcome.stderr[:-1].isprintable()
    reply = b"HTTP/1.1 500 \x1b[31m\xe2\x80\xae\r\nContent-Encoding: \x1b[2J\r\n\r\n"
    fetch(serve(reply).url()).failed("REMOTE")


def test_success_is_silent_and_q_silences_all_but_errors(fetch, serve):
    server = serve(HELLO)
    for arguments in ([], ["-q"], ["-q", "--progress", "line"]):
        outcome = fetch(*arguments, server.url())
        assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")
    fetch("-q", serve(response(b"", status="404 No")).url()).failed("NOT_FOUND")


def test_v_tells_of_redirects_without_their_secrets(fetch, serve):
    target = serve(HELLO)
    home = serve(redirect_to(target.url("/y?sig=canary")))
    outcome = fetch("-v", home.url())
    outcome.succeeded(BODY)
    assert f":{target.port}/y" in outcome.stderr and "canary" not in outcome.stderr


def test_v_tells_who_answered_and_how_he_was_reached(fetch, serve, tmp_path):
    server = serve(HELLO)
    outcome = fetch("-v", server.url("/x?sig=canary"))
    outcome.succeeded(BODY)
    assert outcome.stderr == (f"flame-fetch: info: org.flame.http: 127.0.0.1 port {server.port} "
                              "answered 200 over http/1, on a new connection\n")
    (tmp_path / "source").write_bytes(BODY)
    assert "plugin 'org.flame.file' is asked" in fetch("-vv", f"file://{tmp_path}/source").stderr


def test_a_plugin_directory_of_the_command_line_may_be_relative(fetch):
    place = fetch.new_place()
    (place / "plugins").mkdir(mode=0o755)
    (place / "plugins" / "bad.so").write_text("no plugin")
    done = fetch("plugins", "--why", "--plugin-dir", "plugins", output=None, place=place)
    assert done.code == 0 and f"{place}/plugins/bad.so: refused NOT_ELF" in done.stdout.decode()


# ---- what is said where ------------------------------------------------------------------------


PLACE_OF_OUTPUT = {"body": (["{url}"], "-"), "events": (["--json", "{url}"], "out"),
                   "stat": (["stat", "{url}"], None), "plugins": (["plugins"], None),
                   "config": (["config"], None), "help": (["--help"], None)}


@pytest.mark.parametrize("kind", PLACE_OF_OUTPUT)
@pytest.mark.parametrize("full", [True, False], ids=["full", "closed"])
def test_101_an_output_that_takes_nothing_is_an_error(fetch, tmp_path, kind, full):
    (tmp_path / "source").write_bytes(b"x" * 100)
    words, output = PLACE_OF_OUTPUT[kind]
    url = f"file://{tmp_path}/source"
    redirection = "> /dev/full" if full else ">&-"
    fetch.wrapper = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
    outcome = fetch(*[word.format(url=url) for word in words], output=output)
    is_no_space = full and kind == "body"
    assert outcome.code == EXIT["NO_SPACE" if is_no_space else "IO"], outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1 and "cannot write" in outcome.stderr
    assert outcome.files in ([], ["out"])


def test_101_a_closed_standard_stream_is_not_taken_for_the_file(fetch, serve):
    server = serve(HELLO)
    for redirection in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        fetch.wrapper = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
        fetch(server.url()).succeeded(BODY)


def on_terminal(fetch, *arguments, **options):
    """What the program writes to a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    place = fetch.new_place()
    with subprocess.Popen(fetch.argv(*arguments, **options), cwd=place, stderr=theirs,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 4096):
                shown += more
        except OSError:
            pass  # a terminal that nobody has open any more
    os.close(ours)
    return shown.decode(), child.returncode


def test_a_terminal_shows_a_bar_and_is_left_clean(fetch, serve):
    body = b"x" * 50
    slow = slowly([response(body)[:-50]] + [b"x" * 10] * 5, 0.2)
    shown, code = on_terminal(fetch, serve(slow).url("/x?sig=canary"))
    assert code == 0 and "%" in shown and "[###" in shown and "canary" not in shown
    assert shown.endswith("\r\x1b[K")
    for arguments in (["-q"], ["--progress", "none"]):
        assert on_terminal(fetch, *arguments, serve(slow).url()) == ("", 0)
