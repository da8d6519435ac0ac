# SPDX-License-Identifier: Apache-2.0
"""URLs: one strict reading, the same for policy, plugin and peer."""
import pytest

from support.scripted_server import response

HELLO = response(b"hello")


@pytest.mark.parametrize("url", ["", " ", "not-a-url", "://h/", "1http://h/", "ht tp://h/", ":",
                                 "/just/a/path", "//host/path", "-x", "http", "http:"])
def test_1_and_2_what_is_no_url_is_told_so(fetch, url):
    fetch("--", url).failed("INVALID_URL")


def test_3_an_unknown_scheme_is_told_with_those_there_are(fetch):
    fetch("nothing-like-that://h/x").failed("UNSUPPORTED", "file", "http", "https")


def test_4_a_scheme_and_a_host_have_no_case(fetch, serve):
    server = serve(HELLO)
    fetch(server.url(host="LocalHost").replace("http:", "HTTP:")).succeeded(b"hello")
    assert f"Host: localhost:{server.port}".encode() in server.requests[0]


@pytest.mark.parametrize("url", ["http:/h/x", "http:h", "http:///h", "http://", "http://:80/",
                                 "https:/x", "http:///", "http:////h/x"])
def test_5_an_http_url_without_its_host_is_refused(fetch, url):
    fetch(url).failed("INVALID_URL")


@pytest.mark.parametrize("url", [
    "http://h/a b", "http://h/\tx", "http://h/\nx", "http://h/\x01", "http://h/\x7f", "http://h\r/",
    " http://h/", "http://h/ ", "http://h%00/", "http://h%20/", "http://h%2f/",
    "http://\u00fcml.test/", "http://h\u3002test/", "http://[::1]x/", "http://[::1/",
    "http://[v1.x]/",
    "http://h\\/", "http://a\\@b/", "http://h/\\..\\x", "http://ex%61mple/", "http://<h>/",
    "http://h/%", "http://h/%zz", "http://h/%1", "http://h_/\"", "http://h/{x}", "http://h/|"])
def test_6_odd_bytes_make_no_url(fetch, url):
    fetch("--quiet", url).failed("INVALID_URL")


def test_7_userinfo_is_a_login_and_never_shown(fetch, serve):
    server = serve(HELLO)
    url = server.url().replace("//", "//me:canary@")
    outcome = fetch("-v", "-v", "-v", "--json", url)
    assert outcome.code == 0, outcome.stderr
    assert b"Authorization: Basic" in server.requests[0]
    assert "canary" not in outcome.stderr and b"canary" not in outcome.stdout


@pytest.mark.parametrize("url", ["http://a@b@127.0.0.1:1/", "http://a:b:c@@127.0.0.1:1/",
                                 "http://127.0.0.1:1\\@evil.test/", "http://a#@127.0.0.1:1/",
                                 "http://evil.test#@127.0.0.1:1/", "http://a?@127.0.0.1:1/"])
def test_8_there_is_one_host_or_none(fetch, url):
    """'#' and '?' end the authority (RFC 3986 3.2): then the host is the one before."""
    outcome = fetch(url)
    assert outcome.code in (3, 6), outcome.stderr
    assert outcome.files == []


@pytest.mark.parametrize("port", ["0", "99999", "65536", "-1", "+80", "0x50", "80a", "8 0",
                                  "00000000080x"])
def test_9_a_port_is_a_number_that_exists(fetch, port):
    fetch(f"http://127.0.0.1:{port}/").failed("INVALID_URL")


def test_10_a_url_has_a_limit(fetch, serve):
    server = serve(HELLO)
    fetch(server.url("/" + "a" * 9000)).failed("INVALID_URL")
    fetch(server.url("/" + "a" * 4000)).succeeded(b"hello")


@pytest.mark.parametrize("host", ["0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1",
                                  "017700000001", "127.0.0.1.", "\uff11\uff12\uff17.0.0.1",
                                  "127.0.0.256", "1.2.3.4.5", "127.0.0.0x1"])
def test_11_an_address_has_one_spelling(fetch, host):
    fetch(f"http://{host}:1/").failed("INVALID_URL")


def test_11_addresses_are_judged_by_number(fetch, serve):
    server = serve(HELLO)
    no_loopback = ["--option", "address.loopback=no"]
    for host in ("127.0.0.1", "127.9.9.9", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
        fetch(*no_loopback, server.url(host=host)).failed("POLICY")
    assert server.connections == 0


def test_a_fragment_is_not_sent(fetch, serve):
    server = serve(HELLO)
    fetch(server.url("/x#part")).succeeded(b"hello")
    assert server.requests[0].startswith(b"GET /x HTTP")


def test_a_digest_in_the_fragment_is_demanded(fetch, serve):
    url = serve(HELLO).url()
    fetch(url + "#sha256=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
          ).succeeded(b"hello")
    fetch(url + "#sha256=" + "0" * 64).failed("DIGEST")


@pytest.mark.parametrize("path, asked", [
    ("/a/../b/./c", "/b/c"), ("/../../x", "/x"), ("/%7Euser", "/~user"), ("/%2e%2E/x", "/x"),
    ("/a%2fb", "/a%2Fb"), ("/a//b", "/a//b"), ("/;x=1,2", "/;x=1,2"), ("?q", "/?q")])
def test_a_path_is_sent_in_its_normal_form(fetch, serve, path, asked):
    server = serve(HELLO)
    fetch(server.url(path)).succeeded(b"hello")
    assert server.requests[0].split()[1].decode() == asked
