/* SPDX-License-Identifier: Apache-2.0 */
/* api.project. */
#pragma once

#include "http/request.h"
#include "store/store.h"

/* By slug or id; project_r->id is "" when there is none. */
int project_db_find(struct store *store, const char *text, struct project_ref *project_r,
                    struct error *error) WARN_UNUSED;
