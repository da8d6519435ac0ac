# SPDX-License-Identifier: Apache-2.0
"""https is the peer that the caller means, or nothing; and the message says what is wrong."""
import os
import socket
import ssl

import pytest

from support.meddler import Meddler
from support.scripted_server import redirect_to, response

HELLO = response(b"hello")
pytestmark = pytest.mark.usefixtures("one_try")


@pytest.fixture
def trusting(fetch, certificates):
    fetch.common += ["--cacert", certificates.path("ca")]
    return fetch


def test_a_good_certificate_is_accepted_for_name_and_address(trusting, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    trusting(server.url()).succeeded(b"hello")
    trusting(server.url(host="localhost")).succeeded(b"hello")


@pytest.mark.parametrize("name, cause", [
    ("self-signed", "self"), ("unknown-ca", "unknown authority"), ("expired", "is the clock right"),
    ("future", "is the clock right"), ("wrong-name", "name"), ("wrong-use", "not made for servers")])
def test_55_and_59_a_bad_certificate_is_refused_and_the_cause_named(trusting, serve, certificates, name,
                                                            cause):
    server = serve(HELLO, tls=certificates.server(name))
    outcome = trusting(server.url())
    outcome.failed("TLS")
    assert cause in outcome.stderr, outcome.stderr
    assert server.requests == []


def test_55_without_our_authority_nobody_of_ours_is_trusted(fetch, serve, certificates):
    fetch(serve(HELLO, tls=certificates.server("good")).url()).failed("TLS", "certificate")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_56_tls_1_0_and_1_1_are_refused(trusting, serve, certificates):
    old = certificates.server("good", versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    trusting(serve(HELLO, tls=old).url()).failed("TLS")


def test_56_the_lowest_version_can_be_raised(trusting, serve, certificates):
    only = certificates.server("good", versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    server = serve(HELLO, tls=only)
    trusting(server.url()).succeeded(b"hello")
    trusting("--option", "tls.min=1.3", server.url()).failed("TLS")
    trusting("--option", "tls.min=1.0", server.url()).failed("INVALID", "tls.min")


def test_57_plain_text_on_a_tls_port_and_the_reverse(trusting, serve, nginx, certificates):
    trusting(nginx.url("/").replace("http:", "https:")).failed("TLS")
    server = serve(HELLO, tls=certificates.server("good"))
    outcome = trusting(server.url(scheme="http"))
    assert outcome.code in (8, 56) and outcome.files == [], outcome.stderr
    trusting(nginx.url("/", "https").replace("https:", "http:")).failed("REMOTE", "400")


@pytest.mark.parametrize("name", ["missing", "empty", "garbage"])
def test_58_a_bad_authority_file_is_told_before_anybody_is_asked(fetch, serve, certificates,
                                                                tmp_path, name):
    (tmp_path / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    path = {"missing": tmp_path / "missing.pem", "empty": certificates.path("empty"),
            "garbage": tmp_path / "garbage.pem"}[name]
    server = serve(HELLO, tls=certificates.server("good"))
    fetch("--cacert", path, server.url()).failed("INVALID")
    assert server.requests == [] and (name == "garbage" or server.connections == 0)


def test_60_a_handshake_that_never_ends_is_cut_by_the_connect_clock(trusting):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = trusting("--connect-timeout", "1",
                           "https://127.0.0.1:%d/" % silent.getsockname()[1])
    outcome.failed("TIMEOUT")
    assert outcome.seconds < 3


def test_a_client_certificate_is_shown_to_who_asks_for_it(trusting, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good", wants_client=True))
    pair = ["--cert", certificates.path("client"), "--key", certificates.path("client", "key")]
    trusting(*pair, server.url()).succeeded(b"hello")
    trusting(server.url()).failed("TLS", "wants a client certificate")


def test_61_a_key_that_does_not_fit_its_certificate_is_told_by_name(
        trusting, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good", wants_client=True))
    for key in ("other-client.key", "missing.key", "empty.pem", "client.pem"):
        trusting("--quiet", "--cert", certificates.path("client"), "--key",
                 certificates.dir / key, server.url()).failed("INVALID")
    trusting("--cert", certificates.path("client"), server.url()).failed("INVALID")
    assert server.requests == []


def test_61_a_key_that_others_can_read_is_warned_of(trusting, serve, certificates, tmp_path):
    server = serve(HELLO, tls=certificates.server("good", wants_client=True))
    key = tmp_path / "open.key"
    key.write_bytes(certificates.path("client", "key").read_bytes())
    for mode, count in ((0o644, 1), (0o600, 0)):
        os.chmod(key, mode)
        outcome = trusting("--cert", certificates.path("client"), "--key", key, server.url())
        outcome.succeeded(b"hello")
        assert outcome.stderr.count("can be read by other users") == count


def test_a_pinned_key_is_demanded(trusting, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    trusting("--pinnedpubkey", certificates.pin("good"), server.url()).succeeded(b"hello")
    trusting("--pinnedpubkey", certificates.pin("client"), server.url()).failed("TLS", "pin")
    trusting("--pinnedpubkey", "sha256//short", server.url()).failed("INVALID")
    assert len(server.requests) == 1


def test_a_pin_does_not_replace_the_certificate(fetch, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    fetch("--pinnedpubkey", certificates.pin("good"), server.url()).failed("TLS")


def test_insecure_is_warned_of_and_works(fetch, serve, certificates):
    server = serve(HELLO, tls=certificates.server("expired"))
    outcome = fetch("--insecure", server.url())
    outcome.succeeded(b"hello")
    assert "warning: --insecure" in outcome.stderr


def test_the_environment_names_no_authority(fetch, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    fetch(server.url(), env={"CURL_CA_BUNDLE": str(certificates.path("ca"))}).failed("TLS")


@pytest.mark.parametrize("change", ["flip", "double", "drop"])
@pytest.mark.parametrize("offset", [0, 7, 300, 50_000])
def test_68_a_byte_that_somebody_changes_on_the_way_is_noticed(trusting, serve, certificates,
                                                              change, offset):
    """Without a digest: it is tls itself that notices. A byte too few may look like a cut."""
    server = serve(response(bytes(100_000)), tls=certificates.server("good"))
    meddler = Meddler(server.port, change, offset)
    outcome = trusting("--first-byte-timeout", "3", "--connect-timeout", "3",
                       f"https://127.0.0.1:{meddler.port}/x")
    meddler.close()
    if change == "flip":
        outcome.failed("TLS")
    else:
        assert outcome.code in (60, 18, 28, 56) and outcome.files == [], outcome.stderr
        assert len(outcome.stderr.splitlines()) == 1


def test_a_session_is_resumed_by_the_next_connection(trusting, serve, certificates):
    resumed = []

    def reply(_, connection):
        resumed.append(connection.session_reused)
        return HELLO

    server = serve(reply, tls=certificates.server("good"))
    outcome = trusting(server.url("/a"), server.url("/b"), output=None)
    assert (outcome.code, outcome.files) == (0, ["a", "b"]), outcome.stderr
    assert resumed == [False, True] and server.connections == 2


def test_49_a_client_certificate_is_for_the_first_origin_only(trusting, serve, certificates):
    """Also where the other server insists on one."""
    pair = ["--cert", certificates.path("client"), "--key", certificates.path("client", "key")]
    other = serve(HELLO, tls=certificates.server("good", wants_client=True))
    home = serve(redirect_to(other.url("/y")), tls=certificates.server("good", wants_client=True))
    trusting(*pair, home.url()).failed("TLS", "wants a client certificate")
    assert len(home.requests) == 1 and other.requests == []


@pytest.mark.parametrize("size", [0, 20, 47, 52, 57, 60])
def test_30_a_tls_reply_that_is_cut_is_never_ok(trusting, serve, certificates, size):
    """Whether anything came before the end, or nothing at all, tls does not let us see."""
    reply = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"5\r\nhello\r\n0\r\n\r\n")
    assert size < len(reply) - 1
    trusting(serve(reply[:size], tls=certificates.server("good")).url()).failed("TRUNCATED")
