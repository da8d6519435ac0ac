# SPDX-License-Identifier: Apache-2.0
"""What nginx or a directory serves arrives byte for byte, over every protocol and from odd
names."""
import hashlib
import os
import random
import urllib.parse

import pytest

from support.program import SANITIZE

KIB = 1024
SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, KIB * KIB]
NAMES = ["plain.bin", "with space", "50%", "100%25", "a#b", "a?b=c", "naïve-名前", "new\nline",
         "semi;colon&=+", "[brackets]", "'quote\"", "back\\slash", "...", "%2F", "~tilde",
         "\x01\x7f"]
BYTES = random.Random(7).randbytes(max(SIZES))
GIB = 1 << 30


@pytest.fixture(params=["file", "http", "https", "h2", "h2c"])
def served(request, nginx, certificates, fetch):
    """A function from a path below the root to its url, for each way to serve it."""
    fetch.common += ["--cacert", certificates.path("ca")]
    if request.param == "file":
        return lambda path: f"file://{nginx.root}{path}"
    if request.param == "h2c":
        fetch.common += ["--http2"]
    return lambda path: nginx.url(path, request.param)


def put(nginx, name, body):
    (nginx.root / name).write_bytes(body)
    return "/" + urllib.parse.quote(name, safe="")


@pytest.mark.parametrize("size", SIZES)
def test_a_download_is_byte_identical(fetch, nginx, served, size):
    url = served(put(nginx, f"size-{size}", BYTES[:size]))
    fetch(url).succeeded(BYTES[:size])
    digest = hashlib.sha512(BYTES[:size]).hexdigest()
    fetch("--checksum", f"sha512:{digest}", url).succeeded(BYTES[:size])


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_name_arrives(fetch, nginx, served, name):
    body = name.encode() * 3
    fetch(served(put(nginx, name, body))).succeeded(body)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "..."])
def test_an_odd_name_is_kept_when_it_is_harmless(fetch, nginx, served, name):
    outcome = fetch(served(put(nginx, name, b"x")), output=None)
    if any(ord(letter) < 32 or letter == "\x7f" for letter in name) or name == "%2F":
        assert name == "%2F" or outcome.code == 115, outcome.stderr
        assert name == "%2F" or outcome.files == []
    else:
        assert (outcome.code, outcome.files) == (0, [name]), outcome.stderr


def test_each_protocol_is_the_one_that_was_meant(fetch, nginx, certificates):
    fetch.common += ["--cacert", certificates.path("ca")]
    path = put(nginx, "protocol", b"x")
    for kind, arguments, protocol in (("http", [], "HTTP/1.1"), ("https", [], "HTTP/1.1"),
                                      ("h2", [], "HTTP/2.0"), ("h2c", ["--http2"], "HTTP/2.0"),
                                      ("h2", ["--http1.1"], "HTTP/1.1")):
        fetch(*arguments, nginx.url(path, kind)).succeeded(b"x")
        assert nginx.log()[-1].split()[1] == protocol


def test_nothing_is_decoded_that_nobody_asked_to_be_encoded(fetch, nginx):
    put(nginx, "text.txt", b"a" * 10000)
    fetch(nginx.url("/zipped/text.txt")).succeeded(b"a" * 10000)
    fetch("-H", "Accept-Encoding: gzip", nginx.url("/zipped/text.txt")).failed("INVALID")


def test_a_redirect_of_nginx_is_followed(fetch, nginx):
    put(nginx, "target file", b"there")
    fetch(nginx.url("/moved/target%20file")).succeeded(b"there")


def test_what_is_not_there_is_not_found(fetch, nginx, served):
    fetch(served("/nothing-here")).failed("NOT_FOUND")


def test_urls_of_one_origin_share_a_connection(fetch, nginx, certificates):
    fetch.common += ["--cacert", certificates.path("ca")]
    names = [f"share-{number}" for number in range(8)]
    for kind in ("http", "https", "h2"):
        urls = [nginx.url(put(nginx, name, name.encode()), kind) for name in names]
        before = len(nginx.log())
        outcome = fetch(*urls, output=None)
        assert outcome.code == 0 and outcome.files == names, outcome.stderr
        assert len({line.split()[0] for line in nginx.log()[before:]}) == 1


def test_the_remote_time_is_kept_when_asked(fetch, nginx, served):
    url = served(put(nginx, "dated", b"x"))
    os.utime(nginx.root / "dated", (1_000_000_000, 1_000_000_000))
    outcome = fetch("--remote-time", url)
    outcome.succeeded(b"x")
    assert int((outcome.place / "out").stat().st_mtime) == 1_000_000_000
    outcome = fetch(url)
    assert int((outcome.place / "out").stat().st_mtime) != 1_000_000_000


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: 1 GiB only once, in the plain build")
@pytest.mark.parametrize("kind", ["file", "http", "https", "h2"])
def test_a_gibibyte_is_byte_identical(fetch, nginx, certificates, kind):
    source = nginx.root / "gibibyte"
    if not source.exists():
        with open(source, "wb") as file:
            for seed in range(64):
                file.write(random.Random(seed).randbytes(GIB // 64))
    digest = digest_of(source)
    url = f"file://{source}" if kind == "file" else nginx.url("/gibibyte", kind)
    outcome = fetch("--cacert", certificates.path("ca"), "--durability", "none", url)
    outcome.succeeded()
    assert digest_of(outcome.place / "out") == digest
    (outcome.place / "out").unlink()
