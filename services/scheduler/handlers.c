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
#include "bus/topics.h"
#include "db.h"
#include "dispatch.h"
#include "ending.h"
#include "events.h"
#include "lanes.h"
#include "log/log.h"
#include "message/messages.h"
#include "model/limits.h"
#include "scheduler.h"

#define MISSING_HEARTBEATS 2 /* a dispatch that was named, and is not named by so many, is lost */
#define WORKER_ROW_MS      15000 /* how old the row's last_heartbeat_at may be */

/* One batch in hand. What its messages submit, start and end is gathered and done together. */
struct batch {
    struct brain *brain;
    struct store *store;
    const struct record *record;
    struct array_param *submitted;
    int submitted_count, hint_count;
    struct hints hints;
    struct texts started; /* dispatches whose task is running from now on */
};

typedef int message_handler(struct batch *batch, const void *message, struct error *error);

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

static int start_task(struct batch *batch, struct task *task, struct error *error)
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
    return start_task(batch, task, error);
}

/* ---- workers ---------------------------------------------------------------------------------- */

static const struct held_dispatch *find_held(const struct worker_heartbeat *heartbeat,
                                             const struct uuid *dispatch_id)
{
    const struct held_dispatch *list = heartbeat->dispatches.list;
    for (size_t i = 0; i < heartbeat->dispatches.count; i++)
        if (uuid_equal(&list[i].dispatch_id, dispatch_id))
            return &list[i];
    return NULL;
}

/* A task that memory has without its worker, since the worker was not known at the take-over. */
static void reunite(struct brain *brain, struct worker *worker,
                    const struct worker_heartbeat *heartbeat)
{
    const struct held_dispatch *list = heartbeat->dispatches.list;
    for (size_t i = 0; i < heartbeat->dispatches.count; i++) {
        struct task *task = brain_find_dispatch(brain, &list[i].dispatch_id);
        if (task == NULL || task->worker != NULL || !uuid_equal(&task->worker_id, &worker->id))
            continue;
        task->worker = worker;
        LIST_INSERT_HEAD(&worker->tasks, task, of_worker);
    }
}

/* What the heartbeat says of what we think that the worker has. */
static void compare_tasks(struct batch *batch, struct worker *worker,
                          const struct worker_heartbeat *heartbeat, bool reborn)
{
    struct task *task;
    LIST_FOREACH (task, &worker->tasks, of_worker) {
        bool was_there = task->listed || task->state == TASK_RUNNING;
        const struct held_dispatch *held = find_held(heartbeat, &task->dispatch_id);
        if (held != NULL) {
            task->listed = true;
            task->held_finished = held->state == HELD_FINISHED;
            task->missing = 0;
            continue;
        }
        task->missing += was_there ? 1 : 0;
        if (!reborn && task->missing < MISSING_HEARTBEATS)
            continue;
        texts_add(reborn ? &batch->hints.reborn : &batch->hints.lost, task->dispatch_id.text);
        batch->hint_count++;
    }
}

static int started_by_heartbeat(struct batch *batch, const struct worker_heartbeat *heartbeat,
                                struct error *error)
{
    const struct held_dispatch *list = heartbeat->dispatches.list;
    for (size_t i = 0; i < heartbeat->dispatches.count; i++) {
        struct task *task = brain_find_dispatch(batch->brain, &list[i].dispatch_id);
        bool ran = list[i].state == HELD_RUNNING || list[i].state == HELD_FINISHED;
        if (task != NULL && ran && uuid_equal(&task->worker_id, &heartbeat->worker_id) &&
            start_task(batch, task, error) < 0)
            return -1;
    }
    return 0;
}

/* Finished ones whose spool may go, and running ones that should not: both by the next full set. */
static int settle(struct batch *batch, struct worker *worker,
                  const struct worker_heartbeat *heartbeat, struct error *error)
{
    AUTO(array_param_free) struct array_param *unknown = array_param_new();
    AUTO(rows_free) struct rows *rows = NULL;
    const struct held_dispatch *list = heartbeat->dispatches.list;
    int count = 0;
    for (size_t i = 0; i < heartbeat->dispatches.count; i++) {
        if (brain_find_dispatch(batch->brain, &list[i].dispatch_id) != NULL)
            continue;
        worker->sync_due_ms = 0;
        if (list[i].state != HELD_FINISHED)
            continue;
        array_param_add(unknown, list[i].dispatch_id.text);
        count++;
    }
    if (count == 0)
        return 0;
    if (db_find_settled(batch->store, unknown, &rows, error) < 0)
        return -1;
    texts_deinit(&worker->settled);
    texts_deinit(&worker->unknown);
    for (int i = 0; i < rows_count(rows); i++)
        texts_add(rows_bool(rows, i, 1) ? &worker->settled : &worker->unknown,
                  rows_text(rows, i, 0));
    return 0;
}

