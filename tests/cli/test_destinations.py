# SPDX-License-Identifier: Apache-2.0
"""Destinations: the caller names the place, nobody else; and a place that cannot be used is refused
before anybody is asked for a byte."""
import os
import socket

import pytest

from support.scripted_server import response
from support.statuses import EXIT

HELLO = response(b"hello")


def rooted(fetch, root, path, url):
    return fetch("--option", f"dest.root={root}", url, output=path)


def test_14_below_a_root_nothing_leads_out(fetch, serve, tmp_path):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    server = serve(HELLO)
    for path in (f"{root}/../x", f"{root}/sub/../../x", "../x", f"{tmp_path}/x", "/tmp/x-outside"):
        rooted(fetch, root, path, server.url()).failed("UNSAFE_NAME")
    assert server.connections == 0 and os.listdir(tmp_path).count("x") == 0
    outcome = rooted(fetch, root, f"{root}/sub/x", server.url())
    assert outcome.code == 0, outcome.stderr
    assert (root / "sub" / "x").read_bytes() == b"hello"


def test_15_below_a_root_no_parent_is_a_link(fetch, serve, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    server = serve(HELLO)
    rooted(fetch, root, f"{root}/link/x", server.url()).failed("UNSAFE_NAME")
    assert server.connections == 0 and os.listdir(tmp_path / "outside") == []


def test_16_a_parent_that_is_swapped_meanwhile_changes_nothing(fetch, serve, tmp_path):
    parent, moved = tmp_path / "parent", tmp_path / "moved"
    other = tmp_path / "other"
    parent.mkdir()
    other.mkdir()

    def swap(_, connection):
        connection.sendall(HELLO[:-2])
        parent.rename(moved)
        parent.symlink_to(other)
        connection.sendall(HELLO[-2:])

    outcome = fetch(serve(swap).url(), output=f"{parent}/x")
    assert os.listdir(other) == []
    if outcome.code == 0:
        assert (moved / "x").read_bytes() == b"hello"
    else:
        assert os.listdir(moved) == []


def make_directory(path):
    path.mkdir()


def make_socket(path):
    os.chdir(path.parent)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


@pytest.mark.parametrize("make", [make_directory, os.mkfifo, make_socket],
                         ids=["directory", "fifo", "socket"])
def test_17_what_is_no_file_is_not_replaced(fetch, serve, make):
    server = serve(HELLO)
    place = fetch.new_place()
    make(place / "out")
    before = (place / "out").stat().st_ino
    outcome = fetch(server.url(), place=place, timeout=20)
    assert outcome.code == 23 and len(outcome.stderr.splitlines()) == 1, outcome.stderr
    assert outcome.files == ["out"] and (place / "out").stat().st_ino == before
    assert server.connections == 0


def test_18_a_link_is_replaced_and_its_target_untouched(fetch, serve):
    place = fetch.new_place()
    (place / "target").write_bytes(b"old")
    (place / "out").symlink_to("target")
    outcome = fetch(serve(HELLO).url(), place=place)
    assert outcome.code == 0 and outcome.files == ["out", "target"], outcome.stderr
    assert not (place / "out").is_symlink() and outcome.body == b"hello"
    assert (place / "target").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["a" * 256, "a" * 5000, "x/" * 3000 + "y"])
def test_19_a_name_that_is_too_long_is_refused(fetch, serve, name):
    server = serve(HELLO)
    fetch(server.url(), output=name).failed("IO" if "/" in name else "UNSAFE_NAME")
    assert server.connections == 0


def test_19_a_name_of_255_bytes_is_fine(fetch, serve):
    outcome = fetch(serve(HELLO).url(), output="a" * 255)
    assert (outcome.code, outcome.files) == (0, ["a" * 255]), outcome.stderr


def test_20_no_directory_is_made_unasked(fetch, serve):
    server = serve(HELLO)
    fetch(server.url(), output="not/there").failed("IO")
    assert server.connections == 0
    outcome = fetch("--create-dirs", server.url(), output="not/there")
    assert (outcome.place / "not" / "there").read_bytes() == b"hello", outcome.stderr


def test_20_directories_that_were_made_stay(fetch, serve):
    """Another process may be about to use one: who made it is not remembered."""
    outcome = fetch("--create-dirs", serve(response(b"", status="404 Gone")).url(),
                    output="not/there/out")
    assert outcome.code == EXIT["NOT_FOUND"] and outcome.files == ["not"], outcome.stderr
    assert list((outcome.place / "not" / "there").iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "x/", "x/.", "x/.."])
def test_20_a_name_that_names_no_file_is_refused(fetch, serve, name):
    server = serve(HELLO)
    fetch("--output", name, server.url(), output=None).failed("UNSAFE_NAME")
    assert server.connections == 0


def test_22_a_destination_is_shown_harmlessly(fetch, serve):
    outcome = fetch(serve(HELLO).url(), output="no-dir\n\x1b[31m/x")
    outcome.failed("IO")
    outcome = fetch(serve(HELLO).url(), output="new\nline\x1b")
    assert (outcome.code, outcome.files) == (0, ["new\nline\x1b"])  # named by the caller


@pytest.mark.parametrize("path", ["/", "/..", "/%2e%2e", "/a/", "/%2F", "/a%2Fb", "/%00", "/%0a",
                                  "/%1b%5b", "/" + "a" * 256, "/.", "/x/.."])
def test_a_url_names_only_harmless_files(fetch, serve, path):
    server = serve(HELLO)
    outcome = fetch(server.url(path), output=None)
    assert outcome.code in (115, 3), outcome.stderr
    assert outcome.files == [] and server.connections == 0


def test_never_and_always_overwrite_are_what_they_say(fetch, serve):
    server = serve(HELLO)
    place = fetch.new_place()
    (place / "out").write_bytes(b"old")
    outcome = fetch("--overwrite", "never", server.url(), place=place)
    assert outcome.code == 113 and outcome.body == b"old" and server.connections == 0
    outcome = fetch(server.url(), place=place)
    assert outcome.code == 0 and outcome.body == b"hello"


def test_a_verified_file_is_kept_without_asking_anybody(fetch, serve):
    digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    server = serve(HELLO)
    place = fetch.new_place()
    (place / "out").write_bytes(b"hello")
    before = (place / "out").stat().st_ino
    outcome = fetch("--checksum", digest, server.url(), place=place)
    assert outcome.code == 0 and server.connections == 0, outcome.stderr
    assert (place / "out").stat().st_ino == before
    outcome = fetch("--checksum", digest, "--overwrite", "always", server.url(), place=place)
    assert outcome.code == 0 and server.connections == 1
    (place / "out").write_bytes(b"other")
    outcome = fetch("--checksum", digest, server.url(), place=place)
    assert outcome.code == 0 and outcome.body == b"hello"


def test_the_file_has_the_rights_of_the_umask(fetch, serve):
    for umask in (0o022, 0o077, 0o002):
        child = fetch.start(serve(HELLO).url(), preexec_fn=lambda mask=umask: os.umask(mask))
        assert child.wait(60) == 0
        assert (child.place / "out").stat().st_mode & 0o777 == 0o666 & ~umask
        child.communicate()
