/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pool.h"

#include <stdio.h>

#include "base/memory.h"
#include "db/columns.h"
#include "db/name.h"

static const char find_granted_sql[] =
    "SELECT p.id FROM api.pool p WHERE (p.slug = $1 OR p.id = $2) AND (p.all_projects OR EXISTS"
    " (SELECT FROM api.pool_project g WHERE g.pool_id = p.id AND g.project_id = $3))";

int pool_db_find_granted(struct store *store, const char *text, const struct uuid *project_id,
                         struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name name = name_read(text);
    if (store_query(store, find_granted_sql,
                    PARAMS(param_text(name.slug), param_uuid(&name.id), param_uuid(project_id)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_count(rows) == 1 ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    return 0;
}

static const char find_by_join_token_sql[] =
    "SELECT id, slug FROM api.pool WHERE join_token_hash = $1";

int pool_db_find_by_join_token(struct store *store, const uint8_t hash[TOKEN_HASH_BYTES],
                               struct uuid *id_r, char slug_r[64], struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, find_by_join_token_sql, PARAMS(param_bytes(hash, TOKEN_HASH_BYTES)),
                    &rows, error) < 0)
        return -1;
    bool found = rows_count(rows) == 1;
    *id_r = found ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    snprintf(slug_r, 64, "%s", found ? rows_text(rows, 0, 1) : "");
    return 0;
}

static const struct column columns_of_pool[] = {
    {"id", COLUMN_TEXT},           {"slug", COLUMN_TEXT},       {"title", COLUMN_TEXT},
    {"all_projects", COLUMN_BOOL}, {"projects", COLUMN_JSON},   {"workers", COLUMN_INT},
    {"can_enrol", COLUMN_BOOL},    {"created_by", COLUMN_TEXT}, {"created_at", COLUMN_TEXT},
};
static const struct columns pool_columns = COLUMNS(columns_of_pool);
/* A project sees itself alone among those that a pool is granted to. */
#define POOL_SELECT                                                                                \
    "SELECT p.id, p.slug, p.title, p.all_projects, (SELECT coalesce(json_agg(j.slug"               \
    " ORDER BY j.slug), '[]')"                                                                     \
    " FROM api.pool_project g"                                                                     \
    " JOIN api.project j ON j.id = g.project_id"                                                   \
    " WHERE g.pool_id = p.id AND ($1::uuid IS NULL OR j.id = $1)), (SELECT count(*)"               \
    " FROM scheduling.worker w"                                                                    \
    " WHERE w.pool_id = p.id AND w.state IN ('online', 'draining', 'suspect')),"                   \
    " p.join_token_hash IS NOT NULL, p.created_by, api.utc(p.created_at)"                          \
    " FROM api.pool p"                                                                             \
    " WHERE ($1::uuid IS NULL OR p.all_projects OR EXISTS (SELECT"                                 \
    " FROM api.pool_project g"                                                                     \
    " WHERE g.pool_id = p.id AND g.project_id = $1))"

static const char get_sql[] = POOL_SELECT " AND (p.slug = $2 OR p.id = $3)";

int pool_db_get(struct store *store, const struct uuid *only, const char *text, json_t **pool_r,
                struct error *error)
{
    const struct name name = name_read(text);
    return columns_find(store, get_sql,
                        PARAMS(param_uuid(only), param_text(name.slug), param_uuid(&name.id)),
                        &pool_columns, pool_r, error);
}

static const char list_sql[] =
    POOL_SELECT " AND ($2::uuid IS NULL OR p.id < $2) ORDER BY p.id DESC LIMIT $3";

int pool_db_list(struct store *store, const struct uuid *only, const struct page *page,
                 json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(only), param_uuid(&page->after), param_int(page->limit + 1)),
        &pool_columns, items_r, error);
}

static const char add_sql[] = "INSERT INTO api.pool (id, slug, title, all_projects, created_by)"
                              " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (slug) DO NOTHING";

int pool_db_add(struct store *store, const struct pool_body *body, const struct uuid *created_by,
                struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid id = uuid_v7();
    if (store_query(store, add_sql,
                    PARAMS(param_uuid(&id), param_text(body->slug),
                           param_text(body->title == NULL ? body->slug : body->title),
                           param_bool(body->all_projects), param_uuid(created_by)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_affected(rows) == 1 ? id : (struct uuid){.text = ""};
    return 0;
}

static const char set_sql[] =
    "UPDATE api.pool SET title = coalesce($2, title), all_projects = $3 WHERE id = $1";

int pool_db_set(struct store *store, const struct uuid *id, const struct pool_body *body,
                struct error *error)
{
    return store_query(
        store, set_sql,
        PARAMS(param_uuid(id), param_text(body->title), param_bool(body->all_projects)), NULL,
        error);
}

static const char set_join_token_sql[] = "UPDATE api.pool SET join_token_hash = $2 WHERE id = $1";

int pool_db_set_join_token(struct store *store, const struct uuid *id,
                           const uint8_t hash[TOKEN_HASH_BYTES], struct error *error)
{
    return store_query(store, set_join_token_sql,
                       PARAMS(param_uuid(id), param_bytes(hash, TOKEN_HASH_BYTES)), NULL, error);
}

static const char grant_sql[] = "INSERT INTO api.pool_project (pool_id, project_id, created_by)"
                                " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

int pool_db_grant(struct store *store, const struct uuid *id, const struct uuid *project_id,
                  const struct uuid *created_by, struct error *error)
{
    return store_query(store, grant_sql,
                       PARAMS(param_uuid(id), param_uuid(project_id), param_uuid(created_by)), NULL,
                       error);
}

static const char take_back_sql[] =
    "DELETE FROM api.pool_project WHERE pool_id = $1 AND project_id = $2";

int pool_db_take_back(struct store *store, const struct uuid *id, const struct uuid *project_id,
                      struct error *error)
{
    return store_query(store, take_back_sql, PARAMS(param_uuid(id), param_uuid(project_id)), NULL,
                       error);
}

static const char lock_sql[] = "SELECT FROM api.pool WHERE id = $1 FOR UPDATE";

int pool_db_lock(struct store *store, const struct uuid *id, bool *is_there_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, lock_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *is_there_r = rows_count(rows) == 1;
    return 0;
}

static const char has_runs_sql[] = "SELECT EXISTS (SELECT FROM api.run WHERE pool_id = $1)";

int pool_db_has_runs(struct store *store, const struct uuid *id, bool *has_runs_r,
                     struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, has_runs_sql, PARAMS(param_uuid(id)), &rows, error) < 0)
        return -1;
    *has_runs_r = rows_bool(rows, 0, 0);
    return 0;
}

static const char remove_sql[] = "WITH grants AS (DELETE FROM api.pool_project WHERE pool_id = $1),"
                                 " enrolments AS (DELETE FROM api.enrolment WHERE pool_id = $1)"
                                 " DELETE FROM api.pool WHERE id = $1";

int pool_db_remove(struct store *store, const struct uuid *id, struct error *error)
{
    if (store_query(store, remove_sql, PARAMS(param_uuid(id)), NULL, error) < 0)
        return name_in_use("pool", "template", error);
    return 0;
}
