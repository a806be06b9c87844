/* SPDX-License-Identifier: Apache-2.0 */
#include "db/records.h"

#include "base/memory.h"
#include "db/columns.h"

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
