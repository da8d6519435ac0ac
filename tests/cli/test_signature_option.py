# SPDX-License-Identifier: Apache-2.0
"""--verify-sig: nothing is published that the owner of the key has not signed with minisign."""
import hashlib
import subprocess

import pytest

from support.object_server import Objects
from support.peers import require_program
from support.program import clean_environment
from support.scripted_server import response

BODY = b"hello" * 1000
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


def minisign(folder, *arguments):
    subprocess.run([require_program("minisign"), *arguments], cwd=folder, check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class Release:
    """/x and its signature /x.minisig on a server, and the key in a file."""

    def __init__(self, folder, serve):
        self.folder, self.objects = folder, Objects(x=BODY)
        folder.mkdir()
        (folder / "x").write_bytes(BODY)
        minisign(folder, "-G", "-W", "-p", "key.pub", "-s", "key.sec")
        minisign(folder, "-S", "-s", "key.sec", "-t", "of a test", "-m", "x")
        self.objects.objects["/x.minisig"] = self.signature.read_bytes()
        self.server = serve(self.objects)
        self.url, self.signature_url = self.server.url("/x"), self.server.url("/x.minisig")

    @property
    def key(self):
        return self.folder / "key.pub"

    @property
    def signature(self):
        return self.folder / "x.minisig"

    def options(self, signature=None, key=None):
        return ["--verify-sig", signature or self.signature_url, "--trusted-key", key or self.key]


@pytest.fixture
def release(tmp_path, serve):
    return Release(tmp_path / "release", serve)


def test_what_is_signed_is_published(fetch, release):
    fetch(*release.options(), release.url).succeeded(BODY)


def test_signature_and_key_may_be_files_urls_or_text(fetch, release):
    text = release.key.read_text().splitlines()[1]
    for signature in (release.signature, f"file://{release.signature}"):
        for key in (release.key, text):
            fetch(*release.options(signature, key), release.url).succeeded(BODY)


def test_other_bytes_are_not_published(fetch, release):
    release.objects.objects["/x"] = BODY[:-1] + b"O"
    fetch(*release.options(), release.url).failed("SIGNATURE", release.url, "not the one")


def test_what_is_there_stays_when_the_signature_does_not_fit(fetch, release):
    release.objects.objects["/x"] = b"evil"
    place = fetch.new_place()
    (place / "out").write_bytes(b"mine")
    outcome = fetch(*release.options(), release.url, place=place)
    assert outcome.code == 111 and outcome.files == ["out"] and outcome.body == b"mine"


def test_another_key_is_not_trusted(fetch, release):
    minisign(release.folder, "-G", "-W", "-p", "other.pub", "-s", "other.sec")
    fetch(*release.options(key=release.folder / "other.pub"), release.url
          ).failed("SIGNATURE", "by the key")


def test_a_right_checksum_is_no_signature(fetch, release):
    """Neither is a file that has it and is there already."""
    minisign(release.folder, "-G", "-W", "-p", "other.pub", "-s", "other.sec")
    place = fetch.new_place()
    (place / "out").write_bytes(BODY)
    options = release.options(key=release.folder / "other.pub")
    assert fetch(*options, "--checksum", DIGEST, release.url, place=place).code == 111
    fetch(*release.options(), "--checksum", DIGEST, release.url, place=place).succeeded(BODY)


@pytest.mark.parametrize("signature, status", [
    (None, "NOT_FOUND"), (b"", "SIGNATURE"), (b"x" * 100, "SIGNATURE"),
    (b"untrusted comment: x\nAAAA\n", "SIGNATURE"), (b"x" * ((64 << 10) + 1), "LIMIT")],
    ids=["missing", "empty", "text", "short", "large"])
def test_what_is_no_signature_is_told_with_its_url_before_the_body_is_asked_for(
        fetch, release, signature, status):
    if signature is None:
        del release.objects.objects["/x.minisig"]
    else:
        release.objects.objects["/x.minisig"] = signature
    fetch(*release.options(), release.url).failed(status, release.signature_url)
    assert release.objects.methods("/x") == []


def test_the_trusted_comment_is_told_harmlessly(fetch, release):
    minisign(release.folder, "-S", "-s", "key.sec", "-t", "red \x1b[31m", "-m", "x")
    outcome = fetch("-v", *release.options(release.signature), release.url)
    assert "flame-fetch: info: signature: red \\x1b[31m" in outcome.stderr.splitlines()
    assert "of a test" not in fetch(*release.options(), release.url).stderr


def test_no_secret_of_the_url_goes_to_another_origin(fetch, release, serve):
    far = serve(response(release.signature.read_bytes()))
    secrets = ["-H", "X-Token: canary", "-u", "me:canary"]
    fetch(*secrets, *release.options(far.url("/x.minisig")), release.url).succeeded(BODY)
    assert b"canary" in release.server.sent and b"canary" not in far.sent
    assert b"authorization" not in far.sent.lower()


def test_a_secret_of_the_url_goes_to_its_own_origin(fetch, release):
    fetch("-H", "X-Token: canary", *release.options(), release.url).succeeded(BODY)
    assert release.server.sent.count(b"canary") == 2


def test_standard_output_gets_nothing_that_is_not_signed(fetch, release):
    outcome = fetch("--spool", *release.options(), release.url, output="-")
    assert (outcome.code, outcome.stdout) == (0, BODY), outcome.stderr
    release.objects.objects["/x"] = b"evil"
    outcome = fetch("--spool", *release.options(), release.url, output="-")
    outcome.failed("SIGNATURE")
    assert outcome.stdout == b""


def test_without_libsodium_nobody_is_asked_for_anything(fetch, release):
    (release.folder / "lib").mkdir()
    (release.folder / "lib" / "libsodium.so.23").write_bytes(b"garbage")
    fetch(*release.options(), release.url, env={"LD_LIBRARY_PATH": str(release.folder / "lib")}
          ).failed("UNSUPPORTED", "libsodium")
    assert release.server.connections == 0


@pytest.mark.parametrize("arguments", [
    ["--verify-sig", "x"], ["--trusted-key", "{key}"],
    ["--verify-sig", "x", "--trusted-key", "missing"],
    ["--verify-sig", "x", "--trusted-key", "/dev/null"],
    ["--verify-sig", "x", "--trusted-key", "{key}", "-o", "-"],
    ["--verify-sig", "x", "--trusted-key", "{key}", "-O", "http://h/y"]], ids=" ".join)
def test_a_wrong_command_line_is_told(fetch, release, arguments):
    arguments = [word.format(key=release.key) for word in arguments]
    fetch(*arguments, release.url, output=None).failed("INVALID")
    assert release.server.connections == 0


def test_a_secret_key_is_not_taken_and_not_shown(fetch, release):
    secret = (release.folder / "key.sec").read_text().splitlines()[1]
    outcome = fetch(*release.options(key=release.folder / "key.sec"), release.url)
    outcome.failed("INVALID")
    assert secret[:20] not in outcome.stderr
