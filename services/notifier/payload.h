/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted: the body of an event, the same on every attempt. */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* {"type", "timestamp", "id", "version" (left out when 0), "data"} as text; caller frees. */
char *payload_text(const char *type, const char *timestamp, const char *id, int64_t run_version,
                   json_t *data);
