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
/* Open requests of one run, or (NULL) of all of the partition. */
int handlers_requests(struct brain *brain, struct store *store, const struct uuid *run_id,
                      struct error *error) WARN_UNUSED;
/* Finished records of these dispatches, or (NULL) of all open tasks. */
int handlers_records(struct brain *brain, struct store *store, struct array_param *dispatches,
                     struct error *error) WARN_UNUSED;
