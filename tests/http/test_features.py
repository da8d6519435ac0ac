# SPDX-License-Identifier: Apache-2.0
"""Headers, logins, proxies, routes: what is asked for happens, and nothing of it unasked."""
import base64
import contextlib
import os
import select
import socket
import threading

import pytest

from support.scripted_server import redirect_to, response

HELLO = response(b"hello")


def header(request, name):
    return [line.split(b": ", 1)[1] for line in request.split(b"\r\n")
            if line.lower().startswith(name.lower() + b": ")]


def test_headers_are_sent_as_they_were_said(fetch, serve, tmp_path):
    server = serve(HELLO)
    (tmp_path / "headers").write_text("X-One: 1\nX-Two: two words\n")
    fetch("-H", "X-Empty:", "-H", f"@{tmp_path}/headers", server.url()).succeeded(b"hello")
    request = server.requests[0]
    assert header(request, b"x-one") == [b"1"] and header(request, b"x-two") == [b"two words"]
    assert b"\r\nX-Empty:" in request


def test_a_plain_request_says_little(fetch, serve):
    server = serve(HELLO)
    fetch(server.url("/a?b=%2f")).succeeded(b"hello")
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /a?b=%2F HTTP/1.1"
    assert sorted(line.split(":")[0] for line in lines[1:] if line) == [
        "Accept", "Accept-Encoding", "Host", "User-Agent"]
    assert header(server.requests[0], b"accept-encoding") == [b"identity"]


def test_the_user_agent_can_be_set(fetch, serve):
    server = serve(HELLO)
    fetch("-A", "someone/1", server.url()).succeeded(b"hello")
    assert header(server.requests[0], b"user-agent") == [b"someone/1"]


@pytest.mark.parametrize("arguments, value", [
    (["--oauth2-bearer", "@secret"], b"Bearer canary"),
    (["-u", "@secret"], b"Basic " + base64.b64encode(b"me:canary:x"))])
def test_a_login_from_a_file_is_sent_without_a_warning(fetch, serve, arguments, value):
    server = serve(HELLO)
    place = fetch.new_place()
    (place / "secret").write_text("canary\n" if b"Bearer" in value else "me:canary:x\n")
    (place / "secret").chmod(0o600)
    outcome = fetch(*arguments, server.url(), place=place)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert header(server.requests[0], b"authorization") == [value]


def test_userinfo_of_a_url_is_a_login(fetch, nginx):
    (nginx.root / "closed").write_bytes(b"inside")
    url = nginx.url("/private/closed")
    fetch(url.replace("//", "//me:secret%20word@")).succeeded(b"inside")
    fetch(url).failed("AUTH")
    outcome = fetch("--quiet", url.replace("//", "//me:canary@"))
    outcome.failed("AUTH")
    assert "canary" not in outcome.stderr


def test_netrc_is_read_when_asked_and_only_then(fetch, serve, tmp_path):
    server = serve(HELLO)
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary\n")
    netrc.chmod(0o600)
    home = {"HOME": str(tmp_path)}
    fetch(server.url(), env=home).succeeded(b"hello")
    fetch("--netrc", server.url(), env=home).succeeded(b"hello")
    fetch("--netrc-file", netrc, server.url()).succeeded(b"hello")
    login = b"Basic " + base64.b64encode(b"me:canary")
    assert [header(each, b"authorization") for each in server.requests] == [[], [login], [login]]


