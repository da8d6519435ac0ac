# SPDX-License-Identifier: Apache-2.0
"""Each allocation of reading a context, libyaml's too, fails once: all is told, or one clean error;
nothing is lost either way."""
import os
import pathlib
import subprocess

import pytest

from support.program import BINARY_DIR, SANITIZE

pytestmark = pytest.mark.skipif(SANITIZE != "",
                                reason="SKIP: a sanitizer has an allocator of its own")

DRIVER = BINARY_DIR / "bin" / "context_driver"
LIBRARY = BINARY_DIR / "lib" / "faulty_libc.so"
EXAMPLE = """\
current-context: lab
contexts:
  - name: home
  - name: lab
    cluster: {endpoint: "https://s.example.org:1", tls: &tls {ca_file: ca.pem}}
    cache:
      endpoint: grpcs://c.example.org
      tls: CACHE_TLS
    package: {excludes: ["*.log", a, b]}
"""
CACHE_TLS = {"authorities": "{ca_file: ca.pem, cert_file: our.pem, key_file: our.pem}",
             "cache-alone": "{cert_file: our.pem, key_file: our.pem}", "alias": "*tls"}


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".flame").mkdir()
    (tmp_path / "our.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    return tmp_path


def run(home, **shortages):
    """(exit code, standard output, what the report says)."""
    report = home / "report"
    faulty = {f"FAULTY_{name.upper()}": str(value) for name, value in shortages.items()}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FLAME_")}
    done = subprocess.run(
        [DRIVER, "grpcs://c.example.org/a/b/c"], cwd=home, capture_output=True, text=True,
        timeout=60, check=False,
        env=plain | faulty | {"HOME": str(home), "LD_PRELOAD": str(LIBRARY), "FAULTY_OURS": "1",
                              "FAULTY_REPORT": str(report)})
    assert done.returncode in (0, 1) and done.stderr == "", (shortages, done)
    return done.returncode, done.stdout, pathlib.Path(report).read_text().split()


def is_nothing_of_ours_lost(report):
    """Of a node that finds no place in its tree, libyaml 0.2.5 loses what it had for it."""
    return report[4] == "0" or (int(report[4]) <= 2 and report[6].startswith("libyaml"))


@pytest.mark.parametrize("lasting", [0, 1])
@pytest.mark.parametrize("tls", CACHE_TLS.values(), ids=CACHE_TLS)
def test_no_allocation_of_a_context_can_fail_unclean(home, tls, lasting):
    (home / ".flame" / "flame.yaml").write_text(EXAMPLE.replace("CACHE_TLS", tls))
    code, whole, report = run(home)
    assert code == 0 and "option" in whole or "secret" in whole
    count = int(report[0])
    assert count > 100 and report[4] == "0", report
    for number in range(1, count + 1):
        code, told, report = run(home, malloc=number, lasting=lasting)
        assert is_nothing_of_ours_lost(report), f"allocation {number}: lost {report[6]}"
        if code == 0:
            assert told == whole, f"allocation {number}, {report[5]}"
        else:
            assert told.splitlines()[-1] == "error\tNO_MEMORY\tout of memory", (number, report[5])
