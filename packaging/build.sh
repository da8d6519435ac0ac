#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configure and build one preset: packaging/build.sh PRESET. Prints nothing but warnings and errors.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
mkdir -p "build/$preset"
log="build/$preset/build.log"
if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "the build of preset '$preset' failed; see $log" >&2
    exit 1
fi
grep -E 'warning:' "$log" >&2 || true
