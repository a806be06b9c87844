/* SPDX-License-Identifier: Apache-2.0 */
/* SQL on what was uploaded, and on the tasks that it becomes. */
#include "base/memory.h"
#include "db.h"

/* $1 the partition, $2 runs or NULL */
static const char find_uploads[] =
    "SELECT u.run_id, u.id, u.worker_id FROM api.upload u "
    "JOIN scheduling.run_state s ON s.run_id = u.run_id "
    "WHERE s.partition = $1 AND s.state IN ('draft', 'queued', 'running') "
    "AND ($2::uuid[] IS NULL OR u.run_id = ANY($2)) "
    "AND NOT EXISTS (SELECT FROM scheduling.task t WHERE t.id = u.id) ORDER BY u.run_id, u.id";

int db_find_uploads(struct store *store, int partition, struct array_param *run_ids,
                    struct rows **rows_r, struct error *error)
{
    return store_query(
        store, find_uploads,
        PARAMS(param_int(partition), run_ids == NULL ? param_null() : array_param_get(run_ids)),
        rows_r, error);
}

static const char find_completed[] =
    "SELECT DISTINCT q.run_id FROM api.run_request q "
    "JOIN scheduling.run_state s ON s.run_id = q.run_id "
    "WHERE q.kind = 'complete' AND s.partition = $1 "
    "AND s.state IN ('draft', 'queued', 'running') "
    "AND ($2::uuid[] IS NULL OR q.run_id = ANY($2)) ORDER BY q.run_id";

int db_find_completed(struct store *store, int partition, struct array_param *run_ids,
                      struct rows **rows_r, struct error *error)
{
    return store_query(
        store, find_completed,
        PARAMS(param_int(partition), run_ids == NULL ? param_null() : array_param_get(run_ids)),
        rows_r, error);
}

int db_add_upload(struct store *store, const struct task *task, int64_t slack_ms,
                  struct error *error)
{
    int64_t limit_ms = task->run->policy.task_timeout_ms + slack_ms;
    if (db_add_dispatch(store, task, true, error) < 0)
        return -1;
    store_about(store, task->run->id.text);
    return store_pipeline_add(
        store,
        "INSERT INTO scheduling.task (id, run_id, pool_id, partition, ordinal, kind, state, "
        "attempt, dispatch_id, worker_id, variant, dispatched_at, started_at, deadline) "
        "SELECT $1, s.run_id, s.pool_id, s.partition, $3, 'external', 'running', $4, $5, $6, "
        "u.variant, now(), now(), now() + $7 * interval '1 ms' "
        "FROM scheduling.run_state s JOIN api.upload u ON u.id = $1 WHERE s.run_id = $2",
        PARAMS(param_uuid(&task->id), param_uuid(&task->run->id), param_int(task->ordinal),
               param_int(task->attempt), param_uuid(&task->dispatch_id),
               param_uuid(&task->worker_id), param_int(limit_ms)),
        1, error);
}

/* $1 the run. What is declared and not there, of each variant that was uploaded. */
static const char plan_variants[] =
    "UPDATE results.run_totals t SET planned = m.counted + m.missing, version = t.version + 1 "
    "FROM (SELECT o.passed + o.failed + o.errored + o.skipped + o.blocked AS counted, "
    "(SELECT count(*) FROM api.run a JOIN api.declared_case d USING (suite_version_id) "
    "CROSS JOIN (SELECT DISTINCT variant FROM scheduling.task WHERE run_id = $1) v "
    "WHERE a.id = $1 AND NOT EXISTS (SELECT FROM results.result r WHERE r.run_id = $1 "
    "AND r.case_key = d.case_key AND r.variant = v.variant)) AS missing "
    "FROM results.run_totals o WHERE o.run_id = $1) m "
    "WHERE t.run_id = $1 AND t.planned < m.counted + m.missing RETURNING t.planned";

int db_plan_variants(struct store *store, const struct run *run, struct closed_run *closed,
                     struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, run->id.text);
    if (store_query(store, plan_variants, PARAMS(param_uuid(&run->id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) > 0)
        closed->planned = rows_int(rows, 0, 0);
    return 0;
}
