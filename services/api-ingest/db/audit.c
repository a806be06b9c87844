/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/columns.h"
#include "http/page.h"

/* What nobody signed in for (enrolment) was done by the system. */
static const struct uuid system_principal = {.text = "00000000-0000-7000-8000-000000000001"};

static const char add_sql[] =
    "INSERT INTO api.audit (id, principal_id, project_id, action, object_id, detail)"
    " VALUES ($1, $2, $3, $4, $5, $6)";

int audit_add(struct store *store, const struct request *request, const struct uuid *project_id,
              const char *action, const struct uuid *object_id, json_t *detail, struct error *error)
{
    const struct principal *principal = request_principal(request);
    const struct uuid id = uuid_v7();
    AUTO(json_free) json_t *owned = detail == NULL ? json_object() : detail;
    AUTO(text_free) char *text = json_text(owned);
    return store_query(store, add_sql,
                       PARAMS(param_uuid(&id),
                              param_uuid(principal == NULL ? &system_principal : &principal->id),
                              project_id == NULL ? param_null() : param_uuid(project_id),
                              param_text(action), param_uuid(object_id), param_text(text)),
                       NULL, error);
}

static const struct column columns_of_audit[] = {
    {"id", COLUMN_TEXT},           {"at", COLUMN_TEXT},
    {"principal.id", COLUMN_TEXT}, {"principal.name", COLUMN_TEXT},
    {"action", COLUMN_TEXT},       {"object_id", COLUMN_TEXT},
    {"detail", COLUMN_JSON},
};
static const struct columns audit_columns = COLUMNS(columns_of_audit);

static const char list_sql[] =
    "SELECT a.id, api.utc(a.at), a.principal_id, p.name, a.action, a.object_id, a.detail"
    " FROM api.audit a"
    " LEFT JOIN api.principal p ON p.id = a.principal_id"
    " WHERE ($1::uuid IS NULL OR a.project_id = $1) AND ($2::uuid IS NULL OR a.id < $2)"
    " AND ($4::text IS NULL OR a.action = $4)"
    " AND ($5::timestamptz IS NULL OR a.at >= $5) AND ($6::timestamptz IS NULL OR a.at < $6)"
    " ORDER BY a.id DESC LIMIT $3";

int audit_db_list(struct store *store, const struct audit_filter *filter, const struct page *page,
                  json_t **items_r, struct error *error)
{
    return columns_list(store, list_sql,
                        PARAMS(param_uuid(&filter->project_id), param_uuid(&page->after),
                               param_int(page->limit + 1), param_text(filter->action),
                               param_text(filter->since), param_text(filter->until)),
                        &audit_columns, items_r, error);
}
