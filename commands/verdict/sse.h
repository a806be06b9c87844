/* SPDX-License-Identifier: Apache-2.0 */
/* text/event-stream, read piece by piece. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* type: "message" where none was said. data: its lines, joined by newlines. */
typedef void sse_on_event(void *context, const char *type, const char *data);

struct sse_reader {
    sse_on_event *on_event;
    void *context;
    struct buffer line, type, data;
    bool after_return; /* a newline now belongs to the line's end before it */
    bool has_spoken;   /* a line of the format has come, be it a comment */
    int64_t last_id;   /* of the last event that had a number for an id; -1: none yet */
};

void sse_reader_init(struct sse_reader *reader, sse_on_event *on_event, void *context);
void sse_reader_deinit(struct sse_reader *reader);
/* What is longer than SSE_EVENT_BYTES is left out. */
#define SSE_EVENT_BYTES ((size_t)1024 * 1024)
void sse_reader_feed(struct sse_reader *reader, const char *bytes, size_t length);
