/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of Standard Webhooks 1.0: "v1," and base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>",
 * by the bytes whose base64 stands behind "whsec_" in the secret. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SIGNATURE_SIZE 48 /* "v1," + 44 characters + NUL */

int signature_make(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                   size_t length, char signature_r[SIGNATURE_SIZE],
                   struct error *error) WARN_UNUSED;
