/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: who may run where, and who may join. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_topics.h"
#include "auth/token.h"
#include "base/memory.h"
#include "base/text.h"
#include "secret.h"

static const char *const system_principal = "00000000-0000-7000-8000-000000000001";

static int need(const char *value, const char *option, struct error *error)
{
    return value != NULL ? 0 : error_set(error, "usage", "--%s is missing", option);
}

int run_pool_list(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    if (admin_api_store(options, &store, error) < 0 ||
        store_query(store,
                    "SELECT p.slug, p.title, "
                    "CASE WHEN p.all_projects THEN 'all projects' ELSE coalesce((SELECT "
                    "string_agg(j.slug, ', ') "
                    "FROM api.pool_project g JOIN api.project j ON j.id = g.project_id WHERE "
                    "g.pool_id = p.id), "
                    "'no project') END, "
                    "(SELECT count(*) FROM api.enrolment e WHERE e.pool_id = p.id AND e.revoked_at "
                    "IS NULL) "
                    "FROM api.pool p ORDER BY p.slug",
                    NO_PARAMS, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++)
        printf("%s\t%s\t%s\t%s workers\n", rows_text(rows, i, 0), rows_text(rows, i, 1),
               rows_text(rows, i, 2), rows_text(rows, i, 3));
    return 0;
}

static int lanes(struct store *store, int *lanes_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, "SELECT value FROM api.installation WHERE name = 'lanes'", NO_PARAMS,
                    &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "invalid",
                         "the topics were not made yet: run verdict-admin topics");
    *lanes_r = (int)rows_int(rows, 0, 0);
    return 0;
}

int run_pool_create(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    struct uuid id = uuid_v7();
    int count = 0;
    if (need(options->pool, "pool", error) < 0)
        return -1;
    if (!slug_is_valid(options->pool))
        return error_set(error, "usage",
                         "--pool must be 1 to 63 lower-case letters, digits and single dashes");
    if (admin_api_store(options, &store, error) < 0 || lanes(store, &count, error) < 0 ||
        store_query(
            store,
            "INSERT INTO api.pool (id, slug, title, created_by) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (slug) DO UPDATE SET title = coalesce($5, pool.title) RETURNING id",
            PARAMS(param_uuid(&id), param_text(options->pool),
                   param_text(options->title == NULL ? options->pool : options->title),
                   param_text(system_principal), param_text(options->title)),
            &rows, error) < 0)
        return -1;
    return topic_make(options, TOPIC_LANES, rows_text(rows, 0, 0), count, error);
}

int run_pool_grant(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    if (need(options->pool, "pool", error) < 0 || need(options->project, "project", error) < 0 ||
        admin_api_store(options, &store, error) < 0 ||
        store_query(store,
                    "INSERT INTO api.pool_project (pool_id, project_id, created_by) "
                    "SELECT p.id, j.id, $3 FROM api.pool p, api.project j WHERE p.slug = $1 AND "
                    "j.slug = $2 "
                    "ON CONFLICT (pool_id, project_id) DO UPDATE SET created_by = "
                    "pool_project.created_by RETURNING 1",
                    PARAMS(param_text(options->pool), param_text(options->project),
                           param_text(system_principal)),
                    &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "not_found", "there is no pool %s or no project %s", options->pool,
                         options->project);
    printf("%s may run on %s\n", options->project, options->pool);
    return 0;
}

int run_pool_join_token(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(secret_out_deinit) struct secret_out out = {.fd = -1};
    const char *pool = options->pool == NULL ? "default" : options->pool;
    char text[TOKEN_TEXT_SIZE];
    uint8_t hash[TOKEN_HASH_BYTES];
    token_make("vdj", text);
    token_hash(text, hash);
    if (secret_out_open(options->output, &out, error) < 0 ||
        admin_api_store(options, &store, error) < 0 || store_begin(store, error) < 0 ||
        store_query(store, "UPDATE api.pool SET join_token_hash = $2 WHERE slug = $1 RETURNING id",
                    PARAMS(param_text(pool), param_bytes(hash, sizeof hash)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "not_found", "there is no pool %s", pool);
    if (secret_out_write(&out, text, error) < 0)
        return -1;
    return store_commit(store, error);
}
