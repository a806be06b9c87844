/* SPDX-License-Identifier: Apache-2.0 */
#include "db/template.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/columns.h"
#include "db/name.h"

static const struct column columns_of_template[] = {
    {"id", COLUMN_TEXT},
    {"number", COLUMN_INT},
    {"slug", COLUMN_TEXT},
    {"title", COLUMN_TEXT},
    {"suite.id", COLUMN_TEXT},
    {"suite.slug", COLUMN_TEXT},
    {"environment.id", COLUMN_TEXT},
    {"environment.slug", COLUMN_TEXT},
    {"pool.id", COLUMN_TEXT},
    {"pool.slug", COLUMN_TEXT},
    {"run_title", COLUMN_JSON},
    {"requirements", COLUMN_JSON},
    {"parameters", COLUMN_JSON},
    {"policy", COLUMN_JSON},
    {"priority", COLUMN_JSON},
    {"created_by", COLUMN_TEXT},
    {"created_at", COLUMN_TEXT},
    {"updated_at", COLUMN_TEXT},
};
static const struct columns template_columns = COLUMNS(columns_of_template);
#define TEMPLATE_SELECT                                                                            \
    "SELECT t.id, t.number, t.slug, t.title, s.id, s.slug, e.id, e.slug, p.id, p.slug,"            \
    " t.defaults->'title', coalesce(t.defaults->'requirements', '[]'),"                            \
    " coalesce(t.defaults->'parameters', '{}'), coalesce(t.defaults->'policy', '{}'),"             \
    " t.defaults->'priority', t.created_by, api.utc(t.created_at), api.utc(t.updated_at)"          \
    " FROM api.template t"                                                                         \
    " JOIN api.suite s ON s.id = t.suite_id"                                                       \
    " JOIN api.pool p ON p.id = t.pool_id"                                                         \
    " LEFT JOIN api.environment e ON e.id = t.environment_id"                                      \
    " WHERE t.project_id = $1"

static const char get_sql[] = TEMPLATE_SELECT " AND (t.slug = $2 OR t.id = $3)";

int template_db_get(struct store *store, const struct uuid *project_id, const char *text,
                    json_t **template_r, struct error *error)
{
    const struct name name = name_read(text);
    return columns_find(store, get_sql,
                        PARAMS(param_uuid(project_id), param_text(name.slug), param_uuid(&name.id)),
                        &template_columns, template_r, error);
}

static const char list_sql[] =
    TEMPLATE_SELECT " AND ($2::uuid IS NULL OR t.id < $2) ORDER BY t.id DESC LIMIT $3";

int template_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                     json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(project_id), param_uuid(&page->after), param_int(page->limit + 1)),
        &template_columns, items_r, error);
}

static const char save_sql[] =
    "INSERT INTO api.template (id, project_id, slug, title, suite_id, environment_id, pool_id,"
    " defaults, created_by) VALUES ($1, $2, $3, coalesce($4, $3), $5, $6, $7, $8, $9)"
    " ON CONFLICT (project_id, slug) DO UPDATE SET title = coalesce($4, template.title),"
    " suite_id = $5, environment_id = $6, pool_id = $7, defaults = $8, updated_at = now()"
    " RETURNING id";

int template_db_save(struct store *store, const struct template_row *row, struct uuid *id_r,
                     bool *is_new_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(text_free) char *defaults = json_text(row->defaults);
    const struct uuid id = uuid_v7();
    if (store_query(store, save_sql,
                    PARAMS(param_uuid(&id), param_uuid(row->project_id), param_text(row->slug),
                           param_text(row->title), param_uuid(&row->suite_id),
                           param_uuid(&row->environment_id), param_uuid(&row->pool_id),
                           param_text(defaults), param_uuid(row->created_by)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_uuid(rows, 0, 0);
    *is_new_r = uuid_equal(id_r, &id);
    return 0;
}

static const char remove_sql[] = "DELETE FROM api.template WHERE id = $1";

int template_db_remove(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, remove_sql, PARAMS(param_uuid(id)), NULL, error);
}
