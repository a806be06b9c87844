/* SPDX-License-Identifier: Apache-2.0 */
/* What was uploaded: api.upload, and what became of it in the scheduler's and the collector's tables. */
#pragma once

#include <jansson.h>

#include "auth/mac.h"
#include "store/store.h"

/* A run, as an upload must know it. */
struct uploaded_run {
    struct uuid id, project_id, pool_id;
    char *suite, *framework, *format; /* format: of the suite's report; owned */
    bool is_uploaded;                 /* its suite's source is `upload` */
};
void uploaded_run_deinit(struct uploaded_run *run);
/* suite is NULL when there is none. */
int upload_db_run(struct store *store, const struct uuid *run_id, struct uploaded_run *run_r,
                  struct error *error) WARN_UNUSED;

struct upload_row {
    const struct uuid *run_id, *created_by;
    const char *digest;           /* hex */
    const char *format, *variant; /* variant "": of none */
    int64_t bytes, cases;
};

/* In a transaction: the row is there afterwards, whoever made it; or "conflict": the run is over or complete,
 * or has as many as it may have; or "not_found": the run was removed. Those of one run go one after the other
 * until the end of their transactions, so that they do not have more together than a run may have. */
int upload_db_add(struct store *store, const struct upload_row *row,
                  struct error *error) WARN_UNUSED;
/* In a transaction: nothing more will come. No error when it was said already, or the run is over. */
int upload_db_complete(struct store *store, const struct uuid *run_id,
                       const struct uuid *created_by, struct error *error) WARN_UNUSED;

struct upload_state {
    struct uuid id; /* "": it is not there */
    struct uuid worker_id, dispatch_id;
    uint8_t key[MAC_KEY_BYTES];
    int partition;
    int64_t received;
    bool is_recorded; /* the ledger has all of it */
    bool is_over;     /* its task ended without that, or its run did */
};
int upload_db_state(struct store *store, const struct uuid *run_id, const char *digest,
                    const char *variant, struct upload_state *state_r,
                    struct error *error) WARN_UNUSED;
/* As it is answered; of one that is recorded. */
int upload_db_answer(struct store *store, const struct uuid *upload_id, json_t **upload_r,
                     struct error *error) WARN_UNUSED;
