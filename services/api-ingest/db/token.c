/* SPDX-License-Identifier: Apache-2.0 */
#include "db/token.h"

#include <stdio.h>

#include "auth.h"
#include "base/json.h"
#include "base/memory.h"

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
