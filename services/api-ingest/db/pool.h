/* SPDX-License-Identifier: Apache-2.0 */
/* api.pool and api.pool_project. */
#pragma once

#include "base/uuid.h"
#include "store/store.h"

/* By slug or id, granted to the project or to all; *id_r is "" when there is none. */
int pool_db_find_granted(struct store *store, const char *text, const struct uuid *project_id,
                         struct uuid *id_r, struct error *error) WARN_UNUSED;
