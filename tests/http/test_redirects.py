# SPDX-License-Identifier: Apache-2.0
"""A redirect is judged by the core: it weakens nothing, it ends, and what was given for one origin
stays there."""
import base64
import hashlib

import pytest

from support.scripted_server import redirect_to, response

HELLO = response(b"hello")


def chain(hops):
    """`hops` redirects, each to another path, then the body."""
    def reply(request, _):
        number = int(request.split()[1][1:])
        return redirect_to(f"/{number + 1}") if number < hops else HELLO
    return reply


@pytest.mark.parametrize("line", ["301 Moved", "302 Found", "303 Other", "307 Keep", "308 Keep"])
def test_a_redirect_is_followed(fetch, serve, line):
    target = serve(HELLO)
    fetch(serve(redirect_to(target.url("/y"), line)).url()).succeeded(b"hello")
    assert target.sent.startswith(b"GET /y HTTP/1.1\r\n")


def test_46_five_hops_are_followed_and_six_are_not(fetch, serve):
    fetch(serve(chain(5)).url("/0")).succeeded(b"hello")
    fetch(serve(chain(6)).url("/0")).failed("REDIRECTS")


def test_46_the_limit_of_hops_can_be_set(fetch, serve):
    url = serve(chain(2)).url("/0")
    fetch("--max-redirs", "2", url).succeeded(b"hello")
    fetch("--max-redirs", "1", url).failed("REDIRECTS")
    fetch("--max-redirs", "0", url).failed("REDIRECTS")


def test_46_a_loop_is_seen_at_once(fetch, serve):
    server = serve(lambda request, _: redirect_to("/b" if b"GET /a " in request else "/a"))
    fetch("--max-redirs", "100", server.url("/a")).failed("REDIRECTS")
    assert len(server.requests) == 2


@pytest.mark.parametrize("target", [
    "file:///etc/passwd", "FILE:/etc/passwd", "ftp://h/", "gopher://h/", "dict://h/", "smb://h/",
    "ldap://h/", "scp://h/", "grpc://h/a/b/c", "data:,x", "javascript:x", "nothing-like-that:x"])
def test_47_no_redirect_leads_to_another_scheme(fetch, serve, target):
    fetch(serve(redirect_to(target)).url()).failed("POLICY")


def test_48_no_redirect_leads_from_https_to_http(fetch, serve, certificates):
    plain = serve(HELLO)
    server = serve(redirect_to(plain.url()), tls=certificates.server("good"))
    fetch("--cacert", certificates.path("ca"), server.url()).failed("POLICY")
    assert plain.connections == 0


def test_48_a_redirect_may_lead_from_http_to_https(fetch, serve, certificates):
    secure = serve(HELLO, tls=certificates.server("good"))
    fetch("--cacert", certificates.path("ca"),
          serve(redirect_to(secure.url())).url()).succeeded(b"hello")


def test_48_what_was_led_to_https_is_not_led_back(fetch, serve, certificates):
    plain = serve(HELLO)
    secure = serve(redirect_to(plain.url()), tls=certificates.server("good"))
    fetch("--cacert", certificates.path("ca"),
          serve(redirect_to(secure.url())).url()).failed("POLICY")
    assert plain.connections == 0 and len(secure.requests) == 1


LEAKS = {
    "Authorization": ["-H", "Authorization: Bearer canary"],
    "Cookie": ["-H", "Cookie: session=canary"],
    "X-Auth-Token": ["-H", "X-Auth-Token: canary"],
    "a header nobody knows": ["-H", "X-Whatever: canary"],
    "bearer": ["--oauth2-bearer", "canary"],
    "basic": ["-u", "me:canary"],
}


