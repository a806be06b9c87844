/* SPDX-License-Identifier: Apache-2.0 */
/* How tasks and runs come to their end, inside a ledger transaction. A run that ends is freed: the caller
 * must not touch it or its tasks afterwards where `ended` says so. */
#pragma once

#include "brain.h"
#include "close.h"

/* The first test process of a task is about to be executed. The task's row is left to the end of the
 * transaction (db_task_started), behind the locks that endings take: ledger.h's lock order. */
int ending_task_started(struct brain *brain, struct store *store, struct task *task,
                        struct error *error) WARN_UNUSED;

/* The stream of the task's current dispatch is complete in the ledger, and ended so. */
int ending_task_recorded(struct brain *brain, struct store *store, struct task *task,
                         enum ending_kind ending, const char *detail,
                         struct error *error) WARN_UNUSED;

/* Its worker, or its dispatch, is lost: queued again with what is left of it, or at its end. */
int ending_task_lost(struct brain *brain, struct store *store, struct task *task, const char *why,
                     struct error *error) WARN_UNUSED;

/* It was over its deadline and its worker did not end it. */
int ending_task_overdue(struct brain *brain, struct store *store, struct task *task,
                        struct error *error) WARN_UNUSED;

/* It cannot be sent at all. */
int ending_task_refused(struct brain *brain, struct store *store, struct task *task,
                        const char *detail, struct error *error) WARN_UNUSED;

/* All has been uploaded: an uploaded run ends as soon as its tasks have. */
int ending_run_complete(struct brain *brain, struct store *store, struct run *run,
                        struct error *error) WARN_UNUSED;

/* The run ends now, whatever its tasks do: cancelled, superseded, over a deadline. */
int ending_run(struct brain *brain, struct store *store, struct run *run, enum reason reason,
               const char *detail, const struct uuid *actor, struct error *error) WARN_UNUSED;
