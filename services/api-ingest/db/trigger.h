/* SPDX-License-Identifier: Apache-2.0 */
/* What a trigger reads and writes: api.run, api.idempotency_key, api.run_request, and rows of the outbox,
 * set-wise. */
#pragma once

#include "runs/trigger.h"
#include "store/store.h"

/* Names out of a body, each slug or id; NULL: not given. */
struct trigger_names {
    const char *template, *suite, *environment, *pool, *parent;
};

/* What they mean in the project; "" where there is nothing by that name. */
struct trigger_parts {
    struct uuid template_id, suite_id, suite_version_id, environment_id, pool_id, parent_id;
    char *suite_slug, *suite_title;
    int64_t cases;
    json_t *requirements; /* of the suite; owned */
    json_t *defaults;     /* of the template; owned */
};
int trigger_db_find_parts(struct store *store, const struct uuid *project_id,
                          const struct trigger_names *names, struct trigger_parts *parts_r,
                          struct error *error) WARN_UNUSED;
void trigger_parts_deinit(struct trigger_parts *parts);

/* Marks it, as below, when its key was used before. */
int trigger_db_find_key(struct store *store, struct trigger *trigger,
                        struct error *error) WARN_UNUSED;

/* The rest is for the one transaction of a batch. */

/* Marks each whose key was known already: replayed, or refused when the body is another. */
int trigger_db_claim_keys(struct store *store, struct trigger *const *list, int count,
                          struct error *error) WARN_UNUSED;
/* Stores the new suites of those still open, with their cases (queued). */
int trigger_db_add_suites(struct store *store, struct trigger *const *list, int count,
                          struct error *error) WARN_UNUSED;
/* Inserts the runs of those still open, and gives them their numbers. */
int trigger_db_add_runs(struct store *store, struct trigger *const *list, int count,
                        struct error *error) WARN_UNUSED;
/* Requests to supersede older open runs, for those that want it. *rows_r: run id, pool id. */
int trigger_db_supersede(struct store *store, struct trigger *const *list, int count,
                         struct rows **rows_r, struct error *error) WARN_UNUSED;
/* After a COMMIT without an answer: those whose run is there are created. */
int trigger_db_look_up(struct store *store, struct trigger *const *list, int count,
                       struct error *error) WARN_UNUSED;

struct outbox_rows; /* rows to be inserted by one statement */
struct outbox_rows *outbox_rows_new(void);
void outbox_rows_free(struct outbox_rows **rows);
void outbox_rows_add(struct outbox_rows *rows, const struct uuid *id, const char *topic,
                     int partition, const char *key, const char *payload, const char *traceparent);
/* Queued: goes out with the COMMIT. */
int outbox_rows_insert(struct outbox_rows *rows, struct store *store,
                       struct error *error) WARN_UNUSED;
