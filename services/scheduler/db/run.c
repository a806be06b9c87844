/* SPDX-License-Identifier: Apache-2.0 */
/* SQL on run_state, run_event, and on what was asked in schema api. */
#include <stdlib.h>
#include <string.h>

#include "aside.h"
#include "base/json.h"
#include "base/memory.h"
#include "db.h"
#include "model/limits.h"
#include "model/suite.h"

/* No worker runs it: it waits in no queue, and for no longer than a run may last. */
#define IS_UPLOADED "(v.spec->'source'->>'kind' = 'upload')"

int db_adopt_runs(struct store *store, struct array_param *ids, int partition, struct texts *ids_r,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, array_param_only(ids));
    if (store_query(
            store,
            "INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state, "
            "priority, "
            "planned_source, wait_class, wait_text, wait_since, queue_deadline, run_deadline) "
            "SELECT r.id, r.project_id, r.pool_id, $2, 'queued', r.priority, "
            "CASE WHEN v.cases > 0 THEN 'declared' END, "
            "CASE WHEN " IS_UPLOADED " THEN 'uploads' ELSE 'planning' END, "
            "CASE WHEN " IS_UPLOADED " THEN 'nothing has been uploaded yet' ELSE 'about to be "
            "given to a worker' END, now(), "
            "r.created_at + (r.policy->>CASE WHEN " IS_UPLOADED " THEN 'run_timeout_ms' ELSE "
            "'queue_timeout_ms' END)::bigint * interval '1 ms', "
            "r.created_at + (r.policy->>'run_timeout_ms')::bigint * interval '1 ms' "
            "FROM api.run r JOIN api.suite_version v ON v.id = r.suite_version_id "
            "WHERE r.id = ANY($1::uuid[]) ON CONFLICT (run_id) DO NOTHING RETURNING run_id",
            PARAMS(array_param_get(ids), param_int(partition)), &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++)
        texts_add(ids_r, rows_text(rows, i, 0));
    return 0;
}

enum run_column {
    RUN_ID,
    RUN_PROJECT,
    RUN_POOL,
    RUN_NUMBER,
    RUN_STATE,
    RUN_VERSION,
    RUN_PRIORITY,
    RUN_POLICY,
    RUN_REQUIREMENTS,
    RUN_SUITE,
    RUN_SUITE_SLUG,
    RUN_SUITE_VERSION,
    RUN_CASES,
    RUN_FACTS,
    RUN_PARAMETERS,
    RUN_TRACEPARENT,
    RUN_TASKS,
    RUN_TRIGGERED,
};

static const char load_runs[] =
    "SELECT s.run_id, s.project_id, s.pool_id, r.number, s.state, s.version, s.priority, r.policy, "
    "r.requirements, "
    "v.spec, r.suite_slug, r.suite_version_id, v.cases, "
    "jsonb_strip_nulls(jsonb_build_object('run_id', r.id, 'number', r.number, 'project', p.slug, "
    "'suite', r.suite_slug, "
    "'title', r.title, 'build_version', r.build_version, 'branch', r.branch, 'commit', "
    "r.commit_sha, "
    "'environment', e.slug, 'environment_url', e.url)), r.parameters, r.traceparent, s.tasks, "
    "(extract(epoch FROM r.created_at) * 1000000)::bigint "
    "FROM scheduling.run_state s JOIN api.run r ON r.id = s.run_id "
    "JOIN api.suite_version v ON v.id = r.suite_version_id JOIN api.project p ON p.id = "
    "s.project_id "
    "LEFT JOIN api.environment e ON e.id = r.environment_id "
    "WHERE s.state IN ('draft', 'queued', 'running') AND s.partition = $1 AND ($2::uuid[] IS NULL "
    "OR s.run_id = ANY($2)) "
    /* What waits for its first upload needs no memory, however long. */
    "AND ($2 IS NOT NULL OR s.tasks IS NOT NULL OR NOT " IS_UPLOADED ") "
    "ORDER BY s.tasks IS NOT NULL DESC, s.priority DESC, s.run_id LIMIT $3";

