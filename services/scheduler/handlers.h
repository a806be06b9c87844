/* SPDX-License-Identifier: Apache-2.0 */
/* What the scheduler does with each message of its topic: a table, one function per type. */
#pragma once

#include "brain.h"

/* For the ledger: judges each record of the batch, then dispatches what became possible. */
enum verdict_of_handler handlers_batch(struct brain *brain, struct store *store,
                                       const struct record *const *records,
                                       struct judgement *judgements, int count,
                                       struct error *error);

/* Runs that were asked for and have no state yet, by id. */
int handlers_adopt(struct brain *brain, struct store *store, struct array_param *ids,
                   struct error *error) WARN_UNUSED;

/* What messages, heartbeats and timers give reason to look at: rows decide what comes of it. */
struct hints {
    struct array_param *recorded; /* dispatches whose record may be complete; NULL: all open ones */
    struct array_param *requested; /* runs of which something may be asked; NULL: all open ones */
    struct texts lost,
        reborn; /* dispatches that their worker does not have; or its predecessor had */
};
void hints_init(struct hints *hints);
void hints_deinit(struct hints *hints);

/* Ends what has ended, all in the order of locks that the collector keeps too: runs before tasks. */
int handlers_end(struct brain *brain, struct store *store, const struct hints *hints,
                 struct error *error) WARN_UNUSED;
/* Open runs that are beyond the window are brought into memory. */
int handlers_need_runs(struct brain *brain, struct store *store, const struct rows *rows,
                       struct error *error) WARN_UNUSED;
