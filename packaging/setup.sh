#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install what building and testing on Debian 12 need and is not there yet. Safe to run again.
#   packaging/setup.sh [build|test|bench]     each kind includes those before it; default: test
set -euo pipefail
cd "$(dirname "$0")/.."

build=(gcc g++ make cmake ninja-build pkg-config libcurl4-openssl-dev libjansson-dev nettle-dev
       libsodium-dev libyaml-dev libzstd-dev liblz4-dev libbson-dev libgrpc-dev libssl-dev python3 nginx-light)
check=(libcriterion-dev python3-pytest python3-venv openssl strace universal-ctags clang-format-14 clang-14
       libclang-rt-14-dev abigail-tools valgrind e2fsprogs xfsprogs binutils iproute2
       minisign)
bench=(curl wget2 aria2)
wheels=("pyarrow==26.0.*" "flamepy==0.6.0" numpy)

case "${1:-test}" in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${check[@]}") ;;
bench) wanted=("${build[@]}" "${check[@]}" "${bench[@]}") ;;
*)
    echo "usage: $0 [build|test|bench]" >&2
    exit 2
    ;;
esac

# Peers that Debian does not have, in a virtual environment of their own. Tests that want them are
# skipped loudly without them, so a machine without a network can still test the rest.
install_wheels() {
    local venv=build/venv
    if [ "$(cat "$venv/installed" 2>/dev/null)" = "${wheels[*]}" ]; then
        return
    fi
    echo "installing: ${wheels[*]}"
    /usr/bin/python3 -m venv "$venv" &&
        "$venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: "${wheels[@]}" &&
        echo "${wheels[*]}" >"$venv/installed" ||
        echo "$0: could not install ${wheels[*]}: their tests will be skipped" >&2
}

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing+=("$package")
done
install_packages() {
    local as_root=()
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
}

[ "${#missing[@]}" -eq 0 ] || install_packages
[ "${1:-test}" = build ] || install_wheels
