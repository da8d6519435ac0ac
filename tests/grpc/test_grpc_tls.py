# SPDX-License-Identifier: Apache-2.0
"""TLS by the grpc plugin: what must be refused is, before a request, and the reason is the right
one."""
import contextlib
import os
import pathlib
import re
import ssl
import time

import pytest

from support.bare_tcp import listener
from support.flight_cache import start_cache
from support.peers import kernel_lacks
from support.plugin_call import call
from support.raw_flight import saying
from support.starting import starting


@pytest.fixture
def secure(certificates):
    """Start caches with TLS: secure(name of the certificate, wants_client=False)."""
    def start_secure(name="good", wants_client=False):
        pair = tuple(certificates.path(name, kind).read_text() for kind in ("pem", "key"))
        options = {"verify_client": True,
                   "root_certificates": certificates.path("ca").read_text()} if wants_client else {}
        server = start_cache("grpc+tls://127.0.0.1:0", tls_certificates=[pair], **options)
        server.put(b"hello")
        return server

    with starting(start_secure, end=lambda server: server.shutdown()) as start:
        yield start


@pytest.fixture
def trusting(fetch, one_try, certificates):
    def run(*arguments, **options):
        return fetch("--cacert", certificates.path("ca"), *arguments, **options)
    return run


def url(server, host="127.0.0.1", scheme="grpcs"):
    return server.url(scheme=scheme, host=host)


