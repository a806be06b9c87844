/* SPDX-License-Identifier: Apache-2.0 */
/* Making and sending lane messages. */
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "log/log.h"
#include "message/messages.h"
#include "scheduler.h"
#include "spans.h"

#define SYNCS_IN_LEASE 6

static struct outgoing_lane *queue(struct brain *brain, const struct pool *pool, int lane,
                                   char *text)
{
    struct outgoing_lane *message = xcalloc(1, sizeof *message);
    message->topic = xstrdup(pool->lanes_topic);
    message->lane = lane;
    message->text = text;
    STAILQ_INSERT_TAIL(&brain->outgoing, message, link);
    return message;
}

static void encode_and_queue(struct brain *brain, const struct pool *pool, int lane,
                             const struct message_type *type, const void *body)
{
    char *text;
    struct error error;
    if (message_encode(type, body, &text, &error) < 0)
        log_failure(LOG_LEVEL_ERROR, "a lane message was not made", &error);
    else
        queue(brain, pool, lane, text);
}

static struct records to_cases(const json_t *cases)
{
    struct records records = {0};
    size_t index;
    const json_t *one;
    json_array_foreach ((json_t *)(uintptr_t)cases, index, one) {
        struct dispatched_case *entry = records_add(&records, sizeof *entry);
        entry->key = (char *)(uintptr_t)json_find_text(one, "key");
        entry->selector = (char *)(uintptr_t)json_find_text(one, "selector");
    }
    return records;
}

static char *fact(const struct run *run, const char *name)
{
    return (char *)(uintptr_t)json_find_text(run->facts, name);
}

struct worker *lane_add_worker(struct brain *brain, struct pool *pool, const struct uuid *id)
{
    struct worker *worker = pool_add_worker(pool, id);
    worker->lane =
        topic_partition(id->text, ledger_installation(brain->scheduler->ledger, "lanes"));
    return worker;
}

int lane_dispatch(struct brain *brain, struct task *task, struct error *error)
{
    const struct run *run = task->run;
    AUTO(text_free)
    char *url = xasprintf("%s/v1/runs/%s", brain->scheduler->settings->public_url, run->id.text);
    AUTO(json_free)
    json_t *environment = fact(run, "environment") == NULL
                              ? NULL
                              : json_pack("{s:s, s:s*}", "slug", fact(run, "environment"), "url",
                                          fact(run, "environment_url"));
    struct task_dispatch message = {
        .worker_id = task->worker_id,
        .epoch = ledger_partition_epoch(brain->partition),
        .seq = ++brain->scheduler->lane_seq,
        .incarnation = task->worker->incarnation,
        .project_id = run->project_id,
        .run_id = run->id,
        .run_number = run->number,
        .task_id = task->id,
        .attempt = task->attempt,
        .dispatch_id = task->dispatch_id,
        .results_partition = task->results_partition,
        .suite_slug = run->suite_slug,
        .suite = run->suite,
        .cases = to_cases(task->cases),
        .timeout_ms = run->policy.task_timeout_ms,
        .grace_ms = run->policy.grace_ms,
        .build_version = fact(run, "build_version"),
        .branch = fact(run, "branch"),
        .commit_sha = fact(run, "commit"),
        .environment = environment,
        .parameters = run->parameters,
        .task_index = task->ordinal,
        .task_total = run->task_count,
        .run_url = url,
        .traceparent = run->traceparent,
        .triggered_at_us = run->triggered_at_us,
        .lease_ms = run_is_exclusive(run) ? brain->scheduler->settings->lost_ms : 0};
    char *text;
    int status = message_encode(&task_dispatch_message, &message, &text, error);
    free(message.cases.list);
    if (status < 0)
        return -1;
    struct outgoing_lane *queued = queue(brain, run->pool, task->worker->lane, text);
    memcpy(queued->run_id, run->id.text, sizeof queued->run_id);
    memcpy(queued->dispatch_id, task->dispatch_id.text, sizeof queued->dispatch_id);
    task->sends++;
    task->sent_ms = monotonic_ms();
    return 0;
}

void lane_cancel(struct brain *brain, const struct task *task)
{
    if (task->worker == NULL)
        return;
    const struct task_cancel message = {.worker_id = task->worker_id,
                                        .epoch = ledger_partition_epoch(brain->partition),
                                        .seq = ++brain->scheduler->lane_seq,
                                        .incarnation = task->worker->incarnation,
                                        .dispatch_id = task->dispatch_id,
                                        .grace_ms = task->run->policy.grace_ms};
    encode_and_queue(brain, task->worker->pool, task->worker->lane, &task_cancel_message, &message);
}

/* Who runs what is exclusive has to hear well before its lease is over that it was heard. */
static int64_t sync_interval_ms(const struct brain *brain, const struct worker *worker)
{
    const struct scheduler_settings *settings = brain->scheduler->settings;
    int64_t often_ms = settings->lost_ms / SYNCS_IN_LEASE;
    const struct task *task;
    LIST_FOREACH (task, &worker->tasks, of_worker) {
        if (run_is_exclusive(task->run) && often_ms < settings->sync_interval_ms)
            return often_ms;
    }
    return settings->sync_interval_ms;
}

void lane_sync(struct brain *brain, struct worker *worker)
{
    struct worker_sync message = {.worker_id = worker->id,
                                  .epoch = ledger_partition_epoch(brain->partition),
                                  .seq = ++brain->scheduler->lane_seq,
                                  .incarnation = worker->incarnation,
                                  .heartbeat_seq = worker->seq,
                                  .settled = worker->settled,
                                  .unknown = worker->unknown,
                                  .resync_token =
                                      brain->resync_token[0] == '\0' ? NULL : brain->resync_token};
    const struct task *task;
    LIST_FOREACH (task, &worker->tasks, of_worker) {
        texts_add(&message.running, task->dispatch_id.text);
    }
    encode_and_queue(brain, worker->pool, worker->lane, &worker_sync_message, &message);
    texts_deinit(&message.running);
    texts_deinit(&worker->settled);
    texts_deinit(&worker->unknown);
    worker->sync_due_ms = monotonic_ms() + sync_interval_ms(brain, worker);
}

void lane_hello(struct brain *brain, const struct pool *pool)
{
    int lanes = ledger_installation(brain->scheduler->ledger, "lanes");
    const struct scheduler_hello message = {
        .pool_id = pool->id,
        .epoch = ledger_partition_epoch(brain->partition),
        .instance = service_common(brain->scheduler->service)->instance_id};
    for (int lane = 0; lane < lanes; lane++)
        encode_and_queue(brain, pool, lane, &scheduler_hello_message, &message);
}

void lanes_flush(struct brain *brain)
{
    struct outgoing_lane *message;
    struct producer *producer = ledger_producer(brain->scheduler->ledger);
    while ((message = STAILQ_FIRST(&brain->outgoing)) != NULL) {
        struct error error;
        const struct outgoing outgoing = {.topic = message->topic,
                                          .partition = message->lane,
                                          .payload = message->text,
                                          .payload_length = strlen(message->text)};
        if (producer_send(producer, &outgoing, &error) < 0)
            log_failure(LOG_LEVEL_WARNING, "a lane message was not sent (it is made again)",
                        &error);
        else if (message->run_id[0] != '\0')
            log_debug("run dispatched", LOG_TEXT("run_id", message->run_id),
                      LOG_TEXT("dispatch_id", message->dispatch_id));
        STAILQ_REMOVE_HEAD(&brain->outgoing, link);
        free(message->topic);
        free(message->text);
        free(message);
    }
    spans_flush(brain);
}
