/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a run: what api-ingest owns of it. */
#pragma once

#include <stdbool.h>

#include "store/store.h"

/* What names runs whose ids are in the SELECT, as members of a WITH. */
#define REMOVE_PARTS_OF(runs)                                                                      \
    " requests AS (DELETE FROM api.run_request WHERE run_id IN (" runs ")),"                       \
    " uploads AS (DELETE FROM api.upload WHERE run_id IN (" runs ")),"                             \
    " artifacts AS (DELETE FROM api.artifact WHERE run_id IN (" runs "))"

/* With its key, and a note for the owners of the rest. False when it is not there, or not final. */
int run_remove_db(struct store *store, const struct uuid *run_id, bool *is_removed_r,
                  struct error *error) WARN_UNUSED;
/* The same of the oldest of a project that have ended. *ids_r is an owned array of *count_r; has_more_r: others have
 * ended as well. */
int run_remove_db_ended(struct store *store, const struct uuid *project_id, int64_t limit,
                        struct uuid **ids_r, int *count_r, bool *has_more_r,
                        struct error *error) WARN_UNUSED;
