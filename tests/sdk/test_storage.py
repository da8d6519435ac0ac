# SPDX-License-Identifier: Apache-2.0
"""Packages in a plain folder, on a WebDAV server (nginx) and in an object cache: the same promises
everywhere. Numbers are those of docs/weaknesses.md."""
import contextlib
import os
import pathlib
import socket
import subprocess
import threading

import pytest

from sdk.driver import argv, environment, sdk
from support.object_server import Objects
from support.program import clean_environment, FETCH
from support.scripted_server import response

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])
BODY = bytes(range(256)) * 5000
NAMES = ["model-1.0.tgz", "with space.tgz", "50%.tgz", "a#b.tgz", "what?.tgz", "a&b=c;d.tgz",
         "Grüße-日本.tgz", "~(x)!*'@,+$.tgz", "%41.tgz", "x" * 200]
BAD_NAMES = ["", ".", "..", "../x", "/etc/x", "a/b", "x\n", "\x1b[2J", "x\x7f", b"\xff.tgz",
             "\u202ex", ".flame-tmp-0123456789abcdef", "x" * 256]


def test_a_package_lives_its_life(place, package, tmp_path):
    assert place.call("exists", "a.tgz").ok()["exists"] == "0"
    said = place.call("upload", "a.tgz", path=package(BODY)).ok()
    assert said["url"] == f"{place.base}/app/pkg/a.tgz"
    assert place.read("a.tgz") == BODY
    assert place.call("exists", "a.tgz").ok()["exists"] == "1"
    place.call("download", "a.tgz", path=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == BODY
    place.call("remove", "a.tgz").ok()
    assert place.read("a.tgz") is None and place.call("exists", "a.tgz")["exists"] == "0"
    place.call("download", "a.tgz", path=tmp_path / "none").failed("NOT_FOUND", "a.tgz", place.base)
    assert not (tmp_path / "none").exists()


def test_an_upload_of_other_bytes_replaces_what_is_there(place, package):
    """43: another file of the same name was kept, and the caller told that all was well."""
    place.call("upload", "a.tgz", path=package(b"old" * 9000)).ok()
    place.call("upload", "a.tgz", path=package(b"new")).ok()
    assert place.read("a.tgz") == b"new"


def test_an_upload_that_shall_not_replace_says_so(place, package):
    place.call("upload", "a.tgz", path=package(b"old"), keep=1).ok()
    for body in (b"old", b"new"):
        place.call("upload", "a.tgz", path=package(body), keep=1).failed("EXISTS", "a.tgz")
    assert place.read("a.tgz") == b"old"


def test_what_is_not_there_is_removed(place):
    """42, 46: and everything else that a removal can end with is an error."""
    place.call("remove", "never.tgz").ok()


def test_an_empty_package_is_one(place, package, tmp_path):
    """48"""
    place.call("upload", "empty", path=package(b"")).ok()
    place.call("download", "empty", path=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_a_name_arrives(place, package, tmp_path, name):
    """25, 40, 43: the URL that is told fetches the very bytes."""
    said = place.call("upload", name, path=package(name.encode())).ok()
    assert place.read(name) == name.encode()
    assert said["url"].isascii() and not set(said["url"]) & set(" #?")
    done = subprocess.run([FETCH, "--no-config", "-o", tmp_path / "out", said["url"]],
                          capture_output=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == name.encode()
    place.call("remove", name).ok()
    assert place.read(name) is None


@pytest.mark.parametrize("call", ["upload", "download", "remove", "exists"])
@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_a_name_that_leads_elsewhere_is_refused(place_of, package, tmp_path, call, name):
    """43: also for a removal."""
    place = place_of("folder")
    (tmp_path / "x").write_bytes(b"mine")
    source = package() if call == "upload" else tmp_path / "out"
    place.call(call, name, path=source).failed("UNSAFE_NAME")
    assert (tmp_path / "x").read_bytes() == b"mine"
    assert os.listdir(tmp_path / "packages") == []


@pytest.mark.parametrize("app", ["", ".", "..", "a/b", "../x", "x\n", b"\xff"], ids=repr)
def test_an_application_that_leads_elsewhere_is_refused(place_of, package, app):
    place_of("folder").call("upload", "a", app=app, path=package()).failed("INVALID", "application")


def test_an_application_has_its_own_folder(place, package):
    place.call("upload", "a", app="one app", path=package(b"1")).ok()
    place.call("upload", "a", app="two", path=package(b"2")).ok()
    assert place.call("exists", "a", app="one app")["exists"] == "1"
    place.call("remove", "a", app="two").ok()
    assert place.call("exists", "a", app="one app")["exists"] == "1"


@pytest.mark.parametrize("kind", ["folder", "cache"])
def test_the_packages_of_an_application_are_listed(place_of, package, kind):
    place = place_of(kind)
    assert place.call("list").ok().listed == {}
    for name in NAMES[:8]:
        place.call("upload", name, path=package(name.encode())).ok()
    place.call("upload", "other", app="app2", path=package()).ok()
    assert place.call("list").ok().listed == {name: len(name.encode()) for name in NAMES[:8]}


def test_a_listing_that_the_place_does_not_have_is_unsupported(place_of):
    place_of("dav").call("list").failed("UNSUPPORTED")


# ---- where ----

@pytest.mark.parametrize("base, status, word", [
    ("cachehost:9090", "INVALID_URL", "cachehost"), ("nothing://x", "UNSUPPORTED", "nothing"),
    ("relative/path", "INVALID_URL", ""), ("file://tmp/", "INVALID_URL", "tmp"),
    ("file:///no/such/place", "NOT_FOUND", "storage"), ("http://h/x#y", "INVALID_URL", "fragment"),
    ("http://h/a b", "INVALID_URL", ""), ("", "INVALID_URL", "")])
def test_a_base_that_is_none_is_refused(base, status, word):
    """43, 45"""
    said = sdk("storage-exists", base=base, app="app", name="a").failed(status, word)
    assert "storage" not in said, "it was opened"


def test_slashes_at_the_end_of_a_base_do_not_count(place, package):
    place.base += "//"
    said = place.call("upload", "a", path=package(b"x")).ok()
    assert said["url"].endswith("/app/pkg/a") and "//app" not in said["url"]
    assert place.read("a") == b"x"


def test_a_base_is_decoded_once(tmp_path, package):
    """43"""
    (tmp_path / "my place").mkdir()
    sdk("storage-upload", base=f"file://{tmp_path}/my%20place", app="app", name="a", path=package(b"x")).ok()
    assert (tmp_path / "my place/app/pkg/a").read_bytes() == b"x"


def test_the_query_of_a_base_stays_at_the_end(serve, package):
    """40: a token of a signed base"""
    objects = Objects()
    said = sdk("storage-upload", base=serve(objects).url("/base?token=s3cret"), app="app",
               name="a b", path=package(BODY)).ok()
    assert objects.objects == {"/base/app/pkg/a%20b?token=s3cret": BODY}
    assert "s3cret" not in str(dict(said))


def test_a_password_of_a_base_is_never_told(serve, package):
    server = serve(lambda request, _: response(b"", status="403 Forbidden"))
    said = sdk("storage-upload", base=server.url("/x").replace("http://", "http://me:s3cret@"),
               app="app", name="a", path=package())
    assert "s3cret" not in str(dict(said.failed("AUTH", "127.0.0.1")))


def test_a_storage_talks_to_the_cache_in_its_own_url(cache, package, tmp_path):
    """44: uploads and removals went to the context's cache."""
    theirs, ours = cache(), cache()
    context = tmp_path / "flame.yaml"
    context.write_text(f"current-context: a\ncontexts:\n- name: a\n  cache: {{endpoint: '{theirs.url}'}}\n")
    values = {"base": ours.url, "app": "app", "name": "a", "context": context}
    said = sdk("storage-upload", path=package(b"x"), **values).ok()
    assert said["url"] == f"{ours.url}/app/pkg/a"
    assert sdk("storage-exists", **values)["exists"] == "1"
    sdk("storage-upload", path=package(b"y"), **(values | {"base": None})).ok()
    sdk("storage-remove", **values).ok()
    assert sdk("storage-exists", **values)["exists"] == "0"
    assert sdk("storage-exists", **(values | {"base": None}))["exists"] == "1"


def test_brackets_of_ipv6_stay(cache, package):
    """45"""
    one = cache("--host", "::1")
    base = f"grpc://[::1]:{one.port}"
    said = sdk("storage-upload", base=base, app="app", name="a", path=package(b"x")).ok()
    assert said["url"] == f"{base}/app/pkg/a"
    assert sdk("storage-exists", base=base, app="app", name="a")["exists"] == "1"


def test_connections_are_used_again(place_of, package, nginx, tmp_path):
    """49: one client for an endpoint; PUT has one of its own (docs/decisions/0005)."""
    place = place_of("dav")
    before = len(nginx.log())
    place.call("cycle", "a", path=package(BODY), out=tmp_path / "out").ok()
    lines = nginx.log()[before:]
    assert len(lines) >= 20 and len({line.split()[0] for line in lines}) <= 2


class Doorman:
    """Lets connections through to a port, and counts them."""

    def __init__(self, port):
        self.port, self.count = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.let_in, daemon=True).start()

    def url(self):
        return f"grpc://127.0.0.1:{self.listener.getsockname()[1]}"

    def let_in(self):
        with contextlib.suppress(OSError):
            while True:
                ends = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.port))
                self.count += 1
                for source, target in (ends, ends[::-1]):
                    threading.Thread(target=carry, args=(source, target), daemon=True).start()


