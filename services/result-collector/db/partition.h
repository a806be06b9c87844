/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions of results.result and results.log_chunk, one a month each. Outside transactions. */
#pragma once

#include "store/store.h"

#define PARTITIONED_TABLES 2
extern const char *const partitioned_tables[PARTITIONED_TABLES];

/* One table that is, was or will be a partition. */
struct partition {
    int table; /* index into partitioned_tables */
    int month;
    bool is_attached;
    bool is_detaching; /* a DETACH CONCURRENTLY did not come to its end */
};

/* *list_r is the caller's; now_ms_r is Postgres' clock. */
int db_list_partitions(struct store *store, struct partition **list_r, size_t *count_r,
                       int64_t *now_ms_r, struct error *error) WARN_UNUSED;

/* Makes and attaches it; another instance may be doing the same. */
int db_make_partition(struct store *store, int table, int month, struct error *error) WARN_UNUSED;

/* Is there a run that is older than the month? */
int db_has_runs_before(struct store *store, int month, bool *answer_r,
                       struct error *error) WARN_UNUSED;

/* Detaches without blocking anybody, then drops. Begins where an earlier attempt has stopped. */
int db_drop_partition(struct store *store, const struct partition *partition,
                      struct error *error) WARN_UNUSED;