static void take_facts(struct brain *brain, struct worker *worker,
                       const struct worker_heartbeat *heartbeat)
{
    bool changed = worker->lost || worker->suspect ||
                   worker->incarnation != heartbeat->incarnation ||
                   worker->slots != heartbeat->slots || worker->draining != heartbeat->draining ||
                   !json_equal(worker->labels, heartbeat->labels) ||
                   strcmp(worker->name, heartbeat->name) != 0;
    worker->row_dirty = worker->row_dirty || changed || monotonic_ms() >= worker->row_due_ms;
    worker->slots = (int)heartbeat->slots;
    worker->free_slots = (int)heartbeat->free_slots;
    worker->incarnation = heartbeat->incarnation;
    worker->seq = heartbeat->seq;
    worker->draining = heartbeat->draining;
    worker->lost = worker->suspect = false;
    lease_renew(&worker->lease);
    if (changed) {
        json_decref(worker->labels);
        worker->labels = json_deep_copy(heartbeat->labels);
        text_free(&worker->name);
        worker->name = xstrdup(heartbeat->name);
    }
    const char *token = heartbeat->resync_token == NULL ? "" : heartbeat->resync_token;
    if (brain->resync_token[0] != '\0' && strcmp(token, brain->resync_token) != 0)
        worker->sync_due_ms = 0;
    worker->pool->dirty = true;
}

static int save_worker(struct batch *batch, struct worker *worker, const char *version,
                       struct error *error)
{
    if (!worker->row_dirty)
        return 0;
    worker->row_dirty = false;
    worker->row_due_ms = monotonic_ms() + WORKER_ROW_MS;
    return db_save_worker(batch->store, worker, worker->draining ? "draining" : "online", version,
                          error);
}

static int on_worker_heartbeat(struct batch *batch, const void *message, struct error *error)
{
    const struct worker_heartbeat *heartbeat = message;
    struct brain *brain = batch->brain;
    struct pool *pool = brain_pool(brain, &heartbeat->pool_id);
    struct worker *worker = pool_find_worker(pool, &heartbeat->worker_id);
    if (worker == NULL)
        worker = lane_add_worker(brain, pool, &heartbeat->worker_id);
    bool older = heartbeat->incarnation < worker->incarnation ||
                 (heartbeat->incarnation == worker->incarnation && heartbeat->seq <= worker->seq);
    if (older)
        return 0;
    if (heartbeat->epoch > ledger_partition_epoch(brain->partition) &&
        heartbeat->epoch > brain->seen_epoch)
        brain->seen_epoch = heartbeat->epoch;
    bool reborn = worker->incarnation != 0 && heartbeat->incarnation > worker->incarnation;
    bool is_news = batch->record->offset >= ledger_partition_end_at_take_over(brain->partition);
    worker->heard = worker->heard || is_news;
    take_facts(brain, worker, heartbeat);
    reunite(brain, worker, heartbeat);
    /* An old heartbeat, of before the take-over, does not show what is missing now. */
    if (is_news)
        compare_tasks(batch, worker, heartbeat, reborn);
    if (started_by_heartbeat(batch, heartbeat, error) < 0 ||
        settle(batch, worker, heartbeat, error) < 0)
        return -1;
    return save_worker(batch, worker, heartbeat->software, error);
}

/* ---- what ends ------------------------------------------------------------------------------- */

void hints_init(struct hints *hints)
{
    *hints = (struct hints){.recorded = array_param_new(), .requested = array_param_new()};
}

void hints_deinit(struct hints *hints)
{
    array_param_free(&hints->recorded);
    array_param_free(&hints->requested);
    texts_deinit(&hints->lost);
    texts_deinit(&hints->reborn);
}

int handlers_need_runs(struct brain *brain, struct store *store, const struct rows *rows,
                       struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    int missing = 0;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (brain_find_run(brain, &id) != NULL)
            continue;
        array_param_add(ids, id.text);
        missing++;
    }
    if (missing == 0)
        return 0;
    if (db_load_runs(brain, store, ids, error) < 0)
        return -1;
    return db_load_tasks(brain, store, error);
}

