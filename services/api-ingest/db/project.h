/* SPDX-License-Identifier: Apache-2.0 */
/* api.project. */
#pragma once

#include "http/page.h"
#include "http/request.h"
#include "store/store.h"

/* By slug or id; project_r->id is "" when there is none. */
int project_db_find(struct store *store, const char *text, struct project_ref *project_r,
                    struct error *error) WARN_UNUSED;
/* As JSON; *project_r is NULL when there is none. */
int project_db_get(struct store *store, const struct uuid *id, json_t **project_r,
                   struct error *error) WARN_UNUSED;
/* only: the one that a bound token sees, "" for all. */
int project_db_list(struct store *store, const struct uuid *only, const struct page *page,
                    json_t **items_r, struct error *error) WARN_UNUSED;
/* *id_r is "" when the slug is taken. */
int project_db_add(struct store *store, const char *slug, const char *title,
                   const struct uuid *created_by, struct uuid *id_r,
                   struct error *error) WARN_UNUSED;
int project_db_set_title(struct store *store, const struct uuid *id, const char *title,
                         struct error *error) WARN_UNUSED;
/* Links to the page of its runs are good while they name it; -1: there is no such project. */
int project_db_share_generation(struct store *store, const struct uuid *id, int64_t *generation_r,
                                struct error *error) WARN_UNUSED;
/* Raises it. */
int project_db_end_shares(struct store *store, const struct uuid *id,
                          struct error *error) WARN_UNUSED;
/* Until the end of the transaction nothing that names it is made: whoever is about to waits, and finds it gone then. */
int project_db_lock(struct store *store, const struct uuid *id, bool *is_there_r,
                    struct error *error) WARN_UNUSED;
int project_db_has_runs(struct store *store, const struct uuid *id, bool *has_runs_r,
                        struct error *error) WARN_UNUSED;
/* With its environments, suites, templates, webhooks and grants; its tokens are revoked. */
int project_db_remove(struct store *store, const struct uuid *id, struct error *error) WARN_UNUSED;
