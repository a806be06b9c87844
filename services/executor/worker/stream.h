/* SPDX-License-Identifier: Apache-2.0 */
/* The numbered stream of one dispatch: items go to the spool file, are made durable, and are sent from there
 * until the broker has them; again when asked, or after a while. */
#pragma once

#include <jansson.h>

#include "base/backoff.h"
#include "bus/producer.h"
#include "message/task_stream.h"
#include "worker/spool.h"

struct executor;

struct stream {
    struct executor *executor;
    struct spool_file *file;
    struct uuid run_id, task_id, dispatch_id;
    int64_t attempt;
    int partition;
    uint32_t number;     /* of its job: the upper half of producer tags */
    int64_t flush_asked; /* items up to here are on their way to the disk */
    int64_t durable;     /* items up to here are on it */
    int64_t sent, delivered;
    struct backoff retry; /* after a failed delivery */
    struct backoff flush_retry;
    int64_t resend_due_ms, resend_wait_ms;
    bool new_name; /* the file's name is not durable yet */
};

/* The spool file's header says what the stream belongs to. */
char *stream_header(const struct stream *stream); /* owned by the caller */
int stream_read_header(const char *header, struct stream *stream_r,
                       struct error *error) WARN_UNUSED;

void stream_add(struct stream *stream, enum item_kind kind, const void *body);
void stream_on_flushed(struct stream *stream, int64_t count, bool durable);
void stream_on_delivery(struct stream *stream, int64_t last_seq, enum delivery delivery);
/* Everything once more, from the first item on. */
void stream_send_again(struct stream *stream);
int64_t stream_work(struct stream *stream, bool unsettled); /* ms until it wants the next call */
bool stream_is_delivered(const struct stream *stream);
