#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bench of docs/benchmarks.md: set-up with the peers, release build, tests/bench/bench.py "$@".
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/setup.sh bench
packaging/build.sh release
exec /usr/bin/python3 tests/bench/bench.py "$@"
