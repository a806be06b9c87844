/* SPDX-License-Identifier: Apache-2.0 */
/* Gives waiting work to free slots: plans runs lazily, in the transaction of their first dispatch. */
#pragma once

#include "brain.h"

/* Every pool in which something changed, until slots or work are used up. Also says why what is left waits. */
int dispatch_all(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;

/* Why each waiting run of the pool is not further, in words. */
void dispatch_explain(struct brain *brain, struct pool *pool);

/* Whether any worker of the pool could ever run it: tells no_capable_worker from queue_timeout. */
bool dispatch_is_capable(const struct brain *brain, const struct run *run);
