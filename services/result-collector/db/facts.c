/* SPDX-License-Identifier: Apache-2.0 */
#include "db/facts.h"

#include "base/memory.h"

static void row_to_run(const struct rows *rows, int row, struct batch *batch)
{
    struct uuid id = rows_uuid(rows, row, 0);
    struct batch_run *run = batch_get_run(batch, &id);
    run->is_known = true;
    run->project_id = rows_uuid(rows, row, 1);
    run->is_closed = rows_bool(rows, row, 2);
    run->is_declared = rows_bool(rows, row, 3);
    run->traceparent = rows_copy(rows, row, 4);
}

/* $1 run ids */
static const char lock_runs[] =
    "SELECT t.run_id, t.project_id, t.closed, coalesce(v.cases, 0) > 0, "
    "r.traceparent "
    "FROM results.run_totals t "
    "LEFT JOIN api.run r ON r.id = t.run_id "
    "LEFT JOIN api.suite_version v ON v.id = r.suite_version_id "
    "WHERE t.run_id = ANY ($1::uuid[]) "
    "ORDER BY t.run_id FOR UPDATE OF t";

int db_lock_runs(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    for (const struct batch_run *run = batch->runs; run != NULL; run = run->hh.next)
        array_param_add(ids, run->id.text);
    if (store_query(store, lock_runs, PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++)
        row_to_run(rows, row, batch);
    return 0;
}

static const char find_removed[] =
    "SELECT run_id FROM api.removed_run WHERE run_id = ANY ($1::uuid[])";

int db_find_removed(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    bool are_known = true;
    for (const struct batch_run *run = batch->runs; run != NULL; run = run->hh.next) {
        if (run->is_known)
            continue;
        array_param_add(ids, run->id.text);
        are_known = false;
    }
    if (are_known)
        return 0;
    if (store_query(store, find_removed, PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        const struct uuid id = rows_uuid(rows, row, 0);
        batch_get_run(batch, &id)->is_removed = true;
    }
    return 0;
}

static void row_to_task(const struct rows *rows, int row, struct batch *batch)
{
    struct uuid id = rows_uuid(rows, row, 0);
    struct batch_task *task = batch_get_task(batch, &id);
    task->is_known = true;
    task->run_id = rows_uuid(rows, row, 1);
    task->pool_id = rows_uuid(rows, row, 2);
    task->attempt = rows_int(rows, row, 3);
    task->dispatch_id = rows_uuid(rows, row, 4);
    task->variant = rows_copy(rows, row, 5);
    task->partition = (int)rows_int(rows, row, 6);
}

/* $1 task ids. The lock keeps the scheduler from making the next attempt between our look at the current
 * one and our COMMIT: a result of an old attempt never slips in between. */
static const char lock_tasks[] =
    "SELECT id, run_id, pool_id, attempt, dispatch_id, variant, partition "
    "FROM scheduling.task WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE";

int db_lock_tasks(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    for (const struct batch_task *task = batch->tasks; task != NULL; task = task->hh.next)
        array_param_add(ids, task->id.text);
    if (store_query(store, lock_tasks, PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++)
        row_to_task(rows, row, batch);
    return 0;
}

static void row_to_dispatch(const struct rows *rows, int row, struct batch_dispatch *dispatch)
{
    struct uuid task_id = rows_uuid(rows, row, 0), run_id = rows_uuid(rows, row, 1);
    struct uuid worker_id = rows_uuid(rows, row, 3);
    dispatch->is_known = !rows_is_null(rows, row, 0);
    dispatch->is_contradicted =
        dispatch->is_known &&
        !(uuid_equal(&task_id, &dispatch->task->id) && uuid_equal(&run_id, &dispatch->run->id) &&
          uuid_equal(&worker_id, &dispatch->worker_id) &&
          rows_int(rows, row, 2) == dispatch->attempt);
    dispatch->stream.received = rows_int(rows, row, 4);
    dispatch->stream.finished = rows_bool(rows, row, 5);
    dispatch->log_bytes = rows_int(rows, row, 6);
}

/* Of a dispatch that the scheduler does not know, the first claim is believed: its results are stale
 * either way, but its stream has one record. */
static void contradict_later_claims(struct batch *batch)
{
    for (struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next)
        for (const struct batch_dispatch *e = batch->dispatches; e != d && !d->is_known;
             e = e->hh.next)
            if (uuid_equal(&e->id, &d->id))
                d->is_contradicted = true;
}

/* $1 dispatch ids, in the batch's order */
static const char load_dispatches[] =
    "SELECT d.task_id, d.run_id, d.attempt, d.worker_id, r.received, r.finished, r.log_bytes "
    "FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, n) "
    "LEFT JOIN scheduling.dispatch d ON d.id = k.id "
    "LEFT JOIN results.task_record r ON r.dispatch_id = k.id ORDER BY k.n";

int db_load_dispatches(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    int row = 0;
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next)
        array_param_add(ids, d->id.text);
    if (store_query(store, load_dispatches, PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next)
        row_to_dispatch(rows, row++, d);
    contradict_later_claims(batch);
    return 0;
}
