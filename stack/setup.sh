#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings a bare Debian 12 to everything that building, testing and the private stack need: Debian
# packages, Kafka's jars, a Python environment. Says what is missing when it cannot. Safe to repeat;
# with nothing to do it takes a fraction of a second.
#
#   stack/setup.sh [packages] [kafka] [python]     (default: all three)
#   stack/setup.sh fuzz                             what only `make fuzz` needs

set -euo pipefail

# Only what Debian ships, whatever else stands first on the PATH.
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
unset JAVA_HOME PYTHONHOME PYTHONPATH VIRTUAL_ENV

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly TOP
readonly PYTHON=/usr/bin/python3
ARCHITECTURE=$(dpkg --print-architecture 2>/dev/null || true)
readonly ARCHITECTURE
readonly KAFKA_VERSION=${KAFKA_VERSION:-3.9.2}
readonly KAFKA_RECIPE=$TOP/stack/kafka/$KAFKA_VERSION
readonly DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# Runs a command; what it says is shown only when it fails.
quietly() {
    local output
    output=$(mktemp)
    if ! "$@" </dev/null >"$output" 2>&1; then
        tail -n 40 "$output" >&2
        rm -f "$output"
        return 1
    fi
    rm -f "$output"
}

# A home and a cache that can be written to: HOME may be unset in a chroot, and a system user's may
# not exist.
find_cache() {
    export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/verdict
    if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
        cache=/var/tmp/verdict-cache-$(id -u)
        mkdir -p "$cache"
    fi
    printf '%s\n' "$cache"
}

# packages ------------------------------------------------------------------------------------

# Each takes the list that they stand in.
wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"; }

# Without process substitution, which needs /proc, and a chroot may lack that.
missing_packages() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    wanted_packages "$1" | grep -vxF "$installed" || true
}

install_packages() {
    command -v dpkg-query >/dev/null || die "this is not Debian; install these by hand: $(
        wanted_packages "$1" | tr '\n' ' ')"
    local missing
    missing=$(missing_packages "$1" | tr '\n' ' ')
    [ -n "$missing" ] || return 0

    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root=(sudo)
        else
            say "these Debian packages are missing, and only root can install them:"
            say "  apt-get update && apt-get install -y --no-install-recommends $missing"
            die "run that as root, then try again"
        fi
    fi
    say "installing Debian packages: $missing"
    # Word splitting is meant: package names have no spaces.
    # shellcheck disable=SC2086
    if ! { quietly "${as_root[@]}" apt-get update -qq &&
        quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
            apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 $missing; }; then
        die "apt-get failed (see above); try again once it works"
    fi
}

setup_packages() { install_packages "$TOP/stack/packages.txt"; }
setup_fuzz() { install_packages "$TOP/tests/fuzz/packages.txt"; }

# kafka ---------------------------------------------------------------------------------------

jars_are_right() {
    [ -d "$1" ] && [ "$(find "$1" -name '*.jar' | wc -l)" = "$(wc -l <"$KAFKA_RECIPE/SHA256SUMS")" ] &&
        (cd "$1" && sha256sum --quiet --check "$KAFKA_RECIPE/SHA256SUMS" >&2)
}

fetch_kafka() {
    local jars=$1 fresh=$1.new
    rm -rf "$fresh" "$jars"
    say "fetching Kafka $KAFKA_VERSION through Maven"
    # Maven writes into its working directory as well, so it gets one of its own.
    mkdir -p "$fresh"
    cp "$KAFKA_RECIPE/pom.xml" "$fresh/pom.xml"
    JAVA_HOME=/usr/lib/jvm/java-17-openjdk-$ARCHITECTURE quietly mvn -B -q -C \
        -Dstyle.color=never -f "$fresh/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" \
        -DincludeScope=runtime -DoutputDirectory="$fresh/libs" ||
        die "Maven could not fetch Kafka $KAFKA_VERSION (see above); is its repository reachable?"
    jars_are_right "$fresh/libs" ||
        die "Kafka's jars are not those of $KAFKA_RECIPE/SHA256SUMS; nothing was installed"
    mv "$fresh/libs" "$jars"
    rm -rf "$fresh"
}

setup_kafka() {
    [ -f "$KAFKA_RECIPE/SHA256SUMS" ] ||
        die "no recipe for Kafka $KAFKA_VERSION; there are: $(
            find "$TOP/stack/kafka" -mindepth 1 -maxdepth 1 -type d -printf '%P ')"
    local jars=$CACHE/kafka-$KAFKA_VERSION stamp
    stamp=$(sha256sum <"$KAFKA_RECIPE/SHA256SUMS")
    [ "$(cat "$jars/.stamp" 2>/dev/null)" = "$stamp" ] && return 0

    exec 8>"$CACHE/.lock"
    flock 8
    jars_are_right "$jars" 2>/dev/null || fetch_kafka "$jars"
    printf '%s\n' "$stamp" >"$jars/.stamp"
    exec 8>&-
}

# python --------------------------------------------------------------------------------------

setup_python() {
    local venv=$TOP/.venv stamp
    stamp=$(sha256sum - "$TOP/tests/requirements.txt" <<<"$venv" | cut -d' ' -f1)
    [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$stamp" ] && return 0

    say "making the Python environment .venv"
    rm -rf "$venv"
    quietly "$PYTHON" -m venv "$venv" || die "no virtual environment without python3-venv"
    quietly "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        -r "$TOP/tests/requirements.txt" ||
        die "pip could not install tests/requirements.txt (see above); is its index reachable?"
    printf '%s\n' "$stamp" >"$venv/.stamp"
}

CACHE=$(find_cache)
readonly CACHE
[ $# -gt 0 ] || set -- packages kafka python
for part in "$@"; do
    case $part in
    packages | kafka | python | fuzz) "setup_$part" ;;
    *) die "unknown part '$part': packages, kafka, python, fuzz" ;;
    esac
done
