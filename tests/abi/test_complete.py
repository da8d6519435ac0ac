# SPDX-License-Identifier: Apache-2.0
"""offsets.c, which pins the ABI by being compiled, leaves nothing out."""
import re
import subprocess

import pytest

from abi.tree import HERE, HEADERS, INCLUDES, header_enums, header_numbers, header_strings, \
    header_structs
from abi.test_headers import compiler

OFFSETS = (HERE / "offsets.c").read_text()
SIZES = {tag: int(size) for tag, size in re.findall(r"^SIZE\((\w+), (\d+)\)$", OFFSETS, re.M)}
ROWS = re.findall(r"^AT\((\w+), (\w+), (\d+), (\d+)\)$", OFFSETS, re.M)

# A plugin or a configuration file holds these as bytes: they can never be spelled otherwise.
STRINGS = {
    "FLAME_ENTRY_SYMBOL": "flame_plugin_entry_v1",
    "FLAME_NOTE_SECTION": ".note.flame.plugin",
    "FLAME_NOTE_NAME": "Flame",
    "FLAME_EXT_NET_POLICY": "flame.net-policy/1",
    "FLAME_OPT_TLS_CA": "tls.ca",
    "FLAME_OPT_TLS_MIN": "tls.min",
    "FLAME_OPT_TLS_PIN": "tls.pin",
    "FLAME_OPT_TLS_SERVER_NAME": "tls.server_name",
    "FLAME_OPT_TLS_VERIFY": "tls.verify",
    "FLAME_OPT_NET_PROXY": "net.proxy",
    "FLAME_OPT_NET_IP": "net.ip",
    "FLAME_OPT_NET_USER_AGENT": "net.user_agent",
    "FLAME_OPT_NET_NETRC": "net.netrc",
    "FLAME_SECRET_TLS_CERT": "tls.cert_pem",
    "FLAME_SECRET_TLS_KEY": "tls.key_pem",
    "FLAME_SECRET_BEARER": "auth.bearer",
    "FLAME_SECRET_BASIC": "auth.basic",
    "FLAME_SECRET_PROXY": "net.proxy_auth",
    "FLAME_META_VERSION": "version",
    "FLAME_META_FLIGHT_ENDPOINT": "flight.endpoint",
    "FLAME_META_FLIGHT_KEY": "flight.key",
    "FLAME_META_REPR_DIGEST": "repr-digest",
    "FLAME_META_CONTENT_TYPE": "content-type",
    "FLAME_META_FILENAME": "filename",
    "FLAME_META_HTTP_STATUS": "http.status",
}


def test_every_public_struct_is_pinned():
    assert set(SIZES) == set(header_structs())


@pytest.mark.parametrize("tag", header_structs())
def test_every_member_is_pinned(tag):
    """The rows follow each other without a gap, from 0 to the size: none can be missing, since
    -Wpadded (test_headers.py) lets no struct have a hole."""
    end = 0
    for _, member, offset, size in (row for row in ROWS if row[0] == tag):
        assert int(offset) == end, f"{tag}.{member} does not follow the row before it"
        end = int(offset) + int(size)
    assert end == SIZES[tag]


@pytest.mark.parametrize("tag", [t for t in header_structs() if t != "flame_slice"])
def test_every_struct_begins_with_its_size(tag):
    assert (tag, "struct_size", "0", "4") in ROWS


def test_every_public_number_is_pinned():
    pinned = set(re.findall(r"^IS\((\w+), ", OFFSETS, re.M))
    assert pinned == header_numbers()


def test_every_public_enum_has_its_width_pinned():
    assert set(re.findall(r"^WIDTH\((\w+)\)", OFFSETS, re.M)) == set(header_enums())


def test_every_public_string_is_pinned():
    assert header_strings() == STRINGS


@pytest.mark.parametrize("prefix, table", [("FLAME_OPT_", "FLAME_SHARED_OPTION_TABLE"),
                                           ("FLAME_SECRET_", "FLAME_SHARED_SECRET_TABLE")])
def test_every_shared_name_has_its_row(prefix, table):
    text = HEADERS["flame/plugin.h"].read_text()
    body = re.search(rf"#define {table}\(X\)(.*?[^\\])\n", text, re.S)[1]
    rows = re.findall(r"X\((\w+),", body)
    assert sorted(rows) == sorted(name for name in header_strings() if name.startswith(prefix))


def test_a_moved_member_does_not_compile(tmp_path):
    """The assertions are alive."""
    for old, new in (("AT(flame_request, url, 8, 8)", "AT(flame_request, url, 16, 8)"),
                     ("SIZE(flame_slice, 16)", "SIZE(flame_slice, 24)"),
                     ("IS(FLAME_ERR_CHANGED, 24)", "IS(FLAME_ERR_CHANGED, 25)")):
        assert old in OFFSETS
        (tmp_path / "moved.c").write_text(OFFSETS.replace(old, new))
        done = subprocess.run([compiler("gcc"), "-std=c11", "-fsyntax-only", *INCLUDES,
                               tmp_path / "moved.c"],
                              capture_output=True)
        assert done.returncode != 0, old


def test_the_same_offsets_hold_on_aarch64(tmp_path):
    """Without a C library for that machine: x86-64's headers, as far as its data model is asked."""
    (tmp_path / "gnu").mkdir()
    (tmp_path / "gnu" / "stubs.h").write_text("")
    done = subprocess.run(
        [compiler("clang"), "--target=aarch64-linux-gnu", "-std=c11", "-fsyntax-only",
         f"-I{tmp_path}", "-isystem", "/usr/include/x86_64-linux-gnu", *INCLUDES,
         HERE / "offsets.c"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
