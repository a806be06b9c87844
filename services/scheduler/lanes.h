/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to workers. They are queued with the transaction and go out after COMMIT; lost ones are made
 * again: dispatches by their missing acknowledgement, the rest by the next full set. */
#pragma once

#include "brain.h"

/* A worker that was not known, with the lane that it reads. */
struct worker *lane_add_worker(struct brain *brain, struct pool *pool, const struct uuid *id);
int lane_dispatch(struct brain *brain, struct task *task, struct error *error) WARN_UNUSED;
void lane_cancel(struct brain *brain, const struct task *task);
void lane_sync(struct brain *brain, struct worker *worker); /* and forgets what was settled */
void lane_hello(struct brain *brain, const struct pool *pool);

void lanes_flush(struct brain *brain); /* after COMMIT, or outside a transaction */
