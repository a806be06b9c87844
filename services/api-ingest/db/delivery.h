/* SPDX-License-Identifier: Apache-2.0 */
/* What was sent to whom (the notifier's tables, read alone), and api.delivery_request. */
#pragma once

#include "http/page.h"
#include "store/store.h"

struct delivery_filter {
    const char *state, *event; /* NULL: all */
    const char *since, *until; /* NULL: any */
    struct uuid webhook_id;    /* "": all */
};
int delivery_db_list(struct store *store, const struct uuid *project_id,
                     const struct delivery_filter *filter, const struct page *page,
                     json_t **items_r, struct error *error) WARN_UNUSED;
/* only: of this project, "" for all. With its attempts; *delivery_r is NULL when there is none. */
int delivery_db_get(struct store *store, const struct uuid *only, const struct uuid *id,
                    json_t **delivery_r, struct error *error) WARN_UNUSED;

/* Is it still there, and of this project? */
int delivery_db_has_event(struct store *store, const struct uuid *event_id,
                          const struct uuid *project_id, bool *answer_r,
                          struct error *error) WARN_UNUSED;

/* event_id NULL: a test. */
int delivery_db_request(struct store *store, const struct uuid *id, const struct uuid *endpoint_id,
                        const struct uuid *event_id, const struct uuid *created_by,
                        struct error *error) WARN_UNUSED;
