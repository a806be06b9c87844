/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what is sent to a URL stays on this machine. */
#pragma once

#include <stdbool.h>

/* Its host is localhost, in 127.0.0.0/8 or ::1, as libcurl reads it; names that only look like these are others'. */
bool url_is_loopback(const char *url);
