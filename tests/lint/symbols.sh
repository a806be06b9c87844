#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that defines a function of libshared's once more takes its place in silence, since archives
# are searched in order: no global name may be defined twice. What was not built was not compared.

set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
names=$(mktemp -d)
trap 'rm -rf "$names"' EXIT

# Each archive's names into a file of its own; an archive that has none was not built.
list() {
    local archive=$1 to=$2
    nm --defined-only --extern-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$to" &&
        [ -s "$to" ] && return
    echo "$archive defines nothing: build first (make)"
    return 1
}

list build/lib/libshared.a "$names/shared" || exit 1
status=0
compared=0
for archive in build/lib/*.a; do
    [ "$archive" = build/lib/libshared.a ] && continue
    list "$archive" "$names/own" || exit 1
    compared=$((compared + 1))
    twice=$(comm -12 "$names/own" "$names/shared")
    [ -z "$twice" ] && continue
    printf '%s and libshared both define: %s\n' "$archive" "$(echo "$twice" | tr '\n' ' ')"
    status=1
done
if [ "$compared" -eq 0 ]; then
    echo "no program was built"
    status=1
fi
exit "$status"
