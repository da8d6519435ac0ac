# SPDX-License-Identifier: Apache-2.0
"""The form of the sources: licence line, length, number of parameters, formatting."""
import json
import subprocess

from abi.tree import SOURCE, sources
from support.peers import require_program

FUNCTION_LINES = 60
FILE_LINES = 400
PARAMETERS = 6
CODE = (".c", ".h", ".hpp", ".cpp")
WHOLE = {"sdk/include/flame/plugin.h"}  # one contract, read as one page


def functions(names):
    """(name, file, lines, parameters) of every C function with a body."""
    command = [require_program("ctags"), "--output-format=json", "--fields=+neS",
               "--kinds-C=f", "--kinds-C++=f", "--langmap=C:.c.h", "-f", "-", *names]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True)
    for tag in map(json.loads, done.stdout.splitlines()):
        yield (tag["name"], tag["path"], tag["end"] - tag["line"] + 1,
               parameters(tag.get("signature", "()")))


def parameters(signature):
    """How many commas lie between the outermost parentheses, and one more."""
    inside = signature.strip()[1:-1].strip()
    depth, count = 0, 1
    for c in inside:
        depth += (c in "([{") - (c in ")]}")
        count += c == "," and depth == 0
    return 0 if inside in ("", "void") else count


def lines(name):
    return len((SOURCE / name).read_text(errors="replace").splitlines())


def spread(values):
    values = sorted(values)
    return f"median {values[len(values) // 2]}, p95 {values[len(values) * 95 // 100]}, " \
           f"most {values[-1]}"


def product():
    """All but the tests, whose length is that of their tables."""
    return [name for name in sources(*CODE) if not name.startswith("tests/")]


def test_sizes_are_printed(capsys):
    files = [lines(name) for name in product()]
    lengths = [length for _, _, length, _ in functions(product())]
    with capsys.disabled():
        print(f"\n{len(files)} files: {spread(files)} lines"
              f"\n{len(lengths)} functions: {spread(lengths)} lines")
    assert len(files) > 10 and len(lengths) > 100, "the sources were not found"
    assert sorted(lengths)[len(lengths) // 2] <= 15


def test_no_function_is_longer_than_a_screen():
    assert [f for f in functions(product()) if f[2] > FUNCTION_LINES] == []


def test_no_function_takes_more_than_it_can_explain():
    assert [f for f in functions(sources(*CODE)) if f[3] > PARAMETERS] == []


def test_no_file_is_longer_than_it_can_be_read():
    assert [(name, lines(name)) for name in product()
            if name not in WHOLE and lines(name) > FILE_LINES] == []


def test_a_long_function_and_a_crowded_one_are_seen(tmp_path):
    body = "    x++;\n" * FUNCTION_LINES
    (tmp_path / "long.c").write_text(f"static int long_one(int x)\n{{\n{body}    return x;\n}}\n")
    (tmp_path / "wide.c").write_text(
        "int wide(int a, int (*b)(int x, int y), int c, int d, int e, int f, int g)\n"
        "{\n    return a + b(c, d) + e + f + g;\n}\n")
    found = {f[0]: f[2:] for f in functions([tmp_path / "long.c", tmp_path / "wide.c"])}
    assert found["long_one"][0] > FUNCTION_LINES
    assert found["wide"][1] == 7


LICENCE = "SPDX-License-Identifier: Apache-2.0"
C_LIKE = CODE
HASHED = (".py", ".cmake", "CMakeLists.txt", ".sh", ".yml", ".yaml", ".ini", ".supp", ".ci/run")


def licence_line(name):
    first, second = ((SOURCE / name).read_text(errors="replace") + "\n\n").split("\n", 2)[:2]
    line = second if first.startswith("#!") else first
    comment = f"/* {LICENCE} */" if name.endswith(C_LIKE) else f"# {LICENCE}"
    return line == comment


def test_every_source_names_its_licence_first():
    checked = sources(*C_LIKE, *HASHED)
    assert len(checked) > 50, "the sources were not found"
    assert [name for name in checked if not licence_line(name)] == []


def test_the_sources_are_formatted():
    command = [require_program("clang-format-14"), "--dry-run", "--Werror", *sources(*CODE)]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]


def long_lines(name):
    text = (SOURCE / name).read_text()
    return [f"{name}:{number}" for number, line in enumerate(text.splitlines(), 1)
            if "\t" in line or line != line.rstrip() or len(line) > 100]


def test_no_line_has_a_tab_a_blank_end_or_more_than_100_columns():
    assert [line for name in sources(*CODE) for line in long_lines(name)] == []
