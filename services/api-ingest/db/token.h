/* SPDX-License-Identifier: Apache-2.0 */
/* api.token and api.principal. */
#pragma once

#include "auth/token.h"
#include "base/error.h"
#include "base/uuid.h"
#include "http/page.h"
#include "store/store.h"

/* What a check needs to know. */
struct token_row {
    struct uuid id, project_id;
    char name[128];
    unsigned scopes;
    bool is_valid;
    char why_not[16]; /* "revoked", "expired"; "" when there is no such token */
};

/* A token that is not there is no failure: token_r->is_valid says. */
int token_db_find(struct store *store, const uint8_t hash[TOKEN_HASH_BYTES],
                  struct token_row *token_r, struct error *error) WARN_UNUSED;
int token_db_touch(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;

struct new_token {
    struct uuid id, project_id;
    const char *name;
    const uint8_t *hash;
    const json_t *scopes;
    int64_t expires_in_ms; /* 0: never */
    struct uuid created_by;
};
/* With its principal, which has the same id. */
int token_db_add(struct store *store, const struct new_token *token,
                 struct error *error) WARN_UNUSED;

/* only: of this project, "" for all. As JSON, without secrets; NULL when there is none. */
int token_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                 json_t **token_r, struct error *error) WARN_UNUSED;
int token_db_list(struct store *store, const struct uuid *only, const struct page *page,
                  json_t **items_r, struct error *error) WARN_UNUSED;
int token_db_revoke(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
