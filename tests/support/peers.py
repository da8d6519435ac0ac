# SPDX-License-Identifier: Apache-2.0
"""What a test does where something that it needs is missing: skip loudly, or fail where
FLAME_REQUIRE_PEERS=1 says that everything must be there."""
import contextlib
import importlib
import os
import pathlib
import shutil
import sys

import pytest


def _skip(reason):
    print(f"SKIP: {reason}", file=sys.stderr, flush=True)
    pytest.skip(f"SKIP: {reason}")


def require_program(name):
    """The path of `name`; without it the test is skipped, or fails where peers are required."""
    path = shutil.which(name)
    if path:
        return path
    if os.environ.get("FLAME_REQUIRE_PEERS") == "1":
        pytest.fail(f"'{name}' is not installed", pytrace=False)
    return _skip(f"'{name}' is not installed")


def require_module(name):
    """A Python package of packaging/setup.sh's environment (build/venv). Without it the test is
    skipped, or fails where peers are required, unless the set-up could not fetch it and said so."""
    venv = pathlib.Path(__file__).parents[2] / "build" / "venv"
    for place in sorted(venv.glob("lib/python3*/site-packages")):
        if str(place) not in sys.path:
            sys.path.append(str(place))
    with contextlib.suppress(ImportError):
        module = importlib.import_module(name)
        if module.__file__:  # else it is a folder of tests that happens to be called so
            return module
    if os.environ.get("FLAME_REQUIRE_PEERS") == "1" and (venv / "installed").exists():
        pytest.fail(f"the Python package '{name}' is not installed", pytrace=False)
    return _skip(f"the Python package '{name}' is not installed")


def kernel_lacks(reason):
    """Skip loudly, also where peers are required: no package brings a kernel's feature."""
    _skip(reason)
