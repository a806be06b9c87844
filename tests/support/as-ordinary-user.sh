#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Root's end-to-end tests once more as an ordinary user: a copy of the checkout that belongs to
# `nobody`, with a home, a cache, a Python environment and servers of its own. Exit status 77: there
# was nothing to do, since we are an ordinary user ourselves.

set -euo pipefail

if [ "$(id -u)" != 0 ]; then
    echo "already an ordinary user: the end-to-end tests run as one anyway"
    exit 77
fi
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

home=$(mktemp -d /var/tmp/verdict-ordinary-XXXXXX)
trap 'rm -rf "$home"' EXIT
mkdir -p "$home/.cache/verdict" "$home/clone"

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/verdict
cp -a "$cache"/kafka-* "$home/.cache/verdict/"
cd "$top"
{ git ls-files -z --cached --others --exclude-standard && find build -print0; } |
    tar --null --no-recursion -T - --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$home/clone"
chown -R nobody:nogroup "$home"

cd "$home/clone"
setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs \
    env -i PATH=/usr/bin:/bin HOME="$home" LANG=C.UTF-8 TERM=dumb \
    KAFKA_VERSION="${KAFKA_VERSION:-3.9.2}" \
    bash -c 'git init -q . && make --no-print-directory setup binaries && tests/run e2e' </dev/null
