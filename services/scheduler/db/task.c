/* SPDX-License-Identifier: Apache-2.0 */
/* SQL on task and dispatch, and on what the collector has recorded of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db.h"

int db_load_tasks(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    struct run *run, *next;
    HASH_ITER (hh, brain->runs, run, next) {
        if (run->planned && run->tasks == NULL)
            array_param_add(ids, run->id.text);
    }
    if (store_query(
            store,
            "SELECT t.run_id, t.id, t.ordinal, t.state, t.attempt, t.dispatch_id, t.worker_id, "
            "t.cases, "
            "t.losses_started, d.results_partition, count(*) OVER (PARTITION BY t.run_id), "
            "(SELECT count(*) FROM scheduling.dispatch l WHERE l.task_id = t.id AND l.ended = "
            "'lost') "
            "FROM scheduling.task t LEFT JOIN scheduling.dispatch d ON d.id = t.dispatch_id "
            "WHERE t.run_id = ANY($1::uuid[]) ORDER BY t.run_id, t.ordinal",
            PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid run_id = rows_uuid(rows, i, 0), dispatch_id = rows_uuid(rows, i, 5);
        int state;
        run = brain_find_run(brain, &run_id);
        if (run->tasks == NULL)
            run->tasks = xcalloc((size_t)rows_int(rows, i, 10), sizeof *run->tasks);
        struct task *task = &run->tasks[run->task_count++];
        if (names_parse(&task_state_names, rows_text(rows, i, 3), &state, error) < 0)
            return -1;
        task->id = rows_uuid(rows, i, 1);
        task->run = run;
        task->ordinal = (int)rows_int(rows, i, 2);
        task->state = (enum task_state)state;
        task->attempt = rows_int(rows, i, 4);
        task->worker_id = rows_uuid(rows, i, 6);
        task->cases = rows_json(rows, i, 7);
        task->losses_started = (int)rows_int(rows, i, 8);
        task->results_partition = (int)rows_int(rows, i, 9);
        task->losses = (int)rows_int(rows, i, 11);
        run->done_count += task->state == TASK_DONE ? 1 : 0;
        if (task->state == TASK_DISPATCHED || task->state == TASK_RUNNING)
            task_bind(brain, task, pool_find_worker(run->pool, &task->worker_id), &dispatch_id);
    }
    return 0;
}

#define HISTORY_CASES_MAX 20000 /* some 150 ms; of more nobody waits for the looking up */

/* $1 suite version, $2 project, $3 whether to look up how long each took, as the collector has learnt it; the
 * bound keeps out what is no number. A look into the index for each: a join is planned as one of each with
 * each where the statistics of a young table say that it is empty. */
static const char load_cases[] =
    "SELECT encode(c.case_key, 'hex'), c.selector, coalesce(CASE WHEN $3 THEN "
    "(SELECT round(least(k.duration_ms, 1e12))::bigint FROM results.known_case k "
    "WHERE k.project_id = $2 AND k.case_key = c.case_key AND k.duration_ms IS NOT NULL) END, -1) "
    "FROM api.declared_case c WHERE c.suite_version_id = $1 ORDER BY c.ordinal";

int db_load_cases(struct store *store, const struct run *run, json_t **cases_r,
                  int64_t **expected_ms_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, run->id.text);
    if (store_query(store, load_cases,
                    PARAMS(param_uuid(&run->suite_version_id), param_uuid(&run->project_id),
                           param_bool(run->declared <= HISTORY_CASES_MAX)),
                    &rows, error) < 0)
        return -1;
    *cases_r = json_array();
    *expected_ms_r = xcalloc((size_t)rows_count(rows), sizeof **expected_ms_r);
    for (int i = 0; i < rows_count(rows); i++) {
        json_array_append_new(*cases_r, json_pack("{s:s, s:s}", "key", rows_text(rows, i, 0),
                                                  "selector", rows_text(rows, i, 1)));
        (*expected_ms_r)[i] = rows_int(rows, i, 2);
    }
    return 0;
}