@pytest.mark.parametrize("scheme", ["grpcs", "grpc+tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_good_certificate_is_accepted_by_name_and_address(trusting, secure, scheme, host):
    trusting(url(secure(), host, scheme)).succeeded(b"hello")


REASONS = {"unknown-ca": "unknown authority", "self-signed": "self-signed", "expired": "expired",
           "future": "not valid yet", "wrong-name": "another name", "wrong-use": "not made for"}


@pytest.mark.parametrize("name, reason", REASONS.items(), ids=REASONS)
def test_a_bad_certificate_is_refused_with_the_reason(trusting, secure, name, reason):
    server = secure(name)
    trusting(url(server)).failed("TLS", reason)
    assert server.seen == []


def test_a_certificate_that_nobody_vouches_for_is_refused(fetch, one_try, secure):
    fetch(url(secure())).failed("TLS", "unknown authority")


def test_the_number_of_the_fault_is_told(secure, certificates):
    said = call("grpc", "fetch", url(secure("expired")), option__tls__ca=certificates.path("ca"))
    assert (said.status, said.x509) == ("TLS", "10"), said


def test_another_name_can_be_demanded(trusting, secure):
    server = secure("wrong-name")
    trusting("--option", "tls.server_name=elsewhere.test", url(server)).succeeded(b"hello")
    trusting("--option", "tls.server_name=localhost", url(server)).failed("TLS", "another name")
    trusting("--option", "tls.server_name=elsewhere.test", url(secure())).failed(
        "TLS", "another name")


def test_insecure_means_any_certificate(fetch, secure):
    for name in ("expired", "unknown-ca", "wrong-name"):
        fetch("--insecure", url(secure(name))).succeeded(b"hello")


def test_plain_text_on_a_tls_port_and_the_reverse(trusting, secure, cache):
    cache.put(b"hello")
    trusting(url(cache)).failed("TLS", "does not speak tls")
    outcome = trusting(url(secure(), scheme="grpc"))
    assert outcome.code in (7, 56) and "tls" in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("name", ["missing", "empty", "garbage"])
def test_a_bad_authority_file_is_told_before_anybody_is_asked(fetch, secure, certificates, tmp_path,
                                                             name):
    (tmp_path / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    path = {"missing": tmp_path / "missing.pem", "empty": certificates.path("empty"),
            "garbage": tmp_path / "garbage.pem"}[name]
    server = secure()
    fetch("--cacert", path, url(server)).failed("INVALID")
    assert server.seen == []


def test_the_environment_names_no_authority(fetch, one_try, secure, certificates):
    names = ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE")
    fetch(url(secure()), env=dict.fromkeys(names, str(certificates.path("ca")))).failed("TLS")


def test_where_none_is_named_the_systems_authorities_count(fetch, one_try, secure, certificates):
    """In a mount namespace where the system's file is ours."""
    system = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if os.geteuid() != 0 or not system.exists():
        kernel_lacks(f"only root puts a file over {system}")
    server = secure()
    mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
    fetch.wrapper = ["unshare", "--mount", "sh", "-c", mount, certificates.path("ca"), system]
    fetch(url(server)).succeeded(b"hello")
    fetch("--cacert", certificates.path("other-ca"), url(server)).failed("TLS", "unknown authority")


def test_what_cannot_be_done_is_not_ignored(trusting, secure, certificates):
    server = secure()
    trusting("--option", "tls.min=1.3", url(server)).failed("UNSUPPORTED", "tls.min")
    trusting("--pinnedpubkey", certificates.pin("good"), url(server)).failed("UNSUPPORTED", "pin")
    assert server.seen == []


# ---- client certificates ----

def pair(certificates, name, key=None):
    return ["--cert", certificates.path(name), "--key", certificates.path(key or name, "key")]


def test_a_client_certificate_is_shown(trusting, secure, certificates):
    server = secure(wants_client=True)
    trusting(*pair(certificates, "client"), url(server)).succeeded(b"hello")


def test_a_server_that_wants_one_is_told_from_one_that_refuses_it(trusting, secure, certificates):
    server = secure(wants_client=True)
    trusting(url(server)).failed("TLS", "wants a client certificate")
    certificates.issue("foreign-client", authority="other-ca", use="clientAuth")
    trusting(*pair(certificates, "foreign-client"), url(server)).failed(
        "TLS", "refuses our client certificate")
    assert server.seen == []


def test_a_server_that_asks_for_one_and_says_no_more_is_not_said_to_refuse(trusting, certificates):
    """It hangs up on gRPC; asked for the reason, it keeps silent."""
    context, connections = certificates.server("good", wants_client=True), []

    def answer(connection):
        connections.append(connection)
        if len(connections) == 1:
            return connection.close()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(connection.recv(1 << 16))
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        connection.sendall(outgoing.read())
        return time.sleep(10)
    with listener(answer) as place:
        outcome = trusting(place.replace("grpc:", "grpcs:"))
    outcome.failed("CONNECT", "it may want a client certificate")
    assert len(connections) == 2


def test_a_pair_that_does_not_fit_is_told_before_anybody_is_asked(trusting, secure, certificates):
    server = secure(wants_client=True)
    trusting(*pair(certificates, "client", "other-client"), url(server)).failed(
        "INVALID", "do not belong together")
    trusting("--cert", certificates.path("client"), url(server)).failed("INVALID")
    assert server.seen == []


def lines_of(certificates, *kinds):
    """The text of the client's certificate and key, as it could show up elsewhere."""
    return [line for kind in kinds for line in re.findall(
        r"[A-Za-z0-9+/]{40,}", certificates.path("client", kind).read_text())]


def test_a_client_certificate_is_not_shown_in_plain_text(trusting, raw, frames, certificates):
    server = raw(saying(frames))
    trusting(*pair(certificates, "client"), server.url()).succeeded(bytes(3000))
    sent = server.received
    assert b"/DoGet" in sent and b"CERTIFICATE" not in sent and b"PRIVATE" not in sent
    assert not any(line.encode() in sent for line in lines_of(certificates, "pem", "key"))


def test_a_key_never_appears(secure, certificates):
    """Neither in what we say, nor in what we log."""
    key = certificates.path("client", "key").read_text()
    server = secure(wants_client=True)
    origin = f"grpcs://127.0.0.1:{server.port}"
    secrets = {"secret__tls__cert_pem": certificates.path("client").read_text() + f" {origin}",
               "secret__tls__key_pem": key + f" {origin}"}
    for ca in ("ca", "other-ca"):
        said = call("grpc", "fetch", url(server), option__tls__ca=certificates.path(ca), **secrets)
        assert said.status == ("OK" if ca == "ca" else "TLS"), said
        text = "".join(said.values())
        assert "log" in said and "PRIVATE" not in text
        assert not any(line in text for line in lines_of(certificates, "key"))
