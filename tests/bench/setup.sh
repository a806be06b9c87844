#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What only the benches need: the load client wrk, and the peers that stand beside Verdict's figures.
# What cannot be installed is said, and its column of the table says so as well: never a failure.

set -u -o pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/verdict/bench
LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
mkdir -p "$CACHE"

say() { printf 'bench: %s\n' "$*" >&2; }

# shellcheck disable=SC2317  # They are called by want.
debian() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends "$@"
}

# name, what must be there already, how it is made
want() {
    local name=$1 there=$2
    shift 2
    [ -e "$there" ] && return 0
    say "installing $name"
    "$@" >"$LOG" 2>&1 && return 0
    say "$name could not be installed: $(tail -n 1 "$LOG")"
}

# shellcheck disable=SC2317
python_peers() {
    # Its programs name their place: it is made where it stays.
    /usr/bin/python3 -m venv "$CACHE/python" &&
        "$CACHE/python/bin/python" -m pip install --quiet --disable-pip-version-check \
            --no-input -r "$HERE/peers/requirements.txt" && return 0
    rm -rf "$CACHE/python"
    return 1
}

# shellcheck disable=SC2317
node_peers() {
    mkdir -p "$CACHE/node.new" && cp "$HERE/peers/package.json" "$CACHE/node.new" &&
        npm install --prefix "$CACHE/node.new" --no-audit --no-fund &&
        mv "$CACHE/node.new" "$CACHE/node"
}

want wrk /usr/bin/wrk debian wrk
want nginx /usr/sbin/nginx debian nginx-light
want "Celery, RQ and pytest-xdist" "$CACHE/python" python_peers
want graphile-worker "$CACHE/node" node_peers
exit 0
