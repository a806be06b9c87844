/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding of path segments and query values. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* *text_r is owned by the caller. Refuses broken escapes, NUL and what is not UTF-8. */
int uri_decode(const char *encoded, size_t length, char **text_r, struct error *error) WARN_UNUSED;
