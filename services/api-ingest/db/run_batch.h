/* SPDX-License-Identifier: Apache-2.0 */
/* What the group commit of triggers reads and writes, set-wise: api.idempotency_key, api.suite_version, api.run and
 * api.run_request. */
#pragma once

#include "runs/trigger.h"
#include "store/store.h"

/* Marks it, as below, when its key was used before. */
int run_batch_db_find_key(struct store *store, struct trigger *trigger,
                          struct error *error) WARN_UNUSED;

/* The rest is for the one transaction of a batch. */

/* Marks each whose key was known already: replayed, or refused when the body is another. */
int run_batch_db_claim_keys(struct store *store, struct trigger *const *list, int count,
                            struct error *error) WARN_UNUSED;
/* Stores the new suites of those still open, with their cases (queued). */
int run_batch_db_add_suites(struct store *store, struct trigger *const *list, int count,
                            struct error *error) WARN_UNUSED;
/* Inserts the runs of those still open, and gives them their numbers. */
int run_batch_db_add_runs(struct store *store, struct trigger *const *list, int count,
                          struct error *error) WARN_UNUSED;
/* Requests to supersede older open runs, for those that want it. *rows_r: run id, pool id. */
int run_batch_db_supersede(struct store *store, struct trigger *const *list, int count,
                           struct rows **rows_r, struct error *error) WARN_UNUSED;
/* After a COMMIT without an answer: those whose run is there are created. */
int run_batch_db_look_up(struct store *store, struct trigger *const *list, int count,
                         struct error *error) WARN_UNUSED;
