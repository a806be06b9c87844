/* SPDX-License-Identifier: Apache-2.0 */
/* known_case: which cases a project has and how long they take. Inside a transaction of its own. */
#pragma once

#include "store/store.h"

/* Closed runs that are not in the statistics yet. */
struct uncounted {
    struct array_param *ids;
    int count;
    bool is_large; /* one, of too many cases for one transaction */
};
void uncounted_deinit(struct uncounted *runs);

/* Locks some of at most most_cases together, or one that is larger. */
int db_lock_uncounted_runs(struct store *store, int64_t most_cases, struct uncounted *runs_r,
                           struct error *error) WARN_UNUSED;

/* Counts them in. */
int db_count_runs(struct store *store, const struct uncounted *runs,
                  struct error *error) WARN_UNUSED;

/* Counts the next cases of a large one in. */
int db_count_part(struct store *store, const struct uncounted *runs, int64_t most_cases,
                  struct error *error) WARN_UNUSED;
