/* SPDX-License-Identifier: Apache-2.0 */
#include "db/artifact.h"

#include "base/memory.h"
#include "db/columns.h"

static const char dispatch_sql[] =
    "SELECT d.id, d.run_id, d.task_id, d.attempt, e.key, count(a.id), coalesce(sum(a.bytes), 0)"
    " FROM scheduling.dispatch d"
    " JOIN api.enrolment e ON e.worker_id = d.worker_id AND e.revoked_at IS NULL"
    " JOIN api.run r ON r.id = d.run_id"
    " LEFT JOIN api.artifact a ON a.dispatch_id = d.id"
    " WHERE d.id = $1 AND d.ended IS NULL GROUP BY d.id, e.key";

int artifact_db_dispatch(struct store *store, const struct uuid *id,
                         struct open_dispatch *dispatch_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, dispatch_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *dispatch_r = (struct open_dispatch){.id = {""}};
    if (rows_count(rows) == 0 || rows_bytes(rows, 0, 4, dispatch_r->worker_key, MAC_KEY_BYTES) !=
                                     sizeof dispatch_r->worker_key)
        return 0;
    dispatch_r->id = rows_uuid(rows, 0, 0);
    dispatch_r->run_id = rows_uuid(rows, 0, 1);
    dispatch_r->task_id = rows_uuid(rows, 0, 2);
    dispatch_r->attempt = rows_int(rows, 0, 3);
    dispatch_r->files = rows_int(rows, 0, 5);
    dispatch_r->bytes = rows_int(rows, 0, 6);
    return 0;
}

static const char claim_sql[] = "INSERT INTO api.blob (name, bytes) VALUES (decode($1, 'hex'), $2)"
                                " ON CONFLICT (name) DO UPDATE SET used_at = now()";

int blob_db_claim(struct store *store, const char *name, int64_t bytes, struct error *error)
{
    return store_query(store, claim_sql, PARAMS(param_text(name), param_int(bytes)), NULL, error);
}

/* Whoever claims one of these waits for the end of the transaction, finds no row and writes the bytes. */
static const char take_unused_sql[] =
    "DELETE FROM api.blob WHERE name IN (SELECT b.name FROM api.blob b"
    "  WHERE b.used_at < now() - interval '1 hour'"
    "  AND NOT EXISTS (SELECT FROM api.artifact a WHERE a.blob = b.name)"
    "  AND NOT EXISTS (SELECT FROM api.bundle u WHERE u.blob = b.name)"
    "  ORDER BY b.used_at LIMIT 100 FOR UPDATE SKIP LOCKED)"
    " RETURNING encode(name, 'hex')";

int blob_db_take_unused(struct store *store, struct rows **rows_r, struct error *error)
{
    return store_query(store, take_unused_sql, NO_PARAMS, rows_r, error);
}

static const char save_sql[] =
    "INSERT INTO api.artifact (id, run_id, task_id, dispatch_id, attempt, path, is_report, blob,"
    " bytes, lines_covered, lines_total)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, decode($8, 'hex'), $9, $10, $11)"
    " ON CONFLICT (dispatch_id, path) DO UPDATE SET blob = excluded.blob, bytes = excluded.bytes,"
    " is_report = excluded.is_report, lines_covered = excluded.lines_covered,"
    " lines_total = excluded.lines_total RETURNING id";

int artifact_db_save(struct store *store, const struct artifact_row *row, struct uuid *id_r,
                     struct error *error)
{
    const struct open_dispatch *dispatch = row->dispatch;
    const bool has_coverage = row->lines_total >= 0;
    const struct uuid id = uuid_v7();
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, save_sql,
                    PARAMS(param_uuid(&id), param_uuid(&dispatch->run_id),
                           param_uuid(&dispatch->task_id), param_uuid(&dispatch->id),
                           param_int(dispatch->attempt), param_text(row->path),
                           param_bool(row->is_report), param_text(row->blob), param_int(row->bytes),
                           has_coverage ? param_int(row->lines_covered) : param_null(),
                           has_coverage ? param_int(row->lines_total) : param_null()),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_uuid(rows, 0, 0);
    return 0;
}

static const struct column columns_of_artifact[] = {
    {"id", COLUMN_TEXT},
    {"path", COLUMN_TEXT},
    {"kind", COLUMN_TEXT},
    {"bytes", COLUMN_INT},
    {"sha256", COLUMN_TEXT},
    {"task_id", COLUMN_TEXT},
    {"attempt", COLUMN_INT},
    {"coverage.lines_covered", COLUMN_INT},
    {"coverage.lines_total", COLUMN_INT},
    {"created_at", COLUMN_TEXT},
};
static const struct columns artifact_columns = COLUMNS(columns_of_artifact);

#define ARTIFACT_SELECT                                                                            \
    "SELECT a.id, a.path, CASE WHEN a.is_report THEN 'report' ELSE 'file' END, a.bytes,"           \
    " encode(a.blob, 'hex'), a.task_id, a.attempt, a.lines_covered, a.lines_total,"                \
    " api.utc(a.created_at) FROM api.artifact a WHERE a.run_id = $1"

static const char list_sql[] =
    ARTIFACT_SELECT " AND ($2::uuid IS NULL OR a.id > $2) ORDER BY a.id LIMIT $3";

int artifact_db_list(struct store *store, const struct uuid *run_id, const struct page *page,
                     json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(run_id), param_uuid(&page->after), param_int(page->limit + 1)),
        &artifact_columns, items_r, error);
}

static const char get_sql[] = ARTIFACT_SELECT " AND a.id = $2";

int artifact_db_get(struct store *store, const struct uuid *run_id, const struct uuid *id,
                    json_t **artifact_r, struct error *error)
{
    return columns_find(store, get_sql, PARAMS(param_uuid(run_id), param_uuid(id)),
                        &artifact_columns, artifact_r, error);
}

/* Pieces of one suite write the same path about the same lines, each about those that it ran: the best of
 * them is what is sure. Other paths are about other lines. An attempt that was lost counts no more. */
static const char coverage_sql[] =
    "SELECT sum(lines_covered)::bigint, sum(lines_total)::bigint, bool_or(files > 1) FROM"
    " (SELECT max(a.lines_covered) AS lines_covered, max(a.lines_total) AS lines_total,"
    "   count(*) AS files FROM api.artifact a"
    "  WHERE a.run_id = $1 AND a.lines_total IS NOT NULL AND NOT EXISTS"
    "   (SELECT FROM api.artifact b WHERE b.run_id = $1 AND b.task_id = a.task_id"
    "    AND b.attempt > a.attempt AND b.lines_total IS NOT NULL)"
    "  GROUP BY a.path) paths";

int artifact_db_coverage(struct store *store, const struct uuid *run_id, json_t **coverage_r,
                         struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, coverage_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    *coverage_r = NULL;
    if (rows_is_null(rows, 0, 1))
        return 0;
    int64_t covered = rows_int(rows, 0, 0), total = rows_int(rows, 0, 1);
    *coverage_r = json_pack("{s:I, s:I, s:f, s:b}", "lines_covered", (json_int_t)covered,
                            "lines_total", (json_int_t)total, "percent",
                            total == 0 ? 0.0 : 100.0 * (double)covered / (double)total, "at_least",
                            (int)rows_bool(rows, 0, 2));
    return 0;
}
