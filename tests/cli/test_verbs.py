# SPDX-License-Identifier: Apache-2.0
"""The verbs besides get: stat, verify, plugins, config."""
import hashlib
import json
import os
import shutil

import pytest

from support.program import BINARY_DIR
from support.scripted_server import redirect_to, response

BODY = b"hello"
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()
OTHER = "sha256:" + "0" * 64
PLUGINS = BINARY_DIR / "lib" / "flame" / "plugins"


def lines(outcome):
    assert outcome.code == 0 and outcome.stderr == "" and outcome.files == [], outcome.stderr
    return outcome.stdout.decode().splitlines()


def facts(outcome):
    return dict(line.split(None, 1) for line in lines(outcome))


# ---- stat --------------------------------------------------------------------------------------


def test_stat_tells_size_and_time_of_a_file(fetch, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(BODY)
    os.utime(source, (1_000_000_000, 1_000_000_000))
    known = facts(fetch("stat", f"file://{source}", output=None))
    assert known["size"] == "5" and known["mtime"].startswith("2001-09-09T01:46:40")
    assert known["url"] == f"file://{source}" and known["plugin"] == "org.flame.file"


def test_stat_shows_what_a_server_says_harmlessly(fetch, serve):
    reply = response(b"", "Content-Type: a/\x1b[31mb", 'ETag: "x\x07y"', length=5)
    outcome = fetch("stat", serve(reply).url(), output=None)
    assert outcome.stderr.count("\n") <= 1
    assert outcome.stdout.decode().replace("\n", "").isprintable()


def test_stat_follows_a_redirect_and_transfers_no_body(fetch, serve):
    target = serve(response(b"", "Content-Type: text/plain", length=1_000_000))
    known = facts(fetch("stat", serve(redirect_to(target.url("/y"))).url(), output=None))
    assert known["url"] == target.url("/y") and known["size"] == "1000000"
    assert known["type"] == "text/plain" and target.sent.startswith(b"HEAD /y ")


def test_stat_of_several_urls_goes_on_after_a_failure(fetch, tmp_path):
    (tmp_path / "there").write_bytes(BODY)
    outcome = fetch("stat", f"file://{tmp_path}/gone", f"file://{tmp_path}/there", output=None)
    assert outcome.code == 78 and len(outcome.stderr.splitlines()) == 1
    assert b"size       5\n" in outcome.stdout


@pytest.mark.parametrize("url, status", [("", "INVALID_URL"), ("nothing:x", "UNSUPPORTED"),
                                         ("file:///missing", "NOT_FOUND"), ("file:///dev/zero", "POLICY"),
                                         ("http://127.0.0.1:1/", "CONNECT")])
def test_stat_fails_as_a_download_does(fetch, url, status):
    fetch("stat", "--", url, output=None).failed(status)


# ---- verify ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "with space", "100%25", "a#b?c", "n\u00e4ive", "new\nline"])
def test_verify_reads_the_file_and_says_nothing_when_it_is_right(fetch, tmp_path, name):
    (tmp_path / name).write_bytes(BODY)
    assert lines(fetch("verify", "--checksum", DIGEST, tmp_path / name, output=None)) == []
    fetch("verify", "--checksum", OTHER, tmp_path / name, output=None).failed("DIGEST", DIGEST)


def test_verify_of_what_is_no_file(fetch, tmp_path):
    for path, status in ((tmp_path, "POLICY"), (tmp_path / "gone", "NOT_FOUND"),
                         ("/dev/zero", "POLICY")):
        fetch("verify", "--checksum", DIGEST, path, output=None).failed(status)


@pytest.mark.parametrize("arguments", [[], ["x"], ["--checksum", DIGEST],
                                       ["--checksum", DIGEST, "x", "y"],
                                       ["--checksum", "sha256:1", "x"]])
def test_verify_needs_one_file_and_a_checksum(fetch, arguments):
    place = fetch.new_place()
    outcome = fetch("verify", *arguments, output=None, place=place)
    assert outcome.code in (2, 78) and len(outcome.stderr.splitlines()) == 1, outcome.stderr


# ---- plugins -----------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path):
    """A directory with a plugin that is taken and files that are not."""
    directory = tmp_path / "plugins"
    directory.mkdir(mode=0o755)
    shutil.copy(BINARY_DIR / "tests" / "bad" / "good.so", directory / "good.so")
    (directory / "text.so").write_text("no plugin\n")
    os.mkfifo(directory / "pipe.so")
    (directory / "open.so").write_bytes((directory / "good.so").read_bytes())
    (directory / "open.so").chmod(0o666)
    (directory / "bad\x1b[31m.so").write_text("no plugin\n")
    return directory


def test_plugins_lists_those_that_serve(fetch, mixed):
    shown = lines(fetch("plugins", "--plugin-dir", mixed, output=None))
    assert [line.split()[0] for line in shown] == ["org.example.good", "org.flame.file",
                                                  "org.flame.grpc", "org.flame.http"]
    assert [line.split()[2:4] for line in shown] == [
        ["good", "in-process"], ["file", "in-process"],
        ["grpc,grpcs,grpc+tls,grpc+tcp", "in-process"], ["http,https", "in-process"]]
    assert shown[0].endswith(f" {mixed}/good.so")


def test_plugins_why_tells_the_reason_of_each_refusal(fetch, mixed):
    shown = lines(fetch("plugins", "--why", "--plugin-dir", mixed, output=None))
    assert all(line.isprintable() for line in shown)
    for name, verdict in (("good", "accepted"), ("text", "refused NOT_ELF: "),
                          ("pipe", "refused NOT_REGULAR: "), ("open", "refused UNTRUSTED: "),
                          ("bad\\x1b[31m", "refused NOT_ELF: ")):
        assert [line for line in shown if line.startswith(f"{mixed}/{name}.so: {verdict}")], shown


def test_plugins_json_says_the_same(fetch, mixed):
    shown = lines(fetch("plugins", "--why", "--json", "--plugin-dir", mixed, output=None))
    events = [json.loads(line) for line in shown]
    assert {event["ev"] for event in events} == {"plugin"} and all(map(str.isascii, shown))
    by_name = {os.path.basename(event["path"]): event for event in events}
    assert by_name["good.so"]["accepted"] and by_name["good.so"]["plugin"] == "org.example.good"
    assert by_name["good.so"]["tier"] == "in-process"
    assert not by_name["text.so"]["accepted"] and by_name["text.so"]["code"] == "NOT_ELF"
    assert by_name["open.so"]["reason"]
    without = fetch("plugins", "--json", "--plugin-dir", mixed, output=None)
    assert all(json.loads(line)["accepted"] for line in lines(without))


# ---- config ------------------------------------------------------------------------------------


def test_config_lists_each_setting_and_its_source(fetch, tmp_path):
    (tmp_path / "c.json").write_text('{"options": {"tls.min": "1.3", "limit.redirects": 3}}')
    fetch.common = []
    shown = lines(fetch("config", "--config", tmp_path / "c.json", "--max-redirs", "7",
                        "--stall-timeout", "2m", output=None))
    assert "limit.redirects = 7  (option)" in shown and "time.stall = 120s  (option)" in shown
    assert f"tls.min = 1.3  ({tmp_path}/c.json)" in shown, shown
    assert "dest.durability = full  (default)" in shown and "tls.pin  (unset)" in shown


def test_config_shows_values_as_they_are_written(fetch):
    """Whatever it shows means the same when it is given back."""
    given = {"time.connect": "1500ms", "time.stall": "off", "time.first_byte": "90s"}
    arguments = [word for name, value in given.items() for word in ("--option", f"{name}={value}")]
    shown = lines(fetch("config", *arguments, output=None))
    assert "time.total = off  (default)" in shown
    for name, value in given.items():
        assert f"{name} = {value}  (option)" in shown
    known = [line.rsplit("  (", 1)[0].replace(" = ", "=") for line in shown if " = " in line]
    again = lines(fetch("config", *[f"--option={each}" for each in known], output=None))
    assert [line.replace("(default)", "(option)") for line in shown] == again


def test_config_json_is_one_option_a_line(fetch):
    events = [json.loads(line) for line in lines(fetch("config", "--json", output=None))]
    assert {event["ev"] for event in events} == {"option"}
    values = {event["name"]: event["value"] for event in events}
    assert values["limit.redirects"] == "5" and values["tls.ca"] is None
    assert all(event["help"] for event in events)


def test_config_shows_no_secret(fetch):
    done = fetch("config", "--proxy", "http://me:canary@h:1", output=None)
    assert done.code == 0 and b"net.proxy = http://h:1" in done.stdout
    assert b"canary" not in done.stdout and "canary" not in done.stderr


def test_config_check_loads_every_plugin_and_checks_its_options(fetch, tmp_path):
    fetch.common = []
    config = tmp_path / "c.json"
    for plugins, code in (('{"org.flame.http": {"http_version": "2"}}', 0),
                          ('{"org.flame.http": {"http_version": "9"}}', 2),
                          ('{"org.flame.http": {"no_such": "1"}}', 2)):
        config.write_text('{"plugins": %s}' % plugins)
        outcome = fetch("config", "--check", "--config", config, output=None)
        assert (outcome.code, outcome.stdout) == (code, b""), outcome.stderr
        assert len(outcome.stderr.splitlines()) == (1 if code else 0)
        assert not code or "plugins.org.flame.http." in outcome.stderr, outcome.stderr