@pytest.mark.parametrize("arguments", LEAKS.values(), ids=LEAKS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_49_nothing_of_the_callers_goes_to_another_port_or_host(fetch, serve, arguments, host):
    other = serve(HELLO)
    home = serve(redirect_to(other.url("/y", host=host)))
    fetch("--quiet", *arguments, home.url()).succeeded(b"hello")
    secrets = (b"canary", b"Y2FuYXJ5", b"bWU6Y2FuYXJ5")
    assert any(secret in home.sent for secret in secrets), home.sent
    assert not any(secret in other.sent for secret in secrets), other.sent
    assert b"\r\nAuthorization:" not in other.sent and b"\r\nCookie:" not in other.sent


def test_49_userinfo_goes_to_its_own_origin_only(fetch, serve):
    other = serve(HELLO)
    home = serve(redirect_to(other.url("/y")))
    outcome = fetch(home.url().replace("//", "//me:canary@"))
    outcome.succeeded(b"hello")
    assert b"Authorization: Basic bWU6Y2FuYXJ5" in home.sent
    assert b"Authorization" not in other.sent


def test_49_what_left_home_and_comes_back_has_its_headers_again(fetch, serve):
    """An origin is trusted with what the caller gave for it, whoever led us there."""
    home = serve(lambda request, _: HELLO if b"/back" in request else redirect_to(other.url()))
    other = serve(lambda *_: redirect_to(home.url("/back")))
    fetch("-H", "X-Token: canary", home.url()).succeeded(b"hello")
    assert [b"canary" in request for request in home.requests] == [True, True]
    assert b"canary" not in other.sent


def test_49_the_same_name_with_another_scheme_is_another_origin(fetch, serve, certificates):
    secure = serve(HELLO, tls=certificates.server("good"))
    fetch("-H", "X-Token: canary", "--cacert", certificates.path("ca"),
          serve(redirect_to(secure.url())).url()).succeeded(b"hello")
    assert b"canary" not in secure.sent


CANARIES = ["--oauth2-bearer", "canary-1", "-H", "Cookie: canary-2", "-H", "X-Auth-Token: canary-3"]
PLACES = [(secure, host) for secure in (False, True) for host in ("127.0.0.1", "localhost", "::1")]


def place_id(place):
    return ("https-" if place[0] else "http-") + place[1]


@pytest.mark.parametrize("first", PLACES, ids=place_id)
@pytest.mark.parametrize("second", [*PLACES, "home"], ids=lambda at: at if at == "home" else place_id(at))
def test_49_from_each_kind_of_origin_to_each_other_nothing_leaks(fetch, serve, certificates, first,
                                                                second):
    """Scheme, host and port make an origin: nothing of the caller's is sent to another one."""
    def start(place, reply):
        secure, host = place
        server = serve(reply, tls=certificates.server("good") if secure else None,
                       host="127.0.0.1" if host == "localhost" else host)
        return server, server.url("/y", host=host if host == "localhost" else None)

    other, target = start(PLACES[0] if second == "home" else second, HELLO)
    target = "/y" if second == "home" else target
    home, url = start(first, lambda request, _:
                      HELLO if request.startswith(b"GET /y ") and second == "home"
                      else redirect_to(target))
    outcome = fetch("-q", "--cacert", certificates.path("ca"), *CANARIES, url.replace("/y", "/x"))
    assert home.requests[0].count(b"canary-") == 3
    if second == "home":
        outcome.succeeded(b"hello")
        assert home.requests[1].count(b"canary-") == 3
    elif first[0] and not second[0]:
        outcome.failed("POLICY")
        assert other.connections == 0
    else:
        outcome.succeeded(b"hello")
        assert b"canary" not in other.sent and len(other.requests) == 1


def test_50_a_line_end_in_a_location_makes_no_header(fetch, serve):
    """What follows it is a header of the reply, as in any reply."""
    other = serve(HELLO)
    server = serve(response(b"", f"Location: {other.url()}\r\nX-Evil: canary", status="302 Found"))
    fetch(server.url()).succeeded(b"hello")
    assert b"canary" not in other.sent
    fetch(serve(b"HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: /a\rb\r\n\r\n").url()
          ).failed("PROTOCOL")


@pytest.mark.parametrize("target", [
    "http://me:pw@127.0.0.1/", "//me@127.0.0.1/", "http://[::1", "//", "http://a b/", "http:///x",
    "http://h:99999/", "http://0x7f000001/", "http://h\\@evil/", "/a\x01b", "/" + "a" * 9000])
def test_50_a_malformed_location_is_refused(fetch, serve, target):
    outcome = fetch(serve(redirect_to(target)).url())
    outcome.failed("PROTOCOL")
    assert "pw" not in outcome.stderr


@pytest.mark.parametrize("location, asked", [
    ("../../../up", b"/up"), ("./b/../c", b"/d/c"), ("?q=1", b"/d/x?q=1"), ("", None),
    ("/sp ace", b"/sp%20ace"), ("/\xfc%2f", b"/%C3%BC%2F")])
def test_50_a_relative_location_is_resolved_and_normalised(fetch, serve, location, asked):
    server = serve(lambda request, _:
                   redirect_to(location) if b"GET /d/x HTTP" in request else HELLO)
    outcome = fetch(server.url("/d/x"))
    if asked is None:
        outcome.failed("PROTOCOL")  # 51
    else:
        outcome.succeeded(b"hello")
        assert server.requests[1].split()[1] == asked


@pytest.mark.parametrize("headers", [[], ["Location:"], ["Location: "],
                                     ["Location: /a", "Location: /b"]])
def test_51_a_redirect_that_names_no_one_place_is_refused(fetch, serve, headers):
    fetch(serve(response(b"", *headers, status="302 Found")).url()).failed("PROTOCOL")


def test_53_a_refused_token_is_tried_once(fetch, serve):
    server = serve(response(b"no", "WWW-Authenticate: Bearer", status="401 Unauthorized"))
    fetch("--quiet", "--oauth2-bearer", "canary", server.url()).failed("AUTH")
    assert len(server.requests) == 1


@pytest.mark.parametrize("header", ["X: a\r\nEvil: b", "X: a\nEvil: b", "X\r: a", ": a", "no colon",
                                    "X y: a", "Host: other", "Content-Length: 3",
                                    "Transfer-Encoding: chunked", "Range: bytes=0-1"])
def test_54_a_header_that_is_more_than_a_header_is_refused(fetch, serve, header):
    server = serve(HELLO)
    fetch("-H", header, server.url()).failed("INVALID")
    assert server.connections == 0


def test_the_address_policy_holds_for_the_target_of_a_redirect(fetch, serve):
    fetch(serve(redirect_to("http://169.254.169.254/latest")).url()).failed("POLICY")
    fetch(serve(redirect_to("http://[::ffff:169.254.169.254]/")).url()).failed("POLICY")


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]",
                                     "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"])
