/* SPDX-License-Identifier: Apache-2.0 */
#include "db/upload.h"

#include <sodium.h>

#include "base/memory.h"
#include "db/columns.h"
#include "model/limits.h"

void uploaded_run_deinit(struct uploaded_run *run)
{
    text_free(&run->suite);
    text_free(&run->framework);
    text_free(&run->format);
}

static const char run_sql[] =
    "SELECT r.id, r.project_id, r.pool_id, r.suite_slug, v.spec->>'framework',"
    " v.spec->'report'->>'format', v.spec->'source'->>'kind' = 'upload'"
    " FROM api.run r JOIN api.suite_version v ON v.id = r.suite_version_id WHERE r.id = $1";

int upload_db_run(struct store *store, const struct uuid *run_id, struct uploaded_run *run_r,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    *run_r = (struct uploaded_run){.suite = NULL};
    if (store_query(store, run_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    *run_r = (struct uploaded_run){.id = rows_uuid(rows, 0, 0),
                                   .project_id = rows_uuid(rows, 0, 1),
                                   .pool_id = rows_uuid(rows, 0, 2),
                                   .suite = rows_copy(rows, 0, 3),
                                   .framework = rows_copy(rows, 0, 4),
                                   .format = rows_copy(rows, 0, 5),
                                   .is_uploaded = rows_bool(rows, 0, 6)};
    return 0;
}

/* The first upload of an installation makes the key that all of them are signed by. */
static const char ensure_uploader_sql[] =
    "INSERT INTO api.uploader (worker_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING";

static int ensure_uploader(struct store *store, struct error *error)
{
    const struct uuid id = uuid_random();
    uint8_t key[MAC_KEY_BYTES];
    randombytes_buf(key, sizeof key);
    int status = store_query(store, ensure_uploader_sql,
                             PARAMS(param_uuid(&id), param_bytes(key, sizeof key)), NULL, error);
    sodium_memzero(key, sizeof key);
    return status;
}

/* Each variant is to have all cases that are declared: so many there are with this one. */
#define FITS_DECLARED(run, variant, most)                                                          \
    "(SELECT coalesce(v.cases, 0) * (SELECT count(DISTINCT w.variant) FROM"                        \
    "  (SELECT variant FROM api.upload WHERE run_id = " run " UNION ALL SELECT " variant ") w)"    \
    " FROM api.run a JOIN api.suite_version v ON v.id = a.suite_version_id"                        \
    " WHERE a.id = " run ") <= " most
static const char add_sql[] =
    "INSERT INTO api.upload (id, run_id, worker_id, digest, format, bytes, cases, created_by, variant)"
    " SELECT $1, $2, p.worker_id, decode($3, 'hex'), $4, $5, $6, $7, $10 FROM api.uploader p"
    " WHERE NOT EXISTS (SELECT FROM api.run_request q WHERE q.run_id = $2 AND q.kind = 'complete')"
    " AND NOT EXISTS (SELECT FROM scheduling.run_state s WHERE s.run_id = $2"
    "  AND s.finished_at IS NOT NULL)"
    " AND (SELECT count(*) FROM api.upload u WHERE u.run_id = $2) < $8"
    " AND (SELECT coalesce(sum(u.cases), 0) FROM api.upload u WHERE u.run_id = $2) + $6::bigint <= $9::bigint"
    " AND " FITS_DECLARED("$2", "$10",
                          "$9::bigint") " ON CONFLICT (run_id, digest, variant) DO NOTHING";
static const char why_not_sql[] =
    "SELECT EXISTS (SELECT FROM api.upload WHERE run_id = $1 AND digest = decode($2, 'hex')"
    "  AND variant = $4),"
    " EXISTS (SELECT FROM scheduling.run_state WHERE run_id = $1 AND finished_at IS NOT NULL),"
    " EXISTS (SELECT FROM api.run_request WHERE run_id = $1 AND kind = 'complete'),"
    " (SELECT count(*) FROM api.upload WHERE run_id = $1) < $3,"
    " " FITS_DECLARED("$1", "$4", "$5::bigint");

static int explain(struct store *store, const struct upload_row *row, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, why_not_sql,
                    PARAMS(param_uuid(row->run_id), param_text(row->digest),
                           param_int(LIMIT_UPLOADS_PER_RUN), param_text(row->variant),
                           param_int(LIMIT_CASES_PER_RUN)),
                    &rows, error) < 0)
        return -1;
    if (rows_bool(rows, 0, 0))
        return 0;
    if (rows_bool(rows, 0, 1))
        return error_set(error, "conflict", "the run is over: nothing can be added to it");
    if (rows_bool(rows, 0, 2))
        return error_set(error, "conflict",
                         "the run was said to be complete: nothing can be added to it");
    if (!rows_bool(rows, 0, 4))
        return error_set(error, "conflict",
                         "the suite's declared cases are more than %lld with another variant",
                         (long long)LIMIT_CASES_PER_RUN);
    if (rows_bool(rows, 0, 3))
        return error_set(error, "conflict", "the uploads of a run have at most %lld cases together",
                         (long long)LIMIT_CASES_PER_RUN);
    return error_set(error, "conflict", "a run has at most %lld uploads",
                     (long long)LIMIT_UPLOADS_PER_RUN);
}

