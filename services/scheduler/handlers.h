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
