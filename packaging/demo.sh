#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, for real: a package is put into an object cache, and becomes a verified local file
# again over grpc; so do a file: and a http: URL. Sets up, builds, starts a cache and a web server
# on loopback for as long as it runs, and shows each step.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/setup.sh build
packaging/build.sh release

work=$(mktemp -d)
servers=()
clean_up() {
    [ "${#servers[@]}" -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    echo "packaging/demo.sh: $*" >&2
    exit 1
}

wait_for() { # WHAT COMMAND...: until the command succeeds
    local what=$1
    shift
    for _ in $(seq 200); do
        ! "$@" || return 0
        sleep 0.05
    done
    fail "$what does not listen"
}

show() {
    printf '\n$ %s\n' "$*"
    "$@" || fail "$1 failed with exit code $?"
}

mkdir "$work/www" "$work/tmp"
head -c 5000000 /dev/urandom >"$work/www/model.bin"
sum=$(sha256sum "$work/www/model.bin" | cut -d' ' -f1)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<CONF
daemon off;
master_process off;
pid $work/tmp/pid;
error_log $work/tmp/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $work/tmp/body;
    proxy_temp_path $work/tmp/proxy;
    fastcgi_temp_path $work/tmp/fastcgi;
    uwsgi_temp_path $work/tmp/uwsgi;
    scgi_temp_path $work/tmp/scgi;
    server { listen 127.0.0.1:$port; root $work/www; }
}
CONF
has_server() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}
PATH="$PATH:/usr/sbin" nginx -c "$work/nginx.conf" -p "$work/tmp" >/dev/null 2>&1 &
servers+=("$!")
wait_for nginx has_server

PATH="$PWD/build/release/bin:$PATH"
flame-devcache --port 0 >"$work/cache" & # says where it listens
servers+=("$!")
wait_for flame-devcache test -s "$work/cache"
cache=$(cat "$work/cache")

show flame-fetch plugins
show flame-fetch put "$work/www/model.bin" "$cache/demo/packages/model.bin"
show flame-fetch -o "$work/from-cache.bin" --checksum "sha256:$sum" \
    "$cache/demo/packages/model.bin"
show flame-fetch -o "$work/from-file.bin" --checksum "sha256:$sum" "file://$work/www/model.bin"
show flame-fetch -o "$work/from-http.bin" --checksum "sha256:$sum" --json \
    "http://127.0.0.1:$port/model.bin"
show sha256sum "$work/www/model.bin" "$work"/from-{cache,file,http}.bin
for scheme in cache file http; do
    cmp "$work/www/model.bin" "$work/from-$scheme.bin" || fail "the bytes over $scheme are others"
done

wrong=(flame-fetch -o "$work/wrong.bin" --checksum "sha256:${sum//[0-9]/0}"
    "http://127.0.0.1:$port/model.bin")
printf '\n$ %s\n' "${wrong[*]}"
code=0
"${wrong[@]}" || code=$?
[ "$code" -eq 110 ] || fail "a wrong digest ended with exit code $code, not 110 (see docs/errors.md)"
[ ! -e "$work/wrong.bin" ] || fail "a refused file was left behind"
printf '\nall three files are there and verified; the one with the wrong digest never appeared\n'
