#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a newcomer sees: a bare Debian 12 (debootstrap's minbase with make and git, nothing else), a
# clone of this repository's HEAD in root's home, and there the commands given (default: make demo,
# make down, make test). Needs root and debootstrap. The bare system is made once and kept; each run
# gets a fresh copy, which is removed afterwards unless KEEP=1.
#
# The machine's own ways to the package registries (name servers, certificates, the settings of apt,
# pip and Maven) are copied in, since without them a bare system reaches nothing on some networks.

set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/verdict
base=$cache/bare-debian-12.tar

die() {
    echo "bare-debian: $*" >&2
    exit 1
}

make_base() {
    command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
    local root mirror
    # shellcheck disable=SC2016  # apt expands it
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' \
        2>/dev/null | grep -v security | head -1)
    root=$(mktemp -d /var/tmp/verdict-bare-XXXXXX)
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=make,git bookworm "$root" ${mirror:+"$mirror"} >&2
    tar -C "$root" -cf "$base.new" .
    mv "$base.new" "$base"
    rm -rf "$root"
}

copy_network_settings() {
    local root=$1
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    mkdir -p "$root/usr/local/share" "$root/root/.m2"
    cp -r /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
    cp /etc/pip.conf "$root/etc/" 2>/dev/null || true
    cp ~/.m2/settings.xml "$root/root/.m2/" 2>/dev/null || true
    grep -lE '^ *Acquire' /etc/apt/apt.conf.d/* 2>/dev/null |
        while read -r file; do cp -n "$file" "$root/etc/apt/apt.conf.d/"; done
}

# All processes and mounts end with this one call: they live in namespaces of their own.
run_inside() {
    local root=$1
    shift
    # The inner shell expands, not this one.
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        root=$1; shift
        mount --make-rprivate /
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
            /bin/bash -c "cd /root/verdict && $*"
    ' bash "$root" "$@" </dev/null
}

[ "$(id -u)" = 0 ] || die "needs root"
[ -f "$base" ] || make_base
root=$(mktemp -d /var/tmp/verdict-bare-XXXXXX)
if [ "${KEEP:-}" = 1 ]; then
    echo "bare-debian: the system is kept as $root"
else
    trap 'rm -rf "$root"' EXIT
fi
tar -C "$root" -xpf "$base"
chmod 755 "$root"
copy_network_settings "$root"
git clone -q --no-hardlinks "$top" "$root/root/verdict"
run_inside "$root" "${*:-make demo && make down && make test}"
