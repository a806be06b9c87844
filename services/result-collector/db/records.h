/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of dispatches and cases beyond their results. Both are queued for the next round trip. */
#pragma once

#include "batch.h"
#include "store/store.h"

/* How far each stream has come, and how it ended. */
int db_add_task_records(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;

/* Once per finished task: which cases there are, and how long they take. */
int db_add_known_cases(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
