/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a batch's items: results where they belong, and output. */
#pragma once

#include "batch.h"
#include "store/store.h"

/* Inserts what counts and marks the items whose row was not there before. */
int db_insert_results(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* Queue the others for the next round trip. */
int db_add_late_results(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
int db_add_stale_results(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
/* Of those that were there before: which tell another status than the one that counts. */
int db_add_contradicting_results(struct store *store, struct batch *batch,
                                 struct error *error) WARN_UNUSED;
int db_add_log_chunks(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
