# SPDX-License-Identifier: Apache-2.0
"""Many files in the plugin directory cost next to nothing: they are looked at, not loaded."""
import shutil

import pytest

from support.program import BINARY_DIR, SANITIZE

PLUGIN = BINARY_DIR / "lib" / "flame" / "plugins" / "file.so"
PROMISED_SECONDS = 0.050


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: the promise is for the plain build")
def test_a_scan_of_2000_plugins_takes_less_than_50_ms(fetch, tmp_path):
    many, none = tmp_path / "many", tmp_path / "none"
    for each in (many, none):
        each.mkdir(mode=0o755)
    first = many / "plugin-0.so"
    shutil.copy(PLUGIN, first)
    first.chmod(0o644)
    for number in range(1, 2000):
        shutil.copy(first, many / f"plugin-{number}.so")
    (tmp_path / "source").write_bytes(b"x")
    url = f"file://{tmp_path}/source"

    def best_of(directory):
        runs = [fetch("--plugin-dir", directory, url) for _ in range(7)]
        assert all(run.code == 0 for run in runs), runs[0].stderr
        return min(run.seconds for run in runs)

    assert best_of(many) - best_of(none) < PROMISED_SECONDS


def test_each_of_2000_files_is_listed_with_its_reason(fetch, tmp_path):
    directory = tmp_path / "many"
    directory.mkdir(mode=0o755)
    for number in range(2000):
        (directory / f"text-{number:04}.so").write_text("no plugin\n")
    done = fetch("plugins", "--why", "--plugin-dir", directory, output=None)
    assert done.code == 0, done.stderr
    lines = [line for line in done.stdout.decode().splitlines() if "text-" in line]
    assert len(lines) == 2000 and all("NOT_ELF" in line for line in lines), lines[:2]
