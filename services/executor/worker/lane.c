/* SPDX-License-Identifier: Apache-2.0 */
/* Lane messages: one handler per type, in a table. */
#include "worker/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/job.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "executor_metrics.h"
#include "log/log.h"
#include "message/messages.h"
#include "model/limits.h"
#include "worker/heartbeat.h"

typedef void lane_handler(struct executor *executor, const void *message);

static void on_dispatch(struct executor *executor, const void *message)
{
    const struct task_dispatch *dispatch = message;
    if (job_find(executor, dispatch->dispatch_id.text) != NULL) {
        executor_heartbeat_soon(executor); /* known: said once more */
        return;
    }
    if (executor->draining)
        job_refuse(executor, dispatch, "its worker is being stopped");
    else if (!means_are_there(&executor->means))
        job_refuse(executor, dispatch, executor->means.why);
    else if (!spool_is_full(executor->spool)) /* else it will come again, here or elsewhere */
        job_accept(executor, dispatch);
}

static void on_cancel(struct executor *executor, const void *message)
{
    const struct task_cancel *cancel = message;
    struct job *job = job_find(executor, cancel->dispatch_id.text);
    if (job != NULL)
        job_stop(job, ENDED_CANCELLED, NULL, cancel->grace_ms);
}

static bool contains(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->list[i], text) == 0)
            return true;
    return false;
}

static void send_all_again(struct executor *executor, const char *token)
{
    struct job *job, *next;
    if (token == NULL || strcmp(token, executor->resync_token) == 0)
        return;
    log_info("sending the spool again", LOG_TEXT("token", token));
    snprintf(executor->resync_token, sizeof executor->resync_token, "%s", token);
    HASH_ITER (hh, executor->jobs, job, next) {
        stream_send_again(&job->stream);
    }
    executor_heartbeat_soon(executor);
}

/* The full set: what is not in it is ended, unless the set was made before the scheduler could know of it. */
static void on_sync(struct executor *executor, const void *message)
{
    const struct worker_sync *sync = message;
    int64_t sent_ms = heartbeat_sent_ms(executor, sync->heartbeat_seq);
    struct job *job, *next;
    HASH_ITER (hh, executor->jobs, job, next) {
        bool known = job->listed_seq != 0 && job->listed_seq <= sync->heartbeat_seq;
        bool is_wanted = contains(&sync->running, job->dispatch_id.text);
        if (job_is_open(job) && known && !is_wanted)
            job_stop(job, ENDED_CANCELLED, NULL, JOB_OWN_GRACE);
        else if (job_is_open(job) && known)
            exclusive_hold(&job->exclusive, sent_ms);
        else if (!job_is_open(job) && contains(&sync->settled, job->dispatch_id.text))
            job_settle(&job);
        else if (!job_is_open(job) && contains(&sync->unknown, job->dispatch_id.text))
            job_put_aside(&job);
    }
    send_all_again(executor, sync->resync_token);
}

static void on_hello(struct executor *executor, const void *message)
{
    (void)message;
    executor_heartbeat_soon(executor);
}

static const struct {
    const struct message_type *type;
    lane_handler *handle;
    bool numbered; /* for this worker alone, with incarnation and number */
} handlers[] = {
    {&task_dispatch_message, on_dispatch, true},
    {&task_cancel_message, on_cancel, true},
    {&worker_sync_message, on_sync, true},
    {&scheduler_hello_message, on_hello, false},
};

/* Lanes are shared by workers; each looks only at its own. */
static bool is_ours(const struct executor *executor, const json_t *json, bool numbered)
{
    const char *worker = json_find_text(json, "worker_id");
    if (!numbered) {
        const char *pool = json_find_text(json, "pool_id");
        return pool != NULL && strcmp(pool, executor->identity.pool_id.text) == 0;
    }
    return worker != NULL && strcmp(worker, executor->identity.worker_id.text) == 0;
}

bool lane_is_current(struct executor *executor, const json_t *json, bool numbered)
{
    int64_t epoch = json_find_int(json, "epoch", 0), seq = json_find_int(json, "seq", 0);
    bool is_absurd = executor->epoch != 0 && epoch - executor->epoch > LIMIT_EPOCH_LEAP;
    if (epoch < executor->epoch || is_absurd)
        return false;
    if (epoch > executor->epoch) {
        executor->epoch = epoch;
        executor->lane_seq = 0;
    }
    if (!numbered)
        return true;
    if (json_find_int(json, "incarnation", 0) != executor->identity.incarnation ||
        seq <= executor->lane_seq)
        return false;
    executor->lane_seq = seq;
    return true;
}

static void drop(const struct record *record, const char *why)
{
    metric_add(&executor_metrics[EXECUTOR_LANE_DROPPED], 1);
    log_debug("lane message dropped", LOG_TEXT("reason", why), LOG_INT("offset", record->offset));
}

static void handle_as(struct executor *executor, size_t index, const json_t *json,
                      const struct record *record)
{
    const struct message_type *type = handlers[index].type;
    struct error error;
    if (!is_ours(executor, json, handlers[index].numbered))
        return;
    void *message = xcalloc(1, type->fields->size);
    if (message_decode(type, json, message, &error) < 0) {
        drop(record, error.text);
    } else {
        executor->heard_ms = monotonic_ms();
        if (lane_is_current(executor, json, handlers[index].numbered))
            handlers[index].handle(executor, message);
        else
            drop(record, "of another epoch, number or incarnation");
        message_free(type, message);
    }
    free(message);
}

static void handle(struct executor *executor, const struct record *record)
{
    AUTO(json_free) json_t *json = NULL;
    const char *type;
    struct error error;
    if (message_parse(record->payload, record->payload_length, &json, &type, &error) < 0) {
        drop(record, error.text);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        if (strcmp(handlers[i].type->name, type) == 0) {
            handle_as(executor, i, json, record);
            return;
        }
    }
    drop(record, "of a type that does not belong to a lane");
}

void lane_work(struct executor *executor)
{
    struct record *record;
    while ((record = reader_poll(executor->reader)) != NULL) {
        handle(executor, record);
        record_free(&record);
    }
}
