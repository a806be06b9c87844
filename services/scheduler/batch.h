/* SPDX-License-Identifier: Apache-2.0 */
/* One batch of the scheduler's topic, in the ledger's hand: what the handlers of its messages share. */
#pragma once

#include "hints.h"

/* What its messages submit, start and end is gathered and done together. */
struct batch {
    struct brain *brain;
    struct store *store;
    const struct record *record;
    struct array_param *submitted;
    int submitted_count, hint_count, request_count;
    struct hints hints;
    struct texts started; /* dispatches whose task is running from now on */
};

typedef int message_handler(struct batch *batch, const void *message, struct error *error);

/* The first test process of a task is about to be executed. */
int batch_start_task(struct batch *batch, struct task *task, struct error *error) WARN_UNUSED;

message_handler on_worker_heartbeat;
