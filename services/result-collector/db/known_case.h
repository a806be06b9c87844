/* SPDX-License-Identifier: Apache-2.0 */
/* known_case: which cases a project has and how long they take. Inside a transaction of its own. */
#pragma once

#include "store/store.h"

/* Locks some closed runs that are not in the statistics yet, of about most_cases together, at least one.
 * *runs_r is an array parameter, *count_r what is in it. */
int db_lock_uncounted_runs(struct store *store, int64_t most_cases, struct array_param **runs_r,
                           int *count_r, struct error *error) WARN_UNUSED;

/* Counts them in. */
int db_count_runs(struct store *store, struct array_param *runs, struct error *error) WARN_UNUSED;
