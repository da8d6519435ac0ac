# SPDX-License-Identifier: Apache-2.0
"""objects ls and objects rm, at a flame-devcache."""
import pytest

from devcache.cache import Client
from sdk.command import caches, events, user  # noqa: F401

KEYS = {"app/one/a": 10, "app/one/b c%#?": 2000, "app/two/c": 3, "other/one/d": 4}


@pytest.fixture
def cache(caches):
    running = caches()
    fill(running)
    return running


def fill(running, **options):
    client = Client(running.url.replace("grpcs:", "grpc+tls:"), **options)
    for key, size in KEYS.items():
        client.put(key, b"x" * size)
    client.close()


@pytest.fixture
def objects(user, cache):
    user.has_context(endpoint=cache.url)
    return lambda *arguments, **more: user("objects", *arguments, **more)


def listed(outcome):
    """The keys, sorted: the order is the cache's."""
    assert (outcome.code, outcome.stderr) == (0, ""), outcome.stderr
    return sorted(line.split(None, 1)[1] for line in outcome.stdout.decode().splitlines())


def test_ls_shows_size_and_key_of_each(objects):
    outcome = objects("ls")
    assert listed(outcome) == sorted(KEYS)
    sizes = {line.split(None, 1)[1]: int(line.split()[0])
             for line in outcome.stdout.decode().splitlines()}
    assert all(sizes[key] >= size for key, size in KEYS.items()), sizes


@pytest.mark.parametrize("key, found", [("app/one", ["app/one/a", "app/one/b c%#?"]),
                                        ("app/*", ["app/one/a", "app/one/b c%#?", "app/two/c"]),
                                        ("app/two/c", ["app/two/c"]), ("none/here", [])])
def test_ls_of_a_key_shows_what_it_names(objects, key, found):
    assert listed(objects("ls", key)) == found


def test_ls_says_the_same_in_json(objects, cache):
    said = events(objects("ls", "app/one", "--json"))
    assert [(event["ev"], event["key"]) for event in said[:-1]] == [
        ("object", "app/one/a"), ("object", "app/one/b c%#?")]
    assert said[-1]["ev"] == "objects" and said[-1]["entries"] == 2
    assert said[-1]["endpoint"] == cache.url


def test_the_endpoint_of_the_command_line_goes_before_the_variable_and_the_file(user, cache):
    user.has_context(endpoint="grpc://127.0.0.1:1")
    assert user("objects", "ls", "--option", "retry.attempts=1").code != 0
    variable = {"FLAME_CACHE_ENDPOINT": cache.url}
    assert listed(user("objects", "ls", env=variable)) == sorted(KEYS)
    variable["FLAME_CACHE_ENDPOINT"] = "grpc://127.0.0.1:1"
    assert listed(user("objects", "--endpoint", cache.url, "ls", env=variable)) == sorted(KEYS)


def test_rm_removes_one_object_in_silence(objects):
    outcome = objects("rm", "app/one/b c%#?")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", ""), outcome.stderr
    assert listed(objects("ls")) == ["app/one/a", "app/two/c", "other/one/d"]


@pytest.mark.parametrize("key, left", [("app/one", ["app/two/c", "other/one/d"]),
                                       ("app/*", ["other/one/d"])])
def test_rm_of_a_prefix_removes_all_below_it(objects, key, left):
    outcome = objects("rm", "--prefix", key)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", ""), outcome.stderr
    assert listed(objects("ls")) == left


@pytest.mark.parametrize("arguments, word", [
    (["app/one"], "needs '--prefix'"), (["app/*"], "needs '--prefix'"),
    (["--prefix", "app/one/a"], "'--prefix' is not for it"), (["app"], "'app'"),
    (["--prefix", "app"], "'app'"), (["--prefix", "*/*"], "*/*"), (["--prefix", ""], "''"),
    (["*/one/a"], "*"), (["app/../a"], ".."), (["app/one/"], "app/one/")])
def test_rm_takes_three_parts_without_prefix_and_two_with_it_only(objects, arguments, word):
    objects("rm", *arguments).failed("INVALID", word)
    assert listed(objects("ls")) == sorted(KEYS)


def test_rm_tells_in_json_and_with_v(objects, cache):
    said = events(objects("rm", "--json", "app/two/c"))
    assert [(event["ev"], event["endpoint"], event["key"], event["prefix"]) for event in said] == [
        ("object_removed", cache.url, "app/two/c", False)]
    assert "app/one/a: removed" in objects("rm", "-v", "app/one/a").stderr


@pytest.mark.parametrize("arguments", [[], ["list"], ["rm"], ["rm", "a/b/c", "a/b/d"],
                                       ["ls", "a/b", "c/d"], ["ls", "--prefix", "a/b"],
                                       ["ls", "a"], ["ls", "--endpoint", "http://x"]])
def test_a_wrong_command_line_is_told(user, arguments):
    user("objects", *arguments).failed("INVALID")


def test_nobody_there_is_told_with_the_endpoint(user):
    user("objects", "ls", "--endpoint", "grpc://127.0.0.1:1", "--option", "retry.attempts=1").failed(
        "CONNECT", "grpc://127.0.0.1:1")


# ---- TLS ---------------------------------------------------------------------------------------


@pytest.fixture
def secure(caches, certificates):
    running = caches(mutual=True)
    fill(running, tls_root_certs=certificates.path("ca").read_bytes(),
         cert_chain=certificates.path("client").read_bytes(),
         private_key=certificates.path("client", "key").read_bytes())
    return running


def identity(certificates, name="client"):
    return {"cert_file": certificates.path(name), "key_file": certificates.path(name, "key")}


def test_the_context_has_authorities_and_certificate(user, secure, certificates):
    user.has_context(endpoint=secure.url, ca_file=certificates.path("ca"), **identity(certificates))
    assert listed(user("objects", "ls")) == sorted(KEYS)


def test_tls_files_of_the_command_line_go_before_those_of_the_context(user, secure, certificates):
    once = ["--option", "retry.attempts=1"]
    user.has_context(endpoint=secure.url, ca_file=certificates.path("other-ca"),
                     **identity(certificates, "other-client"))
    user("objects", "ls", *once).failed("TLS")
    ours = ["--cacert", certificates.path("ca"), "--cert", certificates.path("client"), "--key",
            certificates.path("client", "key")]
    assert listed(user("objects", "ls", *ours)) == sorted(KEYS)
    user.has_context(endpoint=secure.url, ca_file=certificates.path("ca"), **identity(certificates))
    user("objects", "ls", *once, "--cacert", certificates.path("other-ca")).failed("TLS")


def test_authorities_of_the_configuration_go_before_those_of_the_context(user, caches, certificates):
    running = caches(tls=True)
    user.has_context(endpoint=running.url, ca_file=certificates.path("other-ca"))
    (user.home / "config" / "flame").mkdir(parents=True)
    (user.home / "config" / "flame" / "fetch.json").write_text(
        '{"options": {"tls.ca": "%s"}}' % certificates.path("ca"))
    assert listed(user("objects", "ls")) == []
