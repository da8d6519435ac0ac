# SPDX-License-Identifier: Apache-2.0
"""context: what flame.yaml and the variables say, and where; and how the helper is found."""
import json
import re
import subprocess

import pytest

from sdk.command import HELPER, caches, events, faked, user  # noqa: F401
from support.program import BINARY_DIR, FETCH

NAMES = ["current-context", "cluster.endpoint", "cluster.tls.ca_file", "cluster.tls.cert_file",
         "cluster.tls.key_file", "cache.endpoint", "cache.tls.ca_file", "cache.tls.cert_file",
         "cache.tls.key_file", "cache.storage", "package.storage", "package.excludes",
         "runner.template"]
VERBS = ["context", "publish", "objects"]

YAML = """current-context: one
contexts:
  - name: one
    cluster:
      endpoint: http://manager:8080
    cache:
      endpoint: grpcs://cache:9090
      tls:
        ca_file: /etc/flame/ca.pem
    package:
      excludes:
        - "*.log"
        - build dir
  - name: two
    cache:
      endpoint: grpc://second:1
"""


def lines(outcome):
    assert (outcome.code, outcome.stderr) == (0, ""), outcome.stderr
    return outcome.stdout.decode().splitlines()


# ---- what applies ------------------------------------------------------------------------------


def test_each_value_is_shown_with_its_source(user):
    user.writes(YAML)
    shown = lines(user("context", env={"FLAME_CACHE_ENDPOINT": "grpc://elsewhere:7"}))
    assert [re.split(" = |  \\(", line)[0] for line in shown] == NAMES
    assert f"current-context = one  ({user.file}:1)" in shown
    assert f"cluster.endpoint = http://manager:8080  ({user.file}:5)" in shown
    assert "cache.endpoint = grpc://elsewhere:7  (FLAME_CACHE_ENDPOINT)" in shown
    assert f"cache.tls.ca_file = /etc/flame/ca.pem  ({user.file}:9)" in shown
    assert "runner.template = flmrun  (default)" in shown
    assert "package.storage  (unset)" in shown


def test_json_says_the_same_and_keeps_the_items_of_a_list_apart(user):
    user.writes(YAML)
    outcome = user("context", "--json")
    said = {event["name"]: event for event in events(outcome)}
    assert outcome.code == 0 and list(said) == NAMES
    assert {event["ev"] for event in said.values()} == {"context"}
    assert said["cache.endpoint"]["value"] == "grpcs://cache:9090"
    assert said["cache.endpoint"]["source"] == f"{user.file}:7"
    assert said["cache.endpoint"]["values"] is None
    assert said["package.excludes"]["values"][-2:] == ["*.log", "build dir"]
    assert said["package.storage"]["value"] is None and said["package.storage"]["source"] is None
    assert all(event["help"] for event in said.values())


def test_without_a_file_the_defaults_apply(user):
    shown = lines(user("context"))
    assert "cluster.endpoint = http://127.0.0.1:8080  (default)" in shown
    assert "current-context  (unset)" in shown


def test_another_context_and_another_file_can_be_named(user, tmp_path):
    user.writes(YAML)
    assert any("cache.endpoint = grpc://second:1" in line
               for line in lines(user("context", "--context", "two")))
    (tmp_path / "other.yaml").write_text(YAML.replace("cache:9090", "third:3"))
    assert any("cache.endpoint = grpcs://third:3" in line
               for line in lines(user("context", "--context-file", tmp_path / "other.yaml")))
    assert "current-context  (unset)" in lines(user("context", "--context-file", ""))
    user("context", "--context", "three").failed("INVALID", "three", str(user.file))
    user("context", "--context-file", "missing.yaml").failed("NOT_FOUND", "missing.yaml")


def test_no_config_reads_no_flame_yaml_unless_it_is_named(user):
    user.writes(YAML)
    assert "current-context  (unset)" in lines(user("context", "--no-config"))
    assert any("= one" in line
               for line in lines(user("context", "--no-config", "--context-file", user.file)))


def test_a_broken_file_is_told_with_file_line_and_key(user):
    user.writes(YAML.replace("endpoint: grpcs://cache:9090", "endpoint: [1, 2]"))
    user("context").failed("INVALID", f"{user.file}:7", "cache.endpoint")
    outcome = user("context", "--json")
    assert outcome.code == 2 and events(outcome)[0]["status"] == "INVALID"


def test_letters_of_the_file_are_shown_harmlessly(user):
    user.writes(YAML.replace("grpcs://cache:9090", '"grpcs://\\u202ecache:9090"'))
    outcome = user("context")
    assert outcome.stdout.decode().replace("\n", "").isprintable()
    assert outcome.stderr.replace("\n", "").isprintable()


# ---- for one url -------------------------------------------------------------------------------


def settings(outcome):
    assert (outcome.code, outcome.stderr) == (0, ""), outcome.stderr
    assert outcome.stdout.count(b"\n") == 1
    return json.loads(outcome.stdout)


def test_for_a_url_there_is_one_line_with_options_and_secrets(user, certificates):
    user.has_context(ca_file=certificates.path("ca"), cert_file=certificates.path("client"),
                     key_file=certificates.path("client", "key"))
    said = settings(user("context", "--json", "--for", "grpcs://cache:9090/a/b/c"))
    assert said == {"options": {"tls.ca": str(certificates.path("ca"))},
                    "secrets": {"tls.cert_pem": certificates.path("client").read_text(),
                                "tls.key_pem": certificates.path("client", "key").read_text()}}