def test_12_a_name_that_leads_to_a_forbidden_address_is_refused(fetch, address):
    fetch("--resolve", f"name.test:80:{address}", "http://name.test/").failed("POLICY")


def test_12_a_proxy_is_under_the_address_policy(fetch):
    fetch("--proxy", "http://169.254.169.254:80", "http://name.test/").failed("POLICY")


def test_13_the_address_is_judged_that_is_connected_to(fetch, serve):
    """A name with two addresses: the forbidden one is never connected to."""
    server = serve(HELLO)
    url = f"http://name.test:{server.port}/x"
    both = f"name.test:{server.port}:169.254.169.254,127.0.0.1"
    outcome = fetch("--resolve", both, url)
    assert outcome.code in (0, 116), outcome.stderr
    fetch("--resolve", f"name.test:{server.port}:127.0.0.1", url).succeeded(b"hello")


def test_loopback_can_be_forbidden(fetch, serve):
    server = serve(HELLO)
    fetch("--option", "address.loopback=no", server.url()).failed("POLICY")
    fetch("--option", "address.loopback=no", server.url(host="localhost")).failed("POLICY")
    assert server.connections == 0


def test_a_redirect_shows_no_secret_of_its_target(fetch, serve):
    target = serve(b"")
    server = serve(redirect_to(target.url("/y?token=canary")))
    outcome = fetch(server.url())
    outcome.failed("PROTOCOL")
    assert "canary" not in outcome.stderr
    outcome = fetch("-v", "-v", "-v", server.url())
    assert "canary" not in outcome.stderr


def test_the_digest_of_a_redirects_own_note_says_nothing_of_its_target(fetch, serve):
    """RFC 9530 3.1: Repr-Digest is about what the status line speaks of."""
    note = base64.b64encode(hashlib.sha256(b"a note").digest()).decode()
    target = serve(HELLO)
    fetch(serve(response(b"a note", f"Location: {target.url('/y')}",
                         f"Repr-Digest: sha-256=:{note}:", status="302 Found")).url()
          ).succeeded(b"hello")
