/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of kept files: api.artifact, and api.blob beneath it. A blob's row comes before its bytes and
 * goes with them, so that no bytes are forgotten. */
#pragma once

#include <jansson.h>

#include "auth/mac.h"
#include "blob/blob.h"
#include "http/page.h"
#include "store/store.h"

/* A dispatch that has not ended. */
struct open_dispatch {
    struct uuid id, run_id, task_id; /* id "": there is none */
    int64_t attempt;
    uint8_t worker_key[MAC_KEY_BYTES];
    int64_t files, bytes; /* that are kept of it already */
};
int artifact_db_dispatch(struct store *store, const struct uuid *id,
                         struct open_dispatch *dispatch_r, struct error *error) WARN_UNUSED;

/* The bytes will come, or are there: they are not to be removed within the hour. */
int blob_db_claim(struct store *store, const char *name, int64_t bytes,
                  struct error *error) WARN_UNUSED;
/* Up to 100 that nothing has named for an hour; their rows are gone when the transaction is. */
int blob_db_take_unused(struct store *store, struct rows **rows_r, struct error *error) WARN_UNUSED;

struct artifact_row {
    const struct open_dispatch *dispatch;
    const char *path, *blob;
    bool is_report;
    int64_t bytes;
    int64_t lines_covered, lines_total; /* -1: it says nothing of coverage */
};
/* The same path of the same dispatch again takes the other's place. */
int artifact_db_save(struct store *store, const struct artifact_row *row, struct uuid *id_r,
                     struct error *error) WARN_UNUSED;

/* New references. */
int artifact_db_list(struct store *store, const struct uuid *run_id, const struct page *page,
                     json_t **items_r, struct error *error) WARN_UNUSED;
int artifact_db_get(struct store *store, const struct uuid *run_id, const struct uuid *id,
                    json_t **artifact_r, struct error *error) WARN_UNUSED;
/* {lines_covered, lines_total, percent, at_least}; NULL when no file says any. */
int artifact_db_coverage(struct store *store, const struct uuid *run_id, json_t **coverage_r,
                         struct error *error) WARN_UNUSED;
