/* SPDX-License-Identifier: Apache-2.0 */
/* Results of a run in the order of a report: first the order alone (keys are short), then page by page. */
#pragma once

#include "store/store.h"

enum report_rows { REPORT_ROWS_BY_NAME, REPORT_ROWS_FAILURES_FIRST, REPORT_ROWS_FAILURES };
/* Columns: case key, variant, try. Deciding tries. */
int report_db_keys(struct store *store, const struct uuid *run_id, enum report_rows which,
                   struct rows **rows_r, struct error *error) WARN_UNUSED;
/* `count` results from keys[from] on, in that order. */
int report_db_page(struct store *store, const struct uuid *run_id, const struct rows *keys,
                   int from, int count, json_t **results_r, struct error *error) WARN_UNUSED;
/* Columns: status, how many, their duration in ms. */
int report_db_counts(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                     struct error *error) WARN_UNUSED;
