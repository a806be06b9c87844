/* SPDX-License-Identifier: Apache-2.0 */
/* The totals of a batch's runs. All after db_insert_results, on runs that are locked. */
#pragma once

#include "batch.h"
#include "store/store.h"

/* Which of the runs have cases with more than one try. */
int db_load_retries(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* Adds the cases of those runs to their deltas, by each case's deciding try. */
int db_decide_retries(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* Counts the new cases that runs with declared cases had not declared. */
int db_count_unplanned(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* A run's totals after the update, for progress events. */
struct run_totals {
    struct uuid run_id, project_id;
    bool has_planned;
    int64_t planned;
    int64_t by_status[RESULT_STATUS_COUNT];
};

/* Applies the deltas of the runs that were touched. *list_r is the caller's, to be freed. */
int db_update_totals(struct store *store, struct batch *batch, struct run_totals **list_r,
                     size_t *count_r, struct error *error) WARN_UNUSED;
