/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that somebody gives us to send to. */
#pragma once

#include "base/error.h"

/* An absolute http or https URL, without credentials: it may be logged. `field` is who gave it; nothing of the URL is
 * in the error. */
int url_check(const char *field, const char *url, struct error *error) WARN_UNUSED;
