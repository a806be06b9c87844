/* SPDX-License-Identifier: Apache-2.0 */
/* The hint to the scheduler that something of a run was written that it has to read. */
#pragma once

#include "base/error.h"
#include "base/uuid.h"

struct ingest;
struct store;

/* In the transaction that writes it. */
int run_tell_scheduler(struct ingest *ingest, struct store *store, const struct uuid *run_id,
                       const struct uuid *pool_id, struct error *error) WARN_UNUSED;
