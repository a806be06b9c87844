/* SPDX-License-Identifier: Apache-2.0 */
/* api.environment. */
#pragma once

#include "http/page.h"
#include "store/store.h"

struct environment_body {
    char *slug, *title, *url;
    int64_t position; /* in the order of promotion */
};

/* By slug or id within the project; *environment_r is NULL when there is none. */
int environment_db_get(struct store *store, const struct uuid *project_id, const char *text,
                       json_t **environment_r, struct error *error) WARN_UNUSED;
int environment_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                        json_t **items_r, struct error *error) WARN_UNUSED;
/* *id_r is "" when the slug is taken. */
int environment_db_add(struct store *store, const struct uuid *project_id,
                       const struct environment_body *body, const struct uuid *created_by,
                       struct uuid *id_r, struct error *error) WARN_UNUSED;
/* "conflict" when a template or a run names it. */
int environment_db_remove(struct store *store, const struct uuid *project_id, const struct uuid *id,
                          struct error *error) WARN_UNUSED;
int environment_db_set(struct store *store, const struct uuid *id,
                       const struct environment_body *body, struct error *error) WARN_UNUSED;
