/* SPDX-License-Identifier: Apache-2.0 */
/* Messages are hints: each handler reads the row and acts on that. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aside.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "batch.h"
#include "bus/topics.h"
#include "db.h"
#include "dispatch.h"
#include "ending.h"
#include "events.h"
#include "log/log.h"
#include "message/messages.h"
#include "model/limits.h"
#include "scheduler.h"
#include "uploads.h"

/* ---- runs ------------------------------------------------------------------------------------- */

int handlers_adopt(struct brain *brain, struct store *store, struct array_param *ids,
                   struct error *error)
{
    struct texts adopted = {0};
    int status =
        db_adopt_runs(store, ids, ledger_partition_number(brain->partition), &adopted, error);
    if (status == 0 && adopted.count > 0)
        status = db_load_runs(brain, store, ids, error);
    for (size_t i = 0; status == 0 && i < adopted.count; i++) {
        struct uuid id = {""};
        if (uuid_parse(adopted.list[i], &id, error) < 0)
            status = -1;
        struct run *run = status == 0 ? brain_find_run(brain, &id) : NULL;
        if (run != NULL)
            status = event_run(brain, store, run, "run.queued", NULL, REASON_NONE, NULL, error);
    }
    texts_deinit(&adopted);
    brain_trim(brain, LIMIT_OPEN_RUNS_WINDOW);
    return status;
}

static int on_run_submitted(struct batch *batch, const void *message, struct error *error)
{
    const struct run_submitted *submitted = message;
    (void)error;
    if (brain_find_run(batch->brain, &submitted->run_id) != NULL ||
        aside_has(batch->brain->scheduler, &submitted->run_id))
        return 0;
    array_param_add(batch->submitted, submitted->run_id.text);
    batch->submitted_count++;
    return 0;
}

static int on_run_request(struct batch *batch, const void *message, struct error *error)
{
    const struct run_request *request = message;
    (void)error;
    array_param_add(batch->hints.requested, request->run_id.text);
    batch->request_count++;
    batch->hint_count++;
    return 0;
}

/* ---- tasks ------------------------------------------------------------------------------------ */

static int on_task_recorded(struct batch *batch, const void *message, struct error *error)
{
    const struct task_recorded *recorded = message;
    const struct recorded_task *list = recorded->tasks.list;
    (void)error;
    for (size_t i = 0; i < recorded->tasks.count; i++)
        array_param_add(batch->hints.recorded, list[i].dispatch_id.text);
    batch->hint_count++;
    return 0;
}

int batch_start_task(struct batch *batch, struct task *task, struct error *error)
{
    if (task->state == TASK_DISPATCHED)
        texts_add(&batch->started, task->dispatch_id.text);
    return ending_task_started(batch->brain, batch->store, task, error);
}

static int on_task_started(struct batch *batch, const void *message, struct error *error)
{
    const struct task_started *started = message;
    struct task *task = brain_find_dispatch(batch->brain, &started->dispatch_id);
    if (task == NULL || !uuid_equal(&task->worker_id, &started->worker_id))
        return 0;
    return batch_start_task(batch, task, error);
}

/* ---- ourselves -------------------------------------------------------------------------------- */

static int on_probe(struct batch *batch, const void *message, struct error *error)
{
    const struct scheduler_probe *probe = message;
    struct brain *brain = batch->brain;
    (void)error;
    if (probe->epoch == ledger_partition_epoch(brain->partition) &&
        probe->seq > brain->probe_first && probe->seq + 1 >= brain->probe_seq)
        brain->probe_heard_ms = monotonic_ms();
    return 0;
}

static int on_resync(struct batch *batch, const void *message, struct error *error)
{
    const struct resync *resync = message;
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    if (strcmp(resync->topic, batch->brain->scheduler->events_topic) == 0)
        return events_again(batch->brain, batch->store,
                            ledger_partition_number(batch->brain->partition), error);
    log_warning("workers are asked to send again", LOG_TEXT("token", resync->token.text),
                LOG_TEXT("topic", resync->topic));
    snprintf(batch->brain->resync_token, sizeof batch->brain->resync_token, "%s",
             resync->token.text);
    HASH_ITER (hh, batch->brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            worker->sync_due_ms = 0;
        }
    }
    return db_save_resync_token(batch->store, batch->brain, error);
}

/* ---- the table -------------------------------------------------------------------------------- */

static const struct {
    const struct message_type *type;
    message_handler *handle;
    bool from_worker; /* must carry the MAC of the worker that it speaks for */
} handlers[] = {
    {&run_submitted_message, on_run_submitted, false},
    {&run_request_message, on_run_request, false},
    {&task_recorded_message, on_task_recorded, false},
    {&task_started_message, on_task_started, true},
    {&worker_heartbeat_message, on_worker_heartbeat, true},
    {&scheduler_probe_message, on_probe, false},
    {&resync_message, on_resync, false},
};

static void reject(struct judgement *judgement, const struct error *why)
{
    judgement->verdict = REJECTED;
    judgement->why = *why;
}

