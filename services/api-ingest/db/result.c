/* SPDX-License-Identifier: Apache-2.0 */
#include "db/result.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/columns.h"
#include "model/limits.h"

static const struct column columns_of_result[] = {
    {"case_key", COLUMN_TEXT}, {"file", COLUMN_TEXT},       {"class", COLUMN_TEXT},
    {"name", COLUMN_TEXT},     {"parameters", COLUMN_TEXT}, {"variant", COLUMN_TEXT},
    {"try", COLUMN_INT},       {"status", COLUMN_TEXT},     {"duration_ms", COLUMN_INT},
    {"message", COLUMN_TEXT},  {"trace", COLUMN_TEXT},      {"task_id", COLUMN_TEXT},
    {"attempt", COLUMN_INT},   {"started_at", COLUMN_TEXT}, {"recorded_at", COLUMN_TEXT},
};
const struct columns result_columns = COLUMNS(columns_of_result);

static const char list_results_sql[] =
    "SELECT " RESULT_COLUMNS " FROM results.result r WHERE r.run_id = $1"
    " AND ($2::text IS NULL OR r.status = ANY(string_to_array($2, ',')))"
    " AND ($3 OR " RESULT_DECIDES
    ") AND ($8::uuid IS NULL OR r.task_id = $8) AND ($9::text IS NULL OR position(lower($9)"
    " in lower(concat_ws(' ', r.file, r.class, r.name, r.parameters))) > 0)"
    " AND ($4::text IS NULL OR (r.case_key, r.variant, r.try) > (decode($4, 'hex'), $5, $6))"
    " ORDER BY r.case_key, r.variant, r.try LIMIT $7";

int result_db_list(struct store *store, const struct uuid *run_id,
                   const struct result_filter *filter, const struct result_position *after,
                   int64_t limit, json_t **items_r, struct error *error)
{
    const char *key = after->case_key[0] == '\0' ? NULL : after->case_key;
    return columns_list(store, list_results_sql,
                        PARAMS(param_uuid(run_id), param_text(filter->status),
                               param_bool(filter->all_tries), param_text(key),
                               param_text(after->variant == NULL ? "" : after->variant),
                               param_int(after->try), param_int(limit),
                               param_uuid(&filter->task_id), param_text(filter->search)),
                        &result_columns, items_r, error);
}

static const struct column columns_of_task[] = {
    {"id", COLUMN_TEXT},
    {"ordinal", COLUMN_INT},
    {"kind", COLUMN_TEXT},
    {"variant", COLUMN_TEXT},
    {"state", COLUMN_TEXT},
    {"outcome", COLUMN_TEXT},
    {"reason", COLUMN_TEXT},
    {"reason_detail", COLUMN_TEXT},
    {"attempt", COLUMN_INT},
    {"cases", COLUMN_INT},
    {"losses_started", COLUMN_INT},
    {"worker.id", COLUMN_TEXT},
    {"worker.name", COLUMN_TEXT},
    {"record.ending", COLUMN_TEXT},
    {"record.exit_status", COLUMN_INT},
    {"record.signal", COLUMN_INT},
    {"record.detail", COLUMN_TEXT},
    {"record.report", COLUMN_TEXT},
    {"record.reported", COLUMN_INT},
    {"record.log_bytes", COLUMN_INT},
    {"record.log_truncated", COLUMN_BOOL},
    {"queued_at", COLUMN_TEXT},
    {"dispatched_at", COLUMN_TEXT},
    {"started_at", COLUMN_TEXT},
    {"finished_at", COLUMN_TEXT},
    {"deadline", COLUMN_TEXT},
};
static const struct columns task_columns = COLUMNS(columns_of_task);

static const char list_tasks_sql[] =
    "SELECT t.id, t.ordinal, t.kind, t.variant, t.state, t.outcome, t.reason,"
    " t.reason_detail, t.attempt, jsonb_array_length(t.cases), t.losses_started,"
    " t.worker_id, e.name, d.ending, d.exit_status, d.signal, d.ending_detail, d.report,"
    " d.reported, d.log_bytes, d.log_truncated, api.utc(t.queued_at),"
    " api.utc(t.dispatched_at), api.utc(t.started_at), api.utc(t.finished_at),"
    " api.utc(t.deadline)"
    " FROM scheduling.task t"
    " LEFT JOIN api.enrolment e ON e.worker_id = t.worker_id"
    " LEFT JOIN results.task_record d ON d.dispatch_id = t.dispatch_id"
    " WHERE t.run_id = $1 AND t.ordinal > $2"
    " ORDER BY t.ordinal LIMIT $3";

int task_db_list(struct store *store, const struct uuid *run_id, int64_t after_ordinal,
                 int64_t limit, json_t **items_r, struct error *error)
{
    return columns_list(store, list_tasks_sql,
                        PARAMS(param_uuid(run_id), param_int(after_ordinal), param_int(limit)),
                        &task_columns, items_r, error);
}

static const struct column columns_of_chunk[] = {
    {"task_id", COLUMN_TEXT}, {"ordinal", COLUMN_INT}, {"attempt", COLUMN_INT}, {"seq", COLUMN_INT},
    {"stream", COLUMN_TEXT},  {"at", COLUMN_TEXT},     {"text", COLUMN_TEXT},
};
static const struct columns chunk_columns = COLUMNS(columns_of_chunk);

static const char list_chunks_sql[] =
    "SELECT t.id, t.ordinal, l.attempt, l.seq, l.stream, api.utc(l.at), l.text"
    " FROM results.log_chunk l"
    " JOIN scheduling.task t ON t.id = l.task_id AND t.run_id = $1"
    " WHERE l.run_id = $1 AND ($2::uuid IS NULL OR t.id = $2) AND (t.ordinal, l.attempt,"
    " l.seq) > ($3, $4, $5)"
    " ORDER BY t.ordinal, l.attempt, l.seq LIMIT $6";

int log_db_list(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                const struct log_position *after, int64_t limit, json_t **items_r,
                struct error *error)
{
    return columns_list(store, list_chunks_sql,
                        PARAMS(param_uuid(run_id), param_uuid(task_id), param_int(after->ordinal),
                               param_int(after->attempt), param_int(after->seq), param_int(limit)),
                        &chunk_columns, items_r, error);
}

static const char tail_sql[] =
    "SELECT text FROM results.log_chunk WHERE run_id = $1 AND task_id = $2"
    " ORDER BY attempt DESC, seq DESC LIMIT $3";

int log_db_tail(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                int64_t bytes, char **text_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const int64_t chunks = bytes / 256 + 1; /* even when each is short */
    struct buffer text;
    if (store_query(
            store, tail_sql,
            PARAMS(param_uuid(run_id), param_uuid(task_id), param_int(chunks < 64 ? chunks : 64)),
            &rows, error) < 0)
        return -1;
    buffer_init(&text, (size_t)64 * (size_t)LIMIT_LOG_CHUNK_BYTES * 2);
    for (int row = rows_count(rows) - 1; row >= 0; row--)
        buffer_add_text(&text, rows_text(rows, row, 0));
    const char *from = buffer_text(&text);
    if (text.length > (size_t)bytes) {
        from += text.length - (size_t)bytes;
        const char *line = strchr(from, '\n');
        from = line == NULL ? from : line + 1;
    }
    *text_r = utf8_clean(from, strlen(from));
    buffer_deinit(&text);
    return 0;
}