@pytest.mark.parametrize("url", ["grpc://cache:9090", "https://host/x", "file:///x", "nonsense"])
def test_for_any_other_url_there_is_nothing(user, certificates, url):
    user.has_context(ca_file=certificates.path("ca"))
    assert settings(user("context", "--json", "--for", url)) == {"options": {}, "secrets": {}}


def test_what_is_wrong_with_the_context_is_said_in_the_same_line(user):
    user.has_context(cert_file="/nowhere/cert.pem")
    outcome = user("context", "--json", "--for", "grpcs://cache")
    error = json.loads(outcome.stdout)["error"]
    assert (outcome.code, outcome.stderr, error["status"]) == (2, "", "INVALID")
    assert "cache.tls.cert_file" in error["message"] and str(user.file) in error["message"]


def test_a_secret_that_is_no_utf8_is_refused_and_not_changed(user, certificates, tmp_path):
    (tmp_path / "odd.pem").write_bytes(b"# caf\xe9\n" + certificates.path("client").read_bytes())
    user.has_context(ca_file=certificates.path("ca"), cert_file=tmp_path / "odd.pem",
                     key_file=certificates.path("client", "key"))
    outcome = user("context", "--json", "--for", "grpcs://cache")
    assert outcome.code == 2 and "UTF-8" in json.loads(outcome.stdout)["error"]["message"]


# ---- the command line --------------------------------------------------------------------------


def test_the_verbs_are_in_the_help_of_the_command_and_have_their_own(user):
    shown = user("--help").stdout.decode()
    for verb in VERBS:
        assert re.search(rf"^ +flame-fetch {verb} \[OPTION", shown, re.M)
        assert re.search(rf"^  {verb} ", shown, re.M)
        own = lines(user(verb, "--help"))
        assert own[0].startswith(f"usage: flame-fetch {verb} ")
        assert any("--context-file FILE" in line for line in own)
    assert any("--storage URL" in line for line in lines(user("publish", "-h")))
    assert not any("--storage" in line for line in lines(user("objects", "-h")))


def test_options_may_stand_before_the_verb(user):
    user.writes(YAML)
    assert "current-context  (unset)" in lines(user("--no-config", "context"))
    assert any("second" in line for line in lines(user("-q", "context", "--context=two")))
    assert lines(user("--help", "publish"))[0].startswith("usage: flame-fetch publish ")


@pytest.mark.parametrize("arguments, words", [
    (["context", "word"], ["takes no argument"]),
    (["context", "--for", "grpcs://x"], ["'--for'", "'--json'"]),
    (["context", "--for"], ["'--for' needs URL"]),
    (["context", "--json", "--for="], ["'--for' needs URL"]),
    (["context", "--contex", "two"], ["unknown option '--contex'"]),
    (["context", "--context-fil=x"], ["unknown option '--context-fil'"]),
    (["context", "--no-such"], ["unknown option '--no-such'"]),
    (["context", "-Y"], ["unknown option '-Y'"]),
    (["context", "--json=yes"], ["'--json' takes no value"]),
    (["context", "--storage", "file:///x"], ["'--storage' is not for 'context'"]),
    (["objects", "ls", "--overwrite", "never"], ["'--overwrite' is not for 'objects'"]),
    (["publish", "a", "b", "--overwrite", "perhaps"], ["must be never|verified|always"]),
    (["publish", "a", "b", "--cacert", ""], ["'--cacert' needs FILE"]),
    (["publish", "a", "b", "--cacert", "missing"], ["cannot read 'missing'"]),
    (["publish", "a", "b", "--option", "x"], ["NAME=VALUE"]),
    (["-o", "x", "context"], ["unknown option '-o'"])])
def test_a_wrong_command_line_is_told_as_the_command_does(user, arguments, words):
    user(*arguments).failed("INVALID", *words)


# ---- the helper --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_helper_its_verbs_say_so(faked, verb):
    user = faked(None)
    user(verb, "x").failed("UNSUPPORTED", f"'{verb}'", "libexec/flame/flame-fetch-sdk",
                           "is not installed")


def test_a_helper_that_cannot_be_run_is_told(faked):
    user = faked("exit 0")
    (user.program.parents[1] / "libexec/flame/flame-fetch-sdk").chmod(0o644)
    user("context").failed("IO", "cannot run")


def test_the_helper_gets_all_arguments_as_they_are(faked):
    user = faked('for word; do printf "%s|" "$word"; done; exit 9')
    outcome = user("-q", "publish", "a b", "", "--storage=x", "--", "-z")
    assert (outcome.code, outcome.stdout) == (9, b"-q|publish|a b||--storage=x|--|-z|")


def test_the_command_needs_no_yaml(user):
    needed = subprocess.run(["ldd", FETCH], capture_output=True, text=True, check=True).stdout
    assert "libjansson" in needed and "yaml" not in needed and "flame-sdk" not in needed


def test_an_installation_finds_the_helper_and_its_libraries(user, tmp_path):
    """Only what this needs: the rest may not be built yet."""
    root = tmp_path / "root"
    for part in ("core", "sdk"):
        done = subprocess.run(["cmake", "--install", BINARY_DIR / part, "--prefix", root],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    user.program = root / "bin" / "flame-fetch"
    assert "runner.template = flmrun  (default)" in lines(user("context"))
    helper = root / HELPER.relative_to(BINARY_DIR)
    needed = subprocess.run(["ldd", helper], capture_output=True, text=True, check=True).stdout
    for name in ("libflame-sdk.so.0", "libflame-fetch.so.0"):
        found = re.search(rf"{name} => (\S+)", needed)[1]
        assert str(root.resolve()) in found or "../" in found and str(root) in found, needed