static int read_run(struct brain *brain, const struct rows *rows, int row, struct error *error)
{
    AUTO(run_free) struct run *run = xcalloc(1, sizeof *run);
    AUTO(json_free) json_t *policy = rows_json(rows, row, RUN_POLICY);
    AUTO(json_free) json_t *requirements = rows_json(rows, row, RUN_REQUIREMENTS);
    struct uuid pool_id = rows_uuid(rows, row, RUN_POOL);
    int state;
    run->id = rows_uuid(rows, row, RUN_ID);
    run->project_id = rows_uuid(rows, row, RUN_PROJECT);
    run->number = rows_int(rows, row, RUN_NUMBER);
    run->version = rows_int(rows, row, RUN_VERSION);
    run->priority = (int)rows_int(rows, row, RUN_PRIORITY);
    if (names_parse(&run_state_names, rows_text(rows, row, RUN_STATE), &state, error) < 0 ||
        fields_decode(&policy_fields, policy, &run->policy, error) < 0 ||
        requirements_parse(requirements, &run->requirements, error) < 0)
        return error_wrap(error, "run %s", run->id.text);
    run->state = (enum run_state)state;
    run->pool = brain_pool(brain, &pool_id);
    run->suite = rows_json(rows, row, RUN_SUITE);
    run->is_uploaded = suite_is_uploaded(run->suite);
    run->suite_slug = rows_copy(rows, row, RUN_SUITE_SLUG);
    run->suite_version_id = rows_uuid(rows, row, RUN_SUITE_VERSION);
    run->declared = rows_int(rows, row, RUN_CASES);
    run->facts = rows_json(rows, row, RUN_FACTS);
    run->parameters = rows_json(rows, row, RUN_PARAMETERS);
    run->traceparent = rows_copy(rows, row, RUN_TRACEPARENT);
    run->triggered_at_us = rows_int(rows, row, RUN_TRIGGERED);
    run->planned = !rows_is_null(rows, row, RUN_TASKS);
    run->wait = WAIT_PLANNING;
    run->pool->dirty = true;
    brain_add_run(brain, TAKE(run));
    return 0;
}

int db_load_runs(struct brain *brain, struct store *store, struct array_param *ids,
                 struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int32_t partition = ledger_partition_number(brain->partition);
    if (store_query(store, load_runs,
                    PARAMS(param_int(partition), ids == NULL ? param_null() : array_param_get(ids),
                           param_int(LIMIT_OPEN_RUNS_WINDOW)),
                    &rows, error) < 0)
        return -1;
    if (ids == NULL)
        brain->more_runs = rows_count(rows) == LIMIT_OPEN_RUNS_WINDOW;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, RUN_ID);
        if (brain_find_run(brain, &id) != NULL || aside_has(brain->scheduler, &id))
            continue;
        if (read_run(brain, rows, i, error) < 0)
            aside_add(brain->scheduler, partition, &id, error);
    }
    return 0;
}

static const char adopt_bare[] =
    "INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state, priority, "
    "wait_class, wait_text, wait_since, queue_deadline, run_deadline) "
    "SELECT id, project_id, pool_id, $2, 'queued', priority, 'planning', 'cannot be worked on', "
    "now(), now(), now() FROM api.run WHERE id = $1 ON CONFLICT (run_id) DO NOTHING";

static const char load_bare[] =
    "SELECT s.project_id, s.pool_id, r.number, s.state, s.version, p.slug "
    "FROM scheduling.run_state s JOIN api.run r ON r.id = s.run_id "
    "JOIN api.project p ON p.id = s.project_id "
    "WHERE s.run_id = $1 AND s.state IN ('draft', 'queued', 'running')";

