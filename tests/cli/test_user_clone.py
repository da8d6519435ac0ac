# SPDX-License-Identifier: Apache-2.0
"""A clone below /tmp, built by somebody who is not root, with plugins in its build folder and
downloads into /tmp: /tmp is everybody's, but sticky, and what lies in it is the user's own."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support.peers import kernel_lacks
from support.program import SANITIZE

SOURCE = pathlib.Path(os.environ["FLAME_SOURCE_DIR"])
NOBODY = 65534


def run(*argv, cwd):
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    command = [*(user if os.geteuid() == 0 else []), *argv]
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True,
                          timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.mark.skipif(SANITIZE != "", reason="SKIP: once, in the plain build")
def test_a_clone_below_tmp_built_by_a_user_works():
    if not os.stat("/tmp").st_mode & 0o1000:
        kernel_lacks("/tmp is not sticky here")
    place = pathlib.Path(tempfile.mkdtemp(dir="/tmp", prefix="flame-clone-"))
    try:
        clone = place / "clone"
        for folder in ("core", "plugins", "sdk", "cmake", "docs", "packaging"):
            shutil.copytree(SOURCE / folder, clone / folder)
        for name in ("CMakeLists.txt", "README.md", "LICENSE"):
            shutil.copy(SOURCE / name, clone / name)
        if os.geteuid() == 0:
            for path in [place, *place.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DBUILD_TESTING=OFF",
            "-DCMAKE_BUILD_TYPE=Release", cwd=clone)
        run("cmake", "--build", "build", cwd=clone)
        fetch = clone / "build" / "bin" / "flame-fetch"
        listed = run(fetch, "plugins", cwd=place).stdout
        assert "file" in listed and "http" in listed
        done = run(fetch, "-o", place / "out", f"file://{clone}/LICENSE", cwd=place)
        assert done.stderr == ""
        assert (place / "out").read_bytes() == (SOURCE / "LICENSE").read_bytes()
    finally:
        shutil.rmtree(place)
