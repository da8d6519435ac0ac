# SPDX-License-Identifier: Apache-2.0
"""--checksum-file: the digest that a file beside the object has."""
import hashlib
import json

import pytest

from support.object_server import Objects

BODY = b"hello"
SHA256 = hashlib.sha256(BODY).hexdigest()
SHA512 = hashlib.sha512(BODY).hexdigest()
OTHER = "0" * 64


def served(serve, sums, name="SHA256SUMS"):
    objects = Objects(x=BODY)
    objects.objects[f"/{name}"] = sums.encode()
    return objects, serve(objects)


@pytest.mark.parametrize("sums", [f"{OTHER}  y\n{SHA256}  x\n", f"{SHA256} *x\n",
                                  f"SHA256 (x) = {SHA256}\n", f"SHA512 (x) = {SHA512}\n"],
                         ids=["gnu", "binary", "bsd", "sha512"])
def test_the_digest_is_found_by_name_relative_to_the_url(fetch, serve, sums):
    _, server = served(serve, sums)
    outcome = fetch("--json", "--checksum-file", "SHA256SUMS", server.url("/x"))
    outcome.succeeded(BODY)
    done = json.loads(outcome.stdout.splitlines()[-1])
    assert done["digest_from"] == "checksum-file" and done["verified"] and done["complete"]
    assert done["digest"] in ("sha256:" + SHA256, "sha512:" + SHA512)


def test_it_may_be_anywhere_else(fetch, serve, tmp_path):
    (tmp_path / "sums").write_text(f"{SHA256}  x\n")
    _, server = served(serve, "")
    for url in (f"file://{tmp_path}/sums", served(serve, f"{SHA256}  x\n")[1].url("/SHA256SUMS")):
        fetch("--checksum-file", url, server.url("/x")).succeeded(BODY)


def test_other_bytes_are_refused(fetch, serve):
    objects, server = served(serve, f"{OTHER}  x\n")
    fetch("--checksum-file", "SHA256SUMS", server.url("/x")).failed("DIGEST", SHA256)
    assert objects.methods("/x").count("GET") >= 1


def test_without_the_file_or_the_name_in_it_nothing_is_fetched(fetch, serve):
    objects, server = served(serve, f"{SHA256}  y\n")
    fetch("--checksum-file", "missing", server.url("/x")).failed("NOT_FOUND")
    assert fetch("--checksum-file", "SHA256SUMS", server.url("/x")).code != 0
    assert objects.methods("/x") == []


def test_it_is_a_digest_for_require_digest(fetch, serve):
    _, server = served(serve, f"{SHA256}  x\n")
    fetch("--require-digest", "--checksum-file", "SHA256SUMS", server.url("/x")).succeeded(BODY)
    fetch("--require-digest", server.url("/x")).failed("INVALID")


def test_one_file_has_the_digests_of_several_urls(fetch, serve):
    objects, server = served(serve, f"{SHA256}  x\n{OTHER}  y\n")
    objects.objects["/y"] = b"other"
    outcome = fetch("--checksum-file", "SHA256SUMS", server.url("/x"), server.url("/y"),
                    output=None)
    assert outcome.code == 110 and outcome.files == ["x"]


def test_it_gets_no_secret_that_is_for_another_origin(fetch, serve):
    _, server = served(serve, "")
    objects, far = served(serve, f"{SHA256}  x\n")
    fetch("-H", "X-Token: canary", "--checksum-file", far.url("/SHA256SUMS"), server.url("/x")
          ).succeeded(BODY)
    assert b"canary" in server.sent and b"canary" not in far.sent and objects.seen
