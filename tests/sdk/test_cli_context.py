# SPDX-License-Identifier: Apache-2.0
"""get, put, stat, ls and rm at a cache with TLS: what the command line does not say, the Flame
context does, by way of the helper."""
import pathlib
import re
import signal
import subprocess
import time

import pytest

from sdk.command import caches, ended, events, faked, interrupted, traced, user  # noqa: F401
from support.scripted_server import response
from support.statuses import EXIT

BODY = b"hello" * 1000
ONCE = ["--option", "retry.attempts=1"]
ASK = "context --json --for"
LOG = 'echo "$@" >>"$HOME/asked"'
RUN = 'exec "$REAL" "$@"'


def trust(certificates, name="ca"):
    return {"ca_file": certificates.path(name)}


def identity(certificates, name="client"):
    return trust(certificates) | {"cert_file": certificates.path(name),
                                  "key_file": certificates.path(name, "key")}


def asked(user):
    """The lines with which the helper was called."""
    path = user.home / "asked"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    return tmp_path / "source"


def filled(cache, user, source, *arguments):
    outcome = user("put", *arguments, source, f"{cache.url}/app/ssn/x")
    assert (outcome.code, outcome.stderr) == (0, ""), outcome.stderr
    return f"{cache.url}/app/ssn/x"


# ---- it is used --------------------------------------------------------------------------------


@pytest.mark.parametrize("mutual", [False, True])
def test_each_verb_reaches_a_cache_with_the_context_alone(user, caches, certificates, source,
                                                          mutual):
    cache = caches(tls=True, mutual=mutual)
    user.has_context(endpoint=cache.url,
                     **(identity(certificates) if mutual else trust(certificates)))
    url = filled(cache, user, source)
    user(url, output="out").succeeded(BODY)
    user(url.replace("grpcs://", "GRPC+TLS://"), output="out").succeeded(BODY)
    assert b"size " in user("stat", url).stdout
    assert user("ls", f"{cache.url}/app/ssn").stdout.endswith(b"  x\n")
    assert user("rm", url).code == 0
    user("stat", url).failed("NOT_FOUND")


def test_a_published_package_is_fetched_by_its_printed_url(user, caches, certificates, source):
    cache = caches(mutual=True)
    user.has_context(endpoint=cache.url, **identity(certificates))
    url = user("publish", "app", source).stdout.decode().strip()
    user(url, output="out").succeeded(BODY)


def test_without_the_context_nobody_is_let_in(user, caches, source):
    user("put", *ONCE, source, f"{caches(tls=True).url}/a/b/c").failed("TLS")


def test_variables_are_enough(user, caches, certificates, source):
    cache = caches(mutual=True)
    said = {"FLAME_CA_FILE": certificates.path("ca"), "FLAME_CERT_FILE": certificates.path("client"),
            "FLAME_KEY_FILE": certificates.path("client", "key")}
    outcome = user("put", source, f"{cache.url}/a/b/c", env={k: str(v) for k, v in said.items()})
    assert outcome.code == 0, outcome.stderr


def test_many_urls_of_one_cache_ask_once(faked, caches, certificates, source):
    user, cache = faked(LOG + "\n" + RUN), caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    url = filled(cache, user, source)
    (user.home / "asked").unlink()
    for arguments in ([], ["-Z"]):
        outcome = user(*arguments, "-d", "to", url, url, url, place=made(user))
        assert outcome.code == 0, outcome.stderr
        assert asked(user) == [f"{ASK} {cache.url}"]
        (user.home / "asked").unlink()


def made(user):
    place = user.new_place()
    (place / "to").mkdir()
    return place


def test_v_says_that_the_context_is_used(user, caches, certificates, source):
    cache = caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    line = f"flame-fetch: info: {cache.url}: with the TLS settings of the Flame context"
    assert user("put", "-v", source, f"{cache.url}/a/b/c").stderr.splitlines().count(line) == 1
    assert user("put", source, f"{cache.url}/a/b/c").stderr == ""