static void add_run_of(const struct brain *brain, const char *dispatch, struct array_param *runs)
{
    struct uuid id = {""};
    struct error error;
    struct task *task =
        uuid_parse(dispatch, &id, &error) < 0 ? NULL : brain_find_dispatch(brain, &id);
    if (task != NULL)
        array_param_add(runs, task->run->id.text);
}

static int lock_runs(const struct brain *brain, struct store *store, const struct hints *hints,
                     const struct rows *records, const struct rows *requests, struct error *error)
{
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    for (int i = 0; i < rows_count(records); i++)
        add_run_of(brain, rows_text(records, i, 0), runs);
    for (int i = 0; i < rows_count(requests); i++)
        array_param_add(runs, rows_text(requests, i, 0));
    for (size_t i = 0; i < hints->lost.count; i++)
        add_run_of(brain, hints->lost.list[i], runs);
    for (size_t i = 0; i < hints->reborn.count; i++)
        add_run_of(brain, hints->reborn.list[i], runs);
    return db_lock_runs(store, runs, error);
}

static int end_recorded(struct brain *brain, struct store *store, const struct rows *records,
                        struct error *error)
{
    for (int i = 0; i < rows_count(records); i++) {
        struct uuid dispatch_id = rows_uuid(records, i, 0);
        struct task *task = brain_find_dispatch(brain, &dispatch_id);
        int ending = names_find(&ending_kind_names, rows_text(records, i, 1));
        if (task == NULL)
            continue;
        struct worker *worker = task->worker;
        if (ending_task_recorded(brain, store, task,
                                 ending < 0 ? ENDED_EXITED : (enum ending_kind)ending,
                                 rows_text(records, i, 2), error) < 0)
            return -1;
        if (worker == NULL)
            continue;
        texts_add(&worker->settled, dispatch_id.text);
        worker->sync_due_ms = 0;
    }
    return 0;
}

static int end_requested(struct brain *brain, struct store *store, const struct rows *requests,
                         struct error *error)
{
    for (int i = 0; i < rows_count(requests); i++) {
        struct uuid id = rows_uuid(requests, i, 0), actor = rows_uuid(requests, i, 2);
        struct run *run = brain_find_run(brain, &id);
        bool superseded = strcmp(rows_text(requests, i, 1), "supersede") == 0;
        if (run != NULL &&
            ending_run(brain, store, run, superseded ? REASON_SUPERSEDED : REASON_CANCELLED, NULL,
                       &actor, error) < 0)
            return -1;
    }
    return 0;
}

/* An end may end the run, which frees its other tasks: so each is looked up again. */
static int end_lost(struct brain *brain, struct store *store, const struct texts *lost,
                    const char *why, struct error *error)
{
    for (size_t i = 0; i < lost->count; i++) {
        struct uuid dispatch_id = {""};
        if (uuid_parse(lost->list[i], &dispatch_id, error) < 0)
            return -1;
        struct task *task = brain_find_dispatch(brain, &dispatch_id);
        if (task != NULL && ending_task_lost(brain, store, task, why, error) < 0)
            return -1;
    }
    return 0;
}

int handlers_end(struct brain *brain, struct store *store, const struct hints *hints,
                 struct error *error)
{
    AUTO(rows_free) struct rows *records = NULL;
    AUTO(rows_free) struct rows *requests = NULL;
    int partition = ledger_partition_number(brain->partition);
    if (db_find_records(store, partition, hints->recorded, &records, error) < 0 ||
        db_find_requests(store, partition, hints->requested, &requests, error) < 0 ||
        handlers_need_runs(brain, store, requests, error) < 0)
        return -1;
    size_t lost = hints->lost.count + hints->reborn.count;
    if (rows_count(records) == 0 && rows_count(requests) == 0 && lost == 0)
        return 0;
    if (lock_runs(brain, store, hints, records, requests, error) < 0 ||
        end_recorded(brain, store, records, error) < 0 ||
        end_requested(brain, store, requests, error) < 0 ||
        end_lost(brain, store, &hints->reborn, "its worker was started anew", error) < 0)
        return -1;
    return end_lost(brain, store, &hints->lost, "its worker does not have it any more", error);
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
    if (batch->hint_count > 0 && handlers_end(batch->brain, batch->store, &batch->hints, error) < 0)
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
