/* SPDX-License-Identifier: Apache-2.0 */
/* If-Match and If-None-Match (RFC 9110, 13.1): "*", or entity tags between commas. */
#pragma once

#include <stdbool.h>

enum etag_comparison {
    ETAG_STRONG, /* If-Match: W/"…" names nothing */
    ETAG_WEAK,   /* If-None-Match: W/"a" names "a" */
};

/* etag with its quotes. A list that is broken off names what stands before that. */
bool etag_is_named(const char *list, const char *etag, enum etag_comparison comparison);
