/* SPDX-License-Identifier: Apache-2.0 */
/* api.suite. */
#pragma once

#include "http/page.h"
#include "store/store.h"

/* By slug or id within the project; *suite_r is NULL when there is none. */
int suite_db_get(struct store *store, const struct uuid *project_id, const char *text,
                 json_t **suite_r, struct error *error) WARN_UNUSED;
int suite_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                  json_t **items_r, struct error *error) WARN_UNUSED;

struct suite_row {
    const struct uuid *project_id;
    const char *slug, *title; /* title NULL: keep, or the slug for a new one */
    const struct uuid *version_id, *created_by;
};
/* Makes it, or points it at the version. */
int suite_db_save(struct store *store, const struct suite_row *row, struct uuid *id_r,
                  bool *is_new_r, struct error *error) WARN_UNUSED;

/* Its versions stay, as runs do. "conflict" when a template names it. */
int suite_db_remove(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;

/* Declared cases of a version, from ordinal `after` on. */
int suite_db_cases(struct store *store, const struct uuid *version_id, int64_t after, int64_t limit,
                   json_t **items_r, struct error *error) WARN_UNUSED;
