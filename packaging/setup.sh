#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install what building and testing on Debian 12 need and is not there yet. Safe to run again.
#   packaging/setup.sh [build|test|bench]     each kind includes those before it; default: test
set -euo pipefail

build=(gcc g++ make cmake ninja-build pkg-config libcurl4-openssl-dev libjansson-dev nettle-dev
       libsodium-dev libzstd-dev liblz4-dev libbson-dev python3 nginx-light)
check=(libcriterion-dev python3-pytest openssl strace universal-ctags clang-format-14 clang-14
       libclang-rt-14-dev abigail-tools valgrind e2fsprogs xfsprogs binutils iproute2
       minisign)
bench=(curl wget2 aria2)

case "${1:-test}" in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${check[@]}") ;;
bench) wanted=("${build[@]}" "${check[@]}" "${bench[@]}") ;;
*)
    echo "usage: $0 [build|test|bench]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "$0: not root, and there is no sudo; please install: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# RUNLEVEL=1: the tests start their own servers, the packages shall start none.
"${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
