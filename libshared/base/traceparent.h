/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context, version 00: "00-<trace id>-<parent id>-<flags>". */
#pragma once

#include <stdbool.h>

#define TRACEPARENT_LENGTH 55
#define TRACEPARENT_SIZE   (TRACEPARENT_LENGTH + 1)

/* Of version 00, with ids that are not zero, in lower-case hex. */
bool traceparent_is_valid(const char *text);

/* A new trace, marked as sampled: whoever records spans of it may. */
void traceparent_begin(char text_r[TRACEPARENT_SIZE]);
