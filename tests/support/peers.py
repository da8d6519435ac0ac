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
    skipped, also where peers are required: it may be that it could not be fetched."""
    top = pathlib.Path(__file__).parents[2]
    for place in sorted(top.glob("build/venv/lib/python3*/site-packages")):
        if str(place) not in sys.path:
            sys.path.append(str(place))
    with contextlib.suppress(ImportError):
        module = importlib.import_module(name)
        if module.__file__:  # else it is a folder of tests that happens to be called so
            return module
    return _skip(f"the Python package '{name}' is not installed")


def kernel_lacks(reason):
    """Skip loudly, also where peers are required: no package brings a kernel's feature."""
    _skip(reason)
