# SPDX-License-Identifier: Apache-2.0
"""A secret goes to the peer it is meant for, and nowhere else: not into a message, a log, an event,
an environment, or the memory of the process list."""
import base64
import pathlib
import threading

import pytest

from support.scripted_server import redirect_to, response

CANARY = "canary-3f1b"
WAYS = {
    "header": ["-H", f"X-Token: {CANARY}"],
    "bearer": ["--oauth2-bearer", CANARY],
    "basic": ["-u", f"me:{CANARY}"],
    "userinfo": [],
    "query": [],
}
FORMS = [CANARY, base64.b64encode(f"me:{CANARY}".encode()).decode()]


@pytest.fixture(autouse=True)
def try_again_soon(fetch):
    fetch.common += ["--option", "retry.delay=1ms"]


def url_of(server, way, path="/x"):
    url = server.url(path)
    if way == "userinfo":
        return url.replace("//", f"//me:{CANARY}@")
    return url + f"?sig={CANARY}" if way == "query" else url


def shows_nothing(outcome):
    for form in FORMS:
        assert form not in outcome.stderr, outcome.stderr
        assert form.encode() not in outcome.stdout, outcome.stdout


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reply", [
    response(b"hello"), response(b"", status="401 No"), response(b"", status=f"500 {CANARY}"),
    redirect_to("file:///x"), redirect_to(f"http://h/?sig={CANARY}\x01"), b"", b"garbage\r\n\r\n",
    response(b"", f"Content-Encoding: {CANARY}")],
    ids=["ok", "401", "echoed", "redirect", "bad-redirect", "empty", "garbage", "encoding"])
@pytest.mark.parametrize("loud", [[], ["-v", "-v", "-v"], ["--json"]])
def test_no_secret_is_shown_whatever_the_server_says(fetch, serve, way, reply, loud):
    server = serve(reply)
    outcome = fetch(*loud, *WAYS[way], url_of(server, way))
    shows_nothing(outcome)
    assert any(form.encode() in server.sent for form in FORMS), "it never arrived"


# Nobody's, as minisign writes one.
KEY = base64.b64encode(b"Ed" + bytes(range(40))).decode()


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_shown_when_nobody_answers(fetch, way):
    class Nobody:
        @staticmethod
        def url(path):
            return f"http://127.0.0.1:1{path}"
    shows_nothing(fetch("-v", "-v", "-v", *WAYS[way], url_of(Nobody, way)))


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_stays_in_the_list_of_processes(fetch, serve, way):
    """Arguments are wiped as soon as they were read; a url's query is no argument of ours to wipe,
    but its userinfo is."""
    if way in ("query", "header"):
        pytest.skip("no secret by its place; the documentation says so")
    asked = threading.Event()

    def reply(*_):
        asked.set()
        server.hold()

    server = serve(reply)
    child = fetch.start(*WAYS[way], url_of(server, way))
    assert asked.wait(30)
    process = pathlib.Path(f"/proc/{child.pid}")
    seen = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
    child.terminate()
    child.communicate()
    assert CANARY.encode() not in seen


@pytest.mark.parametrize("arguments", [["--mirror", "{far}"], ["--checksum-file", "{far}"],
                                       ["--verify-sig", "{far}", "--trusted-key", KEY]],
                         ids=["mirror", "checksum-file", "signature"])
def test_no_secret_of_a_further_url_is_shown_or_stays(fetch, silent, arguments):
    far = silent.url("/far").replace("//", f"//me:{CANARY}@")
    arguments = [word.format(far=far) for word in arguments]
    child = fetch.start("--json", "-v", "-v", "-v", *arguments, silent.url("/near"))
    assert silent.asked.wait(30)
    seen = pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes()
    child.terminate()
    stdout, stderr = child.communicate()
    assert CANARY.encode() not in seen + stdout + stderr


def test_a_key_is_not_shown_when_it_is_bad(fetch, serve, certificates, tmp_path):
    key = tmp_path / "bad.key"
    key.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n")
    key.chmod(0o600)
    server = serve(response(b"x"), tls=certificates.server("good", wants_client=True))
    outcome = fetch("-v", "-v", "-v", "--cacert", certificates.path("ca"), "--cert",
                    certificates.path("client"), "--key", key, server.url())
    assert outcome.code == 2, outcome.stderr
    shows_nothing(outcome)