int db_add_task(struct store *store, const struct task *task, struct error *error)
{
    AUTO(text_free) char *cases = task->cases == NULL ? NULL : json_text(task->cases);
    store_about(store, task->run->id.text);
    return store_pipeline_add(store,
                              "INSERT INTO scheduling.task (id, run_id, pool_id, partition, "
                              "ordinal, kind, state, cases, deadline) "
                              "SELECT $1, s.run_id, s.pool_id, s.partition, $3, 'automated', "
                              "'queued', $4::jsonb, s.run_deadline "
                              "FROM scheduling.run_state s WHERE s.run_id = $2",
                              PARAMS(param_uuid(&task->id), param_uuid(&task->run->id),
                                     param_int(task->ordinal), param_text(cases)),
                              -1, error);
}

int db_add_dispatch(struct store *store, const struct task *task, bool has_started,
                    struct error *error)
{
    store_about(store, task->run->id.text);
    return store_pipeline_add(store,
                              "INSERT INTO scheduling.dispatch (id, task_id, run_id, attempt, "
                              "worker_id, results_partition, started) "
                              "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                              PARAMS(param_uuid(&task->dispatch_id), param_uuid(&task->id),
                                     param_uuid(&task->run->id), param_int(task->attempt),
                                     param_uuid(&task->worker_id),
                                     param_int(task->results_partition), param_bool(has_started)),
                              -1, error);
}

int db_task_dispatched(struct store *store, const struct task *task, int64_t slack_ms,
                       struct error *error)
{
    int64_t limit_ms = task->run->policy.task_timeout_ms + task->run->policy.grace_ms + slack_ms;
    if (db_add_dispatch(store, task, false, error) < 0)
        return -1;
    store_about(store, task->run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.task SET state = 'dispatched', attempt = $2, dispatch_id = $3, "
        "worker_id = $4, "
        "dispatched_at = now(), deadline = now() + $5 * interval '1 ms' WHERE id = $1",
        PARAMS(param_uuid(&task->id), param_int(task->attempt), param_uuid(&task->dispatch_id),
               param_uuid(&task->worker_id), param_int(limit_ms)),
        -1, error);
}

int db_task_started(struct store *store, const struct task *task, struct error *error)
{
    store_about(store, task->run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.task SET state = 'running', started_at = coalesce(started_at, now()) "
        "WHERE id = $1",
        PARAMS(param_uuid(&task->id)), -1, error);
}

static int end_dispatch(struct store *store, const struct task *task, const char *ended,
                        struct error *error)
{
    if (uuid_is_null(&task->dispatch_id))
        return 0;
    store_about(store, task->run->id.text);
    return store_pipeline_add(store,
                              "UPDATE scheduling.dispatch SET ended = $2, ended_at = now(), "
                              "started = $3 WHERE id = $1 AND ended IS NULL",
                              PARAMS(param_uuid(&task->dispatch_id), param_text(ended),
                                     param_bool(task->state == TASK_RUNNING)),
                              -1, error);
}

int db_task_queued(struct store *store, const struct task *task, const char *dispatch_ended,
                   struct error *error)
{
    if (end_dispatch(store, task, dispatch_ended, error) < 0)
        return -1;
    store_about(store, task->run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.task t SET state = 'queued', dispatch_id = NULL, worker_id = NULL, "
        "losses_started = $2, queued_at = now(), deadline = s.run_deadline "
        "FROM scheduling.run_state s WHERE t.id = $1 AND s.run_id = t.run_id",
        PARAMS(param_uuid(&task->id), param_int(task->losses_started)), -1, error);
}

int db_task_cases(struct store *store, const struct task *task, struct error *error)
{
    AUTO(text_free) char *cases = json_text(task->cases);
    store_about(store, task->run->id.text);
    return store_pipeline_add(store, "UPDATE scheduling.task SET cases = $2::jsonb WHERE id = $1",
                              PARAMS(param_uuid(&task->id), param_text(cases)), -1, error);
}

