/* SPDX-License-Identifier: Apache-2.0 */
/* api.pool and api.pool_project. */
#pragma once

#include "auth/token.h"
#include "base/uuid.h"
#include "http/page.h"
#include "store/store.h"

/* By slug or id, granted to the project or to all; *id_r is "" when there is none. */
int pool_db_find_granted(struct store *store, const char *text, const struct uuid *project_id,
                         struct uuid *id_r, struct error *error) WARN_UNUSED;
/* The pool of a join token; "" when there is none. */
int pool_db_find_by_join_token(struct store *store, const uint8_t hash[TOKEN_HASH_BYTES],
                               struct uuid *id_r, char slug_r[64], struct error *error) WARN_UNUSED;

/* only: what this project may use, "" for all. *pool_r is NULL when there is none. */
int pool_db_get(struct store *store, const struct uuid *only, const char *text, json_t **pool_r,
                struct error *error) WARN_UNUSED;
int pool_db_list(struct store *store, const struct uuid *only, const struct page *page,
                 json_t **items_r, struct error *error) WARN_UNUSED;

struct pool_body {
    char *slug, *title;
    bool all_projects;
};
/* *id_r is "" when the slug is taken. */
int pool_db_add(struct store *store, const struct pool_body *body, const struct uuid *created_by,
                struct uuid *id_r, struct error *error) WARN_UNUSED;
int pool_db_set(struct store *store, const struct uuid *id, const struct pool_body *body,
                struct error *error) WARN_UNUSED;
int pool_db_set_join_token(struct store *store, const struct uuid *id,
                           const uint8_t hash[TOKEN_HASH_BYTES], struct error *error) WARN_UNUSED;
int pool_db_grant(struct store *store, const struct uuid *id, const struct uuid *project_id,
                  const struct uuid *created_by, struct error *error) WARN_UNUSED;
int pool_db_take_back(struct store *store, const struct uuid *id, const struct uuid *project_id,
                      struct error *error) WARN_UNUSED;
/* Until the end of the transaction nothing that names it is made: whoever is about to waits, and finds it gone then. */
int pool_db_lock(struct store *store, const struct uuid *id, bool *is_there_r,
                 struct error *error) WARN_UNUSED;
int pool_db_has_runs(struct store *store, const struct uuid *id, bool *has_runs_r,
                     struct error *error) WARN_UNUSED;
/* With its grants and enrolments. "conflict" when a template names it. */
int pool_db_remove(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
