/* SPDX-License-Identifier: Apache-2.0 */
/* The page's style and code, included at build time: paths count from the top of the tree. */
#include "report/assets.h"

#define EMBED(symbol, path)                                                                        \
    __asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" path                 \
            "\"\n.byte 0\n.previous\n")

EMBED(report_css, "services/api-ingest/report/page.css");
EMBED(report_js, "services/api-ingest/report/page.js");