def test_a_signature_at_a_cache_is_fetched_with_the_context_too(user, caches, certificates, source):
    cache = caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    url = filled(cache, user, source)
    key = "RWQ" + "A" * 53
    near, far = [url], [f"file://{source}"]
    for urls in (near, far):
        outcome = user(*ONCE, "--verify-sig", url, "--trusted-key", key, *urls, output="out")
        assert outcome.code == 111 or "sodium" in outcome.stderr, outcome.stderr


# ---- who goes before it ------------------------------------------------------------------------


def test_authorities_of_the_command_line_or_the_configuration_keep_it_out(faked, caches, certificates,
                                                                          source):
    user, cache = faked(LOG + "\n" + RUN), caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates, "other-ca"))
    filled(cache, user, source, "--cacert", certificates.path("ca"))
    filled(cache, user, source, "--option", f"tls.ca={certificates.path('ca')}")
    (user.home / "config.json").write_text(
        '{"options": {"tls.ca": "%s"}}' % certificates.path("ca"))
    filled(cache, user, source, "--config", user.home / "config.json")
    assert asked(user) == []
    user("put", *ONCE, source, f"{cache.url}/a/b/c").failed("TLS")
    assert len(asked(user)) == 1


def test_our_certificate_is_shown_to_nobody_who_was_not_checked(user, caches, certificates, source):
    cache = caches(mutual=True)
    user.has_context(endpoint=cache.url, **identity(certificates))
    url = filled(cache, user, source)
    outcome = user(*ONCE, "--insecure", "-q", url, output="out")
    assert outcome.code == EXIT["TLS"] and "wants a client certificate" in outcome.stderr
    outcome = user("publish", "app", source, "--option", "tls.verify=no", *ONCE)
    outcome.failed("TLS", "certificate")


def test_a_certificate_of_the_command_line_keeps_it_out(faked, caches, certificates, source):
    user, cache = faked(LOG + "\n" + RUN), caches(tls=True)
    user.has_context(endpoint=cache.url, **identity(certificates))
    for option, kind in (("--cert", "pem"), ("--key", "key")):
        outcome = user("put", *ONCE, option, certificates.path("client", kind), source,
                       f"{cache.url}/a/b/c")
        assert outcome.code != 0 and asked(user) == [], outcome.stderr


def test_no_config_keeps_it_out(faked, caches, certificates, source):
    user, cache = faked(LOG + "\n" + RUN), caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    for option in (["--no-config"], ["--config="]):
        user("put", *option, *ONCE, source, f"{cache.url}/a/b/c").failed("TLS")
    assert asked(user) == []


def test_nobody_is_asked_where_there_is_no_context(faked, caches, source):
    user = faked(LOG + "\nexit 9")
    user("put", *ONCE, source, f"{caches(tls=True).url}/a/b/c").failed("TLS")
    user("put", *ONCE, source, f"{caches(tls=True).url}/a/b/c",
         env={"FLAME_CA_FILE": "", "FLAME_CACHE_ENDPOINT": "grpcs://x"}).failed("TLS")
    assert asked(user) == []


@pytest.mark.parametrize("kind", ["file", "http", "grpc"])
def test_any_other_url_starts_no_process_and_looks_for_no_context(user, caches, serve, source,
                                                                  tmp_path, kind):
    user.has_context()
    url = {"file": lambda: f"file://{source}", "http": lambda: serve(response(BODY)).url(),
           "grpc": lambda: filled(caches(), user, source)}[kind]()
    log = tmp_path / "log"
    child = traced(user, log, "-o", "out", url, calls="execve,fork,vfork,clone,clone3,access,openat")
    assert ended(child)[0] == 0
    text = log.read_text()
    assert len(re.findall(r"execve\(", text)) == 1 and "flame.yaml" not in text
    starts = [line for line in text.splitlines() if re.search(r"\b(clone3?|v?fork)\(", line)]
    assert all("CLONE_THREAD" in line for line in starts), starts


