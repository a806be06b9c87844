/* SPDX-License-Identifier: Apache-2.0 */
#include "db/webhook.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/columns.h"

static const struct column columns_of_webhook[] = {
    {"id", COLUMN_TEXT},
    {"url", COLUMN_TEXT},
    {"description", COLUMN_TEXT},
    {"events", COLUMN_JSON},
    {"enabled", COLUMN_BOOL},
    {"disabled_at", COLUMN_TEXT},
    {"disabled_reason", COLUMN_TEXT},
    {"failures_in_a_row", COLUMN_INT},
    {"last_success_at", COLUMN_TEXT},
    {"last_failure_at", COLUMN_TEXT},
    {"created_by", COLUMN_TEXT},
    {"created_at", COLUMN_TEXT},
    {"updated_at", COLUMN_TEXT},
};
static const struct columns webhook_columns = COLUMNS(columns_of_webhook);
#define WEBHOOK_SELECT                                                                             \
    "SELECT w.id, w.url, w.description, to_json(w.events), w.enabled,"                             \
    " api.utc(s.disabled_at), s.disabled_reason, coalesce(s.failures, 0),"                         \
    " api.utc(s.last_success_at), api.utc(s.last_failure_at), w.created_by,"                       \
    " api.utc(w.created_at), api.utc(w.updated_at)"                                                \
    " FROM api.webhook_endpoint w"                                                                 \
    " LEFT JOIN notify.endpoint_state s ON s.endpoint_id = w.id"                                   \
    " WHERE w.project_id = $1"

static const char get_sql[] = WEBHOOK_SELECT " AND w.id = $2";

int webhook_db_get(struct store *store, const struct uuid *project_id, const struct uuid *id,
                   json_t **webhook_r, struct error *error)
{
    return columns_find(store, get_sql, PARAMS(param_uuid(project_id), param_uuid(id)),
                        &webhook_columns, webhook_r, error);
}

static const char list_sql[] =
    WEBHOOK_SELECT " AND ($2::uuid IS NULL OR w.id < $2) ORDER BY w.id DESC LIMIT $3";

int webhook_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                    json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(project_id), param_uuid(&page->after), param_int(page->limit + 1)),
        &webhook_columns, items_r, error);
}

/* Two that are added at once are counted one after the other. */
static const char lock_sql[] = "SELECT FROM api.project WHERE id = $1 FOR NO KEY UPDATE";
static const char count_sql[] = "SELECT count(*) FROM api.webhook_endpoint WHERE project_id = $1";

int webhook_db_count(struct store *store, const struct uuid *project_id, int64_t *count_r,
                     struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, lock_sql, PARAMS(param_uuid(project_id)), NULL, error) < 0 ||
        store_query(store, count_sql, PARAMS(param_uuid(project_id)), &rows, error) < 0)
        return -1;
    *count_r = rows_int(rows, 0, 0);
    return 0;
}

static const char add_sql[] =
    "INSERT INTO api.webhook_endpoint"
    " (id, project_id, url, description, events, secret_sealed, enabled, created_by)"
    " SELECT $1, $2, $3, $4, ARRAY(SELECT jsonb_array_elements_text($5)), $6, $7, $8";

int webhook_db_add(struct store *store, const struct webhook_row *row, const uint8_t *sealed,
                   size_t sealed_length, struct error *error)
{
    AUTO(text_free) char *events = json_text(row->events);
    return store_query(store, add_sql,
                       PARAMS(param_uuid(row->id), param_uuid(row->project_id),
                              param_text(row->url), param_text(row->description),
                              param_text(events), param_bytes(sealed, sealed_length),
                              param_bool(row->enabled), param_uuid(row->created_by)),
                       NULL, error);
}

static const char set_sql[] =
    "UPDATE api.webhook_endpoint SET url = $2, description = $3,"
    " events = ARRAY(SELECT jsonb_array_elements_text($4)), enabled = $5, updated_at = now()"
    " WHERE id = $1";

int webhook_db_set(struct store *store, const struct webhook_row *row, struct error *error)
{
    AUTO(text_free) char *events = json_text(row->events);
    return store_query(store, set_sql,
                       PARAMS(param_uuid(row->id), param_text(row->url),
                              param_text(row->description), param_text(events),
                              param_bool(row->enabled)),
                       NULL, error);
}

static const char set_secret_sql[] =
    "UPDATE api.webhook_endpoint SET secret_sealed = $2, updated_at = now() WHERE id = $1";

int webhook_db_set_secret(struct store *store, const struct uuid *id, const uint8_t *sealed,
                          size_t sealed_length, struct error *error)
{
    return store_query(store, set_secret_sql,
                       PARAMS(param_uuid(id), param_bytes(sealed, sealed_length)), NULL, error);
}

static const char remove_sql[] = "DELETE FROM api.webhook_endpoint WHERE id = $1";

int webhook_db_remove(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, remove_sql, PARAMS(param_uuid(id)), NULL, error);
}
