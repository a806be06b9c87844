/* SPDX-License-Identifier: Apache-2.0 */
/* api.token and api.principal. */
#pragma once

#include "auth/token.h"
#include "base/error.h"
#include "base/uuid.h"
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