# ---- what goes wrong ---------------------------------------------------------------------------


def test_a_broken_file_is_an_error_of_that_url_and_said_once(user, source):
    user.writes("current-context: [1\n")
    outcome = user("grpcs://127.0.0.1:1/a/b/c", f"file://{source}")
    assert outcome.code == 2 and outcome.files == ["source"]
    lines = outcome.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("flame-fetch: grpcs://127.0.0.1:1/a/b/c: ")
    assert f"{user.file}:" in lines[0]
    event = events(user("stat", "--json", "grpcs://127.0.0.1:1/a/b/c"))[-1]
    assert (event["ev"], event["status"], event["exitcode"]) == ("error", "INVALID", 2)
    assert str(user.file) in event["errormsg"]


@pytest.mark.parametrize("verb", ["get", "put", "stat", "ls", "rm"])
def test_each_verb_fails_by_a_broken_context_before_it_asks_the_peer(user, source, verb):
    user.writes("current-context: one\n")
    words = [source] if verb == "put" else []
    user(verb, *words, "grpcs://127.0.0.1:1/a/b/c").failed("INVALID", "context", "--no-config")


def test_a_file_of_the_context_that_cannot_be_read_is_named(user):
    user.has_context(ca_file="/nowhere/ca", cert_file="/nowhere/cert", key_file="/nowhere/key")
    user("stat", "grpcs://127.0.0.1:1/a/b/c").failed("IO", "/nowhere/cert", "cache.tls.cert_file")


def test_a_missing_helper_is_told_with_the_way_out(faked, caches, certificates, source):
    user, cache = faked(None), caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    user("put", source, f"{cache.url}/a/b/c").failed("UNSUPPORTED", "is not installed",
                                                     "--no-config")
    filled(cache, user, source, "--no-config", "--cacert", certificates.path("ca"))


NONSENSE = {
    "nothing": "true", "text": "echo hello", "list": "echo '[1]'", "empty object": "echo '{}'",
    "half": """echo '{"options":{}}'""", "number": """echo '{"options":{"a":1},"secrets":{}}'""",
    "secrets as list": """echo '{"options":{},"secrets":[]}'""",
    "twice": """echo '{"options":{},"options":{},"secrets":{}}'""",
    "two lines": """echo '{"options":{},"secrets":{}}{}'""",
    "error of no kind": """echo '{"error":1}'""", "nul": """printf '{"options":{},"secrets":{}}\\0'""",
    "cut": """printf '{"options":{"tls.ca":"/x'""",
    "well, but it failed": """echo '{"options":{},"secrets":{}}'; exit 3""",
    "nesting": "head -c 1000000 /dev/zero | tr '\\0' '['"}


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
def test_a_helper_that_says_nonsense_is_told(faked, script):
    user = faked(script)
    user.has_context()
    user("stat", "grpcs://127.0.0.1:1/a/b/c").failed("INTERNAL", "flame-fetch-sdk")


def test_an_option_that_the_library_does_not_take_is_told(faked):
    user = faked("""echo '{"options":{"no.such":"1"},"secrets":{}}'""")
    user.has_context()
    user("stat", "grpcs://127.0.0.1:1/a/b/c").failed("INVALID", "no.such")


def test_a_killed_helper_is_told_whatever_it_said_before(faked):
    user = faked("""echo '{"options":{},"secrets":{}}'; kill -9 $$""")
    user.has_context()
    user("stat", "grpcs://127.0.0.1:1/a/b/c").failed("INTERNAL", "killed by signal 9")


def test_a_helper_that_says_too_much_is_stopped(faked, tmp_path):
    user = faked('echo $$ >"$HOME/pid"; exec cat /dev/zero')
    user.has_context()
    user("stat", "grpcs://127.0.0.1:1/a/b/c").failed("LIMIT", "more than 4 MiB")
    is_gone(user)


def is_gone(user):
    """The helper, which has written who it is, was waited for: it is no zombie either."""
    pid = int((user.home / "pid").read_text())
    assert not pathlib.Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("script", ["exec sleep 600", "exec sleep 600 >&-"],
                         ids=["says nothing", "does not end"])
