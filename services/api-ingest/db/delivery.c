/* SPDX-License-Identifier: Apache-2.0 */
#include "db/delivery.h"

#include "base/memory.h"
#include "db/columns.h"

static const struct column columns_of_delivery[] = {
    {"id", COLUMN_TEXT},
    {"state", COLUMN_TEXT},
    {"event.id", COLUMN_TEXT},
    {"event.type", COLUMN_TEXT},
    {"webhook.id", COLUMN_TEXT},
    {"webhook.url", COLUMN_TEXT},
    {"project_id", COLUMN_TEXT},
    {"request_id", COLUMN_TEXT},
    {"attempts", COLUMN_INT},
    {"next_attempt_at", COLUMN_TEXT},
    {"created_at", COLUMN_TEXT},
    {"finished_at", COLUMN_TEXT},
    {"last_status_code", COLUMN_INT},
    {"last_error", COLUMN_TEXT},
};
static const struct columns delivery_columns = COLUMNS(columns_of_delivery);
#define DELIVERY_SELECT                                                                            \
    "SELECT d.id, d.state, d.event_id, d.event_type, d.endpoint_id, w.url, d.project_id,"          \
    " d.request_id, d.attempts, api.utc(d.next_attempt_at), api.utc(d.created_at),"                \
    " api.utc(d.finished_at), a.status_code, a.error"                                              \
    " FROM notify.delivery d"                                                                      \
    " LEFT JOIN api.webhook_endpoint w ON w.id = d.endpoint_id"                                    \
    " LEFT JOIN LATERAL (SELECT status_code, error"                                                \
    " FROM notify.delivery_attempt a"                                                              \
    " WHERE a.delivery_id = d.id"                                                                  \
    " ORDER BY attempt DESC LIMIT 1) a ON true"

static const char list_sql[] =
    DELIVERY_SELECT " WHERE d.project_id = $1 AND ($2::text IS NULL OR d.state = $2)"
                    " AND ($3::text IS NULL OR d.event_type = $3)"
                    " AND ($4::uuid IS NULL OR d.endpoint_id = $4)"
                    " AND ($7::timestamptz IS NULL OR d.created_at >= $7)"
                    " AND ($8::timestamptz IS NULL OR d.created_at < $8)"
                    " AND ($5::uuid IS NULL OR d.id < $5) ORDER BY d.id DESC LIMIT $6";

int delivery_db_list(struct store *store, const struct uuid *project_id,
                     const struct delivery_filter *filter, const struct page *page,
                     json_t **items_r, struct error *error)
{
    return columns_list(store, list_sql,
                        PARAMS(param_uuid(project_id), param_text(filter->state),
                               param_text(filter->event), param_uuid(&filter->webhook_id),
                               param_uuid(&page->after), param_int(page->limit + 1),
                               param_text(filter->since), param_text(filter->until)),
                        &delivery_columns, items_r, error);
}

static const struct column columns_of_attempt[] = {
    {"attempt", COLUMN_INT},     {"at", COLUMN_TEXT},    {"duration_ms", COLUMN_INT},
    {"status_code", COLUMN_INT}, {"error", COLUMN_TEXT}, {"response", COLUMN_TEXT},
};
static const struct columns attempt_columns = COLUMNS(columns_of_attempt);

static const char get_sql[] =
    DELIVERY_SELECT " WHERE ($1::uuid IS NULL OR d.project_id = $1) AND d.id = $2";
static const char attempts_sql[] =
    "SELECT attempt, api.utc(at), duration_ms, status_code, error, response"
    " FROM notify.delivery_attempt"
    " WHERE delivery_id = $1"
    " ORDER BY attempt LIMIT 200";

int delivery_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                    json_t **delivery_r, struct error *error)
{
    json_t *attempts;
    if (columns_find(store, get_sql, PARAMS(param_uuid(only), param_uuid(id)), &delivery_columns,
                     delivery_r, error) < 0)
        return -1;
    if (*delivery_r == NULL)
        return 0;
    if (columns_list(store, attempts_sql, PARAMS(param_uuid(id)), &attempt_columns, &attempts,
                     error) < 0) {
        json_decref(*delivery_r);
        return -1;
    }
    json_object_set_new(*delivery_r, "attempt_log", attempts);
    return 0;
}

static const char has_event_sql[] =
    "SELECT EXISTS (SELECT FROM notify.event WHERE id = $1 AND project_id = $2)";

int delivery_db_has_event(struct store *store, const struct uuid *event_id,
                          const struct uuid *project_id, bool *answer_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, has_event_sql, PARAMS(param_uuid(event_id), param_uuid(project_id)),
                    &rows, error) < 0)
        return -1;
    *answer_r = rows_bool(rows, 0, 0);
    return 0;
}

static const char request_sql[] =
    "INSERT INTO api.delivery_request (id, kind, endpoint_id, event_id, created_by)"
    " VALUES ($1, CASE WHEN $3::uuid IS NULL THEN 'test' ELSE 'redeliver' END, $2, $3, $4)";

int delivery_db_request(struct store *store, const struct uuid *id, const struct uuid *endpoint_id,
                        const struct uuid *event_id, const struct uuid *created_by,
                        struct error *error)
{
    return store_query(store, request_sql,
                       PARAMS(param_uuid(id), param_uuid(endpoint_id),
                              event_id == NULL ? param_null() : param_uuid(event_id),
                              param_uuid(created_by)),
                       NULL, error);
}
