/* SPDX-License-Identifier: Apache-2.0 */
#include "db/records.h"

#include "base/memory.h"
#include "db/columns.h"

/* ---- task_record ------------------------------------------------------------------------------ */

static void add_progress(struct columns *columns, const struct batch_dispatch *dispatch)
{
    columns_text(columns, 0, dispatch->id.text);
    columns_text(columns, 1, dispatch->run->id.text);
    columns_text(columns, 2, dispatch->task->id.text);
    columns_int(columns, 3, dispatch->attempt);
    columns_int(columns, 4, dispatch->stream.received);
    columns_int(columns, 5, dispatch->reported);
    columns_int(columns, 6, dispatch->log_bytes_new);
    columns_text(columns, 7, dispatch->log_truncated ? "t" : "f");
    columns_text(columns, 8, dispatch->stream.finished ? "t" : "f");
}

static void add_ending(struct columns *columns, const struct stream_finished *finished)
{
    static const struct stream_finished none = {.exit_status = -1};
    const struct stream_finished *end = finished == NULL ? &none : finished;
    bool exited = finished != NULL && end->ending == ENDED_EXITED && end->exit_status >= 0;
    const int64_t counts[] = {end->passed, end->failed, end->errored, end->skipped, end->blocked};
    columns_text(columns, 9, finished == NULL ? NULL : names_get(&ending_kind_names, end->ending));
    columns_int_or_null(columns, 10, end->exit_status, exited);
    columns_int_or_null(columns, 11, end->signal, end->signal > 0);
    columns_text(columns, 12, end->detail);
    columns_text(columns, 13,
                 finished == NULL ? NULL : names_get(&report_state_names, end->report));
    for (int i = 0; i < (int)ARRAY_SIZE(counts); i++)
        columns_int(columns, 14 + i, counts[i]);
    columns_int_or_null(columns, 19, end->started_at, end->started_at > 0);
    columns_int_or_null(columns, 20, end->finished_at, end->finished_at > 0);
}

/* $1 … $21 a dispatch each; received, reported and log_bytes grow. */
static const char upsert_task_records[] =
    "INSERT INTO results.task_record AS t (dispatch_id, run_id, task_id, attempt, received, "
    "reported, "
    "log_bytes, log_truncated, finished, ending, exit_status, signal, ending_detail, report, "
    "passed, "
    "failed, errored, skipped, blocked, started_at, finished_at) "
    "SELECT d.dispatch_id, d.run_id, d.task_id, d.attempt, d.received, d.reported, d.log_bytes, "
    "d.log_truncated, d.finished, d.ending, d.exit_status, d.signal, d.ending_detail, d.report, "
    "d.passed, d.failed, d.errored, d.skipped, d.blocked, to_timestamp(d.started_at / 1000.0), "
    "to_timestamp(d.finished_at / 1000.0) "
    "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::bigint[], "
    "$7::bigint[], $8::boolean[], $9::boolean[], $10::text[], $11::int[], $12::int[], $13::text[], "
    "$14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], "
    "$20::bigint[], $21::bigint[]) AS d (dispatch_id, run_id, task_id, attempt, received, "
    "reported, "
    "log_bytes, log_truncated, finished, ending, exit_status, signal, ending_detail, report, "
    "passed, "
    "failed, errored, skipped, blocked, started_at, finished_at) "
    "ON CONFLICT (dispatch_id) DO UPDATE SET received = excluded.received, "
    "reported = t.reported + excluded.reported, log_bytes = t.log_bytes + excluded.log_bytes, "
    "log_truncated = t.log_truncated OR excluded.log_truncated, finished = excluded.finished, "
    "ending = excluded.ending, exit_status = excluded.exit_status, signal = excluded.signal, "
    "ending_detail = excluded.ending_detail, report = excluded.report, passed = excluded.passed, "
    "failed = excluded.failed, errored = excluded.errored, skipped = excluded.skipped, "
    "blocked = excluded.blocked, started_at = excluded.started_at, "
    "finished_at = excluded.finished_at, recorded_at = now() WHERE NOT t.finished";

int db_add_task_records(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(columns_free) struct columns *columns = columns_new(21);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next) {
        if (!d->has_advanced)
            continue;
        add_progress(columns, d);
        add_ending(columns, d->finished);
        count++;
    }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    return store_pipeline_add(store, upsert_task_records, params, columns->count, -1, error);
}

/* ---- known_case ------------------------------------------------------------------------------- */

/* $1 runs, $2 dispatches. One row a case, whatever the number of runs and tries in the batch, and ordered,
 * so that two collectors never wait for each other. What was skipped says nothing of a duration. */
static const char upsert_known_cases[] =
    "INSERT INTO results.known_case AS k (project_id, case_key, file, class, name, parameters, "
    "runs, "
    "duration_ms, last_status, last_run_id) "
    "SELECT t.project_id, r.case_key, max(r.file), max(r.class), max(r.name), max(r.parameters), "
    "count(DISTINCT r.run_id), "
    "coalesce(avg(r.duration_ms) FILTER (WHERE r.status NOT IN ('skipped', 'blocked')), 0), "
    "(array_agg(r.status ORDER BY r.run_id DESC, r.try DESC))[1], "
    "(array_agg(r.run_id ORDER BY r.run_id DESC))[1] "
    "FROM results.result r JOIN results.run_totals t ON t.run_id = r.run_id "
    "WHERE r.run_id = ANY ($1::uuid[]) AND r.dispatch_id = ANY ($2::uuid[]) "
    "GROUP BY t.project_id, r.case_key ORDER BY t.project_id, r.case_key "
    "ON CONFLICT (project_id, case_key) DO UPDATE SET runs = k.runs + excluded.runs, "
    "duration_ms = CASE WHEN excluded.last_status IN ('skipped', 'blocked') THEN k.duration_ms "
    "ELSE k.duration_ms * 0.8 + excluded.duration_ms * 0.2 END, "
    "last_status = CASE WHEN excluded.last_run_id >= k.last_run_id THEN excluded.last_status "
    "ELSE k.last_status END, last_run_id = greatest(k.last_run_id, excluded.last_run_id), "
    "last_seen_at = now()";

int db_add_known_cases(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(columns_free) struct columns *columns = columns_new(2);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next) {
        if (d->finished == NULL || d->place != PLACE_COUNTED)
            continue;
        columns_text(columns, 0, d->run->id.text);
        columns_text(columns, 1, d->id.text);
        count++;
    }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    return store_pipeline_add(store, upsert_known_cases, params, columns->count, -1, error);
}
