/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch is judged by: runs and tasks, locked until COMMIT, and what was recorded of the
 * dispatches. Called in this order, which is the lock order everywhere (runs, then tasks, each sorted);
 * inbox_offset was locked before. */
#pragma once

#include "batch.h"
#include "store/store.h"

int db_lock_runs(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
/* Of the runs that are not known. */
int db_find_removed(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
int db_lock_tasks(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
int db_load_dispatches(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