def carry(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_one_connection_to_a_cache_is_used_for_all(cache, package, tmp_path):
    """49"""
    doorman = Doorman(cache().port)
    sdk("storage-cycle", base=doorman.url(), app="app", name="a", path=package(BODY),
        out=tmp_path / "out").ok()
    doorman.listener.close()
    assert (tmp_path / "out").read_bytes() == BODY and doorman.count == 1


@pytest.fixture(scope="module")
def other_plugins(tmp_path_factory):
    """A scheme of somebody else, built from the headers alone."""
    directory = tmp_path_factory.mktemp("plugins")
    directory.chmod(0o755)
    for name in ("heap", "data"):
        build(directory, name)
    return directory


def build(directory, name, *options):
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", *options, "-I", SOURCE / "sdk/include",
                    "-o", directory / f"{name}.so", SOURCE / f"tests/plugins/thirdparty/{name}.c"],
                   check=True)


def test_what_cannot_be_looked_for_is_not_replaced_unseen(tmp_path_factory, package):
    """A place that knows neither "create only" nor what it has."""
    directory = tmp_path_factory.mktemp("blind")
    directory.chmod(0o755)
    build(directory, "heap", "-DHEAP_IS_BLIND")
    values = {"plugins": directory, "base": "heap://here", "app": "app", "name": "a"}
    sdk("storage-upload", path=package(), keep=1, **values).failed("UNSUPPORTED", "org.example.heap")
    sdk("storage-upload", path=package(), **values).ok()