int db_task_done(struct store *store, const struct task *task, enum task_outcome outcome,
                 enum reason reason, const char *detail, const char *dispatch_ended,
                 struct error *error)
{
    if (end_dispatch(store, task, dispatch_ended, error) < 0)
        return -1;
    store_about(store, task->run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.task SET state = 'done', outcome = $2, reason = $3, reason_detail = $4, "
        "finished_at = now(), losses_started = $5, "
        "started_at = CASE WHEN $6 THEN coalesce(started_at, now()) ELSE started_at END "
        "WHERE id = $1",
        PARAMS(param_uuid(&task->id), param_text(names_get(&task_outcome_names, (int)outcome)),
               param_text(reason == REASON_NONE ? NULL : names_get(&reason_names, (int)reason)),
               param_text(detail == NULL || detail[0] == '\0' ? NULL : detail),
               param_int(task->losses_started), param_bool(task->state == TASK_RUNNING)),
        -1, error);
}

int db_end_tasks(struct store *store, const struct run *run, enum task_outcome outcome,
                 enum reason reason, struct error *error)
{
    store_about(store, run->id.text);
    if (store_pipeline_add(store,
                           "UPDATE scheduling.task SET state = 'done', outcome = $2, reason = $3, "
                           "finished_at = now() "
                           "WHERE run_id = $1 AND state <> 'done'",
                           PARAMS(param_uuid(&run->id),
                                  param_text(names_get(&task_outcome_names, (int)outcome)),
                                  param_text(names_get(&reason_names, (int)reason))),
                           -1, error) < 0)
        return -1;
    store_about(store, run->id.text);
    return store_pipeline_add(store,
                              "UPDATE scheduling.dispatch d SET ended = 'cancelled', ended_at = "
                              "now(), started = t.started_at IS NOT NULL FROM scheduling.task t "
                              "WHERE d.run_id = $1 AND d.ended IS NULL AND t.id = d.task_id",
                              PARAMS(param_uuid(&run->id)), -1, error);
}

int db_find_recorded_cases(struct store *store, const struct task *task, struct rows **rows_r,
                           struct error *error)
{
    AUTO(array_param_free) struct array_param *keys = array_param_new();
    size_t index;
    const json_t *one;
    json_array_foreach (task->cases, index, one) {
        char literal[48];
        snprintf(literal, sizeof literal, "\\x%s", json_find_text(one, "key"));
        array_param_add(keys, literal);
    }
    store_about(store, task->run->id.text);
    return store_query(store,
                       "SELECT encode(case_key, 'hex') FROM results.result WHERE run_id = $1 AND "
                       "case_key = ANY($2::bytea[])",
                       PARAMS(param_uuid(&task->run->id), array_param_get(keys)), rows_r, error);
}

int db_find_records(struct store *store, int partition, struct array_param *dispatches,
                    struct rows **rows_r, struct error *error)
{
    return store_query(
        store,
        "SELECT r.dispatch_id, r.ending, r.ending_detail FROM results.task_record r "
        "JOIN scheduling.task t ON t.dispatch_id = r.dispatch_id "
        "WHERE r.finished AND t.partition = $1 AND t.state IN ('dispatched', 'running') "
        "AND ($2::uuid[] IS NULL OR r.dispatch_id = ANY($2))",
        PARAMS(param_int(partition),
               dispatches == NULL ? param_null() : array_param_get(dispatches)),
        rows_r, error);
}

int db_find_overdue_tasks(struct store *store, int partition, struct rows **rows_r,
                          struct error *error)
{
    return store_query(store,
                       "SELECT dispatch_id FROM scheduling.task WHERE partition = $1 AND state IN "
                       "('dispatched', 'running') "
                       "AND deadline <= now() LIMIT 1000",
                       PARAMS(param_int(partition)), rows_r, error);
}

static enum reason read_reason(const char *text)
{
    int reason = names_find(&reason_names, text);
    return reason < 0 ? REASON_NONE : (enum reason)reason;
}

