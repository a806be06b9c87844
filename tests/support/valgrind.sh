#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every unit test below the folder given under valgrind. The sanitizers of `make check` find most
# faults sooner; valgrind also sees reads of memory that was never written.

set -euo pipefail
command -v valgrind >/dev/null || {
    echo "needs valgrind: apt-get install --no-install-recommends valgrind" >&2
    exit 1
}
passed=0
failed=0
while read -r test; do
    if output=$(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite "$test" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf -- '--- %s\n%s\n' "$test" "$output"
    fi
done < <(find "$1" -type f -perm -u+x -name '*_test' | sort)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
