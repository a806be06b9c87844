/* SPDX-License-Identifier: Apache-2.0 */
#include "db/environment.h"

#include "base/memory.h"
#include "db/columns.h"
#include "db/name.h"

static const struct column columns_of_environment[] = {
    {"id", COLUMN_TEXT},         {"number", COLUMN_INT},      {"slug", COLUMN_TEXT},
    {"title", COLUMN_TEXT},      {"url", COLUMN_TEXT},        {"position", COLUMN_INT},
    {"created_by", COLUMN_TEXT}, {"created_at", COLUMN_TEXT},
};
static const struct columns environment_columns = COLUMNS(columns_of_environment);
#define ENVIRONMENT_COLUMNS                                                                        \
    "id, number, slug, title, url, position, created_by, api.utc(created_at)"

static const char get_sql[] = "SELECT " ENVIRONMENT_COLUMNS " FROM api.environment"
                              " WHERE project_id = $1 AND (slug = $2 OR id = $3)";

int environment_db_get(struct store *store, const struct uuid *project_id, const char *text,
                       json_t **environment_r, struct error *error)
{
    const struct name name = name_read(text);
    return columns_find(store, get_sql,
                        PARAMS(param_uuid(project_id), param_text(name.slug), param_uuid(&name.id)),
                        &environment_columns, environment_r, error);
}

static const char list_sql[] = "SELECT " ENVIRONMENT_COLUMNS " FROM api.environment"
                               " WHERE project_id = $1 AND ($2::uuid IS NULL OR id < $2)"
                               " ORDER BY id DESC LIMIT $3";

int environment_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                        json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(project_id), param_uuid(&page->after), param_int(page->limit + 1)),
        &environment_columns, items_r, error);
}

static const char add_sql[] =
    "INSERT INTO api.environment (id, project_id, slug, title, url, position, created_by)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (project_id, slug) DO NOTHING";

int environment_db_add(struct store *store, const struct uuid *project_id,
                       const struct environment_body *body, const struct uuid *created_by,
                       struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid id = uuid_v7();
    if (store_query(store, add_sql,
                    PARAMS(param_uuid(&id), param_uuid(project_id), param_text(body->slug),
                           param_text(body->title == NULL ? body->slug : body->title),
                           param_text(body->url), param_int(body->position),
                           param_uuid(created_by)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_affected(rows) == 1 ? id : (struct uuid){.text = ""};
    return 0;
}

static const char set_sql[] = "UPDATE api.environment SET title = coalesce($2, title),"
                              " url = $3, position = $4 WHERE id = $1";

int environment_db_set(struct store *store, const struct uuid *id,
                       const struct environment_body *body, struct error *error)
{
    return store_query(store, set_sql,
                       PARAMS(param_uuid(id), param_text(body->title), param_text(body->url),
                              param_int(body->position)),
                       NULL, error);
}

static const char remove_sql[] =
    "DELETE FROM api.environment WHERE id = $2 AND NOT EXISTS (SELECT FROM api.run"
    " WHERE project_id = $1 AND environment_id = $2)";

int environment_db_remove(struct store *store, const struct uuid *project_id, const struct uuid *id,
                          struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, remove_sql, PARAMS(param_uuid(project_id), param_uuid(id)), &rows,
                    error) < 0)
        return name_in_use("environment", "template", error);
    return rows_affected(rows) == 1
               ? 0
               : error_set(error, "conflict", "runs name this environment: it stays with them");
}
