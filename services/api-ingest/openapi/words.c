/* SPDX-License-Identifier: Apache-2.0 */
/* Included at build time: paths count from the top of the tree. */
#include "openapi/words.h"

#define EMBED(symbol, path)                                                                        \
    __asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" path                 \
            "\"\n.byte 0\n.previous\n")

EMBED(openapi_common, "services/api-ingest/openapi/common.json");
EMBED(openapi_config, "services/api-ingest/openapi/config.json");
EMBED(openapi_runs, "services/api-ingest/openapi/runs.json");
