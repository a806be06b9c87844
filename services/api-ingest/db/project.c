/* SPDX-License-Identifier: Apache-2.0 */
#include "db/project.h"

#include <stdio.h>

#include "base/memory.h"
#include "db/columns.h"
#include "db/name.h"

/* One statement each: with an OR in it every question would be planned anew. */
static const char find_by_slug_sql[] = "SELECT id, slug FROM api.project WHERE slug = $1";
static const char find_by_id_sql[] = "SELECT id, slug FROM api.project WHERE id = $1";

int project_db_find(struct store *store, const char *text, struct project_ref *project_r,
                    struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name name = name_read(text);
    const char *sql = name.slug != NULL ? find_by_slug_sql : find_by_id_sql;
    const struct param param = name.slug != NULL ? param_text(name.slug) : param_uuid(&name.id);
    if (store_query(store, sql, &param, 1, &rows, error) < 0)
        return -1;
    struct project_ref project = {.slug = ""};
    if (rows_count(rows) == 1) {
        project.id = rows_uuid(rows, 0, 0);
        snprintf(project.slug, sizeof project.slug, "%s", rows_text(rows, 0, 1));
    }
    *project_r = project;
    return 0;
}

static const struct column columns_of_project[] = {
    {"id", COLUMN_TEXT},    {"number", COLUMN_INT},      {"slug", COLUMN_TEXT},
    {"title", COLUMN_TEXT}, {"created_by", COLUMN_TEXT}, {"created_at", COLUMN_TEXT},
};
static const struct columns project_columns = COLUMNS(columns_of_project);
#define PROJECT_COLUMNS "id, number, slug, title, created_by, api.utc(created_at)"

static const char get_sql[] = "SELECT " PROJECT_COLUMNS " FROM api.project WHERE id = $1";

int project_db_get(struct store *store, const struct uuid *id, json_t **project_r,
                   struct error *error)
{
    return columns_find(store, get_sql, PARAMS(param_uuid(id)), &project_columns, project_r, error);
}

static const char list_sql[] = "SELECT " PROJECT_COLUMNS " FROM api.project"
                               " WHERE ($1::uuid IS NULL OR id = $1)"
                               " AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";

int project_db_list(struct store *store, const struct uuid *only, const struct page *page,
                    json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(only), param_uuid(&page->after), param_int(page->limit + 1)),
        &project_columns, items_r, error);
}

static const char add_sql[] = "INSERT INTO api.project (id, slug, title, created_by)"
                              " VALUES ($1, $2, $3, $4) ON CONFLICT (slug) DO NOTHING";

int project_db_add(struct store *store, const char *slug, const char *title,
                   const struct uuid *created_by, struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct uuid id = uuid_v7();
    if (store_query(
            store, add_sql,
            PARAMS(param_uuid(&id), param_text(slug), param_text(title), param_uuid(created_by)),
            &rows, error) < 0)
        return -1;
    *id_r = rows_affected(rows) == 1 ? id : (struct uuid){.text = ""};
    return 0;
}

static const char set_title_sql[] = "UPDATE api.project SET title = $2 WHERE id = $1";

int project_db_set_title(struct store *store, const struct uuid *id, const char *title,
                         struct error *error)
{
    return store_query(store, set_title_sql, PARAMS(param_uuid(id), param_text(title)), NULL,
                       error);
}

static const char share_generation_sql[] = "SELECT share_generation FROM api.project WHERE id = $1";

int project_db_share_generation(struct store *store, const struct uuid *id, int64_t *generation_r,
                                struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, share_generation_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *generation_r = rows_count(rows) == 1 ? rows_int(rows, 0, 0) : -1;
    return 0;
}

static const char end_shares_sql[] =
    "UPDATE api.project SET share_generation = share_generation + 1 WHERE id = $1";

int project_db_end_shares(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, end_shares_sql, PARAMS(param_uuid(id)), NULL, error);
}

static const char lock_sql[] = "SELECT FROM api.project WHERE id = $1 FOR UPDATE";

int project_db_lock(struct store *store, const struct uuid *id, bool *is_there_r,
                    struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, lock_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *is_there_r = rows_count(rows) == 1;
    return 0;
}

static const char has_runs_sql[] = "SELECT EXISTS (SELECT FROM api.run WHERE project_id = $1)";

int project_db_has_runs(struct store *store, const struct uuid *id, bool *has_runs_r,
                        struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, has_runs_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *has_runs_r = rows_bool(rows, 0, 0);
    return 0;
}

#define OF_PROJECT(name, table) " " name " AS (DELETE FROM api." table " WHERE project_id = $1),"
static const char remove_sql[] =
    "WITH" OF_PROJECT("templates", "template") OF_PROJECT("webhooks", "webhook_endpoint")
        OF_PROJECT("environments", "environment") OF_PROJECT("suites", "suite") OF_PROJECT(
            "grants",
            "pool_project") " tokens AS (UPDATE api.token SET revoked_at = now()"
                            "  WHERE project_id = $1 AND revoked_at IS NULL),"
                            " rest AS (INSERT INTO api.removed_project (project_id) VALUES ($1))"
                            " DELETE FROM api.project WHERE id = $1";

int project_db_remove(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, remove_sql, PARAMS(param_uuid(id)), NULL, error);
}