int db_load_bare_run(struct brain *brain, struct store *store, const struct uuid *run_id,
                     struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    store_about(store, run_id->text);
    if (store_query(
            store, adopt_bare,
            PARAMS(param_uuid(run_id), param_int(ledger_partition_number(brain->partition))), NULL,
            error) < 0)
        return -1;
    store_about(store, run_id->text);
    if (store_query(store, load_bare, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    struct run *run = xcalloc(1, sizeof *run);
    struct uuid pool_id = rows_uuid(rows, 0, 1);
    int state = names_find(&run_state_names, rows_text(rows, 0, 3));
    run->id = *run_id;
    run->project_id = rows_uuid(rows, 0, 0);
    run->pool = brain_pool(brain, &pool_id);
    run->number = rows_int(rows, 0, 2);
    run->state = state < 0 ? RUN_QUEUED : (enum run_state)state;
    run->version = rows_int(rows, 0, 4);
    run->planned = true;
    run->facts = json_pack("{s:s, s:I, s:s}", "run_id", run->id.text, "number",
                           (json_int_t)run->number, "project", rows_text(rows, 0, 5));
    brain_add_run(brain, run);
    return 0;
}

int db_run_started(struct store *store, const struct run *run, struct error *error)
{
    store_about(store, run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.run_state SET state = 'running', version = $2, started_at = now(), "
        "wait_class = 'tests', wait_text = 'tests are running', wait_since = now(), updated_at = "
        "now() "
        "WHERE run_id = $1 AND state IN ('draft', 'queued')",
        PARAMS(param_uuid(&run->id), param_int(run->version)), -1, error);
}

int db_run_planned(struct store *store, const struct run *run, struct error *error)
{
    store_about(store, run->id.text);
    return store_pipeline_add(
        store, "UPDATE scheduling.run_state SET tasks = $2, updated_at = now() WHERE run_id = $1",
        PARAMS(param_uuid(&run->id), param_int(run->task_count)), -1, error);
}

int db_run_closed(struct store *store, const struct run *run, const struct closed_run *totals,
                  enum reason reason, const char *detail, const struct uuid *actor,
                  struct error *error)
{
    bool has_reason = reason != REASON_NONE;
    store_about(store, run->id.text);
    return store_pipeline_add(
        store,
        "UPDATE scheduling.run_state SET state = $2, reason = $3, reason_detail = $4, actor = $5, "
        "version = $6, "
        "planned_source = coalesce(planned_source, $7), wait_class = NULL, wait_text = NULL, "
        "wait_since = NULL, "
        "finished_at = now(), updated_at = now() WHERE run_id = $1 AND state IN ('draft', "
        "'queued', 'running')",
        PARAMS(param_uuid(&run->id), param_text(names_get(&run_state_names, (int)run->state)),
               param_text(has_reason ? names_get(&reason_names, (int)reason) : NULL),
               param_text(detail == NULL || detail[0] == '\0' ? NULL : detail),
               actor == NULL ? param_null() : param_uuid(actor), param_int(run->version),
               param_text(totals->planned >= 0 ? "discovered" : "reported")),
        1, error);
}

int db_add_event(struct store *store, const struct run *run, const struct uuid *event_id,
                 const char *type, const char *data, struct error *error)
{
    store_about(store, run->id.text);
    return store_pipeline_add(
        store,
        "INSERT INTO scheduling.run_event (run_id, version, id, project_id, type, data) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        PARAMS(param_uuid(&run->id), param_int(run->version), param_uuid(event_id),
               param_uuid(&run->project_id), param_text(type), param_text(data)),
        -1, error);
}

int db_write_waits(struct brain *brain, struct store *store, int most, struct error *error)
{
    AUTO(array_param_free)
    struct array_param *ids = array_param_new(), *classes = array_param_new(),
                       *texts = array_param_new();
    struct run *run, *next;
    int count = 0;
    HASH_ITER (hh, brain->runs, run, next) {
        if (!run->wait_dirty || count == most)
            continue;
        count++;
        run->wait_dirty = false;
        array_param_add(ids, run->id.text);
        array_param_add(classes, names_get(&wait_class_names, (int)run->wait));
        array_param_add(texts, run->wait_text);
    }
    store_about(store, array_param_only(ids));
    return store_query(
        store,
        "UPDATE scheduling.run_state s SET wait_since = CASE WHEN s.wait_class = w.class THEN "
        "s.wait_since "
        "ELSE now() END, wait_class = w.class, wait_text = w.text "
        "FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w (id, class, text) "
        "WHERE s.run_id = w.id AND s.state IN ('draft', 'queued', 'running')",
        PARAMS(array_param_get(ids), array_param_get(classes), array_param_get(texts)), NULL,
        error);
}

int db_find_events(struct store *store, int partition, struct rows **rows_r, struct error *error)
{
    return store_query(
        store,
        "SELECT id, type, project_id, run_id, version, (extract(epoch FROM at) * 1000)::bigint, "
        "data "
        "FROM (SELECT e.* FROM scheduling.run_event e JOIN scheduling.run_state s ON s.run_id = "
        "e.run_id WHERE s.partition = $1 AND e.at > now() - interval '7 days' "
        "ORDER BY e.at DESC LIMIT 100000) newest ORDER BY run_id, version",
        PARAMS(param_int(partition)), rows_r, error);
}

int db_find_unseen_runs(struct store *store, struct array_param *pools, const struct uuid *since,
                        int page, struct rows **rows_r, struct error *error)
{
    return store_query(store,
                       "WITH page AS (SELECT id FROM api.run WHERE pool_id = ANY($1::uuid[]) AND "
                       "id > $2 ORDER BY id LIMIT $3), "
                       "last AS (SELECT id FROM page ORDER BY id DESC LIMIT 1) "
                       "SELECT p.id, s.run_id IS NULL FROM page p LEFT JOIN scheduling.run_state s "
                       "ON s.run_id = p.id WHERE s.run_id IS NULL OR p.id = (SELECT id FROM last) "
                       "ORDER BY p.id",
                       PARAMS(array_param_get(pools), param_uuid(since),
                              page > 0 ? param_int(page) : param_null()),
                       rows_r, error);
}

int db_find_requests(struct store *store, int partition, struct array_param *run_ids,
                     struct rows **rows_r, struct error *error)
{
    return store_query(
        store,
        "SELECT DISTINCT ON (q.run_id) q.run_id, q.kind, q.created_by FROM api.run_request q "
        "JOIN scheduling.run_state s ON s.run_id = q.run_id "
        "WHERE s.partition = $1 AND s.state IN ('draft', 'queued', 'running') "
        "AND q.kind IN ('cancel', 'supersede') "
        "AND ($2::uuid[] IS NULL OR q.run_id = ANY($2)) ORDER BY q.run_id, q.created_at",
        PARAMS(param_int(partition), run_ids == NULL ? param_null() : array_param_get(run_ids)),
        rows_r, error);
}

int db_find_overdue_runs(struct store *store, int partition, struct rows **rows_r,
                         struct error *error)
{
    return store_query(
        store,
        "SELECT run_id, run_deadline <= now() FROM scheduling.run_state "
        "WHERE partition = $1 AND state IN ('draft', 'queued', 'running') "
        "AND (run_deadline <= now() OR (state = 'queued' AND queue_deadline <= now())) LIMIT 1000",
        PARAMS(param_int(partition)), rows_r, error);
}

/* ---- totals ---- */

int db_add_totals(struct store *store, const struct run *run, struct error *error)
{
    store_about(store, run->id.text);
    return store_pipeline_add(
        store,
        "INSERT INTO results.run_totals (run_id, project_id, planned) VALUES ($1, $2, $3) "
        "ON CONFLICT (run_id) DO NOTHING",
        PARAMS(param_uuid(&run->id), param_uuid(&run->project_id),
               run->declared > 0 ? param_int(run->declared) : param_null()),
        -1, error);
}

int db_lock_runs(struct store *store, struct array_param *ids, struct error *error)
{
    return store_query(store,
                       "SELECT run_id FROM results.run_totals WHERE run_id = ANY($1::uuid[]) "
                       "ORDER BY run_id FOR UPDATE",
                       PARAMS(array_param_get(ids)), NULL, error);
}

int db_lock_totals(struct store *store, const struct run *run, struct closed_run *closed_r,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (db_add_totals(store, run, error) < 0)
        return -1;
    store_about(store, run->id.text);
    if (store_query(store,
                    "SELECT coalesce(planned, -1), passed, failed, errored, skipped, blocked FROM "
                    "results.run_totals "
                    "WHERE run_id = $1 FOR UPDATE",
                    PARAMS(param_uuid(&run->id)), &rows, error) < 0)
        return -1;
    *closed_r = (struct closed_run){.planned = rows_int(rows, 0, 0),
                                    .passed = rows_int(rows, 0, 1),
                                    .failed = rows_int(rows, 0, 2),
                                    .errored = rows_int(rows, 0, 3),
                                    .skipped = rows_int(rows, 0, 4),
                                    .blocked = rows_int(rows, 0, 5),
                                    .allow_empty = run->policy.allow_empty};
    return 0;
}

int db_close_totals(struct store *store, const struct run *run, struct error *error)
{
    store_about(store, run->id.text);
    return store_pipeline_add(store,
                              "UPDATE results.run_totals SET closed = true, version = version + 1, "
                              "planned = coalesce(planned, passed + failed + errored + skipped + "
                              "blocked) WHERE run_id = $1",
                              PARAMS(param_uuid(&run->id)), 1, error);
}
