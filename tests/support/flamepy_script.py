# SPDX-License-Identifier: Apache-2.0
"""Scripts that have flamepy, in a process of their own: it reads its context once."""
import json
import os
import subprocess
import sys

from support.peers import require_module

PRELUDE = """
import json, os, sys
import flamepy
from flamepy.core import cache
from flamepy.core.cache import ObjectRef
def tell(**facts):
    print(json.dumps(facts))
"""


def run_flamepy(script, endpoint, cwd, **variables):
    """What the script told, with the cache at `endpoint` for its own."""
    require_module("flamepy.core.cache")
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script], cwd=cwd, capture_output=True, text=True,
        timeout=120, check=False,
        env=os.environ | {"HOME": str(cwd), "FLAME_CACHE_ENDPOINT": endpoint,
                          "FLAME_ENDPOINT": "http://127.0.0.1:1",
                          "PYTHONPATH": os.pathsep.join(sys.path)} | variables)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
