# SPDX-License-Identifier: Apache-2.0
"""The command line: what it takes, what it refuses, and what the program prints."""
import os
import re
import signal
import socket

import pytest

from devcache.cache import Cache, run


def test_the_help_names_every_option():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    options = re.findall(r"^  --([a-z-]+)", done.stdout, re.M)
    assert len(options) == len(set(options)) == 24
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
    for word in ("cut", "stall", "status", "trailers", "short", "schema"):
        assert re.search(rf"^ +{word}: ", done.stdout, re.M)


def test_the_version():
    done = run("--version")
    assert done.returncode == 0 and re.fullmatch(r"flame-devcache \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments, words", [
    (["--nothing"], "unknown option '--nothing'"), (["nothing"], "unknown option 'nothing'"),
    (["-h"], "unknown option '-h'"), (["--"], "unknown option '--'"),
    (["--help=x"], "option '--help' takes no value"),
    (["--port"], "option '--port' needs NUMBER, not ''"),
    (["--port", "65536"], "not '65536'"), (["--port=-1"], "not '-1'"), (["--port", "1x"], "'1x'"),
    (["--threads", "0"], "not '0'"), (["--body", "gzip"], "needs none|lz4|zstd, not 'gzip'"),
    (["--body", ""], "not ''"), (["--dialect", "0.7"], "not '0.7'"), (["--layout", "on"], "'on'"),
    (["--fault", "Cut"], "needs none|cut|stall|status|trailers|short|schema, not 'Cut'"),
    (["--memory", "0"], "not '0'"), (["--memory", "16383k"], "not '16383k'"),
    (["--fault-status", "17"], "not '17'"),
    (["--fault-status", "ok"], "not 'ok'"), (["--fault-method", "Get"], "not 'Get'"),
    (["--max-bytes", "1T"], "not '1T'"), (["--max-bytes", "18446744073709551615k"], "not '1844"),
    (["--max-bytes", "18446744073709551616"], "not '1844"), (["--storage", ""], "not ''"),
    (["--endpoint", "x" * 600], "too long")])
def test_what_is_wrong_is_told_in_one_line(arguments, words):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("flame-devcache: ") and words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"flame-devcache: could not listen at 127.0.0.1:{port}\n"


def test_two_servers_never_share_a_port():
    with Cache() as first:
        assert run("--port", first.port).returncode == 1


def test_it_says_where_it_listens(cache, raw):
    assert re.fullmatch(r"grpc://127\.0\.0\.1:[1-9]\d*", cache().url)
    assert re.fullmatch(r"grpc://localhost:[1-9]\d*", cache("--host", "localhost").url)
    six = cache("--host", "::1")
    assert re.fullmatch(r"grpc://\[::1\]:[1-9]\d*", six.url)
    assert not cache("--host", "0.0.0.0").url.startswith("grpc://0.0.0.0")


def test_clients_are_told_the_endpoint_that_was_given(cache, client):
    one = client(cache("--endpoint", "grpc://cache.example.org:9090"))
    assert one.put("a/b/c", b"x")["endpoint"] == "grpc://cache.example.org:9090"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_end_also_of_calls_under_way(how, cache, raw):
    running = cache("--fault", "stall")
    one = raw(running)
    call = one.channel.unary_stream("/arrow.flight.protocol.FlightService/ListActions")(b"")
    one.grpc.channel_ready_future(one.channel).result(10)
    running.close(how)
    with pytest.raises(one.grpc.RpcError):
        next(call)


def test_a_second_signal_is_an_end_at_once(cache):
    """Both are there before the first is taken, so no clock decides."""
    running = cache()
    running.process.send_signal(signal.SIGSTOP)
    os.waitpid(running.process.pid, os.WUNTRACED)
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    running.process.send_signal(signal.SIGCONT)
    running.process.communicate(timeout=60)
    assert running.process.returncode in (-signal.SIGINT, -signal.SIGTERM)


def test_only_so_many_calls_are_under_way(cache, raw):
    """The second, of another connection, waits until the first, which stalls, is gone."""
    running = cache("--max-calls", "1", "--fault", "stall", "--fault-times", "1", "--verbose")
    one, other = raw(running), raw(running)
    path = "/arrow.flight.protocol.FlightService/ListActions"
    one.grpc.channel_ready_future(one.channel).result(10)
    first = one.channel.unary_stream(path)(b"", timeout=60)
    with pytest.raises(one.grpc.RpcError) as caught:
        next(one.channel.unary_stream(path)(b"", timeout=0.3))
    assert caught.value.code().name == "DEADLINE_EXCEEDED"
    with pytest.raises(one.grpc.RpcError) as caught:
        next(other.channel.unary_stream(path)(b"", timeout=0.3))
    assert caught.value.code().name == "DEADLINE_EXCEEDED"
    first.cancel()
    assert other.call("ListActions", b"")[0] == "OK"
    running.end()


def test_verbose_is_a_line_for_each_call(cache, client, raw):
    """Told when a call is over, which its client has heard of before: in any order."""
    running = cache("--verbose")
    client(running).put("a/b/c", b"x")
    one = raw(running)
    one.call("DoGet", b"")
    one.call("/x/y", b"")
    put, get, unknown = sorted(running.end().splitlines(), key=lambda line: "PGk".index(line[2]))
    assert re.fullmatch(r"DoPut a/b/c: done, \d+ bytes", put)
    assert get == "DoGet: refused: Invalid key '': expected '<app>/<ssn>/<uuid>', 0 bytes"
    assert unknown == "unknown method: refused: no such service, 0 bytes"
