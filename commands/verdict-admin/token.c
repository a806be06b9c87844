/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens by direct SQL: how the first one comes into being. */
#include "auth/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/text.h"
#include "secret.h"

static int parse_scopes(const char *text, struct array_param *scopes, struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(text);
    char *state = NULL;
    int count = 0;
    for (char *part = strtok_r(copy, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        struct error inner;
        int scope;
        if (names_parse(&token_scope_names, part, &scope, &inner) < 0)
            return error_set(error, "usage", "--scopes: \"%s\" %s", part, inner.text);
        array_param_add(scopes, part);
        count++;
    }
    return count > 0 ? 0 : error_set(error, "usage", "--scopes is empty");
}

static int find_project(struct store *store, const char *slug, struct uuid *id_r,
                        struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    *id_r = (struct uuid){""};
    if (slug == NULL)
        return 0;
    if (store_query(store, "SELECT id FROM api.project WHERE slug = $1", PARAMS(param_text(slug)),
                    &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "not_found", "there is no project %s", slug);
    *id_r = rows_uuid(rows, 0, 0);
    return 0;
}

static int insert(struct store *store, const struct admin_options *options,
                  const struct uuid *project, const char *text, struct array_param *scopes,
                  int64_t expires_ms, struct error *error)
{
    struct uuid id = uuid_v7();
    uint8_t hash[TOKEN_HASH_BYTES];
    const char *name = options->name == NULL ? "token" : options->name;
    token_hash(text, hash);
    if (store_query(store, "INSERT INTO api.principal (id, kind, name) VALUES ($1, 'token', $2)",
                    PARAMS(param_uuid(&id), param_text(name)), NULL, error) < 0)
        return -1;
    return store_query(
        store,
        "INSERT INTO api.token (id, project_id, name, secret_hash, scopes, expires_at, "
        "created_by) "
        "VALUES ($1, $2, $3, $4, $5::text[], now() + $6 * interval '1 ms', "
        "'00000000-0000-7000-8000-000000000001')",
        PARAMS(param_uuid(&id), param_uuid(project), param_text(name),
               param_bytes(hash, sizeof hash), array_param_get(scopes),
               expires_ms > 0 ? param_int(expires_ms) : param_null()),
        NULL, error);
}

int run_token_create(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(array_param_free) struct array_param *scopes = array_param_new();
    AUTO(secret_out_deinit) struct secret_out out = {.fd = -1};
    struct uuid project;
    struct error inner;
    char text[TOKEN_TEXT_SIZE];
    int64_t expires_ms = 0;
    if (parse_scopes(options->scopes == NULL ? "runs:write,runs:read" : options->scopes, scopes,
                     error) < 0)
        return -1;
    if (options->expires != NULL &&
        duration_parse(options->expires, 60000, (int64_t)3650 * 86400000, &expires_ms, &inner) < 0)
        return error_set(error, "usage", "--expires %s", inner.text);
    token_make("vd", text);
    if (secret_out_open(options->output, &out, error) < 0 ||
        admin_api_store(options, &store, error) < 0 || store_begin(store, error) < 0 ||
        find_project(store, options->project, &project, error) < 0 ||
        insert(store, options, &project, text, scopes, expires_ms, error) < 0 ||
        secret_out_write(&out, text, error) < 0)
        return -1;
    return store_commit(store, error);
}

int run_token_list(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    if (admin_api_store(options, &store, error) < 0 ||
        store_query(
            store,
            "SELECT t.id, t.name, coalesce(p.slug, 'all projects'), array_to_string(t.scopes, "
            "','), "
            "CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= now() THEN "
            "'expired' "
            "ELSE 'good' END, coalesce(t.last_used_at::text, 'never used') "
            "FROM api.token t LEFT JOIN api.project p ON p.id = t.project_id ORDER BY t.created_at",
            NO_PARAMS, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++)
        for (int column = 0; column < 6; column++)
            printf("%s%s", rows_text(rows, i, column), column < 5 ? "\t" : "\n");
    return 0;
}

int run_token_revoke(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    struct uuid id;
    if (options->id == NULL)
        return error_set(error, "usage", "--id is missing");
    if (uuid_parse(options->id, &id, error) < 0)
        return error_set(error, "usage", "--id is not a UUID");
    if (admin_api_store(options, &store, error) < 0 ||
        store_query(store,
                    "UPDATE api.token SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 "
                    "RETURNING name",
                    PARAMS(param_uuid(&id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "not_found", "there is no token %s", id.text);
    printf("revoked %s\n", rows_text(rows, 0, 0));
    return 0;
}
