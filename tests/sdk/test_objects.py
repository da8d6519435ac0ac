# SPDX-License-Identifier: Apache-2.0
"""Objects of a cache, ours and flamepy's, each read and removed by the other. Numbers are those of
docs/weaknesses.md."""
import json
import socket

import pytest

from sdk.driver import sdk
from support.bson import reference
from support.flamepy_script import run_flamepy
from support.peers import kernel_lacks, require_module
from support.raw_flight import RawFlight

BODY = bytes(range(256)) * 9001  # two rows and a bit


@pytest.fixture
def one(cache):
    return cache()


@pytest.fixture
def flamepy(one, tmp_path):
    return lambda script, **variables: run_flamepy(script, one.url, tmp_path, **variables)


def read_by_pyarrow(url, key):
    """The column `data` of all rows."""
    flight = require_module("pyarrow.flight")
    with flight.connect(url) as client:
        table = client.do_get(flight.Ticket(f"{key}:0".encode())).read_all()
    return b"".join(table.column("data").to_pylist())


# ---- both ways ----

@pytest.mark.parametrize("key", ["app/pkg/model 1.0.tgz", "app/pkg"], ids=["key", "prefix"])
@pytest.mark.parametrize("body", [b"x", BODY], ids=len)
def test_what_flamepy_uploads_we_download(one, flamepy, tmp_path, key, body):
    (tmp_path / "file").write_bytes(body)
    ref = flamepy(f"ref = cache.upload_object({key!r}, 'file')\n"
                  "tell(endpoint=ref.endpoint, key=ref.key, version=ref.version)")
    said = sdk("object-download", endpoint="grpc://127.0.0.1:1", ref_endpoint=ref["endpoint"],
               key=ref["key"], version=ref["version"], path=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == body
    assert said["validator"].strip('W/"') == str(ref["version"])


@pytest.mark.parametrize("key", ["app/pkg/model 1.0.tgz", "app/pkg"], ids=["key", "prefix"])
@pytest.mark.parametrize("body", [b"x", BODY], ids=len)
def test_what_we_upload_is_read_by_pyarrow(one, package, key, body):
    """flamepy's own download_object() fails with every object: it takes pyarrow's chunks for
    batches."""
    said = sdk("object-upload", endpoint=one.url, key=key, path=package(body)).ok()
    assert said["key"] == key if key.count("/") == 2 else said["key"].startswith("app/pkg/")
    assert read_by_pyarrow(said["endpoint"], said["key"]) == body


def test_an_object_that_flamepy_put_is_the_bytes_that_pyarrow_reads(one, flamepy, tmp_path):
    ref = flamepy("ref = cache.put_object('app/ssn', b'some bytes'); tell(key=ref.key)")
    sdk("object-download", endpoint=one.url, key=ref["key"], path=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == read_by_pyarrow(one.url, ref["key"])
    assert b"some bytes" in (tmp_path / "out").read_bytes()


STORAGE = "from flamepy.runner.storage import create_storage_backend\n" \
          "storage = create_storage_backend(app_name='app')\n"


def test_a_package_of_flamepys_storage_is_one_of_ours(one, flamepy, tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    told = flamepy(STORAGE + "tell(url=storage.upload('file', 'model.tgz'))")
    said = sdk("storage-download", base=one.url, app="app", name="model.tgz", path=tmp_path / "out").ok()
    assert (tmp_path / "out").read_bytes() == BODY and said["url"] == told["url"]
    sdk("storage-remove", base=one.url, app="app", name="model.tgz").ok()
    assert sdk("object-list", endpoint=one.url).ok().listed == {}


def test_a_package_of_our_storage_is_one_of_flamepys(one, flamepy, package):
    sdk("storage-upload", base=one.url, app="app", name="model.tgz", path=package(BODY)).ok()
    assert read_by_pyarrow(one.url, "app/pkg/model.tgz") == BODY
    flamepy(STORAGE + "storage.delete('model.tgz'); tell()")
    assert sdk("storage-exists", base=one.url, app="app", name="model.tgz")["exists"] == "0"


def test_either_side_removes_what_the_other_has_stored(one, flamepy, package):
    for name in ("app/one/x", "app/one/y", "app/two/x"):
        sdk("object-upload", endpoint=one.url, key=name, path=package()).ok()
    flamepy("cache.delete_objects('app/one/x'); tell()")
    assert set(sdk("object-list", endpoint=one.url).ok().listed) == {"app/one/y", "app/two/x"}
    flamepy("cache.delete_objects('app/*'); tell()")
    assert sdk("object-list", endpoint=one.url).ok().listed == {}
    refs = flamepy("tell(keys=[cache.put_object('app/ssn', n).key for n in range(3)])")["keys"]
    sdk("object-remove", endpoint=one.url, key=refs[0]).ok()
    assert set(sdk("object-list", endpoint=one.url).ok().listed) == set(refs[1:])
    sdk("object-remove-all", endpoint=one.url, key="app/*").ok()
    assert sdk("object-list", endpoint=one.url).ok().listed == {}


# ---- one key, many keys ----

def test_more_than_one_object_is_removed_only_by_its_own_call(one, package):
    """59: DELETE of the cache takes prefixes without a word."""
    sdk("object-upload", endpoint=one.url, key="app/pkg/x", path=package()).ok()
    for key in ("app/pkg", "app/*", "app", ""):
        sdk("object-remove", endpoint=one.url, key=key).failed("INVALID", "key")
    for key in ("app/pkg/x", "app", "*/*"):
        sdk("object-remove-all", endpoint=one.url, key=key).failed("INVALID", "key")
    assert sdk("object-list", endpoint=one.url).listed == {"app/pkg/x": 9}


def test_a_listing_has_what_the_key_names(one, package):
    for name in ("app/pkg/a", "app/pkg/b", "app/ssn/a", "app2/pkg/a"):
        sdk("object-upload", endpoint=one.url, key=name, path=package()).ok()

    def listed(**values):
        return sorted(sdk("object-list", endpoint=one.url, **values).ok().listed)
    assert listed() == ["app/pkg/a", "app/pkg/b", "app/ssn/a", "app2/pkg/a"]
    assert listed(key="app/*") == ["app/pkg/a", "app/pkg/b", "app/ssn/a"]
    assert listed(key="app/pkg") == ["app/pkg/a", "app/pkg/b"]
    assert listed(key="app/pkg/b") == ["app/pkg/b"]
    sdk("object-list", endpoint=one.url, key="app").failed("INVALID")


PARTS = ["app", "pkg", "*", "", "..", "a..b", "a\\b", "x y", "ü", "a:b", "a.b", "x" * 300]
PATHS = ["/".join((a, b)) for a in PARTS for b in PARTS] + \
    ["/".join((a, b, c)) for a in PARTS for b in PARTS[:8] for c in PARTS] + \
    ["", "app", "a/b/c/d", "/a/b", "a/b/"]
NUMBER = """
def kind(path):
    try: key = cache.ObjectKey.from_path(path)
    except ValueError: return '-'
    return '4' if key.is_all_sessions() else '1' if key.object_id is not None else '2'
"""


def test_keys_are_understood_as_flamepy_does(flamepy, tmp_path):
    """57, and 26: what has a ':' flamepy stores and can never fetch; it is refused here."""
    (tmp_path / "paths").write_text(json.dumps(PATHS))
    theirs = flamepy(NUMBER + "tell(kinds=[kind(path) for path in json.load(open('paths'))])")["kinds"]
    ours = sdk("keys", stdin="".join(f"{path}\n" for path in PATHS)).splitlines()
    assert len(ours) == len(theirs) == len(PATHS)
    assert {"1", "2", "4", "-"} == set(ours)
    for path, our, their in zip(PATHS, ours, theirs):
        assert our == ("-" if ":" in path else their), path


def test_keys_cover_what_flamepys_match(flamepy, tmp_path):
    patterns = ["app/pkg", "app/*", "app/pkg/x", "ap/pkg", "app/pk", "app2/*"]
    objects = ["app/pkg/x", "app/pkg/y", "app/ssn/x", "app2/pkg/x", "ap/pkg/x", "app/pkgs/x"]
    pairs = [(pattern, one) for pattern in patterns for one in objects]
    (tmp_path / "pairs").write_text(json.dumps(pairs))
    theirs = flamepy("tell(matches=[cache.ObjectKey.from_path(a).matches_key(b) "
                     "for a, b in json.load(open('pairs'))])")["matches"]
    ours = sdk("keys", stdin="".join(f"{a}\t{b}\n" for a, b in pairs)).splitlines()
    assert [line == "1" for line in ours] == theirs and True in theirs and False in theirs


# ---- references ----

def test_a_reference_is_the_servers_own_bytes():
    values = {"ref_endpoint": "grpc://10.0.0.7:9090", "key": "app/pkg/Grüße.tgz", "version": 3}
    said = sdk("encode", **values).ok()
    assert bytes.fromhex(said["bytes"]) == reference("grpc://10.0.0.7:9090", "app/pkg/Grüße.tgz", 3)
    read = sdk("decode", bytes=said["bytes"]).ok()
    assert (read["endpoint"], read["key"], read["version"]) == \
        ("grpc://10.0.0.7:9090", "app/pkg/Grüße.tgz", "3")


def test_references_go_to_flamepy_and_back(flamepy):
    ours = sdk("encode", ref_endpoint="grpc+tls://cache:9090", key="a/b/c", version=7)["bytes"]
    told = flamepy(f"ref = ObjectRef.decode(bytes.fromhex({ours!r}))\n"
                   "tell(endpoint=ref.endpoint, key=ref.key, version=ref.version, back=ref.encode().hex())")
    back = told.pop("back")
    assert told == {"endpoint": "grpc+tls://cache:9090", "key": "a/b/c", "version": 7}
    read = sdk("decode", bytes=back).ok()
    assert (read["endpoint"], read["key"], read["version"]) == ("grpc+tls://cache:9090", "a/b/c", "7")


def test_foreign_bytes_are_no_reference():
    good = reference("grpc://h:1", "a/b/c", 1)
    bad = [b"", good[:-1], good + b"\0", reference("grpc://h:1", "a/b", 1),
           reference("grpc://h:1", "a/b/c", -1), reference("", "a/b/c", 1),
           reference("grpc://h:1\n", "a/b/c", 1), reference("grpc://h:1", "a/../c", 1), bytes(5)]
    for document in bad:
        sdk("decode", bytes=document.hex()).failed("INVALID")


def test_a_reference_that_does_not_fit_is_refused():
    sdk("encode", ref_endpoint="grpc://h:1", key="a/b/c", room=20).failed("LIMIT", "20")
    sdk("encode", ref_endpoint="grpc://h:1", key="a/b").failed("INVALID")
    sdk("encode", ref_endpoint="", key="a/b/c").failed("INVALID", "endpoint")
    sdk("encode", ref_endpoint="grpc://h\n", key="a/b/c").failed("INVALID", "endpoint")
    sdk("encode", ref_endpoint="g" * 513, key="a/b/c").failed("INVALID")
    sdk("encode", ref_endpoint="g" * 512, key="a/b/c").ok()
    sdk("encode", ref_endpoint="grpc://h:1", key="a/b/c", version=2**63).failed("INVALID", "version")


@pytest.mark.parametrize("endpoint, origin", [
    ("grpc://h:9090", "grpc://h:9090"), ("grpcs://h", "grpcs://h:9090"),
    ("grpc+tls://h:1", "grpcs://h:1"), ("grpc+tcp://h:1", "grpc://h:1"),
    ("grpc://[::1]:7", "grpc://[::1]:7"), ("GRPC://H:9090/", "grpc://h:9090")])
def test_a_reference_has_one_url(endpoint, origin):
    """29, 45"""
    said = sdk("ref-url", ref_endpoint=endpoint, key="app/pkg/a b#c").ok()
    assert said["ref_url"] == f"{origin}/app/pkg/a%20b%23c"


# ---- which cache ----

@pytest.mark.parametrize("endpoint", ["http://h:1", "grpc://", "h:9090", "grpc://h/app",
                                      "grpc://me:s3cret@h", "grpc://h?x", "grpc://h#x", "", "grpcs-proxy://h:1"])
def test_an_endpoint_that_is_none_is_refused(endpoint, tmp_path):
    said = sdk("object-list", endpoint=endpoint).failed("INVALID", "endpoint")
    assert "s3cret" not in said["message"]
    context = tmp_path / "flame.yaml"
    context.write_text("current-context: a\ncontexts:\n- name: a\n"
                       f"  cache:\n    endpoint: '{endpoint or 'x'}'\n")
    sdk("object-list", context=context).failed("INVALID", f"{context}:5")


def test_without_a_cache_somebody_says_how_to_start_one(tmp_path):
    """flamepy's default is tried, and the failure says what to do."""
    with socket.socket() as nobody:
        if nobody.connect_ex(("127.0.0.1", 9090)) == 0:
            kernel_lacks("somebody listens at port 9090 of this machine")
    said = sdk("object-list", variables={"HOME": str(tmp_path)}, environment=1)
    said.failed("NETWORK", "cannot list grpc://127.0.0.1:9090", "flame-devcache --port 9090",
                "FLAME_CACHE_ENDPOINT")
    said = sdk("object-list", endpoint="grpc://127.0.0.1:9")
    assert "flame-devcache" not in said["message"], "who names a cache knows what he does"


def test_the_environment_names_the_cache(one, package, tmp_path):
    values = {"variables": {"HOME": str(tmp_path), "FLAME_CACHE_ENDPOINT": one.url}, "environment": 1}
    sdk("object-upload", key="app/pkg/x", path=package(b"x"), **values).ok()
    assert sdk("object-list", **values).ok().listed == {"app/pkg/x": 1}


def test_a_failure_names_file_key_cache_and_reason(one, package, tmp_path):
    """48"""
    missing = tmp_path / "missing"
    sdk("object-upload", endpoint=one.url, key="app/pkg/x", path=missing).failed(
        "IO", str(missing), "app/pkg/x", one.url)
    sdk("object-download", endpoint=one.url, key="app/pkg/x", path=missing).failed(
        "NOT_FOUND", "app/pkg/x", one.url)
    sdk("object-upload", endpoint=one.url, key="app/p:g/x", path=package()).failed("INVALID", "app/p:g/x")


def test_a_failure_has_the_caches_own_words(package):
    server = RawFlight(lambda asked: (asked.receive_all(), asked.end(13, "no room on\x1b[2J the disk")))
    try:
        source, origin = package(), server.url("").rstrip("/")
        sdk("object-upload", endpoint=origin, key="app/pkg/x", path=source).failed(
            "REMOTE", str(source), "app/pkg/x", origin, "no room on\\x1b[2J the disk")
    finally:
        server.close()


# ---- TLS ----

CONTEXT = "current-context: a\ncontexts:\n- name: a\n  cache:\n    endpoint: {url}\n    tls: {tls}\n"


@pytest.fixture
def secure(cache, certificates, tmp_path):
    """secure(mtls?, **files): a cache over TLS, and the context that names it."""
    def start(mtls, **files):
        more = ["--cacert", certificates.path("ca")] if mtls else []
        one = cache("--cert", certificates.path("good"), "--key",
                    certificates.path("good", "key"), *more)
        path = tmp_path / f"{len(files)}{mtls}.yaml"
        path.write_text(CONTEXT.format(url=one.url, tls=json.dumps(
            {name: str(value) for name, value in files.items()})))
        return path

    return start


def test_the_context_says_whom_to_trust(secure, certificates, package):
    good = secure(False, ca_file=certificates.path("ca"))
    sdk("object-upload", context=good, key="app/pkg/x", path=package(b"x")).ok()
    assert sdk("object-list", context=good).ok().listed == {"app/pkg/x": 1}
    sdk("object-list", context=secure(False)).failed("TLS")


def test_a_ca_file_that_cannot_be_read_is_named(secure, tmp_path):
    """49: every failure to read it meant the system's authorities."""
    said = sdk("object-list", context=secure(False, ca_file=tmp_path / "none.pem"))
    assert said["status"] not in ("OK", "TLS"), dict(said)
    assert "none.pem" in said["message"]


def test_the_context_has_our_certificate(secure, certificates):
    files = {"ca_file": certificates.path("ca"), "cert_file": certificates.path("client"),
             "key_file": certificates.path("client", "key")}
    sdk("object-list", context=secure(True, **files)).ok()
    sdk("object-list", context=secure(True, ca_file=files["ca_file"])).failed("TLS")
    sdk("object-list", context=secure(True, ca_file=files["ca_file"], cert_file=files["cert_file"],
                                      )).failed("INVALID", "key_file")


def test_what_the_task_says_of_tls_goes_before_the_context(secure, certificates, package):
    good, other = certificates.path("ca"), certificates.path("other-ca")
    values = {"key": "app/pkg/x", "path": package()}
    sdk("object-upload", context=secure(False, ca_file=other), ca=good, **values).ok()
    sdk("object-upload", context=secure(False, ca_file=good), ca=other, **values).failed("TLS")
    files = {"cert_file": certificates.path("client"), "key_file": certificates.path("client", "key")}
    said = sdk("object-upload", context=secure(True, ca_file=good, **files), ca=good, **values)
    said.failed("TLS", "certificate")  # nor is our certificate shown to whom the task alone trusts
    said = sdk("object-upload", context=secure(True, ca_file=good, **files), verify="no", **values)
    said.failed("TLS", "certificate")
