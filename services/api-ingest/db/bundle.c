/* SPDX-License-Identifier: Apache-2.0 */
#include "db/bundle.h"

#include <stdio.h>

#include "base/memory.h"
#include "db/columns.h"

static const struct column columns_of_bundle[] = {
    {"sha256", COLUMN_TEXT}, {"bytes", COLUMN_INT}, {"created_at", COLUMN_TEXT}};
static const struct columns bundle_columns = COLUMNS(columns_of_bundle);

static const char use_sql[] =
    "UPDATE api.bundle SET used_at = now() WHERE project_id = $1 AND blob = decode($2, 'hex')"
    " RETURNING encode(blob, 'hex'), bytes, api.utc(created_at)";

int bundle_db_use(struct store *store, const struct uuid *project_id, const char *name,
                  json_t **bundle_r, struct error *error)
{
    return columns_find(store, use_sql, PARAMS(param_uuid(project_id), param_text(name)),
                        &bundle_columns, bundle_r, error);
}

static const char save_sql[] =
    "INSERT INTO api.bundle (project_id, blob, bytes) VALUES ($1, decode($2, 'hex'), $3)"
    " ON CONFLICT (project_id, blob) DO UPDATE SET used_at = now()";

int bundle_db_save(struct store *store, const struct uuid *project_id, const char *name,
                   int64_t bytes, struct error *error)
{
    return store_query(store, save_sql,
                       PARAMS(param_uuid(project_id), param_text(name), param_int(bytes)), NULL,
                       error);
}

static const char of_run_sql[] = "SELECT encode(bundle, 'hex') FROM api.run WHERE id = $1";

int bundle_db_of_run(struct store *store, const struct uuid *run_id, char name_r[BLOB_NAME_SIZE],
                     struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, of_run_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    bool has_one = rows_count(rows) > 0 && !rows_is_null(rows, 0, 0);
    snprintf(name_r, BLOB_NAME_SIZE, "%s", has_one ? rows_text(rows, 0, 0) : "");
    return 0;
}

static const char remove_unused_sql[] =
    "DELETE FROM api.bundle WHERE (project_id, blob) IN (SELECT b.project_id, b.blob"
    "  FROM api.bundle b WHERE b.used_at < now() - interval '1 hour' AND NOT EXISTS"
    "   (SELECT FROM api.run r WHERE r.project_id = b.project_id AND r.bundle = b.blob)"
    "  ORDER BY b.used_at LIMIT 100 FOR UPDATE SKIP LOCKED)";

int bundle_db_remove_unused(struct store *store, struct error *error)
{
    return store_query(store, remove_unused_sql, NO_PARAMS, NULL, error);
}
