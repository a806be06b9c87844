/* SPDX-License-Identifier: Apache-2.0 */
/* What the world is told of runs: a row of run_event and a message of the outbox, in the transaction that
 * made it true. */
#pragma once

#include "brain.h"
#include "close.h"

/* Raises the run's version. totals: NULL when there are none yet. */
int event_run(struct brain *brain, struct store *store, struct run *run, const char *type,
              const struct closed_run *totals, enum reason reason, const char *detail,
              struct error *error) WARN_UNUSED;

/* A worker fell silent with a task of this run. */
int event_worker_lost(struct brain *brain, struct store *store, const struct run *run,
                      const struct worker *worker, struct error *error) WARN_UNUSED;

/* All events of the partition's runs once more: some of them may be lost. */
int events_again(struct brain *brain, struct store *store, int partition,
                 struct error *error) WARN_UNUSED;