int db_load_closed_tasks(struct store *store, const struct run *run, struct closed_task **tasks_r,
                         int *count_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, run->id.text);
    if (store_query(store,
                    "SELECT t.outcome, t.reason, t.reason_detail, r.ending, r.exit_status, "
                    "r.signal, r.report, "
                    "r.passed, r.failed, r.errored, r.skipped, r.blocked "
                    "FROM scheduling.task t LEFT JOIN results.task_record r ON r.dispatch_id = "
                    "t.dispatch_id AND r.finished "
                    "WHERE t.run_id = $1 ORDER BY t.ordinal",
                    PARAMS(param_uuid(&run->id)), &rows, error) < 0)
        return -1;
    struct closed_task *tasks = xcalloc((size_t)rows_count(rows), sizeof *tasks);
    for (int i = 0; i < rows_count(rows); i++) {
        struct closed_task *task = &tasks[i];
        int outcome = names_find(&task_outcome_names, rows_text(rows, i, 0));
        task->outcome = outcome < 0 ? OUTCOME_LOST : (enum task_outcome)outcome;
        task->reason = read_reason(rows_text(rows, i, 1));
        text_format(task->reason_detail, sizeof task->reason_detail, "%s", rows_text(rows, i, 2));
        task->has_record = !rows_is_null(rows, i, 3);
        if (!task->has_record)
            continue;
        int ending = names_find(&ending_kind_names, rows_text(rows, i, 3));
        int report = names_find(&report_state_names, rows_text(rows, i, 6));
        task->ending = ending < 0 ? ENDED_EXITED : (enum ending_kind)ending;
        task->report = report < 0 ? REPORT_NOT_EXPECTED : (enum report_state)report;
        task->exit_status = rows_int(rows, i, 4);
        task->signal = rows_int(rows, i, 5);
        task->passed = rows_int(rows, i, 7);
        task->failed = rows_int(rows, i, 8);
        task->errored = rows_int(rows, i, 9);
        task->skipped = rows_int(rows, i, 10);
        task->blocked = rows_int(rows, i, 11);
    }
    *tasks_r = tasks;
    *count_r = rows_count(rows);
    return 0;
}

static const char find_contradicted[] =
    "SELECT count(*) OVER (), left(concat_ws('.', nullif(r.class, ''), r.name), 90), r.status "
    "FROM results.stale_result s JOIN scheduling.task t ON t.id = s.task_id "
    "AND t.dispatch_id = s.dispatch_id "
    "JOIN results.result r ON r.run_id = $1 AND r.case_key = s.case_key AND r.variant = t.variant "
    "WHERE s.run_id = $1 AND s.status IN ('failed', 'errored') "
    "AND r.status NOT IN ('failed', 'errored') ORDER BY r.class, r.name LIMIT 1";

int db_find_contradicted(struct store *store, const struct run *run, struct closed_run *closed,
                         struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, run->id.text);
    if (store_query(store, find_contradicted, PARAMS(param_uuid(&run->id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    closed->contradicted = rows_int(rows, 0, 0);
    text_format(closed->contradicted_case, sizeof closed->contradicted_case, "%s",
                rows_text(rows, 0, 1));
    text_format(closed->contradicted_as, sizeof closed->contradicted_as, "%s",
                rows_text(rows, 0, 2));
    return 0;
}

int db_find_settled(struct store *store, struct array_param *dispatches, struct rows **rows_r,
                    struct error *error)
{
    return store_query(
        store,
        "SELECT d, EXISTS (SELECT FROM scheduling.dispatch x WHERE x.id = d) "
        "FROM unnest($1::uuid[]) AS d WHERE NOT EXISTS "
        "(SELECT FROM scheduling.task t JOIN scheduling.dispatch x ON x.task_id = t.id "
        "WHERE x.id = d AND t.dispatch_id = d AND t.state <> 'done')",
        PARAMS(array_param_get(dispatches)), rows_r, error);
}
