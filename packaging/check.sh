#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole test suite: set-up, three builds, every test. Ends with what was skipped, and why, and with
# ctest's closing lines of each run, the last of them last.
#   tsan  TSan: what has threads
#   dev   ASan and UBSan: all but what builds drivers of its own, or reads the sources alone
#   ci    release, warnings are errors: all tests, the 1 GiB cases among them
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/setup.sh test

# Lines of pytest, Criterion, sanitizers and libFuzzer that say what was wrong.
COMPLAINTS='\*\*\*|^E  |^_{3,} .* _{3,}$|^\[FAIL\]|^\[----\] +[^ ]|ERROR:|WARNING: Thread|runtime error:'

failed=0
run_tests() { # preset, ctest arguments
    local preset=$1 out=build/$1/ctest.out status=0
    shift
    ctest --preset "$preset" --output-on-failure "$@" 2>&1 | tee "$out" || status=1
    # ctest keeps what a test that passes says to itself: a skip must be seen.
    sed 's/\x1b\[[0-9;]*m//g' "build/$preset/Testing/Temporary/LastTest.log" |
        grep -aE '^SKIP|^\[SKIP\]' | sed "s/^/$preset: /" >>build/skipped || true
    {
        printf '\n%s %s\n' "$preset" "$*"
        if [ "$status" != 0 ]; then
            echo "what failed said:"
            sed 's/\x1b\[[0-9;]*m//g' "$out" | grep -aE "$COMPLAINTS" | cut -c1-200 | head -n 40
        fi
        sed -n '/% tests passed/,$p' "$out"
    } >>build/closing
    return "$status"
}

# What is in milliseconds may be late once on a busy machine. What a sanitizer says, or a body of other
# bytes, is not lateness.
is_lateness() { # preset
    ! grep -qaE 'ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|runtime error:|bytes instead of' \
        "build/$1/ctest.out"
}

# Tests wait a lot: three at a time keep two cores busy, but for those with promises in milliseconds.
run() { # preset, label that is left out, ctest arguments
    local preset=$1 without=$2
    shift 2
    echo "== $preset"
    packaging/build.sh "$preset"
    run_tests "$preset" -j3 -LE "timing|$without" "$@" || failed=1
    run_tests "$preset" -j3 -L timing "$@" && return
    if is_lateness "$preset"; then
        echo "== $preset: once more, what was late"
        run_tests "$preset" --rerun-failed || failed=1
    else
        failed=1
    fi
}

mkdir -p build
: >build/skipped
: >build/closing
run tsan plain -L threads
run dev plain
run ci none
printf '\n== skipped\n'
sort -u build/skipped
printf '\n== closing lines\n'
cat build/closing
exit "$failed"
