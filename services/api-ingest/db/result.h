/* SPDX-License-Identifier: Apache-2.0 */
/* results.result, results.log_chunk and scheduling.task of one run, page by page. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "db/columns.h"
#include "store/store.h"

/* A result as it is answered, and as reports see it: the table, and its columns of results.result r. */
extern const struct columns result_columns;
#define RESULT_COLUMNS                                                                             \
    "encode(r.case_key, 'hex'), r.file, r.class, r.name, r.parameters, r.variant, r.try, "         \
    "r.status,"                                                                                    \
    " r.duration_ms, r.message, r.trace, r.task_id, r.attempt,"                                    \
    " api.utc(r.started_at), api.utc(r.recorded_at)"
/* What decides: no higher try of the same case. */
#define RESULT_DECIDES                                                                             \
    "NOT EXISTS (SELECT FROM results.result h WHERE h.run_id = r.run_id"                           \
    " AND h.case_key = r.case_key AND h.variant = r.variant AND h.try > r.try)"

/* Where a page of results begins: behind this one. Owned variant; case_key "" is the start. */
struct result_position {
    char case_key[33];
    char *variant;
    int64_t try;
};

/* Deciding tries alone unless all_tries. */
struct result_filter {
    const char *status;  /* names with commas between; NULL: all */
    const char *search;  /* what file, class, name and parameters are searched for; NULL: nothing */
    struct uuid task_id; /* "": of all */
    bool all_tries;
};
int result_db_list(struct store *store, const struct uuid *run_id,
                   const struct result_filter *filter, const struct result_position *after,
                   int64_t limit, json_t **items_r, struct error *error) WARN_UNUSED;

int task_db_list(struct store *store, const struct uuid *run_id, int64_t after_ordinal,
                 int64_t limit, json_t **items_r, struct error *error) WARN_UNUSED;

struct log_position {
    int64_t ordinal, attempt, seq; /* of the task, of its attempt, of the chunk; -1: the start */
};
/* task_id "": of all tasks. */
int log_db_list(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                const struct log_position *after, int64_t limit, json_t **items_r,
                struct error *error) WARN_UNUSED;
/* The last bytes of what a task said, for reports. Caller frees; "" when it said nothing. */
int log_db_tail(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                int64_t bytes, char **text_r, struct error *error) WARN_UNUSED;
