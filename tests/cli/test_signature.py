# SPDX-License-Identifier: Apache-2.0
"""Signatures that minisign itself has made, and what becomes of them when anything is altered."""
import base64
import os
import pathlib
import subprocess

import pytest

from support.peers import require_program
from support.program import clean_environment
from support.statuses import EXIT

DRIVER = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "signature_driver"
BODY = bytes(range(256)) * 2100 + b"end"  # more than two pieces
KINDS = {"prehashed": [], "legacy": ["-l"]}
LEGACY_MAX = 64 << 20


def minisign(folder, *arguments):
    subprocess.run([require_program("minisign"), *arguments], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)


class Signed:
    """A folder with a key, a file and its signature; altered as a test likes."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.new_key("key")
        self.sign(BODY)

    def new_key(self, name):
        minisign(self.folder, "-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.sec")

    def sign(self, body, *options, key="key"):
        (self.folder / "file").write_bytes(body)
        minisign(self.folder, "-S", *KINDS[self.kind], "-s", f"{key}.sec", "-t", "made for a test",
                 *options, "-m", "file")

    @property
    def signature(self):
        return self.folder / "file.minisig"

    @property
    def lines(self):
        return self.signature.read_text().splitlines()

    def write_lines(self, lines):
        self.signature.write_text("".join(line + "\n" for line in lines))

    def flip(self, line, at):
        """One bit of the bytes that a line is the base64 of."""
        lines = self.lines
        raw = bytearray(base64.b64decode(lines[line]))
        raw[at] ^= 1
        lines[line] = base64.b64encode(raw).decode()
        self.write_lines(lines)

    def check(self, *options, key="key.pub", env=None):
        """(exit code, the one line that is said)"""
        done = subprocess.run([DRIVER, *options, "file", "file.minisig", key], cwd=self.folder,
                              capture_output=True, timeout=60, check=False,
                              env=clean_environment() | (env or {}))
        assert done.stderr == b""
        assert done.stdout.count(b"\n") == 1
        return done.returncode, done.stdout.decode().rstrip("\n")

    def accepts(self, comment="made for a test", **options):
        assert self.check(**options) == (0, comment)

    def refuses(self, status, words, *options, **more):
        code, said = self.check(*options, **more)
        assert said.startswith(status + " ") and words in said
        assert code == EXIT[status]
        assert said.isprintable()


@pytest.fixture(params=KINDS)
def signed(tmp_path, request):
    return Signed(tmp_path, request.param)


@pytest.fixture
def prehashed(tmp_path):
    return Signed(tmp_path, "prehashed")


# ---- what is accepted


@pytest.mark.parametrize("size", [0, 1, 262143, 262144, 262145, len(BODY)])
def test_a_file_of_any_size_is_accepted(signed, size):
    signed.sign(BODY[:size])
    signed.accepts()


def test_the_key_may_be_its_line_of_base64_alone(prehashed):
    prehashed.accepts(key=(prehashed.folder / "key.pub").read_text().splitlines()[1])


def test_a_signature_that_came_through_windows_is_accepted(signed):
    for name in ("file.minisig", "key.pub"):
        path = signed.folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    signed.accepts()


def test_the_untrusted_comment_is_nobodys_word(signed):
    signed.write_lines(["untrusted comment: whatever", *signed.lines[1:]])
    signed.accepts()


def test_the_trusted_comment_is_shown_as_harmless_text(prehashed):
    prehashed.sign(BODY, "-t", "red \x1b[31m, \u202ereversed, \u00e4")
    prehashed.accepts("red \\x1b[31m, \\xe2\\x80\\xaereversed, \u00e4")


# ---- what is not


@pytest.mark.parametrize("at", [0, 262144, len(BODY) - 1])
def test_one_flipped_bit_of_the_file_is_seen(signed, at):
    body = bytearray(BODY)
    body[at] ^= 1
    (signed.folder / "file").write_bytes(body)
    signed.refuses("SIGNATURE", "the file is not the one that was signed")


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x", b""], ids=["shorter", "longer", "empty"])
def test_another_length_of_the_file_is_seen(signed, body):
    (signed.folder / "file").write_bytes(body)
    signed.refuses("SIGNATURE", "the file is not the one that was signed")


@pytest.mark.parametrize("at", [10, 41, 42, 73])
def test_one_flipped_bit_of_the_signature_is_seen(signed, at):
    signed.flip(1, at)
    signed.refuses("SIGNATURE", "was altered")


@pytest.mark.parametrize("at", [0, 63])
def test_one_flipped_bit_of_the_second_signature_is_seen(signed, at):
    signed.flip(3, at)
    signed.refuses("SIGNATURE", "was altered")


@pytest.mark.parametrize("comment", ["made for a tesu", "made for a test ", "made for a tes", ""])
def test_another_trusted_comment_is_seen(signed, comment):
    lines = signed.lines
    signed.write_lines([*lines[:2], f"trusted comment: {comment}", lines[3]])
    signed.refuses("SIGNATURE", "was altered")


def test_the_comment_of_another_signature_by_the_same_key_is_seen(signed):
    first = signed.lines
    signed.sign(BODY + b"x", "-t", "of another file")
    signed.write_lines([*first[:2], *signed.lines[2:]])
    signed.refuses("SIGNATURE", "was altered")


def test_the_signature_of_another_file_by_the_same_key_is_seen(signed):
    signed.sign(b"another")
    (signed.folder / "file").write_bytes(BODY)
    signed.refuses("SIGNATURE", "the file is not the one that was signed")


def test_a_signature_is_not_of_the_other_kind(signed):
    """The second signature is not over the kind: the file has to tell."""
    lines = signed.lines
    raw = bytearray(base64.b64decode(lines[1]))
    raw[1] ^= ord("d") ^ ord("D")
    signed.write_lines([lines[0], base64.b64encode(raw).decode(), *lines[2:]])
    signed.refuses("SIGNATURE", "the file is not the one that was signed")


def test_another_key_is_named(signed):
    signed.new_key("other")
    ids = [(signed.folder / f"{name}.pub").read_text().split()[5] for name in ("key", "other")]
    signed.refuses("SIGNATURE", f"is by the key {ids[0].zfill(16)}, not by {ids[1].zfill(16)}",
                   key="other.pub")


def test_another_id_of_the_key_is_seen(signed):
    signed.flip(1, 2)
    signed.refuses("SIGNATURE", "is by the key ")


def test_another_key_with_the_same_id_is_seen(signed):
    signed.new_key("other")
    raw = [base64.b64decode((signed.folder / f"{name}.pub").read_text().splitlines()[1])
           for name in ("key", "other")]
    signed.refuses("SIGNATURE", "not by this key",
                   key=base64.b64encode(raw[0][:10] + raw[1][10:]).decode())


def test_a_signature_that_is_cut_anywhere_is_refused(prehashed):
    """But for the line end behind its last letter."""
    whole = prehashed.signature.read_bytes()
    for size in [*range(0, len(whole) - 1, 7), len(whole) - 2]:
        prehashed.signature.write_bytes(whole[:size])
        prehashed.refuses("INVALID", "the signature is not one of minisign: its ")


@pytest.mark.parametrize("text", [b"", b"\0" * 200, b"-----BEGIN PGP SIGNATURE-----\n\niHUE\n",
                                  b"x" * ((64 << 10) + 1)], ids=["empty", "nul", "pgp", "large"])
def test_what_is_no_signature_is_said_to_be_none(prehashed, text):
    prehashed.signature.write_bytes(text)
    prehashed.refuses("INVALID", "the signature is ")


def test_a_secret_key_in_place_of_the_public_one_is_refused_and_not_shown(prehashed):
    secret = (prehashed.folder / "key.sec").read_text().splitlines()[1]
    for key in ("key.sec", secret):
        prehashed.refuses("INVALID", "the public key is not one of minisign", key=key)
        assert secret[:20] not in prehashed.check(key=key)[1]


# ---- what cannot be checked


def test_a_large_file_needs_prehashing(signed):
    with open(signed.folder / "file", "r+b") as file:
        file.truncate(LEGACY_MAX + 1)
    signed.refuses("SIGNATURE", {"legacy": "sign the file with prehashing",
                                 "prehashed": "is not the one"}[signed.kind])


def test_a_file_that_became_shorter_is_a_failure_to_read(signed):
    signed.refuses("IO", "became shorter", "-s", str(len(BODY) + 1))


def test_a_signal_ends_it(signed):
    signed.refuses("CANCELLED", "cancelled", "-i")


@pytest.mark.parametrize("source", [None, "int unrelated;",
                                    "int sodium_init(void);int sodium_init(void) { return 0; }"],
                         ids=["garbage", "no-function", "one-function"])
def test_without_libsodium_it_is_said_what_is_missing(prehashed, source):
    library = prehashed.folder / "lib" / "libsodium.so.23"
    library.parent.mkdir()
    if source:
        subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True,
                       input=source, text=True, env=clean_environment())
    else:
        library.write_bytes(b"garbage")
    prehashed.refuses("UNSUPPORTED", "libsodium", env={"LD_LIBRARY_PATH": str(library.parent)})


def test_libsodium_is_not_loaded_where_nobody_asks_for_it(fetch):
    """Its absence must not matter, nor its time to load."""
    source = fetch.base / "source"
    source.write_bytes(b"hello")
    outcome = fetch(f"file://{source}", env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT":
                                             str(fetch.base / "loaded")})
    assert outcome.code == 0
    said = "".join(path.read_text() for path in fetch.base.glob("loaded.*"))
    assert "libjansson" in said
    assert "libsodium" not in said
