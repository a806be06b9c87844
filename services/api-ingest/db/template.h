/* SPDX-License-Identifier: Apache-2.0 */
/* api.template. */
#pragma once

#include "http/page.h"
#include "store/store.h"

/* By slug or id within the project; *template_r is NULL when there is none. */
int template_db_get(struct store *store, const struct uuid *project_id, const char *text,
                    json_t **template_r, struct error *error) WARN_UNUSED;
int template_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                     json_t **items_r, struct error *error) WARN_UNUSED;

struct template_row {
    const struct uuid *project_id;
    const char *slug, *title; /* title NULL: keep, or the slug for a new one */
    struct uuid suite_id, environment_id, pool_id;
    const json_t *defaults;
    const struct uuid *created_by;
};
int template_db_save(struct store *store, const struct template_row *row, struct uuid *id_r,
                     bool *is_new_r, struct error *error) WARN_UNUSED;
int template_db_remove(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
