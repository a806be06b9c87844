/* SPDX-License-Identifier: Apache-2.0 */
/* Runs, read whole: api.run, what the scheduler made of it, and its totals, in one join. */
#pragma once

#include <stdbool.h>

#include "http/page.h"
#include "store/store.h"

/* Cases of results.run_totals t that were counted. */
#define COUNTED "(t.passed + t.failed + t.errored + t.skipped + t.blocked)"

/* A run as it stood when it was read. */
struct run_view {
    struct uuid id, project_id;
    int64_t version;  /* of the state; 0: no scheduler has seen it */
    int64_t revision; /* rises with every change, totals too */
    bool is_final;
    json_t *json; /* without links; owned */
};
void run_view_deinit(struct run_view *view);

/* By id or number, within what the project may see ("": every one). view_r->json is NULL when there is
 * none. */
int run_db_get(struct store *store, const struct uuid *only, const char *text,
               struct run_view *view_r, struct error *error) WARN_UNUSED;
/* Many by id, in no order: *views_r is an owned array of *count_r. */
int run_db_get_many(struct store *store, const struct uuid *ids, int count,
                    struct run_view **views_r, int *count_r, struct error *error) WARN_UNUSED;

/* Texts are NULL when not asked for. */
struct run_filter {
    struct uuid only;  /* project; "": all */
    struct uuid floor; /* none that is older is looked at; "": all are */
    const char *state; /* names with commas between */
    const char *branch, *commit, *build_version;
    const char *since, *until;                         /* made then or later, and before */
    const char *suite, *environment, *pool, *template; /* slug or id */
    const char *parent;                                /* id or number of a run */
};
/* The project's run that is the count-th behind `after` ("": of all), the newest first; "" where there are fewer. */
int run_db_nth(struct store *store, const struct uuid *project_id, const struct uuid *after,
               int64_t count, struct uuid *id_r, struct error *error) WARN_UNUSED;
int run_db_list(struct store *store, const struct run_filter *filter, const struct page *page,
                json_t **items_r, struct error *error) WARN_UNUSED;

/* What a request about a run's parts needs to know of it. */
struct run_ref {
    struct uuid id, project_id, pool_id;
    int64_t number;
    bool is_final;
};
/* run_r->id is "" when there is none that may be seen. */
int run_db_find(struct store *store, const struct uuid *only, const char *text,
                struct run_ref *run_r, struct error *error) WARN_UNUSED;

/* A wish that it be cancelled, unless there is one already. */
int run_db_request_cancel(struct store *store, const struct uuid *run_id,
                          const struct uuid *created_by, struct error *error) WARN_UNUSED;
