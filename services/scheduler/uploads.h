/* SPDX-License-Identifier: Apache-2.0 */
/* Runs whose tests ran elsewhere. An upload is a row of api-ingest's; here it becomes a task with one attempt and
 * a dispatch, whose stream api-ingest sends as an executor would: the same fence, the same ledger. */
#pragma once

#include "brain.h"
#include "store/store.h"

/* Takes up what was uploaded to open runs, and ends those that are complete: of these, or (NULL) of all of the
 * partition. */
int uploads_follow(struct brain *brain, struct store *store, struct array_param *run_ids,
                   struct error *error) WARN_UNUSED;
