/* SPDX-License-Identifier: Apache-2.0 */
/* A batch into the ledger: facts and locks first, then set by set, in the order that everybody locks in.
 * Little is left to the COMMIT's round trip but what needs no answer. */
#pragma once

#include "batch.h"
#include "db/run_totals.h"
#include "ledger/outbox.h"
#include "store/store.h"
#include "trace/span.h"

/* What was written; counts and totals may be told once it is committed. */
struct outcome {
    struct run_totals *totals; /* of the runs that have changed; owned */
    size_t totals_count;
    struct span *spans; /* of the streams that have ended, where they are wanted; owned */
    size_t span_count;
    int64_t ingested, duplicate, stale, late, rejected, items, gaps, finished, log_bytes;
};
void outcome_deinit(struct outcome *outcome);

/* Locks, and loads what the batch is judged by. */
int write_lock(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* Writes everything; *outcome was empty. task.recorded goes to `topic` through the outbox. */
int write_batch(struct store *store, struct batch *batch, struct outbox *outbox, const char *topic,
                struct outcome *outcome, struct error *error) WARN_UNUSED;
