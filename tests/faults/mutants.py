# SPDX-License-Identifier: Apache-2.0
"""Builds the driver from the sources as they are, or as mutants/NAME.sed changes them."""
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(os.environ["FLAME_SOURCE_DIR"])
SOURCES = ROOT / "core" / "src"
MUTANTS = ROOT / "tests" / "faults" / "mutants"


def names(folder="."):
    return sorted(path.stem for path in (MUTANTS / folder).glob("*.sed"))


def mutate(name, sources):
    """Apply the script to the copied publish sources; it must change something."""
    before = {path: path.read_bytes() for path in sources}
    subprocess.run(["sed", "-i", "-f", MUTANTS / f"{name}.sed", *sources], check=True)
    for line in (MUTANTS / f"{name}.sed").read_text().splitlines():
        if not line.startswith("#"):
            probe = [subprocess.run(["sed", line], input=text, capture_output=True,
                                    check=True).stdout != text for text in before.values()]
            assert any(probe), f"{name}: '{line}' changes nothing any more"


def build(directory, name=None, program="publish_driver"):
    """The path of a driver of its own in `directory`."""
    directory = Path(directory) / (name or "true").replace("/", "-")
    shutil.copytree(SOURCES / "publish", directory / "publish")
    sources = sorted((directory / "publish").glob("*.c"))
    if name:
        mutate(name, sources)
    driver = directory / "driver"
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-w",
                    "-D_FILE_OFFSET_BITS=64", f"-I{directory}", f"-I{SOURCES}",
                    f"-I{ROOT / 'core' / 'include'}", f"-I{ROOT / 'sdk' / 'include'}", *sources,
                    SOURCES / "base" / "error.c", SOURCES / "base" / "text.c",
                    ROOT / "tests" / "faults" / f"{program}.c", "-o", driver, "-lnettle"],
                   check=True)
    return driver
