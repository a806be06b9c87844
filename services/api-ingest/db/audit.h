/* SPDX-License-Identifier: Apache-2.0 */
/* api.audit: who changed what. Every change writes its row in its own transaction. */
#pragma once

#include "http/request.h"
#include "store/store.h"

/* project_id NULL or "": of the whole installation. Takes the reference of detail (NULL: none). */
int audit_add(struct store *store, const struct request *request, const struct uuid *project_id,
              const char *action, const struct uuid *object_id, json_t *detail,
              struct error *error) WARN_UNUSED;
struct page;
/* project_id "": of the whole installation; members that are NULL: any. */
struct audit_filter {
    struct uuid project_id;
    const char *action, *since, *until;
};
int audit_db_list(struct store *store, const struct audit_filter *filter, const struct page *page,
                  json_t **items_r, struct error *error) WARN_UNUSED;
