# SPDX-License-Identifier: Apache-2.0
"""publish: a package under a name that is made of its content, in whatever place there is."""
import hashlib
import os
import pathlib
import time

import pytest

from sdk.command import caches, ended, events, interrupted, traced, user  # noqa: F401
from support.object_server import Objects

BODY = bytes(range(256)) * 300
HEX = hashlib.sha256(BODY).hexdigest()
NAME = f"app-{HEX[:16]}.tar.gz"


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def printed(outcome):
    """The one line."""
    assert (outcome.code, outcome.stderr, outcome.files) == (0, "", []), outcome.stderr
    assert outcome.stdout.count(b"\n") == 1
    return outcome.stdout.decode().strip()


# ---- what it is called and where it goes -------------------------------------------------------


def test_the_url_with_the_whole_digest_is_printed_and_fetches_it(user, package, folder):
    url = printed(user("publish", "app", package, "--storage", f"file://{folder}"))
    assert url == f"file://{folder}/app/pkg/{NAME}#sha256={HEX}"
    assert (folder / "app/pkg" / NAME).read_bytes() == BODY
    user(url, output="out").succeeded(BODY)


def test_a_cache_is_a_place_too_and_its_url_fetches_the_package(user, package, caches):
    cache = caches()
    user.has_context(endpoint=cache.url)
    url = printed(user("publish", "app", package))
    assert url == f"{cache.url}/app/pkg/{NAME}#sha256={HEX}"
    user(url, output="out").succeeded(BODY)


def test_storage_goes_before_package_storage_and_that_before_the_cache(user, package, folder, caches,
                                                                       tmp_path):
    cache = caches()
    (tmp_path / "second").mkdir()
    user.has_context(endpoint=cache.url, storage=f"file://{folder}")
    assert printed(user("publish", "app", package)).startswith(f"file://{folder}/app/pkg/")
    other = printed(user("publish", "app", package, "--storage", f"file://{tmp_path}/second"))
    assert other.startswith(f"file://{tmp_path}/second/app/pkg/")
    assert user("objects", "ls").stdout == b""


@pytest.mark.parametrize("name, extension", [
    ("a.tar.gz", ".tar.gz"), ("a.v1.2.tar.zst", ".tar.zst"), ("a.zip", ".zip"), ("a.tar", ".tar"),
    ("a.b.whl", ".whl"), ("plain", ""), (".hidden", ""), ("dot.", ""), ("a.x y", ""),
    ("a.%2e", ""), ("a.\u00e4", ""), ("a.x\ny", ""), ("a." + "x" * 33, ""), ("A.TGZ", ".TGZ"),
    (".tar.gz", ".gz"), ("dir.d/plain", "")])
def test_the_extension_is_kept_where_its_letters_are_harmless(user, folder, tmp_path, name,
                                                              extension):
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    url = printed(user("publish", "app", path, "--storage", f"file://{folder}"))
    assert url == f"file://{folder}/app/pkg/app-{HEX[:16]}{extension}#sha256={HEX}"


def test_an_application_may_have_any_letters_of_a_name(user, package, folder):
    url = printed(user("publish", "a b%#?\u00e4", package, "--storage", f"file://{folder}"))
    assert url.isascii() and "a%20b%25%23%3F%C3%A4/pkg/a%20b%25%23%3F%C3%A4-" in url
    user(url, output="out").succeeded(BODY)


@pytest.mark.parametrize("app", ["", ".", "..", "a/b", "a\nb", b"\xff"])
def test_an_application_that_is_no_name_is_refused(user, package, folder, app):
    user("publish", "--storage", f"file://{folder}", "--", app, package).failed("INVALID")
    assert list(folder.iterdir()) == []


# ---- what is there already ---------------------------------------------------------------------


def test_what_is_there_is_replaced_and_never_skipped(user, package, folder):
    arguments = ["publish", "app", package, "--storage", f"file://{folder}"]
    first = printed(user(*arguments))
    (folder / "app/pkg" / NAME).write_bytes(b"somebody has damaged it")
    assert printed(user(*arguments)) == first
    assert (folder / "app/pkg" / NAME).read_bytes() == BODY
    assert printed(user(*arguments, "--overwrite", "always")) == first


@pytest.mark.parametrize("where", ["folder", "cache"])
def test_what_is_there_is_kept_when_nothing_may_be_replaced(user, package, folder, caches, where):
    place = f"file://{folder}" if where == "folder" else caches().url
    arguments = ["publish", "app", package, "--storage", place, "--overwrite", "never"]
    printed(user(*arguments))
    user(*arguments).failed("EXISTS")


# ---- the file ----------------------------------------------------------------------------------


