# SPDX-License-Identifier: Apache-2.0
"""Today's headers are the committed ABI, or have grown at their tails."""
import platform
import re

import pytest

from abi import abi_probe
from support.peers import require_program


@pytest.fixture(scope="module", autouse=True)
def tools():
    require_program("abidw")
    require_program("abidiff")


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    out = tmp_path_factory.mktemp("abi") / "today.abi"
    abi_probe.describe(out)
    return out


def replaced(header, old, new):
    """An edit of one header that must find its place."""
    def edit(name, text):
        if name == header:
            assert old in text, f"'{old}' is not in {header} any more"
            text = text.replace(old, new, 1)
        return text
    return edit


def appended(header, tag, member):
    def edit(name, text):
        if name == header:
            text, count = re.subn(rf"(\nstruct {tag} \{{.*?)(\n\}};)", rf"\1\n    {member}\2", text,
                                  count=1, flags=re.S)
            assert count == 1
        return text
    return edit


@pytest.mark.skipif(platform.machine() != "x86_64", reason="SKIP: the baseline is of x86-64")
def test_the_abi_is_the_baseline_or_has_grown(today):
    assert abi_probe.breaks(abi_probe.BASELINE, today) == []


def test_the_baseline_was_accepted_with_a_reason():
    assert abi_probe.fingerprint(abi_probe.BASELINE) == abi_probe.accepted()[-1]


def test_the_probe_takes_every_type(today):
    text = today.read_text()
    for tag in abi_probe.header_structs():
        assert f"class-decl name='{tag}' size-in-bits" in text, tag
    for tag in abi_probe.header_enums():
        assert f"enum-decl name='{tag}'" in text, tag


def both(first, second):
    return lambda name, text: second(name, first(name, text))


BREAKS = {
    "a member in the middle": replaced("flame/plugin.h", "    uint64_t offset;             /* fetch",
                                       "    uint64_t sneaked_in;\n    uint64_t offset; /* fetch"),
    "two members swapped": replaced("flame/plugin.h", "    uint32_t struct_size;\n    uint32_t type; ",
                                    "    uint32_t type;\n    uint32_t struct_size; "),
    "a member retyped": replaced("flame/plugin.h", "    int64_t mtime_ns;", "    uint64_t mtime_ns;"),
    "a member narrowed": replaced("flame/plugin.h", "    uint64_t max_bytes; ",
                                  "    uint32_t max_bytes; "),
    "a member renamed": replaced("flame/fetch.h", "    const char *digest; ",
                                 "    const char *checksum; "),
    "a slot that takes less": replaced("flame/plugin.h", "    void (*shutdown)(struct flame_instance "
                                       "*instance);", "    void (*shutdown)(void);"),
    "a service that returns more": replaced("flame/plugin.h", "    int32_t (*cancel_fd)(",
                                            "    int64_t (*cancel_fd)("),
    "a number changed": replaced("flame/plugin.h", "    FLAME_PROOF_COMPLETE = 1,",
                                 "    FLAME_PROOF_COMPLETE = 2,"),
    "a status renumbered": replaced("flame/status.h", "X(RANGE, 25,", "X(RANGE, 52,"),
    "a number removed": replaced("flame/plugin.h", "    FLAME_LOG_TRACE = 5,", ""),
    "a member appended and one retyped": both(
        appended("flame/plugin.h", "flame_request", "uint64_t more;"),
        replaced("flame/plugin.h", "    uint64_t source_size;        /*",
                 "    int64_t source_size;        /*")),
    "an array longer": replaced("flame/status.h", "    char plugin[80]; ", "    char plugin[88]; "),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_seen(name, today, tmp_path):
    broken = tmp_path / "broken.abi"
    abi_probe.describe(broken, BREAKS[name])
    assert abi_probe.breaks(today, broken)


GROWTH = {
    "a request": appended("flame/plugin.h", "flame_request", "uint64_t more;"),
    "a slot": appended("flame/plugin.h", "flame_plugin", "int32_t (*more)(void);"),
    "a service": appended("flame/plugin.h", "flame_host", "int32_t (*more)(void);"),
    "a task": appended("flame/fetch.h", "flame_task", "const char *more;"),
    "a struct": replaced("flame/plugin.h", "/* A struct iovec on every",
                         "struct flame_more { uint32_t a; };\n/* A struct iovec on every"),
    "a status": replaced("flame/status.h", '"internal error")',
                         '"internal error") X(MORE, 47, 1, 0, "more")'),
}


@pytest.mark.parametrize("name", GROWTH)
def test_growth_at_the_tail_passes(name, today, tmp_path):
    grown = tmp_path / "grown.abi"
    abi_probe.describe(grown, GROWTH[name])
    assert grown.read_text() != today.read_text(), "nothing grew"
    assert abi_probe.breaks(today, grown) == []
