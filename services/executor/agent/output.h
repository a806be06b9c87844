/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes that tests write to pieces for the ledger: masked, cut at the limit with a mark, valid
 * UTF-8, at most LIMIT_LOG_CHUNK_BYTES each, and never older than OUTPUT_FLUSH_MS. */
#pragma once

#include <stdint.h>

#include "agent/masks.h"
#include "message/task_stream.h"

#define OUTPUT_FLUSH_MS 250

/* Shared by the streams of one task. */
struct output_budget {
    int64_t limit_bytes;
    int64_t kept_bytes;
    int64_t seen_bytes;
    bool truncated;
};

typedef void output_emit(void *context, enum log_stream stream, const char *text);

struct output;

struct output *output_new(enum log_stream stream, const struct masks *masks,
                          struct output_budget *budget, output_emit *emit, void *context);
void output_free(struct output **output);
void output_add(struct output *output, const char *bytes, size_t length);

/* Emits what is old enough; ms until there is more to flush, -1 when nothing waits. */
int64_t output_flush_due(struct output *output, int64_t now_ms);
/* Emits all that is left: the stream has ended. */
void output_finish(struct output *output);