def test_only_a_regular_file_is_a_package(user, folder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, status in ((tmp_path / "pipe", "POLICY"), ("/dev/zero", "POLICY"),
                         (tmp_path, "POLICY"), (tmp_path / "missing", "NOT_FOUND")):
        user("publish", "app", path, "--storage", f"file://{folder}").failed(status, str(path))
    assert list(folder.iterdir()) == []


def test_the_file_is_opened_once(user, package, folder, tmp_path):
    log = tmp_path / "log"
    child = traced(user, log, "publish", "app", package, "--storage", f"file://{folder}",
                   calls="open,openat")
    assert ended(child)[0] == 0
    assert log.read_text().count(f'"{package}"') == 1


def test_a_file_that_changes_while_it_is_hashed_is_told(user, package, folder, tmp_path):
    """The first read is held up; the file grows meanwhile."""
    log = tmp_path / "log"
    child = traced(user, log, "publish", "app", package, "--storage", f"file://{folder}",
                   calls="openat,fstat,newfstatat,pread64", path=package,
                   inject=["pread64:delay_exit=1000000:when=1"])
    end = time.monotonic() + 60
    while not log.exists() or "stat" not in log.read_text():  # from then on it is watched
        assert time.monotonic() < end and child.poll() is None
        time.sleep(0.01)
    with package.open("ab") as file:
        file.write(b"more")
    code, stdout, stderr = ended(child)
    assert (code, stdout) == (36, "") and "has changed" in stderr, stderr
    assert list(folder.iterdir()) == []


class Meddling(Objects):
    """Changes the file when it is asked what it has, after the upload. Keeps other bytes than were
    sent if `wrong`, as if the file had changed before."""

    def __init__(self, path, wrong=False, stays=False):
        super().__init__()
        self.path, self.wrong, self.stays = path, wrong, stays

    def answer(self, method, path, fields, body):
        if method == "HEAD" and path in self.objects:
            os.utime(self.path, (1, 1))
        if method == "PUT" and self.wrong:
            body = body[:-1] + b"X"
        if method == "DELETE" and self.stays:
            return "403 Forbidden", [], b""
        return super().answer(method, path, fields, body)


def published(user, package, server):
    return user("publish", "app", package, "--storage", server.url(""))


def test_a_file_that_changes_until_it_is_stored_is_told_and_taken_back(user, package, serve):
    objects = Meddling(package, wrong=True)
    outcome = published(user, package, serve(objects))
    outcome.failed("CHANGED", "has changed", "is removed again")
    assert objects.objects == {} and outcome.stdout == b""
    assert objects.methods(f"/app/pkg/{NAME}").count("DELETE") == 1


def test_what_cannot_be_taken_back_is_told_to_be_wrong(user, package, serve):
    published(user, package, serve(Meddling(package, wrong=True, stays=True))).failed(
        "CHANGED", "what is stored is wrong")


def test_what_is_right_all_the_same_stays(user, package, serve):
    objects = Meddling(package)
    published(user, package, serve(objects)).failed("CHANGED", "is the file as it was")
    assert objects.objects[f"/app/pkg/{NAME}"] == BODY


def test_a_file_that_changes_while_it_is_sent_leaves_nothing_wrong(user, package, serve):
    """The core itself notices, and the server has what it was sent."""
    class Late(Meddling):
        def answer(self, method, path, fields, body):
            if method == "PUT":
                package.write_bytes(BODY + b"more")
            return super().answer(method, path, fields, body)

    objects = Late(package, wrong=True)
    outcome = published(user, package, serve(objects))
    outcome.failed("CHANGED", "is removed again")
    assert objects.objects == {}


# ---- what is said ------------------------------------------------------------------------------


def test_json_tells_url_digest_name_and_size(user, package, folder):
    said = events(user("publish", "--json", "app", package, "--storage", f"file://{folder}"))
    assert said[0]["ev"] == "start" and said[0]["filename_effective"] == str(package)
    last = said[-1]
    assert (last["ev"], last["name"], last["size"]) == ("published", NAME, len(BODY))
    assert last["digest"] == f"sha256:{HEX}"
    assert last["url"] == f"file://{folder}/app/pkg/{NAME}#sha256={HEX}"


def test_progress_is_shown_as_put_does_and_q_silences_it(user, package, folder):
    arguments = ["publish", "app", package, "--storage", f"file://{folder}", "--progress", "line"]
    outcome = user(*arguments)
    told = outcome.stderr.splitlines()
    assert outcome.code == 0 and told[0].endswith(f"{NAME}: begins") and told[-1].endswith(": done")
    printed(user("-q", *arguments))


def test_a_failure_is_one_line_with_the_file_and_the_place(user, package):
    user("publish", "app", package, "--storage", "http://127.0.0.1:1/store", "--option",
         "retry.attempts=1").failed("CONNECT", "127.0.0.1:1", NAME, f"'{package}'")


def test_a_signal_stops_it(user, package, silent):
    child = user.begin("publish", "app", package, "--storage", silent.url(""))
    assert silent.asked.wait(60)
    code, stdout, stderr = interrupted(child)
    assert (code, stdout) == (130, ""), stderr


def test_a_password_of_the_storage_is_shown_nowhere(user, package, silent):
    secret = silent.url("").replace("//", "//me:canary@")
    child = user.begin("publish", "-v", "-v", "-v", "--json", "app", package, "--storage", secret)
    assert silent.asked.wait(60)
    seen = pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes() + \
        pathlib.Path(f"/proc/{child.pid}/environ").read_bytes()
    _, stdout, stderr = interrupted(child)
    assert b"Authorization: Basic" in silent.sent, "it never arrived"
    assert b"canary" not in seen and "canary" not in stdout + stderr
    assert "a secret on the command line" in stderr


@pytest.mark.parametrize("arguments", [["app"], ["app", "x", "y"], [],
                                       ["app", "x", "--overwrite", "verified"],
                                       ["app", "x", "--storage", ""]])
def test_a_wrong_command_line_is_told(user, arguments):
    user("publish", *arguments).failed("INVALID")


# ---- TLS ---------------------------------------------------------------------------------------


def test_the_context_lets_us_into_a_cache_with_mutual_tls(user, package, caches, certificates):
    cache = caches(mutual=True)
    user.has_context(endpoint=cache.url, ca_file=certificates.path("ca"),
                     cert_file=certificates.path("client"),
                     key_file=certificates.path("client", "key"))
    url = printed(user("publish", "app", package))
    assert url == f"{cache.url}/app/pkg/{NAME}#sha256={HEX}"
