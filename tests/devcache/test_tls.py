# SPDX-License-Identifier: Apache-2.0
"""TLS and mutual TLS: who is let in, and what is said of files that are no certificates."""
import socket

import pytest

from devcache.cache import run
from support.peers import require_module


@pytest.fixture
def secure(cache, certificates):
    def start(*arguments, name="good"):
        return cache("--cert", certificates.path(name), "--key", certificates.path(name, "key"),
                     *arguments)

    return start


def read(certificates, name, kind="pem"):
    return certificates.path(name, kind).read_bytes()


def test_tls(secure, client, certificates):
    running = secure()
    assert running.url.startswith("grpc+tls://127.0.0.1:")
    one = client(running, tls_root_certs=read(certificates, "ca"))
    assert one.put("a/b/c", b"x" * 3000000)["endpoint"] == running.url
    assert one.data("a/b/c") == b"x" * 3000000


def failure(one):
    with pytest.raises(Exception) as caught:
        one.put("a/b/c", b"x")
    return str(caught.value)


def test_who_trusts_another_authority_does_not_come_in(secure, client, certificates):
    assert failure(client(secure(), tls_root_certs=read(certificates, "other-ca")))


def test_mutual_tls_lets_in_who_has_a_certificate(secure, client, certificates):
    running = secure("--cacert", certificates.path("ca"))
    trusted = {"tls_root_certs": read(certificates, "ca")}
    one = client(running, cert_chain=read(certificates, "client"),
                 private_key=read(certificates, "client", "key"), **trusted)
    assert one.put("a/b/c", b"x")["version"] == 1
    assert failure(client(running, **trusted))
    assert failure(client(running, cert_chain=read(certificates, "self-signed"),
                          private_key=read(certificates, "self-signed", "key"), **trusted))


def test_without_a_certificate_there_is_no_tls(secure, cache, client, certificates):
    require_module("pyarrow.flight")
    with socket.create_connection(("127.0.0.1", secure().port), timeout=10) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        assert plain.recv(100)[:1] != b"\x00", "an answer in the clear"


@pytest.mark.parametrize("arguments, code, words", [
    (["--cert", "good"], 2, "options '--cert' and '--key' need each other"),
    (["--key", "good.key"], 2, "options '--cert' and '--key' need each other"),
    (["--cacert", "ca"], 2, "option '--cacert' needs '--cert'"),
    (["--cert", "none", "--key", "good.key"], 2, "could not read '"),
    (["--cert", "empty", "--key", "good.key"], 2, "is no file of certificates"),
    (["--cert", "good", "--key", "client.key"], 1, "not with this certificate and key"),
    (["--cert", "good.csr", "--key", "good.key"], 1, "not with this certificate and key")])
def test_what_is_no_certificate_is_told(certificates, arguments, code, words):
    full = [certificates.dir / (word if "." in word else word + ".pem")
            if not word.startswith("-") else word for word in arguments]
    done = run("--port", "0", *full)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("flame-devcache: ") and words in done.stderr
    assert len(done.stderr.splitlines()) == 1
