# SPDX-License-Identifier: Apache-2.0
"""The public headers compile alone, everywhere a plugin or a host program may include them."""
import itertools
import re
import shutil
import subprocess

import pytest

from abi.tree import HEADERS, INCLUDES, SDK_HEADERS
from support.peers import require_program

PLUGIN = """
#include <flame/plugin.h>
static int32_t x_init(const struct flame_host *host, struct flame_instance **instance,
                      struct flame_error *err)
{
    (void)instance;
    return flame_fail(host, err, FLAME_ERR_INVALID, "%d", 1);
}
static void x_shutdown(struct flame_instance *instance) { (void)instance; }
static int32_t x_fetch(struct flame_instance *instance, const struct flame_request *request,
                       struct flame_transfer *transfer, struct flame_error *err)
{
    struct flame_object object = FLAME_INIT(flame_object);
    (void)instance; (void)transfer; (void)err;
    return FLAME_REACHES(request, max_bytes) && object.struct_size ? FLAME_OK : FLAME_NOT_MODIFIED;
}
FLAME_PLUGIN("org.example.x", "1.0", "x y:80", "nothing")
{
    plugin->init = x_init;
    plugin->shutdown = x_shutdown;
    plugin->fetch = x_fetch;
}
"""
C_FLAGS = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-Wpadded", "-Wshadow",
           "-Wstrict-prototypes", "-Wundef", "-Wcast-qual"]
CXX_FLAGS = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wundef",
             "-Wcast-qual"]
DIALECTS = ([("gcc", "c", std, C_FLAGS) for std in ("c99", "c11", "c17")]
            + [("g++", "c++", std, CXX_FLAGS) for std in ("c++11", "c++14", "c++17", "c++20")]
            + [("clang", "c", std, C_FLAGS) for std in ("c99", "c11", "c17")]
            + [("clang++", "c++", std, CXX_FLAGS) for std in ("c++11", "c++17", "c++20")])


def compiler(name):
    """Debian's clang may carry its version in its name only."""
    for candidate in (name, name + "-14", name + "-16", name + "-19"):
        if shutil.which(candidate):
            return candidate
    return require_program(name)


def compile_text(text, dialect, tmp_path):
    name, language, std, flags = dialect
    return subprocess.run(
        [compiler(name), f"-std={std}", *flags, *INCLUDES, "-x", language, "-c", "-",
         "-o", str(tmp_path / "out.o")],
        input=text, text=True, capture_output=True)


def including(headers):
    return "".join(f"#include <{header}>\n" for header in headers) + "extern int nothing;\n"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: f"{d[0]}-{d[2]}")
def test_each_header_compiles_as_the_only_one_and_twice(dialect, tmp_path):
    for header in HEADERS | SDK_HEADERS:
        for times in (1, 2):
            done = compile_text(including([header] * times), dialect, tmp_path)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: f"{d[0]}-{d[2]}")
def test_the_headers_compile_in_every_order(dialect, tmp_path):
    for order in itertools.permutations(HEADERS):
        done = compile_text(including(order), dialect, tmp_path)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: f"{d[0]}-{d[2]}")
def test_a_plugin_compiles_in_every_language(dialect, tmp_path):
    done = compile_text(PLUGIN, dialect, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_hole_in_a_struct_is_found(tmp_path):
    """-Wpadded does what the test above relies on."""
    text = '#include <stdint.h>\nstruct holey { uint32_t a; uint64_t b; };\nstruct holey x;\n'
    assert compile_text(text, DIALECTS[0], tmp_path).returncode != 0


def test_the_headers_need_nothing_but_the_c_library():
    for header, path in HEADERS.items():
        included = {line.split()[1] for line in path.read_text().splitlines()
                    if line.startswith("#include")}
        allowed = {"<stddef.h>", "<stdint.h>", "<stdarg.h>", "<stdio.h>"}
        if header != "flame/status.h":
            allowed.add("<flame/status.h>")
        assert included <= allowed, header


def test_the_headers_of_the_sdk_need_the_host_api_alone():
    for header, path in SDK_HEADERS.items():
        included = set(re.findall(r"#include (<.*>)", path.read_text()))
        assert included and included <= {"<flame/fetch.h>", "<flame/context.h>"}, header
