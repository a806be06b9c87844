#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Copies the examples to build/examples and installs there what their tests need: tools from Debian, packages from
# npm, the Go proxy, Maven Central and crates.io, all of pinned versions. Safe to repeat.
#
#   examples/setup.sh [example …]        (default: all); says at the end what is not ready, and why

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly TOP MADE=$TOP/build/examples TOOLS=$TOP/build/tools
readonly NEXTEST_VERSION=0.9.151
export PATH=$TOOLS/bin:$PATH:/usr/local/go/bin:$HOME/.cargo/bin
export GOCACHE=$MADE/cache/go-build GOMODCACHE=$MADE/cache/go-mod GOFLAGS=-modcacherw
export CARGO_TARGET_DIR=$MADE/cache/target
missing=()

# $1 the program, then Debian's packages that bring it.
need() {
    local program=$1
    shift
    command -v "$program" >/dev/null && return 0
    if [ "$(id -u)" != 0 ] || [ $# = 0 ]; then
        echo "$program is missing${1:+: apt-get install $*}"
        return 1
    fi
    apt-get install -y --no-install-recommends "$@" >"$MADE/apt.log" 2>&1 && return 0
    echo "$program is missing, and apt-get install $* fails (build/examples/apt.log)"
    return 1
}

setup_go_test() { need go golang-go && go mod download && go vet ./...; }
setup_npm() { need node nodejs && need npm npm && npm ci --no-audit --no-fund --ignore-scripts; }
setup_jest() { setup_npm; }
setup_vitest() { setup_npm; }
setup_playwright() { need chromium chromium && setup_npm; }
setup_prove() { need prove perl; }
setup_surefire() {
    need javac default-jdk-headless && need mvn maven &&
        mvn -q -B "-Dmaven.repo.local=$MADE/cache/m2" -Dmaven.test.failure.ignore test
}
setup_nextest() {
    need cargo || return 1
    command -v cargo-nextest >/dev/null ||
        cargo install cargo-nextest --version "$NEXTEST_VERSION" --locked --root "$TOOLS" || return 1
    cargo fetch --locked && cargo nextest list >/dev/null
}

setup() {
    local name=$1 log=$MADE/$1.log
    mkdir -p "$MADE/$name"
    cp -R "$TOP/examples/$name/." "$MADE/$name/"
    rm -f "$MADE/$name.ready"
    if (cd "$MADE/$name" && "setup_${name//-/_}") </dev/null >"$log" 2>&1; then
        touch "$MADE/$name.ready"
        echo "setup-examples: $name is ready"
    else
        missing+=("$name: $(tail -n 1 "$log") (build/examples/$name.log)")
    fi
}

mkdir -p "$MADE"
for name in "${@:-go-test jest vitest playwright surefire nextest prove}"; do
    # shellcheck disable=SC2086 # the default is several words
    for one in $name; do setup "$one"; done
done
for line in "${missing[@]}"; do
    echo "setup-examples: not ready: $line" >&2
done
[ ${#missing[@]} = 0 ]
