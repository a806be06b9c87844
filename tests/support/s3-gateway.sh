#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds an S3 server, versitygw, from its Go module, once, and prints where it lies.

set -euo pipefail
readonly VERSION=v1.8.0
program=${XDG_CACHE_HOME:-$HOME/.cache}/verdict/versitygw-$VERSION/versitygw

if [ ! -x "$program" ]; then
    minor=$(go version 2>/dev/null | sed -n 's/.*go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -lt 21 ]; then
        echo "s3: needs Go 1.21 or newer, which fetches the Go that versitygw wants" >&2
        exit 1
    fi
    GOBIN=$(dirname "$program") go install "github.com/versity/versitygw/cmd/versitygw@$VERSION" >&2
fi
echo "$program"
