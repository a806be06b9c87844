/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker says of itself every second: its slots, and each dispatch that it holds. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "batch.h"
#include "db.h"
#include "lanes.h"
#include "message/worker_heartbeat.h"

#define MISSING_HEARTBEATS 2 /* a dispatch that was named, and is not named by so many, is lost */
#define WORKER_ROW_MS      15000 /* how old the row's last_heartbeat_at may be */

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
            if (!task->listed && run_is_exclusive(task->run))
                worker->sync_due_ms = 0; /* it waits to be told that we know */
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
            batch_start_task(batch, task, error) < 0)
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

int on_worker_heartbeat(struct batch *batch, const void *message, struct error *error)
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
