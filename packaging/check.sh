#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole test suite: set-up, three builds, every test. Ends with ctest's own closing lines.
#   ci    release, warnings are errors: all tests, the 1 GiB cases among them
#   dev   ASan and UBSan: all tests
#   tsan  TSan: what has threads
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/setup.sh test

# Tests wait a lot: three at a time keep two cores busy. Some promises are in milliseconds, and a busy
# machine may be late once: those tests alone (label "timing") are run two at a time, and once more
# when they fail, which ctest shows, and fail if they fail again.
failed=0
run() { # preset, label that is left out, ctest arguments
    local preset=$1 without=$2
    shift 2
    echo "== $preset"
    packaging/build.sh "$preset"
    ctest --preset "$preset" --output-on-failure -j3 -LE "timing|$without" "$@" || failed=1
    ctest --preset "$preset" --output-on-failure -j2 -L timing --repeat until-pass:2 "$@" || failed=1
}

run tsan plain -L threads
run dev plain
run ci none
exit "$failed"
