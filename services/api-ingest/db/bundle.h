/* SPDX-License-Identifier: Apache-2.0 */
/* api.bundle: files that runs are to run on, and whose they are. What is in them is a blob like others. */
#pragma once

#include <jansson.h>

#include "base/uuid.h"
#include "blob/blob.h"
#include "store/store.h"

/* {sha256, bytes, created_at}; NULL when the project has none of that name. It stays for an hour more, and as long as
 * a run names it. The name is a valid one. */
int bundle_db_use(struct store *store, const struct uuid *project_id, const char *name,
                  json_t **bundle_r, struct error *error) WARN_UNUSED;
/* Its blob was claimed. */
int bundle_db_save(struct store *store, const struct uuid *project_id, const char *name,
                   int64_t bytes, struct error *error) WARN_UNUSED;
/* Of a run; "" when it has none. */
int bundle_db_of_run(struct store *store, const struct uuid *run_id, char name_r[BLOB_NAME_SIZE],
                     struct error *error) WARN_UNUSED;
/* Up to 100 that no run has named, and nobody used, for an hour. */
int bundle_db_remove_unused(struct store *store, struct error *error) WARN_UNUSED;
