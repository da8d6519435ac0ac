#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole test suite: set-up, three builds, every test. Ends with what was skipped, and why, and with
# ctest's own closing lines.
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
run_tests() { # preset, ctest arguments
    local preset=$1
    shift
    ctest --preset "$preset" --output-on-failure "$@" 2>&1 | tee build/ctest.out || failed=1
    # ctest keeps what a test that passes says to itself: a skip must be seen.
    grep -haE '^SKIP|^\[SKIP\]' "build/$preset/Testing/Temporary/LastTest.log" |
        sed "s/^/$preset: /" >>build/skipped || true
}
run() { # preset, label that is left out, ctest arguments
    local preset=$1 without=$2
    shift 2
    echo "== $preset"
    packaging/build.sh "$preset"
    run_tests "$preset" -j3 -LE "timing|$without" "$@"
    run_tests "$preset" -j2 -L timing --repeat until-pass:2 "$@"
}

mkdir -p build
: >build/skipped
run tsan plain -L threads
run dev plain
run ci none
echo "== skipped"
sort -u build/skipped
echo "== the last of ctest"
sed -n '/% tests passed/,$p' build/ctest.out
exit "$failed"
