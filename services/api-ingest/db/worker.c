/* SPDX-License-Identifier: Apache-2.0 */
#include "db/worker.h"

#include "base/memory.h"
#include "db/columns.h"

static const char add_principal_sql[] = "INSERT INTO api.principal (id, kind, name)"
                                        " VALUES ($1, 'worker', $2) ON CONFLICT DO NOTHING";
/* No row: the name was revoked. */
static const char enrol_sql[] =
    "INSERT INTO api.enrolment (worker_id, pool_id, name, key, lane) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (pool_id, name) DO UPDATE SET key = $4 WHERE enrolment.revoked_at IS NULL"
    " RETURNING worker_id, lane, coalesce((SELECT w.incarnation FROM scheduling.worker w"
    " WHERE w.id = enrolment.worker_id), 0)";

int worker_db_enrol(struct store *store, const struct uuid *new_id, const struct uuid *pool_id,
                    const char *name, const uint8_t key[MAC_KEY_BYTES], int lane,
                    struct enrolled *enrolled_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, enrol_sql,
                    PARAMS(param_uuid(new_id), param_uuid(pool_id), param_text(name),
                           param_bytes(key, MAC_KEY_BYTES), param_int(lane)),
                    &rows, error) < 0)
        return -1;
    enrolled_r->is_refused = rows_count(rows) == 0;
    if (enrolled_r->is_refused)
        return 0;
    enrolled_r->worker_id = rows_uuid(rows, 0, 0);
    enrolled_r->lane = (int)rows_int(rows, 0, 1);
    enrolled_r->incarnation = rows_int(rows, 0, 2);
    enrolled_r->is_new = uuid_equal(&enrolled_r->worker_id, new_id);
    if (!enrolled_r->is_new)
        return 0;
    return store_query(store, add_principal_sql, PARAMS(param_uuid(new_id), param_text(name)), NULL,
                       error);
}

static const struct column columns_of_worker[] = {
    {"id", COLUMN_TEXT},
    {"name", COLUMN_TEXT},
    {"pool.id", COLUMN_TEXT},
    {"pool.slug", COLUMN_TEXT},
    {"state", COLUMN_TEXT},
    {"labels", COLUMN_JSON},
    {"slots", COLUMN_INT},
    {"running_tasks", COLUMN_INT},
    {"version", COLUMN_TEXT},
    {"lane", COLUMN_INT},
    {"enrolled_at", COLUMN_TEXT},
    {"revoked_at", COLUMN_TEXT},
    {"last_heartbeat_at", COLUMN_TEXT},
};
static const struct columns worker_columns = COLUMNS(columns_of_worker);
/* One that has enrolled but never been heard of is "enrolled". */
#define WORKER_STATE                                                                               \
    "CASE WHEN e.revoked_at IS NOT NULL THEN 'revoked' ELSE coalesce(w.state, 'enrolled') END"
#define WORKER_SELECT                                                                              \
    "SELECT e.worker_id, e.name, p.id, p.slug, " WORKER_STATE ", coalesce(w.labels, '{}'),"        \
    " coalesce(w.slots, 0), (SELECT count(*)"                                                      \
    " FROM scheduling.dispatch d"                                                                  \
    " WHERE d.worker_id = e.worker_id AND d.ended IS NULL), coalesce(w.version, ''),"              \
    " e.lane, api.utc(e.created_at), api.utc(e.revoked_at), api.utc(w.last_heartbeat_at)"          \
    " FROM api.enrolment e"                                                                        \
    " JOIN api.pool p ON p.id = e.pool_id"                                                         \
    " LEFT JOIN scheduling.worker w ON w.id = e.worker_id"                                         \
    " WHERE ($1::uuid IS NULL OR p.all_projects OR EXISTS (SELECT"                                 \
    " FROM api.pool_project g"                                                                     \
    " WHERE g.pool_id = p.id AND g.project_id = $1))"

static const char list_sql[] =
    WORKER_SELECT " AND ($2::text IS NULL OR p.slug = $2 OR p.id::text = $2)"
                  " AND ($3::text IS NULL OR " WORKER_STATE " = $3)"
                  " AND ($4::uuid IS NULL OR e.worker_id < $4)"
                  " ORDER BY e.worker_id DESC LIMIT $5";

int worker_db_list(struct store *store, const struct uuid *only, const char *pool,
                   const char *state, const struct page *page, json_t **items_r,
                   struct error *error)
{
    return columns_list(store, list_sql,
                        PARAMS(param_uuid(only), param_text(pool), param_text(state),
                               param_uuid(&page->after), param_int(page->limit + 1)),
                        &worker_columns, items_r, error);
}

static const char get_sql[] = WORKER_SELECT " AND e.worker_id = $2";

int worker_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                  json_t **worker_r, struct error *error)
{
    return columns_find(store, get_sql, PARAMS(param_uuid(only), param_uuid(id)), &worker_columns,
                        worker_r, error);
}

static const char revoke_sql[] = "UPDATE api.enrolment SET revoked_at = now()"
                                 " WHERE worker_id = $1 AND revoked_at IS NULL";

int worker_db_revoke(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, revoke_sql, PARAMS(param_uuid(id)), NULL, error);
}

static const char restore_sql[] = "UPDATE api.enrolment SET revoked_at = NULL, key = $2"
                                  " WHERE worker_id = $1 AND revoked_at IS NOT NULL";

int worker_db_restore(struct store *store, const struct uuid *id, const uint8_t key[MAC_KEY_BYTES],
                      struct error *error)
{
    return store_query(store, restore_sql, PARAMS(param_uuid(id), param_bytes(key, MAC_KEY_BYTES)),
                       NULL, error);
}
