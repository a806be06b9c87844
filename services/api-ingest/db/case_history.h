/* SPDX-License-Identifier: Apache-2.0 */
/* results.known_case, and a case's results over the runs of its suite. */
#pragma once

#include <jansson.h>

#include "model/case_key.h"
#include "store/store.h"

/* What is known of it; NULL when nothing is. *suite_r (slug) is the caller's. */
int case_db_get(struct store *store, const struct uuid *project_id, const struct case_key *key,
                json_t **case_r, char **suite_r, struct error *error) WARN_UNUSED;

/* Those that are known of a project, in the order of their keys. Members that are NULL: any. */
struct case_filter {
    const char *status; /* names with commas between */
    const char *suite;  /* slug */
    const char *search; /* in file, class, name and parameters */
};
/* after: "" or a key in hex. */
int case_db_list(struct store *store, const struct uuid *project_id,
                 const struct case_filter *filter, const char *after, int64_t limit,
                 json_t **items_r, struct error *error) WARN_UNUSED;

struct case_runs {
    const struct uuid *project_id;
    const char *suite;
    const struct case_key *key;
    const char *branch; /* NULL: any */
};
/* {"runs", "changes", "retried", "figure"} and {"mean_ms", "median_ms", "max_ms"}: of the last hundred runs
 * that executed it. */
int case_db_figures(struct store *store, const struct case_runs *of, json_t **flakiness_r,
                    json_t **durations_r, struct error *error) WARN_UNUSED;
/* Newest first, from behind the run on ("": the newest). *scanned_r is the last run that was looked at when
 * there are more runs than are looked at for one page, else "". */
int case_db_history(struct store *store, const struct case_runs *of, const struct uuid *after,
                    int64_t limit, json_t **items_r, struct uuid *scanned_r,
                    struct error *error) WARN_UNUSED;
