/* SPDX-License-Identifier: Apache-2.0 */
/* task_record: how far each stream has come, and how it ended. */
#pragma once

#include "batch.h"
#include "store/store.h"

/* Queued for the next round trip. */
int db_add_task_records(struct store *store, struct batch *batch, struct error *error) WARN_UNUSED;
