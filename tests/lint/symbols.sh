#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that defines a function of libshared's once more takes its place in silence, since archives
# are searched in order: no global name may be defined twice.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
names() { nm --defined-only --extern-only "$1" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u; }
status=0
for archive in build/lib/*.a; do
    [ "$archive" = build/lib/libshared.a ] && continue
    twice=$(comm -12 <(names "$archive") <(names build/lib/libshared.a))
    [ -z "$twice" ] && continue
    printf '%s and libshared both define: %s\n' "$archive" "$(echo "$twice" | tr '\n' ' ')"
    status=1
done
exit $status