def test_no_proxy_is_used_because_the_environment_names_one(fetch, serve):
    server = serve(HELLO)
    dead = {name: "http://127.0.0.1:1" for name in
            ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")}
    fetch(server.url(), env=dead).succeeded(b"hello")


def test_a_proxy_is_used_when_asked(fetch, serve):
    proxy = serve(HELLO)
    fetch("--proxy", proxy.url(""), "http://name.test/x").succeeded(b"hello")
    assert proxy.requests[0].startswith(b"GET http://name.test/x HTTP/1.1\r\n")
    assert header(proxy.requests[0], b"proxy-authorization") == []


def tunnel(request, connection):
    """CONNECT: join the two connections."""
    host, port = request.split()[1].split(b":")
    with socket.create_connection((host, int(port))) as target:
        connection.sendall(b"HTTP/1.1 200 Joined\r\n\r\n")
        join(connection, target)


def join(one, other):
    with contextlib.suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (other if ready is one else one).sendall(data)


def test_https_goes_through_a_proxy_as_a_tunnel(fetch, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    proxy = serve(tunnel)
    fetch("--proxy", proxy.url(""), "--cacert", certificates.path("ca"), "-H", "X-Token: canary",
          server.url()).succeeded(b"hello")
    assert proxy.requests[0].startswith(b"CONNECT ") and b"canary" not in proxy.requests[0]
    assert b"canary" in server.requests[0]


def test_a_proxy_that_refuses_is_told(fetch, serve, certificates):
    server = serve(HELLO, tls=certificates.server("good"))
    for line, status in (("407 Login", "AUTH"), ("403 No", "REMOTE"), ("502 Gone", "REMOTE")):
        proxy = serve(response(b"", status=line))
        fetch("--proxy", proxy.url(""), server.url()).failed(status, "proxy", line[:3])
        fetch("--proxy", proxy.url(""), "http://name.test/").failed(
            {"403 No": "AUTH"}.get(line, status), line[:3])
    assert server.connections == 0


class Socks:
    """SOCKS5 without login (RFC 1928), names resolved by the proxy."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                self.one(self.listener.accept()[0])

    def one(self, connection):
        connection.recv(2 + 255)
        connection.sendall(b"\5\0")
        request = connection.recv(512)
        if request[3] == 1:
            host = socket.inet_ntoa(request[4:8])
        else:
            host = request[5:5 + request[4]].decode()
        port = int.from_bytes(request[-2:], "big")
        self.asked.append((host, port))
        with socket.create_connection(("127.0.0.1", port)) as target:
            connection.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            join(connection, target)
        connection.close()


def test_a_socks_proxy_is_used_when_asked(fetch, serve):
    server, socks = serve(HELLO), Socks()
    fetch("--proxy", f"socks5h://127.0.0.1:{socks.port}",
          server.url(host="name.test")).succeeded(b"hello")
    assert socks.asked == [("name.test", server.port)]


def test_connect_to_and_resolve_change_the_way_and_not_the_name(fetch, serve):
    server = serve(HELLO)
    fetch("--connect-to", f"name.test:80:127.0.0.1:{server.port}",
          "http://name.test/x").succeeded(b"hello")
    fetch("--resolve", f"name.test:{server.port}:127.0.0.1",
          f"http://name.test:{server.port}/x").succeeded(b"hello")
    assert [header(each, b"host")[0] for each in server.requests] == [
        b"name.test", f"name.test:{server.port}".encode()]


def test_ipv6_is_spoken_and_each_family_can_be_left_out(fetch, serve):
    server = serve(HELLO, host="::1")
    fetch(server.url()).succeeded(b"hello")
    fetch("-6", server.url(host="localhost")).succeeded(b"hello")
    outcome = fetch("-4", server.url(host="localhost"))
    assert outcome.code == 7 and outcome.files == [], outcome.stderr


def test_stat_asks_for_the_head_only(fetch, nginx):
    (nginx.root / "known").write_bytes(b"x" * 1234)
    os.utime(nginx.root / "known", (1_000_000_000, 1_000_000_000))
    done = fetch("stat", "--json", nginx.url("/known"), output=None)
    assert done.code == 0 and done.files == [], done.stderr
    assert b'"size":1234' in done.stdout.replace(b" ", b"")
    fetch("stat", nginx.url("/unknown"), output=None).failed("NOT_FOUND")


def test_standard_output_gets_the_bytes_and_nothing_else(fetch, serve):
    server = serve(HELLO)
    for more in ([], ["--spool"]):
        outcome = fetch("-o", "-", *more, server.url(), output=None)
        assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"hello", "")


def test_a_spooled_output_says_nothing_before_all_is_verified(fetch, serve):
    server = serve(HELLO)
    wrong = ["--checksum", "sha256:" + "0" * 64]
    outcome = fetch("-o", "-", "--spool", *wrong, server.url(), output=None)
    outcome.failed("DIGEST")
    assert outcome.stdout == b""
    cut = serve(response(b"hello", length=9))
    outcome = fetch("-o", "-", "--spool", cut.url(), output=None)
    outcome.failed("TRUNCATED")
    assert outcome.stdout == b""
    outcome = fetch("-o", "-", cut.url(), output=None)
    outcome.failed("TRUNCATED")


@pytest.mark.parametrize("arguments", [
    ["--connect-to", "nonsense"], ["--connect-to", "a:1:b"], ["--connect-to", "a:1:b:c"],
    ["--resolve", "nonsense"], ["--resolve", "name.test:1"], ["--resolve", "name.test:1:"],
    ["--resolve", "name.test:1:no-address"], ["--proxy", "socks9://h:1"], ["--proxy", "http://"],
    ["--proxy", "ftp://h:1"], ["--proxy", "h:99999"], ["--proxy", "h h"]])
def test_a_way_that_cannot_be_read_is_refused_and_no_other_taken(fetch, serve, arguments):
    server = serve(HELLO)
    fetch(*arguments, server.url()).failed("INVALID")
    assert server.connections == 0


TYPED = {"bearer": ["--oauth2-bearer", "canary"], "basic": ["-u", "me:canary"],
         "header": ["-H", "Authorization: Bearer canary"]}


@pytest.mark.parametrize("arguments", TYPED.values(), ids=TYPED)
def test_103_a_secret_that_is_typed_works_and_is_warned_of(fetch, serve, arguments):
    server = serve(HELLO)
    outcome = fetch(*arguments, server.url())
    outcome.succeeded(b"hello")
    assert header(server.requests[0], b"authorization")
    assert len(outcome.stderr.splitlines()) == 1 and "warning" in outcome.stderr
    assert fetch("-q", *arguments, server.url()).stderr == ""


def test_the_login_of_a_proxy_goes_to_the_proxy_only(fetch, serve, certificates):
    login = b"Basic " + base64.b64encode(b"me:canary/x")
    server = serve(HELLO, tls=certificates.server("good"))
    for proxy, url in ((serve(HELLO), "http://name.test/x"), (serve(tunnel), server.url())):
        asked = proxy.url("").replace("//", "//me:canary%2Fx@")
        outcome = fetch("--cacert", certificates.path("ca"), "--proxy", asked, url)
        outcome.succeeded(b"hello")
        assert "canary" not in outcome.stderr and "warning" in outcome.stderr
        assert header(proxy.requests[0], b"proxy-authorization") == [login]
    assert b"uthorization" not in server.sent


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_gets_an_address_or_the_name_as_asked(fetch, serve, scheme):
    server, socks = serve(HELLO), Socks()
    fetch("-4", "--proxy", f"{scheme}://127.0.0.1:{socks.port}",
          server.url(host="localhost")).succeeded(b"hello")
    assert socks.asked == [("127.0.0.1" if scheme == "socks5" else "localhost", server.port)]


def test_a_netrc_login_goes_to_its_own_host_only(fetch, serve, tmp_path):
    other = serve(HELLO)
    home = serve(redirect_to(other.url("/y", host="localhost")))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary\n")
    fetch("--netrc-file", netrc, home.url()).succeeded(b"hello")
    assert header(home.requests[0], b"authorization")
    assert header(other.requests[0], b"authorization") == []
