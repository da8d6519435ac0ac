# SPDX-License-Identifier: Apache-2.0
"""A connection serves only those who would have opened the very same one."""
import pytest

from flight.driver import encode
from support.plugin_call import call_all
from support.raw_flight import saying


@pytest.fixture
def answer(tmp_path):
    return saying(encode(b"hello", tmp_path))


def two_runs(url, **values):
    first, second = call_all("grpc", "fetch", url, times=2, **values)
    assert (first.status, second.status) == ("OK", "OK"), (first, second)
    return second


LATER = {"policy": {"later__refuse": "10.0.0.1"},
         "user agent": {"later__option__net__user_agent": "x"},
         "family": {"later__option__net__ip": "4"},
         "keepalive": {"later__option__keepalive": "5000"},
         "limit": {"later__option__message_max": "1048576"}}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_what_a_connection_depends_on_keeps_it_apart(raw, answer, later):
    server = raw(answer)
    second = two_runs(server.url(), **later)
    assert (server.connections, second.addresses) == (2, "1"), "or it was not judged"


def test_what_it_does_not_depend_on_shares_it(raw, answer):
    server = raw(answer)
    origin = f"grpc://127.0.0.1:{server.port}"
    two_runs(server.url(), later__secret__auth__bearer=f"t0ken {origin}")
    assert server.connections == 1
    assert ["authorization" in each.headers for each in server.calls] == [False, True]


@pytest.fixture
def secure(raw, answer, certificates):
    return raw(answer, tls=certificates.server("good"))


def test_trust_and_certificates_keep_connections_apart(secure, certificates, tmp_path):
    url, origin = secure.url(scheme="grpcs"), f"grpcs://127.0.0.1:{secure.port}"
    ca = {"option__tls__ca": certificates.path("ca")}
    pair = {f"later__secret__tls__{what}_pem": certificates.path("client", kind).read_text() +
            f" {origin}" for what, kind in (("cert", "pem"), ("key", "key"))}
    (tmp_path / "ca.pem").write_bytes(certificates.path("ca").read_bytes())
    two_runs(url, **ca)
    assert secure.connections == 1
    for later in (pair, {"later__option__tls__verify": "0"},
                  {"later__option__tls__ca": tmp_path / "ca.pem"},
                  {"later__option__tls__server_name": "localhost"}):
        before = secure.connections
        two_runs(url, **ca, **later)
        assert secure.connections == before + 2, later


def test_a_connection_that_nobody_should_trust_is_not_handed_on(secure, certificates):
    """First without a check, then with one that fails."""
    first, second = call_all("grpc", "fetch", secure.url(scheme="grpcs"), times=2,
                             option__tls__ca=certificates.path("other-ca"),
                             option__tls__verify="0", later__option__tls__verify="1")
    assert (first.status, second.status) == ("OK", "TLS"), (first, second)


def test_a_scheme_is_part_of_what_it_is(raw, answer, secure, certificates):
    plain = raw(answer)
    for server, scheme in ((plain, "grpc+tcp"), (secure, "grpc+tls")):
        two_runs(server.url(scheme=scheme), option__tls__ca=certificates.path("ca"))
        assert server.connections == 1