def test_any_scheme_whose_plugin_stores_is_a_storage(other_plugins, package, tmp_path):
    sdk("storage-cycle", plugins=other_plugins, base="heap://here/base", app="app", name="a b",
        path=package(BODY), out=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == BODY


def test_a_scheme_whose_plugin_does_not_store_says_so(other_plugins, package):
    sdk("storage-upload", plugins=other_plugins, base="data://x", app="app", name="a",
        path=package()).failed("UNSUPPORTED", "org.example.data")


# ---- answers that are none ----

@pytest.mark.parametrize("line, status", [
    ("302 Found\r\nLocation: /other", "POLICY"), ("202 Accepted", "UNKNOWN_OUTCOME"),
    ("401 Unauthorized", "AUTH"), ("413 Payload Too Large", "STORE_REFUSED"),
    ("500 Oops", "REMOTE"), ("507 Insufficient Storage", "STORE_REFUSED")])
def test_an_upload_is_stored_or_fails(serve, package, line, status):
    """40: a redirected PUT came back as a GET, and counted."""
    def answer(request, _):
        return response(b"the server's reason", status=line) if request[:3] == b"PUT" else \
            response(b"", status="404 Not Found")
    server = serve(answer)
    source = package(BODY)
    said = sdk("storage-upload", base=server.url("/x"), app="app", name="a", path=source)
    said.failed(status, str(source), server.url("/x"), "cannot upload")


@pytest.mark.parametrize("line", ["302 Found\r\nLocation: /other", "202 Accepted",
                                  "401 Unauthorized", "405 No", "500 Oops", "507 Full"])
def test_a_removal_is_done_or_fails(serve, line):
    """42"""
    server = serve(lambda request, _: response(b"", status=line))
    said = sdk("storage-remove", base=server.url("/x"), app="app", name="a")
    assert said["status"] not in ("OK", "NOT_FOUND"), dict(said)
    assert "cannot remove 'a'" in said["message"]


@pytest.mark.parametrize("line", ["404 Not Found", "410 Gone"])
def test_a_removal_of_what_is_gone_is_done(serve, line):
    server = serve(lambda request, _: response(b"", status=line))
    sdk("storage-remove", base=server.url("/x"), app="app", name="a").ok()


def test_a_source_that_is_not_there_is_named(place, tmp_path):
    """40: raw errors of the system escaped."""
    place.call("upload", "a", path=tmp_path / "none").failed("IO", "none", "cannot upload")
    assert place.read("a") is None


def test_a_download_that_fails_leaves_what_was_there(place, tmp_path):
    """41, 47: the file of the time before was removed."""
    (tmp_path / "out").write_bytes(b"good")
    place.call("download", "never", path=tmp_path / "out").failed("NOT_FOUND")
    assert (tmp_path / "out").read_bytes() == b"good"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".flame")]


def test_a_download_is_checked_by_its_digest(place, package, tmp_path):
    place.call("upload", "a", path=package(b"one")).ok()
    place.call("download", "a", path=tmp_path / "out", digest="sha256:" + "0" * 64).failed("DIGEST")
    assert not (tmp_path / "out").exists()


def test_an_upload_can_be_cancelled(place, package):
    source = package()
    os.truncate(source, 64 << 20)
    place.call("upload", "a", path=source, cancel_at=1, rate=16 << 20).failed("CANCELLED")
    assert place.read("a") is None


def test_a_task_with_a_url_of_its_own_is_refused(place, package):
    place.call("upload", "a", path=package(), url="http://other/").failed("INVALID", "url")


def test_two_writers_one_whole_version_wins(place, package):
    """63: and who was told OK has stored it whole."""
    bodies = [bytes([n]) * (8 << 20) for n in (1, 2, 3, 4)]
    calls = [argv("storage-upload", base=place.base, app="app", name="a", path=package(body))
             for body in bodies]
    running = [subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=environment({})) for call in calls]
    told = [child.communicate(timeout=120)[0].decode() for child in running]
    assert any("status=OK\n" in said for said in told), told
    assert all("status=OK\n" in said or "status=UNKNOWN_OUTCOME\n" in said for said in told), told
    assert place.read("a") in [body for body, said in zip(bodies, told) if "status=OK\n" in said]
