/* SPDX-License-Identifier: Apache-2.0 */
#include "db/token.h"

#include <stdio.h>

#include "auth.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/columns.h"

static const char find_sql[] = "SELECT id, project_id, name, to_json(scopes),"
                               " CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"
                               "      WHEN expires_at <= now() THEN 'expired' ELSE '' END"
                               " FROM api.token WHERE secret_hash = $1";

int token_db_find(struct store *store, const uint8_t hash[TOKEN_HASH_BYTES],
                  struct token_row *token_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, find_sql, PARAMS(param_bytes(hash, TOKEN_HASH_BYTES)), &rows, error) < 0)
        return -1;
    struct token_row token = {.is_valid = false};
    if (rows_count(rows) == 1) {
        AUTO(json_free) json_t *scopes = rows_json(rows, 0, 3);
        token.id = rows_uuid(rows, 0, 0);
        token.project_id = rows_uuid(rows, 0, 1);
        snprintf(token.name, sizeof token.name, "%s", rows_text(rows, 0, 2));
        snprintf(token.why_not, sizeof token.why_not, "%s", rows_text(rows, 0, 4));
        token.is_valid = token.why_not[0] == '\0';
        if (auth_scopes_parse(scopes, &token.scopes, error) < 0)
            return error_set(error, "internal", "a stored token has an unknown scope");
    }
    *token_r = token;
    return 0;
}

static const char touch_sql[] =
    "UPDATE api.token SET last_used_at = now() WHERE id = $1"
    " AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')";

int token_db_touch(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, touch_sql, PARAMS(param_uuid(id)), NULL, error);
}

static const char add_principal_sql[] =
    "INSERT INTO api.principal (id, kind, name) VALUES ($1, 'token', $2)";
static const char add_sql[] =
    "INSERT INTO api.token (id, project_id, name, secret_hash, scopes, expires_at, created_by)"
    " SELECT $1, $2, $3, $4, ARRAY(SELECT jsonb_array_elements_text($5)),"
    " CASE WHEN $6::bigint > 0 THEN now() + $6::bigint * interval '1 millisecond' END, $7";

int token_db_add(struct store *store, const struct new_token *token, struct error *error)
{
    AUTO(text_free) char *scopes = json_text(token->scopes);
    if (store_query(store, add_principal_sql,
                    PARAMS(param_uuid(&token->id), param_text(token->name)), NULL, error) < 0)
        return -1;
    return store_query(store, add_sql,
                       PARAMS(param_uuid(&token->id), param_uuid(&token->project_id),
                              param_text(token->name), param_bytes(token->hash, TOKEN_HASH_BYTES),
                              param_text(scopes), param_int(token->expires_in_ms),
                              param_uuid(&token->created_by)),
                       NULL, error);
}

static const struct column columns_of_token[] = {
    {"id", COLUMN_TEXT},           {"name", COLUMN_TEXT},       {"project.id", COLUMN_TEXT},
    {"project.slug", COLUMN_TEXT}, {"scopes", COLUMN_JSON},     {"state", COLUMN_TEXT},
    {"expires_at", COLUMN_TEXT},   {"revoked_at", COLUMN_TEXT}, {"last_used_at", COLUMN_TEXT},
    {"created_by", COLUMN_TEXT},   {"created_at", COLUMN_TEXT},
};
static const struct columns token_columns = COLUMNS(columns_of_token);
#define TOKEN_SELECT                                                                               \
    "SELECT t.id, t.name, p.id, p.slug, to_json(t.scopes), CASE WHEN t.revoked_at IS NOT"          \
    " NULL THEN 'revoked' WHEN t.expires_at <= now() THEN 'expired' ELSE 'active' END,"            \
    " api.utc(t.expires_at), api.utc(t.revoked_at), api.utc(t.last_used_at),"                      \
    " t.created_by, api.utc(t.created_at)"                                                         \
    " FROM api.token t"                                                                            \
    " LEFT JOIN api.project p ON p.id = t.project_id"                                              \
    " WHERE ($1::uuid IS NULL OR t.project_id = $1)"

static const char get_sql[] = TOKEN_SELECT " AND t.id = $2";

int token_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                 json_t **token_r, struct error *error)
{
    return columns_find(store, get_sql, PARAMS(param_uuid(only), param_uuid(id)), &token_columns,
                        token_r, error);
}

static const char list_sql[] =
    TOKEN_SELECT " AND ($2::uuid IS NULL OR t.id < $2) ORDER BY t.id DESC LIMIT $3";

int token_db_list(struct store *store, const struct uuid *only, const struct page *page,
                  json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(only), param_uuid(&page->after), param_int(page->limit + 1)),
        &token_columns, items_r, error);
}

static const char revoke_sql[] =
    "UPDATE api.token SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL";

int token_db_revoke(struct store *store, const struct uuid *id, struct error *error)
{
    return store_query(store, revoke_sql, PARAMS(param_uuid(id)), NULL, error);
}
