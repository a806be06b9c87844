/* SPDX-License-Identifier: Apache-2.0 */
/* api.enrolment, and what the scheduler knows of workers. */
#pragma once

#include "auth/mac.h"
#include "base/uuid.h"
#include "http/page.h"
#include "store/store.h"

/* The worker of that name in the pool, with a new key: an id that was given before stays, and with it the
 * lane. lane is for a new one. */
struct enrolled {
    struct uuid worker_id;
    int lane;
    int64_t incarnation; /* the highest that was heard of; 0: none */
    bool is_new;
    bool is_refused; /* the name was revoked: nothing was changed, the rest is not set */
};
int worker_db_enrol(struct store *store, const struct uuid *new_id, const struct uuid *pool_id,
                    const char *name, const uint8_t key[MAC_KEY_BYTES], int lane,
                    struct enrolled *enrolled_r, struct error *error) WARN_UNUSED;

/* only: of pools that this project may use, "" for all; pool, state: NULL for all. */
int worker_db_list(struct store *store, const struct uuid *only, const char *pool,
                   const char *state, const struct page *page, json_t **items_r,
                   struct error *error) WARN_UNUSED;
int worker_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                  json_t **worker_r, struct error *error) WARN_UNUSED;
int worker_db_revoke(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
/* It may enrol again. Its key becomes that one: what it had before stays void. */
int worker_db_restore(struct store *store, const struct uuid *id, const uint8_t key[MAC_KEY_BYTES],
                      struct error *error) WARN_UNUSED;
