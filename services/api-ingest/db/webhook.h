/* SPDX-License-Identifier: Apache-2.0 */
/* api.webhook_endpoint, with what the notifier knows of each. */
#pragma once

#include "http/page.h"
#include "store/store.h"

/* *webhook_r is NULL when there is none. Secrets are never among it. */
int webhook_db_get(struct store *store, const struct uuid *project_id, const struct uuid *id,
                   json_t **webhook_r, struct error *error) WARN_UNUSED;
int webhook_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                    json_t **items_r, struct error *error) WARN_UNUSED;
int webhook_db_count(struct store *store, const struct uuid *project_id, int64_t *count_r,
                     struct error *error) WARN_UNUSED;

struct webhook_row {
    const struct uuid *id, *project_id, *created_by;
    const char *url, *description;
    const json_t *events;
    bool enabled;
};
int webhook_db_add(struct store *store, const struct webhook_row *row, const uint8_t *sealed,
                   size_t sealed_length, struct error *error) WARN_UNUSED;
int webhook_db_set(struct store *store, const struct webhook_row *row,
                   struct error *error) WARN_UNUSED;
int webhook_db_set_secret(struct store *store, const struct uuid *id, const uint8_t *sealed,
                          size_t sealed_length, struct error *error) WARN_UNUSED;
int webhook_db_remove(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
