/* SPDX-License-Identifier: Apache-2.0 */
/* Events as text/event-stream says them. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"

#define SSE_KEEP_ALIVE ":\n\n"
#define SSE_OPENING    "retry: 1000\n\n"

/* id: -1 for events that nobody resumes from. The data's text holds no line end. */
void sse_event(struct buffer *out, int64_t id, const char *type, const char *data);
