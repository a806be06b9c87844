/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's part of a run's trace. Spans are kept with the transaction that they are about, and given
 * away after COMMIT: what was rolled back leaves none. */
#pragma once

#include "brain.h"

void spans_add_plan(struct brain *brain, const struct run *run);
void spans_add_dispatch(struct brain *brain, const struct task *task); /* ends when it is sent */
void spans_add_run(struct brain *brain, const struct run *run, enum reason reason);

void spans_flush(struct brain *brain); /* after COMMIT */
void spans_drop(struct brain *brain);