/* A worker speaks for its own pool, where that pool's brain is. */
static void check_pool(const struct batch *batch, const json_t *json, struct judgement *judgement)
{
    const struct brain *brain = batch->brain;
    const char *claimed = json_find_text(json, "pool_id");
    struct uuid worker_id = {""};
    struct error why;
    if (claimed == NULL || uuid_parse(batch->record->worker_id, &worker_id, &why) < 0)
        return; /* a message that names no pool is about a dispatch, and that has one worker */
    struct uuid pool_id = worker_keys_pool(brain->scheduler->keys, &worker_id);
    int partitions = ledger_installation(brain->scheduler->ledger, "scheduling_partitions");
    if (strcmp(claimed, pool_id.text) == 0 &&
        topic_partition(claimed, partitions) == ledger_partition_number(brain->partition))
        return;
    error_field(&why, "pool_id", "pool_id is not that of the worker's pool, or its partition");
    reject(judgement, &why);
}

/* An epoch rises by one at each take-over, also where an older database was put back. One that is far beyond ours
 * would be taken for good. */
static void check_epoch(const struct batch *batch, const json_t *json, struct judgement *judgement)
{
    int64_t most = ledger_partition_epoch(batch->brain->partition) + LIMIT_EPOCH_LEAP;
    struct error why;
    if (judgement->verdict == REJECTED || json_find_int(json, "epoch", 0) <= most)
        return;
    error_field(&why, "epoch",
                "epoch is beyond %lld, which no scheduler of this partition can have had",
                (long long)most);
    reject(judgement, &why);
}

/* -1: the infrastructure failed; what is wrong with the message itself is judged. */
static int check_sender(struct batch *batch, const json_t *json, struct judgement *judgement,
                        struct error *error)
{
    const char *worker = json_find_text(json, "worker_id");
    struct error why;
    if (worker_keys_check(batch->brain->scheduler->keys, batch->store, batch->record, &why) < 0) {
        if (!error_is(&why, "invalid")) {
            *error = why;
            return -1;
        }
        reject(judgement, &why);
    } else if (worker == NULL || strcmp(worker, batch->record->worker_id) != 0) {
        error_field(&why, "worker_id", "worker_id is not the worker whose MAC the message carries");
        reject(judgement, &why);
    } else {
        check_pool(batch, json, judgement);
        check_epoch(batch, json, judgement);
    }
    return 0;
}

static int handle_as(struct batch *batch, size_t index, const json_t *json,
                     struct judgement *judgement, struct error *error)
{
    const struct message_type *type = handlers[index].type;
    struct error why;
    if (handlers[index].from_worker && check_sender(batch, json, judgement, error) < 0)
        return -1;
    if (judgement->verdict == REJECTED)
        return 0;
    void *message = xcalloc(1, type->fields->size);
    int status = 0;
    if (message_decode(type, json, message, &why) < 0) {
        reject(judgement, &why);
    } else {
        status = handlers[index].handle(batch, message, error);
        message_free(type, message);
    }
    free(message);
    return status;
}

static int handle_one(struct batch *batch, struct judgement *judgement, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    const char *type;
    struct error why;
    if (message_parse(batch->record->payload, batch->record->payload_length, &json, &type, &why) <
        0) {
        reject(judgement, &why);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
        if (strcmp(handlers[i].type->name, type) == 0)
            return handle_as(batch, i, json, judgement, error);
    error_field(&why, "type", "type %.60s does not belong to this topic", type);
    reject(judgement, &why);
    return 0;
}

static int write_started(struct batch *batch, struct error *error)
{
    for (size_t i = 0; i < batch->started.count; i++) {
        struct uuid dispatch_id = {""};
        if (uuid_parse(batch->started.list[i], &dispatch_id, error) < 0)
            return -1;
        /* One that has ended since is written with its end. */
        struct task *task = brain_find_dispatch(batch->brain, &dispatch_id);
        if (task != NULL && db_task_started(batch->store, task, error) < 0)
            return -1;
    }
    return 0;
}

static int do_gathered(struct batch *batch, struct error *error)
{
    if (batch->submitted_count > 0 &&
        handlers_adopt(batch->brain, batch->store, batch->submitted, error) < 0)
        return -1;
    if (batch->request_count > 0 &&
        uploads_follow(batch->brain, batch->store, batch->hints.requested, error) < 0)
        return -1;
    if (batch->hint_count > 0 && hints_follow(batch->brain, batch->store, &batch->hints, error) < 0)
        return -1;
    if (write_started(batch, error) < 0)
        return -1;
    return dispatch_all(batch->brain, batch->store, error);
}

enum verdict_of_handler handlers_batch(struct brain *brain, struct store *store,
                                       const struct record *const *records,
                                       struct judgement *judgements, int count, struct error *error)
{
    struct batch batch = {.brain = brain, .store = store, .submitted = array_param_new()};
    int status = 0;
    hints_init(&batch.hints);
    for (int i = 0; status == 0 && i < count; i++) {
        batch.record = records[i];
        status = handle_one(&batch, &judgements[i], error);
    }
    if (status == 0)
        status = do_gathered(&batch, error);
    hints_deinit(&batch.hints);
    texts_deinit(&batch.started);
    array_param_free(&batch.submitted);
    return status == 0 ? HANDLED : RETRY;
}