/* A statement of its own: the one behind it sees what they have added that held the lock before. */
static const char lock_run_sql[] = "SELECT FROM api.run WHERE id = $1 FOR NO KEY UPDATE";

static int lock_run(struct store *store, const struct uuid *run_id, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, lock_run_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    return rows_count(rows) == 1
               ? 0
               : error_set(error, "not_found", "the run %s was removed just now", run_id->text);
}

int upload_db_add(struct store *store, const struct upload_row *row, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid id = uuid_v7();
    if (ensure_uploader(store, error) < 0 || lock_run(store, row->run_id, error) < 0 ||
        store_query(store, add_sql,
                    PARAMS(param_uuid(&id), param_uuid(row->run_id), param_text(row->digest),
                           param_text(row->format), param_int(row->bytes), param_int(row->cases),
                           param_uuid(row->created_by), param_int(LIMIT_UPLOADS_PER_RUN),
                           param_int(LIMIT_CASES_PER_RUN), param_text(row->variant)),
                    &rows, error) < 0)
        return -1;
    return rows_affected(rows) == 1 ? 0 : explain(store, row, error);
}

static const char complete_sql[] =
    "INSERT INTO api.run_request (id, run_id, kind, created_by) SELECT $1, $2, 'complete', $3"
    " WHERE NOT EXISTS (SELECT FROM api.run_request WHERE run_id = $2 AND kind = 'complete')"
    " AND NOT EXISTS (SELECT FROM scheduling.run_state WHERE run_id = $2"
    "  AND finished_at IS NOT NULL)";

int upload_db_complete(struct store *store, const struct uuid *run_id,
                       const struct uuid *created_by, struct error *error)
{
    const struct uuid id = uuid_v7();
    return store_query(store, complete_sql,
                       PARAMS(param_uuid(&id), param_uuid(run_id), param_uuid(created_by)), NULL,
                       error);
}

static const char state_sql[] =
    "SELECT u.id, u.worker_id, p.key, d.id, d.results_partition, coalesce(r.received, 0),"
    " coalesce(r.finished, false),"
    " coalesce(t.state = 'done', false) OR coalesce(s.finished_at IS NOT NULL, false)"
    " FROM api.upload u JOIN api.uploader p ON p.worker_id = u.worker_id"
    " LEFT JOIN scheduling.task t ON t.id = u.id"
    " LEFT JOIN scheduling.dispatch d ON d.task_id = u.id"
    " LEFT JOIN results.task_record r ON r.dispatch_id = d.id"
    " LEFT JOIN scheduling.run_state s ON s.run_id = u.run_id"
    " WHERE u.run_id = $1 AND u.digest = decode($2, 'hex') AND u.variant = $3";

int upload_db_state(struct store *store, const struct uuid *run_id, const char *digest,
                    const char *variant, struct upload_state *state_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, state_sql,
                    PARAMS(param_uuid(run_id), param_text(digest), param_text(variant)), &rows,
                    error) < 0)
        return -1;
    *state_r = (struct upload_state){.partition = 0};
    if (rows_count(rows) == 0)
        return 0;
    if (rows_bytes(rows, 0, 2, state_r->key, sizeof state_r->key) != sizeof state_r->key)
        return error_set(error, "internal", "the uploader's key is not one");
    state_r->id = rows_uuid(rows, 0, 0);
    state_r->worker_id = rows_uuid(rows, 0, 1);
    state_r->dispatch_id = rows_uuid(rows, 0, 3);
    state_r->partition = (int)rows_int(rows, 0, 4);
    state_r->received = rows_int(rows, 0, 5);
    state_r->is_recorded = rows_bool(rows, 0, 6);
    state_r->is_over = rows_bool(rows, 0, 7);
    return 0;
}

static const struct column columns_of_upload[] = {
    {"id", COLUMN_TEXT},     {"variant", COLUMN_TEXT}, {"format", COLUMN_TEXT},
    {"sha256", COLUMN_TEXT}, {"bytes", COLUMN_INT},    {"cases", COLUMN_INT},
    {"counted", COLUMN_INT}, {"passed", COLUMN_INT},   {"failed", COLUMN_INT},
    {"errored", COLUMN_INT}, {"skipped", COLUMN_INT},  {"created_at", COLUMN_TEXT},
};
static const struct columns upload_columns = COLUMNS(columns_of_upload);

/* counted: those whose case no other upload had told of before. */
static const char answer_sql[] =
    "SELECT u.id, u.variant, u.format, encode(u.digest, 'hex'), u.bytes, u.cases,"
    " (SELECT count(*) FROM results.result x WHERE x.run_id = u.run_id AND x.task_id = u.id),"
    " r.passed, r.failed, r.errored, r.skipped, api.utc(u.created_at)"
    " FROM api.upload u JOIN scheduling.dispatch d ON d.task_id = u.id"
    " JOIN results.task_record r ON r.dispatch_id = d.id WHERE u.id = $1";

int upload_db_answer(struct store *store, const struct uuid *upload_id, json_t **upload_r,
                     struct error *error)
{
    return columns_find(store, answer_sql, PARAMS(param_uuid(upload_id)), &upload_columns, upload_r,
                        error);
}
