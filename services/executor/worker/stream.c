/* SPDX-License-Identifier: Apache-2.0 */
/* From the spool to the broker. */
#include "worker/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "executor.h"
#include "executor_metrics.h"
#include "log/log.h"

#define MESSAGE_ITEMS_BYTES (600 * 1024)
#define RESEND_MAX_MS       (10 * 60 * 1000)
#define BUSY_MS             50

static const struct fields *const bodies[] = {[ITEM_RESULT] = &stream_result_fields,
                                              [ITEM_LOG] = &stream_log_fields,
                                              [ITEM_PLANNED] = &stream_planned_fields,
                                              [ITEM_FINISHED] = &stream_finished_fields};

char *stream_header(const struct stream *stream)
{
    AUTO(json_free)
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:I, s:i}", "run_id", stream->run_id.text, "task_id",
                  stream->task_id.text, "dispatch_id", stream->dispatch_id.text, "attempt",
                  (json_int_t)stream->attempt, "partition", stream->partition);
    return json_text(json);
}

int stream_read_header(const char *header, struct stream *stream_r, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    struct stream stream = {.attempt = 0};
    if (json_parse(header, strlen(header), &json, error) < 0)
        return -1;
    const char *run = json_find_text(json, "run_id"), *task = json_find_text(json, "task_id"),
               *dispatch = json_find_text(json, "dispatch_id");
    if (run == NULL || task == NULL || dispatch == NULL ||
        uuid_parse(run, &stream.run_id, error) < 0 ||
        uuid_parse(task, &stream.task_id, error) < 0 ||
        uuid_parse(dispatch, &stream.dispatch_id, error) < 0)
        return error_set(error, "invalid", "the spool file has no header");
    stream.attempt = json_find_int(json, "attempt", 1);
    stream.partition = (int)json_find_int(json, "partition", 0);
    *stream_r = stream;
    return 0;
}

void stream_add(struct stream *stream, enum item_kind kind, const void *body)
{
    AUTO(json_free)
    json_t *json = json_pack("{s:s, s:o}", "kind", names_get(&item_kind_names, (int)kind), "body",
                             fields_encode(bodies[kind], body));
    AUTO(text_free) char *text = json_text(json);
    spool_file_append(stream->file, text);
}

static uint64_t tag(const struct stream *stream, int64_t seq)
{
    return (uint64_t)stream->number << 32 | (uint32_t)seq;
}

/* One request at a time: what is written meanwhile is the next one. */
static void ask_for_flush(struct stream *stream)
{
    struct executor *executor = stream->executor;
    int64_t written = spool_file_written(stream->file);
    if (written <= stream->flush_asked || stream->flush_asked > stream->durable ||
        !backoff_is_due(&stream->flush_retry) || spool_file_fd(stream->file) < 0)
        return;
    stream->flush_asked = written;
    flusher_request(executor->flusher, spool_file_fd(stream->file),
                    stream->new_name ? spool_directory_fd(executor->spool) : -1,
                    tag(stream, written));
    stream->new_name = false;
}

void stream_on_flushed(struct stream *stream, int64_t count, bool durable)
{
    if (durable) {
        if (count > stream->durable)
            stream->durable = count;
        spool_file_flushed(stream->file, count);
        backoff_succeeded(&stream->flush_retry);
        return;
    }
    /* Written and asked for again with a later pass, the directory as well. */
    spool_file_flush_failed(stream->file);
    stream->flush_asked = stream->durable;
    stream->new_name = true;
    backoff_failed(&stream->flush_retry);
}

static void collect_item(void *context, int64_t seq, const char *item, size_t length)
{
    json_t *items = context, *json = NULL;
    struct error ignored;
    (void)seq;
    if (json_parse(item, length, &json, &ignored) < 0)
        json = json_object(); /* cannot be: its checksum was right */
    json_array_append_new(items, json);
}

static int send_from(struct stream *stream, int64_t first, int64_t *last_r, struct error *error)
{
    AUTO(json_free) json_t *items = json_array();
    int64_t count = spool_file_read(stream->file, first, stream->durable, MESSAGE_ITEMS_BYTES,
                                    collect_item, items);
    if (count == 0)
        return error_set(error, "unavailable", "the spool file cannot be read");
    AUTO(json_free)
    json_t *message = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:O}", "version", task_stream_message.version,
        "type", task_stream_message.name, "worker_id", stream->executor->identity.worker_id.text,
        "run_id", stream->run_id.text, "task_id", stream->task_id.text, "attempt",
        (json_int_t)stream->attempt, "dispatch_id", stream->dispatch_id.text, "first_seq",
        (json_int_t)first, "items", items);
    AUTO(text_free) char *text = json_text(message);
    *last_r = first + count - 1;
    return executor_send(stream->executor, stream->executor->identity.results_topic,
                         stream->partition, text, tag(stream, *last_r), error);
}

void stream_on_delivery(struct stream *stream, int64_t last_seq, enum delivery delivery)
{
    if (delivery == DELIVERY_OK) {
        backoff_succeeded(&stream->retry);
        if (last_seq > stream->delivered)
            stream->delivered = last_seq;
        return;
    }
    stream->sent = stream->delivered < stream->sent ? stream->delivered : stream->sent;
    backoff_failed(&stream->retry);
}

void stream_send_again(struct stream *stream)
{
    stream->sent = 0;
    stream->delivered = 0;
}

static void resend_when_due(struct stream *stream, bool unsettled)
{
    int64_t now_ms = monotonic_ms();
    if (stream->resend_wait_ms == 0 || !unsettled) {
        stream->resend_wait_ms = stream->executor->settings->resend_ms;
        stream->resend_due_ms = now_ms + stream->resend_wait_ms;
    }
    if (now_ms < stream->resend_due_ms)
        return;
    stream_send_again(stream);
    stream->resend_wait_ms =
        stream->resend_wait_ms * 2 < RESEND_MAX_MS ? stream->resend_wait_ms * 2 : RESEND_MAX_MS;
    stream->resend_due_ms = now_ms + stream->resend_wait_ms;
}

static void send_what_is_durable(struct stream *stream)
{
    while (stream->sent < stream->durable && stream->executor->connected &&
           backoff_is_due(&stream->retry)) {
        struct error error;
        int64_t last = 0;
        if (send_from(stream, stream->sent + 1, &last, &error) < 0) {
            backoff_failed(&stream->retry);
            break;
        }
        metric_add(&executor_metrics[EXECUTOR_ITEMS_SENT], (double)(last - stream->sent));
        stream->sent = last;
    }
}

int64_t stream_work(struct stream *stream, bool unsettled)
{
    bool is_written = spool_file_retry(stream->file);
    if (is_written) {
        ask_for_flush(stream);
        resend_when_due(stream, unsettled);
        send_what_is_durable(stream);
    }
    spool_file_rest(stream->file);
    if (!is_written)
        return BUSY_MS;
    if (stream->sent < stream->durable)
        return backoff_wait_ms(&stream->retry) + 1;
    /* What was asked for wakes the loop. */
    if (stream->flush_asked < spool_file_written(stream->file) &&
        stream->flush_asked <= stream->durable)
        return backoff_wait_ms(&stream->flush_retry) + 1;
    return unsettled ? 1000 : -1;
}

bool stream_is_delivered(const struct stream *stream)
{
    return stream->delivered >= spool_file_count(stream->file);
}