def test_a_helper_that_does_not_come_to_an_end_is_ended(faked, script):
    user = faked('echo $$ >"$HOME/pid"; ' + script)
    user.has_context()
    outcome = user("stat", "grpcs://127.0.0.1:1/a/b/c")
    outcome.failed("TIMEOUT", "has not answered within 10 s")
    assert outcome.seconds > 9
    is_gone(user)


def test_a_signal_does_not_wait_for_the_helper(faked):
    user = faked('echo $$ >"$HOME/pid"; exec sleep 600')
    user.has_context()
    child = user.begin("stat", "grpcs://127.0.0.1:1/a/b/c")
    end = time.monotonic() + 60
    while not (user.home / "pid").exists() or not (user.home / "pid").read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.01)
    begin = time.monotonic()
    code, _, stderr = interrupted(child)
    assert code == 130 and time.monotonic() - begin < 5, stderr
    is_gone(user)


def test_the_helper_does_not_take_our_standard_input(faked, caches, certificates, source):
    user, cache = faked("cat >/dev/null; " + RUN), caches(tls=True)
    user.has_context(endpoint=cache.url, **trust(certificates))
    url = f"{cache.url}/app/ssn/x"
    child = user.begin("put", "-", url, stdin=subprocess.PIPE)
    stdout, stderr = child.communicate(BODY, timeout=60)
    assert (child.returncode, stdout, stderr) == (0, b"", b"")
    user(url, output="out").succeeded(BODY)


def test_what_the_helper_complains_of_is_seen(faked):
    user = faked("""echo 'a library is missing' >&2; exit 127""")
    user.has_context()
    outcome = user("stat", "grpcs://127.0.0.1:1/a/b/c")
    assert outcome.code == 125 and "a library is missing" in outcome.stderr
    assert "'flame-fetch-sdk' ended with 127" in outcome.stderr


# ---- secrets -----------------------------------------------------------------------------------


def pieces(certificates):
    """Lines of the private key and of the certificate that nothing else has."""
    return [line for kind in ("pem", "key")
            for line in certificates.path("client", kind).read_text().splitlines()
            if not line.startswith("-----")]


def test_no_secret_is_in_arguments_environment_or_output(user, caches, certificates, source,
                                                         tmp_path):
    """strace sees each program that is started, with its arguments and its environment."""
    cache, log = caches(mutual=True), tmp_path / "log"
    user.has_context(endpoint=cache.url, **identity(certificates))
    url = f"{cache.url}/app/ssn/x".replace("//", "//me:canary@")
    child = traced(user, log, "put", "-v", "-v", "-v", "--json", source, url + "?token=canary2",
                   calls="execve")
    code, stdout, stderr = ended(child)
    started = log.read_text().split("execve(")[2:]
    assert len(started) == 1 and f'"--for", "{cache.url}"' in started[0], log.read_text()
    assert "canary" not in "".join(started) and "canary" not in stdout + stderr
    for piece in pieces(certificates):
        assert piece not in log.read_text() + stdout + stderr
    assert code in (0, 3), stderr  # a cache knows no query


def test_no_secret_is_seen_while_it_runs(user, caches, certificates):
    cache = caches("--fault", "stall", "--fault-method", "DoGet", mutual=True)
    user.has_context(endpoint=cache.url, **identity(certificates))
    url = f"{cache.url}/app/ssn/x"
    child = user.begin("-v", "-o", "out", url)
    line = child.stderr.readline()
    assert b"of the Flame context" in line, line
    seen = b"".join(pathlib.Path(f"/proc/{child.pid}/{name}").read_bytes()
                    for name in ("cmdline", "environ"))
    child.send_signal(signal.SIGTERM)
    _, _, stderr = ended(child)
    cache.kill()
    assert url.encode() in seen
    for piece in pieces(certificates):
        assert piece.encode() not in seen and piece not in stderr
